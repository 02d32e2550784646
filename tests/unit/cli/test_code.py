"""The folder from which the user's module is imported."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.reports import MANIFEST
from trimtab_cli.code import NoRoomError, code_folder, digest, temporary_folder
from trimtab_cli.manifest import read_manifest

CODE = MANIFEST.replace(
    "entrypoint: digits:Digits", "entrypoint: digits:Digits\n    code: {configMap: digits-code}"
)


@pytest.fixture
def manifest(tmp_path):
    def read(text):
        path = tmp_path / "job.yaml"
        path.write_text(text)
        return read_manifest(str(path))

    return read


def test_code_without_a_config_map_is_the_manifests_folder(manifest, tmp_path):
    with code_folder(manifest(MANIFEST)) as folder:
        assert folder == str(tmp_path.resolve())


def test_code_of_a_config_map_elsewhere_is_the_manifests_folder(manifest, tmp_path):
    with code_folder(manifest(CODE)) as folder:
        assert folder == str(tmp_path.resolve())


def test_code_of_the_stream_is_written_out_as_long_as_the_run_lasts(manifest):
    files = {"digits.py": b"class Digits: ...\n", "blob.bin": b"\xff"}
    with code_folder(replace(manifest(CODE), config_maps={"digits-code": files})) as folder:
        assert {path.name: path.read_bytes() for path in Path(folder).iterdir()} == files
    assert not Path(folder).exists()


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folder_of_a_killed_run_is_removed_by_the_next(place):
    killed = (
        "import os, signal, tempfile; from trimtab_cli.code import temporary_folder\n"
        f"tempfile.tempdir = {str(place)!r}\n"
        "with temporary_folder(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)
    left = set(place.iterdir())
    with temporary_folder() as folder:
        assert set(place.iterdir()) == {folder}
    assert len(left) == 1


def test_folder_of_a_run_that_goes_on_is_left(place):
    with temporary_folder() as first, temporary_folder() as second:
        assert set(place.iterdir()) == {first, second}


def test_without_a_place_for_temporary_files_the_variable_is_named(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(place / "nowhere"))
    with (
        pytest.raises(NoRoomError, match=r"nowhere.*; set TMPDIR to one that can be written"),
        temporary_folder(),
    ):
        pass


def test_same_files_give_the_same_folder_name_and_others_another():
    one = {"a.py": b"1", "b.py": b"2"}
    assert digest(one) == digest(dict(reversed(one.items())))
    assert len({digest(one), digest({**one, "b.py": b"3"}), digest({"a.py": b"1b.py", "": b"2"})}) == 3

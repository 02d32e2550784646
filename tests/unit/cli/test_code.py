"""The folder from which the user's module is imported."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.reports import MANIFEST
from trimtab_cli.code import code_folder, digest
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


def test_same_files_give_the_same_folder_name_and_others_another():
    one = {"a.py": b"1", "b.py": b"2"}
    assert digest(one) == digest(dict(reversed(one.items())))
    assert len({digest(one), digest({**one, "b.py": b"3"}), digest({"a.py": b"1b.py", "": b"2"})}) == 3

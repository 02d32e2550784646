"""Reading manifests, and saying what is wrong with them line by line."""

import io
import sys

import pytest

from tests.support.reports import MANIFEST
from trimtab_cli.manifest import Finding, InvalidManifest, read_manifest

PROFILE = """\
---
apiVersion: trimtab.io/v1alpha1
kind: OptimizationProfile
metadata:
  name: cpu-small
spec:
  pools: []
  surprise: 1
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "job.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def refused(source):
    with pytest.raises(InvalidManifest) as caught:
        read_manifest(source)
    assert caught.value.exit_code == 2
    return list(caught.value.lines)


def test_manifest_of_a_file_begins_from_its_folder(file, tmp_path):
    manifest = read_manifest(file(MANIFEST))
    assert (manifest.folder, manifest.job.metadata.name, manifest.profile) == (
        tmp_path.resolve(),
        "digits",
        None,
    )


def test_manifest_of_standard_input_begins_from_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MANIFEST.encode())))
    assert read_manifest("-").folder == tmp_path


def test_config_maps_of_the_stream_come_along(file):
    stream = MANIFEST + "---\nkind: ConfigMap\nmetadata: {name: code}\ndata: {a.py: 'x = 1'}\n"
    assert read_manifest(file(stream)).config_maps == {"code": {"a.py": b"x = 1"}}


def test_every_problem_has_its_own_line_in_the_order_of_the_file(file):
    bad = MANIFEST.replace("trials: 40", "trials: 0").replace("maximize", "up")
    path = file(bad)
    told = refused(path)
    assert [line.partition(": ")[0] for line in told] == [f"{path}:9", f"{path}:11"]
    assert "spec.search.trials: " in told[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "kind: ConfigMap\nmetadata: {name: a}\n",
            "holds no document with kind: OptimizationJob",
            id="none",
        ),
        pytest.param(
            "kind: OptimisationJob\nmetadata: {name: a}\n",
            "holds no document with kind: OptimizationJob; it holds OptimisationJob/a",
            id="another-kind",
        ),
        pytest.param(b"\xff\xfe", "is not UTF-8 text (byte 0); save it as UTF-8", id="not-text"),
    ],
)
def test_manifest_without_a_job_is_refused(file, text, told):
    path = file(text)
    assert refused(path) == [f"{path}: {told}"]


def test_yaml_that_cannot_be_read_is_refused_with_its_line(file):
    path = file("a: 1\na: 2\n")
    (told,) = refused(path)
    assert told.startswith(f"{path}:2: ")


def test_bad_profile_in_the_stream_is_refused_with_its_lines(file):
    path = file(MANIFEST + PROFILE)
    first = MANIFEST.count("\n") + 1
    assert any(line.startswith(f"{path}:{first + 7}: spec.surprise") for line in refused(path))


def test_missing_file_is_refused(tmp_path):
    path = str(tmp_path / "none.yaml")
    assert refused(path) == [f"{path}: cannot be read: No such file or directory"]


def test_folder_is_refused_with_a_proposal(tmp_path):
    assert refused(str(tmp_path)) == [
        f"{tmp_path}: is a folder; name the manifest in it, such as {tmp_path}/job.yaml"
    ]


def test_standard_input_is_named_in_problems(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: [")))
    assert refused("-")[0].startswith("stdin:")


def test_problems_are_printed_as_they_are(capsys):
    InvalidManifest([Finding("a.yaml", "spec.task", "one", 1), Finding("a.yaml", "", "two")]).show()
    assert capsys.readouterr().err == "a.yaml:1: spec.task: one\na.yaml: two\n"

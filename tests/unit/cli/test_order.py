"""What a local run is asked to do."""

import hashlib

import click
import pytest

from tests.support.reports import MANIFEST
from trimtab_cli.manifest import InvalidManifest, read_manifest
from trimtab_cli.order import order, pairs

DATA = MANIFEST.replace(
    "entrypoint: digits:Digits",
    "entrypoint: digits:Digits\n    data:\n    - {name: train, uri: rows.csv}\n    - {name: far, uri: s3://b/rows.csv}",
)

SEARCH = MANIFEST.partition("  search:")[2].partition("\n  compress:")[0]
GIVEN = MANIFEST.replace(f"  search:{SEARCH}", "  model: {pretrained: {uri: weights/digits.onnx}}")


@pytest.fixture
def manifest(tmp_path):
    def read(text=MANIFEST, given=()):
        (tmp_path / "job.yaml").write_text(text)
        return read_manifest(str(tmp_path / "job.yaml"), given)

    return read


def test_output_is_named_after_the_job(manifest):
    assert order(manifest(), None, {}).output == "trimtab-output/digits"


def test_command_starts_the_same_run_again(manifest, tmp_path):
    (tmp_path / "my rows.csv").touch()
    (tmp_path / "rows.csv").touch()
    request = order(manifest(DATA, {"far"}), "out", {"far": f"{tmp_path}/my rows.csv"})
    assert (
        request.command == f"trimtab run {tmp_path}/job.yaml --output out --data 'far={tmp_path}/my rows.csv'"
    )


def test_data_begin_from_the_manifests_folder_unless_given(manifest, tmp_path):
    (tmp_path / "rows.csv").touch()
    request = order(manifest(DATA, {"far"}), None, {"far": str(tmp_path)})
    assert request.data == {"train": str(tmp_path / "rows.csv"), "far": str(tmp_path)}


def test_data_at_a_uri_stay_there(manifest, tmp_path):
    (tmp_path / "rows.csv").touch()
    request = order(manifest(DATA), None, {})
    assert request.data == {"train": str(tmp_path / "rows.csv"), "far": "s3://b/rows.csv"}


def test_data_that_are_not_here_are_refused_all_at_once(manifest, tmp_path):
    text = DATA.replace("s3://b/rows.csv", "deep/rows.csv")
    with pytest.raises(InvalidManifest) as caught:
        order(manifest(text), None, {})
    assert caught.value.lines == (
        f"{tmp_path}/job.yaml:9: spec.task.data[0]: "
        f"there is nothing at {tmp_path}/rows.csv; give --data train=PATH",
        f"{tmp_path}/job.yaml:10: spec.task.data[1]: "
        f"there is nothing at {tmp_path}/deep/rows.csv; give --data far=PATH",
    )


def test_a_script_that_writes_the_data_is_named(manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "prepare.py").touch()
    with pytest.raises(InvalidManifest) as caught:
        order(manifest(DATA), None, {})
    assert (
        f"write it with: python {tmp_path.name}/prepare.py, or give --data train=PATH"
        in caught.value.lines[0]
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("train", id="no-path"),
        pytest.param("=x", id="no-name"),
        pytest.param("train=", id="empty-path"),
    ],
)
def test_data_are_given_as_name_and_path(given):
    with pytest.raises(click.UsageError, match="--data takes NAME=PATH"):
        pairs([given])


def test_data_that_the_manifest_does_not_name_are_refused(manifest):
    with pytest.raises(click.UsageError, match=r"--data other: the manifest names no such data .*: none"):
        order(manifest(), None, {"other": "x"})


def test_notes_say_what_a_local_run_leaves_aside(manifest, tmp_path):
    text = MANIFEST.replace(
        "entrypoint: digits:Digits", "entrypoint: digits:Digits\n    code: {configMap: digits-code}"
    )
    profile = "---\napiVersion: trimtab.io/v1alpha1\nkind: OptimizationProfile\nmetadata: {name: cpu-small}\n"
    images = f"spec:\n  images: {{worker: 'a/b@sha256:{'a' * 64}'}}\n"
    pools = "  pools: [{name: cpu, resources: {cpu: '1', memory: 1Gi}}]\n"
    stream = f"{text}  output: s3://models/vision\n{profile}{images}{pools}"
    assert order(manifest(stream), None, {}).notes == (
        "OptimizationProfile cpu-small is for a cluster: here the profile is local",
        "spec.output is for a cluster: "
        "here everything is kept in trimtab-output/digits (--output changes that)",
        f"ConfigMap digits-code is not in this stream: taking the code from {tmp_path.resolve()}",
    )


def test_notes_leave_out_the_manifests_output_when_one_is_given(manifest):
    assert order(manifest(MANIFEST + "  output: s3://models/vision\n"), "here", {}).notes == ()


def test_given_model_lies_in_the_manifests_folder_or_at_a_uri(manifest, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/digits.onnx").touch()
    assert order(manifest(GIVEN), None, {}).model == str(tmp_path / "weights/digits.onnx")
    assert order(manifest(GIVEN.replace("weights/", "s3://models/")), None, {}).model is None
    assert order(manifest(), None, {}).model is None


def test_given_model_of_another_content_is_another_job(manifest, tmp_path):
    (tmp_path / "weights").mkdir()
    place = tmp_path / "weights/digits.onnx"
    place.write_bytes(b"one")
    first, again = (order(manifest(GIVEN), None, {}).plan for _ in range(2))
    place.write_bytes(b"two")
    other = order(manifest(GIVEN), None, {}).plan
    assert first.spec.model.pretrained.sha256 == hashlib.sha256(b"one").hexdigest()
    assert first.identity == again.identity
    assert first.identity != other.identity


def test_given_model_that_is_no_file_is_refused(manifest, tmp_path):
    (tmp_path / "weights/digits.onnx").mkdir(parents=True)
    with pytest.raises(InvalidManifest) as caught:
        order(manifest(GIVEN), None, {})
    (line,) = caught.value.lines
    why = f"there is no file {tmp_path}/weights/digits.onnx; write a path from {tmp_path}"
    assert line.endswith(f"spec.model.pretrained.uri: {why}")

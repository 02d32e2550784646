"""A manifest as the objects that are sent to a cluster."""

from pathlib import Path

import pytest

from tests.support.reports import MANIFEST
from trimtab_api.reading import read_documents
from trimtab_cli.assignments import assignments
from trimtab_cli.cluster.submission import MOST_BYTES, Submission, owned, submission
from trimtab_cli.formats import to_yaml
from trimtab_cli.manifest import InvalidManifest, read_manifest

CODE = "spec:\n  task:\n    entrypoint: digits:Digits\n"
NAMED = CODE + "    code: {configMap: digits-code}\n"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: digits-code, labels: {team: vision}}
data: {digits.py: "x = 1"}
---
"""
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: credentials}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "digits.py").write_text("class Digits: ...")
    (tmp_path / "layers.py").write_bytes(b"# \xff")
    (tmp_path / "table.csv").write_text("a,b")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    return tmp_path


def sent(folder: Path, text: str = MANIFEST, code: str | None = None, *given: str) -> Submission:
    (folder / "job.yaml").write_text(text)
    manifest = read_manifest(str(folder / "job.yaml"), given=assignments(given), where="cluster")
    return submission(manifest, "vision", code)


def test_modules_beside_a_manifest_without_code_go_along(folder: Path):
    planned = sent(folder)
    (config_map,) = planned.config_maps
    assert planned.job["spec"]["task"]["code"] == {"configMap": "digits-code"}
    assert config_map["metadata"] == {"name": "digits-code", "namespace": "vision"}
    assert config_map["data"] == {"digits.py": "class Digits: ..."}
    assert config_map["binaryData"] == {"layers.py": "IyD/"}
    assert planned.notes == (
        f"ConfigMap digits-code is made of {folder}: digits.py, layers.py; its folders are left out: pkg",
    )


def test_task_that_is_not_beside_its_manifest_is_the_images(tmp_path: Path):
    planned = sent(tmp_path)
    assert (planned.config_maps, planned.made) == ((), None)
    assert "code" not in planned.job["spec"]["task"]


def test_code_of_the_stream_is_taken_as_it_is(folder: Path):
    planned = sent(folder, CONFIG_MAP + MANIFEST.replace(CODE, NAMED))
    (config_map,) = planned.config_maps
    assert config_map["metadata"] == {
        "name": "digits-code",
        "namespace": "vision",
        "labels": {"team": "vision"},
    }
    assert config_map["data"] == {"digits.py": "x = 1"}
    assert planned.made is None


def test_code_of_a_folder_fills_the_config_map_that_the_manifest_names(folder: Path):
    planned = sent(folder, MANIFEST.replace(CODE, NAMED), str(folder))
    assert planned.made == "digits-code"


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        pytest.param(
            MANIFEST.replace(CODE, CODE + "    code: {pvc: {claim: a}}\n"),
            ".",
            "says where the code is",
            id="pvc",
        ),
        pytest.param(
            CONFIG_MAP + MANIFEST.replace(CODE, NAMED),
            ".",
            "ConfigMap digits-code is in this stream",
            id="twice",
        ),
        pytest.param(MANIFEST.replace("digits:Digits", "pkg:Digits"), None, "pkg is a package", id="package"),
        pytest.param(
            MANIFEST.replace("digits:Digits", "other:Digits"), ".", "there is no other.py in", id="no-module"
        ),
    ],
)
def test_code_that_cannot_go_along_is_refused(
    folder: Path, text: str, code: str | None, why: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidManifest, match=why):
        sent(folder, text, code)


def test_code_that_no_config_map_holds_is_refused(folder: Path):
    (folder / "digits.py").write_text("#" * MOST_BYTES)
    with pytest.raises(InvalidManifest, match="a ConfigMap holds 1 MiB"):
        sent(folder)


def test_what_the_command_line_sets_is_sent(tmp_path: Path):
    planned = sent(tmp_path, MANIFEST, None, "spec.search.trials=5", "spec.guardrail=null")
    assert planned.job["spec"]["search"]["trials"] == 5
    assert "guardrail" not in planned.job["spec"]


def test_other_documents_are_named_and_left_to_kubectl(tmp_path: Path):
    planned = sent(tmp_path, MANIFEST + SECRET)
    assert planned.documents == (planned.job,)
    assert planned.notes[0].startswith("not submitted: Secret/credentials; kubectl apply -f")


def test_made_config_map_is_deleted_with_its_job(folder: Path):
    planned = sent(folder)
    job = {**planned.job, "metadata": {**planned.job["metadata"], "uid": "uid-1"}}
    (owner,) = owned(planned.config_maps[0], job)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("OptimizationJob", "digits", "uid-1")


def test_documents_of_a_dry_run_can_be_submitted_again(folder: Path):
    planned = sent(folder)
    stream = "\n---\n".join(map(to_yaml, planned.documents))
    assert [document for _, document in read_documents(stream)] == list(planned.documents)
    again = sent(folder, stream)
    assert again.documents == planned.documents

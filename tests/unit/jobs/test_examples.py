"""The examples' manifests hold the code that lies beside them, and are valid jobs."""

from pathlib import Path

import pytest

from examples.generate import EXAMPLES, generated, main, needs_code
from trimtab_api.manifest import parse_job, read_stream

MANIFESTS = sorted(EXAMPLES.glob("*/job.yaml"))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_is_current(manifest: Path) -> None:
    assert manifest.read_text() == generated(manifest), "run: make crd"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_holds_its_code_and_a_valid_job(manifest: Path) -> None:
    documents = read_stream(manifest.read_text())
    modules = {path.name: path.read_bytes() for path in manifest.parent.glob("*.py")}
    held = {f"{manifest.parent.name}-code": modules} if needs_code(manifest) else {}
    assert documents.config_maps == held
    assert documents.job is not None
    job = parse_job(documents.job)
    assert (job.metadata.name, job.metadata.namespace) == (manifest.parent.name, None)


def test_the_code_is_put_above_what_is_written_by_hand(tmp_path: Path) -> None:
    example = tmp_path / "tiny"
    example.mkdir()
    (example / "tiny.py").write_text("class Tiny:\n\n    pass\n")
    job = "kind: OptimizationJob\ncode: {configMap: tiny-code}\n---\nkind: Other\n"
    (example / "job.yaml").write_text(f"# old\n---\n{job}")
    main(tmp_path)
    assert (example / "job.yaml").read_text() == (
        "# Generated from tiny.py by `make crd`: edit the code there.\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: tiny-code\ndata:\n"
        "  tiny.py: |\n    class Tiny:\n\n        pass\n"
        f"---\n{job}"
    )


def test_a_manifest_that_needs_no_code_stays_as_it_is(tmp_path: Path) -> None:
    (example := tmp_path / "tiny").mkdir()
    (example / "prepare.py").write_text("print('data')\n")
    (example / "job.yaml").write_text("# mine\nkind: OptimizationJob\n")
    main(tmp_path)
    assert (example / "job.yaml").read_text() == "# mine\nkind: OptimizationJob\n"

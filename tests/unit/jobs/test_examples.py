"""The examples' manifests hold the code that lies beside them, and are valid jobs."""

from pathlib import Path

import pytest

from examples.generate import EXAMPLES, generated, main
from trimtab_api.manifest import parse_job, read_stream

MANIFESTS = sorted(EXAMPLES.glob("*/job.yaml"))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_is_current(manifest: Path) -> None:
    assert manifest.read_text() == generated(manifest), "run: make crd"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_holds_its_code_and_a_valid_job(manifest: Path) -> None:
    documents = read_stream(manifest.read_text())
    modules = {path.name: path.read_bytes() for path in manifest.parent.glob("*.py")}
    assert documents.config_maps == {f"{manifest.parent.name}-code": modules}
    assert documents.job is not None
    job = parse_job(documents.job)
    assert (job.metadata.name, job.metadata.namespace) == (manifest.parent.name, None)


def test_the_code_is_put_above_what_is_written_by_hand(tmp_path: Path) -> None:
    example = tmp_path / "tiny"
    example.mkdir()
    (example / "tiny.py").write_text("class Tiny:\n\n    pass\n")
    (example / "job.yaml").write_text("# old\n---\nkind: OptimizationJob\n---\nkind: Other\n")
    main(tmp_path)
    assert (example / "job.yaml").read_text() == (
        "# Generated from tiny.py by `make crd`: edit the code there.\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: tiny-code\ndata:\n"
        "  tiny.py: |\n    class Tiny:\n\n        pass\n"
        "---\nkind: OptimizationJob\n---\nkind: Other\n"
    )

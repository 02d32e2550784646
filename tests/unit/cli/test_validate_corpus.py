"""Bad manifests of the corpus, as `trimtab validate` tells them: one line with its place, exit code 2."""

import json
import re
from operator import attrgetter
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.manifests import BadManifest, bad_manifests, good_documents
from trimtab_cli.validate import validate

JOB = good_documents()["digits"]
SAMPLE = bad_manifests()[::7]
"""Some of each table: what each says is tried of them all where they are parsed."""


@pytest.mark.parametrize("bad", SAMPLE, ids=attrgetter("id"))
def test_bad_manifest_is_one_line_of_the_command(bad: BadManifest, tmp_path: Path) -> None:
    stream = [bad.document] if bad.document["kind"] == "OptimizationJob" else [JOB, bad.document]
    path = tmp_path / "job.yaml"
    path.write_text("---\n".join(json.dumps(document, indent=1) + "\n" for document in stream))

    ended = CliRunner().invoke(validate, [str(path)])

    said = re.escape(f"{bad.field}: {bad.message}")
    assert ended.exit_code == 2
    assert re.fullmatch(rf"{re.escape(str(path))}(:\d+)?: {said}\n", ended.output), ended.output

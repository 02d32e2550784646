"""The examples' jobs, with fewer trials: each ends with a published model that holds its guardrail."""

from pathlib import Path

import pytest

from tests.support.inline_runs import run_inline
from trimtab_api.manifest import parse_job, read_stream

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.mark.parametrize("name", ["custom-loop", "sklearn"])
def test_an_example_ends_with_a_smaller_model(name: str, tmp_path: Path) -> None:
    document = read_stream((EXAMPLES / name / "job.yaml").read_text()).job
    assert document is not None
    document["spec"]["search"] |= {"trials": 2}

    report = run_inline(parse_job(document), EXAMPLES / name, tmp_path)

    assert (report.phase, report.message) == ("Succeeded", "int8 holds the guardrail")
    assert report.savings.baseline.size is not None
    assert report.savings.baseline.size > 3
    assert [verdict.met for verdict in report.guardrail] == [True]
    assert [key.name for key in (tmp_path / "model" / name / "1").iterdir()] == ["model.onnx"]

"""The report and the status: one set of shapes, written and read as result.json."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from trimtab_api.conditions import Condition
from trimtab_api.report import Best, Report, TargetFigures, TrialCounts
from trimtab_api.status import JobStatus

RESULT = {
    "schemaVersion": 1,
    "name": "digits",
    "phase": "Succeeded",
    "seed": 7,
    "trials": {"total": 40, "completed": 31, "running": 0, "pruned": 8, "failed": 1, "retried": 0},
    "best": {
        "trial": 17,
        "params": {"lr": 0.01, "width": 32, "optimizer": "sgd", "nesterov": True},
        "architecture": {"block1": "conv3"},
        "metrics": {"accuracy": 0.98},
    },
    "baseline": {"id": "baseline", "metrics": {"accuracy": 0.96, "sizeMB": 5.1}},
    "uncompressed": {"id": "fp32", "metrics": {}},
    "candidates": [
        {
            "id": "structured-0.5+int8",
            "steps": ["structured-0.5", "int8"],
            "metrics": {},
            "interval": {"accuracy": [0.96, 0.99]},
            "pareto": True,
            "verdict": "ok",
        }
    ],
    "final": {
        "id": "structured-0.5+int8",
        "metrics": {},
        "targets": {"edge": {"latencyMs": 0.04, "latencyP95Ms": 0.05, "memoryMB": 9.0, "measuredOn": "arm"}},
    },
    "guardrail": [
        {
            "metric": "accuracy",
            "limit": {"maxDrop": 0.02},
            "measured": 0.002,
            "upper": 0.008,
            "n": 540,
            "met": True,
        }
    ],
    "artifacts": [{"name": "model.onnx", "uri": "s3://m/x", "sha256": "0", "bytes": 1, "opset": 21}],
    "cost": {"energyKWh": 0.5},
    "savings": {"baseline": {"size": 4.0}, "energyKWhPerMillion": 1.0},
    "environment": {"versions": {"torch": "2"}, "cpu": "x86", "image": "a@b", "codeSha256": "0"},
    "conditions": [{"type": "Succeeded", "status": "True", "reason": "Done"}],
}


def test_result_json_is_read_and_written_as_it_stands() -> None:
    report = Report.model_validate_json(json.dumps(RESULT))

    assert report.model_dump(mode="json", by_alias=True, exclude_unset=True) == RESULT


def test_values_of_parameters_keep_their_types() -> None:
    best = Best.model_validate_json('{"trial": 1, "params": {"a": true, "b": 1, "c": 1.5, "d": "x"}}')

    assert best.params == {"a": True, "b": 1, "c": 1.5, "d": "x"}
    assert [type(value) for value in best.params.values()] == [bool, int, float, str]


@pytest.mark.parametrize("text", ['{"sizeMB": NaN}', '{"sizeMB": Infinity}', '{"sizeMB": "1"}'])
def test_figure_that_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Best.model_validate_json(f'{{"trial": 1, "metrics": {text}}}', strict=True)


def test_running_job_reports_before_anything_is_found() -> None:
    report = Report(name="digits", phase="Searching", trials=TrialCounts(total=40))

    assert Report.model_validate_json(report.model_dump_json(by_alias=True)) == report


def test_figures_of_a_target_are_local_unless_said() -> None:
    assert TargetFigures(latency_ms=1.0).measured_on == "local"


def test_status_is_unseen_by_the_operator_at_first() -> None:
    assert (JobStatus().observed_generation, JobStatus().phase, JobStatus().attempt) == (-1, "Pending", 0)


def test_status_takes_the_shapes_of_the_report() -> None:
    report = Report.model_validate_json(json.dumps(RESULT))
    shared = {name: getattr(report, name) for name in JobStatus.model_fields if name in Report.model_fields}

    status = JobStatus(**shared)

    assert status.final == report.final


def test_condition_is_written_in_utc() -> None:
    at = datetime(2026, 11, 24, 8, tzinfo=UTC)
    condition = Condition(type="Ready", status="True", reason="Done", last_transition_time=at)

    assert (
        json.loads(condition.model_dump_json(by_alias=True))["lastTransitionTime"] == "2026-11-24T08:00:00Z"
    )

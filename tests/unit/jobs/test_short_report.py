"""A report that is too large for a ConfigMap loses what people can do without, never what machines act on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from trimtab_api.conditions import Condition
from trimtab_api.report import Artifact, Best, Candidate, Final, Report, TrialCounts
from trimtab_jobs.short_report import LIMIT_BYTES, encoded, fitted

FAILED = Condition(type="Succeeded", status="False", reason="GuardrailNotMet", message="accuracy fell")
CANDIDATES = tuple(Candidate(id=f"int8-{number}", verdict="é" * 1024) for number in range(256))


def best(characters: int) -> Best:
    return Best(trial=3, params={f"p{number}": "é" * characters for number in range(64)})


wide = st.sampled_from(["", "x", "é" * 1024, "\x00" * 1024, "😀" * 1024])
reports = st.builds(
    Report,
    name=st.just("digits"),
    phase=st.sampled_from(["Searching", "Failed"]),
    stage=st.sampled_from(["search", "é" * 253]),
    message=wide,
    trials=st.builds(TrialCounts, total=st.integers(0, 10_000), completed=st.integers(0, 10_000)),
    best=st.one_of(st.none(), st.integers(0, 5000).map(best)),
    front=st.integers(0, 10).map(lambda length: (best(100),) * length),
    candidates=st.integers(0, 256).map(lambda length: CANDIDATES[:length]),
    final=st.sampled_from([None, Final(id="int8-200")]),
    artifacts=st.integers(0, 32).map(
        lambda length: (Artifact(name="m", uri="é" * 2048, sha256="0" * 64, bytes=1),) * length
    ),
    conditions=st.lists(
        st.builds(
            Condition, type=st.just("Succeeded"), status=st.just("False"), reason=st.just("No"), message=wide
        ),
        max_size=16,
    ).map(tuple),
)


@given(reports)
@unhurried
def test_any_report_fits_and_says_the_same_of_what_machines_act_on(report: Report):
    text = fitted(report)

    read = Report.model_validate_json(text)
    assert len(text.encode()) <= LIMIT_BYTES
    assert (read.name, read.phase, read.trials) == (report.name, report.phase, report.trials)
    assert [each.reason for each in read.conditions] == [each.reason for each in report.conditions]


def test_a_report_that_fits_is_left_as_it_is():
    report = Report(name="digits", phase="Failed", conditions=(FAILED,), candidates=CANDIDATES[:10])

    assert Report.model_validate_json(fitted(report)) == report


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        pytest.param({"candidates": CANDIDATES, "best": best(1)}, {"best": best(1)}, id="candidates first"),
        pytest.param(
            {"front": (best(600),), "best": best(1)}, {"best": best(1), "front": ()}, id="front next"
        ),
        pytest.param({"best": best(700)}, {"front": ()}, id="long parameters are cut"),
    ],
)
def test_what_people_can_do_without_goes_first(fields: dict[str, Any], kept: dict[str, Any]):
    read = Report.model_validate_json(fitted(Report(name="digits", conditions=(FAILED,), **fields)))

    assert {name: getattr(read, name) for name in kept} == kept
    assert read.conditions == (FAILED,)


def test_the_final_candidate_is_among_the_few_that_stay():
    report = Report(name="digits", candidates=CANDIDATES, final=Final(id="int8-200"))

    read = Report.model_validate_json(fitted(report))

    assert [each.id for each in read.candidates][:2] == ["int8-200", "int8-0"]
    assert len(read.candidates) == 20
    assert all(len(each.verdict) <= 160 for each in read.candidates)


def test_without_any_room_only_the_state_is_left():
    report = Report(
        name="digits", phase="Failed", message="m" * 1024, candidates=CANDIDATES, conditions=(FAILED,)
    )

    read = Report.model_validate_json(fitted(report, limit_bytes=0))

    assert len(encoded(read)) < 2000
    assert (read.phase, read.conditions, read.candidates) == ("Failed", (FAILED,), ())

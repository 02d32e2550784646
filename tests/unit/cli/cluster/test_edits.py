"""stop, suspend, resume, retry: what is changed for a job as it stands, or why nothing is."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.cluster_jobs import cluster_job
from trimtab_api.edits import EDITABLE
from trimtab_cli.cluster import edits
from trimtab_cli.cluster.edits import Decide
from trimtab_cli.cluster.errors import NotSensibleError
from trimtab_operator.conditions import FAILED, PROGRESSING

Document = dict[str, Any]
SEARCHING = {"trials": {"total": 40, "completed": 9, "pruned": 2, "failed": 1, "running": 4}}
VERBS: list[Decide] = [edits.stop, edits.suspend, edits.resume, edits.retry]
WHOLE = st.integers(0, 5)


@pytest.mark.parametrize(
    ("decide", "job", "spec"),
    [
        pytest.param(
            edits.stop,
            cluster_job("Searching", "Searching", **SEARCHING),
            {"search": {"trials": 12}},
            id="stop-with-what-has-ended",
        ),
        pytest.param(edits.suspend, cluster_job("Searching", "Searching"), {"suspend": True}, id="suspend"),
        pytest.param(edits.suspend, cluster_job(), {"suspend": True}, id="suspend-before-it-begins"),
        pytest.param(
            edits.resume,
            cluster_job("Suspended", "Suspended", spec={"suspend": True}),
            {"suspend": False},
            id="resume",
        ),
        pytest.param(edits.retry, cluster_job("Code", "Failed"), {"retry": 1}, id="retry"),
        pytest.param(
            edits.retry, cluster_job("Code", "Failed", retry=2), {"retry": 3}, id="retry-above-the-last-run"
        ),
        pytest.param(
            edits.retry,
            cluster_job("BudgetReached", "Succeeded", spec={"retry": 4}, retry=4),
            {"retry": 5},
            id="retry-after-the-budget-was-raised",
        ),
    ],
)
def test_job_is_edited(decide: Decide, job: Document, spec: Document):
    assert decide(job).spec == spec


@pytest.mark.parametrize(
    ("decide", "job", "told"),
    [
        pytest.param(
            edits.stop,
            cluster_job("Searching", "Searching", spec={"search": {"trials": 12}}, **SEARCHING),
            "its search ends already, after 12 trials",
            id="stopped",
        ),
        pytest.param(
            edits.suspend,
            cluster_job("Suspending", "Searching", spec={"suspend": True}),
            "is suspended already",
            id="suspended",
        ),
        pytest.param(edits.resume, cluster_job("Searching", "Searching"), "is not suspended", id="resumed"),
        pytest.param(
            edits.retry,
            cluster_job("Code", "Failed", spec={"retry": 1}),
            "is asked to run again already (spec.retry is 1)",
            id="retried",
        ),
    ],
)
def test_what_is_so_already_is_said_and_left(decide: Decide, job: Document, told: str):
    assert decide(job) == edits.Edit(f"digits: {told}")


@pytest.mark.parametrize(
    ("decide", "job", "why"),
    [
        pytest.param(
            edits.stop, cluster_job("Searching", "Searching"), "no trial has ended yet", id="stop-0"
        ),
        pytest.param(
            edits.stop,
            cluster_job("Searching", "Searching", spec={"search": None}),
            "has no search",
            id="stop-without-search",
        ),
        pytest.param(edits.stop, cluster_job("Completed", "Succeeded"), "has ended", id="stop-ended"),
        pytest.param(edits.suspend, cluster_job("Code", "Failed"), "has ended", id="suspend-ended"),
        pytest.param(
            edits.retry,
            cluster_job("Searching", "Searching"),
            "has not failed, it is Searching",
            id="retry-running",
        ),
        pytest.param(edits.retry, cluster_job(), "has not failed, it is Pending", id="retry-unseen"),
        pytest.param(edits.retry, cluster_job("Completed", "Succeeded"), "has succeeded", id="retry-done"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(decide: Decide, job: Document, why: str):
    with pytest.raises(NotSensibleError) as refused:
        decide(job)
    assert refused.value.message.startswith(f"digits: {why}")
    assert "\n" not in refused.value.message
    assert refused.value.exit_code == 2


@st.composite
def any_jobs(draw: st.DrawFn) -> Document:
    """A job in any state."""
    reason = draw(st.sampled_from(["", "Completed", "BudgetReached", "Suspended", *FAILED, *PROGRESSING]))
    phase = (
        "Failed"
        if reason in FAILED
        else "Succeeded"
        if reason in ("Completed", "BudgetReached")
        else "Queued"
    )
    counts = draw(st.dictionaries(st.sampled_from(["completed", "pruned", "failed", "running"]), WHOLE))
    spec = {
        "suspend": draw(st.booleans()),
        "retry": draw(WHOLE),
        "search": {"trials": draw(st.integers(1, 9))},
    }
    return cluster_job(reason, phase, spec=spec, trials=counts, retry=draw(WHOLE))


@given(any_jobs(), st.sampled_from(VERBS))
def test_edit_is_editable_and_asked_for_again_changes_nothing(job: Document, decide: Decide):
    try:
        edit = decide(job)
    except NotSensibleError:
        assume(False)

    fields = {f"search.{key}" for key in edit.spec.get("search", {})} | (edit.spec.keys() - {"search"})
    search = {**job["spec"]["search"], **edit.spec.get("search", {})}
    after = {**job, "spec": {**job["spec"], **edit.spec, "search": search}}

    assert fields <= set(EDITABLE)
    assert decide(after).spec == {}

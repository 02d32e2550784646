"""`trimtab validate --code`: the user's code and its data, looked at in a process of its own."""

from pathlib import Path

import pytest

from tests.support.jobs import job
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_jobs.embedded import check

FOLDER = str(Path(__file__).parent)


@pytest.mark.parametrize(
    ("entrypoint", "limits", "said"),
    [
        pytest.param("bad_tasks:Good", [], [], id="good"),
        pytest.param(
            "bad_tasks:Exits", [], ["importing bad_tasks:Exits ended the process"], id="ends the process"
        ),
        pytest.param(
            "bad_tasks:Raises", [], ["trying the network: ValueError: no such layer: conv9"], id="network"
        ),
        pytest.param(
            "bad_tasks:OneOutput", [], ["trying the network: labels go from 0 to 1, but"], id="last layer"
        ),
        pytest.param("bad_tasks:OneClass", [], ["holds one class only (0)"], id="one class"),
        pytest.param(
            "bad_tasks:Good", [{"metric": "accuracy", "maxDrop": 0.001}], ["needs ≥"], id="limit out of reach"
        ),
        pytest.param(
            "bad_tasks:figures_only",
            [{"metric": "accuracy", "maxDrop": 0.1}],
            ["needs a model that can be judged: bad_tasks has no evaluate, no metrics; add:\ndef eval"],
            id="limit on a search alone",
        ),
    ],
)
def test_code_is_checked_in_a_process_of_its_own(entrypoint: str, limits, said: list[str]):
    plan = resolve(job(task={"entrypoint": entrypoint}, guardrail=limits), LOCAL_PROFILE)

    problems = check(plan, code=FOLDER, data={})

    assert len(problems) == len(said)
    assert all(text in str(problem) for text, problem in zip(said, problems, strict=True))

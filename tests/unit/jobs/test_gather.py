"""Works that lose their workers: started again, and for good a failure of whoever is at fault."""

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.search import AnsweringPool
from trimtab_jobs.gather import gather
from trimtab_jobs.pool import Failure, Work


@pytest.mark.parametrize(
    ("failure", "told", "times"),
    [
        pytest.param(
            Failure("infrastructure", "lost", "Killed"),
            Failure("infrastructure", "lost", "Killed"),
            3,
            id="lost",
        ),
        pytest.param(
            Failure("infrastructure", "ended by SIGSEGV", "stack", "crash"),
            Failure("code", "2 times in a row: ended by SIGSEGV", "stack", "crash"),
            2,
            id="ended by itself",
        ),
        pytest.param(Failure("code", "no 'build'"), Failure("code", "no 'build'"), 1, id="wrong"),
    ],
)
def test_whose_fault_it_is_that_a_work_has_no_end(failure: Failure, told: Failure, times: int):
    started: list[Work] = []

    def answer(work: Work) -> Failure:
        started.append(work)
        return failure

    ended = gather(
        AnsweringPool(answer, MemoryStore()), [Work("task", "m:f", {"resume": None})], lambda: False
    )

    assert ended["task"].failure == told
    assert len(started) == times

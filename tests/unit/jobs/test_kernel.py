"""How a worker that the kernel ended for its memory is told from one that was lost."""

from pathlib import Path

import pytest

from trimtab_jobs.pool.kernel import KillLedger, memory_kills

GROUPS = {
    "version 2": ("memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n", 2),
    "version 1": ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 5),
    "an old kernel": ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", 0),
}


@pytest.mark.parametrize(("name", "text", "kills"), GROUPS.values(), ids=GROUPS)
def test_control_group_counts_kills(tmp_path: Path, name: str, text: str, kills: int) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)

    assert memory_kills(tmp_path) == kills


def test_no_control_group_counts_nothing(tmp_path: Path) -> None:
    assert memory_kills(tmp_path) == 0


def test_one_kill_is_one_lost_worker_and_its_neighbours_are_not_to_blame() -> None:
    ledger = KillLedger()
    ledger.note("one", 3)

    assert [ledger.is_a_kill("one", 4) for _ in range(3)] == [True, False, False]


def test_two_kills_are_two_lost_workers() -> None:
    ledger = KillLedger()
    ledger.note("one", 0)

    assert [ledger.is_a_kill("one", 2) for _ in range(3)] == [True, True, False]


def test_nodes_are_counted_apart() -> None:
    ledger = KillLedger()
    ledger.note("one", 0)
    ledger.note("two", 7)

    assert ledger.is_a_kill("one", 1)
    assert not ledger.is_a_kill("two", 7)


def test_kill_before_a_worker_started_is_not_its_end() -> None:
    ledger = KillLedger()
    ledger.note("one", 0)
    ledger.note("one", 1)

    assert not ledger.is_a_kill("one", 1)


def test_worker_of_a_node_that_never_answered_is_not_blamed() -> None:
    assert not KillLedger().is_a_kill("one", 5)

"""How long a store is waited for, and what is told meanwhile."""

import pytest

from trimtab_jobs.store import StoreError
from trimtab_jobs.store.patience import Patience, Wait


class Clock:
    def __init__(self) -> None:
        self.time = 0.0
        self.told: list[tuple[float, str]] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def tell(self, text: str) -> None:
        self.told.append((round(self.time), text))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wait(clock: Clock) -> Wait:
    return Wait(clock.tell, clock.now, clock.sleep)


def test_wait_ends_before_its_limit(wait: Wait, clock: Clock) -> None:
    while wait.go_on("it does not answer", 60):
        pass

    assert 58 <= clock.time <= 60


def test_long_wait_is_told_once_for_each_reason_and_taken_back(wait: Wait, clock: Clock) -> None:
    while clock.time < 20:
        wait.go_on("it does not answer" if clock.time < 10 else "it is full", 60)
    wait.succeed()

    assert clock.told == [
        (5, "the store is waited for: it does not answer"),
        (11, "the store is waited for: it is full"),
        (21, ""),
    ]


def test_short_wait_is_not_told(wait: Wait, clock: Clock) -> None:
    while clock.time < 4:
        wait.go_on("it does not answer", 60)
    wait.succeed()

    assert clock.told == []


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        pytest.param("", Patience(20, 8, 60, 0), id="at a terminal"),
        pytest.param("300", Patience(20, 60, 300, 300), id="in a pod"),
        pytest.param("10", Patience(20, 8, 10, 10), id="short"),
    ],
)
def test_patience_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, given: str, patience: Patience
) -> None:
    monkeypatch.setenv("TRIMTAB_STORE_PATIENCE", given)

    assert Patience.usual() == patience


def test_patience_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_STORE_PATIENCE", "5m")

    with pytest.raises(StoreError, match=r"TRIMTAB_STORE_PATIENCE='5m' is no whole number of seconds"):
        Patience.usual()

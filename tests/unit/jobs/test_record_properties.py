"""The record under every interleaving: drivers that overtake each other, crashes, damaged objects.

Hypothesis chooses which driver does its next operation, who crashes before or after which, and what is
damaged when. The expectation is a list of entries that ends before the first damaged one at every takeover.
"""

from dataclasses import dataclass
from itertools import count, takewhile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.support.memory_store import MemoryStore
from tests.support.stepped import Crash, Order, SteppedStore
from trimtab_jobs.store import FencedError, Record


@dataclass
class Entry:
    """An entry of the manifest, and what a commit acknowledges."""

    keys: list[str]
    batch: bytes | None = None
    whole: bool = True


class Driver:
    """Opens the record and commits for ever."""

    def __init__(self, world: "Drivers") -> None:
        self.world = world
        self.epoch = 0
        self.batch: bytes | None = None
        self.found: list[Entry] = []
        self.record: Record | None = None
        self.store = SteppedStore(world.store, self.created)
        self.store.run(self.drive)

    @property
    def opening(self) -> bool:
        return self.record is None

    def drive(self) -> None:
        self.record = Record.open(self.store)
        assert list(self.record.batches) == [each.batch for each in self.found if each.batch is not None]
        assert (self.record.lost is None) == self.untouched
        for number in count():
            self.batch = b"driver %d, batch %d" % (self.epoch, number)
            self.record.commit(self.batch)
            assert self.epoch == self.world.newest, "two drivers commit"

    def created(self, key: str) -> None:
        """Keep the expectation: what counts from the moment at which `key` is there."""
        if key.startswith("epochs/"):
            self.epoch = int(key.removeprefix("epochs/"))
            self.world.claimed = self
        elif key.startswith("manifest/") and self.opening:
            assert self.epoch > self.world.newest, "an earlier driver takes over from a later one"
            self.found = list(takewhile(lambda entry: entry.whole, self.world.entries))
            self.untouched = len(self.found) == len(self.world.entries)
            while self.found and self.found[-1].batch is None:
                self.found.pop()  # a takeover goes on from the last commit; later entries are void
            self.world.entries = [*self.found, Entry([key])]
            self.world.newest = self.epoch
        elif key.startswith("manifest/"):
            journal = f"journal/{self.epoch:04d}/{key.removeprefix('manifest/').removesuffix('.json')}"
            self.world.entries.append(Entry([key, journal], self.batch))


class Drivers(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.entries: list[Entry] = []
        self.newest = 0
        self.claimed: Driver | None = None
        self.alive: list[Driver] = []

    @precondition(lambda self: len(self.alive) < 3)
    @rule()
    def start(self) -> None:
        self.alive.append(Driver(self))

    @precondition(lambda self: self.alive)
    @rule(choice=st.integers(0, 2), steps=st.integers(1, 6))
    def go_on(self, choice: int, steps: int) -> None:
        driver = self.alive[choice % len(self.alive)]
        for _ in range(steps):
            if driver in self.alive:
                self.step(driver, "go on")

    @precondition(lambda self: self.alive)
    @rule(choice=st.integers(0, 2), order=st.sampled_from(["crash before", "crash after"]))
    def crash(self, choice: int, order: Order) -> None:
        self.step(self.alive[choice % len(self.alive)], order)

    @precondition(lambda self: self.entries and not any(driver.opening for driver in self.alive))
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.entries))
        key = data.draw(st.sampled_from(entry.keys))
        if body := self.store.objects[key]:
            self.store.objects[key] = body[: data.draw(st.integers(0, len(body) - 1))]
            entry.whole = False

    def step(self, driver: Driver, order: Order) -> None:
        driver.store.step(order)
        failure = driver.store.failure
        if failure is None:
            return
        self.alive.remove(driver)
        if isinstance(failure, FencedError):
            assert self.claimed is not driver, "told of another driver though there is none"
        elif not isinstance(failure, Crash):
            raise failure

    def teardown(self) -> None:
        for driver in list(self.alive):
            self.step(driver, "crash before")
        whole = takewhile(lambda entry: entry.whole, self.entries)
        assert Record.open(self.store).batches == tuple(
            each.batch for each in whole if each.batch is not None
        )


TestDrivers = Drivers.TestCase
TestDrivers.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)

"""Signs of life."""

from trimtab_operator.health import Heartbeats, Reply, readiness


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_nothing_that_never_began_is_missed() -> None:
    assert Heartbeats(Clock()).health() == Reply(200, b"ok\n")


def test_part_that_beats_in_time_is_well() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    for _ in range(10):
        heartbeats.beat("queue", within_seconds=60)
        clock.seconds += 60
        assert heartbeats.health().status == 200


def test_silent_parts_are_named_and_no_others() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    for part, seconds in (("watch of pods", 30), ("lease", 15), ("resync", 600)):
        heartbeats.beat(part, seconds)
    clock.seconds += 31
    expected = b"watch of pods: no sign of life for 31 s\nlease: no sign of life for 31 s\n"
    assert heartbeats.health() == Reply(503, expected)


def test_part_that_comes_back_is_well_again() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    heartbeats.beat("lease", 15)
    clock.seconds += 100
    assert heartbeats.stale() == {"lease": 100}
    heartbeats.beat("lease", 15)
    assert heartbeats.stale() == {}


def test_part_that_ended_as_it_should_is_not_missed() -> None:
    clock = Clock()
    heartbeats = Heartbeats(clock)
    heartbeats.beat("election", 5)
    heartbeats.end("election")
    heartbeats.end("never began")
    clock.seconds += 100
    assert heartbeats.health() == Reply(200, b"ok\n")


def test_who_is_not_ready_says_what_for() -> None:
    assert readiness("the list of RayJobs") == Reply(503, b"waiting for the list of RayJobs\n")
    assert readiness(None) == Reply(200, b"ok\n")

"""Reports on their way to the API server: the newest gets there, the run never waits, the last is retried."""

import threading

import pytest

from trimtab_api.report import Report
from trimtab_jobs.config_maps import ApiError
from trimtab_jobs.report_channel import Pace, ReportChannel

AT_ONCE = Pace(gap_seconds=0.0, longest_seconds=0.0)
AWAY = ApiError("PATCH ConfigMap digits-report: ConnectError: refused")
TOO_LARGE = ApiError("PATCH ConfigMap digits-report: 413 too large", 413)


def report(message: str) -> Report:
    return Report(name="digits", message=message)


class Server:
    """Takes reports; answers with these errors first, and waits before each answer while `held` is clear."""

    def __init__(self, *errors: ApiError) -> None:
        self.errors = list(errors)
        self.got: list[str] = []
        self.held = threading.Event()
        self.held.set()
        self.asked = threading.Event()

    def patch(self, report: Report) -> None:
        self.asked.set()
        self.held.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.got.append(report.message)


def channel(server: Server, told: list[str] | None = None) -> ReportChannel:
    return ReportChannel(server.patch, (told if told is not None else []).append, AT_ONCE)


def test_of_reports_that_come_too_fast_the_newest_is_sent():
    server = Server()
    server.held.clear()
    reports = channel(server)
    reports.publish(report("1"))
    server.asked.wait()

    for message in "2345":
        reports.publish(report(message))
    server.held.set()

    assert reports.close(60)
    assert server.got == ["1", "5"]


def test_while_the_server_is_away_it_is_tried_again_and_told_once():
    server, told = Server(AWAY, AWAY, AWAY), list[str]()
    reports = channel(server, told)

    reports.publish(report("last"))

    assert reports.close(60)
    assert server.got == ["last"]
    assert told == [f"the report does not get through, and is tried again: {AWAY}"]


def test_a_report_that_is_refused_for_its_content_is_left_for_the_next():
    server, told = Server(TOO_LARGE), list[str]()
    reports = channel(server, told)

    reports.publish(report("large"))
    assert not reports.delivered(60)
    reports.publish(report("small"))

    assert reports.close(60)
    assert server.got == ["small"]


def test_a_server_that_stays_away_is_given_up():
    reports = channel(Server(*[AWAY] * 10**6))

    reports.publish(report("last"))

    assert not reports.close(0.05)


def test_without_any_report_there_is_nothing_to_wait_for():
    assert channel(Server()).close(60)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 2), (1, 4), (2, 8), (3, 15), (10_000, 15)])
def test_pauses_grow_to_a_limit(failures: int, seconds: float):
    assert Pace().pause(failures) == seconds

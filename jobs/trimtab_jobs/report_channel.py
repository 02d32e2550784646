"""The report's ConfigMap: the newest report gets there, whatever the API server does; the run never waits."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from trimtab_api.control import REPORT_KEY
from trimtab_api.report import Report
from trimtab_jobs.config_maps import ApiError, ConfigMaps
from trimtab_jobs.settings import Settings
from trimtab_jobs.short_report import fitted

Patch = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the API server is asked."""

    gap_seconds: float = 2.0
    """Least time between two reports."""
    longest_seconds: float = 15.0
    """Longest time between two attempts while the server does not take one."""

    def pause(self, failures: int) -> float:
        """Time to wait after so many failures in a row."""
        return min(self.gap_seconds * 2.0 ** min(failures, 10), max(self.gap_seconds, self.longest_seconds))


USUAL_PACE = Pace()


class ReportChannel:
    """A thread of its own patches the newest report in; those that come too fast are skipped.

    While the server is away, the ConfigMap deleted or the right to patch it gone, it tries again and again;
    `tell` hears once of each new cause.
    """

    def __init__(self, patch: Patch, tell: Callable[[str], None], pace: Pace = USUAL_PACE) -> None:
        self._patch = patch
        self._tell = tell
        self._pace = pace
        self._changed = threading.Condition()
        self._latest: Report | None = None
        self._settled: Report | None = None
        """The newest report that is delivered, or that the server will never take."""
        self._is_delivered = True
        self._deadline: float | None = None
        self._told = ""
        self._thread = threading.Thread(target=self._deliver, name="report", daemon=True)
        self._thread.start()

    def publish(self, report: Report) -> None:
        """Let this be the report to deliver next."""
        with self._changed:
            self._latest = report
            self._is_delivered = False
            self._changed.notify_all()

    def delivered(self, patience_seconds: float) -> bool:
        """Whether the last report has got there, which is waited for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest is self._settled, patience_seconds)
            return self._is_delivered

    def close(self, patience_seconds: float) -> bool:
        """Whether the last report has got there, which is tried for so long; none is sent afterwards."""
        with self._changed:
            self._deadline = time.monotonic() + patience_seconds
            self._changed.notify_all()
        return self.delivered(patience_seconds)

    def _deliver(self) -> None:
        failures = 0
        while self._wait_for_change():
            report = self._latest
            assert report is not None  # something has changed
            failures = 0 if self._send(report) else failures + 1
            self._rest(self._pace.pause(failures))

    def _wait_for_change(self) -> bool:
        """Whether there is a report to deliver; False once nothing more is to be done."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not self._settled or self._deadline is not None)
            is_late = self._deadline is not None and time.monotonic() >= self._deadline
            return self._latest is not self._settled and not is_late

    def _rest(self, seconds: float) -> None:
        """Wait between two attempts: a run that ends shortens it to the gap."""
        start = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._deadline is not None, seconds)
            left = start + self._pace.gap_seconds - time.monotonic()
        if left > 0 and self._latest is not self._settled:
            time.sleep(left)

    def _send(self, report: Report) -> bool:
        """Whether the report is settled: delivered, or refused for what is in it."""
        try:
            self._patch(report)
        except ApiError as error:
            self._say(str(error))
            if error.is_final:
                self._settle(report, delivered=False)
            return error.is_final
        self._say("")
        self._settle(report, delivered=True)
        return True

    def _settle(self, report: Report, delivered: bool) -> None:
        with self._changed:
            self._settled = report
            self._is_delivered = delivered and self._latest is report
            self._changed.notify_all()

    def _say(self, problem: str) -> None:
        if problem and problem != self._told:
            self._tell(f"the report does not get through, and is tried again: {problem}")
        self._told = problem


def patch_to(maps: ConfigMaps, settings: Settings) -> Patch:
    """Writes a report into its ConfigMap, with the attempt and the segment that it is of."""
    said = {"attempt": str(settings.attempt), "segment": settings.segment}
    return lambda report: maps.patch(settings.report, {REPORT_KEY: fitted(report), **said})

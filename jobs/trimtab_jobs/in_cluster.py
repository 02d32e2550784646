"""One driver in a pod: from its environment to its exit code, reporting to the API server on the way.

Its report decides how the job ends; the exit code says whether the report does. 0: it says how this segment
ended. Anything else: it does not, and another attempt may go on from the store.
"""

import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from trimtab_api.plan import Plan
from trimtab_api.report import Report
from trimtab_api.segments import Segment
from trimtab_jobs import alive
from trimtab_jobs.config_maps import ApiError, ConfigMaps
from trimtab_jobs.errors import JobError, RefusedError, RunError, StoppedError
from trimtab_jobs.orders import Orders
from trimtab_jobs.ownership import begin, earlier_report, pin_code, used_seconds
from trimtab_jobs.plan_channel import Heed, PlanChannel, Read, first_orders, read_from
from trimtab_jobs.pool import TrialPool, WorkerSetup
from trimtab_jobs.pool.code import EVERY_FILE, code_digest
from trimtab_jobs.progress import Progress, Publish
from trimtab_jobs.report_channel import Patch, ReportChannel, patch_to
from trimtab_jobs.search import has_results
from trimtab_jobs.settings import Settings
from trimtab_jobs.store import FencedError, Record, Store, StoreError, check_store, open_store
from trimtab_jobs.worker_setup import check_data, data_places, setup_of

PLAN_PATIENCE_SECONDS = 120.0
"""How long the plan is waited for at the start: rights and network of a new pod may come a moment later."""


@dataclass(frozen=True, slots=True)
class End:
    """How a driver ends."""

    code: int
    report_seconds: float
    """How long it is tried to deliver the last report."""


REPORTED = End(0, 300.0)
"""Its report says how: without it the job's end would not be known, whatever was published."""
NOT_REPORTED = End(1, 60.0)
"""A fault of the machines."""
FENCED = End(1, 0.0)
"""Another driver has taken over: the word is the newer one's."""
STOPPED = End(128 + signal.SIGTERM, 5.0)
"""It was told to: it has not long to live, and what matters is in the store."""


class Stop:
    """Whether this process is to end: its pod is being deleted, its job stopped, or another attempt's."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self.is_taken_over = False
        """Whether the job is another attempt's by now."""

    def __call__(self) -> bool:
        """Whether to stop: what the driver asks between two steps, by which it is seen to be alive."""
        alive.sign()
        return self._told.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether it was told to within so many seconds."""
        alive.sign(seconds)
        return self._told.wait(seconds)

    def heed(self, orders: Orders, own: int) -> None:
        """Take note when the attempt under way is one after this driver's `own`."""
        if orders.control.attempt > own:
            self.is_taken_over = True
            self._told.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for as long as the block lasts."""
        before = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._told.set()


def main(environment: Mapping[str, str]) -> int:
    """The exit code of the driver that this environment describes."""
    stop = Stop()
    with stop.listening():
        try:
            settings = Settings.read(environment)
            maps = ConfigMaps.of(settings)
        except (RefusedError, ApiError) as error:
            say(f"error: {error}")
            return NOT_REPORTED.code
        channel = ReportChannel(while_ours(patch_to(maps, settings), stop), say)
        progress = Progress(Report(name=settings.job, phase="Starting"), printed(channel.publish))
        with alive.watched(settings.alive):
            end = drive(Attempt(settings, read_from(maps, settings), progress, stop))
            alive.sign(end.report_seconds)
            delivered = channel.close(end.report_seconds)
        return end.code if delivered else end.code or NOT_REPORTED.code


@dataclass(frozen=True, slots=True)
class Attempt:
    """One driver's part of a job."""

    settings: Settings
    read: Read
    """Asks the API server for the orders."""
    progress: Progress
    stop: Stop


def drive(attempt: Attempt) -> End:
    """The end of an attempt, which its report says by then, unless another attempt has the word."""
    end = _drive(attempt)
    if attempt.stop.is_taken_over:
        say(f"attempt {attempt.settings.attempt} has been taken over by a later one")
        return FENCED
    return end


def _drive(attempt: Attempt) -> End:
    progress = attempt.progress
    try:
        carry_out_segment(attempt)
        return REPORTED
    except StoppedError:
        if attempt.stop.is_taken_over:
            return FENCED
        progress.say("stopped, with all that is recorded; the next attempt goes on")
        return STOPPED
    except FencedError as error:
        say(f"error: {error}")
        return FENCED
    except (RefusedError, RunError) as error:
        kind = error.kind if isinstance(error, RunError) else "Configuration"
        if kind != "Infrastructure":
            progress.fail(kind, str(error))
            return REPORTED
        progress.say(str(error))
    except (StoreError, ApiError) as error:
        progress.say(str(error))
    except Exception as error:  # whatever it is, a person has to hear of it
        traceback.print_exc()
        progress.say(f"the driver failed: {type(error).__name__}: {error}")
    return NOT_REPORTED


def carry_out_segment(attempt: Attempt) -> None:
    """Take the store over and do this segment's stages; the report says how that ended.

    What cannot be done as asked for is a RefusedError or a JobError; StoreError, ApiError and FencedError are
    faults of the machines, as is a JobError of that kind; StoppedError when this process was told to end.
    """
    settings, progress = attempt.settings, attempt.progress
    progress.start()
    orders = first_orders(attempt.read, PLAN_PATIENCE_SECONDS, attempt.stop.wait)
    plan = orders.plan
    attempt.stop.heed(orders, settings.attempt)
    if attempt.stop.is_taken_over:
        raise StoppedError
    progress.change(plan_digest=plan.digest, seed=plan.spec.search.seed if plan.spec.search else None)
    segment = segment_of(plan, settings.segment)
    store = taken_store(settings, plan, progress)
    code = code_digest(plan.spec.task.entrypoint, settings.code, EVERY_FILE)
    record = Record.open(store)
    pin_code(store, code, has_results(record.batches))
    setup = replace(
        setup_of(plan, store.uri, settings.code, data_of(settings, plan)),
        threads=max(1, int(segment.groups[0].cpu)),
        code_sha256=code,
    )
    earlier = earlier_report(store)
    if earlier is not None and is_finished(earlier, plan):
        progress.change(**{name: getattr(earlier, name) for name in Report.model_fields})
        return  # the driver was lost after it had published everything
    progress.count(max(orders.control.used_seconds, used_seconds(earlier)))
    following = PlanChannel(attempt.read, orders, say, heeding(attempt, orders, segment))
    with cluster_pool(setup, segment, progress) as pool, following:
        # Seconds to import, Optuna and SciPy with it: the workers start meanwhile.
        from trimtab_jobs.driver import Run, carry_out
        from trimtab_jobs.saving import saving

        run = Run(plan, store, record, pool, progress, attempt.stop, code, segment, following, goes_on=True)
        with saving(store, record, progress):
            carry_out(run)


def heeding(attempt: Attempt, first: Orders, segment: Segment) -> Heed:
    """What is to be done whenever the orders were looked at, as with the first ones."""
    told = WorkersNote(attempt.progress, segment.groups[0].workers)
    does_search = "search" in segment.stages

    def heed(orders: Orders) -> None:
        attempt.stop.heed(orders, attempt.settings.attempt)
        if does_search:
            told(orders)

    heed(first)
    return heed


class WorkersNote:
    """Tells once that a search cannot run as many trials at a time as it is asked to: its cluster stays."""

    def __init__(self, progress: Progress, workers: int) -> None:
        self._progress = progress
        self._workers = workers
        self._is_told = False

    def __call__(self, orders: Orders) -> None:
        """Look at the parallelism that is asked for now."""
        search = orders.plan.spec.search
        wanted = search.parallelism or 1 if search else 1
        if wanted > self._workers and not self._is_told:
            self._is_told = True
            self._progress.note(
                f"spec.search.parallelism: {wanted} trials at a time are asked for, this cluster has "
                f"{self._workers} workers; suspend and resume the job for more, as far as its profile allows"
            )


def is_finished(earlier: Report, plan: Plan) -> bool:
    """Whether an earlier attempt has published all there is: more comes only of a budget that was raised."""
    reasons = [each.reason for each in earlier.conditions if each.type == "Succeeded"]
    is_edited = earlier.plan_digest != plan.digest
    return earlier.phase == "Succeeded" and not (reasons == ["BudgetReached"] and is_edited)


def segment_of(plan: Plan, name: str) -> Segment:
    """The segment of that name; JobError when there is none."""
    for segment in plan.segments:
        if segment.name == name:
            return segment
    names = ", ".join(segment.name for segment in plan.segments)
    raise JobError("Configuration", f"TRIMTAB_SEGMENT={name}: the plan has the segments {names}")


def taken_store(settings: Settings, plan: Plan, progress: Progress) -> Store:
    """The run's store, checked; RefusedError when it is another job's, StoreError when it cannot be used.

    From then on it is told why it is waited for, whenever it is.
    """
    store = open_store(settings.store, progress.say)
    check_store(store)
    begin(store, plan)
    return store


def data_of(settings: Settings, plan: Plan) -> dict[str, str]:
    """URI or, where it is mounted, path of each named set of data; RefusedError when one is not there."""
    places = {each.name: each.uri or "pvc://" for each in plan.spec.task.data}
    data = {
        name: str(settings.data / name) if uri.startswith("pvc://") else uri for name, uri in places.items()
    }
    check_data(data_places(plan, data))
    return data


@contextmanager
def cluster_pool(setup: WorkerSetup, segment: Segment, progress: Progress) -> Iterator[TrialPool]:
    """The segment's workers on the Ray cluster of this pod."""
    from trimtab_jobs.pool.ray_cluster import ClusterPool  # a second to import: after the store is known

    pool = ClusterPool(setup, segment.groups, progress.say)
    try:
        yield pool
    finally:
        pool.close()


def while_ours(patch: Patch, stop: Stop) -> Patch:
    """Patches each report in until another attempt has taken over: the word is the newer one's."""

    def patch_while_ours(report: Report) -> None:
        if not stop.is_taken_over:
            patch(report)

    return patch_while_ours


def printed(publish: Publish) -> Publish:
    """Publishes each report, after a line in the pod's log when its stage or message has changed."""
    last = ""

    def publish_and_print(report: Report) -> None:
        nonlocal last
        line = " ".join(part for part in (report.phase, report.stage, report.message) if part)
        if line != last:
            say(line)
            last = line
        publish(report)

    return publish_and_print


def say(line: str) -> None:
    """Print a line of the pod's log."""
    print(line, flush=True)

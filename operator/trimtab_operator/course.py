"""The course of an admitted job: its ledger as it is, what it has spent, what should run next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from pydantic import ValidationError

from trimtab_api.control import CONTROL_KEY, BudgetName, Control
from trimtab_api.plan import Segment
from trimtab_api.report import Cost
from trimtab_api.status import JobStatus, RunRecord
from trimtab_operator import costs, ledger, lifecycle
from trimtab_operator.admission import Admitted
from trimtab_operator.costs import Rates
from trimtab_operator.ledger import Ending, Sight
from trimtab_operator.lifecycle import Begin, Step
from trimtab_operator.manifests import mapping_at, text_at
from trimtab_operator.names import Owner, owner_of
from trimtab_operator.pods import head_of, identity_of, loss_of, pods_of_run
from trimtab_operator.ray_jobs import SeenRayJob, ray_jobs_of
from trimtab_operator.reading import Heard, heard_of
from trimtab_operator.resources import Defaults, Start
from trimtab_operator.waiting import out_of_memory
from trimtab_operator.world import Manifest, Observed

_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks for by the fields that are read even where the rest of spec is not understood."""

    suspend: bool
    retry: int
    generation: int


@dataclass(frozen=True, slots=True)
class Course:
    """An admitted job, as far as it has come."""

    seen: Observed
    now: datetime
    status: JobStatus
    """As it was written last, or opened again."""
    asked: Asked
    admitted: Admitted
    defaults: Defaults
    owner: Owner
    ray_jobs: tuple[SeenRayJob, ...]
    runs: tuple[RunRecord, ...]
    ending: Ending | None
    """How the last run ended, if that was seen only now."""
    heard: Heard
    attempt: int
    step: Step

    @property
    def last(self) -> RunRecord | None:
        """The last run."""
        return self.runs[-1] if self.runs else None

    @property
    def ray_job(self) -> SeenRayJob | None:
        """The RayJob of the last run; None once it is gone."""
        return ledger.by_name(self.ray_jobs).get(self.last.name) if self.last else None

    @property
    def pods(self) -> tuple[Manifest, ...]:
        """The pods of the last run."""
        return pods_of_run(self.last.segment, self.last.attempt, self.seen.pods) if self.last else ()

    @property
    def target(self) -> Begin:
        """The segment and attempt that is, or is next to be, carried out."""
        last = self.last
        is_going = last is not None and last.outcome == "Suspended" and last.end_time is None
        if isinstance(self.step, Begin) and not is_going:  # what goes is told nothing about what follows it
            return self.step
        names = [each.name for each in self.admitted.plan.segments]
        index = names.index(last.segment) if last and last.segment in names else 0
        return Begin(index, max(1, last.attempt if last else self.attempt))

    @property
    def segment(self) -> Segment:
        """The segment of the target."""
        return self.admitted.plan.segments[self.target.segment]

    @property
    def rates(self) -> Rates:
        """What the cluster of the last run takes."""
        return _rates(self.admitted, self.segment, self.defaults, self.ray_job, self.last)

    @property
    def running_seconds(self) -> float:
        """Time since when the cluster of the last run is ready; one set aside keeps it for a while."""
        last = self.last
        return ledger.seconds_between(last.start_time, self.now) if last and last.end_time is None else 0.0

    @property
    def spent(self) -> Cost:
        """What all runs took up to now."""
        return self._total(self.running_seconds)

    @property
    def told_cost(self) -> Cost:
        """The same, but told by the minute: a status is not written for each second."""
        return self._total(self.running_seconds // _MINUTE_SECONDS * _MINUTE_SECONDS)

    def _total(self, running_seconds: float) -> Cost:
        return costs.total((*(run.cost for run in self.runs), self.rates.cost(running_seconds)))

    @property
    def stop_search(self) -> BudgetName | None:
        """The budget that ends the search; once the search is over it stays what it was."""
        if "search" in self.segment.stages:
            return costs.reached(self.admitted.plan.spec.budget, self.spent)
        return _control_before(self.seen).stop_search

    @property
    def budget_seconds(self) -> float | None:
        """Time until a budget ends the search that is under way; None when none does."""
        last = self.last
        is_running = last is not None and last.outcome == "Running" and last.start_time is not None
        if not is_running or "search" not in self.segment.stages or self.stop_search:
            return None
        return costs.seconds_left(self.admitted.plan.spec.budget, self.spent, self.rates)

    @property
    def start(self) -> Start:
        """What the children of the target follow from."""
        target = self.target
        before = costs.total(run.cost for run in self.runs)
        control = Control(
            attempt=target.attempt, stop_search=self.stop_search, used_seconds=before.seconds or 0.0
        )
        return Start(
            self.owner,
            self.admitted.plan,
            self.admitted.profile.spec,
            target.segment,
            target.attempt,
            control,
            self.defaults,
        )


def course_of(
    seen: Observed, status: JobStatus, asked: Asked, admitted: Admitted, defaults: Defaults
) -> Course:
    """Return the course of a job: with its ledger brought up to date by what is seen of its RayJobs."""
    owner = owner_of(seen.job)
    now = seen.now.replace(microsecond=0)
    ray_jobs = ray_jobs_of(seen.ray_jobs, owner, admitted.plan)
    runs = ledger.entered(status.runs, ray_jobs, asked.retry)
    attempt = max(status.attempt, *(run.attempt for run in runs), 0)
    heard = Heard()
    if runs and runs[-1].attempt == attempt:
        heard = heard_of(seen.report, attempt, runs[-1].segment)
    ending: Ending | None = None
    if seen.has_kuberay:
        sights = _Sights(seen, now, asked, admitted, defaults)
        runs, ending = _followed(runs, ledger.by_name(ray_jobs), heard, sights)
    step = lifecycle.next_step(runs, ending, admitted.plan, attempt)
    return Course(
        seen, now, status, asked, admitted, defaults, owner, ray_jobs, runs, ending, heard, attempt, step
    )


@dataclass(frozen=True, slots=True)
class _Sights:
    """What makes the sight of one run."""

    seen: Observed
    now: datetime
    asked: Asked
    admitted: Admitted
    defaults: Defaults

    def of(
        self, run: RunRecord, ray_job: SeenRayJob | None, heard: Heard, following: RunRecord | None
    ) -> Sight:
        """Return the sight of a run; `following` is the one after it in the ledger."""
        segments = self.admitted.plan.segments
        segment = next((each for each in segments if each.name == run.segment), segments[0])
        pods = pods_of_run(run.segment, run.attempt, self.seen.pods)
        head = head_of(pods)
        return Sight(
            now=self.now,
            rates=_rates(self.admitted, segment, self.defaults, ray_job, run),
            heard=heard,
            is_last_segment=run.segment == segments[-1].name,
            is_suspended=self.asked.suspend,
            is_followed=following is not None and following.attempt == run.attempt,
            hint=out_of_memory(pods),
            loss=loss_of(pods, run.head, self.seen.now),
            head=identity_of(head) if head else None,
        )


def _followed(
    runs: tuple[RunRecord, ...], ray_jobs: Mapping[str, SeenRayJob], heard: Heard, sights: _Sights
) -> tuple[tuple[RunRecord, ...], Ending | None]:
    """Return the ledger as it is now; the report is heard about the last run only."""
    found, ending = [], None
    for run, following in zip_longest(runs, runs[1:]):
        ray_job = ray_jobs.get(run.name)
        sight = sights.of(run, ray_job, Heard() if following else heard, following)
        now_is, ending = ledger.followed(run, ray_job, sight)
        found.append(now_is)
    return tuple(found), ending


def _rates(
    admitted: Admitted,
    segment: Segment,
    defaults: Defaults,
    ray_job: SeenRayJob | None,
    run: RunRecord | None,
) -> Rates:
    """Return what a run's cluster takes: by its RayJob, by what was last seen of it, or by the plan."""
    if ray_job is None and run and run.hourly:
        return costs.rates_before(run.hourly)
    replicas = ray_job.replicas if ray_job else {}
    return costs.rates_of(segment, admitted.profile.spec, defaults, replicas)


def _control_before(seen: Observed) -> Control:
    try:
        return Control.model_validate_json(text_at(mapping_at(seen.plan, "data"), CONTROL_KEY))
    except ValidationError:
        return Control()

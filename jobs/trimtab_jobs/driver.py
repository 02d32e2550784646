"""The driver: one run from its plan to its report. The same code on one machine and in a pod.

    learn     what the task is: epochs, metrics, sizes; a limit that could not be proven is refused here
    find      the search: baseline first, then trials; every result recorded before it counts
    make      fp32 models of baseline and winner, then the candidates
    measure   quality on validation, size and speed, all side by side
    verify    the order is written down, then the test split is opened: the first that holds is final
    publish   the serving tree

Models exist in the workers and in the store only; this process never loads torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from trimtab_api.combinations import chosen
from trimtab_api.job import Objective
from trimtab_api.metrics import MEASURED
from trimtab_api.plan import Plan
from trimtab_api.report import Phase
from trimtab_api.segments import Segment
from trimtab_jobs import guard, reporting
from trimtab_jobs.candidates import (
    Kind,
    Made,
    Material,
    Workshop,
    make_candidates,
    make_references,
)
from trimtab_jobs.errors import GuardrailError, JobError, RunError, StoppedError
from trimtab_jobs.gather import gather
from trimtab_jobs.handover import hand_over_models, hand_over_search, models_made, search_end
from trimtab_jobs.measuring import Measurements, measure_all, serving_threads, trial_figures
from trimtab_jobs.orders import Orders, limits_of
from trimtab_jobs.pool import TrialPool, Work
from trimtab_jobs.progress import Progress
from trimtab_jobs.proof import Proof, prove, tries_so_far
from trimtab_jobs.search import (
    ONLY_BASELINE,
    FatalFailure,
    Limits,
    SearchOutcome,
    SearchRequest,
    SearchState,
    UsedUp,
    recall,
    search,
)
from trimtab_jobs.serving import publish_tree, withdraw_tree
from trimtab_jobs.store import Record, Store

DESCRIBE = "trimtab_jobs.tasks.trial:describe"
ENVIRONMENT = "trimtab_jobs.measure.hardware:environment"
BUDGETS = ("failedTrials", *get_args(UsedUp))
"""Reasons for which a search ends that are budgets: the best so far is still made and published."""
STAGES = ("search", "export", "compress", "measure", "guard", "publish")
"""Every stage of a plan's segments, in order."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a run works with."""

    plan: Plan
    store: Store
    record: Record
    pool: TrialPool
    progress: Progress
    should_stop: Callable[[], bool]
    code_sha256: str = ""
    """Digest of the user's code: what was made from other code is made again."""
    segment: Segment | None = None
    """What of the plan this driver does, on which workers; None: all of it, on this machine."""
    orders: Callable[[], Orders] | None = None
    """The plan as it is now, where it may be edited on the way; None: it stays as it is."""
    goes_on: bool = False
    """Whether another attempt follows by itself: then a fault of the machines is not the job's end."""

    def limits(self) -> Limits:
        """How far the search may go, as of now."""
        return limits_of(self.current, self.progress.seconds)

    @property
    def current(self) -> Orders:
        """The orders of now."""
        return self.orders() if self.orders else Orders(self.plan)

    @property
    def stages(self) -> tuple[str, ...]:
        """What this driver does; stages before them were another one's, those after them will be."""
        return self.segment.stages if self.segment else STAGES

    @property
    def is_first(self) -> bool:
        """Whether no driver before this one did any of the plan's stages."""
        return self.segment is None or self.segment.name == self.plan.segments[0].name

    def is_done_before(self, stage: str) -> bool:
        """Whether this driver leaves that stage, and all after it, to the next segment's."""
        return STAGES.index(self.stages[-1]) < STAGES.index(stage)

    @property
    def workshop(self) -> Workshop:
        """Where models are made and measured."""
        groups = [group.name for group in self.segment.groups] if self.segment else []
        pools = {target.name: target.pool for target in self.plan.spec.targets if target.name in groups}
        return Workshop(self.store, self.pool, self.should_stop, self.fence, pools)

    def fence(self) -> None:
        """FencedError when another driver has taken over: to be called before a write beside the record."""
        self.record.commit(b"")

    def enter(self, phase: Phase, stage: str) -> None:
        """Enter a stage that records nothing itself."""
        self.fence()
        self.progress.stage(phase, stage)


@dataclass(frozen=True, slots=True)
class Task:
    """What the driver knows of the user's task."""

    epochs: int
    rules: guard.Rules
    """Its objectives (the task's primary metric where the manifest names none), and the limits."""
    kind: Kind = "module"
    only_earlier: tuple[str, ...] = ()
    """Why no models but those that were tried on test before could be proven, if none could."""
    search_only: bool = False
    """Whether the search's best parameters are all that is wanted: no model follows."""


def carry_out(run: Run) -> None:
    """Carry the plan out, as far as it is this driver's; the report in `run.progress` says how it ended.

    Raises StoppedError when asked to stop, FencedError and StoreError when the record or the store is lost,
    and JobError for a fault of the machines where another attempt follows.
    """
    run.progress.start()
    try:
        _carry_out(run)
    except StoppedError:
        raise
    except RunError as error:
        if run.goes_on and error.kind == "Infrastructure":
            raise
        run.progress.fail(error.kind, str(error))


def _carry_out(run: Run) -> None:
    task = learn(run)
    # a model that is given is not searched for, yet its one trial is how it is judged at all
    found = find(run, task) if run.is_first else find_again(run, task)
    if run.is_done_before("export"):
        hand_over_search(run.store, found)
        run.progress.say(f"segment {run.stages[0]} is done")
        return
    if task.search_only:
        run.fence()
        end(run, found, "the objective returns figures only, so there is no model to publish")
        return
    makes = run.is_first or run.stages[0] != "measure"
    models = make(run, task, found) if makes else models_made(run.store)
    if run.is_done_before("measure"):
        hand_over_search(run.store, found)
        hand_over_models(run.store, models)
        run.progress.say(f"segment {run.stages[0]} is done")
        return
    measured = measure(run, task, models)
    proof = verify(run, task, measured)
    publish(run, found, measured, proof)


def learn(run: Run) -> Task:
    """Ask the task what it is, in a worker; JobError says what it lacks, or which limit cannot be proven."""
    run.progress.stage("Starting", "task")
    if run.record.lost:
        run.progress.note(run.record.lost)
    works = [Work("task", DESCRIBE, {}, log="logs/task.log"), Work("environment", ENVIRONMENT, {})]
    done = gather(run.pool, works, run.should_stop)
    if failure := done["task"].failure or done["environment"].failure:
        raise JobError.of(f"spec.task.entrypoint {run.plan.spec.task.entrypoint}", failure)
    run.progress.change(environment=reporting.environment(done["environment"].value, run.code_sha256))
    earlier = tries_so_far(run.store)
    task = task_of(run.plan, done["task"].value, earlier)
    run.progress.change(objectives=task.rules.objectives)
    if task.only_earlier:
        run.progress.note(f"only models that were tried before can be proven: {'; '.join(task.only_earlier)}")
    return task


def task_of(plan: Plan, told: Mapping[str, Any], earlier: int = 0) -> Task:
    """The task as it told of itself; JobError when a limit of the guardrail could never be judged or met.

    `earlier` are the tries on the test split that the run has written down already: those stay as they are,
    so new ones come on top.
    """
    if told.get("lacking"):
        return search_only(plan, told)
    spec = plan.spec
    rules = guard.Rules(spec.guardrail, spec.objectives or (primary_objective(told["primary"]),))
    kind: Kind = told["kind"]
    made = len(chosen(spec.compress)) if spec.compress else 1
    tries = min(guard.MOST_TRIED, made)

    def unprovable(tries: int) -> tuple[str, ...]:
        test = told["splits"].get("test")
        return guard.check_limits(rules, told["metrics"], told["proportions"], test, tries)

    problems = [
        *unknown_objectives(spec.objectives, told["metrics"]),
        *unprunable(plan, kind),
        *unprovable(earlier or tries),
    ]
    if problems:
        raise JobError("Configuration", "\n".join(problems))
    return Task(told["epochs"], rules, kind, unprovable(earlier + tries) if earlier else ())


def unprunable(plan: Plan, kind: Kind) -> list[str]:
    """A problem where the network is to be pruned, and there is none in Python's hands."""
    there = {"objective": "the ONNX file that a function returned", "given": "the ONNX file that was given"}
    if kind == "module" or not (plan.spec.compress and plan.spec.compress.prune):
        return []
    return [f"spec.compress.prune: needs the network itself; there is only {there[kind]}: remove it"]


def search_only(plan: Plan, told: Mapping[str, Any]) -> Task:
    """The task of an objective without a model to judge; JobError where the manifest needs one."""
    spec = plan.spec
    sections = {"compress": spec.compress, "guardrail": spec.guardrail, "targets": spec.targets}
    if needing := [name for name, section in sections.items() if section]:
        others = f" (so does {', '.join(needing[1:])})" if needing[1:] else ""
        what = f"spec.{needing[0]}: needs a model that can be judged{others}"
        raise JobError("Configuration", f"{what}: {told['lacking']}")
    if not spec.objectives:
        example = "{metric: accuracy, direction: maximize}"
        raise JobError("Configuration", f"spec.objectives: add a metric that is returned, as in {example}")
    return Task(told["epochs"], guard.Rules((), spec.objectives), told["kind"], search_only=True)


def primary_objective(metric: str) -> Objective:
    """The objective of a manifest without any; JobError when nothing says which way is better."""
    direction = guard.known_direction(metric)
    if direction is None:
        raise JobError("Configuration", f"spec.objectives: {guard.unknown_direction(metric)}")
    return Objective(metric=metric, direction=direction)


def unknown_objectives(objectives: Sequence[Objective], metrics: Sequence[str]) -> list[str]:
    """A problem for each objective that is neither a metric of the task nor a figure that is measured."""
    known = [*metrics, *MEASURED]
    choice = ", ".join(known)
    return [
        f"spec.objectives[{number}].metric: the task has no metric {objective.metric!r}; it has {choice}"
        for number, objective in enumerate(objectives)
        if objective.metric not in known
    ]


def find(run: Run, task: Task) -> SearchOutcome:
    """Search, or train the baseline alone; JobError when there is no trial to go on with."""
    run.progress.stage("Searching", "search")

    def tell(state: SearchState) -> None:
        run.progress.change(**reporting.search_progress(state))
        run.progress.tell_trials(state.told)

    try:
        found = search(search_request(run, task), run.pool, run.record, run.store, tell)
    except FatalFailure as error:
        run.progress.trials = error.trials
        number, is_baseline = error.trial.number, error.trial.index == 0
        what = (
            f"the baseline (trial {number}, the parameters' defaults)" if is_baseline else f"trial {number}"
        )
        raise JobError.of(what, error.failure) from None
    return judged(run, found)


def find_again(run: Run, task: Task) -> SearchOutcome:
    """What an earlier segment's search found; no trial is added, whatever has been edited since."""
    return judged(run, recall(search_request(run, task), run.record, search_end(run.store)))


def search_request(run: Run, task: Task) -> SearchRequest:
    """What the search is asked for."""
    return SearchRequest(
        name=run.plan.name,
        objectives=task.rules.objectives,
        epochs=task.epochs,
        search=run.plan.spec.search or ONLY_BASELINE,
        limits=run.limits,
        should_stop=run.should_stop,
        payload=trial_figures(run.plan.spec),
    )


def judged(run: Run, found: SearchOutcome) -> SearchOutcome:
    """The search's outcome, told; JobError when there is no trial to go on with."""
    run.progress.trials = found.trials
    run.progress.change(**reporting.search_result(found), plan_digest=run.current.plan.digest)
    if found.stop == "interrupted":
        raise StoppedError(found.message)
    if found.best is None or found.baseline is None:
        raise JobError("NoTrialCompleted", reporting.nothing_found(found))
    run.progress.condition("SearchComplete", "True", found.stop[0].upper() + found.stop[1:], found.message)
    return found


def make(run: Run, task: Task, found: SearchOutcome) -> tuple[Made, ...]:
    """Export baseline and winner, then make the candidates; JobError when one of the first two fails."""
    run.enter("Compressing", "export")
    material = Material(run.plan, found, run.code_sha256, task.kind)
    exported = make_references(run.workshop, material)
    run.enter("Compressing", "compress")
    return (*exported, *make_candidates(run.workshop, material, uncompressed=exported[-1]))


def measure(run: Run, task: Task, models: tuple[Made, ...]) -> Measurements:
    """Measure every model on validation and side by side for speed, and tell the figures."""
    run.enter("Compressing", "measure")
    measured = measure_all(run.workshop, run.plan, models)
    run.progress.change(**reporting.measured(measured, task.rules.objectives))
    return measured


def verify(run: Run, task: Task, measured: Measurements) -> Proof:
    """Prove the guardrail on the test split; GuardrailError when no candidate holds it."""
    run.enter("Verifying", "guardrail")
    proof = prove(run.workshop, task.rules, measured)
    met = proof.final is not None
    run.progress.condition("GuardrailMet", "True" if met else "False", "Judged", proof.message)
    run.progress.change(**reporting.proven(measured, proof, task.rules.objectives))
    if not met:
        run.fence()
        withdraw_tree(run.store)
        raise GuardrailError(proof.message)
    return proof


def publish(run: Run, found: SearchOutcome, measured: Measurements, proof: Proof) -> None:
    """Publish the serving tree and end the run."""
    run.enter("Verifying", "publish")
    assert proof.final is not None  # verify() raised otherwise
    made = next(each for each in measured.models if each.id == proof.final.id)
    served = run.workshop.served(made, serving_threads(run.plan, proof.final))
    run.fence()
    files = publish_tree(run.store, run.progress.report, served)
    run.progress.change(artifacts=reporting.artifacts(run.store.uri, files, made.opset))
    run.progress.condition("ArtifactPublished", "True", "Published", f"{len(files)} files under model/")
    end(run, found, proof.message)


def end(run: Run, found: SearchOutcome, message: str) -> None:
    """Drop what only the run itself needed, and say how it ended."""
    for key in run.store.list("checkpoints"):
        run.store.delete(key)
    if found.stop in BUDGETS:
        run.progress.succeed("BudgetReached", f"{found.message}; {message}")
    else:
        run.progress.succeed("Completed", message)

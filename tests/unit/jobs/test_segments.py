"""A plan in segments: each driver does its part on a cluster of its own, the next goes on from the store."""

import pytest

from tests.support.driving import SEARCH, Drive, answers, drive, speed, trial
from tests.support.jobs import job
from tests.support.memory_store import MemoryStore
from tests.support.search import MemoryRecord
from trimtab_api.control import Control
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.segments import Segment, WorkerGroup, segments_of
from trimtab_jobs.driver import STAGES
from trimtab_jobs.errors import JobError
from trimtab_jobs.orders import Orders
from trimtab_jobs.pool import Failure, Work

RUN_TRIAL = "trimtab_jobs.tasks.trial:run_trial"
INT8 = "trimtab_jobs.stages.quantize_static:quantize"
SPEED_OF = "trimtab_jobs.measure.efficiency:measure"
EXPORT = "trimtab_jobs.stages.export_onnx:export"
DESCRIBE = "trimtab_jobs.tasks.trial:describe"
BRING = "trimtab_jobs.stages.import_onnx:bring"
MEASURE = ("measure", "guard", "publish")
GROUPS = (WorkerGroup(name="edge", pool="arm"), WorkerGroup(name="server"))
SPLITS = {
    "one": [STAGES],
    "search apart": [STAGES[:1], STAGES[1:]],
    "measuring apart": [STAGES[:3], STAGES[3:]],
    "all apart": [STAGES[:1], STAGES[1:3], STAGES[3:]],
}


class Cluster:
    """Drivers one after the other on one store, each on workers of its own."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.record = MemoryRecord()

    def drive(self, stages: tuple[str, ...], script=None, orders: Orders | None = None, **spec) -> Drive:
        self.record = MemoryRecord(self.record.batches)
        segment = Segment(name=stages[0], stages=stages, groups=GROUPS)
        run = {"segment": segment, "goes_on": True, "orders": (lambda: orders) if orders else None}
        return drive(script, self.store, self.record, run=run, **spec)


def plan_of(**spec) -> Plan:
    return resolve(job(**spec), LOCAL_PROFILE)


@pytest.mark.parametrize("segments", SPLITS.values(), ids=SPLITS)
def test_segments_together_do_what_one_driver_does(segments: list[tuple[str, ...]]):
    cluster, alone = Cluster(), drive()

    drives = [cluster.drive(stages) for stages in segments]

    again = {"describe", "environment"}
    started = [function for each in drives for function in each.functions if function not in again]
    assert started == [function for function in alone.functions if function not in again]
    varying = {"conditions", "cost", "artifacts"}
    assert drives[-1].report.model_dump(exclude=varying) == alone.report.model_dump(exclude=varying)
    assert [each.type for each in drives[-1].report.conditions] == [
        each.type for each in alone.report.conditions
    ]


def test_every_way_to_cut_a_plan_is_one_of_these():
    specs = [
        {},
        {"compress": {"quantize": ["int8"]}},
        {
            "compress": {"quantize": ["int8"]},
            "targets": [{"name": "edge", "pool": "arm"}, {"name": "server", "pool": "cpu"}],
        },
        {"compress": {"quantize": ["int8"]}, "resources": {"search": {"workers": 4}}},
        {"targets": [{"name": "edge", "pool": "arm"}], "resources": {"search": {"workers": 4}}},
    ]

    cuts = [segments_of(job(**spec).spec) for spec in specs]

    firsts = {segment.stages[0] for segments in cuts for segment in segments}
    lasts = {segment.stages[-1] for segments in cuts for segment in segments}
    assert firsts <= {"search", "export", "measure"}
    assert lasts <= {"search", "export", "compress", "publish"}


def test_a_segment_before_the_last_reports_no_end():
    done = Cluster().drive(STAGES[:1])

    assert (done.report.phase, done.report.message) == ("Searching", "segment search is done")
    assert done.condition("SearchComplete") == ("True", "Trials")
    assert done.condition("Succeeded") == ("Unknown", "Running")


def test_a_later_segment_keeps_to_the_trials_that_were_found_though_more_are_asked_for():
    cluster = Cluster()
    found = cluster.drive(STAGES[:1]).report.best

    later = cluster.drive(STAGES[1:], search=SEARCH | {"trials": 50})

    assert "run_trial" not in later.functions
    assert (later.report.best, later.report.trials.total) == (found, 3)
    assert later.report.phase == "Succeeded"


def test_a_budget_that_ended_the_search_is_still_the_reason_at_the_end():
    cluster = Cluster()
    used_up = Orders(plan_of(search=SEARCH | {"trials": 9}), Control(stop_search="gpuHours"))
    script = {RUN_TRIAL: answers()[RUN_TRIAL]}
    cluster.drive(STAGES[:1], script)

    stopped = cluster.drive(STAGES[:1], script, used_up, search=SEARCH | {"trials": 9})
    later = cluster.drive(STAGES[1:])

    assert stopped.condition("SearchComplete") == ("True", "GpuHours")
    assert later.condition("Succeeded") == ("True", "BudgetReached")
    assert later.report.message.startswith("spec.budget.gpuHours is used up; int8 holds")


def test_a_model_that_could_not_be_made_is_not_tried_again_where_figures_are_taken():
    cluster = Cluster()
    cluster.drive(STAGES[:3], {INT8: lambda work: Failure("configuration", "nothing to quantize")})

    later = cluster.drive(MEASURE)

    assert "quantize" not in later.functions
    assert {each.id: each.verdict for each in later.report.candidates}[
        "int8"
    ] == "rejected: nothing to quantize"
    assert later.report.phase == "Succeeded"


@pytest.mark.parametrize("stages", [STAGES[1:], MEASURE], ids=["search", "models"])
def test_a_segment_without_what_comes_before_is_a_fault_of_the_machines(stages: tuple[str, ...]):
    with pytest.raises(JobError, match=r"handover/search.json is not there: run the segment search first"):
        Cluster().drive(stages)


@pytest.mark.parametrize(
    ("compress", "cut"),
    [
        pytest.param({"quantize": ["int8"]}, [("compress",), MEASURE], id="compressed"),
        pytest.param(None, [MEASURE], id="only measured"),
    ],
)
def test_a_model_that_is_given_is_judged_where_its_plan_begins(compress, cut):
    described = drive().pool.answers[DESCRIBE](Work("task", DESCRIBE, {})) | {"kind": "given"}
    script = {DESCRIBE: lambda work: described, BRING: answers()[EXPORT]}
    spec = {"model": {"pretrained": {"uri": "given.onnx"}}, "search": None, "compress": compress}
    targets = [{"name": "edge", "pool": "arm"}]
    segments = segments_of(job(**{key: each for key, each in spec.items() if each}, targets=targets).spec)
    cluster = Cluster()

    drives = [cluster.drive(stages, script, targets=targets, **spec) for stages in cut]

    assert [segment.stages for segment in segments] == cut
    assert [each.functions.count("run_trial") for each in drives] == [1, 0][: len(cut)]
    assert drives[-1].report.phase == "Succeeded"


def test_a_fault_of_the_machines_is_the_end_only_where_no_attempt_follows():
    lost = {EXPORT: lambda work: Failure("infrastructure", "the worker process was lost")}

    with pytest.raises(JobError, match="exporting baseline: the worker process was lost"):
        Cluster().drive(STAGES, lost)
    assert drive(lost).condition("Succeeded") == ("False", "Infrastructure")


TARGETS = [{"name": "edge", "pool": "arm"}, {"name": "server", "pool": "cpu", "threads": 2}]


def works_of(done: Drive, function: str) -> list[str | None]:
    return [work.group for work in done.pool.started if work.function.endswith(f":{function}")]


def test_each_target_is_measured_on_its_own_group_and_says_on_which_pool():
    cluster = Cluster()
    cluster.drive(STAGES[:3])
    limit = {"metric": "latencyMs", "max": 3, "target": "server"}

    done = cluster.drive(MEASURE, targets=TARGETS, guardrail=[limit])

    assert works_of(done, "measure") == ["edge", "server"]
    assert set(works_of(done, "evaluate")) == {None}
    assert done.report.final is not None
    measured_on = {name: figures.measured_on for name, figures in done.report.final.targets.items()}
    assert measured_on == {"edge": "arm", "server": "cpu"}
    assert [verdict.indicative for verdict in done.report.guardrail] == [False]


def test_on_one_machine_targets_are_a_hint():
    limit = {"metric": "latencyMs", "max": 3, "target": "server"}

    done = drive(targets=TARGETS, guardrail=[limit])

    assert works_of(done, "measure") == [None, None]
    assert done.report.final is not None
    assert {figures.measured_on for figures in done.report.final.targets.values()} == {"local"}
    assert [verdict.indicative for verdict in done.report.guardrail] == [True]


@pytest.mark.parametrize(
    ("objectives", "threads"),
    [
        pytest.param([], 2, id="the slowest target"),
        pytest.param(
            [{"metric": "latencyMs", "direction": "minimize", "target": "edge"}], 1, id="the named one"
        ),
    ],
)
def test_the_model_is_served_with_the_threads_of_the_target_that_decided(objectives, threads: int):
    def slow_on_two_threads(work):
        slower = work.payload["threads"]
        return {name: told | {"latencyMs": slower} for name, told in speed(work).items()}

    def measured_trial(work):
        return trial(work) | {"metrics": {"accuracy": 0.9, "latencyMs": 1.0}}

    store, ranks = MemoryStore(), {"metric": "accuracy", "direction": "maximize"}

    drive(
        {SPEED_OF: slow_on_two_threads, RUN_TRIAL: measured_trial},
        store,
        targets=TARGETS,
        objectives=[ranks, *objectives],
    )

    card = store.get("model/digits/config.pbtxt").decode()
    assert f'"intra_op_thread_count" value: {{ string_value: "{threads}" }}' in card

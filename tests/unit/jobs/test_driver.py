"""The driver from plan to report, its workers answered by plain functions."""

import json
import subprocess
import sys

import pytest

from tests.support.driving import MANIFEST, SEARCH, answers, drive, quality, speed
from tests.support.memory_store import MemoryStore
from tests.support.search import MemoryRecord
from trimtab_jobs.errors import StoppedError
from trimtab_jobs.pool import Failure

DESCRIBE = "trimtab_jobs.tasks.trial:describe"
RUN_TRIAL = "trimtab_jobs.tasks.trial:run_trial"
EVALUATE = "trimtab_jobs.measure.quality:evaluate"
SPEED_OF = "trimtab_jobs.measure.efficiency:measure"
INT8 = "trimtab_jobs.stages.quantize_static:quantize"
HALF = "trimtab_jobs.stages.half:convert"
CRASH = Failure("code", "ValueError: no such layer", "line 1\nValueError: no such layer\n")


def test_a_run_ends_with_the_fastest_candidate_that_holds_the_guardrail():
    done = drive()

    assert done.report.phase == "Succeeded"
    assert done.report.final is not None
    assert done.report.final.id == "int8"
    assert done.report.speedup == 8.0
    assert done.report.savings.uncompressed.size == 4.0
    assert [verdict.met for verdict in done.report.guardrail] == [True]
    assert done.condition("Succeeded") == ("True", "Completed")


def test_a_run_passes_through_its_stages_in_order():
    stages = dict.fromkeys((report.phase, report.stage) for report in drive().reports)

    assert list(stages) == [
        ("Starting", "task"),
        ("Searching", "search"),
        ("Compressing", "export"),
        ("Compressing", "compress"),
        ("Compressing", "measure"),
        ("Verifying", "guardrail"),
        ("Verifying", "publish"),
        ("Succeeded", ""),
    ]


def test_the_order_is_written_before_the_test_split_is_opened():
    store = MemoryStore()
    opened: list[bool] = []

    def evaluate(work):
        if work.payload["split"] == "test":
            opened.append("orders/0000.json" in store.objects)
        return quality(work, {})

    drive({EVALUATE: evaluate}, store)

    assert opened
    assert all(opened)
    assert json.loads(store.get("orders/0000.json"))["order"] == ["int8", "fp16"]


def test_a_candidate_that_fails_on_test_gives_way_to_the_next():
    broken_on_test = {
        EVALUATE: lambda work: quality(work, {"int8": 40} if work.payload["split"] == "test" else {})
    }

    done = drive(broken_on_test)

    assert done.report.final is not None
    assert done.report.final.id == "fp16"
    texts = {each.id: each.verdict for each in done.report.candidates}
    assert texts["int8"].startswith("rejected: accuracy drop")
    assert texts["fp16"].startswith("ok")


def test_when_no_candidate_holds_nothing_is_published():
    store = MemoryStore()

    done = drive({EVALUATE: lambda work: quality(work, {"int8": 40, "fp16": 40})}, store)

    assert done.condition("Succeeded") == ("False", "GuardrailNotMet")
    assert done.report.phase == "Failed"
    assert "accuracy" in done.report.message
    assert store.list("model") == []
    assert store.list("candidates/int8") == ["candidates/int8/made.json", "candidates/int8/model.onnx"]


def test_a_candidate_that_no_longer_answers_as_its_parent_is_not_published_without_a_guardrail_either():
    broken = {"sqnrDb": 1.0, "top1Agreement": 0.1}

    done = drive({INT8: lambda work: answers()[INT8](work) | {"parity": broken}}, guardrail=None)

    assert done.report.final is not None
    assert done.report.final.id == "fp16"
    assert done.report.candidates[1].verdict.startswith("rejected: top-1 agreement 0.1 < 0.9 on validation")


def test_without_a_guardrail_the_end_says_why_no_candidate_can_be_published():
    broken = {"sqnrDb": 1.0, "top1Agreement": 0.1}
    unlike = {INT8: lambda work: answers()[INT8](work) | {"parity": broken}}
    unmade = {HALF: lambda work: Failure("configuration", "overflow in fp16")}

    done = drive(unlike | unmade, guardrail=None)

    assert done.condition("Succeeded") == ("False", "GuardrailNotMet")
    assert done.report.message == (
        "no candidate can be published: fp16 rejected: overflow in fp16; int8 rejected: top-1 agreement 0.1 "
        "< 0.9 on validation (n=540): limit a metric of quality to allow it"
    )


def test_when_none_could_be_made_the_end_says_why():
    done = drive({name: lambda work: Failure("configuration", "no such operator") for name in (INT8, HALF)})

    assert done.report.message == (
        "no candidate holds the guardrail: fp16 rejected: no such operator; int8 rejected: no such operator"
    )


def test_a_candidate_that_cannot_be_made_is_rejected_and_the_run_goes_on():
    done = drive({INT8: lambda work: Failure("configuration", "nothing to quantize")})

    assert done.report.phase == "Succeeded"
    assert {each.id: each.verdict for each in done.report.candidates}[
        "int8"
    ] == "rejected: nothing to quantize"


def test_a_candidate_that_cannot_be_evaluated_is_rejected_and_the_run_goes_on():
    def evaluate(work):
        broken = Failure("configuration", "ValueError: not a number")
        return broken if work.payload["candidate"] == "int8" else quality(work, {})

    done = drive({EVALUATE: evaluate})

    assert done.report.final is not None
    assert done.report.final.id == "fp16"
    assert {each.id: each.verdict for each in done.report.candidates}[
        "int8"
    ] == "rejected: ValueError: not a number"


def test_a_candidate_that_cannot_be_evaluated_on_test_gives_way_to_the_next():
    def evaluate(work):
        is_broken = work.payload["candidate"] == "int8" and work.payload["split"] == "test"
        return Failure("configuration", "out of range") if is_broken else quality(work, {})

    done = drive({EVALUATE: evaluate})

    assert done.report.final is not None
    assert done.report.final.id == "fp16"


def test_figures_that_are_no_numbers_are_left_out_of_the_report():
    def evaluate(work):
        told = quality(work, {})
        return told | {"metrics": told["metrics"] | {"spread": float("nan")}}

    done = drive({EVALUATE: evaluate})

    assert done.report.final is not None
    assert "spread" not in done.report.final.metrics


def test_an_order_that_opened_nothing_does_not_bind_the_next_driver():
    store, record = MemoryStore(), MemoryRecord()
    slow = {SPEED_OF: lambda work: {name: told | {"latencyMs": 99.0} for name, told in speed(work).items()}}
    limits = [{"metric": "latencyMs", "max": 3}]
    first = drive(slow, store, record, guardrail=limits)

    again = drive(None, store, MemoryRecord(record.batches), guardrail=limits)

    assert (first.report.phase, again.report.phase) == ("Failed", "Succeeded")


def test_a_model_published_before_is_withdrawn_when_no_candidate_holds_any_more():
    store, record = MemoryStore(), MemoryRecord()
    drive(store=store, record=record)
    assert store.list("model")

    drive(
        {EVALUATE: lambda work: quality(work, {"int8": 40, "fp16": 40})}, store, MemoryRecord(record.batches)
    )

    assert store.list("model") == []


def test_without_compression_the_winner_itself_is_published():
    done = drive(compress=None)

    assert done.report.final is not None
    assert (done.report.final.id, done.report.candidates) == ("fp32", ())


def test_without_a_search_the_baseline_is_trained_and_compressed():
    done = drive(search=None)

    assert [trial.number for trial in done.trials] == [0]
    assert done.report.phase == "Succeeded"


@pytest.mark.parametrize(
    ("function", "reason", "message"),
    [
        pytest.param("trimtab_jobs.tasks.trial:describe", "Code", "spec.task.entrypoint", id="task"),
        pytest.param(RUN_TRIAL, "Code", "trial 0", id="trial"),
        pytest.param("trimtab_jobs.stages.export_onnx:export", "Code", "exporting baseline", id="export"),
        pytest.param(EVALUATE, "Code", "evaluating baseline", id="evaluate"),
        pytest.param("trimtab_jobs.measure.interface:interface", "Code", "interface of int8", id="interface"),
    ],
)
def test_a_failure_of_the_code_ends_the_run_with_its_last_lines(function: str, reason: str, message: str):
    done = drive({function: lambda work: CRASH})

    assert done.condition("Succeeded") == ("False", reason)
    assert message in done.report.message
    assert done.report.message.endswith("line 1\nValueError: no such layer")


def test_a_lost_worker_is_tried_again_before_the_run_fails():
    losses = [Failure("infrastructure", "the worker process was lost")] * 2

    done = drive({INT8: lambda work: losses.pop() if losses else answers()[INT8](work)})

    assert done.report.phase == "Succeeded"
    assert done.functions.count("quantize") == 3


def test_trials_that_fail_alike_from_the_first_on_are_the_codes_fault():
    done = drive({RUN_TRIAL: lambda work: Failure("configuration", "ValueError: bad shape")})

    assert done.condition("Succeeded") == ("False", "Code")


def test_a_baseline_that_fails_ends_the_run_at_once_with_its_error():
    def run_trial(work):
        failed = Failure("configuration", "OutOfMemoryError: 9 GiB", "line 1")
        return failed if work.id == "trial-0" else answers()[RUN_TRIAL](work)

    done = drive({RUN_TRIAL: run_trial}, search=SEARCH | {"trials": 90, "parallelism": 2})

    said = "the baseline (trial 0, the parameters' defaults): OutOfMemoryError: 9 GiB\nline 1"
    assert (done.report.phase, done.report.message) == ("Failed", said)
    assert len(done.trials) == 2


def test_trials_that_all_fail_end_the_run():
    done = drive(
        {RUN_TRIAL: lambda work: Failure("configuration", f"diverged {work.id}")},
        search=SEARCH | {"trials": 2},
    )

    assert done.report.phase == "Failed"
    assert "diverged" in done.report.message


def test_a_limit_that_could_never_be_proven_is_refused_before_anything_is_trained():
    done = drive(guardrail=[{"metric": "accuracy", "maxDrop": 0.001}])

    assert done.condition("Succeeded") == ("False", "Configuration")
    assert "needs ≥" in done.report.message
    assert "run_trial" not in done.functions


def test_an_objective_that_the_task_does_not_know_is_refused_before_anything_is_trained():
    done = drive(objectives=[{"metric": "f1", "direction": "maximize"}])

    assert done.report.message.startswith(
        "spec.objectives[0].metric: the task has no metric 'f1'; it has accuracy, "
    )
    assert "run_trial" not in done.functions


def test_objectives_are_measured_as_their_target_will_call_the_exported_model():
    done = drive(
        {
            RUN_TRIAL: lambda work: (
                answers()[RUN_TRIAL](work) | {"metrics": {"accuracy": 1.0, "latencyMs": 1.0}}
            )
        },
        objectives=[
            *MANIFEST["objectives"],
            {"metric": "latencyMs", "direction": "minimize", "target": "edge"},
        ],
        targets=[{"name": "edge", "pool": "arm", "threads": 2, "batch": 8}],
        export={"opset": 20, "batch": 8},
    )

    (asked,) = {str(work.payload["figures"]) for work in done.pool.started if work.function == RUN_TRIAL}
    assert asked == str({"opset": 20, "batch": 8, "calls": {"latencyMs": (2, 8)}})


def test_what_no_objective_asks_for_is_not_measured_during_the_search():
    assert all("figures" not in work.payload for work in drive().pool.started)


def test_a_primary_metric_that_could_go_either_way_needs_an_objective():
    told = answers()[DESCRIBE](None) | {"primary": "score", "metrics": ["score"], "proportions": []}

    done = drive({DESCRIBE: lambda work: told}, objectives=None, guardrail=None)

    assert "whether more or less of 'score' is better is not known" in done.report.message


def test_a_used_up_budget_still_publishes_the_best():
    def run_trial(work):
        diverged = Failure("configuration", "diverged")
        return answers()[RUN_TRIAL](work) if work.id == "trial-0" else diverged

    done = drive({RUN_TRIAL: run_trial}, search=SEARCH | {"trials": 9}, budget={"failedTrials": 1})

    assert done.condition("Succeeded") == ("True", "BudgetReached")
    assert done.report.message.startswith("more than spec.budget.failedTrials=1 have failed; int8 holds")
    assert len(done.trials) < 9


def test_what_an_earlier_driver_made_is_not_made_again():
    store, record = MemoryStore(), MemoryRecord()
    drive(store=store, record=record)

    again = drive(store=store, record=MemoryRecord(record.batches))

    assert set(again.functions) == {"describe", "environment", "evaluate", "measure", "interface"}
    assert again.report.phase == "Succeeded"
    assert store.list("orders") == ["orders/0000.json"]


def test_new_models_on_an_opened_test_split_make_every_test_stricter():
    store, record = MemoryStore(), MemoryRecord()
    drive(store=store, record=record)
    other = {INT8: lambda work: answers()[INT8](work) | {"sha256": "another"}}
    store.delete("candidates/int8/made.json")

    again = drive(other, store, MemoryRecord(record.batches))

    assert store.list("orders") == ["orders/0000.json", "orders/0001.json"]
    assert again.report.guardrail[0].upper == pytest.approx(1 - (0.05 / 4) ** (1 / 540))


def test_it_is_said_that_new_models_could_not_be_proven_on_an_opened_test_split():
    store, record = MemoryStore(), MemoryRecord()
    limits = [{"metric": "accuracy", "maxDrop": 0.008}]  # 540 examples prove it for 3 tries, not for 4
    drive(store=store, record=record, guardrail=limits)

    again = drive(store=store, record=MemoryRecord(record.batches), guardrail=limits)

    said = "only models that were tried before can be proven: spec.guardrail[0].maxDrop: needs ≥546 test"
    assert any(report.message.startswith(said) for report in again.reports)
    assert again.report.phase == "Succeeded"


def test_tries_that_were_written_down_count_before_anything_is_trained():
    store = MemoryStore()
    store.put("orders/0000.json", json.dumps({"models": {}, "order": ["int8"] * 9}).encode())

    done = drive(store=store, guardrail=[{"metric": "accuracy", "maxDrop": 0.009}])

    assert "with 9 candidates to try; there are 540" in done.report.message
    assert "run_trial" not in done.functions


def test_the_trials_are_known_after_a_failure_of_the_code_too():
    done = drive({RUN_TRIAL: lambda work: CRASH})

    assert {trial.failure.error for trial in done.trials if trial.failure} == {"ValueError: no such layer"}


def test_asked_to_stop_the_driver_leaves_with_what_is_recorded():
    with pytest.raises(StoppedError):
        drive(should_stop=lambda: True)


def test_a_damaged_record_is_said_until_there_is_something_else_to_say():
    record = MemoryRecord()
    record.lost = "journal/0001/00000003: digest differs; the record ends before it"

    said = [(report.phase, report.message) for report in drive(record=record).reports]

    assert dict.fromkeys(said[2 : said.index(("Searching", "all 3 trials have ended"))]) == {
        ("Starting", record.lost): None,
        ("Searching", record.lost): None,
    }


def test_checkpoints_are_gone_after_publication():
    store = MemoryStore()

    drive(store=store)

    assert store.list("checkpoints") == []


def test_the_driver_runs_where_torch_cannot_be_imported():
    blocked = "import sys; sys.modules.update(torch=None, onnx=None, onnxruntime=None)"
    script = f"{blocked}; from tests.support.driving import drive; print(drive().report.phase)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("Succeeded\n", "")


FIGURES_ONLY = {
    DESCRIBE: lambda work: {
        "kind": "objective",
        "lacking": "house has no evaluate; add: ...",
        "epochs": 1,
        "metrics": [],
        "proportions": [],
        "splits": {},
        "primary": None,
    }
}
"""Of a function that returns figures, and no model."""


def test_a_search_that_gives_no_model_ends_with_its_best_parameters():
    store = MemoryStore()

    done = drive(FIGURES_ONLY, store, compress=None, guardrail=None)

    assert done.report.best is not None
    assert done.report.phase == "Succeeded"
    assert (done.report.final, done.report.artifacts) == (None, ())
    assert done.condition("Succeeded") == ("True", "Completed")
    assert set(done.functions) == {"describe", "environment", "run_trial"}
    assert store.list("checkpoints") == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param(
            {"compress": None}, "spec.guardrail: needs a model that can be judged: house", id="limits"
        ),
        pytest.param({}, "spec.compress: needs a model that can be judged (so does guardrail): ", id="both"),
        pytest.param(
            {"guardrail": None}, "spec.compress: needs a model that can be judged: house", id="compression"
        ),
        pytest.param(
            {"compress": None, "guardrail": None, "objectives": None},
            "spec.objectives: add a metric that is returned",
            id="no-objective",
        ),
    ],
)
def test_what_needs_a_model_is_refused_before_a_search_without_one(spec, said: str):
    done = drive(FIGURES_ONLY, **spec)

    assert done.condition("Succeeded") == ("False", "Configuration")
    assert done.report.message.startswith(said)
    assert "run_trial" not in done.functions

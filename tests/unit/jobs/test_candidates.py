"""Candidates by combination: which are chosen, in what order they are made, what a failed parent means."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.driving import Answer, Drive, drive, speed
from tests.support.memory_store import MemoryStore
from tests.support.search import MemoryRecord
from trimtab_api.combinations import candidate_id, chosen, parent_of
from trimtab_api.compress import CompressSpec
from trimtab_jobs.pool import Failure, Work
from trimtab_jobs.stages import STAGES

PRUNE = "trimtab_jobs.stages.prune_structured:prune"
INT8 = "trimtab_jobs.stages.quantize_static:quantize"
BRING = "trimtab_jobs.stages.import_onnx:bring"
MAKING = {*STAGES.values(), "trimtab_jobs.stages.export_onnx:export", BRING}
DESCRIBE = "trimtab_jobs.tasks.trial:describe"
EVERY = {
    "prune": {"structured": {"ratios": [0.5, 0.3], "steps": 2, "finetuneEpochs": 4}},
    "distill": {"temperature": 3.0, "weight": 0.25},
    "quantize": ["int8", "fp16"],
}
IDS = [
    "int8",
    "fp16",
    *("structured-0.5", "structured-0.5+int8", "structured-0.5+fp16"),
    *("structured-0.3", "structured-0.3+int8", "structured-0.3+fp16"),
]


def compress(**sections: Any) -> CompressSpec:
    return CompressSpec.model_validate(sections)


@st.composite
def compressions(draw: st.DrawFn) -> CompressSpec:
    ratios = draw(st.lists(st.floats(0.01, 0.99), max_size=8, unique=True))
    formats = draw(st.lists(st.sampled_from(["fp16", "int8", "bf16"]), max_size=3, unique=True))
    prune = {"prune": {"structured": {"ratios": ratios}}} if ratios else {}
    budget = {"candidates": draw(st.integers(1, 40))}
    return compress(quantize=formats or ["int8"], budget=budget, **prune)


@given(compressions())
def test_never_more_than_the_budget_and_never_one_twice(spec: CompressSpec):
    ids = [candidate_id(steps) for steps in chosen(spec)]

    assert 1 <= len(ids) <= spec.budget.candidates
    assert len(set(ids)) == len(ids)


@given(compressions())
def test_a_parent_comes_before_what_is_made_from_it(spec: CompressSpec):
    there = {"fp32"}
    for steps in chosen(spec):
        assert parent_of(steps) in there
        there.add(candidate_id(steps))


@given(compressions(), st.integers(1, 40))
def test_a_smaller_budget_takes_the_first_of_a_larger_one(spec: CompressSpec, count: int):
    fewer = spec.model_copy(update={"budget": spec.budget.model_copy(update={"candidates": count})})
    both = min(count, spec.budget.candidates)

    assert chosen(fewer)[:both] == chosen(spec)[:both]


def test_number_formats_come_first_then_each_ratio_with_its_number_formats():
    assert [candidate_id(steps) for steps in chosen(compress(**EVERY))] == IDS


@pytest.mark.parametrize(
    ("sections", "ids"),
    [
        pytest.param({"quantize": ["fp16"]}, ["fp16"], id="only quantized"),
        pytest.param({"prune": EVERY["prune"]}, ["structured-0.5", "structured-0.3"], id="only pruned"),
        pytest.param(EVERY | {"budget": {"candidates": 4}}, IDS[:4], id="cut"),
    ],
)
def test_what_is_chosen(sections: dict[str, Any], ids: list[str]):
    assert [candidate_id(steps) for steps in chosen(compress(**sections))] == ids


def timed(work: Work) -> dict[str, Any]:
    """Each candidate as large and slow as the model of its last step, and less by what was pruned."""
    figures = {}
    for name in work.payload["candidates"]:
        pruned, _, last = name.rpartition("+")
        pruned, last = (name, "fp32") if name.startswith("structured") and not pruned else (pruned, last)
        left = 1 - float(pruned.removeprefix("structured-") or 0)
        told = speed(Work("speed", "", {"candidates": [last]}))[last]
        figures[name] = told | {key: told[key] * left for key in ("sizeMB", "latencyMs")}
    return figures


def made(work: Work) -> dict[str, Any]:
    return {"sha256": f"digest-of-{work.id}", "bytes": 2, "opset": 21, "parity": {}, "ops": {}}


def driven(script: Mapping[str, Answer] | None = None, **changes: Any) -> Drive:
    scripts = {PRUNE: made, "trimtab_jobs.measure.efficiency:measure": timed} | dict(script or {})
    return drive(scripts, **({"compress": EVERY} | changes))


def making(done: Drive) -> dict[str, Work]:
    """The works that made a model, by its id."""
    return {each.id: each for each in done.pool.started if each.function in MAKING}


def verdicts(done: Drive) -> dict[str, str]:
    return {each.id: each.verdict for each in done.report.candidates}


def test_every_combination_is_made_measured_and_told():
    done = driven()

    assert [each.id for each in done.report.candidates] == IDS
    assert done.report.candidates[3].steps == ("structured-0.5", "int8")
    assert done.report.final is not None
    assert done.report.final.id == "structured-0.5+int8"


def test_what_is_made_from_the_uncompressed_model_is_made_first():
    started = list(making(driven()))

    assert started[2:] == ["int8", "fp16", "structured-0.5", "structured-0.3", *(i for i in IDS if "+" in i)]


def test_a_pruned_model_starts_from_the_winners_checkpoint_and_learns_from_it():
    done = driven()
    works = {name: work.payload for name, work in making(done).items()}
    winner = max(done.trials, key=lambda trial: trial.metrics["accuracy"])

    assert works["structured-0.3"] == {
        "candidate": "structured-0.3",
        "parent": "fp32",
        "params": dict(winner.params),
        "checkpoint": winner.checkpoint,
        "seed": winner.seed,
        "opset": 21,
        "batch": "dynamic",
        "config": {
            "ratio": 0.3,
            "steps": 2,
            "finetuneEpochs": 4,
            "distill": {"temperature": 3.0, "weight": 0.25},
        },
    }
    assert works["structured-0.3+fp16"]["parent"] == "structured-0.3"


def test_a_failed_parent_takes_along_what_would_be_made_from_it():
    def prune(work: Work) -> Any:
        broken = Failure("configuration", "the training diverged")
        return broken if work.payload["config"]["ratio"] == 0.5 else made(work)

    done = driven({PRUNE: prune})

    said = "rejected: structured-0.5 could not be made: the training diverged"
    assert verdicts(done)["structured-0.5"] == "rejected: the training diverged"
    assert verdicts(done)["structured-0.5+int8"] == said
    assert "structured-0.5+int8" not in making(done)
    assert done.report.final is not None
    assert done.report.final.id == "structured-0.3+int8"


def test_nothing_is_made_from_a_model_of_which_nothing_was_removed():
    done = driven({PRUNE: lambda work: made(work) | {"changed": {"nothing": True}}})

    assert verdicts(done)["structured-0.5"] == "rejected: changed nothing of fp32"
    assert verdicts(done)["structured-0.5+fp16"] == "rejected: structured-0.5 changed nothing of fp32"


def test_a_remark_on_how_a_model_was_made_is_in_its_verdict():
    done = driven({PRUNE: lambda work: made(work) | {"changed": {"remark": "without the teacher"}}})

    assert verdicts(done)["structured-0.5"].endswith("without the teacher")


def test_a_child_is_compared_with_its_parent():
    done = driven({INT8: lambda work: made(work) | {"changed": {"nothing": True}}})

    assert verdicts(done)["structured-0.3+int8"] == "rejected: changed nothing of structured-0.3"


def test_a_driver_that_goes_on_makes_nothing_twice():
    store, record = MemoryStore(), MemoryRecord()
    driven(store=store, record=record)

    again = driven(store=store, record=MemoryRecord(record.batches))

    assert making(again) == {}


def test_a_pruned_model_made_anew_has_its_children_made_anew():
    store, record = MemoryStore(), MemoryRecord()
    driven(store=store, record=record)
    store.delete("candidates/structured-0.5/made.json")

    again = driven(
        {PRUNE: lambda work: made(work) | {"sha256": "another"}},
        store=store,
        record=MemoryRecord(record.batches),
    )

    assert list(making(again)) == ["structured-0.5", "structured-0.5+int8", "structured-0.5+fp16"]


def test_every_combination_counts_as_a_try():
    limits = [{"metric": "accuracy", "maxDrop": 0.006}]  # provable with one candidate to try, not with three

    assert driven(guardrail=limits, compress={"quantize": ["int8"]}).report.phase == "Succeeded"
    told = driven(guardrail=limits, compress={"prune": EVERY["prune"], "quantize": ["int8"]}).report.message
    assert "with 3 candidates to try" in told


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        pytest.param("objective", "the ONNX file that a function returned", id="objective"),
        pytest.param("given", "the ONNX file that was given", id="given"),
    ],
)
def test_pruning_is_refused_where_there_is_no_network(kind: str, there: str):
    described = drive().pool.answers[DESCRIBE](Work("task", DESCRIBE, {}))

    done = driven({DESCRIBE: lambda work: described | {"kind": kind}})

    said = f"spec.compress.prune: needs the network itself; there is only {there}: remove it"
    assert (done.condition("Succeeded"), done.report.message) == (("False", "Configuration"), said)
    assert "run_trial" not in done.functions


@pytest.mark.parametrize(
    ("kind", "checkpoint"), [("objective", True), ("given", False)], ids=["objective", "given"]
)
def test_an_onnx_file_is_brought_instead_of_exported(kind: str, checkpoint: bool):
    described = drive().pool.answers[DESCRIBE](Work("task", DESCRIBE, {}))

    done = driven(
        {DESCRIBE: lambda work: described | {"kind": kind}, BRING: made}, compress={"quantize": ["int8"]}
    )

    payload = making(done)["baseline"].payload
    assert set(payload) == {"candidate", "checkpoint", "opset", "batch"}
    assert (payload["checkpoint"] is not None) == checkpoint
    assert done.report.phase == "Succeeded"

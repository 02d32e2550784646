"""How long a job takes and what it costs, from what probes took."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import job, unhurried
from trimtab_api.manifest import parse_profile
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE, OptimizationProfile
from trimtab_jobs.forecast import (
    Facts,
    ProbedTrial,
    Range,
    bill_of,
    on_workers,
    pieces_of,
    stages_of,
    total,
)

SPACE = [{"name": "lr", "float": {"low": 0.1, "high": 1}}]
ASHA = {"asha": {"minEpochs": 1, "reduction": 3}}
PRUNE = {"structured": {"ratios": [0.5, 0.75], "steps": 2, "finetuneEpochs": 4}}
seconds = st.floats(0, 1e4)


def plan_of(profile: OptimizationProfile = LOCAL_PROFILE, **spec: Any) -> Plan:
    return resolve(job(**spec), profile)


def searching(trials: int = 28, pruner: dict[str, Any] = ASHA, **spec: Any) -> Plan:
    return plan_of(search={"trials": trials, "parameters": SPACE, "pruner": pruner}, **spec)


def facts_of(*epochs: float, **fields: Any) -> Facts:
    trials = tuple(ProbedTrial({}, 1.0, epoch) for epoch in epochs or (2.0,))
    return Facts(**{"epochs": 9, "workers": 2, "start": 5.0, "trials": trials} | fields)


MODELS: dict[str, Any] = {
    "export": (4.0, 4.0),
    "made": {"int8": 3.0, "fp16": 1.0, "structured": 20.0},
    "evaluate": 0.5,
    "measure": 2.0,
    "test_share": 2.0,
}


def test_pieces_of_successive_halving_are_those_that_are_expected_to_go_on():
    pieces = pieces_of(searching().spec, epochs=9)

    assert [(length, count.low, count.likely) for length, count in pieces] == [
        (1, 27, 27),
        (2, 9, 9),
        (6, 3, 3),
    ]
    assert pieces[1][1].high == pytest.approx(9 + 27**0.5)


def test_without_a_pruner_every_trial_trains_to_the_end():
    assert pieces_of(searching(10, {"none": {}}).spec, epochs=9) == [(9, Range(9, 9, 9))]


def test_without_a_search_only_the_baseline_trains():
    stages = stages_of(plan_of(), facts_of(2.0), workers=1, later=1)
    assert stages["search"] == Range(19, 19, 19)
    assert list(stages) == ["start", "search"]


def test_search_takes_its_pieces_on_all_workers():
    work = 19 + 27 * 3 + 9 * 5 + 3 * 13
    alone = stages_of(searching(), facts_of(2.0), workers=1, later=1)["search"]
    together = stages_of(searching(), facts_of(2.0), workers=2, later=2)["search"]
    assert (alone.low, alone.likely) == (work, work)
    assert (together.low, together.likely) == (work / 2, work / 2 + 19 / 4)


def test_search_lies_between_its_cheapest_and_its_dearest_probe():
    cheap, dear, both = (
        stages_of(searching(), facts_of(*epochs), workers=1, later=1)["search"]
        for epochs in ([1.0], [3.0], [1.0, 3.0])
    )
    assert cheap.low <= both.low <= both.likely <= both.high <= dear.high


def test_budget_of_time_ends_the_search():
    plan = searching(budget={"duration": "60s"})
    assert stages_of(plan, facts_of(2.0), workers=1, later=1)["search"] == Range(55, 55, 55)


def test_candidates_take_what_the_probes_took_and_pruned_ones_their_training_on_top():
    plan = searching(compress={"quantize": ["int8"], "prune": PRUNE, "distill": {}})
    stages = stages_of(plan, facts_of(2.0, **MODELS), workers=1, later=1)

    half, three_quarters = ((0.75**2 + 0.5**2) / 2, (0.625**2 + 0.25**2) / 2)
    likely = sum(20 + (2 * 4 - 1) * 2.0 * ((1 + share) / 2 + 1 / 3) for share in (half, three_quarters))
    most = 2 * (20 + (2 * 4 - 1) * 2.0 * 4 / 3)
    assert stages["compress"].likely == pytest.approx(3 + likely + 2 * 3)
    assert stages["compress"].high == pytest.approx((3 + most + 2 * 3) * 1.25)
    assert stages["export"] == Range(8 * 0.8, 8, 8 * 1.25)
    assert stages["measure"].likely == pytest.approx(7 * 0.5 + 7 * 2)
    assert (stages["verify"].low, stages["verify"].high) == (3 * 1.0, 5 * 1.0)


@unhurried
@given(st.lists(seconds, max_size=20), st.integers(1, 8))
def test_works_take_at_least_their_share_and_their_longest_and_at_most_all_of_them(works, workers):
    found = on_workers(works, workers)

    assert found.low <= found.likely <= found.high
    assert found.low >= max([*works, sum(works) / workers])
    assert found.high <= sum(works) * (1 + 1e-9) + 1e-9


@unhurried
@given(
    st.integers(1, 300),
    st.integers(1, 81),
    st.integers(2, 5),
    st.lists(st.tuples(seconds, seconds), min_size=1, max_size=4),
    st.integers(1, 16),
)
def test_stages_are_ranges_and_more_workers_never_take_longer(trials, epochs, reduction, probes, workers):
    plan = searching(
        trials, {"asha": {"minEpochs": 1, "reduction": reduction}}, compress={"quantize": ["int8"]}
    )
    facts = facts_of(
        epochs=epochs, trials=tuple(ProbedTrial({}, overhead, epoch) for overhead, epoch in probes), **MODELS
    )

    few, many = (total(stages_of(plan, facts, count, count)) for count in (workers, 2 * workers))

    assert 0 <= few.low <= few.likely <= few.high
    assert many.low <= few.low * (1 + 1e-9)
    whole = max(trial.piece(epochs) for trial in facts.trials)
    assert few.high <= 2 * trials * whole * 9 + 1e3


PROFILE = parse_profile(
    {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationProfile",
        "metadata": {"name": "shop"},
        "spec": {
            "pools": [
                {
                    "name": "gpu",
                    "resources": {"cpu": "8", "memory": "32Gi", "gpu": 1},
                    "hourlyPrice": 3.6,
                    "watts": 400,
                },
                {"name": "cpu", "resources": {"cpu": "4", "memory": "8Gi"}, "hourlyPrice": 0.36},
            ],
            "carbon": {"intensity": 300, "pue": 1.5},
        },
    }
)
POOLS = {
    "search": {"pool": "gpu", "workers": 4, "perTrial": {"cpu": 2, "gpu": 0.5}},
    "compress": {"pool": "cpu", "workers": 1},
}


def hour(figure: float = 1.0) -> Range:
    return Range(3600 * figure, 3600 * figure, 3600 * figure)


def test_bill_counts_the_pods_of_each_segment_while_it_lasts():
    plan = searching(resources=POOLS, compress={"quantize": ["int8"]})
    assert [segment.stages[0] for segment in plan.segments] == ["search", "export"]
    plan = resolve(job(**plan.spec.model_dump(mode="json", by_alias=True, exclude_none=True)), PROFILE)

    bill = bill_of(plan.segments, PROFILE.spec, {"start": Range(), "search": hour(2), "compress": hour(1)})

    assert bill.cost is not None
    assert bill.cost.likely == pytest.approx(2 * 2 * 3.6 + 0.36)
    assert bill.energy_kwh is not None
    assert bill.energy_kwh.likely == pytest.approx(2 * 2 * 0.4 * 1.5)
    assert bill.carbon_kg is not None
    assert bill.carbon_kg.likely == pytest.approx(bill.energy_kwh.likely * 0.3)
    assert bill.gpu_hours is not None
    assert bill.gpu_hours.likely == pytest.approx(4)


def test_bill_of_pools_without_prices_is_empty():
    bill = bill_of(searching().segments, LOCAL_PROFILE.spec, {"start": hour(), "search": hour()})
    assert (bill.cost, bill.energy_kwh, bill.carbon_kg, bill.gpu_hours) == (None, None, None, None)

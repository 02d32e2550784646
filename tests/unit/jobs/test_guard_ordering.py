"""Which candidates are tried on test, in what order, and what is said of the others."""

import numpy as np
import pytest

from trimtab_api.job import GuardrailLimit, Objective
from trimtab_jobs.guard import Candidate, Ordered, Quality, Rules, order, pareto
from trimtab_jobs.guard.ordering import by_efficiency, remark_on

ACCURACY = Objective(metric="accuracy", direction="maximize")
QUIET = (0.999, 1.0, 1.001)
NOISY = (0.8, 1.0, 1.2)


def quality(accuracy: float = 0.98) -> Quality:
    return Quality({"accuracy": accuracy}, {"accuracy": np.array([1.0, 0.0])}, 300)


def made(
    name: str,
    latency: float,
    size: float,
    *,
    accuracy: float = 0.98,
    rounds: tuple[float, ...] = QUIET,
    parent: Candidate | None = None,
    nothing: bool = False,
) -> Candidate:
    """A candidate whose latency in each round is its latency times that round's factor."""
    speed = {
        "latencyMs": latency,
        "sizeMB": size,
        "throughput": 1 / latency,
        "memoryMB": 60.0,
        "rounds": [latency * factor for factor in rounds],
    }
    return Candidate(name, quality(accuracy), {"": speed}, parent, nothing)


FP32 = made("fp32", 0.12, 2.2)


def names(candidates: list[Candidate]) -> list[str]:
    return [candidate.id for candidate in candidates]


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        pytest.param((ACCURACY,), ["int8", "fp16", "tiny"], id="latency unless an objective says otherwise"),
        pytest.param(
            (ACCURACY, Objective(metric="sizeMB", direction="minimize")), ["tiny", "int8", "fp16"], id="size"
        ),
        pytest.param(
            (Objective(metric="throughput", direction="maximize"),), ["int8", "fp16", "tiny"], id="throughput"
        ),
        pytest.param(
            (Objective(metric="memoryMB", direction="minimize"),),
            ["tiny", "int8", "fp16"],
            id="memory: all the same, so size",
        ),
    ],
)
def test_candidates_are_ordered_by_the_first_objective_that_is_an_efficiency(
    objectives: tuple[Objective, ...], expected: list[str]
) -> None:
    candidates = [made("tiny", 0.4, 0.3), made("fp16", 0.12, 1.1), made("int8", 0.04, 0.6)]
    assert names(by_efficiency(candidates, objectives)) == expected


def test_equally_fast_candidates_are_ordered_by_size() -> None:
    close = [made("fp16", 0.100, 1.1), made("int8", 0.101, 0.6)]
    assert names(by_efficiency(close, ())) == ["int8", "fp16"]


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        pytest.param(QUIET, ["fp16", "int8"], id="five percent on a quiet machine"),
        pytest.param(NOISY, ["int8", "fp16"], id="five percent within the noise"),
    ],
)
def test_rounds_tell_how_far_apart_is_apart(rounds: tuple[float, ...], expected: list[str]) -> None:
    candidates = [made("fp16", 0.100, 1.1), made("int8", 0.105, 0.6, rounds=rounds)]
    assert names(by_efficiency(candidates, ())) == expected


def test_the_worst_target_decides_unless_the_objective_names_one() -> None:
    speeds = {"a": (1.0, 9.0), "b": (5.0, 2.0)}
    candidates = [
        Candidate(
            name,
            quality(),
            {"edge": {"latencyMs": edge, "sizeMB": 1}, "hub": {"latencyMs": hub, "sizeMB": 1}},
        )
        for name, (edge, hub) in speeds.items()
    ]
    on_edge = Objective(metric="latencyMs", direction="minimize", target="edge")
    assert names(by_efficiency(candidates, ())) == ["b", "a"]
    assert names(by_efficiency(candidates, (on_edge,))) == ["a", "b"]


def test_what_misses_a_limit_on_validation_or_changed_nothing_is_not_tried() -> None:
    candidates = [
        made("int8", 0.04, 0.6, accuracy=0.95, parent=FP32),
        made("fp16", 0.12, 1.1, parent=FP32),
        made("big", 0.10, 3.0, parent=FP32),
        made("int4", 0.12, 2.2, parent=FP32, nothing=True),
    ]
    limits = (GuardrailLimit(metric="accuracy", max_drop=0.02), GuardrailLimit(metric="sizeMB", max=2))
    assert order(Rules(limits), candidates, {"uncompressed": quality()}) == Ordered(
        ("fp16",),
        {
            "fp16": "ok",
            "int8": "rejected: accuracy drop 0.03 > 0.02 on validation (n=300)",
            "big": "rejected: sizeMB 3 > 2 on validation (n=300)",
            "int4": "rejected: changed nothing of fp32",
        },
    )


def test_a_candidate_without_a_parent_that_changed_nothing() -> None:
    ordered = order(Rules(()), [made("int4", 0.1, 1.0, nothing=True)], {})
    assert ordered == Ordered((), {"int4": "rejected: changed nothing of its parent"})


def test_at_most_three_candidates_are_tried() -> None:
    candidates = [made(f"c{place}", 0.1 * 2**place, 1.0) for place in range(4)]
    ordered = order(Rules(()), candidates, {})
    assert ordered.ids == ("c0", "c1", "c2")
    assert ordered.verdicts["c3"] == "ok; not tried: 3 more efficient ones come first"


@pytest.mark.parametrize(
    ("candidate", "remark"),
    [
        pytest.param(made("fp32", 0.12, 2.2), "", id="not made from anything"),
        pytest.param(made("int8", 0.04, 0.6, parent=FP32), "", id="smaller and faster"),
        pytest.param(made("fp16", 0.121, 1.1, parent=FP32), "", id="as fast, within the noise"),
        pytest.param(
            made("s8", 0.20, 0.6, parent=FP32), "slower than fp32 (0.2 > 0.12 ms)", id="smaller but slower"
        ),
        pytest.param(
            made("odd", 0.20, 2.2, parent=FP32),
            "slower than fp32 (0.2 > 0.12 ms), not smaller than fp32 (2.2 ≥ 2.2 MB)",
            id="neither",
        ),
    ],
)
def test_a_step_that_did_not_help_is_remarked_on(candidate: Candidate, remark: str) -> None:
    assert remark_on(candidate) == remark
    verdict = order(Rules(()), [candidate], {}).verdicts[candidate.id]
    assert verdict == (f"ok; {remark}" if remark else "ok")


def test_the_front_is_what_no_other_beats_in_everything() -> None:
    candidates = [
        made("fp32", 0.12, 2.2, accuracy=0.99),
        made("fp16", 0.12, 1.1, accuracy=0.99),
        made("int8", 0.04, 0.6, accuracy=0.98),
        made("bad8", 0.04, 0.6, accuracy=0.97),
    ]
    assert pareto(candidates, (ACCURACY,)) == {"fp16", "int8"}


def test_equal_candidates_are_all_on_the_front() -> None:
    assert pareto([made("a", 0.1, 1.0), made("b", 0.1, 1.0)], ()) == {"a", "b"}

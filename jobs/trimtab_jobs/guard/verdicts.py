"""Limits and measured models to verdicts. Pure.

A `maxDrop` is always judged by a bound; `min` and `max` by the figure itself, or by its bound where the
manifest writes a confidence. The level is (1 - confidence)/k, since k candidates may be tried on test.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]  # ships no types

from trimtab_api.job import GuardrailLimit, Objective
from trimtab_api.metrics import MEASURED
from trimtab_api.report import GuardrailVerdict
from trimtab_jobs.guard.bounds import drop_upper, needed_examples, unseen_share, value_lower, value_upper
from trimtab_jobs.guard.measured import (
    Candidate,
    Quality,
    deciding_target,
    direction_of,
    figure_of,
    known_direction,
    unknown_direction,
)

CONFIDENCE = 0.95
"""Of a maxDrop without one."""
Against = Literal["uncompressed", "baseline"]
References = Mapping[str, Quality]
"""The models that drops are counted from, `uncompressed` and `baseline`, on the candidate's split."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the manifest asks for."""

    limits: tuple[GuardrailLimit, ...]
    objectives: tuple[Objective, ...] = ()


def judge(rules: Rules, candidate: Candidate, references: References, k: int) -> tuple[GuardrailVerdict, ...]:
    """Return the verdict on each limit, for a candidate evaluated on test as one of k."""
    return tuple(_verdict(limit, rules, candidate, references, k) for limit in rules.limits)


def rejection(verdicts: Sequence[GuardrailVerdict]) -> str | None:
    """Return "rejected: …" with every limit that is not met; None when all are."""
    reasons = [verdict.message for verdict in verdicts if not verdict.met and verdict.message]
    return f"rejected: {'; '.join(reasons)}" if reasons else None


def shortfalls(rules: Rules, candidate: Candidate, references: References) -> list[str]:
    """Return why the figures themselves, without any bound, miss limits: how validation sorts out."""
    found = []
    for limit in rules.limits:
        measured = _measured(limit, rules, candidate, references)
        where = f" on {limit.target}" if limit.target else ""
        if not _within(limit, measured):
            sign, bound = _bound_of(limit)
            found.append(f"{_subject(limit, rules)} {measured:.4g} {sign} {bound:g}{where}")
    return found


def check_limits(
    rules: Rules, metrics: Sequence[str], proportions: Sequence[str], examples: int | None, k: int
) -> tuple[str, ...]:
    """Return what makes a limit impossible to judge or to meet, before anything is run.

    `metrics` and `proportions` are the task's (see `describe`); `examples` those of the test split, None when
    not known; `k` how many candidates may be tried.
    """
    problems = []
    for number, limit in enumerate(rules.limits):
        field = f"spec.guardrail[{number}]"
        if limit.metric not in metrics and limit.metric not in MEASURED:
            known = ", ".join([*metrics, *MEASURED])
            problems.append(f"{field}.metric: the task has no metric {limit.metric!r}; it has {known}")
        elif limit.max_drop is not None and known_direction(limit.metric, rules.objectives) is None:
            problems.append(f"{field}.metric: {unknown_direction(limit.metric)}")
        elif limit.metric in proportions and examples is not None:
            shortage = _shortage(limit, examples, k)
            if shortage:
                name = "maxDrop" if limit.max_drop is not None else "min"
                problems.append(f"{field}.{name}: {shortage}")
    return tuple(problems)


def _shortage(limit: GuardrailLimit, examples: int, k: int) -> str | None:
    """What is missing for a share of examples: even without any loss, the bound would miss the limit."""
    if limit.max_drop is not None:
        return _too_few(limit, "maxDrop", limit.max_drop, (examples, k))
    if limit.min is not None and limit.confidence is not None:
        return _too_few(limit, "min", limit.min, (examples, k))
    return None


def _too_few(limit: GuardrailLimit, name: str, value: float, tests: tuple[int, int]) -> str | None:
    examples, k = tests
    confidence = limit.confidence or CONFIDENCE
    needed = needed_examples(value if name == "maxDrop" else 1 - value, confidence, k)
    if needed is None:
        change = "allow more than 0" if name == "maxDrop" else "allow less than 1"
        return f"no number of test examples proves {name} {value:g}; {change}"
    if examples >= needed:
        return None
    tried = f" with {k} candidates to try" if k > 1 else ""
    provable = math.ceil(unseen_share(examples, (1 - confidence) / k) * 10_000) / 10_000
    change = f"raise it to ≥{provable:g}" if name == "maxDrop" else f"lower it to ≤{1 - provable:g}"
    return (
        f"needs ≥{needed} test examples for {name} {value:g} at confidence {confidence:g}{tried}; "
        f"there are {examples}: add examples or {change}"
    )


def _verdict(
    limit: GuardrailLimit, rules: Rules, candidate: Candidate, references: References, k: int
) -> GuardrailVerdict:
    measured = _measured(limit, rules, candidate, references)
    confidence = limit.confidence or (CONFIDENCE if limit.max_drop is not None else None)
    bound = None if confidence is None else _bound(limit, rules, candidate, references, (1 - confidence) / k)
    met = _within(limit, measured if bound is None else bound)
    side = "lower" if limit.min is not None else "upper"
    return GuardrailVerdict(
        metric=limit.metric,
        limit=_limit_of(limit),
        measured=_finite(measured),
        upper=_finite(bound) if side == "upper" else None,
        lower=_finite(bound) if side == "lower" else None,
        n=None if limit.metric in MEASURED else candidate.quality.n,
        met=met,
        against=_against(limit) if limit.max_drop is not None else None,
        confidence=confidence,
        target=limit.target,
        indicative=limit.target is not None and limit.target not in candidate.measured_on,
        message=None if met else f"{_subject(limit, rules)} {_reason(limit, candidate, measured, bound, k)}",
    )


def _reason(limit: GuardrailLimit, candidate: Candidate, measured: float, bound: float | None, k: int) -> str:
    """In the words of a verdict: figure or bound, limit, and what it rests on."""
    sign, allowed = _bound_of(limit)
    where = f" on {limit.target}" if limit.target else ""
    if bound is None:
        return f"{measured:.4g} {sign} {allowed:g}{where}"
    side = "lower" if limit.min is not None else "upper"
    sample = "" if limit.metric in MEASURED else f", n={candidate.quality.n}"
    shown = f"{bound:.4g}" if math.isfinite(bound) else "unknown"
    text = f"{side} bound {shown} {sign} {allowed:g}{where}"
    text = f"{text} (measured {measured:.4g}{sample})"
    units = len(candidate.quality.values.get(limit.metric, ()))
    shortage = _shortage(limit, units, k) if limit.max_drop is not None else None
    return f"{text}; {shortage}" if shortage else text


def _subject(limit: GuardrailLimit, rules: Rules) -> str:
    """What is limited: the metric, or its drop, which of a metric of which less is better is a rise."""
    if limit.max_drop is None:
        return limit.metric
    return f"{limit.metric} {'drop' if _sign(limit, rules) > 0 else 'rise'}"


def _measured(limit: GuardrailLimit, rules: Rules, candidate: Candidate, references: References) -> float:
    """The figure, or the drop from the reference in the direction that is worse."""
    figure = figure_of(candidate, limit.metric, limit.target)
    if limit.max_drop is None:
        return figure
    reference = references[_against(limit)].metrics[limit.metric]
    return (reference - figure) * _sign(limit, rules)


def _bound(
    limit: GuardrailLimit, rules: Rules, candidate: Candidate, references: References, level: float
) -> float:
    """The one-sided bound on the side of the limit."""
    if limit.metric in MEASURED:
        return _efficiency_bound(limit, candidate, level)
    values = candidate.quality.values[limit.metric]
    if limit.max_drop is not None:
        reference = references[_against(limit)].values[limit.metric]
        pair = (reference, values) if _sign(limit, rules) > 0 else (values, reference)
        return drop_upper(*pair, level)
    return value_lower(values, level) if limit.min is not None else value_upper(values, level)


def _efficiency_bound(limit: GuardrailLimit, candidate: Candidate, level: float) -> float:
    """Latency's by its rounds; other figures do not vary from round to round and stand for themselves."""
    target = deciding_target(candidate, limit.metric, limit.target)
    figure = float(candidate.speed[target][limit.metric])
    rounds = np.asarray(candidate.speed[target].get("rounds", ()), dtype=np.float64)
    if limit.metric != "latencyMs" or len(rounds) < 2:
        return figure
    margin = float(stdtrit(len(rounds) - 1, 1 - level) * rounds.std(ddof=1) / math.sqrt(len(rounds)))
    return figure - margin if limit.min is not None else figure + margin


def _within(limit: GuardrailLimit, value: float) -> bool:
    if limit.min is not None:
        return value >= limit.min
    allowed = limit.max_drop if limit.max_drop is not None else limit.max
    return allowed is not None and value <= allowed


def _bound_of(limit: GuardrailLimit) -> tuple[str, float]:
    (name, value), *_ = _limit_of(limit).items()
    return ("<" if name == "min" else ">"), value


def _limit_of(limit: GuardrailLimit) -> dict[Any, float]:
    named = {"maxDrop": limit.max_drop, "min": limit.min, "max": limit.max}
    return {name: value for name, value in named.items() if value is not None}


def _against(limit: GuardrailLimit) -> Against:
    return limit.against or "uncompressed"


def _sign(limit: GuardrailLimit, rules: Rules) -> int:
    return 1 if direction_of(limit.metric, rules.objectives) == "maximize" else -1


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

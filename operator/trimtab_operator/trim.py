"""A status that fits: 32 KiB however much a run has found. What people miss least goes first. Pure.

What the operator itself writes (conditions, runs, cost) is bounded where it is made and never trimmed here,
so that trimming twice is trimming once. Everything left out is in the store's result.json.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trimtab_api.digests import canonical
from trimtab_api.report import Best, Candidate, Final, GuardrailVerdict, Measured
from trimtab_api.status import JobStatus
from trimtab_operator.texts import cut, weight

LARGEST_STATUS = 32 * 1024
"""Bytes of a status in JSON."""
_VERDICT_BYTES = 120
_NAME_BYTES = 64
_VALUE_BYTES = 96
_NAMES = 16
_STEPS = 4
T = TypeVar("T")


def trimmed(status: JobStatus, most_bytes: int = LARGEST_STATUS) -> JobStatus:
    """Return the status within the limit; the whole of it where it fits."""
    for shorten in STEPS:
        if size_of(status) <= most_bytes:
            break
        status = shorten(status)
    return status


def plain_json(status: JobStatus) -> dict[str, Any]:
    """Return a status as the API server keeps it, so that what has not changed does not seem to."""
    content: dict[str, Any] = canonical(status.model_dump(mode="json", by_alias=True, exclude_none=True))
    return content


def size_of(status: JobStatus) -> int:
    """Return the bytes of a status in JSON as the API server writes it."""
    text = json.dumps(plain_json(status), separators=(",", ":"), ensure_ascii=False)
    return len(text.encode(errors="replace")) + 5 * sum(map(text.count, "<>&"))


def _short_verdicts(status: JobStatus) -> JobStatus:
    short = tuple(
        each.model_copy(update={"verdict": cut(each.verdict, _VERDICT_BYTES), "interval": {}})
        for each in status.candidates
    )
    return status.model_copy(update={"candidates": short})


def _bare_front(status: JobStatus) -> JobStatus:
    """The front's trials by number and figures: their parameters are in the record."""
    front = tuple(Best(trial=each.trial, metrics=_few(each.metrics)) for each in status.front)
    return status.model_copy(update={"front": front})


def _few_candidates(count: int) -> Callable[[JobStatus], JobStatus]:
    """Keep the final candidate and the first of the others, with few figures."""

    def shorten(status: JobStatus) -> JobStatus:
        final = status.final.id if status.final else None
        first = [each for each in status.candidates if each.id == final]
        others = [each for each in status.candidates if each.id != final]
        kept = {each.id for each in [*first, *others][:count]}
        few = [_short_candidate(each) for each in status.candidates if each.id in kept][:count]
        return status.model_copy(update={"candidates": tuple(few)})

    return shorten


def _short_candidate(candidate: Candidate) -> Candidate:
    return Candidate(
        id=cut(candidate.id, _NAME_BYTES),
        steps=tuple(cut(step, _NAME_BYTES) for step in candidate.steps[:_STEPS]),
        metrics=_few(candidate.metrics),
        pareto=candidate.pareto,
        verdict=cut(candidate.verdict, _VERDICT_BYTES),
    )


def _few_artifacts(status: JobStatus) -> JobStatus:
    """The models themselves; all other files lie beside them."""
    models = [each for each in status.artifacts if each.opset is not None] or list(status.artifacts)
    short = [each for each in models if weight(each.uri) <= 4 * _VALUE_BYTES]
    return status.model_copy(update={"artifacts": tuple(short[:2])})


def _short_models(status: JobStatus) -> JobStatus:
    """The models everything is compared with, by few figures."""
    return status.model_copy(
        update={
            "baseline": _short_model(status.baseline),
            "uncompressed": _short_model(status.uncompressed),
        }
    )


def _short_model(model: Measured | None) -> Measured | None:
    return model and Measured(id=cut(model.id, _NAME_BYTES), metrics=_few(model.metrics))


def _short_guardrail(status: JobStatus) -> JobStatus:
    return status.model_copy(update={"guardrail": tuple(map(_short_limit, status.guardrail))})


def _short_limit(verdict: GuardrailVerdict) -> GuardrailVerdict:
    texts = {
        name: cut(value, _VERDICT_BYTES)
        for name in ("metric", "slice", "target", "message")
        if (value := getattr(verdict, name)) is not None
    }
    return verdict.model_copy(update=texts)


def _short_best(status: JobStatus) -> JobStatus:
    best = status.best and Best(
        trial=status.best.trial,
        params=_few(status.best.params),
        architecture=_few(status.best.architecture),
        metrics=_few(status.best.metrics),
    )
    return status.model_copy(update={"best": best})


def _short_final(status: JobStatus) -> JobStatus:
    final = status.final and Final(
        id=cut(status.final.id, _NAME_BYTES),
        metrics=_few(status.final.metrics),
        targets={
            name: figures.model_copy(update={"measured_on": cut(figures.measured_on, _NAME_BYTES)})
            for name, figures in status.final.targets.items()
            if weight(name) <= _NAME_BYTES
        },
    )
    return status.model_copy(update={"final": final})


def _few_limits(status: JobStatus) -> JobStatus:
    """The limits that are not held, then some of the others."""
    ranked = sorted(status.guardrail, key=lambda each: each.met)
    return status.model_copy(update={"guardrail": tuple(ranked[:8])})


def _bare_best(status: JobStatus) -> JobStatus:
    best = status.best and Best(trial=status.best.trial, metrics=_few(status.best.metrics))
    return status.model_copy(update={"best": best, "front": (), "artifacts": ()})


def _few(values: Mapping[str, T]) -> dict[str, T]:
    """Return the first few of a mapping: those whose names are not too long, long texts cut."""
    named = [(name, value) for name, value in values.items() if weight(name) <= _NAME_BYTES]
    return {name: _cut_value(value) for name, value in named[:_NAMES]}


def _cut_value(value: Any) -> Any:
    return cut(value, _VALUE_BYTES) if isinstance(value, str) else value


STEPS: tuple[Callable[[JobStatus], JobStatus], ...] = (
    _short_verdicts,
    _bare_front,
    _few_candidates(10),
    _few_artifacts,
    _short_models,
    _few_candidates(4),
    _short_guardrail,
    _short_best,
    _short_final,
    _few_candidates(0),
    _few_limits,
    _bare_best,
)
"""What is left out, one after the other, until the status fits; what a job is judged by stays."""

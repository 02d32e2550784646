"""Which candidates a manifest asks for: number formats, pruned models, and what combines of them. Pure."""

from collections.abc import Sequence
from typing import Final

from trimtab_api.compress import CompressSpec

UNCOMPRESSED: Final = "fp32"
"""Id of the model that every first step is done to."""
PRUNED: Final = "structured"
"""Beginning of the step that removes a share of the channels, as in `structured-0.5`."""


def chosen(compress: CompressSpec) -> tuple[tuple[str, ...], ...]:
    """The steps of each candidate that the manifest asks for, cut to compress.budget.candidates. Pure.

    First every number format of the uncompressed model, since none of them needs training; then ratio by
    ratio the pruned model and its number formats, since one that was paid for is worth completing. All in the
    manifest's order, parents before what is made from them.
    """
    formats = [(step,) for step in compress.quantize]
    combinations: list[tuple[str, ...]] = [*formats]
    structured = compress.prune.structured if compress.prune else None
    for ratio in structured.ratios if structured else ():
        pruned = (f"{PRUNED}-{ratio}",)
        combinations += [pruned, *(pruned + step for step in formats)]
    return tuple(combinations[: compress.budget.candidates])


def pruned_ratio(step: str) -> float | None:
    """The share of channels that a step removes; None for a step that removes none."""
    return float(step.removeprefix(f"{PRUNED}-")) if step.startswith(f"{PRUNED}-") else None


def candidate_id(steps: Sequence[str]) -> str:
    """The id of what these steps make of the uncompressed model."""
    return "+".join(steps)


def parent_of(steps: Sequence[str]) -> str:
    """The id of what the last of the steps is done to."""
    return candidate_id(steps[:-1]) or UNCOMPRESSED

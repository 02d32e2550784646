"""From what Optuna's journal holds back to trials: what a driver finds when it opens a record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from trimtab_jobs.pool import Failure
from trimtab_jobs.search.results import RESULT
from trimtab_jobs.search.samplers import seed_of
from trimtab_jobs.search.trial import Trial, TrialState

# Names of the user attributes under which a trial carries what Optuna has no place for.
FAILURE = "failure"
PROMOTED = "promoted"
"""Epoch up to which the trial was sent on last."""
RETRIES = "retries"
"""Times the trial went on from a rung after its worker or driver was lost."""
RETRY_OF = "retry_of"
DUPLICATE_OF = "duplicate_of"


def trials_of(frozen_trials: Iterable[FrozenTrial], seed: int) -> Iterator[Trial]:
    """The recorded trials, oldest first; one that was run again is "lost", one under way is "running"."""
    frozen_trials = list(frozen_trials)
    run_again = {frozen.user_attrs.get(RETRY_OF) for frozen in frozen_trials}
    indices: dict[int, int] = {}
    drawn = 0
    for frozen in frozen_trials:
        retry_of = frozen.user_attrs.get(RETRY_OF)
        indices[frozen.number] = drawn if retry_of is None else indices[retry_of]
        drawn += retry_of is None
        trial = _trial_of(frozen, indices[frozen.number], seed)
        yield replace(trial, state="lost") if frozen.number in run_again else trial


def result_attribute(trial: Trial) -> dict[str, Any]:
    """What RESULT holds."""
    return {
        "metrics": dict(trial.metrics),
        "epoch": trial.epoch,
        "checkpoint": trial.checkpoint,
        "seconds": trial.seconds,
    }


def failure_attribute(failure: Failure) -> dict[str, str]:
    """What FAILURE holds."""
    return asdict(failure)


def _trial_of(frozen: FrozenTrial, index: int, seed: int) -> Trial:
    attributes = frozen.user_attrs
    failure = attributes.get(FAILURE)
    return Trial(
        number=frozen.number,
        index=index,
        params=frozen.params,
        seed=seed_of(seed, "trial", index),
        state=_state_of(frozen.state, attributes),
        failure=None if failure is None else Failure(**failure),
        retry_of=attributes.get(RETRY_OF),
        duplicate_of=attributes.get(DUPLICATE_OF),
        **attributes.get(RESULT, {}),
    )


def _state_of(state: OptunaState, attributes: Mapping[str, Any]) -> TrialState:
    if DUPLICATE_OF in attributes:
        return "duplicate"
    if state == OptunaState.COMPLETE:
        return "completed"
    if state == OptunaState.PRUNED:
        return "pruned"
    if state == OptunaState.FAIL:
        return "failed"
    reached = attributes.get(RESULT, {}).get("epoch", 0)
    return "paused" if reached >= attributes.get(PROMOTED, 1) else "running"

"""A first look at the splits: a run needs validation and test, and would miss the second only at its end."""

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.asking import asked_first
from trimtab_jobs.tasks.base import Task


def check_splits(task: Task) -> None:
    """Return once `evaluate` has come as far as asking a model on each split; CodeError says which one fails.

    No model is asked, so nothing of the test split is seen.
    """
    for split in ("validation", "test"):
        try:
            asked_first(task.evaluate, split)
        except CodeError:
            raise
        except Exception as error:  # whatever user code raises for a split that it does not know
            raise CodeError(
                f"evaluate(predict, {split!r}) raised {type(error).__name__}: {error}; "
                "it must return rows of the splits 'validation' and 'test'"
            ) from error

"""A first look at the network, before anything is trained: built once, and asked for a few examples."""

from typing import Any

from trimtab_jobs.pool.session import Session
from trimtab_jobs.tasks.base import Task
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.trial import build_model


def rehearse(session: Session, *, params: dict[str, Any]) -> None:
    """Return once the network for `params` was built and has answered a few examples of the task.

    Raises what the user's code raises: a misspelt parameter, layers that do not fit each other or the data.
    """
    task: Task = session.task()
    task.rehearse(predict_with(build_model(task, params, seed=0, weights=None)))

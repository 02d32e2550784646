"""A first look at the model, before anything is trained: made once, and asked for a few examples."""

from typing import Any

from trimtab_jobs.pool.session import Session, resolve
from trimtab_jobs.tasks.base import Task
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.trial import GIVEN_ONNX, ONNX_MODEL, first_model, kind_of


def rehearse(session: Session, *, params: dict[str, Any]) -> None:
    """Return once the model for `params` has answered a few examples of the task.

    Raises what the user's code raises: a misspelt parameter, layers that do not fit each other or the data.
    Of an objective nothing is tried: its only function is the whole training.
    """
    task: Task = session.task()
    kind = kind_of(session)
    if kind == "module":
        task.rehearse(predict_with(first_model(session, params, seed=0)[0]))
    elif kind == "given":
        task.rehearse(resolve(ONNX_MODEL)(resolve(GIVEN_ONNX)(session)).predict)

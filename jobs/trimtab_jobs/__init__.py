"""The driver and its workers: search, compression, export, measurement and the guardrail.

`from trimtab_jobs import SupervisedTask` is what a user writes. Names are resolved on first use (PEP 562), so
that importing the package loads neither torch nor ray.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab_jobs.tasks.base import Task
    from trimtab_jobs.tasks.metrics import Mean, micro_f1, rmse
    from trimtab_jobs.tasks.paths import data_path
    from trimtab_jobs.tasks.supervised import SupervisedTask

__all__ = ["Mean", "SupervisedTask", "Task", "data_path", "micro_f1", "rmse"]

_HOME = {
    "Mean": "trimtab_jobs.tasks.metrics",
    "SupervisedTask": "trimtab_jobs.tasks.supervised",
    "Task": "trimtab_jobs.tasks.base",
    "data_path": "trimtab_jobs.tasks.paths",
    "micro_f1": "trimtab_jobs.tasks.metrics",
    "rmse": "trimtab_jobs.tasks.metrics",
}


def __getattr__(name: str) -> Any:
    """The user-facing name, from where it is defined."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)

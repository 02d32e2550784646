"""The driver and its workers: search, compression, export, measurement and the guardrail.

`from trimtab_jobs import SupervisedTask` is what a user writes. Names are resolved on first use (PEP 562), so
that importing the package loads neither torch nor ray.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab_jobs.tasks.base import Task
    from trimtab_jobs.tasks.supervised import SupervisedTask

__all__ = ["SupervisedTask", "Task"]

_HOME = {
    "SupervisedTask": "trimtab_jobs.tasks.supervised",
    "Task": "trimtab_jobs.tasks.base",
}


def __getattr__(name: str) -> Any:
    """The user-facing class of that name."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)

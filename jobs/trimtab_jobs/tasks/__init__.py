"""What a user's code is (`Task`, `SupervisedTask`), how it is found, and how a trial of it runs.

The tasks that need no code, `trimtab_jobs.tasks:TabularTask` and `trimtab_jobs.tasks:ImageFolderTask`, are
resolved on first use (PEP 562), so that importing the package loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab_jobs.tasks.image_folder import ImageFolderTask
    from trimtab_jobs.tasks.tabular import TabularTask

__all__ = ["ImageFolderTask", "TabularTask"]

_HOME = {
    "ImageFolderTask": "trimtab_jobs.tasks.image_folder",
    "TabularTask": "trimtab_jobs.tasks.tabular",
}


def __getattr__(name: str) -> Any:
    """The built-in task of that name."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """The tasks, for messages about a name that is not there."""
    return sorted([*globals(), *_HOME])

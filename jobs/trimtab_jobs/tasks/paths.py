"""Where the manifest's data lie, for code that reads them while it is imported."""

from collections.abc import Mapping

from trimtab_jobs.pool.errors import CodeError

_PATHS: dict[str, str] = {}
"""Of the task that this process has loaded."""


def data_path(name: str) -> str:
    """Return the local path of an entry of the manifest's `task.data`; CodeError names those there are."""
    if name not in _PATHS:
        raise CodeError(f"spec.task.data: there is no data {name!r}; there is {', '.join(_PATHS) or 'none'}")
    return _PATHS[name]


def set_paths(paths: Mapping[str, str]) -> None:
    """Make these the data of this process: before its task is imported."""
    _PATHS.clear()
    _PATHS.update(paths)

"""What the works of a run have printed, by name: a trial's number, a candidate's id, or task."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trimtab_jobs.store import Store
from trimtab_jobs.store.reading import get_all

FOLDER = "logs"
_TRIAL = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Log:
    """A log and the objects it lies in: a trial that was promoted has one for each rung."""

    name: str
    keys: tuple[str, ...] = ()

    @property
    def trial(self) -> int | None:
        """The trial's number; None for what is no trial's."""
        return int(self.name) if self.name.isdecimal() else None


def logs_of(keys: Iterable[str], trials: Iterable[int] = ()) -> dict[str, Log]:
    """The logs among the keys of a store by name: the task's, then trials by number, then all others.

    `trials` are there whether or not they have printed anything.
    """
    found: dict[str, list[tuple[int, str]]] = {str(number): [] for number in trials}
    for key in keys:
        if key.startswith(f"{FOLDER}/") and key.endswith(".log"):
            name, piece = _named(key.removeprefix(f"{FOLDER}/").removesuffix(".log"))
            found.setdefault(name, []).append((piece, key))
    logs = (Log(name, tuple(key for _, key in sorted(found[name]))) for name in found)
    return {log.name: log for log in sorted(logs, key=_order)}


def bodies(store: Store, logs: Iterable[Log]) -> Mapping[str, bytes]:
    """What each log holds, by its name."""
    listed = list(logs)
    keys = [key for log in listed for key in log.keys]
    found = dict(zip(keys, get_all(store, keys), strict=True))
    return {log.name: b"".join(found[key] or b"" for key in log.keys) for log in listed}


def pieces(store: Store, log: Log) -> dict[str, bytes]:
    """What each object of a log holds; those that are gone by now are left out."""
    found = zip(log.keys, get_all(store, log.keys), strict=True)
    return {key: body for key, body in found if body is not None}


def _named(stem: str) -> tuple[str, int]:
    """The log's name and the piece of it: `12-9` is trial 12 on its way to epoch 9."""
    trial = _TRIAL.fullmatch(stem)
    return (trial[1], int(trial[2] or 0)) if trial else (stem, 0)


def _order(log: Log) -> tuple[bool, bool, int, str]:
    return log.name != "task", log.trial is None, log.trial or 0, log.name

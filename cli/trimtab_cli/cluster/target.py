"""What a person named: a job on the cluster, or a run in a store. Pure but for a look at a local folder.

digits, optjob/digits       a job on the cluster, unless a folder of that name holds a run
out/digits, ./digits, .     a folder
s3://models/digits          a store
"""

import re
from pathlib import Path

import click

from trimtab_api.fields import LABEL

KINDS = frozenset(
    form
    for kind in ("optimizationjob", "optimizationjobs")
    for form in ("optjob", kind, f"{kind}.trimtab.io")
)
"""What may stand before a job's name, as kubectl takes and prints it."""
_RUN_FILES = ("plan.json", "result.json")


def job_called(what: str, is_on_cluster: bool = False) -> str | None:
    """The name of the job that is meant; None where a store is meant.

    `is_on_cluster`: an option of the command line, such as -n, says that it is one of the cluster. UsageError
    when it cannot be one.
    """
    kind, slash, name = what.partition("/")
    if slash and kind.lower() in KINDS and "/" not in name:
        return job_name(name)
    if is_on_cluster:
        return job_name(what)
    if not re.fullmatch(LABEL, what) or holds_run(Path(what)):
        return None
    return what


def job_name(text: str) -> str:
    """The text as the name of a job; UsageError when no job can have it."""
    kind, slash, name = text.partition("/")
    found = name if slash and kind.lower() in KINDS else text
    if not re.fullmatch(LABEL, found):
        raise click.UsageError(
            f"{text!r} is not the name of a job: lower-case letters, digits and '-', such as digits-2"
        )
    return found


def holds_run(folder: Path) -> bool:
    """Whether a run is kept in a local folder."""
    return any((folder / name).is_file() for name in _RUN_FILES)

"""A run that is read from its store, by the commands that look at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trimtab_jobs.store import Store


class NoRunError(click.ClickException):
    """There is no run to look at, or it cannot be read."""

    exit_code = 2


class NoLogError(NoRunError):
    """There is no such log."""


@contextmanager
def opened(output: str) -> Iterator["Store"]:
    """The store of a run, for reading; NoRunError when it or what the block reads of it cannot be read.

    UsageError when a package is not installed that the block needs.
    """
    from trimtab_jobs.errors import RefusedError
    from trimtab_jobs.store import StoreError, open_store

    if "://" not in output and not Path(output).is_dir():
        raise NoRunError(f"{output}: there is no such folder; give the folder or URI of a run's --output")
    try:
        yield open_store(output)
    except (RefusedError, StoreError) as error:
        raise NoRunError(str(error)) from None
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trimtab"):
            raise
        raise click.UsageError(
            f"reading a run needs {error.name}, which comes with: pip install 'trimtab[jobs]'"
        ) from None

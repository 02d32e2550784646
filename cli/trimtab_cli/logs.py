"""`trimtab logs`: what the workers of a run have printed."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from trimtab_cli.cluster.options import Access, access_options
from trimtab_cli.options import Complete, target_argument
from trimtab_cli.options import logs as log_names
from trimtab_cli.stored import NoLogError, opened

if TYPE_CHECKING:
    from trimtab_jobs.logs import Log
    from trimtab_jobs.search import Trial
    from trimtab_jobs.store import Store

SECONDS_BETWEEN_LOOKS = 2.0
"""Between two looks of --follow: a store does not say when something is added, and a look costs requests."""
UNDER_WAY = ("running", "paused")
"""States of a trial that may still print."""


@click.command(short_help="Show what a job or a run has printed.")
@target_argument
@click.argument("name", metavar="[NAME]", required=False, type=Complete(log_names))
@click.option(
    "--trial", type=click.IntRange(min=0), metavar="N", help="The log of a trial: its number as NAME."
)
@click.option("--driver", is_flag=True, help="Of a JOB: what its driver prints, as driver for NAME.")
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with what is printed until it or the run has ended."
)
@click.option(
    "--tail", type=click.IntRange(min=0), metavar="LINES", help="Only so many last lines.  [default: all]"
)
@access_options
def logs(  # noqa: PLR0913  one parameter for each option
    target: str,
    name: str | None,
    trial: int | None,
    driver: bool,
    follow: bool,
    tail: int | None,
    access: Access,
) -> None:
    """Show what was printed in a JOB of a cluster, or in the run that is kept in OUTPUT (a folder or URI).

    NAME is a trial's number, a candidate's id such as int8, or task for the first look at the task. Without
    NAME the logs are listed: name, state, bytes. What is printed reaches OUTPUT some seconds later; of one
    trial or stage at most 256 KiB are kept, the first and the last half.

    Of a JOB, without NAME, the driver's log is shown while its pod is there. All others are read from the
    job's store, also when the cluster is gone, with the credentials of this machine's environment.
    """
    from trimtab_cli.cluster.target import job_called

    log = the_name(name, trial, driver)
    job = job_called(target, access.is_given or driver)
    if job is not None:
        from trimtab_cli.cluster.logs import job_logs

        for text in job_logs(job, access, log, tail, follow):
            click.echo(text, nl=False)
        return
    if log is None and (follow or tail is not None):
        raise click.UsageError("--follow and --tail need the NAME of a log: trimtab logs OUTPUT lists them")
    with opened(target) as store:
        if log is None:
            for line in listing(store):
                click.echo(line)
        elif follow:
            for text in followed(store, log, tail, lambda: time.sleep(SECONDS_BETWEEN_LOOKS)):
                click.echo(text, nl=False)
        else:
            click.echo(last_lines(whole(store, log), tail), nl=False)


def the_name(name: str | None, trial: int | None, driver: bool) -> str | None:
    """The name of the log that is meant; UsageError when two are."""
    meant = [
        each for each in (name, None if trial is None else str(trial), "driver" if driver else None) if each
    ]
    if len(meant) > 1:
        raise click.UsageError("give one of NAME, --trial and --driver")
    return meant[0] if meant else None


def listing(store: "Store") -> list[str]:
    """A line for each log, and for each trial whether or not it has printed anything."""
    from trimtab_cli.summary import aligned
    from trimtab_jobs.logs import FOLDER, bodies, logs_of

    trials = {str(trial.number): trial for trial in trials_of(store)}
    found = logs_of(store.list(FOLDER), [trial.number for trial in trials.values()])
    held = bodies(store, found.values())
    rows = [
        [name, trials[name].state if name in trials else "", f"{len(body):,}"] for name, body in held.items()
    ]
    return aligned([["NAME", "STATE", "BYTES"], *rows], left={0, 1}) if rows else ["nothing was printed yet"]


def whole(store: "Store", name: str) -> str:
    """All that a log holds; NoLogError with what there is when there is no such log."""
    log = found_log(store, name)
    if log is None:
        raise NoLogError(unknown(store, name))
    from trimtab_jobs.logs import bodies

    return bodies(store, [log])[name].decode(errors="replace")


def followed(store: "Store", name: str, tail: int | None, wait: Callable[[], None]) -> Iterator[str]:
    """What is in a log and then what is added to it, until the trial or the run has ended.

    NoLogError when there is no such log and none can come any more.
    """
    from trimtab_jobs.logs import pieces

    seen: dict[str, bytes] = {}
    is_first = True
    while True:
        is_over = ended(store, name)  # asked first: what was printed before that is read below
        log = found_log(store, name)
        if log is None and is_over:
            raise NoLogError(unknown(store, name))
        now = pieces(store, log) if log else {}
        text = added(seen, now).decode(errors="replace")
        if text:
            yield last_lines(text, tail) if is_first else text
            is_first = False
        seen = {**seen, **now}
        if is_over:
            return
        wait()


def added(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> bytes:
    """What is new in the objects of a log; one that begins otherwise than before is new as a whole."""
    return b"".join(
        body[len(known) :] if body.startswith(known := before.get(key, b"")) else body
        for key, body in now.items()
    )


def last_lines(text: str, count: int | None) -> str:
    """The last lines of a text, all of them without a count."""
    if count is None:
        return text
    return "".join(text.splitlines(keepends=True)[-count:]) if count else ""


def found_log(store: "Store", name: str) -> "Log | None":
    """The log of that name, if anything was printed there."""
    from trimtab_jobs.logs import FOLDER, logs_of

    return logs_of(store.list(FOLDER)).get(name)


def ended(store: "Store", name: str) -> bool:
    """Whether nothing more can come into a log: its trial has ended, or the run has."""
    from trimtab_cli.progress import ACTIVE
    from trimtab_jobs.ownership import PLAN_KEY, RESULT_KEY
    from trimtab_jobs.reports import report_of

    keys = store.list()
    if RESULT_KEY not in keys:
        return PLAN_KEY not in keys
    if report_of(store).phase not in (*ACTIVE, "Pending"):
        return True
    if not name.isdecimal():
        return False  # no trial: the record has nothing to say of it
    trial = next((trial for trial in trials_of(store) if str(trial.number) == name), None)
    return trial is not None and trial.state not in UNDER_WAY


def trials_of(store: "Store") -> "tuple[Trial, ...]":
    """The trials of a run as recorded by now."""
    from trimtab_jobs.search import recorded_trials
    from trimtab_jobs.store import recorded

    return recorded_trials(recorded(store), 0)


def unknown(store: "Store", name: str) -> str:
    """Why there is no log of that name, and which there are."""
    from trimtab_jobs.logs import FOLDER, logs_of

    if any(str(trial.number) == name for trial in trials_of(store)):
        return f"trial {name} has printed nothing"
    names = ", ".join(logs_of(store.list(FOLDER))) or "none"
    return f"{name}: there is no such log; there are: {names}"

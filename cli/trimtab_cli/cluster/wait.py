"""`trimtab wait`: until a job has ended, or a condition holds; how that went is the exit code."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.options import Access, access_options, all_option, jobs_argument, named

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs

Document = dict[str, Any]
_CONDITION = re.compile(r"condition=([A-Za-z]+)(?:=(True|False|Unknown))?", re.IGNORECASE)
_TIME = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True)
class Goal:
    """What is waited for."""

    text: str = "finished"
    condition: str = ""
    """Condition that has to hold; empty: the job's end."""
    status: str = "True"


class GoalParam(click.ParamType[Goal]):
    """What --for takes."""

    name = "goal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Goal:
        """The goal that a text names."""
        if isinstance(value, Goal) or value in ("finished", "succeeded"):
            return value if isinstance(value, Goal) else Goal(value)
        found = _CONDITION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r}: write finished, succeeded, or condition=NAME or condition=NAME=False")
        return Goal(str(value), found[1], (found[2] or "True").title())


class TimeParam(click.ParamType[float]):
    """A span of time, in seconds or as Kubernetes writes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        text = str(value)
        if re.fullmatch(r"\d+", text):
            return float(text)
        if not _TIME.fullmatch(text):
            self.fail(f"{value!r} is no span of time: write 90s, 30m or 1h30m")
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


@click.command(short_help="Wait until jobs have ended.")
@jobs_argument
@click.option(
    "--for",
    "goal",
    type=GoalParam(),
    default="finished",
    show_default=True,
    metavar="GOAL",
    help="finished: the job's end, however it ends. succeeded: a published model. condition=NAME or "
    "condition=NAME=False: that condition of the status.",
)
@click.option("--timeout", type=TimeParam(), metavar="TIME", help="At most so long, such as 90s or 8h.")
@all_option
@access_options
@click.pass_context
def wait(  # noqa: PLR0913  one parameter for each option
    ctx: click.Context,
    names: tuple[str, ...],
    goal: Goal,
    timeout: float | None,
    every: bool,
    access: Access,
) -> None:
    """Wait for each JOB, and return how it went as the exit code.

    \b
    finished    0 done, 1 failed, 3 guardrail not met, 4 budget reached with a valid best
    succeeded   0 a model is published, 1 or 3 as soon as the job has failed
    condition   0 it holds, 1 or 3 as soon as the job has ended without it

    5 is the cluster's: the time is up, the job was deleted, the API server refuses or stays away. Of several
    jobs the gravest code counts. A job that is suspended is waited for.
    """
    ctx.exit(wait_for(named(names, every), access, goal, timeout))


def wait_for(
    names: tuple[str, ...],
    access: Access,
    goal: Goal = Goal(),
    timeout: float | None = None,
    err: bool = False,
) -> int:
    """The exit code of having waited for jobs, all of the namespace where none is named.

    `err` leaves standard output to another answer.
    """
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.words import worst

    deadline = None if timeout is None else time.monotonic() + timeout
    with connect(access) as api:
        jobs = Jobs(api)
        waits = [partial(_waited, jobs, name, goal, deadline) for name in names or jobs.names()]
        return worst([_told(each, err) for each in waits])


def _told(wait: Callable[[], tuple[int, str]], err: bool) -> int:
    """The code, or that of the error, which is told and ends nothing: the next job is waited for as well."""
    try:
        code, sentence = wait()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    click.echo(sentence, err=err or code != 0)
    return code


def _waited(jobs: "Jobs", name: str, goal: Goal, deadline: float | None) -> tuple[int, str]:
    """Exit code and sentence of a job that was waited for."""
    from trimtab_cli.cluster.following import Clock, TimeUpError, states

    last: Document = {}
    try:
        for last in states(jobs, name, Clock(lambda text: click.echo(text, err=True)), deadline):
            verdict = reached(last, goal)
            if verdict is not None:
                return verdict
    except TimeUpError:
        raise TimeUpError(f"{name}: the time is up, and it is {_phase(last)}") from None
    raise AssertionError("a job's states have no end")


def _phase(job: Document) -> str:
    from trimtab_operator.manifests import text_at

    return text_at(job, "status", "phase") or "Pending"


def reached(job: Document, goal: Goal) -> tuple[int, str] | None:
    """Exit code and sentence once a goal is reached or out of reach; None while it is waited for. Pure."""
    from trimtab_cli.cluster import reading, words
    from trimtab_operator.manifests import text_at

    name = reading.name_of(job)
    if goal.condition:
        found = reading.condition(job, goal.condition)
        if text_at(found, "status") == goal.status and reading.is_seen(job):
            return 0, f"{name}: {goal.condition} is {goal.status}"
    if not reading.has_ended(job):
        return None
    code, title = int(words.exit_code(job)), words.title(job)[0]
    if goal.condition:
        return code if code in (1, 3) else 1, f"{name}: {title}, and {goal.condition} is not {goal.status}"
    if goal.text == "succeeded" and code == 4:
        code = 0
    message = text_at(job, "status", "message")
    return code, f"{name}: {title}" + (f": {message}" if code and message else "")

"""Progress for programs: one JSON object a line (`trimtab run --progress json`).

The classes are the reference: docs/reference/progress-events.schema.json is generated from them. Fields are
only ever added; `schemaVersion` would change with anything else.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from trimtab_api.model import Model
from trimtab_api.report import Best, Candidate, Metrics, Params, Phase, Report, TrialCounts
from trimtab_cli.progress import ACTIVE


class Event(Model):
    """What all events have."""

    schema_version: Literal[1] = 1
    """Version of these shapes."""
    time: AwareDatetime
    """When it was written, in UTC."""


class StartEvent(Event):
    """The run begins: always the first line."""

    event: Literal["start"] = "start"
    """start"""
    name: str
    """Name of the job."""
    output: str
    """Folder or URI where everything is kept."""
    plan_digest: str
    """SHA-256 of the plan that is carried out."""


class NoteEvent(Event):
    """One sentence for a person, such as why a trial failed."""

    event: Literal["note"] = "note"
    """note"""
    message: str
    """The sentence."""


class StageEvent(Event):
    """Another phase or stage has begun."""

    event: Literal["stage"] = "stage"
    """stage"""
    phase: Phase
    """Starting, Searching, Compressing or Verifying."""
    stage: str
    """The stage within the phase."""


class TrialEvent(Event):
    """A trial has a result: at its end, or on a rung where it waits for the pruner's word."""

    event: Literal["trial"] = "trial"
    """trial"""
    number: int
    """Number of the trial, as in the names of logs; 0 is the baseline."""
    state: Literal["paused", "completed", "failed"]
    """paused: it waits on a rung, and may go on from there or be pruned."""
    params: Params
    """Parameters it drew."""
    metrics: Metrics
    """Figures on validation."""
    epoch: int
    """Epochs it has trained."""
    seconds: float
    """Time on workers that led to the result."""
    error: str | None = None
    """Why it failed, in one line."""


class ProgressEvent(Event):
    """Where the search stands, after every change."""

    event: Literal["progress"] = "progress"
    """progress"""
    trials: TrialCounts
    """Trials by how they ended."""
    best: Best | None = None
    """The trial that leads by the first objective."""
    seconds_left: float | None = None
    """Estimate of the time to the end of the search."""


class CandidateEvent(Event):
    """A model was measured, or judged anew."""

    event: Literal["candidate"] = "candidate"
    """candidate"""
    candidate: Candidate
    """The candidate, as in result.json."""


class FinalEvent(Event):
    """The run has ended. A run that could not start or go on has none: standard error says why."""

    event: Literal["final"] = "final"
    """final"""
    exit_code: int
    """Exit code of the command."""
    title: str
    """The outcome in a few words."""
    report: Report
    """The whole report, as in result.json."""


AnyEvent = Annotated[
    StartEvent | NoteEvent | StageEvent | TrialEvent | ProgressEvent | CandidateEvent | FinalEvent,
    Field(discriminator="event"),
]
Change = NoteEvent | StageEvent | ProgressEvent | CandidateEvent


def between(before: Report | None, now: Report, time: datetime) -> Iterator[Change]:
    """What has changed from one report to the next; how a run ended is the last event's to say."""
    if now.phase not in ACTIVE:
        return
    if before is None or (before.phase, before.stage) != (now.phase, now.stage):
        yield StageEvent(time=time, phase=now.phase, stage=now.stage)
    if now.message and (before is None or before.message != now.message):
        yield NoteEvent(time=time, message=now.message)
    known = before.candidates if before else ()
    yield from (CandidateEvent(time=time, candidate=each) for each in now.candidates if each not in known)
    if now.trials.total and (before is None or (before.trials, before.best) != (now.trials, now.best)):
        yield ProgressEvent(time=time, trials=now.trials, best=now.best, seconds_left=now.seconds_left)


def line(event: Event) -> str:
    """The event as one line of JSON."""
    return event.model_dump_json(by_alias=True, exclude_none=True)


def schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    adapter: TypeAdapter[Any] = TypeAdapter(AnyEvent)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | adapter.json_schema(by_alias=True)

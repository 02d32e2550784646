"""Candidates: the models made from the search's winner, each an ONNX file in the store.

What a stage made is remembered beside it under a digest of the stage, its configuration and its input, so
that a driver that goes on after another makes nothing twice.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab_api.plan import Plan
from trimtab_jobs.errors import JobError
from trimtab_jobs.gather import gather
from trimtab_jobs.pool import Failure, TrialPool, Work
from trimtab_jobs.search import SearchOutcome
from trimtab_jobs.serving import Served, Tensor
from trimtab_jobs.stages import STAGES
from trimtab_jobs.store import MissingError, Store

BASELINE, UNCOMPRESSED = "baseline", "fp32"
EXPORT = "trimtab_jobs.stages.export_onnx:export"
INTERFACE = "trimtab_jobs.measure.interface:interface"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is made: a stage, what it is given, and the content that goes into it."""

    id: str
    function: str
    payload: Mapping[str, Any]
    steps: tuple[str, ...] = ()
    source: str = ""
    """Digest of the input: the parent's sha256, or the trial and the code it came from."""

    @property
    def digest(self) -> str:
        """The same for the same stage, configuration and input."""
        parts = [self.function, dict(self.payload), self.source]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Made:
    """A model that was made, or why it was not."""

    id: str
    steps: tuple[str, ...] = ()
    sha256: str = ""
    bytes: int = 0
    opset: int = 0
    nothing: bool = False
    """Whether the stage found nothing that it could change."""
    parity: Mapping[str, float] = field(default_factory=dict)
    """How the outputs differ from the parent's, for what was made from one."""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where models are made: the store they lie in, the workers, and a way to be stopped."""

    store: Store
    pool: TrialPool
    should_stop: Callable[[], bool]
    fence: Callable[[], None]
    """Called before anything is written; FencedError when another driver has taken over."""
    pools: Mapping[str, str] = field(default_factory=dict)
    """By target the node pool of the group of workers that stands for it; absent: it is measured here."""

    def make(self, recipes: Sequence[Recipe]) -> tuple[Made, ...]:
        """Every recipe's model, in order; those the store has already are not made again."""
        kept = {recipe.id: self._kept(recipe) for recipe in recipes}
        missing = [recipe for recipe in recipes if kept[recipe.id] is None]
        works = [
            Work(recipe.id, recipe.function, recipe.payload, log=f"logs/{recipe.id}.log")
            for recipe in missing
        ]
        ended = gather(self.pool, works, self.should_stop)
        self.fence()
        for recipe in missing:
            done = ended[recipe.id]
            if done.failure is not None:
                kept[recipe.id] = Made(recipe.id, recipe.steps, failure=done.failure)
                continue
            note = {"digest": recipe.digest, "made": done.value}
            self.store.put(_note_key(recipe.id), json.dumps(note, indent=1).encode())
            kept[recipe.id] = _made(recipe, done.value)
        return tuple(made for made in kept.values() if made is not None)

    def served(self, made: Made, threads: int) -> Served:
        """What the serving tree is made of, for one of the models, served with so many threads."""
        work = Work("interface", INTERFACE, {"candidate": made.id})
        done = gather(self.pool, [work], self.should_stop)["interface"]
        if done.failure is not None:
            raise JobError.of(f"reading the interface of {made.id}", done.failure)
        inputs, outputs = (
            tuple(Tensor(each["name"], each["dtype"], tuple(each["shape"])) for each in done.value[role])
            for role in ("inputs", "outputs")
        )
        return Served(self.store.get(f"candidates/{made.id}/model.onnx"), inputs, outputs, threads)

    def _kept(self, recipe: Recipe) -> Made | None:
        try:
            note = json.loads(self.store.get(_note_key(recipe.id)))
        except MissingError:
            return None
        return _made(recipe, note["made"]) if note["digest"] == recipe.digest else None


def _note_key(candidate: str) -> str:
    return f"candidates/{candidate}/made.json"


def _made(recipe: Recipe, value: Mapping[str, Any]) -> Made:
    changed = value.get("changed", {})
    return Made(
        id=recipe.id,
        steps=recipe.steps,
        sha256=value["sha256"],
        bytes=value["bytes"],
        opset=value["opset"],
        nothing=bool(changed.get("nothing", False)),
        parity=value["parity"] if recipe.steps else {},
    )


def export_recipes(plan: Plan, found: SearchOutcome, code_sha256: str) -> list[Recipe]:
    """The fp32 models of the baseline and of the search's winner, which have both completed."""
    return [
        Recipe(
            id=candidate,
            function=EXPORT,
            payload={
                "candidate": candidate,
                "params": dict(trial.params),
                "checkpoint": trial.checkpoint,
                "seed": trial.seed,
                "opset": plan.spec.export.opset,
                "batch": plan.spec.export.batch,
            },
            source=f"{code_sha256}/{plan.identity}/{trial.index}",
        )
        for candidate, trial in ((BASELINE, found.baseline), (UNCOMPRESSED, found.best))
        if trial is not None
    ]


def compress_recipes(plan: Plan, uncompressed: Made) -> list[Recipe]:
    """One recipe for each number format of the manifest, at most compress.budget.candidates of them."""
    compress = plan.spec.compress
    if compress is None:
        return []
    return [
        Recipe(
            id=step,
            function=STAGES[step],
            payload={
                "candidate": step,
                "parent": UNCOMPRESSED,
                "config": compress.calibration.model_dump(mode="json", by_alias=True)
                if step == "int8"
                else {},
            },
            steps=(step,),
            source=uncompressed.sha256,
        )
        for step in compress.quantize[: compress.budget.candidates]
    ]

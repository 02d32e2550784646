"""Candidates: the models made from the search's winner, each an ONNX file in the store.

What a stage made is remembered beside it under a digest of the stage, its configuration and its input, so
that a driver that goes on after another makes nothing twice.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trimtab_api.combinations import PRUNED, UNCOMPRESSED, candidate_id, chosen, parent_of, pruned_ratio
from trimtab_api.plan import Plan
from trimtab_jobs.errors import JobError
from trimtab_jobs.gather import gather
from trimtab_jobs.pool import Failure, TrialPool, Work
from trimtab_jobs.search import SearchOutcome, Trial
from trimtab_jobs.serving import Served, Tensor
from trimtab_jobs.stages import STAGES
from trimtab_jobs.store import MissingError, Store

BASELINE = "baseline"
Kind = Literal["module", "objective", "given"]
"""What a task's trials give: a network, a function's figures and ONNX file, or the model that was given."""
EXPORTS: Mapping[Kind, str] = {
    "module": "trimtab_jobs.stages.export_onnx:export",
    "objective": "trimtab_jobs.stages.import_onnx:bring",
    "given": "trimtab_jobs.stages.import_onnx:bring",
}
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
    remark: str = ""
    """What a person should know of how it was made."""
    parity: Mapping[str, float] = field(default_factory=dict)
    """How the outputs differ from the parent's, for what was made from one."""
    failure: Failure | None = None

    @property
    def parent(self) -> str:
        """Id of the model that its last step was done to."""
        return parent_of(self.steps)


@dataclass(frozen=True, slots=True)
class Material:
    """What models are made from."""

    plan: Plan
    found: SearchOutcome
    code_sha256: str = ""
    kind: Kind = "module"

    def source(self, trial: Trial) -> str:
        """What a trial's model is known by: the code, the plan and the trial that it came from."""
        return f"{self.code_sha256}/{self.plan.identity}/{trial.index}"


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
        model = self.store.get(f"candidates/{made.id}/model.onnx")
        return Served(model, inputs, outputs, threads, done.value["preprocessing"])

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
        remark=changed.get("remark", ""),
        parity=value["parity"] if recipe.steps else {},
    )


def export_recipes(material: Material) -> list[Recipe]:
    """The fp32 models of the baseline and of the search's winner, which have both completed."""
    trials = ((BASELINE, material.found.baseline), (UNCOMPRESSED, material.found.best))
    return [
        Recipe(
            id=candidate,
            function=EXPORTS[material.kind],
            payload={"candidate": candidate} | _export_payload(material, trial),
            source=material.source(trial),
        )
        for candidate, trial in trials
        if trial is not None
    ]


def make_references(workshop: Workshop, material: Material) -> tuple[Made, ...]:
    """The fp32 models of the baseline and of the search's winner; JobError when one cannot be exported."""
    exported = workshop.make(export_recipes(material))
    for made in exported:
        if made.failure:
            raise JobError.of(f"exporting {made.id}", made.failure)
    return exported


def make_candidates(workshop: Workshop, material: Material, uncompressed: Made) -> tuple[Made, ...]:
    """Every candidate of `chosen`, in its order; made in levels, so that parents are there first.

    What cannot be made is failed, and so is all that would be made from it.
    """
    compress = material.plan.spec.compress
    combinations = chosen(compress) if compress else ()
    made = {UNCOMPRESSED: uncompressed}
    for level in sorted({len(steps) for steps in combinations}):
        here = [steps for steps in combinations if len(steps) == level]
        failures = {steps: _failed_before(made[parent_of(steps)]) for steps in here}
        recipes = [_recipe(material, steps, made) for steps in here if failures[steps] is None]
        made |= {each.id: each for each in workshop.make(recipes)}
        made |= {
            candidate_id(steps): Made(candidate_id(steps), steps, failure=failure)
            for steps, failure in failures.items()
            if failure is not None
        }
    return tuple(made[candidate_id(steps)] for steps in combinations)


def _failed_before(parent: Made) -> Failure | None:
    """Why nothing can be made from a model."""
    if parent.failure:
        return Failure(parent.failure.kind, f"{parent.id} could not be made: {parent.failure.error}")
    if parent.nothing:
        return Failure("configuration", f"{parent.id} changed nothing of {parent.parent}")
    return None


def _recipe(material: Material, steps: tuple[str, ...], made: Mapping[str, Made]) -> Recipe:
    """How the last of the steps is done to its parent."""
    parent, step = made[parent_of(steps)], steps[-1]
    payload = {"candidate": candidate_id(steps), "parent": parent.id}
    compress, winner = material.plan.spec.compress, material.found.best
    assert compress is not None  # nothing is chosen otherwise
    assert winner is not None  # the driver ends without one
    structured = compress.prune.structured if compress.prune else None
    if structured and (ratio := pruned_ratio(step)) is not None:
        distill = compress.distill.model_dump() if compress.distill else None
        config = structured.model_dump(by_alias=True, exclude={"ratios"}) | {"distill": distill}
        return Recipe(
            id=payload["candidate"],
            function=STAGES[PRUNED],
            payload=payload | _export_payload(material, winner) | {"config": config | {"ratio": ratio}},
            steps=steps,
            source=f"{material.source(winner)}/{parent.sha256}",
        )
    calibration = compress.calibration.model_dump(mode="json", by_alias=True)
    return Recipe(
        id=payload["candidate"],
        function=STAGES[step],
        payload=payload | {"config": calibration if step == "int8" else {}},
        steps=steps,
        source=parent.sha256,
    )


def _export_payload(material: Material, trial: Trial) -> dict[str, Any]:
    """What a stage needs to know of the trial whose model it writes as ONNX."""
    export = material.plan.spec.export
    written = {"opset": export.opset, "batch": export.batch}
    if material.kind == "given":
        return {"checkpoint": None} | written
    checkpoint = {"checkpoint": trial.checkpoint}
    if material.kind == "objective":
        return checkpoint | written
    return {"params": dict(trial.params), "seed": trial.seed} | checkpoint | written

"""The ladder: from the baseline to what was published, each model under the one it was made from. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from trimtab_api.report import Candidate, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.bars import bar
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.models import Model, is_final, parent_of, references, verdict_of
from trimtab_jobs.report.trials import Trial

MOST_RUNGS, DEEPEST = 16, 4
LONGEST_VERDICT = 240
SHOWN = ("sizeMB", "latencyMs")


@dataclass(slots=True)
class Rung:
    """A model, and those that were made from it."""

    model: Model
    below: list["Rung"] = field(default_factory=list)


def ladder(report: Report, trials: Sequence[Trial], quality: str | None) -> Html | None:
    """The models as nested lists with their figures, and how each compares with the one above it."""
    kept = _kept(report)
    top = _tree(report, trials, kept)
    if top is None:
        return None
    largest = {
        metric: max((rung.model.metrics.get(metric, 0.0) for rung in _all(top)), default=0.0)
        for metric in SHOWN
    }
    names = [*SHOWN, *([quality] if quality else [])]
    left_out = len(report.candidates) - len(kept)
    more = f" {left_out} more are in the table." if left_out else ""
    return element(
        "div",
        element("h3", "From baseline to published"),
        element(
            "p", f"Each model under the one it was made from, and compared with it.{more}", class_="note"
        ),
        element("ol", _rung(report, top, [], (names, largest)), class_="ladder"),
    )


def _kept(report: Report) -> list[Candidate]:
    """The candidates that are shown: all of them, or those on the front, and what they were made from."""
    every = report.candidates
    if len(every) <= MOST_RUNGS:
        return list(every)
    first = sorted(every, key=lambda each: (not is_final(report, each), not each.pareto))
    chosen: set[str] = set()
    for candidate in first:
        line = {candidate.id, *_ancestors(candidate, every)}
        if len(chosen | line) > MOST_RUNGS:
            break
        chosen |= line
    return [each for each in every if each.id in chosen]


def _ancestors(candidate: Candidate, every: Sequence[Candidate]) -> Iterator[str]:
    by_id = {each.id: each for each in every}
    parent = parent_of(candidate, every)
    while parent is not None:
        yield parent
        parent = parent_of(by_id[parent], every)


def _tree(report: Report, trials: Sequence[Trial], kept: Sequence[Candidate]) -> Rung | None:
    rungs = {each.id: Rung(each) for each in kept}
    line = [Rung(each) for each in references(report, trials)]
    for above, below in pairwise(line):
        above.below.append(below)
    roots = line[-1].below if line else []
    for each in kept:
        parent = parent_of(each, report.candidates)
        (rungs[parent].below if parent in rungs else roots).append(rungs[each.id])
    return line[0] if line and len(line) + len(kept) > 1 else None


def _all(rung: Rung) -> Iterator[Rung]:
    yield rung
    for each in rung.below:
        yield from _all(each)


def _rung(
    report: Report, rung: Rung, above: Sequence[Model], shown: tuple[Sequence[str], dict[str, float]]
) -> Html:
    model = rung.model
    names, largest = shown
    verdict, tone = ("", "")
    if isinstance(model, Candidate):
        verdict, tone = verdict_of(report, model, LONGEST_VERDICT)
    below = [_rung(report, each, [*above, model], shown) for each in rung.below]
    depth = f"depth-{min(len(above), DEEPEST)}"
    chosen = " chosen" if is_final(report, model) else ""
    return element(
        "li",
        element(
            "div",
            element("strong", _title(report, model), class_="model"),
            *(_figure(name, model, above[-1] if above else None, largest.get(name)) for name in names),
            element("span", verdict, class_=f"says {tone}".rstrip()) if verdict else None,
            class_=f"rung {depth}{chosen}",
        ),
        element("ol", *below) if below else None,
    )


def _title(report: Report, model: Model) -> str:
    if report.uncompressed is not None and model.id == report.uncompressed.id:
        return f"{model.id}, uncompressed"
    return model.id


def _figure(name: str, model: Model, above: Model | None, largest: float | None) -> Html:
    value = model.metrics.get(name)
    change = figures.change(name, above.metrics.get(name), value) if above else ""
    if value is None:
        return element("span", element("small", figures.label(name)), figures.MISSING, class_="figure")
    return element(
        "span",
        element("small", figures.label(name)),
        element("b", figures.with_unit(name, value)),
        bar(value, largest) if largest else None,
        element("small", change) if change and change != figures.MISSING else None,
        class_="figure",
    )

"""What went wrong: trials that failed, by kind and error, with their last lines. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab_jobs.report import figures
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.trials import Trial

MOST_GROUPS, MOST_NUMBERS = 12, 8
LONGEST_ERROR, LONGEST_LINE, MOST_LINES = 300, 200, 8
KINDS = {
    "configuration": "because of their parameters",
    "code": "because of the code",
    "infrastructure": "because of the machines",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Trials that failed alike."""

    kind: str
    error: str
    """Of the last of them."""
    tail: str
    numbers: tuple[int, ...]


def failures(trials: Sequence[Trial]) -> Html | None:
    """The section of trials that failed or were run again; nothing when there were none."""
    groups = grouped(trials)
    lost = sum(trial["state"] == "lost" for trial in trials)
    if not groups and not lost:
        return None
    rest = len(groups) - MOST_GROUPS
    return element(
        "section",
        element("h2", "Failures"),
        element("p", " ".join(_counts(groups, lost)), class_="note"),
        *(_group(group) for group in groups[:MOST_GROUPS]),
        element("p", f"And {rest} other errors.", class_="note") if rest > 0 else None,
    )


def grouped(trials: Sequence[Trial]) -> list[Group]:
    """Failed trials by kind and by their error without its figures, the largest group first."""
    found: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        if trial["state"] == "failed":
            failure = trial.get("failure") or {}
            key = (
                str(failure.get("kind", "")),
                re.sub(r"\d+", "#", str(failure.get("error", ""))[:LONGEST_ERROR]),
            )
            found.setdefault(key, []).append(trial)
    groups = [_group_of(kind, alike) for (kind, _), alike in found.items()]
    return sorted(groups, key=lambda group: -len(group.numbers))


def _group_of(kind: str, alike: Sequence[Trial]) -> Group:
    failure = alike[-1].get("failure") or {}
    error = figures.brief(str(failure.get("error") or "see its log"), LONGEST_ERROR)
    return Group(
        kind, error, _last_lines(str(failure.get("tail", ""))), tuple(trial["number"] for trial in alike)
    )


def _last_lines(tail: str) -> str:
    lines = tail.rstrip().splitlines()[-MOST_LINES:]
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in lines)


def _counts(groups: Sequence[Group], lost: int) -> list[str]:
    by_kind: dict[str, int] = {}
    for group in groups:
        by_kind[group.kind] = by_kind.get(group.kind, 0) + len(group.numbers)
    told = [
        f"{figures.counted(count, 'trial')} failed {KINDS.get(kind, '')}".rstrip() + "."
        for kind, count in by_kind.items()
    ]
    again = (
        f"{figures.counted(lost, 'trial')} lost a worker or the driver and ran again: no fault of the trial."
    )
    return [*told, *([again] if lost else []), "Logs lie in logs/ under the number of the trial."]


def _group(group: Group) -> Html:
    named = ", ".join(map(str, group.numbers[:MOST_NUMBERS]))
    more = len(group.numbers) - MOST_NUMBERS
    word = "Trial" if len(group.numbers) == 1 else "Trials"
    who = f"{word} {named}{f' and {more:,} more' if more > 0 else ''}"
    kind = f", {group.kind}" if group.kind else ""
    return element(
        "div",
        element("h3", group.error, class_="error"),
        element("p", f"{who}{kind}.", class_="note"),
        element("pre", group.tail) if group.tail else None,
        class_="failure",
    )

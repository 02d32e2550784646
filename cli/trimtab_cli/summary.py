"""The end of a run in words: before and after, candidates, guardrail, where everything lies, what is next.

Pure: lines of text from the report alone, so that every figure printed is in result.json.
"""

import textwrap
from collections.abc import Iterator, Sequence

from trimtab_api.report import Report
from trimtab_cli.progress import ACTIVE, best, candidate, candidate_columns, ended_trials, trial_counts
from trimtab_jobs.report import figures
from trimtab_jobs.report.figures import Row
from trimtab_jobs.report.outcome import ExitCode, outcome

TONES = {"good": "green", "warning": "yellow", "bad": "red", "neutral": "cyan"}


def title(report: Report) -> tuple[str, str]:
    """The headline and its colour."""
    verdict = outcome(report)
    return verdict.title, TONES[verdict.tone]


def summary(
    report: Report, output: str, command: str, wide: bool = False, width: int | None = None
) -> list[str]:
    """Every line under the headline; `wide` with every figure there is, within `width` columns if given."""
    message = outcome(report).message
    sections = (
        [message] if message else [],
        standing(report),
        fitting(comparison(report), comparison_in_two(report), width),
        fitting(candidates(report, wide), candidates_as_text(report), width),
        guardrail(report),
        circumstances(report) if wide else [],
        places(report, output),
        [f"Next: {following(report, output, command)}"],
    )
    told = [line for section in sections if section for line in (*section, "")][:-1]
    return told if width is None else [part for line in told for part in wrapped(line, width)]


def fitting(table: list[str], otherwise: list[str], width: int | None) -> list[str]:
    """The table where it fits into `width` columns, else what says the same in fewer."""
    return table if width is None or max(map(len, table), default=0) <= width else otherwise


def wrapped(text: str, width: int) -> list[str]:
    """The text in as many lines as it takes, broken between words; paths stay whole, to be copied."""
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [part for line in text.splitlines() or [""] for part in wrapper.wrap(line) or [""]]


def standing(report: Report) -> list[str]:
    """Where a run stands that has not ended: its trials, and the best of them."""
    if report.phase not in ACTIVE or not report.trials.total:
        return []
    counts = trial_counts(report)
    lines = [["Trials", f"{ended_trials(report)}/{report.trials.total}{f' ({counts})' if counts else ''}"]]
    if leading := best(report):
        lines.append(["Best", leading])
    return aligned(lines, left={0, 1})


def comparison(report: Report) -> list[str]:
    """The table of before and after; empty when nothing was measured."""
    rows = figures.rows(report)
    if not rows:
        return []
    final = report.final.id if report.final else "final"
    heads = [
        ["", "", "", "", "against", "against"],
        ["", "baseline", "uncompressed", final, "baseline", "uncompressed"],
    ]
    return aligned([*heads, *(line for row in rows for line in _lines(row))], left={0})


def _lines(row: Row) -> Iterator[list[str]]:
    """The line of a metric, and one more for its interval where it has one."""
    changes = [row.against_baseline, row.against_uncompressed]
    yield [row.label, row.baseline, row.uncompressed, row.final, *changes]
    if row.interval:
        yield ["  interval", "", "", row.interval, "", ""]


def comparison_in_two(report: Report) -> list[str]:
    """The same as two narrow tables, one below the other: against baseline, against uncompressed."""
    rows = figures.rows(report)
    if not rows:
        return []
    first = [["", "baseline", "final", "change"]]
    first += [[row.label, row.baseline, row.final, row.against_baseline] for row in rows]
    second = [["", "uncompressed", "final", "change"]]
    second += [[row.label, row.uncompressed, row.final, row.against_uncompressed] for row in rows]
    intervals = [f"{row.label}: final {row.interval}" for row in rows if row.interval]
    return [*aligned(first, left={0}), "", *aligned(second, left={0}), "", *intervals]


def candidates(report: Report, wide: bool = False) -> list[str]:
    """The table of candidates; the published one has a star."""
    if not report.candidates:
        return []
    names = figures.metrics_of(*report.candidates) if wide else candidate_columns(report.candidates)
    final = report.final.id if report.final else None
    head = ["candidate", *map(figures.heading, names), "verdict"]
    body = [
        [
            f"{each.id} *" if each.id == final else each.id,
            *(figures.figure(name, each.metrics.get(name)) for name in names),
            each.verdict or figures.MISSING,
        ]
        for each in report.candidates
    ]
    return aligned([head, *body], left={0, len(names) + 1})


def candidates_as_text(report: Report) -> list[str]:
    """The same as a line for each candidate."""
    final = report.final.id if report.final else None
    return [f"{'* ' if each.id == final else ''}{candidate(each)}" for each in report.candidates]


def guardrail(report: Report) -> list[str]:
    """A line for each limit: whether it is held, and by what figure."""
    return [
        f"{'✓' if verdict.met else '✗'} {figures.limit(verdict)}: {figures.finding(verdict)}"
        for verdict in report.guardrail
    ]


def circumstances(report: Report) -> list[str]:
    """What the best trial drew, how long it took, where and from what it was made."""
    seconds, environment = report.cost.seconds, report.environment
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions.items())
    found = [
        (
            "Best trial",
            f"{report.best.trial}: {figures.parameters(report.best.params)}" if report.best else "",
        ),
        ("Trials", trial_counts(report) and f"{ended_trials(report)} ended, {trial_counts(report)}"),
        ("Took", figures.duration(seconds) if seconds is not None else ""),
        ("Seed", "" if report.seed is None else str(report.seed)),
        ("Processor", environment.cpu or ""),
        ("Versions", versions),
        ("Plan", report.plan_digest or ""),
        ("Code", environment.code_sha256 or ""),
    ]
    return aligned([[name, text] for name, text in found if text], left={0, 1})


def places(report: Report, output: str) -> list[str]:
    """Where the model and the evidence lie; where what was done is kept when it has not ended."""
    if outcome(report).code == ExitCode.INTERRUPTED:
        return [f"Kept in {output}"]
    models = [
        f"{each.uri} ({each.bytes:,} bytes)" for each in report.artifacts if each.name.endswith(".onnx")
    ]
    files = [("Model", model) for model in models]
    files += [
        (label, f"{output}/{name}") for label, name in (("Figures", "result.json"), ("Report", "report.html"))
    ]
    return aligned([[label, place] for label, place in files], left={0, 1})


def following(report: Report, output: str, command: str) -> str:
    """What the person does next."""
    serve = f"serve {output}/model as it is (Triton, KServe), or " if report.artifacts else ""
    return {
        ExitCode.DONE: f"{serve}open {output}/report.html",
        ExitCode.BUDGET_REACHED: f"raise spec.budget and run the same command to go on: {command}",
        ExitCode.GUARDRAIL_NOT_MET: (
            f"every candidate is kept in {output}/candidates; allow more in spec.guardrail under another "
            "--output, or give the job more trials or test data"
        ),
        ExitCode.FAILED: (
            f"mend it (trimtab logs {output} has what was printed) and go on, all done is kept: {command}"
        ),
        ExitCode.INTERRUPTED: f"run the same command to go on: {command}",
    }[outcome(report).code]


def aligned(lines: Sequence[Sequence[str]], left: set[int]) -> list[str]:
    """The cells in columns two spaces apart, to the right but for the columns in `left`."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(_cells(line, widths, left)).rstrip() for line in lines]


def _cells(line: Sequence[str], widths: Sequence[int], left: set[int]) -> Iterator[str]:
    for index, (cell, width) in enumerate(zip(line, widths, strict=True)):
        yield cell.ljust(width) if index in left else cell.rjust(width)

"""Where a job stands in words, what a person can do about it, and what the command returns for it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab_api.report import Cost, Report
from trimtab_cli import summary
from trimtab_cli.cluster.reading import (
    Document,
    condition,
    has_ended,
    is_retried,
    name_of,
    report_of,
    standing_reason,
)
from trimtab_cli.progress import best, ended_trials, trial_counts
from trimtab_jobs.report import figures
from trimtab_jobs.report.outcome import ExitCode, outcome
from trimtab_operator.manifests import at, items_at, text_at

FIXES = {
    "ProfileNotFound": "apply the OptimizationProfile, or annotate one as the default: "
    'trimtab.io/is-default-profile: "true"',
    "KubeRayNotInstalled": "an administrator installs KubeRay; the job then goes on by itself",
    "Queued": "it begins when its queue admits it: kubectl describe workload",
    "ImagePullFailed": "mend the registry or the pull secrets; it then starts by itself",
    "Unschedulable": "add nodes, or mend the pool in the profile, then suspend and resume the job",
    "QuotaExceeded": "raise the namespace's ResourceQuota, or wait for other jobs",
    "Forbidden": "the namespace's policies have to allow the pods of the profile",
    "ContainerNotCreated": "make what is missing in the job's namespace; it then starts by itself",
    "Crashing": "see the pod's log; give the pool more memory in the profile, then suspend and resume it",
    "NodeLost": "bring the node back, or taint it: kubectl taint nodes NODE "
    "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
    "Suspended": "trimtab resume {job}",
    "BudgetReached": "for more, raise spec.budget and submit the manifest again, then: trimtab retry {job}",
    "Refused": "mend what the message names; the job is looked at again by itself",
    "Invalid": "install CRDs and operator in one version",
    "Code": "mend the code, submit the manifest again, then: trimtab retry {job}",
    "Configuration": "make a new job from a mended manifest",
    "NoTrialCompleted": "raise spec.budget and submit the manifest again, then: trimtab retry {job}",
    "GuardrailNotMet": "make a new job that allows more in spec.guardrail, or has more trials or test data",
    "Infrastructure": "mend what the message names, then: trimtab retry {job}",
    "PlanLost": "trimtab retry {job}",
    "NameTaken": "delete or rename the object that has the name",
    "EditRefused": "undo the edit, or make it fit",
}
"""What to do by the reason of a condition; nothing for those that ask for nothing."""
SILENT = (
    *("Accepted", "Admitted", "Ready", "NotStarted", "NotSuspended", "Released", "Completed"),
    *("Starting", "BackingOff", "Stopping", "Suspending", "Searching", "Compressing", "Verifying"),
    *("Trials", "Goal", "Exhausted", "Duration", "FailedTrials", "GpuHours", "Cost", "EnergyKWh"),
    *("Reported", "Judged", "Published"),
)
"""Reasons that ask for nothing."""
NOT_SEEN = (
    "no operator has looked at it yet: is Trimtab's operator running? kubectl get pods -A | grep trimtab"
)


@dataclass(frozen=True, slots=True)
class Telling:
    """How a job is shown."""

    store: str = ""
    """URI of its store, where it is known."""
    options: str = ""
    """What a further command needs to mean the same cluster, such as " -n vision"."""
    wide: bool = False
    width: int | None = None


def title(job: Document) -> tuple[str, str]:
    """The headline and its colour."""
    if has_ended(job):
        return summary.title(report_of(job))
    phase, stage = text_at(job, "status", "phase") or "Pending", text_at(job, "status", "stage")
    if is_retried(job):
        return "Asked to run again", "cyan"
    doing = f" ({stage})" if stage and not phase.lower().startswith(stage.lower()) else ""
    return f"{phase}{doing}", "yellow" if standing_reason(job) in FIXES else "cyan"


def exit_code(job: Document) -> ExitCode:
    """What a command returns for a job that has ended."""
    return outcome(report_of(job)).code


def worst(codes: Iterable[int]) -> int:
    """The code of several jobs: the cluster's errors before failures before what is published."""
    order = (5, 2, 1, 3, 4, 0)
    return min(codes, key=order.index, default=0)


def lines(job: Document, telling: Telling) -> list[str]:
    """Every line under the headline."""
    report = report_of(job)
    sections = (
        list(standing(job)),
        trials(report),
        summary.fitting(summary.comparison(report), summary.comparison_in_two(report), telling.width),
        summary.fitting(
            summary.candidates(report, telling.wide), summary.candidates_as_text(report), telling.width
        ),
        summary.guardrail(report),
        summary.aligned(list(facts(job, report, telling)), left={0, 1}),
        conditions(job) if telling.wide else [],
        [f"Next: {following(job, telling)}"],
    )
    told = [line for section in sections if section for line in (*section, "")][:-1]
    width = telling.width
    return told if width is None else [part for line in told for part in summary.wrapped(line, width)]


def standing(job: Document) -> Iterator[str]:
    """Why the job stands where it does, and what to do about it; an edit that is not followed as well."""
    if not standing_reason(job):
        yield NOT_SEEN
        return
    message = text_at(job, "status", "message") or text_at(condition(job, "Succeeded"), "message")
    if message:
        yield message
    if do := fix(standing_reason(job), name_of(job)):
        yield f"To do: {do}"
    accepted = condition(job, "Accepted")
    if accepted.get("reason") == "EditRefused":
        yield f"{accepted.get('message')}; {FIXES['EditRefused']}"


def fix(reason: str, job: str) -> str:
    """What to do about a reason; empty where there is nothing."""
    return FIXES.get(reason, "").format(job=job)


def waits(job: Document) -> str:
    """Where a job stands that has not begun to search, in one sentence; empty for all others."""
    phase = text_at(job, "status", "phase")
    if not standing_reason(job):
        return ""
    if phase not in ("Pending", "Queued", "Suspended") or has_ended(job):
        return ""
    return ": ".join(filter(None, (phase, text_at(job, "status", "message"))))


def trials(report: Report) -> list[str]:
    """The count of trials and the best of them."""
    if not report.trials.total:
        return []
    counts = trial_counts(report)
    told = [["Trials", f"{ended_trials(report)}/{report.trials.total}{f' ({counts})' if counts else ''}"]]
    if leading := best(report):
        told.append(["Best", leading])
    return summary.aligned(told, left={0, 1})


def facts(job: Document, report: Report, telling: Telling) -> Iterator[list[str]]:
    """What it took, where everything lies."""
    attempts = int(at(job, "status", "attempt") or 0)
    took = cost(report.cost)
    if took:
        yield ["Took", took + (f", in {attempts} attempts" if attempts > 1 else "")]
    if telling.wide and report.best:
        yield ["Drew", figures.parameters(report.best.params)]
    for each in report.artifacts:
        if each.name.endswith(".onnx") or telling.wide:
            yield ["Model" if each.name.endswith(".onnx") else "", f"{each.uri} ({each.bytes:,} bytes)"]
            if each.name.endswith(".onnx"):
                yield ["", f"sha256 {each.sha256}"]
    if telling.store:
        yield ["Store", telling.store]
    if telling.wide:
        runs = items_at(job, "status", "runs")
        yield ["Runs", ", ".join(f"{each['name']} {each.get('outcome', '')}" for each in runs) or "none"]


def cost(took: Cost) -> str:
    """Time, money and energy of all attempts, as far as they are known."""
    amounts = (
        ("cost {}", took.amount),
        ("{} GPU hours", took.gpu_hours),
        ("{} CPU hours", took.cpu_hours),
        ("{} kWh", took.energy_kwh),
        ("{} kg CO2", took.carbon_kg),
    )
    time = [figures.duration(took.seconds)] if took.seconds else []
    return ", ".join([*time, *(text.format(figures.number(value)) for text, value in amounts if value)])


def conditions(job: Document) -> list[str]:
    """The table of conditions."""
    rows = [
        [str(each.get(key, "")) for key in ("type", "status", "reason", "message")]
        for each in items_at(job, "status", "conditions")
    ]
    return (
        summary.aligned([["CONDITION", "STATUS", "REASON", "MESSAGE"], *rows], left={0, 1, 2, 3})
        if rows
        else []
    )


def following(job: Document, telling: Telling) -> str:
    """What the person does next."""
    name = f"{name_of(job)}{telling.options}"
    if not has_ended(job):
        return f"trimtab watch {name}"
    code = exit_code(job)
    if code in (ExitCode.DONE, ExitCode.BUDGET_REACHED):
        serve = f"serve {telling.store}/model as it is (Triton, KServe), or " if telling.store else ""
        return f"{serve}trimtab report {name} --to report.html"
    return f"trimtab logs {name}"


def row(job: Document, age: float, wide: bool = False) -> list[str]:
    """The cells of a job in a list, without its namespace."""
    figure: Mapping[str, Any] = at(job, "status", "summary") or {}
    cells = [
        name_of(job),
        text_at(job, "status", "phase") or "Pending",
        text_at(job, "status", "stage"),
        *(str(figure.get(name, "")) for name in ("trials", "best", "size", "speedup")),
        short_age(age),
    ]
    if not wide:
        return cells
    took = Cost.model_validate(
        {key: value for key, value in (at(job, "status", "cost") or {}).items() if key in _COSTS}
    )
    more = [text_at(job, "spec", "profile"), str(at(job, "status", "attempt") or 0), cost(took)]
    return [*cells, *more, text_at(job, "status", "message")]


HEAD = ["NAME", "PHASE", "STAGE", "TRIALS", "BEST", "SIZE", "SPEEDUP", "AGE"]
WIDE_HEAD = [*HEAD, "PROFILE", "ATTEMPT", "TOOK", "MESSAGE"]
_COSTS = frozenset(field.alias or name for name, field in Cost.model_fields.items())


def short_age(seconds: float) -> str:
    """A span in one unit, as kubectl has it: 40s, 12m, 3h, 5d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"

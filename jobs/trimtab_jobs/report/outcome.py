"""How a run ended, in one word for machines and one sentence for people. Pure."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from trimtab_api.report import Report


class ExitCode(IntEnum):
    """What the process returns for how a job ended; 2 and 5 are for what keeps one from running."""

    DONE = 0
    FAILED = 1
    GUARDRAIL_NOT_MET = 3
    BUDGET_REACHED = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a run: exit code, tone, a headline and the sentence under it."""

    code: ExitCode
    tone: Literal["good", "warning", "bad", "neutral"]
    title: str
    message: str


def outcome(report: Report) -> Outcome:
    """The verdict that phase and conditions give; a run that has not ended counts as interrupted."""
    succeeded = next((each for each in report.conditions if each.type == "Succeeded"), None)
    reason = succeeded.reason if succeeded else ""
    message = report.message or (succeeded.message if succeeded else "")
    if report.phase == "Succeeded":
        found = f"{report.final.id} published" if report.final else "best parameters found"
        if reason == "BudgetReached":
            return Outcome(ExitCode.BUDGET_REACHED, "warning", f"Budget reached, {found}", message)
        title = f"{_proof(report)}{found}" if report.final else "Best parameters found"
        return Outcome(ExitCode.DONE, "good", title, message)
    if report.phase == "Failed" and reason == "GuardrailNotMet":
        title = "Guardrail not met, nothing published"
        return Outcome(ExitCode.GUARDRAIL_NOT_MET, "bad", title, message)
    if report.phase == "Failed" and reason != "Interrupted":
        return Outcome(ExitCode.FAILED, "bad", f"Failed{_stage(report)}", message)
    return Outcome(ExitCode.INTERRUPTED, "neutral", f"Not finished{_stage(report)}", message)


def _proof(report: Report) -> str:
    return "Guardrail met, " if report.guardrail else ""


def _stage(report: Report) -> str:
    return f" in {report.stage}" if report.stage else ""

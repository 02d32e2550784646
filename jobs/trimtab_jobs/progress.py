"""Progress: the one place where the report of a run changes. Every change is published."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from trimtab_api.conditions import Condition, ConditionStatus, set_condition
from trimtab_api.report import Report

Publish = Callable[[Report], None]


class Progress:
    """The report so far, and the one it is told to after each change."""

    def __init__(self, report: Report, publish: Publish) -> None:
        self.report = report
        self._publish = publish

    def change(self, **fields: Any) -> None:
        """Set fields of the report (by attribute name) and publish it."""
        self.report = self.report.model_copy(update=fields)
        self._publish(self.report)

    def say(self, message: str) -> None:
        """Tell a person one sentence, such as what was cut or what is left out."""
        self.change(message=message)

    def condition(self, kind: str, status: ConditionStatus, reason: str, message: str = "") -> None:
        """Set one condition of the report; it is published with the next change."""
        new = Condition(type=kind, status=status, reason=reason, message=message[:1024])
        conditions = set_condition(self.report.conditions, new, now=datetime.now(UTC))
        self.report = self.report.model_copy(update={"conditions": conditions})

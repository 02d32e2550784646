"""What every tier shares: the servers' fixtures, a marker per tier, and the minutes that each tier took.

A test's tier is its first folder under tests/, so `pytest -m "not integration"` leaves a tier out. What a
test records as `recovery`, a line of text, is shown with its tier.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

pytest_plugins = [
    "tests.support.cluster",
    "tests.support.rays",
    "tests.support.s3",
    "tests.support.proxy",
    "tests.support.chart",
    "tests.support.real_nodes",
    "tests.support.platform",
]

TIERS = {
    "unit": "no I/O, milliseconds each",
    "contract": "one suite for every implementation of a protocol",
    "jobs": "real torch, Ray and ONNX Runtime on small data",
    "integration": "real servers: etcd, kube-apiserver, S3",
    "chart": "the Helm chart: what it renders, refuses and installs on a real API server",
    "e2e": "real nodes: pods on kubelets, the chart, the images, from a manifest to its model",
    "browser": "the report in Chromium",
    "faults": "drivers and operators killed, servers away, journals cut, stores that misbehave",
}


@dataclass
class TierResult:
    """What one tier did: seconds (fixtures included), outcomes, why tests were skipped, recoveries."""

    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: set[str] = field(default_factory=set)
    recoveries: list[str] = field(default_factory=list)


results: dict[str, TierResult] = defaultdict(TierResult)


def tier_of(nodeid: str) -> str:
    """The tier of a test; what lies directly under tests/ is quick and counts as unit."""
    folder = nodeid.split("/")[1]
    return folder if folder in TIERS else "unit"


def pytest_configure(config: pytest.Config) -> None:
    for tier, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {meaning}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(tier_of(item.nodeid))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    result = results[tier_of(report.nodeid)]
    result.seconds += report.duration
    if report.when == "call" or report.outcome != "passed":
        result.outcomes[report.outcome] += 1
    if report.when == "call":
        result.recoveries += [str(value) for name, value in report.user_properties if name == "recovery"]
    if report.skipped and isinstance(report.longrepr, tuple):
        result.reasons.add(report.longrepr[2].removeprefix("Skipped: "))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if results:
        terminalreporter.section("tiers")
    for tier in TIERS:
        if tier in results:
            counts = ", ".join(
                f"{count} {outcome}" for outcome, count in sorted(results[tier].outcomes.items())
            )
            terminalreporter.line(f"{tier:<12} {results[tier].seconds / 60:5.1f} min  {counts}")
            for reason in sorted(results[tier].reasons):
                terminalreporter.line(f"{'':<12} skipped: {reason}")
            for recovery in results[tier].recoveries:
                terminalreporter.line(f"{'':<12} {recovery}")

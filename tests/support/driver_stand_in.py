"""A driver's reporting half without its work: the real channels to the API server, made-up progress.

A test that plays the cluster says what the run does: `searching(3, 40)`, `end_segment()`, `succeed()`,
`fail("GuardrailNotMet", "…")`, or nothing at all. What a hostile job might write goes through `write`.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from trimtab_api.report import (
    Artifact,
    Best,
    Candidate,
    Final,
    GuardrailVerdict,
    Measured,
    Report,
    TrialCounts,
)
from trimtab_jobs.config_maps import ConfigMaps
from trimtab_jobs.orders import Orders
from trimtab_jobs.plan_channel import PlanChannel, first_orders, read_from
from trimtab_jobs.progress import Progress
from trimtab_jobs.report_channel import Pace, ReportChannel, patch_to
from trimtab_jobs.settings import Settings

QUICK = Pace(gap_seconds=0.05, longest_seconds=1.0)
PATIENCE_SECONDS = 60.0


class DriverStandIn:
    """One driver of one segment and attempt; used as a context, so that its threads end with the test.

    Its methods return once the API server has the report (not so after `unreliable`).
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: list[str] = []
        """What the real driver would print about reports and plans that do not get through."""
        self._maps = ConfigMaps.of(settings)
        read = read_from(self._maps, settings)
        first = first_orders(read, PATIENCE_SECONDS, wait=lambda seconds: False)
        self.plan = PlanChannel(read, first, self.told.append, every_seconds=0.1)
        """Called, the orders as they are now: `stand_in.plan().plan.spec.search.trials`."""
        self._patch = patch_to(self._maps, settings)
        self._channel = ReportChannel(self._patch, self.told.append, QUICK)
        self._waits = True
        plan = first.plan
        self.progress = Progress(Report(name=plan.name, plan_digest=plan.digest), self._publish)
        """The real driver's own: `stand_in.progress.say("…")`, `.condition(…)`, `.change(…)`."""

    @classmethod
    def of(cls, ray_job: Mapping[str, Any], server: str, token_file: Path, ca_file: Path) -> "DriverStandIn":
        """The driver that a RayJob would start, by the environment of its head container."""
        return cls(settings_of(ray_job, server, token_file, ca_file))

    def __enter__(self) -> "DriverStandIn":
        self.plan.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.plan.__exit__()
        self._channel.close(0.0)
        for thread in (self.plan._thread, self._channel._thread):
            thread.join()  # a request under way would go on in a connection that is soon another's
        self._maps.close()

    @property
    def orders(self) -> Orders:
        """The plan and control as the driver knows them now."""
        return self.plan()

    def searching(self, completed: int, total: int | None = None, **counts: int) -> None:
        """Report a search that stands here; `total` as in the plan where it is not given."""
        search = self.orders.plan.spec.search
        total = total or (search.trials if search else 1)
        best = Best(trial=completed, params={"width": 48}, metrics={"accuracy": 0.98}) if completed else None
        trials = TrialCounts(total=total, completed=completed, **counts)
        self.progress.change(phase="Searching", stage="search", trials=trials, best=best)

    def end_segment(self) -> None:
        """Report that the search is complete and the segment done; the RayJob's end is the test's to play."""
        self.progress.condition("SearchComplete", "True", "Trials", "all trials have ended")
        self.progress.say(f"segment {self.settings.segment} is done")

    def compressing(self, candidates: int = 1) -> None:
        """Report models that are made."""
        made = tuple(Candidate(id=f"int8-{number}", steps=("int8",)) for number in range(candidates))
        self.progress.change(phase="Compressing", stage="compress", candidates=made)

    def succeed(self, reason: str = "Completed", message: str = "int8 holds the guardrail") -> None:
        """Report a published model."""
        before, after = (
            {"accuracy": 0.97, "sizeMB": 4.0, "latencyMs": 4.0},
            {"accuracy": 0.97, "sizeMB": 1.0, "latencyMs": 1.0},
        )
        uri = f"{self.settings.store}/model/{self.settings.job}/1/model.onnx"
        self.progress.change(
            baseline=Measured(id="baseline", metrics=before),
            uncompressed=Measured(id="fp32", metrics=before),
            final=Final(id="int8", metrics=after),
            speedup=4.0,
            guardrail=(
                GuardrailVerdict(
                    metric="accuracy", limit={"maxDrop": 0.02}, measured=0.0, upper=0.01, n=540, met=True
                ),
            ),
            artifacts=(Artifact(name="model.onnx", uri=uri, sha256="0" * 64, bytes=10**6, opset=21),),
        )
        self.progress.condition("GuardrailMet", "True", "Judged", message)
        self.progress.condition("ArtifactPublished", "True", "Published", "1 files under model/")
        self.progress.succeed(reason, message)

    def fail(self, kind: str, message: str = "no candidate holds the guardrail") -> None:
        """Report a job that failed: GuardrailNotMet, Configuration, Code, NoTrialCompleted."""
        if kind == "GuardrailNotMet":
            self.progress.condition("GuardrailMet", "False", "Judged", message)
        self.progress.fail(kind, message)

    def write(self, data: Mapping[str, str]) -> None:
        """Patch the report's ConfigMap with this very data, as a hostile job may with its token."""
        self._maps.patch(self.settings.report, data)

    def claim(self, **changes: Any) -> "Settings":
        """Settings of a driver that claims to be another attempt or segment."""
        return replace(self.settings, **changes)

    def unreliable(self) -> None:
        """From now on do not wait until the API server has each report: it may be away."""
        self._waits = False

    def finish(self, patience_seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether the last report got there, as the real driver waits for at its end."""
        return self._channel.close(patience_seconds)

    def _publish(self, report: Report) -> None:
        self._channel.publish(report)
        if self._waits:
            assert self._channel.delivered(PATIENCE_SECONDS), self.told


def settings_of(ray_job: Mapping[str, Any], server: str, token_file: Path, ca_file: Path) -> Settings:
    """The settings that a RayJob gives its driver, for an API server reached from here."""
    head = ray_job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    given = {each["name"]: each["value"] for each in head["env"] if "value" in each}
    here = {
        "TRIMTAB_API_SERVER": server,
        "TRIMTAB_TOKEN_FILE": str(token_file),
        "TRIMTAB_CA_FILE": str(ca_file),
    }
    return Settings.read({**given, **here})

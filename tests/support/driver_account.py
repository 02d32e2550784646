"""What a driver finds in its namespace: its ConfigMaps, and a service account with rights on just these."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cluster import ApiServer, Document
from trimtab_api.control import Control
from trimtab_api.plan import Plan
from trimtab_api.report import Report

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class DriverAccount:
    """The objects of one job, and the environment of its driver."""

    server: ApiServer
    plan: Plan
    folder: Path

    def make(self) -> "DriverAccount":
        """Create everything that the operator creates before it starts a driver."""
        for document in (*self.rights(), self.plan_map(), self.report_map()):
            self.server.apply(document)
        token = self.server.token_of(self.plan.namespace, self.account)
        self.token_file.write_text(token)
        return self

    @property
    def account(self) -> str:
        return f"{self.plan.name}-driver"

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def environment(
        self, store: str, segment: str = "search", attempt: int = 1, **others: str
    ) -> dict[str, str]:
        return {
            "TRIMTAB_JOB": self.plan.name,
            "TRIMTAB_NAMESPACE": self.plan.namespace,
            "TRIMTAB_UID": "11111111-2222-3333-4444-555555555555",
            "TRIMTAB_SEGMENT": segment,
            "TRIMTAB_ATTEMPT": str(attempt),
            "TRIMTAB_STORE": store,
            "TRIMTAB_PLAN": f"{self.plan.name}-plan",
            "TRIMTAB_REPORT": f"{self.plan.name}-report",
            "TRIMTAB_API_SERVER": self.server.plane.url,
            "TRIMTAB_TOKEN_FILE": str(self.token_file),
            "TRIMTAB_CA_FILE": str(self.server.plane.certificate),
            **others,
        }

    def rights(self) -> tuple[Document, ...]:
        names, account = {"namespace": self.plan.namespace, "name": self.account}, self.account
        rules = [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs, "resourceNames": [name]}
            for name, verbs in (
                (f"{self.plan.name}-report", ["get", "patch"]),
                (f"{self.plan.name}-plan", ["get"]),
            )
        ]
        return (
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": names},
            {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": names, "rules": rules},
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": names,
                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": account},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.plan.namespace}],
            },
        )

    def plan_map(self, plan: Plan | None = None, control: Control | None = None) -> Document:
        data = {
            "plan.json": (plan or self.plan).model_dump_json(by_alias=True, exclude_none=True),
            "control.json": (control or Control()).model_dump_json(by_alias=True, exclude_none=True),
        }
        return self._map("plan") | {"data": data}

    def report_map(self) -> Document:
        return self._map("report")

    def reported(self) -> dict[str, Any]:
        """The data of the report's ConfigMap."""
        return self.server.get(self.report_map()).get("data") or {}

    def report(self) -> Report:
        """The report as the API server has it; an empty one before the first."""
        text = self.reported().get("report.json")
        return Report.model_validate_json(text) if text else Report(name=self.plan.name)

    def _map(self, what: str) -> Document:
        metadata = {"namespace": self.plan.namespace, "name": f"{self.plan.name}-{what}"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

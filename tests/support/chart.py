"""The chart, as Helm renders it without a cluster or installs it on one.

    helm.render({"replicas": 1})                  # the documents of the templates
    helm.release(server, "trimtab").upgrade(values)

The fixture `helm` skips the tier where Helm is not built.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.programs import UnavailableError, find_program
from tests.support.cluster import ApiServer
from tests.support.tiers import skip_tier

Document = dict[str, Any]
Values = Mapping[str, Any]
CHART = Path(__file__).parents[2] / "helm/trimtab"
HOME = "trimtab-system"
"""The namespace that the chart is installed into."""
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class HelmError(Exception):
    """Helm's own words for why it did not do as asked."""


@dataclass(frozen=True, slots=True)
class Helm:
    """The program, with files of its own instead of the user's."""

    program: Path
    folder: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str, values: Values | None = None) -> str:
        """What it prints; HelmError when it fails, or warns."""
        files = {f"HELM_{name}_HOME": str(self.folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        environment = {**os.environ, **files, "KUBECONFIG": str(self.kubeconfig or self.folder / "none")}
        given = ["--values", "-"] if values is not None else []
        command = [str(self.program), *arguments, *given]
        done = subprocess.run(
            command, input=json.dumps(values), env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode or done.stderr:
            raise HelmError(done.stderr or done.stdout)
        return done.stdout

    def text(self, values: Values | None = None, *options: str, chart: Path = CHART) -> str:
        """The rendered templates."""
        named = ("template", "trimtab", str(chart), "--namespace", HOME)
        return self.run(*named, *options, values=values or {})

    def render(self, values: Values | None = None, *options: str) -> list[Document]:
        """The documents of the rendered templates."""
        return [each for each in yaml.load_all(self.text(values, *options), Loader) if each]

    def release(self, server: ApiServer, name: str) -> "Release":
        """A release on a cluster, which is not there yet."""
        return Release(Helm(self.program, self.folder, server.plane.kubeconfig), name)


@dataclass(frozen=True, slots=True)
class Release:
    """The chart on a cluster."""

    helm: Helm
    name: str

    def upgrade(self, values: Values | None = None, chart: Path = CHART) -> str:
        """Install the chart, or bring it to these values; the notes."""
        return self._run("upgrade", self.name, str(chart), "--install", values=values or {})

    def rollback(self, revision: int) -> None:
        self._run("rollback", self.name, str(revision))

    def uninstall(self) -> None:
        self._run("uninstall", self.name)

    def is_there(self) -> bool:
        """Whether it is installed."""
        return bool(json.loads(self._run("list", "--all", "--output", "json")))

    def history(self) -> list[tuple[str, str]]:
        """Each revision's chart and status."""
        found = json.loads(self._run("history", self.name, "--output", "json"))
        return [(each["chart"], each["status"]) for each in found]

    def _run(self, *arguments: str, values: Values | None = None) -> str:
        return self.helm.run(*arguments, "--namespace", HOME, values=values)


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm."""
    try:
        program = find_program("helm")
    except UnavailableError as error:
        skip_tier(str(error))
    return Helm(program, tmp_path_factory.mktemp("helm"))


def one(documents: list[Document], kind: str, name: str = "") -> Document:
    """The only document of a kind, and of a name that ends so."""
    fits = [each for each in documents if each["kind"] == kind and each["metadata"]["name"].endswith(name)]
    (found,) = fits
    return found


Grant = tuple[str, str, str, str]


def grants(rules: list[Document]) -> Iterator[Grant]:
    """What rules allow, one by one: API group, resource, verb, and the name it is bound to, if any."""
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", [""]):
                        yield group, resource, verb, name

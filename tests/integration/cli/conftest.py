"""One operator for these tests, in a namespace of their own, and the command as a person gives it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cluster import ApiServer
from tests.support.kept_operator import QUICK
from tests.support.operated import Site
from tests.support.operator_process import OperatorProcess
from tests.support.rays import Rays
from trimtab_cli.main import call

NAMESPACE = "cli"
BIN = Path(sys.executable).parent


@dataclass
class Person:
    """Somebody at a command line, whose kubeconfig leads to the control plane."""

    kubeconfig: Path
    capture: pytest.CaptureFixture[str]

    def says(self, *words: object) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `trimtab`."""
        code = call([*map(str, words), "--kubeconfig", str(self.kubeconfig)])
        told = self.capture.readouterr()
        return code, told.out, told.err

    def starts(self, *words: str) -> "subprocess.Popen[str]":
        """`trimtab` as a process of its own."""
        command = [str(BIN / "trimtab"), *words, "--kubeconfig", str(self.kubeconfig)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )


@pytest.fixture(scope="session")
def operator(control_plane: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """An operator that serves the namespace of these tests only."""
    settings = {**QUICK, "NAMESPACES": NAMESPACE}
    with OperatorProcess(
        control_plane, tmp_path_factory.mktemp("operator"), NAMESPACE, settings=settings
    ) as one:
        yield one


@pytest.fixture
def site(control_plane: ApiServer, rays: Rays, operator: OperatorProcess, tmp_path: Path) -> Iterator[Site]:
    """The namespace; its jobs go with the test."""
    site = Site(control_plane, rays, NAMESPACE, tmp_path)
    yield site
    site.clear()


@pytest.fixture
def person(control_plane: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    """An administrator."""
    path = tmp_path / "kubeconfig"
    control_plane.plane.write_kubeconfig(path, control_plane.plane.token)
    return Person(path, capsys)

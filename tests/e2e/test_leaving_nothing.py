"""Nodes leave nothing on the machine, however their cluster ends."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.cluster.clearing import NETWORK, groups_of
from tests.cluster.groups import ROOT, ControlGroups
from tests.cluster.network import cable
from tests.cluster.packages import check_machine
from tests.cluster.processes import Processes
from tests.cluster.programs import UnavailableError
from tests.support.tiers import skip_tier

SWITCH_ON = """\
import sys
from pathlib import Path
from tests.cluster.nodes import Nodes
nodes = Nodes(Path(sys.argv[1]), ["one-1", "two-1"])
nodes.switch_on()
print(nodes.network.number, flush=True)
sys.stdin.read()
"""
ROOTS = [each for each in (ROOT, ROOT / "unified") if ControlGroups("", each).usable()]
"""Version 1 beside an empty version 2, or version 2 alone."""


@pytest.fixture(autouse=True)
def machine() -> None:
    """One on which nodes can run."""
    try:
        check_machine()
    except UnavailableError as error:
        skip_tier(str(error))


def wait_until(what: str, is_so: Callable[[], bool], folder: Path) -> None:
    Processes(folder).wait_until(what, is_so, limit_seconds=30)


def processes_of(folder: Path) -> list[int]:
    """The processes that work in a folder or name it."""
    found = []
    for each in psutil.process_iter(["cmdline", "cwd"]):
        words = [each.info["cwd"], *(each.info["cmdline"] or [])]
        if any(str(folder) in (word or "") for word in words):
            found.append(each.pid)
    return found


def test_killed_test_process_takes_its_cluster_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    command = [sys.executable, "-c", SWITCH_ON, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        number = int(tests.stdout.readline())
        assert groups_of(number).nodes() == ["one-1", "two-1"]

        tests.kill()

    cables = Path("/sys/class/net")
    wait_until("the cluster is cleared", lambda: not (folder / NETWORK).exists(), folder)
    wait_until("its processes are gone", lambda: not processes_of(folder), folder)
    assert not (cables / cable(number)).exists()
    assert groups_of(number).nodes() == []
    assert str(folder) not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_control_group_is_frozen_and_killed_whole_and_leaves_no_folder(tmp_path: Path, root: Path) -> None:
    groups = ControlGroups("trimtab-tests", root)
    groups.create("node")
    child = subprocess.Popen(groups.joining("node", ["sleep", "infinity"]))
    wait_until("it joined", lambda: groups.members("node") == [child.pid], tmp_path)

    groups.freeze("node")
    groups.thaw("node")
    assert child.poll() is None
    groups.freeze("node")
    groups.kill("node")

    assert child.wait() == -9
    groups.remove()
    assert not list(root.glob("**/trimtab-tests"))

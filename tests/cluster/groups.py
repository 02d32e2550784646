"""Control groups of nodes: what belongs to a node is frozen and killed through them, all of it at once.

    NAME/NODE/system     the node's own programs and the shims of its containers
    NAME/NODE/kubepods   its pods, by the kubelet

NAME is the cluster's. Version 1 has this tree once per controller, and the one of `freezer` holds every
process; version 2 has it once. Which one it is shows in what is mounted.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "pids", "systemd")
"""Those of version 1 in which the kubelet expects its group; with `freezer`, which it expects too."""
UNIFIED = ("cpu", "cpuset", "memory", "pids", "io")
PATIENCE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The control groups of one cluster."""

    name: str
    root: Path = ROOT

    @property
    def is_unified(self) -> bool:
        """Whether version 2 is what the controllers belong to."""
        return (self.root / "cgroup.controllers").exists()

    def usable(self) -> bool:
        """Whether there are such groups here, of either version."""
        return self.is_unified or all((self.root / each).is_dir() for each in (*CONTROLLERS, "freezer"))

    def path(self, node: str) -> str:
        """A node's group, as the kubelet is told of it."""
        return f"/{self.name}/{node}"

    def create(self, node: str) -> None:
        """Make a node's group, where it is not there yet."""
        (self._processes(node) / "system").mkdir(parents=True, exist_ok=True)
        if self.is_unified:
            for each in (self.root, self.root / self.name, self.root / self.name / node):
                self._delegate(each)
            return
        for controller in CONTROLLERS:
            (self.root / controller / self.name / node).mkdir(parents=True, exist_ok=True)

    def joining(self, node: str, command: Sequence[str | Path]) -> list[str]:
        """The command as a process of the node's, from its first moment on."""
        file = self._processes(node) / "system/cgroup.procs"
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(file), *map(str, command)]

    def freeze(self, node: str) -> None:
        """Let none of the node's processes run; return once none does."""
        self._set_frozen(node, True)

    def thaw(self, node: str) -> None:
        """Let the node's processes go on where they were."""
        self._set_frozen(node, False)

    def kill(self, node: str) -> None:
        """End all of the node's processes, none of which sees another one end; return once they are gone."""
        if not self._processes(node).exists():
            return
        self.freeze(node)
        for pid in self.members(node):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.thaw(node)
        wait_until(lambda: not self.members(node), f"{node}'s processes are gone")

    def members(self, node: str) -> list[int]:
        """The node's processes, its pods' included."""
        found = []
        for file in self._processes(node).rglob("cgroup.procs"):
            with suppress(OSError):  # a pod's group that went meanwhile
                found += [int(line) for line in file.read_text().split()]
        return found

    def nodes(self) -> list[str]:
        """The nodes that have a group."""
        here = self._processes("")
        return sorted(each.name for each in here.iterdir() if each.is_dir()) if here.exists() else []

    def remove(self, node: str = "") -> None:
        """Remove every group of a node, or of the whole cluster; their processes have to be gone."""
        for top in (self.root / self.name / node, *self.root.glob(f"*/{self.name}/{node}")):
            for folder, _, _ in os.walk(top, topdown=False):
                wait_until(partial(is_removed, Path(folder)), f"{folder} is empty")

    def _processes(self, node: str) -> Path:
        return self.root / ("" if self.is_unified else "freezer") / self.name / node

    def _delegate(self, folder: Path) -> None:
        there = (folder / "cgroup.controllers").read_text().split()
        (folder / "cgroup.subtree_control").write_text(
            " ".join(f"+{each}" for each in UNIFIED if each in there)
        )

    def _set_frozen(self, node: str, frozen: bool) -> None:
        here = self._processes(node)
        if self.is_unified:
            (here / "cgroup.freeze").write_text(str(int(frozen)))
            events = f"frozen {int(frozen)}"
            wait_until(lambda: events in (here / "cgroup.events").read_text(), f"{here} has {events}")
            return
        state = "FROZEN" if frozen else "THAWED"
        (here / "freezer.state").write_text(state)
        wait_until(lambda: (here / "freezer.state").read_text().strip() == state, f"{here} is {state}")


def is_removed(folder: Path) -> bool:
    """Try to remove an empty group: the system may still be busy with what was in it."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Return once it is so; TimeoutError says what was waited for."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.01)

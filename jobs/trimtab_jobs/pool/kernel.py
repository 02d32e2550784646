"""Processes that the kernel ended since their container had reached its limit of memory.

They end without a word, as those of a machine that is lost do, but the container's control group counts them.
Where the whole container is ended (memory.oom.group, as kubelets set it on version 2) nobody is left to ask.
"""

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_FILES = ("memory.events", "memory/memory.oom_control")
"""Of version 2 and 1; man 7 cgroups, the kernel's Documentation/admin-guide/cgroup-v2.rst."""


def memory_kills(root: Path = ROOT) -> int:
    """How many processes of this container the kernel has ended for their memory; 0 where nothing says."""
    for name in _FILES:
        try:
            lines = (root / name).read_text().splitlines()
        except OSError:
            continue
        counts = dict(line.split() for line in lines if len(line.split()) == 2)
        return int(counts.get("oom_kill", 0))
    return 0


class KillLedger:
    """Which lost worker is which kill: a pod's count grows by one with each, whichever process it hit."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def note(self, node: str, kills: int) -> None:
        """Take note of a node's count as a worker starts there: what was before is none of its doing."""
        self._known[node] = max(kills, self._known.get(node, 0))

    def is_a_kill(self, node: str, kills: int) -> bool:
        """Whether a worker of a node, of which this is the count now, was lost to a kill nobody was yet."""
        known = self._known.get(node, kills)
        self._known[node] = min(kills, known + 1)
        return kills > known

"""What this process may use of the machine, by its affinity and its container's limits."""

import os
from pathlib import Path


def available_cores() -> float:
    """Cores this process may use, by affinity and by the container's quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup("cpu.max").split()
    if len(quota) == 2 and quota[0] != "max":
        return min(float(usable), int(quota[0]) / int(quota[1]))
    return float(usable)


def available_memory() -> int:
    """Bytes of memory, by the machine and by the container's limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = cgroup("memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def cgroup(name: str) -> str:
    """The content of a file of the container's control group, "" where there is none."""
    try:
        return Path("/sys/fs/cgroup", name).read_text().strip()
    except OSError:
        return ""

"""The hardware class and the software that figures hold for."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from trimtab_jobs.pool.session import Session

CPUINFO = Path("/proc/cpuinfo")
VERSIONED = ("trimtab", "torch", "onnx", "onnxruntime", "onnxscript", "numpy", "optuna", "ray")

Hardware = Literal["x86-vnni", "x86-avx2", "arm64"]


def environment(session: Session) -> dict[str, Any]:
    """Return `versions`, `cpu`, `cpus`, `hardware` and `threads` of this worker."""
    facts = cpu_facts(CPUINFO.read_text() if CPUINFO.exists() else "")
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "cpus": os.cpu_count() or 1,
        "hardware": hardware(),
        "threads": session.setup.threads,
    }


def hardware() -> Hardware:
    """Return the class of this machine."""
    facts = cpu_facts(CPUINFO.read_text() if CPUINFO.exists() else "")
    return hardware_of(platform.machine(), frozenset(facts.get("flags", "").split()))


def hardware_of(machine: str, flags: frozenset[str]) -> Hardware:
    """Return the class by which int8 types are chosen. Pure."""
    if machine.lower() in ("arm64", "aarch64"):
        return "arm64"
    return "x86-vnni" if flags & {"avx512_vnni", "avx_vnni"} else "x86-avx2"


def cpu_facts(cpuinfo: str) -> dict[str, str]:
    """Return the fields of the first processor in the text of /proc/cpuinfo. Pure."""
    lines = cpuinfo.partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _versions() -> dict[str, str]:
    found = {}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an image need not hold all of them
            continue
    return found

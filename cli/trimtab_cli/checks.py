"""What a machine needs for a run, judged from facts; each check says what to mend. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

GIB = 2**30
PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: `broken` makes a run fail, `warning` makes it slower or its figures worse."""

    name: str
    state: Literal["ok", "warning", "broken"]
    found: str
    fix: str = ""

    def __str__(self) -> str:
        """Return the line that a person reads."""
        return f"{self.state:<8} {self.name}: {self.found}{f' ({self.fix})' if self.fix else ''}"


def python(running: tuple[int, int], text: str) -> Check:
    """Whether this Python is new enough."""
    wanted = ".".join(map(str, PYTHON))
    if running < PYTHON:
        return Check("python", "broken", text, f"make an environment with Python {wanted} or newer")
    return Check("python", "ok", text)


def packages(pins: Iterable[tuple[str, str, str]], installed: Callable[[str], str | None]) -> list[Check]:
    """A check for each package of the base or the extra `jobs` that is missing or of another version."""
    wanted = [(name, version) for name, version, extra in pins if extra in {"", "jobs"}]
    found = [(name, version, installed(name)) for name, version in wanted]
    checks = [_package(name, version, has) for name, version, has in found if has != version]
    return checks or [Check("packages", "ok", f"all {len(found)} as tested")]


def _package(name: str, wanted: str, has: str | None) -> Check:
    if has is None:
        return Check(name, "broken", "not installed", "pip install 'trimtab[jobs]'")
    return Check(name, "warning", f"{has}, tested with {wanted}", f"pip install {name}=={wanted}")


def cores(available: float) -> Check:
    """Whether trials and the driver do not fight for one core."""
    if available < 2:
        return Check(
            "cores", "warning", f"{available:g}", "latency is measured beside the driver: use 2 or more"
        )
    return Check("cores", "ok", f"{available:g}")


def memory(total_bytes: int) -> Check:
    """Whether the driver, Ray and one worker with torch fit: about 2 GiB, and 1 GiB for each worker more."""
    text = f"{total_bytes / GIB:.1f} GiB"
    if total_bytes < 2 * GIB:
        return Check("memory", "broken", text, "a run with one worker takes about 2 GiB")
    if total_bytes < 4 * GIB:
        return Check("memory", "warning", text, "set search.parallelism: 1; each worker takes about 1 GiB")
    return Check("memory", "ok", text)


def disk(free_bytes: int, place: str) -> Check:
    """Whether checkpoints and candidates fit where the output goes."""
    text = f"{free_bytes / GIB:.1f} GiB free at {place}"
    if free_bytes < GIB // 4:
        return Check("disk", "broken", text, "free some, or choose another --output")
    if free_bytes < 2 * GIB:
        return Check("disk", "warning", text, "checkpoints of large models may not fit")
    return Check("disk", "ok", text)


def shared_memory(free_bytes: int | None, needed_bytes: int) -> Check:
    """Whether Ray's object store fits into /dev/shm; None where the system has none."""
    if free_bytes is None:
        return Check("/dev/shm", "ok", "not used on this system")
    text = f"{free_bytes / 2**20:.0f} MiB free"
    if free_bytes < needed_bytes:
        fix = (
            f"Ray uses slower /tmp instead; start the container with --shm-size={needed_bytes // 2**20 * 2}m"
        )
        return Check("/dev/shm", "warning", text, fix)
    return Check("/dev/shm", "ok", text)


def vector_units(hardware: str, flags: frozenset[str]) -> Check:
    """Whether int8 models will be fast on this processor."""
    if hardware != "x86-avx2":
        return Check("int8", "ok", hardware)
    if "avx512f" in flags or "avx2" in flags:
        known = "AVX-512 without VNNI" if "avx512f" in flags else "AVX2 without VNNI"
        return Check("int8", "warning", known, "int8 models are smaller here, but hardly faster")
    return Check("int8", "warning", "neither AVX2 nor VNNI", "int8 models will be slow on this processor")


def object_storage(output: str, environment: Mapping[str, str]) -> Check:
    """Whether credentials for S3 are at hand when the output is there; secrets are never shown."""
    key = environment.get("AWS_ACCESS_KEY_ID")
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    known = [f"endpoint {endpoint}" if endpoint else "endpoint of AWS", "a key" if key else "no key"]
    if not output.startswith("s3://"):
        return Check("s3", "ok", "not asked for; --output s3://bucket/prefix checks it")
    if key and not environment.get("AWS_SECRET_ACCESS_KEY"):
        return Check(
            "s3", "broken", ", ".join(known), "AWS_ACCESS_KEY_ID is set: set AWS_SECRET_ACCESS_KEY too"
        )
    if not key:
        fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, unless this machine has a role of its own"
        return Check("s3", "warning", ", ".join(known), fix)
    return Check("s3", "ok", ", ".join(known))

"""Parts: what one concern (the store, the code) adds to a pod, before the pod is put together."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """What a pod needs for one purpose."""

    env: tuple[Json, ...] = ()
    env_from: tuple[Json, ...] = ()
    volumes: tuple[Json, ...] = ()
    mounts: tuple[Json, ...] = ()


def joined(*parts: Part) -> Part:
    """Return all that several parts add."""
    return Part(
        env=tuple(each for part in parts for each in part.env),
        env_from=tuple(each for part in parts for each in part.env_from),
        volumes=tuple(each for part in parts for each in part.volumes),
        mounts=tuple(each for part in parts for each in part.mounts),
    )


def literal(text: str) -> str:
    """Return text for a command or variable in which the kubelet expands no $(NAME)."""
    return text.replace("$", "$$")


def variable(name: str, value: str) -> Json:
    """Return a variable of a container's environment."""
    return {"name": name, "value": value}


def claim_volume(name: str, claim: str, *, read_only: bool) -> Json:
    """Return a volume of a persistent volume claim."""
    return {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}


def read_only_mount(name: str, path: str, sub_path: str | None = None) -> Json:
    """Return a mount that nobody in the container can write to."""
    below = {"subPath": sub_path.rstrip("/")} if sub_path else {}
    return {"name": name, "mountPath": path, "readOnly": True, **below}

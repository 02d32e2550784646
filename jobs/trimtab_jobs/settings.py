"""Settings: where a driver in a pod finds everything, as the operator wrote it into the environment.

TRIMTAB_JOB, _NAMESPACE, _UID    the job
TRIMTAB_SEGMENT, _ATTEMPT        which part of its plan to carry out, and for which time
TRIMTAB_STORE                    URI of the run's store
TRIMTAB_PLAN, _REPORT            ConfigMaps to read the plan from and to write the report to
TRIMTAB_CODE, _DATA              folders of the user's code and of named data; may be absent
TRIMTAB_ALIVE                    file for signs of life; may be absent
TRIMTAB_API_SERVER, _TOKEN_FILE, _CA_FILE   the API server, where it is not the pod's own
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab_jobs.errors import RefusedError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts the token of a pod's service account and the API server's certificate."""
DATA_FOLDER = "/trimtab/data"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and for what one driver works."""

    job: str
    namespace: str
    uid: str
    segment: str
    attempt: int
    store: str
    plan: str
    """Name of the ConfigMap that holds the plan."""
    report: str
    """Name of the ConfigMap that the report goes to."""
    server: str
    """Address of the API server, without a slash at its end."""
    token_file: Path
    ca_file: Path
    code: str | None = None
    """Folder of the user's code; None: it is installed in the image."""
    data: Path = Path(DATA_FOLDER)
    """Folder below which each named set of data lies."""
    alive: Path | None = None
    """File for signs of life; None: nobody looks."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings; RefusedError names every variable that is missing or wrong."""
        missing = [
            name
            for name in (*_REQUIRED.values(), *_server_variables(environment))
            if not environment.get(name)
        ]
        attempt = environment.get("TRIMTAB_ATTEMPT", "")
        problems = [f"{name} is not set" for name in missing]
        if attempt and not (attempt.isdecimal() and int(attempt) >= 1):
            problems.append(f"TRIMTAB_ATTEMPT={attempt!r} is no number from 1 up")
        if problems:
            raise RefusedError(f"{'; '.join(problems)}: the operator sets these where it starts a driver")
        return cls(
            **{field: environment[name] for field, name in _REQUIRED.items() if field != "attempt"},
            attempt=int(attempt),
            server=_server_of(environment),
            token_file=Path(environment.get("TRIMTAB_TOKEN_FILE") or SERVICE_ACCOUNT / "token"),
            ca_file=Path(environment.get("TRIMTAB_CA_FILE") or SERVICE_ACCOUNT / "ca.crt"),
            code=environment.get("TRIMTAB_CODE") or None,
            data=Path(environment.get("TRIMTAB_DATA") or DATA_FOLDER),
            alive=Path(alive) if (alive := environment.get("TRIMTAB_ALIVE")) else None,
        )


_REQUIRED = {
    "job": "TRIMTAB_JOB",
    "namespace": "TRIMTAB_NAMESPACE",
    "uid": "TRIMTAB_UID",
    "segment": "TRIMTAB_SEGMENT",
    "attempt": "TRIMTAB_ATTEMPT",
    "store": "TRIMTAB_STORE",
    "plan": "TRIMTAB_PLAN",
    "report": "TRIMTAB_REPORT",
}
_SERVICE = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


def _server_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    return () if environment.get("TRIMTAB_API_SERVER") else _SERVICE


def _server_of(environment: Mapping[str, str]) -> str:
    if given := environment.get("TRIMTAB_API_SERVER"):
        return given.rstrip("/")
    host, port = (environment[name] for name in _SERVICE)
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

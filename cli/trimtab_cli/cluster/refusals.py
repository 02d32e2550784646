"""What an API server's refusal means for the person at the command line: one line, with the fix. Pure."""

import json
import re
from typing import Any

import click

from trimtab_cli.cluster.errors import (
    ClusterError,
    ConflictError,
    ExpiredError,
    InvalidError,
    MissingError,
    UnavailableError,
)

NOT_INSTALLED = (
    "this cluster does not know OptimizationJobs: Trimtab is not installed there; "
    "an administrator installs the chart: "
    "helm upgrade --install trimtab helm/trimtab --namespace trimtab-system --create-namespace"
)
_RIGHT = re.compile(
    r'User "(?P<user>.*?)" cannot (?P<verb>\S+) resource "(?P<resource>\S+?)" in API group "(?P<group>.*?)"'
    r'(?: in the namespace "(?P<namespace>.*?)")?'
)
_MANAGER = re.compile(r'conflict with "(.*?)"')
_BUSY = {408, 429}
_LOOKS = {"get", "list", "watch"}


def refusal(code: int, body: bytes) -> click.ClickException:
    """The error for an answer of this HTTP code with this body."""
    status = status_of(body)
    message = one_line(str(status.get("message") or "")) or f"the API server answered with HTTP {code}"
    if code in _BUSY or code >= 500:
        return UnavailableError(f"the API server cannot answer now: {message}")
    told = {401: _unknown, 403: _forbidden, 404: _missing, 409: _conflict, 410: _expired}
    return told[code](message, status) if code in told else _invalid(message, status)


def status_of(body: bytes) -> dict[str, Any]:
    """The server's own account of a refusal; of anything else its text, cut short."""
    try:
        status = json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace").strip()[:200]}
    return status if isinstance(status, dict) else {}


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def _unknown(message: str, status: dict[str, Any]) -> ClusterError:
    del status
    return ClusterError(
        f"the API server does not know you ({message}): log in again, or choose another --context"
    )


def _forbidden(message: str, status: dict[str, Any]) -> ClusterError:
    del status
    found = _RIGHT.search(message)
    if found is None:
        return ClusterError(f"refused by the cluster's policy: {message}")
    resource = ".".join(filter(None, (found["resource"], found["group"])))
    role = "view" if found["verb"] in _LOOKS else "edit"
    if found["namespace"]:
        where, grant = f"in namespace {found['namespace']}", f"of it can bind the ClusterRole {role} there"
    else:
        where, grant = (
            "in all namespaces",
            f"of the cluster can bind the ClusterRole {role}; or name one by -n",
        )
    return ClusterError(
        f"{found['user']} may not {found['verb']} {resource} {where}: an administrator {grant}"
    )


def _missing(message: str, status: dict[str, Any]) -> ClusterError:
    details = status.get("details") or {}
    if details.get("kind") == "namespaces":
        return MissingError(f"there is no namespace {details.get('name')} in this cluster")
    return MissingError(message) if details.get("name") else ClusterError(NOT_INSTALLED)


def _conflict(message: str, status: dict[str, Any]) -> ClusterError:
    causes = (status.get("details") or {}).get("causes") or []
    held = [each for each in causes if each.get("reason") == "FieldManagerConflict"]
    managers = [found[1] for each in held if (found := _MANAGER.search(each.get("message", "")))]
    fields = [each.get("field", "").removeprefix(".") for each in held]
    return ConflictError(message, tuple(dict.fromkeys(managers)), tuple(fields))


def _expired(message: str, status: dict[str, Any]) -> ClusterError:
    del status
    return ExpiredError(message)


def _invalid(message: str, status: dict[str, Any]) -> InvalidError:
    causes = (status.get("details") or {}).get("causes") or []
    lines = dict.fromkeys(_cause(each.get("field", ""), str(each.get("message", ""))) for each in causes)
    return InvalidError("\n".join(lines) or message)


def _cause(field: str, message: str) -> str:
    """One cause as validation tells it: the field, and what is wrong without Go's view of the value."""
    text = one_line(re.sub(r'^(Forbidden|Invalid value: (".*?"|\S+?)): ', "", message, flags=re.DOTALL))
    return ": ".join(part for part in (field if field != "<nil>" else "", text) if part)

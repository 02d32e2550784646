"""What an API server's refusal means: one of `errors`. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from trimtab_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotServedError,
    TransientError,
)
from trimtab_operator.kinds import Kind

_PASSING = {401, 408, 410, 429}
"""Codes that pass: a token being renewed, time-outs, a list that took too long to page, too many requests."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal as it came: HTTP code, body, and the header that says when to try again."""

    code: int
    body: bytes = b""
    retry_after: str = ""


def refusal(what: str, kind: Kind, answer: Answer) -> ClusterError:
    """Return the error for an answer; `what` was asked for, such as "create ConfigMap vision/digits-plan"."""
    status = _status_of(answer.body)
    message = f"cannot {what}: {status.get('message') or f'HTTP {answer.code}'}"
    if answer.code in _PASSING or answer.code >= 500:
        return TransientError(message, _seconds(answer.retry_after))
    if answer.code == 404:
        details = status.get("details") or {}
        return (
            GoneError(message)
            if details.get("name")
            else NotServedError(f"{kind.name} is not served: {message}")
        )
    meanings = {403: ForbiddenError, 409: ConflictError}
    return meanings.get(answer.code, InvalidError)(message)


def _status_of(body: bytes) -> dict[str, Any]:
    """Return the server's own account of a refusal; what is not one is shown as it is, cut short."""
    try:
        status = json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace").strip()[:200]}
    return status if isinstance(status, dict) else {}


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0

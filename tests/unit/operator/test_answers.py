"""What the API server's refusals mean."""

import json

import pytest

from trimtab_operator.answers import Answer, refusal
from trimtab_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotServedError,
    TransientError,
)
from trimtab_operator.kinds import RAY_JOB

GONE = {"name": "digits", "kind": "rayjobs"}
CASES = [
    pytest.param(409, {}, ConflictError, id="changed or there already"),
    pytest.param(403, {}, ForbiddenError, id="permissions, quota, admission"),
    pytest.param(422, {}, InvalidError, id="schema"),
    pytest.param(400, {}, InvalidError, id="malformed"),
    pytest.param(404, {"details": GONE}, GoneError, id="object"),
    pytest.param(404, {"details": {}}, NotServedError, id="kind of a group that is there"),
    pytest.param(429, {}, TransientError, id="too many requests"),
    pytest.param(401, {}, TransientError, id="token being renewed"),
    pytest.param(410, {}, TransientError, id="list took too long to page"),
    pytest.param(500, {}, TransientError, id="server error"),
    pytest.param(504, {}, TransientError, id="time-out behind a proxy"),
]


@pytest.mark.parametrize(("code", "status", "kind"), CASES)
def test_meaning(code: int, status: dict[str, object], kind: type[ClusterError]) -> None:
    body = json.dumps({"kind": "Status", "message": "says the server"} | status).encode()

    error = refusal("create RayJob vision/digits", RAY_JOB, Answer(code, body))

    assert type(error) is kind
    assert str(error).endswith("cannot create RayJob vision/digits: says the server")


def test_time_to_wait_is_the_servers() -> None:
    error = refusal("list", RAY_JOB, Answer(429, b"{}", retry_after="7"))

    assert isinstance(error, TransientError)
    assert error.retry_after_seconds == 7


@pytest.mark.parametrize("header", ["", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-1"])
def test_time_to_wait_that_is_no_number_of_seconds_is_left_to_the_queue(header: str) -> None:
    error = refusal("list", RAY_JOB, Answer(503, b"", header))

    assert isinstance(error, TransientError)
    assert error.retry_after_seconds == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"404 page not found\n", "RayJob is not served: cannot list: 404 page not found"),
        (b"[]", "RayJob is not served: cannot list: HTTP 404"),
        (b"\xff" + b"x" * 500, f"RayJob is not served: cannot list: \ufffd{'x' * 199}"),
    ],
    ids=["plain text", "no object", "long and no text"],
)
def test_answer_that_is_not_the_servers_own_is_shown(body: bytes, message: str) -> None:
    assert str(refusal("list", RAY_JOB, Answer(404, body))) == message

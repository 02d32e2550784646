"""What an API server's refusal means, in one line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab_cli.cluster.errors import (
    ConflictError,
    ExpiredError,
    MissingError,
    UnavailableError,
)
from trimtab_cli.cluster.refusals import refusal

FORBIDDEN = (
    'optimizationjobs.trimtab.io "digits" is forbidden: User "jane" cannot get resource "optimizationjobs" '
    'in API group "trimtab.io" in the namespace "vision"'
)
EVERYWHERE = (
    'optimizationjobs.trimtab.io is forbidden: User "system:serviceaccount:a:b" cannot list resource '
    '"optimizationjobs" in API group "trimtab.io" at the cluster scope'
)


def body(message: str, **details: Any) -> bytes:
    return json.dumps({"kind": "Status", "message": message, "details": details}).encode()


@pytest.mark.parametrize(
    ("code", "answer", "told"),
    [
        pytest.param(
            403,
            body(FORBIDDEN),
            "jane may not get optimizationjobs.trimtab.io in namespace vision: an administrator of it can "
            "bind the ClusterRole view there",
            id="no-right",
        ),
        pytest.param(
            403,
            body(EVERYWHERE),
            "an administrator of the cluster can bind the ClusterRole view; or name one by -n",
            id="nowhere",
        ),
        pytest.param(
            403, body("exceeded quota: small"), "refused by the cluster's policy: exceeded quota", id="quota"
        ),
        pytest.param(
            401, body("Unauthorized"), "does not know you (Unauthorized): log in again", id="unknown"
        ),
        pytest.param(404, b"404 page not found\n", "Trimtab is not installed there", id="no-definitions"),
        pytest.param(
            404, body("", kind="namespaces", name="vision"), "there is no namespace vision", id="no-namespace"
        ),
        pytest.param(500, b"<html>\nproxy\n</html>", "cannot answer now: <html> proxy </html>", id="proxy"),
        pytest.param(
            400,
            body("strict decoding error: unknown field"),
            "strict decoding error: unknown field",
            id="no-causes",
        ),
    ],
)
def test_refusal_says_what_to_do(code: int, answer: bytes, told: str):
    assert told in refusal(code, answer).message


def test_every_cause_is_a_line_without_what_go_thinks_of_the_value():
    causes = [
        {"field": "spec.search", "message": 'Invalid value: "object": cannot be changed'},
        {"field": "spec.trials", "message": "Forbidden: cannot be changed: only search.trials is editable"},
        {"field": "<nil>", "message": "Invalid value: null: some validation rules were not checked"},
        {"field": "spec.search", "message": 'Invalid value: "object": cannot be changed'},
    ]

    error = refusal(422, body("OptimizationJob is invalid", causes=causes))

    assert error.exit_code == 2
    assert error.message.splitlines() == [
        "spec.search: cannot be changed",
        "spec.trials: cannot be changed: only search.trials is editable",
        "some validation rules were not checked",
    ]


def test_conflict_names_who_holds_which_field():
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "argocd-controller" using v1',
            "field": ".spec.search.trials",
        }
    ]

    error = refusal(409, body("Apply failed with 1 conflict", causes=causes))

    assert isinstance(error, ConflictError)
    assert (error.managers, error.fields) == (("argocd-controller",), ("spec.search.trials",))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (404, MissingError),
        (409, ConflictError),
        (410, ExpiredError),
        (429, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_kind_of_an_error_says_whether_to_try_again(code: int, kind: type):
    assert type(refusal(code, body("no", name="digits"))) is kind


@given(st.integers(400, 599), st.binary(max_size=200) | st.text(max_size=50).map(body))
def test_whatever_is_answered_becomes_an_error_of_a_command(code: int, answer: bytes):
    error = refusal(code, answer)
    assert error.message
    assert error.exit_code in (2, 5)

"""What a server's refusal is taken for. Messages as obstore gives them, shortened."""

import pytest
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from trimtab_jobs.store.answers import Refusal, refusal_of


def answer(status: str, code: str, message: str = "") -> str:
    return (
        f"Error performing PUT http://host:9/bucket/key - Server returned non-2xx status code: {status}: "
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )


NO_ANSWER = "Error performing GET https://host:9/bucket/key in 1s - HTTP error: error sending request"
NO_CREDENTIALS = "Error performing PUT http://169.254.169.254/latest/api/token in 1s - HTTP error"

TABLE = [
    pytest.param(
        FileNotFoundError(answer("404 Not Found", "NoSuchKey")),
        Refusal("not there", missing=True),
        id="no such key",
    ),
    pytest.param(
        FileNotFoundError(answer("404 Not Found", "NoSuchBucket")),
        Refusal("bucket 'bucket' does not exist; create it, or choose another --output"),
        id="no such bucket",
    ),
    pytest.param(
        GenericError(answer("404 Not Found", "NoSuchBucket")),
        Refusal("bucket 'bucket' does not exist; create it, or choose another --output"),
        id="no such bucket, listing",
    ),
    pytest.param(
        FileNotFoundError(answer("404 Not Found", "NoSuchUpload", "Gone.")),
        Refusal("the server answered 404 NoSuchUpload Gone; see its log", final=False),
        id="upload that was completed",
    ),
    pytest.param(
        UnauthenticatedError(answer("401 Unauthorized", "")),
        Refusal("the credentials were refused (unknown); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        id="not signed in",
    ),
    pytest.param(
        GenericError(answer("507 Insufficient Storage", "XMinioStorageFull", "Storage backend is full.")),
        Refusal(
            "the store is full (XMinioStorageFull); make room, or raise its quota", final=False, full=True
        ),
        id="full",
    ),
    pytest.param(
        PermissionDeniedError(answer("403 Forbidden", "QuotaExceeded")),
        Refusal("the store is full (QuotaExceeded); make room, or raise its quota", final=False, full=True),
        id="quota used up",
    ),
    pytest.param(
        GenericError(answer("500 Internal Server Error", "InternalError", "write: no space left on device")),
        Refusal("the store is full (InternalError); make room, or raise its quota", final=False, full=True),
        id="no space",
    ),
    pytest.param(
        GenericError(answer("507 Insufficient Storage", "")),
        Refusal("the store is full (507); make room, or raise its quota", final=False, full=True),
        id="full, without a word",
    ),
    pytest.param(
        PermissionDeniedError(answer("403 Forbidden", "AccessDenied")),
        Refusal("access denied; allow get, put, list and delete on bucket 'bucket'"),
        id="access denied",
    ),
    pytest.param(
        PermissionDeniedError(answer("403 Forbidden", "ExpiredToken")),
        Refusal(
            "the credentials were refused (ExpiredToken); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ),
        id="expired token",
    ),
    pytest.param(
        AlreadyExistsError(answer("409 Conflict", "ObjectParentIsFile")),
        Refusal("a key cannot be another key's folder (ObjectParentIsFile); choose another --output"),
        id="key below a key",
    ),
    pytest.param(
        AlreadyExistsError(answer("409 Conflict", "ConditionalRequestConflict")),
        Refusal("the server answered 409 ConditionalRequestConflict; see its log", final=False),
        id="another create under way",
    ),
    pytest.param(
        PreconditionError(answer("412 Precondition Failed", "PreconditionFailed")),
        Refusal("it was replaced while it was read; run the command again"),
        id="replaced",
    ),
    pytest.param(
        GenericError(answer("503 Service Unavailable", "SlowDown", "Please reduce your request rate.")),
        Refusal("the server answered 503 SlowDown Please reduce your request rate; see its log", final=False),
        id="slow down",
    ),
    pytest.param(
        GenericError(answer("429 Too Many Requests", "")),
        Refusal("the server answered 429; see its log", final=False),
        id="too many requests",
    ),
    pytest.param(
        GenericError(answer("400 Bad Request", "InvalidBucketName", "It is &quot;not&quot; valid.")),
        Refusal(
            'the server answered 400 InvalidBucketName It is "not" valid; '
            "check the bucket's name, its region and its endpoint"
        ),
        id="wrong request",
    ),
    pytest.param(
        GenericError(NO_ANSWER),
        Refusal("https://host:9 does not answer; check AWS_ENDPOINT_URL and the network", final=False),
        id="no answer",
    ),
    pytest.param(
        GenericError(NO_CREDENTIALS),
        Refusal("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        id="no credentials",
    ),
]


@pytest.mark.parametrize(("error", "refusal"), TABLE)
def test_refusal_of_a_bucket(error: Exception, refusal: Refusal) -> None:
    assert refusal_of(error, "s3://bucket/prefix") == refusal


@pytest.mark.parametrize(
    ("uri", "fix"),
    [
        ("s3://bucket", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("gs://bucket", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://bucket", "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
    ],
)
def test_fix_names_the_variables_of_the_cloud(uri: str, fix: str) -> None:
    assert refusal_of(GenericError(NO_CREDENTIALS), uri).text == f"no credentials; set {fix}"


def test_other_clouds_are_not_told_of_the_endpoint() -> None:
    assert (
        refusal_of(GenericError("error"), "gs://bucket").text
        == "the server does not answer; check the network"
    )

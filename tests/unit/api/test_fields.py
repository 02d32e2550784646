"""The words of a manifest: what each pattern takes and leaves, and what the words stand for."""

import pytest
from pydantic import TypeAdapter, ValidationError

from trimtab_api import fields
from trimtab_api.fields import EXPECTED, duration_seconds, quantity_value

SHA = "0" * 64
WORDS = {
    "Label": ("a digits-2 0", "-a a- A a.b a_b"),
    "Subdomain": ("a a.b-c.d 0", ".a a. a..b A"),
    "Identifier": ("a _a batch_size B2", "2a a-b a.b"),
    "MetricName": ("accuracy f1@5 top-1 val/loss latencyMs", "1f _a a:b"),
    "Entrypoint": ("a:B a.b.c:D _a:_b", "a :b a: a:b:c a.:b a:b.c"),
    "Uri": (
        "s3://b s3://b/ gs://b/c.d/..e az://b/.hidden file:///tmp/x pvc://claim pvc://claim/p/q",
        "s3:// s3://B ftp://b/c s3://b/../c s3://b/. s3://b/c/.. s3://b/%2e%2e/c s3://b/c?x s3://b/c#d"
        " s3://b/\\c s3://b//c file://tmp file:/// pvc://-a /tmp x",
    ),
    "DataUri": ("s3://b/c data/x ../data ./x x.csv", "/tmp ftp://b a:b s3://b/../c"),
    "Sha256": (SHA, f"{SHA}0 {SHA[1:]} {'A' * 64}"),
    "Image": (f"a@sha256:{SHA} reg.io:5000/a/B:1@sha256:{SHA}", f"a a:1 a@sha256:1 A@sha256:{SHA}"),
    "Duration": ("30s 90m 8h 1h30m 2d12h 1d1h1m1s", "h 0h 1.5h 30m1h 8 8H"),
    "Quantity": ("1 500m 4Gi 1.5G 0.5 100k", "0 0.0 4GB -1 1e3 .5"),
    "RelativePath": ("a a/b .hidden/x a..b", "/a ../a a/../b . a//b"),
    "Prefix": ("s3://b/ s3://b/{namespace}/{name}/ pvc://c/", "s3://b b/ s3://b/{user}/"),
    "Endpoint": ("https://s3.example.org http://10.0.0.1:9000/", "s3.example.org https:// https://a/b"),
    "ResourceName": ("nvidia.com/gpu amd.com/gpu-x", "gpu /gpu nvidia.com/"),
}
TAKEN = [(word, text) for word, (taken, _) in WORDS.items() for text in taken.split()]
LEFT = [(word, text) for word, (_, left) in WORDS.items() for text in left.split()]
OF_WORDS = {"string_pattern_mismatch", "string_too_short", "string_too_long"}
CRON = ["0 3 * * *", "*/5 0-6 1,15 JAN-MAR MON-FRI/2", "@daily"]
NOT_CRON = ["0 3 * *", "0 3 * * * *", "daily", "a b c d e", "0  3 * * *"]


@pytest.mark.parametrize(("word", "text"), TAKEN + [("Cron", text) for text in CRON])
def test_word_is_taken(word: str, text: str) -> None:
    assert TypeAdapter(getattr(fields, word)).validate_python(text) == text


@pytest.mark.parametrize(("word", "text"), LEFT + [("Cron", text) for text in NOT_CRON])
def test_word_is_refused_by_its_pattern(word: str, text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(getattr(fields, word)).validate_python(text)

    assert {error["type"] for error in refusal.value.errors()} <= OF_WORDS


def test_every_pattern_says_what_is_expected() -> None:
    patterns = {TypeAdapter(getattr(fields, word)).json_schema()["pattern"] for word in [*WORDS, "Cron"]}

    assert patterns == set(EXPECTED)


@pytest.mark.parametrize(
    ("duration", "seconds"), [("30s", 30), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061)]
)
def test_duration_is_a_sum_of_seconds(duration: str, seconds: int) -> None:
    assert duration_seconds(duration) == seconds


@pytest.mark.parametrize(
    ("quantity", "value"), [("4Gi", 4 * 2**30), ("500m", 0.5), ("1.5G", 1.5e9), ("3", 3), ("2Ki", 2048)]
)
def test_quantity_is_a_number(quantity: str, value: float) -> None:
    assert quantity_value(quantity) == value

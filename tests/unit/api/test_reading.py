"""YAML by Kubernetes' rules; the integration tier asks the API server about the same scalars."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from trimtab_api.errors import SpecError
from trimtab_api.reading import MAX_CHARACTERS, read_documents, read_scalar

SCALARS = [
    ("1e-4", 0.0001),
    ("4e1", 40),
    ("1.0", 1),
    ("-0.0", 0),
    ("+5", 5),
    ("1_000", 1000),
    ("0777", 511),
    ("-0o17", -15),
    ("0x1F", 31),
    ("0b101", 5),
    ("08", 8),
    (".5", 0.5),
    ("1e400", "1e400"),
    (".inf", math.inf),
    ("yes", True),
    ("N", False),
    ("Off", False),
    ("yEs", "yEs"),
    ("~", None),
    ("", None),
    ("2026-11-24", "2026-11-24"),
    ("12:30", "12:30"),
    ("sgd", "sgd"),
    ("'64'", "64"),
    ('"a\\tb"', "a\tb"),
    ("'unclosed", "'unclosed"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text or "empty" for text, _ in SCALARS])
def test_scalar_is_read_by_its_spelling(text: str, value: object) -> None:
    read = read_scalar(text)

    assert (read, type(read)) == (value, type(value))


@unhurried
@given(st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False)))
def test_number_is_read_as_written(number: float) -> None:
    assert read_scalar(repr(number)) == number


def test_documents_come_with_their_first_lines() -> None:
    assert read_documents("# first\na: 1\n---\n---\n- x\n") == [(2, {"a": 1}), (4, None), (5, ["x"])]


def test_merged_mapping_gives_way_to_own_keys() -> None:
    text = "a: &a {x: 1, y_: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  z: 3\n"

    assert read_documents(text)[0][1]["c"] == {"x": 1, "y_": 1, "z": 3}


BOMB = "kind: x\na: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + below] * 10)}]\n"
    for below, name in zip("abcdef", "bcdefg", strict=True)
)
REFUSED = {
    "repeated-key": ("a: 1\nb: 2\na: 3\n", "line 3: repeats the key a of line 1: keep one of them"),
    "boolean-key": ("y: 1\n", "line 1: has the key y, which YAML reads as no string: put it in quotes"),
    "number-key": ("1: 1\n", "line 1: has the key 1, which YAML reads as no string: put it in quotes"),
    "list-key": ("? [1]\n: 2\n", "line 1: has a list or mapping for a key: keys are strings"),
    "infinity": ("a:\n  b: .inf\n", "line 2: .inf is not a number that JSON can hold"),
    "binary": (
        "a: !!binary aGk=\n",
        "line 1: has the tag tag:yaml.org,2002:binary, which Kubernetes does not",
    ),
    "own-tag": (
        "a: !secret x\n",
        "line 1: has the tag !secret, which Kubernetes does not read: leave it out",
    ),
    "set": ("a: !!set {b}\n", "line 1: has the tag tag:yaml.org,2002:set, which Kubernetes does not read"),
    "alias-bomb": (BOMB, "line 2: unfolds to more than a manifest can hold: write it without aliases"),
    "alias-loop": (
        "a: &a [*a]\n",
        "line 1: unfolds to more than a manifest can hold: write it without aliases",
    ),
    "deep": ("[" * 100_000, "line 1: is nested more than 64 deep"),
    "merge-over-own-key": ("a: {b: 1, <<: {b: 2}}\n", "line 1: merges over the key b above it: put << first"),
    "merge-of-scalar": ("a: {<<: 1}\n", "line 1: merges with << what is not a mapping"),
    "unclosed": ("a: [1\n", "line 2: is not YAML: did not find expected ',' or ']'"),
    "tab": ("a:\n\tb: 1\n", "line 2: is not YAML: found character that cannot start any token"),
    "unknown-alias": ("a: *b\n", "line 1: is not YAML: found undefined alias"),
    "control-character": ("a: \x00\n", "is not YAML: unacceptable character #x0000"),
    "long": ("#" * (MAX_CHARACTERS + 1), "is longer than 3145728 characters: no manifest is"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_text_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        read_documents(text)

    assert str(refusal.value).startswith(message)


@unhurried
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SpecError):
        read_documents(text)

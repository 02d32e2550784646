"""Reading what others wrote: as much as is understood, and nothing that could do harm."""

from typing import Any

import pytest

from trimtab_operator.manifests import at, items_at, mapping_at, text_at, time_at, whole_at
from trimtab_operator.reading import status_of
from trimtab_operator.texts import cut, plain, weight


def test_fields_of_a_newer_version_are_left_out_and_all_else_is_read() -> None:
    runs = [{"name": "a", "segment": "search", "attempt": 1, "novelty": 7}]

    status = status_of({"status": {"attempt": 3, "runs": runs, "novelty": {"a": 1}}})

    assert (status.attempt, status.runs[0].name) == (3, "a")


def test_field_that_cannot_be_read_does_not_take_the_others_with_it() -> None:
    status = status_of({"status": {"attempt": 3, "phase": "Dancing", "trials": 7}})

    assert (status.attempt, status.phase, status.trials.total) == (3, "Pending", 0)


@pytest.mark.parametrize("job", [{}, {"status": None}, {"status": []}], ids=["absent", "null", "a list"])
def test_job_without_a_status_has_an_empty_one(job: Any) -> None:
    assert status_of(job).attempt == 0


MANIFEST: Any = {
    "a": {"text": "x", "whole": 7, "digits": "12", "list": [{"b": 1}, 2], "time": "2026-11-24T08:00:00Z"}
}


def test_what_is_there_is_found() -> None:
    assert at(MANIFEST, "a", "whole") == 7
    assert mapping_at(MANIFEST, "a")["text"] == "x"
    assert items_at(MANIFEST, "a", "list") == ({"b": 1},)
    assert (text_at(MANIFEST, "a", "text"), whole_at(MANIFEST, "a", "digits")) == ("x", 12)


@pytest.mark.parametrize(
    "path", [("b",), ("a", "text", "more"), ("a", "list", "0"), ("a", "nothing", "at", "all")]
)
def test_what_is_not_there_is_empty(path: tuple[str, ...]) -> None:
    assert at(MANIFEST, *path) is None
    assert (mapping_at(MANIFEST, *path), items_at(MANIFEST, *path), text_at(MANIFEST, *path)) == ({}, (), "")
    assert (whole_at(MANIFEST, *path), time_at(MANIFEST, *path)) == (0, None)


WHOLES = {"0": 0, "-1": 0, "1.0": 0, "2147483647": 2**31 - 1, "2147483648": 0, "٣": 0, "9" * 99: 0}


@pytest.mark.parametrize(("text", "number"), WHOLES.items(), ids=lambda each: repr(each)[:12])
def test_numbers_in_labels_are_read_with_care(text: str, number: int) -> None:
    assert whole_at({"a": text}, "a") == number


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00+00:00"),
        ("2026-11-24T08:00:00+02:00", "2026-11-24T06:00:00+00:00"),
        ("2026-11-24T08:00:00", "2026-11-24T08:00:00+00:00"),
    ],
)
def test_times_are_in_utc(text: str, iso: str) -> None:
    found = time_at({"a": text}, "a")

    assert found is not None
    assert found.isoformat() == iso


@pytest.mark.parametrize("text", ["soon", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_at({"a": text}, "a") is None


TEXTS = {
    "as it is": ("lr is 0.1", "lr is 0.1"),
    "lines stay": ("a\nb", "a\nb"),
    "colours": ("\x1b[31mred\x1b[0m", "[31mred[0m"),
    "bell and null": ("a\x07\x00b", "ab"),
    "right to left": ("a\u202eb", "ab"),
    "half a character": ("a\ud800b", "ab"),
    "words of any language": ("Größe 大きさ", "Größe 大きさ"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_text_does_nothing_to_a_terminal(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    "text", ["x" * 500, "字" * 500, "<&>" * 200, '"\\\n' * 200, "a"], ids=lambda each: each[:2]
)
@pytest.mark.parametrize("most_bytes", [20, 100, 400])
def test_long_text_keeps_its_beginning_and_its_end(text: str, most_bytes: int) -> None:
    short = cut(text, most_bytes)

    assert weight(short) <= most_bytes
    assert (short[:1], short[-1:]) == (text[:1], text[-1:])

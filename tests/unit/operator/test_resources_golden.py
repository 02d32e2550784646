"""The children of every sample, as files to review: `TRIMTAB_GOLDEN=write pytest …` writes them."""

import os
from collections.abc import Callable

import pytest

from tests.support.children import GOLDEN, INPUTS, SAMPLES, Document, rendered, starts
from trimtab_operator.resources import children

Golden = Callable[[str, str], None]
each_sample = pytest.mark.parametrize("sample", SAMPLES)


@pytest.fixture
def golden() -> Golden:
    """Compare a text with a file below tests/golden, or write it there."""

    def check(name: str, text: str) -> None:
        if os.environ.get("TRIMTAB_GOLDEN") == "write":
            (GOLDEN / name).write_text(text)
        assert text == (GOLDEN / name).read_text(), f"TRIMTAB_GOLDEN=write {GOLDEN / name}"

    return check


@each_sample
def test_children_are_as_reviewed(sample: str, golden: Golden) -> None:
    for name, child in named_children(sample).items():
        golden(f"{sample}/{name}", rendered(child))


@each_sample
def test_every_reviewed_file_is_a_child(sample: str) -> None:
    assert {path.name for path in (GOLDEN / sample).iterdir()} - INPUTS == set(named_children(sample))


def named_children(sample: str) -> dict[str, Document]:
    """The children of all segments of a sample, by the file that shows them."""
    found = {}
    for start in starts(sample):
        *applied, created = (dict(action.manifest) for action in children(start))
        found |= {file_of(child): child for child in applied}
        found[f"ray-job-{start.shape.name}.yaml"] = created
    return found


def file_of(child: Document) -> str:
    if child["kind"] == "ConfigMap":
        return f"{child['metadata']['name'].rpartition('-')[2]}.yaml"
    return (
        "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in child["kind"])[1:]
        + ".yaml"
    )

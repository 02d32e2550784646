"""What the built-in tasks may be told, and what is said of anything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab_api.reading import read_scalar
from trimtab_jobs.pool import CodeError
from trimtab_jobs.tasks.arguments import (
    Arguments,
    Name,
    Names,
    SharesOrName,
    Whole,
    chosen_data,
    read_arguments,
)


class Some(Arguments):
    """One of each kind."""

    target: Name = "price"
    ignore: Names = ()
    split: SharesOrName = (0.6, 0.2, 0.2)
    epochs: Whole = 20


def read(**texts: str) -> Some:
    """The arguments as a manifest writes them."""
    return read_arguments(Some, {name: read_scalar(text) for name, text in texts.items()})


def test_everything_has_a_default() -> None:
    assert read() == Some()


def test_a_number_may_be_a_name_and_names_are_separated_by_commas() -> None:
    told = read(target="7", ignore="id, when ,", split="6, 2, 2", epochs="3")
    assert (told.target, told.ignore, told.epochs) == ("7", ("id", "when"), 3)
    assert told.split == pytest.approx((0.6, 0.2, 0.2))
    assert read(ignore="3").ignore == ("3",)


def test_any_text_but_three_numbers_is_the_split_column() -> None:
    assert read(split="part").split == "part"
    assert read(target="'y'").target == "y"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        pytest.param(
            {"targt": "x"}, "spec.task.args.targt: is not a field; did you mean target?", id="misspelt"
        ),
        pytest.param(
            {"epochs": "many"},
            'spec.task.args.epochs: must be a whole number, got "many"',
            id="no number",
        ),
        pytest.param({"epochs": "0"}, "spec.task.args.epochs: must be at least 1, got 0", id="too small"),
        pytest.param(
            {"target": "y"},
            "spec.task.args.target: must be a name; unquoted yes, y or true is a boolean: write \"'y'\", got "
            "true",
            id="a boolean by YAML's rules",
        ),
        pytest.param(
            {"split": "0.8, 0.2"},
            'must be three shares above 0 for train, validation and test, such as "0.6, 0.2, 0.2"',
            id="two shares",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_value(texts: dict[str, str], message: str) -> None:
    with pytest.raises(CodeError) as told:
        read(**texts)
    assert message in str(told.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(CodeError) as told:
        read(epochs="0", nose="1")
    assert len(str(told.value).splitlines()) == 2


@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_shares_are_scaled_to_a_sum_of_one(parts: list[float]) -> None:
    split: Any = read(split=", ".join(map(repr, parts))).split
    assert sum(split) == pytest.approx(1)
    assert [share * sum(parts) for share in split] == pytest.approx(parts)


def test_the_first_set_of_data_is_taken_unless_one_is_named() -> None:
    data = {"old": "/a", "new": "/b"}
    assert (chosen_data(data, None), chosen_data(data, "new")) == ("/a", "/b")
    with pytest.raises(CodeError, match=r"args.data: there is no data 'newer'; there is old, new"):
        chosen_data(data, "newer")
    with pytest.raises(CodeError, match=r"spec.task.data: is empty; add the data"):
        chosen_data({}, None)

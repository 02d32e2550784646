"""Merge patches between statuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_cluster import merged
from trimtab_operator.merge import difference

values = st.recursive(
    st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, "a"])
    | st.lists(st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"a": 1}, {"a": 1.0}, {}, id="number as the server writes it"),
        pytest.param({"a": 1}, {"a": True}, {"a": True}, id="true is not 1"),
        pytest.param({"a": 1, "b": 2}, {"b": 2}, {"a": None}, id="gone"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}, id="gone inside"),
        pytest.param({"a": 1}, {"a": None}, {"a": None}, id="null counts as gone"),
        pytest.param({}, {"a": None}, {}, id="null that was not there"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, {"a": [1]}, id="list"),
        pytest.param({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="object in a value's place"),
        pytest.param({}, {"a": {}}, {"a": {}}, id="empty object"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}, id="emptied object"),
    ],
)
def test_difference(before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]) -> None:
    assert difference(before, after) == patch


@given(objects, objects)
def test_patch_makes_one_into_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert merged(before, difference(before, after)) == after
    assert difference(after, after) == {}

"""The configurations by which the cost of a search space is found out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import searches, unhurried
from tests.support.search import SPACE
from trimtab_api.job import Parameter, SearchSpec
from trimtab_jobs.search.probes import probes_of, value_at
from trimtab_jobs.search.space import Dimension, space_of

PARAMETERS = [Parameter.model_validate(each) for each in SPACE]


def dimension(**values) -> Dimension:
    return space_of([Parameter.model_validate({"name": "x", **values})]).dimensions[0]


def test_baseline_comes_first_then_the_upper_and_the_lower_end():
    baseline, upper, lower, anywhere = probes_of(space_of(PARAMETERS), 4)

    assert baseline == {"lr": 0.01, "width": 32, "optimizer": "sgd", "momentum": 0.45}
    assert (upper["width"], upper["optimizer"], upper["lr"]) == (64, "adamw", pytest.approx(0.01))
    assert (lower["width"], lower["optimizer"], lower["momentum"]) == (16, "sgd", 0.45)
    assert anywhere not in (baseline, upper, lower)


def test_probes_are_the_same_each_time():
    assert probes_of(space_of(PARAMETERS), 8) == probes_of(space_of(PARAMETERS), 8)


def test_space_without_parameters_has_one_probe():
    assert probes_of(space_of([]), 4) == ({},)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        pytest.param({"int": {"low": 64, "high": 96, "step": 16}}, (64, 80, 96), id="int"),
        pytest.param({"int": {"low": 1, "high": 100, "log": True}}, (1, 10, 100), id="log-int"),
        pytest.param({"float": {"low": 0.0, "high": 0.5}}, (0.0, 0.25, 0.5), id="float"),
        pytest.param({"float": {"low": 0.0, "high": 1.0, "step": 0.25}}, (0.0, 0.5, 1.0), id="steps"),
        pytest.param({"categorical": ["a", "b", "c"]}, ("a", "b", "c"), id="choice"),
    ],
)
def test_value_lies_so_far_up_its_range(values, ends):
    found = dimension(**values)
    assert tuple(value_at(found, share) for share in (0.0, 0.5, 1.0)) == ends


@pytest.mark.filterwarnings("ignore:The distribution is specified by")  # binary fractions of a step
@unhurried
@given(searches, st.integers(1, 6))
def test_probes_are_different_configurations_of_the_space(search, count):
    for index, parameter in enumerate(search["parameters"]):
        parameter["name"] = f"p{index}"
    space = space_of(SearchSpec.model_validate(search).parameters)

    probes = probes_of(space, count)

    assert 1 <= len(probes) <= count
    assert len({tuple(sorted(probe.items())) for probe in probes}) == len(probes)
    for probe in probes:
        for each in space.dimensions:
            assert each.distribution._contains(each.distribution.to_internal_repr(probe[each.name]))

"""`--set path=value`: what it sets, and what it refuses."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from trimtab_api.reading import read_scalar
from trimtab_cli.assignments import AssignmentError, assigned, assignment, assignments

JOB = {
    "spec": {
        "task": {"entrypoint": "digits:Digits"},
        "search": {"trials": 24},
        "guardrail": [{"metric": "accuracy", "maxDrop": 0.02}, {"metric": "sizeMB", "max": 2}],
    }
}
names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
any_names = st.text(st.characters(codec="utf-8", exclude_characters="="), min_size=1, max_size=8)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


def spec_with(*texts):
    return assigned(JOB, assignments(texts))["spec"]


def refused(*texts):
    with pytest.raises(AssignmentError) as caught:
        assigned(JOB, assignments(texts))
    assert caught.value.exit_code == 2
    return caught.value.message


def escaped(name):
    return "".join(f"\\{sign}" if sign in ".[]\\" else sign for sign in name)


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        pytest.param("spec.search.trials=5", ["search", "trials"], 5, id="number"),
        pytest.param("spec.search.seed=1e3", ["search", "seed"], 1000, id="exponent"),
        pytest.param("spec.suspend=yes", ["suspend"], True, id="word"),
        pytest.param("spec.task.args.size='64'", ["task", "args", "size"], "64", id="quoted"),
        pytest.param("spec.task.entrypoint=a:B", ["task", "entrypoint"], "a:B", id="text"),
        pytest.param("spec.output=s3://a?b=c", ["output"], "s3://a?b=c", id="equals-sign"),
        pytest.param("spec.guardrail[0].maxDrop=0.05", ["guardrail", 0, "maxDrop"], 0.05, id="item"),
        pytest.param("spec.compress.quantize[0]=int8", ["compress", "quantize", 0], "int8", id="new-section"),
        pytest.param("spec.compress={quantize: [fp16]}", ["compress"], {"quantize": ["fp16"]}, id="flow"),
        pytest.param(
            "spec.guardrail[2]={metric: f1}", ["guardrail", 2], {"metric": "f1"}, id="one-more-item"
        ),
    ],
)
def test_field_is_set_where_the_path_leads(text, path, value):
    found = spec_with(text)
    for step in path:
        found = found[step]
    assert (found, type(found)) == (value, type(value))


def test_null_removes_a_field_or_an_item():
    assert "search" not in spec_with("spec.search=null")
    assert spec_with("spec.guardrail[0]=null")["guardrail"] == JOB["spec"]["guardrail"][1:]


def test_later_assignments_see_the_earlier_ones():
    assert spec_with("spec.guardrail=null", "spec.guardrail[0].metric=f1")["guardrail"] == [{"metric": "f1"}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("spec.search.trials", "takes PATH=VALUE, such as", id="no-value"),
        pytest.param("=5", "takes PATH=VALUE, such as", id="no-path"),
        pytest.param("spec..trials=5", "takes PATH=VALUE, such as", id="empty-name"),
        pytest.param("spec.guardrail[x]=5", "takes PATH=VALUE, such as", id="index-is-no-number"),
        pytest.param("spec.search.trials=", "has no value; null removes the field", id="empty"),
        pytest.param("search.trials=5", "write the whole path, such as spec.search.trials", id="shorthand"),
        pytest.param("spec.compress=[int8", "the value is not YAML: ", id="broken-flow"),
        pytest.param(
            "spec.search.trials.x=5", "spec.search.trials is 24, not a mapping", id="below-a-number"
        ),
        pytest.param("spec.search[0]=5", "spec.search is a mapping, not a list", id="index-of-a-mapping"),
        pytest.param("spec.guardrail.max=5", "spec.guardrail is a list, not a mapping", id="name-in-a-list"),
        pytest.param("spec.guardrail[7]=5", "spec.guardrail has 2 items; index 2 adds one", id="far-index"),
        pytest.param("spec.serch=null", "spec.serch is not there to be removed", id="nothing-to-remove"),
        pytest.param("spec.guardrail[2]=null", "spec.guardrail[2] is not there", id="no-item-to-remove"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_flag_and_the_fix(text, why):
    told = refused(text)
    assert told.startswith(f"--set {text}: ")
    assert why in told


@unhurried
@given(st.lists(st.one_of(any_names, st.integers(0, 999)), max_size=6))
def test_path_is_read_as_it_was_written(rest):
    steps = ("spec", *rest)
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{escaped(step)}" for step in steps)

    assert assignment(f"{text[1:]}=1").steps == steps


@unhurried
@given(scalars)
def test_value_is_read_as_the_manifest_would_read_it(value):
    text = json.dumps(value)

    assert assignment(f"spec.x={text}").value == read_scalar(text)


@unhurried
@given(st.text())
def test_any_text_is_an_assignment_or_refused(text):
    try:
        told = assignment(text).text
    except AssignmentError as error:
        told = error.message.removeprefix("--set ")
    assert told.startswith(text)


@unhurried
@given(st.lists(names, min_size=1, max_size=4), st.integers())
def test_setting_changes_nothing_else_and_not_the_document_itself(path, value):
    before = copy.deepcopy(JOB)
    text = ".".join(["spec", "extra", *path])

    after = assigned(JOB, [assignment(f"{text}={value}")])

    assert before == JOB
    assert {**after["spec"], "extra": None} == {**JOB["spec"], "extra": None}


@unhurried
@given(st.lists(names, min_size=1, max_size=4))
def test_removing_what_was_set_leaves_its_section_empty(path):
    text = ".".join(["spec", "extra", *path])

    after = assigned(JOB, assignments([f"{text}=1", f"{text}=null"]))

    for step in ("spec", "extra", *path[:-1]):
        after = after[step]
    assert after == {}

"""Jobs for tests: small ones by hand, any valid one by Hypothesis, and one document in other words."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import parse_job

Document = dict[str, Any]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
"""A property is judged by what it finds, not by how long a busy machine takes."""
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def job_document(**spec: Any) -> Document:
    """A job's document with these sections beside its task."""
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": "digits"},
        "spec": {"task": {"entrypoint": "digits:Digits"}, **copy.deepcopy(spec)},
    }


def job(**spec: Any) -> OptimizationJob:
    """A job with these sections beside its task."""
    return parse_job(job_document(**spec))


@st.composite
def ranges(draw: st.DrawFn) -> Document:
    """A float range, with a scale or a step now and then."""
    low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
    kind = draw(st.sampled_from(["plain", "log", "step"]))
    if kind == "log" and low > 0:
        return {"low": low, "high": high, "log": True}
    if kind == "step":
        return {"low": low, "high": high, "step": (high - low) / draw(st.integers(1, 50))}
    return {"low": low, "high": high}


@st.composite
def whole_ranges(draw: st.DrawFn) -> Document:
    """A range of whole numbers, with a scale or a step now and then."""
    low, steps, step = draw(st.integers(-1000, 1000)), draw(st.integers(1, 50)), draw(st.integers(1, 20))
    if low > 0 and draw(st.booleans()):
        return {"low": low, "high": low + steps, "log": True}
    return {"low": low, "high": low + steps * step, "step": step}


parameters = st.one_of(
    st.fixed_dictionaries({"float": ranges()}),
    st.fixed_dictionaries({"int": whole_ranges()}),
    st.fixed_dictionaries(
        {"categorical": st.lists(st.sampled_from([1, 2, "sgd", "adam", "0.5"]), min_size=1, unique=True)}
    ),
)
searches = st.fixed_dictionaries(
    {"parameters": st.lists(parameters, min_size=1, max_size=5)},
    optional={
        "seed": st.integers(0, 2**31 - 1),
        "trials": st.integers(1, 10_000),
        "parallelism": st.integers(1, 256),
        "sampler": st.sampled_from([{"tpe": {}}, {"random": {}}]),
        "pruner": st.sampled_from([{"none": {}}, {"asha": {}}, {"asha": {"minEpochs": 2, "reduction": 4}}]),
    },
)
budgets = st.fixed_dictionaries(
    {},
    optional={
        "duration": st.sampled_from(["30s", "90m", "8h", "3d"]),
        "gpuHours": st.floats(0.01, 1000),
        "failedTrials": st.integers(1, 100),
    },
)
resources = st.fixed_dictionaries(
    {},
    optional={
        "search": st.fixed_dictionaries(
            {}, optional={"pool": st.sampled_from(["gpu", "cpu", "tpu"]), "workers": st.integers(1, 20)}
        ),
        "compress": st.fixed_dictionaries({}, optional={"pool": st.just("cpu")}),
    },
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "search": searches,
        "compress": st.just({"quantize": ["int8"]}),
        "objectives": st.just([{"metric": "accuracy", "direction": "maximize", "goal": 1.0}]),
        "guardrail": st.lists(
            st.fixed_dictionaries({"metric": st.just("accuracy"), "maxDrop": st.floats(0, 1)}), max_size=1
        ),
        "targets": st.just([{"name": "edge", "pool": "arm", "threads": 2}]),
        "resources": resources,
        "budget": budgets,
        "retry": st.integers(0, 5),
        "suspend": st.booleans(),
        "output": st.sampled_from(["s3://models/team-a", "s3://elsewhere/x", "file:///tmp/x"]),
        "ttlSecondsAfterFinished": st.integers(0, 1000),
    },
)


def _named(spec: Document) -> Document:
    document = job_document(**spec)
    for index, parameter in enumerate(document["spec"].get("search", {}).get("parameters", [])):
        parameter["name"] = f"p{index}"
    return document


documents = specs.map(_named)
"""Any valid job, as far as this version carries it out."""


@st.composite
def in_other_words(draw: st.DrawFn, document: Document) -> str:
    """The YAML of the same document: keys in another order, numbers spelled otherwise."""
    return _spelled(document, draw)


def _spelled(value: Any, draw: st.DrawFn) -> str:
    if isinstance(value, dict):
        items = draw(st.permutations(list(value.items())))
        return "{" + ", ".join(f"{json.dumps(key)}: {_spelled(item, draw)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_spelled(item, draw) for item in value) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        spellings = [repr(value), repr(float(value)), f"{float(value):.17e}", f"{float(value):+.20f}"]
        return draw(st.sampled_from([each for each in spellings if float(each) == value]))
    return json.dumps(value)

"""Streams of documents, and what is said of the wrong ones."""

import pytest

from trimtab_api.manifest import Documents, SpecError, parse_job, parse_profile, read_stream

HEAD = "apiVersion: trimtab.io/v1alpha1\nkind: OptimizationJob\nmetadata: {name: digits}\n"
JOB = f"{HEAD}spec: {{task: {{entrypoint: 'a:B'}}}}\n"
PROFILE = "apiVersion: trimtab.io/v1alpha1\nkind: OptimizationProfile\nmetadata: {name: cpu}\nspec: {}\n"
FILES = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: code}\ndata: {a.py: x}\nbinaryData: {b.bin: aGk=}\n"
)
OTHER = "apiVersion: v1\nkind: Namespace\nmetadata: {name: vision}\n"


def test_stream_holds_job_profile_files_and_names_the_rest() -> None:
    stream = read_stream("---\n".join([FILES, JOB, PROFILE, OTHER, "# nothing\n"]))

    assert stream == Documents(
        job={
            "apiVersion": "trimtab.io/v1alpha1",
            "kind": "OptimizationJob",
            "metadata": {"name": "digits"},
            "spec": {"task": {"entrypoint": "a:B"}},
        },
        profile={
            "apiVersion": "trimtab.io/v1alpha1",
            "kind": "OptimizationProfile",
            "metadata": {"name": "cpu"},
            "spec": {},
        },
        config_maps={"code": {"a.py": b"x", "b.bin": b"hi"}},
        others=("Namespace/vision",),
    )


def test_empty_stream_holds_nothing() -> None:
    assert read_stream("") == Documents()


REFUSED = {
    "two-jobs": (f"{JOB}---\n{JOB}", "line 6: is a second OptimizationJob: give each its own file"),
    "two-files": (f"{FILES}---\n{FILES}", "line 7: is a second ConfigMap code: keep one of them"),
    "list": ("- 1\n", "line 1: begins a document that is not a mapping"),
    "no-kind": ("a: 1\n", "line 1: begins a document without kind: such as OptimizationJob"),
    "other-version": (
        "apiVersion: trimtab.io/v2\nkind: OptimizationJob\n",
        "line 1: begins an OptimizationJob whose apiVersion must be trimtab.io/v1alpha1",
    ),
    "no-name": (
        "kind: ConfigMap\n",
        "line 1: begins a ConfigMap without metadata.name: code refers to it by name",
    ),
    "path-in-key": (
        "kind: ConfigMap\nmetadata: {name: code}\ndata: {../a.py: x}\n",
        "ConfigMap code: data[../a.py]: must be named by letters, digits, '-', '_' and '.', not starting with"
        " '..'",
    ),
    "number": (
        "kind: ConfigMap\nmetadata: {name: code}\ndata: {a.py: 1}\n",
        "ConfigMap code: data[a.py]: must be a string, got 1",
    ),
    "not-base64": (
        "kind: ConfigMap\nmetadata: {name: code}\nbinaryData: {a.bin: '?'}\n",
        "ConfigMap code: binaryData[a.bin]: must be base64",
    ),
    "data-is-a-list": (
        "kind: ConfigMap\nmetadata: {name: code}\ndata: [1]\n",
        "ConfigMap code: data: must be a mapping",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_stream_is_refused_with_its_reason(text: str, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        read_stream(text)

    assert str(refusal.value) == message


def test_everything_wrong_is_said_at_once() -> None:
    text = JOB.replace("spec: {", "spec: {retry: -1, serach: {}, objectives: [{metric: accuracy}], ")

    with pytest.raises(SpecError) as refusal:
        parse_job(read_stream(text).job or {})

    assert str(refusal.value).splitlines() == [
        "spec.objectives[0].direction: is required",
        "spec.retry: must be at least 0, got -1",
        "spec.serach: is not a field; did you mean search?",
    ]


def test_every_broken_rule_is_said_at_once() -> None:
    circle = {
        "parameters": [
            {"name": "a", "categorical": [1, 2], "when": {"parameter": "b", "in": [1]}},
            {"name": "b", "categorical": [1, 2], "when": {"parameter": "a", "in": [3]}},
        ],
        "sampler": {"tpe": {}, "gp": {}},
    }
    document = dict(read_stream(JOB).job or {}) | {"spec": {"task": {"entrypoint": "a:B"}, "search": circle}}

    with pytest.raises(SpecError) as refusal:
        parse_job(document)

    assert [(problem.field, problem.message[:26]) for problem in refusal.value.problems] == [
        ("spec.search.parameters[0].when.parameter", "when must not be more than"),
        ("spec.search.parameters[1].when.parameter", "when must not be more than"),
        ("spec.search.parameters[1].when.in[0]", "when.in must list choices "),
        ("spec.search.sampler", "must have exactly one of t"),
    ]


def test_version_and_kind_are_required() -> None:
    with pytest.raises(SpecError) as refusal:
        parse_profile({"metadata": {"name": "cpu"}, "spec": {}})

    assert str(refusal.value).splitlines() == ["apiVersion: is required", "kind: is required"]


def test_key_without_value_is_not_there() -> None:
    document = read_stream(JOB.replace("spec: {", "spec: {search: , budget: ~, ")).job or {}

    assert parse_job(document).spec.search is None


def test_object_of_the_api_server_is_read_without_its_status() -> None:
    stored = {
        "metadata": {
            "name": "digits",
            "uid": "1",
            "generation": 2,
            "creationTimestamp": "2026-11-24T08:15:00Z",
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
        },
        "status": {"a field of a later version": 1},
    }

    assert parse_job(dict(read_stream(JOB).job or {}) | stored).metadata.generation == 2


def test_dropped_list_is_not_also_called_empty() -> None:
    document = dict(read_stream(JOB).job or {})
    data = {"schedule": "@daily", "maxDrop": 0.1, "data": [{"name": "Recent"}]}

    with pytest.raises(SpecError) as refusal:
        parse_job(document | {"spec": {"task": {"entrypoint": "a:B"}, "evaluation": data}})

    assert [problem.field for problem in refusal.value.problems] == ["spec.evaluation.data[0].name"]


def test_long_value_is_shown_by_its_beginning() -> None:
    document = dict(read_stream(JOB).job or {}) | {"spec": {"task": {"entrypoint": "x" * 100}}}

    with pytest.raises(SpecError, match=r'got "x{56}…$'):
        parse_job(document)


def test_timestamp_of_another_kind_is_refused() -> None:
    document = dict(read_stream(JOB).job or {}) | {"metadata": {"name": "a", "creationTimestamp": "today"}}

    with pytest.raises(SpecError, match=r"^metadata.creationTimestamp: input should be a valid datetime"):
        parse_job(document)


def test_list_for_a_string_is_refused_without_advice_to_quote_it() -> None:
    document = dict(read_stream(JOB).job or {}) | {"spec": {"task": {"entrypoint": ["a:B"]}}}

    with pytest.raises(SpecError, match=r"^spec.task.entrypoint: must be a string$"):
        parse_job(document)

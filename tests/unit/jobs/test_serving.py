"""The serving tree: what Triton, KServe, people and auditors read."""

import hashlib
import json
from dataclasses import replace

import jsonschema
import pytest
import yaml

from tests.support.memory_store import MemoryStore
from tests.support.serving import INFERENCE_SERVICE, shapes, triton_config, type_name
from trimtab_api.report import Best, Environment, Final, GuardrailVerdict, Measured, Report, TrialCounts
from trimtab_jobs.serving import (
    TRITON_TYPES,
    Served,
    Tensor,
    build_config,
    build_inference_service,
    build_model_card,
    build_tree,
    publish_tree,
)

SERVED = Served(
    model=b"onnx",
    inputs=(Tensor("input", "float32", ("batch", 1, 8, 8)),),
    outputs=(Tensor("output", "float32", ("batch", 10)),),
    threads=1,
)
REPORT = Report(
    name="digits",
    phase="Succeeded",
    plan_digest="d" * 64,
    baseline=Measured(id="baseline", metrics={"accuracy": 0.96, "sizeMB": 5.1}),
    uncompressed=Measured(id="fp32", metrics={"accuracy": 0.98, "sizeMB": 5.1}),
    final=Final(id="int8", metrics={"accuracy": 0.978, "sizeMB": 1.3}),
    guardrail=(
        GuardrailVerdict(
            metric="accuracy", limit={"maxDrop": 0.02}, measured=0.002, upper=0.01, n=540, met=True
        ),
    ),
)


def test_config_leaves_a_dynamic_batch_to_max_batch_size():
    assert build_config("digits", SERVED) == (
        'name: "digits"\n'
        'platform: "onnxruntime_onnx"\n'
        "max_batch_size: 64\n"
        'input [ { name: "input" data_type: TYPE_FP32 dims: [ 1, 8, 8 ] } ]\n'
        'output [ { name: "output" data_type: TYPE_FP32 dims: [ 10 ] } ]\n'
        "dynamic_batching { }\n"
        "instance_group [ { count: 1 kind: KIND_CPU } ]  # as it was measured; KIND_GPU on a GPU\n"
        'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
        'parameters { key: "inter_op_thread_count" value: { string_value: "1" } }\n'
    )


TIMES = " \N{MULTIPLICATION SIGN} "


def served(inputs: dict[str, tuple], outputs: dict[str, tuple], dtype: str = "float32") -> Served:
    tensors = [
        tuple(Tensor(name, dtype, shape) for name, shape in each.items()) for each in (inputs, outputs)
    ]
    return Served(b"", *tensors, threads=2)


@pytest.mark.parametrize(
    ("inputs", "outputs", "rows"),
    [
        pytest.param({"x": ("batch", 7)}, {"y": ("batch", 3)}, 64, id="free batch"),
        pytest.param({"x": ("n", 7)}, {"y": ("n",)}, 64, id="one number a row"),
        pytest.param({"ids": ("n", "length"), "mask": ("n", "length")}, {"y": ("n", 2)}, 64, id="two inputs"),
        pytest.param({"x": (4, 7)}, {"y": (4, "seen")}, 0, id="fixed batch"),
        pytest.param({"x": ("n", 7), "scale": (1,)}, {"y": ("n", 7)}, 0, id="an input without the batch"),
        pytest.param({"x": ("n", 7)}, {"y": ("n", 2), "mean": ()}, 0, id="an output that is one number"),
    ],
)
def test_config_says_the_shapes_of_the_model_as_triton_counts_them(inputs, outputs, rows):
    config = triton_config(build_config("m", served(inputs, outputs)))

    free = {**inputs, **outputs}
    expected = {
        name: [-1 if isinstance(axis, str) else axis for axis in shape] for name, shape in free.items()
    }
    assert config.max_batch_size == rows
    assert config.HasField("dynamic_batching") is bool(rows)
    assert shapes(config.input, rows) | shapes(config.output, rows) == expected


@pytest.mark.parametrize("dtype", TRITON_TYPES)
def test_every_type_of_a_tensor_is_one_of_triton(dtype: str):
    config = triton_config(build_config("m", served({"x": ("n", 7)}, {"y": ("n", 3)}, dtype)))

    assert type_name(config.input[0].data_type) == TRITON_TYPES[dtype]


def test_config_gives_the_model_the_threads_that_were_measured():
    config = triton_config(build_config("m", served({"x": ("n", 7)}, {"y": ("n", 3)})))

    assert (config.name, config.platform) == ("m", "onnxruntime_onnx")
    assert {each.key: each.value.string_value for each in config.parameters} == {
        "intra_op_thread_count": "2",
        "inter_op_thread_count": "1",
    }


@pytest.mark.parametrize(
    "uri", ["s3://models/vision", "gs://b/p/", "pvc://claim/p", "az://c/p", "file:///home/me"]
)
def test_inference_service_is_one_that_kserve_takes_wherever_the_store_is(uri: str):
    jsonschema.validate(yaml.safe_load(build_inference_service("digits", uri)), INFERENCE_SERVICE)


def test_inference_service_says_that_a_store_which_kserve_does_not_read_is_to_be_filled_in():
    assert build_inference_service("digits", "az://container/path").startswith(
        "# Put this folder where KServe"
    )


def test_inference_service_of_a_bucket_points_at_the_repository_root():
    assert "storageUri: s3://models/vision/model\n" in build_inference_service(
        "digits", "s3://models/vision/"
    )


def test_inference_service_of_a_local_folder_names_no_path_of_this_machine():
    manifest = build_inference_service("digits", "file:///home/me/out")

    assert "/home/me" not in manifest
    assert "storageUri: s3://BUCKET/PATH/model\n" in manifest


def test_tree_is_what_model_servers_expect():
    assert list(build_tree(REPORT, SERVED, "s3://b/p")) == [
        "model/digits/1/model.onnx",
        "model/digits/config.pbtxt",
        "model/inferenceservice.yaml",
        "model/MODEL_CARD.md",
        "model/trimtab.json",
    ]


def test_what_a_task_says_of_its_inputs_is_published_with_a_checksum():
    tree = build_tree(REPORT, replace(SERVED, preprocessing={"columns": ["größe"]}), "s3://b/p")

    assert json.loads(tree["model/digits/preprocessing.json"]) == {"columns": ["größe"]}
    assert "digits/preprocessing.json" in json.loads(tree["model/trimtab.json"])["files"]


def test_provenance_holds_a_checksum_of_every_other_file():
    tree = build_tree(REPORT, SERVED, "s3://b/p")

    files = json.loads(tree["model/trimtab.json"])["files"]

    assert files == {
        key.removeprefix("model/"): {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        for key, body in tree.items()
        if key != "model/trimtab.json"
    }


def test_card_shows_before_after_what_was_proven_and_what_is_not_known():
    card = build_tree(REPORT, SERVED, "s3://b/p")["model/MODEL_CARD.md"].decode()

    assert "|  | baseline | uncompressed | int8 | interval | change |" in card
    assert "| size (MB) | 5.10 | 5.10 | 1.30 |  | 3.9\N{MULTIPLICATION SIGN} smaller |" in card
    assert f"| input | `input` | float32 | {TIMES.join(['batch', '1', '8', '8'])} |" in card
    assert "at most 0.010" in card
    assert "on 540 test rows" in card
    assert "## What is not known" in card


def test_card_of_a_job_without_a_guardrail_promises_nothing():
    card = build_model_card(REPORT.model_copy(update={"guardrail": ()}), SERVED)

    assert "Nothing was promised" in card


def test_card_names_the_trial_and_the_processor():
    found = Best(trial=7, params={"width": 48}), TrialCounts(total=24), Environment(cpu="a processor")
    named = dict(zip(("best", "trials", "environment"), found, strict=True))

    card = build_model_card(REPORT.model_copy(update=named), SERVED)

    assert "made from trial 7 of 24 (width 48)" in card
    assert "on the CPU (a processor)" in card


def test_cards_example_can_be_read_as_python():
    code = build_model_card(REPORT, SERVED).partition("```python\n")[2].partition("```")[0]

    compile(code, "card", "exec")


def test_published_files_are_those_of_the_tree():
    store = MemoryStore()

    files = publish_tree(store, REPORT, SERVED)

    assert files == {key: store.get(key) for key in store.list("model")}

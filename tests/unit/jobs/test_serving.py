"""The serving tree: what Triton, KServe, people and auditors read."""

import hashlib
import json

from tests.support.memory_store import MemoryStore
from trimtab_api.report import Final, GuardrailVerdict, Measured, Report
from trimtab_jobs.serving import (
    Served,
    Tensor,
    build_config,
    build_inference_service,
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
        'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
    )


def test_config_of_a_fixed_batch_names_every_axis():
    fixed = Served(b"", (Tensor("x", "int64", (4, 7)),), (Tensor("y", "float32", (4, "seen")),), threads=2)

    config = build_config("m", fixed)

    assert "max_batch_size: 0\n" in config
    assert "dims: [ 4, 7 ]" in config
    assert "dims: [ 4, -1 ]" in config
    assert "dynamic_batching" not in config


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


def test_provenance_holds_a_checksum_of_every_other_file():
    tree = build_tree(REPORT, SERVED, "s3://b/p")

    files = json.loads(tree["model/trimtab.json"])["files"]

    assert files == {
        key.removeprefix("model/"): {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        for key, body in tree.items()
        if key != "model/trimtab.json"
    }


def test_card_shows_before_after_and_what_was_proven():
    card = build_tree(REPORT, SERVED, "s3://b/p")["model/MODEL_CARD.md"].decode()

    assert "| figure | baseline | uncompressed | final (int8) |" in card
    assert "| sizeMB | 5.1 | 5.1 | 1.3 |" in card
    assert "| accuracy | maxDrop 0.02 | 0.002 | 0.01 | 540 |" in card


def test_published_files_are_those_of_the_tree():
    store = MemoryStore()

    files = publish_tree(store, REPORT, SERVED)

    assert files == {key: store.get(key) for key in store.list("model")}

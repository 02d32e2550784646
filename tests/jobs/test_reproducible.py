"""The same manifest and seed in two folders: the same trials, the same bytes, and no path inside."""

import json

import pytest

from tests.faults.runs import Job, trials_of

PRUNED = (
    "{prune: {structured: {ratios: [0.5], steps: 2, finetuneEpochs: 1}}, "
    "distill: {temperature: 2.0}, quantize: [int8]}"
)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Job]:
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    fields = {"parallelism": 1, "trials": 4, "pause": 0, "pruner": "asha", "compress": PRUNED}
    jobs = [Job.make(folder / "job", str(folder / "output"), **fields) for folder in folders]
    assert [job.finish() for job in jobs] == [0, 0], jobs[0].printed
    return jobs[0], jobs[1]


def test_the_trials_are_the_same(two_runs: tuple[Job, Job]):
    first, second = (
        [(trial.params, trial.seed, trial.state, trial.metrics) for trial in trials_of(job.store)]
        for job in two_runs
    )

    assert first == second


def test_every_candidate_has_the_same_bytes(two_runs: tuple[Job, Job]):
    first, second = two_runs
    files = [key for key in first.store.list("candidates") if not key.endswith("made.json")]

    assert len([key for key in files if key.endswith("model.onnx")]) == 5
    assert [key for key in files if "model.onnx" not in key] == [
        "candidates/structured-0.5/weights.safetensors",
        "candidates/structured-0.5/widths.json",
    ]
    assert [first.store.get(key) for key in files] == [second.store.get(key) for key in files]


def test_nothing_published_names_a_path(two_runs: tuple[Job, Job]):
    for job in two_runs:
        published = {
            key: job.store.get(key) for key in job.store.list("model") + job.store.list("candidates")
        }
        for body in published.values():
            assert str(job.folder.parent).encode() not in body
            assert b"site-packages" not in body


def test_the_published_model_is_the_candidate_that_was_measured(two_runs: tuple[Job, Job]):
    store = two_runs[0].store
    provenance = json.loads(store.get("model/trimtab.json"))

    assert store.get("model/counting/1/model.onnx") == store.get(
        f"candidates/{provenance['final']['id']}/model.onnx"
    )

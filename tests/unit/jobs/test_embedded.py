"""A run on one machine: whose output it is, how many workers fit, what is kept for the next command."""

import json
from pathlib import Path

import pytest

from tests.support.driving import MANIFEST, SEARCH
from tests.support.jobs import job
from tests.support.memory_store import MemoryStore
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Environment, Phase, Report
from trimtab_jobs.embedded import fitting_workers
from trimtab_jobs.errors import JobError, RefusedError
from trimtab_jobs.ownership import begin, earlier_report, pin_code, refuse_other_code
from trimtab_jobs.pool import DataPlace
from trimtab_jobs.pool.code import EVERY_FILE, code_digest
from trimtab_jobs.saving import save_report
from trimtab_jobs.store import Record
from trimtab_jobs.worker_setup import check_data, data_places, setup_of

GIB = 2**30
SHA = "0" * 64


def plan_of(**changes) -> Plan:
    return resolve(job(**MANIFEST | changes), LOCAL_PROFILE)


def plan_with_data() -> Plan:
    data = [{"name": "train", "uri": "s3://models/rows.csv", "sha256": SHA}]
    return plan_of(task={"entrypoint": "digits:Digits", "data": data})


def test_the_same_job_goes_on_in_its_output_though_it_was_edited():
    store = MemoryStore()
    begin(store, plan_of())

    begin(store, plan_of(search=SEARCH | {"trials": 50}, budget={"duration": "1h"}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"search": SEARCH | {"seed": 8}}, "spec.search.seed", id="seed"),
        pytest.param({"compress": {"quantize": ["int8"]}}, "spec.compress", id="compress"),
        pytest.param({"guardrail": []}, "spec.guardrail", id="guardrail"),
    ],
)
def test_another_job_is_refused_by_the_field_that_differs(changes, field: str):
    store = MemoryStore()
    begin(store, plan_of())
    Record.open(store).commit(b"a trial")

    with pytest.raises(
        RefusedError, match=f"holds digits with another {field}; put it back, or choose another"
    ):
        begin(store, plan_of(**changes))


def test_a_manifest_may_be_mended_before_anything_was_recorded():
    store = MemoryStore()
    mended = plan_of(guardrail=[])
    begin(store, plan_of())
    Record.open(store).commit(b"")

    begin(store, mended)

    assert Plan.model_validate_json(store.get("plan.json")) == mended


def test_a_plan_that_cannot_be_read_is_refused():
    store = MemoryStore()
    store.put("plan.json", b"{}")

    with pytest.raises(RefusedError, match="cannot be read as a plan of this version"):
        begin(store, plan_of())


def test_a_trials_memory_is_what_a_worker_is_planned_with():
    assert fitting_workers(4, 8, 16 * GIB, 8 * GIB) == 2


@pytest.mark.parametrize("memory", [None, "4Gi"])
def test_workers_are_told_of_a_trials_memory(memory: str | None):
    resources = {"search": {"perTrial": {"memory": memory}}} if memory else None

    assert setup_of(plan_of(resources=resources), "/store", None, {}).trial_memory == memory


@pytest.mark.parametrize(
    ("wanted", "cpus", "memory", "fit"),
    [
        pytest.param(4, 8, 64 * GIB, 4, id="as asked"),
        pytest.param(4, 2, 64 * GIB, 2, id="few CPUs"),
        pytest.param(4, 8, 3 * GIB, 3, id="little memory"),
        pytest.param(4, 1, GIB // 2, 1, id="at least one"),
    ],
)
def test_no_more_workers_than_fit(wanted: int, cpus: int, memory: int, fit: int):
    assert fitting_workers(wanted, cpus, memory) == fit


def test_an_earlier_report_is_read_back():
    store = MemoryStore()
    report = Report(name="digits", phase="Failed")

    save_report(store, report)

    assert earlier_report(store) == report


@pytest.mark.parametrize("body", [None, b"", b"{}"], ids=["absent", "empty", "of no job"])
def test_a_report_that_cannot_be_read_counts_as_none(body: bytes | None):
    store = MemoryStore()
    if body is not None:
        store.put("result.json", body)

    assert earlier_report(store) is None


def test_arguments_reach_the_task_as_yaml_scalars():
    plan = resolve(
        job(task={"entrypoint": "m:T", "args": {"size": "64", "rate": "1e-3", "name": "x"}}), LOCAL_PROFILE
    )

    setup = setup_of(plan, "/store", None, {})

    assert setup.args == {"size": 64, "rate": 0.001, "name": "x"}


def test_data_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(RefusedError, match=r"spec.task.data\[train\]: .*/absent does not exist"):
        check_data({"train": DataPlace(str(tmp_path / "absent"))})


def test_data_with_another_digest_are_refused_before_any_worker_starts(tmp_path: Path):
    (tmp_path / "rows.csv").write_bytes(b"1,2")

    with pytest.raises(RefusedError, match=rf"^spec.task.data\[train\]: .*, not {SHA}; bring the file back"):
        check_data(data_places(plan_with_data(), {"train": str(tmp_path / "rows.csv")}))


def test_workers_verify_what_they_fetch_and_not_again_what_is_here():
    here, there = (
        setup_of(plan_with_data(), "/store", None, {"train": uri}).data["train"]
        for uri in ("/data/rows.csv", "s3://models/rows.csv")
    )

    assert (here.sha256, there.sha256) == (None, SHA)


def test_the_codes_digest_changes_with_the_entrypoint_and_the_modules_beside_it(tmp_path: Path):
    digests = []
    for name, text in (
        ("digits.py", "a = 1"),
        ("helper.py", "b = 1"),
        ("helper.py", "b = 2"),
        ("digits.py", "a = 2"),
    ):
        (tmp_path / name).write_text(text)
        digests.append(code_digest("digits:Digits", str(tmp_path)))

    assert len(set(digests)) == 4


def test_what_a_run_leaves_beside_the_code_does_not_change_its_digest(tmp_path: Path):
    (tmp_path / "digits.py").write_text("a = 1")
    before = code_digest("digits:Digits", str(tmp_path))
    (tmp_path / "trimtab-output").mkdir()
    (tmp_path / "trimtab-output" / "left.py").write_text("b = 1")

    assert code_digest("digits:Digits", str(tmp_path)) == before


@pytest.mark.parametrize("phase", ["Searching", "Failed"])
def test_code_may_change_until_a_model_is_published(phase: Phase):
    report = Report(name="digits", phase=phase, environment=Environment(code_sha256="code"))

    refuse_other_code(MemoryStore(), report, "mended")


def test_a_model_published_from_other_code_is_not_touched():
    report = Report(name="digits", phase="Succeeded", environment=Environment(code_sha256="code"))

    refuse_other_code(MemoryStore(), report, "code")
    with pytest.raises(RefusedError, match="made from other code; put the code back, or choose"):
        refuse_other_code(MemoryStore(), report, "edited")


def test_the_codes_digest_covers_a_whole_package(tmp_path: Path):
    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "model.py").write_text("a = 1")
    before = code_digest("vision.model:Net", str(tmp_path))
    (tmp_path / "vision" / "blocks.py").write_text("b = 1")

    assert before != code_digest("vision.model:Net", str(tmp_path))


def test_an_installed_module_has_no_digest():
    assert code_digest("trimtab_jobs.tasks:Tabular", None) == ""


def test_in_a_folder_of_code_alone_every_file_counts_except_links_and_caches(tmp_path: Path):
    (tmp_path / "digits.py").write_text("a = 1")
    (tmp_path / "settings.yaml").write_text("size: 1")
    before = code_digest("digits:Digits", str(tmp_path), EVERY_FILE)

    (tmp_path / "..data").write_text("")
    (tmp_path / "digits" / "__pycache__").mkdir(parents=True)
    (tmp_path / "digits" / "__pycache__" / "x.pyc").write_text("")
    unchanged = code_digest("digits:Digits", str(tmp_path), EVERY_FILE)
    (tmp_path / "settings.yaml").write_text("size: 2")

    assert unchanged == before
    assert code_digest("digits:Digits", str(tmp_path), EVERY_FILE) != before


def test_the_first_attempts_code_binds_the_later_ones():
    store = MemoryStore()

    pin_code(store, "a" * 64, has_results=False)
    pin_code(store, "a" * 64, has_results=True)
    with pytest.raises(JobError) as error:
        pin_code(store, "b" * 64, has_results=True)

    assert error.value.kind == "Configuration"
    assert str(error.value) == (
        f"spec.task.code: the code has changed since trials ran: its SHA-256 was {'a' * 64}, "
        f"and is {'b' * 64}; put it back and raise spec.retry, or make a new job"
    )


def test_code_may_be_mended_while_no_trial_has_a_result():
    store = MemoryStore()
    pin_code(store, "a" * 64, has_results=False)

    pin_code(store, "b" * 64, has_results=False)

    pin_code(store, "b" * 64, has_results=True)


def test_a_store_whose_plan_has_fields_of_a_later_version_is_still_this_jobs():
    store, plan = MemoryStore(), resolve(job(), LOCAL_PROFILE)
    later = plan.model_dump(mode="json", by_alias=True, exclude_none=True) | {"fromALaterVersion": 1}
    store.put("plan.json", json.dumps(later).encode())

    begin(store, plan)

    assert json.loads(store.get("plan.json")) == later

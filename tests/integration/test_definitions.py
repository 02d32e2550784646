"""The CustomResourceDefinitions on a real API server."""

import copy
import json
from collections.abc import Iterator

import pytest

from tests.cluster.definitions import CRDS
from tests.support.cluster import ApiServer, Document, RefusedError, crd_documents, install
from tests.support.reports import finished
from trimtab_api.report import Progress
from trimtab_api.status import JobStatus

JOB: Document = {
    "apiVersion": "trimtab.io/v1alpha1",
    "kind": "OptimizationJob",
    "metadata": {"name": "small"},
    "spec": {
        "task": {"entrypoint": "digits:Digits"},
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    },
}
DEFINITIONS = crd_documents()
each_definition = pytest.mark.parametrize("name", DEFINITIONS)


@pytest.fixture
def job(api_server: ApiServer) -> Iterator[Document]:
    """A stored job with nothing but what is required."""
    yield api_server.create(JOB)
    api_server.delete(JOB)


@each_definition
def test_definition_is_accepted_and_served(api_server: ApiServer, name: str) -> None:
    definition = api_server.get(DEFINITIONS[name])

    conditions = {each["type"]: each["status"] for each in definition["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


@each_definition
def test_definition_leaves_room_for_kubectl_apply(name: str) -> None:
    compact = json.dumps(DEFINITIONS[name], separators=(",", ":"))

    assert (CRDS / name).stat().st_size < 120_000
    assert len(compact.encode()) < 80_000


def test_largest_search_space_is_within_what_rules_may_cost(api_server: ApiServer) -> None:
    choices = [f"choice-{number:056}" for number in range(64)]
    when = {"parameter": "p0", "in": choices[48:]}
    parameters: list[Document] = [{"name": f"p{n}", "categorical": choices, "when": when} for n in range(64)]
    del parameters[0]["when"]
    job = copy.deepcopy(JOB)
    job["spec"]["search"] = {"parameters": parameters}

    stored = api_server.create(job, dry_run=True)

    assert stored["spec"]["search"]["parameters"] == parameters


@each_definition
def test_kubectl_explain_describes_every_field(api_server: ApiServer, name: str) -> None:
    kind = DEFINITIONS[name]["spec"]["names"]["kind"]
    path, model = "/openapi/v3/apis/trimtab.io/v1alpha1", f"io.trimtab.v1alpha1.{kind}"
    api_server.wait_until("the OpenAPI is served", lambda: model in schemas_at(api_server, path))

    schema = schemas_at(api_server, path)[model]
    assert list(undescribed(schema["properties"]["spec"], "spec")) == []
    assert list(undescribed(schema["properties"].get("status", {}), "status")) == []


def schemas_at(server: ApiServer, path: str) -> Document:
    """The schemas of a served OpenAPI document; none before it is served at all."""
    try:
        schemas: Document = server.read(path)["components"]["schemas"]
    except RefusedError:
        return {}
    return schemas


def undescribed(schema: Document, path: str) -> Iterator[str]:
    """The paths of a schema's fields that have no description."""
    for name, field in schema.get("properties", {}).items():
        if not field.get("description"):
            yield f"{path}.{name}"
        yield from undescribed(field.get("items", field), f"{path}.{name}")


def test_new_job_is_in_progress_before_the_operator_saw_it(api_server: ApiServer, job: Document) -> None:
    assert job["status"]["observedGeneration"] == -1
    assert api_server.columns(job)["Phase"] == "Pending"


def test_kubectl_get_shows_how_a_job_stands(api_server: ApiServer, job: Document) -> None:
    summary = {"trials": "12/40", "best": "accuracy 0.98", "size": "0.61 MB", "speedup": "4.1x"}
    api_server.update_status(job | {"status": {"phase": "Searching", "stage": "search", "summary": summary}})

    columns = api_server.columns(job)
    assert columns.pop("Age")
    assert columns == {
        "Name": "small",
        "Phase": "Searching",
        "Stage": "search",
        "Trials": "12/40",
        "Best": "accuracy 0.98",
        "Size": "0.61 MB",
        "Speedup": "4.1x",
    }


def test_status_made_of_a_report_comes_back_as_it_was(api_server: ApiServer, job: Document) -> None:
    found = finished().model_dump(mode="json", by_alias=True, exclude_none=True)
    shared = {field.alias for field in Progress.model_fields.values()}
    status = JobStatus.model_validate({name: value for name, value in found.items() if name in shared})

    content = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    stored = api_server.update_status(job | {"status": content})

    assert JobStatus.model_validate(stored["status"]) == status


def test_client_that_writes_the_spec_does_not_write_the_status(api_server: ApiServer, job: Document) -> None:
    api_server.update_status(job | {"status": {"phase": "Searching"}})

    changed = api_server.update(JOB | {"status": {"phase": "Succeeded"}})

    assert changed["status"]["phase"] == "Searching"


def test_definition_replaces_an_older_one_and_keeps_its_objects(bare_api_server: ApiServer) -> None:
    newer, older = in_group("older.trimtab.io"), in_group("older.trimtab.io")
    spec = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["ttlSecondsAfterFinished"]
    stored = JOB | {"apiVersion": "older.trimtab.io/v1alpha1"}
    install(bare_api_server, "the older definition", older)
    before = bare_api_server.create(stored)

    install(bare_api_server, "the newer definition", newer)

    assert bare_api_server.get(stored)["spec"] == before["spec"]
    update = copy.deepcopy(before)
    update["spec"]["ttlSecondsAfterFinished"] = 60
    bare_api_server.wait_until("the new field is served", lambda: knows(bare_api_server, update))
    assert bare_api_server.update(update)["spec"] == update["spec"]


def in_group(group: str) -> Document:
    """The job's definition under another group, so that it can be replaced without disturbing others."""
    definition = copy.deepcopy(DEFINITIONS["trimtab.io_optimizationjobs.yaml"])
    definition["metadata"]["name"] = f"optimizationjobs.{group}"
    definition["spec"]["group"] = group
    return definition


def knows(server: ApiServer, document: Document) -> bool:
    """Whether the server takes every field of a document: a new schema is served a moment after its apply."""
    seen = server.update(document, strict=False, dry_run=True)
    return bool(seen["spec"] == document["spec"])

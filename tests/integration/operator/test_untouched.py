"""A user's object stays theirs over its whole life, and what GitOps tools keep on it goes no further."""

import json
from collections.abc import Mapping

from tests.support.operated import KINDS, KUBERAYS, TWO_SEGMENTS, Document, Job, Site

LABELS = {
    "argocd.argoproj.io/instance": "models",
    "app.kubernetes.io/instance": "models",
    "app.kubernetes.io/managed-by": "Helm",
    "helm.sh/chart": "models-1.2.0",
    "kustomize.toolkit.fluxcd.io/name": "models",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    "helm.toolkit.fluxcd.io/name": "models",
    "fleet.cattle.io/bundle": "models",
}
ANNOTATIONS = {
    "argocd.argoproj.io/tracking-id": "models:trimtab.io/OptimizationJob:untouched/tracked",
    "meta.helm.sh/release-name": "models",
    "meta.helm.sh/release-namespace": "untouched",
    "config.k8s.io/owning-inventory": "models",
    "config.kubernetes.io/origin": "path: jobs/tracked.yaml",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
}
COST_LABELS = {"team": "vision"}


def tracked(site: Site) -> Job:
    """A job as several tools would have applied it, in two segments."""
    job = site.job("tracked", **TWO_SEGMENTS)
    job.document["metadata"] |= {"labels": {**LABELS, **COST_LABELS}, "annotations": ANNOTATIONS}
    job.document = site.server.create(job.document)
    return job


def belongings(document: Document) -> str:
    """All of an object that is its author's, to the byte."""
    metadata = dict(document["metadata"])
    del metadata["resourceVersion"], metadata["managedFields"], metadata["generation"]
    return json.dumps([metadata, document["spec"]])


def derived(job: Job) -> list[Document]:
    """Every object that there is in the namespace for a job, and for its RayJobs."""
    kinds: Mapping[str, str] = KINDS | KUBERAYS
    found = [
        each
        for kind, version in kinds.items()
        for each in job.server.items(version, kind, job.site.namespace)
    ]
    return [each for each in found if each["metadata"]["name"].startswith(job.name)]


def marks(document: Document) -> dict[str, str]:
    """Labels and annotations of an object, and of the pods that it describes."""
    found: dict[str, str] = {}

    def gather(value: object) -> None:
        if isinstance(value, dict):
            metadata = value.get("metadata")
            if isinstance(metadata, dict):
                found.update(metadata.get("labels") or {})
                found.update(metadata.get("annotations") or {})
            for each in value.values():
                gather(each)
        elif isinstance(value, list):
            for each in value:
                gather(each)

    gather(document)
    return found


def search_and_compress(job: Job) -> list[Document]:
    """Carry a job out in its two segments; what was made of it."""
    submitted = job.submit()
    with job.driver() as driver:
        driver.searching(40)
        driver.end_segment()
    searching = derived(job)
    submitted.end("SUCCEEDED")
    job.runs(job.status["attempt"], "export")
    job.submit()
    compressing = derived(job)
    job.succeed()
    return [*searching, *compressing, *derived(job)]


def test_object_is_its_authors_from_the_first_day_to_the_last(site: Site) -> None:
    job = tracked(site)
    before = belongings(job.document)
    job.submit()

    job.edit(suspend=True)
    job.stands("Suspended")
    job.edit(suspend=False)
    job.runs(attempt=2)
    search_and_compress(job)
    after = job.now()

    assert belongings(after) == before
    ours = [each for each in after["metadata"]["managedFields"] if each["manager"] != "Python-urllib"]
    assert {(each["manager"], each.get("subresource")) for each in ours} == {("trimtab", "status")}
    assert [list(each["fieldsV1"]) for each in ours] == [["f:status"]]


def test_marks_of_gitops_tools_go_no_further(site: Site) -> None:
    job = tracked(site)

    made = search_and_compress(job)

    tracking = set({**LABELS, **ANNOTATIONS}.items())
    assert {each["kind"] for each in made} == {*KINDS, *KUBERAYS}
    assert [each["kind"] for each in made if tracking & set(marks(each).items())] == []
    assert {each["metadata"]["labels"].get("team") for each in made if each["kind"] == "Pod"} == {"vision"}

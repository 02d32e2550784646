"""The chart on a real API server: installed, upgraded from the version before, rolled back, uninstalled."""

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, Document, Helm, Release, one
from tests.support.cluster import ApiServer, RefusedError, is_established

GOLDEN = Path(__file__).parent / "golden"
JOBS: Document = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "optimizationjobs.trimtab.io"},
}
PROFILE: Document = {
    "apiVersion": "trimtab.io/v1alpha1",
    "kind": "OptimizationProfile",
    "metadata": {"name": "standard"},
}
JOB: Document = {
    "apiVersion": "trimtab.io/v1alpha1",
    "kind": "OptimizationJob",
    "metadata": {"name": "digits", "namespace": "vision"},
    "spec": {
        "task": {"entrypoint": "digits:Digits"},
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    },
}
POD_MONITORS: Document = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "podmonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "names": {"kind": "PodMonitor", "plural": "podmonitors", "singular": "podmonitor"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}
"""Of the kind only: its fields are the Prometheus operator's to judge."""
namespaces = (f"chart-{number}" for number in itertools.count(1))


@pytest.fixture
def release(helm: Helm, empty_server: ApiServer) -> Iterator[Release]:
    """A release that is not there yet, in a namespace of its own; it and all it keeps go with the test."""
    release = helm.release(empty_server, "trimtab", next(namespaces))
    yield release
    if release.is_there():
        release.uninstall()
    for document in (JOBS, definition("optimizationprofiles")):
        if empty_server.find(document):
            empty_server.delete(document)
            empty_server.wait_until("it is gone", lambda it=document: empty_server.find(it) is None)


def definition(plural: str) -> Document:
    return {**JOBS, "metadata": {"name": f"{plural}.trimtab.io"}}


def object_of(release: Release, version: str, kind: str, name: str = "trimtab-operator") -> Document:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": release.namespace},
    }


def deployment(release: Release, server: ApiServer) -> Document:
    return server.get(object_of(release, "apps/v1", "Deployment"))


def older(folder: Path) -> Path:
    """The chart as the version before this one: without what this one adds, under an earlier number."""
    chart = folder / "trimtab"
    shutil.copytree(CHART, chart)
    text = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(re.sub(r"(?m)^(version|appVersion): .*$", r"\1: 0.0.9", text))
    jobs = chart / "files/crds/trimtab.io_optimizationjobs.yaml"
    found = yaml.safe_load(jobs.read_text())
    del spec_of(found)["properties"]["ttlSecondsAfterFinished"]
    jobs.write_text(yaml.safe_dump(found, sort_keys=False))
    return chart


def spec_of(found: Document) -> dict[str, Any]:
    schema: dict[str, Any] = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return dict(schema["properties"]["spec"])


@pytest.mark.parametrize("sample", ["everything", "minimal", "namespaced"])
def test_api_server_takes_every_object(sample: str, release: Release, empty_server: ApiServer) -> None:
    values = yaml.safe_load((GOLDEN / f"{sample}.values.yaml").read_text())
    empty_server.apply(POD_MONITORS)
    empty_server.wait_until("PodMonitors are served", lambda: is_established(empty_server.get(POD_MONITORS)))
    for name in values.get("namespaces", ()):
        empty_server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    notes = release.upgrade(values)

    assert "kubectl apply -f examples/digits/job.yaml" in notes
    assert deployment(release, empty_server)["spec"]["replicas"] == values.get("replicas", 2)


def test_pods_meet_the_restricted_standard(release: Release, empty_server: ApiServer) -> None:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": release.namespace, "labels": enforced}
    empty_server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    empty_server.namespaces.add(release.namespace)
    release.upgrade()
    pod = deployment(release, empty_server)["spec"]["template"]
    pod["metadata"] |= {"name": "operator", "namespace": release.namespace}

    created = empty_server.create({"apiVersion": "v1", "kind": "Pod", **pod}, dry_run=True)

    assert created["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    pod["spec"]["containers"][0]["securityContext"] = {}
    with pytest.raises(RefusedError, match='violates PodSecurity "restricted'):
        empty_server.create({"apiVersion": "v1", "kind": "Pod", **pod}, dry_run=True)


def test_upgrade_from_the_version_before_keeps_jobs_and_brings_new_fields(
    release: Release, empty_server: ApiServer, tmp_path: Path
) -> None:
    release.upgrade(chart=older(tmp_path))
    empty_server.wait_until("jobs are served", lambda: is_established(empty_server.get(JOBS)))
    job = empty_server.create(JOB)
    empty_server.patch_status(JOB, {"phase": "Searching"})
    before = deployment(release, empty_server)

    release.upgrade()

    after = deployment(release, empty_server)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["selector"] == before["spec"]["selector"]
    assert (image_of(before), image_of(after)) == ("trimtab-operator:0.0.9", "trimtab-operator:0.1.0")
    assert "ttlSecondsAfterFinished" in spec_of(empty_server.get(JOBS))["properties"]
    found = empty_server.get(JOB)
    assert (found["metadata"]["uid"], found["status"]["phase"]) == (job["metadata"]["uid"], "Searching")


def test_rollback_brings_the_version_before_and_its_definitions_and_keeps_jobs(
    release: Release, empty_server: ApiServer, tmp_path: Path
) -> None:
    release.upgrade(chart=older(tmp_path))
    release.upgrade()
    job = empty_server.create(JOB)

    release.rollback(1)

    assert image_of(deployment(release, empty_server)) == "trimtab-operator:0.0.9"
    assert "ttlSecondsAfterFinished" not in spec_of(empty_server.get(JOBS))["properties"]
    assert empty_server.get(JOB)["metadata"]["uid"] == job["metadata"]["uid"]
    assert release.history()[-1] == ("trimtab-0.0.9", "deployed")


def image_of(found: Document) -> str:
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def test_uninstall_keeps_definitions_and_jobs_and_an_install_takes_them_in_again(
    release: Release, empty_server: ApiServer
) -> None:
    release.upgrade()
    job = empty_server.create(JOB)

    release.uninstall()
    kept = empty_server.get(JOB)
    release.upgrade()

    assert kept["metadata"]["uid"] == job["metadata"]["uid"]
    assert empty_server.get(JOB)["metadata"]["uid"] == job["metadata"]["uid"]


def test_uninstall_takes_definitions_along_where_they_are_not_to_be_kept(
    release: Release, empty_server: ApiServer
) -> None:
    release.upgrade({"crds": {"keep": False}})

    release.uninstall()

    empty_server.wait_until("the definitions are gone", lambda: empty_server.find(JOBS) is None)


def test_profile_is_made_once_and_left_to_its_owner(release: Release, empty_server: ApiServer) -> None:
    values = {"profile": {"create": True, "spec": {"store": {"uri": "s3://first"}}}}
    release.upgrade(values)
    made = empty_server.get(PROFILE)
    empty_server.patch(PROFILE, {"spec": {"store": {"uri": "s3://mine"}}})

    release.upgrade(values)
    release.uninstall()
    release.upgrade(values)

    kept = empty_server.get(PROFILE)
    assert made["metadata"]["annotations"]["trimtab.io/is-default-profile"] == "true"
    assert made["spec"]["store"]["uri"] == "s3://first"
    assert (kept["metadata"]["uid"], kept["spec"]["store"]["uri"]) == (made["metadata"]["uid"], "s3://mine")


def test_people_get_their_rights_by_kubernetes_own_roles(helm: Helm) -> None:
    rendered = helm.render({}, "--show-only", "templates/rbac-people.yaml")

    added = {
        role: {
            label.removeprefix("rbac.authorization.k8s.io/aggregate-to-")
            for label in one(rendered, "ClusterRole", role)["metadata"]["labels"]
            if "aggregate-to" in label
        }
        for role in ("jobs-view", "jobs-edit", "profiles-edit")
    }
    assert added == {
        "jobs-view": {"view", "edit", "admin"},
        "jobs-edit": {"edit", "admin"},
        "profiles-edit": set(),
    }

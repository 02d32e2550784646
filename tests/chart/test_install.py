"""The chart on a real API server: installed, upgraded from the version before, rolled back, uninstalled."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, HOME, Document, Helm, Release, one
from tests.support.cluster import ApiServer, RefusedError, is_established
from tests.support.operated import uid_of

GOLDEN = Path(__file__).parent / "golden"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
NEWER = "ttlSecondsAfterFinished"
"""A field of a job that the version before this one is made not to have."""
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


@pytest.fixture
def release(helm: Helm, empty_server: ApiServer) -> Iterator[Release]:
    """A release that is not there yet; what it keeps is left for the next test."""
    release = helm.release(empty_server, "trimtab")
    yield release
    if release.is_there():
        release.uninstall()


@pytest.fixture
def without_definitions(empty_server: ApiServer) -> None:
    """Nothing is left of earlier tests."""
    profiles = {**JOBS, "metadata": {"name": "optimizationprofiles.trimtab.io"}}
    for document in (JOBS, profiles):
        if empty_server.find(document):
            empty_server.delete(document)
    for document in (JOBS, profiles):
        empty_server.wait_until("it is gone", lambda it=document: empty_server.find(it) is None)


def deployment(server: ApiServer) -> Document:
    """The operator's."""
    metadata = {"name": "trimtab-operator", "namespace": HOME}
    return server.get({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})


def older(folder: Path) -> Path:
    """The chart as the version before this one: without what this one adds, under an earlier number."""
    chart = folder / "trimtab"
    shutil.copytree(CHART, chart)
    text = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(re.sub(r"(?m)^(version|appVersion): .*$", r"\1: 0.0.9", text))
    jobs = chart / "files/crds/trimtab.io_optimizationjobs.yaml"
    found = yaml.safe_load(jobs.read_text())
    del spec_of(found)["properties"][NEWER]
    jobs.write_text(yaml.safe_dump(found, sort_keys=False))
    return chart


def spec_of(found: Document) -> dict[str, Any]:
    schema: dict[str, Any] = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


@pytest.mark.parametrize("sample", ["everything", "minimal", "namespaced"])
def test_api_server_takes_every_object(sample: str, release: Release, empty_server: ApiServer) -> None:
    values = yaml.safe_load((GOLDEN / f"{sample}.values.yaml").read_text())
    empty_server.apply(POD_MONITORS)
    empty_server.wait_until("PodMonitors are served", lambda: is_established(empty_server.get(POD_MONITORS)))
    for name in values.get("namespaces", ()):
        empty_server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    notes = release.upgrade(values)

    assert "kubectl apply -f examples/digits/job.yaml" in notes
    assert deployment(empty_server)["spec"]["replicas"] == values.get("replicas", 2)


def test_pods_meet_the_restricted_standard(release: Release, empty_server: ApiServer) -> None:
    release.upgrade()
    pod = deployment(empty_server)["spec"]["template"]
    pod["metadata"] |= {"name": "operator", "namespace": HOME}

    created = empty_server.create({"apiVersion": "v1", "kind": "Pod", **pod}, dry_run=True)

    assert created["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    pod["spec"]["containers"][0]["securityContext"] = {}
    with pytest.raises(RefusedError, match='violates PodSecurity "restricted'):
        empty_server.create({"apiVersion": "v1", "kind": "Pod", **pod}, dry_run=True)


@pytest.mark.usefixtures("without_definitions")
def test_upgrade_from_the_version_before_and_rollback_bring_their_definitions_and_keep_jobs(
    release: Release, empty_server: ApiServer, tmp_path: Path
) -> None:
    release.upgrade(chart=older(tmp_path))
    job = running_job(empty_server)
    stages = [stage(empty_server)]
    release.upgrade()
    stages.append(stage(empty_server))
    release.rollback(1)
    stages.append(stage(empty_server))

    assert stages == [("trimtab-operator:0.0.9", False), (f"trimtab-operator:{VERSION}", True), stages[0]]
    assert release.history()[-1] == ("trimtab-0.0.9", "deployed")
    found = empty_server.get(JOB)
    assert (found["metadata"]["uid"], found["status"]["phase"]) == (job["metadata"]["uid"], "Searching")


def running_job(server: ApiServer) -> Document:
    """A job, once they are served, that has a status."""
    server.wait_until("jobs are served", lambda: is_established(server.get(JOBS)))
    job = server.create(JOB)
    server.patch_status(JOB, {"phase": "Searching"})
    return job


def stage(server: ApiServer) -> tuple[str, bool]:
    """The operator's image, and whether the definition has what the version before this one has not."""
    (container,) = deployment(server)["spec"]["template"]["spec"]["containers"]
    return container["image"], NEWER in spec_of(server.get(JOBS))["properties"]


@pytest.mark.usefixtures("without_definitions")
def test_uninstall_keeps_what_is_others_and_a_later_install_takes_it_in(
    release: Release, empty_server: ApiServer, tmp_path: Path
) -> None:
    values = {"profile": {"create": True, "spec": {"store": {"uri": "s3://first"}}}}
    release.upgrade(values, older(tmp_path))
    job, made = running_job(empty_server), empty_server.get(PROFILE)
    empty_server.patch(PROFILE, {"spec": {"store": {"uri": "s3://mine"}}})

    release.uninstall()
    kept = empty_server.get(JOB)
    release.upgrade(values)

    assert stage(empty_server) == (f"trimtab-operator:{VERSION}", True)
    uids = {each["metadata"]["uid"] for each in (job, kept, empty_server.get(JOB))}
    assert uids == {job["metadata"]["uid"]}
    profile = empty_server.get(PROFILE)
    assert made["metadata"]["annotations"]["trimtab.io/is-default-profile"] == "true"
    assert made["spec"]["store"]["uri"] == "s3://first"
    assert (profile["metadata"]["uid"], profile["spec"]["store"]["uri"]) == (uid_of(made), "s3://mine")


@pytest.mark.usefixtures("without_definitions")
def test_uninstall_takes_definitions_along_where_they_are_not_to_be_kept(
    release: Release, empty_server: ApiServer
) -> None:
    release.upgrade({"crds": {"keep": False}})

    release.uninstall()

    empty_server.wait_until("the definitions are gone", lambda: empty_server.find(JOBS) is None)


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

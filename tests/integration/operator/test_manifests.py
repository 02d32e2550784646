"""The children of every sample on a real control plane: schemas, pod security, RBAC, and KubeRay itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.children import SAMPLES, Document, sample_job, starts
from tests.support.cluster import ApiServer
from trimtab_operator.names import driver_name, owner_of
from trimtab_operator.resources import Start, children, pods_of

each_sample = pytest.mark.parametrize("sample", SAMPLES)


def manifests(start: Start) -> list[Document]:
    return [dict(action.manifest) for action in children(start)]


@pytest.fixture
def stored(control_plane: ApiServer, request: pytest.FixtureRequest, sample: str) -> Iterator[Start]:
    """The first segment of a sample whose job is stored, in a namespace that enforces `restricted`."""
    space = f"{request.node.originalname.replace('_', '-')[5:40]}-{sample}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}}
    document = sample_job(sample)
    metadata = {key: value for key, value in document["metadata"].items() if key != "uid"}
    control_plane.create(namespace)  # an apply of the same name without labels would take them away
    job = control_plane.create({**document, "metadata": {**metadata, "namespace": space}})
    start = starts(sample)[0]
    yield replace(start, owner=owner_of(job))
    control_plane.delete(job)
    control_plane.delete(namespace)


@each_sample
def test_every_child_is_one_that_the_server_knows_in_all_its_fields(
    control_plane: ApiServer, sample: str
) -> None:
    for start in starts(sample):
        for manifest in manifests(start):
            assert (
                control_plane.create(manifest, dry_run=True)["metadata"]["name"]
                == manifest["metadata"]["name"]
            )


@each_sample
def test_every_pod_meets_the_restricted_standard(
    control_plane: ApiServer, stored: Start, sample: str
) -> None:
    prepare(control_plane, stored)
    later = [replace(start, owner=stored.owner) for start in starts(sample)]

    for template in [each for start in later for each in templates(manifests(start)[-1])]:
        pod = {"apiVersion": "v1", "kind": "Pod", **template}
        pod["metadata"] = {**template["metadata"], "name": "pod", "namespace": stored.owner.namespace}
        assert control_plane.create(pod, dry_run=True)["status"]["qosClass"] == "Guaranteed"


def prepare(server: ApiServer, start: Start) -> None:
    """Apply all that the RayJob's pods need, the profile's service account too."""
    for manifest in manifests(start)[:-1]:
        server.apply(manifest)
    space = start.owner.namespace
    names = ["default"]
    if start.profile.store and start.profile.store.service_account:
        names.append(start.profile.store.service_account)
        server.apply(account(space, names[-1]))
    for name in names:
        server.wait_until(f"account {name}", lambda name=name: server.find(account(space, name)) is not None)


def account(namespace: str, name: str) -> Document:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def templates(ray_job: Document) -> list[Document]:
    cluster = ray_job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [ray_job["spec"]["submitterPodTemplate"], *(group["template"] for group in groups)]


@each_sample
def test_kuberay_starts_the_cluster(control_plane: ApiServer, stored: Start, sample: str) -> None:
    prepare(control_plane, stored)
    control_plane.create(manifests(stored)[-1])
    groups = pods_of(stored.shape, stored.profile, stored.defaults)
    selector = f"trimtab.io/job-uid={stored.owner.uid},ray.io/node-type"  # the submitter comes later

    def pods() -> list[Document]:
        return control_plane.items("v1", "Pod", stored.owner.namespace, labelSelector=selector)

    wanted = 1 + sum(each.replicas for each in groups)
    control_plane.wait_until(f"{wanted} pods of {sample}", lambda: len(pods()) == wanted)
    commands = {
        command_of(pod) for pod in pods() if pod["metadata"]["labels"]["ray.io/node-type"] == "worker"
    }
    assert len(commands) == len(groups)
    for each in groups:
        assert any(
            f"--resources='{{\"group-{each.group.name}\": {each.slots}}}'" in text for text in commands
        )


def command_of(pod: Document) -> str:
    """The shell command in which KubeRay starts Ray."""
    text: str = pod["spec"]["containers"][0]["args"][0]
    return text


VERBS = {
    ("get", "bare-report"): True,
    ("patch", "bare-report"): True,
    ("get", "bare-plan"): True,
    ("patch", "bare-plan"): False,
    ("delete", "bare-report"): False,
    ("get", "other"): False,
    ("list", ""): False,
}


@pytest.mark.parametrize("sample", ["bare"])
def test_driver_may_read_its_plan_and_write_its_report_only(control_plane: ApiServer, stored: Start) -> None:
    prepare(control_plane, stored)

    assert {each: may(control_plane, stored, *each) for each in VERBS} == VERBS


def may(server: ApiServer, start: Start, verb: str, config_map: str) -> bool:
    """Whether the driver's account may do something to a ConfigMap of its namespace."""
    space = start.owner.namespace
    attributes = {"namespace": space, "resource": "configmaps", "verb": verb, "name": config_map}
    user = f"system:serviceaccount:{space}:{driver_name(start.owner.name)}"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    return bool(server.create(review)["status"]["allowed"])

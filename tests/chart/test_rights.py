"""The roles of the chart are what the documentation says, enough for the course of a job, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_faults import ApiRequest
from tests.support.api_proxy import ApiProxy
from tests.support.chart import HOME, Document, Helm, grants, one
from tests.support.cluster import ApiServer
from tests.support.operated import TWO_SEGMENTS, Site, give_gpus
from tests.support.operator_process import OperatorProcess, documented_roles
from tests.support.rays import Rays

NAMESPACE = "rights"
ELSEWHERE = {
    (
        "",
        "events",
        "list",
    ): "why KubeRay made no pods: the full namespace of tests/integration/operator/test_kstatus.py",
}
"""Rights that this course does not need, and what does."""
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def test_roles_are_those_of_the_documentation(helm: Helm) -> None:
    rendered = [each for each in helm.render({"rbac": {"people": False}}) if "rules" in each]
    documented = list(documented_roles())

    assert [(each["kind"], each["metadata"]["name"]) for each in rendered] == [
        (each["kind"], each["metadata"]["name"]) for each in documented
    ]
    assert [set(grants(each["rules"])) for each in rendered] == [
        set(grants(each["rules"])) for each in documented
    ]


def test_operator_of_some_namespaces_has_the_same_rights_there_and_reads_profiles(helm: Helm) -> None:
    everywhere, lease = (set(grants(each["rules"])) for each in documented_roles())
    profiles = {each for each in everywhere if each[1] == "optimizationprofiles"}
    rendered = helm.render({"rbac": {"people": False}, "namespaces": ["vision", "speech"]})

    found = {
        (each["kind"], each["metadata"].get("namespace")): set(grants(each["rules"]))
        for each in rendered
        if "rules" in each
    }
    assert found == {
        ("ClusterRole", None): profiles,
        ("Role", "vision"): everywhere - profiles,
        ("Role", "speech"): everywhere - profiles,
        ("Role", HOME): lease,
    }


@pytest.fixture
def rendered(helm: Helm) -> list[Document]:
    """The chart for one namespace, under names that no other test's operator has."""
    without = {"crds": {"enabled": False}, "rbac": {"people": False}}
    return helm.render({**without, "namespaces": [NAMESPACE], "fullnameOverride": NAMESPACE})


@pytest.fixture
def site(control_plane: ApiServer, rays: Rays, tmp_path: Path) -> Iterator[Site]:
    give_gpus(rays.node)
    site = Site(control_plane, rays, NAMESPACE, tmp_path)
    control_plane.patch(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"metadata": {"labels": {"team": "ml"}}},
    )
    site.profile["spec"]["namespaces"] = {"matchLabels": {"team": "ml"}}
    control_plane.update(site.profile)
    yield site
    site.clear()


def test_rights_are_enough_for_the_course_of_a_job_and_each_is_used(
    site: Site, rendered: list[Document], tmp_path: Path
) -> None:
    for document in rendered:
        if document["kind"] == "ServiceAccount" or document["apiVersion"].startswith("rbac"):
            site.server.apply(document)
    token = site.server.token_of(HOME, one(rendered, "ServiceAccount")["metadata"]["name"])
    settings = {"NAMESPACES": NAMESPACE, "LEASE_RETRY_SECONDS": "0.5"}
    with (
        ApiProxy(site.server.plane) as proxy,
        OperatorProcess(
            site.server, tmp_path / "operator", NAMESPACE, proxy, settings, token=token
        ) as operator,
    ):
        run_all(site)
        operator.stop()

    refused = [each for each in proxy.requests if each.code in (401, 403)]
    assert refused == []
    roles = [each for each in rendered if "rules" in each]
    allowed = {each[:3] for role in roles for each in grants(role["rules"])}
    used = {grant for each in proxy.requests if (grant := needed(each))}
    assert used <= allowed
    assert allowed - used == set(ELSEWHERE), "say in ELSEWHERE what needs it, or take it away"


def run_all(site: Site) -> None:
    """A job of two segments, suspended and resumed, to its end and until nothing is left of it."""
    job = site.apply(**TWO_SEGMENTS)
    submitted = job.submit()
    with job.driver() as driver:
        driver.end_segment()
    submitted.end("SUCCEEDED")
    job.runs(1, "export")
    job.edit(suspend=True)
    job.stands("Suspended")
    job.edit(suspend=False)
    job.runs(2, "export")
    job.succeed()
    job.edit(ttlSecondsAfterFinished=0)
    job.wait_until_nothing_is_left()


def needed(request: ApiRequest) -> tuple[str, str, str] | None:
    """The API group, resource and verb that a request takes; None for what everybody may ask."""
    parts = request.path.strip("/").split("/")
    if not request.resource:
        return None
    verb = VERBS[request.method]
    if verb == "get" and not request.name:
        verb = "watch" if request.is_watch else "list"
    return parts[1] if parts[0] == "apis" else "", request.resource, verb

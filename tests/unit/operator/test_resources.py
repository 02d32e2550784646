"""What holds for the children of every sample: who owns them, what they may do, what their pods may do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.children import DEFAULTS, SAMPLES, UID, Document, sample_job, starts
from trimtab_api.control import Control
from trimtab_api.errors import SpecError
from trimtab_api.manifest import parse_job, parse_profile
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_operator.resources import Start, build_plan_config_map, children
from trimtab_operator.resources.code import data_part
from trimtab_operator.world import Apply, Create

EVERY = [start for sample in SAMPLES for start in starts(sample)]
each_start = pytest.mark.parametrize(
    "start", EVERY, ids=lambda start: f"{start.plan.name}-{start.shape.name}"
)


def start_of(sample: str, segment: int = 0) -> Start:
    return starts(sample)[segment]


def ray_job(start: Start) -> Document:
    return dict(children(start)[-1].manifest)


def templates(start: Start) -> dict[str, Document]:
    """The pod templates of a start's RayJob, by what they are of."""
    spec = ray_job(start)["spec"]
    cluster = spec["rayClusterSpec"]
    found = {"submitter": spec["submitterPodTemplate"], "head": cluster["headGroupSpec"]["template"]}
    return found | {group["groupName"]: group["template"] for group in cluster["workerGroupSpecs"]}


def containers(template: Document) -> list[Document]:
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def environment(container: Document) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


@each_start
def test_ray_job_comes_last_and_alone_is_created(start: Start) -> None:
    actions = children(start)

    kinds = [(type(action), action.manifest["kind"]) for action in actions]
    accounts = [] if start.profile.store and start.profile.store.service_account else ["ServiceAccount"]
    applied = ["ConfigMap", "ConfigMap", *accounts, "Role", "NetworkPolicy", "RoleBinding"]
    assert kinds == [*[(Apply, kind) for kind in applied], (Create, "RayJob")]


@each_start
def test_child_belongs_to_its_job_and_carries_nothing_of_the_user(start: Start) -> None:
    for action in children(start):
        metadata = action.manifest["metadata"]
        (owner,) = metadata["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (UID, True, False)
        assert metadata["namespace"] == start.owner.namespace
        assert metadata["labels"]["trimtab.io/job"] == start.owner.name
        assert set(metadata) == {"name", "namespace", "labels", "ownerReferences"}


def test_labels_and_annotations_of_gitops_tools_reach_no_child() -> None:
    given = sample_job("claim")["metadata"]
    foreign = {"app.kubernetes.io/instance", "app", "argocd.argoproj.io/tracking-id"}

    assert foreign <= {*given["labels"], *given["annotations"]}
    assert foreign.isdisjoint(keys({"all": [dict(each.manifest) for each in children(start_of("claim"))]}))


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from keys(item)


@each_start
def test_every_pod_is_labelled_for_its_costs(start: Start) -> None:
    for template in templates(start).values():
        labels = template["metadata"]["labels"]
        assert labels["trimtab.io/job"] == start.owner.name
        assert labels["trimtab.io/profile"] == start.plan.profile
        assert labels["trimtab.io/segment"] == start.shape.name


@each_start
def test_only_the_head_gets_a_token(start: Start) -> None:
    assert [
        name
        for name, template in templates(start).items()
        if template["spec"]["automountServiceAccountToken"]
    ] == ["head"]


@each_start
def test_only_what_reads_the_store_has_its_credentials(start: Start) -> None:
    for name, template in templates(start).items():
        secrets = {str(container.get("envFrom", [])) for container in containers(template)}
        wanted = start.profile.store.secret_ref if start.profile.store else None
        assert all((wanted or "secretRef") in text for text in secrets) == (
            bool(wanted) and name != "submitter"
        )


@each_start
def test_user_text_is_never_read_by_a_shell(start: Start) -> None:
    # KubeRay gives the entrypoint and rayStartParams to a shell: of the user only names of groups are there
    spec = ray_job(start)["spec"]
    groups = spec["rayClusterSpec"]["workerGroupSpecs"]
    shell = [spec["entrypoint"], *(str(group["rayStartParams"]["resources"]) for group in groups)]

    expected = [f'\'{{"group-{each["groupName"]}": ' for each in groups]
    assert shell[0] == "python -m trimtab_jobs"
    assert all(text.startswith(begin) for text, begin in zip(shell[1:], expected, strict=True))


@each_start
def test_requests_are_limits_so_that_every_pod_is_guaranteed(start: Start) -> None:
    for template in templates(start).values():
        for container in containers(template):
            resources = container["resources"]
            assert resources["requests"] == resources["limits"]
            assert {"cpu", "memory"} <= set(resources["limits"])


def test_measurements_get_whole_cpus() -> None:
    (cluster,) = [ray_job(each)["spec"]["rayClusterSpec"] for each in starts("targets")[-1:]]

    cpus = {
        group["groupName"]: group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
        for group in cluster["workerGroupSpecs"]
    }
    assert cpus == {"phone": "3", "server": "8"}


def test_what_the_overlay_names_replaces_ours() -> None:
    profile = parse_profile(
        {
            "apiVersion": "trimtab.io/v1alpha1",
            "kind": "OptimizationProfile",
            "metadata": {"name": "site"},
            "spec": {
                "overlay": {
                    "env": [{"name": "HOME", "value": "/home"}],
                    "volumes": [{"name": "disk", "emptyDir": {}}],
                    "volumeMounts": [{"name": "disk", "mountPath": "/tmp"}],
                }
            },
        }
    )

    worker = templates(replace(start_of("bare"), profile=profile.spec))["workers"]["spec"]

    (container,) = worker["containers"]
    assert environment(container)["HOME"] == "/home"
    assert container["volumeMounts"] == [{"name": "disk", "mountPath": "/tmp"}]


def test_gpus_are_asked_for_only_where_works_use_them() -> None:
    search, export = (templates(each)["workers"]["spec"]["containers"][0] for each in starts("gpu"))

    assert search["resources"]["limits"] == {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
    assert export["resources"]["limits"] == {"cpu": "4", "memory": "16Gi"}


def test_data_is_mounted_from_claims_and_config_maps_and_nothing_is_made_of_what_workers_fetch() -> None:
    job = sample_job("digits")
    data = [
        {"name": "bucket", "uri": "s3://models/default/rows.csv"},
        {"name": "claim", "pvc": {"claim": "rows", "path": "2026"}},
        {"name": "names", "configMap": "names"},
        {"name": "pvc", "uri": "pvc://rows/2025/train.csv"},
    ]
    spec = {**job["spec"], "task": {**job["spec"]["task"], "data": data}}
    plan = resolve(parse_job({**job, "spec": spec}), LOCAL_PROFILE)

    part = data_part(plan)

    assert part.volumes == (
        {"name": "trimtab-data-1", "persistentVolumeClaim": {"claimName": "rows", "readOnly": True}},
        {"name": "trimtab-data-2", "configMap": {"name": "names"}},
        {"name": "trimtab-data-3", "persistentVolumeClaim": {"claimName": "rows", "readOnly": True}},
    )
    assert [(each["mountPath"], each.get("subPath")) for each in part.mounts] == [
        ("/trimtab/data/claim", "2026"),
        ("/trimtab/data/names", None),
        ("/trimtab/data/pvc", "2025/train.csv"),
    ]


def test_archive_on_a_claim_is_mounted_for_the_one_who_fetches() -> None:
    start = start_of("archive")
    plan = with_archive(start.plan, "pvc://code/app.zip")

    worker = templates(replace(start, plan=plan))["workers"]["spec"]

    (fetch,) = worker["initContainers"]
    assert fetch["command"][3:] == [
        "--uri",
        "file:///trimtab/archive/app.zip",
        "--sha256",
        "0123456789abcdef" * 4,
        "--to",
        "/trimtab/code",
    ]
    mount = {"name": "trimtab-archive", "mountPath": "/trimtab/archive", "readOnly": True}
    assert mount in fetch["volumeMounts"]
    assert mount not in worker["containers"][0]["volumeMounts"]


@pytest.mark.parametrize("uri", ["s3://code/$(AWS_SECRET_ACCESS_KEY)/$a.zip", "pvc://code/$(HOME).zip"])
def test_variables_in_the_uri_of_an_archive_are_not_expanded(uri: str) -> None:
    start = start_of("archive")

    worker = templates(replace(start, plan=with_archive(start.plan, uri)))["workers"]["spec"]

    said = worker["initContainers"][0]["command"][4]
    assert said.replace("$$", "").count("$") == 0
    assert said.replace("$$", "$").endswith(uri.rpartition("code/")[2])


def test_variables_in_the_place_of_the_results_are_not_expanded() -> None:
    start = start_of("digits")
    spec = start.plan.spec.model_copy(update={"output": "s3://models/$(HOME)"})

    head = templates(replace(start, plan=start.plan.model_copy(update={"spec": spec})))["head"]["spec"]

    assert environment(head["containers"][0])["TRIMTAB_STORE"].startswith("s3://models/$$(HOME)/")


def test_head_and_submitter_keep_off_nodes_that_may_be_taken_away() -> None:
    found = templates(start_of("gpu"))

    assert found["head"]["spec"]["affinity"] == found["submitter"]["spec"]["affinity"]
    assert "affinity" not in found["workers"]["spec"]


def with_archive(plan: Plan, uri: str) -> Plan:
    document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["spec"]["task"]["code"]["archive"]["uri"] = uri
    return Plan.model_validate(document)


def test_network_policy_lets_anybody_ask_where_kuberay_is_not_known() -> None:
    start = replace(start_of("bare"), defaults=replace(DEFAULTS, kuberay_namespace=None))

    (policy,) = [each.manifest for each in children(start) if each.manifest["kind"] == "NetworkPolicy"]

    assert policy["spec"]["ingress"][1] == {"ports": [{"port": 8265, "protocol": "TCP"}]}


def test_plan_comes_back_from_its_config_map() -> None:
    start = start_of("gpu")
    control = Control(attempt=2, stop_search="gpuHours", used_seconds=12.5)

    content = build_plan_config_map(start.owner, start.plan, start.profile, control)["data"]

    assert Plan.model_validate_json(content["plan.json"]) == start.plan
    assert Control.model_validate_json(content["control.json"]) == control
    pinned = parse_profile(json.loads(content["profile.json"]))
    assert (pinned.metadata.name, pinned.spec) == ("gpu", start.profile)


def test_plan_too_large_for_a_config_map_is_refused() -> None:
    start = start_of("gpu")
    task = start.plan.spec.task.model_copy(update={"args": {f"a{n}": "x" * 1024 for n in range(1100)}})
    plan = start.plan.model_copy(update={"spec": start.plan.spec.model_copy(update={"task": task})})

    with pytest.raises(SpecError, match=r"^spec: is too large: plan and profile take 1,\d{3},\d{3} bytes"):
        build_plan_config_map(start.owner, plan, start.profile, Control())

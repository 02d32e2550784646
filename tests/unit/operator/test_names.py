"""Names and labels of children: deterministic, unique, within KubeRay's limits, nothing of GitOps tools."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from trimtab_operator.names import Owner, Run, owner_of, owner_reference, ray_job_name, run_labels

UID = "6f1b2c3d-0000-4000-8000-00000000abcd"
names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
uids = st.uuids().map(str)
numbers = st.integers(0, 7), st.integers(1, 99_999)
RAY_JOB_NAMES = {
    "plain": ("digits", "digits-s0-a1-47148c28"),
    "digit-first": ("2d", "j2d-s0-a1-46ae5e17"),
    "cut": (f"{'x' * 31}-{'y' * 30}", f"{'x' * 31}-s0-a1-95622a61"),
}


@pytest.mark.parametrize(("job", "name"), RAY_JOB_NAMES.values(), ids=RAY_JOB_NAMES)
def test_ray_job_is_named_after_its_job(job: str, name: str) -> None:
    assert ray_job_name(job, UID, 0, 1) == name


@unhurried
@given(names, uids, *numbers)
def test_ray_job_name_is_one_that_kuberay_takes(job: str, uid: str, segment: int, attempt: int) -> None:
    name = ray_job_name(job, uid, segment, attempt)

    assert len(name) <= 47
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)


runs = st.tuples(st.text("ab-", min_size=1, max_size=40).map(lambda text: f"a{text}a"), uids, *numbers)


@unhurried
@given(runs, runs)
def test_ray_job_names_differ_where_anything_differs(
    one: tuple[str, str, int, int], other: tuple[str, str, int, int]
) -> None:
    assert (ray_job_name(*one) == ray_job_name(*other)) == (one == other)


def test_owner_is_read_from_the_job_and_referred_to_without_holding_up_its_deletion() -> None:
    job = {"metadata": {"name": "digits", "namespace": "vision", "uid": UID, "labels": {"team": "a"}}}

    owner = owner_of(job)

    assert owner == Owner("digits", "vision", UID, {"team": "a"})
    assert owner_reference(owner) == {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "name": "digits",
        "uid": UID,
        "controller": True,
        "blockOwnerDeletion": False,
    }


TRACKING = {
    "app.kubernetes.io/instance": "argo-app",
    "argocd.argoproj.io/instance": "argo-app",
    "helm.sh/chart": "models-1.0",
    "kustomize.toolkit.fluxcd.io/name": "models",
    "kueue.x-k8s.io/queue-name": "other",
    "trimtab.io/job": "other",
    "app": "web",
}
OURS = {
    "trimtab.io/job": "digits",
    "trimtab.io/job-uid": UID,
    "trimtab.io/profile": "cpu",
    "trimtab.io/segment": "search",
    "trimtab.io/attempt": "2",
}


def labels(given_labels: dict[str, str], **options: Any) -> dict[str, str]:
    return run_labels(Owner("digits", "vision", UID, given_labels), Run("cpu", "search", 2), **options)


def test_only_labels_for_costs_come_along() -> None:
    assert labels({**TRACKING, "team": "vision", "cost-center": "4711"}) == {
        "cost-center": "4711",
        "team": "vision",
        **OURS,
    }


def test_labels_of_tools_never_come_along_even_if_allowed() -> None:
    assert labels(TRACKING, cost_labels=tuple(TRACKING)) == {"app": "web", **OURS}

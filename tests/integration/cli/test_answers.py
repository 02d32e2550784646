"""What a real API server answers to the command: edits taken and refused, rights, names, completion."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.programs import find_program
from tests.integration.cli.conftest import BIN, Person
from tests.support.cluster import ApiServer
from tests.support.reports import MANIFEST
from trimtab_cli.formats import to_yaml
from trimtab_cli.plugin import proposals

Document = dict[str, Any]
JOB = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob"}


@pytest.fixture
def namespace(control_plane: ApiServer, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own, in which no operator acts."""
    name = f"cli-{request.node.originalname.replace('_', '-')[5:40].strip('-')}"
    control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "job.yaml").write_text(MANIFEST)
    return tmp_path / "job.yaml"


def job_of(server: ApiServer, namespace: str, name: str = "digits") -> Document | None:
    return server.find({**JOB, "metadata": {"name": name, "namespace": namespace}})


def test_edits_are_taken_or_refused_by_the_server(
    control_plane: ApiServer, namespace: str, person: Person, manifest: Path
):
    submit = ("submit", manifest, "-n", namespace)
    dry = person.says(*submit, "--dry-run", "server", "-o", "name")
    nothing = job_of(control_plane, namespace)
    codes = [
        person.says(*submit, *more)
        for more in ((), (), ("--set", "spec.search.trials=50"), ("--set", "spec.search.seed=8"))
    ]
    after = job_of(control_plane, namespace)

    assert (dry[0], dry[1], nothing) == (0, "optimizationjob.trimtab.io/digits\n", None)
    assert [each[1] for each in codes[:3]] == [
        f"digits: {done} in namespace {namespace}\n" for done in ("created", "unchanged", "configured")
    ]
    assert codes[3][0] == 2
    assert codes[3][2].startswith("Error: spec.search.seed: cannot be changed: only search.trials")
    assert after
    assert after["spec"]["search"]["trials"] == 50


def test_field_that_a_gitops_tool_holds_is_left_to_it(
    control_plane: ApiServer, namespace: str, person: Person, manifest: Path
):
    person.says("submit", manifest, "-n", namespace)
    person.says("submit", manifest, "-n", namespace, "--set", "spec.search.trials=50")
    job = job_of(control_plane, namespace)
    assert job
    edited = {key: job[key] for key in ("apiVersion", "kind")}
    edited |= {"metadata": {"name": "digits", "namespace": namespace}, "spec": {"search": {"trials": 60}}}
    control_plane.apply(
        {**edited, "spec": {**job["spec"], "search": {**job["spec"]["search"], "trials": 60}}}
    )

    code, _, told = person.says("submit", manifest, "-n", namespace)

    assert code == 5
    assert "spec.search.trials is held by tests: change it there" in told


def test_config_map_that_is_nowhere_is_asked_for(person: Person, namespace: str, manifest: Path):
    named = 'spec.task.code={configMap: "digits-code"}'
    code, _, told = person.says("submit", manifest, "-n", namespace, "--set", named)
    assert code == 2
    assert (
        f"ConfigMap digits-code is neither in this stream nor in namespace {namespace}: give --code" in told
    )


def test_what_is_not_there_is_told_with_what_is(person: Person, namespace: str, manifest: Path):
    name = "digits-of-one-namespace"
    person.says("submit", manifest, "-n", namespace, "--set", f"metadata.name={name}")
    asked = {
        f"digits-of-one -n {namespace}": f"no such job in namespace {namespace}; did you mean {name}?",
        f"{name} -n kube-public": f"no such job in namespace kube-public; there is one with -n {namespace}",
        "digits -n nowhere": "there is no namespace nowhere in this cluster (context tests)",
    }
    for words, told in asked.items():
        code, out, error = person.says("get", *words.split())
        assert (code, out) == (5, "")
        assert told in error
    assert person.says("list", "-n", "nowhere")[0] == 5
    assert person.says("submit", manifest, "-n", "nowhere")[0] == 5


def test_rights_that_are_missing_are_named(control_plane: ApiServer, person: Person, namespace: str):
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    control_plane.apply({**account, "metadata": {"name": "visitor", "namespace": namespace}})
    token = control_plane.token_of(namespace, "visitor")
    control_plane.plane.write_kubeconfig(person.kubeconfig, token)

    code, _, told = person.says("list", "-n", namespace)

    who = f"system:serviceaccount:{namespace}:visitor"
    assert code == 5
    assert told.startswith(
        f"Error: {who} may not list optimizationjobs.trimtab.io in namespace {namespace}: an "
    )


def test_program_of_the_kubeconfig_gives_the_token_and_gives_it_anew(
    control_plane: ApiServer, person: Person, namespace: str, tmp_path: Path
):
    """The first token is not taken: the program is asked again before anybody is told."""
    script = tmp_path / "login.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "asked = pathlib.Path(sys.argv[1])\n"
        "token = sys.argv[2] if asked.exists() else 'expired'\n"
        "asked.touch()\n"
        "status = {'token': token}\n"
        "version = 'client.authentication.k8s.io/v1'\n"
        "print(json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status}))\n"
    )
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script), str(tmp_path / "asked"), control_plane.plane.token],
        "interactiveMode": "Never",
    }
    cluster = {"server": control_plane.url, "certificate-authority": str(control_plane.plane.certificate)}
    content = {
        "clusters": [{"name": "a", "cluster": cluster}],
        "users": [{"name": "a", "user": {"exec": program}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a", "namespace": namespace}}],
        "current-context": "a",
    }
    person.kubeconfig.write_text(to_yaml(content))

    assert person.says("list") == (0, "", f"there are no jobs in namespace {namespace}\n")


def test_names_are_completed_from_the_cluster(person: Person, namespace: str, manifest: Path):
    for name in ("digits", "digits-2", "rings"):
        person.says("submit", manifest, "-n", namespace, "--set", f"metadata.name={name}")
    where = ["--kubeconfig", str(person.kubeconfig)]

    assert proposals(["get", *where, "-n", namespace, "di"]) == ["digits", "digits-2", ":4"]
    assert proposals(["suspend", *where, "-n", namespace, "rings", "r"]) == ["rings", ":4"]
    assert proposals(["list", *where, "-n", namespace[:8]])[0].startswith("cli-")
    assert proposals(["get", "--kubeconfig", "/none", "-n", namespace, "di"])[-1] == ":16"


def test_kubectl_runs_and_completes_the_plugin(person: Person, namespace: str, manifest: Path):
    person.says("submit", manifest, "-n", namespace)
    environment = {**os.environ, "KUBECONFIG": str(person.kubeconfig), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def kubectl(*words: str) -> str:
        command = [str(find_program("kubectl")), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert kubectl("trimtab", "list", "-n", namespace).splitlines()[1].startswith("digits  Pending")
    assert kubectl("__complete", "trimtab", "get", "-n", namespace, "di").splitlines()[0] == "digits"

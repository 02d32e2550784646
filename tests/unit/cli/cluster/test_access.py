"""From a command line to its API server: kubeconfig, context, namespace, credentials."""

import sys
from pathlib import Path
from typing import Any

import pytest

from trimtab_cli.cluster.access import connect
from trimtab_cli.cluster.errors import ClusterError, UnavailableError
from trimtab_cli.cluster.options import Access
from trimtab_cli.formats import to_yaml

Document = dict[str, Any]


def kubeconfig(path: Path, name: str = "one", user: Document | None = None, **context: str) -> Path:
    """A kubeconfig of a server at a port where nobody listens."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": name, "user": user or {"token": f"token-of-{name}"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
    }
    path.write_text(to_yaml(content))
    return path


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person without any kubeconfig, outside of any pod."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("access", "namespace"),
    [
        pytest.param(Access(), "vision", id="of-the-context"),
        pytest.param(Access(namespace="other"), "other", id="of-the-command-line"),
        pytest.param(Access(context="two"), "default", id="none"),
    ],
)
def test_namespace_is_the_command_lines_or_the_contexts(
    access: Access, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    paths = [
        kubeconfig(tmp_path / "a", namespace="vision"),
        kubeconfig(tmp_path / "b", "two"),
        tmp_path / "none",
    ]
    kubeconfig(tmp_path / "a", namespace="vision")
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths)))
    if access.context is None:
        access = Access(access.namespace, "one")
    with connect(access) as api:
        assert api.namespace == namespace


@pytest.mark.parametrize(
    ("access", "why"),
    [
        pytest.param(Access(), "no cluster is known: there is no kubeconfig at ~/.kube/config", id="none"),
        pytest.param(
            Access(kubeconfig="a"), "no cluster is known: there is no kubeconfig at a;", id="no-file"
        ),
        pytest.param(
            Access(kubeconfig="one", context="two"), "one has no context two; there are: one", id="context"
        ),
        pytest.param(Access(kubeconfig="none"), "none has no current context", id="no-context"),
        pytest.param(Access(kubeconfig="text"), "text cannot be used: ", id="no-kubeconfig"),
    ],
)
def test_what_leads_to_no_cluster_is_told_in_one_line(
    access: Access, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    kubeconfig(tmp_path / "one")
    (tmp_path / "none").write_text("{contexts: []}")
    (tmp_path / "text").write_text("[1, 2")
    with pytest.raises(ClusterError) as error, connect(access):
        pass
    assert error.value.message.startswith(why)
    assert "\n" not in error.value.message
    assert error.value.exit_code == 5


def test_server_that_is_not_there_is_told_in_one_line(tmp_path: Path):
    access = Access(kubeconfig=str(kubeconfig(tmp_path / "one")))
    with connect(access) as api, pytest.raises(UnavailableError) as error:
        api.read("/version")
    assert error.value.message == (
        "the API server at https://127.0.0.1:1 (context one) cannot be reached: Connection refused; "
        "check the network, or choose another --context"
    )


def test_program_without_credentials_is_told_in_one_line(tmp_path: Path):
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", "import sys; sys.exit('your session has ended')"],
        "interactiveMode": "Never",
    }
    path = kubeconfig(tmp_path / "one", user={"exec": program})
    with pytest.raises(
        ClusterError, match=r"no credentials: exec: process returned 1\. your session has ended"
    ):
        connect(Access(kubeconfig=str(path)))


def test_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    from click import UsageError

    with pytest.raises(UsageError, match=r"pip install 'trimtab\[client\]'"):
        connect(Access())

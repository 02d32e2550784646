"""From a command line to its API server: kubeconfig, context and namespace as kubectl finds them.

--kubeconfig, else KUBECONFIG (several files, joined by ':'), else ~/.kube/config; inside a pod without any
of them its service account. Tokens, client certificates, exec plugins, OIDC and proxies are the client
library's.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.errors import ClusterError
from trimtab_cli.cluster.options import Access
from trimtab_cli.cluster.refusals import one_line

if TYPE_CHECKING:
    from trimtab_cli.cluster.api import Api

USUAL_SECONDS = 30.0
"""For one request."""
_HOME = "~/.kube/config"
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def connect(access: Access, seconds: float = USUAL_SECONDS) -> "Api":
    """The API server that a command line means; ClusterError when it names none, UsageError to install more.

    Nothing is asked of it yet.
    """
    try:
        import kubernetes  # noqa: F401
    except ModuleNotFoundError as error:
        raise click.UsageError(
            f"speaking with a cluster needs {error.name}, which comes with: pip install 'trimtab[client]'"
        ) from None
    from trimtab_cli.cluster.api import Api

    paths = access.kubeconfig or os.environ.get("KUBECONFIG") or _HOME
    is_there = any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path)
    if is_there:
        return _by_file(access, paths, seconds)
    if not (access.kubeconfig or access.context) and "KUBERNETES_SERVICE_HOST" in os.environ:
        namespace = _POD_NAMESPACE.read_text().strip() if _POD_NAMESPACE.is_file() else "default"
        return Api(_in_pod, access.namespace or namespace, "this pod's cluster", seconds)
    raise ClusterError(
        f"no cluster is known: there is no kubeconfig at {paths}; give --kubeconfig FILE or set KUBECONFIG"
    )


def _by_file(access: Access, paths: str, seconds: float) -> "Api":
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    from trimtab_cli.cluster.api import Api

    with _told_of(paths):
        merged = KubeConfigMerger(paths).config  # type: ignore[no-untyped-call]  # the library does not say
        name = access.context or merged.value.get("current-context")
        given = context_of(merged.value, name, paths)

    def load(configuration: Any) -> None:
        with _told_of(paths):
            KubeConfigLoader(merged, active_context=name).load_and_set(configuration)  # type: ignore[no-untyped-call]  # as above

    return Api(load, access.namespace or given.get("namespace") or "default", f"context {name}", seconds)


def context_of(kubeconfig: Mapping[str, Any], name: str | None, paths: str) -> Mapping[str, Any]:
    """The context of that name; ClusterError with those that there are."""
    contexts = {each["name"]: each["context"] for each in kubeconfig.get("contexts") or ()}
    names = ", ".join(sorted(contexts)) or "none"
    if not name:
        raise ClusterError(f"{paths} has no current context: give --context, one of: {names}")
    if name not in contexts:
        raise ClusterError(f"{paths} has no context {name}; there are: {names}")
    found = contexts[name]
    return {key: found[key] for key in ("cluster", "user", "namespace") if key in found}


def _in_pod(configuration: Any) -> None:
    from kubernetes import config

    with _told_of("this pod's service account"):
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # as above


@contextmanager
def _told_of(place: str) -> Iterator[None]:
    """Have whatever is wrong with a kubeconfig, or with the program that it names, end as one line.

    The library logs what a program of credentials said and goes on without them.
    """
    import yaml
    from kubernetes.config import ConfigException

    logged = _Kept()
    root = logging.getLogger()
    root.addHandler(logged)
    try:
        yield
    except (ConfigException, yaml.YAMLError, OSError, AttributeError, TypeError, KeyError) as error:
        raise ClusterError(f"{place} cannot be used: {one_line(str(error))}") from None
    finally:
        root.removeHandler(logged)
    if logged.lines:
        raise ClusterError(f"{place}: no credentials: {logged.lines[0]}")


class _Kept(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(one_line(record.getMessage()))

"""An API server of these tests' own: the chart brings the definitions itself."""

from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import API_SERVER
from tests.support.chart import HOME
from tests.support.cluster import ApiServer, run_control_plane


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server without the project's definitions, `restricted` where the chart goes."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    for server in run_control_plane(tmp_path_factory.mktemp("empty-server"), API_SERVER):
        server.namespaces.add(HOME)
        server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME, "labels": labels}})
        yield server

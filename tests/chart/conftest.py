"""An API server of these tests' own: the chart brings the definitions itself."""

from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import API_SERVER
from tests.support.cluster import ApiServer, run_control_plane


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server without the project's definitions."""
    yield from run_control_plane(tmp_path_factory.mktemp("empty-server"), API_SERVER)

"""One operator for these tests, with a namespace for each module: that of test_kstatus.py is kstatus."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import ApiServer
from tests.support.nodes import Node
from tests.support.operated import Site, give_gpus
from tests.support.operator_process import OperatorProcess
from tests.support.rays import Rays

NAMESPACES = ("kstatus", "kstatus-quota", "untouched", "edits", "budgets", "leftovers", "large")


@pytest.fixture(scope="session")
def operator(control_plane: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """An operator that serves these namespaces only, so that tests may have operators of their own."""
    settings = {"NAMESPACES": ",".join(NAMESPACES)}
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(control_plane, folder, "integration", settings=settings) as operator:
        yield operator


@pytest.fixture(scope="session")
def sites(
    control_plane: ApiServer, node: Node, rays: Rays, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Site]:
    """The served namespaces, on a node that has GPUs."""
    give_gpus(node)
    folder = tmp_path_factory.mktemp("sites")
    return {name: Site(control_plane, rays, name, folder) for name in NAMESPACES}


@pytest.fixture
def site(request: pytest.FixtureRequest, operator: OperatorProcess, sites: dict[str, Site]) -> Iterator[Site]:
    """The namespace of the module; its jobs go with the test."""
    site = sites[request.path.stem.removeprefix("test_").replace("_", "-")]
    yield site
    site.clear()

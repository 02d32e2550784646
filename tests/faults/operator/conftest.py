"""One operator for the modules whose faults are not its own.

Such a module has a namespace: that of test_hostile_reports.py is hostile-reports.
"""

from collections.abc import Iterator

import pytest

from tests.support.cluster import ApiServer
from tests.support.lives import History
from tests.support.nodes import Node
from tests.support.operated import Site, give_gpus
from tests.support.operator_process import OperatorProcess
from tests.support.rays import Rays


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest,
    control_plane: ApiServer,
    node: Node,
    rays: Rays,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The namespace of the module, on a node with GPUs, while an operator serves it and a doomed one."""
    name = request.path.stem.removeprefix("test_").replace("_", "-")
    folder = tmp_path_factory.mktemp(name)
    give_gpus(node)
    settings = {"NAMESPACES": f"{name},{name}-doomed"}
    site = Site(control_plane, rays, name, folder)
    with OperatorProcess(control_plane, folder / "operator", name, settings=settings):
        yield site


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The namespace of the module; its jobs go with the test, which never has two RayJobs at a time."""
    history = History(served.server, served.namespace)
    yield served
    served.clear()
    history.stop()
    assert [each for each in history.at_once if len(each) > 1] == []

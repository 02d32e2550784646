"""Real nodes for tests: `nodes` is one cluster per session, with one node in each of its pools.

Policies are enforced, and a lost node is noticed after 8 s. The tests that use it run last, so that it does
not disturb what others measure. Each works in namespaces of its own, and leaves all nodes ready.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.images import IS_FULL
from tests.cluster.nodes import Nodes
from tests.cluster.pools import divide, pooled_nodes
from tests.cluster.processes import StartError
from tests.cluster.programs import UnavailableError
from tests.support.tiers import skip_tier

NAMES = ("cpu-1",) if IS_FULL else ("cpu-1", "gpu-1", "spare-1")
"""One node alone for the whole worker's image, which takes 12 GB of each."""
PLACES = ("tests/e2e/", "tests/faults/nodes/")
"""Where tests use them."""


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """The session's cluster of real nodes; the tier is skipped where this machine cannot run them."""
    nodes = pooled_nodes(tmp_path_factory.mktemp("nodes"), NAMES, fast_loss=True, policies=True)
    try:
        nodes.start()
    except UnavailableError as error:
        skip_tier(str(error))
    except StartError as error:
        pytest.fail(f"the nodes did not start: {error}", pytrace=False)
    divide(nodes)
    yield nodes
    nodes.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.startswith(PLACES))

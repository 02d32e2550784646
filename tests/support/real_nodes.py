"""Real nodes for tests: `nodes` is one cluster per session, with the pools `cpu` and `gpu` of a node each.

Policies are enforced, and a lost node is noticed after 8 s. The tests that use it run last, so that it does
not disturb what others measure. Each works in namespaces of its own, and leaves both nodes ready.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.nodes import Nodes
from tests.cluster.pools import divide, pooled_nodes
from tests.cluster.processes import StartError
from tests.cluster.programs import UnavailableError
from tests.support.tiers import skip_tier

NAMES = ("cpu-1", "gpu-1")
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

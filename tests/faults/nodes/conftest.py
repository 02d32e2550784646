from collections.abc import Iterator

import pytest

from tests.faults.nodes.ground import Ground, ground_on
from tests.support.platform import Platform


@pytest.fixture(scope="module")
def ground(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The platform as a ground for faults."""
    with ground_on(platform, tmp_path_factory.mktemp("ground")) as found:
        yield found

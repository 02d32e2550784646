"""One suite over every store: a test that asks for `store` runs on each of them."""

from pathlib import Path
from typing import cast

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_jobs.store import Store, open_store


@pytest.fixture(params=["folder", "s3", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A new store of each kind, empty."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    return open_store(cast(str, request.getfixturevalue("s3_bucket")) + "/jobs/one")

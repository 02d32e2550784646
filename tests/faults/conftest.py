"""Where runs keep what they find; recoveries, told in the tier's table."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

Recovery = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def recovery(record_property: Callable[[str, object], None]) -> Recovery:
    """What measures one recovery: from the fault, with which it is entered, to the last thing waited for."""

    @contextmanager
    def measured(fault: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        record_property("recovery", f"{time.monotonic() - began:6.1f} s  {fault}")

    return measured


@pytest.fixture(params=["folder", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a run keeps everything: a local folder, then a bucket of the S3 server."""
    if request.param == "folder":
        return str(tmp_path / "output")
    return f"{request.getfixturevalue('s3_bucket')}/run"

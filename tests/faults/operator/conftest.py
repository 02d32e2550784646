"""Recoveries: how long it took from a fault until all was as it should be, told in the tier's table."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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

"""Skips of a test tier that this machine cannot run.

A skip on a laptop is help; in CI it would hide that nothing was tested, so there it is a failure.
"""

import os
from typing import NoReturn

import pytest


def skip_tier(reason: str) -> NoReturn:
    """Skip with the reason, or fail when CI is set to anything but an empty or a false value."""
    if os.environ.get("CI", "").lower() in {"", "0", "false"}:
        pytest.skip(reason)
    pytest.fail(f"{reason} (a tier may not be skipped in CI)", pytrace=False)

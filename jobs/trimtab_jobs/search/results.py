"""Whether a record holds results: what is asked of it before Optuna reads it."""

import json
from collections.abc import Iterable

RESULT = "result"
"""Name of the attribute under which the journal keeps what a trial came to."""


def has_results(batches: Iterable[bytes]) -> bool:
    """Whether any trial that is recorded has a result, its first rung's at least."""
    lines = (line for batch in batches for line in batch.splitlines())
    return any(RESULT in json.loads(line).get("user_attr", {}) for line in lines)

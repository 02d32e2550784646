"""Numbers as JSON and the API server hold them."""

import math


def whole(number: float) -> int | float:
    """Return a number as JSON holds it after a trip through the API server: 1.0 is 1."""
    return int(number) if math.isfinite(number) and number.is_integer() and abs(number) < 2**63 else number

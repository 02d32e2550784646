"""Which version this is, and of which version what operator and driver tell each other is: said here alone.

An operator and a driver work together when their schema versions differ by one at most, whichever is newer: a
job that runs while the operator is upgraded, or put back, keeps the driver that it has. So a field may be
added at any time, as readers leave out what they do not know; what a reader of the version before could not
leave out raises SCHEMA_VERSION, and what one of two versions before needed may then go.
"""

from importlib.metadata import version
from typing import Annotated

from pydantic import Field

VERSION = version("trimtab")
"""Of the program."""
SCHEMA_VERSION = 1
"""Of Plan and Report."""
SchemaVersion = Annotated[int, Field(ge=SCHEMA_VERSION - 1, le=SCHEMA_VERSION + 1)]
"""One that this version can read."""

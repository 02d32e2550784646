"""What kstatus (sigs.k8s.io/cli-utils), by which Flux knows that an object is ready, makes of objects."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.cluster.programs import UnavailableError, find_program
from tests.support.tiers import skip_tier


def kstatus_of(document: dict[str, Any]) -> str:
    """Current, InProgress, Failed or Terminating."""
    return kstatus([document])[0][0]


def kstatus(documents: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Status and message of each object; the tier is skipped when the program is not built here."""
    try:
        program = find_program("kstatus")
    except UnavailableError as error:
        skip_tier(str(error))
    lines = "".join(f"{json.dumps(each)}\n" for each in documents)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = [line.partition("\t") for line in done.stdout.splitlines()]
    return [(status, message) for status, _, message in answers]

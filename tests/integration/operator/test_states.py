"""Every state of a job as a real API server keeps it, and as kstatus itself judges it."""

from typing import Any

import pytest

from tests.support.cluster import ApiServer
from tests.support.fat_status import fattest
from tests.support.kstatus import kstatus_of
from tests.support.states import STATES
from tests.support.worlds import job
from trimtab_operator.merge import difference
from trimtab_operator.trim import plain_json, trimmed
from trimtab_operator.world import Observed

NUMBERED = [
    (f"state-{number}", world, verdict) for number, (world, _, _, verdict) in enumerate(STATES.values())
]
each_state = pytest.mark.parametrize(("name", "world", "verdict"), NUMBERED, ids=STATES)


@each_state
def test_kstatus_judges_a_state_as_the_table_says(name: str, world: Observed, verdict: str) -> None:
    assert kstatus_of(dict(world.job)) == verdict, name


@each_state
def test_api_server_keeps_a_status_as_it_was_written(
    api_server: ApiServer, name: str, world: Observed, verdict: str
) -> None:
    status = dict(world.job["status"])

    assert difference(stored(api_server, name, status), status) == {}, verdict


def test_api_server_keeps_the_fattest_status(api_server: ApiServer) -> None:
    status = plain_json(trimmed(fattest()))

    assert difference(stored(api_server, "fat", status), status) == {}


def stored(api_server: ApiServer, name: str, status: dict[str, Any]) -> dict[str, Any]:
    """What the API server gives back of a job's status."""
    document = {**job(), "metadata": {"name": name, "namespace": "states"}}
    del document["status"]
    created = api_server.create(document)
    kept: dict[str, Any] = api_server.update_status({**created, "status": status})["status"]
    return kept

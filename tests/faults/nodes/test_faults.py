"""Jobs on real nodes meet faults on real parts, and end well.

Afterwards the model is published, nothing that was recorded was repeated, costs are right, and nothing is
left behind. They run with TRIMTAB_FAULTS=full: each fault of the table is met by a job of its own, and one of
each class by two jobs at a time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Recovery
from tests.faults.nodes import strikes
from tests.faults.nodes.ground import Ground
from tests.faults.nodes.ordeal import Ordeal
from tests.faults.nodes.strikes import FAULTS, FULL, Strike

LOSSES = (strikes.old_driver_goes_on, strikes.driver_hung, strikes.head_evicted)
"""Each costs an attempt."""
DISTURBANCES = (
    strikes.image_missing,
    strikes.worker_killed,
    strikes.kubelet_restarted,
    strikes.store_down,
    strikes.operator_upgraded,
    strikes.operator_rolled_back,
    strikes.workers_node_lost,
    strikes.worker_out_of_memory,
)
"""One attempt gets over all of them."""


def live(ordeal: Ordeal, faults: Sequence[Strike]) -> None:
    """The whole life of a job."""
    ordeal.begin()
    for strike in faults:
        strike(ordeal)
    ordeal.end_well()


if FULL:

    @pytest.mark.parametrize("name", FAULTS)
    def test_job_ends_well_after(ground: Ground, recovery: Recovery, name: str) -> None:
        fault = FAULTS[name]
        ground.operate(older="older" in fault.needs)
        with Ordeal(ground, name, recovery, fault.needs) as ordeal:
            live(ordeal, [fault.strike])

    def test_two_jobs_at_a_time_end_well_after_a_fault_of_each_class(
        ground: Ground, recovery: Recovery
    ) -> None:
        ground.operate(older=True)
        with (
            Ordeal(ground, "losing", recovery, pool="anywhere") as losing,
            Ordeal(ground, "lasting", recovery, ("image", "older")) as lasting,
            ThreadPoolExecutor() as threads,
        ):
            ends = [threads.submit(live, losing, LOSSES)]
            ground.platform.kubectl("wait", "node/cpu-1", "--for=condition=Ready=Unknown", "--timeout=240s")
            ends.append(threads.submit(live, lasting, DISTURBANCES))  # on what is left of the nodes
            for each in ends:
                each.result()

"""A driver that another one takes over: from then on it writes nothing that people or servers read."""

from dataclasses import dataclass

import pytest

from tests.support.driving import answers, drive, quality
from tests.support.memory_store import MemoryStore
from tests.support.search import MemoryRecord
from trimtab_jobs.store import FencedError

EVALUATE = "trimtab_jobs.measure.quality:evaluate"
SPEED_OF = "trimtab_jobs.measure.efficiency:measure"
INT8 = "trimtab_jobs.stages.quantize_static:quantize"


@dataclass
class TakenOver(MemoryRecord):
    """Another driver's, once `over` is set."""

    over: bool = False

    def commit(self, batch: bytes) -> None:
        if self.over:
            raise FencedError("another driver has taken over")
        super().commit(batch)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        pytest.param("trimtab_jobs.stages.export_onnx:export", "candidates/fp32/made.json", id="exporting"),
        pytest.param(INT8, "candidates/int8/made.json", id="compressing"),
        pytest.param(SPEED_OF, "orders", id="measuring"),
        pytest.param("trimtab_jobs.measure.interface:interface", "model", id="publishing"),
    ],
)
def test_a_driver_that_was_taken_over_writes_nothing_more(at: str, written: str):
    def last(work):
        record.over = True
        return answers()[at](work)

    record, store = TakenOver(), MemoryStore()

    with pytest.raises(FencedError):
        drive({at: last}, store, record)

    assert store.list(written) == []


def test_a_model_of_an_earlier_driver_is_left_by_one_that_was_taken_over():
    def on_test(work):
        record.over = work.payload["split"] == "test"
        return quality(work, {"int8": 40, "fp16": 40} if record.over else {})

    store, first = MemoryStore(), MemoryRecord()
    drive(store=store, record=first)
    record = TakenOver(first.batches)

    with pytest.raises(FencedError):
        drive({EVALUATE: on_test}, store, record)

    assert store.list("model")

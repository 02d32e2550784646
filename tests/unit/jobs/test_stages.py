"""Stages and the words by which a manifest asks for them are the same."""

from typing import get_args

from trimtab_api.compress import Quantization
from trimtab_api.support import REFUSED_VALUES
from trimtab_jobs.stages import STAGES


def test_every_way_to_compress_of_the_language_is_a_stage_or_refused() -> None:
    refused = REFUSED_VALUES["compress.quantize[]"]

    assert sorted([*STAGES, *refused]) == sorted([*get_args(Quantization), "structured"])

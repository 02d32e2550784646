"""The demo, with fewer trials: `trimtab run examples/digits/job.yaml` keeps what it promises, and says so."""

import html
import re
from dataclasses import astuple
from pathlib import Path

import pytest

from trimtab_api.report import Report
from trimtab_jobs.measure.hardware import hardware
from trimtab_jobs.report import figures


@pytest.fixture(scope="module")
def report(demo: Path) -> Report:
    return Report.model_validate_json((demo / "output/result.json").read_text())


def test_the_pruned_int8_model_is_small_and_holds_the_guardrail(report: Report):
    assert report.final is not None
    assert re.fullmatch(r"structured-0\.\d+\+int8", report.final.id)
    assert [(verdict.metric, verdict.limit, verdict.met) for verdict in report.guardrail] == [
        ("accuracy", {"maxDrop": 0.02}, True)
    ]
    for against in (report.savings.baseline, report.savings.uncompressed):
        assert against.size is not None
        assert against.size >= 8


@pytest.mark.skipif(hardware() == "x86-avx2", reason="int8 is hardly faster on x86 without VNNI")
def test_the_pruned_int8_model_is_fast(report: Report):
    # ratios of medians over rounds in which the models take turns: a busy machine slows all of them, but not
    # quite alike; on a quiet one they are above 4 at batch 1, and above 8 at batch 64 (throughput)
    for against in (report.savings.baseline, report.savings.uncompressed):
        print(f"{against.latency} at batch 1, {against.throughput} at batch 64")
        assert (against.latency or 0) >= 2
        assert (against.throughput or 0) >= 4


def test_pruning_and_quantization_are_combined(report: Report):
    steps = {each.id: each.steps for each in report.candidates}
    assert len(steps) == 8
    assert steps["structured-0.5+int8"] == ("structured-0.5", "int8")


def test_every_figure_of_the_table_is_in_the_result_and_on_the_page(demo: Path, report: Report):
    page = html.unescape(re.sub("<[^>]*>", " ", (demo / "output/report.html").read_text()))
    in_result = {text for row in figures.rows(report) for text in astuple(row)}

    printed = cells_of_table((demo / "printed").read_text())

    assert len(printed) > 30
    assert [cell for cell in printed if cell not in in_result] == []
    assert [cell for cell in printed if cell not in page] == []


def cells_of_table(printed: str) -> list[str]:
    """What the lines of before and after say, without their headings."""
    below = re.split(r"baseline +uncompressed\n", printed)[1]
    lines = below.partition("\n\n")[0].splitlines()
    cells = [cell for line in lines for cell in re.split(r"\s{2,}", line.strip())]
    return [cell for cell in cells if cell not in {"", "interval"}]

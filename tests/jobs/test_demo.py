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


def test_the_int8_model_is_small_and_holds_the_guardrail(report: Report):
    assert report.final is not None
    assert report.final.id == "int8"
    assert report.savings.uncompressed.size is not None
    assert report.savings.uncompressed.size >= 3.5
    assert [(verdict.metric, verdict.limit, verdict.met) for verdict in report.guardrail] == [
        ("accuracy", {"maxDrop": 0.02}, True)
    ]


@pytest.mark.skipif(hardware() == "x86-avx2", reason="int8 is hardly faster on x86 without VNNI")
def test_the_int8_model_is_fast(report: Report):
    # a ratio of medians over rounds in which the models take turns: a busy machine slows both
    assert report.savings.uncompressed.latency is not None
    assert report.savings.uncompressed.latency >= 2


def test_every_figure_of_the_table_is_in_the_result_and_on_the_page(demo: Path, report: Report):
    page = html.unescape(re.sub("<[^>]*>", " ", (demo / "output/report.html").read_text()))
    in_result = {text for row in figures.rows(report) for text in astuple(row)}

    printed = cells_of_table((demo / "printed").read_text())

    assert len(printed) > 30
    assert [cell for cell in printed if cell not in in_result] == []
    assert [cell for cell in printed if cell not in page] == []


def cells_of_table(printed: str) -> list[str]:
    """What the lines of before and after say, without their headings."""
    _, _, below = printed.partition("baseline  uncompressed\n")
    lines = below.partition("\n\n")[0].splitlines()
    cells = [cell for line in lines for cell in re.split(r"\s{2,}", line.strip())]
    return [cell for cell in cells if cell not in {"", "interval"}]

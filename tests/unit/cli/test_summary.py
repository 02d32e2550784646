"""The end of a run in words."""

# ruff: noqa: RUF001  typographic signs are what is tested

import json
import re

import pytest

from tests.support.reports import ended, finished, report
from trimtab_cli.summary import (
    aligned,
    candidates,
    comparison,
    following,
    guardrail,
    places,
    summary,
    title,
    wrapped,
)


def test_title_has_the_colour_of_the_verdict():
    assert title(finished()) == ("Guardrail met, int8 published", "green")
    assert title(ended("False", "GuardrailNotMet", "Failed")) == (
        "Guardrail not met, nothing published",
        "red",
    )


def test_comparison_is_a_table_of_before_and_after():
    assert comparison(finished()) == [
        "                                                                  against       against",
        "                     baseline  uncompressed            int8      baseline  uncompressed",
        "accuracy                0.961         0.985           0.983        +0.022        −0.002",
        "  interval                                   0.968 to 0.992",
        "size (MB)                5.10          4.21            1.08  4.7× smaller  3.9× smaller",
        "latency p50 (ms)        0.332         0.291           0.119   2.8× faster   2.5× faster",
        "throughput (rows/s)     3,012         3,436           8,424     2.8× more     2.5× more",
    ]


def test_every_figure_of_the_comparison_is_in_the_report():
    known = json.dumps(finished().model_dump(by_alias=True))
    exact = [float(text) for text in re.findall(r"-?\d+\.?\d*", known)]
    columns = [re.split(r"\s{2,}", line)[1:4] for line in comparison(finished())[4:]]
    for text in (cell.replace(",", "") for line in columns for cell in line):
        assert any(abs(float(text) - figure) <= 0.006 * abs(figure) for figure in exact), text


def test_candidates_have_their_verdicts_and_a_star_for_the_published_one():
    assert candidates(finished()) == [
        "candidate  accuracy  size (MB)  latency p50 (ms)  verdict",
        "fp16          0.985       2.11             0.318  slower than its parent",
        "int8 *        0.983       1.08             0.119  ok",
    ]


def test_candidates_without_a_model_have_no_star():
    assert not any("*" in line for line in candidates(finished(final=None)))


def test_guardrail_says_what_is_held_and_what_is_not():
    limits = [
        {"metric": "sizeMB", "limit": {"max": 2}, "measured": 1.081, "met": True},
        {"metric": "latencyMs", "limit": {"max": 0.1}, "measured": 0.1187, "met": False},
    ]
    assert guardrail(finished(guardrail=limits)) == [
        "✓ size: at most 2.00 MB: measured 1.08 MB",
        "✗ latency p50: at most 0.100 ms: measured 0.119 ms",
    ]


def test_places_name_the_model_and_the_evidence():
    assert places(finished(), "out") == [
        "Model    out/model/digits/1/model.onnx (1,081,234 bytes)",
        "Figures  out/result.json",
        "Report   out/report.html",
    ]


@pytest.mark.parametrize(
    ("one", "part"),
    [
        pytest.param(finished(), "serve out/model as it is", id="done"),
        pytest.param(ended("True", "BudgetReached", "Succeeded"), "raise spec.budget", id="budget"),
        pytest.param(ended("False", "GuardrailNotMet", "Failed"), "kept in out/candidates", id="guardrail"),
        pytest.param(ended("False", "Code", "Failed"), "trimtab logs out has what was printed", id="failed"),
        pytest.param(report(), "run the same command to go on: trimtab run job.yaml", id="interrupted"),
    ],
)
def test_what_comes_next(one, part):
    assert part in following(one, "out", "trimtab run job.yaml")


def test_summary_of_an_interrupted_run_is_short():
    assert summary(report(message="stopped"), "out", "trimtab run job.yaml") == [
        "stopped",
        "",
        "Kept in out",
        "",
        "Next: run the same command to go on: trimtab run job.yaml",
    ]


def test_summary_has_every_part_of_a_finished_run():
    lines = summary(finished(), "out", "trimtab run job.yaml")
    assert lines[0] == "told by the condition"
    assert lines.count("") == 5
    assert lines[-1].startswith("Next: ")


def test_aligned_columns_are_two_spaces_apart():
    assert aligned([["a", "1", "x"], ["bb", "22", ""]], left={0, 2}) == ["a    1  x", "bb  22"]


def test_narrow_terminal_gets_two_tables_and_lines_of_candidates():
    lines = summary(finished(), "out", "trimtab run", width=60)
    assert max(map(len, lines)) <= 60
    assert "                     baseline  final        change" in lines
    assert "                     uncompressed  final        change" in lines
    assert "accuracy: final 0.968 to 0.992" in lines
    assert any(line.startswith("* int8: accuracy 0.983, size 1.08 MB") for line in lines)


def test_wide_terminal_gets_the_tables_that_a_file_gets():
    assert comparison(finished())[2] in summary(finished(), "out", "trimtab run", width=120)


def test_lines_are_broken_between_words_and_paths_stay_whole():
    path = "/a/rather/long/path/that-is-to-be-copied/result.json"
    assert wrapped(f"Figures  {path}", 30) == ["Figures", f"  {path}"]
    assert wrapped("", 30) == [""]
    assert wrapped("failed\n    a traceback", 30) == ["failed", "    a traceback"]

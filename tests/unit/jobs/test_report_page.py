"""The page of a report: whole, small, closed to the network and to hostile names."""

# ruff: noqa: RUF001  typographic signs are what is tested

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from tests.support.reports import ended, finished, report, trials
from trimtab_jobs.report.page import render

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


class Reader(HTMLParser):
    """Collects what a browser would see: tags with attributes, and the text of scripts and all else."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        inside = self.tags[-1][0] if self.tags else ""
        (self.scripts if inside == "script" else self.texts if inside != "style" else []).append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def read(*arguments):
    return Reader(render(*arguments))


def test_page_says_in_one_sentence_what_came_out():
    assert (
        "The published model is 4.7× smaller and 2.8× faster than the baseline. "
        "Its accuracy is 0.983 (0.968 to 0.992), +0.022 against the baseline."
    ) in read(finished(), []).text


def test_page_has_every_section_of_a_finished_run():
    page = render(finished(), trials(8))
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Before and after",
        "Guardrail",
        "Candidates",
        "Search",
        "Failures",
        "Published",
        "How to reproduce",
    ]


@pytest.mark.parametrize(
    ("one", "title"),
    [
        pytest.param(finished(), "Guardrail met, int8 published", id="done"),
        pytest.param(
            ended("False", "GuardrailNotMet", "Failed"), "Guardrail not met, nothing published", id="not-met"
        ),
        pytest.param(ended("False", "Code", "Failed"), "Failed", id="failed"),
        pytest.param(report(phase="Searching", stage="search"), "Not finished in search", id="not-finished"),
    ],
)
def test_page_begins_with_the_verdict(one, title):
    verdict = re.search(r'<span class="verdict \w+">(.*?)</span>', render(one, []))
    assert verdict is not None
    assert verdict[1] == title


def test_page_of_a_failed_run_gives_the_message():
    assert "loss is NaN" in read(report(phase="Failed", message="loss is NaN"), []).text


def test_page_of_a_run_with_nothing_measured_has_no_empty_sections():
    page = render(report(phase="Failed"), [])
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["How to reproduce"]


@pytest.mark.parametrize("count", [1000, 10_000])
def test_page_stays_under_500_kb(count):
    long_names = {f"parameter_{index}": "a rather long choice of a category" for index in range(8)}
    assert len(render(finished(), trials(count, **long_names)).encode()) < 500_000


def test_page_lists_the_best_trials_where_not_all_fit():
    many = trials(4000)
    shown = json.loads(read(finished(), many).scripts[0])["trials"]
    values = [float(trial["metrics"]["accuracy"]) for trial in shown]
    assert 100 < len(shown) < 4000
    assert max(values) == 0.94
    assert "The best" in read(finished(), many).text


def test_page_loads_nothing():
    page = read(finished(), trials(8))
    loading = [attributes for _, attributes in page.tags if attributes.keys() & {"src", "href", "action"}]
    assert loading == []


def test_page_allows_only_its_own_style_and_script():
    page = render(finished(), trials(8))
    policy = Reader(page).named("meta")[1]["content"] or ""
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content is not None
        digest = b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")


def test_page_has_no_inline_style_or_handler():
    page = read(finished(), trials(8))
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


def test_page_is_not_broken_by_hostile_strings():
    plain = read(finished(), trials(8))
    whole = finished().model_dump(by_alias=True)
    whole["name"] = whole["final"]["id"] = whole["candidates"][1]["id"] = HOSTILE
    whole["candidates"][1]["verdict"] = whole["environment"]["cpu"] = HOSTILE
    whole["best"]["params"] = {HOSTILE: HOSTILE}
    whole["artifacts"][0]["name"] = whole["artifacts"][0]["uri"] = HOSTILE
    bad = [
        {**trial, "params": {HOSTILE: HOSTILE}, "error": HOSTILE, "state": trial["state"]}
        for trial in trials(8)
    ]
    page = read(type(finished()).model_validate(whole), bad)
    assert page.named("img") == []
    assert len(page.named("script")) == len(plain.named("script"))
    assert json.loads(page.scripts[0])["report"]["name"] == HOSTILE


def test_page_embeds_the_report_as_json():
    content = json.loads(read(finished(), trials(2)).scripts[0])
    assert content["report"] == finished().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert content["trials"][0] == {
        "number": 0,
        "state": "completed",
        "params": {"lr": "0.001"},
        "metrics": {"accuracy": "0.900"},
    }


def test_page_has_a_caption_for_each_table_and_a_label_for_each_chart():
    page = read(finished(), trials(8))
    assert len(page.named("table")) == len(page.named("caption")) > 0
    assert all(chart.get("aria-label") or chart.get("aria-hidden") for chart in page.named("svg"))


def test_page_names_every_target():
    page = read(
        finished(final={"id": "int8", "targets": {"edge": {"latencyMs": 0.05, "measuredOn": "arm"}}}), []
    )
    assert "By target" in page.text
    assert "edge arm 0.0500" in page.text


def test_page_says_why_a_limit_is_not_held():
    limit = {
        "metric": "accuracy",
        "limit": {"maxDrop": 0.02},
        "measured": 0.03,
        "met": False,
        "message": "too much",
    }
    assert (
        "✗ accuracy: drop of at most 0.020 not held : drop of 0.030 too much"
        in read(finished(guardrail=[limit]), []).text
    )


def test_page_counts_trials_in_words():
    assert (
        "40 trials: 31 completed, 8 ended early, 1 failed, 2 run again. Seed 7."
        in read(finished(), trials(2)).text
    )


def test_page_shows_at_most_twenty_failures():
    page = read(finished(), trials(7 * 25))
    assert "The first 20 of 25." in page.text
    assert page.text.count("RuntimeError: loss is NaN") == 20


def test_page_points_to_the_log_of_a_failure_without_an_error():
    page = read(finished(), [{**trials(7)[6], "error": None}])
    assert "see its log" in page.text


def test_search_without_any_result_has_no_chart():
    page = read(finished(candidates=[]), [trials(7)[6]])
    assert page.named("figure") == []


def test_search_without_objectives_ranks_by_the_first_metric():
    assert "accuracy by trial" in render(finished(objectives=[], candidates=[]), trials(4))


def test_search_in_which_nothing_was_measured_has_a_table_only():
    page = read(finished(objectives=[], candidates=[], best=None), [trials(7)[6]])
    assert page.named("figure") == []
    assert "Best: trial" not in page.text
    assert "All trials." in page.text


def test_search_that_minimizes_keeps_the_smallest():
    minimize = finished(objectives=[{"metric": "accuracy", "direction": "minimize"}])
    shown = json.loads(read(minimize, trials(4000)).scripts[0])["trials"]
    assert shown[0]["number"] == 0


def test_artifact_sizes_have_decimal_units():
    text = read(finished(), []).text
    assert "model.onnx 1.08 MB 21" in text
    assert "trimtab.json 812 B" in text
    sizes = [{"name": "config.pbtxt", "uri": "out", "sha256": "ab", "bytes": 4312}]
    assert "config.pbtxt 4.31 kB" in read(finished(artifacts=sizes), []).text

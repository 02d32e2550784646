"""The page of a report: whole, small, closed to the network and to hostile names."""

# ruff: noqa: RUF001  typographic signs are what is tested

import hashlib
import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reports import ended, figures, finished, report, trials
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
        "Its accuracy is 0.983 (0.968 to 0.992), 0.022 better than the baseline."
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
    values = [float(accuracy or 0) for _, _, accuracy, _ in shown["rows"]]
    assert 1000 < len(values) < 4000
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
        {**trial, "params": {HOSTILE: HOSTILE}, "failure": dict.fromkeys(("kind", "error", "tail"), HOSTILE)}
        for trial in trials(8)
    ]
    page = read(type(finished()).model_validate(whole), bad)
    assert page.named("img") == []
    assert len(page.named("script")) == len(plain.named("script"))
    assert json.loads(page.scripts[0])["report"]["name"] == HOSTILE


def test_page_embeds_the_report_as_json():
    content = json.loads(read(finished(), trials(2)).scripts[0])
    assert content["report"] == finished().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert content["trials"] == {
        "metrics": ["accuracy"],
        "params": ["lr"],
        "rows": [[0, "completed", "0.900", "0.001"], [1, "completed", "0.900", "0.00101"]],
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
    told = read(finished(guardrail=[limit]), []).text
    assert "accuracy: at most 0.020 worse than uncompressed ✗ not held too much 0.030 worse" in told


def test_page_counts_trials_in_words():
    assert (
        "40 trials: 31 completed, 8 ended early, 1 failed, 2 run again. Seed 7."
        in read(finished(), trials(2)).text
    )


def test_page_counts_failures_by_kind_and_shows_those_alike_once_with_their_last_lines():
    page = read(finished(), trials(7 * 25))
    assert "25 trials failed because of their parameters." in page.text
    assert "Trials 6, 13, 20, 27, 34, 41, 48, 55 and 17 more, configuration." in page.text
    assert page.text.count("epoch 1 RuntimeError: loss is NaN") == 1


def test_failures_that_differ_in_figures_only_are_alike():
    failed = trials(14)
    for index, size in ((6, 512), (13, 1024)):
        failed[index]["failure"] = {
            "kind": "configuration",
            "error": f"tried to allocate {size} MiB",
            "tail": "",
        }
    text = read(finished(), failed).text
    assert "tried to allocate 1024 MiB Trials 6, 13, configuration." in text
    assert "512" not in text.partition("Failures")[2].partition("Published")[0]


def test_page_shows_twelve_kinds_of_errors_and_counts_the_others():
    failed = trials(7 * 15)
    for index in range(6, len(failed), 7):
        failed[index]["failure"] = {
            "kind": "code",
            "error": f"Error{'ABCDEFGHIJKLMNO'[index // 7]}",
            "tail": "",
        }
    assert "And 3 other errors." in read(finished(), failed).text


def test_page_points_to_the_log_of_a_failure_without_an_error():
    failed = {**trials(7)[6], "failure": {"kind": "code", "error": "", "tail": ""}}
    assert "see its log" in read(finished(), [failed]).text


def test_page_says_that_trials_ran_again_for_no_fault_of_theirs():
    lost, *others = trials(3)
    text = read(finished(), [{**lost, "state": "lost"}, *others]).text
    assert "1 trial lost a worker or the driver and ran again: no fault of the trial." in text


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
    assert shown["rows"][0][0] == 0


def test_artifact_sizes_have_decimal_units():
    text = read(finished(), []).text
    assert "model.onnx 1.08 MB 21" in text
    assert "trimtab.json 812 B" in text
    sizes = [{"name": "config.pbtxt", "uri": "out", "sha256": "ab", "bytes": 4312}]
    assert "config.pbtxt 4.31 kB" in read(finished(artifacts=sizes), []).text


def test_page_warns_of_a_model_that_is_larger_or_slower_than_it_was():
    slower = {**finished().final.metrics, "sizeMB": 4.5, "latencyMs": 0.31}
    text = read(finished(final={"id": "int8", "metrics": slower}), []).text
    assert (
        "Beware: the published model is 1.07× larger than the uncompressed fp32 model (4.50 MB after" in text
    )
    assert "Beware: the published model is 1.07× slower than the uncompressed fp32 model" in text
    assert "than the baseline (" not in text


def test_page_of_a_model_that_is_smaller_and_faster_warns_of_nothing():
    assert "Beware" not in read(finished(), []).text


def test_page_warns_of_limits_that_were_judged_on_another_machine():
    limit = {
        "metric": "latencyMs",
        "limit": {"max": 5},
        "measured": 1,
        "met": True,
        "target": "edge",
        "indicative": True,
    }
    assert (
        "Beware: limits on edge were judged on another machine" in read(finished(guardrail=[limit]), []).text
    )


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param(
            {"costPerMillion": 0.42},
            "cost per million inferences 0.420 at the profile's prices, saved",
            id="cost",
        ),
        pytest.param(
            {"energyKWhPerMillion": -0.1}, "inferences 0.100 kWh, more against the baseline", id="more-energy"
        ),
    ],
)
def test_page_shows_what_a_million_inferences_save_where_it_is_known(fields, shown):
    assert shown in read(finished(savings=fields), []).text


def test_page_shows_energy_before_and_after_where_it_was_measured():
    with_energy = {
        name: {"id": name, "metrics": figures(0.9, 1, 1, 1) | {"energyJ": joules}}
        for name, joules in (("baseline", 3.6), ("final", 0.9))
    }
    assert (
        "energy per million inferences 0.250 kWh 1.00 → 0.250 kWh" in read(finished(**with_energy), []).text
    )


def test_page_leaves_out_cost_and_energy_that_are_not_known():
    assert "per million" not in read(finished(), []).text


def test_page_says_when_the_run_ended_and_what_it_took():
    one = finished()
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    succeeded = one.conditions[0].model_copy(update={"last_transition_time": moment})
    text = read(one.model_copy(update={"conditions": (succeeded,)}), []).text
    assert "Ended 04 March 2026, 05:06 UTC, took 3m 32s, on a processor." in text


def test_page_says_why_numbers_of_trials_run_past_their_count():
    three = [trials(4)[0], *({**trial, "state": "duplicate"} for trial in trials(4)[1:3]), trials(4)[3]]
    text = read(finished(trials={"total": 2, "completed": 2}), three).text
    assert "2 trials: 2 completed. Seed 7. Numbers run up to 3: 2 more only repeated others, and are" in text


def test_quality_of_a_task_without_a_known_direction_keeps_its_sign():
    assert "+0.022 against the baseline" in read(finished(objectives=[]), []).text


def test_page_says_how_to_reproduce_it():
    text = read(finished(environment={"versions": {"trimtab": "0.1.0"}, "codeSha256": "ef" * 32}), []).text
    assert 'pip install "trimtab[jobs]==0.1.0" trimtab run job.yaml --output again' in text
    assert f"sha256sum again/model/digits/1/model.onnx # {'ab' * 32}" in text
    assert f"Code, SHA-256 {'ef' * 32}" in text


@pytest.mark.parametrize("count", [257, 20])
def test_page_of_many_candidates_and_trials_stays_under_500_kb(count):
    candidates = [
        {
            "id": f"structured-{index / 300:g}+int8",
            "metrics": figures(0.9, 1 + index, 0.2, 5000)
            | {"loss": 0.1, "f1": 0.8, "auc": 0.9, "memoryMB": 50},
            "interval": {name: [0.1, 0.9] for name in ("accuracy", "loss", "f1", "auc")},
            "verdict": "rejected: " + "a long reason. " * 60,
        }
        for index in range(min(count, 256))
    ]
    assert len(render(finished(candidates=candidates), trials(1000)).encode()) < 500_000


@given(
    text=st.text(st.characters(codec="utf-8"), max_size=40),
    value=st.floats() | st.integers(-(10**30), 10**30) | st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_page_can_be_made_of_any_text_and_figure(text: str, value: float | int | bool):
    params = {text or "p": value, "other": text}
    figure = float(value) if abs(value) < 1e300 else 0.5
    some = [
        {**trial, "params": {**params, "n": trial["number"]}, "metrics": {text: figure, "accuracy": 0.5}}
        for trial in trials(3)
    ]
    whole = finished(
        name=text, message=text, best={"trial": 1, "params": {text: text}, "metrics": {text: 0.5}}
    )
    page = Reader(render(whole, some).encode().decode())
    assert len(page.named("script")) == 2
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.text)

"""`trimtab estimate`: how long a job will take, told from what the probes took."""

import json

import pytest

from tests.support.reports import MANIFEST
from trimtab_cli.main import call
from trimtab_jobs.errors import JobError, RefusedError, StoppedError
from trimtab_jobs.forecast import Facts, ProbedTrial

FACTS = Facts(
    epochs=9,
    workers=2,
    start=5.0,
    trials=(ProbedTrial({"lr": 0.01}, 0.5, 1.0), ProbedTrial({"lr": 0.1}, 0.5, 2.0)),
    export=(4.0, 4.0),
    made={"int8": 3.0, "fp16": 1.0},
    evaluate=0.5,
    measure=2.0,
)
PROFILE = """\
apiVersion: trimtab.io/v1alpha1
kind: OptimizationProfile
metadata: {name: shop}
spec:
  pools:
  - {name: cpu, resources: {cpu: "4", memory: 8Gi}, hourlyPrice: 3600, watts: 100}
  carbon: {intensity: 300, pue: 1.5}
"""
RESOURCES = "  resources: {search: {pool: cpu, workers: 4}, compress: {pool: cpu}}\n  budget: {cost: 1}\n"


class Driver:
    """Says what it does and answers with facts, or ends otherwise."""

    def __init__(self, answer=FACTS):
        self.answer = answer

    def probe(self, plan, *, code, data, model, count, should_stop, say):
        say(f"trying {count} probes of {plan.name}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with a manifest in it; it is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(MANIFEST)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    return tmp_path


def estimated(monkeypatch, capsys, *arguments, answer=FACTS):
    monkeypatch.setattr("trimtab_cli.run.open_driver", lambda: Driver(answer))
    code = call(["estimate", "job.yaml", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_text_says_how_long_it_takes_and_why(place, monkeypatch, capsys):
    code, out, err = estimated(monkeypatch, capsys, "--probe", "3")
    assert (code, err) == (0, "trying 3 probes of digits\n")
    lines = out.splitlines()
    assert lines[0] == "digits takes about 5m 06s here, 2 trials at a time"
    assert lines[2].split() == ["likely", "at", "least", "at", "most"]
    assert [line.split()[0] for line in lines[3:10]] == [
        *("start", "search", "export", "compress", "measure", "verify", "in")
    ]
    assert "2 probes: an epoch takes 1 to 2 s, a whole training has 9." in lines
    assert "2 candidates: each number format as on the probe's model." in lines


def test_pruner_and_goal_are_told(place, monkeypatch, capsys):
    options = ["--set", "spec.search.pruner={asha: {}}", "--set", "spec.objectives[0].goal=0.9"]
    options += [
        "--set",
        "spec.compress.prune.structured={ratios: [0.5]}",
        "--set",
        "spec.compress.distill={}",
    ]
    out = estimated(monkeypatch, capsys, *options)[1]
    assert "let train: 39 to epoch 1, 13 to epoch 3, 4 to epoch 9." in out
    assert "5 candidates: each number format as on the probe's model; a pruned one as one probe" in out
    assert "and a third of one more under the teacher" in out
    assert "A goal of spec.objectives may end the search earlier." in out


def test_json_has_every_figure_with_its_ends(place, monkeypatch, capsys):
    found = json.loads(estimated(monkeypatch, capsys, "-o", "json")[1])
    assert (found["schemaVersion"], found["name"], found["workers"]) == (1, "digits", 2)
    assert sorted(found["seconds"]) == ["high", "likely", "low"]
    assert sum(stage["likely"] for stage in found["stages"].values()) == pytest.approx(
        found["seconds"]["likely"], rel=1e-3
    )
    assert found["probes"][1] == {"params": {"lr": 0.1}, "overheadSeconds": 0.5, "epochSeconds": 2}
    assert "cost" not in found


def test_profile_gives_cost_energy_and_what_goes_beyond_the_budget(place, monkeypatch, capsys):
    (place / "job.yaml").write_text(MANIFEST + RESOURCES)
    code, out, _ = estimated(monkeypatch, capsys, "--profile", "profile.yaml", "-o", "json")
    found = json.loads(out)
    assert (code, found["profile"], found["workers"]) == (0, "shop", 1)
    assert found["cost"]["likely"] >= found["seconds"]["likely"]
    assert found["energyKWh"]["likely"] > 0
    assert found["carbonKg"]["likely"] == pytest.approx(found["energyKWh"]["likely"] * 0.3, rel=1e-3)
    assert "spec.budget.cost: 1 may end the search earlier." in found["notes"]
    text = estimated(monkeypatch, capsys, "--profile", "profile.yaml")[1]
    assert text.splitlines()[0].endswith(" under the profile shop")
    assert "CO2 (kg)" in text


def test_profile_without_prices_is_said_to_have_none(place, monkeypatch, capsys):
    (place / "profile.yaml").write_text(PROFILE.replace("hourlyPrice: 3600, ", ""))
    assert (
        "No pool that the job uses has an hourlyPrice"
        in (estimated(monkeypatch, capsys, "--profile", "profile.yaml")[1])
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(
            "kind: ConfigMap\nmetadata: {name: a}\n", "holds no document with kind", id="no-profile"
        ),
        pytest.param(
            PROFILE + "  surprise: 1\n", "profile.yaml:8: spec.surprise: is not a field", id="wrong"
        ),
        pytest.param(PROFILE + "  namespaces: {names: [other]}\n", "namespace", id="not-for-this-namespace"),
    ],
)
def test_profile_that_cannot_be_used_is_refused(place, monkeypatch, capsys, content, why):
    (place / "profile.yaml").write_text(content)
    code, out, err = estimated(monkeypatch, capsys, "--profile", "profile.yaml")
    assert (code, out) == (2, "")
    assert why in err


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        pytest.param(
            JobError("Code", "no such layer"), 1, "the run would fail: no such layer", id="wrong-task"
        ),
        pytest.param(RefusedError("data are missing"), 2, "data are missing", id="refused"),
        pytest.param(StoppedError(), 130, "Interrupted", id="stopped"),
    ],
)
def test_probes_that_cannot_be_run_end_as_the_run_would(place, monkeypatch, capsys, answer, code, why):
    ended, out, err = estimated(monkeypatch, capsys, answer=answer)
    assert (ended, out) == (code, "")
    assert why in err

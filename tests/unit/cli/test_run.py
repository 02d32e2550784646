"""`trimtab run`: how each way a driver may end is told, and with which exit code."""

import sys

import click
import pytest
from click.testing import CliRunner

from tests.support.reports import MANIFEST, ended, finished, report
from trimtab_cli.manifest import read_manifest
from trimtab_cli.order import order
from trimtab_cli.run import BrokenOffError, NotStartedError, carry_out, exit_code, open_driver, run, tell
from trimtab_jobs.errors import RefusedError, StoppedError
from trimtab_jobs.store.errors import FencedError, StoreError


class Driver:
    """Publishes what it is given, then ends as it is told."""

    def __init__(self, end, published=()):
        self.end, self.published, self.asked = end, published, None

    def run(self, plan, *, output, code, data, model, publish, should_stop, tell_trial):
        self.asked = (plan.name, output, code, dict(data), should_stop())
        for one in self.published:
            publish(one)
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


class Screen:
    def __init__(self):
        self.shown = []

    def show_trial(self, trial):
        self.shown.append(trial)

    def show(self, one):
        self.shown.append(one)


@pytest.fixture
def request_(tmp_path):
    (tmp_path / "job.yaml").write_text(MANIFEST)
    return order(read_manifest(str(tmp_path / "job.yaml")), "out", {})


@pytest.fixture
def screen():
    return Screen()


def test_driver_is_given_the_order_and_its_changes_are_shown(request_, screen):
    driver = Driver(finished(), [report(phase="Searching")])
    assert carry_out(request_, "code", driver, screen, lambda: False) == finished()
    assert driver.asked == ("digits", "out", "code", {}, False)
    assert screen.shown == [report(phase="Searching")]


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        pytest.param([report(phase="Starting"), report(phase="Searching")], "Searching", id="on-the-way"),
        pytest.param([], "Pending", id="before-anything"),
    ],
)
def test_stopped_run_ends_with_the_last_state(request_, screen, published, expected):
    driver = Driver(StoppedError("stopped"), published)
    assert carry_out(request_, "code", driver, screen, lambda: True).phase == expected


@pytest.mark.parametrize(
    ("error", "published", "raised", "message"),
    [
        pytest.param(
            RefusedError("holds another job"), [], NotStartedError, "holds another job", id="refused"
        ),
        pytest.param(
            StoreError("not writable"), [], NotStartedError, "not writable", id="store-at-the-start"
        ),
        pytest.param(FencedError("taken over"), [report()], BrokenOffError, "taken over", id="fenced"),
        pytest.param(
            StoreError("full"),
            [report()],
            BrokenOffError,
            "full\nWhat was done is kept in out; ",
            id="store-later",
        ),
    ],
)
def test_driver_that_cannot_go_on_ends_in_an_error(request_, screen, error, published, raised, message):
    with pytest.raises(raised) as caught:
        carry_out(request_, "code", Driver(error, published), screen, lambda: False)
    assert caught.value.message.startswith(message)


def test_exit_codes_of_refusals_are_those_of_usage_and_failure():
    assert (NotStartedError("").exit_code, BrokenOffError("").exit_code) == (2, 1)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        pytest.param(finished(), 0, id="done"),
        pytest.param(ended("False", "Code", "Failed"), 1, id="failed"),
        pytest.param(ended("False", "GuardrailNotMet", "Failed"), 3, id="guardrail-not-met"),
        pytest.param(ended("True", "BudgetReached", "Succeeded"), 4, id="budget-reached"),
        pytest.param(report(phase="Searching"), 130, id="interrupted"),
    ],
)
def test_exit_code_of_a_report(one, code):
    assert exit_code(one) == code


def test_end_is_told_with_headline_and_summary(request_, capsys):
    tell(finished(), request_.output, request_.command, "text")
    written = capsys.readouterr().out
    assert written.startswith("\nGuardrail met, int8 published\n\ntold by the condition\n")
    assert "Report   out/report.html" in written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["none.yaml"], "none.yaml: cannot be read", id="no-manifest"),
        pytest.param(["none.yaml", "--data", "x"], "--data takes NAME=PATH", id="bad-data"),
        pytest.param([], "Missing argument 'MANIFEST'", id="no-argument"),
    ],
)
def test_wrong_usage_has_exit_code_2(arguments, message):
    ended_with = CliRunner().invoke(run, arguments)
    assert ended_with.exit_code == 2
    assert message in ended_with.output


def test_driver_is_the_embedded_one():
    assert callable(open_driver().run)


def test_driver_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "trimtab_jobs.embedded", raising=False)
    for module in [name for name in sys.modules if name.startswith("trimtab_jobs.search")]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("trimtab_jobs.driver", "trimtab_jobs.progress"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(click.UsageError) as caught:
        open_driver()
    assert (
        caught.value.message
        == "running a job here needs optuna, which comes with: pip install 'trimtab[jobs]'"
    )


def test_driver_that_is_broken_is_not_taken_for_a_missing_package(monkeypatch):
    monkeypatch.delitem(sys.modules, "trimtab_jobs.embedded", raising=False)
    monkeypatch.setitem(sys.modules, "trimtab_jobs.driver", None)
    with pytest.raises(ModuleNotFoundError):
        open_driver()

"""`trimtab validate`."""

import pytest
from click.testing import CliRunner

from tests.support.reports import MANIFEST, SEARCH, plan
from trimtab_api.errors import Problem
from trimtab_cli.manifest import InvalidManifest, read_manifest
from trimtab_cli.order import order
from trimtab_cli.validate import check_code, validate, what_runs


@pytest.fixture
def file(tmp_path):
    def write(text, name="job.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def invoke(*arguments):
    ended = CliRunner().invoke(validate, arguments)
    return ended.exit_code, ended.output.splitlines()


def test_valid_manifest_is_said_to_be_and_what_it_runs(file):
    path = file(MANIFEST)
    assert invoke(path) == (
        0,
        [
            f"{path}: valid. digits runs digits:Digits, searches lr in 40 trials, maximizes accuracy, "
            "makes fp16, int8, publishes what holds 1 limit"
        ],
    )


def test_every_problem_is_a_line_and_the_exit_code_2(file):
    path = file(MANIFEST.replace("trials: 40", "trials: 0").replace("lr, ", "'1r', "))
    code, lines = invoke(path)
    assert code == 2
    assert [line.partition(": ")[0] for line in lines] == [f"{path}:11", f"{path}:13"]


def test_field_that_is_not_carried_out_yet_is_refused_by_name(file):
    path = file(MANIFEST.replace("compress:", "compress:\n    prune: {magnitude: {sparsities: [0.5]}}"))
    code, lines = invoke(path)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith(f"{path}:15: spec.compress.prune.magnitude: not carried out by this version")


def test_edits_that_a_running_job_cannot_take_are_refused(file):
    before = file(MANIFEST, "old.yaml")
    after = file(MANIFEST.replace("trials: 40", "trials: 50").replace("maxDrop: 0.02", "maxDrop: 0.05"))
    code, lines = invoke(after, "--previous", before)
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"{after}:16: spec.guardrail: cannot be changed")


def test_edits_that_a_running_job_can_take_are_valid(file):
    before = file(MANIFEST, "old.yaml")
    assert invoke(file(MANIFEST.replace("trials: 40", "trials: 50")), "--previous", before)[0] == 0


class Driver:
    """Finds these problems in the code."""

    def __init__(self, *problems):
        self.problems = problems

    def check(self, plan, *, code, data, model):
        self.asked = (plan.name, code, dict(data))
        return self.problems


def test_code_is_tried_in_its_folder(file, tmp_path):
    parsed, driver = read_manifest(file(MANIFEST)), Driver()
    check_code(parsed, order(parsed, None, {}), driver)
    assert driver.asked == ("digits", str(tmp_path.resolve()), {})


def test_problems_of_the_code_have_their_line(file):
    path = file(MANIFEST)
    parsed, driver = read_manifest(path), Driver(Problem("spec.task.entrypoint", "has no class Digits"))
    with pytest.raises(InvalidManifest) as caught:
        check_code(parsed, order(parsed, None, {}), driver)
    assert caught.value.lines == (f"{path}:7: spec.task.entrypoint: has no class Digits",)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param({}, "digits runs digits:Digits, exports the winner", id="nothing-but-a-task"),
        pytest.param(
            {
                "search": {**SEARCH, "parallelism": 2},
                "objectives": [
                    {"metric": "accuracy", "direction": "maximize"},
                    {"metric": "sizeMB", "direction": "minimize"},
                ],
                "guardrail": [{"metric": "accuracy", "min": 0.9}, {"metric": "sizeMB", "max": 2}],
            },
            "digits runs digits:Digits, searches lr in 40 trials, 2 at a time, maximizes accuracy and "
            "minimizes sizeMB, exports the winner, publishes what holds 2 limits",
            id="search-only",
        ),
    ],
)
def test_what_a_plan_runs_in_one_sentence(spec, text):
    assert what_runs(plan(**spec)) == text

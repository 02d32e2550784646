"""`trimtab doctor` on the machine at hand."""

import pytest
from click.testing import CliRunner

from trimtab_cli import doctor
from trimtab_cli.checks import Check
from trimtab_cli.doctor import existing, output_written
from trimtab_cli.version import version, versions
from trimtab_jobs.machine import available_cores, available_memory, cgroup


def test_doctor_has_a_line_for_each_thing(tmp_path):
    ended = CliRunner().invoke(doctor.doctor, ["--output", str(tmp_path / "out")])
    names = [line.split()[1].rstrip(":") for line in ended.output.splitlines()]
    assert set(names) >= {"python", "cores", "memory", "disk", "s3", "/dev/shm", "int8", "output"}
    assert not (tmp_path / "out").exists()


def test_doctor_ends_with_1_when_something_is_broken(tmp_path):
    (tmp_path / "file").touch()
    ended = CliRunner().invoke(doctor.doctor, ["--output", "gopher://hole"])
    assert ended.exit_code == 1
    assert "broken   output: gopher://hole: " in ended.output


def test_output_that_cannot_be_written_is_broken(tmp_path):
    assert output_written("out", tmp_path / "gone").state == "broken"


def test_output_that_can_be_written_leaves_nothing_behind(tmp_path):
    assert output_written("out", tmp_path) == Check("output", "ok", "out can be written")
    assert list(tmp_path.iterdir()) == []


def test_output_is_looked_for_upwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [existing(output) for output in ("a/b", "s3://bucket/a", str(tmp_path))] == [tmp_path] * 3


def test_facts_of_this_machine_are_plausible():
    assert available_cores() > 0
    assert available_memory() > 2**28
    assert cgroup("no.such.file") == ""


def test_version_names_what_results_depend_on():
    assert CliRunner().invoke(version).output.splitlines()[0] == f"trimtab {versions()['trimtab']}"


@pytest.mark.parametrize("name", ["trimtab", "python", "pydantic"])
def test_version_as_json_holds_the_same(name):
    import json

    assert json.loads(CliRunner().invoke(version, ["-o", "json"]).output)[name] == versions()[name]

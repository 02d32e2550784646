"""`trimtab init`."""

import ast

import pytest
from click.testing import CliRunner

from trimtab_cli.init import init
from trimtab_cli.manifest import read_manifest


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        ended = CliRunner().invoke(init, arguments)
        return ended.exit_code, ended.output

    return call


def test_starter_is_a_valid_manifest_with_its_task_beside_it(invoke, tmp_path):
    assert invoke() == (
        0,
        "Wrote my-model/task.py and my-model/job.yaml. Next:\n"
        "  trimtab validate --code my-model/job.yaml\n"
        "  trimtab run my-model/job.yaml\n",
    )
    job = read_manifest("my-model/job.yaml").job
    module, _, name = job.spec.task.entrypoint.partition(":")
    tree = ast.parse((tmp_path / "my-model" / f"{module}.py").read_text())
    assert job.metadata.name == "my-model"
    assert name in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def test_parameters_of_the_starter_are_those_that_its_task_reads(invoke, tmp_path):
    invoke("cats")
    searched = {each.name for each in read_manifest("cats/job.yaml").job.spec.search.parameters}
    assert searched == {"lr", "width"}
    assert 'params["width"]' in (tmp_path / "cats" / "task.py").read_text()


def test_starter_takes_its_name_from_the_last_folder(invoke, tmp_path):
    code, output = invoke(f"{tmp_path}/my projects/cats-2")
    assert code == 0
    assert f"  trimtab run '{tmp_path}/my projects/cats-2/job.yaml'\n" in output
    assert read_manifest(f"{tmp_path}/my projects/cats-2/job.yaml").job.metadata.name == "cats-2"


def test_starter_may_go_into_the_folder_one_is_in(invoke, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert invoke(".")[0] == 0
    assert read_manifest("job.yaml").job.metadata.name == "here"


def test_nothing_that_exists_is_overwritten(invoke, tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "job.yaml").write_text("mine")
    code, output = invoke("cats")
    assert code == 2
    assert "cats/job.yaml: exists already and is left as it is; name another folder" in output
    assert [path.name for path in (tmp_path / "cats").iterdir()] == ["job.yaml"]


@pytest.mark.parametrize(
    ("folder", "proposal"),
    [
        pytest.param("My_Model", "my-model", id="capitals"),
        pytest.param("ü", "my-model", id="nothing-left"),
        pytest.param("a" * 70, "a" * 63, id="too-long"),
    ],
)
def test_folder_that_cannot_name_a_job_is_refused_with_a_proposal(invoke, folder, proposal):
    code, output = invoke(folder)
    assert code == 2
    assert output.endswith(f"such as {proposal}\n")


def test_folder_that_cannot_be_written_is_refused(invoke, tmp_path):
    (tmp_path / "file").touch()
    code, output = invoke("file/cats")
    assert code == 2
    assert "file/cats: cannot be written: Not a directory" in output

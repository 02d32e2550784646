"""What a person named: a job on the cluster, or a run in a store."""

import click
import pytest

from trimtab_cli.cluster.target import job_called, job_name


@pytest.mark.parametrize(
    ("what", "job"),
    [
        pytest.param("digits", "digits", id="name"),
        pytest.param("optjob/digits", "digits", id="kubectls-short-name"),
        pytest.param("optimizationjob.trimtab.io/digits", "digits", id="as-o-name-prints-it"),
        pytest.param("out/digits", None, id="path"),
        pytest.param("./digits", None, id="path-here"),
        pytest.param(".", None, id="this-folder"),
        pytest.param("s3://models/digits", None, id="uri"),
        pytest.param("My_Run", None, id="no-name-of-a-job"),
    ],
)
def test_name_without_a_slash_is_a_job(what: str, job: str | None, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert job_called(what) == job


def test_folder_here_that_holds_a_run_is_that_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert job_called("digits") == "digits"

    (tmp_path / "digits" / "plan.json").touch()

    assert job_called("digits") is None
    assert job_called("digits", is_on_cluster=True) == "digits"


@pytest.mark.parametrize("what", ["out/digits", "My_Run", "optjob/a/b"])
def test_what_cannot_be_a_job_is_refused_where_a_job_is_meant(what: str):
    with pytest.raises(click.UsageError, match="is not the name of a job"):
        job_called(what, is_on_cluster=True)
    with pytest.raises(click.UsageError, match="is not the name of a job"):
        job_name(what)

"""The forms of an answer."""

import json

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from tests.support.reports import MANIFEST, finished
from trimtab_api.reading import read_documents
from trimtab_cli import doctor, run, validate, version
from trimtab_cli.formats import to_yaml, written

texts = st.one_of(
    st.text(st.characters(exclude_categories=["C"])), st.sampled_from(["1e-4", "y", "0x1f", "~"])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e6, 1e6), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "on", "x1"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@unhurried
@given(values)
def test_yaml_is_read_back_as_the_same_by_kubernetes_and_by_python(value):
    text = to_yaml({"value": value})

    assert read_documents(text)[0][1] == {"value": value}
    assert yaml.safe_load(text) == {"value": value}


def test_json_keeps_letters_as_they_are():
    assert written({"name": "größe"}, "json") == '{\n  "name": "größe"\n}'


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_report_is_told_as_it_is_kept(form, capsys):
    run.tell(finished(), "out", "trimtab run", form)
    told = yaml.safe_load(capsys.readouterr().out)
    assert told == finished().model_dump(mode="json", by_alias=True, exclude_none=True)


def test_name_is_what_kubectl_would_print(capsys):
    run.tell(finished(), "out", "trimtab run", "name")
    assert capsys.readouterr().out == "optimizationjob.trimtab.io/digits\n"


def test_wide_summary_has_every_figure_and_the_circumstances(capsys):
    run.tell(finished(), "out", "trimtab run", "text")
    narrow = capsys.readouterr().out
    run.tell(finished(), "out", "trimtab run", "wide")
    wide = capsys.readouterr().out
    (heads,) = [line for line in wide.splitlines() if line.startswith("candidate ")]
    assert "throughput (rows/s)" in heads
    assert "Best trial  17: lr 0.0123" in wide
    assert len(wide.splitlines()) > len(narrow.splitlines())


def listed(command, *arguments):
    ended = CliRunner().invoke(command, [*arguments, "-o", "json"])
    return ended.exit_code, json.loads(ended.stdout), ended.stderr


def test_problems_of_a_manifest_are_a_list(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(MANIFEST.replace("maximize", "up"))
    code, found, told = listed(validate.validate, str(path), "--set", "spec.search.trials=0")
    assert (code, told) == (2, "")
    assert [(each["source"], each.get("line"), each["field"]) for each in found] == [
        ("--set spec.search.trials=0", None, "spec.search.trials"),
        (str(path), 9, "spec.objectives[0].direction"),
    ]
    assert found[0]["message"] == "must be at least 1, got 0"


def test_valid_manifest_has_an_empty_list_and_a_name(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(MANIFEST)
    assert listed(validate.validate, str(path)) == (0, [], "")
    named = CliRunner().invoke(validate.validate, [str(path), "-o", "name", "--set", "metadata.name=other"])
    assert named.output == "optimizationjob.trimtab.io/other\n"


def test_unknown_field_that_is_set_is_refused_with_its_path(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(MANIFEST)
    ended = CliRunner().invoke(validate.validate, [str(path), "--set", "spec.serch.trials=3"])
    assert ended.exit_code == 2
    assert ended.stderr.startswith("--set spec.serch.trials=3: spec.serch: is not a field")


def test_checks_of_the_machine_are_a_list(tmp_path):
    _, found, _ = listed(doctor.doctor, "--output", str(tmp_path / "out"))
    assert {"name", "state", "found", "fix"} == set(found[0])


def test_versions_are_a_mapping():
    assert listed(version.version)[1] == version.versions()

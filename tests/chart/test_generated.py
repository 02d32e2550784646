"""What the chart has from elsewhere is as it is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from helm import generate
from tests.support.chart import CHART
from trimtab_api.manifest import parse_job, parse_profile
from trimtab_api.support import refusals
from trimtab_operator.settings import PREFIX, Settings

ROOT = CHART.parents[1]
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = generate.schema()


@pytest.mark.parametrize("path", generate.generated(), ids=str)
def test_generated_file_is_current(path: Path) -> None:
    assert (ROOT / path).read_text() == generate.generated()[path], "run: make crd"


def test_chart_has_the_definitions_and_no_others() -> None:
    named = {path.name for path in (CHART / "files/crds").iterdir()}

    assert named == {path.name for path in ROOT.glob("crds/*.yaml")}


def test_examples_for_artifact_hub_are_valid() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    profile, job = yaml.safe_load(chart["annotations"]["artifacthub.io/crdsExamples"])

    assert parse_profile(profile)
    assert refusals(parse_job(job), where="cluster") == ()


def test_every_value_has_a_type_and_every_type_a_value() -> None:
    assert leaves(VALUES, SCHEMA) == set()


def leaves(values: Any, schema: dict[str, Any], path: str = "") -> set[str]:
    """The paths of what only one of values and schema has, as far down as both list names."""
    if not isinstance(values, dict) or not values or not schema.get("properties"):
        return set()
    for_parents = {"global", "enabled"} if not path else set()
    free = {"initialDelaySeconds", "claims"}  # Kubernetes' own fields that the chart leaves alone
    missing = (set(schema["properties"]) ^ set(values)) - for_parents - free
    below = (leaves(values[key], schema["properties"].get(key, {}), f"{path}{key}.") for key in values)
    return {f"{path}{key}" for key in missing}.union(*below)


def test_value_without_a_comment_is_said() -> None:
    with pytest.raises(ValueError, match=r"values\.yaml: image\.tag needs a comment above it"):
        list(generate.values("image:\n  # Its name.\n  repository: a\n  tag: b\n"))


def test_every_setting_of_the_operator_can_be_set() -> None:
    env = set(SCHEMA["properties"]["operator"]["properties"]["env"]["properties"])
    settings = set(Settings.model_fields)

    assert env == {f"{PREFIX}{name.upper()}" for name in settings - set(generate.EXPLICIT)}
    assert set(generate.EXPLICIT) <= settings
    for path in filter(None, generate.EXPLICIT.values()):
        generate.at(VALUES, path)

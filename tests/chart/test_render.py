"""What the chart makes of its values, as files to review: `TRIMTAB_GOLDEN=write pytest …` writes them."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chart import CHART, Document, Helm, HelmError, one
from trimtab_operator.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
DIGEST = "sha256:" + "0123456789abcdef" * 4
SAMPLES = tuple(sorted(path.stem.removesuffix(".values") for path in GOLDEN.glob("*.values.yaml")))
each_sample = pytest.mark.parametrize("sample", SAMPLES)
SERVED = st.lists(st.sampled_from(["vision", "speech", "search-2"]), max_size=3)
SWITCHES = ("crds.enabled", "rbac.create", "rbac.people", "profile.create", "networkPolicy.enabled")
MORE_SWITCHES = ("metrics.podMonitor.enabled", "serviceAccount.create", "podDisruptionBudget.enabled")


@each_sample
def test_rendered_objects_are_as_reviewed(sample: str, helm: Helm) -> None:
    values = yaml.safe_load((GOLDEN / f"{sample}.values.yaml").read_text())
    text = helm.text({**values, "crds": {"enabled": False}})
    path = GOLDEN / f"{sample}.yaml"
    if os.environ.get("TRIMTAB_GOLDEN") == "write":
        path.write_text(text)

    assert text == path.read_text(), f"TRIMTAB_GOLDEN=write {path}"


@each_sample
def test_lint_has_nothing_to_say(sample: str, helm: Helm) -> None:
    values = yaml.safe_load((GOLDEN / f"{sample}.values.yaml").read_text())

    assert "0 chart(s) failed" in helm.run("lint", "--strict", str(CHART), values=values)


def test_definitions_are_those_of_the_project(helm: Helm) -> None:
    rendered = [each for each in helm.render() if each["kind"] == "CustomResourceDefinition"]

    files = sorted((CHART.parents[1] / "crds").glob("*.yaml"))
    assert [without_metadata(each) for each in rendered] == [
        without_metadata(yaml.safe_load(path.read_text())) for path in files
    ]
    kept = [each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in rendered]
    assert kept == ["keep"] * len(files)


def without_metadata(definition: Document) -> Document:
    return {**definition, "metadata": {"name": definition["metadata"]["name"]}}


def test_definitions_that_are_not_to_be_kept_go_with_the_chart(helm: Helm) -> None:
    rendered = helm.render({"crds": {"keep": False}}, "--show-only", "templates/crds.yaml")

    assert [each["metadata"].get("annotations") for each in rendered] == [None, None]


def test_packaged_chart_renders_as_its_folder_does(helm: Helm, tmp_path: Path) -> None:
    helm.run("package", str(CHART), "--destination", str(tmp_path))
    (package,) = tmp_path.glob("trimtab-*.tgz")

    assert package.stat().st_size < 100_000
    assert helm.text(chart=package) == helm.text()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, f"trimtab-operator:{VERSION}"),
        ({"repository": "registry:5000/a/b", "tag": "c"}, "registry:5000/a/b:c"),
        ({"tag": "c", "digest": DIGEST}, f"trimtab-operator@{DIGEST}"),
    ],
    ids=["the chart's version", "a tag", "a digest wins over a tag"],
)
def test_image_is_named_by(image: Document, expected: str, helm: Helm) -> None:
    assert container(helm, {"image": image})["image"] == expected


def test_settings_reach_the_operator_as_its_variables(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "namespaces": ["vision", "speech"],
        "kuberay": {"namespace": "kuberay-system"},
        "worker": {"image": "registry/worker:1", "rayVersion": "2.60.0"},
        "log": {"format": "text", "level": "debug"},
        "metrics": {"port": 9000},
        "operator": {
            "env": {
                "TRIMTAB_OPERATOR_CONCURRENCY": 2000000,
                "TRIMTAB_OPERATOR_BACKOFF_FIRST_SECONDS": 0.5,
                "TRIMTAB_OPERATOR_RESYNC_SECONDS": "60",
                "TRIMTAB_OPERATOR_HEAD_CPU": 2,
            }
        },
    }
    for each in container(helm, chosen)["env"]:
        monkeypatch.setenv(each["name"], each.get("value", "from-the-pod"))
    found = Settings()

    assert found.namespaces == ("vision", "speech")
    assert (found.kuberay_namespace, found.worker_image) == ("kuberay-system", "registry/worker:1")
    assert (found.ray_version, found.log_format, found.log_level) == ("2.60.0", "text", "debug")
    assert (found.metrics_port, found.health_port) == (9000, 8081)
    assert (found.concurrency, found.backoff_first_seconds) == (2000000, 0.5)
    assert (found.resync_seconds, found.head_cpu) == (60, "2")
    assert (found.lease_name, found.identity) == ("trimtab-operator", "from-the-pod")


def test_what_is_not_set_is_the_operators_own_default(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Settings()
    for each in container(helm, {})["env"]:
        monkeypatch.setenv(each["name"], each.get("value", "from-the-pod"))

    differing = {name for name, value in Settings() if value != getattr(plain, name)}
    assert differing == {"identity", "lease_namespace"}


def container(helm: Helm, values: Document) -> Document:
    rendered = helm.render(values, "--show-only", "templates/deployment.yaml")
    found: Document = one(rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def test_what_pods_are_found_by_depends_on_the_release_alone(helm: Helm, tmp_path: Path) -> None:
    later = tmp_path / "trimtab"
    shutil.copytree(CHART, later)
    chart = (later / "Chart.yaml").read_text()
    (later / "Chart.yaml").write_text(chart.replace(VERSION, "9.9.9"))
    values = {"podLabels": {"team": "ml"}, "commonLabels": {"team": "ml"}, "fullnameOverride": "other"}

    selectors = [
        one(list(yaml.safe_load_all(text)), "Deployment")["spec"]["selector"]["matchLabels"]
        for text in (
            helm.text({"crds": {"enabled": False}}),
            helm.text({**values, "crds": {"enabled": False}}, chart=later),
        )
    ]

    assert selectors[0] == selectors[1]


def test_one_replica_has_no_disruption_budget_which_would_hold_up_drains(helm: Helm) -> None:
    kinds = {each["kind"] for each in helm.render({"replicas": 1, "crds": {"enabled": False}})}

    assert "PodDisruptionBudget" not in kinds


def test_account_that_is_said_to_be_there_must_be_named(helm: Helm) -> None:
    with pytest.raises(HelmError, match=r"serviceAccount\.name: name the account that is there"):
        helm.render({"serviceAccount": {"create": False}})


@settings(max_examples=15, deadline=None)
@given(
    served=SERVED,
    switches=st.fixed_dictionaries(dict.fromkeys((*SWITCHES, *MORE_SWITCHES), st.booleans())),
)
def test_no_rule_has_a_wildcard_and_no_name_is_taken_twice(
    served: list[str], switches: dict[str, bool], helm: Helm
) -> None:
    values: dict[str, Any] = {"namespaces": served, "profile": {"spec": {"store": {"uri": "s3://a"}}}}
    for path, value in switches.items():
        put(values, path, value)
    values["serviceAccount"]["name"] = "account"
    rendered = helm.render(values)

    rules = [rule for each in rendered for rule in each.get("rules", [])]
    assert not [rule for rule in rules for words in rule.values() if any("*" in word for word in words)]
    assert not [rule for rule in rules if "secrets" in rule["resources"]]
    identities = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendered
    ]
    assert len(identities) == len(set(identities))
    assert all(each["metadata"]["labels"]["app.kubernetes.io/name"] == "trimtab" for each in rendered)


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path such as crds.enabled."""
    *sections, name = path.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value

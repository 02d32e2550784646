"""The operator's settings, and the page that lists them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trimtab_operator.lease import LeaseTerms
from trimtab_operator.queue import Backoff
from trimtab_operator.resources import Defaults
from trimtab_operator.settings import PREFIX, Settings, SettingsError, own_namespace, read_settings

PAGE = Path(__file__).parents[3] / "docs/reference/operator-settings.md"
NO_CONSTANTS = {
    "worker_image": "`trimtab-worker` of the operator's version",
    "lease_namespace": "the operator's own",
    "identity": "the host's name and a random part",
}
"""Defaults that are found when the operator starts."""


def read(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def test_nothing_has_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, {})
    assert settings.namespaces == ()
    assert settings.lease_namespace == own_namespace()
    assert settings.lease == LeaseTerms("trimtab-operator", own_namespace(), settings.identity)
    assert settings.backoff == Backoff()
    assert settings.defaults == Defaults(worker_image=settings.worker_image)


def test_two_operators_on_one_host_have_names_of_their_own() -> None:
    assert Settings().identity != Settings().identity


SAID: dict[str, tuple[str, str, str, Any]] = {
    "namespaces": ("NAMESPACES", "vision, speech,", "namespaces", ("vision", "speech")),
    "labels": ("COST_LABELS", "team", "cost_labels", ("team",)),
    "no labels": ("COST_LABELS", ",", "cost_labels", ()),
    "seconds": ("LEASE_RENEW_SECONDS", "4.5", "lease_renew_seconds", 4.5),
    "empty": ("METRICS_PORT", "", "metrics_port", 8080),
    "a Service's metrics port": ("METRICS_PORT", "tcp://10.0.0.1:9402", "metrics_port", 8080),
    "a Service's health port": ("HEALTH_PORT", "tcp://10.0.0.1:9402", "health_port", 8081),
}


@pytest.mark.parametrize(("variable", "value", "field", "expected"), SAID.values(), ids=list(SAID))
def test_variables_are_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: Any
) -> None:
    assert getattr(read(monkeypatch, {PREFIX + variable: value}), field) == expected


def test_what_is_said_reaches_the_lease_and_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"IDENTITY": "operator-0", "LEASE_NAMESPACE": "trimtab", "LEASE_DURATION_SECONDS": "60"}
    given |= {"WORKER_IMAGE": "mine:1", "KUBERAY_NAMESPACE": "kuberay", "HEAD_MEMORY": "8Gi"}
    settings = read(monkeypatch, {PREFIX + name: value for name, value in given.items()})
    assert settings.lease == LeaseTerms("trimtab-operator", "trimtab", "operator-0", duration_seconds=60)
    assert settings.defaults == Defaults("mine:1", kuberay_namespace="kuberay", head_memory="8Gi")


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "misspelt": (
        {"NAMESPACE": "vision"},
        "TRIMTAB_OPERATOR_NAMESPACE: there is no such setting; correct or remove it",
    ),
    "no namespace": (
        {"NAMESPACES": "vision,Speech"},
        "TRIMTAB_OPERATOR_NAMESPACES=Speech: String should match pattern '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
    ),
    "no number": (
        {"CONCURRENCY": "many"},
        "TRIMTAB_OPERATOR_CONCURRENCY=many: Input should be a valid integer, "
        "unable to parse string as an integer",
    ),
    "no word": (
        {"LOG_FORMAT": "xml"},
        "TRIMTAB_OPERATOR_LOG_FORMAT=xml: Input should be 'json' or 'text'",
    ),
    "no time to stop": (
        {"LEASE_RENEW_SECONDS": "15"},
        "lease_retry_seconds < lease_renew_seconds < lease_duration_seconds must hold, so that two never "
        "act at a time; got 2, 15, 15",
    ),
    "one port for two": (
        {"METRICS_PORT": "8081"},
        "metrics_port and health_port must differ, got 8081 twice",
    ),
    "several": (
        {"NAMESPACE": "vision", "HEALTH_PORT": "70000", "CONCURRENCY": "0"},
        "TRIMTAB_OPERATOR_NAMESPACE: there is no such setting; correct or remove it\n"
        "TRIMTAB_OPERATOR_CONCURRENCY=0: Input should be greater than 0\n"
        "TRIMTAB_OPERATOR_HEALTH_PORT=70000: Input should be less than or equal to 65535",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(monkeypatch, {PREFIX + name: value for name, value in given.items()})
    assert str(error.value) == message


SERVICES = [
    *("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_443_TCP", "PORT_443_TCP_ADDR"),
    *("WEBHOOK_SERVICE_HOST", "WEBHOOK_PORT", "METRICS_PORT_8080_TCP_PROTO"),
]


@pytest.mark.parametrize("variable", SERVICES)
def test_variables_that_kubernetes_sets_for_services_are_no_settings(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert read(monkeypatch, {PREFIX + variable: "tcp://10.0.0.1:443"}).metrics_port == 8080


def test_both_ports_may_be_any_free_one() -> None:
    settings = Settings(metrics_port=0, health_port=0)
    assert (settings.metrics_port, settings.health_port) == (0, 0)


def test_own_namespace_is_that_of_the_pod(tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("trimtab-system\n")
    assert own_namespace(tmp_path / "namespace") == "trimtab-system"
    assert own_namespace(tmp_path / "absent") == "default"


def shown(default: Any) -> str:
    match default:
        case None:
            return ""
        case tuple():
            return ",".join(default)
        case float():
            return f"{default:g}"
    return str(default)


def rows() -> list[str]:
    """The lines of the page's table."""
    found = []
    for name, field in Settings.model_fields.items():
        value = shown(field.default)
        default = NO_CONSTANTS.get(name) or (f"`{value}`" if value else "")
        text = " ".join((field.description or "").split())
        found.append(f"| `{PREFIX}{name.upper()}` | {default} | {text} |")
    return found


def test_page_lists_every_setting() -> None:
    _, _, table = PAGE.read_text().partition("|---|---|---|\n")
    assert table.partition("\n\n")[0].splitlines() == rows()

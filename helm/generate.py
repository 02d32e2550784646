"""Brings up to date what the chart has from elsewhere, and the reference of its values.

Chart.yaml             version and appVersion: the project's
values.schema.json     operator.env: the operator's settings that no other value is for
files/crds/            the CustomResourceDefinitions of crds/
docs/reference/helm-values.md
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab_operator.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
CHART = Path("helm/trimtab")
SCHEMA = CHART / "values.schema.json"
EXPLICIT = {
    "namespaces": "namespaces",
    "worker_image": "worker.image",
    "ray_version": "worker.rayVersion",
    "kuberay_namespace": "kuberay.namespace",
    "lease_name": "lease.name",
    "lease_namespace": None,
    "identity": None,
    "metrics_port": "metrics.port",
    "health_port": "health.port",
    "log_format": "log.format",
    "log_level": "log.level",
}
"""Settings with a value of their own, and those that follow from where a pod runs."""
NUMBERS = {"integer": r"^\d+$", "number": r"^\d+(\.\d+)?$"}
"""Kinds of settings that are numbers, and how each is written as a text."""
WORDS = {"array": "list", "object": "map"}
HEADER = """\
<!-- Generated from helm/trimtab by `make crd`: edit values.yaml there. -->

# Values of the Helm chart

What `helm install trimtab helm/trimtab --values FILE` or `--set NAME=VALUE` may say. A name that is not
listed here and a value of another type are refused.

| value | type | default | |
|---|---|---|---|
"""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the chart."""

    path: str
    default: Any
    told: str


def main() -> None:
    """Bring all files up to date."""
    for path, text in generated().items():
        (ROOT / path).write_text(text)


def generated() -> dict[Path, str]:
    """Return what each file should read, by its path from the root of the project."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = (ROOT / CHART / "Chart.yaml").read_text()
    return {
        CHART / "Chart.yaml": re.sub(
            r"^(version|appVersion): .*$", rf"\1: {version}", chart, flags=re.MULTILINE
        ),
        SCHEMA: f"{json.dumps(schema(), indent=2)}\n",
        **{CHART / "files/crds" / path.name: path.read_text() for path in sorted(ROOT.glob("crds/*.yaml"))},
        Path("docs/reference/helm-values.md"): reference(),
    }


def schema() -> Json:
    """Return the schema of the values, with the operator's settings as they are now."""
    found: Json = json.loads((ROOT / SCHEMA).read_text())
    settings = Settings.model_json_schema()["properties"]
    env = found["properties"]["operator"]["properties"]["env"]
    env["properties"] = {
        f"{PREFIX}{name.upper()}": variable(of) for name, of in settings.items() if name not in EXPLICIT
    }
    return found


def variable(setting: Json) -> Json:
    """Return the schema of a variable: that of its setting, as a text too; lists are separated by commas."""
    kind = setting.get("type")
    if kind not in NUMBERS:
        return {"type": ["string", "number"]}
    limits = {key: setting[key] for key in ("minimum", "exclusiveMinimum", "maximum") if key in setting}
    return {"type": [kind, "string"], **limits, "pattern": NUMBERS[kind]}


def reference() -> str:
    """Return the page of all values."""
    types = schema()
    rows = (
        f"| `{each.path}` | {type_at(types, each.path)} | {shown(each.default)} | {each.told} |"
        for each in values()
    )
    return HEADER + "\n".join(rows) + "\n"


def values(text: str | None = None) -> Iterator[Value]:
    """Yield every value of values.yaml with the comment above it; a section that is described counts whole.

    ValueError when one has no comment.
    """
    text = (ROOT / CHART / "values.yaml").read_text() if text is None else text
    defaults, comment, place, whole = yaml.safe_load(text), [], [], None
    for line in text.splitlines():
        entry = re.match(r"^( *)([A-Za-z]\w*):", line)
        if line.strip().startswith("#"):
            comment.append(line.strip("# "))
        elif not entry:
            comment = []
        else:
            place = [*place[: len(entry[1]) // 2], entry[2]]
            path = ".".join(place)
            if whole and path.startswith(f"{whole}."):
                continue
            default, told, comment = at(defaults, path), " ".join(comment), []
            whole = path if told else None
            if told:
                yield Value(path, default, told)
            elif not isinstance(default, dict) or not default:
                raise ValueError(f"values.yaml: {path} needs a comment above it that says what it does")


def at(values: Any, path: str) -> Any:
    """Return the value at a path such as image.tag."""
    for name in path.split("."):
        values = values[name]
    return values


def type_at(types: Json, path: str) -> str:
    """Return what the schema says of a value, in short."""
    for name in path.split("."):
        types = types["properties"][name]
    if "enum" in types:
        return " or ".join(f"`{each}`" for each in types["enum"])
    kinds = [types["type"]] if isinstance(types["type"], str) else types["type"]
    return " or ".join(WORDS.get(kind, kind) for kind in kinds)


def shown(default: Any) -> str:
    """Return a default as a cell of a table."""
    return f"`{json.dumps(default, ensure_ascii=False)}`" if default not in ("", {}, []) else ""


if __name__ == "__main__":
    main()

"""Writes the reference of every field, from the models: docs/reference/optimization-job.md and its like.

A field's words are its docstring, its limits those of its type, its rules those of its section; what this
version carries out is asked of trimtab_api.support. Examples are parts of tests/manifests/good, which the
tests apply to a real API server.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from trimtab_api import fields, support
from trimtab_api.digests import CLUSTER_ONLY
from trimtab_api.edits import EDITABLE, HELD
from trimtab_api.job import JobSpec
from trimtab_api.manifest import SpecError, parse_job, parse_profile, read_stream
from trimtab_api.metadata import API_VERSION
from trimtab_api.profile import ProfileSpec
from trimtab_api.report import Report
from trimtab_api.status import JobStatus
from trimtab_api.structural import Json, structural
from trimtab_api.support import REFUSED, REFUSED_HERE, REFUSED_VALUES, refusals

REFERENCE = Path(__file__).parent / "reference"
GOOD = Path(__file__).parent.parent / "tests/manifests/good"
HEADER = "<!-- Generated from the models by `make crd`: edit their docstrings. -->"
KINDS = {
    fields.LABEL: "name",
    fields.SUBDOMAIN: "dotted name",
    fields.IDENTIFIER: "identifier",
    fields.METRIC: "metric",
    fields.ENTRYPOINT: "entrypoint",
    fields.URI: "URI",
    fields.DATA_URI: "URI or path",
    fields.SHA256: "SHA-256",
    fields.IMAGE: "image",
    fields.DURATION: "duration",
    fields.QUANTITY: "quantity",
    fields.CRON: "schedule",
    fields.PREFIX: "URI prefix",
    fields.ENDPOINT: "address",
    fields.RESOURCE_NAME: "resource name",
    fields.RELATIVE_PATH: "relative path",
}
"""What a text of each pattern is called."""
SMALLEST: Json = {
    "task": {"entrypoint": "house:House"},
    "search": {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]},
}
"""What a piece of a job is put into, to be a job."""
TRIAL_MEMORY = f"spec.resources.{support.TRIAL_MEMORY}"
CLUSTER_ONLY_ALL = (*CLUSTER_ONLY, "evaluation")
"""Fields of spec without an effect in `trimtab run`."""
Example = Callable[[str], str]
"""From a section's path to a manifest that shows it; empty where it needs none, or none is carried out."""
Links = Mapping[str, str]
"""By the content of a section's schema a link to where it is described."""


@dataclass(frozen=True)
class Page:
    """A page of the reference: what it is about, and the model whose fields it lists."""

    name: str
    title: str
    model: type[BaseModel]
    root: str
    """Path of the model itself."""
    intro: str


JOB = Page(
    "optimization-job.md",
    "OptimizationJob: every field",
    JobSpec,
    "spec",
    f"""A job is a document of `apiVersion: {API_VERSION}` and `kind: OptimizationJob` with a `metadata.name`
and a `spec`. Every section of `spec` but `task` may be left out. In italics is what does not hold for all:

- *Editable*: may change while the job runs; every other field stays as it was when the job was made.
- *Cluster only*: has no effect in `trimtab run`, which names it.
- *Not carried out*: `trimtab validate` and the condition `Accepted` refuse it by name; it is never ignored.

A field of a section holds what the notes of its section say.""",
)
PROFILE = Page(
    "optimization-profile.md",
    "OptimizationProfile: every field",
    ProfileSpec,
    "spec",
    f"""A profile is a document of `apiVersion: {API_VERSION}` and `kind: OptimizationProfile` with a
`metadata.name` and a `spec`. It belongs to a cluster and its platform team; `trimtab run` needs none. Jobs
that name no profile get the one with the annotation `trimtab.io/is-default-profile: "true"`.""",
)
REPORT = Page(
    "report.md",
    "The report: every field of result.json",
    Report,
    "report",
    """What a run found, as `result.json` has it; [the result](result.md) says how to read it. What is not
known is left out, and fields are only ever added.""",
)
STATUS = Page(
    "job-status.md",
    "The status of a job: every field",
    JobStatus,
    "status",
    """What `kubectl get optjob NAME -o yaml` shows under `status`: the shapes of [the report](report.md),
kept small, and what the operator saw itself. [Conditions](conditions.md) has every reason.""",
)


def main(reference: Path = REFERENCE) -> None:
    """Bring all pages up to date."""
    for name, text in generated().items():
        (reference / name).write_text(text)


def generated() -> dict[str, str]:
    """Return what every page should read, by its name."""
    in_report = links_to(sections_of(REPORT), REPORT.name)
    return {
        JOB.name: text_of(JOB, example=Examples("OptimizationJob")),
        PROFILE.name: text_of(PROFILE, example=Examples("OptimizationProfile")),
        REPORT.name: text_of(REPORT),
        STATUS.name: text_of(STATUS, in_report),
    }


def text_of(page: Page, elsewhere: Links | None = None, example: Example = lambda path: "") -> str:
    """Return a whole page; sections that are described `elsewhere` are linked to."""
    found = sections_of(page, elsewhere or {})
    links = {**links_to(found), **(elsewhere or {})}
    contents = [f"{'  ' * depth_of(path)}- [{path}](#{anchor(path)})" for path in found]
    sections = [section(path, node, links, example) for path, node in found.items()]
    parts = [HEADER, f"# {page.title}", page.intro, "\n".join(contents), *sections, kinds_in(sections)]
    return "\n\n".join(filter(None, parts)) + "\n"


def sections_of(page: Page, elsewhere: Links | None = None) -> dict[str, Json]:
    """Return by path the schema of every section of the page that is not described already."""
    seen = set(elsewhere or {})
    found: dict[str, Json] = {}

    def add(path: str, node: Json) -> None:
        found[path] = node
        seen.add(content_of(node))
        for name, child in node["properties"].items():
            inner, mark = inner_of(child)
            if "properties" in inner and content_of(inner) not in seen:
                add(f"{path}.{name}{mark}", inner)

    add(page.root, structural(page.model))
    return found


def links_to(sections: Mapping[str, Json], page: str = "") -> dict[str, str]:
    """Return by content a link to each section, which may be on another page."""
    return {content_of(node): f"[{path}]({page}#{anchor(path)})" for path, node in sections.items()}


def content_of(node: Json) -> str:
    """Return what makes two sections the same: all but their words and their default."""
    return json.dumps({word: value for word, value in node.items() if word not in {"description", "default"}})


def inner_of(node: Json) -> tuple[Json, str]:
    """Return what a list or map is made of, with the mark that its path gets; a value itself as it is."""
    if node.get("type") == "array":
        return node["items"], "[]"
    if "additionalProperties" in node:
        return node["additionalProperties"], ".NAME"
    return node, ""


def depth_of(path: str) -> int:
    """Return how far a section is indented: those of the first two levels are not."""
    return max(0, path.count(".") - 1)


def anchor(path: str) -> str:
    """Return the anchor of a path: spec.search.parameters[].name is spec-search-parameters-name."""
    return path.replace("[]", "").replace(".", "-").lower()


def section(path: str, node: Json, links: Links, example: Example) -> str:
    """Return a section: its heading, its sentence, its fields, its rules, an example."""
    rows = [row(f"{path}.{name}", child, node, links) for name, child in node["properties"].items()]
    parts = [
        f'<a id="{anchor(path)}"></a>\n\n{"##" if depth_of(path) == 0 else "###"} {path}',
        " ".join([node["description"], *notes_on(path)]),
        "\n".join(["| field | type | default | |", "|---|---|---|---|", *rows]),
        "\n".join(rules_of(node)),
        example(path),
    ]
    return "\n\n".join(filter(None, parts))


def row(path: str, node: Json, parent: Json, links: Links) -> str:
    """Return the line of one field."""
    section_path, _, name = path.rpartition(".")
    needed = name in parent.get("required", ())
    link = links.get(content_of(inner_of(node)[0]), "")
    is_below = link.endswith(f"](#{anchor(path)})")
    notes = [each for each in notes_on(path, node["description"]) if each not in notes_on(section_path)]
    default = json.dumps(node["default"], ensure_ascii=False) if "default" in node else ""
    cells = [
        f"[`{name}`](#{anchor(path)})" if is_below else f'<a id="{anchor(path)}"></a>`{name}`',
        type_of(node, {} if is_below else links),
        "required" if needed else f"`{default}`" if default not in {"", "{}", "[]", '""'} else "",
        " ".join([node["description"], *notes]),
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def rules_of(node: Json) -> list[str]:
    """Return the rules over several fields, as a list."""
    rules = [rule for rule in node.get("x-kubernetes-validations", ()) if rule["message"] != HELD]
    lines = []
    for rule in rules:
        where = rule.get("fieldPath", "").removeprefix(".")
        lines.append(f"- {f'`{where}`:' if where else 'It'} {rule['message']}.")
    return ["Rules:", "", *lines] if lines else []


def notes_on(path: str, told: str = "") -> list[str]:
    """Return what does not hold for all fields of a job, of this one."""
    if not path.startswith("spec."):
        return []
    steps = path.removeprefix("spec.").split(".")
    ways = [".".join(steps[: count + 1]) for count in range(len(steps))]

    def named(patterns: Sequence[str]) -> bool:
        return any(way in patterns or way.removesuffix("[]") in patterns for way in ways)

    notes = []
    if named(EDITABLE) and "editable" not in told:
        notes.append("*Editable.*")
    if named(REFUSED) or (named(REFUSED_HERE["cluster"]) and named(CLUSTER_ONLY_ALL)):
        return [*notes, "*Not carried out yet.*"]
    is_above = TRIAL_MEMORY.startswith(f"{path}.")
    if named(CLUSTER_ONLY_ALL) and path != TRIAL_MEMORY:
        but = f", but for `{TRIAL_MEMORY.removeprefix(f'{path}.')}`" if is_above else ""
        notes.append(f"*Cluster only{but}.*")
    if named(REFUSED_HERE["embedded"]):
        notes.append("*Not carried out by `trimtab run`.*")
    if named(REFUSED_HERE["cluster"]):
        notes.append("*Not carried out on a cluster yet.*")
    values = REFUSED_VALUES.get(ways[-1]) or REFUSED_VALUES.get(f"{ways[-1]}[]")
    if values:
        notes.append(f"*Not carried out yet: {', '.join(f'`{each}`' for each in values)}.*")
    return notes


def type_of(node: Json, links: Links) -> str:
    """Return the type of a value with its limits, in words."""
    inner, mark = inner_of(node)
    if mark:
        return (
            list_type(node, type_of(inner, links)) if mark == "[]" else map_type(node, type_of(inner, links))
        )
    if "properties" in node:
        link = links.get(content_of(node))
        return link or "section"
    if "x-kubernetes-int-or-string" in node:
        return "whole number, or text"
    words = {
        "boolean": "`true` or `false`",
        "object": "mapping",
        "integer": "whole number",
        "number": "number",
    }
    kind = node.get("type", "")
    return string_type(node) if kind == "string" else words.get(kind, "any value") + range_of(node)


def list_type(node: Json, item: str) -> str:
    """Return the words for a list."""
    keys = "`, `".join(node.get("x-kubernetes-list-map-keys", ()))
    unique = {"set": ", no two alike", "map": f", no two of one `{keys}`"}
    return f"list{size_of(node, 'Items')} of {item}{unique.get(node.get('x-kubernetes-list-type', ''), '')}"


def map_type(node: Json, value: str) -> str:
    """Return the words for a mapping with free names."""
    return f"mapping{size_of(node, 'Properties')} of names to {value}"


def size_of(node: Json, what: str) -> str:
    """Return how many entries there may be."""
    least, most = node.get(f"min{what}", 0), node.get(f"max{what}")
    if most is None:
        return ""
    return f" ({most})" if least == most else f" ({least} to {most:,})" if least else f" (up to {most:,})"


def range_of(node: Json) -> str:
    """Return the limits of a number."""
    words = {"minimum": ("at least", "above"), "maximum": ("at most", "below")}
    if words.keys() <= node.keys() and not any(f"exclusive{word.capitalize()}" in node for word in words):
        return f", {node['minimum']:,} to {node['maximum']:,}"
    found = [
        f"{words[word][f'exclusive{word.capitalize()}' in node]} {node[word]:,}"
        for word in words
        if word in node
    ]
    return "".join(f", {each}" for each in found)


def string_type(node: Json) -> str:
    """Return the words for a text."""
    if "enum" in node:
        return " or ".join(f"`{each}`" for each in node["enum"])
    if "format" in node:
        return "time"
    pattern, most = node.get("pattern"), node.get("maxLength")
    if pattern in KINDS:
        return f"[{KINDS[pattern]}](#{kind_anchor(KINDS[pattern])})"
    shaped = f" like `{pattern}`" if pattern else ""
    return f"text{shaped}{f' of up to {most:,} characters' if most else ''}"


def kind_anchor(kind: str) -> str:
    """Return the anchor of a kind of text."""
    return f"kind-{kind.lower().replace(' ', '-')}"


def kinds_in(sections: Sequence[str]) -> str:
    """Return what the kinds of text are that the sections use; empty when there are none."""
    used = [
        f'| <a id="{kind_anchor(kind)}"></a>{kind} | {fields.EXPECTED[pattern]} |'
        for pattern, kind in KINDS.items()
        if any(f"(#{kind_anchor(kind)})" in each for each in sections)
    ]
    return "\n".join(["## Kinds of text", "", "| kind | |", "|---|---|", *used]) if used else ""


class Examples:
    """Picks examples from the good manifests: for each section the first that has it, if none before did."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.shown: list[Json] = []
        texts = sorted(GOOD.glob("*.yaml"), key=lambda path: (path.stem != "digits", path.stem))
        streams = [read_stream(path.read_text()) for path in texts]
        self.specs = [
            dict(document["spec"])
            for stream in streams
            for document in (stream.job, stream.profile)
            if document is not None and document["kind"] == kind
        ]

    def __call__(self, path: str) -> str:
        """Return the top section around a path, from a manifest whose section is carried out."""
        top = path.split(".")[1].removesuffix("[]") if "." in path else ""
        if not top or any(has(spec, path) for spec in self.shown):
            return ""
        for spec in self.specs:
            for piece in ({top: spec.get(top)}, {top: spec.get(top), "targets": spec.get("targets")}):
                if has(spec, path) and all(piece.values()) and self.is_carried_out(piece):
                    self.shown.append(piece)
                    return f"```yaml\n{self.dumped(piece)}```"
        return ""

    def is_carried_out(self, piece: Json) -> bool:
        """Whether a piece is valid by itself, and some way of running a job carries it out."""
        try:
            if self.kind == "OptimizationProfile":
                return bool(parse_profile(self.document(piece)))
            job = parse_job(self.document(SMALLEST | piece))
        except SpecError:
            return False
        return not refusals(job) or not refusals(job, where="cluster")

    def document(self, spec: Json) -> Json:
        """Return a whole document around a spec."""
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": {"name": "example"}, "spec": spec}

    def dumped(self, piece: Json) -> str:
        """Return a piece as YAML: of a job as a part of its spec, of a profile as a whole."""
        shown = self.document(piece) if self.kind == "OptimizationProfile" else {"spec": piece}
        return yaml.safe_dump(shown, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)


def has(spec: Json, path: str) -> bool:
    """Whether a spec says anything at a path."""
    found: list[Any] = [spec]
    for step in path.split(".")[1:]:
        name = step.removesuffix("[]")
        inner = [each[name] for each in found if isinstance(each, dict) and name in each]
        found = [item for each in inner for item in (each if step.endswith("[]") else [each])]
    return bool(found)


if __name__ == "__main__":
    main()

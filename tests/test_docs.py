"""The documentation against the tree: what it links to, shows and lists is there."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from docs import generate_fields
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_api.metadata import API_VERSION
from trimtab_api.metrics import EFFICIENCY
from trimtab_api.schema import crds
from trimtab_api.support import refusals
from trimtab_cli.main import COMMANDS, cli
from trimtab_jobs.guard import needed_examples
from trimtab_jobs.guard.bounds import paired_drop_upper
from trimtab_jobs.report.outcome import ExitCode

ROOT = Path(__file__).parent.parent
VALUES = ROOT / "helm/trimtab/values.schema.json"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SMALLEST: dict[str, Any] = {
    "task": {"entrypoint": "house:House"},
    "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    "search": {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]},
}
"""What a piece of a spec is put into, to be a job."""
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
commands = pytest.mark.parametrize("command", COMMANDS)


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in FENCE.findall(page.read_text()) if language in languages]


def inline(page: Path) -> list[str]:
    return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", FENCE.sub("", page.read_text()))]


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text())
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = set(re.findall(r'<a id="([^"]+)"></a>', text))
    return named | {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def spoken(page: Path, program: str) -> Iterator[list[str]]:
    """The words after the program's name, of each command line that the page shows."""
    for line in [*"".join(blocks(page, "console")).splitlines(), *inline(page)]:
        if re.match(rf"{program} [a-z]", line):
            yield shlex.split(line, comments=True)[1:]


def options_of(command: str) -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    names = [name for parameter in found.params for name in [*parameter.opts, *parameter.secondary_opts]]
    return {name for name in names if name.startswith("-")}


@pages
def test_links_lead_to_pages_and_headings_that_exist(page: Path):
    for link, _, heading in re.findall(r"\]\(([^)#:]*)(#([^)]*))?\)", page.read_text()):
        target = page.parent / link if link else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), f"{link}#{heading}"


@pages
def test_manifests_are_valid_and_carried_out(page: Path):
    for text in blocks(page, "yaml"):
        if text.startswith("# values.yaml"):
            jsonschema.validate(yaml.safe_load(text), json.loads(VALUES.read_text()))
            continue
        if "apiVersion:" in text and API_VERSION not in text:
            continue
        if "kind: OptimizationProfile" in text:
            assert parse_profile(yaml.safe_load(text))
            continue
        document = read_stream(text).job if "kind:" in text else None
        if document is None:
            document = {"apiVersion": API_VERSION, "kind": "OptimizationJob"}
            document |= {"metadata": {"name": "piece"}, "spec": SMALLEST | yaml.safe_load(text)["spec"]}
        job = parse_job(document)
        assert refusals(job) == () or refusals(job, where="cluster") == ()


@pages
def test_code_can_be_read(page: Path):
    for text in blocks(page, "python"):
        ast.parse(text)


@pages
def test_commands_exist_with_their_options(page: Path):
    for command, *words in spoken(page, "trimtab"):
        assert command in COMMANDS
        given = {word for word in words if re.match(r"--?[a-z]", word)}
        assert given - options_of(command) == set(), (command, words)


@pages
def test_make_targets_exist(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in spoken(page, "make"):
        assert {word for word in words if "=" not in word} - targets == set()


@pages
def test_files_that_are_named_exist(page: Path):
    named = [
        text for text in inline(page) if re.fullmatch(r"(crds|jobs|cli|tests|examples|helm)/[\w./-]+", text)
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []


@commands
def test_the_reference_has_every_command_and_option(command: str):
    text = (ROOT / "docs/reference/cli.md").read_text()
    _, _, section = text.partition(f"\n## trimtab {command}")
    section, _, _ = section.partition("\n## ")
    assert [option for option in options_of(command) if f"`{option}" not in section] == []


def test_the_reference_has_every_exit_code():
    text = (ROOT / "docs/reference/cli.md").read_text()
    assert [int(code) for code in ExitCode if f"\n| {int(code)} |" not in text] == []


@pytest.mark.parametrize("name", generate_fields.generated())
def test_the_reference_of_fields_is_current(name: str):
    committed = (ROOT / "docs/reference" / name).read_text()
    assert committed == generate_fields.generated()[name], "run: make crd"


@pytest.mark.parametrize("page", [generate_fields.JOB, generate_fields.PROFILE, generate_fields.STATUS])
def test_the_reference_has_every_field_of_the_definitions(page: generate_fields.Page):
    definitions = crds()
    plural = "optimizationprofiles" if page is generate_fields.PROFILE else "optimizationjobs"
    version = definitions[f"trimtab.io_{plural}.yaml"]["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]["properties"][page.root]
    text = "".join((ROOT / "docs/reference" / each).read_text() for each in {page.name, "report.md"})

    assert [name for name in field_names(schema) if f"`{name}`" not in text] == []


def field_names(schema: dict[str, Any]) -> set[str]:
    """The names of all fields in a schema, at any depth."""
    below = [*schema.get("properties", {}).values()]
    below += [schema[word] for word in ("items", "additionalProperties") if word in schema]
    return set(schema.get("properties", {})).union(*map(field_names, below))


def test_no_anchor_of_the_fields_is_there_twice():
    for name, text in generate_fields.generated().items():
        found = re.findall(r'<a id="([^"]+)"', text)
        assert len(found) == len(set(found)), name


def test_each_section_that_is_carried_out_has_an_example():
    text = generate_fields.generated()["optimization-job.md"]
    sections = re.findall(r"^##+ spec\.(\S+)\n\n(.*)$", text, re.MULTILINE)
    shown = [
        yaml.safe_load(block)["spec"] for block in blocks(ROOT / "docs/reference/optimization-job.md", "yaml")
    ]
    missing = [
        path
        for path, told in sections
        if "Not carried out yet" not in told
        and not any(generate_fields.has(spec, f"spec.{path}") for spec in shown)
    ]
    assert missing == []


def test_the_reference_has_every_built_in_metric():
    assert set(EFFICIENCY) <= set(inline(ROOT / "docs/reference/metrics.md"))


def test_the_table_of_needed_examples_is_right():
    text = (ROOT / "docs/explanation/guardrail.md").read_text()
    rows = re.findall(r"^\| (0\.\d+) \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) > 3
    for drop, cells in rows:
        found = [
            [f"{needed_examples(float(drop), confidence, k):,}" for confidence in (0.95, 0.99)]
            for k in (1, 2, 3)
        ]
        assert cells == " | ".join(f"{sure} ({surer})" for sure, surer in found)


def test_the_table_of_losses_that_may_be_is_right():
    text = (ROOT / "docs/explanation/guardrail.md").read_text()
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) == 3
    for count, *most in rows:
        n = int(count.replace(",", ""))
        for k, losses in zip((1, 2, 3), map(int, most), strict=True):
            assert paired_drop_upper(losses, 0, n, 0.05 / k) <= 0.02
            assert paired_drop_upper(losses + 1, 0, n, 0.05 / k) > 0.02


def test_the_worked_example_of_the_guardrail_is_right():
    text = (ROOT / "docs/explanation/guardrail.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (0[.\d]*) \| (0\.\d+) \| (not )?held", text, re.MULTILINE)
    assert len(rows) == 5
    for lost, gained, figure, bound, missed in rows:
        upper = paired_drop_upper(int(lost), int(gained), 540, 0.05 / 3)
        assert float(figure) == pytest.approx((int(lost) - int(gained)) / 540, abs=5e-5)
        assert bound == f"{upper:.4f}"
        assert (upper > 0.02) is bool(missed)


def test_symptoms_to_operate_by_are_reasons_that_exist():
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs/how-to/operate.md").read_text(), re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([A-Z]\w+)`", row)} - {"ImagePullBackOff"}
    known = set(inline(ROOT / "docs/reference/conditions.md"))

    assert len(named) > 12
    assert named - known == set()


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text()
    pages_below = [page for page in PAGES if page.parent.parent == ROOT / "docs"]
    assert [page.name for page in pages_below if f"{page.parent.name}/{page.name})" not in index] == []

"""The documentation against the tree: links lead somewhere, manifests are valid, commands exist."""

import re
from pathlib import Path

import pytest

from trimtab_api.manifest import parse_job, read_stream
from trimtab_api.support import refusals
from trimtab_cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_links_lead_to_files_that_exist(page: Path):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pages
def test_manifests_are_valid_and_carried_out(page: Path):
    for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        document = read_stream(text).job
        assert document is not None
        assert refusals(parse_job(document)) == ()


@pages
def test_commands_exist(page: Path):
    named = re.findall(r"^trimtab ([a-z-]+)", page.read_text(), flags=re.MULTILINE)

    assert set(named) <= set(COMMANDS)

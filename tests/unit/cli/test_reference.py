"""What of the documentation is generated from the commands."""

import json
from pathlib import Path

import click
import pytest

from docs.generate_commands import BEGIN, END, REFERENCE, generated, main, schema, section
from trimtab_cli.main import COMMANDS, cli


def test_reference_of_the_commands_is_current():
    page = (REFERENCE / "cli.md").read_text()
    assert page == generated(page), "run: make crd"


def test_schema_of_the_events_is_current():
    assert (REFERENCE / "progress-events.schema.json").read_text() == schema(), "run: make crd"


def test_page_of_the_events_names_every_event_and_field():
    text = (REFERENCE / "progress-events.md").read_text()
    shapes = json.loads(schema())["$defs"]
    events = [shape for shape in shapes.values() if "event" in shape["properties"]]
    assert len(events) == 7
    for shape in events:
        assert f"| `{shape['properties']['event']['const']}` |" in text
        assert all(f"`{name}`" in text for name in shape["properties"])


def test_what_is_written_by_hand_stays(tmp_path: Path):
    (tmp_path / "cli.md").write_text(f"above\n{BEGIN}outdated\n{END}below\n")
    main(tmp_path)
    text = (tmp_path / "cli.md").read_text()
    assert text.startswith(f"above\n{BEGIN}\n## trimtab init [FOLDER]\n")
    assert text.endswith(f"{END}below\n")
    assert "outdated" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_section_has_a_line_for_each_option(name: str):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert section(name).count("\n| `") == len(options)

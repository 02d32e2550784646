"""The command line as a whole: what it imports, what it says, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from trimtab_cli import main
from trimtab_cli.main import COMMANDS, call, cli

HEAVY = ("numpy", "onnx", "onnxruntime", "optuna", "pydantic", "ray", "rich", "torch", "yaml")
LOADED = """
import json, sys
from trimtab_cli.main import call
call(["--help"])
print(json.dumps(sorted(sys.modules)))
"""


def test_help_imports_nothing_heavy():
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert not set(json.loads(ran.stdout.splitlines()[-1])) & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_under_its_name(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.name, bool(command.short_help), bool(command.help)) == (name, True, True)


def test_help_lists_the_commands_in_the_order_of_need(capsys):
    assert call(["--help"]) == 0
    shown = capsys.readouterr().out
    assert sorted(COMMANDS, key=lambda name: shown.index(f"\n  {name} ")) == list(COMMANDS)


def test_unknown_command_has_exit_code_2(capsys):
    assert call(["fly"]) == 2
    assert "No such command 'fly'." in capsys.readouterr().err


@pytest.fixture
def command(monkeypatch):
    """Return a way to add a command that raises."""

    def add(error):
        @click.command("fail")
        def fail():
            raise error

        monkeypatch.setitem(COMMANDS, "fail", "tests_fail:fail")
        monkeypatch.setitem(sys.modules, "tests_fail", type("Module", (), {"fail": fail}))

    return add


def test_interruption_has_exit_code_130(command, capsys):
    command(KeyboardInterrupt())
    assert call(["fail"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted"


def test_error_nobody_foresaw_is_two_lines_and_a_log(command, capsys):
    command(ZeroDivisionError("by zero"))
    assert call(["fail"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    log = Path(second.removeprefix("The details are in "))
    assert first == "trimtab: unexpected error: ZeroDivisionError: by zero"
    assert log.read_text().startswith("trimtab fail\n\nTraceback")
    log.unlink()


def test_terminal_without_our_signs_shows_a_question_mark():
    script = (
        "import sys; from trimtab_cli import main; main.COMMANDS.clear(); sys.argv[1:] = ['✓']; main.main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env={"PYTHONIOENCODING": "latin-1"}, check=False
    )
    assert ran.returncode == 2
    assert b"No such command '?'." in ran.stderr


def test_entry_point_is_main():
    assert callable(main.main)

"""What no linter here sees: the size of files and functions, and a folder that would shadow Python itself."""

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(path for part in ("crds", "jobs", "cli", "operator") for path in (ROOT / part).rglob("*.py"))
LARGEST_FILE = 400
LONGEST_FUNCTION = 40


def functions_of(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


@pytest.mark.parametrize(
    ("contract", "elsewhere"),
    [
        pytest.param("torch", {"tasks", "stages", "measure", "given"}, id="torch"),
        pytest.param("optuna", {"search"}, id="optuna"),
    ],
)
def test_contracts_of_the_driver_name_every_part_of_it(contract: str, elsewhere: set[str]):
    parser = ConfigParser()
    parser.read(ROOT / ".importlinter")
    named = parser[f"importlinter:contract:{contract}"]["source_modules"].split()
    parts = {path.stem for path in (ROOT / "jobs/trimtab_jobs").glob("[!_]*") if path.name != "py.typed"}

    missing = {f"trimtab_jobs.{part}" for part in {*parts, "__main__"} - elsewhere} - set(named)

    assert missing == set(), "add these to .importlinter"


def test_operator_is_no_package_since_it_would_shadow_the_standard_library():
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path):
    assert len(path.read_text().splitlines()) <= LARGEST_FILE
    assert [(name, lines) for name, lines in functions_of(path) if lines > LONGEST_FUNCTION] == []

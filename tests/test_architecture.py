"""What no linter here sees: the size of files and functions, and a folder that would shadow Python itself."""

import ast
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


def test_operator_is_no_package_since_it_would_shadow_the_standard_library():
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path):
    assert len(path.read_text().splitlines()) <= LARGEST_FILE
    assert [(name, lines) for name, lines in functions_of(path) if lines > LONGEST_FUNCTION] == []

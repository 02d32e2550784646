"""A first look at the entrypoint, before any worker is started."""

from pathlib import Path

import pytest

from trimtab_jobs.entrypoint import mistake

CODE = """
import os.path as path
from json import loads, dumps as written

class Digits:
    class Inner: ...

def make(): ...

Alias = Digits
for Each in (): ...
if path:
    Late = 1
"""


@pytest.fixture
def code(tmp_path: Path) -> str:
    (tmp_path / "digits.py").write_text(CODE)
    (tmp_path / "star.py").write_text("from json import *\n")
    (tmp_path / "lazy.py").write_text("def __getattr__(name): ...\n")
    (tmp_path / "made.py").write_text("globals()['Task'] = 1\n")
    (tmp_path / "broken.py").write_text("class Digits:\n    def\n")
    (tmp_path / "nulls.py").write_bytes(b"a\0b")
    (tmp_path / "native.so").touch()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("class Whole: ...\n")
    (tmp_path / "package" / "part.py").write_text("class Part: ...\n")
    return str(tmp_path)


@pytest.mark.parametrize(
    "entrypoint",
    [
        *("digits:Digits", "digits:make", "digits:Alias", "digits:Late", "digits:loads", "digits:path"),
        *("digits:Each", "star:Anything", "lazy:Anything", "made:Task", "package:Whole", "package.part:Part"),
        *("native:Task", "package.native:Task", "json:JSONDecoder", "trimtab_jobs.tasks:TabularTask"),
    ],
)
def test_what_may_work_is_left_to_the_workers(code: str, entrypoint: str):
    assert mistake(entrypoint, code) is None


@pytest.mark.parametrize(
    ("entrypoint", "why"),
    [
        pytest.param(
            "nowhere:Task", "there is no module 'nowhere'; the code folder holds broken.py, ", id="none"
        ),
        pytest.param("digits:Digit", "digits has no 'Digit'; did you mean digits:Digits?", id="close"),
        pytest.param("digits:Rings", "digits has no 'Rings'; it defines Digits, make", id="no-such-name"),
        pytest.param("package:Part", "package has no 'Part'; it defines Whole", id="of-a-part"),
        pytest.param("broken:Digits", "broken.py, line 2: invalid syntax", id="syntax"),
        pytest.param("nulls:Digits", "nulls.py: source code string cannot contain null bytes", id="no-text"),
    ],
)
def test_what_cannot_work_is_told(code: str, entrypoint: str, why: str):
    assert (mistake(entrypoint, code) or "").startswith(f"spec.task.entrypoint {entrypoint!r}: {why}")


def test_without_code_only_what_is_installed_is_there():
    assert mistake("json:JSONDecoder", None) is None
    assert (mistake("nowhere:Task", None) or "").endswith("there is no module 'nowhere'; no code was given")


def test_folder_without_modules_is_said_to_have_none(tmp_path: Path):
    assert (mistake("nowhere:Task", str(tmp_path)) or "").endswith("the code folder holds no .py file")

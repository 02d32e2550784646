"""The reference of the built-in tasks against the tasks: every argument with its default, every parameter."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from trimtab_jobs.tasks.arguments import SHARES, Arguments
from trimtab_jobs.tasks.built_in_metrics import METRICS_OF_NUMBERS, metrics_of_classes
from trimtab_jobs.tasks.image_files import SUFFIXES, ImageArguments
from trimtab_jobs.tasks.table_target import TabularArguments

PAGE = Path(__file__).parents[2] / "docs/reference/built-in-tasks.md"
SHOWN = {
    "()": ("none", "all other columns"),
    "None": ("none", "the first"),
    "False": ("false",),
    str(SHARES): ('`"0.6, 0.2, 0.2"`',),
}
"""How a default is written that is no number or word."""


def section(name: str) -> str:
    _, _, text = PAGE.read_text().partition(f"\n## {name}\n")
    return text.partition("\n## ")[0]


@pytest.mark.parametrize(
    ("name", "arguments"), [("TabularTask", TabularArguments), ("ImageFolderTask", ImageArguments)]
)
def test_every_argument_is_there_with_its_default(name: str, arguments: type[Arguments]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section(name), re.MULTILINE))
    for argument, field in arguments.model_fields.items():
        default = field.default
        shown = (
            ("required",)
            if default is PydanticUndefined
            else SHOWN.get(str(default), (f"{default}", f"`{default}`"))
        )
        assert rows[argument] in shown, argument


def test_every_metric_and_every_kind_of_image_is_there() -> None:
    table = section("TabularTask")
    assert [name for name in (*metrics_of_classes(2), *METRICS_OF_NUMBERS) if f"`{name}`" not in table] == []
    assert [suffix for suffix in SUFFIXES if suffix[1:] not in section("ImageFolderTask")] == []

"""HTML and SVG by construction: whatever is not markup already is escaped, so no name can break out."""

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

VOID = frozenset({"meta", "wbr"})
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""What no reader sees, but could turn the text beside it around, or could not be written as UTF-8."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def element(tag: str, *children: str | None, **attributes: str | float | None) -> Html:
    """The element as markup. Attribute names: `class_` is class, `aria_label` is aria-label.

    Children that are not Html are escaped; None among children or attributes is left out.
    """
    opening = "".join(
        [tag, *(_attribute(name, value) for name, value in attributes.items() if value is not None)]
    )
    if tag in VOID:
        return Html(f"<{opening}>")
    return Html(f"<{opening}>{join(children)}</{tag}>")


def join(children: Iterable[str | None]) -> Html:
    """The children one after the other, escaped where they are not Html."""
    return Html(
        "".join(
            child if isinstance(child, Html) else _inert(child) for child in children if child is not None
        )
    )


def json_block(identifier: str, content: Any) -> Html:
    """A block of JSON in the page, in which nothing can end the block or begin a comment."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    safe = UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("<", "\\u003c")
    safe = safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return element("script", Html(safe), type="application/json", id=identifier)


def _attribute(name: str, value: str | float) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {name.rstrip("_").replace("_", "-")}="{_inert(text)}"'


def _inert(text: str) -> str:
    return escape(UNSEEN.sub("\ufffd", text))

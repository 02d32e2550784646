"""Text from elsewhere, made fit for a status: it fits its place and does nothing to a terminal. Pure."""

import json
import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that are not to be seen, or that change how what follows is seen."""


def plain(text: str) -> str:
    """Return text without control characters; of them only line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter) not in _HIDDEN)


def weight(text: str) -> int:
    """Return the bytes that text takes in JSON as the API server writes it, quotes left out."""
    return (
        len(json.dumps(text, ensure_ascii=False).encode(errors="replace"))
        - 2
        + 5 * sum(map(text.count, "<>&"))
    )


def cut(text: str, most_bytes: int) -> str:
    """Return text of at most so many bytes in JSON: its beginning and, as of a traceback, its end."""
    text = plain(text)
    if weight(text) <= most_bytes:
        return text
    half = min(len(text), most_bytes) // 2
    while half and weight(text[:half]) + weight(text[-half:]) + 5 > most_bytes:
        half = half * 3 // 4
    return f"{text[:half]} … {text[-half:]}" if half else ""

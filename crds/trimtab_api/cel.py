"""Pieces of CEL, the language in which the API server judges rules."""

from collections.abc import Iterable


def cel_list(words: Iterable[str]) -> str:
    """Return words as a CEL list of strings."""
    return f"[{', '.join(repr(word) for word in words)}]"


def or_list(words: Iterable[str]) -> str:
    """Return words as a person lists them: "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def distinct(section: str, *fields: str, kinds: Iterable[str] = ()) -> str:
    """Return the condition that no two entries of an optional list agree in all of these optional fields.

    Of the fields in `kinds` only the presence counts.
    """
    equal = [f"(!has(one.{field}) || one.{field} == other.{field})" for field in fields]
    same = " && ".join([f"has(one.{field}) == has(other.{field})" for field in (*fields, *kinds)] + equal)
    return f"!has(self.{section}) || self.{section}.all(one, self.{section}.exists_one(other, {same}))"


def targets_known(section: str) -> str:
    """Return the condition that the entries of an optional list name targets that are there."""
    return (
        f"!has(self.{section}) || self.{section}.all(entry, !has(entry.target)"
        " || (has(self.targets) && self.targets.exists(known, known.name == entry.target)))"
    )

"""The corpus of manifests: what is right, what is wrong and what each says, and what may be edited.

    tests/manifests/good/NAME.yaml    streams with one job or profile each, all of them right
    tests/manifests/bad/NAME.yaml     tables: `base`, a good one, and `cases`, each a change that breaks it
    tests/manifests/edits.yaml        a table of changes to a stored job, allowed and forbidden

A case of a bad table:

    set: spec.search.trials           the field that is changed,
    to: 0                             to this; or `remove: spec.search.trials`
    also: {spec.search.seed: 1}       what else is changed; ~ removes
    base: grid                        another good one, for this case only
    field: spec.search.trials         the field that is blamed; omitted: the one changed
    breaks: minimum                   what the schema says of it; `rule` for CEL, `unknown` for no field
    says: must be at least 1, got 0   exactly what `validate` says
    at: spec.search                   the field that the API server blames, when it is another
    server: should be greater than    part of what the API server says; omitted: what it always says of such a
                                      breach, and of a rule the message without its ", got"

A value may be long: {repeat: 65, text: a, before: "s3://", after: /} is a string, {repeat: 9, item: "t{n}"}
a list, {repeat: 9, key: "k{n}", item: x} a mapping; {n} counts from 0.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from trimtab_api.manifest import read_stream
from trimtab_api.reading import read_documents

MANIFESTS = Path(__file__).resolve().parents[1] / "manifests"
Document = dict[str, Any]


SERVER_SAYS = {
    "type": " must be of type ",
    "enum": "Unsupported value: ",
    "pattern": " in body should match ",
    "minimum": " in body should be greater than ",
    "maximum": " in body should be less than ",
    "minLength": " in body should be at least ",
    "maxLength": "Too long: may not be more than ",
    "minItems": " in body should have at least ",
    "maxItems": "Too many: ",
    "maxProperties": "Too many: ",
    "unique": "Duplicate value: ",
    "required": "Required value",
    "unknown": 'unknown field "{field}"',
}
"""What the API server always says of a breach of its schema."""


@dataclass(frozen=True)
class BadManifest:
    """A document that is refused, by `validate` (parse_job, parse_profile) and by the API server (strict).

    `field` and `message` are exactly those of validate's only problem. The API server gives a cause with
    `server_field`, whose message contains `server_message`; of an unknown field there is no cause, only the
    answer's message. `judge` says which part of it knows: its schema, or a rule in CEL.
    """

    id: str
    document: Document
    field: str
    message: str
    judge: Literal["schema", "cel"]
    server_field: str
    server_message: str
    breaks: str


@dataclass(frozen=True)
class Edit:
    """A change to a stored job: `old` is created, then updated to `new`.

    When it is not allowed, `message` is what validate says of `field`, and the API server too.
    """

    id: str
    old: Document
    new: Document
    allowed: bool
    field: str = ""
    message: str = ""


@cache
def good_streams() -> dict[str, str]:
    """The text of every good stream, by its name."""
    return {path.stem: path.read_text() for path in sorted((MANIFESTS / "good").glob("*.yaml"))}


@cache
def good_documents() -> dict[str, Document]:
    """The job or profile of every good stream, by the stream's name."""
    documents = {}
    for name, text in good_streams().items():
        stream = read_stream(text)
        documents[name] = dict(stream.job or stream.profile or {})
    return documents


@cache
def bad_manifests() -> tuple[BadManifest, ...]:
    """Every case of every bad table."""
    cases: list[BadManifest] = []
    for path in sorted((MANIFESTS / "bad").glob("*.yaml")):
        table = _table(path)
        cases += [_bad_manifest(case, table["base"]) for case in table["cases"]]
    return _with_unique_ids(cases)


@cache
def edits() -> tuple[Edit, ...]:
    """Every case of the table of edits."""
    table = _table(MANIFESTS / "edits.yaml")
    forbidden = [_edit(case, False, table["message"]) for case in table["forbidden"]]
    return tuple(forbidden + [_edit(case, True, "") for case in table["allowed"]])


def _table(path: Path) -> dict[str, Any]:
    return dict(read_documents(path.read_text())[0][1])


def changed(document: Document, case: dict[str, Any]) -> Document:
    """A copy of a document with what a case sets and removes."""
    result = copy.deepcopy(document)
    changes = {case["set"]: case.get("to")} if "set" in case else {case["remove"]: None}
    for path, value in (changes | case.get("also", {})).items():
        put(result, path, unfolded(value))
    return result


def put(document: Any, path: str, value: Any) -> None:
    """Set what is at a path such as spec.targets[0].name; None removes it."""
    *steps, last = (int(step) if step.isdigit() else step for step in re.findall(r"[^.[\]]+", path))
    for step in steps:
        document = document[step] if isinstance(step, int) else document.setdefault(step, {})
    if value is None:
        del document[last]
    elif isinstance(last, int) and last == len(document):
        document.append(value)
    else:
        document[last] = value


def unfolded(value: Any) -> Any:
    """A value of a table, with {repeat: …} written out."""
    if not isinstance(value, dict) or "repeat" not in value:
        return value
    count = value["repeat"]
    if "text" in value:
        return value.get("before", "") + value["text"] * count + value.get("after", "")
    items = [_numbered(value["item"], number) for number in range(count)]
    if "key" in value:
        return {value["key"].format(n=number): item for number, item in enumerate(items)}
    return items


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return {key: _numbered(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    return value.replace("{n}", str(number)) if isinstance(value, str) else value


def _bad_manifest(case: dict[str, Any], base: str) -> BadManifest:
    field = case.get("field") or case.get("set") or case["remove"]
    breaks, says = case["breaks"], case["says"]
    always = says.split(", got ")[0] if breaks == "rule" else SERVER_SAYS[breaks].format(field=field)
    return BadManifest(
        id=f"{field}-{breaks}",
        document=changed(good_documents()[case.get("base", base)], case),
        field=field,
        message=says,
        judge="cel" if breaks == "rule" else "schema",
        server_field=case.get("at", field.removesuffix(".name") if breaks == "unique" else field),
        server_message=case.get("server", always),
        breaks=breaks,
    )


def _edit(case: dict[str, Any], allowed: bool, message: str) -> Edit:
    old = good_documents()[case["base"]]
    field = case.get("set") or case["remove"]
    field = case.get("field", field)
    return Edit(
        f"{case['base']}-{field}", old, changed(old, case), allowed, "" if allowed else field, message
    )


def _with_unique_ids(cases: list[BadManifest]) -> tuple[BadManifest, ...]:
    seen: dict[str, int] = {}

    def numbered() -> Iterator[BadManifest]:
        for case in cases:
            seen[case.id] = seen.get(case.id, 0) + 1
            number = seen[case.id]
            yield case if number == 1 else BadManifest(**{**vars(case), "id": f"{case.id}-{number}"})

    return tuple(numbered())

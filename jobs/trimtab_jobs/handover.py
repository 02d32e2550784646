"""What one segment leaves for the next, whose driver runs on another cluster: the search's end, the models.

The trials themselves are in the record. What was raised or edited meanwhile changes nothing of what is here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from trimtab_jobs.candidates import Made
from trimtab_jobs.errors import JobError
from trimtab_jobs.pool import Failure
from trimtab_jobs.search import Ended, SearchOutcome
from trimtab_jobs.store import MissingError, Store

SEARCH_KEY = "handover/search.json"
MODELS_KEY = "handover/models.json"


def hand_over_search(store: Store, found: SearchOutcome) -> None:
    """Leave how the search ended."""
    _put(store, SEARCH_KEY, asdict(found.ended))


def search_end(store: Store) -> Ended:
    """How an earlier segment's search ended; JobError when none has."""
    return Ended(**_known(Ended, _get(store, SEARCH_KEY, "search")))


def hand_over_models(store: Store, models: Sequence[Made]) -> None:
    """Leave the models that were made, those that could not be among them."""
    _put(store, MODELS_KEY, {"models": [asdict(made) for made in models]})


def models_made(store: Store) -> tuple[Made, ...]:
    """The models of an earlier segment; JobError when it has not made them."""
    return tuple(_made(each) for each in _get(store, MODELS_KEY, "compress")["models"])


def _made(found: dict[str, Any]) -> Made:
    made = _known(Made, found)
    failure = Failure(**_known(Failure, made["failure"])) if made["failure"] else None
    return Made(**{**made, "steps": tuple(made["steps"]), "failure": failure})


def _known(kind: type[Made | Failure | Ended], found: dict[str, Any]) -> dict[str, Any]:
    """The fields that this version knows: a later one's driver may have left more."""
    return {each.name: found[each.name] for each in fields(kind) if each.name in found}


def _put(store: Store, key: str, content: dict[str, Any]) -> None:
    store.put(key, json.dumps({"schemaVersion": 1} | content, indent=1).encode())


def _get(store: Store, key: str, segment: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(store.get(key))
    except MissingError:
        fix = f"run the segment {segment} first"
        raise JobError("Infrastructure", f"{store.uri}/{key} is not there: {fix}") from None
    return found

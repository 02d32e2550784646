"""The proof: candidates are ordered on validation, the order is written down, then the test split is opened.

What is looked at afterwards cannot choose what is tested. Every order that was ever written counts: whoever
tries other models on the same test split pays for it with stricter levels.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trimtab_api.combinations import UNCOMPRESSED
from trimtab_api.report import GuardrailVerdict
from trimtab_jobs.candidates import BASELINE, Workshop
from trimtab_jobs.guard import Candidate, Ordered, Quality, Rules, judge, order, rejection
from trimtab_jobs.measuring import Measurements, evaluate_all, evaluate_each
from trimtab_jobs.pool import Failure
from trimtab_jobs.store import Store


@dataclass(frozen=True, slots=True)
class Proof:
    """What the test split said."""

    test: Mapping[str, Quality]
    """Quality on test of baseline, uncompressed and every candidate that was tried."""
    texts: Mapping[str, str]
    """By candidate: ok, or rejected and why; of those that could not be made or evaluated, too."""
    final: Candidate | None
    """The first that holds every limit, with its quality on test."""
    verdicts: tuple[GuardrailVerdict, ...]
    """Of the final one; of the last one tried where there is none."""
    limited: bool = True
    """Whether the manifest limits anything."""

    @property
    def message(self) -> str:
        """How it ended, in one sentence."""
        if self.final is not None:
            return (
                f"{self.final.id} holds the guardrail" if self.verdicts else f"{self.final.id} is published"
            )
        fails = "holds the guardrail" if self.limited else "can be published"
        reasons = "; ".join(f"{name} {text}" for name, text in self.texts.items())
        return f"no candidate {fails}: {reasons}"


def prove(workshop: Workshop, rules: Rules, measured: Measurements) -> Proof:
    """Try the candidates on test in the written order, until one holds every limit."""
    on_validation = {name: measured.candidates[key].quality for name, key in REFERENCES.items()}
    ordered = order(rules, measured.contenders, on_validation)
    digests = {made.id: made.sha256 for made in measured.models if made.failure is None}
    workshop.fence()
    written, tries = write_down(workshop.store, ordered, digests)
    test = evaluate_all(workshop, [BASELINE, UNCOMPRESSED], "test")
    references = {name: test[key] for name, key in REFERENCES.items()}
    unmade = {made.id: f"rejected: {made.failure.error}" for made in measured.models if made.failure}
    texts = unmade | dict(ordered.verdicts)
    verdicts: tuple[GuardrailVerdict, ...] = ()
    for name in written:
        quality = evaluate_each(workshop, [name], "test")[name]
        if isinstance(quality, Failure):
            texts[name] = f"rejected: cannot be evaluated on test: {quality.error}"
            continue
        test[name] = quality
        candidate = replace(measured.candidates[name], quality=test[name])
        verdicts = judge(rules, candidate, references, tries)
        rejected = rejection(verdicts)
        if rejected is None:
            return Proof(test, texts, candidate, verdicts)
        texts[name] = rejected
    return Proof(test, texts, None, verdicts, limited=bool(rules.limits))


REFERENCES = {"baseline": BASELINE, "uncompressed": UNCOMPRESSED}
"""The models that a drop may be counted from, by the manifest's word."""


def write_down(store: Store, ordered: Ordered, digests: Mapping[str, str]) -> tuple[Sequence[str], int]:
    """The order to try, and how many tries all orders of this run make together, at least 1.

    An order already written for the very same models is kept: the test split may have been opened since. One
    that names no candidate opened nothing and binds nobody.
    """
    earlier = _orders(store)
    mine = next((each for each in earlier if each["order"] and each["models"] == dict(digests)), None)
    if mine is None:
        mine = {"schemaVersion": 1, "models": dict(digests), "order": list(ordered.ids)}
        store.create(f"orders/{len(earlier):04d}.json", json.dumps(mine, indent=1).encode())
        earlier.append(mine)
    return mine["order"], max(1, _tries(earlier))


def tries_so_far(store: Store) -> int:
    """How many tries on the test split the orders of this run have written down."""
    return _tries(_orders(store))


def _orders(store: Store) -> list[dict[str, Any]]:
    return [json.loads(store.get(key)) for key in store.list("orders")]


def _tries(orders: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(each["order"]) for each in orders)

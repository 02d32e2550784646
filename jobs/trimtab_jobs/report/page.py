"""One self-contained page from a report: no network, readable on a phone and in print. Pure."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from trimtab_api.report import Report
from trimtab_jobs.report import (
    candidates,
    comparison,
    failures,
    guardrail,
    headline,
    listing,
    provenance,
    search,
)
from trimtab_jobs.report.markup import Html, element, join, json_block
from trimtab_jobs.report.trials import Trial

LIMIT_BYTES = 480_000
"""What the page may take, with a reserve for its head; trials are listed as far as it lasts."""
REPORT_BYTES = 90_000
"""What the report may take as JSON; verdicts and intervals of candidates go first, then the candidates."""


def render(report: Report, trials: Sequence[Trial]) -> str:
    """The page as HTML text, under 500 KB whatever the number of trials.

    `trials` are plain mappings with number, state, params, metrics, seconds, and failure where one failed.
    The page may load nothing: its policy allows its own style and script by their digests, and no more.
    """
    style, script = _resource("page.css"), _resource("page.js")
    above = [
        headline.cards(report),
        comparison.comparison(report),
        guardrail.guardrail(report),
        candidates.candidates(report, trials),
    ]
    found = search.search(report, trials)
    below = [failures.failures(trials), provenance.artifacts(report), provenance.reproduction(report)]
    content: dict[str, Any] = {"report": embedded(report)}
    without = join(
        [style, script, headline.header(report), *above, *found, *below, json_block("content", content)]
    )
    shown = listing.listed(report, trials, LIMIT_BYTES - len(without.encode()))
    content["trials"] = listing.embedded(shown)
    body = element(
        "body",
        headline.header(report),
        element("main", *above, search.section(found, report, shown, len(trials)), *below),
        element("footer", "Made by Trimtab. Every figure of a model on this page is in result.json."),
        json_block("content", content),
        element("script", script),
    )
    return f"<!doctype html>\n{element('html', _head(report, style, script), body, lang='en')}\n"


def embedded(report: Report) -> Any:
    """The report as the page's JSON holds it: all of it, as far as there is room."""
    whole = json.loads(report.model_dump_json(by_alias=True, exclude_none=True))
    short = [{**each, "interval": {}, "verdict": each["verdict"][:80]} for each in whole["candidates"]]
    for made in (whole, {**whole, "candidates": short}):
        if len(json.dumps(made, separators=(",", ":"))) <= REPORT_BYTES:
            return made
    return {**whole, "candidates": []}


def _head(report: Report, style: Html, script: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.name}: Trimtab report"),
        element("style", style),
    )


def _resource(name: str) -> Html:
    return Html(files("trimtab_jobs.report").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """A policy that forbids everything but this style and this script."""
    digests = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    style_digest, script_digest = digests
    return (
        f"default-src 'none'; style-src 'sha256-{style_digest}'; script-src 'sha256-{script_digest}'; "
        "base-uri 'none'; form-action 'none'"
    )

"""One self-contained page from a report: no network, readable on a phone and in print. Pure."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from trimtab_api.report import Report
from trimtab_jobs.report import candidates, headline, provenance, trials
from trimtab_jobs.report.markup import Html, element, join, json_block
from trimtab_jobs.report.trials import Trial

LIMIT_BYTES = 480_000
"""What the page may take, with a reserve for its head; trials are listed as far as it lasts."""


def render(report: Report, each_trial: Sequence[Trial]) -> str:
    """The page as HTML text, under 500 KB whatever the number of trials.

    `each_trial` are plain mappings with number, state, params, metrics, seconds, and error where one failed.
    The page may load nothing: its policy allows its own style and script by their digests, and no more.
    """
    style, script = _resource("page.css"), _resource("page.js")
    content: dict[str, Any] = {"report": report.model_dump(mode="json", by_alias=True, exclude_none=True)}
    without = join([style, script, json_block("content", content), _main(report, each_trial, [])])
    listed = trials.listed(report, each_trial, LIMIT_BYTES - len(without.encode()))
    content["trials"] = [trials.embedded(trial) for trial in listed]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.name}: Trimtab report"),
        element("style", style),
    )
    body = element(
        "body",
        headline.header(report),
        _main(report, each_trial, listed),
        element("footer", "Made by Trimtab. Every figure on this page is in result.json."),
        json_block("content", content),
        element("script", script),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _main(report: Report, each_trial: Sequence[Trial], listed: Sequence[Trial]) -> Html:
    return element(
        "main",
        headline.cards(report),
        headline.comparison(report),
        headline.guardrail(report),
        candidates.candidates(report, each_trial),
        trials.search(report, each_trial, listed),
        trials.failures(each_trial),
        provenance.artifacts(report),
        provenance.reproduction(report),
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

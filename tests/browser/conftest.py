"""A browser for each module of the tier, and the pages that it opens.

The browser ends with its module, not with the session: while Playwright is there, nothing else in the process
can run an event loop.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.pages import PAGES
from tests.support.chromium import FLAGS, find_chromium, how_to_install
from tests.support.tiers import skip_tier

WIDE, NARROW, SMALL = (1280, 900), (390, 844), (360, 740)


@dataclass
class Opened:
    """A page in the browser, and all that it asked for and complained about."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = find_chromium()
    if found is None:
        skip_tier(how_to_install())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, text in PAGES.items():
        (folder / f"{name}.html").write_text(text(), encoding="utf-8")
    return folder


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Iterator[Open]:
    contexts = []

    def opened(name: str, size: tuple[int, int] = WIDE, **settings: Any) -> Opened:
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        found = Opened(context.new_page(), (folder / f"{name}.html").as_uri())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("dialog", lambda dialog: found.complaints.append(dialog.message))
        found.page.goto(found.url)
        return found

    yield opened
    for context in contexts:
        context.close()

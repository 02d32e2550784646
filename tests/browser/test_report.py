"""The report in a real browser: closed to the network, by keyboard, on a phone, in the dark, in print."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, SMALL, WIDE, Open
from tests.browser.pages import PAGES

OUTLINE = "(({ outlineStyle: s, outlineWidth: w }) => [s, w])(getComputedStyle(document.activeElement))"
CUT = """[...document.querySelectorAll('main *:not(svg *)')]
    .filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
    .map((each) => `${each.tagName} ${each.className} ${each.textContent.slice(0, 60)}`)"""
INTERACTIVE = "summary, button, a[href], [tabindex]"
A4 = (718, 1000)
"""The room that A4 leaves between its margins, in pixels of print."""
every_page = pytest.mark.parametrize("name", PAGES)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")


def focused(page: Page) -> str:
    """What has the focus: its place among what is interactive, empty when that is nothing."""
    script = f"[...document.querySelectorAll('{INTERACTIVE}')].indexOf(document.activeElement)"
    return str(page.evaluate(script))


@every_page
def test_page_asks_for_nothing_and_complains_of_nothing(open_page: Open, name: str):
    opened = open_page(name)
    unfold(opened.page)

    for chart in opened.page.locator("figure.chart > svg").all():
        chart.hover()
    for heading in opened.page.locator("table.sortable button").all()[:20]:
        heading.click()
    opened.page.mouse.wheel(0, 2000)

    assert opened.requests == [opened.url]
    assert opened.complaints == []


@every_page
def test_page_is_smaller_than_500_kb(folder: Path, name: str):
    assert (folder / f"{name}.html").stat().st_size < 500_000


def test_a_thousand_trials_and_256_candidates_are_there(open_page: Open):
    page = open_page("large").page
    assert page.locator("table.trials tbody tr").count() > 500
    assert page.get_by_text("candidates, with every figure").count() == 1
    assert page.locator("figure.chart > svg").count() == 4


@pytest.mark.parametrize("name", ["small", "failed"])
def test_keyboard_reaches_everything_that_can_be_operated_and_shows_where_it_is(open_page: Open, name: str):
    page = open_page(name).page
    unfold(page)
    count = page.locator(INTERACTIVE).count()

    reached, seen = [], []
    for _ in range(count):
        page.keyboard.press("Tab")
        reached.append(focused(page))
        style = page.evaluate(OUTLINE)
        seen.append(style[0] != "none" and float(style[1].removesuffix("px")) >= 2)

    assert reached == [str(index) for index in range(count)]
    assert all(seen)


def test_keyboard_folds_out_the_table_and_sorts_it(open_page: Open):
    page = open_page("small").page
    table = page.locator("details", has=page.locator("table.trials"))
    table.locator("summary").focus()
    page.keyboard.press("Enter")
    assert table.get_attribute("open") is not None

    accuracy = table.locator("thead th", has_text="accuracy")
    accuracy.locator("button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    assert accuracy.get_attribute("aria-sort") == "descending"
    shown = [cell.inner_text() for cell in table.locator("tbody td:nth-child(3)").all()]
    figures = [float(text) for text in shown if text != "\u2013"]
    assert figures == sorted(figures, reverse=True)


def test_arrow_keys_walk_through_a_chart_and_point_out_the_trial_in_the_others(open_page: Open):
    page = open_page("small").page
    course = page.get_by_label("accuracy by trial")
    course.focus()
    page.keyboard.press("ArrowRight")
    first = page.locator("#tip").inner_text()
    page.keyboard.press("ArrowRight")

    assert first.startswith("trial 0, completed")
    assert page.locator("#tip").inner_text().startswith("trial 1,")
    assert page.locator("path.pick[d]").count() == 2

    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    assert page.locator("path.pick[d]").count() == 0


def test_pointer_shows_what_a_model_in_the_scatter_is(open_page: Open):
    page = open_page("small").page
    page.locator("figure.chart > svg .mark.baseline").hover()
    assert page.locator("#tip").inner_text().startswith("baseline: accuracy 0.9")


@pytest.mark.parametrize(
    ("size", "settings"),
    [
        pytest.param(WIDE, {}, id="wide"),
        pytest.param(NARROW, {}, id="narrow"),
        pytest.param(WIDE, {"color_scheme": "dark"}, id="dark"),
        pytest.param(NARROW, {"java_script_enabled": True, "color_scheme": "dark"}, id="narrow-dark"),
    ],
)
@pytest.mark.parametrize("name", ["small", "failed", "hostile"])
def test_axe_finds_nothing_serious(
    open_page: Open, name: str, size: tuple[int, int], settings: dict[str, str]
):
    page = open_page(name, size, **settings).page
    unfold(page)
    found = Axe().run(page).response["violations"]
    assert [
        (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
    ] == []


@every_page
def test_page_does_not_scroll_sideways_on_a_small_phone(open_page: Open, name: str):
    page = open_page(name, SMALL).page
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == SMALL[0]


def test_everything_can_be_read_without_javascript(open_page: Open):
    opened = open_page("small", java_script_enabled=False)
    text = opened.page.locator("body").inner_text()
    for words in (
        "Before and after",
        "Guardrail",
        "From baseline to published",
        "Which parameters mattered",
        "Failures",
        "How to reproduce",
    ):
        assert words in text
    assert opened.page.locator("figure.chart > svg").count() == 3

    table = opened.page.locator("details", has=opened.page.locator("table.trials"))
    table.locator("summary").click()
    assert table.locator("tbody tr").first.is_visible()
    assert opened.complaints == []


@pytest.mark.parametrize("name", ["small", "large", "failed"])
def test_print_cuts_nothing_off(open_page: Open, name: str):
    page = open_page(name, A4).page
    page.emulate_media(media="print")

    assert page.evaluate("document.documentElement.scrollWidth") <= A4[0]
    assert page.evaluate(CUT) == []
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_print_shows_tables_that_are_folded_away_unless_they_are_long(open_page: Open):
    small, large = (open_page(name, A4).page for name in ("small", "large"))
    for page in (small, large):
        page.emulate_media(media="print")

    assert small.locator("table.trials tbody tr").first.is_visible()
    assert not large.locator("table.trials tbody tr").first.is_visible()


def test_dark_scheme_is_dark(open_page: Open):
    def paper(scheme: str) -> int:
        page = open_page("small", color_scheme=scheme).page
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color[4:-1].split(","))

    assert paper("dark") < 150 < 600 < paper("light")


def test_hostile_strings_are_text(open_page: Open):
    opened = open_page("hostile")
    page = opened.page
    unfold(page)

    assert page.locator("script").count() == 2
    assert page.locator("img, svg[onload], iframe, a").count() == 0
    assert page.locator("h1").inner_text() == "</script><script>alert(1)</script>"
    assert "\u202e" not in page.locator("body").inner_text()
    assert opened.complaints == []

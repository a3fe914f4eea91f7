"""Reports of real and derived studies, each opened as it would be from an attachment: whole, quiet, reachable, quick."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from pipelines.folder import open_folder
from pipelines.reporting import write_reports

from .studies import HELP_DATA, STUDIES
from .test_report_in_browser import draw_all, opened

pytestmark = pytest.mark.browser

EXAMPLE = ("en", "es", "fr", "ar")
NAMES = [
    *(f"example {language}" for language in EXAMPLE),
    *(pytest.param(name, marks=[pytest.mark.real_data] if name == "help" else []) for name in STUDIES),
]
WIDTHS = (1280, 320)
"""Of a screen, and of a small phone, which is that screen at 400 % too."""
MAX_BYTES, MAX_DRAWING = 2_500_000, 9_000
"""Of a report, and of one of its still drawings."""
FEW = 5
"""Charts that may all be near the top of a page."""
READY = 2_000
"""Milliseconds from opening a page until it answers."""
FOCUSABLE = "a[href], summary, button, input, select, [tabindex]"


@pytest.fixture
def page_of(request: pytest.FixtureRequest, run_once: Callable[..., Path], tmp_path: Path) -> Path:
    """The report of a study, by its name."""
    name = request.param
    if name == "help" and not HELP_DATA.is_dir():
        pytest.skip(f"no shared data at {HELP_DATA}; set PEERIMPACT_SHARED")
    if not name.startswith("example"):
        options = ("--data-root", str(HELP_DATA)) if name == "help" else ()
        return run_once(name.replace(" ", "-"), STUDIES[name], *options) / "output" / "report.html"
    folder = tmp_path / "harbour"
    shutil.copytree(request.getfixturevalue("ran_example"), folder)
    (page,) = write_reports(open_folder(folder), language=name.removeprefix("example "))
    return page


@pytest.mark.parametrize("page_of", NAMES, indirect=True)
def test_a_report_is_quiet_accessible_reachable_and_quick(browser: Browser, page_of: Path) -> None:
    assert page_of.stat().st_size < MAX_BYTES
    still = re.findall(r"<svg .*?</svg>", page_of.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert max((len(drawing.encode()) for drawing in still), default=0) < MAX_DRAWING
    address = page_of.as_uri()
    assert min(_milliseconds_until_it_answers(browser, address) for _ in range(3)) < READY
    with opened(browser, address) as page:
        _open_everything(page)
        assert _reached_by_keyboard(page) == []
    for width in WIDTHS:
        with opened(browser, address, width=width) as page:
            if page.locator(".drawing").count() > FEW:  # what is far away is drawn when it is looked at
                assert page.locator(".drawing[data-drawn]").count() < page.locator(".drawing").count()
            draw_all(page)
            assert page.locator("[data-figure]").count() == page.locator(".drawing[data-drawn]").count()
            found = Axe().run(page, options={"rules": _rules(page, width), "resultTypes": ["violations"]})
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    with opened(browser, address, width=320, scripts=False) as page:
        drawings = page.locator("figure .still svg")
        assert drawings.count() == page.locator("[data-figure]").count()
        assert page.locator("main table").count() > 0
        for folded in page.locator("summary").all():
            if folded.is_visible() and not folded.evaluate("(node) => node.parentElement.open"):
                folded.click()
        assert all(drawing.is_visible() for drawing in drawings.all())
        assert page.locator(".chart:has(*)").count() == 0


def _open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")


def _milliseconds_until_it_answers(browser: Browser, address: str) -> float:
    """Open a page, press Tab, and tell when the first link had the focus."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address, wait_until="commit")
    page.locator(".skip").wait_for(state="attached")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.matches('.skip')", polling=10)
    taken = page.evaluate("performance.now()")
    page.close()
    return float(taken)


def _reached_by_keyboard(page: Page) -> list[str]:
    """Press Tab through the page; return what can be used and was not reached, or was reached without being seen."""
    page.evaluate(
        """(kinds) => { [...document.querySelectorAll(kinds)].filter((node) => node.tabIndex >= 0
        && node.getClientRects().length).forEach((node, place) => { node.dataset.place = place; }) }""",
        FOCUSABLE,
    )
    wanted = page.locator("[data-place]").count()
    for _ in range(wanted):
        page.keyboard.press("Tab")
        page.evaluate(
            """() => { const node = document.activeElement, look = getComputedStyle(node);
            if (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0) delete node.dataset.place; }"""
        )
    return [str(text) for text in page.locator("[data-place]").evaluate_all("found => found.map((n) => n.outerHTML)")]


def _rules(page: Page, width: int) -> dict[str, dict[str, bool]]:
    """Return every rule of axe, those that are off by themselves too; contrast is the same at each width.

    The enhanced rule of contrast asks for more than the plain one, and each takes seconds.
    """
    page.evaluate(Axe().axe_script)
    rules = page.evaluate("axe.getRules().map((rule) => rule.ruleId)")
    idle = {"color-contrast"} if width == WIDTHS[0] else {"color-contrast", "color-contrast-enhanced"}
    return {rule: {"enabled": rule not in idle} for rule in rules}

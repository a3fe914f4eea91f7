"""Reports of real and derived studies, each opened as it would be from an attachment: whole, quiet, reachable, quick."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipelines.folder import open_folder
from pipelines.reporting import write_portfolio, write_reports

from .opening import assert_accessible, draw_all, opened, unfold_all, unreached_by_keyboard, width_of
from .studies import HELP_DATA, STUDIES

pytestmark = pytest.mark.browser

EXAMPLE = ("en", "es", "fr", "ar")
NAMES = [
    *(f"example {language}" for language in EXAMPLE),
    *(pytest.param(name, marks=[pytest.mark.real_data] if name == "help" else []) for name in STUDIES),
]
SCREEN, PHONE = 1280, 320
"""Widths of a screen, and of a small phone, which is that screen at 400 % too."""
MAX_BYTES, MAX_DRAWING = 2_500_000, 9_000
"""Of a report, and of one of its still drawings."""
FEW = 5
"""Charts that may all be near the top of a page."""
READY = 2_000
"""Milliseconds from opening a page until it answers."""
TRIES = 3
CONTRAST, ENHANCED = "color-contrast", "color-contrast-enhanced"
"""Rules of axe that take seconds; the enhanced one asks for more, and colours are the same at each width."""


@pytest.fixture(scope="module")
def pages_of(
    request: pytest.FixtureRequest, run_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Report and summary of a study, by its name."""
    name = request.param
    if name == "help" and not HELP_DATA.is_dir():
        pytest.skip(f"no shared data at {HELP_DATA}; set PEERIMPACT_SHARED")
    if not name.startswith("example"):
        options = ("--data-root", str(HELP_DATA)) if name == "help" else ()
        output = run_once(name.replace(" ", "-"), STUDIES[name], *options) / "output"
        return output / "report.html", output / "summary.html"
    folder = tmp_path_factory.mktemp("studies") / "harbour"
    shutil.copytree(request.getfixturevalue("ran_example"), folder)
    language = name.removeprefix("example ")
    report, summary = write_reports(open_folder(folder), language=language, formats=("html", "summary"))
    return report, summary


@pytest.mark.parametrize("pages_of", NAMES, indirect=True)
def test_a_report_is_quiet_accessible_reachable_and_quick(browser: Browser, pages_of: tuple[Path, Path]) -> None:
    report, _ = pages_of
    assert report.stat().st_size < MAX_BYTES
    still = re.findall(r"<svg .*?</svg>", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert max((len(drawing.encode()) for drawing in still), default=0) < MAX_DRAWING
    address = report.as_uri()
    assert any(_milliseconds_until_it_answers(browser, address) < READY for _ in range(TRIES))
    for width, idle in ((SCREEN, (CONTRAST,)), (PHONE, (CONTRAST, ENHANCED))):
        with opened(browser, address, width=width) as page:
            charts, drawn = page.locator(".drawing"), page.locator(".drawing[data-drawn]")
            if charts.count():
                charts.first.scroll_into_view_if_needed()
                drawn.first.wait_for(state="attached")
            if charts.count() > FEW:  # what is far away is drawn when it is looked at
                assert drawn.count() < charts.count()
            draw_all(page)
            assert page.locator("[data-figure]").count() == drawn.count()
            assert_accessible(page, but=idle)
            assert width_of(page) <= width
            if width == SCREEN:
                assert unreached_by_keyboard(page) == []
    with opened(browser, address, width=PHONE, scripts=False) as page:
        drawings = page.locator("figure .still svg")
        assert drawings.count() == page.locator("[data-figure]").count()
        assert page.locator("main table").count() > 0
        folded = page.locator("details:not([open])")
        if many := folded.count():
            folded.first.locator("> summary").click()
            assert folded.count() == many - 1
        unfold_all(page)
        assert all(drawing.is_visible() for drawing in drawings.all())
        assert page.locator(".chart:has(*)").count() == 0


@pytest.mark.parametrize("pages_of", NAMES, indirect=True)
def test_a_summary_is_quiet_accessible_and_reachable_and_one_sheet(
    browser: Browser, pages_of: tuple[Path, Path]
) -> None:
    _, summary = pages_of
    _assert_plain_page(browser, summary)
    with opened(browser, summary.as_uri(), scripts=False) as page:
        assert page.locator("h2:visible").count() == 7
        assert all(drawing.is_visible() for drawing in page.locator("svg").all())
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1


def test_a_portfolio_is_quiet_accessible_and_reachable_and_leads_to_its_reports(
    browser: Browser, ran_example: Path, run_once: Callable[..., Path], tmp_path: Path
) -> None:
    ran = (ran_example, run_once("sixty-sites", STUDIES["sixty sites"]))
    index = write_portfolio([open_folder(folder) for folder in ran], tmp_path / "portfolio")
    _assert_plain_page(browser, index)
    with opened(browser, index.as_uri(), scripts=False) as page:
        assert page.locator("article:visible").count() == len(ran)
        links = [link.get_attribute("href") or "" for link in page.locator("article a").all()]
    assert len(links) == len(ran)
    assert all((index.parent / link).is_file() for link in links)


def _assert_plain_page(browser: Browser, path: Path) -> None:
    """Hold a page that has no scripts against what holds for every page."""
    assert "<script" not in path.read_text(encoding="utf-8")
    for width in (SCREEN, PHONE):
        with opened(browser, path.as_uri(), width=width) as page:
            assert_accessible(page)
            assert width_of(page) <= width
            assert unreached_by_keyboard(page) == []


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

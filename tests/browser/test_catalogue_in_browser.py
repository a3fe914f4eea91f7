"""The catalogue of instruments, opened from disk, searched, and held against axe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from instruments import load_library
from reports.catalogue import write_catalogue

pytestmark = pytest.mark.browser

WIDTHS = (1280, 320)
PAGES = ("epds", "mmas-8", "whoqol-bref")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_catalogue(load_library(), tmp_path_factory.mktemp("catalogue"))[0].parent


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", *PAGES])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page, catalogue: Path, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((catalogue / f"{name}.html").as_uri())
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_and_filters_find_instruments_and_the_count_is_told(page: Page, catalogue: Path) -> None:
    library = load_library()
    page.goto((catalogue / "index.html").as_uri())
    shown = page.locator(".entries li:visible")
    assert page.inner_text("#count") == f"{len(library)} of {len(library)} instruments"
    page.get_by_label("Search").fill("Loneliness  UCLA")
    assert 0 < shown.count() < 6
    assert all("UCLA" in text for text in shown.all_inner_texts())
    page.get_by_label("Search").fill("")
    page.get_by_label("Domain").select_option("caregiving")
    assert shown.count() == sum(one.domain == "caregiving" for one in library.values())
    page.get_by_label("Scoring").select_option("confirmed")
    confirmed = [one for one in library.values() if one.domain == "caregiving" and one.items and not one.is_draft]
    assert page.inner_text("#count") == f"{len(confirmed)} of {len(library)} instruments"
    page.get_by_label("Search").fill("no such words")
    assert shown.count() == 0


def test_the_index_is_whole_without_scripts(browser: Browser, catalogue: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((catalogue / "index.html").as_uri())
    assert page.locator(".entries li:visible").count() == len(load_library())
    assert page.get_by_label("Search").count() == 0 or not page.get_by_label("Search").is_visible()
    context.close()


def test_an_entry_leads_to_its_page_and_back_by_keyboard(page: Page, catalogue: Path) -> None:
    page.goto((catalogue / "index.html").as_uri())
    page.get_by_role("link", name="EPDS", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/epds.html")
    assert page.locator("h1").inner_text() == "EPDS"
    page.get_by_role("link", name="All instruments").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/index.html")

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

DRAWN = "document.querySelectorAll('[data-drawn] svg').length > 0"
PATIENCE = 60_000  # milliseconds; a busy machine of two cores inflates and parses plotly.js in a few seconds
WIDTHS = (1280, 320)
MAX_BYTES = 2_500_000


@contextmanager
def opened(browser: Browser, address: str, *, width: int = 1280, scripts: bool = True) -> Iterator[Page]:
    """Open a page and refuse, when done, any message on its console and any request but the page itself."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    if scripts:
        page.wait_for_function(DRAWN, timeout=PATIENCE)
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("blob:")] == [address]


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_are_drawn_without_a_word_on_the_console_or_a_request(browser: Browser, report: str, width: int) -> None:
    with opened(browser, report, width=width) as page:
        charts = page.locator(".chart")
        assert charts.count() == 1  # the refused outcome has none
        assert charts.locator("svg.main-svg").count() > 0
        assert charts.locator(".scatterlayer .trace").count() == 2
        assert "where scripts may run" not in charts.inner_text()
        assert page.locator(".modebar-btn, [data-title*='hare']").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("open_details", [False, True])
def test_axe_finds_nothing(browser: Browser, report: str, width: int, open_details: bool) -> None:
    with opened(browser, report, width=width) as page:
        if open_details:
            page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_page_does_not_scroll_sideways_on_a_small_phone(browser: Browser, report: str) -> None:
    with opened(browser, report, width=320) as page:
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_report_is_whole_without_scripts(browser: Browser, report: str) -> None:
    with opened(browser, report, scripts=False) as page:
        text = page.locator("body").inner_text()
        assert "where scripts may run" in text
        assert "Peer support probably reduces felt stigma" in text
        assert "20.0 (19.0 to 21.5)" in text
        assert page.locator("svg").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_labels_run_nothing_and_call_nobody(browser: Browser, attacked: str, width: int) -> None:
    with opened(browser, attacked, width=width) as page:
        assert page.evaluate("window.attacked") is None
        assert page.locator("main a:not([href^='#']), main img, main iframe").count() == 0
        assert page.locator("[style*='url(']").count() == 0
        assert "mask-image:url(" in page.locator(".chart").first.text_content().replace(" ", "")  # type: ignore[union-attr]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hidden_mean_is_nowhere_in_the_chart(browser: Browser, report: str) -> None:
    with opened(browser, report) as page:
        points = page.locator(".chart .scatterlayer .trace").evaluate_all(
            "traces => traces.map((trace) => trace.querySelectorAll('.points path').length)"
        )
        assert sorted(points) == [2, 3]


def test_skip_link_leads_to_the_report_and_focus_is_seen(browser: Browser, report: str) -> None:
    with opened(browser, report) as page:
        page.keyboard.press("Tab")
        link = page.locator(".skip")
        assert link.evaluate("(node) => node === document.activeElement")
        assert link.bounding_box()["x"] >= 0  # type: ignore[index]
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_every_printed_page_says_that_people_are_invented(browser: Browser, report: str, tmp_path: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext; install poppler-utils")
    printed = tmp_path / "report.pdf"
    with opened(browser, report) as page:
        page.pdf(path=printed, prefer_css_page_size=True)
    text = subprocess.run([reader, printed, "-"], check=True, capture_output=True, text=True).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) > 2
    assert all("Synthetic example: invented people, invented answers" in page for page in pages)


@pytest.mark.parametrize("width", WIDTHS)
def test_report_of_the_example_is_drawn_accessible_and_small(browser: Browser, example: str, width: int) -> None:
    with opened(browser, example, width=width) as page:
        page.wait_for_function("document.querySelectorAll('.chart svg.main-svg').length >= 5", timeout=PATIENCE)
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Path(example.removeprefix("file://")).stat().st_size < MAX_BYTES

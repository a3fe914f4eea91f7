import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from .opening import assert_accessible, draw, draw_all, opened, width_of

pytestmark = pytest.mark.browser

WIDTHS = (1280, 320)
LONG = ("An arm with a name that does not come to an end " * 12).strip()


def trajectories(page: Page) -> Locator:
    return page.locator(".drawing", has=page.locator("[data-figure^='figure-trajectories']"))


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_are_drawn_without_a_word_on_the_console_or_a_request(browser: Browser, report: str, width: int) -> None:
    with opened(browser, report, width=width) as page:
        draw_all(page)
        charts = trajectories(page)
        assert charts.count() == 1  # the refused outcome has none
        assert charts.locator("svg.main-svg").count() > 0
        assert charts.locator(".scatterlayer .trace").count() == 2
        assert page.locator(".modebar-btn, [data-title*='hare']").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_in_a_page_that_is_folded_or_unfolded(browser: Browser, report: str, width: int) -> None:
    with opened(browser, report, width=width) as page:
        draw(page, page.locator(".drawing").first)
        assert_accessible(page)
        draw_all(page)
        assert_accessible(page)


def test_page_does_not_scroll_sideways_on_a_small_phone_nor_while_its_window_narrows(
    browser: Browser, report: str
) -> None:
    with opened(browser, report) as page:
        draw_all(page)
        page.set_viewport_size({"width": 320, "height": 900})
        widest = page.evaluate(
            """async () => {
                let widest = 0;
                for (const end = performance.now() + 600; performance.now() < end;) {
                    widest = Math.max(widest, document.documentElement.scrollWidth);
                    await new Promise((go) => setTimeout(go, 10));
                }
                return widest;
            }"""
        )
        assert widest <= 320


def test_report_is_whole_without_scripts(browser: Browser, report: str) -> None:
    with opened(browser, report, scripts=False) as page:
        text = page.locator("body").inner_text()
        assert "Peer support probably reduces felt stigma" in text
        assert "20.0 (19.0 to 21.5)" in text
        drawings = page.locator("figure svg")
        assert drawings.count() == page.locator("[data-figure]").count() > 0
        assert all(drawing.is_visible() for drawing in drawings.all())
        assert page.locator(".chart:has(*)").count() == 0


def test_still_drawings_fit_a_small_phone_without_scripts(browser: Browser, report: str) -> None:
    with opened(browser, report, width=320, scripts=False) as page:
        assert width_of(page) <= 320
        size = page.locator("figure svg text").first.evaluate("(text) => text.getBoundingClientRect().height")
        assert size > 12  # pixels: to be read, not only to be seen


def test_print_has_still_drawings_alone(browser: Browser, report: str) -> None:
    with opened(browser, report) as page:
        draw_all(page)
        assert not any(takes_room(drawing) for drawing in page.locator(".still").all())
        assert all(chart.is_visible() for chart in page.locator(".chart").all())
        page.emulate_media(media="print")
        assert not any(chart.is_visible() for chart in page.locator(".chart").all())
        for drawing in page.locator(".still svg").all():
            box = drawing.bounding_box()
            assert box is not None
            assert box["width"] > 400
            assert box["height"] > 200


def takes_room(drawing: Locator) -> bool:
    """Whether a drawing takes more room than what is hidden from sight alone."""
    box = drawing.bounding_box()
    return box is not None and box["width"] > 1


def test_a_chart_that_is_drawn_is_still_named_for_those_who_hear_the_page(browser: Browser, report: str) -> None:
    with opened(browser, report) as page:
        draw_all(page)
        images = page.locator("figure").get_by_role("img")
        assert images.count() == page.locator("[data-figure]").count()
        assert "Line chart" in trajectories(page).get_by_role("img").aria_snapshot()


@pytest.mark.parametrize("width", WIDTHS)
def test_drawing_a_chart_moves_nothing_on_the_page(browser: Browser, report: str, width: int) -> None:
    with opened(browser, report, width=width) as page:
        heights = "[...document.querySelectorAll('.drawing')].map((place) => place.getBoundingClientRect().height)"
        before = page.evaluate(heights)
        whole = page.evaluate("document.documentElement.scrollHeight")
        for drawing in page.locator(".drawing").all():
            draw(page, drawing)
        assert page.evaluate(heights) == before
        assert page.evaluate("document.documentElement.scrollHeight") == whole
        over = "[...document.querySelectorAll('.chart')].map((chart) => chart.scrollHeight - chart.clientHeight)"
        assert max(page.evaluate(over)) <= 1


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_labels_run_nothing_and_call_nobody(browser: Browser, attacked: str, width: int) -> None:
    with opened(browser, attacked, width=width) as page:
        draw_all(page)
        assert page.evaluate("window.attacked") is None
        assert page.locator("main a:not([href^='#']), main img, main iframe").count() == 0
        assert page.locator("[style*='url(']").count() == 0
        assert "mask-image:url(" in page.locator(".chart").first.text_content().replace(" ", "")  # type: ignore[union-attr]
        assert width_of(page) <= width


def test_a_label_of_hundreds_of_characters_leaves_every_chart_drawn_and_in_its_place(
    browser: Browser, long_winded: str
) -> None:
    with opened(browser, long_winded, width=320) as page:
        draw_all(page)
        whole = page.locator("th, td").filter(has_text=LONG)
        assert whole.count() > 0
        assert page.locator(".chart").filter(has_text=LONG).count() == 0
        over = "[...document.querySelectorAll('.chart')].map((chart) => chart.scrollHeight - chart.clientHeight)"
        assert max(page.evaluate(over)) <= 1
        assert width_of(page) <= 320


@pytest.mark.parametrize("spoiled", ["{", '{"data": [], "layout": {"width": "?", "height": 0, "annotations": 1}}'])
def test_the_still_drawing_stands_where_a_chart_cannot_be_drawn_and_the_next_one_is(
    browser: Browser, report: str, tmp_path: Path, spoiled: str
) -> None:
    page_text = Path(report.removeprefix("file://")).read_text(encoding="utf-8")
    broken = tmp_path / "report.html"
    flow = re.compile(r'(<script type="application/json" id="figure-flow">).*?(</script>)', re.DOTALL)
    broken.write_text(flow.sub(lambda found: found[1] + spoiled + found[2], page_text), encoding="utf-8")
    page = browser.new_page()
    page.goto(broken.as_uri())
    draw(page, trajectories(page))
    still = page.locator(".drawing").first
    assert still.get_attribute("data-drawn") is None
    assert takes_room(still.locator(".still"))
    assert still.locator(".chart *:visible").count() == 0
    page.close()


def test_a_still_drawing_is_seen_until_its_chart_is_whole(browser: Browser, report: str) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")  # as a browser that never gets to draw
    page.goto(report)
    assert all(takes_room(drawing) for drawing in page.locator(".still").all())
    assert not any(chart.is_visible() for chart in page.locator(".chart").all())
    page.close()


def test_hidden_mean_is_nowhere_in_the_chart(browser: Browser, report: str) -> None:
    with opened(browser, report) as page:
        draw(page, trajectories(page))
        points = (
            trajectories(page)
            .locator(".scatterlayer .trace")
            .evaluate_all("traces => traces.map((trace) => trace.querySelectorAll('.points path').length)")
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

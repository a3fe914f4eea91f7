"""Pages as a reader opens them: from disk, quietly, each chart brought into sight."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

PATIENCE = 60_000  # milliseconds; a busy machine of two cores inflates and parses plotly.js in a few seconds
FOCUSABLE = "a[href], summary, button, input, select, [tabindex]"


@contextmanager
def opened(browser: Browser, address: str, *, width: int = 1280, scripts: bool = True) -> Iterator[Page]:
    """Open a page and refuse, when done, any message on its console and any request but the page itself.

    It scrolls at once: smooth scrolling takes a third of a second for each chart.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("blob:")] == [address]


def draw(page: Page, drawing: Locator) -> None:
    """Scroll to a chart, as a reader does, and wait until it is drawn."""
    drawing.scroll_into_view_if_needed()
    drawing.and_(page.locator("[data-drawn]")).wait_for(timeout=PATIENCE)


def unfold_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")


def draw_all(page: Page) -> None:
    """Unfold everything and scroll to one chart after another, to each when that before it is drawn."""
    unfold_all(page)
    undrawn = page.evaluate(
        """async (patience) => {
            const late = performance.now() + patience;
            for (const place of document.querySelectorAll('.drawing')) {
                place.scrollIntoView();
                while (!place.dataset.drawn && performance.now() < late) await new Promise((go) => setTimeout(go, 10));
            }
            return document.querySelectorAll('.drawing:not([data-drawn])').length;
        }""",
        PATIENCE,
    )
    assert undrawn == 0


def assert_accessible(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """Hold a page against every rule of axe, those that are off by themselves too."""
    page.evaluate(Axe().axe_script)
    found = AxeResults(
        page.evaluate(
            """(but) => axe.run({
                resultTypes: ["violations"],
                rules: Object.fromEntries(axe.getRules().map(({ruleId}) => [ruleId, {enabled: !but.includes(ruleId)}])),
            })""",
            list(but),
        )
    )
    assert found.violations_count == 0, found.generate_report()


def width_of(page: Page) -> int:
    """Return how wide a page is, also beyond the window."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def unreached_by_keyboard(page: Page) -> list[str]:
    """Press Tab through a page; return what can be used and was not reached, or was reached without being seen."""
    wanted = page.evaluate(
        """(kinds) => {
            const found = [...document.querySelectorAll(kinds)].filter(
                (node) => node.tabIndex >= 0 && node.getClientRects().length);
            found.forEach((node) => { node.dataset.awaited = ""; });
            document.addEventListener("focusin", ({target}) => {
                const look = getComputedStyle(target);
                if (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) delete target.dataset.awaited;
            });
            document.activeElement.blur();
            getSelection().removeAllRanges();
            return found.length;
        }""",
        FOCUSABLE,
    )
    for _ in range(wanted + 1):  # from where one was, past the end, and from the beginning
        page.keyboard.press("Tab")
    return [str(text) for text in page.locator("[data-awaited]").evaluate_all("all => all.map((n) => n.outerHTML)")]

"""Type and drawing of page one: as large as a sheet allows, and never hard to read in a report."""

from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from reports.figures.static import WIDTH
from reports.one_sheet import DRAWING, END, HIGH, SIZES, TWO_SHEETS, WIDE, Sheet, fit_to_sheet, height_of, lay_out
from reports.sections import Illustration

DRAWN = Illustration(id="d", figure=go.Figure(layout={"height": 320}), caption="c", alternative="a")
ROOM = DRAWING * 320 / WIDTH
"""Millimetres that it is high."""


def words(paragraphs: int) -> str:
    return "<p>Some people answered and others did not, for reasons that nobody wrote down.</p>" * paragraphs


def page(*, goes_on: bool = False, is_drawn: bool = False) -> str:
    figure = '<figure class="drawn"></figure>' if is_drawn else ""
    return f'<main class="one-page" style="--page-one: 1pt">{figure}</main>{END if goes_on else ""}'


def taking(size_that_fits: float, *, drawn: float = 0.0) -> Callable[[str], int]:
    """A printer with room for words of a size, and of another one beside a drawing."""
    ways = {Sheet(size, is_drawn).style: size <= (drawn if is_drawn else size_that_fits)
            for size in (step / 4 for step in range(24, 41)) for is_drawn in (True, False)}  # fmt: skip
    return lambda html: next(1 if fits else 2 for style, fits in ways.items() if f'"{style}"' in html)


def test_the_more_words_the_smaller_their_type() -> None:
    sizes = [lay_out(words(number)).size for number in (5, 46, 56)]
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[-1] >= SIZES[-1]


def test_a_report_with_more_words_than_can_be_read_on_a_sheet_takes_two_and_a_summary_does_not() -> None:
    assert lay_out(words(500)) == TWO_SHEETS
    assert lay_out(words(500), stays_one=True).size < SIZES[-1]


def test_words_of_the_chosen_size_are_no_higher_than_the_sheet() -> None:
    for number in range(5, 75, 7):
        sheet = lay_out(words(number), stays_one=True)
        assert height_of(words(number), sheet.size, wide=WIDE) <= HIGH


def test_mark_up_takes_no_room() -> None:
    plain, marked = "<p>abc</p>", "<p><strong class='x y z'>abc</strong></p>"
    assert height_of(plain, 9, wide=20) == height_of(marked, 9, wide=20)


def test_words_in_two_columns_take_the_room_of_one_whole_line_for_two_halves() -> None:
    flowing = height_of(f'<div class="flows">{words(40)}</div>', 9, wide=WIDE)
    assert height_of(words(20), 9, wide=WIDE) < flowing < height_of(words(40), 9, wide=WIDE)


def test_a_drawing_takes_no_more_room_than_words_that_are_easily_read_leave() -> None:
    for number in range(5, 55, 5):
        sheet = lay_out(words(number), "", DRAWN, stays_one=True)
        has_room = height_of(words(number), SIZES[-1], wide=WIDE) + ROOM <= HIGH
        assert sheet.is_drawn == has_room
        assert sheet.size >= SIZES[-1]
        assert height_of(words(number), sheet.size, wide=WIDE) + ROOM * has_room <= HIGH


def test_words_beside_a_drawing_may_be_higher_than_it() -> None:
    assert lay_out(words(30), "", DRAWN, stays_one=True).is_drawn
    assert not lay_out(words(30), words(30), DRAWN, stays_one=True).is_drawn


@pytest.mark.parametrize("size", [10.0, 9.25, 8.0])
def test_a_page_is_printed_with_the_largest_type_that_was_seen_to_fit(size: float) -> None:
    assert f'"{Sheet(size).style}"' in fit_to_sheet(page(goes_on=True), taking(0.0, drawn=size))


def test_page_one_of_a_report_takes_both_sides_of_a_sheet_before_it_is_hard_to_read() -> None:
    assert f'"{TWO_SHEETS.style}"' in fit_to_sheet(page(goes_on=True), taking(0.0, drawn=7.75))


def test_of_a_summary_the_drawing_goes_first_and_then_the_size_of_type() -> None:
    summary = page(is_drawn=True)
    assert f'"{Sheet(8.0).style}"' in fit_to_sheet(summary, taking(9.5, drawn=8.0))
    assert f'"{Sheet(9.5, is_drawn=False).style}"' in fit_to_sheet(summary, taking(9.5, drawn=7.75))
    assert f'"{Sheet(6.5, is_drawn=False).style}"' in fit_to_sheet(summary, taking(6.5))


def test_only_page_one_is_counted_and_any_other_page_is_left_as_it_is() -> None:
    seen: list[str] = []
    told = fit_to_sheet(page(goes_on=True) + "<p>The rest</p>", lambda html: len(seen.append(html) or "1"))
    assert told.endswith("<p>The rest</p>")
    assert not any("The rest" in html for html in seen)
    assert fit_to_sheet("<p>Any page</p>", lambda _: 9) == "<p>Any page</p>"

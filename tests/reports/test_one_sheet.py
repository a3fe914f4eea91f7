"""Type and drawing of page one: as large as a sheet allows."""

import plotly.graph_objects as go

from reports.figures.static import WIDTH
from reports.one_sheet import HIGH, NARROWEST, SMALLEST, WIDE, WIDEST, fit_type, height_of, lay_out_summary
from reports.sections import Illustration

DRAWING = Illustration(id="d", figure=go.Figure(layout={"height": 320}), caption="c", alternative="a")


def words(paragraphs: int) -> str:
    return "<p>Some people answered and others did not, for reasons that nobody wrote down.</p>" * paragraphs


def test_the_more_words_the_smaller_their_type_until_it_could_not_be_read() -> None:
    sizes = [fit_type(words(number), wide=WIDE, high=HIGH) for number in (5, 50, 60, 500)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4
    assert sizes[-1] == SMALLEST


def test_words_of_the_chosen_size_are_no_higher_than_the_sheet() -> None:
    for number in range(5, 75, 7):
        assert height_of(words(number), fit_type(words(number), wide=WIDE, high=HIGH), wide=WIDE) <= HIGH


def test_mark_up_takes_no_room() -> None:
    plain, marked = "<p>abc</p>", "<p><strong class='x y z'>abc</strong></p>"
    assert height_of(plain, 9, wide=20) == height_of(marked, 9, wide=20)


def test_a_drawing_takes_no_more_room_than_the_words_leave() -> None:
    for number in range(5, 50, 5):
        sheet = lay_out_summary(words(number), ("", ""), "", DRAWING)
        room = HIGH - height_of(words(number), sheet.size, wide=WIDE)
        assert NARROWEST <= sheet.drawing <= WIDEST
        assert sheet.drawing * 320 / WIDTH <= room + 0.1


def test_without_room_the_words_go_before_the_drawing() -> None:
    assert lay_out_summary(words(55), ("", ""), words(9), DRAWING).drawing == 0
    assert lay_out_summary(words(55), ("", ""), "", None).size > SMALLEST

"""How large the type of page one may be, and whether the summary has room for its drawing, on a sheet of A4.

For PDF the sheets are counted, at one size after another. Browsers take the fonts of a system that nobody knows here;
for them the room is reckoned, with letters as wide as the widest of the usual fonts.
"""

from __future__ import annotations

import bisect
import html
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.figures.drawing import figure_height
from reports.figures.static import WIDTH
from reports.sections import Illustration

SIZES: Final = tuple(10 - step / 4 for step in range(9))
"""Of type, in points, that are easily read."""
_CRAMPED: Final = tuple(7.75 - step / 4 for step in range(8))
"""For a summary of so many words that it would not stay on its one sheet otherwise."""
END: Final = "<!-- page one ends here -->"
"""In a report, which goes on; without it a page is a summary and shall stay one sheet."""
WIDE, HIGH, GAP = 184.0, 257.0, 7.0
"""Millimetres of a sheet within its margins, less its marks and last line; and between its columns."""
DRAWING: Final = 122.0
"""Millimetres that a drawing is wide, so that its type is of 7.5 points."""
_MILLIMETRES: Final = 25.4 / 72
"""Of a point."""
_LETTER: Final = 0.52
"""Mean width of a letter, in sizes of the type: in DejaVu Sans, wider than Arial, Segoe UI or Roboto."""
_LINE: Final = 1.34
"""Height of a line, as in report.css."""
_FLOWS: Final = re.compile(r'<div class="flows">(.*?)</div>', re.DOTALL)
_BLOCKS: Final = re.compile(r"<(h[1-4]|p|li|tr|caption|figcaption)\b([^>]*)>(.*?)</\1>", re.DOTALL)
_LOOKS: Final = {
    "h": (1.15, 0.9),
    "p": (1.0, 0.3),
    "l": (1.0, 0.12),
    "f": (0.94, 0.5),
    "c": (0.94, 0.6),
    "t": (0.94, 0.35),
}
"""First letter of an element -> size of its type and room around it, in sizes of the type of the page."""
_HEADLINE: Final = (1.15, 1.8)
_INDENT: Final = 5.0
"""Millimetres that a list or the headline is narrower by."""
_SHEET: Final = re.compile(r'(class="one-page"[^>]* style=")[^"]*')


@dataclass(frozen=True, slots=True)
class Sheet:
    """How page one is set: size of its type in points, and whether its drawing is printed."""

    size: float
    is_drawn: bool = True

    @property
    def style(self) -> str:
        """Values that report.css and summary.css read."""
        return f"--page-one: {self.size:g}pt; --drawn: {'flex' if self.is_drawn else 'none'}"


TWO_SHEETS: Final = Sheet(9.0)
"""For a page one that would have to be smaller than is easily read: it takes both sides of a sheet."""


def lay_out(words: str, below: str = "", drawing: Illustration | None = None, *, stays_one: bool = False) -> Sheet:
    """Return how page one may be set on one sheet by any browser.

    Parameters
    ----------
    words : str
        HTML; what is in ``<div class="flows">`` stands in two columns.
    below : str
        HTML of caption and table beside the drawing.
    drawing : Illustration, optional
        It goes where it leaves too little room for words that are easily read.
    stays_one : bool
        Type rather gets small than that the words take two sheets.
    """

    def fits(sheet: Sheet) -> bool:
        high = height_of(words, sheet.size, wide=WIDE)
        if drawing is not None and sheet.is_drawn:
            beside = height_of(below, sheet.size, wide=WIDE - GAP - DRAWING)
            high += max(DRAWING * figure_height(drawing) / WIDTH, beside)
        return high <= HIGH

    return _largest(fits, has_drawing=drawing is not None, stays_one=stays_one)


def fit_to_sheet(page: str, count_sheets: Callable[[str], int]) -> str:
    """Return a page whose page one is set as large as one sheet allows.

    Parameters
    ----------
    page : str
        HTML of a report or of a summary; any other is returned as it is.
    count_sheets : callable
        Tells on how many sheets a page is printed.
    """
    first, end, _ = page.partition(END)
    if not _SHEET.search(first):
        return page
    sheet = _largest(
        lambda sheet: count_sheets(_set(first, sheet)) == 1, has_drawing='class="drawn"' in first, stays_one=not end
    )
    return _set(page, sheet)


def _set(page: str, sheet: Sheet) -> str:
    return _SHEET.sub(rf"\g<1>{sheet.style}", page, count=1)


def _largest(fits: Callable[[Sheet], bool], *, has_drawing: bool, stays_one: bool) -> Sheet:
    """Return the first way to set page one that fits; a drawing goes before type that is easily read does."""
    ways = [[Sheet(size) for size in SIZES]] if has_drawing or not stays_one else []
    if stays_one:
        ways.append([Sheet(size, is_drawn=False) for size in (*SIZES, *_CRAMPED)])
    found = (_first(sheets, fits) for sheets in ways)
    return next((sheet for sheet in found if sheet is not None), ways[-1][-1] if stays_one else TWO_SHEETS)


def _first(sheets: Sequence[Sheet], fits: Callable[[Sheet], bool]) -> Sheet | None:
    """Return the first that fits of sheets with ever smaller type."""
    place = bisect.bisect_left(sheets, True, key=fits)
    return sheets[place] if place < len(sheets) else None


def height_of(words: str, size: float, *, wide: float) -> float:
    """Return how high words stand, in millimetres; `size` in points, `wide` in millimetres."""
    half = (wide - GAP) / 2
    flowing = sum(_height(part, size, wide=half) / 2 for part in _FLOWS.findall(words))
    return flowing + _height(_FLOWS.sub("", words), size, wide=wide)


def _height(words: str, size: float, *, wide: float) -> float:
    """Return how high words stand in one column."""
    em = size * _MILLIMETRES
    return sum(
        math.ceil(letters * _LETTER * factor * em / (wide - indent)) * _LINE * factor * em + room * em
        for letters, factor, room, indent in _blocks(words)
    )


def _blocks(words: str) -> Iterator[tuple[int, float, float, float]]:
    """Yield letters, size and room of each block, and what it is narrower by."""
    for name, attributes, inner in _BLOCKS.findall(words):
        is_headline = "headline" in attributes
        factor, room = _HEADLINE if is_headline else _LOOKS[name[0]]
        letters = len(html.unescape(re.sub(r"<[^>]*>", "", inner)).strip())
        yield letters, factor, room, _INDENT if is_headline or name == "li" else 0.0

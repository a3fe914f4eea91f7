"""How large the type of page one may be, and the drawing on the summary, so that they fill a sheet of A4 and no more.

Browsers and WeasyPrint take the fonts of the system that they run on, which nobody knows here; so the room is reckoned
with letters a little wider than those of most.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reports.figures.drawing import figure_height
from reports.figures.static import WIDTH
from reports.sections import Illustration

_SIZES: Final = tuple(10 - step / 4 for step in range(17))
"""Of type, in points."""
SMALLEST: Final = _SIZES[-1]
WIDE, HIGH, GAP = 182.0, 262.0, 8.0
"""Millimetres of a summary within the margins of summary.css, less its marks and last line; and between its columns."""
NARROWEST, WIDEST = 95.0, 150.0
"""Millimetres of its drawing."""
_MILLIMETRES: Final = 25.4 / 72
"""Of a point."""
_LETTER: Final = 0.57
"""Mean width of a letter, in sizes of the type."""
_LINE: Final = 1.4
"""Height of a line, as in report.css."""
_BLOCKS: Final = re.compile(r"<(h[1-4]|p|li|tr|caption|figcaption)\b([^>]*)>(.*?)</\1>", re.DOTALL)
_LOOKS: Final = {
    "h": (1.15, 0.9),
    "p": (1.0, 0.3),
    "l": (1.0, 0.12),
    "f": (0.88, 0.5),
    "c": (0.86, 0.6),
    "t": (0.86, 0.35),
}
"""First letter of an element -> size of its type and room around it, in sizes of the type of the page."""
_HEADLINE: Final = (1.15, 1.8)
_INDENT: Final = 5.0
"""Millimetres that a list or the headline is narrower by."""


def fit_type(words: str, *, wide: float, high: float) -> float:
    """Return the size of type, in points, at which words fit on a sheet.

    Parameters
    ----------
    words : str
        HTML.
    wide, high : float
        The room, in millimetres.
    """
    return next((size for size in _SIZES if height_of(words, size, wide=wide) <= high), SMALLEST)


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a summary fills its sheet: size of its type in points; width of its drawing in millimetres, 0 without one."""

    size: float
    drawing: float


def lay_out_summary(top: str, columns: tuple[str, str], below: str, drawing: Illustration | None) -> Sheet:
    """Return the sizes at which a summary fills one sheet.

    Parameters
    ----------
    top : str
        HTML that is as wide as the sheet.
    columns : tuple of str
        HTML of two columns below it.
    below : str
        HTML of caption and table of the drawing; left out with it where there is no room.
    drawing : Illustration or None
        It takes the room that the words leave.
    """
    half = (WIDE - GAP) / 2
    for size in _SIZES:
        words = height_of(top, size, wide=WIDE) + max(height_of(column, size, wide=half) for column in columns)
        if drawing is None:
            if words <= HIGH:
                return Sheet(size, 0.0)
            continue
        room = HIGH - words - height_of(below, size, wide=WIDE)
        width = min(room * WIDTH / figure_height(drawing), WIDEST)
        if width >= NARROWEST:
            return Sheet(size, round(width, 1))
    return lay_out_summary(top, columns, "", None) if drawing is not None else Sheet(SMALLEST, 0.0)


def height_of(words: str, size: float, *, wide: float) -> float:
    """Return how high words stand, in millimetres; `size` in points, `wide` in millimetres."""
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

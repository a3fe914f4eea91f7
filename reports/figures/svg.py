"""Pieces of SVG, short and with coordinates to a tenth: text in lines, marker symbols, dashes and hatching."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from typing import Final

from markupsafe import escape

from reports.figures.drawing import directed
from reports.figures.lines import width_of_line

LINE: Final = 1.25
"""Height of a line of text, in sizes of its type."""
DASHES: Final = {"solid": "", "dash": "9 5", "dot": "2 4", "dashdot": "9 4 2 4", "longdash": "14 6"}
"""Name of a dash in plotly -> ``stroke-dasharray``."""
_BASELINE: Final = 0.36
"""How far below its middle a line of text stands, in sizes of its type."""
HATCHES: Final = {"/": ((1, 1),), "\\": ((1, -1),), "x": ((1, 1), (1, -1)), "-": ((1, 0),), "|": ((0, 1),),
                   "+": ((1, 0), (0, 1))}  # fmt: skip
"""Shape of a pattern in plotly -> directions of its lines."""
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "triangle-down", "line-ns", "line-ew", "x-thin")
"""Markers; all but the last three may be open too."""
_HATCH_STEP: Final = 7.0


def number(value: float) -> str:
    """Return a coordinate to a tenth, as short as it can be written."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def attributes(**values: str | float | None) -> str:
    """Return attributes of an element, each after a blank; None and empty text are left out."""
    named = ((name.replace("_", "-"), number(value) if isinstance(value, int | float) else value)
             for name, value in values.items())  # fmt: skip
    return "".join(f' {name}="{escape(value)}"' for name, value in named if value)


def path(d: str, **values: str | float | None) -> str:
    """Return a path, nothing where it has no points."""
    return f'<path d="{d}"{attributes(**values)}/>' if d else ""


def lines_of(text: object) -> list[str]:
    """Return the lines of a text as plotly has it: breaks are mark-up, all else is text."""
    return [html.unescape(line) for line in str(text).split("<br>")] if text not in (None, "") else []


def width_of(text: object, size: float) -> float:
    """Return about how wide the longest line of a text is."""
    return max((width_of_line(line) * size for line in lines_of(text)), default=0.0)


def height_of(text: object, size: float) -> float:
    """Return how high the lines of a text are together."""
    return len(lines_of(text)) * size * LINE


def text_at(
    text: object, x: float, y: float, *, size: float, anchor: str = "middle", upright: bool = True, **values: str | None
) -> str:
    """Return text whose block has its middle at a height; `anchor` is where `x` is: start is left, end is right.

    Parameters
    ----------
    text : str
        As plotly has it.
    x, y : float
        In units of the view box.
    size : float
        Of the type.
    anchor : {"start", "middle", "end"}
        Part of each line that stands at `x`.
    upright : bool
        False turns the block a quarter to the left about its middle.
    **values : str
        Further attributes.
    """
    lines = [line.strip() for line in lines_of(text)]
    if not any(lines):
        return ""
    first = y - (len(lines) - 1) * size * LINE / 2 + size * _BASELINE
    turned = None if upright else f"rotate(-90 {number(x)} {number(y)})"
    shared = attributes(**values, text_anchor=anchor if anchor != "start" else None, transform=turned)
    opened = f'<text x="{number(x)}" y="{number(first)}"{shared}>'
    if len(lines) == 1:
        return f"{opened}{escape(directed(lines[0]))}</text>"
    step = number(size * LINE)
    rest = "".join(f'<tspan x="{number(x)}" dy="{step}">{escape(directed(line or " "))}</tspan>' for line in lines[1:])
    return f"{opened}{escape(directed(lines[0]))}{rest}</text>"


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return the path of a line."""
    across, down = number(x2), number(y2)
    if number(y1) == down:
        return f"M{number(x1)} {number(y1)}H{across}"
    if number(x1) == across:
        return f"M{number(x1)} {number(y1)}V{down}"
    return f"M{number(x1)} {number(y1)}L{across} {down}"


def box(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return the path of a rectangle between two corners."""
    left, right, top, bottom = *sorted((x1, x2)), *sorted((y1, y2))
    wide, high = round(right, 1) - round(left, 1), round(bottom, 1) - round(top, 1)
    return f"M{number(left)} {number(top)}h{number(wide)}v{number(high)}h{number(-wide)}z"


def symbol(name: str, x: float, y: float, size: float) -> str:
    """Return the path of a marker, as plotly draws it; filled and open ones have the same shape."""
    r = size / 2
    match name.removesuffix("-open"):
        case "circle":
            half = f"a{number(r)} {number(r)} 0 1 0 "
            return f"M{number(x - r)} {number(y)}{half}{number(size)} 0{half}-{number(size)} 0z"
        case "square":
            return box(x - r, y - r, x + r, y + r)
        case "diamond":
            return _polygon((x - 1.3 * r, y), (x, y - 1.3 * r), (x + 1.3 * r, y), (x, y + 1.3 * r))
        case "triangle-up":
            side = 2 * r / math.sqrt(3)
            return _polygon((x - side, y + r / 2), (x + side, y + r / 2), (x, y - r))
        case "triangle-down":
            side = 2 * r / math.sqrt(3)
            return _polygon((x - side, y - r / 2), (x + side, y - r / 2), (x, y + r))
        case "line-ns":
            return line(x, y - 1.4 * r, x, y + 1.4 * r)
        case "line-ew":
            return line(x - 1.4 * r, y, x + 1.4 * r, y)
        case "x-thin":
            return line(x - r, y - r, x + r, y + r) + line(x - r, y + r, x + r, y - r)
    raise KeyError(name)


def hatching(shape: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return the path of lines across a rectangle, so that areas can be told apart without colour."""
    left, right, top, bottom = *sorted((x1, x2)), *sorted((y1, y2))
    found = []
    for across, up in HATCHES[shape]:
        if not up:
            found += [line(left, y, right, y) for y in _steps(top, bottom)]
        elif not across:
            found += [line(x, top, x, bottom) for x in _steps(left, right)]
        else:
            found += _slanted(up, left, right, top, bottom)
    return "".join(found)


def _slanted(up: int, left: float, right: float, top: float, bottom: float) -> Iterable[str]:
    height = bottom - top
    for start in _steps(left - height, right, _HATCH_STEP * math.sqrt(2)):
        low, high = max(start, left), min(start + height, right)
        if high > low:
            ends = (bottom - (low - start), bottom - (high - start))
            y1, y2 = ends if up > 0 else (top + bottom - ends[0], top + bottom - ends[1])
            yield line(low, y1, high, y2)


def _steps(start: float, end: float, step: float = _HATCH_STEP) -> list[float]:
    return [start + step * (index + 0.5) for index in range(math.ceil((end - start) / step)) if
            start + step * (index + 0.5) < end]  # fmt: skip


def _polygon(*corners: tuple[float, float]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "z"

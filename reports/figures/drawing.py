"""What all charts share: layout, text that plotly takes for text alone, and their JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Measure, Timepoint
from reports.figures.lines import DONE, RIGHT_TO_LEFT, bare, cut_lines, is_directed, split_lines, width_of_line
from reports.language import language_spoken, say
from reports.numbers import MINUS, NO_BREAK, scale_of
from reports.sections import Illustration
from reports.theme import FONT, INK, LINES

CONFIG: Final[dict[str, Any]] = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": False,
}
"""Passed to plotly.js: no tool bar, nothing to send anywhere."""

HEIGHT: Final = 360
AXIS: Final = {"fixedrange": True, "linecolor": INK, "ticks": "outside", "tickcolor": INK, "zeroline": False}
"""Looks of an axis; each chart adds range, ticks and title."""
GRID: Final = LINES
_NUMBER: Final = re.compile(rf"[{MINUS}\d.,%\s]*")
_SIZE: Final = 14
"""Of the type of a chart."""
_SMALL_TICK: Final = 12
_LEADING: Final = 1.3
"""Height of a line of text, in sizes of its type."""
_PHONE: Final = 105.0
"""Pixels from the first timepoint to the last on a phone."""
_APART: Final = 4.0
"""Pixels between neighbouring labels."""
_POINTER: Final = 30
"""Characters to a line of what a pointer shows."""
_MOST_LINES: Final = 4
"""Of a text in a chart; the whole of a long label stands in the tables."""
_MOST_OF_TICK: Final = 6
"""Lines of a label of the time axis, a word or two to a line."""
_MOST_OF_POINTER: Final = 10
"""Lines of what a pointer shows."""
_FINE: Final = 5.0
"""Length of an axis below which its labels may have decimals."""
_TICKS: Final = 9.0
"""Pixels that ticks and the gap below them take."""


def lay_out(figure: go.Figure, *, height: int = HEIGHT, **layout: Any) -> go.Figure:
    """Give a chart the looks that all share; `layout` adds to them or overrides them. Returns the same figure."""
    figure.update_layout(
        template=None,
        height=height,
        autosize=True,
        dragmode=False,
        hovermode="closest",
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        font={"family": FONT, "size": _SIZE, "color": INK},
        margin={"l": 64, "r": 36, "t": 12, "b": 64},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
            "traceorder": "normal",
        },
        hoverlabel={"align": line_start()},
        separators=language_spoken().decimal_point + language_spoken().thousands,
    )
    figure.update_layout(**layout)
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        if axis.title.text:
            axis.title.font.size = axis.title.font.size or _SIZE
            axis.title.standoff = _SIZE if axis.title.standoff is None else axis.title.standoff
    return _make_room(figure)


def line_start() -> str:
    """Return where lines of text begin in the language in force: ``left`` or ``right``.

    Axes and legends run from left to right in every language; labels that stand free begin where reading begins.
    """
    return "right" if language_spoken().direction == "rtl" else "left"


def at_line_start() -> dict[str, Any]:
    """Return place and alignment of an annotation whose lines begin at the side of the chart where reading begins."""
    side = line_start()
    return {"x": 0 if side == "left" else 1, "xref": "paper", "xanchor": side, "align": side}


def _make_room(figure: go.Figure) -> go.Figure:
    """Make the margins as high as the texts in them, and the chart as much higher: translations take more lines."""
    layout, axis = figure.layout, figure.layout.xaxis
    needed = {"t": max(_heights_above(layout.annotations), default=0.0), "b": 0.0}
    ticks = _height(axis.ticktext or " ", axis.tickfont.size)
    if axis.title.text:
        needed["b"] = _TICKS + ticks + axis.title.standoff + _height(axis.title.text, axis.title.font.size)
    elif axis.ticktext:
        needed["b"] = _TICKS + ticks
    for side, height in needed.items():
        more = round(height) - layout.margin[side]
        if more > 0:
            layout.margin[side] += more
            layout.height += more
    layout.margin.l = max(layout.margin.l, round(_width_beside(layout.yaxis)))
    return figure


def _width_beside(axis: Any) -> float:
    """Return how much room an axis at the left needs for its labels and its title: scripts differ in height."""
    if not axis.title.text:
        return 0.0
    ends = [f"{MINUS if end < 0 else ''}{abs(end):.0f}" for end in axis.range or ()]
    is_fine = bool(ends) and axis.range[1] - axis.range[0] < _FINE
    labels = axis.ticktext or [f"{end}.5" if is_fine else end for end in ends]
    ticks = max((width_of_line(html.unescape(label)) for label in labels), default=0.0) * (axis.tickfont.size or _SIZE)
    return _TICKS + ticks + float(axis.title.standoff) + _height(axis.title.text, axis.title.font.size)


def _heights_above(annotations: Sequence[Any]) -> Iterator[float]:
    """Yield how far each text that stands on the upper edge of a chart reaches above it."""
    for each in annotations:
        if (each.yref, each.y, each.yanchor) == ("paper", 1, "bottom"):
            yield _height(each.text, each.font.size) + (each.yshift or 0) + 2


def _height(texts: str | Sequence[str], size: float | None) -> float:
    lines = [text.count("<br>") + 1 for text in ([texts] if isinstance(texts, str) else texts)]
    return max(lines, default=0) * (size or _SIZE) * _LEADING


def figure_height(item: Illustration) -> int:
    """Return how high a figure is drawn, in pixels: a page keeps the place free for it."""
    return int(item.figure.layout.height or HEIGHT)


def figure_json(figure: go.Figure) -> str:
    """Return a figure as JSON that is safe inside a ``script`` element, the same text for the same figure."""
    text = json.dumps(
        figure.to_plotly_json(), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def escaped(text: str) -> str:
    """Return text that plotly prints as it is: a label of a study is no mark-up."""
    return html.escape(directed(text), quote=False)


def directed(line: str) -> str:
    """Return a line that keeps the direction of the language in force where its surroundings run left to right.

    A number alone runs from left to right in every language, with its minus sign at the left.
    """
    if language_spoken().direction != "rtl" or is_directed(line) or _NUMBER.fullmatch(bare(line)):
        return line
    return f"{RIGHT_TO_LEFT}{line}{DONE}"


def in_one_line(text: str) -> str:
    """Return an escaped text of several lines as one line that runs in the direction of the language in force."""
    lines = (line[1:-1] if is_directed(line) else line for line in text.split("<br>"))
    return directed(" ".join(lines))


def wrapped(text: str, width: int, most: int = _MOST_LINES) -> str:
    """Return escaped text in lines of about so many characters; the breaks are the only mark-up that plotly sees.

    After `most` lines it ends with an ellipsis: a chart has no room for a label of any length.
    """
    return "<br>".join(escaped(line) for line in cut_lines(split_lines(text, width), most)) or NO_BREAK


def for_pointer(text: str) -> str:
    """Return escaped text that is shown where a pointer is, in lines that a phone has room for."""
    return wrapped(text, _POINTER, _MOST_OF_POINTER)


def tick(label: str) -> str:
    """Return a label of the time axis, a word or two to a line, so that neighbours do not touch on a phone."""
    lines = [part for line in split_lines(label, 7, breaks_words=False) for part in split_lines(line, 14)]
    return "<br>".join(escaped(line) for line in cut_lines(lines, _MOST_OF_TICK)) or NO_BREAK


def time_axis(timepoints: Sequence[Timepoint]) -> dict[str, Any]:
    """Return ticks and looks of a time axis, which is true to scale."""
    return label_axis([timepoint.week for timepoint in timepoints], [timepoint.label for timepoint in timepoints])


def label_axis(places: Sequence[float], labels: Sequence[str], phone: float = _PHONE) -> dict[str, Any]:
    """Return ticks and looks of an axis of labels, which do not touch each other on a phone.

    Where they would, they are in small type; where they would even so, every other one stands below its neighbours.

    Parameters
    ----------
    places : sequence of float
        Of the labels, in order.
    labels : sequence of str
        Not escaped yet.
    phone : float
        Pixels from the first label to the last on a phone.
    """
    texts, size = [tick(label) for label in labels], _SIZE
    scale = phone / ((max(places) - min(places)) or 1.0)
    if _touch(places, texts, size / scale):
        size = _SMALL_TICK
        if _touch(places, texts, size / scale):
            lower = NO_BREAK + "<br>"
            down = lower * max(text.count("<br>") + 1 for text in texts[::2])
            texts = [down + text if position % 2 else text for position, text in enumerate(texts)]
    return {**AXIS, "tickvals": list(places), "ticktext": texts, "tickfont": {"size": size},
            "showgrid": False, "ticklabeloverflow": "allow", "tickangle": 0}  # fmt: skip


def _touch(places: Sequence[float], texts: Sequence[str], size: float) -> bool:
    """Tell whether labels beside each other would touch, given the size of their type in units of the axis."""
    widths = [[width_of_line(html.unescape(line)) * size for line in text.split("<br>")] for text in texts]
    apart = _APART * size / _SIZE
    return any(
        sum(lines) / 2 + apart > place - before
        for (before, place), both in zip(pairwise(places), pairwise(widths), strict=True)
        for lines in zip_longest(*both, fillvalue=0.0)
    )


def axis_title(measure: Measure) -> str:
    """Return name and scale of a measure and which way is good, for an axis of its values."""
    if measure.higher_is == "better":
        scale = say("{scale}, higher is better", scale=scale_of(measure))
    else:
        scale = say("{scale}, lower is better", scale=scale_of(measure))
    return f"{wrapped(measure.label, 34, 2)}<br>{wrapped(scale, 34)}"


def better_end(measure: Measure) -> dict[str, Any]:
    """Return the word at that end of an upright axis of a measure where it is good, beside the axis."""
    is_up = measure.higher_is == "better"
    return {"text": escaped(say("\u2191 better") if is_up else say("\u2193 better")), "font": {"size": _SMALL_TICK},
            "x": 0, "xref": "paper", "xanchor": "left", "xshift": 4, "y": int(is_up), "yref": "paper",
            "yanchor": "top" if is_up else "bottom", "showarrow": False}  # fmt: skip

"""What all charts share: layout, text that plotly takes for text alone, and their JSON."""

from __future__ import annotations

import html
import json
import textwrap
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Measure
from reports.language import language_spoken, say
from reports.numbers import NO_BREAK, scale_of
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
_TO_THE_LEFT: Final = "\u2067"
_DONE: Final = "\u2069"
"""Right-to-left isolate, and its end."""


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
        font={"family": FONT, "size": 14, "color": INK},
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
        separators=language_spoken().decimal_point + language_spoken().thousands,
    )
    return figure.update_layout(**layout)


def figure_height(item: Illustration) -> int:
    """Return how high a figure is drawn, in pixels: a page keeps the place free for it."""
    return int(item.figure.layout.height or HEIGHT)


def figure_json(figure: go.Figure) -> str:
    """Return a figure as JSON that is safe inside a ``script`` element, the same text for the same figure."""
    text = json.dumps(figure.to_plotly_json(), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def escaped(text: str) -> str:
    """Return text that plotly prints as it is: a label of a study is no mark-up."""
    return html.escape(directed(text), quote=False)


def directed(line: str) -> str:
    """Return a line that keeps the direction of the language in force where its surroundings run left to right."""
    if language_spoken().direction != "rtl" or not line.strip() or line.startswith(_TO_THE_LEFT):
        return line
    return f"{_TO_THE_LEFT}{line}{_DONE}"


def wrapped(text: str, width: int) -> str:
    """Return escaped text in lines; the breaks are the only mark-up that plotly sees."""
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return "<br>".join(escaped(line) for line in lines) or NO_BREAK


def tick(label: str) -> str:
    """Return a label of the time axis, a word or two to a line, so that neighbours do not touch on a phone."""
    lines = textwrap.wrap(label, 7, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(wrapped(line, 14) for line in lines) or NO_BREAK


def axis_title(measure: Measure) -> str:
    """Return name and scale of a measure and which way is good, for an axis of its values."""
    if measure.higher_is == "better":
        scale = say("{scale}, higher is better", scale=scale_of(measure))
    else:
        scale = say("{scale}, lower is better", scale=scale_of(measure))
    return f"{wrapped(measure.label, 34)}<br>{wrapped(scale, 34)}"

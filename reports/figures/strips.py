"""Charts of strips, one below the other, each with its label above it: so a phone has its whole width for the marks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from reports.figures.drawing import AXIS, GRID, at_line_start, lay_out, wrapped
from reports.figures.lines import bare, split_lines

BODY: Final = 28.0
"""Height of the marks of a strip, in pixels."""
SMALL: Final = 13
_LABEL_WIDTH: Final = 34
_NAME_WIDTH: Final = 26
_LINE: Final = 18.0
_GAP: Final = 10.0
_BOTTOM: Final = 56
_PHONE: Final = 225.0
"""Pixels across the marks on a phone."""
_CHARACTER: Final = 7.2


@dataclass(frozen=True, slots=True)
class Strips:
    """Where the strips of a chart are, in pixels from its top, downwards below zero.

    Attributes
    ----------
    middles : tuple of float
        Middle of the marks of each strip.
    height : float
        Of all together.
    labels : tuple of dict
        Annotations of plotly.
    """

    middles: tuple[float, ...]
    height: float
    labels: tuple[dict[str, Any], ...]


def lay_strips(labels: Sequence[str], *, body: float = BODY) -> Strips:
    """Return the places of strips with these labels, which are not escaped yet."""
    middles, annotations, top = [], [], 0.0
    for label in labels:
        text = wrapped(label, _LABEL_WIDTH)
        annotations.append({
            **at_line_start(), "text": text, "y": -top, "yanchor": "top", "showarrow": False, "font": {"size": SMALL},
        })  # fmt: skip
        top += 4 + _LINE * (text.count("<br>") + 1)
        middles.append(-(top + body / 2))
        top += body + _GAP
    return Strips(tuple(middles), top, tuple(annotations))


def lay_out_strips(
    figure: go.Figure,
    strips: Strips,
    xaxis: Mapping[str, Any],
    *,
    names: Sequence[str] = (),
    annotations: Sequence[dict[str, Any]] = (),
    **layout: Any,
) -> go.Figure:
    """Give a chart of strips its looks. Returns the same figure.

    Parameters
    ----------
    figure : Figure
        With marks at the middles of strips.
    strips : Strips
        As `lay_strips` places them.
    xaxis : mapping
        Range, ticks and title of the one axis.
    names : sequence of str
        In the legend: the chart is as high as it needs to be where they stand below each other, as on a phone.
    annotations : sequence of dict
        Beside the labels of the strips.
    **layout
        Further, as of plotly.
    """
    title = str(xaxis.get("title", {}).get("text", ""))
    bottom = _BOTTOM + 18 * title.count("<br>") - (20 if not title else 0)
    return lay_out(
        figure,
        height=round(strips.height + 16 + bottom + 21 * _rows_on_phone(names)),
        showlegend=bool(names),
        margin={"l": 14, "r": 18, "t": 16, "b": bottom},
        xaxis={**AXIS, "showgrid": True, "gridcolor": GRID, "tickangle": 0, **xaxis},
        yaxis={"visible": False, "fixedrange": True, "range": [-strips.height, 0]},
        annotations=[*strips.labels, *annotations],
        **layout,
    )


def fits(text: str, percent: float) -> bool:
    """Tell whether a text has room in a part of a strip on a phone, given the part's share of its width."""
    return len(bare(text)) * _CHARACTER + 4 <= percent / 100 * _PHONE


def name_in_legend(text: str) -> str:
    """Return an escaped name of a trace in lines that a phone has room for."""
    return wrapped(text, _NAME_WIDTH)


def _rows_on_phone(names: Sequence[str]) -> int:
    """Return how many lines of a phone a legend takes."""
    found = [split_lines(name, _NAME_WIDTH) for name in names]
    widths = [40 + _CHARACTER * max((len(bare(line)) for line in lines), default=0) for lines in found]
    if not names:
        return 0
    beside = max(1, int(_PHONE // max(widths)))
    return math.ceil(sum(map(len, found)) / beside)

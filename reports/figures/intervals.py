"""Numbers with their intervals, one below the other, against zero and whatever else they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Measure
from reports.figures.drawing import escaped, for_pointer, wrapped
from reports.figures.strips import SMALL, lay_out_strips, lay_strips
from reports.language import say, say_as
from reports.numbers import decimals_of, format_interval, format_number
from reports.reading import Row
from reports.theme import INK, style_of

BAND: Final = "#e3e8ee"
"""Fill of the band of differences that people would not notice."""
_ROOM: Final = 0.08
_LINE_OF_SIDE: Final = 18.0
_WIDTH_OF_SIDE: Final = 15
_BEHIND_LABEL: Final = "rgba(255,255,255,0.8)"
"""Lets a label be read where a line across runs behind it."""
_MAIN, _OTHER = 0, 2
"""Whose arm's style the main analysis has, and the others."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A gated number with its interval, the label above it, and its words for a pointer."""

    label: str
    row: Row
    hover: str
    is_main: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across all strips at a value, with a word above it; `is_margin` where it is no zero line."""

    value: float
    text: str = ""
    is_margin: bool = False


def has_interval(row: Row | None) -> bool:
    """Tell whether a number and both ends of its interval may be drawn."""
    return row is not None and row.is_shown and row.conf_low == row.conf_low and row.conf_high == row.conf_high


def say_interval(label: str, row: Row, measure: Measure) -> str:
    """Return a label, a number and its interval, for a pointer."""
    decimals = decimals_of(measure)
    return say_as(
        "a number with its interval",
        "{label}: {value} ({interval})",
        label=label,
        value=format_number(row.value, decimals),
        interval=format_interval(row.conf_low, row.conf_high, decimals),
    )


def plot_intervals(
    intervals: Sequence[Interval],
    title: str,
    *,
    marks: Sequence[Mark] = (Mark(0.0),),
    band: float | None = None,
    sides: tuple[str, str] = ("", ""),
) -> go.Figure:
    """Return numbers with 95 % intervals, a strip for each.

    Parameters
    ----------
    intervals : sequence of Interval
        From the top; numbers that are shown, in points.
    title : str
        Of the axis, escaped.
    marks : sequence of Mark
        Lines across; they are always in sight.
    band : float, optional
        Half the width of a band about zero, in points.
    sides : tuple of str
        Words at the left and the right end of the axis; none where they are empty.
    """
    strips, figure = lay_strips([each.label for each in intervals]), go.Figure()
    words = [wrapped(side, _WIDTH_OF_SIDE) if side else "" for side in sides]
    room = max(text.count("<br>") + 1 for text in words) * _LINE_OF_SIDE if any(words) else 0.0
    labels = tuple({**label, "bgcolor": _BEHIND_LABEL} for label in strips.labels)
    strips = replace(strips, height=strips.height + room, labels=labels)
    for position, is_main in ((_MAIN, True), (_OTHER, False)):
        own = [(each, at) for each, at in zip(intervals, strips.middles, strict=True) if each.is_main == is_main]
        if own:
            figure.add_trace(trace_intervals(own, style_of(position).colour, "circle" if is_main else "square"))
    low, high = find_range([each.row for each in intervals], [mark.value for mark in marks], band)
    axis = {"range": [low, high], "title": {"text": title}, "nticks": 7, "showgrid": False}
    annotations = [*_words_of_marks(marks), *_words_of_sides(words)]
    return lay_out_strips(
        figure, strips, axis, annotations=annotations, shapes=[*_bands(band), *(_line(mark) for mark in marks)]
    )


def trace_intervals(intervals: Sequence[tuple[Interval, float]], colour: str, symbol: str) -> go.Scatter:
    """Return numbers at the heights given, with their intervals where there are any."""
    ends = [(each.row.conf_high - each.row.value, each.row.value - each.row.conf_low) if has_interval(each.row) else
            (None, None) for each, _ in intervals]  # fmt: skip
    return go.Scatter(
        mode="markers", hoverinfo="text", showlegend=False, cliponaxis=False,
        x=[each.row.value for each, _ in intervals], y=[at for _, at in intervals],
        hovertext=[for_pointer(each.hover) for each, _ in intervals],
        marker={"symbol": symbol, "size": 11, "color": colour, "line": {"color": colour, "width": 2}},
        error_x={"type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 5,
                 "array": [above for above, _ in ends], "arrayminus": [below for _, below in ends]},
    )  # fmt: skip


def better_side(measure: Measure) -> tuple[str, str]:
    """Return the words at the ends of an axis of differences or changes in a measure: where it is good."""
    return ("", say("better \u2192")) if measure.higher_is == "better" else (say("\u2190 better"), "")


def find_range(rows: Sequence[Row], values: Sequence[float], band: float | None = None) -> tuple[float, float]:
    """Return the part of an axis that holds all intervals, the values given and the band, with room."""
    known = [end for row in rows for end in (row.value, row.conf_low, row.conf_high) if end == end]
    known += [*values, *([] if band is None else [-band, band])]
    room = _ROOM * ((max(known) - min(known)) or 1.0)
    return min(known) - room, max(known) + room


def _line(mark: Mark) -> dict[str, Any]:
    looks = {"color": INK, "width": 2, "dash": "dash"} if mark.is_margin else {"color": INK, "width": 1}
    return {"type": "line", "x0": mark.value, "x1": mark.value, "y0": 0, "y1": 1, "yref": "paper", "layer": "between",
            "line": looks}  # fmt: skip


def _bands(band: float | None) -> list[dict[str, Any]]:
    if band is None:
        return []
    return [{"type": "rect", "x0": -band, "x1": band, "y0": 0, "y1": 1, "yref": "paper", "layer": "below",
             "fillcolor": BAND, "line": {"width": 0}}]  # fmt: skip


def _words_of_marks(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    return [{"text": escaped(mark.text), "x": mark.value, "y": 1, "yref": "paper", "yanchor": "bottom",
             "showarrow": False, "font": {"size": SMALL}} for mark in marks if mark.text]  # fmt: skip


def _words_of_sides(words: Sequence[str]) -> list[dict[str, Any]]:
    looks = {"y": 0, "yref": "paper", "yanchor": "bottom", "yshift": 4, "showarrow": False, "xref": "paper",
             "font": {"size": SMALL}, "bgcolor": "#ffffff"}  # fmt: skip
    return [
        {**looks, "text": text, "x": place, "xanchor": side, "align": side}
        for text, place, side in zip(words, (0, 1), ("left", "right"), strict=True) if text
    ]  # fmt: skip

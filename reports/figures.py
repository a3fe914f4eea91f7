"""Charts: one figure per outcome, made from gated rows only, every label escaped."""

from __future__ import annotations

import html
import json
import textwrap
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Measure, StudyDesign, Timepoint
from reports.cells import value_cell
from reports.numbers import NO_BREAK, decimals_of, format_interval, format_number, format_threshold, scale_of
from reports.reading import Row, Rows, pick_one
from reports.theme import FONT, INK, LINES, style_of

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
LEAST_SHARE: Final = 0.25
"""Share of a measure's range that the axis shows at least, so that a trifle does not look large."""
DODGE: Final = 0.02
"""Share of the study's length by which arms stand beside each other, so that intervals do not cover each other."""


def plot_outcome(rows: Rows, design: StudyDesign, measure: Measure) -> go.Figure | None:
    """Return the marginal means of one outcome over time, by arm, with 95 % intervals.

    Parameters
    ----------
    rows : tuple of Row
        Gated ``marginal_mean`` rows of the outcome; hidden ones are left out, and the line is broken there.
    design : StudyDesign
        Arms, and timepoints with their weeks: the time axis is true to scale.
    measure : Measure
        Range in points and direction.

    Returns
    -------
    Figure or None
        None where no mean may be shown.
    """
    shown = [row for row in rows if has_interval(row)]
    if not shown:
        return None
    figure = go.Figure()
    for position in range(len(design.arms)):
        figure.add_trace(_trace(position, rows, design, measure))
    weeks = [timepoint.week for timepoint in design.timepoints]
    edge = 0.06 * _span(design)
    axis = {"fixedrange": True, "linecolor": INK, "ticks": "outside", "tickcolor": INK, "zeroline": False}
    figure.update_layout(
        template=None,
        height=HEIGHT,
        autosize=True,
        dragmode=False,
        hovermode="closest",
        showlegend=len(design.arms) > 1,
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        font={"family": FONT, "size": 14, "color": INK},
        margin={"l": 64, "r": 36, "t": 12, "b": 64},
        legend={"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        xaxis={
            **axis,
            "tickvals": weeks,
            "ticktext": [_tick(timepoint.label) for timepoint in design.timepoints],
            "range": [min(weeks) - edge, max(weeks) + edge],
            "showgrid": False,
            "ticklabeloverflow": "allow",
            "tickangle": 0,
        },
        yaxis={
            **axis,
            "title": {"text": _axis_title(measure), "standoff": 14},
            "range": list(axis_range(shown, measure)),
            "gridcolor": LINES,
            "automargin": True,
        },
    )
    return figure


def figure_json(figure: go.Figure) -> str:
    """Return a figure as JSON that is safe inside a ``script`` element, the same text for the same figure."""
    text = json.dumps(figure.to_plotly_json(), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def axis_range(rows: list[Row], measure: Measure) -> tuple[float, float]:
    """Return the part of a measure's range that holds every interval, with room, at least a quarter of the range."""
    low, high = min(row.conf_low for row in rows), max(row.conf_high for row in rows)
    whole = measure.maximum - measure.minimum
    width = max((high - low) * 1.15, whole * LEAST_SHARE)
    middle = (low + high) / 2
    start = min(max(middle - width / 2, min(measure.minimum, low)), max(measure.maximum, high) - width)
    return max(start, min(measure.minimum, low)), start + width


def has_interval(row: Row) -> bool:
    """Tell whether a mean and both ends of its interval may be drawn."""
    return row.is_shown and row.conf_low == row.conf_low and row.conf_high == row.conf_high


def _trace(position: int, rows: Rows, design: StudyDesign, measure: Measure) -> go.Scatter:
    arm, style = design.arms[position], style_of(position)
    offset = DODGE * _span(design) * (position - (len(design.arms) - 1) / 2)
    points = [(timepoint, pick_one(rows, arm=arm.id, timepoint=timepoint.id)) for timepoint in design.timepoints]
    drawn = [(timepoint, row if row is not None and has_interval(row) else None) for timepoint, row in points]
    return go.Scatter(
        name=_wrapped(arm.label, 24),
        mode="lines+markers",
        connectgaps=False,
        hoverinfo="text",
        x=[timepoint.week + offset for timepoint, _ in drawn],
        y=[row.value if row else None for _, row in drawn],
        hovertext=[_hover(arm.label, timepoint, row, measure) if row else "" for timepoint, row in drawn],
        line={"color": style.colour, "dash": style.dash, "width": 2.5},
        marker={"symbol": style.symbol, "size": 11, "color": style.colour, "line": {"color": style.colour, "width": 2}},
        error_y={
            "type": "data",
            "symmetric": False,
            "color": style.colour,
            "thickness": 1.6,
            "width": 5,
            "array": [row.conf_high - row.value if row else None for _, row in drawn],
            "arrayminus": [row.value - row.conf_low if row else None for _, row in drawn],
        },
    )


def _hover(label: str, timepoint: Timepoint, row: Row, measure: Measure) -> str:
    decimals = decimals_of(measure)
    return html.escape(
        f"{label}, {timepoint.label}: {value_cell(row, decimals)} "
        f"(95{NO_BREAK}% interval {format_interval(row.conf_low, row.conf_high, decimals)})",
        quote=False,
    )


def _axis_title(measure: Measure) -> str:
    good = "higher" if measure.higher_is == "better" else "lower"
    return f"{_wrapped(measure.label, 34)}<br>{scale_of(measure)}, {good} is better"


def _wrapped(text: str, width: int) -> str:
    """Return escaped text in lines; the breaks are the only mark-up that plotly sees."""
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return "<br>".join(html.escape(line, quote=False) for line in lines) or NO_BREAK


def _tick(label: str) -> str:
    """Return a label of the time axis, a word or two to a line, so that neighbours do not touch on a phone."""
    lines = textwrap.wrap(label, 7, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(_wrapped(line, 14) for line in lines) or NO_BREAK


def _span(design: StudyDesign) -> float:
    weeks = [timepoint.week for timepoint in design.timepoints]
    return (max(weeks) - min(weeks)) or 1.0


def describe_axis(rows: Rows, measure: Measure) -> str:
    """Say which part of a measure's range a chart shows."""
    low, high = axis_range([row for row in rows if has_interval(row)], measure)
    return (
        f"The axis shows {format_number(low, 0)} to {format_number(high, 0)} of the possible "
        f"{format_threshold(measure.minimum)} to {format_threshold(measure.maximum)}{_whole_unit(measure)}."
    )


def _whole_unit(measure: Measure) -> str:
    return {"points": " points", "percent": " percent"}.get(measure.unit, "")

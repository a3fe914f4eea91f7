"""The path of each arm over time: marginal means with intervals, made from gated rows only."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from analysis.design import Measure, StudyDesign, Timepoint
from analysis.plan import Outcome
from reports.cells import INTERVAL, value_cell
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, axis_title, escaped, lay_out, tick, wrapped
from reports.numbers import NO_BREAK, decimals_of, format_interval, format_number, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.theme import style_of

LEAST_SHARE: Final = 0.25
"""Share of a measure's range that the axis shows at least, so that a trifle does not look large."""
DODGE: Final = 0.02
"""Share of the study's length by which arms stand beside each other, so that intervals do not cover each other."""


def draw_trajectories(outcome: Outcome, rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the path of each arm over time as an illustration of an outcome; nothing where no mean may be shown.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    means = pick(rows, analysis="model", statistic="marginal_mean", outcome=outcome.id)
    measure = content.plan.measure_of(outcome.id, content.design)
    figure = plot_outcome(means, content.design, measure)
    if figure is None:
        return ()
    caption = _caption(means, outcome, rows, content)
    alternative = f"Line chart of model means of {measure.label} over time. The table below holds the same numbers."
    return (Illustration(id=f"trajectories-{outcome.id}", figure=figure, caption=caption, alternative=alternative),)


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
    return lay_out(
        figure,
        showlegend=len(design.arms) > 1,
        xaxis={
            **AXIS,
            "tickvals": weeks,
            "ticktext": [tick(timepoint.label) for timepoint in design.timepoints],
            "range": [min(weeks) - edge, max(weeks) + edge],
            "showgrid": False,
            "ticklabeloverflow": "allow",
            "tickangle": 0,
        },
        yaxis={
            **AXIS,
            "title": {"text": axis_title(measure), "standoff": 14},
            "range": list(axis_range(shown, measure)),
            "gridcolor": GRID,
            "automargin": True,
        },
    )


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


def _caption(means: Rows, outcome: Outcome, rows: Rows, content: ReportContent) -> str:
    """Say what to see in a chart: where each arm started and ended, and how to read it."""
    design, measure = content.design, content.plan.measure_of(outcome.id, content.design)
    decimals = decimals_of(measure)
    paths = []
    for position, arm in enumerate(design.arms):
        ends = [pick_one(means, arm=arm.id, timepoint=at.id) for at in (design.timepoints[0], design.timepoints[-1])]
        drawn = f" ({style_of(position).words})" if len(design.arms) > 1 else ""
        if all(row is not None and row.is_shown for row in ends):
            start, end = (value_cell(row, decimals) for row in ends)
            paths.append(
                f"{arm.label}{drawn}: {start} at {design.timepoints[0].label}, {end} at {design.timepoints[-1].label}."
            )
        else:
            paths.append(f"{arm.label}{drawn}: not shown at every timepoint.")
    models = {row.method for row in pick(rows, analysis="model", outcome=outcome.id, verdict="estimated")}
    first = " Of several models that the plan asks for, this is the first." if len(models) > 1 else ""
    samples = " Each point is a sample of its own; the line follows nobody." if design.is_resampled else ""
    samples = " In the model, all who are on the same side share one mean." if design.is_stepped_wedge else samples
    return (
        f"Model means of {measure.label} with {INTERVAL}s over time.{samples} {' '.join(paths)} "
        f"{describe_axis(means, measure)} The same numbers stand in the table below.{first}"
    )


def _trace(position: int, rows: Rows, design: StudyDesign, measure: Measure) -> go.Scatter:
    arm, style = design.arms[position], style_of(position)
    offset = DODGE * _span(design) * (position - (len(design.arms) - 1) / 2)
    points = [(timepoint, pick_one(rows, arm=arm.id, timepoint=timepoint.id)) for timepoint in design.timepoints]
    drawn = [(timepoint, row if row is not None and has_interval(row) else None) for timepoint, row in points]
    return go.Scatter(
        name=wrapped(arm.label, 24),
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
    return escaped(
        f"{label}, {timepoint.label}: {value_cell(row, decimals)} "
        f"(95{NO_BREAK}% interval {format_interval(row.conf_low, row.conf_high, decimals)})"
    )


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

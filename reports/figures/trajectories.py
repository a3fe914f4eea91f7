"""The path of each arm over time: marginal means with intervals, made from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import plotly.graph_objects as go

from analysis.design import Measure, StudyDesign, Timepoint
from analysis.model_words import COMMON_BASELINE
from analysis.plan import Outcome
from reports.cells import value_cell
from reports.content import ReportContent
from reports.design_words import say_observed
from reports.figures.drawing import AXIS, GRID, axis_title, better_end, for_pointer, lay_out, time_axis, wrapped
from reports.language import say
from reports.numbers import decimals_of, format_interval, format_number, format_threshold
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
    alternative = say(
        "Line chart of model means of {measure} over time. The table below holds the same numbers.",
        measure=measure.label,
    )
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
        xaxis={**time_axis(design.timepoints), "range": [min(weeks) - edge, max(weeks) + edge]},
        yaxis={
            **AXIS,
            "title": {"text": axis_title(measure), "standoff": 14},
            "range": list(axis_range(shown, measure)),
            "gridcolor": GRID,
            "automargin": True,
        },
        annotations=[better_end(measure)],
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
    sentences = [say("Model means of {measure} with 95\u00a0% intervals over time.", measure=measure.label)]
    if design.is_stepped_wedge:
        sentences.append(say("In the model, all who are on the same side share one mean."))
    elif design.is_resampled:
        sentences.append(say("Each point is a sample of its own; the line follows nobody."))
    sentences += [_path(position, means, design, measure) for position in range(len(design.arms))]
    sentences += _say_start(means, outcome, rows, design)
    sentences += [describe_axis(means, measure), say("The same numbers stand in the table below.")]
    models = {row.method for row in pick(rows, analysis="model", outcome=outcome.id, verdict="estimated")}
    if len(models) > 1:
        sentences.append(say("Of several models that the plan asks for, this is the first."))
    return " ".join(sentences)


def _say_start(means: Rows, outcome: Outcome, rows: Rows, design: StudyDesign) -> Iterator[str]:
    """Yield that the model has one mean at baseline for all arms, and where the observed ones stand."""
    at_start = {"outcome": outcome.id, "timepoint": design.baseline.id}
    begun = [row for row in pick(means, timepoint=design.baseline.id) if row.is_shown]
    if len(begun) < 2 or not all(COMMON_BASELINE in row.method for row in begun):
        return
    yield say("The model takes the arms to start alike.")
    if any(row.is_shown for row in pick(rows, analysis="descriptive", statistic="mean", **at_start)):
        yield say(
            "What was observed at {baseline} stands under \u201c{heading}\u201d.",
            baseline=design.baseline.label,
            heading=say_observed(outcome, design),
        )


def _path(position: int, means: Rows, design: StudyDesign, measure: Measure) -> str:
    """Say where an arm started and ended, and how it is drawn where there are several."""
    arm, style = design.arms[position].label, style_of(position).words
    first, last = design.timepoints[0], design.timepoints[-1]
    ends = [pick_one(means, arm=design.arms[position].id, timepoint=at.id) for at in (first, last)]
    is_one = len(design.arms) == 1
    if not all(row is not None and row.is_shown for row in ends):
        if is_one:
            return say("{arm}: not shown at every timepoint.", arm=arm)
        return say("{arm} ({style}): not shown at every timepoint.", arm=arm, style=style)
    start, end = (value_cell(row, decimals_of(measure)) for row in ends)
    path = {"arm": arm, "start": start, "first": first.label, "end": end, "last": last.label}
    if is_one:
        return say("{arm}: {start} at {first}, {end} at {last}.", **path)
    return say("{arm} ({style}): {start} at {first}, {end} at {last}.", style=style, **path)


def _trace(position: int, rows: Rows, design: StudyDesign, measure: Measure) -> go.Scatter:
    arm, style = design.arms[position], style_of(position)
    offset = DODGE * _span(design) * (position - (len(design.arms) - 1) / 2)
    points = [(timepoint, pick_one(rows, arm=arm.id, timepoint=timepoint.id)) for timepoint in design.timepoints]
    drawn = [(timepoint, row if row is not None and has_interval(row) else None) for timepoint, row in points]
    return go.Scatter(
        name=wrapped(arm.label, 24),
        mode="lines+markers",
        connectgaps=False,
        cliponaxis=False,
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
    return for_pointer(
        say(
            "{arm}, {timepoint}: {mean} (95\u00a0% interval {interval})",
            arm=label,
            timepoint=timepoint.label,
            mean=value_cell(row, decimals),
            interval=format_interval(row.conf_low, row.conf_high, decimals),
        )
    )


def _span(design: StudyDesign) -> float:
    weeks = [timepoint.week for timepoint in design.timepoints]
    return (max(weeks) - min(weeks)) or 1.0


def describe_axis(rows: Rows, measure: Measure) -> str:
    """Say which part of a measure's range a chart shows."""
    low, high = axis_range([row for row in rows if has_interval(row)], measure)
    ends = {
        "low": format_number(low, 0),
        "high": format_number(high, 0),
        "minimum": format_threshold(measure.minimum),
        "maximum": format_threshold(measure.maximum),
    }
    if measure.unit == "points":
        return say("The axis shows {low} to {high} of the possible {minimum} to {maximum} points.", **ends)
    if measure.unit == "percent":
        return say("The axis shows {low} to {high} of the possible {minimum} to {maximum} percent.", **ends)
    return say("The axis shows {low} to {high} of the possible {minimum} to {maximum}.", **ends)

"""How well the items of each measure agree in this sample: alpha with its interval, and omega, from gated rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import plotly.graph_objects as go

from analysis.design import Measure, Timepoint
from reports.content import ReportContent
from reports.figures.drawing import escaped, for_pointer
from reports.figures.intervals import has_interval
from reports.figures.strips import lay_out_strips, lay_strips, name_in_legend
from reports.instrument_tables import say_few_people
from reports.language import say
from reports.numbers import format_interval, format_number
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.theme import INK, style_of

ENOUGH: Final = 0.7
"""What is commonly asked for to compare groups (Nunnally and Bernstein 1994)."""
_LEAST: Final = 0.5
"""Where the axis begins at the latest."""
_STEP: Final = 15.0
_MOST_TIMEPOINTS: Final = 4


class Occasion(NamedTuple):
    """Alpha and omega of a measure at a timepoint; omega is None where it is not shown."""

    measure: Measure
    timepoint: Timepoint
    alpha: Row
    omega: Row | None


def draw_reliability(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the reliability of each measure at each timepoint; nothing where none may be shown.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    every = content.design.timepoints
    drawn = every if len(every) <= _MOST_TIMEPOINTS else (every[0], every[-1])
    known = _occasions(rows, content)
    found = [each for each in known if each.timepoint in drawn]
    if not found:
        return ()
    values = [each.alpha.value for each in known]  # of every timepoint, as in the table
    low, high, weak = min(values), max(values), min(values) < ENOUGH
    has_intervals = [has_interval(each.alpha) for each in found]
    ends = {"low": format_number(low, 2), "high": format_number(high, 2), "enough": format_number(ENOUGH, 1)}
    caption = [
        say("Cronbach\u2019s alpha, by measure and timepoint: {low} (1 is best).", **ends)
        if ends["low"] == ends["high"]
        else say("Cronbach\u2019s alpha, by measure and timepoint: from {low} to {high} (1 is best).", **ends),
        say("The dashed line is at {enough}, which is commonly asked for.", **ends),
        say("No value is below it.") if not weak else say("Some values are below it: such scores hold more chance."),
    ]
    if len(drawn) < len(every):
        first, last = (each.label for each in drawn)
        caption.append(
            say("Drawn are {first} and {last} alone; the table holds every timepoint.", first=first, last=last)
        )
    if any(has_intervals) and not all(has_intervals):
        caption.append(say("Where no interval is drawn, it is not shown."))
    caption += say_few_people(rows, content.design)
    return (
        Illustration(
            id="reliability",
            figure=_plot(found, content),
            caption=" ".join(caption),
            alternative=say(
                "Cronbach\u2019s alpha with intervals, and omega where it is known, for each measure and timepoint, "
                "with a line at {enough}. The table below holds the same numbers.",
                **ends,
            )
            if any(has_intervals)
            else say(
                "Cronbach\u2019s alpha, and omega where it is known, for each measure and timepoint, with a line at "
                "{enough}. The table below holds the same numbers.",
                **ends,
            ),
        ),
    )


def _occasions(rows: Rows, content: ReportContent) -> list[Occasion]:
    design, own = content.design, pick(rows, analysis="reliability")
    found = []
    for measure in design.measures.values():
        for timepoint in design.timepoints:
            place = {"outcome": measure.id, "timepoint": timepoint.id}
            alpha, omega = (pick_one(own, statistic=name, **place) for name in ("cronbach_alpha", "omega_total"))
            if alpha is not None and alpha.is_shown:
                found.append(
                    Occasion(measure, timepoint, alpha, omega if omega is not None and omega.is_shown else None)
                )
    return found


def _plot(found: Sequence[Occasion], content: ReportContent) -> go.Figure:
    measures = list(dict.fromkeys(each.measure.id for each in found))
    timepoints = [known for known in content.design.timepoints if any(each.timepoint == known for each in found)]
    strips = lay_strips(
        [content.design.measures[name].label for name in measures], body=_STEP * (len(timepoints) + 0.5)
    )
    tops = {
        name: middle + _STEP * (len(timepoints) - 1) / 2 for name, middle in zip(measures, strips.middles, strict=True)
    }
    heights = {(each.measure.id, each.timepoint.id): tops[each.measure.id] - _STEP * timepoints.index(each.timepoint)
               for each in found}  # fmt: skip
    figure, names = go.Figure(), []
    for position, timepoint in enumerate(timepoints):
        own = [each for each in found if each.timepoint == timepoint]
        names.append(say("Alpha, {timepoint}", timepoint=timepoint.label))
        figure.add_trace(_alphas(own, position, names[-1], heights))
    with_omega = [each for each in found if each.omega is not None]
    if with_omega:
        names.append(say("Omega"))
        figure.add_trace(_omegas(with_omega, names[-1], heights))
    lowest = min([_LEAST, *(end for each in found for end in _numbers(each))])
    axis = {"range": [max(lowest - 0.02, -1.0), 1.0], "title": {"text": escaped(say("Alpha or omega"))}, "nticks": 6,
            "ticklabeloverflow": "allow"}  # fmt: skip
    line: dict[str, Any] = {"type": "line", "x0": ENOUGH, "x1": ENOUGH, "yref": "paper", "y0": 0, "y1": 1,
                            "layer": "between", "line": {"color": INK, "width": 2, "dash": "dash"}}  # fmt: skip
    return lay_out_strips(figure, strips, axis, names=names, shapes=[line])


def _numbers(each: Occasion) -> list[float]:
    numbers = [each.alpha.value, each.alpha.conf_low, each.omega.value if each.omega is not None else 1.0]
    return [number for number in numbers if number == number]


def _alphas(found: Sequence[Occasion], position: int, name: str, heights: dict[tuple[str, str], float]) -> go.Scatter:
    style = style_of(position)
    ends = [(each.alpha.conf_high - each.alpha.value, each.alpha.value - each.alpha.conf_low)
            if has_interval(each.alpha) else (None, None) for each in found]  # fmt: skip
    return go.Scatter(
        name=name_in_legend(name), mode="markers", hoverinfo="text", cliponaxis=False,
        x=[each.alpha.value for each in found], y=[heights[each.measure.id, each.timepoint.id] for each in found],
        hovertext=[for_pointer(_hover(each)) for each in found],
        marker={"symbol": style.symbol, "size": 9, "color": style.colour, "line": {"color": style.colour, "width": 2}},
        error_x={"type": "data", "symmetric": False, "color": style.colour, "thickness": 1.6, "width": 4,
                 "array": [above for above, _ in ends], "arrayminus": [below for _, below in ends]},
    )  # fmt: skip


def _omegas(found: Sequence[Occasion], name: str, heights: dict[tuple[str, str], float]) -> go.Scatter:
    return go.Scatter(
        name=escaped(name), mode="markers", hoverinfo="skip", cliponaxis=False,
        x=[each.omega.value for each in found if each.omega is not None],
        y=[heights[each.measure.id, each.timepoint.id] for each in found],
        marker={"symbol": "line-ns", "size": 9, "color": INK, "line": {"color": INK, "width": 2}},
    )  # fmt: skip


def _hover(each: Occasion) -> str:
    values = {"measure": each.measure.label, "timepoint": each.timepoint.label,
              "alpha": format_number(each.alpha.value, 2)}  # fmt: skip
    if not has_interval(each.alpha):
        return say("{measure}, {timepoint}: alpha {alpha}", **values)
    interval = format_interval(each.alpha.conf_low, each.alpha.conf_high, 2)
    return say("{measure}, {timepoint}: alpha {alpha} (95\u00a0% interval {interval})", **values, interval=interval)

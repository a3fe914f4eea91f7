"""The same question under other assumptions about those who left: how far the answer moves, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import plotly.graph_objects as go

from analysis.design import Measure, StudyDesign
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Delta
from analysis.sensitivity.rows import AT_RANDOM, list_planned, name_delta, name_event
from analysis.sensitivity.tipping import TIPPING_POINT
from reports.cells import value_cell
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, better_end, escaped, for_pointer, lay_out, wrapped
from reports.figures.intervals import (
    BAND,
    Interval,
    Mark,
    better_side,
    find_range,
    has_interval,
    plot_intervals,
    say_interval,
)
from reports.figures.strips import SMALL
from reports.language import say
from reports.numbers import decimals_of, format_number, say_amount, scale_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.theme import INK, style_of

_ESTIMATES: Final = ("difference", "change")
_LAST: Final = "completers"


def draw_sensitivity(outcome: Outcome, rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the answer to each question of an outcome under each assumption, and how far points added move it.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results; an analysis that is hidden is not drawn, and without any there is no figure.
    content : ReportContent
        Labels, design and plan.
    """
    drawn: list[Illustration] = []
    for estimand in content.plan.estimands:
        main = pick_one(rows, analysis="model", estimand=estimand.id, statistic=_ESTIMATES)
        own = pick(rows, analysis="sensitivity", estimand=estimand.id)
        if estimand.outcome == outcome.id and main is not None and has_interval(main):
            drawn += _of_assumptions(estimand, main, own, content)
            drawn += _of_points(estimand, own, content)
    return tuple(drawn)


def _of_assumptions(estimand: Estimand, main: Row, own: Rows, content: ReportContent) -> Iterator[Illustration]:
    planned = list_planned(content.plan)
    order = [AT_RANDOM, *(item for item in planned if item != _LAST), *(item for item in planned if item == _LAST)]
    found = [(item, pick_one(own, item=item, statistic=_ESTIMATES)) for item in order]
    others = [(item, row) for item, row in found if row is not None and has_interval(row)]
    if not others:
        return
    measure = content.plan.measure_of(estimand.outcome, content.design)
    labels = [(say("Main analysis"), main), *((_assumption(item, estimand, content), row) for item, row in others)]
    intervals = [Interval(label, row, say_interval(label, row, measure), is_main=row is main)
                 for label, row in labels]  # fmt: skip
    smallest = content.plan.outcome(estimand.outcome).smallest_meaningful_change
    band = smallest.value if smallest is not None else None
    yield Illustration(
        id=f"sensitivity-{estimand.id}",
        figure=plot_intervals(
            intervals, wrapped(_title(estimand, measure, content.design), 30), marks=(Mark(0.0),), band=band,
            sides=better_side(measure),
        ),
        caption=" ".join(_caption(estimand, main, [row for _, row in others], content)),
        alternative=say(
            "Intervals, one below the other: the main analysis of {measure} at {timepoint} first, then the same "
            "question under each other assumption. The table below holds the same numbers.",
            measure=measure.label,
            timepoint=_at(estimand, content.design),
        ),
    )  # fmt: skip


def _caption(estimand: Estimand, main: Row, others: list[Row], content: ReportContent) -> Iterator[str]:
    design, measure = content.design, content.plan.measure_of(estimand.outcome, content.design)
    ends = [end(others, key=lambda row: row.value) for end in (min, max)]
    said, low, high = (value_cell(row, decimals_of(measure)) for row in (main, *ends))
    values = {"timepoint": _at(estimand, design), "main": said, "low": low, "high": high}
    if len(others) == 1:
        yield say(
            "At {timepoint}, the main analysis says {main}; under the other assumption that is shown it is {low}.",
            **{name: value for name, value in values.items() if name != "high"},
        )
    elif low == high:
        yield say(
            "At {timepoint}, the main analysis says {main}; under each other assumption that is shown it is {low}.",
            **{name: value for name, value in values.items() if name != "high"},
        )
    else:
        yield say(
            "At {timepoint}, the main analysis says {main}; under the other assumptions that are shown it is {low} to "
            "{high}.",
            **values,
        )
    agree = all(_leaves_out_zero(row) == _leaves_out_zero(main) for row in others)
    if _leaves_out_zero(main) and agree:
        yield say("The main interval leaves out zero, and so do all others that are shown.")
    elif _leaves_out_zero(main):
        yield say("The main interval leaves out zero; not all others that are shown do.")
    elif agree:
        yield say("The main interval holds zero, and so do all others that are shown.")
    else:
        yield say("The main interval holds zero; not all others that are shown do.")
    smallest = content.plan.outcome(estimand.outcome).smallest_meaningful_change
    if smallest is not None:
        yield say(
            "Shaded: less than {amount} either way, which people would hardly notice.",
            amount=say_amount(smallest.value, measure),
        )


def _leaves_out_zero(row: Row) -> bool:
    return row.conf_low > 0 or row.conf_high < 0


def _of_points(estimand: Estimand, own: Rows, content: ReportContent) -> Iterator[Illustration]:
    """Yield how the answer moves with points added to the missing scores, where any such analysis is shown."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    deltas = {name_delta(each): each.delta for each in content.plan.sensitivity if isinstance(each, Delta)}
    found = {0.0: pick_one(own, item=AT_RANDOM, statistic=_ESTIMATES)}
    found |= {points: pick_one(own, item=name, statistic=_ESTIMATES) for name, points in deltas.items()}
    shown = {points: row for points, row in sorted(found.items()) if row is not None and has_interval(row)}
    row = pick_one(own, statistic=TIPPING_POINT)
    sign = 1.0 if measure.higher_is == "worse" else -1.0
    tipping = sign * row.value if row is not None and row.is_shown else None
    if 0.0 not in shown or len(shown) < 2:
        return  # one result and a tipping point are told in words
    arm = _first_arm(estimand, content.design)
    yield Illustration(
        id=f"points-added-{estimand.id}",
        figure=_plot_points(shown, tipping, _points_title(arm), estimand, content),
        caption=" ".join(_points_caption(shown, tipping, estimand, content)),
        alternative=say(
            "Chart of the result for {measure} at {timepoint} against points by which the people who left are taken to "
            "have scored worse. Its numbers stand in the sentences and the table of this part.",
            measure=measure.label,
            timepoint=_at(estimand, content.design),
        ),
    )


def _plot_points(
    shown: dict[float, Row], tipping: float | None, title: str, estimand: Estimand, content: ReportContent
) -> go.Figure:
    measure, style = content.plan.measure_of(estimand.outcome, content.design), style_of(0)
    rows, points = list(shown.values()), list(shown)
    figure = go.Figure(
        go.Scatter(
            mode="lines+markers", hoverinfo="text", showlegend=False, x=points, y=[row.value for row in rows],
            hovertext=[for_pointer(say_interval(_worse(at, measure), row, measure)) for at, row in shown.items()],
            line={"color": style.colour, "width": 2}, marker={"symbol": "circle", "size": 11, "color": style.colour},
            cliponaxis=False,
            error_y={"type": "data", "symmetric": False, "color": style.colour, "thickness": 2, "width": 5,
                     "array": [row.conf_high - row.value for row in rows],
                     "arrayminus": [row.value - row.conf_low for row in rows]},
        )
    )  # fmt: skip
    most = measure.maximum - measure.minimum
    is_on_scale = tipping is not None and abs(tipping) <= most
    ends = [*points, *([] if tipping is None else [min(max(tipping, -most), most)])]
    room = 0.12 * (max(ends) - min(ends))
    low, high = max(min(ends) - room, min(-most, *points)), min(max(ends) + room, max(most, *points))
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": INK, "width": 1}}  # fmt: skip
    shapes, annotations = [line], [better_end(measure)]
    if tipping is not None and is_on_scale:
        shapes.append(
            {
                "type": "rect",
                "x0": tipping,
                "x1": high if tipping > 0 else low,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "fillcolor": BAND,
                "line": {"width": 0},
            }
        )
        shapes.append({"type": "line", "x0": tipping, "x1": tipping, "yref": "paper", "y0": 0, "y1": 1,
                       "line": {"color": INK, "width": 2, "dash": "dash"}})  # fmt: skip
        annotations.append({"x": tipping, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
                            "text": escaped(say("Tipping point: {points}", points=_number(tipping, measure))),
                            "xanchor": "right" if tipping > sum(ends) / len(ends) else "left"})  # fmt: skip
    across = {"text": wrapped(title, 22), "font": {"size": SMALL}, "standoff": 10}
    upward = {"text": wrapped(_title(estimand, measure, content.design), 24)}
    return lay_out(
        figure,
        height=320,
        margin={"l": 64, "r": 20, "t": 32, "b": 72},
        shapes=shapes,
        annotations=annotations,
        xaxis={**AXIS, "range": [low, high], "title": across, "showgrid": False, "nticks": 6, "tickangle": 0},
        yaxis={**AXIS, "range": list(find_range(rows, [0.0])), "gridcolor": GRID, "automargin": True, "title": upward},
    )


def _points_caption(
    shown: dict[float, Row], tipping: float | None, estimand: Estimand, content: ReportContent
) -> Iterator[str]:
    measure = content.plan.measure_of(estimand.outcome, content.design)
    yield say(
        "At {timepoint}, the further to the right, the worse the people of {arm} who left are taken to have scored "
        "than similar people who stayed. At zero the result is {main}.",
        timepoint=_at(estimand, content.design),
        arm=_first_arm(estimand, content.design),
        main=_number(shown[0.0].value, measure),
    )
    if len(shown) > 1:
        far = max(shown, key=abs)
        yield say(
            "At {points} worse it is {value}.",
            points=say_amount(far, measure),
            value=_number(shown[far].value, measure),
        )
    if tipping is None:
        return
    if abs(tipping) > measure.maximum - measure.minimum:
        yield say(
            "The tipping point lies beyond the scale: no score could be so far from another. The axis ends where the "
            "scale does."
        )
    elif tipping >= 0:
        yield say("Shaded: from {points} worse on, the interval would hold zero.", points=say_amount(tipping, measure))
    else:
        yield say(
            "Shaded: from {points} better on, the interval would hold zero.", points=say_amount(-tipping, measure)
        )


def _assumption(item: str, estimand: Estimand, content: ReportContent) -> str:
    """Return the assumption of an analysis in a few words, as the label of its interval."""
    design, plan = content.design, content.plan
    delta = next((each for each in plan.sensitivity if isinstance(each, Delta) and name_delta(each) == item), None)
    if delta is not None:
        return _worse(delta.delta, plan.measure_of(estimand.outcome, design))
    event = next((each for each in plan.intercurrent_events if name_event(each.event) == item), None)
    if event is not None:
        label = next((kind.label for kind in design.event_kinds if kind.id == event.event), event.event)
        return say("Without the scores after \u2018{event}\u2019", event=label)
    reference = design.reference.label if design.reference else ""
    return {
        AT_RANDOM: say("Those who left went on like similar people who stayed"),
        "jump_to_reference": say("Those who left were like people in {arm} from then on", arm=reference),
        "copy_reference": say("Those who left were like people in {arm} from the start", arm=reference),
        "copy_increments": say("Those who left changed like people in {arm} from then on", arm=reference),
        "multiple_imputation": say("Scores of those who left drawn many times"),
        _LAST: say("Only people with a score at every timepoint"),
        "unadjusted": say("Without allowing for any characteristics"),
        "item_imputation": say("Items that people left out filled in"),
    }.get(item, item)


def _worse(points: float, measure: Measure) -> str:
    amount = say_amount(abs(points), measure)
    if points < 0:
        return say("Those who left scored {amount} better than similar people", amount=amount)
    return say("Those who left scored {amount} worse than similar people", amount=amount)


def _points_title(arm: str) -> str:
    return say("Points worse, of people of {arm} who left", arm=arm)


def _title(estimand: Estimand, measure: Measure, design: StudyDesign) -> str:
    """Return what the axis of results is called: a change of one group is no difference of arms."""
    labels = {arm.id: arm.label for arm in design.arms} | {at.id: at.label for at in design.timepoints}
    first, second = (labels.get(side, side) for side in estimand.compared)
    if design.compares_timepoints:
        return say("Change since {second}, {unit}", second=second, unit=scale_of(measure))
    if {first, second} <= set(labels.values()):
        return say("{first} less {second}, {unit}", first=first, second=second, unit=scale_of(measure))
    return say("Difference, {unit}", unit=scale_of(measure))


def _number(value: float, measure: Measure) -> str:
    return format_number(value, decimals_of(measure))


def _at(estimand: Estimand, design: StudyDesign) -> str:
    return next(known.label for known in design.timepoints if known.id == estimand.timepoint)


def _first_arm(estimand: Estimand, design: StudyDesign) -> str:
    chosen = design.arms[0].id if design.compares_timepoints else estimand.compared.first
    return next((arm.label for arm in design.arms if arm.id == chosen), chosen)

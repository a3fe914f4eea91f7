"""Differences that the plan asked for, in multiples of the smallest that people notice, from gated rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from analysis.design import Measure
from analysis.plan import Estimand, Outcome
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claims import capital
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, for_pointer, lay_out, wrapped
from reports.language import say, say_list
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_interval, format_number, format_threshold
from reports.reading import Row, Rows, pick_one
from reports.sections import Illustration
from reports.tables import say_sides
from reports.theme import INK, style_of

BAND: Final = "#e6eaee"
_DECIMALS: Final = 2
_ROW: Final = 52
_LINE: Final = 17
_AROUND: Final = 144
_WHOLE: Final = 6
"""Multiples up to which each whole one has its tick."""
_LABEL: Final = 15
"""Characters to a line of a label: on a phone half of the width is left for the chart."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One estimand with its row; `multiples` are value, lower and upper end, better to the right, where they are shown.

    Each is a gated number divided by the declared change, with the sign turned where a lower score is better.
    """

    estimand: Estimand
    outcome: Outcome
    measure: Measure
    label: str
    row: Row | None
    multiples: tuple[float, float, float] | None


def draw_forest(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the differences that the plan asked for beside each other; nothing where none can be drawn.

    Outcomes have different units, so each difference is divided by the smallest meaningful change that the plan
    declares of its outcome, and turned so that better is to the right.

    Parameters
    ----------
    rows : tuple of Row
        Gated results, of which those of the plan's own population are drawn.
    content : ReportContent
        Labels, design and plan.
    """
    asked = [_ask(estimand, rows, content) for estimand in content.plan.estimands if estimand.population is None]
    drawn = [each for each in asked if each.multiples is not None]
    if not drawn:
        return ()
    table = _table(asked, content)
    alternative = say(
        "Chart of points with horizontal intervals, one line for each question of the plan, over multiples of the "
        "smallest difference that people notice: worse is to the left, better to the right. The table “{table}” below "
        "holds the same numbers.",
        table=table.caption,
    )
    return (
        Illustration(
            id="forest", figure=_figure(drawn), caption=_caption(drawn, content), alternative=alternative, table=table
        ),
    )


def _ask(estimand: Estimand, rows: Rows, content: ReportContent) -> _Asked:
    outcome = next(each for each in content.plan.outcomes if each.id == estimand.outcome)
    measure = content.plan.measure_of(outcome.id, content.design)
    row = pick_one(rows, estimand=estimand.id, analysis="model")
    return _Asked(
        estimand, outcome, measure, _label(estimand, measure, content), row, _multiples(row, outcome, measure)
    )


def _multiples(row: Row | None, outcome: Outcome, measure: Measure) -> tuple[float, float, float] | None:
    smallest = outcome.smallest_meaningful_change
    if row is None or smallest is None or row.verdict != "estimated" or not row.is_shown:
        return None
    if row.conf_low != row.conf_low or row.conf_high != row.conf_high:
        return None
    unit = smallest.value if measure.higher_is == "better" else -smallest.value
    value, one_end, other_end = (round(number / unit, 4) + 0.0 for number in (row.value, row.conf_low, row.conf_high))
    return value, min(one_end, other_end), max(one_end, other_end)


def _label(estimand: Estimand, measure: Measure, content: ReportContent) -> str:
    """Return outcome and timepoint, and what is compared where the plan asks for several comparisons."""
    at = next(known.label for known in content.design.timepoints if known.id == estimand.timepoint)
    name = say("{concept} at {timepoint}", concept=capital(measure.concept), timepoint=at)
    if len({each.contrast for each in content.plan.estimands}) > 1 and not content.design.compares_timepoints:
        sides = say_sides(content.design, estimand.compared)
        name = say("{question}: {comparison}", question=name, comparison=sides)
    if content.plan.is_asked_twice(estimand):
        name = say("{comparison} ({estimand})", comparison=name, estimand=estimand.id)
    return name


def _figure(drawn: list[_Asked]) -> go.Figure:
    places = list(range(len(drawn)))
    found = [each.multiples for each in drawn if each.multiples is not None]
    low, high = min(-1.25, *(each[1] for each in found)), max(1.25, *(each[2] for each in found))
    room = 0.05 * (high - low)
    labels = [wrapped(each.label, _LABEL) for each in drawn]
    row = max(_ROW, *(6 + _LINE * (label.count("<br>") + 1) for label in labels))
    return lay_out(
        go.Figure(_trace(drawn, found, places)),
        height=_AROUND + row * len(drawn),
        showlegend=False,
        margin={"l": 64, "r": 16, "t": 40, "b": 92},
        xaxis={**AXIS, "range": [low - room, high + room], "showgrid": False, "tickangle": 0,
               **({"dtick": 1} if high - low <= _WHOLE else {"nticks": 6}),
               "title": {"text": wrapped(say("multiples of the smallest difference that people notice"), 20),
                         "standoff": 8, "font": {"size": 14}}},
        yaxis={**AXIS, "range": [len(drawn) - 0.5, -0.5], "tickvals": places, "gridcolor": GRID, "automargin": True,
               "ticktext": labels, "tickfont": {"size": 13}},
        shapes=_band_and_zero(),
        annotations=[_end(0, "left", wrapped(say("worse"), 8)),
                     _end(1, "right", wrapped(say("better for people"), 12))],
    )  # fmt: skip


def _trace(drawn: list[_Asked], multiples: list[tuple[float, float, float]], places: list[int]) -> go.Scatter:
    style = style_of(0)
    return go.Scatter(
        name=say("Difference"),
        mode="markers",
        hoverinfo="text",
        x=[value for value, _, _ in multiples],
        y=places,
        hovertext=[
            for_pointer(say("{question}: {amount}", question=each.label, amount=_printed(each))) for each in drawn
        ],
        marker={
            "symbol": ["circle" if each.outcome.role == "primary" else "circle-open" for each in drawn],
            "size": 12,
            "color": style.colour,
            "line": {"color": style.colour, "width": 2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [round(high - value, 4) for value, _, high in multiples],
            "arrayminus": [round(value - low, 4) for value, low, _ in multiples],
            "color": style.colour,
            "thickness": 2,
            "width": 6,
        },
    )


def _band_and_zero() -> list[dict[str, Any]]:
    """Return the band of differences that people do not notice, its edges and the line at zero."""
    whole = {"y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    band = {**whole, "type": "rect", "x0": -1, "x1": 1, "fillcolor": BAND, "line": {"width": 0}}
    rules = [
        {**whole, "type": "line", "x0": at, "x1": at, "line": {"color": INK, "width": 1, "dash": dash}}
        for at, dash in ((-1, "dot"), (0, "solid"), (1, "dot"))
    ]
    return [band, *rules]


def _end(x: int, side: str, text: str) -> dict[str, Any]:
    """Return the words at one end of the axis, above the chart."""
    return {"x": x, "xref": "paper", "xanchor": side, "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 2,
            "showarrow": False, "font": {"size": 13}, "text": text}  # fmt: skip


def _printed(each: _Asked) -> str:
    """Return multiple and interval: ``1.50 (0.70 to 2.30)``."""
    assert each.multiples is not None  # noqa: S101 - only what is drawn is printed
    value, low, high = each.multiples
    return say(
        "{value} ({interval})",
        value=format_number(value, _DECIMALS),
        interval=format_interval(low, high, _DECIMALS),
    )


def _table(asked: list[_Asked], content: ReportContent) -> Table:
    lines, undeclared = [], []
    for each in asked:
        smallest = each.outcome.smallest_meaningful_change
        if smallest is None:
            undeclared.append(each.label)
            continue
        decimals = decimals_of(each.measure)
        declared = format_threshold(smallest.value)
        if each.row is None or each.row.verdict != "estimated":
            lines.append((each.label, say("not computed"), NOTHING, declared, NOTHING, NOTHING))
            continue
        multiple, interval = (say(NOT_SHOWN) if each.row.hidden else NOTHING), NOTHING
        if each.multiples is not None:
            value, low, high = each.multiples
            multiple, interval = format_number(value, _DECIMALS), format_interval(low, high, _DECIMALS)
        lines.append((each.label, value_cell(each.row, decimals), interval_cell(each.row, decimals), declared,
                      multiple, interval))  # fmt: skip
    columns = (say("Question"), say("Difference"), say(INTERVAL), say("Smallest difference that people notice"),
               say("In multiples of it, better above zero"), say(INTERVAL))  # fmt: skip
    notes = list(mark_notes(tuple(lines)))
    if undeclared:
        notes.append(
            say(
                "Not drawn, because the plan names no smallest difference that people notice: {questions}.",
                questions=say_list(undeclared),
            )
        )
    later = sum(estimand.population is not None for estimand in content.plan.estimands)
    if later:
        notes.append(say("Questions about people who were chosen later are not drawn; their cards answer them."))
    caption = say("Differences against the smallest that people notice")
    return Table(caption, columns, tuple(lines), tuple(notes))


def _caption(drawn: list[_Asked], content: ReportContent) -> str:
    """Say how to read the chart, with the first question as the example."""
    first = drawn[0]
    assert first.multiples is not None  # noqa: S101 - it is drawn
    value, low, high = first.multiples
    contrasts = {each.estimand.contrast for each in drawn}
    sentences = [
        say("What the plan asked for, in its order, each held against the smallest difference that people notice.")
    ]
    if len(contrasts) == 1:
        sides = say_sides(content.design, first.estimand.compared)
        sentences.append(say("Each point is a difference: {comparison}.", comparison=sides))
    sentences.append(
        say(
            "{question}: {multiple} times that difference (95\u00a0% interval {interval}); above zero, to the right, "
            "is better.",
            question=first.label,
            multiple=format_number(value, _DECIMALS),
            interval=format_interval(low, high, _DECIMALS),
        )
    )
    sentences.append(
        say(
            "Inside the shaded band, from {low} to {high}, it is smaller than people notice; an interval that crosses "
            "an edge of the band leaves that open.",
            low=format_number(-1, 0),
            high=format_number(1, 0),
        )
    )
    if len({each.outcome.role == "primary" for each in drawn}) > 1:
        sentences.append(say("A filled circle is the primary outcome, open circles are the others."))
    return " ".join(sentences)

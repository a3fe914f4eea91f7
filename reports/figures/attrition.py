"""How many of those who started answered at each timepoint: a line for each arm, from gated rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from analysis.design import Arm, StudyDesign, Timepoint
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, for_pointer, lay_out, time_axis, wrapped
from reports.language import say, say_list
from reports.numbers import format_share
from reports.reading import Row, Rows, pick_one
from reports.sections import Illustration
from reports.theme import style_of

HEIGHT: Final = 310
AT_LEAST_SYMBOL: Final = "circle-open"
"""Marks a share of which only the least is known; no arm has it."""
_MARKS: Final = (0, 25, 50, 75, 100)
_EDGE: Final = 0.08
_TOP: Final = 120
"""Above everybody, so that words over a mark have room."""


@dataclass(frozen=True, slots=True)
class _Point:
    """The share of an arm that answered at a timepoint, in percent of those who started."""

    timepoint: Timepoint
    percent: float
    words: str
    is_least: bool


def draw_attrition(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return the share that answered at each timepoint; nothing where no share may be shown or nobody is followed.

    Parameters
    ----------
    rows : tuple of Row
        Gated results; where only the least number of people is known, its share is drawn as such.
    content : ReportContent
        Labels and design.
    """
    design = content.design
    if design.is_resampled:
        return ()
    drawn = [(position, _points(rows, arm, design)) for position, arm in enumerate(design.arms)]
    drawn = [(position, points) for position, points in drawn if points]
    if not drawn:
        return ()
    figure = go.Figure([_trace(design.arms[position], position, points) for position, points in drawn])
    weeks = [timepoint.week for timepoint in design.timepoints]
    edge = _EDGE * ((max(weeks) - min(weeks)) or 1.0)
    lay_out(
        figure,
        height=HEIGHT,
        showlegend=len(design.arms) > 1,
        margin={"l": 64, "r": 36, "t": 12, "b": 48},
        xaxis={**time_axis(design.timepoints), "range": [min(weeks) - edge, max(weeks) + edge]},
        yaxis={**AXIS, "title": {"text": wrapped(say("Answered, of those who started"), 20), "standoff": 14},
               "range": [0, _TOP], "tickvals": list(_MARKS), "ticktext": [format_share(mark, 100) for mark in _MARKS],
               "gridcolor": GRID, "automargin": True},
    )  # fmt: skip
    alternative = say(
        "Line chart of the share of those who started that answered, from 0 to 100 percent, over time, with a line for "
        "each arm. The table of people below holds the same numbers."
    )
    return (
        Illustration(id="attrition", figure=figure, caption=_caption(drawn, content.design), alternative=alternative),
    )


def _points(rows: Rows, arm: Arm, design: StudyDesign) -> list[_Point]:
    started = pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)
    if started is None or not started.is_exact or not started.n > 0:
        return []
    found = []
    for timepoint in design.timepoints:
        answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
        if answered is not None and (answered.is_exact or answered.is_bounded):
            known = answered.n if answered.is_exact else answered.at_least
            words = _share_in_words(answered, started)
            found.append(_Point(timepoint, 100 * known / started.n, words, answered.is_bounded))
    return found


def _share_in_words(answered: Row, started: Row) -> str:
    if answered.is_exact:
        return format_share(answered.n, started.n)
    return say("at least {share}", share=format_share(answered.at_least, started.n, at_least=True))


def _trace(arm: Arm, position: int, points: list[_Point]) -> go.Scatter:
    style = style_of(position)
    below = position % 2 == 1
    return go.Scatter(
        name=wrapped(arm.label, 24),
        mode="lines+markers+text",
        hoverinfo="text",
        x=[point.timepoint.week for point in points],
        y=[round(point.percent, 4) for point in points],
        text=[wrapped(point.words, 9) if point.is_least else "" for point in points],
        textposition="bottom center" if below else "top center",
        textfont={"size": 12, "color": style.colour},
        hovertext=[
            for_pointer(
                say("{arm}, {timepoint}: {share}", arm=arm.label, timepoint=point.timepoint.label, share=point.words)
            )
            for point in points
        ],
        line={"color": style.colour, "dash": style.dash, "width": 2.5},
        marker={
            "symbol": [AT_LEAST_SYMBOL if point.is_least else style.symbol for point in points],
            "size": 11,
            "color": style.colour,
            "line": {"color": style.colour, "width": 2},
        },
        cliponaxis=False,
    )


def _caption(drawn: list[tuple[int, list[_Point]]], design: StudyDesign) -> str:
    """Say how many answered at the last timepoint that is drawn of each arm, and how to read the marks."""
    sentences = [say("How many of those who started answered at each timepoint.")]
    for position, points in drawn:
        last, arm = points[-1], design.arms[position]
        if len(design.arms) > 1:
            sentences.append(
                say(
                    "{arm} ({drawn}): {share} at {timepoint}.",
                    arm=arm.label,
                    drawn=style_of(position).words,
                    share=last.words,
                    timepoint=last.timepoint.label,
                )
            )
        else:
            sentences.append(say("{share} at {timepoint}.", share=last.words, timepoint=last.timepoint.label))
    hidden = [arm.label for position, arm in enumerate(design.arms) if position not in dict(drawn)]
    if hidden:
        sentences.append(say("Not drawn, because it is not shown: {arms}.", arms=say_list(hidden)))
    if any(point.is_least for _, points in drawn for point in points):
        sentences.append(say("An open circle stands at the least that may be said: as many as that answered, or more."))
    return " ".join(sentences)

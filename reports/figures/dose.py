"""Change by how many of the sessions people came to: an association, drawn from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import plotly.graph_objects as go

from analysis.design import Measure
from analysis.dose_part import BANDS, SLOPE
from analysis.plan import Outcome
from analysis.plan_parts import ExposureResponse
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, better_end, for_pointer, label_axis, lay_out, wrapped
from reports.figures.intervals import find_range, has_interval, say_interval
from reports.figures.strips import SMALL
from reports.language import say
from reports.numbers import decimals_of, format_number, scale_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.theme import INK, style_of

_PHONE: Final = 86.0
"""Pixels from the first share to the last on a phone."""


def draw_dose(outcome: Outcome, rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return mean change by the share of sessions that people came to; nothing unless two shares are shown.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    of_outcome = {each.id for each in content.plan.estimands if each.outcome == outcome.id}
    own = pick(rows, analysis="dose")
    parts = [part for part in content.plan.exposure_response if part.estimand in of_outcome]
    return tuple(drawn for part in parts for drawn in _of_part(part, outcome, pick(own, item=part.id), content))


def _of_part(part: ExposureResponse, outcome: Outcome, rows: Rows, content: ReportContent) -> Iterator[Illustration]:
    found = {band: pick_one(rows, statistic=f"mean_change_{band}") for band in BANDS}
    shown = {band: row for band, row in found.items() if row is not None and has_interval(row)}
    if len(shown) < 2:
        return
    measure = content.plan.measure_of(outcome.id, content.design)
    arm = next((each.label for each in content.design.arms if each.id == part.arm), part.arm)
    estimand = next(each for each in content.plan.estimands if each.id == part.estimand)
    at = next(each.label for each in content.design.timepoints if each.id == estimand.timepoint)
    places = {"measure": measure.label, "arm": arm, "timepoint": at, "baseline": content.design.baseline.label}
    yield Illustration(
        id=f"dose-{part.id}",
        figure=_plot(shown, measure, content.design.baseline.label),
        caption=" ".join(_caption(found, pick_one(rows, statistic=SLOPE), measure, places)),
        alternative=say(
            "Mean change of {measure} from {baseline} to {timepoint} in {arm}, with intervals, by the share of the "
            "sessions that people came to. The table below holds the same numbers.",
            **places,
        ),
    )


def _plot(shown: dict[str, Row], measure: Measure, baseline: str) -> go.Figure:
    style, rows, bands = style_of(0), list(shown.values()), _bands()
    title = say("Change since {baseline}, {unit}", baseline=baseline, unit=scale_of(measure))
    figure = go.Figure(
        go.Scatter(
            mode="markers", hoverinfo="text", showlegend=False, x=[BANDS.index(band) for band in shown],
            y=[row.value for row in rows],
            hovertext=[for_pointer(say_interval(bands[band], row, measure)) for band, row in shown.items()],
            marker={"symbol": "circle", "size": 12, "color": style.colour},
            error_y={"type": "data", "symmetric": False, "color": style.colour, "thickness": 2, "width": 6,
                     "array": [row.conf_high - row.value for row in rows],
                     "arrayminus": [row.value - row.conf_low for row in rows]},
        )
    )  # fmt: skip
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": INK, "width": 1}}  # fmt: skip
    return lay_out(
        figure,
        height=340,
        margin={"l": 64, "r": 16, "t": 12, "b": 112},
        shapes=[zero],
        annotations=[better_end(measure)],
        xaxis={**label_axis(range(len(BANDS)), [bands[band] for band in BANDS], _PHONE),
               "range": [-0.5, len(BANDS) - 0.5],
               "title": {"text": wrapped(say("Of the sessions offered"), 16), "font": {"size": SMALL}, "standoff": 10}},
        yaxis={**AXIS, "range": list(find_range(rows, [0.0])), "gridcolor": GRID, "automargin": True,
               "title": {"text": wrapped(title, 24)}},
    )  # fmt: skip


def _caption(
    found: dict[str, Row | None], slope: Row | None, measure: Measure, places: dict[str, str]
) -> Iterator[str]:
    bands, decimals = _bands(), decimals_of(measure)
    yield say(
        "How {measure} had changed from {baseline} to {timepoint} among people in {arm} who came to fewer or more of "
        "the sessions. Nobody was allocated to come often, so this does not tell what a session does.",
        **places,
    )
    for band, row in found.items():
        if row is not None and has_interval(row):
            yield say("{share}: {value}.", share=bands[band], value=format_number(row.value, decimals))
        elif row is not None and row.verdict == "estimated":
            yield say("{share}: not shown.", share=bands[band])
    if slope is not None and has_interval(slope):
        if slope.conf_low <= 0 <= slope.conf_high:
            yield say("Over all people there is no clear relation between sessions and change.")
        else:
            yield say("Over all people the relation between sessions and change is clear.")


def _bands() -> dict[str, str]:
    names = (say("Less than a third"), say("A third to two thirds"), say("Two thirds or more"))
    return dict(zip(BANDS, names, strict=True))

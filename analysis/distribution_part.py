"""How the scores of each arm were spread at each timepoint: shares of people in bands of the range of a measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import Measure, StudyDesign, Timepoint
from analysis.evaluation import Evaluation
from analysis.frames import count_classes, score_column
from analysis.mixed_models.jets import Array
from analysis.plan import Outcome, Plan
from analysis.results import Result
from analysis.telling import tell

ANALYSIS: Final = "distribution"
SHARE: Final = "share"
BORDER: Final = "border_of_event"
"""The score at which the scores of an event of the plan begin, or end: shares beyond it are told elsewhere."""
MOST_BANDS: Final = 12
"""Equal bands of the range; the lowest and the highest possible score stand apart from them."""
MOST_TIMEPOINTS: Final = 4
"""Timepoints that are all described; of more, the first and the last."""
_WIDTHS: Final = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 25.0, 50.0)
_BETWEEN: Final = ":"
"""Stands in `item` between the first and the last score of a band."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of a range: where each begins but the first, and their names (`name_band`)."""

    borders: Array
    names: tuple[str, ...]

    def count(self, points: Array) -> list[int]:
        """Return how many scores lie in each band."""
        places = np.searchsorted(self.borders, points, side="right")
        return [int((places == place).sum()) for place in range(len(self.names))]


def spread_scores(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how the scores of each arm were spread at each timepoint (analysis ``distribution``).

    Parameters
    ----------
    evaluation : Evaluation
        Outcomes that are scores of a measure with a range. Of several measures of one instrument only one is told, the
        primary outcome's or the first: of scores that share items, people between the two could be counted.

    Yields
    ------
    Result
        ``share`` (0 to 1) of the people of an arm with a score at a timepoint in each band, `item`, from the lowest to
        the highest (`name_band`): the lowest and the highest possible score, and up to twelve bands of one width
        between them, the same in every arm. `n` are the people with a score; without any there is no row. Where other
        outcomes are events of the same measure, a band begins at the border of the event, and ``border_of_event``
        (declared) names that band in `item`.
    """
    plan, design = evaluation.plan, evaluation.design
    for outcome in _outcomes_told(plan, design):
        measure, frame = design.measures[outcome.measure], evaluation.frames[outcome.id]
        columns = [score_column(timepoint.id) for timepoint in design.timepoints]
        is_whole = _are_whole(frame[columns].to_numpy(dtype=float), measure)
        events = _borders_of_events(outcome, plan, is_whole=is_whole)
        bands = band_range(measure, events, is_whole=is_whole)
        yield from _borders(bands, events, outcome)
        classes = count_classes(frame)
        for arm in design.arms:
            for timepoint in _timepoints_told(design):
                points = frame.loc[frame["arm"] == arm.id, score_column(timepoint.id)].dropna()
                yield from _shares(points, bands, outcome.id, arm.id, timepoint.id, classes)


def band_range(measure: Measure, events: Sequence[float] = (), *, is_whole: bool) -> Bands:
    """Return the bands of the range of a measure.

    Parameters
    ----------
    measure : Measure
        Its possible range, in points.
    events : sequence of float
        Scores at which further bands begin.
    is_whole : bool
        There are whole scores only, so that bands are named by the scores in them and not by their ends.
    """
    low, high = measure.minimum, measure.maximum
    step = 1.0 if is_whole else 0.0
    fits = [width for width in _WIDTHS if width >= step and np.ceil((high - low) / width - 1e-9) <= MOST_BANDS]
    width = fits[0] if fits else (high - low) / MOST_BANDS
    regular = low + width * np.arange(1, np.ceil((high - low) / width - 1e-9))
    above_lowest = low + 1.0 if is_whole else np.nextafter(low, np.inf)
    within = [each for each in (*regular, *events) if above_lowest < each < high]
    borders = np.unique(np.array([above_lowest, *within, high]))
    firsts = [low, *borders]
    lasts = [*(borders - step), high]
    names = tuple(name_band(first, last) for first, last in zip(firsts, lasts, strict=True))
    return Bands(borders, names)


def name_band(first: float, last: float) -> str:
    """Return ``0`` for a single score and ``3:5`` for the scores from 3 to 5, as `item` has it."""
    ends = (f"{first:g}", f"{last:g}")
    return ends[0] if ends[0] == ends[1] else _BETWEEN.join(ends)


def merge_names(first: str, last: str) -> str:
    """Return the name of all bands from one to another."""
    ends = (first.split(_BETWEEN)[0], last.split(_BETWEEN)[-1])
    return ends[0] if ends[0] == ends[1] else _BETWEEN.join(ends)


def read_band(name: str) -> tuple[float, float]:
    """Return the first and the last score of a band by its name."""
    ends = name.split(_BETWEEN)
    return float(ends[0]), float(ends[-1])


def _outcomes_told(plan: Plan, design: StudyDesign) -> list[Outcome]:
    """Return the outcomes that are told, in the order of the plan: one of each instrument."""
    told: dict[str, Outcome] = {}
    for outcome in sorted(plan.outcomes, key=lambda each: each.role != "primary"):
        measure = design.measures[outcome.measure]
        width = measure.maximum - measure.minimum
        if outcome.kind == "score" and np.isfinite(width) and width > 0:
            told.setdefault(measure.instrument or measure.id, outcome)
    return [outcome for outcome in plan.outcomes if outcome in told.values()]


def _timepoints_told(design: StudyDesign) -> tuple[Timepoint, ...]:
    every = design.timepoints
    return every if len(every) <= MOST_TIMEPOINTS else (every[0], every[-1])


def _are_whole(points: Array, measure: Measure) -> bool:
    numbers = np.append(points[~np.isnan(points)], [measure.minimum, measure.maximum])
    return bool((numbers == np.round(numbers)).all())


def _borders_of_events(outcome: Outcome, plan: Plan, *, is_whole: bool) -> list[float]:
    """Return where the scores of the events of the same measure begin, or those that are none of them."""
    borders = set()
    for event in (each.event for each in plan.outcomes if each.measure == outcome.measure):
        if event is not None and event.at_least is not None:
            borders.add(float(np.ceil(event.at_least)) if is_whole else event.at_least)
        elif event is not None and event.at_most is not None:
            border = np.floor(event.at_most) + 1 if is_whole else np.nextafter(event.at_most, np.inf)
            borders.add(float(border))
    return sorted(borders)


def _borders(bands: Bands, events: Sequence[float], outcome: Outcome) -> Iterator[Result]:
    begins = dict(zip(bands.borders, bands.names[1:], strict=True))
    for event in events:
        if event in begins:
            yield Result(
                analysis=ANALYSIS, statistic=BORDER, outcome=outcome.id, item=begins[event], value=event,
                verdict="declared", method=tell("border of an event of the plan"),
            )  # fmt: skip


def _shares(
    points: pd.Series, bands: Bands, outcome: str, arm: str, timepoint: str, classes: float
) -> Iterator[Result]:
    people = len(points)
    if not people:
        return
    for name, count in zip(bands.names, bands.count(points.to_numpy(dtype=float)), strict=True):
        yield Result(
            analysis=ANALYSIS, statistic=SHARE, outcome=outcome, arm=arm, timepoint=timepoint, item=name,
            value=count / people, n=people, classes=classes,
            method=tell("share of the people with a score in a band of the range"),
        )  # fmt: skip

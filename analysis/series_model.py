"""Interrupted time series as a model of the evaluation: means of samples by timepoint, and two lines.

Each timepoint gives one mean, whatever the number of people behind it: how samples differ from one timepoint to the
next is judged by how the means scatter about the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import OBSERVED, StudyDesign
from analysis.frames import count_classes, score_column
from analysis.interrupted_series import FEWEST, FEWEST_AFTER, FEWEST_BEFORE, InterruptedSeries, fit_interrupted_series
from analysis.mixed_models.inference import Estimate
from analysis.plan import Estimand, Plan
from analysis.telling import Number, tell

Cell = tuple[str, str]

REFUSALS: Final[dict[str, str]] = {
    "not_begun": tell("At {timepoint} the programme had not begun.\nChoose a timepoint from {start} on."),
    "too_few_at_timepoint": tell(
        "Too few people have a score of {outcome} at {timepoint}: fewer than {fewest}.\nChoose another timepoint; "
        "the floor is small_numbers: fewest_per_arm in the plan."
    ),
    "series_too_short": tell(
        "Too few timepoints with enough answers for a departure from a trend, which needs: before {start} {before}, "
        "from then on {after}, in all {fewest}.\nCollect more, or declare 'design: repeated_cross_section' and compare "
        "two timepoints."
    ),
}
"""Reason code -> pattern of a sentence with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesModel:
    """A fitted series with the people behind it; as `OutcomeModel`."""

    fit: InterruptedSeries
    rows: pd.DataFrame
    estimand: Estimand
    classes: float
    weeks: Mapping[str, float]

    @property
    def converged(self) -> bool:
        """The search has one dimension and always ends."""
        return True

    def observed(self, arm: str, timepoint: str) -> pd.Series:
        """Return the scores of a timepoint."""
        return self.rows.loc[(self.rows["arm"] == arm) & (self.rows["timepoint"] == timepoint), "score"]

    def estimate(self, cells: Mapping[Cell, float]) -> Estimate:
        """Estimate the line at a timepoint, or how the second line departs from the first there."""
        if len(cells) > 1:
            return self.fit.departure(self.weeks[next(at for side, at in cells if side == OBSERVED)])
        ((_, timepoint),) = cells
        week = self.weeks[timepoint]
        after = week >= self.fit.interruption
        return self.fit.estimate(np.array([1.0, week, after, (week - self.fit.interruption) * after]))


def fit_series_model(frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign) -> SeriesModel:
    """Fit the series of an outcome.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame. Timepoints with fewer scores than the plan's `fewest_per_arm` are left out of the lines.
    estimand, plan, design : Estimand, Plan, StudyDesign
        What is asked, and of which series.

    Raises
    ------
    AnalysisError
        See `fit_interrupted_series`.
    """
    used = list(usable_timepoints(frame, plan, design))
    weeks = {timepoint.id: timepoint.week for timepoint in design.timepoints}
    start = next(timepoint for timepoint in design.timepoints if timepoint.id == design.arms[0].starts)
    means = np.array([frame[score_column(timepoint)].mean() for timepoint in used])
    fit = fit_interrupted_series(np.array([weeks[name] for name in used]), means, interruption=start.week)
    waves = [frame[["arm"]].assign(timepoint=name, score=frame[score_column(name)]) for name in used]
    rows = pd.concat(waves).rename_axis("participant").reset_index().dropna(subset="score")
    is_event = plan.outcome(estimand.outcome).event is not None
    return SeriesModel(
        fit=fit,
        rows=rows,
        estimand=estimand,
        classes=2.0 if is_event else count_classes(frame),
        weeks=weeks,
    )


def usable_timepoints(frame: pd.DataFrame, plan: Plan, design: StudyDesign) -> Iterator[str]:
    """Yield the timepoints at which enough people have a score."""
    for timepoint in design.timepoints:
        if frame[score_column(timepoint.id)].notna().sum() >= plan.small_numbers.floor:
            yield timepoint.id


def object_to_series(
    frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign
) -> Iterator[tuple[str, dict[str, str | Number]]]:
    """Yield reason and particulars of what stands against a series."""
    usable = list(usable_timepoints(frame, plan, design))
    start = next(timepoint for timepoint in design.timepoints if timepoint.id == design.arms[0].starts)
    weeks = {timepoint.id: timepoint.week for timepoint in design.timepoints}
    label = next(timepoint.label for timepoint in design.timepoints if timepoint.id == estimand.timepoint)
    if weeks[estimand.timepoint] < start.week:
        yield "not_begun", {"timepoint": label, "start": start.label}
    if estimand.timepoint not in usable:
        yield "too_few_at_timepoint", {"timepoint": label, "fewest": Number(plan.small_numbers.floor)}
    before = sum(weeks[name] < start.week for name in usable)
    if before < FEWEST_BEFORE or len(usable) - before < FEWEST_AFTER or len(usable) < FEWEST:
        needed = {"fewest": FEWEST, "before": FEWEST_BEFORE, "after": FEWEST_AFTER}
        yield "series_too_short", {"start": start.label} | {name: Number(count) for name, count in needed.items()}

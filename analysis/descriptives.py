"""What was observed, before any model: means, spread, and change within each arm."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.design import StudyDesign
from analysis.frames import count_classes, count_fewest, score_column
from analysis.mixed_models.inference import CONFIDENCE
from analysis.mixed_models.jets import Array
from analysis.results import Result
from analysis.telling import tell


def describe_outcome(frame: pd.DataFrame, outcome: str, design: StudyDesign) -> Iterator[Result]:
    """Yield observed participants, mean (t interval) and standard deviation by arm and timepoint.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame; participants without a score are left out.
    outcome : str
        Id of the outcome in the plan.
    design : StudyDesign
        The declared design.

    Yields
    ------
    Result
        ``observed`` for every arm and timepoint; ``mean`` and ``sd`` in points where anybody was observed. One
        participant has a mean and no spread.
    """
    classes = count_classes(frame)
    for arm in design.arms:
        for timepoint in design.timepoints:
            points = frame.loc[frame["arm"] == arm.id, score_column(timepoint.id)].dropna()
            for row in _cell(points.to_numpy(dtype=float), outcome, arm.id, timepoint.id):
                yield row if row.statistic == "observed" else _say_how_alike(row, points, classes)


def describe_events(frame: pd.DataFrame, outcome: str, design: StudyDesign) -> Iterator[Result]:
    """Yield observed participants and the percent with the event (Wilson interval) by arm and timepoint.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame of a binary outcome: 100 with the event, 0 without.
    outcome, design
        As in `describe_outcome`.

    Yields
    ------
    Result
        ``observed``, and ``mean`` in percent.
    """
    from statsmodels.stats.proportion import proportion_confint

    for arm in design.arms:
        for timepoint in design.timepoints:
            percent = frame.loc[frame["arm"] == arm.id, score_column(timepoint.id)].dropna().to_numpy(dtype=float)
            yield _observed(len(percent), outcome, arm.id, timepoint.id)
            if len(percent):
                events = int((percent > 0).sum())
                low, high = proportion_confint(events, len(percent), alpha=1 - CONFIDENCE, method="wilson")
                yield Result(
                    analysis="descriptive",
                    statistic="mean",
                    outcome=outcome,
                    arm=arm.id,
                    timepoint=timepoint.id,
                    value=float(percent.mean()),
                    conf_low=100.0 * float(low),
                    conf_high=100.0 * float(high),
                    n=len(percent),
                    classes=2.0,
                    fewest=min(events, len(percent) - events),
                    method=tell("percent of participants with a score, Wilson interval"),
                )


def describe_changes(frame: pd.DataFrame, outcome: str, design: StudyDesign) -> Iterator[Result]:
    """Yield the change from baseline within each arm, of the participants observed at both timepoints.

    ``mean_change`` in points by the paired t-test; ``standardised_change`` is the mean change in standard deviations of
    change (Cohen's dz). Both through pingouin (Vallat 2018, doi 10.21105/joss.01026). Without two participants, or
    where everybody changed alike, there is no inference.
    """
    baseline, classes = design.baseline.id, count_classes(frame)
    for arm in design.arms:
        own = frame.loc[frame["arm"] == arm.id]
        for timepoint in design.timepoints[1:]:
            pairs = own[[score_column(timepoint.id), score_column(baseline)]].dropna().to_numpy(dtype=float)
            if len(pairs):
                change = pd.Series(pairs[:, 0] - pairs[:, 1])
                for row in _change(pairs[:, 0], pairs[:, 1], outcome, arm.id, timepoint.id, baseline):
                    yield _say_how_alike(row, change, classes)


def _say_how_alike(row: Result, points: pd.Series, classes: float) -> Result:
    """Return a row with how many people stand apart from the commonest value, of a spread from the commonest two.

    A sum tells of those apart from one value, and with the sum of squares of those apart from two.
    """
    commonest = 2 if row.statistic in ("sd", "standardised_change") else 1
    return replace(row, classes=classes, fewest=count_fewest(points, commonest))


def _cell(points: Array, outcome: str, arm: str, timepoint: str) -> Iterator[Result]:
    n = len(points)
    yield _observed(n, outcome, arm, timepoint)
    if not n:
        return
    mean, sd = float(points.mean()), float(points.std(ddof=1)) if n > 1 else np.nan
    std_error = sd / np.sqrt(n)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std_error if n > 1 else np.nan
    yield Result(
        analysis="descriptive",
        statistic="mean",
        outcome=outcome,
        arm=arm,
        timepoint=timepoint,
        value=mean,
        std_error=std_error,
        df=n - 1,
        conf_low=mean - reach,
        conf_high=mean + reach,
        n=n,
        method=tell("observed mean with t interval"),
    )
    yield Result(
        analysis="descriptive",
        statistic="sd",
        outcome=outcome,
        arm=arm,
        timepoint=timepoint,
        value=sd,
        n=n,
        method=tell("observed standard deviation"),
    )


def _observed(n: int, outcome: str, arm: str, timepoint: str) -> Result:
    return Result(
        analysis="descriptive",
        statistic="observed",
        outcome=outcome,
        arm=arm,
        timepoint=timepoint,
        value=n,
        n=n,
        method=tell("participants with a score"),
    )


def _change(later: Array, before: Array, outcome: str, arm: str, timepoint: str, baseline: str) -> Iterator[Result]:
    """Yield mean and standardised change of one arm."""
    n, change = len(later), later - before
    contrast = f"{timepoint} - {baseline}"
    mean = float(change.mean())
    place: dict[str, Any] = {
        "analysis": "change_within_arm",
        "outcome": outcome,
        "arm": arm,
        "timepoint": timepoint,
        "contrast": contrast,
        "n": n,
    }
    if n < 2 or change.min() == change.max():
        yield Result(**place, statistic="mean_change", value=mean, method=tell("mean of changes that do not vary"))
        yield Result(**place, statistic="standardised_change", method=tell("not defined: changes do not vary"))
        return
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        test = pingouin.ttest(later, before, paired=True, confidence=CONFIDENCE)
        dz = float(pingouin.compute_effsize(later, before, paired=True, eftype="cohen_dz"))
        low, high = pingouin.compute_esci(dz, n, n, paired=True, eftype="cohen", confidence=CONFIDENCE, decimals=15)
    df, p_value = float(test["dof"].iloc[0]), float(test["p_val"].iloc[0])
    std_error = float(change.std(ddof=1)) / np.sqrt(n)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * std_error  # pingouin rounds its interval to two decimals
    yield Result(
        **place,
        statistic="mean_change",
        value=mean,
        std_error=std_error,
        df=df,
        conf_low=mean - reach,
        conf_high=mean + reach,
        p_value=p_value,
        method=tell("paired t-test"),
    )
    yield Result(
        **place,
        statistic="standardised_change",
        value=dz,
        conf_low=float(low),
        conf_high=float(high),
        method=tell("mean change divided by the standard deviation of change (Cohen's dz)"),
    )

"""What was observed, before any model: means, spread, and change within each arm."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.design import StudyDesign
from analysis.frames import score_column
from analysis.mixed_model import CONFIDENCE
from analysis.reml import Array
from analysis.results import Result


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
    for arm in design.arms:
        for timepoint in design.timepoints:
            points = frame.loc[frame["arm"] == arm.id, score_column(timepoint.id)].dropna().to_numpy(dtype=float)
            yield from _cell(points, outcome, arm.id, timepoint.id)


def describe_changes(frame: pd.DataFrame, outcome: str, design: StudyDesign) -> Iterator[Result]:
    """Yield the change from baseline within each arm, of the participants observed at both timepoints.

    ``mean_change`` in points by the paired t-test; ``standardised_change`` is the mean change in standard deviations of
    change (Cohen's dz). Both through pingouin (Vallat 2018, doi 10.21105/joss.01026). Without two participants, or
    where everybody changed alike, there is no inference.
    """
    baseline = design.baseline.id
    for arm in design.arms:
        own = frame.loc[frame["arm"] == arm.id]
        for timepoint in design.timepoints[1:]:
            pairs = own[[score_column(timepoint.id), score_column(baseline)]].dropna().to_numpy(dtype=float)
            if len(pairs):
                yield from _change(pairs[:, 0], pairs[:, 1], outcome, arm.id, timepoint.id, baseline)


def _cell(points: Array, outcome: str, arm: str, timepoint: str) -> Iterator[Result]:
    n = len(points)
    yield Result(
        analysis="descriptive",
        statistic="observed",
        outcome=outcome,
        arm=arm,
        timepoint=timepoint,
        value=n,
        n=n,
        method="participants with a score",
    )
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
        method="observed mean with t interval",
    )
    yield Result(
        analysis="descriptive",
        statistic="sd",
        outcome=outcome,
        arm=arm,
        timepoint=timepoint,
        value=sd,
        n=n,
        method="observed standard deviation",
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
        yield Result(**place, statistic="mean_change", value=mean, method="mean of changes that do not vary")
        yield Result(**place, statistic="standardised_change", method="not defined: changes do not vary")
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
        method="paired t-test",
    )
    yield Result(
        **place,
        statistic="standardised_change",
        value=dz,
        conf_low=float(low),
        conf_high=float(high),
        method="mean change divided by the standard deviation of change (Cohen's dz)",
    )

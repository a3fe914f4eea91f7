"""Who was surveyed: how far samples differ in what may bear on their scores, whatever a programme does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.design import Covariate, StudyDesign
from analysis.frames import covariate_column, score_column
from analysis.results import Result
from analysis.telling import tell


def compare_samples(frame: pd.DataFrame, outcome: str, design: StudyDesign) -> Iterator[Result]:
    """Yield how the people surveyed at each later timepoint differ from those at baseline, by arm and covariate.

    A standardised difference (Austin 2009, doi 10.1002/sim.3697) is, of a number, the difference of the means over the
    square root of the average of the two variances; of a category, the largest in size of its levels' differences,
    (p_later - p_baseline) / sqrt((p_later (1 - p_later) + p_baseline (1 - p_baseline)) / 2). It does not grow with the
    number of people, and has no p-value.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame; samples are the participants with a score, those whose covariate is missing are left out.
    outcome : str
        Id of the outcome in the plan.
    design : StudyDesign
        The declared design and covariates.

    Yields
    ------
    Result
        ``standardised_difference`` for every declared covariate (its id in `item`) that both samples have; `n` is the
        smaller sample. NaN where neither sample varies, and they are not the same. Of a category `fewest` is how many
        people have the rarest level.
    """
    first = design.baseline.id
    for arm in design.arms:
        own = frame.loc[frame["arm"] == arm.id]
        for timepoint in design.timepoints[1:]:
            for covariate in design.covariates:
                later, before = (_sample(own, at, covariate) for at in (timepoint.id, first))
                if len(later) and len(before):
                    yield Result(
                        analysis="composition",
                        statistic="standardised_difference",
                        outcome=outcome,
                        arm=arm.id,
                        timepoint=timepoint.id,
                        contrast=f"{timepoint.id} - {first}",
                        item=covariate.id,
                        value=_standardised_difference(later, before, covariate),
                        n=min(len(later), len(before)),
                        method=tell("difference over the average spread of the two samples (Austin 2009)"),
                        classes=float("nan") if covariate.kind == "number" else 2.0,
                        fewest=_rarest(later, before, covariate),
                    )


def _sample(frame: pd.DataFrame, timepoint: str, covariate: Covariate) -> pd.Series:
    """Return the covariate of the people with a score at a timepoint."""
    return frame.loc[frame[score_column(timepoint)].notna(), covariate_column(covariate.id)].dropna()


def _standardised_difference(later: pd.Series, before: pd.Series, covariate: Covariate) -> float:
    if covariate.kind == "number":
        return _over_spread(later.mean() - before.mean(), later.var(ddof=1), before.var(ddof=1))
    differences = []
    for level in covariate.levels:
        p, q = float((later == level).mean()), float((before == level).mean())
        differences.append(_over_spread(p - q, p * (1 - p), q * (1 - q)))
    return max(differences, key=lambda each: (np.isnan(each), abs(each)))


def _over_spread(difference: float, *variances: float) -> float:
    """Return a difference over the spread of two samples; 0 where there is neither, NaN where there is no spread."""
    spread = float(np.sqrt(np.mean(variances)))
    if spread > 0:
        return float(difference) / spread
    return 0.0 if difference == 0 else float("nan")


def _rarest(later: pd.Series, before: pd.Series, covariate: Covariate) -> float:
    """Return how many people have the rarest level of a category; NaN of a number."""
    if covariate.kind == "number":
        return float("nan")
    counts = [sample.value_counts().reindex(list(covariate.levels), fill_value=0) for sample in (later, before)]
    return float(min(count.min() for count in counts))

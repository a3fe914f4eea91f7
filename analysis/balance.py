"""How alike two arms are in what was known before, with and without weights."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.mixed_models.jets import Array

MOST_DIFFERENT: Final = 0.25
"""Standardised difference beyond which arms are not alike, and adjustment leans on the form of the model.

Rubin 2001, doi 10.1023/A:1020363010465; Stuart 2010, doi 10.1214/09-STS313. The stricter 0.1 is passed by chance alone
where arms have fewer than some hundred people each.
"""
BALANCE_COLUMNS = ("term", "mean_first", "mean_second", "before", "weighted_first", "weighted_second", "after")


def compare_balance(values: pd.DataFrame, is_first: Array, weights: Array) -> pd.DataFrame:
    """Compare two arms before and after weighting.

    Parameters
    ----------
    values : DataFrame
        Participant x term: numbers, or 1 and 0 for each level of a category. Nothing is missing.
    is_first : (n,) array of bool
        Who is in the first arm.
    weights : (n,) array
        Not negative, some above 0 in each arm.

    Returns
    -------
    DataFrame
        One row per term: ``term``, ``mean_first``, ``mean_second``, ``before`` (standardised difference), and
        ``weighted_first``, ``weighted_second``, ``after`` with weights. Both standardised differences are over the
        square root of the average of the two unweighted variances, so that weighting moves means alone (Austin and
        Stuart 2015, doi 10.1002/sim.6607); 0 where arms are the same and nobody differs, NaN where they are not.
    """
    first, second = np.asarray(is_first, dtype=bool), ~np.asarray(is_first, dtype=bool)
    rows = []
    for term in values.columns:
        numbers = values[term].to_numpy(dtype=float)
        is_share = bool(np.isin(numbers, (0.0, 1.0)).all())
        spread = np.sqrt(np.mean([numbers[arm].var(ddof=0 if is_share else 1) for arm in (first, second)]))
        plain = [float(numbers[arm].mean()) for arm in (first, second)]
        weighted = [float(np.average(numbers[arm], weights=weights[arm])) for arm in (first, second)]
        before, after = (_over(means[0] - means[1], float(spread)) for means in (plain, weighted))
        rows.append((term, *plain, before, *weighted, after))
    return pd.DataFrame(rows, columns=list(BALANCE_COLUMNS))


def effective_size(weights: Array) -> float:
    """Return how many people of equal weight would be as precise: (sum w)^2 / sum w^2 (Kish 1965); 0 without weight."""
    squares = float(np.square(weights).sum())
    return float(np.sum(weights)) ** 2 / squares if squares else 0.0


def _over(difference: float, spread: float) -> float:
    if spread > 0:
        return difference / spread
    return 0.0 if difference == 0 else float("nan")

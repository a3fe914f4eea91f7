"""How each item of a measure works in this sample: mean, spread, ends of the range, relation to the other items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from data_contracts.telling import tell
from instruments.psychometrics.reliability import Estimate, Use, usable_answers

NO_VARIANCE: Final = 1e-12
"""Share of the variance of the sum that rounding can make of none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How many of `n` participants are at the lowest (`floor`) and at the highest (`ceiling`) possible value."""

    n: int
    floor: int
    ceiling: int

    @property
    def floor_share(self) -> float:
        """Of those with a value; NaN without any."""
        return self.floor / self.n if self.n else math.nan

    @property
    def ceiling_share(self) -> float:
        """Of those with a value; NaN without any."""
        return self.ceiling / self.n if self.n else math.nan


def summarise_items(answers: pd.DataFrame, limits: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Summarise each item over those who answered it.

    Parameters
    ----------
    answers : DataFrame
        Participant x item, scored, NaN where missing.
    limits : mapping
        Item -> lowest and highest possible scored answer.

    Returns
    -------
    DataFrame
        One row per item: item, n, mean, sd (NaN with fewer than two), floor, ceiling (participants at the lowest and
        highest answer), floor_share, ceiling_share (of n).
    """
    given = [np.sort(answers[item].dropna().to_numpy(dtype="float64")) for item in answers.columns]
    ends = [summarise_ends(answers[item], *limits[item]) for item in answers.columns]
    return pd.DataFrame({
        "item": answers.columns.astype("str"),
        "n": [each.n for each in ends],
        "mean": [each.mean() if len(each) else np.nan for each in given],
        "sd": [each.std(ddof=1) if len(each) > 1 else np.nan for each in given],
        "floor": [each.floor for each in ends],
        "ceiling": [each.ceiling for each in ends],
        "floor_share": [each.floor_share for each in ends],
        "ceiling_share": [each.ceiling_share for each in ends],
    })  # fmt: skip


def relate_items(answers: pd.DataFrame, *, fewest: int = 2, use: Use = "complete") -> pd.DataFrame:
    """Relate each item to the sum of the others.

    Parameters
    ----------
    answers, fewest, use
        As in `estimate_alpha`.

    Returns
    -------
    DataFrame
        One row per item: item, item_rest_correlation (with the sum of the other items; below zero where an item runs
        against them, often one that was not reversed), alpha_if_dropped (NaN with two items), n. Both are NaN where
        the sum of the others does not vary.

    Raises
    ------
    InstrumentError
        As in `estimate_alpha`.
    """
    usable = usable_answers(answers, tell("The relation of items"), fewest, use)
    covariance = usable.cov().to_numpy()
    variance, with_all, total = np.diag(covariance), covariance.sum(axis=0), covariance.sum()
    rest = total - 2 * with_all + variance
    rest[rest <= NO_VARIANCE * total] = np.nan
    others = len(variance) - 1
    correlation = (with_all - variance) / np.sqrt(variance * rest)
    dropped = others / (others - 1) * (1 - (variance.sum() - variance) / rest) if others > 1 else np.nan
    return pd.DataFrame(
        {
            "item": usable.columns.astype("str"),
            "item_rest_correlation": correlation,
            "alpha_if_dropped": dropped,
            "n": len(usable),
        }
    )


def estimate_mean_correlation(answers: pd.DataFrame, *, fewest: int = 2, use: Use = "complete") -> Estimate:
    """Estimate the mean correlation between two items, from the covariances that alpha uses; see `estimate_alpha`."""
    usable = usable_answers(answers, tell("The mean correlation"), fewest, use)
    covariance = usable.cov().to_numpy()
    spread = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(spread, spread)
    value = float(correlations[np.tril_indices(len(spread), k=-1)].mean())
    return Estimate(value=value, n=len(usable), method=tell("mean of the correlations between items"))


def summarise_ends(values: pd.Series, low: float, high: float) -> Ends:
    """Count who is at the lowest or highest possible value; NaN is left out."""
    given = values.dropna().to_numpy(dtype="float64")
    return Ends(n=len(given), floor=int(np.isclose(given, low).sum()), ceiling=int(np.isclose(given, high).sum()))

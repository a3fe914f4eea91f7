"""The disclosure gate of what is told beside the models: shown coarsely where enough people are behind it, or not."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

PARTS: Final = (
    "sensitivity",
    "leavers",
    "size",
    "change_counts",
    "harms",
    "expected_change",
    "balance",
    "unmeasured",
    "margin",
    "dose",
    "formats",
    "sites",
    "subgroups",
    "mediation",
    "precision",
    "permutation",
)
"""Values of `analysis` that this gate judges. Their rows say in `n` how many people are behind a number, and in
`fewest` the smallest number of people, above none, who could be told from it; NaN where nobody could."""
DIGITS: Final = 2
"""Digits of a value that has no interval to be coarse against."""


def find_parts(gated: pd.DataFrame) -> pd.Series:
    """Tell which rows are of a part and hold a number that was found, not declared."""
    return gated["analysis"].isin(PARTS) & (gated["verdict"] != "declared")


def find_revealing_parts(gated: pd.DataFrame, threshold: int) -> pd.Series:
    """Tell which rows of parts have too few people behind them, or could tell of too few."""
    small = ~(gated["n"] >= threshold) | (gated["fewest"] < threshold)
    return find_parts(gated) & small


def round_parts(values: pd.Series, *, digits: int = DIGITS) -> pd.Series:
    """Return values with few digits."""
    return values.map(lambda value: float(f"{value:.{digits}g}") if np.isfinite(value) else value)

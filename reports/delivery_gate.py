"""What of the programme as delivered would tell how few people came, or stayed away."""

from __future__ import annotations

from typing import Final

import pandas as pd

from reports.gated_rows import ATTENDED, hide

SHARE: Final = "share_attended"
FACILITATORS: Final = ("facilitators", "sessions_per_facilitator")
PEOPLE_NEEDED: Final = {
    "median_attended": 2, "lower_quartile_attended": 4, "upper_quartile_attended": 4, "median_spacing": 2,
}  # fmt: skip
"""Statistic -> parts into which it cuts people; each must have as many people as may be told."""
DIGITS: Final = {"mean_attended": 1, "people_per_session": 1, "sessions_per_facilitator": 1}
"""Decimals of statistics of delivery; others are whole numbers."""


def gate_delivery(gated: pd.DataFrame, threshold: int) -> None:
    """Hide what tells how few came or stayed away, and leave few digits of the rest: it is all sums over people."""
    own = gated["analysis"] == "delivery"
    hide(gated, own & find_revealing(gated[own], threshold).reindex(gated.index, fill_value=False))
    gated.loc[own, "value"] = round_values(gated[own])


def find_revealing(rows: pd.DataFrame, threshold: int) -> pd.Series:
    """Tell which rows must not be shown.

    Parameters
    ----------
    rows : DataFrame
        Results of the analysis ``delivery``.
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    Series of bool
        Rows of too few people, facilitators too; rows that say how much people came where fewer than `threshold` came
        at all or missed anything; quantiles of so few people that they are single ones; and the shares of both formats
        where one of them goes, for with the share of all it could be had by subtracting.
    """
    parts = rows["statistic"].map(PEOPLE_NEEDED).astype("float64").fillna(1)
    gone = (rows["n"] < threshold * parts) | (rows["fewest"] < threshold)
    gone &= ~((rows["statistic"] == ATTENDED) & (rows["n"] == 0))
    is_share = (rows["statistic"] == SHARE) & (rows["item"] != "")
    of_arm = (gone & is_share).groupby(rows["arm"]).transform("any")
    return gone | (is_share & of_arm)


def round_values(rows: pd.DataFrame) -> pd.Series:
    """Return the values with the digits that are told: an exact mean is a sum over people in disguise."""
    digits = rows["statistic"].map(DIGITS).astype("float64").fillna(0).astype("int64")
    values = [round(float(value), places) for value, places in zip(rows["value"], digits, strict=True)]
    return pd.Series(values, index=rows.index, dtype="float64")

"""The disclosure gate of how instruments behaved, and of scores that were delivered with the answers."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.certainty_measurement import END_EFFECT
from analysis.telling import Number, Told, tell, words_of
from reports.gated_rows import hide, is_measurement, is_near

FEWEST_MEASURED: Final = 50
"""People below whom no correlation between items is printed."""
DIGITS: Final = {"standard_error_of_measurement": 1, "reliable_change": 1}
"""Decimals of statistics of measurement; others keep two."""


def gate_agreement(gated: pd.DataFrame, threshold: int) -> None:
    """Hide small counts of scores that differ, and the counts from which they could be subtracted."""
    agreement = gated["analysis"] == "score_agreement"
    observed = gated.loc[gated["statistic"] == "observed"]
    all_scores = observed.groupby("outcome", sort=False)["n"].sum(min_count=1)
    for measure in dict.fromkeys(gated.loc[agreement, "outcome"]):
        own = agreement & (gated["outcome"] == measure)
        compared, different = (gated[own & (gated["statistic"] == name)] for name in ("compared", "different"))
        people = different["n"].sum(min_count=1)
        scores, all_people = compared["value"].sum(min_count=1), compared["n"].sum(min_count=1)
        unsafe = observed["n"].isna().any() or any(is_near(scores, total, threshold) for total in all_scores)
        if np.isnan(people) or 0 < people < threshold or is_near(people, all_people, threshold):
            hide(gated, own & gated["statistic"].isin(["equal", "different"]))
        if unsafe or 0 < all_people < threshold:
            hide(gated, own & gated["statistic"].isin(["equal", "compared"]))


def gate_measurement(gated: pd.DataFrame, threshold: int) -> None:
    """Print how instruments behaved without numbers of people, and coarsely: every statistic is a sum over people.

    How items were answered is not printed: with few options a mean and the shares at its ends tell how many people
    gave which answer. Of a measure it is said only on which side of the limit a share at an end of its range lies.
    Correlations need enough people, and three items: those of two say how many answered the one and not the other.
    """
    own = is_measurement(gated)
    is_end = own & gated["statistic"].str.endswith("_share")
    fewest = np.where(gated["analysis"] == "score_audit", threshold, FEWEST_MEASURED)
    hide(gated, own & ((gated["n"] < fewest) | (gated["analysis"] == "items") & ~_is_relation(gated)))
    hide(gated, is_end & (END_EFFECT * gated["n"] < threshold))
    is_told = is_end & ~gated["hidden"] & gated["value"].notna()
    for index, share in gated.loc[is_told, "value"].items():
        side = _side_of_limit(share)
        gated.loc[index, ["method", "words"]] = [str(side), words_of(side)]
    gated.loc[is_end | (gated["analysis"] == "score_audit"), "value"] = np.nan
    items = gated[gated["analysis"] == "items"].groupby("outcome")["item"].nunique()
    is_pair = gated["outcome"].map(items).fillna(0).between(1, 2) & gated["analysis"].isin(["reliability", "items"])
    hide(gated, is_pair & ~is_end)
    where = gated["analysis"].isin(["reliability", "items"])
    for column in ("value", "conf_low", "conf_high"):
        digits = gated.loc[where, "statistic"].map(DIGITS).fillna(2).astype("int64")
        rounded = [round(float(value), places) for value, places in zip(gated.loc[where, column], digits, strict=True)]
        gated.loc[where, column] = rounded
    is_uncounted = own | ((gated["statistic"] == "cronbach_alpha") & gated["n"].isna())
    gated.loc[is_uncounted, ["conf_low", "conf_high"]] = np.nan
    gated.loc[own, ["n", "at_least"]] = np.nan
    untold = (gated["analysis"] == "score_audit") & gated["hidden"]
    gated.loc[untold, ["statistic", "method", "words"]] = ["withheld", "", ""]


def _is_relation(gated: pd.DataFrame) -> pd.Series:
    return gated["statistic"].isin(["item_rest_correlation", "alpha_if_dropped"])


def _side_of_limit(share: float) -> Told:
    limit = Number(100 * END_EFFECT)
    if share < END_EFFECT:
        return tell("below {limit}\u00a0%", limit=limit)
    return tell("{limit}\u00a0% or more", limit=limit)

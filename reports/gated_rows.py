"""What the gates do to rows: hide them, withhold how many people are behind them, and blur what would tell."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.numbers import decimals_to_show

NUMBERS: Final = ["value", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted", "n"]
EVERYBODY: Final = ("", "intention_to_treat")
COUNTS: Final = ("allocated", "answered", "analysed", "observed", "linked")
ATTENDED: Final = "attended_any"
"""The one count of people among the statistics of delivery."""
REVEALING: Final = ("sd", "standardised_change")
"""Statistics that, beside a mean and its interval, give the number of people away."""
SHARES: Final = ("icc_group", "working_correlation")
_BLURRED: Final = ["value", "conf_low", "conf_high", "std_error", "df", "p_value", "p_adjusted"]
_COVARIANCE: Final = "covariance: "


def hide(gated: pd.DataFrame, where: pd.Series | NDArray[np.bool_]) -> None:
    """Take out every number, and the words that tell how a description came about: they differ for one person."""
    rows = gated.index[np.asarray(where, dtype=bool)]
    if rows.empty:
        return
    gated.loc[rows, NUMBERS] = np.nan
    gated.loc[rows, "hidden"] = True
    described = rows[gated.loc[rows, "analysis"].isin(["descriptive", "change_within_arm"])]
    if len(described):
        gated.loc[described, ["method", "words"]] = ""


def withhold(gated: pd.DataFrame, index: int, at_least: float) -> None:
    """Take out what gives the number of people away; a row that is nothing but that number is hidden."""
    if gated.at[index, "statistic"] in (*COUNTS, *REVEALING, ATTENDED):  # noqa: PD008 (many times faster)
        hide(gated, gated.index == index)
    else:
        blur(gated, index)
    gated.loc[index, ["n", "at_least"]] = [np.nan, at_least]
    if gated.at[index, "analysis"] == "change_within_arm":  # noqa: PD008
        gated.loc[index, "p_value"] = np.nan  # with whole-number scores it gives the number of people back


def blur(gated: pd.DataFrame, index: int) -> None:
    """Take out standard error and degrees of freedom, and the digits that would replace them.

    What stays is coarse against the width of the interval, whose ends are rounded outwards so that it stays true.
    """
    row = gated.loc[index]
    value, low, high = (float(row[name]) for name in ("value", "conf_low", "conf_high"))
    reach = (high - low) / 2
    coarse = int(np.ceil(-np.log10(reach / 5))) if reach > 0 else 1
    digits = 2 if row["statistic"] in SHARES else decimals_to_show(low, high, coarse)
    unit = 10.0**-digits
    told = [
        round(value, digits) + 0.0 if np.isfinite(value) else np.nan,
        round(float(np.floor(low / unit) * unit), max(digits, 0)) + 0.0,
        round(float(np.ceil(high / unit) * unit), max(digits, 0)) + 0.0,
    ]
    within = row["analysis"] == "change_within_arm"  # with whole-number scores its p-value gives the spread back
    p_values = (
        [np.nan, np.nan]
        if within
        else [
            round(p, 1 - int(np.floor(np.log10(p)))) if p > 0 else p
            for p in (float(row["p_value"]), float(row["p_adjusted"]))
        ]
    )
    gated.loc[index, _BLURRED] = [*told, np.nan, np.nan, *p_values]


def is_near(left: float, right: float, threshold: int) -> bool:
    """Tell whether two counts are apart by fewer people, but some, than may be told: subtracting would show them."""
    return 0 < abs(left - right) < threshold


def tells_variance(statistic: str) -> bool:
    """Tell whether a statistic of a model is about spread or likelihood, and so about how many people there were."""
    return statistic.startswith(_COVARIANCE) or statistic in (*SHARES, "log_likelihood")


def is_measurement(gated: pd.DataFrame) -> pd.Series:
    """Tell which rows are about how an instrument behaved, apart from its reliability."""
    return gated["analysis"].isin(["reliability", "items", "score_audit"]) & (gated["statistic"] != "cronbach_alpha")

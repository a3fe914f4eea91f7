"""What the gates do to rows: hide them, withhold how many people are behind them, and blur what would tell."""

from __future__ import annotations

from typing import Final, NamedTuple

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
"""Statistics that, beside a mean and its interval, give the number of people away: they tell the spread."""
OBSERVED: Final = ("descriptive", "change_within_arm")
"""Values of `analysis` that tell of scores as they were observed."""
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
    statistic = gated.at[index, "statistic"]  # noqa: PD008 (many times faster)
    if statistic in (*COUNTS, *REVEALING, ATTENDED):
        hide(gated, gated.index == index)
    else:
        gated.loc[index, "at_least"] = at_least
        blur(gated, index)
    gated.loc[index, ["n", "at_least"]] = [np.nan, at_least]
    if gated.at[index, "analysis"] == "change_within_arm":  # noqa: PD008
        gated.loc[index, "p_value"] = np.nan  # with whole-number scores it gives the number of people back


def blur(gated: pd.DataFrame, index: int) -> None:
    """Take out standard error and degrees of freedom, and the digits that would replace them.

    What stays is coarse against the width of the interval, whose ends are rounded outwards so that it stays true.
    """
    row = gated.loc[index]
    least = row["at_least"] if row["at_least"] == row["at_least"] else row["n"]
    blur_to(gated, index, find_unit(row, least))


class Unit(NamedTuple):
    """What blurred numbers are multiples of: `step` times the last decimal (negative decimals: tens)."""

    decimals: int
    step: int = 1

    @property
    def size(self) -> float:
        """The unit as a number."""
        return self.step * 10.0**-self.decimals


def smallest_unit(least: float) -> Unit:
    """Return the smallest unit (1, 2 or 5 times a power of ten) that is not below a number."""
    decimals = -int(np.floor(np.log10(least) + 1e-9))
    units = [Unit(decimals, step) for step in (1, 2, 5)]
    return next((unit for unit in units if unit.size >= least * (1 - 1e-9)), Unit(decimals - 1))


def find_unit(row: pd.Series, least: float) -> Unit:
    """Return the unit that `blur` leaves of a row, coarse against the width of its interval.

    Of an observed mean of `least` people or more it is no smaller than one part in so many: of whole scores a finer one
    would agree with few numbers of people only.
    """
    low, high = float(row["conf_low"]), float(row["conf_high"])
    reach = (high - low) / 2
    coarse = int(np.ceil(-np.log10(reach / 5))) if reach > 0 else 1
    unit = Unit(2 if row["statistic"] in SHARES else decimals_to_show(low, high, coarse))
    is_observed = row["analysis"] in OBSERVED and row["classes"] != 2 and least > 0
    return smallest_unit(1 / least) if is_observed and unit.size < 1 / least else unit


def blur_to(gated: pd.DataFrame, index: int, to: Unit) -> None:
    """Blur a row to multiples of a unit; what is one already, but for the last bits of a double, stays as it is."""
    row = gated.loc[index]
    value, low, high = (float(row[name]) for name in ("value", "conf_low", "conf_high"))
    unit, digits = to.size, to.decimals
    told = [
        (round(value, digits) if to.step == 1 else round(round(value / unit) * unit, digits)) + 0.0
        if np.isfinite(value)
        else np.nan,
        round(float(np.floor(round(low / unit, 6)) * unit), max(digits, 0)) + 0.0,
        round(float(np.ceil(round(high / unit, 6)) * unit), max(digits, 0)) + 0.0,
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

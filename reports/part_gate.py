"""The disclosure gate of what is told beside the models: shown coarsely where enough people are behind it, or not."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

import numpy as np
import pandas as pd

from analysis.profiles import Profile
from analysis.telling import tell, words_of
from reports.gated_rows import blur, hide

PARTS: Final = (
    "sensitivity",
    "leavers",
    "size",
    "change_counts",
    "distribution",
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
    "themes",
)
"""Values of `analysis` that this gate judges. Their rows say in `n` how many people are behind a number, and in
`fewest` the smallest number of people, above none, who could be told from it; NaN where nobody could."""
DIGITS: Final = 2
"""Digits of a value that has no interval to be coarse against."""


def gate_parts(gated: pd.DataFrame, profile: Profile) -> None:
    """Hide what the parts tell of few people; of the rest leave few digits, and no number of people."""
    hide(gated, find_revealing_parts(gated, profile.threshold))
    harms = coarsen_harms(gated, profile.step)
    gated.loc[harms.index, harms.columns] = harms
    hide(gated, gated.index.isin(harms.index) & gated["value"].isna())
    lost = harms.index[harms["value"].isna() & gated.loc[harms.index, "statistic"].isin(SHARES_OF_HARM)]
    gated.loc[lost, ["method", "words"]] = [str(ROUNDED_AWAY), words_of(ROUNDED_AWAY)]
    shown = find_parts(gated) & ~gated["hidden"]
    gated.loc[harms.index, ["std_error", "df", "n"]] = np.nan
    shown &= ~gated.index.isin(harms.index)
    has_interval = shown & gated["conf_low"].notna() & gated["conf_high"].notna()
    for index in gated.index[has_interval]:
        blur(gated, index)
    single = shown & ~has_interval
    upwards = single & (gated["analysis"] == "precision")
    gated.loc[upwards, "value"] = round_up(gated.loc[upwards, "value"])
    gated.loc[single & ~upwards, "value"] = round_parts(gated.loc[single & ~upwards, "value"])
    gated.loc[single, "p_value"] = round_parts(gated.loc[single, "p_value"])
    gated.loc[shown, ["std_error", "df", "n"]] = np.nan


def find_parts(gated: pd.DataFrame) -> pd.Series:
    """Tell which rows are of a part and hold a number that was found, not declared."""
    return gated["analysis"].isin(PARTS) & (gated["verdict"] != "declared")


def find_revealing_parts(gated: pd.DataFrame, threshold: int) -> pd.Series:
    """Tell which rows of parts have too few people behind them, or could tell of too few."""
    small = ~(gated["n"] >= threshold) | (gated["fewest"] < threshold)
    small |= (gated["statistic"] == "is_minority") & ~(gated["n"] >= 2 * threshold)
    return find_parts(gated) & small


def round_parts(values: pd.Series, *, digits: int = DIGITS) -> pd.Series:
    """Return values with few digits."""
    return values.map(lambda value: float(f"{value:.{digits}g}") if np.isfinite(value) else value)


def round_up(values: pd.Series, *, digits: int = DIGITS) -> pd.Series:
    """Return sizes with few digits, never a smaller one: what data could have shown must stay what they could."""

    def one(value: float) -> float:
        if not np.isfinite(value) or value <= 0:
            return value
        unit = Decimal(1).scaleb(Decimal(repr(value)).adjusted() - digits + 1)
        return float((Decimal(repr(value)) / unit).to_integral_value(ROUND_CEILING) * unit)

    return values.map(one)


SHARES_OF_HARM: Final = (
    "share_with_event", "new_alerts", "alert_before", "alert_later", "resolved_alerts", "incomplete",
)  # fmt: skip
UNITS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0)
"""Steps of percent in which a share may be told."""
WIDEST: Final = 50.0
"""Percent: a share whose interval is wider when rounded says next to nothing, and is not told."""
COARSEST_ALONE: Final = 5.0
"""Percent: in coarser steps a share without an interval would make arms that are alike look apart."""
ROUNDED_AWAY: Final = tell("the rounding that protects people leaves too little to tell")
"""`method` of a share of harm that is hidden because so little of it is left."""


def step_of_100(n: float, step: int) -> float:
    """Return in steps of how many percent of `n` people a share is told, so that a step is `step` people or more."""
    return next((unit for unit in UNITS if unit * n >= 100 * step), UNITS[-1])


def coarsen_harms(gated: pd.DataFrame, step: int) -> pd.DataFrame:
    """Return what may be told of harms: in steps of so many people or more that no two numbers tell a few apart.

    Several harms, timepoints and denominators of one arm are told side by side; with exact numbers those between them
    could be counted.

    Parameters
    ----------
    gated : DataFrame
        Results of which nothing was taken out yet but what `find_revealing_parts` finds.
    step : int
        People of a step, as of `Profile.step`.

    Returns
    -------
    DataFrame
        ``value``, ``conf_low`` and ``conf_high`` of the rows of harms that are shown, by their index: shares and
        numbers of people in such steps with intervals rounded outwards, rates with one digit, and no number of events.
        Nobody and everybody are left as they are. Shares that such steps leave too little of are NaN.
    """
    # Of nobody, or everybody, nobody stands apart; a hundred people are not a hundred percent.
    is_some = (gated["value"] != 0) & ~((gated["value"] == 100) & gated["statistic"].isin(SHARES_OF_HARM))
    own = gated[(gated["analysis"] == "harms") & find_parts(gated) & ~gated["hidden"] & is_some]
    told = own[["value", "conf_low", "conf_high"]].astype("float64")
    for index, row in own.iterrows():
        if row["statistic"] in SHARES_OF_HARM:
            told.loc[index] = _share_in_steps(told.loc[index], step_of_100(row["n"], step))
        elif row["statistic"] == "people_with_event":
            told.loc[index] = _in_steps(told.loc[index], float(step))
        elif row["statistic"] == "first_events_per_100_years" and row["value"] > 0:
            told.loc[index] = _in_steps(told.loc[index], 10.0 ** np.floor(np.log10(row["value"])))
        elif row["statistic"] == "events":
            told.loc[index] = np.nan
    return told


def _share_in_steps(numbers: pd.Series, step: float) -> pd.Series:
    """Return a share in steps of percent; NaN where they are too coarse for it to tell anything."""
    told = _in_steps(numbers, step)
    is_alone = bool(numbers[["conf_low", "conf_high"]].isna().all())
    is_lost = step > COARSEST_ALONE if is_alone else told["conf_high"] - told["conf_low"] > WIDEST
    return told * np.nan if is_lost else told


def _in_steps(numbers: pd.Series, step: float) -> pd.Series:
    """Return value, low and high in steps, the ends rounded outwards."""
    value, low, high = numbers / step
    return step * pd.Series([np.round(value), np.floor(low), np.ceil(high)], index=numbers.index)

"""What the disclosure gate hides of flagged answers: counts and estimates between which few people stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from analysis.quality import ANY, LEFT_OUT
from reports.gated_rows import hide, withhold


def gate_quality(gated: pd.DataFrame, threshold: int) -> None:
    """Hide counts of flagged people, and estimates with other answers, that tell of few; show the rest coarsely."""
    own = gated["analysis"] == "quality"
    hide(gated, own & find_revealing_flags(gated, threshold))
    revealing = find_revealing_estimates(gated, threshold)
    hide(gated, revealing)
    gated.loc[revealing, ["verdict", "method", "words"]] = ["refused:withheld", "", ""]
    for index in gated.index[own & (gated["estimand"] != "") & (gated["statistic"] != LEFT_OUT) & gated["n"].notna()]:
        withhold(gated, index, np.nan)
    hide(gated, find_revealing_sums(gated, threshold))


def find_revealing_flags(gated: pd.DataFrame, threshold: int) -> pd.Series:
    """Find the counts of flagged people that tell of few, flagged or not flagged.

    Parameters
    ----------
    gated : DataFrame
        All results, with the counts of people that are printed (NaN: withheld).
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    Series of bool
        At each timepoint a count goes where it is small, or near to one before it, to everybody who answered, or to
        those of them who have a score, or none.
    """
    gone = pd.Series(False, index=gated.index)
    own = (gated["analysis"] == "quality") & (gated["estimand"] == "")
    for timepoint in dict.fromkeys(gated.loc[own, "timepoint"]):
        known = [*_totals(gated[gated["timepoint"] == timepoint])]
        for index, n in gated.loc[own & (gated["timepoint"] == timepoint), "n"].items():
            if 0 < n < threshold or (n and _is_near_any(n, known, threshold)):
                gone[index] = True
            else:
                known.append(float(n))
    return gone


def find_revealing_estimates(gated: pd.DataFrame, threshold: int) -> pd.Series:
    """Find the estimates with other answers that could be subtracted from the main one to tell of few people.

    Parameters
    ----------
    gated, threshold
        As in `find_revealing_flags`.

    Returns
    -------
    Series of bool
        Those with fewer than `threshold` people left, or with so few, but some, making the difference in an arm at a
        timepoint: an estimate at one timepoint may hang on few people there. Refused ones too, for the reason is that
        few are left, and those whose main estimate is hidden.
    """
    own = (gated["analysis"] == "quality") & (gated["estimand"] != "") & (gated["statistic"] != LEFT_OUT)
    is_safe = (gated["fewest"] >= threshold) & ~(gated["n"] < threshold) & _is_shown(gated)
    return own & (~is_safe | gated["verdict"].str.startswith("refused"))


def find_revealing_sums(gated: pd.DataFrame, threshold: int) -> pd.Series:
    """Find the numbers of scores left out that tell of few people, by themselves or by what else is printed.

    Parameters
    ----------
    gated, threshold
        As in `find_revealing_flags`, whose counts are hidden already.

    Returns
    -------
    Series of bool
        Those of few people, near to a sum of printed counts, or from which a hidden count could be had; and those
        whose main estimate is hidden.
    """
    left_out = (gated["analysis"] == "quality") & (gated["statistic"] == LEFT_OUT)
    gone = left_out & ~((gated["fewest"] >= threshold) & _is_shown(gated))
    flags = gated[(gated["analysis"] == "quality") & (gated["estimand"] == "")]
    if flags.loc[flags["statistic"] == ANY, "hidden"].any():
        return left_out
    known = [*flags.groupby("statistic")["n"].sum(min_count=1).dropna(), *_totals(gated)]
    for index, n in gated.loc[left_out & ~gone, "n"].items():
        if _is_near_any(n, known, threshold):
            gone[index] = True
        else:
            known.append(float(n))
    return gone


def _is_shown(gated: pd.DataFrame) -> pd.Series:
    """Tell which rows are about an estimand whose main estimate is printed."""
    main = (gated["analysis"] == "model") & (gated["estimand"] != "") & (gated["verdict"] == "estimated")
    return gated["estimand"].isin(gated.loc[main & ~gated["hidden"] & gated["value"].notna(), "estimand"])


def _totals(at: pd.DataFrame) -> Iterator[float]:
    """Yield how many people answered, and for each outcome how many have a score and how many have none, if known."""
    answered = float(at.loc[at["statistic"] == "answered", "n"].sum(skipna=False))
    observed = at[at["statistic"] == "observed"]
    sums = observed.groupby("outcome", sort=False)["n"].agg(lambda counts: counts.sum(skipna=False))
    scored = [float(n) for n in sums]
    totals = [answered, *scored, *(answered - n for n in scored)]
    yield from (total for total in totals if total > 0)


def _is_near_any(count: float, others: Iterable[float], threshold: int) -> bool:
    return any(0 < abs(count - other) < threshold for other in others)

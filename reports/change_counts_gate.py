"""The disclosure gate of how many people improved and got worse, and of sizes in standard deviations.

By their change people stand on a line, and each share of people beyond a threshold cuts it. A cut is told only where
between it and every other cut that is told, and beyond it, there is nobody or there are at least ten people: whatever
is added and subtracted of shares of an arm at a timepoint is made of these pieces. Shares are rounded, and the pieces
are judged by the rounded shares and by the number of people that is told with the mean change, so that neither a share
nor its being told says more of that number. Intervals and numbers needed are computed anew from what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from analysis.change_counts_part import NO_SINGLE_NUMBER
from analysis.number_needed import derive_number_needed_of_difference
from analysis.telling import Number, Told, tell, words_of
from reports.gated_rows import hide

Cut = tuple[str, str]
FEW: Final = "fewer than"
"""How `method` begins of a hidden share of people who got worse, where it may be said that they are few."""
STEPS: Final = (100, 50, 20)
"""Steps from none to all in which shares are told: the first that are not finer than one person."""
_ORDER: Final = (
    ("reliable", "worsened"),
    ("meaningful", "improved"),
    ("meaningful", "worsened"),
    ("reliable", "improved"),
)
"""Which share goes before which where not all can be told: reliable deterioration, then what arms are compared by."""
_PLACE: Final = ["outcome", "arm", "timepoint"]
_Z: Final = float(stats.norm.ppf(0.975))
_TOLD: Final = ["value", "conf_low", "conf_high", "verdict", "method", "words"]


@dataclass(frozen=True, slots=True)
class _Told:
    """A share as it is told: rounded to `unit`, the true one at most `slack` away, of at least `n` people."""

    value: float
    unit: float
    slack: float
    n: float

    def ends(self) -> tuple[float, float]:
        """Return an interval (Wilson) that holds that of the true share, not rounded."""
        return _wilson(self.value - self.slack, self.n)[0], _wilson(self.value + self.slack, self.n)[1]


def gate_change_counts(gated: pd.DataFrame, results: pd.DataFrame, threshold: int) -> None:
    """Tell how people changed only where no small number of people can be had from it, nor a hidden spread."""
    hide(gated, find_revealing_sizes(gated))
    told = tell_changes(gated, results, threshold)
    gated.loc[told.index, told.columns] = told
    hide(gated, gated.index.isin(told.index[told["value"].isna()]))


def tell_changes(gated: pd.DataFrame, results: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Return what may be told of shares of people by their change, and of what compares them.

    Parameters
    ----------
    gated : DataFrame
        Results whose `change_within_arm` rows have passed the gate: of people with both scores `n`, or `at_least`.
    results : DataFrame
        The same rows as computed.
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    DataFrame
        A row for each row of the analysis ``change_counts`` but for thresholds, by its index: value, conf_low,
        conf_high, verdict, method and words. A value of NaN is not told; `method` is then `FEW`, a sentence, or empty.
    """
    own = results[(results["analysis"] == "change_counts") & (results["statistic"] != "threshold")]
    answer = own[_TOLD].copy()
    shares = own[own["arm"] != ""]
    told: dict[int, _Told] = {}
    for place, rows in shares.groupby(_PLACE, sort=False):
        people = _people_told(gated, *place)
        cuts, few = _tell_cuts(rows, people, threshold)
        told |= cuts
        for index, row in rows.iterrows():
            share = cuts.get(index) if row["statistic"] != "unchanged" else _rest(rows, row["item"], cuts)
            words = _say_few(people, threshold) if index == few else ""
            untold = [np.nan] * 3 + [row["verdict"], str(words), words_of(words)]
            answer.loc[index, _TOLD] = _share_cells(share, row) if share else untold
    for _, rows in own[own["arm"] == ""].groupby(["outcome", "timepoint", "contrast", "item"], sort=False):
        first, second = (_improved(shares, rows.iloc[0], side) for side in str(rows["contrast"].iloc[0]).split(" - "))
        compared = _compare(told.get(first), told.get(second))
        for index, row in rows.iterrows():
            answer.loc[index, _TOLD] = _compared_cells(compared, row)
    answer.loc[gated.loc[own.index, "hidden"], ["value", "conf_low", "conf_high"]] = np.nan
    return answer


def find_revealing_sizes(gated: pd.DataFrame) -> pd.Series:
    """Tell which sizes are to be hidden, and thresholds that were derived of a spread.

    With the estimate a size tells the standard deviation: not of scores of few values, and not of a hidden estimate.
    """
    of_model = (gated["analysis"] == "model") & (gated["estimand"] != "")
    hidden = gated.loc[of_model & gated["hidden"], "estimand"]
    size = gated["analysis"] == "size"
    derived = (gated["analysis"] == "change_counts") & (gated["statistic"] == "threshold")
    return (size & gated["estimand"].isin(hidden)) | ((size | derived) & gated["classes"].notna())


def _people_told(gated: pd.DataFrame, outcome: str, arm: str, timepoint: str) -> float:
    """Return the number of people with both scores that is told, or what it is not below; NaN without either."""
    where = (gated["analysis"] == "change_within_arm") & (gated["statistic"] == "mean_change") & ~gated["hidden"]
    where &= (gated["outcome"] == outcome) & (gated["arm"] == arm) & (gated["timepoint"] == timepoint)
    known = gated.loc[where, "n"].fillna(gated.loc[where, "at_least"])
    return float(known.iloc[0]) if len(known) else float("nan")


def _tell_cuts(rows: pd.DataFrame, people: float, threshold: int) -> tuple[dict[int, _Told], int | None]:
    """Return the shares of one arm at one timepoint that are told, by index, and the index of one that is called few.

    A mean of scores of few values is made of counts: of such scores nothing is told.
    """
    is_share = rows["value"].between(0, 1).all() and np.isfinite(rows["n"]).all()
    if not (is_share and (rows["n"] == rows["n"].iloc[0]).all() and rows["classes"].isna().all()):
        return {}, None
    n, steps = int(rows["n"].iloc[0]), steps_of(people)
    cuts = {(str(row["item"]), str(row["statistic"])): index for index, row in rows.iterrows()}
    counts = {cut: round(float(rows.loc[index, "value"]) * n) for cut, index in cuts.items() if cut in _ORDER}
    told, few = choose_cuts(counts, n, people, threshold)
    slack = {cut: 0.0 if counts[cut] in (0, n) else 0.5 / steps for cut in told}
    answer = {cuts[cut]: _Told(value / steps, 1 / steps, slack[cut], people) for cut, value in told.items()}
    return answer, cuts[few] if few else None


def steps_of(people: float) -> int:
    """Return in how many steps from none to all shares of at least so many people are told; 0 for too few people."""
    return next((steps for steps in STEPS if people >= steps), 0)


def choose_cuts(counts: Mapping[Cut, int], n: int, people: float, threshold: int) -> tuple[dict[Cut, int], Cut | None]:
    """Choose the shares that are told of one arm at one timepoint.

    Parameters
    ----------
    counts : mapping
        (rule, ``improved`` or ``worsened``) -> people beyond that threshold.
    n : int
        People with both scores.
    people : float
        The number of them that is told, or what it is told not to be below; NaN where nothing is told.
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    told : dict
        Cut -> share in steps of `steps_of`.
    few : tuple or None
        A cut that is not told because few got worse, and of which that may be said: the first one judged, and only
        where there was room for as few on its other side.
    """
    steps = steps_of(people)
    told: dict[Cut, int] = {}
    few: Cut | None = None
    places = {0: 0, n: steps}
    """People below a cut -> the same in steps."""
    is_first = True
    for cut in [each for each in _ORDER if each in counts and steps]:
        count, worse = counts[cut], cut[1] == "worsened"
        place = count if worse else n - count
        found = places | {place: _to_steps(place, n, steps)}
        if _are_safe(found, n, people / steps, threshold):
            places = found
            told[cut] = found[place] if worse else steps - found[place]
        elif worse and is_first and count and (found[place] - 0.5) * people < threshold * steps:
            room = min(value for below, value in places.items() if below) - 0.5
            few = cut if room * people >= 2 * threshold * steps else None
        is_first = is_first and not worse
    return told, few


def _to_steps(count: int, n: int, steps: int) -> int:
    return (2 * count * steps + n) // (2 * n)


def _are_safe(places: Mapping[int, int], n: int, people_per_step: float, threshold: int) -> bool:
    """Tell whether every piece between cuts has, however many people there are, enough of them: of steps as told."""
    slack = {below: 0.0 if below in (0, n) else 0.5 for below in places}
    return all(
        (places[right] - slack[right] - places[left] - slack[left]) * people_per_step >= threshold
        for left, right in pairwise(sorted(places))
    )


def _say_few(people: float, threshold: int) -> Told:
    """Return how many of 100 people there are fewer than where a share that may be said is not told."""
    steps = steps_of(people)
    least = next(step for step in range(1, steps + 1) if (step - 0.5) * people >= threshold * steps)
    return tell("fewer than {number} of 100 people", number=Number(100 * least // steps))


def _rest(rows: pd.DataFrame, rule: str, told: dict[int, _Told]) -> _Told | None:
    """Return the share of those who stayed about the same: what is left of both others."""
    others = [told.get(index) for index in rows.index[(rows["item"] == rule) & (rows["statistic"] != "unchanged")]]
    if None in others:
        return None
    better, worse = (other for other in others if other is not None)
    value = max(round(1 - better.value - worse.value, 10), 0.0)
    return _Told(value, better.unit, better.slack + worse.slack if value > 0 else 0.0, better.n)


def _improved(shares: pd.DataFrame, row: pd.Series, arm: str) -> int:
    """Return the index of the share that improved in one of the arms that a row compares."""
    same = (shares["outcome"] == row["outcome"]) & (shares["timepoint"] == row["timepoint"])
    same &= (shares["item"] == row["item"]) & (shares["arm"] == arm) & (shares["statistic"] == "improved")
    return int(shares.index[same][0])


def _compare(first: _Told | None, second: _Told | None) -> tuple[float, float, float] | None:
    """Return the difference of two shares with an interval (Newcombe) that holds that of the true ones."""
    if first is None or second is None:
        return None
    (first_low, first_high), (second_low, second_high) = first.ends(), second.ends()
    value, slack = first.value - second.value, first.slack + second.slack
    below = np.hypot(max(first.value - first.slack, 0) - first_low, second_high - min(second.value + second.slack, 1))
    above = np.hypot(first_high - min(first.value + first.slack, 1), max(second.value - second.slack, 0) - second_low)
    unit = max(first.unit, second.unit)
    low, high = _outward(value - slack - below, value + slack + above, unit)
    return round(value, 10) + 0.0, max(low, -1.0), min(high, 1.0)


def _share_cells(share: _Told, row: pd.Series) -> list[object]:
    low, high = _outward(*share.ends(), share.unit)
    return [share.value, max(low, 0.0), min(high, 1.0), row["verdict"], row["method"], row["words"]]


def _compared_cells(compared: tuple[float, float, float] | None, row: pd.Series) -> list[object]:
    if compared is None:
        return [*[np.nan] * 3, "refused:withheld", "", ""]
    if row["statistic"] == "difference_in_shares":
        return [*compared, row["verdict"], row["method"], row["words"]]
    needed = derive_number_needed_of_difference(*compared, event_is="good")
    if needed.verdict != "estimated":
        return [*[np.nan] * 3, needed.verdict, str(NO_SINGLE_NUMBER), words_of(NO_SINGLE_NUMBER)]
    return [
        *(round(people) for people in (needed.value, needed.conf_low, needed.conf_high)),
        needed.verdict,
        row["method"],
        row["words"],
    ]


def _outward(low: float, high: float, unit: float) -> tuple[float, float]:
    """Return an interval on steps of a unit that holds the one given."""
    return round(np.floor(low / unit + 1e-9) * unit, 10) + 0.0, round(np.ceil(high / unit - 1e-9) * unit, 10) + 0.0


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return the interval of Wilson (1927, doi 10.1080/01621459.1927.10502953) of a share of any number of people."""
    share = min(max(share, 0.0), 1.0)
    centre, weight = share + _Z**2 / (2 * n), 1 + _Z**2 / n
    reach = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max((centre - reach) / weight, 0.0), min((centre + reach) / weight, 1.0)

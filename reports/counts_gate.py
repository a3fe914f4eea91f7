"""The disclosure gate of numbers of people: of arms, of samples, of everybody, and of those who were asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.profiles import Profile
from reports.gated_rows import (
    ATTENDED,
    COUNTS,
    NUMBERS,
    REVEALING,
    hide,
    is_measurement,
    is_near,
    tells_variance,
    withhold,
)
from reports.part_gate import PARTS


class Released(NamedTuple):
    """What may be said of a count of people: the count itself, or what it is not below (NaN for nothing)."""

    is_exact: bool
    at_least: float


def hide_uncounted(gated: pd.DataFrame) -> None:
    """Hide numbers that do not say how many people are behind them."""
    excused = (
        (gated["verdict"] == "declared")
        | (gated["analysis"] == "certainty")
        | ((gated["analysis"] == "model") & gated["statistic"].map(tells_variance) & gated["n"].isna())
    )
    has_number = gated[NUMBERS].notna().any(axis=1)
    false_count = gated["statistic"].isin([*COUNTS, ATTENDED]) & (gated["value"] != gated["n"])
    hide(gated, has_number & ~excused & (~_is_count(gated["n"]) | false_count))


def gate_arms(gated: pd.DataFrame, profile: Profile) -> None:
    """Release the counts of each arm together, whatever they count."""
    own = (gated["arm"] != "") & gated["n"].notna() & (gated["analysis"] != "certainty")
    bounds: dict[int, float] = {}
    for arm in dict.fromkeys(gated.loc[own, "arm"]):
        of_arm = gated.loc[own & (gated["arm"] == arm)].sort_values("statistic", key=_rank, kind="stable")
        for together in _held_together(of_arm):
            released = _release(map(int, together["n"]), profile)
            for index, n in together["n"].items():
                if not released[int(n)].is_exact:
                    bounds.setdefault(index, released[int(n)].at_least)
    is_only_a_count = gated["statistic"].isin([*COUNTS, *REVEALING, ATTENDED])
    hide(gated, gated.index.isin([index for index, at_least in bounds.items() if np.isnan(at_least)]))
    hide(gated, gated.index.isin(list(bounds)) & is_only_a_count)
    for index, at_least in bounds.items():
        if is_only_a_count[index]:
            gated.loc[index, "at_least"] = at_least
        elif not np.isnan(at_least):
            withhold(gated, index, at_least)


def _release(counts: Iterable[int], profile: Profile) -> dict[int, Released]:
    if profile.rounded_to == 1:
        return release_counts(counts, profile.threshold)
    return {count: Released(not count, _least_of_rounded(count, profile)) for count in counts}


def _least_of_rounded(count: int, profile: Profile) -> float:
    return np.nan if profile.hides(count) else max(round_count(count, profile) - profile.reach, profile.threshold)


def round_count(count: float, profile: Profile) -> float:
    """Return a count to the nearest multiple of people; of none that is between two."""
    return profile.rounded_to * float(np.floor(count / profile.rounded_to + 0.5))


def print_rounded(gated: pd.DataFrame, results: pd.DataFrame, profile: Profile) -> None:
    """Print the counts that were withheld because they are rounded, and round those that were not withheld.

    Until then gates know of a rounded count only what it is not below, so that whatever would give the exact one back
    is blurred.
    """
    of_people = results["n"].map(lambda n: round_count(n, profile))
    is_count = results["statistic"].isin([*COUNTS, ATTENDED])
    rounded = gated["at_least"].notna() & (is_count | ~gated["hidden"])
    gated.loc[rounded, "n"] = of_people
    gated.loc[rounded, "at_least"] = np.nan
    gated.loc[rounded & is_count, "value"] = of_people
    gated.loc[rounded & is_count, "hidden"] = False
    told = (gated["analysis"].isin(["flow", "quality"])) & gated["n"].notna() & (gated["value"] == results["n"])
    gated.loc[told, ["value", "n"]] = of_people[told]


def release_counts(counts: Iterable[int], threshold: int) -> dict[int, Released]:
    """Return what may be said of each count of people of one arm.

    Parameters
    ----------
    counts : iterable of int
        The most important first: a count is exact when it is zero, or at least `threshold` and equal to or at least
        that many away from every exact one before it.
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    dict
        Count -> whether it is exact; if not, a number that it is not below and that leaves as many numbers possible as
        there are small ones, or NaN where `threshold` people or more could not be promised.
    """
    distinct = list(dict.fromkeys(counts))
    exact: list[int] = []
    for count in distinct:
        if count >= threshold and not any(is_near(count, other, threshold) for other in exact):
            exact.append(count)
    freed = {count: count in exact or not count for count in distinct}
    return {
        count: Released(free, np.nan if free else _lower_bound(count, exact, threshold))
        for count, free in freed.items()
    }


def _lower_bound(count: int, exact: list[int], threshold: int) -> float:
    """Return what a withheld count is not below; it depends on its exact neighbours alone."""
    below = max((other for other in exact if other < count), default=0)
    above = min((other for other in exact if other > count), default=np.inf)
    beside_lower = is_near(count, below, threshold) or above - below < 2 * threshold - 1
    bound = below + 1 if beside_lower else above - threshold + 1
    return float(bound) if count >= threshold and bound >= threshold else np.nan


def _held_together(of_arm: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the counts of an arm that tell of each other: all, or, of samples drawn anew, those of each timepoint.

    Two samples are of other people, apart from those who are linked: with their number the counts are held each.
    """
    if not (of_arm["statistic"] == "linked").any():
        return [of_arm]
    timepoints = [timepoint for timepoint in dict.fromkeys(of_arm["timepoint"]) if timepoint]
    return [of_arm[of_arm["timepoint"].isin([timepoint, ""])] for timepoint in timepoints]


def _rank(statistics: pd.Series) -> pd.Series:
    """Return the importance of statistics: how people came and answered goes before what was computed of them."""
    return statistics.map({name: rank for rank, name in enumerate(COUNTS)}).fillna(len(COUNTS))


def _is_count(n: pd.Series) -> pd.Series:
    return n.notna() & (n >= 0) & (n == n.round()) & np.isfinite(n)


def gate_composition(gated: pd.DataFrame, threshold: int) -> None:
    """Hide how samples compare where one of them is small; the numbers of people stand elsewhere."""
    own = gated["analysis"] == "composition"
    hide(gated, own & (gated["n"] < threshold))
    gated.loc[own, "n"] = np.nan


def gate_changes(gated: pd.DataFrame, threshold: int) -> None:
    """Withhold how many answered twice where, with who answered once, it tells how few never answered."""
    observed = gated[gated["statistic"] == "observed"].set_index(["outcome", "arm", "timepoint"])["n"]
    for index in gated.index[(gated["analysis"] == "change_within_arm") & gated["n"].notna()]:
        row = gated.loc[index]
        ends = row["contrast"].split(" - ")
        once = sum(observed.get((row["outcome"], row["arm"], end), np.nan) for end in ends)
        exact = gated.loc[(gated["arm"] == row["arm"]) & gated["n"].notna(), "n"]
        if any(is_near(count, once - row["n"], threshold) for count in exact):
            withhold(gated, index, np.nan)
    _hide_changes_of_hidden_means(gated)


def _hide_changes_of_hidden_means(gated: pd.DataFrame) -> None:
    """Hide a mean change where a mean that it lies between is hidden: with the other one it would give it back."""
    hidden = gated[(gated["statistic"] == "mean") & (gated["analysis"] == "descriptive") & gated["hidden"]]
    places = set(zip(hidden["outcome"], hidden["arm"], hidden["timepoint"], strict=True))
    for index in gated.index[(gated["analysis"] == "change_within_arm") & ~gated["hidden"]]:
        row = gated.loc[index]
        if any((row["outcome"], row["arm"], end) in places for end in row["contrast"].split(" - ")):
            hide(gated, gated.index == index)


def gate_declared(gated: pd.DataFrame, threshold: int) -> None:
    """Hide declared numbers of people so near to others that the few between them would show."""
    allocated = gated.loc[gated["statistic"] == "allocated", "n"]
    printed = [float(allocated.sum())] if allocated.notna().any() else []
    of_people = (gated["verdict"] == "declared") & ~gated["analysis"].isin(PARTS)
    declared = gated[of_people & gated["value"].notna()]
    for index, number in declared["value"].sort_values(kind="stable").items():
        if 0 < number < threshold or any(is_near(number, other, threshold) for other in printed):
            hide(gated, gated.index == index)
        else:
            printed.append(float(number))


def gate_totals(gated: pd.DataFrame, threshold: int) -> None:
    """Print a total over arms only where no part of it is withheld and nothing near it can be added up."""
    whole = (gated["arm"] == "") & gated["n"].notna() & ~gated["statistic"].isin(["difference", "change"])
    whole &= ~is_measurement(gated) & ~gated["analysis"].isin(["quality", "delivery"])
    for index in gated.index[whole & (gated["verdict"] != "declared") & (gated["analysis"] != "certainty")]:
        if 0 < gated.loc[index, "n"] < threshold:
            hide(gated, gated.index == index)
        elif not _adds_nothing(gated, gated.loc[index], threshold):
            withhold(gated, index, np.nan)


def _adds_nothing(gated: pd.DataFrame, whole: pd.Series, threshold: int) -> bool:
    """Tell whether a total shows no small number: all counts it may be held against are exact and not near."""
    parts = gated[gated["statistic"].isin(COUNTS)]
    if whole["timepoint"]:
        parts = parts[parts["timepoint"] == whole["timepoint"]]
    if parts["n"].isna().any():
        return False
    sums = parts.groupby(["statistic", "outcome", "timepoint"], sort=False)["n"].sum()
    return not any(is_near(whole["n"], added, threshold) for added in sums)

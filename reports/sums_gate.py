"""The disclosure gate of sums over nearly the same people: subtracting them must not tell the scores of a few.

Of an arm at a timepoint three means are told: of everybody at baseline, of everybody then, and of the change of those
with both scores. Each is a sum, so that of those who left after baseline the total of their baseline scores follows.
Where they are fewer than the threshold, the change is told so coarsely that their total is known no better than who
knows the mean and spread of everybody would guess it: a total of `k` people to one standard deviation times the root
of `k` (in the manner of the p % rule: Hundepool et al. 2012, doi 10.1002/9781118348239, section 4.2). Nor must it
follow that anybody left: with means that agree for nobody but different people, there would be somebody, but few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.profiles import Profile
from reports.gated_rows import blur_to, find_unit, hide, smallest_unit

_NEAR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Stayers:
    """People of an arm with a baseline score and a later one, and how well their baseline mean follows.

    Attributes
    ----------
    people : float
        How many they are; at baseline everybody.
    mean : float
        Their mean score at baseline, as it is had from what is told.
    slack : float
        Points by which it may be off, either way.
    is_all : bool
        They are everybody with a score at baseline.
    """

    people: float
    mean: float
    slack: float
    is_all: bool = False

    def hides_who_left(self, other: Stayers, needed: float) -> bool:
        """Tell whether the total of who left between two groups is known no better than to `needed` points.

        Of everybody at baseline the stayers are a part, so that it must not follow either that anybody left at all.
        """
        is_coarse = self.people * self.slack + other.people * other.slack >= needed
        return is_coarse and (not other.is_all or abs(self.mean - other.mean) <= self.slack + other.slack + _NEAR)


def gate_sums(gated: pd.DataFrame, results: pd.DataFrame, profile: Profile) -> None:
    """Coarsen changes beside which the baseline scores of few people could be had by subtracting.

    Parameters
    ----------
    gated : DataFrame
        Results that have passed the gates of what was observed; changed. A change that would have to be told in units
        of more than half its interval is hidden.
    results : DataFrame
        The same rows as computed.
    profile : Profile
        The rule.
    """
    changes = results[(results["analysis"] == "change_within_arm") & (results["statistic"] == "mean_change")]
    for (outcome, arm), rows in changes.groupby(["outcome", "arm"], sort=False):
        means = _means(results, str(outcome), str(arm))
        baseline = str(rows["contrast"].iloc[0]).rpartition(" - ")[2]
        if baseline not in means or gated.loc[means[baseline].name, "hidden"]:
            continue
        first = means[baseline]
        needed = float(first["std_error"]) * np.sqrt(first["n"] * (profile.threshold - 1))
        known = [Stayers(float(first["n"]), gated.loc[first.name, "value"], _slack(gated, first), is_all=True)]
        for index, row in rows.iterrows():
            later = means.get(row["timepoint"])
            if later is None or gated.loc[[index, later.name], "hidden"].any():
                continue
            if later["n"] - row["n"] < profile.threshold:  # of more who came later, nobody knows the total
                near = [each for each in known if _is_near(each, row, later, profile)]
                known.append(_coarsen(gated, row, later, near, needed))


def _means(results: pd.DataFrame, outcome: str, arm: str) -> dict[str, pd.Series]:
    """Return the rows of observed means of an arm by timepoint."""
    own = (results["analysis"] == "descriptive") & (results["statistic"] == "mean")
    own &= (results["outcome"] == outcome) & (results["arm"] == arm)
    return {str(row["timepoint"]): row for _, row in results[own].iterrows()}


def _is_near(other: Stayers, row: pd.Series, later: pd.Series, profile: Profile) -> bool:
    """Tell whether few people, but some, are the difference; of all at baseline also those who came later."""
    apart = abs(other.people - row["n"])
    if other.is_all:
        apart = max(apart, later["n"] - row["n"])
    return bool(0 < apart < profile.threshold)


def _slack(gated: pd.DataFrame, row: pd.Series) -> float:
    """Return by how many points a mean that is told may be off: by none where it is not blurred."""
    told = gated.loc[row.name]
    is_blurred = np.isnan(told["std_error"]) and not np.isnan(told["conf_low"])
    least = told["at_least"] if told["at_least"] == told["at_least"] else row["n"]
    return find_unit(row, least).size / 2 if is_blurred else 0.0


def _coarsen(gated: pd.DataFrame, row: pd.Series, later: pd.Series, near: list[Stayers], needed: float) -> Stayers:
    """Leave of a change so little that it tells nothing of who left, and return what it tells of who stayed."""

    def tell(slack: float) -> Stayers:
        mean = gated.loc[later.name, "value"] - gated.loc[row.name, "value"]
        return Stayers(float(row["n"]), mean, slack + _slack(gated, later))

    told, slack = tell(_slack(gated, row)), _slack(gated, row)
    while not all(told.hides_who_left(each, needed) for each in near):
        unit = smallest_unit(3 * slack if slack else 1 / row["n"])
        if not unit.size <= (row["conf_high"] - row["conf_low"]) / 2:
            hide(gated, gated.index == row.name)
            gated.loc[row.name, "at_least"] = np.nan
            return Stayers(float(row["n"]), np.nan, np.inf)
        gated.loc[row.name, ["value", "conf_low", "conf_high"]] = row[["value", "conf_low", "conf_high"]]
        blur_to(gated, row.name, unit)
        slack = unit.size / 2
        told = tell(slack)
    return told

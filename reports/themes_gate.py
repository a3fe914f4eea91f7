"""The disclosure gate of interviews: few people are interviewed, so how many spoke of a theme is told coarsely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from analysis.profiles import Profile
from analysis.telling import Number, tell, words_of
from analysis.themes_part import AGREEMENT, COUNTS_OF_PEOPLE, READ_TWICE, WITH_THEME
from reports.gated_rows import hide

FEWEST_TO_QUOTE: Final = 3
"""People who speak of a theme from which on one of them may be quoted: fewer know each other."""
MOST_QUOTED: Final = 2
"""Quotations of a theme that are shown."""
_STEP: Final = 0.1
"""In which agreement is told: with more digits, and one excerpt of each person, people could be counted."""
FEW_PEOPLE: Final = tell("Excerpts of too few people were read by two coders to tell how far they agree.")


def gate_themes(gated: pd.DataFrame, results: pd.DataFrame, profile: Profile) -> None:
    """Leave of every number of people only whether it is as large as the profile asks for.

    Parameters
    ----------
    gated : DataFrame
        Gated results; changed, after all other gates. A number that is told has the threshold in ``at_least`` and no
        value; all others are hidden, be they zero or small.
    results : DataFrame
        The same rows as computed.
    profile : Profile
        The rule.

    Notes
    -----
    One bound for all numbers: steps, or exact numbers, of themes, arms, and people interviewed could be subtracted from
    each other. It is told only where those not interviewed, of everybody, could be none or as many as the threshold
    less one; and of arms only where it holds in each of them, so that no arm follows from the others.
    """
    own = results["analysis"] == "themes"
    if not own.any():
        return
    least = profile.threshold
    of_people = own & results["statistic"].isin(COUNTS_OF_PEOPLE)
    hide(gated, of_people)
    gated.loc[of_people, "at_least"] = np.nan
    people = _count_everybody(results)
    is_enough = (results["value"] >= least) & (results["arm"].map(people) >= 2 * least - 1)
    by_arm = results["arm"] != ""
    for (_, _), rows in results[of_people & by_arm].groupby(["statistic", "item"], sort=False):
        is_enough[rows.index] = is_enough[rows.index].all()
    told = gated.index[of_people & is_enough]
    gated.loc[told, "hidden"] = False
    gated.loc[told, "at_least"] = float(least)
    _gate_coders(gated, results, own & (results["n"] >= least), least)


def _count_everybody(results: pd.DataFrame) -> dict[str, float]:
    """Return how many people there are at most, by arm, and in all with an empty name."""
    flow = results[(results["analysis"] == "flow") & (results["arm"] != "")]
    counted = flow[flow["statistic"] == "allocated"]
    counted = counted if len(counted) else flow[flow["statistic"] == "answered"]
    by_arm = {str(arm): float(count) for arm, count in counted.groupby("arm")["value"].sum().items()}
    return {**by_arm, "": sum(by_arm.values())}


def _gate_coders(gated: pd.DataFrame, results: pd.DataFrame, has_people: pd.Series, least: int) -> None:
    """Tell agreement, and how many excerpts it is of, in steps."""
    excerpts = (results["analysis"] == "themes") & (results["statistic"] == READ_TWICE)
    hide(gated, excerpts)
    told = gated.index[excerpts & has_people]
    gated.loc[told, "hidden"] = False
    gated.loc[told, "value"] = least * np.floor(results.loc[told, "value"] / least)
    words = tell("excerpts that two coders or more read, rounded down to a multiple of {step}", step=Number(least))
    gated.loc[told, ["method", "words"]] = [str(words), words_of(words)]
    agreement = (results["analysis"] == "themes") & (results["statistic"] == AGREEMENT) & results["n"].notna()
    hide(gated, agreement)
    gated.loc[agreement & ~has_people, ["verdict", "method", "words"]] = [
        "refused:few_people", str(FEW_PEOPLE), words_of(FEW_PEOPLE),
    ]  # fmt: skip
    for index in gated.index[agreement & has_people & results["value"].notna()]:
        value, low, high = (float(results.at[index, name]) / _STEP for name in ("value", "conf_low", "conf_high"))  # noqa: PD008
        steps = np.array([np.round(value), np.floor(low + 1e-9), np.ceil(high - 1e-9)])
        gated.loc[index, ["value", "conf_low", "conf_high"]] = np.round(_STEP * steps, 1) + 0.0
        gated.loc[index, "hidden"] = False


def choose_quoted(gated: pd.DataFrame, quotations: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the quotations that may be shown: of themes that enough people speak of, and few of each.

    Where the number of people is hidden, a quotation would tell that it is small but not zero.

    Parameters
    ----------
    gated : DataFrame
        Gated results.
    quotations : mapping
        Theme -> texts, the best first.
    """
    own = gated[(gated["analysis"] == "themes") & (gated["statistic"] == WITH_THEME) & (gated["arm"] == "")]
    people = dict(zip(own["item"], own["value"].fillna(own["at_least"]), strict=True))
    return {
        theme: texts[:MOST_QUOTED] for theme, texts in quotations.items() if people.get(theme, 0) >= FEWEST_TO_QUOTE
    }

"""The disclosure gate of what models found: estimates, their means, and what is judged by them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.design import SERIES_CONTRAST, STEP_CONTRAST
from reports.gated_rows import (
    EVERYBODY,
    OBSERVED,
    REVEALING,
    blur,
    blur_to,
    hide,
    is_measurement,
    smallest_unit,
    tells_variance,
    withhold,
)
from reports.part_gate import round_up

SUMS: Final = (*OBSERVED, "model")
"""Values of `analysis` whose numbers are sums of scores over people."""
COMMON_SPREADS: Final = ("standard_error_of_measurement", "reliable_change")
"""Statistics of a measure from which, with its reliability, the standard deviation of all arms together is had."""
_UNIT: Final = 0.1
"""Smallest unit of a mean without its interval. The spread does not decide on it: rounding would tell the spread."""
_PLACE: Final = ["analysis", "outcome", "arm", "timepoint"]


def gate_classes(gated: pd.DataFrame, threshold: int) -> None:
    """Protect scores that hardly differ, whose sums tell how many people have which score.

    A sum goes where fewer people than the threshold have another score than the commonest one: near an end of a scale
    it counts them, and of two scores it is a count. A spread, and an interval, which tells it, goes where so few have
    another score than the commonest two, and of outcomes of at most ten different scores: of these, sum and sum of
    squares leave few ways, often one, in which scores can be spread. What is left of them is blurred.
    """
    few = gated["classes"].notna() & ~is_measurement(gated)
    alike = (gated["fewest"] < threshold) & (gated["analysis"].isin(SUMS) | (few & (gated["classes"] <= 2)))
    is_spread = gated["statistic"].isin(REVEALING)
    hide(gated, alike | (few & is_spread))
    places = _places(gated[alike & is_spread])
    for index in gated.index[(few | gated["outcome"].isin({place[1] for place in places})) & ~gated["hidden"]]:
        row = gated.loc[index]
        if tells_variance(row["statistic"]):
            hide(gated, gated.index == index)
        elif row["analysis"] not in OBSERVED:
            if few[index] or row["analysis"] == "model":
                blur(gated, index)
        elif row["classes"] > 2 or tuple(row[_PLACE]) in places:
            blur_to(gated, index, smallest_unit(max(_UNIT, 1 / row["n"])))
            gated.loc[index, ["conf_low", "conf_high"]] = np.nan
        elif few[index]:
            blur(gated, index)
    _hide_common_spread(gated, places)


def _places(rows: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(zip(*(rows[name] for name in _PLACE), strict=True))


def _hide_common_spread(gated: pd.DataFrame, places: set[tuple[str, ...]]) -> None:
    """Hide what tells the spread of all arms together at a timepoint where that of one arm is hidden, or its mean.

    The spread of enough people is not protected in itself: where it is hidden for the number of people alone, that of
    everybody stays.
    """
    means = _places(gated[(gated["statistic"] == "mean") & (gated["analysis"] == "descriptive") & gated["hidden"]])
    gone = {place for place in places | means if place[0] == "descriptive"}
    hide(gated, gated["statistic"].isin(COMMON_SPREADS) & gated["timepoint"].isin({place[3] for place in gone}))
    first = gated[gated["analysis"] == "descriptive"].groupby("outcome")["timepoint"].first()
    at_baseline = {place[1] for place in gone if first[place[1]] == place[3]}
    threshold = (gated["analysis"] == "change_counts") & (gated["statistic"] == "threshold")
    hide(gated, threshold & gated["outcome"].isin(at_baseline))


def gate_shared_means(gated: pd.DataFrame, results: pd.DataFrame) -> None:
    """Hide the mean that arms share where it is hidden for one of them: randomised arms have one baseline mean."""
    means = gated[gated["statistic"] == "marginal_mean"]
    at_baseline = means["timepoint"] == means.groupby("outcome")["timepoint"].transform("first")
    for index in means.index[means["hidden"] & at_baseline]:
        row = results.loc[index]
        same = (results["statistic"] == "marginal_mean") & (results["value"] == row["value"])
        same &= (results["outcome"] == row["outcome"]) & (results["timepoint"] == row["timepoint"])
        hide(gated, same)


def gate_estimands(gated: pd.DataFrame, threshold: int) -> None:
    """Hide a contrast from which a hidden mean could be had; print its count only where one of its means prints it."""
    is_estimand = (gated["analysis"] == "model") & gated["statistic"].isin(["difference", "change"])
    for index in gated.index[is_estimand & gated["n"].notna()]:
        row = gated.loc[index]
        ends = row["contrast"].split(" - ")
        of_outcome = gated[(gated["statistic"] == "marginal_mean") & (gated["outcome"] == row["outcome"])]
        if row["contrast"] == STEP_CONTRAST:
            _gate_steps(gated, index, of_outcome, threshold)
            continue
        if row["contrast"] == SERIES_CONTRAST:
            means = of_outcome
        elif row["statistic"] == "difference" and not of_outcome["timepoint"].isin(ends).any():
            of_arms = of_outcome[of_outcome["arm"].isin(ends)]
            means = of_arms[of_arms["timepoint"].isin([row["timepoint"], *of_arms["timepoint"].head(1)])]
        else:
            means = of_outcome[of_outcome["timepoint"].isin(ends)]
        is_of_some = row["population"] not in EVERYBODY
        if row["n"] < threshold or means.empty or means["hidden"].any() or (is_of_some and row["fewest"] < threshold):
            hide(gated, gated.index == index)
        elif row["n"] not in means["n"].to_list():
            withhold(gated, index, np.nan)


def _gate_steps(gated: pd.DataFrame, index: int, means: pd.DataFrame, threshold: int) -> None:
    """Show a difference over all groups by the people behind it, without their number, and its means all or none.

    Sequences that are on the same side at a timepoint share one mean, and the other side is a difference away.
    """
    if not gated.loc[index, "n"] >= threshold:
        hide(gated, gated.index == index)
    else:
        withhold(gated, index, np.nan)
    if means["hidden"].any():
        hide(gated, gated.index.isin(means.index))


def gate_expected(gated: pd.DataFrame) -> None:
    """Hide what is left over of a change that is hidden itself, and the words that say how it lies to the expected."""
    own = (gated["analysis"] == "expected_change") & (gated["verdict"] != "declared")
    changes = gated.loc[(gated["analysis"] == "model") & (gated["estimand"] != "") & gated["hidden"], "estimand"]
    hide(gated, own & gated["estimand"].isin(changes))
    gated.loc[own & gated["hidden"] & (gated["statistic"] == "judgement"), ["method", "words"]] = ""


def gate_margins(gated: pd.DataFrame) -> None:
    """Hide a judgement of an estimate that is hidden itself."""
    answers = (gated["analysis"] == "model") & (gated["estimand"] != "") & gated["hidden"]
    hide(gated, (gated["analysis"] == "margin") & gated["estimand"].isin(gated.loc[answers, "estimand"]))


def blur_models(gated: pd.DataFrame) -> None:
    """Blur every estimate of a model of which some count of people is withheld."""
    model = gated["analysis"] == "model"
    counted = gated["statistic"].isin(["analysed", "linked"]) | (model & (gated["statistic"] == "marginal_mean"))
    withheld = counted & gated["n"].isna()
    for index in gated.index[model & gated["outcome"].isin(gated.loc[withheld, "outcome"])]:
        blur(gated, index)
        if tells_variance(gated.loc[index, "statistic"]):
            hide(gated, gated.index == index)


def gate_certainty(gated: pd.DataFrame) -> None:
    """Hide how sure an answer is where it is hidden: the reasons speak of its interval."""
    asked = (gated["analysis"] == "model") & (gated["estimand"] != "") & (gated["verdict"] == "estimated")
    asked &= gated["population"].isin(EVERYBODY)
    hidden = gated[asked & gated["hidden"]]
    of_all = (gated["estimand"] == "") & gated["outcome"].isin(hidden["outcome"])
    where = (gated["analysis"] == "certainty") & (gated["estimand"].isin(hidden["estimand"]) | of_all)
    hide(gated, where)
    gated.loc[where, ["method", "words", "item", "estimand", "arm", "timepoint"]] = ""


def gate_precision(gated: pd.DataFrame) -> None:
    """Leave a digit and a half of what data could have shown, rounded up, where standard errors are withheld."""
    told = gated[(gated["analysis"] == "precision") & ~gated["hidden"]]
    exact = gated[(gated["analysis"] == "model") & gated["std_error"].notna()]
    withheld = told.index[~told["estimand"].isin(exact["estimand"])]
    gated.loc[withheld, "value"] = round_up(2 * gated.loc[withheld, "value"], digits=1) / 2


def gate_deltas(gated: pd.DataFrame) -> None:
    """Hide answers with points added to missing scores where it is withheld how many have one: they tell the share."""
    added = gated[(gated["analysis"] == "sensitivity") & gated["item"].str.startswith("delta ") & ~gated["hidden"]]
    observed = gated[(gated["statistic"] == "observed") & gated["n"].isna()]
    for index, row in added.iterrows():
        withheld = (observed["outcome"] == row["outcome"]) & (observed["timepoint"] == row["timepoint"])
        if withheld.any():
            hide(gated, gated.index == index)

"""The disclosure gate: every number that leaves passes it, and it fails closed.

No count of 1 to 9 people can be read from a gated table, nor had by subtracting two of its counts: within an arm,
counts that are printed exactly are equal or at least ten apart. The rule is a threshold of ten with complementary
suppression (Hundepool et al. 2012, Statistical Disclosure Control, doi 10.1002/9781118348239). Where an exact count is
withheld, whatever would give it away (standard error, degrees of freedom, standard deviation, digits beyond the first)
is withheld as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analysis.certainty_measurement import END_EFFECT
from analysis.design import SERIES_CONTRAST, STEP_CONTRAST
from analysis.quality import LEFT_OUT
from data_contracts.errors import Problem, choose_from
from reports.change_counts_gate import find_revealing_sizes, tell_changes
from reports.delivery_gate import ATTENDED, find_revealing, round_values
from reports.errors import ReportError
from reports.numbers import decimals_to_show
from reports.part_gate import PARTS, coarsen_harms, find_parts, find_revealing_parts, round_parts
from reports.quality_gate import find_revealing_estimates, find_revealing_flags, find_revealing_sums

THRESHOLD: Final = 10
"""The smallest number of people that may be read or derived."""
PROFILES: Final = ("threshold-10", "none")
NUMBERS: Final = ["value", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted", "n"]
EVERYBODY: Final = ("", "intention_to_treat")
COUNTS: Final = ("allocated", "answered", "analysed", "observed", "linked")
REVEALING: Final = ("sd", "standardised_change")
"""Statistics that, beside a mean and its interval, give the number of people away."""
SHARES: Final = ("icc_group", "working_correlation")
BELOW_END_EFFECT: Final = f"below {100 * END_EFFECT:.0f}\u00a0%"
FEWEST_MEASURED: Final = 50
"""People below whom no correlation between items is printed."""
DIGITS: Final = {"standard_error_of_measurement": 1, "reliable_change": 1}
"""Decimals of statistics of measurement; others keep two."""
_COVARIANCE: Final = "covariance: "


class Released(NamedTuple):
    """What may be said of a count of people: the count itself, or what it is not below (NaN for nothing)."""

    is_exact: bool
    at_least: float


def gate_results(results: pd.DataFrame, profile: str) -> pd.DataFrame:
    """Return the results that may leave.

    Parameters
    ----------
    results : DataFrame
        The `results` table; not changed.
    profile : {"threshold-10", "none"}
        ``none`` hides nothing and is for eyes inside the study only.

    Returns
    -------
    DataFrame
        The same rows in the same order with two more columns. ``hidden`` (bool): all numbers of the row are NaN.
        ``at_least`` (float): number of people that may be said where `n` is withheld (NaN), otherwise NaN; such a row
        keeps its value and interval with few digits, and loses standard error and degrees of freedom.

    Raises
    ------
    ReportError
        The profile is not known.
    """
    gated = results.assign(hidden=False, at_least=np.nan)
    if profile not in PROFILES:
        raise ReportError(
            Problem("unknown_profile", f"There is no profile '{profile}'.", choose_from(profile, PROFILES))
        )
    if profile == "none":
        return gated
    gated = gated.reset_index(drop=True)
    _hide_uncounted(gated)
    _gate_parts(gated)
    _gate_composition(gated)
    _gate_delivery(gated)
    _gate_arms(gated)
    _gate_classes(gated)
    _gate_shared_means(gated, results.reset_index(drop=True))
    _gate_changes(gated)
    _gate_declared(gated)
    _gate_estimands(gated)
    _gate_margins(gated)
    _gate_change_counts(gated, results.reset_index(drop=True))
    _gate_expected(gated)
    _gate_totals(gated)
    _gate_quality(gated)
    _gate_agreement(gated)
    _gate_measurement(gated)
    _blur_models(gated)
    _gate_certainty(gated)
    _gate_precision(gated)
    _gate_deltas(gated)
    gated["words"] = gated["words"].where(gated["method"] == results["method"].to_numpy(), "")
    return gated.assign(classes=np.nan, fewest=np.nan).set_axis(results.index)


def release_counts(counts: Iterable[int]) -> dict[int, Released]:
    """Return what may be said of each count of people of one arm.

    Parameters
    ----------
    counts : iterable of int
        The most important first: a count is exact when it is zero, or at least ten and equal to or at least ten away
        from every exact one before it.

    Returns
    -------
    dict
        Count -> whether it is exact; if not, a number that it is not below and that leaves nine numbers or more
        possible, or NaN where ten people or more could not be promised.
    """
    distinct = list(dict.fromkeys(counts))
    exact: list[int] = []
    for count in distinct:
        if count >= THRESHOLD and not any(is_near(count, other) for other in exact):
            exact.append(count)
    return {
        count: Released(True, np.nan) if count in exact or not count else Released(False, _lower_bound(count, exact))
        for count in distinct
    }


def _lower_bound(count: int, exact: list[int]) -> float:
    """Return what a withheld count is not below; it depends on its exact neighbours alone."""
    below = max((other for other in exact if other < count), default=0)
    above = min((other for other in exact if other > count), default=np.inf)
    beside_lower = is_near(count, below) or above - below < 2 * THRESHOLD - 1
    bound = below + 1 if beside_lower else above - THRESHOLD + 1
    return float(bound) if count >= THRESHOLD and bound >= THRESHOLD else np.nan


def tells_variance(statistic: str) -> bool:
    """Tell whether a statistic of a model is about spread or likelihood, and so about how many people there were."""
    return statistic.startswith(_COVARIANCE) or statistic in (*SHARES, "log_likelihood")


def is_near(left: float, right: float) -> bool:
    """Tell whether two counts of people are 1 to 9 apart, so that subtracting them would show a small number."""
    return 0 < abs(left - right) < THRESHOLD


def _hide(gated: pd.DataFrame, where: pd.Series) -> None:
    """Take out every number, and the words that tell how a description came about: they differ for one person."""
    gated.loc[where, NUMBERS] = np.nan
    gated.loc[where & gated["analysis"].isin(["descriptive", "change_within_arm"]), "method"] = ""
    gated.loc[where, "hidden"] = True


def _withhold(gated: pd.DataFrame, index: int, at_least: float) -> None:
    """Take out what gives the number of people away; a row that is nothing but that number is hidden."""
    statistic = gated.loc[index, "statistic"]
    if statistic in (*COUNTS, *REVEALING, ATTENDED):
        _hide(gated, gated.index == index)
    _blur(gated, index)
    gated.loc[index, "n"] = np.nan
    gated.loc[index, "at_least"] = at_least
    if gated.loc[index, "analysis"] == "change_within_arm":
        gated.loc[index, "p_value"] = np.nan  # with whole-number scores it gives the number of people back


def _blur(gated: pd.DataFrame, index: int) -> None:
    """Take out standard error and degrees of freedom, and the digits that would replace them.

    What stays is coarse against the width of the interval, whose ends are rounded outwards so that it stays true.
    """
    gated.loc[index, ["std_error", "df"]] = np.nan
    value, low, high = gated.loc[index, ["value", "conf_low", "conf_high"]].astype("float64")
    reach = (high - low) / 2
    coarse = int(np.ceil(-np.log10(reach / 5))) if reach > 0 else 1
    digits = 2 if gated.loc[index, "statistic"] in SHARES else decimals_to_show(low, high, coarse)
    unit = 10.0**-digits
    gated.loc[index, "value"] = round(float(value), digits) + 0.0 if np.isfinite(value) else np.nan
    gated.loc[index, "conf_low"] = round(float(np.floor(low / unit) * unit), max(digits, 0)) + 0.0
    gated.loc[index, "conf_high"] = round(float(np.ceil(high / unit) * unit), max(digits, 0)) + 0.0
    for column in ("p_value", "p_adjusted"):
        p = float(gated.loc[index, column])
        gated.loc[index, column] = round(p, 1 - int(np.floor(np.log10(p)))) if p > 0 else p


def _rank(statistics: pd.Series) -> pd.Series:
    """Return the importance of statistics: how people came and answered goes before what was computed of them."""
    return statistics.map({name: rank for rank, name in enumerate(COUNTS)}).fillna(len(COUNTS))


def _is_count(n: pd.Series) -> pd.Series:
    return n.notna() & (n >= 0) & (n == n.round()) & np.isfinite(n)


def _hide_uncounted(gated: pd.DataFrame) -> None:
    """Hide numbers that do not say how many people are behind them."""
    excused = (
        (gated["verdict"] == "declared")
        | (gated["analysis"] == "certainty")
        | ((gated["analysis"] == "model") & gated["statistic"].map(tells_variance) & gated["n"].isna())
    )
    has_number = gated[NUMBERS].notna().any(axis=1)
    false_count = gated["statistic"].isin([*COUNTS, ATTENDED]) & (gated["value"] != gated["n"])
    _hide(gated, has_number & ~excused & (~_is_count(gated["n"]) | false_count))


def _gate_arms(gated: pd.DataFrame) -> None:
    """Release the counts of each arm together, whatever they count."""
    own = (gated["arm"] != "") & gated["n"].notna() & (gated["analysis"] != "certainty")
    for arm in dict.fromkeys(gated.loc[own, "arm"]):
        of_arm = gated.loc[own & (gated["arm"] == arm)].sort_values("statistic", key=_rank, kind="stable")
        judged = set()
        for together in _held_together(of_arm):
            released = release_counts(int(n) for n in together["n"])
            for index, n in together["n"].items():
                is_exact, at_least = released[int(n)]
                if index in judged or is_exact:
                    continue
                judged.add(index)
                if np.isnan(at_least):
                    _hide(gated, gated.index == index)
                else:
                    _withhold(gated, index, at_least)


def _held_together(of_arm: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the counts of an arm that tell of each other: all, or, of samples drawn anew, those of each timepoint.

    Two samples are of other people, apart from those who are linked: with their number the counts are held each.
    """
    if not (of_arm["statistic"] == "linked").any():
        return [of_arm]
    timepoints = [timepoint for timepoint in dict.fromkeys(of_arm["timepoint"]) if timepoint]
    return [of_arm[of_arm["timepoint"].isin([timepoint, ""])] for timepoint in timepoints]


def _gate_composition(gated: pd.DataFrame) -> None:
    """Hide how samples compare where one of them is small; the numbers of people stand elsewhere."""
    own = gated["analysis"] == "composition"
    _hide(gated, own & (gated["n"] < THRESHOLD))
    gated.loc[own, "n"] = np.nan


def _gate_parts(gated: pd.DataFrame) -> None:
    """Hide what the parts tell of few people; of the rest leave few digits, and no number of people."""
    _hide(gated, find_revealing_parts(gated, THRESHOLD))
    harms = coarsen_harms(gated, THRESHOLD)
    gated.loc[harms.index, harms.columns] = harms
    _hide(gated, gated.index.isin(harms.index) & gated["value"].isna())
    shown = find_parts(gated) & ~gated["hidden"]
    gated.loc[harms.index, ["std_error", "df", "n"]] = np.nan
    shown &= ~gated.index.isin(harms.index)
    has_interval = shown & gated["conf_low"].notna() & gated["conf_high"].notna()
    for index in gated.index[has_interval]:
        _blur(gated, index)
    for column in ("value", "p_value"):
        gated.loc[shown & ~has_interval, column] = round_parts(gated.loc[shown & ~has_interval, column])
    gated.loc[shown, ["std_error", "df", "n"]] = np.nan


def _gate_change_counts(gated: pd.DataFrame, results: pd.DataFrame) -> None:
    """Tell how people changed only where no small number of people can be had from it, nor a hidden spread."""
    _hide(gated, find_revealing_sizes(gated))
    told = tell_changes(gated, results, THRESHOLD)
    gated.loc[told.index, told.columns] = told
    _hide(gated, gated.index.isin(told.index[told["value"].isna()]))


def _gate_delivery(gated: pd.DataFrame) -> None:
    """Hide what tells how few came or stayed away, and leave few digits of the rest: it is all sums over people."""
    own = gated["analysis"] == "delivery"
    _hide(gated, own & find_revealing(gated[own], THRESHOLD).reindex(gated.index, fill_value=False))
    gated.loc[own, "value"] = round_values(gated[own])


def _gate_classes(gated: pd.DataFrame) -> None:
    """Protect outcomes of few different scores, whose means tell how many people have which score.

    With two scores, or one, a mean is a count: it goes where 0 to 9 people have the rarer one, also a share of nobody
    or of everybody. What is left of an outcome of at most ten different scores is blurred, without spread.
    """
    few = gated["classes"].notna() & ~_is_measurement(gated)
    _hide(gated, few & (gated["classes"] <= 2) & (gated["fewest"] < THRESHOLD))
    for index in gated.index[few & ~gated["hidden"]]:
        statistic = gated.loc[index, "statistic"]
        if statistic in REVEALING or tells_variance(statistic):
            _hide(gated, gated.index == index)
        else:
            _blur(gated, index)


def _gate_shared_means(gated: pd.DataFrame, results: pd.DataFrame) -> None:
    """Hide the mean that arms share where it is hidden for one of them: randomised arms have one baseline mean."""
    means = gated[gated["statistic"] == "marginal_mean"]
    at_baseline = means["timepoint"] == means.groupby("outcome")["timepoint"].transform("first")
    for index in means.index[means["hidden"] & at_baseline]:
        row = results.loc[index]
        same = (results["statistic"] == "marginal_mean") & (results["value"] == row["value"])
        same &= (results["outcome"] == row["outcome"]) & (results["timepoint"] == row["timepoint"])
        _hide(gated, same)


def _gate_deltas(gated: pd.DataFrame) -> None:
    """Hide answers with points added to missing scores where it is withheld how many have one: they tell the share."""
    added = gated[(gated["analysis"] == "sensitivity") & gated["item"].str.startswith("delta ") & ~gated["hidden"]]
    observed = gated[(gated["statistic"] == "observed") & gated["n"].isna()]
    for index, row in added.iterrows():
        withheld = (observed["outcome"] == row["outcome"]) & (observed["timepoint"] == row["timepoint"])
        if withheld.any():
            _hide(gated, gated.index == index)


def _gate_precision(gated: pd.DataFrame) -> None:
    """Leave one digit of what data could have shown where standard errors are withheld, for it is a multiple of one."""
    told = gated[(gated["analysis"] == "precision") & ~gated["hidden"]]
    exact = gated[(gated["analysis"] == "model") & gated["std_error"].notna()]
    withheld = told.index[~told["estimand"].isin(exact["estimand"])]
    gated.loc[withheld, "value"] = round_parts(gated.loc[withheld, "value"], digits=1)


def _gate_certainty(gated: pd.DataFrame) -> None:
    """Hide how sure an outcome is where a result of it is hidden: the reasons speak of its interval."""
    asked = (gated["analysis"] == "model") & (gated["estimand"] != "") & (gated["verdict"] == "estimated")
    asked &= gated["population"].isin(EVERYBODY)
    hidden = gated.loc[asked & gated["hidden"], "outcome"]
    where = (gated["analysis"] == "certainty") & gated["outcome"].isin(hidden)
    _hide(gated, where)
    gated.loc[where, ["method", "item", "estimand", "arm", "timepoint"]] = ""


def _gate_changes(gated: pd.DataFrame) -> None:
    """Withhold how many answered twice where, with who answered once, it tells how few never answered."""
    observed = gated[gated["statistic"] == "observed"].set_index(["outcome", "arm", "timepoint"])["n"]
    for index in gated.index[(gated["analysis"] == "change_within_arm") & gated["n"].notna()]:
        row = gated.loc[index]
        ends = row["contrast"].split(" - ")
        once = sum(observed.get((row["outcome"], row["arm"], end), np.nan) for end in ends)
        exact = gated.loc[(gated["arm"] == row["arm"]) & gated["n"].notna(), "n"]
        if any(is_near(count, once - row["n"]) for count in exact):
            _withhold(gated, index, np.nan)


def _gate_declared(gated: pd.DataFrame) -> None:
    """Hide declared numbers of people so near to others that the few between them would show."""
    allocated = gated.loc[gated["statistic"] == "allocated", "n"]
    printed = [float(allocated.sum())] if allocated.notna().any() else []
    of_people = (gated["verdict"] == "declared") & ~gated["analysis"].isin(PARTS)
    declared = gated[of_people & gated["value"].notna()]
    for index, number in declared["value"].sort_values(kind="stable").items():
        if 0 < number < THRESHOLD or any(is_near(number, other) for other in printed):
            _hide(gated, gated.index == index)
        else:
            printed.append(float(number))


def _gate_estimands(gated: pd.DataFrame) -> None:
    """Hide a contrast from which a hidden mean could be had; print its count only where one of its means prints it."""
    is_estimand = (gated["analysis"] == "model") & gated["statistic"].isin(["difference", "change"])
    for index in gated.index[is_estimand & gated["n"].notna()]:
        row = gated.loc[index]
        ends = row["contrast"].split(" - ")
        of_outcome = gated[(gated["statistic"] == "marginal_mean") & (gated["outcome"] == row["outcome"])]
        if row["contrast"] == STEP_CONTRAST:
            _gate_steps(gated, index, of_outcome)
            continue
        if row["contrast"] == SERIES_CONTRAST:
            means = of_outcome
        elif row["statistic"] == "difference" and not of_outcome["timepoint"].isin(ends).any():
            of_arms = of_outcome[of_outcome["arm"].isin(ends)]
            means = of_arms[of_arms["timepoint"].isin([row["timepoint"], *of_arms["timepoint"].head(1)])]
        else:
            means = of_outcome[of_outcome["timepoint"].isin(ends)]
        is_of_some = row["population"] not in EVERYBODY
        if row["n"] < THRESHOLD or means.empty or means["hidden"].any() or (is_of_some and row["fewest"] < THRESHOLD):
            _hide(gated, gated.index == index)
        elif row["n"] not in means["n"].to_list():
            _withhold(gated, index, np.nan)


def _gate_steps(gated: pd.DataFrame, index: int, means: pd.DataFrame) -> None:
    """Show a difference over all groups by the people behind it, without their number, and its means all or none.

    Sequences that are on the same side at a timepoint share one mean, and the other side is a difference away.
    """
    if not gated.loc[index, "n"] >= THRESHOLD:
        _hide(gated, gated.index == index)
    else:
        _withhold(gated, index, np.nan)
    if means["hidden"].any():
        _hide(gated, gated.index.isin(means.index))


def _gate_expected(gated: pd.DataFrame) -> None:
    """Hide what is left over of a change that is hidden itself, and the words that say how it lies to the expected."""
    own = (gated["analysis"] == "expected_change") & (gated["verdict"] != "declared")
    changes = gated.loc[(gated["analysis"] == "model") & (gated["estimand"] != "") & gated["hidden"], "estimand"]
    _hide(gated, own & gated["estimand"].isin(changes))
    gated.loc[own & gated["hidden"] & (gated["statistic"] == "judgement"), "method"] = ""


def _gate_margins(gated: pd.DataFrame) -> None:
    """Hide a judgement of an estimate that is hidden itself."""
    answers = (gated["analysis"] == "model") & (gated["estimand"] != "") & gated["hidden"]
    _hide(gated, (gated["analysis"] == "margin") & gated["estimand"].isin(gated.loc[answers, "estimand"]))


def _gate_totals(gated: pd.DataFrame) -> None:
    """Print a total over arms only where no part of it is withheld and nothing near it can be added up."""
    whole = (gated["arm"] == "") & gated["n"].notna() & ~gated["statistic"].isin(["difference", "change"])
    whole &= ~_is_measurement(gated) & ~gated["analysis"].isin(["quality", "delivery"])
    for index in gated.index[whole & (gated["verdict"] != "declared") & (gated["analysis"] != "certainty")]:
        if 0 < gated.loc[index, "n"] < THRESHOLD:
            _hide(gated, gated.index == index)
        elif not _adds_nothing(gated, float(gated.loc[index, "n"]), str(gated.loc[index, "timepoint"])):
            _withhold(gated, index, np.nan)


def _adds_nothing(gated: pd.DataFrame, total: float, timepoint: str) -> bool:
    """Tell whether a total shows no small number: all counts it may be held against are exact and not near."""
    parts = gated[gated["statistic"].isin(COUNTS)]
    if timepoint:
        parts = parts[parts["timepoint"] == timepoint]
    if parts["n"].isna().any():
        return False
    sums = parts.groupby(["statistic", "outcome", "timepoint"], sort=False)["n"].sum()
    return not any(is_near(total, added) for added in sums)


def _gate_quality(gated: pd.DataFrame) -> None:
    """Hide counts of flagged people, and estimates with other answers, that tell of few; show the rest coarsely."""
    own = gated["analysis"] == "quality"
    _hide(gated, own & find_revealing_flags(gated, THRESHOLD))
    revealing = find_revealing_estimates(gated, THRESHOLD)
    _hide(gated, revealing)
    gated.loc[revealing, ["verdict", "method"]] = ["refused:withheld", ""]
    for index in gated.index[own & (gated["estimand"] != "") & (gated["statistic"] != LEFT_OUT) & gated["n"].notna()]:
        _withhold(gated, index, np.nan)
    _hide(gated, find_revealing_sums(gated, THRESHOLD))


def _gate_agreement(gated: pd.DataFrame) -> None:
    """Hide small counts of scores that differ, and the counts from which they could be subtracted."""
    agreement = gated["analysis"] == "score_agreement"
    observed = gated.loc[gated["statistic"] == "observed"]
    all_scores = observed.groupby("outcome", sort=False)["n"].sum(min_count=1)
    for measure in dict.fromkeys(gated.loc[agreement, "outcome"]):
        own = agreement & (gated["outcome"] == measure)
        compared, different = (gated[own & (gated["statistic"] == name)] for name in ("compared", "different"))
        people = different["n"].sum(min_count=1)
        scores, all_people = compared["value"].sum(min_count=1), compared["n"].sum(min_count=1)
        unsafe = observed["n"].isna().any() or any(is_near(scores, total) for total in all_scores)
        if np.isnan(people) or 0 < people < THRESHOLD or is_near(people, all_people):
            _hide(gated, own & gated["statistic"].isin(["equal", "different"]))
        if unsafe or 0 < all_people < THRESHOLD:
            _hide(gated, own & gated["statistic"].isin(["equal", "compared"]))


def _is_measurement(gated: pd.DataFrame) -> pd.Series:
    return gated["analysis"].isin(["reliability", "items", "score_audit"]) & (gated["statistic"] != "cronbach_alpha")


def _gate_measurement(gated: pd.DataFrame) -> None:
    """Print how instruments behaved without numbers of people, and coarsely: every statistic is a sum over people.

    How items were answered is not printed: with few options a mean and the shares at its ends tell how many people
    gave which answer. Of a measure it is said only on which side of the limit a share at an end of its range lies.
    Correlations need enough people, and three items: those of two say how many answered the one and not the other.
    """
    own = _is_measurement(gated)
    is_end = own & gated["statistic"].str.endswith("_share")
    fewest = np.where(gated["analysis"] == "score_audit", THRESHOLD, FEWEST_MEASURED)
    _hide(gated, own & ((gated["n"] < fewest) | (gated["analysis"] == "items") & ~_is_relation(gated)))
    _hide(gated, is_end & (END_EFFECT * gated["n"] < THRESHOLD))
    is_told = is_end & ~gated["hidden"] & gated["value"].notna()
    gated.loc[is_told, "method"] = gated.loc[is_told, "value"].map(_side_of_limit)
    gated.loc[is_end | (gated["analysis"] == "score_audit"), "value"] = np.nan
    items = gated[gated["analysis"] == "items"].groupby("outcome")["item"].nunique()
    is_pair = gated["outcome"].map(items).fillna(0).between(1, 2) & gated["analysis"].isin(["reliability", "items"])
    _hide(gated, is_pair & ~is_end)
    where = gated["analysis"].isin(["reliability", "items"])
    for column in ("value", "conf_low", "conf_high"):
        digits = gated.loc[where, "statistic"].map(DIGITS).fillna(2).astype("int64")
        rounded = [round(float(value), places) for value, places in zip(gated.loc[where, column], digits, strict=True)]
        gated.loc[where, column] = rounded
    is_uncounted = own | ((gated["statistic"] == "cronbach_alpha") & gated["n"].isna())
    gated.loc[is_uncounted, ["conf_low", "conf_high"]] = np.nan
    gated.loc[own, ["n", "at_least"]] = np.nan
    untold = (gated["analysis"] == "score_audit") & gated["hidden"]
    gated.loc[untold, ["statistic", "method"]] = ["withheld", ""]


def _is_relation(gated: pd.DataFrame) -> pd.Series:
    return gated["statistic"].isin(["item_rest_correlation", "alpha_if_dropped"])


def _side_of_limit(share: float) -> str:
    return BELOW_END_EFFECT if share < END_EFFECT else f"{100 * END_EFFECT:.0f}\u00a0% or more"


def _blur_models(gated: pd.DataFrame) -> None:
    """Blur every estimate of a model of which some count of people is withheld."""
    model = gated["analysis"] == "model"
    counted = gated["statistic"].isin(["analysed", "linked"]) | (model & (gated["statistic"] == "marginal_mean"))
    withheld = counted & gated["n"].isna()
    for index in gated.index[model & gated["outcome"].isin(gated.loc[withheld, "outcome"])]:
        _blur(gated, index)
        if tells_variance(gated.loc[index, "statistic"]):
            _hide(gated, gated.index == index)

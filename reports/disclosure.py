"""The disclosure gate: every number that leaves passes it, and it fails closed.

No count of as few people as the profile protects can be read from a gated table, nor had by subtracting two of its
counts: within an arm, counts that are printed exactly are equal or at least the threshold apart. The rule is a
threshold with complementary suppression (Hundepool et al. 2012, Statistical Disclosure Control, doi
10.1002/9781118348239). Where an exact count is withheld, whatever would give it away (standard error, degrees of
freedom, standard deviation, digits beyond the first) is withheld as well. At the end linear programs look for what
still follows from everything together (`reports.disclosure_audit`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.profiles import PROFILES, Profile
from data_contracts.errors import Problem, choose_from
from reports.change_counts_gate import gate_change_counts
from reports.complementary_gate import gate_releases, gate_what_follows
from reports.counts_gate import (
    gate_arms,
    gate_changes,
    gate_composition,
    gate_declared,
    gate_totals,
    hide_uncounted,
    print_rounded,
)
from reports.delivery_gate import gate_delivery
from reports.distribution_gate import gate_distributions
from reports.errors import ReportError
from reports.gated_rows import NUMBERS
from reports.measurement_gate import gate_agreement, gate_measurement
from reports.model_gate import (
    blur_models,
    gate_certainty,
    gate_classes,
    gate_deltas,
    gate_estimands,
    gate_expected,
    gate_margins,
    gate_precision,
    gate_shared_means,
)
from reports.part_gate import gate_parts
from reports.quality_gate import gate_quality
from reports.releases import Release
from reports.sums_gate import gate_sums
from reports.themes_gate import gate_themes

__all__ = ["NUMBERS", "find_profile", "gate_results"]


def gate_results(results: pd.DataFrame, profile: str, earlier: Sequence[Release] = ()) -> pd.DataFrame:
    """Return the results that may leave.

    Parameters
    ----------
    results : DataFrame
        The `results` table; not changed.
    profile : str
        A key of `analysis.profiles.PROFILES`. ``none`` hides nothing and is for eyes inside the study only.
    earlier : sequence of Release
        What was released of this study earlier: of that, too, no few people may be told apart.

    Returns
    -------
    DataFrame
        The same rows in the same order with two more columns. ``hidden`` (bool): all numbers of the row are NaN.
        ``at_least`` (float): number of people that may be said where `n` is withheld (NaN), otherwise NaN; such a row
        keeps its value and interval with few digits, and loses standard error and degrees of freedom. Of a profile
        that rounds, `n` and counts are rounded, and every row is kept as coarse.

    Raises
    ------
    ReportError
        The profile is not known, or protects fewer people than that of an earlier release, a small number of people
        would still follow from what is told, or whole arms differ by so few people from what was released earlier.
    """
    rule = find_profile(profile)
    gated = results.assign(hidden=False, at_least=np.nan)
    if not rule.protects:
        return gated
    known = results.reset_index(drop=True)
    gated = gated.reset_index(drop=True)
    _gate_counts(gated, known, rule)
    _gate_what_is_judged(gated, known, rule)
    gate_sums(gated, known, rule)
    if rule.rounded_to > 1:
        print_rounded(gated, known, rule)
    gate_releases(gated, rule, earlier)
    gate_what_follows(gated, rule, earlier)
    gate_themes(gated, known, rule)
    untrue = (gated["method"] != known["method"]) & (gated["words"] == known["words"])
    gated["words"] = gated["words"].mask(untrue, "")
    return gated.assign(classes=np.nan, fewest=np.nan).set_axis(results.index)


def find_profile(name: str) -> Profile:
    """Return a profile by its name.

    Raises
    ------
    ReportError
        There is none of that name.
    """
    if name not in PROFILES:
        raise ReportError(Problem("unknown_profile", f"There is no profile '{name}'.", choose_from(name, PROFILES)))
    return PROFILES[name]


def _gate_counts(gated: pd.DataFrame, results: pd.DataFrame, profile: Profile) -> None:
    """Gate numbers of people, and what was observed of them."""
    fewest = profile.threshold
    hide_uncounted(gated)
    gate_parts(gated, profile)
    gate_composition(gated, fewest)
    gate_delivery(gated, fewest)
    gate_arms(gated, profile)
    gate_classes(gated, fewest)
    gate_shared_means(gated, results)
    gate_changes(gated, fewest)
    gate_declared(gated, fewest)


def _gate_what_is_judged(gated: pd.DataFrame, results: pd.DataFrame, profile: Profile) -> None:
    """Gate what models, questionnaires and flags tell, by the counts that are told already."""
    fewest = profile.threshold
    gate_estimands(gated, fewest)
    gate_margins(gated)
    gate_change_counts(gated, results, fewest)
    gate_distributions(gated, results, fewest)
    gate_expected(gated)
    gate_totals(gated, fewest)
    gate_quality(gated, fewest)
    gate_agreement(gated, fewest)
    gate_measurement(gated, fewest)
    blur_models(gated)
    gate_certainty(gated)
    gate_precision(gated)
    gate_deltas(gated)

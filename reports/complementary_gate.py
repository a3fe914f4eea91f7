"""Complementary suppression: what would still follow from a gated table goes, the least important first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.profiles import Profile
from data_contracts.errors import Problem
from reports.counts_gate import gate_totals
from reports.disclosure_audit import Finding, audit_disclosure
from reports.disclosure_knowledge import IMPORTANCE, Count, Knowledge, read_knowledge
from reports.errors import ReportError
from reports.gated_rows import hide, withhold
from reports.model_gate import (
    blur_models,
    gate_certainty,
    gate_deltas,
    gate_estimands,
    gate_expected,
    gate_margins,
    gate_precision,
)
from reports.releases import Release, compare_releases, fail_on, recall_counts

MOST_ROUNDS: Final = 50
"""Times that something is taken out before nothing is let through."""


def gate_releases(gated: pd.DataFrame, profile: Profile, earlier: Sequence[Release]) -> None:
    """Take out what tells of few people beside what was released earlier.

    Raises
    ------
    ReportError
        Whole arms differ by so few.
    """
    comparison = compare_releases(earlier, gated, profile)
    fail_on(comparison.problems)
    where = gated.index.isin(comparison.hidden)
    hide(gated, where)
    gated.loc[where, "at_least"] = np.nan
    if where.any():
        _gate_again(gated, profile)


def gate_what_follows(gated: pd.DataFrame, profile: Profile, earlier: Sequence[Release] = ()) -> None:
    """Take out what lets a small number of people follow, until nothing does.

    Parameters
    ----------
    gated : DataFrame
        Gated results; changed.
    profile : Profile
        The rule.
    earlier : sequence of Release
        What was released of the study earlier: nor may few people follow from both.

    Raises
    ------
    ReportError
        A small number of people follows whatever is taken out.
    """
    for _ in range(MOST_ROUNDS):
        known = read_knowledge(gated, profile)
        recall_counts(earlier, known)
        findings = audit_disclosure(gated, profile, known)
        if not findings:
            return
        taken_out: set[Count | int] = set()
        for finding in findings:
            if taken_out.isdisjoint([*finding.counts, *finding.rows]):  # what goes for one number may do for another
                taken_out |= _suppress(gated, finding, known)
        if not taken_out:
            raise _refusal()
        _gate_again(gated, profile)
    raise _refusal()


def _gate_again(gated: pd.DataFrame, profile: Profile) -> None:
    """Take out what hangs on rows that were taken out."""
    gate_estimands(gated, profile.threshold)
    gate_margins(gated)
    gate_expected(gated)
    gate_totals(gated, profile.threshold)
    blur_models(gated)
    gate_certainty(gated)
    gate_precision(gated)
    gate_deltas(gated)


def _suppress(gated: pd.DataFrame, finding: Finding, known: Knowledge) -> set[Count | int]:
    """Take out the least important of what a number follows from; return it, nothing where nothing was left."""
    shares = [row for row in finding.rows if not gated.loc[row, "hidden"] or gated.loc[row, "method"]]
    if shares:
        hide(gated, gated.index == shares[-1])
        gated.loc[shares[-1], ["method", "words"]] = ""
        return {shares[-1]}
    told = [count for count in finding.counts if _is_told(gated, count, known)]
    if not told:
        return set()
    least = max(told, key=lambda count: IMPORTANCE.index(count.kind))
    for row in known.rows[least]:
        if gated.loc[row, "hidden"] and np.isnan(gated.loc[row, "at_least"]):
            continue
        if least.kind in ("declared", "flagged", "scores", "harmed"):
            hide(gated, gated.index == row)
        else:
            withhold(gated, row, np.nan)
    return {least}


def _is_told(gated: pd.DataFrame, count: Count, known: Knowledge) -> bool:
    told = ["value"] if count.kind == "harmed" else ["n", "at_least"]
    return bool(gated.loc[known.rows[count], told].notna().any(axis=None))


def _refusal() -> ReportError:
    return ReportError(
        Problem(
            "small_numbers_follow",
            "A small number of people would follow from what is told, whatever else is hidden.",
            "Ask for fewer subgroups, harms or outcomes in the plan, or keep the report inside (profile 'none').",
        )
    )

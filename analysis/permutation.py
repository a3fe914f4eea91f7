"""A test for few clusters: the difference of two arms against all that drawing clusters by chance could have made.

Gail et al. 1996, doi 10.1002/(SICI)1097-0258(19960615)15:11<1069::AID-SIM220>3.0.CO;2-Q. It asks for no normal scores
and no estimate of how far clusters differ, but for clusters that were allocated by chance, each as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from analysis.clusters import Flags, code_units, problem, require_columns
from analysis.mixed_models.jets import Array

MOST_ALLOCATIONS: Final = 20_000
"""Allocations up to which all are tried; beyond, as many are drawn."""
ROUNDING: Final = 1e-9
"""Share of the spread of cluster means below which two statistics are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """A difference of two arms held against all allocations of their clusters.

    Attributes
    ----------
    value : float
        Mean of the cluster means of the first arm minus that of the second, in points.
    p_value : float
        Share of allocations with a difference at least as large either way, the real one among them.
    smallest_p_value : float
        That this number of clusters can give at all. Above 0.05 nothing can be shown at 5 %.
    n_allocations : int
        Tried.
    is_exact : bool
        All of them were tried, not a sample.
    n_clusters_first, n_clusters_second : int
        Clusters of each arm.
    dropped_rows : int
        People without a score, or a number to adjust for.
    method : str
        For the annex.
    """

    value: float
    p_value: float
    smallest_p_value: float
    n_allocations: int
    is_exact: bool
    n_clusters_first: int
    n_clusters_second: int
    dropped_rows: int
    method: str


def permute_clusters(
    frame: pd.DataFrame,
    *,
    outcome: str,
    arm: str,
    cluster: str,
    contrast: tuple[str, str],
    adjust_for: Sequence[str] = (),
    rng: np.random.Generator,
) -> PermutationTest:
    """Test whether two arms differ, by allocating whole clusters anew.

    Parameters
    ----------
    frame : DataFrame
        One row per participant.
    outcome, arm, cluster : str
        Columns: score, arm, and cluster (empty or missing: none). Every cluster counts the same, whatever its size.
    contrast : tuple of str
        First and second arm; rows of other arms are left out.
    adjust_for : sequence of str
        Columns of numbers known before the programme. Scores are replaced by what a least-squares line through all
        people, blind to arms, leaves over.
    rng : Generator
        For more than 20,000 allocations; those drawn and the real one give (extreme + 1) / (drawn + 1).

    Raises
    ------
    AnalysisError
        ``columns_missing``; ``person_without_cluster``: where one arm does not meet in clusters its people were
        allocated one by one, and clusters cannot be exchanged with them; ``group_in_both_arms``;
        ``too_few_clusters``: fewer than two in an arm; ``constant_outcome``: all clusters are alike.
    """
    require_columns(frame, [outcome, arm, cluster, *adjust_for])
    own = frame.loc[frame[arm].isin(contrast), [outcome, arm, cluster, *adjust_for]]
    known = own.dropna(subset=[outcome, *adjust_for])
    means, is_first = _cluster_means(known, outcome, arm, cluster, contrast, list(adjust_for))
    size, chosen = len(means), int(is_first.sum())
    count = math.comb(size, chosen)
    value = float(means[is_first].mean() - means[~is_first].mean())
    if count <= MOST_ALLOCATIONS:
        picks = np.array(list(combinations(range(size), chosen)))
    else:
        picks = np.argsort(rng.random((MOST_ALLOCATIONS, size)), axis=1)[:, :chosen]
    inside = means[picks].sum(axis=1)
    differences = inside / chosen - (means.sum() - inside) / (size - chosen)
    extreme = int((np.abs(differences) >= abs(value) - ROUNDING * np.ptp(means)).sum())
    is_exact = count <= MOST_ALLOCATIONS
    return PermutationTest(
        value=value,
        p_value=extreme / count if is_exact else (extreme + 1) / (MOST_ALLOCATIONS + 1),
        smallest_p_value=max((2 if 2 * chosen == size else 1) / count, 0.0 if is_exact else 1 / (MOST_ALLOCATIONS + 1)),
        n_allocations=len(picks),
        is_exact=is_exact,
        n_clusters_first=chosen,
        n_clusters_second=size - chosen,
        dropped_rows=len(own) - len(known),
        method="permutation test of cluster means, "
        + ("all allocations" if is_exact else "allocations drawn at random"),
    )


def _cluster_means(
    known: pd.DataFrame, outcome: str, arm: str, cluster: str, contrast: tuple[str, str], adjust_for: list[str]
) -> tuple[Array, Flags]:
    """Return the mean of each cluster, and whether it is of the first arm, ordered by arm and mean."""
    names = known[cluster].astype("str").where(known[cluster].notna(), "")
    if (names == "").any():
        message = "Some people belong to no cluster, so whole clusters were not what was allocated."
        raise problem("person_without_cluster", message, "Use the mixed model, which knows arms without groups.")
    in_first = (known[arm] == contrast[0]).to_numpy()
    units = code_units(names, in_first)
    scores = known[outcome].to_numpy(dtype=float)
    if adjust_for:
        numbers = np.column_stack([np.ones(len(known)), known[adjust_for].to_numpy(dtype=float)])
        scores = scores - numbers @ np.linalg.lstsq(numbers, scores, rcond=None)[0]
    table = pd.DataFrame({"score": scores, "first": in_first, "cluster": units})
    clusters = table.groupby("cluster").agg(mean=("score", "mean"), first=("first", "first"))
    clusters = clusters.sort_values(["first", "mean"], ascending=[False, True])
    means, is_first = clusters["mean"].to_numpy(dtype=float), clusters["first"].to_numpy(dtype=bool)
    if min(is_first.sum(), (~is_first).sum()) < 2:
        message = "An arm has fewer than two clusters, so clusters and arms cannot be told apart."
        raise problem("too_few_clusters", message, "Describe the clusters instead.")
    if np.ptp(means) <= ROUNDING * max(1.0, float(np.abs(scores).max())):
        raise problem("constant_outcome", "All clusters are alike.", "Check how the answers were coded.")
    return means, is_first

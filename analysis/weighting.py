"""Arms that were not formed by chance, made alike by overlap weights in a declared set of what was known before.

Li, Morgan and Zaslavsky 2018, doi 10.1080/01621459.2016.1260466; Li, Thomas and Li 2019, doi 10.1093/aje/kwy201. With p
the probability of being in the first arm by logistic regression, its people weigh 1 - p and those of the second p. Who
could as well have been in the other arm counts most, and the declared numbers have the same mean in both arms exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.balance import compare_balance, effective_size
from analysis.clusters import Flags, code_units, problem, require_columns
from analysis.design import Covariate
from analysis.frames import covariate_column
from analysis.mixed_models.inference import Estimate, make_estimate
from analysis.mixed_models.jets import Array, Codes
from analysis.propensity import build_terms, fit_probabilities, scale_terms

METHOD: Final = (
    "difference of means weighted to the people who could have been in either arm (overlap weights), sandwich standard "
    "errors that take into account that the weights were estimated"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedComparison:
    """Two arms compared with overlap weights.

    Attributes
    ----------
    difference : Estimate
        Weighted mean of the first arm minus that of the second, in the units of the outcome.
    mean_first, mean_second : float
        Weighted means.
    adjustment_set : tuple of str
        What the arms were made alike in, as declared. Nothing else was.
    balance : DataFrame
        See `compare_balance`; one row per number, and per level of a category.
    n_first, n_second : int
        People compared.
    effective_first, effective_second : float
        How many people of equal weight would be as precise.
    dropped_rows : int
        People of the two arms without the outcome or a covariate: they are left out, also of the weights.
    weights, probabilities : (n,) array
        In the order of the rows kept; weights sum to 1 in each arm, probabilities are of the first arm.
    rows : (n,) array
        Places of those rows in the frame.
    influence : (n,) array
        What each person moves the difference by; squares sum to its variance in large samples.
    method : str
        For the annex.
    """

    difference: Estimate
    mean_first: float
    mean_second: float
    adjustment_set: tuple[str, ...]
    balance: pd.DataFrame
    n_first: int
    n_second: int
    effective_first: float
    effective_second: float
    dropped_rows: int
    weights: Array
    probabilities: Array
    rows: Codes
    influence: Array
    method: str = METHOD


def compare_weighted(
    frame: pd.DataFrame,
    *,
    outcome: str,
    contrast: tuple[str, str],
    covariates: Sequence[Covariate],
    numbers: Sequence[str] = (),
    groups: str | None = None,
) -> WeightedComparison:
    """Compare two arms with overlap weights.

    Parameters
    ----------
    frame : DataFrame
        One row per participant, as `outcome_frame`: ``arm``, ``covariate:<id>``, and the columns named below.
    outcome : str
        Column of scores; NaN is no score.
    contrast : tuple of str
        First and second arm; rows of other arms are left out.
    covariates : sequence of Covariate
        The declared adjustment set: what was known before and may bear on both arm and outcome.
    numbers : sequence of str
        Further columns of numbers to adjust for, such as the score at baseline.
    groups : str, optional
        Column of the groups that people meet in, whose people hang together; who has none (empty or missing) stands
        alone.

    Returns
    -------
    WeightedComparison
        The variance of each arm is the sum of squares of its people's (groups') influence, times m / (m - 1) for m of
        them, and the degrees of freedom are Welch's: without covariates this is Welch's t-test.

    Raises
    ------
    AnalysisError
        ``columns_missing``; ``nothing_to_adjust_for``; ``level_unknown``: a category has a level not declared;
        ``too_few_participants``: an arm has not more people, or groups, than terms; ``covariates_repeat``: one does
        not vary or follows from others; ``no_overlap``: the covariates tell (nearly) for certain who was in which arm;
        ``group_in_both_arms``.
    """
    columns = [*(covariate_column(covariate.id) for covariate in covariates), *numbers]
    require_columns(frame, ["arm", outcome, *columns, *([groups] if groups else [])])
    if not columns:
        raise problem("nothing_to_adjust_for", "No covariate was declared.", "Declare the adjustment set in the plan.")
    in_contrast = frame["arm"].isin(contrast).to_numpy()
    kept = in_contrast & frame[[outcome, *columns]].notna().all(axis=1).to_numpy()
    own = frame.loc[kept]
    is_first = (own["arm"] == contrast[0]).to_numpy()
    terms, values = build_terms(own, covariates, numbers)
    unit = code_units(own[groups] if groups else pd.Series("", index=own.index), is_first)
    design = scale_terms(terms, is_first, unit)
    probabilities = fit_probabilities(design, is_first)
    scores = own[outcome].to_numpy(dtype=float)
    raw = np.where(is_first, 1.0 - probabilities, probabilities)
    weights = raw / np.where(is_first, raw[is_first].sum(), raw[~is_first].sum())
    means = [float(weights[arm] @ scores[arm]) for arm in (is_first, ~is_first)]
    influence = _influence(design, probabilities, is_first, scores - np.where(is_first, *means), weights)
    return WeightedComparison(
        difference=_difference(means[0] - means[1], influence, unit, is_first),
        mean_first=means[0],
        mean_second=means[1],
        adjustment_set=(*(covariate.id for covariate in covariates), *numbers),
        balance=compare_balance(values, is_first, weights),
        n_first=int(is_first.sum()),
        n_second=int((~is_first).sum()),
        effective_first=effective_size(weights[is_first]),
        effective_second=effective_size(weights[~is_first]),
        dropped_rows=int(in_contrast.sum() - kept.sum()),
        weights=weights,
        probabilities=probabilities,
        rows=np.flatnonzero(kept),
        influence=influence,
    )


def _influence(design: Array, probabilities: Array, is_first: Flags, residuals: Array, weights: Array) -> Array:
    """Return what each person moves the difference by, through the means and through the fitted probabilities."""
    sign = np.where(is_first, 1.0, -1.0)
    spread = probabilities * (1 - probabilities)
    whole = np.where(is_first, 1.0 - probabilities, probabilities)
    totals = np.where(is_first, whole[is_first].sum(), whole[~is_first].sum())
    slope = -design.T @ (spread * residuals / totals)
    information = design.T @ (spread[:, None] * design)
    through = (is_first - probabilities) * (design @ np.linalg.solve(information, slope))
    moved: Array = sign * weights * residuals + through
    return moved


def _difference(value: float, influence: Array, unit: Codes, is_first: Flags) -> Estimate:
    variances, freedoms = [], []
    for arm in (is_first, ~is_first):
        sums = np.bincount(np.unique(unit[arm], return_inverse=True)[1], weights=influence[arm])
        size = len(sums)
        variances.append(float(sums @ sums) * size / (size - 1))
        freedoms.append(size - 1)
    total = sum(variances)
    spread = sum(variance**2 / df for variance, df in zip(variances, freedoms, strict=True))
    return make_estimate(value, float(np.sqrt(total)), total**2 / spread if spread > 0 else float("nan"))

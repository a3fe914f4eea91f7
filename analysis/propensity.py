"""The probability of being in the first of two arms, by what was known before."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.clusters import Flags, problem
from analysis.design import Covariate
from analysis.frames import covariate_column
from analysis.mixed_models.jets import Array, Codes

NO_OVERLAP: Final = 1e-3
"""Where nobody has a larger probability of the other arm, the arms have nobody in common."""


def build_terms(
    own: pd.DataFrame, covariates: Sequence[Covariate], numbers: Sequence[str]
) -> tuple[Array, pd.DataFrame]:
    """Return the terms of the logistic regression, and what balance is looked at in: those and the reference levels.

    Parameters
    ----------
    own : DataFrame
        One row per participant; ``covariate:<id>`` and the columns of `numbers`, nothing missing.
    covariates : sequence of Covariate
        Numbers, or categories of which levels that nobody has are left out.
    numbers : sequence of str
        Further columns of numbers.

    Returns
    -------
    (n, p) array, DataFrame
        With a constant in front; and a column per number and per level.

    Raises
    ------
    AnalysisError
        ``level_unknown``: a category has a level that is not declared.
    """
    told: dict[str, Array] = {}
    used: list[Array] = []
    for covariate in covariates:
        column = own[covariate_column(covariate.id)]
        if covariate.kind == "number":
            told[covariate.id] = column.to_numpy(dtype=float)
            used.append(told[covariate.id])
            continue
        if not column.isin(covariate.levels).all():
            message = f"The covariate '{covariate.id}' has a level that is not declared."
            raise problem("level_unknown", message, f"Declared: {', '.join(covariate.levels)}.")
        for place, level in enumerate(level for level in covariate.levels if (column == level).any()):
            told[f"{covariate.id}: {level}"] = (column == level).to_numpy(dtype=float)
            used += [told[f"{covariate.id}: {level}"]] if place else []
    for name in numbers:
        told[name] = own[name].to_numpy(dtype=float)
        used.append(told[name])
    return np.column_stack([np.ones(len(own)), *used]), pd.DataFrame(told)


def scale_terms(terms: Array, is_first: Flags, units: Codes) -> Array:
    """Return terms around 0 and of spread 1, with their constant.

    Parameters
    ----------
    terms : (n, p) array
        See `build_terms`.
    is_first, units : (n,) array
        Who is in the first arm, and who hangs together.

    Raises
    ------
    AnalysisError
        ``too_few_participants``: an arm has not more people, or groups, than terms; ``covariates_repeat``.
    """
    size = terms.shape[1]
    if any(len(np.unique(units[arm])) <= size for arm in (is_first, ~is_first)):
        message = "An arm has not more people, or groups, than terms to adjust for."
        raise problem("too_few_participants", message, "Declare fewer covariates, or describe the arms side by side.")
    spread = terms[:, 1:].std(axis=0)
    scaled = np.column_stack(
        [terms[:, 0], (terms[:, 1:] - terms[:, 1:].mean(axis=0)) / np.where(spread > 0, spread, 1)]
    )
    if np.linalg.matrix_rank(scaled) < size:
        message = "A covariate does not vary, or follows from the others."
        raise problem("covariates_repeat", message, "Take one of those that say the same out of the adjustment set.")
    return scaled


def fit_probabilities(design: Array, is_first: Flags) -> Array:
    """Return the probability of the first arm by logistic regression.

    Parameters
    ----------
    design : (n, p) array
        See `scale_terms`.
    is_first : (n,) array of bool
        Who is in the first arm.

    Raises
    ------
    AnalysisError
        ``no_overlap``: the terms tell (nearly) for certain who was in which arm.
    """
    import statsmodels.api as sm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation shows in the probabilities
        fit = sm.GLM(is_first.astype(float), design, family=sm.families.Binomial()).fit(tol=1e-12, maxiter=100)
    probabilities: Array = np.asarray(fit.fittedvalues, dtype=float)
    of_the_other = np.where(is_first, 1.0 - probabilities, probabilities)
    if not fit.converged or of_the_other.max() < NO_OVERLAP:
        message = "The covariates tell for certain who was in which arm, so nobody has a counterpart in the other."
        raise problem("no_overlap", message, "Compare people who could have been in either arm.")
    return probabilities

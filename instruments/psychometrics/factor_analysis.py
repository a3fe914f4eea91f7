"""One factor at each of one or more timepoints, by maximum likelihood with every answer that was given.

With timepoints t and s, items i and j, loading l, intercept v, factor mean a, factor covariance P and residual
covariance Q the answers have the mean ``v[t, i] + l[t, i] a[t]`` and the covariance
``l[t, i] P[t, s] l[s, j] + (Q[i, t, s] where i = j)``: residuals of the same item correlate over time. The first factor
has variance 1 and mean 0; later ones have variance 1 unless loadings are held equal over time, and mean 0 unless
intercepts are too. Answers are taken as continuous.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from data_contracts.errors import Problem
from data_contracts.telling import tell
from instruments.errors import InstrumentError
from instruments.psychometrics.moments import AnswerMoments, Floats, compute_deviance

Equal = Literal["nothing", "loadings", "loadings_and_intercepts"]
Indices = NDArray[np.intp]

FEWEST_ITEMS: Final = 3
"""With two items a factor has more unknowns than the answers have covariances."""
LARGEST_GRADIENT: Final = 1e-5
"""A fit counts as converged where no parameter changes the deviance per participant faster than this."""
FIXED: Final = -1
GLANCE: Final = (
    "equal", "n", "n_parameters", "log_likelihood", "chisq", "df", "p_value", "cfi", "tli", "rmsea", "srmr",
    "iterations", "largest_gradient",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorFit:
    """A fitted model of one factor at each timepoint.

    Attributes
    ----------
    equal : str
        What was held equal over time.
    n : int
        Participants with at least one answer.
    n_parameters, df : int
        Free parameters, and the degrees of freedom they leave.
    log_likelihood, chisq, p_value : float
        The likelihood, and its ratio test against the unrestricted model.
    cfi, tli, rmsea, srmr : float
        Fit indices. The baseline has free means and variances and no covariances; `srmr` counts the means where there
        are several timepoints or missing answers.
    loadings, intercepts, residual_variances : DataFrame
        Timepoint x item, in points (variances in squared points).
    factor_covariance, factor_means : array
        Of the factors, by timepoint.
    iterations, largest_gradient : int, float
        The record of the optimisation; the gradient of the deviance per participant.
    """

    equal: Equal
    n: int
    n_parameters: int
    log_likelihood: float
    chisq: float
    df: int
    p_value: float
    cfi: float
    tli: float
    rmsea: float
    srmr: float
    loadings: pd.DataFrame = field(repr=False)
    intercepts: pd.DataFrame = field(repr=False)
    residual_variances: pd.DataFrame = field(repr=False)
    factor_covariance: Floats = field(repr=False)
    factor_means: Floats = field(repr=False)
    iterations: int
    largest_gradient: float

    def glance(self) -> pd.DataFrame:
        """Return the fit as one row."""
        return pd.DataFrame([{name: getattr(self, name) for name in GLANCE}])


def fit_one_factor(moments: AnswerMoments, *, equal: Equal = "nothing") -> FactorFit:
    """Fit one factor at each timepoint by (full information) maximum likelihood.

    Parameters
    ----------
    moments : AnswerMoments
        From `summarise_answers`.
    equal : {'nothing', 'loadings', 'loadings_and_intercepts'}
        What is held equal over time; has no effect with one timepoint.

    Returns
    -------
    FactorFit
        Estimates and fit, with the formulas of lavaan (Rosseel 2012, doi 10.18637/jss.v048.i02) and its ``n`` in place
        of ``n - 1``.

    Raises
    ------
    InstrumentError
        ``too_few_items`` (three are needed), ``not_converged``, or ``improper_solution``: a variance that is not above
        zero, or a correlation beyond one.
    """
    if len(moments.items) < FEWEST_ITEMS:
        raise InstrumentError(
            Problem("too_few_items", tell("A factor needs three items or more."), "Use a measure with more items.")
        )
    layout = _lay_out(moments.n_timepoints, len(moments.items), equal)
    found = _minimise(layout, moments)
    parts = layout.place(found.x)
    if min(np.linalg.eigvalsh(each).min() for each in (parts.residual, parts.factor_covariance)) <= 0:
        raise InstrumentError(
            Problem(
                "improper_solution",
                tell("One factor would need a variance below zero or a correlation beyond one."),
                "Look for items that say nearly the same or something else, or gather more participants.",
            )
        )
    indices = _fit_indices(moments, float(found.fun), layout)
    return FactorFit(
        equal=equal,
        n=moments.n,
        n_parameters=layout.n_free,
        log_likelihood=-(moments.n * float(found.fun) + moments.constant) / 2,
        chisq=indices.chisq,
        df=indices.df,
        p_value=float(stats.chi2.sf(indices.chisq, indices.df)) if indices.df else 1.0,
        cfi=indices.cfi,
        tli=indices.tli,
        rmsea=indices.rmsea,
        srmr=_srmr(moments, *parts.moments()),
        loadings=_table(moments, parts.loadings * moments.spread),
        intercepts=_table(moments, parts.intercepts * moments.spread + moments.centre),
        residual_variances=_table(moments, np.diagonal(parts.residual, axis1=1, axis2=2).T * moments.spread**2),
        factor_covariance=parts.factor_covariance,
        factor_means=parts.factor_means,
        iterations=int(found.nit),
        largest_gradient=float(np.abs(found.jac).max()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The parameters where they belong."""

    loadings: Floats  # timepoint x item
    factor_covariance: Floats  # timepoint x timepoint
    residual: Floats  # item x timepoint x timepoint
    intercepts: Floats  # timepoint x item
    factor_means: Floats  # timepoint

    def moments(self) -> tuple[Floats, Floats]:
        """Return the mean and the covariance that they imply."""
        covariance = np.einsum("ti,ts,sj->tisj", self.loadings, self.factor_covariance, self.loadings)
        items = np.arange(self.loadings.shape[1])
        covariance[:, items, :, items] += self.residual
        mean = self.intercepts + self.loadings * self.factor_means[:, np.newaxis]
        return mean.ravel(), covariance.reshape(mean.size, mean.size)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which free parameter stands where, FIXED where none does; shapes as in `_Parts`."""

    loadings: Indices
    factor_covariance: Indices
    residual: Indices
    intercepts: Indices
    factor_means: Indices
    n_free: int

    def place(self, free: Floats) -> _Parts:
        """Return the parameters where they belong; a fixed variance is 1, a fixed mean 0."""
        return _Parts(
            free[self.loadings],
            np.where(self.factor_covariance == FIXED, 1.0, free[self.factor_covariance]),
            free[self.residual],
            free[self.intercepts],
            np.where(self.factor_means == FIXED, 0.0, free[self.factor_means]),
        )

    def gradient(self, parts: _Parts, by_mean: Floats, by_covariance: Floats) -> Floats:
        """Return the gradient by the free parameters, from that by means and covariances."""
        shape = parts.loadings.shape
        by_mean, by_covariance = by_mean.reshape(shape), by_covariance.reshape(*shape, *shape)
        items = np.arange(shape[1])
        by_loading = 2 * np.einsum("tisj,ts,sj->ti", by_covariance, parts.factor_covariance, parts.loadings)
        gradient = np.zeros(self.n_free)
        for where, values in (
            (self.loadings, by_loading + by_mean * parts.factor_means[:, np.newaxis]),
            (self.factor_covariance, np.einsum("ti,tisj,sj->ts", parts.loadings, by_covariance, parts.loadings)),
            (self.residual, by_covariance[:, items, :, items]),
            (self.intercepts, by_mean),
            (self.factor_means, (by_mean * parts.loadings).sum(axis=1)),
        ):
            np.add.at(gradient, where[where != FIXED], values[where != FIXED])
        return gradient


def _lay_out(timepoints: int, items: int, equal: Equal) -> _Layout:
    """Give every free parameter a number."""
    same_loadings, same_intercepts = equal != "nothing", equal == "loadings_and_intercepts"
    numbers = itertools.count()

    def number(*shape: int) -> Indices:
        return np.array([next(numbers) for _ in range(math.prod(shape))], dtype=np.intp).reshape(shape)

    loadings = number(1 if same_loadings else timepoints, items)
    intercepts = number(1 if same_intercepts else timepoints, items)
    factor_means = np.full(timepoints, FIXED)
    if same_intercepts:
        factor_means[1:] = number(timepoints - 1)
    factor_covariance = np.full((timepoints, timepoints), FIXED)
    residual = np.empty((items, timepoints, timepoints), dtype=np.intp)
    for later, earlier in zip(*np.tril_indices(timepoints), strict=True):
        residual[:, later, earlier] = residual[:, earlier, later] = number(items)
        if later != earlier or (same_loadings and later):
            factor_covariance[later, earlier] = factor_covariance[earlier, later] = next(numbers)
    shape = (timepoints, items)
    return _Layout(
        np.broadcast_to(loadings, shape),
        factor_covariance,
        residual,
        np.broadcast_to(intercepts, shape),
        factor_means,
        next(numbers),
    )


def _start(layout: _Layout, moments: AnswerMoments) -> Floats:
    """Return where to begin: the first principal component of the items, shrunk a little."""
    shape = layout.loadings.shape
    blocks = moments.covariance.reshape(*shape, *shape)
    timepoints = np.arange(shape[0])
    values, vectors = np.linalg.eigh(blocks[timepoints, :, timepoints, :].mean(axis=0))
    loadings = 0.8 * np.sqrt(values[-1]) * vectors[:, -1]
    alone, apart = np.clip(1 - loadings**2, 0.2, None), np.eye(shape[0], dtype=bool)
    start = np.zeros(layout.n_free)
    start[layout.loadings] = loadings
    start[layout.residual] = np.where(apart, alone[:, np.newaxis, np.newaxis], 0.1)
    start[layout.intercepts] = moments.mean.reshape(shape)
    free = layout.factor_covariance != FIXED
    start[layout.factor_covariance[free]] = np.where(apart, 1.0, 0.5)[free]
    return start


def _minimise(layout: _Layout, moments: AnswerMoments) -> optimize.OptimizeResult:
    def objective(free: Floats) -> tuple[float, Floats]:
        parts = layout.place(free)
        try:
            deviance = compute_deviance(moments.patterns, *parts.moments())
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(free)
        return deviance.value, layout.gradient(parts, deviance.by_mean, deviance.by_covariance)

    with np.errstate(all="ignore"):  # the line search computes with infinity where no covariance is possible
        found = optimize.minimize(
            objective, _start(layout, moments), jac=True, method="BFGS", options={"gtol": LARGEST_GRADIENT / 10}
        )
    if not np.isfinite(found.fun) or np.abs(found.jac).max() > LARGEST_GRADIENT:
        raise InstrumentError(
            Problem(
                "not_converged",
                tell("The search for the best one-factor model did not come to rest."),
                "Look for items that say nearly the same or something else, or gather more participants.",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _FitIndices:
    chisq: float
    df: int
    cfi: float
    tli: float
    rmsea: float


def _fit_indices(moments: AnswerMoments, deviance: float, layout: _Layout) -> _FitIndices:
    """Return the indices that follow from three deviances: of the model, the unrestricted and the independent one."""
    p = moments.mean.size
    df, df_independent = p * (p + 3) // 2 - layout.n_free, p * (p - 1) // 2
    chisq = max(moments.n * (deviance - moments.deviance), 0.0)  # rounding can leave a little below zero
    independent = moments.n * (moments.independent_deviance - moments.deviance)
    excess, excess_independent = max(chisq - df, 0.0), max(independent - df_independent, 0.0)
    worst = max(excess, excess_independent)
    return _FitIndices(
        chisq=chisq,
        df=df,
        cfi=1 - excess / worst if worst else 1.0,
        tli=1 - (chisq - df) * df_independent / ((independent - df_independent) * df) if df else 1.0,
        rmsea=math.sqrt(excess / (moments.n * df)) if df else 0.0,
    )


def _srmr(moments: AnswerMoments, mean: Floats, covariance: Floats) -> float:
    """Return the root mean square of the residual correlations, and of standardised mean residuals if they count."""
    spread = np.sqrt(np.diag(moments.covariance))
    residuals = ((moments.covariance - covariance) / np.outer(spread, spread))[np.tril_indices(mean.size)]
    if moments.n_timepoints > 1 or not moments.is_complete:
        residuals = np.concatenate([residuals, (moments.mean - mean) / spread])
    return float(np.sqrt(np.mean(residuals**2)))


def _table(moments: AnswerMoments, values: Floats) -> pd.DataFrame:
    return pd.DataFrame(values, columns=list(moments.items))

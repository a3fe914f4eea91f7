"""How much places, or people who lead, differ: a random intercept, predictions that are shrunken, and funnel limits.

Henderson 1975, doi 10.2307/2529430 (predictions and their error); Spiegelhalter 2005, doi 10.1002/sim.1970 (funnel
limits); Goldstein and Spiegelhalter 1996, doi 10.2307/2983325 (why not to rank).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import optimize, stats

from analysis.compliers import build_columns
from analysis.mixed_models import fit_mixed_model
from analysis.mixed_models.inference import CONFIDENCE
from analysis.mixed_models.jets import Array

FUNNEL: Final = (0.95, 0.998)
"""Confidence of the funnel's limits."""
WIDEST: Final = 1e3
"""Times the residual spread up to which an upper limit of the spread between units is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitSpread:
    """How much units (sites, facilitators) differ in the change of their people.

    Attributes
    ----------
    spread, spread_low, spread_high : float
        Standard deviation between units, points, with its profile likelihood interval (95 %); 0 is an ordinary result.
    residual_spread : float
        Standard deviation between people of a unit, points.
    icc : float
        Share of the variance, given the terms, that lies between units.
    units : DataFrame
        One row per unit, by name: ``unit``, ``n`` (people), ``prediction`` (shrunken difference from the average unit,
        points), ``std_error`` (of the prediction about the truth), ``conf_low``, ``conf_high`` (t with units less one
        degrees of freedom), ``unshrunken`` (mean of what the terms leave over), ``funnel_95`` and ``funnel_998`` (half
        widths about zero within which a unit like all others lies), ``position``: 0 within both, 1 beyond the first, 2
        beyond the second.
    """

    spread: float
    spread_low: float
    spread_high: float
    residual_spread: float
    icc: float
    units: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Sums:
    """Cross-products of design and outcome [X | y], whole and summed within units."""

    whole: Array
    within: Array
    sizes: Array

    def evaluate(self, between: float, residual: float) -> tuple[float, Array, Array]:
        """Return -2 restricted log-likelihood less a constant, coefficients, and X'V^-1X for V in residual units."""
        ratio = between / residual
        weights = ratio / (1.0 + self.sizes * ratio)
        both = self.whole - np.einsum("u,ua,ub->ab", weights, self.within, self.within)
        information, right = both[:-1, :-1], both[:-1, -1]
        coefficients = np.linalg.solve(information, right)
        left = float(both[-1, -1] - right @ coefficients)
        freedom = self.sizes.sum() - len(information)
        deviance = freedom * np.log(residual) + float(np.log1p(self.sizes * ratio).sum()) + left / residual
        return deviance + float(np.linalg.slogdet(information)[1]), coefficients, information


def compare_units(rows: pd.DataFrame, unit: str, terms: Sequence[str]) -> UnitSpread:
    """Compare units by a linear mixed model of change with a random intercept for each.

    Parameters
    ----------
    rows : DataFrame
        `person_frame`: one row per person; nobody misses a unit.
    unit : str
        Column of names.
    terms : sequence of str
        Columns to allow for: numbers and categories.

    Raises
    ------
    AnalysisError
        See `fit_mixed_model`; ``one_row_per_participant`` means here that no unit has two people.
    """
    fit = fit_mixed_model(rows, outcome="change", terms=tuple(terms), participant=unit)
    components = fit.variance_components().set_index("component")["estimate"]
    between, residual = float(components.iloc[0]), float(components["residual"])
    names, code = np.unique(rows[unit].to_numpy(dtype=str), return_inverse=True)
    design = np.column_stack([np.ones(len(rows)), build_columns(rows, terms)])
    design = design[:, _independent(design)]
    both = np.column_stack([design, rows["change"].to_numpy(dtype=float)])
    within = np.zeros((len(names), both.shape[1]))
    np.add.at(within, code, both)
    sizes = np.bincount(code).astype(float)
    sums = _Sums(both.T @ both, within, sizes)
    _, coefficients, information = sums.evaluate(between, residual)
    low, high = _profile(sums, between, residual)
    left = (within[:, -1] - within[:, :-1] @ coefficients) / sizes
    shrunken = between * sizes / (residual + between * sizes)
    error = _prediction_errors(within[:, :-1], information, between, residual, sizes)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(names) - 1)) * error
    limits = [float(stats.norm.ppf((1 + level) / 2)) * np.sqrt(residual / sizes) for level in FUNNEL]
    units = pd.DataFrame({
        "unit": names, "n": sizes.astype("int64"), "prediction": shrunken * left, "std_error": error,
        "conf_low": shrunken * left - reach, "conf_high": shrunken * left + reach, "unshrunken": left,
        "funnel_95": limits[0], "funnel_998": limits[1],
        "position": (np.abs(left) > limits[0]).astype(int) + (np.abs(left) > limits[1]),
    })  # fmt: skip
    return UnitSpread(
        spread=float(np.sqrt(between)), spread_low=low, spread_high=high, residual_spread=float(np.sqrt(residual)),
        icc=between / (between + residual), units=units,
    )  # fmt: skip


def _prediction_errors(sums: Array, information: Array, between: float, residual: float, sizes: Array) -> Array:
    """Return the standard error of each prediction about the truth, coefficients being estimated; variances known.

    Var(u_hat - u) = G - G Z'PZ G: what shrinking leaves, and what the estimated coefficients add.
    """
    known = between * residual / (residual + between * sizes)
    pull = (between / (residual + between * sizes))[:, None] * sums
    added = residual * np.einsum("ua,ab,ub->u", pull, np.linalg.inv(information), pull)
    found: Array = np.sqrt(known + added)
    return found


def _profile(sums: _Sums, between: float, residual: float) -> tuple[float, float]:
    """Return the ends of the spread at which the profiled likelihood falls by as much as chance allows."""
    allowed = float(stats.chi2.ppf(CONFIDENCE, 1))
    best = _profiled(sums, between, residual)

    def beyond(spread: float) -> float:
        return _profiled(sums, spread**2, residual) - best - allowed

    at = float(np.sqrt(between))
    low = 0.0 if beyond(0.0) <= 0 else float(optimize.brentq(beyond, 0.0, at, xtol=1e-8))
    step = max(at, 0.1 * float(np.sqrt(residual)))
    most = WIDEST * float(np.sqrt(residual))
    while beyond(step) < 0 and step < most:
        step *= 2.0
    high = float(optimize.brentq(beyond, max(at, 0.0), step, xtol=1e-8)) if step < most else float("nan")
    return low, high


def _profiled(sums: _Sums, between: float, residual: float) -> float:
    """Return -2 restricted log-likelihood at a variance between units, the residual variance being the best for it."""
    around = float(np.log(residual))
    found = optimize.minimize_scalar(
        lambda log: sums.evaluate(between, float(np.exp(log)))[0],
        bounds=(around - 3.0, around + 3.0), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    return float(found.fun)


def _independent(design: Array) -> list[int]:
    """Return the columns that do not follow from those before them."""
    kept: list[int] = []
    for column in range(design.shape[1]):
        trial = design[:, [*kept, column]]
        sizes = np.linalg.norm(trial, axis=0)
        if (sizes > 0).all() and np.linalg.matrix_rank(trial / sizes) == len(kept) + 1:
            kept.append(column)
    return kept


def exceeds_chance(beyond: int, units: int, share: float) -> bool:
    """Tell whether more units lie beyond limits than chance puts there in all but one of forty studies.

    Parameters
    ----------
    beyond, units : int
        Units beyond their limits, of how many.
    share : float
        Share of units like all others that lies beyond, 0 to 1 (0.05 of 95 % limits).

    Returns
    -------
    bool
        The upper tail of the binomial distribution at `beyond` is below 0.025.
    """
    return bool(stats.binom.sf(beyond - 1, units, share) < (1 - CONFIDENCE) / 2)

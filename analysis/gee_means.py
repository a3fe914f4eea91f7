"""Means on the scale of the response: predictions averaged over the people there are, with delta-method inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from analysis.errors import AnalysisError
from analysis.gee_guards import Family
from analysis.mixed_models.arrange import Arranged, arrange
from analysis.mixed_models.basis import Basis
from analysis.mixed_models.inference import CONFIDENCE, Estimate, make_estimate
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.marginal_means import MarginalMeans
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.terms import Design
from data_contracts.errors import Problem, choose_from

Weights = Literal["observed", "rows"]
WEIGHTS: Final = ("observed", "rows")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaledBasis:
    """Independent columns of a design, each over its root mean square in the rows of the model.

    Attributes
    ----------
    basis : Basis
        The columns.
    sizes : (p,) array
        Root mean square of each.
    """

    basis: Basis
    sizes: Array

    @classmethod
    def of(cls, design: Design, both: Array) -> ScaledBasis:
        """Find the basis of rows [X | y] of a design (n, columns + 1)."""
        gram = both.T @ both
        basis = Basis.of(design, gram)
        return cls(basis=basis, sizes=np.sqrt(np.diag(gram)[basis.columns] / len(both)))

    @property
    def aliases(self) -> Array:
        """Columns left out, as asked for, from those kept as asked for."""
        return self.basis.aliases

    def matrix(self, every: Array) -> Array | None:
        """Return the columns that the model is fitted to (n, p); None where those left out say something after all."""
        kept = every[:, self.basis.columns]
        said = kept @ self.basis.by_kept
        room = 1e-8 * np.maximum(np.abs(every).max(axis=0), 1.0)
        return kept / self.sizes if (np.abs(every - said) <= room).all() else None

    def expand(self, n_cuts: int) -> Array:
        """Return what turns coefficients into those asked for, with an intercept per cut in place of the constant."""
        to_asked = self.basis.to_asked / self.sizes
        size = len(self.sizes) - 1 + n_cuts
        found = np.zeros((size, size))
        found[:n_cuts, :n_cuts] = np.eye(n_cuts) * to_asked[0, 0]
        found[:n_cuts, n_cuts:] = to_asked[0, 1:]
        found[n_cuts:, n_cuts:] = to_asked[1:, 1:]
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """The rows of a model, and what they would be like under other circumstances.

    Attributes
    ----------
    frame : DataFrame
        Columns of the model on its rows, by participant and timepoint.
    participant : (n,) array of int
        Code of the participant of each row.
    roles : Roles
        Outcome, participant and timepoint.
    design : Design
        Terms, variables and timepoints.
    basis : ScaledBasis
        Of the design.
    """

    frame: pd.DataFrame
    participant: Codes
    roles: Roles
    design: Design
    basis: ScaledBasis

    @classmethod
    def of(cls, frame: pd.DataFrame, arranged: Arranged, roles: Roles, basis: ScaledBasis) -> People:
        """Take the rows of a model from the frame that it was arranged from."""
        named = [name for term in arranged.design.terms for name in term.split(":")]
        needed = list(dict.fromkeys(name for name in (roles.outcome, roles.timepoint, *named) if name))
        return cls(
            frame=frame[needed].iloc[arranged.rows[arranged.mask]].reset_index(drop=True),
            participant=np.nonzero(arranged.mask)[0],
            roles=Roles(outcome=roles.outcome, participant=roles.participant, timepoint=roles.timepoint),
            design=arranged.design,
            basis=basis,
        )

    def under(self, settings: Mapping[str, str | float]) -> Array | None:
        """Return the columns of the model (n, p) had some variables a given value on all rows; None if untold."""
        alone = {self.roles.participant: np.arange(len(self.frame))}  # a participant has a timepoint but once
        frame = self.frame.assign(**{**dict(settings), **alone})
        arranged = arrange(frame, self.design.terms, self.roles, design=self.design)
        return self.basis.matrix(arranged.matrix()[arranged.mask][:, :-1])

    def shares(self, weights: Weights) -> Array:
        """Return how much each row counts, (n,): every participant alike, or every row alike."""
        rows = np.bincount(self.participant)
        each = np.ones(len(self.frame)) if weights == "rows" else 1.0 / rows[self.participant]
        return np.asarray(each / each.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """Coefficients, and what they say of the response.

    Attributes
    ----------
    family : {"binary", "ordinal", "count"}
        What the outcome is.
    levels : tuple of float
        Of the outcome, in order; empty for a count.
    coefficients : (k,) array
        Of the cuts, then of the other columns of a `Basis`.
    vcov : (k, k) array
        Their covariance.
    df : float
        Degrees of freedom.
    """

    family: Family
    levels: tuple[float, ...]
    coefficients: Array
    vcov: Array
    df: float

    @property
    def n_cuts(self) -> int:
        """Number of intercepts."""
        return max(len(self.levels) - 1, 1)

    def average(self, design: Array, shares: Array) -> tuple[float, Array]:
        """Return the mean of the predictions of rows (n, p) that count by shares (n,), and its gradient (k,).

        Binary: sum_i w_i P(y = 1). Ordinal: sum_i w_i sum_c c P(y = c), with
        sum_c c P(y = c) = c_1 + sum_j (c_(j+1) - c_j) P(y > c_j). Count: sum_i w_i exp(x_i b).
        """
        cuts = self.n_cuts
        linear = self.coefficients[:cuts] + (design[:, 1:] @ self.coefficients[cuts:])[:, None]
        low = 0.0
        if self.family == "count":
            with np.errstate(over="ignore"):  # far beyond the data; what is not finite is not told
                means = slopes = np.exp(linear)
        else:
            above, steps = special.expit(linear), np.diff(self.levels)
            means, slopes, low = above * steps, above * (1.0 - above) * steps, self.levels[0]
        gradient = np.concatenate([shares @ slopes, (shares * slopes.sum(axis=1)) @ design[:, 1:]])
        return low + float(shares @ means.sum(axis=1)), gradient


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Several means with their covariance: what `MarginalMeans` and `Contrasts` need of a fit.

    Attributes
    ----------
    values : (m,) array
        Means; zero where `MarginalMeans.matrix` is NaN.
    gradients : (m, k) array
        Their derivatives by the coefficients.
    of_coefficients : (k, k) array
        Covariance of the coefficients.
    df : float
        Degrees of freedom.
    low, high : float
        What the response cannot be below or above.
    """

    values: Array
    gradients: Array
    of_coefficients: Array
    df: float
    low: float
    high: float

    @property
    def vcov(self) -> Array:
        """Covariance of the means, (m, m)."""
        return np.asarray(self.gradients @ self.of_coefficients @ self.gradients.T)

    def row(self, weights: Array) -> Array:
        """Return the weights as they are: no mean stands for another."""
        return weights

    def estimate(self, weights: Array) -> Estimate:
        """Estimate a linear combination of the means; one mean alone as `GeeMeans.tidy` has it."""
        gradient = weights @ self.gradients  # of means that are the same by the model, exactly zero
        error = float(np.sqrt(max(float(gradient @ self.of_coefficients @ gradient), 0.0)))
        found = make_estimate(float(weights @ self.values), error, self.df)
        alone = np.count_nonzero(weights) == 1 and weights.sum() == 1.0
        return self._bounded(found) if alone else found

    def _bounded(self, found: Estimate) -> Estimate:
        """Return the estimate of a mean with an interval within what is possible, and without a test."""
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, self.df)) * found.std_error * np.array([-1.0, 1.0])
        above, below = np.array([found.value - self.low, self.high - found.value])
        with np.errstate(all="ignore"):  # a mean that is a bound to the last digit has no interval
            if np.isinf(self.high):
                ends = self.low + above * np.exp(reach / above)
            else:
                moved = np.log(above / below) + reach * (1.0 / above + 1.0 / below)
                ends = self.low + (self.high - self.low) * special.expit(moved)
        return replace(found, conf_low=float(ends[0]), conf_high=float(ends[1]), p_value=float("nan"))


@dataclass(frozen=True, slots=True, eq=False)
class GeeMeans(MarginalMeans):
    """Standardised means on a grid of factors; see `GeeFit.marginal_means`."""

    fit: Predictions

    def tidy(self) -> pd.DataFrame:
        """Return factors, estimate, std_error, df, statistic, p_value, conf_low, conf_high.

        Intervals (95 %) are symmetric on the logit scale (logarithmic for counts), so that none leaves what is
        possible. Statistic and p_value are NaN: that a probability or a count is not zero is no hypothesis.
        """
        return MarginalMeans.tidy(self).assign(statistic=np.nan)


def standardised_means(
    people: People,
    response: Response,
    by: Sequence[str],
    *,
    at: Mapping[str, float],
    weights: Weights,
) -> GeeMeans:
    """Return means of predictions on the grid of `by`; see `GeeFit.marginal_means`."""
    variables = people.design.variables
    _check_names(people, by, at)
    if weights not in WEIGHTS:
        raise AnalysisError(
            Problem("weights_unknown", f"There are no weights '{weights}'.", choose_from(weights, WEIGHTS))
        )
    shares = people.shares(weights)
    grid = [dict(zip(by, each, strict=True)) for each in product(*(variables[name].levels for name in by))]
    values = np.zeros(len(grid))
    gradients = np.zeros((len(grid), len(response.coefficients)))
    matrix = np.eye(len(grid))
    for place, levels in enumerate(grid):
        design = people.under({**levels, **at})
        known = design is not None and not np.isnan(response.coefficients).any()
        if design is not None and known:
            values[place], gradients[place] = response.average(design, shares)
            known = bool(np.isfinite([values[place], *gradients[place]]).all())
        if not known:
            matrix[place], values[place], gradients[place] = np.nan, 0.0, 0.0
    low, high = (response.levels[0], response.levels[-1]) if response.levels else (0.0, float("inf"))
    predictions = Predictions(
        values=values,
        gradients=gradients,
        of_coefficients=np.nan_to_num(response.vcov),
        df=response.df,
        low=low,
        high=high,
    )
    return GeeMeans(predictions, pd.DataFrame(grid, columns=list(by)), matrix)


def _check_names(people: People, by: Sequence[str], at: Mapping[str, float]) -> None:
    variables = people.design.variables
    factors = [name for name, variable in variables.items() if variable.levels]
    numbers = [name for name in variables if name not in factors]
    for name, known, what in [*((name, factors, "factor") for name in by), *((name, numbers, "number") for name in at)]:
        if name not in known:
            raise AnalysisError(
                Problem("variable_unknown", f"The model has no {what} '{name}'.", choose_from(name, known or ["none"]))
            )
        if variables[name].place == "timepoint" and name != people.roles.timepoint:
            raise AnalysisError(
                Problem(
                    "follows_timepoint",
                    f"'{name}' follows from '{people.roles.timepoint}', so it cannot be set by itself.",
                    f"Ask for means by '{people.roles.timepoint}'.",
                )
            )

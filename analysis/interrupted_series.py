"""Interrupted time series: a straight line before the programme, another after it, and errors that remember the last.

Segmented regression of one mean per timepoint (Wagner et al. 2002, doi 10.1046/j.1365-2710.2002.00430.x) with errors of
first-order autocorrelation, by restricted maximum likelihood with Satterthwaite's degrees of freedom: of the methods
that Turner et al. 2021 (doi 10.1186/s12874-021-01364-0) compare, REML with such degrees of freedom comes closest to its
promise in short series. The adjustment of Kenward and Roger explodes where the autocorrelation is near its limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import optimize

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import Estimate, Precision, inverse, make_estimate
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem

TERMS: Final = ("intercept", "trend", "step", "change_in_trend")
FEWEST_BEFORE: Final = 3
FEWEST_AFTER: Final = 3
"""Timepoints on either side below which no trend is told (Cochrane EPOC: at least three before and three after)."""
FEWEST: Final = 12
"""Timepoints in all: of series of eight, simulated without a departure, intervals left zero out one time in ten."""
FEWEST_DF: Final = 2.0
"""In series of a dozen timepoints the approximation falls below one; with two, intervals about keep their promise."""
STRONGEST: Final = 0.95
"""Autocorrelation, either way, at which the search ends."""
AT_END: Final = 1e-4
WEAKEST: Final = 1e-3
TOLERANCE: Final = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedSeries:
    """A fitted series.

    Attributes
    ----------
    coefficients : (4,) array
        Of `TERMS`: level and trend per week before, step at the interruption, and change of the trend per week.
    variance, autocorrelation : float
        Of the errors; autocorrelation between timepoints one typical interval apart.
    log_likelihood : float
        Restricted, at the solution.
    weeks : (n,) array
        Of the timepoints.
    interruption : float
        Week from which the second line holds.
    """

    coefficients: Array
    variance: float
    autocorrelation: float
    log_likelihood: float
    weeks: Array
    interruption: float
    _precision: Precision

    def estimate(self, weights: Array) -> Estimate:
        """Estimate a linear combination of the coefficients."""
        error = float(np.sqrt(weights @ self._precision.vcov @ weights))
        return make_estimate(float(weights @ self.coefficients), error, max(self._precision.df(weights), FEWEST_DF))

    @property
    def is_at_end(self) -> bool:
        """The likelihood still rose where the search for the autocorrelation ended: it is not told by the data."""
        return abs(self.autocorrelation) > STRONGEST - AT_END

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row."""
        return pd.DataFrame(
            [
                {
                    "model": "interrupted_series",
                    "method": "reml",
                    "log_likelihood": self.log_likelihood,
                    "variance": self.variance,
                    "autocorrelation": self.autocorrelation,
                    "n_timepoints": len(self.weeks),
                }
            ]
        )

    def departure(self, week: float) -> Estimate:
        """Estimate by how much the second line departs from the first, drawn on, at a week after the interruption."""
        return self.estimate(np.array([0.0, 0.0, 1.0, week - self.interruption]))

    def expected(self, week: float) -> Estimate:
        """Estimate the first line at a week: what was to be expected had it gone on."""
        return self.estimate(np.array([1.0, week, 0.0, 0.0]))


def fit_interrupted_series(weeks: Array, means: Array, *, interruption: float) -> InterruptedSeries:
    """Fit two lines with autocorrelated errors to the means of a series.

    Parameters
    ----------
    weeks : (n,) array
        Of the timepoints, ascending.
    means : (n,) array
        One per timepoint, in points; none missing.
    interruption : float
        Week from which the second line holds: timepoints at or after it are after it.

    Returns
    -------
    InterruptedSeries
        By REML; correlation of errors at two timepoints is rho to the power of their distance over the median distance.

    Raises
    ------
    AnalysisError
        ``too_few_timepoints`` on a side or in all; ``constant_series``: the means lie on the two lines without error.
    """
    after = weeks >= interruption
    if (~after).sum() < FEWEST_BEFORE or after.sum() < FEWEST_AFTER or len(weeks) < FEWEST:
        message = (
            f"Two trends need {FEWEST} timepoints, {FEWEST_BEFORE} of them before the programme and {FEWEST_AFTER} "
            "from it on."
        )
        raise AnalysisError(
            Problem("too_few_timepoints", message, "Collect more, or compare samples of two timepoints.")
        )
    own = np.column_stack([np.ones(len(weeks)), weeks, after, np.where(after, weeks - interruption, 0.0)])
    residual = means - own @ np.linalg.lstsq(own, means, rcond=None)[0]
    if residual @ residual <= TOLERANCE * max(float(means @ means), 1.0):
        message = "The means lie on two straight lines without error."
        raise AnalysisError(Problem("constant_series", message, "Check how the answers were coded."))
    distance = np.abs(weeks[:, None] - weeks[None, :]) / float(np.median(np.diff(weeks)))
    nearest = np.rint(distance)
    series = _Series(own, means, nearest if np.allclose(distance, nearest) else distance)
    rho = series.search()
    variance = series.variance(rho)
    found = series.solve(rho)
    return InterruptedSeries(
        coefficients=found,
        variance=variance,
        autocorrelation=rho,
        log_likelihood=series.profile(rho),
        weeks=weeks,
        interruption=interruption,
        _precision=series.precision(rho, variance),
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """Design, means and distances, and what REML needs of them at an autocorrelation."""

    design: Array
    means: Array
    distance: Array

    def correlation(self, rho: float) -> Array:
        """Return rho to the power of the distance."""
        return np.asarray(np.power(rho, self.distance), dtype=float)

    @property
    def _is_even(self) -> bool:
        return bool((self.distance == np.rint(self.distance)).all())

    def solve(self, rho: float) -> Array:
        weight = np.linalg.inv(self.correlation(rho))
        return np.asarray(np.linalg.solve(self.design.T @ weight @ self.design, self.design.T @ weight @ self.means))

    def variance(self, rho: float) -> float:
        rest = self.means - self.design @ self.solve(rho)
        freedom = len(self.means) - self.design.shape[1]
        return float(rest @ np.linalg.solve(self.correlation(rho), rest) / freedom)

    def profile(self, rho: float) -> float:
        """Return the restricted log-likelihood with the variance at its best."""
        correlation = self.correlation(rho)
        inner = self.design.T @ np.linalg.solve(correlation, self.design)
        freedom = len(self.means) - self.design.shape[1]
        logs = np.linalg.slogdet(correlation)[1] + np.linalg.slogdet(inner)[1]
        return float(-0.5 * (freedom * (np.log(2 * np.pi * self.variance(rho)) + 1.0) + logs))

    def search(self) -> float:
        lowest = -STRONGEST if self._is_even else WEAKEST  # an uneven distance is no power of a negative number
        grid = np.linspace(lowest, STRONGEST, 39)
        best = int(np.argmax([self.profile(rho) for rho in grid]))
        around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
        found = optimize.minimize_scalar(
            lambda rho: -self.profile(rho), bounds=around, method="bounded", options={"xatol": TOLERANCE}
        )
        return float(found.x)

    def precision(self, rho: float, variance: float) -> Precision:
        """Return covariance and degrees of freedom of the coefficients, by the expected information of the errors."""
        slopes_of_v = np.array([self.correlation(rho), variance * self._slope(rho)])
        weight = np.linalg.inv(variance * self.correlation(rho))
        unscaled = np.linalg.inv(self.design.T @ weight @ self.design)
        rest = weight - weight @ self.design @ unscaled @ self.design.T @ weight
        information = np.array([[0.5 * np.trace(rest @ a @ rest @ b) for b in slopes_of_v] for a in slopes_of_v])
        slopes = np.array([-self.design.T @ weight @ slope @ weight @ self.design for slope in slopes_of_v])
        return Precision(unscaled, unscaled, slopes, inverse(information), "satterthwaite")

    def _slope(self, rho: float) -> Array:
        """Return the derivative of the correlation by rho."""
        away = self.distance > 0
        slope = np.zeros_like(self.distance)
        slope[away] = self.distance[away] * np.power(rho, self.distance[away] - 1.0)
        return slope

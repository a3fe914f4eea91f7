"""Differences and changes in standard deviations, so that outcomes of different instruments can be held together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import CONFIDENCE, Estimate
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardisedEffect:
    """A difference in standard deviations.

    Attributes
    ----------
    value, std_error, conf_low, conf_high : float
        The effect and its 95 % interval.
    n : int
        Participants behind it, of a difference the smaller of the two sides, of a model those at baseline.
    method : str
        Which standard deviation it was divided by, and how the interval came about.
    """

    value: float
    std_error: float
    conf_low: float
    conf_high: float
    n: int
    method: str


def standardise_difference(first: Array, second: Array) -> StandardisedEffect:
    """Return the difference of two means in pooled standard deviations (Hedges' g).

    Through pingouin (Vallat 2018, doi 10.21105/joss.01026): g = d (1 - 3 / (4 df - 1)), with standard error
    sqrt((n1 + n2) / (n1 n2) + g^2 / (2 (n1 + n2))) and a t interval (Hedges and Olkin 1985).

    Parameters
    ----------
    first, second : (n,) array
        Scores of different people, in points; NaN is no score.

    Raises
    ------
    AnalysisError
        ``too_few_participants``: fewer than two on a side; ``no_spread``: nobody differs from anybody.
    """
    first, second = (np.asarray(side, dtype=float)[~np.isnan(side)] for side in (first, second))
    _check_sample(
        min(len(first), len(second)), max(float(np.ptp(side)) if len(side) else 0.0 for side in (first, second))
    )
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        g = float(pingouin.compute_effsize(first, second, eftype="hedges"))
        low, high = pingouin.compute_esci(
            g, len(first), len(second), eftype="hedges", confidence=CONFIDENCE, decimals=15
        )
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(first) + len(second) - 2))
    return StandardisedEffect(
        value=g,
        std_error=float(high - low) / (2 * reach),
        conf_low=float(low),
        conf_high=float(high),
        n=min(len(first), len(second)),
        method="difference in pooled standard deviations (Hedges' g, t interval)",
    )


def standardise_change(before: Array, later: Array) -> StandardisedEffect:
    """Return the mean change of the same people in standard deviations at baseline, corrected for small samples.

    c = J (mean later - mean before) / SD before with J = 1 - 3 / (4 (n - 1) - 1), and standard error
    sqrt(2 (1 - r) / n + c^2 / (2 n)) with r the correlation of both (Becker 1988, doi
    10.1111/j.2044-8317.1988.tb00901.x). Unlike the change in standard deviations of change it can be held against a
    difference between arms.

    Parameters
    ----------
    before, later : (n,) array
        Scores in points, in the same order of people; who lacks one of the two is left out.

    Raises
    ------
    AnalysisError
        ``too_few_participants``: fewer than three; ``no_spread``: baseline scores, or later ones, do not vary.
    """
    pairs = np.column_stack([before, later]).astype(float)
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    n = len(pairs)
    _check_sample(n - 1, float(np.ptp(pairs, axis=0).min()) if n else 0.0)
    small_sample = 1 - 3 / (4 * (n - 1) - 1)
    value = small_sample * float((pairs[:, 1] - pairs[:, 0]).mean() / pairs[:, 0].std(ddof=1))
    correlation = float(np.corrcoef(pairs.T)[0, 1])
    std_error = float(np.sqrt(2 * (1 - correlation) / n + value**2 / (2 * n)))
    method = "mean change in standard deviations at baseline (Becker 1988, t interval)"
    return _effect(value, std_error, n - 1, n, method)


def standardise_estimate(estimate: Estimate, *, sd: float, n: int) -> StandardisedEffect:
    """Return an estimate of a model in standard deviations at baseline.

    d = estimate / SD, with standard error sqrt((SE / SD)^2 + d^2 / (2 (n - 1))): the standard deviation was itself
    estimated, of n people. The degrees of freedom are those of the estimate.

    Parameters
    ----------
    estimate : Estimate
        In points.
    sd : float
        Standard deviation at baseline, in points, above 0.
    n : int
        People whose baseline scores it is of, at least two.

    Raises
    ------
    AnalysisError
        ``too_few_participants``, ``no_spread``, or ``no_precision``: the estimate has no standard error or less than
        one degree of freedom.
    """
    _check_sample(n, sd)
    if not (estimate.std_error > 0 and estimate.df >= 1):
        message = "The estimate has no standard error or no degrees of freedom, so its size has no interval."
        raise AnalysisError(Problem("no_precision", message, "Describe what was observed instead."))
    value = estimate.value / sd
    std_error = float(np.sqrt((estimate.std_error / sd) ** 2 + value**2 / (2 * (n - 1))))
    method = "estimate of the model in standard deviations at baseline (t interval)"
    return _effect(value, std_error, estimate.df, n, method)


def _effect(value: float, std_error: float, df: float, n: int, method: str) -> StandardisedEffect:
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * std_error
    return StandardisedEffect(
        value=value, std_error=std_error, conf_low=value - reach, conf_high=value + reach, n=n, method=method
    )


def _check_sample(n: int, spread: float) -> None:
    if n < 2:
        message = "There are too few people with scores to tell how far people differ."
        raise AnalysisError(Problem("too_few_participants", message, "Describe what was observed instead."))
    if not spread > 0:
        message = "People do not differ in their scores, so there is no standard deviation to divide by."
        raise AnalysisError(Problem("no_spread", message, "Give the difference in points."))

"""The smallest change that the data could have shown: what a null result can and cannot mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import CONFIDENCE, Estimate
from data_contracts.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableChange:
    """A true difference that a test of this precision finds with a given probability.

    Attributes
    ----------
    value : float
        In the units of the estimate, above 0.
    power : float
        Probability of finding it.
    method : str
        How it was derived.
    """

    value: float
    power: float
    method: str


def derive_detectable_change(estimate: Estimate, *, power: float = 0.8) -> DetectableChange:
    """Derive the smallest true difference that a two-sided test at 5 % would have shown.

    It uses only the standard error and degrees of freedom reached, never the estimate: power at the estimate itself
    says nothing that its p-value does not (Hoenig and Heisey 2001, doi 10.1198/000313001300339897).

    Parameters
    ----------
    estimate : Estimate
        Its precision is used.
    power : float
        Above 0.05 and below 1.

    Returns
    -------
    DetectableChange
        d with P(|T| > t) = power for a noncentral t variable of noncentrality d / standard error.

    Raises
    ------
    AnalysisError
        ``power_not_possible``; ``no_precision``: no standard error above 0, or less than one degree of freedom.
    """
    if not 1 - CONFIDENCE < power < 1:
        message = "The probability of finding a difference lies between 0.05 and 1."
        raise AnalysisError(Problem("power_not_possible", message, "Write 0.8 or 0.9."))
    if not (estimate.std_error > 0 and estimate.df >= 1):
        message = "Without a standard error and degrees of freedom nothing can be said of precision."
        raise AnalysisError(Problem("no_precision", message, "Describe what was observed instead."))
    border = float(stats.t.ppf((1 + CONFIDENCE) / 2, estimate.df))

    def missing(noncentrality: float) -> float:
        return _power(noncentrality, border, estimate.df) - power

    upper = border + float(stats.t.ppf(power, estimate.df)) + 1.0
    while missing(upper) < 0:
        upper *= 2
    noncentrality = float(optimize.brentq(missing, 0.0, upper, xtol=1e-12))
    return DetectableChange(
        value=noncentrality * estimate.std_error,
        power=power,
        method=f"true difference that a two-sided t-test at 5 % finds in {power:.0%} of studies as precise as this",
    )


def _power(noncentrality: float, border: float, df: float) -> float:
    """Return the probability that a test is beyond its border either way."""
    if np.isinf(df):
        return float(stats.norm.sf(border - noncentrality) + stats.norm.cdf(-border - noncentrality))
    wrong_side = float(stats.nct.cdf(-border, df, noncentrality))  # scipy gives NaN for some that are below 1e-9
    return float(stats.nct.sf(border, df, noncentrality)) + (0.0 if np.isnan(wrong_side) else wrong_side)

"""The change that needs no programme, and what is left over of an observed one once it is taken off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import CONFIDENCE, Estimate, make_estimate
from analysis.mixed_models.jets import Array
from analysis.telling import Told, tell
from data_contracts.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChange:
    """A mean change that needs no programme.

    Attributes
    ----------
    value, std_error, conf_low, conf_high : float
        In points, later minus before; 95 % interval.
    df : float
        Degrees of freedom of the standard error.
    method : Told
        How it was derived.
    source : str
        From whose numbers.
    """

    value: float
    std_error: float
    conf_low: float
    conf_high: float
    df: float
    method: Told
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondBaseline:
    """Change of the people with two scores before the programme and one after it.

    Attributes
    ----------
    from_first, from_second : Estimate
        Mean change up to the later score: from the first baseline, that decided who entered, and from the second.
    between : Estimate
        Mean change from the first baseline to the second, when there was no programme yet.
    n : int
        People with all three scores.
    """

    from_first: Estimate
    from_second: Estimate
    between: Estimate
    n: int


def expect_natural_change(*, mean: float, sd: float, n: int, source: str) -> ExpectedChange:
    """Return, as expected change, that of people like these without the programme, as somebody observed it.

    Parameters
    ----------
    mean, sd : float
        Of later minus before, in points, over as long a time, of people who had entered by a like rule.
    n : int
        How many, at least two.
    source : str
        Who observed it.

    Raises
    ------
    AnalysisError
        ``benchmark_not_possible``.
    """
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0 and n >= 2):
        message = "A benchmark needs a mean change, a standard deviation of change above 0, and at least two people."
        raise AnalysisError(Problem("benchmark_not_possible", message, "Take all three from one published sample."))
    method = tell("mean change observed without the programme")
    return make_expected_change(mean, sd / math.sqrt(n), n - 1, method, source)


def compare_with_expected(observed: Estimate, expected: ExpectedChange) -> Estimate:
    """Return observed minus expected change, both with their uncertainty (Welch's degrees of freedom).

    Parameters
    ----------
    observed : Estimate
        Mean change of the participants, later minus before, in points.
    expected : ExpectedChange
        What needs no programme. Only what is left over could be due to it, or to anything else that happened.
    """
    observed_variance, expected_variance = observed.std_error**2, expected.std_error**2
    spread = observed_variance**2 / observed.df + expected_variance**2 / expected.df
    variance = observed_variance + expected_variance
    df = variance**2 / spread if spread > 0 else math.inf
    return make_estimate(observed.value - expected.value, math.sqrt(variance), df)


def compare_baselines(first: Array, second: Array, later: Array) -> SecondBaseline:
    """Estimate change from a second baseline, which did not decide who entered.

    Part of the chance in the first baseline is gone by the second (Barnett et al. 2005), so where the change from the
    second is much smaller than that from the first, the difference is no merit of the programme.

    Parameters
    ----------
    first, second, later : (n,) array
        Scores of the same people in the same order, in points; who lacks one of the three is left out.

    Returns
    -------
    SecondBaseline
        Paired t intervals.

    Raises
    ------
    AnalysisError
        ``too_few_participants``: fewer than two people with all three scores.
    """
    scores = np.column_stack([first, second, later]).astype(float)
    scores = scores[~np.isnan(scores).any(axis=1)]
    if len(scores) < 2:
        message = "There are too few people with two scores before the programme and one after it."
        raise AnalysisError(Problem("too_few_participants", message, "Describe the change from one baseline."))
    return SecondBaseline(
        from_first=_mean_change(scores[:, 2] - scores[:, 0]),
        from_second=_mean_change(scores[:, 2] - scores[:, 1]),
        between=_mean_change(scores[:, 1] - scores[:, 0]),
        n=len(scores),
    )


def _mean_change(change: Array) -> Estimate:
    return make_estimate(float(change.mean()), float(change.std(ddof=1)) / math.sqrt(len(change)), len(change) - 1)


def make_expected_change(value: float, std_error: float, df: float, method: Told, source: str) -> ExpectedChange:
    """Return an expected change with its t interval."""
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * std_error
    return ExpectedChange(
        value=value,
        std_error=std_error,
        conf_low=value - reach,
        conf_high=value + reach,
        df=df,
        method=method,
        source=source,
    )

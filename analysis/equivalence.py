"""Is one way of delivering a programme no worse than another, or are both alike? Answers against a declared margin.

Schuirmann 1987, doi 10.1007/BF01068419; Piaggio et al. 2012 (CONSORT for non-inferiority and equivalence), doi
10.1001/jama.2012.87802. That a difference was not shown is never an answer to either question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from analysis.design import Direction
from analysis.errors import AnalysisError
from analysis.mixed_models.inference import Estimate, choose
from analysis.telling import Told, tell
from data_contracts.errors import Problem

MarginVerdict = Literal[
    "superior", "non_inferior", "inferior", "equivalent", "not_equivalent", "not_shown", "refused:no_interval"
]
SENTENCES: Final[dict[str, Told]] = {
    "superior": tell("The first did better than the second."),
    "non_inferior": tell("The first was worse by less than the margin, if at all."),
    "inferior": tell("The first was worse by more than the margin."),
    "equivalent": tell("The two differed by less than the margin, either way."),
    "not_equivalent": tell("The two differed by more than the margin."),
    "not_shown": tell("The data leave open whether the two differed by more than the margin."),
    "refused:no_interval": tell("There are too few people to tell how precise the difference is."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTest:
    """A difference held against a margin.

    Attributes
    ----------
    verdict : str
        A key of `SENTENCES`.
    value : float
        The difference, first minus second, in the direction that was estimated.
    margin : float
        The largest difference that does not matter, above 0, in the units of the difference.
    conf_low, conf_high : float
        The interval that decides, of confidence `confidence`; NaN where there is none.
    confidence : float
        1 - 2 x `alpha`: two one-sided tests and this interval always agree.
    alpha : float
        Error of each one-sided test.
    p_value : float
        Of non-inferiority, or the larger of the two of equivalence.
    sentence, method : Told
        The verdict for people, and how it was reached.
    """

    verdict: MarginVerdict
    value: float
    margin: float
    conf_low: float
    conf_high: float
    confidence: float
    alpha: float
    p_value: float
    sentence: Told
    method: Told


def judge_noninferiority(
    estimate: Estimate, *, margin: float, higher_is: Direction, alpha: float = 0.025
) -> MarginTest:
    """Judge whether the first of two is worse than the second by less than a margin.

    Parameters
    ----------
    estimate : Estimate
        First minus second.
    margin : float
        Declared before outcomes were read, above 0, in the units of the estimate.
    higher_is : {"better", "worse"}
        Direction of the outcome.
    alpha : float
        Error of the one-sided test, above 0 and below 0.5; the deciding interval has confidence 1 - 2 x alpha.

    Returns
    -------
    MarginTest
        ``superior`` where the interval also leaves out no difference, ``non_inferior``, ``inferior`` where all of it
        lies beyond the margin, ``not_shown``, or ``refused:no_interval``.

    Raises
    ------
    AnalysisError
        ``margin_not_possible``, ``alpha_not_possible`` or ``higher_is_unknown``.
    """
    choose("higher_is", higher_is, ("better", "worse"))
    _check(margin, alpha)
    method = tell("t interval of the difference against a non-inferiority margin")
    reach = _reach(estimate, alpha)
    if np.isnan(reach):
        return _answer("refused:no_interval", estimate, margin, alpha, reach, float("nan"), method)
    gain = estimate.value if higher_is == "better" else -estimate.value
    p_value = float(stats.t.sf((gain + margin) / estimate.std_error, estimate.df))
    verdict: MarginVerdict = "not_shown"
    if gain - reach > 0:
        verdict = "superior"
    elif gain - reach > -margin:
        verdict = "non_inferior"
    elif gain + reach < -margin:
        verdict = "inferior"
    return _answer(verdict, estimate, margin, alpha, reach, p_value, method)


def judge_equivalence(estimate: Estimate, *, margin: float, alpha: float = 0.05) -> MarginTest:
    """Judge whether two differ by less than a margin, either way (two one-sided t-tests).

    Parameters
    ----------
    estimate : Estimate
        First minus second.
    margin : float
        As in `judge_noninferiority`.
    alpha : float
        Error of each one-sided test, above 0 and below 0.5.

    Returns
    -------
    MarginTest
        ``equivalent``, ``not_equivalent`` where the whole interval lies beyond the margin, ``not_shown``, or
        ``refused:no_interval``.

    Raises
    ------
    AnalysisError
        ``margin_not_possible`` or ``alpha_not_possible``.
    """
    _check(margin, alpha)
    method = tell("two one-sided t-tests against an equivalence margin (Schuirmann 1987)")
    reach = _reach(estimate, alpha)
    if np.isnan(reach):
        return _answer("refused:no_interval", estimate, margin, alpha, reach, float("nan"), method)
    size = abs(estimate.value)
    p_value = float(stats.t.sf((margin - size) / estimate.std_error, estimate.df))
    verdict: MarginVerdict = "not_shown"
    if size + reach < margin:
        verdict = "equivalent"
    elif size - reach > margin:
        verdict = "not_equivalent"
    return _answer(verdict, estimate, margin, alpha, reach, p_value, method)


def _reach(estimate: Estimate, alpha: float) -> float:
    """Return half the width of the deciding interval; NaN without precision."""
    if not (estimate.df >= 1 and estimate.std_error > 0 and np.isfinite(estimate.value)):
        return float("nan")
    return float(stats.t.isf(alpha, estimate.df)) * estimate.std_error


def _answer(
    verdict: MarginVerdict,
    estimate: Estimate,
    margin: float,
    alpha: float,
    reach: float,
    p_value: float,
    method: Told,
) -> MarginTest:
    return MarginTest(
        verdict=verdict,
        value=estimate.value,
        margin=margin,
        conf_low=estimate.value - reach,
        conf_high=estimate.value + reach,
        confidence=1 - 2 * alpha,
        alpha=alpha,
        p_value=p_value,
        sentence=SENTENCES[verdict],
        method=method,
    )


def _check(margin: float, alpha: float) -> None:
    if not (np.isfinite(margin) and margin > 0):
        message = "A margin is the largest difference that does not matter, so it is above 0."
        raise AnalysisError(Problem("margin_not_possible", message, "Declare it in the units of the outcome."))
    if not 0 < alpha < 0.5:
        message = "The error of a one-sided test lies between 0 and 0.5."
        raise AnalysisError(Problem("alpha_not_possible", message, "Write 0.025 or 0.05."))

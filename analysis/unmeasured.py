"""How strong would something that nobody measured have to be to explain a difference away? The E-value.

VanderWeele and Ding 2017, doi 10.7326/M16-2607; differences of means by Chinn 2000, doi
10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from analysis.errors import AnalysisError
from analysis.telling import tell
from data_contracts.errors import Problem

RATIO_PER_SD: Final = 0.91
"""Logarithm of the risk ratio that a standardised difference of 1 comes near to (VanderWeele and Ding 2017)."""
MOST_SDS: Final = 100.0
"""No difference is of so many standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """The least association, as a risk ratio of 1 or more, of a cause left out with both arm and outcome.

    Attributes
    ----------
    value : float
        That would explain the estimate away.
    limit : float
        That would bring the interval to no difference; 1 where it holds no difference already.
    risk_ratio, conf_low, conf_high : float
        What it was derived from.
    method, sentence : str
        For the annex, and for people.
    """

    value: float
    limit: float
    risk_ratio: float
    conf_low: float
    conf_high: float
    method: str
    sentence: str


def derive_e_value(risk_ratio: float, *, conf_low: float, conf_high: float) -> EValue:
    """Derive the E-value of a risk ratio: RR + sqrt(RR (RR - 1)), of 1 / RR where RR is below 1.

    Parameters
    ----------
    risk_ratio, conf_low, conf_high : float
        Estimate and interval, above 0.

    Returns
    -------
    EValue
        Of the estimate and of the limit nearer to 1.

    Raises
    ------
    AnalysisError
        ``ratio_not_possible``: not above 0, not finite, or the estimate lies outside its interval.
    """
    return _e_value(risk_ratio, conf_low, conf_high, tell("E-value of a risk ratio (VanderWeele & Ding 2017)"))


def derive_e_value_of_difference(value: float, *, conf_low: float, conf_high: float) -> EValue:
    """Derive the E-value of a standardised difference d, by way of the risk ratio exp(0.91 d) that it comes near to.

    The published interval, exp(0.91 d -+ 1.78 SE), is the same transformation of a normal interval of d; here it is
    applied to the interval given.

    Parameters
    ----------
    value, conf_low, conf_high : float
        Standardised difference and its interval, in standard deviations.

    Raises
    ------
    AnalysisError
        As `derive_e_value`.
    """
    method = tell(
        "E-value of a standardised difference d, taken for a risk ratio of exp(0.91 d) (VanderWeele & Ding 2017)"
    )
    return _e_value(_as_ratio(value), _as_ratio(conf_low), _as_ratio(conf_high), method)


def _as_ratio(difference: float) -> float:
    """Return the risk ratio that a standardised difference comes near to; infinite where it is no possible one."""
    return math.exp(RATIO_PER_SD * difference) if abs(difference) < MOST_SDS else math.inf


def _e_value(risk_ratio: float, conf_low: float, conf_high: float, method: str) -> EValue:
    if not (0 < conf_low <= risk_ratio <= conf_high < math.inf):
        raise AnalysisError(
            Problem(
                "ratio_not_possible",
                "An E-value needs an estimate within its interval, and risk ratios above 0.",
                "Give the estimate with its own interval; differences of means have a function of their own.",
            )
        )
    nearer = conf_low if risk_ratio >= 1 else conf_high
    holds_none = conf_low <= 1 <= conf_high
    value, limit = _strength(risk_ratio), 1.0 if holds_none else _strength(nearer)
    return EValue(
        value=value,
        limit=limit,
        risk_ratio=risk_ratio,
        conf_low=conf_low,
        conf_high=conf_high,
        method=method,
        sentence=_sentence(value, limit),
    )


def _strength(risk_ratio: float) -> float:
    ratio = risk_ratio if risk_ratio >= 1 else 1 / risk_ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


def _sentence(value: float, limit: float) -> str:
    if limit == 1:
        return "The interval holds no difference already, so nothing left out is needed to explain it."
    return (
        f"Something left out would have to go with both the arm and the outcome by a risk ratio of {value:.1f} each to "
        f"explain the difference away, and of {limit:.1f} to bring its interval to no difference."
    )

"""The number of people needed to treat for one more to have an event, where there is such a number.

Altman 1998, doi 10.1136/bmj.317.7168.1309: where the interval of the difference holds no difference, the numbers run
from benefit through infinity to harm, and no single interval can say that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.errors import AnalysisError
from analysis.meaning import Share
from analysis.mixed_models.inference import CONFIDENCE
from data_contracts.errors import Problem

NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNeeded:
    """People to treat for one more to benefit, or to be harmed.

    Attributes
    ----------
    difference, difference_low, difference_high : float
        Share of the first minus share of the second, and its 95 % interval, from -1 to 1.
    kind : {"benefit", "harm", "none"}
        What one more of the treated would have; ``none`` without any difference.
    value : float
        People, at least 1, not rounded; infinite without any difference.
    conf_low, conf_high : float
        Of `value`, at least 1; NaN where the interval of the difference holds no difference.
    benefit_from, harm_from : float
        The fewest people that the interval allows for one more to benefit, and for one more to be harmed; infinite
        where it does not allow it at all.
    verdict : str
        ``estimated``, or ``refused:interval_includes_zero``: print `sentence`, or the difference alone.
    sentence, method : str
        For people, and for the annex.
    """

    difference: float
    difference_low: float
    difference_high: float
    kind: Literal["benefit", "harm", "none"]
    value: float
    conf_low: float
    conf_high: float
    benefit_from: float
    harm_from: float
    verdict: str
    sentence: str
    method: str


def derive_number_needed(first: Share, second: Share, *, event_is: Literal["good", "bad"]) -> NumberNeeded:
    """Derive the number needed to treat from the shares with an event in two arms.

    Parameters
    ----------
    first, second : Share
        Of the programme, and of what it is compared with: different people.
    event_is : {"good", "bad"}
        Whether the event is one to be wished for (improved), or not (worsened).

    Returns
    -------
    NumberNeeded
        1 / difference, with the interval of the difference by Newcombe (1998, method 10, doi
        10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I) turned over. It holds for the time between
        the two scores, and means something only where arms can be compared; a single group has none.

    Raises
    ------
    AnalysisError
        ``nobody``: one of the arms has nobody with both scores.
    """
    if not (first.n and second.n):
        message = "One of the arms has nobody to count, so arms cannot be compared."
        raise AnalysisError(Problem("nobody", message, "Choose a timepoint with answers in both arms."))
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(
        first.count, first.n, second.count, second.n, method="newcomb", compare="diff", alpha=1 - CONFIDENCE
    )
    return derive_number_needed_of_difference(first.value - second.value, float(low), float(high), event_is=event_is)


def derive_number_needed_of_difference(
    difference: float, low: float, high: float, *, event_is: Literal["good", "bad"]
) -> NumberNeeded:
    """Turn a difference of two shares, and its interval, into numbers needed; see `derive_number_needed`.

    Parameters
    ----------
    difference, low, high : float
        First minus second as fractions from -1 to 1, of any model, with its 95 % interval.
    event_is : {"good", "bad"}
        As in `derive_number_needed`.

    Raises
    ------
    AnalysisError
        ``difference_not_possible``: outside its interval, or the interval not within -1 and 1.
    """
    if not -1 <= low <= difference <= high <= 1:
        message = "A difference of two shares lies within its interval, and that within -1 and 1."
        raise AnalysisError(Problem("difference_not_possible", message, "Give fractions, not percent."))
    gain, least, most = (difference, low, high) if event_is == "good" else (-difference, -high, -low)
    benefit_from, harm_from = _people(max(most, 0.0)), _people(max(-least, 0.0))
    is_clear = least > 0 or most < 0
    ends = (_people(most), _people(least)) if gain > 0 else (_people(least), _people(most))
    kind: Literal["benefit", "harm", "none"] = "none" if gain == 0 else "benefit" if gain > 0 else "harm"
    return NumberNeeded(
        difference=difference,
        difference_low=low,
        difference_high=high,
        kind=kind,
        value=_people(gain),
        conf_low=ends[0] if is_clear else NAN,
        conf_high=ends[1] if is_clear else NAN,
        benefit_from=benefit_from,
        harm_from=harm_from,
        verdict="estimated" if is_clear else "refused:interval_includes_zero",
        sentence=_sentence(kind, _people(gain), ends if is_clear else None, benefit_from, harm_from),
        method="1 / difference of two shares, Newcombe interval turned over (Altman 1998)",
    )


def _people(difference: float) -> float:
    return 1 / abs(difference) if difference else float("inf")


def _sentence(kind: str, value: float, ends: tuple[float, float] | None, benefit_from: float, harm_from: float) -> str:
    """Return numbers as people: rounded, and both ranges where there is no single one."""
    if ends is None:
        ranges = [
            f"from {people:.0f} people for one more to {what}"
            for people, what in ((benefit_from, "benefit"), (harm_from, "be harmed"))
            if people != float("inf")
        ]
        return f"No single number: the data allow anything {' and '.join(ranges)}, up to no difference at all."
    what = "benefit" if kind == "benefit" else "be harmed"
    return f"{value:.0f} people for one more to {what} (95 % interval {ends[0]:.0f} to {ends[1]:.0f})."

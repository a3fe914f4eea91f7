"""What changes mean to single people: how many improved, and how many got worse, by more than a declared threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.design import Direction
from analysis.errors import AnalysisError
from analysis.mixed_models.inference import CONFIDENCE, choose
from analysis.mixed_models.jets import Array
from analysis.telling import tell
from data_contracts.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many people.

    Attributes
    ----------
    count, n : int
        People it holds for, of all looked at.
    value, conf_low, conf_high : float
        Fraction from 0 to 1 and its 95 % interval; NaN without anybody.
    method : str
        How the interval came about.
    """

    count: int
    n: int
    value: float
    conf_low: float
    conf_high: float
    method: str

    @property
    def of_100(self) -> int:
        """People of 100, to the nearest (halves up): a natural frequency. Its denominator in the data is `n`.

        Raises
        ------
        AnalysisError
            ``nobody``: there is nobody to count.
        """
        if not self.n:
            raise AnalysisError(Problem("nobody", "Nobody has the scores that are counted.", "Say so instead."))
        return (200 * self.count + self.n) // (2 * self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCounts:
    """How many people changed by more than a threshold, either way.

    Attributes
    ----------
    improved, unchanged, worsened : Share
        Of the people with both scores; counts add up to them.
    n_incomplete : int
        People without one of the two scores; they are in no share.
    threshold : float
        In points.
    method : str
        What the threshold is, and whether it counts itself.
    """

    improved: Share
    unchanged: Share
    worsened: Share
    n_incomplete: int
    threshold: float
    method: str


def count_reliable_changes(
    before: Array, later: Array, *, reliable_change: float, higher_is: Direction
) -> ChangeCounts:
    """Count people whose scores changed by more than measurement error alone is likely to make of no change.

    Parameters
    ----------
    before, later : (n,) array
        Scores in points, in the same order of people; NaN is no score.
    reliable_change : float
        `instruments.psychometrics.derive_measurement_error(...).reliable_change`, in points, above 0. A change must go
        beyond it (Jacobson and Truax 1991, doi 10.1037/0022-006X.59.1.12).
    higher_is : {"better", "worse"}
        Direction of the score.

    Returns
    -------
    ChangeCounts
        Improvement and deterioration by the same rule. In a group, about 1 in 40 people whose true score did not change
        is counted on each side.

    Raises
    ------
    AnalysisError
        ``threshold_not_possible``, ``higher_is_unknown`` or ``lengths_differ``.
    """
    return _count(before, later, reliable_change, higher_is, beyond=True)


def count_responders(
    before: Array, later: Array, *, smallest_meaningful_change: float, higher_is: Direction
) -> ChangeCounts:
    """Count people who changed by the smallest change that people notice, or by more.

    Parameters
    ----------
    before, later, higher_is
        As in `count_reliable_changes`.
    smallest_meaningful_change : float
        Declared in the plan, in points, above 0; a change of just as much counts.

    Returns
    -------
    ChangeCounts
        Improvement and deterioration by the same rule.

    Raises
    ------
    AnalysisError
        As `count_reliable_changes`.
    """
    return _count(before, later, smallest_meaningful_change, higher_is, beyond=False)


def estimate_share(count: int, n: int) -> Share:
    """Return a share with the interval of Wilson (1927, doi 10.1080/01621459.1927.10502953)."""
    low = high = float("nan")
    if n:
        from statsmodels.stats.proportion import proportion_confint

        low, high = map(float, proportion_confint(count, n, alpha=1 - CONFIDENCE, method="wilson"))
    value = count / n if n else float("nan")
    method = tell("share with Wilson interval")
    return Share(count=count, n=n, value=value, conf_low=low, conf_high=high, method=method)


def _count(before: Array, later: Array, threshold: float, higher_is: Direction, *, beyond: bool) -> ChangeCounts:
    choose("higher_is", higher_is, ("better", "worse"))
    if not (np.isfinite(threshold) and threshold > 0):
        message = "The threshold of change is a number of points above 0."
        raise AnalysisError(Problem("threshold_not_possible", message, "Declare it with its source."))
    first, second = (np.asarray(scores, dtype=float) for scores in (before, later))
    if first.shape != second.shape:
        message = "There are not as many scores before as later."
        raise AnalysisError(Problem("lengths_differ", message, "Give one score of each person at both timepoints."))
    gain = second - first if higher_is == "better" else first - second
    gain = gain[~np.isnan(gain)]
    same = np.isclose(np.abs(gain), threshold, rtol=0, atol=1e-9 * threshold)  # a sum of decimals may just miss it
    counts = (np.abs(gain) > threshold) & ~same if beyond else (np.abs(gain) > threshold) | same
    improved, worsened = int((counts & (gain > 0)).sum()), int((counts & (gain < 0)).sum())
    n = len(gain)
    return ChangeCounts(
        improved=estimate_share(improved, n),
        unchanged=estimate_share(n - improved - worsened, n),
        worsened=estimate_share(worsened, n),
        n_incomplete=first.size - n,
        threshold=threshold,
        method=tell("change beyond measurement error (Jacobson & Truax 1991)")
        if beyond
        else tell("change of at least the smallest that people notice"),
    )

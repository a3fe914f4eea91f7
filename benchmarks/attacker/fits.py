"""Which numbers of people agree with a statistic as it is printed: every one is tried."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

NAN = float("nan")
_EXACT = 1e-7
"""How far a number with all its digits may be off, of its size."""


@dataclass(frozen=True)
class Statistics:
    """The numbers of a mean as printed; NaN for what is not.

    Attributes
    ----------
    value, std_error, df, low, high, p, sd : float
        Mean, standard error, degrees of freedom, 95 % t interval, p-value of no change, standard deviation.
    unit, sd_unit : float
        Step to which they, and the standard deviation, are rounded; 0 where all digits are there.
    """

    value: float = NAN
    std_error: float = NAN
    df: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    sd: float = NAN
    unit: float = 0.0
    sd_unit: float = 0.0

    def slack(self, number: float) -> float:
        """Return how far a printed number may be from the true one."""
        return self.unit / 2 + _EXACT * (abs(number) + 1e-3)

    @property
    def sd_slack(self) -> float:
        """How far the printed standard deviation may be from the true one."""
        return self.sd_unit / 2 + _EXACT * (abs(self.sd) + 1e-3)


def fit_mean(people: np.ndarray, told: Statistics) -> np.ndarray:
    """Tell of each number of people whether a mean of whole scores may be of so many.

    Parameters
    ----------
    people : array of int
        Candidates, at least 1.
    told : Statistics
        What is printed.

    Returns
    -------
    array of bool
    """
    n = people.astype("float64")
    fits = np.ones(len(n), dtype=bool)
    if np.isfinite(told.df):
        fits &= np.abs(n - 1 - told.df) < 0.51
    total = np.round(told.value * n)
    if np.isfinite(told.value):
        fits &= np.abs(total / n - told.value) <= told.slack(told.value)
    with np.errstate(all="ignore"):
        for error, off in _standard_errors(n, told):
            if np.isfinite(told.std_error):
                fits &= ~(np.abs(error - told.std_error) > off + told.slack(told.std_error))
            if np.isfinite(told.sd):
                fits &= ~(np.abs(error * np.sqrt(n) - told.sd) > off * np.sqrt(n) + told.sd_slack)
            # Squares of whole scores add up to a whole number, where the digits suffice to see it.
            squares = error**2 * n * (n - 1) + total**2 / n
            blur = 2 * off * error * n * (n - 1)
            fits &= ~((np.abs(squares - np.round(squares)) > blur + 1e-4) & (blur < 0.2))
    return fits


def _standard_errors(n: np.ndarray, told: Statistics) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the standard error by each way to it, and how far it may be off."""
    found = []
    quantile = stats.t.ppf(0.975, n - 1)
    half = (told.high - told.low) / 2
    if np.isfinite(half):
        # Ends are rounded to the nearest step, half a step away at most, or outwards, up to a whole one.
        found.append(((half - told.unit / 4) / quantile, (0.75 * told.unit + _EXACT * half + 1e-9) / quantile))
    if np.isfinite(told.p) and told.p > 0 and told.value:
        near = [abs(told.value) / stats.t.isf(told.p * by / 2, n - 1) for by in (0.9999999, 1.0, 1.0000001)]
        if told.unit == 0:
            found.append((near[1], np.abs(near[2] - near[0]) + 1e-7 * near[1]))
    if np.isfinite(told.sd):
        found.append((told.sd / np.sqrt(n), told.sd_slack / np.sqrt(n)))
    return found


@dataclass(frozen=True)
class Share:
    """A share of people as printed, of 1, with an interval (``wilson``, ``exact`` or none) and its step."""

    value: float
    low: float = NAN
    high: float = NAN
    unit: float = 0.0
    method: str = ""


def fit_share(part: np.ndarray, whole: np.ndarray, told: Share) -> np.ndarray:
    """Tell of each pair of numbers whether so many of so many people may have been printed as a share.

    Parameters
    ----------
    part, whole : array of int
        Candidates that broadcast together.
    told : Share
        Rounded numbers may be off by half a step, and intervals of rounded shares reach two steps further.

    Returns
    -------
    array of bool
    """
    off = told.unit / 2 + 1e-8
    with np.errstate(all="ignore"):
        fits = (part <= whole) & (np.abs(part / whole - told.value) <= off)
        if not told.method or not np.isfinite(told.low + told.high):
            return fits
        low, high = _interval(part, whole, told.method)
    before, further = told.unit / 2 + 1e-7, 2.5 * told.unit + 1e-7
    fits &= (told.low - before <= low) & (low <= told.low + further)
    return fits & (told.high + before >= high) & (high >= told.high - further)


def _interval(part: np.ndarray, whole: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    if method == "exact":
        low = np.where(part == 0, 0.0, stats.beta.ppf(0.025, part, whole - part + 1))
        return low, np.where(part == whole, 1.0, stats.beta.ppf(0.975, part + 1, whole - part))
    z = float(stats.norm.ppf(0.975))
    share = part / whole
    centre, weight = share + z**2 / (2 * whole), 1 + z**2 / whole
    reach = z * np.sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    return np.maximum((centre - reach) / weight, 0.0), np.minimum((centre + reach) / weight, 1.0)


@dataclass(frozen=True)
class Nested:
    """Means at baseline, later, and of change, and between which limits the numbers of people behind them lie."""

    first: Statistics
    later: Statistics
    change: Statistics
    people: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    everybody: int
    minimum: float
    maximum: float


def fit_nested(told: Nested) -> list[tuple[int, int, int, float, float]]:
    """Return every agreement of means of those asked at baseline, later, and both times.

    Returns
    -------
    list of tuple
        People at baseline, later and both times, and the lowest and highest mean at baseline of those who gave no
        later score (NaN where nobody left, or where others came).
    """
    found = []
    for at_first, at_later, both in product(*(range(low, high + 1) for low, high in told.people)):
        if both < 1 or both > min(at_first, at_later) or at_first + at_later - both > told.everybody:
            continue
        first, later, change = (
            _total(number, said) for number, said in
            ((at_first, told.first), (at_later, told.later), (both, told.change))
        )  # fmt: skip
        if any(low > high for low, high in (first, later, change)):
            continue
        left, came = at_first - both, at_later - both
        low = first[0] + change[0] - later[1] + came * told.minimum
        high = first[1] + change[1] - later[0] + came * told.maximum
        low, high = max(low, left * told.minimum), min(high, left * told.maximum)
        if low > high:
            continue
        is_known = left and not came
        found.append((at_first, at_later, both, low / left if is_known else NAN, high / left if is_known else NAN))
    return found


def _total(people: int, told: Statistics) -> tuple[float, float]:
    """Return the lowest and highest whole sum of scores that has the printed mean."""
    off = told.slack(told.value)
    return float(np.ceil(people * (told.value - off) - 1e-9)), float(np.floor(people * (told.value + off) + 1e-9))

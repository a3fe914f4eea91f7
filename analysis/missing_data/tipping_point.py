"""How much worse those who left must have fared for a finding to go: the tipping point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import t as student

from analysis.errors import AnalysisError
from analysis.missing_data.estimates import Imputed, ImputedEstimate, estimate_one, tabulate_imputed
from analysis.mixed_models.inference import CONFIDENCE
from data_contracts.errors import Problem

STEPS: Final = 200
"""Steps in which the interval is looked at before the border is found exactly."""
Ending = Literal["tips", "holds", "not_conclusive"]
_WORDS: Final[dict[str, str]] = {
    "tips": "The interval reaches zero when {delta:+.3g} points are added to every imputed score of '{arm}'.",
    "holds": "The interval stays away from zero up to {most:+.3g} points added to every imputed score of '{arm}'.",
    "not_conclusive": "The interval includes zero before anything is added, so there is nothing to tip.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """Where a finding ends.

    Attributes
    ----------
    verdict : {"tips", "holds", "not_conclusive"}
        A tipping point was found, there is none up to `most`, or there was no finding to begin with.
    delta : float
        Points added to every imputed score of `arm` at which the 95 % interval just includes zero; NaN without.
    most : float
        How far was searched, with the sign that works against the finding.
    arm : str
        Whose imputed scores are moved: the first arm of the contrast.
    start, end : ImputedEstimate
        The estimate without delta, and that at the tipping point (at `most` where there is none).
    """

    verdict: Ending
    delta: float
    most: float
    arm: str
    start: ImputedEstimate
    end: ImputedEstimate

    def words(self) -> str:
        """Return the finding in a sentence."""
        return _WORDS[self.verdict].format(delta=self.delta, most=self.most, arm=self.arm)


def find_tipping_point(imputed: Imputed, what: str, timepoint: str, *, most: float) -> TippingPoint:
    """Find the smallest delta, against the finding, at which the 95 % interval includes zero.

    Parameters
    ----------
    imputed : Imputed
        Of `impute_conditional_means` or `impute_repeatedly`; nothing is imputed anew.
    what, timepoint : str
        As in `estimate_one`. The imputed scores of the first arm are moved, those of the other stay.
    most : float
        Points beyond which a delta is out of the question, such as the score range of the instrument; positive.

    Raises
    ------
    AnalysisError
        `most` is not positive, or see `estimate_one`.
    """
    if not (most > 0 and np.isfinite(most)):
        message = "How far a tipping point is searched must be a positive number of points."
        raise AnalysisError(Problem("most_not_positive", message, "Give the score range of the instrument."))
    arm = what.split(" - ")[0]
    start = estimate_one(imputed, what, timepoint)
    sign = -1.0 if start.estimate.value > 0 else 1.0

    def at(points: float) -> ImputedEstimate:
        return estimate_one(imputed, what, timepoint, delta={arm: points})

    def distance(size: float) -> float:
        """Return how far the interval is from zero, on the side of the finding; negative where it includes it."""
        found = at(sign * size).estimate
        reach = float(student.ppf((1 + CONFIDENCE) / 2, found.df)) * found.std_error
        return -sign * found.value - reach

    far = sign * most
    if not distance(0.0) > 0:
        return TippingPoint(verdict="not_conclusive", delta=float("nan"), most=far, arm=arm, start=start, end=start)
    sizes = np.linspace(0.0, most, STEPS + 1)
    for low, high in pairwise(sizes):
        if distance(high) <= 0:
            delta = sign * float(brentq(distance, low, high, xtol=1e-10 * most))
            return TippingPoint(verdict="tips", delta=delta, most=far, arm=arm, start=start, end=at(delta))
    return TippingPoint(verdict="holds", delta=float("nan"), most=far, arm=arm, start=start, end=at(far))


def find_clear_points(imputed: Imputed, what: str, timepoint: str, *, most: float) -> dict[int, float]:
    """Find the smallest deltas at which a 95 % interval that includes zero leaves it out.

    Parameters
    ----------
    imputed, what, timepoint, most
        As in `find_tipping_point`. The imputed scores of the first arm are moved, those of the other stay.

    Returns
    -------
    dict
        -1 and 1 (imputed scores moved down, and up) -> delta with its sign; a way without one up to `most` is left out,
        and both are where the interval leaves zero out before anything is added.

    Raises
    ------
    AnalysisError
        As in `find_tipping_point`.
    """
    if find_tipping_point(imputed, what, timepoint, most=most).verdict != "not_conclusive":
        return {}
    arm = what.split(" - ")[0]

    def distance(points: float) -> float:
        """Return how far the interval is from zero; negative where it includes it."""
        found = estimate_one(imputed, what, timepoint, delta={arm: points}).estimate
        reach = float(student.ppf((1 + CONFIDENCE) / 2, found.df)) * found.std_error
        return abs(found.value) - reach

    clear: dict[int, float] = {}
    for sign in (-1, 1):
        for low, high in pairwise(sign * np.linspace(0.0, most, STEPS + 1)):
            if distance(high) > 0:
                clear[sign] = float(brentq(distance, low, high, xtol=1e-10 * most))
                break
    return clear


def tabulate_deltas(
    imputed: Imputed, what: str, timepoint: str, *, first: Sequence[float], second: Sequence[float] = (0.0,)
) -> pd.DataFrame:
    """Estimate a contrast for every pair of deltas of its arms, for a figure of where it stays clear of zero.

    Parameters
    ----------
    imputed, what, timepoint
        As in `estimate_one`; `what` is a contrast.
    first, second : sequence of float
        Points added to the imputed scores of its first and of its second arm.

    Returns
    -------
    DataFrame
        ``delta_first``, ``delta_second``, and the columns of `tidy_imputed`.
    """
    names = what.split(" - ")
    if len(names) != 2:
        raise AnalysisError(Problem("no_contrast", f"'{what}' is no contrast.", "Write it as 'arm - arm'."))
    pairs = [(one, other) for one in first for other in second]
    found = tabulate_imputed(
        estimate_one(imputed, what, timepoint, delta=dict(zip(names, pair, strict=True))) for pair in pairs
    )
    found.insert(0, "delta_first", [one for one, _ in pairs])
    found.insert(1, "delta_second", [other for _, other in pairs])
    return found

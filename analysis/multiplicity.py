"""P-values of a family of estimands, adjusted together, and families that are tested one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import choose
from analysis.mixed_models.jets import Array
from analysis.plan_parts import Family
from data_contracts.errors import Problem

Adjustment = Literal["none", "holm", "hochberg", "fixed_sequence", "fallback"]
ADJUSTMENTS: Final[dict[str, str]] = {
    "none": "not adjusted",
    "holm": "adjusted by Holm's step-down method",
    "hochberg": "adjusted by Hochberg's step-up method, which asks for estimates that do not pull apart",
    "fixed_sequence": "tested in the declared order, until the first that is not shown",
    "fallback": "tested in the declared order, each with its share of the error and what those before it leave",
}
WEIGHTS_SUM_WITHIN: Final = 1e-9


def adjust_p_values(p_values: Mapping[str, float], families: Sequence[Family]) -> dict[str, float]:
    """Adjust p-values within the families of a plan.

    Parameters
    ----------
    p_values : mapping
        Estimand id -> p-value, NaN where the estimand was refused or failed.
    families : sequence of Family
        Each adjusted by its own method (`adjust_family`). One that comes ``after`` another opens only once everything
        in that one was shown: its adjusted p-values are at least the largest there (serial gatekeeping), so
        several families after one another have the error rate of one.

    Returns
    -------
    dict
        Estimand id -> adjusted p-value; NaN for an estimand in no family or without a p-value. A member without a
        p-value counts as 1, so that a refusal never makes the rest of its family easier to reject, and shuts every
        family after it.

    References
    ----------
    Gatekeeping: Maurer, Hothorn and Lehmacher 1995; Westfall and Krishen 2001, doi 10.1016/S0378-3758(01)00077-5.
    """
    adjusted = dict.fromkeys(p_values, float("nan"))
    passed: dict[str | None, float] = {None: 0.0}
    for family in families:
        own = {member: p_values[member] for member in family.members}
        adjusted.update(_after(adjust_family(own, family.adjust, weights=family.weights), passed[family.after]))
        passed[family.id] = max(passed[family.after], *(_counted(adjusted[member]) for member in own))
    return adjusted


def adjust_family(
    p_values: Mapping[str, float], adjust: Adjustment, *, weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Adjust the p-values of one family.

    Parameters
    ----------
    p_values : mapping
        Estimand id -> p-value in the declared order, which ``fixed_sequence`` and ``fallback`` go by; NaN counts as 1.
    adjust : str
        ``holm``; ``hochberg`` (1988, doi 10.1093/biomet/75.4.800), valid where tests are independent or positively
        dependent; ``fixed_sequence`` (Maurer, Hothorn and Lehmacher 1995): the largest p-value so far; ``fallback``
        (Wiens 2003, doi 10.1002/pst.64); or ``none``.
    weights : mapping, optional
        Estimand id -> share of the error, for ``fallback`` only: of all members, not negative, in sum 1.

    Returns
    -------
    dict
        Estimand id -> the smallest error rate of the family at which it is shown, at most 1; NaN without a p-value.

    Raises
    ------
    AnalysisError
        ``adjust_unknown`` or ``weights_not_possible``.
    """
    choose("adjust", adjust, list(ADJUSTMENTS))
    raw = np.array(list(p_values.values()), dtype=float)
    counted = np.where(np.isnan(raw), 1.0, raw)
    if (adjust == "fallback") != bool(weights):
        raise _weights_problem()
    if adjust in ("holm", "hochberg"):
        counted = _by_steps(counted, up=adjust == "hochberg")
    elif adjust == "fixed_sequence":
        counted = np.maximum.accumulate(counted)
    elif adjust == "fallback":
        counted = _fallback(counted, _shares(p_values, weights or {}))
    return dict(zip(p_values, map(float, np.where(np.isnan(raw), np.nan, counted)), strict=True))


def _after(within: Mapping[str, float], passed: float) -> dict[str, float]:
    """Return p-values not below what was needed to come so far; NaN stays NaN."""
    return {member: max(value, passed) if value == value else value for member, value in within.items()}


def _counted(p_value: float) -> float:
    """Return a p-value as a gate takes it: one that is missing shuts it."""
    return 1.0 if np.isnan(p_value) else p_value


def _by_steps(p_values: Array, *, up: bool) -> Array:
    """Return Holm's adjusted p-values, or (`up`) Hochberg's: the k-th smallest of n times n - k + 1, kept in order."""
    order = np.argsort(p_values, kind="stable")
    stepped = p_values[order] * np.arange(len(p_values), 0, -1)
    kept = np.minimum.accumulate(stepped[::-1])[::-1] if up else np.maximum.accumulate(stepped)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(kept, 1.0)
    return adjusted


def _fallback(p_values: Array, shares: Array) -> Array:
    """Return adjusted p-values: each is shown by the shares of any unbroken run of shown ones that ends with it."""
    adjusted = np.ones(len(p_values))
    for place, p_value in enumerate(p_values):
        run, behind = 0.0, 0.0
        for start in range(place, -1, -1):
            run += shares[start]
            behind = max(behind, adjusted[start]) if start < place else 0.0
            if run > 0:
                adjusted[place] = min(adjusted[place], max(p_value / run, behind))
    return adjusted


def _shares(p_values: Mapping[str, float], weights: Mapping[str, float]) -> Array:
    if set(weights) != set(p_values):
        raise _weights_problem()
    shares = np.array([weights[member] for member in p_values], dtype=float)
    if not (shares >= 0).all() or abs(shares.sum() - 1.0) > WEIGHTS_SUM_WITHIN:
        raise _weights_problem()
    return shares


def _weights_problem() -> AnalysisError:
    return AnalysisError(
        Problem(
            "weights_not_possible",
            "The method 'fallback' needs a share of the error for every member, and no other method knows shares.",
            "Give each member a share of 0 or more, in sum 1, or choose another method.",
        )
    )

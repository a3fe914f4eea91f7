"""P-values of a family of estimands, adjusted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.plan import Family


def adjust_p_values(p_values: Mapping[str, float], families: Sequence[Family]) -> dict[str, float]:
    """Adjust p-values within the families of a plan.

    Parameters
    ----------
    p_values : mapping
        Estimand id -> p-value, NaN where the estimand was refused or failed.
    families : sequence of Family
        ``holm`` (Holm 1979, https://www.jstor.org/stable/4615733) or ``none``.

    Returns
    -------
    dict
        Estimand id -> adjusted p-value; NaN for an estimand in no family or without a p-value. A member without a
        p-value counts as 1, so that a refusal never makes the rest of its family easier to reject.
    """
    adjusted = dict.fromkeys(p_values, float("nan"))
    for family in families:
        own = np.array([p_values[member] for member in family.members])
        if family.adjust == "holm":
            from statsmodels.stats.multitest import multipletests

            corrected = multipletests(np.where(np.isnan(own), 1.0, own), method="holm")[1]
            own = np.where(np.isnan(own), np.nan, corrected)
        adjusted.update(zip(family.members, map(float, own), strict=True))
    return adjusted

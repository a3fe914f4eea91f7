"""How differently those who left must have fared for what is said to change."""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.design import Measure
from analysis.missing_data import find_clear_points, find_tipping_point
from analysis.missing_data.estimates import Imputed

TIPPING_POINT: Final = "tipping_point"
CLEAR: Final = {-1: "clear_if_lower", 1: "clear_if_higher"}
"""Statistics of an interval that holds zero: at which points it would leave zero out, moved down and moved up."""


def find_tipping(imputed: Imputed, what: str, timepoint: str, measure: Measure) -> dict[str, float] | str:
    """Return statistic -> points added to the missing scores of the first arm, or the code of why there are none.

    Parameters
    ----------
    imputed : Imputed
        Scores imputed at random.
    what, timepoint : str
        As in `find_tipping_point`.
    measure : Measure
        Its range is how far is searched: no score can be further off.
    """
    most = measure.maximum - measure.minimum
    if not (np.isfinite(most) and most > 0):
        return "no_range"
    found = find_tipping_point(imputed, what, timepoint, most=most)
    if found.verdict == "tips":
        return {TIPPING_POINT: found.delta}
    clear = find_clear_points(imputed, what, timepoint, most=most) if found.verdict == "not_conclusive" else {}
    return {CLEAR[sign]: points for sign, points in clear.items()} or "nothing_flips"

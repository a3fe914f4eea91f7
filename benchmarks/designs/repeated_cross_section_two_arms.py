"""Two arms asked twice, other people each time."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_scores, make_design, make_plan

TITLE = "Repeated cross-section, two arms"
WHAT = (
    "Four samples of 50 to 70 people, deviation 8 in one arm and 6 in the other, whose arms differ by 3 points from "
    "the start; asked is by how much more one changes than the other. `least_squares`"
)
TIMEPOINTS: Final = ("baseline", "post")
ARMS: Final = ("peer", "usual")
SIZES: Final = (50, 60, 70, 60)
"""Peer at first, peer later, usual at first, usual later."""


def design() -> StudyDesign:
    """Return a design of two arms, of which samples are drawn anew."""
    return make_design("repeated_cross_section", TIMEPOINTS)


def plan() -> Plan:
    """Return the difference between the arms in how their samples differ."""
    return make_plan("peer - usual", "post")


def truth(effect: float) -> float:
    """Return what the programme adds."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return four samples of unlike arms, both of which change by a point anyway."""
    sample = np.repeat(np.arange(4), SIZES)
    is_peer, is_later = sample < 2, sample % 2 == 1
    y = 50 + 3.0 * is_peer + (effect * is_peer - 1.0) * is_later + rng.normal(0, np.where(is_peer, 8.0, 6.0))
    ids = np.array([f"p{place:04}" for place in range(len(y))])
    scores = as_scores(ids, np.array(TIMEPOINTS)[is_later.astype(int)], y)
    arms = np.where(is_peer, *ARMS)
    return scores, pd.DataFrame({"participant_id": ids, "arm": arms, "group": "", "site": ""})

"""People drawn by lot, of whom half wait."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import Arm, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import PEER, as_tables, make_design, make_plan

TITLE = "Waiting list"
WHAT = (
    "40 people in each arm; variance 25 between people, 25 residual. People on the list begin after the second of "
    "three timepoints, of which the question is asked; at the third both arms have had the programme. `mmrm` of "
    "all three"
)
TIMEPOINTS = ("baseline", "post", "followup")


def design() -> StudyDesign:
    """Return a waiting-list design."""
    waiting = Arm("waiting", "Waiting list", is_reference=True, starts="post")
    return make_design("waitlist", TIMEPOINTS, (PEER, waiting))


def plan() -> Plan:
    """Return the difference at the last timepoint at which people waited."""
    return make_plan("peer - waiting", "post")


def truth(effect: float) -> float:
    """Return what the programme adds."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial in which people on the list get the same later."""
    peer = rng.permutation(80) < 40
    y = 50 - np.arange(3.0) + rng.normal(0, 5, (80, 1)) + rng.normal(0, 5, (80, 3))
    y += effect * np.where(peer[:, None], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0])
    return as_tables(rng, y, np.where(peer, "peer", "waiting"), [""] * 80, TIMEPOINTS)

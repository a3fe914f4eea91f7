"""People drawn by lot."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_tables, make_design, make_plan

TITLE = "Individually randomised"
WHAT = (
    "40 people in each arm, three timepoints with deviations 6, 7 and 8 and correlation 0.7 to the power of the "
    "distance; asked of the last one. `mmrm`, unstructured"
)
TIMEPOINTS = ("baseline", "post", "followup")


def design() -> StudyDesign:
    """Return a randomised design."""
    return make_design("randomised", TIMEPOINTS)


def plan() -> Plan:
    """Return the difference at the last timepoint."""
    return make_plan("peer - usual", "followup")


def truth(effect: float) -> float:
    """Return what the programme adds."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial in which half of the difference is there at the second timepoint."""
    peer = rng.permutation(80) < 40
    deviation = np.array([6.0, 7.0, 8.0])
    lag = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    y = 50 - np.arange(3.0) + rng.multivariate_normal(np.zeros(3), np.outer(deviation, deviation) * 0.7**lag, 80)
    y += effect * peer[:, None] * np.array([0.0, 0.5, 1.0])
    return as_tables(rng, y, np.where(peer, "peer", "usual"), [""] * 80, TIMEPOINTS)

"""People measured before and after, and nobody to compare them with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import Arm, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import LEAVING, as_tables, make_design, make_plan

TITLE = "Single group, before and after"
WHAT = (
    "40 people with two timepoints; variance 25 between people, 25 residual. The truth is the change of everybody, had "
    "nobody left, whatever brought it about. `mmrm`"
)
TIMEPOINTS = ("baseline", "post")
PEOPLE = 40


def design() -> StudyDesign:
    """Return a design of one arm."""
    return make_design("single_group", TIMEPOINTS, (Arm("peer", "Peer support"),))


def plan() -> Plan:
    """Return the change since baseline."""
    return make_plan("post - baseline", "post")


def truth(effect: float) -> float:
    """Return the change."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a group of which few leave."""
    return follow(rng, effect, LEAVING)


def follow(rng: np.random.Generator, effect: float, leaving: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a group of which a share of `leaving` leaves."""
    y = 50 + rng.normal(0, 5, (PEOPLE, 1)) + rng.normal(0, 5, (PEOPLE, 2)) + effect * np.array([0.0, 1.0])
    return as_tables(rng, y, ["peer"] * PEOPLE, [""] * PEOPLE, TIMEPOINTS, leaving=leaving)

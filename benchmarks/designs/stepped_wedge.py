"""Groups that get the programme one after the other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import Arm, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_tables, make_design, make_plan

TITLE = "Stepped wedge"
WHAT = (
    "9 groups of 6 to 10 people, three of which begin at each of the last three of four timepoints; variance 2 between "
    "groups, 16 between people, 16 residual. `mixed_model` with groups"
)
TIMEPOINTS = ("t0", "t1", "t2", "t3")
SEQUENCES = tuple(Arm(f"from_{at}", f"From {at}", starts=at) for at in TIMEPOINTS[1:])
GROUPS = 9


def design() -> StudyDesign:
    """Return a stepped wedge of three sequences."""
    ids = tuple(arm.id for arm in SEQUENCES)
    return make_design("stepped_wedge", TIMEPOINTS, SEQUENCES, group_arms=ids, groups_drawn=True)


def plan() -> Plan:
    """Return the difference between time with the programme and before it."""
    return make_plan("programme - before", "t3")


def truth(effect: float) -> float:
    """Return what the programme adds."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial whose groups differ by the same at all timepoints."""
    return step(rng, effect, 0.0)


def step(rng: np.random.Generator, effect: float, unevenness: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial whose groups differ by timepoint too, with variance `unevenness`."""
    group = np.repeat(np.arange(GROUPS), rng.integers(6, 11, GROUPS))
    sequence = (rng.permutation(GROUPS) % len(SEQUENCES))[group]
    people = len(group)
    of_group = rng.normal(0, np.sqrt(2), (GROUPS, 1)) + rng.normal(0, np.sqrt(unevenness), (GROUPS, 4))
    y = 50 - np.arange(4.0) + of_group[group] + rng.normal(0, 4, (people, 1)) + rng.normal(0, 4, (people, 4))
    y += effect * (np.arange(4) > sequence[:, None])
    arms = [SEQUENCES[each].id for each in sequence]
    return as_tables(rng, y, arms, [f"g{each}" for each in group], TIMEPOINTS)

"""Whole groups drawn by lot."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_tables, make_design, make_plan

TITLE = "Cluster randomised, 8 groups in each arm"
CLUSTERS = 8
TIMEPOINTS = ("baseline", "post", "followup")
WHAT = (
    "8 groups of 6 to 10 people in each arm; variance 2 between groups, 1 between the timepoints of a group, 16 "
    "between people, 16 residual; asked of the last of three timepoints. `mixed_model` with groups after baseline"
)


def design() -> StudyDesign:
    """Return a randomised design of groups."""
    return make_design("randomised", TIMEPOINTS, group_arms=("peer", "usual"), groups_drawn=True)


def plan() -> Plan:
    """Return the difference at the last timepoint."""
    return make_plan("peer - usual", "followup")


def truth(effect: float) -> float:
    """Return what the programme adds."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial of groups that are alike from the start, and a little less so from one timepoint to the next."""
    return draw_groups(rng, effect, CLUSTERS)


def draw_groups(rng: np.random.Generator, effect: float, clusters: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial of `clusters` groups in each arm."""
    group = np.repeat(np.arange(2 * clusters), rng.integers(6, 11, 2 * clusters))
    peer = (rng.permutation(2 * clusters) < clusters)[group]
    people = len(group)
    of_group = rng.normal(0, np.sqrt(2), (2 * clusters, 1)) + rng.normal(0, 1.0, (2 * clusters, 3))
    y = 50 - np.arange(3.0) + of_group[group] + rng.normal(0, 4, (people, 1)) + rng.normal(0, 4, (people, 3))
    y += effect * peer[:, None] * np.array([0.0, 1.0, 1.0])
    return as_tables(rng, y, np.where(peer, "peer", "usual"), [f"g{each}" for each in group], TIMEPOINTS)

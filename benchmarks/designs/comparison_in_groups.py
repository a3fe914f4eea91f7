"""As `comparison`, but people of the programme meet in groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from benchmarks.designs.comparison import AGE, PLACE, TIMEPOINTS, gather, plan, truth
from benchmarks.designs.people import make_design

TITLE = "Comparison, not by lot, in groups"
WHAT = (
    "As before, and the people of the programme meet in groups of six, with a group variance of 4 beside 25 between "
    "the scores of people alike. Standard errors are by group"
)
__all__ = ["TITLE", "WHAT", "design", "plan", "simulate", "truth"]


def design() -> StudyDesign:
    """Return a comparison of arms as they came, one of which meets in groups."""
    return make_design("comparison", TIMEPOINTS, covariates=(AGE, PLACE), group_arms=("peer",))


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a comparison of unlike arms, one in groups."""
    return gather(rng, effect, group_size=6, group_sd=2.0)

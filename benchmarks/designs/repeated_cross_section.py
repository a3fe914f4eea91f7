"""One arm asked twice, for the most part other people each time."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from analysis.design import Arm, Covariate, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_scores, make_design, make_plan

TITLE = "Repeated cross-section, one arm"
WHAT = (
    "60 people asked at first and 90 later, 20 of them the same; variance 36 between people, residual 28 at first and "
    "64 later. Those asked later are 5 years older, a year more makes 0.2 points, and the truth is the difference "
    "between people of one age. `least_squares` by age, clusters are people"
)
TIMEPOINTS: Final = ("baseline", "post")
AGE: Final = Covariate("age", "Age", "number")
FIRST, LATER, BOTH = 60, 90, 20


def design() -> StudyDesign:
    """Return a design of one arm, of which samples are drawn anew."""
    return make_design("repeated_cross_section", TIMEPOINTS, (Arm("peer", "Peer support"),), covariates=(AGE,))


def plan() -> Plan:
    """Return the difference between the samples at one age."""
    return make_plan("post - baseline", "post", covariates=["age"])


def truth(effect: float) -> float:
    """Return the difference between people of one age."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two samples that share some people."""
    people = FIRST + LATER - BOTH
    asked = np.concatenate([np.arange(FIRST), np.arange(FIRST - BOTH, people)])
    is_later = np.arange(FIRST + LATER) >= FIRST
    age = rng.normal(40, 10, people) + 5.0 * (np.arange(people) >= FIRST) * LATER / (LATER - BOTH)
    mean = 50 + 0.2 * (age - 40) + rng.normal(0, 6, people)
    y = mean[asked] + effect * is_later + rng.normal(0, np.where(is_later, 8.0, np.sqrt(28)))
    ids = np.array([f"p{place:04}" for place in range(people)])
    scores = as_scores(ids[asked], np.array(TIMEPOINTS)[is_later.astype(int)], y)
    return scores, pd.DataFrame({"participant_id": ids, "arm": "peer", "group": "", "site": "", "age": age})

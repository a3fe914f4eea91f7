"""People who came into an arm as they were: the older and worse off sooner chose the programme."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import Covariate, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import as_tables, make_design, make_plan

TITLE = "Comparison, not by lot"
WHAT = (
    "160 people; who is older, worse off at the start, or lives in town sooner chooses the programme, and all three "
    "bear on the score later, so that without a programme the arms would differ by 2.7 points. `overlap_weights` by "
    "age, place and the score at baseline"
)
TIMEPOINTS: Final = ("baseline", "post")
AGE: Final = Covariate("age", "Age", "number")
PLACE: Final = Covariate("place", "Place", "category", ("village", "town"))
PEOPLE: Final = 160


def design() -> StudyDesign:
    """Return a comparison of arms as they came."""
    return make_design("comparison", TIMEPOINTS, covariates=(AGE, PLACE))


def plan() -> Plan:
    """Return the difference between the arms, made alike in all that bears on both."""
    return make_plan("peer - usual", "post", covariates=["age", "place"])


def truth(effect: float) -> float:
    """Return what the programme adds, to everybody alike."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a comparison of unlike arms."""
    return gather(rng, effect)


def gather(
    rng: np.random.Generator, effect: float, *, group_size: int = 0, group_sd: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and participants; with `group_size` people of the programme meet in groups."""
    age, before = rng.normal(45, 12, PEOPLE), rng.normal(50, 8, PEOPLE)
    town = rng.random(PEOPLE) < 0.5
    joined = rng.random(PEOPLE) < 1 / (1 + np.exp(-0.04 * (age - 45) - 0.06 * (before - 50) - 0.8 * (town - 0.5)))
    number = np.cumsum(joined) // group_size if group_size else np.zeros(PEOPLE, dtype=np.int64)
    shared: NDArray[np.float64] = rng.normal(0, group_sd, number.max() + 1)[number] if group_size else np.zeros(PEOPLE)
    after = 17 + 0.6 * before + 0.08 * (age - 45) + 1.5 * town + (effect + shared) * joined + rng.normal(0, 5, PEOPLE)
    groups = [f"g{place}" if here and group_size else "" for place, here in zip(number, joined, strict=True)]
    scores, people = as_tables(
        rng, np.column_stack([before, after]), np.where(joined, "peer", "usual").tolist(), groups, TIMEPOINTS
    )
    return scores, people.assign(age=age, place=np.where(town, "town", "village"))

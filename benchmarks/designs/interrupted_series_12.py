"""Samples at twelve timepoints, of which the programme begins at the seventh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import SERIES_CONTRAST, Arm, StudyDesign
from analysis.plan import Plan
from benchmarks.designs.people import Array, as_scores, make_design, make_plan

TITLE = "Interrupted time series, 12 timepoints"
WHAT = (
    "Means at 12 timepoints, from the seventh on with the programme; they rise by 0.4 points from one to the next, "
    "their errors have deviation 1 and autocorrelation 0.3. Half of the truth is there at once, the rest comes "
    "steadily; asked is how far the last mean departs from the trend before. `interrupted_series`"
)
SIZE: Final = 12
PEOPLE: Final = 12
"""At each timepoint."""


def design() -> StudyDesign:
    """Return a short series."""
    return make_series(SIZE)


def plan() -> Plan:
    """Return the departure at the last timepoint."""
    return ask_last(SIZE)


def truth(effect: float) -> float:
    """Return the departure at the last timepoint."""
    return effect


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a short series."""
    spread = rng.normal(0, 8, (SIZE, PEOPLE))
    return draw_series(course(SIZE, effect) + remember(rng, SIZE, 0.3), spread - spread.mean(axis=1, keepdims=True))


def timepoints(size: int) -> Sequence[str]:
    """Return the ids of so many timepoints."""
    return [f"t{place:02}" for place in range(size)]


def make_series(size: int) -> StudyDesign:
    """Return a design of so many timepoints, half of them with the programme."""
    names = timepoints(size)
    return make_design("interrupted_time_series", names, (Arm("town", "The town", starts=names[size // 2]),))


def ask_last(size: int) -> Plan:
    """Return a plan that asks of the last timepoint."""
    return make_plan(SERIES_CONTRAST, timepoints(size)[-1])


def course(size: int, effect: float) -> Array:
    """Return the two lines: the second starts `effect` / 2 from the first, and ends at `effect` from it."""
    since = np.arange(size) - size // 2
    departure: Array = effect * (since >= 0) * (0.5 + 0.5 * since / since[-1])
    return 50 + 0.4 * np.arange(size) + departure


def remember(rng: np.random.Generator, size: int, rho: float) -> Array:
    """Return errors of deviation 1 with first-order autocorrelation."""
    errors = rng.normal(0, 1, size)
    for place in range(1, size):
        errors[place] = rho * errors[place - 1] + np.sqrt(1 - rho**2) * errors[place]
    return errors


def draw_series(levels: Array, spread: Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return samples of other people at each timepoint, from levels (T,) and what people add to them (T, n)."""
    y = (levels[:, None] + spread).ravel()
    ids = np.array([f"p{place:04}" for place in range(len(y))])
    scores = as_scores(ids, np.repeat(timepoints(len(levels)), spread.shape[1]), y)
    return scores, pd.DataFrame({"participant_id": ids, "arm": "town", "group": "", "site": ""})

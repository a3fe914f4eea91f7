"""Samples at twenty-four timepoints, of which the programme begins at the thirteenth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Plan
from benchmarks.designs.interrupted_series_12 import PEOPLE, ask_last, course, draw_series, make_series, remember, truth

__all__ = ["design", "plan", "simulate", "truth"]

TITLE = "Interrupted time series, 24 timepoints"
WHAT = "As before, with 24 timepoints, from the thirteenth on with the programme"
SIZE = 24


def design() -> StudyDesign:
    """Return a series of two dozen."""
    return make_series(SIZE)


def plan() -> Plan:
    """Return the departure at the last timepoint."""
    return ask_last(SIZE)


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a series of two dozen."""
    spread = rng.normal(0, 8, (SIZE, PEOPLE))
    return draw_series(course(SIZE, effect) + remember(rng, SIZE, 0.3), spread - spread.mean(axis=1, keepdims=True))

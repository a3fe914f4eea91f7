"""A series whose means err for two reasons, of which the model knows one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.designs.interrupted_series_12 import course, draw_series, remember, truth
from benchmarks.designs.interrupted_series_24 import SIZE, design, plan

__all__ = ["design", "plan", "simulate", "truth"]

TITLE = "Interrupted time series, means of samples"
WHAT = (
    "As before, but means are of 30 people with deviation 5 about levels that have autocorrelation 0.55: that of the "
    "means is 0.3 from one to the next again, and then falls more slowly than the model has it"
)


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a series of samples of people."""
    return draw_series(course(SIZE, effect) + remember(rng, SIZE, 0.55), rng.normal(0, 5, (SIZE, 30)))

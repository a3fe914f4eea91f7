"""A stepped wedge whose groups are not as alike across timepoints as the model takes them to be."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.designs.stepped_wedge import design, plan, step, truth

__all__ = ["design", "plan", "simulate", "truth"]

TITLE = "Stepped wedge, groups uneven over time"
WHAT = "As before, with a variance of 1 more between the timepoints of a group, which the model does not know"


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial whose groups have good and bad weeks."""
    return step(rng, effect, 1.0)

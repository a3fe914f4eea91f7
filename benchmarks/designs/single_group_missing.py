"""A single group of which a quarter leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.designs.single_group import design, follow, plan, truth

__all__ = ["design", "plan", "simulate", "truth"]

TITLE = "Single group, a quarter missing at random"
WHAT = (
    "As before, but 26 % leave, those with a high score at baseline sooner, so that the change of those who stay is "
    "off by 0.5 points"
)


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a group of which a quarter leaves."""
    return follow(rng, effect, 0.25)

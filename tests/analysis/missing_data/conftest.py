"""What the tests of missing data share: invented trials whose leavers are known."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def make_followed() -> Callable[..., pd.DataFrame]:
    """A function that gives one row per participant: arm, baseline, age, gender, and scores from which people leave."""

    def make(
        seed: int = 1,
        *,
        per_arm: int = 30,
        timepoints: tuple[str, ...] = ("post", "later"),
        arms: tuple[str, ...] = ("peer", "usual"),
        leaving: float = 0.2,
        away: float = 0.05,
        effect: float = -3.0,
        groups: int = 0,
        group_sd: float = 2.0,
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        n = per_arm * len(arms)
        arm = np.repeat(arms, per_arm)
        meets = (arm == "peer") & (groups > 0)
        number = np.arange(n) % max(groups, 1)
        baseline = rng.normal(50, 6, n)
        level = rng.normal(0, 3, n) + np.where(meets, rng.normal(0, group_sd, max(groups, 1))[number], 0.0)
        frame = pd.DataFrame(
            {
                "arm": arm,
                "group": np.where(meets, np.char.add("g", number.astype(str)), ""),
                "baseline": baseline,
                "age": rng.integers(20, 80, n).astype(float),
                "gender": rng.choice(["w", "m"], n),
            },
            index=[f"p{place:03}" for place in range(n)],
        )
        gone = np.zeros(n, dtype=bool)
        for place, name in enumerate(timepoints):
            score = 20 + 0.6 * baseline + level + effect * (place + 1) * (arm == "peer") + rng.normal(0, 3, n)
            gone |= rng.random(n) < leaving
            frame[name] = np.where(gone | (rng.random(n) < away), np.nan, score)
        return frame

    return make


@pytest.fixture
def roles() -> Callable[..., dict]:
    """A function that says which columns of such a trial are what, for build_panel."""

    def name(timepoints: tuple[str, ...] = ("post", "later"), **more: object) -> dict:
        outcomes = {timepoint: timepoint for timepoint in timepoints}
        return {"outcomes": outcomes, "baseline": "baseline", "arm": "arm", "reference": "usual"} | more

    return name

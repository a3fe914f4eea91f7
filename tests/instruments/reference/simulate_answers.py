"""Answers of invented people, for the tests of psychometrics and for `psychometrics.R`.

python tests/instruments/reference/simulate_answers.py FOLDER
Rscript tests/instruments/reference/psychometrics.R FOLDER tests/instruments/reference/psychometrics.json
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

ITEMS = ("1", "2", "3", "4", "5")
LOADINGS = np.array([0.9, 0.8, 1.0, 0.6, 0.7])


def simulate_answers(
    people: int, timepoints: int, *, seed: int, shift: float = 0.0, missing: float = 0.0, gone: float = 0.0
) -> list[pd.DataFrame]:
    """Return answers from 0 to 4, one table per timepoint.

    `shift` raises the answers to item 3 after the first timepoint, whatever people feel; `missing` is the share of
    answers left out, `gone` the share of people who do not come to the last timepoint.
    """
    rng = np.random.default_rng(seed)
    lasting, own = rng.normal(size=people), rng.normal(size=(people, len(ITEMS)))
    tables = []
    for timepoint in range(timepoints):
        trait = 0.8 * lasting + 0.6 * rng.normal(size=people) - 0.2 * timepoint
        noise = 0.4 * own + 0.6 * rng.normal(size=own.shape)
        moved = shift * (timepoint > 0) * (np.array(ITEMS) == "3")
        answers = np.clip(np.round(2 + trait[:, np.newaxis] * LOADINGS + noise + moved), 0, 4)
        answers[rng.random(own.shape) < missing] = np.nan
        tables.append(pd.DataFrame(answers, columns=list(ITEMS)))
    tables[-1][rng.random(people) < gone] = np.nan
    return tables


def data_sets() -> dict[str, list[pd.DataFrame]]:
    """Return the data sets that the reference holds numbers for."""
    return {
        "steady": simulate_answers(500, 2, seed=1),
        "shifted": simulate_answers(500, 2, seed=2, shift=0.8, missing=0.05, gone=0.2),
        "three": simulate_answers(600, 3, seed=3, missing=0.05, gone=0.2),
    }


if __name__ == "__main__":
    for name, tables in data_sets().items():
        wide = pd.concat([table.add_prefix("i").add_suffix(f"_{t}") for t, table in enumerate(tables, start=1)], axis=1)
        wide.to_csv(Path(sys.argv[1]) / f"{name}.csv", index=False)

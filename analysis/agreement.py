"""Totals that came with the data against our own scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.results import Result

EQUAL_WITHIN: Final = 1e-6
"""Points; totals are written with few decimals, so what is further apart was computed differently."""
_KEY = ["participant_id", "timepoint", "measure"]


def compare_scores(scores: pd.DataFrame, delivered: pd.DataFrame, design: StudyDesign) -> Iterator[Result]:
    """Yield how many delivered totals equal ours, by measure.

    Parameters
    ----------
    scores, delivered : DataFrame
        See the table contracts. Compared is what has a number in both.
    design : StudyDesign
        Its measures are taken in the order declared; those without a delivered total, or without a score of
        ours to hold it against, are passed over.

    Yields
    ------
    Result
        ``compared``, ``equal`` and ``different``, counts of participant x timepoint; `n` counts their participants.
    """
    both = (
        delivered[[*_KEY, "score"]]
        .dropna(subset="score")
        .merge(scores[[*_KEY, "score"]].dropna(subset="score"), on=_KEY, suffixes=("_delivered", "_ours"))
    )
    equal = np.isclose(both["score_delivered"], both["score_ours"], rtol=0, atol=EQUAL_WITHIN)
    for measure, known in design.measures.items():
        own = (both["measure"] == measure).to_numpy()
        if known.instrument is None or not (delivered["measure"] == measure).any():
            continue
        for statistic, counted in {"compared": own, "equal": own & equal, "different": own & ~equal}.items():
            yield Result(
                analysis="score_agreement",
                statistic=statistic,
                outcome=measure,
                value=float(counted.sum()),
                n=both.loc[counted, "participant_id"].nunique(),
                method="delivered totals against scores computed from the answers",
            )

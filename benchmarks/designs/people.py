"""What the simulated designs share: a measure, a plan, and tables of scores from which some people leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import Arm, Measure, StudyDesign, Timepoint
from analysis.plan import Plan

MEASURE: Final = Measure("mood.total", "Mood total", "low mood", 0, 100, "worse")
PEER, USUAL = Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True)
LEAVING: Final = 0.1
"""Share of people with an average score who leave after each timepoint."""
SOONER: Final = 0.08
"""Log odds of leaving for each point of the score before, above the average."""
Array = NDArray[np.float64]


def make_design(kind: str, timepoints: Sequence[str], arms: Sequence[Arm] = (PEER, USUAL), **more: Any) -> StudyDesign:
    """Return a design with the measure of all simulations, timepoints 8 weeks apart."""
    planned = tuple(Timepoint(name, name, 8.0 * place) for place, name in enumerate(timepoints))
    return StudyDesign(
        kind=kind,  # type: ignore[arg-type]
        timepoints=planned,
        arms=tuple(arms),
        measures={MEASURE.id: MEASURE},
        **more,
    )


def make_plan(contrast: str, timepoint: str, **more: Any) -> Plan:
    """Return a plan of one outcome and one estimand."""
    estimand = {"id": "asked", "outcome": "mood", "contrast": contrast, "timepoint": timepoint} | more
    outcome = {"id": "mood", "measure": MEASURE.id, "role": "primary"}
    return Plan.model_validate({"sap": 1, "outcomes": [outcome], "estimands": [estimand]})


def as_tables(
    rng: np.random.Generator,
    y: Array,
    arms: Iterable[str],
    groups: Iterable[str],
    timepoints: Sequence[str],
    *,
    leaving: float = LEAVING,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and participants, of whom some leave: sooner those whose score before was high.

    Parameters
    ----------
    y : (n, T) array
        Scores of everybody, had nobody left.
    arms, groups : iterable of str
        Of each of the n people; an empty group is none.
    timepoints : sequence of str
        Ids of the T timepoints.
    leaving : float, optional
        Share of people with an average score who leave after each timepoint.
    """
    ids = [f"p{place:04}" for place in range(len(y))]
    odds = leaving / (1 - leaving) * np.exp(SOONER * (y[:, :-1] - y[:, :-1].mean(axis=0)))
    stays = np.logical_and.accumulate(rng.random(odds.shape) >= odds / (1 + odds), axis=1)
    seen = np.column_stack([np.ones(len(y), dtype=bool), stays])
    who, when = np.nonzero(seen)
    scores = as_scores(np.array(ids)[who], np.array(timepoints)[when], y[seen])
    people = pd.DataFrame({"participant_id": ids, "arm": list(arms), "group": list(groups), "site": ""})
    return scores, people


def as_scores(people: NDArray[np.str_], timepoints: NDArray[np.str_], y: Array) -> pd.DataFrame:
    """Return the table of scores: whose each is, and when it was given."""
    return pd.DataFrame({"participant_id": people, "timepoint": timepoints, "measure": MEASURE.id, "score": y})

"""The estimands that are asked of a population of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from analysis.design import StudyDesign
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome, leave_empty
from analysis.plan import Plan
from analysis.populations import NO_SESSIONS, choose_people, design_of_some
from analysis.results import Result


def estimate_in_populations(
    plan: Plan,
    design: StudyDesign,
    *,
    scores: pd.DataFrame,
    participants: pd.DataFrame,
    sessions: pd.DataFrame | None,
) -> Iterator[Result]:
    """Yield the row of every estimand that is asked of a population of its own.

    Parameters
    ----------
    plan, design : Plan, StudyDesign
        What is asked, and of which study.
    scores, participants, sessions : DataFrame
        As `evaluate_plan` takes them.

    Yields
    ------
    Result
        As `estimate_outcome` gives it for these people; `fewest` is by how many people of an arm they differ from
        everybody, the smallest number above none.
    """
    for population in plan.populations:
        for outcome in plan.outcomes:
            own = [each for each in plan.estimands if (each.population, each.outcome) == (population.id, outcome.id)]
            if not own:
                continue
            asked = plan.model_copy(update={"estimands": own, "population": population.id})
            chosen = choose_people(population, outcome, scores, participants, sessions)
            if chosen is None:
                yield from (leave_empty(each, asked, design, "refused:no_sessions", NO_SESSIONS) for each in own)
                continue
            left_out = participants.loc[~chosen].groupby("arm").size()
            frame = outcome_frame(scores, participants[chosen].reset_index(drop=True), design, outcome)
            for row in estimate_outcome(outcome, frame, asked, design_of_some(design)):
                if row.estimand:
                    fewest = float(left_out.min()) if len(left_out) else float("nan")
                    yield replace(row, fewest=min(fewest, row.fewest) if row.fewest == row.fewest else fewest)

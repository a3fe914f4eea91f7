"""Estimands of some people instead of everybody: who came often enough, or answered at certain timepoints.

Such people are chosen by what happened after the start, so a comparison of them is not by chance in any design.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.exposure import derive_exposure
from analysis.plan import Estimand, Outcome, Plan
from analysis.plan_parts import Population
from analysis.telling import tell

NO_SESSIONS: Final = tell(
    "Who came how often is not known, because the study tells of no sessions.\nDeclare 'sessions' in study.yaml, or "
    "take 'attended_at_least' out of the population."
)


def of_everybody(plan: Plan) -> Plan:
    """Return a plan without the estimands that are asked of a population of their own."""
    return plan.model_copy(update={"estimands": [each for each in plan.estimands if population_of(each, plan) is None]})


def population_of(estimand: Estimand, plan: Plan) -> Population | None:
    """Return the population that an estimand is asked of, None for everybody."""
    return next((each for each in plan.populations if each.id == estimand.population), None)


def design_of_some(design: StudyDesign) -> StudyDesign:
    """Return a design as it holds for people who were chosen later: arms of a trial are no longer alike by chance."""
    by_lot = ("randomised", "waitlist")
    return replace(design, kind="matched_comparison") if design.kind in by_lot else design


def choose_people(
    population: Population,
    outcome: Outcome,
    scores: pd.DataFrame,
    participants: pd.DataFrame,
    sessions: pd.DataFrame | None,
) -> pd.Series | None:
    """Return who belongs to a population.

    Parameters
    ----------
    population, outcome : Population, Outcome
        Whom the plan chooses, and the outcome that they must have answered.
    scores, participants, sessions : DataFrame
        See the table contracts; a score of NaN is none.

    Returns
    -------
    Series of bool or None
        For each row of `participants`. Sessions bind the arms in which anybody was offered one. None where sessions
        are asked for and there are none.
    """
    people = participants["participant_id"]
    chosen = pd.Series(True, index=participants.index)
    known = scores[(scores["measure"] == outcome.measure) & scores["score"].notna()]
    for timepoint in population.answered:
        chosen &= people.isin(known.loc[known["timepoint"] == timepoint, "participant_id"])
    if population.attended_at_least is None:
        return chosen
    if sessions is None or sessions.empty:
        return None
    exposure = derive_exposure(sessions, participants)
    offering = exposure.loc[exposure["n_offered"] > 0, "arm"].unique()
    often = (exposure["n_attended"] >= population.attended_at_least).set_axis(participants.index)
    return chosen & (often | ~participants["arm"].isin(offering))

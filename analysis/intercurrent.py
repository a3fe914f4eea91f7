"""Intercurrent events: what happened to people after baseline, and what becomes of their scores from then on.

Strategies after the addendum on estimands, ICH E9(R1) 2019. ``treatment_policy`` takes scores as they are;
``hypothetical`` asks what would have been without the event, so scores from then on are missing.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Plan


def set_aside_hypothetical(scores: pd.DataFrame, events: pd.DataFrame, plan: Plan, design: StudyDesign) -> pd.DataFrame:
    """Return scores without those that events of the plan take away.

    Parameters
    ----------
    scores : DataFrame
        See the table contract; not changed.
    events : DataFrame
        As `Evaluation.events`.
    plan, design : Plan, StudyDesign
        Which events are taken as if they had not happened, and the order of the timepoints.

    Returns
    -------
    DataFrame
        The same rows; a score at or after the first timepoint that such an event of its participant bears on is NaN.
        Events that bear on the baseline happened before the study, and those after the last timepoint bear on nothing.
    """
    hypothetical = {each.event for each in plan.intercurrent_events if each.strategy == "hypothetical"}
    first = find_first(events, hypothetical, design)
    places = {timepoint.id: place for place, timepoint in enumerate(design.timepoints)}
    begun = scores["participant_id"].map(first).map(places).to_numpy(dtype=float)
    gone = scores["timepoint"].map(places).to_numpy(dtype=float) >= begun  # no event is NaN, which nothing is beyond
    return scores.assign(score=scores["score"].mask(gone)) if gone.any() else scores


def find_first(events: pd.DataFrame, chosen: Collection[str], design: StudyDesign) -> pd.Series:
    """Return the first timepoint after baseline that one of the chosen events bears on, by participant id."""
    places = {timepoint.id: place for place, timepoint in enumerate(design.timepoints)}
    own = events.loc[events["event"].isin(chosen), ["participant_id", "timepoint"]]
    at = own["timepoint"].map(places).to_numpy(dtype=float)
    own = own.assign(at=at)[at > 0]  # neither before the study nor after its last timepoint
    first = own.sort_values("at", kind="stable").drop_duplicates("participant_id").set_index("participant_id")
    return first["timepoint"].astype("str")


def join_events(participants: pd.DataFrame, first: pd.Series, column: str) -> pd.DataFrame:
    """Return participants with a column that holds the timepoint of `find_first`, empty for those without one."""
    known = participants["participant_id"].map(first)
    return participants.assign(**{column: known.where(known.notna(), "").astype("str")})


def scores_before(frame: pd.DataFrame, column: str, design: StudyDesign, columns: dict[str, str]) -> pd.DataFrame:
    """Return an outcome frame without the scores from the event on; `columns` are those of the scores by timepoint."""
    places = {timepoint.id: place for place, timepoint in enumerate(design.timepoints)}
    begun = frame[column].map(places).to_numpy(dtype=float)
    kept = {name: frame[name].mask(np.greater_equal(places[timepoint], begun)) for timepoint, name in columns.items()}
    return frame.assign(**kept)

"""Who came how often before they answered, beside their scores: one row per person, without ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import Covariate, StudyDesign
from analysis.evaluation import Evaluation
from analysis.exposure import derive_exposure
from analysis.frames import count_classes, covariate_column, outcome_frame, score_column
from analysis.model_frame import covariate_term
from analysis.plan import Outcome

ATTENDED: Final = "n_attended"
OFFERED: Final = "n_offered"
SHARE: Final = "share"
DAYS_PER_WEEK: Final = 7.0


def count_attended(evaluation: Evaluation, timepoint: str) -> pd.DataFrame:
    """Return what each participant was offered and came to until they answered at a timepoint.

    Parameters
    ----------
    evaluation : Evaluation
        With sessions; nobody came to any where the study tells of none.
    timepoint : str
        A later timepoint. Sessions after a person's answers at it cannot bear on them and do not count; of who has no
        day there, sessions count up to its planned week. Sessions whose day is not told count.

    Returns
    -------
    DataFrame
        As `derive_exposure`, in the order of the participants: ``n_offered``, ``n_attended``, ``n_online``,
        ``n_in_person`` (numbers of sessions) and ``share``, NaN where nothing was offered. Days are left out.
    """
    participants, sessions = evaluation.participants, evaluation.sessions
    people = participants["participant_id"]
    if sessions is None or sessions.empty:
        nothing = dict.fromkeys([OFFERED, ATTENDED, "n_online", "n_in_person"], 0)
        return pd.DataFrame({"participant_id": people, "arm": participants["arm"], **nothing, SHARE: np.nan})
    last = sessions["participant_id"].map(_last_days(evaluation, timepoint))
    is_later = sessions["days_since_baseline"] > last
    exposure = derive_exposure(sessions[~is_later], participants).drop(
        columns=["first_day", "last_day", "median_spacing"]
    )
    offered = derive_exposure(sessions, participants)[OFFERED]
    held_later = sessions[is_later & (sessions["attended"] != "cancelled")].groupby("participant_id").size()
    until = offered - held_later.reindex(people, fill_value=0).to_numpy()
    exposure[OFFERED] = np.maximum(until, exposure[ATTENDED])
    exposure[SHARE] = exposure[ATTENDED] / exposure[OFFERED].where(exposure[OFFERED] > 0)
    return exposure


def person_frame(
    evaluation: Evaluation,
    outcome: Outcome,
    timepoint: str,
    covariates: Sequence[str],
    beside: Mapping[str, pd.Series],
) -> pd.DataFrame:
    """Return one row per person with a score at baseline, one at the timepoint, and all covariates.

    Parameters
    ----------
    evaluation : Evaluation
        Scores, participants and design.
    outcome, timepoint, covariates
        Of the plan.
    beside : mapping
        Name -> numbers or texts for each row of the participants table. Empty texts and NaN are missing, and stay.

    Returns
    -------
    DataFrame
        ``participant`` (number), ``timepoint`` (the same everywhere), ``arm``, ``group`` (empty without), ``start`` and
        ``later`` (points), ``change`` = later - start, a column per covariate (`covariate_term`; categories keep the
        levels that occur) and per name of `beside`. In an order that depends on the content alone.
    """
    design = _with(evaluation.design, beside)
    people = evaluation.participants.assign(
        **{_column(name): np.asarray(values, dtype=object) for name, values in beside.items()}
    )
    frame = outcome_frame(evaluation.scores, people, design, outcome)
    start, later = (frame[score_column(at)] for at in (design.baseline.id, timepoint))
    kept = {name: frame[covariate_column(_column(name))] for name in beside}
    rows = frame[["arm", "group"]].assign(start=start, later=later, change=later - start, **kept)
    for covariate in (known for known in evaluation.design.covariates if known.id in covariates):
        values = frame[covariate_column(covariate.id)]
        rows[covariate_term(covariate.id)] = (
            pd.Categorical(values, categories=[level for level in covariate.levels if (values == level).any()])
            if covariate.kind == "category"
            else values
        )
    known = rows[["start", "later", *map(covariate_term, covariates)]].notna().all(axis=1)
    rows = rows[known].reset_index(drop=True)
    return rows.assign(participant=np.arange(len(rows)), timepoint=timepoint)


def usable_terms(rows: pd.DataFrame, covariates: Sequence[str]) -> tuple[str, ...]:
    """Return baseline and those covariates that vary among some people: one that does not tells nothing of them."""
    columns = ("start", *map(covariate_term, covariates))
    return tuple(column for column in columns if rows[column].nunique() >= 2)


def classes_of(evaluation: Evaluation, outcome: Outcome) -> float:
    """Return how many different scores an outcome has, NaN for more than ten."""
    return count_classes(evaluation.frames[outcome.id])


def _last_days(evaluation: Evaluation, timepoint: str) -> pd.Series:
    """Return, by participant, the day since baseline up to which sessions count."""
    people = evaluation.participants["participant_id"]
    week = next(known.week for known in evaluation.design.timepoints if known.id == timepoint)
    planned = DAYS_PER_WEEK * (week - evaluation.design.baseline.week)
    responses = evaluation.responses
    if "days_since_baseline" not in responses.columns:
        return pd.Series(planned, index=people)
    own = responses[responses["timepoint"] == timepoint]
    answered = own.groupby("participant_id")["days_since_baseline"].max().astype("float64")
    return answered.reindex(people).fillna(planned)


def _with(design: StudyDesign, beside: Mapping[str, pd.Series]) -> StudyDesign:
    """Return a design that has further columns as covariates, so that frames carry them without ids."""
    more = (
        Covariate(_column(name), name, "number" if pd.api.types.is_numeric_dtype(values) else "category")
        for name, values in beside.items()
    )
    return replace(design, covariates=(*design.covariates, *more))


def _column(name: str) -> str:
    """Return a name that no covariate of a study can have."""
    return f"beside: {name}"

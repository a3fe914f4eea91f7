"""One row per participant for one outcome: what every statistic of that outcome is computed from.

Participant ids are dropped here, and rows are put in an order that depends on their content alone. So neither the
order of the input nor the pseudonyms can change a single bit of a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.design import Covariate, StudyDesign
from analysis.errors import AnalysisError
from analysis.plan import Outcome
from data_contracts.errors import Problem

MOST_CLASSES = 10
"""Different scores up to which they are classes of people rather than a scale."""
_SCORE_KEY = ["participant_id", "timepoint", "measure"]


def score_column(timepoint: str) -> str:
    """Return the column of an outcome frame that holds the scores at a timepoint."""
    return f"score:{timepoint}"


def covariate_column(covariate: str) -> str:
    """Return the column of an outcome frame that holds a covariate."""
    return f"covariate:{covariate}"


def outcome_frame(
    scores: pd.DataFrame,
    participants: pd.DataFrame,
    design: StudyDesign,
    outcome: Outcome,
    *,
    carried: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the scores of one outcome with one row per participant.

    Parameters
    ----------
    scores, participants : DataFrame
        Tables that `require_consistent_tables` accepts.
    design : StudyDesign
        The declared design.
    outcome : Outcome
        An outcome of the plan.
    carried : sequence of str, optional
        Further text columns of `participants` that the frame keeps as they are.

    Returns
    -------
    DataFrame
        All participants, also those without a score: ``arm``, ``group`` (empty where the arm does not meet in groups),
        ``score:<timepoint>`` in points (percent, 0 or 100, of a binary outcome) for every planned timepoint (NaN: no
        score) and ``covariate:<id>`` (missing:
        NaN). A covariate without a column is missing for everyone. Ordered by content, ids left out.
    """
    timepoints = [timepoint.id for timepoint in design.timepoints]
    own = scores.loc[scores["measure"] == outcome.measure].set_index("participant_id")
    meets = participants["arm"].isin(design.group_arms)
    frame = pd.DataFrame({"arm": participants["arm"], "group": participants["group"].where(meets, "")})
    frame = frame.reset_index(drop=True)
    for timepoint in timepoints:
        points = own.loc[own["timepoint"] == timepoint, "score"].astype("float64")
        points = points if outcome.event is None else outcome.event.percent(points)
        frame[score_column(timepoint)] = points.reindex(participants["participant_id"]).to_numpy()
    for covariate in design.covariates:
        frame[covariate_column(covariate.id)] = _covariate_values(participants, covariate)
    places = {arm.id: place for place, arm in enumerate(design.arms)}
    scored_and_known = [column for column in frame.columns if column not in ("arm", "group")]
    frame = frame.assign(**{column: participants[column].reset_index(drop=True) for column in carried})
    keys = ["arm", *scored_and_known, "group", *carried]
    order = frame.assign(arm=frame["arm"].map(places)).sort_values(keys).index
    return frame.loc[order].reset_index(drop=True)


def count_classes(frame: pd.DataFrame) -> float:
    """Return how many different scores an outcome frame holds, NaN for more than ten: counts hide in few of them."""
    points = frame[[column for column in frame.columns if column.startswith("score:")]].to_numpy(dtype=float)
    distinct = len(np.unique(points[~np.isnan(points)]))
    return float(distinct) if distinct <= MOST_CLASSES else float("nan")


def count_fewest(scores: pd.Series, commonest: int = 1) -> float:
    """Return how many people have another score than the commonest, or than the few commonest; 0 without scores.

    Of two scores that is how many people have the rarer one. Where these are few, sums tell of them: a mean near the
    end of a scale says how many people are away from the end, and a standard deviation how many are further away.
    """
    counts = scores.dropna().value_counts()
    return float(counts.iloc[commonest:].sum())


def complete_cases(frame: pd.DataFrame, covariates: Sequence[str], design: StudyDesign) -> pd.DataFrame:
    """Return the participants with at least one score and without a missing covariate."""
    scored = frame[[score_column(timepoint.id) for timepoint in design.timepoints]].notna().any(axis=1)
    known = frame[[covariate_column(covariate) for covariate in covariates]].notna().all(axis=1)
    return frame.loc[scored & known].reset_index(drop=True)


def require_consistent_tables(scores: pd.DataFrame, participants: pd.DataFrame, design: StudyDesign) -> None:
    """Hold scores and participants against each other and against the design.

    Raises
    ------
    AnalysisError
        A column is missing, a participant or a score stands twice, a score belongs to nobody in `participants`, or an
        arm, a timepoint or a level of a covariate is not declared.
    """
    problems = [
        _problem("columns_missing", f"The {name} table has no column '{column}'.", "Add the column.")
        for name, table, columns in (
            ("scores", scores, [*_SCORE_KEY, "score"]),
            ("participants", participants, ["participant_id", "arm", "group"]),
        )
        for column in columns
        if column not in table.columns
    ]
    problems = problems or list(_inconsistencies(scores, participants, design))
    if problems:
        raise AnalysisError(problems)


def _inconsistencies(scores: pd.DataFrame, participants: pd.DataFrame, design: StudyDesign) -> Iterator[Problem]:
    arms = [arm.id for arm in design.arms]
    timepoints = [timepoint.id for timepoint in design.timepoints]
    if participants["participant_id"].duplicated().any():
        yield _problem(
            "participant_twice",
            "A participant stands in more than one row of the participants table.",
            "Keep one row per participant.",
        )
    if scores.duplicated(_SCORE_KEY).any():
        yield _problem(
            "score_twice",
            "A participant has more than one score of a measure at a timepoint.",
            "Keep one score per participant, timepoint and measure.",
        )
    if not scores["participant_id"].isin(participants["participant_id"]).all():
        yield _problem(
            "participant_unknown",
            "Scores belong to participants who are not in the participants table.",
            "Add these participants or set their rows aside.",
        )
    if not participants["arm"].isin(arms).all():
        yield _problem(
            "arm_unknown",
            "Participants have an arm that the study does not declare, or none.",
            f"Declared arms: {', '.join(arms)}.",
        )
    if not scores["timepoint"].isin(timepoints).all():
        yield _problem(
            "timepoint_unknown",
            "Scores have a timepoint that the study does not declare.",
            f"Declared timepoints: {', '.join(timepoints)}.",
        )
    for covariate in design.covariates:
        if covariate.kind == "category" and covariate.id in participants.columns:
            values = _covariate_values(participants, covariate).dropna()
            if not values.isin(covariate.levels).all():
                yield _problem(
                    "level_unknown",
                    f"'{covariate.id}' has levels that the study does not declare.",
                    f"Declared levels: {', '.join(covariate.levels)}.",
                )


def _covariate_values(participants: pd.DataFrame, covariate: Covariate) -> pd.Series:
    """Return a covariate in the order of the participants table; missing is NaN in both kinds."""
    if covariate.id not in participants.columns:
        return pd.Series(float("nan"), index=range(len(participants)))
    values = participants[covariate.id].reset_index(drop=True)
    return values.astype("float64") if covariate.kind == "number" else values.astype("str").mask(values == "")


def _problem(code: str, message: str, how_to_fix: str) -> Problem:
    return Problem(code, message, how_to_fix)

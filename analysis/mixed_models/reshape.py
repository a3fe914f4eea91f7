"""Frames as a model wants them: a row per timepoint, and baseline as a covariate where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.errors import AnalysisError
from data_contracts.errors import Problem, choose_from


def lengthen(frame: pd.DataFrame, outcome: Mapping[str, str], *, timepoint: str) -> pd.DataFrame:
    """Turn a frame with a column per timepoint into one with a row per timepoint.

    Parameters
    ----------
    frame : DataFrame
        One row per participant.
    outcome : mapping
        Timepoint -> column with its outcome, in time order.
    timepoint : str
        Name for the column of the timepoint.

    Returns
    -------
    DataFrame
        All other columns repeated, the timepoint as an ordered category, and the outcome as ``outcome``.
    """
    unknown = [column for column in outcome.values() if column not in frame.columns]
    if unknown:
        raise no_column(unknown[0], frame)
    if not outcome or len(set(outcome.values())) < len(outcome):
        raise AnalysisError(
            Problem("outcome_columns", "Every timepoint needs a column of its own.", "Give timepoint -> column.")
        )
    taken = [name for name in (timepoint, "outcome") if name in frame.columns and name not in outcome.values()]
    if taken:
        raise AnalysisError(Problem("column_taken", f"The frame has a column '{taken[0]}'.", "Rename it."))
    others = frame.drop(columns=list(outcome.values()))
    order = pd.CategoricalDtype([str(name) for name in outcome], ordered=True)
    pieces = [others.assign(**{timepoint: str(name), "outcome": frame[column]}) for name, column in outcome.items()]
    long = pd.concat(pieces, ignore_index=True)
    return long.assign(**{timepoint: long[timepoint].astype(order)})


def baseline_as_covariate(
    frame: pd.DataFrame, *, outcome: str, participant: str, timepoint: str, baseline: str, name: str = "baseline"
) -> pd.DataFrame:
    """Take the rows of baseline out, and put their outcome beside every later row of the same participant.

    Parameters
    ----------
    frame : DataFrame
        One row per participant and timepoint.
    outcome, participant, timepoint : str
        Columns.
    baseline : str
        Value of `timepoint` that is the baseline.
    name : str
        Column to hold the outcome at baseline; missing for a participant without one, whom a model then leaves out.

    Raises
    ------
    AnalysisError
        A column or the baseline is not there, a participant has two baselines, or `name` is taken.
    """
    for column in (outcome, participant, timepoint):
        if column not in frame.columns:
            raise no_column(column, frame)
    if name in frame.columns:
        raise AnalysisError(Problem("column_taken", f"The frame has a column '{name}'.", "Choose another name=."))
    labels = frame[timepoint].astype(str)
    at_baseline = labels == str(baseline)
    if not at_baseline.any():
        known = list(dict.fromkeys(labels.dropna()))
        raise AnalysisError(Problem("baseline_unknown", f"No row is at '{baseline}'.", choose_from(baseline, known)))
    start = frame.loc[at_baseline].set_index(participant)[outcome]
    if start.index.has_duplicates:
        raise AnalysisError(
            Problem("row_twice", f"A participant has two rows at '{baseline}'.", "Keep one row per timepoint.")
        )
    later = frame.loc[~at_baseline].reset_index(drop=True)
    return later.assign(**{name: later[participant].map(start)})


def no_column(name: str, frame: pd.DataFrame) -> AnalysisError:
    """Return the error of a column that is not there."""
    advice = choose_from(name, [str(column) for column in frame.columns])
    return AnalysisError(Problem("column_unknown", f"The frame has no column '{name}'.", advice))

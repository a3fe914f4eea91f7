"""Intercurrent events, in a table of their own: who, from which timepoint on, and how what follows is treated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from data_contracts.errors import Problem, choose_from

Strategy = Literal["missing_at_random", "hypothetical", "jump_to_reference", "copy_reference", "copy_increments"]
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
"""How scores after an event are treated; Carpenter, Roger and Kenward 2013, doi 10.1080/10543406.2013.834911.

``missing_at_random``: observed scores stay, missing ones follow the own arm (treatment policy, if scores after the
event were collected). ``hypothetical``: observed ones are set aside too, as if the event had not happened.
``jump_to_reference``: the mean is that of the reference arm from the event on; ``copy_reference``: at all timepoints;
``copy_increments``: it moves in parallel to the reference arm from the event on. Under these three, observed scores
after the event stay in the data, but the imputation model does not learn from them.
"""
REFERENCE_BASED: Final[tuple[Strategy, ...]] = ("jump_to_reference", "copy_reference", "copy_increments")
EVENT_COLUMNS: Final = ("participant", "timepoint", "strategy")


def find_leavers(
    frame: pd.DataFrame, outcomes: Mapping[str, str], *, strategy: Strategy = "missing_at_random"
) -> pd.DataFrame:
    """Return an event for everybody who has left: no score from some timepoint to the last.

    Parameters
    ----------
    frame : DataFrame
        One row per participant, with a label of its own.
    outcomes : mapping
        Timepoint -> column of its scores, in time order; NaN is missing.
    strategy : str
        For all of them, one of `STRATEGIES`.

    Returns
    -------
    DataFrame
        ``participant`` (label of the frame's index), ``timepoint`` (first one missed for good), ``strategy``.
        Somebody who was away and came back has not left.
    """
    check_strategy(strategy)
    observed = frame[list(outcomes.values())].notna().to_numpy()
    stayed = np.where(observed.any(axis=1), observed.shape[1] - observed[:, ::-1].argmax(axis=1), 0)
    gone = stayed < observed.shape[1]
    names = np.array(list(outcomes), dtype=object)
    return pd.DataFrame(
        {
            "participant": frame.index[gone],
            "timepoint": pd.Series(names[stayed[gone]], dtype="str"),
            "strategy": pd.Series([strategy] * int(gone.sum()), dtype="str"),
        }
    )


def check_strategy(strategy: str) -> None:
    """Refuse a strategy that there is not."""
    if strategy not in STRATEGIES:
        raise AnalysisError(
            Problem("strategy_unknown", f"There is no strategy '{strategy}'.", choose_from(str(strategy), STRATEGIES))
        )


def check_events(events: pd.DataFrame, frame: pd.DataFrame, outcomes: Mapping[str, str]) -> None:
    """Refuse a table of events that does not fit the frame.

    Raises
    ------
    AnalysisError
        A column is missing, a participant has two events or none in the frame, or a timepoint or strategy is unknown.
    """
    absent = [column for column in EVENT_COLUMNS if column not in events.columns]
    if absent:
        advice = f"Give {', '.join(EVENT_COLUMNS)}."
        raise AnalysisError(Problem("columns_missing", f"The events have no column '{absent[0]}'.", advice))
    problems = []
    if events["participant"].duplicated().any():
        problems.append(
            Problem("event_twice", "A participant has two events.", "Keep the one that decides what follows.")
        )
    if not events["participant"].isin(frame.index).all():
        problems.append(
            Problem("participant_unknown", "An event is of nobody in the frame.", "Use the labels of its rows.")
        )
    for name, values, allowed in (
        ("timepoint", events["timepoint"], list(outcomes)),
        ("strategy", events["strategy"], list(STRATEGIES)),
    ):
        unknown = sorted({str(value) for value in values} - set(allowed))
        if unknown:
            problems.append(
                Problem(
                    f"{name}_unknown", f"An event names no {name} '{unknown[0]}'.", choose_from(unknown[0], allowed)
                )
            )
    if problems:
        raise AnalysisError(problems)

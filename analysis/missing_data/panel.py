"""Who was followed and what is missing: participants by planned timepoint, and the event that divides their course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data.events import Strategy, check_events, check_strategy, find_leavers
from analysis.mixed_models.jets import Array, Codes, Mask
from data_contracts.errors import Problem, choose_from

Compare = Literal["ancova", "change"]
COMPARE: Final[tuple[str, ...]] = get_args(Compare)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Scores of n participants at T timepoints after baseline.

    Attributes
    ----------
    timepoints : tuple of str
        Planned after baseline, in time order.
    arms : tuple of str
        The reference first.
    scores : (n, T) array
        In points; NaN is missing.
    baseline : (n,) array
        Score at baseline, in points; known of everybody.
    arm : (n,) array of int
        Place in `arms`.
    covariates : DataFrame
        Known of everybody; numbers, or text and categories.
    groups : (n,) array of int or None
        The peer group; -1 for a participant without one.
    event : (n,) array of int
        Place of the first timepoint after the event; T for a participant without one.
    strategy : tuple of str
        How what is missing after the event is imputed, by participant; of no account without an event.
    left_out : mapping
        Reason -> participants who are not in the panel.
    """

    timepoints: tuple[str, ...]
    arms: tuple[str, ...]
    scores: Array
    baseline: Array
    arm: Codes
    covariates: pd.DataFrame
    groups: Codes | None
    event: Codes
    strategy: tuple[Strategy, ...]
    left_out: Mapping[str, int]

    @property
    def n_participants(self) -> int:
        """Number of participants."""
        return len(self.scores)

    def with_strategy(self, strategy: Strategy) -> Panel:
        """Return the same panel with one strategy for every event."""
        check_strategy(strategy)
        return replace(self, strategy=(strategy,) * self.n_participants)

    @property
    def observed(self) -> Mask:
        """(n, T) what stands in the completed data as it was observed: all but what is set aside after an event."""
        return ~np.isnan(self.scores) & ~(self.after & self.has_strategy("hypothetical")[:, None])

    @property
    def modelled(self) -> Mask:
        """(n, T) what the imputation model is fitted to: scores before, and those after that the event left as is."""
        return ~np.isnan(self.scores) & ~(self.after & ~self.has_strategy("missing_at_random")[:, None])

    @property
    def after(self) -> Mask:
        """(n, T) timepoints after the event."""
        return np.arange(len(self.timepoints)) >= self.event[:, None]

    def has_strategy(self, strategy: Strategy) -> Mask:
        """Return (n,) whose event has this strategy."""
        return np.array([each == strategy for each in self.strategy], dtype=bool)


def build_panel(
    frame: pd.DataFrame,
    *,
    outcomes: Mapping[str, str],
    baseline: str,
    arm: str,
    reference: str,
    covariates: Sequence[str] = (),
    groups: str | None = None,
    events: pd.DataFrame | None = None,
    strategy: Strategy = "missing_at_random",
) -> Panel:
    """Arrange a frame with one row per participant.

    Parameters
    ----------
    frame : DataFrame
        One row per participant; a participant who lacks baseline, arm or a covariate is left out and counted.
    outcomes : mapping
        Timepoint -> column of its scores (points), in time order, without the baseline. One is enough.
    baseline, arm : str
        Columns.
    reference : str
        Arm whose course the reference-based strategies borrow.
    covariates : sequence of str
        Columns of further characteristics known at baseline.
    groups : str, optional
        Column of the group that a participant meets in; empty for those who meet in none.
    events : DataFrame, optional
        Intercurrent events: ``participant`` (label of the frame's index), ``timepoint`` (the first one after the event)
        and ``strategy``, at most one per participant. Left out, the events are those of `find_leavers`.
    strategy : str
        Of leavers, where `events` are left out.

    Raises
    ------
    AnalysisError
        A column is missing or holds no numbers, an event is not understood, or an arm has nobody at a timepoint.
    """
    needed = [*outcomes.values(), baseline, arm, *covariates, *([groups] if groups else [])]
    _check_columns(frame, outcomes, needed, [*outcomes.values(), baseline])
    if events is None:
        events = find_leavers(frame, outcomes, strategy=strategy)
    check_events(events, frame, outcomes)
    known = frame[[baseline, arm, *covariates]].notna()
    left_out = {
        "baseline missing": int((~known[baseline]).sum()),
        "another column missing": int((known[baseline] & ~known.all(axis=1)).sum()),
    }
    rows = frame.loc[known.all(axis=1)]
    labels = rows[arm].astype(str)
    arms = (reference, *sorted(set(labels) - {reference}))
    if reference not in set(labels):
        raise AnalysisError(
            Problem("arm_unknown", f"Nobody is in the reference arm '{reference}'.", choose_from(reference, arms[1:]))
        )
    by_participant = events.set_index("participant").reindex(rows.index)
    places = {name: place for place, name in enumerate(outcomes)}
    panel = Panel(
        timepoints=tuple(outcomes),
        arms=arms,
        scores=rows[list(outcomes.values())].to_numpy(dtype=float),
        baseline=rows[baseline].to_numpy(dtype=float),
        arm=labels.map({name: place for place, name in enumerate(arms)}).to_numpy(dtype=np.int64),
        covariates=rows[list(covariates)].reset_index(drop=True),
        groups=_group_codes(rows[groups]) if groups else None,
        event=by_participant["timepoint"].map(places).fillna(len(outcomes)).to_numpy(dtype=np.int64),
        strategy=tuple(by_participant["strategy"].fillna(strategy)),
        left_out={reason: count for reason, count in left_out.items() if count},
    )
    check_cells(panel)
    return panel


def check_cells(panel: Panel) -> None:
    """Refuse a panel in which an arm has no score at a timepoint to fit the imputation model to."""
    for place, name in enumerate(panel.arms):
        for number in np.flatnonzero(~panel.modelled[panel.arm == place].any(axis=0)):
            raise AnalysisError(
                Problem(
                    "empty_cell",
                    f"Nobody in arm '{name}' has a score at '{panel.timepoints[number]}' to learn from.",
                    "Leave the timepoint out, or name a strategy that keeps what was observed after an event.",
                )
            )


def _check_columns(
    frame: pd.DataFrame, outcomes: Mapping[str, str], needed: Sequence[str], numbers: Sequence[str]
) -> None:
    problems = [
        Problem("column_unknown", f"The frame has no column '{name}'.", choose_from(name, map(str, frame.columns)))
        for name in needed
        if name not in frame.columns
    ]
    problems += [
        Problem("not_numeric", f"'{name}' does not hold numbers.", "Turn it into numbers.")
        for name in numbers
        if name in frame.columns and not pd.api.types.is_numeric_dtype(frame[name].dtype)
    ]
    if not outcomes:
        problems.append(Problem("no_timepoint", "There is no timepoint after baseline.", "Name one at least."))
    if len(set(needed)) < len(needed):
        problems.append(Problem("column_in_two_roles", "A column stands in two roles.", "Name each column once."))
    if frame.index.has_duplicates:
        problems.append(
            Problem("participant_twice", "Labels of the frame's rows repeat.", "Keep one row per participant.")
        )
    if problems:
        raise AnalysisError(problems)
    if np.isinf(frame[list(numbers)].to_numpy(dtype=float)).any():
        raise AnalysisError(Problem("infinite", "A score is infinite.", "Give finite numbers, or leave them out."))


def _group_codes(values: pd.Series) -> Codes:
    """Return codes of groups, -1 for none."""
    text = values.astype(object).mask(values.isna() | (values.astype(str) == ""))
    codes: Codes = pd.factorize(text, sort=True)[0].astype(np.int64)
    return codes

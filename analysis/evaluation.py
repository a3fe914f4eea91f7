"""What the parts of an evaluation share: plan, design, tables, and the answers that the models gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.design import StudyDesign
from analysis.fingerprint import FrozenPlan
from analysis.plan import Estimand, Outcome, Plan
from analysis.results import Result

if TYPE_CHECKING:
    from instruments import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One evaluation while it is carried out; tables are those of the contracts, never changed.

    Attributes
    ----------
    plan, design, library : Plan, StudyDesign, mapping
        What is asked of everybody (estimands of other populations are left out), of which study, with which
        instruments.
    scores : DataFrame
        The scores that the main analysis takes: NaN where a flag leaves an answer out.
    participants, responses : DataFrame
        As `evaluate_plan` takes them.
    sessions : DataFrame or None
        Who came to which session; None where the study tells of none.
    events : DataFrame
        What happened to participants: participant_id, event, timepoint (the first planned one that it bears on, empty
        after the last), days_since_baseline.
    frames : mapping
        Outcome id -> outcome frame of everybody.
    answers : sequence of Result
        The row of every estimand and what its model told, p-values adjusted.
    measurement : sequence of Result
        Rows of `assess_measures`.
    codings : DataFrame or None
        What coders found in interviews: participant_id, excerpt, coder, theme (empty where a coder read the excerpt and
        found none); None where the study has none.
    frozen : FrozenPlan or None
        What was frozen of the plan.
    """

    plan: Plan
    design: StudyDesign
    library: Mapping[str, Instrument]
    scores: pd.DataFrame
    participants: pd.DataFrame
    responses: pd.DataFrame
    sessions: pd.DataFrame | None
    events: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    answers: Sequence[Result]
    measurement: Sequence[Result]
    codings: pd.DataFrame | None = None
    frozen: FrozenPlan | None = None

    def estimand(self, estimand_id: str) -> Estimand:
        """Return the estimand of that id."""
        return next(estimand for estimand in self.plan.estimands if estimand.id == estimand_id)

    def outcome_of(self, estimand: Estimand) -> Outcome:
        """Return the outcome of an estimand."""
        return self.plan.outcome(estimand.outcome)

    def answer(self, estimand: Estimand) -> Result | None:
        """Return the row of an estimand that was estimated, or None."""
        return next((row for row in self.answers if row.estimand == estimand.id and row.verdict == "estimated"), None)

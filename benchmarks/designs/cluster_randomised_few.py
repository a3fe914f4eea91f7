"""Few whole groups drawn by lot, so that the permutation test decides what is clear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.permutation_part import permute_allocations
from analysis.plan import Plan
from benchmarks.designs import Answer, as_answer
from benchmarks.designs.cluster_randomised import design, draw_groups, plan, truth

__all__ = ["answer", "design", "plan", "simulate", "truth"]

TITLE = "Cluster randomised, 4 groups in each arm"
WHAT = "As before with 4 groups in each arm. Clear is what the interval and the permutation test both find"


def simulate(rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a trial of eight groups."""
    return draw_groups(rng, effect, 4)


def answer(plan: Plan, design: StudyDesign, scores: pd.DataFrame, participants: pd.DataFrame) -> Answer:
    """Return what the model answers, clear only where the permutation test agrees."""
    outcome = plan.outcomes[0]
    frame = outcome_frame(scores, participants, design, outcome)
    rows = estimate_outcome(outcome, frame, plan, design)
    found = as_answer(next(row for row in rows if row.estimand))
    evaluation = Evaluation(
        plan=plan,
        design=design,
        library={},
        scores=scores,
        participants=participants,
        responses=pd.DataFrame(),
        sessions=None,
        events=pd.DataFrame(),
        frames={outcome.id: frame},
        answers=rows,
        measurement=(),
    )
    p = next((row.value for row in permute_allocations(evaluation) if row.statistic == "p_value"), np.nan)
    return replace(found, is_clear=found.is_clear and p < 0.05)

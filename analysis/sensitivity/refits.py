"""The main model once more: of people who missed nothing, and without covariates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.evaluation import Evaluation
from analysis.frames import complete_cases, score_column
from analysis.guards import compared_arms
from analysis.outcome_model import estimate_outcome
from analysis.plan import Estimand
from analysis.results import NAN, Result
from analysis.sensitivity.rows import Question, refuse, smallest
from analysis.telling import join_told, tell

_STAYED: Final = tell("People with a score at every timepoint.")
_PLAIN: Final = tell("Without covariates.")


def estimate_completers(questions: Sequence[Question], evaluation: Evaluation) -> Iterator[Result]:
    """Yield the main model of the people who have a score at every timepoint, for estimands of one outcome.

    `fewest` is the smallest number above none by which an arm has fewer people than in the main analysis. People who
    miss nothing are not those whom chance allocated, so that this is a comparison in its own right in no design.
    """
    design = evaluation.design
    if design.is_resampled:
        yield from (refuse(question, "completers", "nobody_is_followed") for question in questions)
        return
    frame = evaluation.frames[questions[0].outcome.id]
    stayed = frame[[score_column(timepoint.id) for timepoint in design.timepoints]].notna().all(axis=1)
    rest = frame[stayed].reset_index(drop=True)
    again = _estimate_again(questions, [question.estimand for question in questions], rest, evaluation)
    for question in questions:
        counts = [
            complete_cases(each, question.estimand.covariates, design)["arm"].value_counts() for each in (frame, rest)
        ]
        arms = compared_arms(question.estimand, design)
        lost = smallest(counts[0].get(arm, 0) - counts[1].get(arm, 0) for arm in arms)
        yield _tell_again(again[question.estimand.id], "completers", lost, _STAYED)


def estimate_unadjusted(questions: Sequence[Question], evaluation: Evaluation) -> Iterator[Result]:
    """Yield the main model without covariates, for estimands of one outcome."""
    plain = [question.estimand.model_copy(update={"covariates": []}) for question in questions]
    again = _estimate_again(questions, plain, evaluation.frames[questions[0].outcome.id], evaluation)
    for question in questions:
        if question.estimand.covariates:
            yield _tell_again(again[question.estimand.id], "unadjusted", NAN, _PLAIN)
        else:
            yield refuse(question, "unadjusted", "no_covariates")


def _estimate_again(
    questions: Sequence[Question], estimands: Sequence[Estimand], frame: pd.DataFrame, evaluation: Evaluation
) -> dict[str, Result]:
    """Return the rows of estimands fitted to another frame, by their ids."""
    plan = evaluation.plan.model_copy(update={"estimands": list(estimands)})
    rows = estimate_outcome(questions[0].outcome, frame, plan, evaluation.design)
    return {row.estimand: row for row in rows if row.estimand}


def _tell_again(row: Result, item: str, fewest: float, words: str) -> Result:
    """Return a row of the main model as that of a sensitivity analysis."""
    is_answered = row.verdict == "estimated"
    return replace(
        row,
        analysis="sensitivity",
        item=item,
        fewest=float(np.fmin(fewest, row.fewest)),
        method=join_told([words, row.method]) if is_answered else row.method,
    )

"""Rows of sensitivity analyses: made from the answer that they stand beside, with a number or with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.missing_data.conditional_means import FEWEST_UNITS
from analysis.mixed_models import Estimate
from analysis.model_refusals import MODEL_REFUSALS
from analysis.plan import Estimand, Outcome, Plan
from analysis.plan_parts import Delta
from analysis.results import NAN, Result
from analysis.telling import Number, tell, tell_many

AT_RANDOM: Final = "missing_at_random"
"""The base of every imputation: those who left went on as similar people of their arm who stayed."""
REFUSALS: Final[dict[str, str]] = MODEL_REFUSALS | {
    "nobody_is_followed": tell(
        "Each timepoint is a sample of its own, so no score of anybody is missing at a later one.\nTake this analysis "
        "out of the plan, and read how the samples compare."
    ),
    "no_arms_to_follow": tell(
        "In a stepped wedge every group is compared with itself, so there is no other arm whose course could be "
        "borrowed.\nTake this analysis out of the plan, and read how those who left compare."
    ),
    "outcome_not_a_score": tell(
        "Shares, categories and counts are not filled in by a model of scores.\nAsk for the score that the outcome is "
        "made of."
    ),
    "weights_not_imputed": tell(
        "People are weighted as they answered; a model that fills in scores would compare the arms in another way.\n"
        "Add an estimand by 'model: mmrm' (or 'mixed_model') to see what hangs on those who left."
    ),
    "not_since_baseline": tell(
        "The estimand is no change since baseline.\nCompare a later timepoint with the baseline."
    ),
    "no_reference_arm": tell(
        "There is no reference arm whose course could be borrowed.\nName tipping_point or a delta instead."
    ),
    "imputation_without_groups": tell(
        "People meet in groups, which multiple imputation does not know: it would look more precise than it is.\nName "
        "jump_to_reference, copy_increments or tipping_point, which leave out whole groups in turn."
    ),
    "too_few_units": tell_many(
        "An arm has fewer than {count} person (or group, where people meet in groups), too few to judge the precision "
        "by leaving out each in turn.\nRead how those who left compare with those who stayed.",
        "An arm has fewer than {count} people (or groups, where people meet in groups), too few to judge the "
        "precision by leaving out each in turn.\nRead how those who left compare with those who stayed.",
        FEWEST_UNITS,
        count=Number(FEWEST_UNITS),
    ),
    "groups_across_arms": tell(
        "A group has people of two arms, so arms cannot be told apart by leaving groups out in turn.\nCheck the column "
        "that holds the group."
    ),
    "empty_cell": tell(
        "In an arm nobody has a score at one of the timepoints to learn from.\nDeliver another wave, or take this "
        "analysis out of the plan."
    ),
    "not_estimable": tell(
        "A covariate has a level that only people without later scores have.\nMerge rare levels, or take the covariate "
        "out of the estimand."
    ),
    "comparison_not_estimable": tell("A covariate is constant or follows from others.\nTake it out of the estimand."),
    "leaving_out_failed": tell(
        "The model hangs on a single person or group.\nMerge rare levels of covariates, or take covariates out of the "
        "estimand."
    ),
    "timepoint_unknown": tell(
        "In an arm nobody with a score at baseline has one at the timepoint asked for.\nCheck that ids agree between "
        "waves."
    ),
    "nobody_missing": tell("Nobody with a score at baseline lacks a later one here, so there is nothing to assume."),
    "no_range": tell("The measure has no declared range, so how far to search is not known.\nDeclare its range."),
    "nothing_flips": tell(
        "No number of points within the range of the measure, added to the scores of those who left, would change "
        "whether the interval holds zero."
    ),
    "no_such_event": tell("Nobody had this event before a planned timepoint, so nothing changes."),
    "no_covariates": tell("The main analysis has no covariates, so there are none to leave out."),
    "no_items": tell(
        "The score was delivered without the answers to its items, so they cannot be filled in.\nDeliver the answers, "
        "or take item_imputation out of the plan."
    ),
    "no_item_missing": tell("Nobody left out some items of those that the score is made of, so nothing is filled in."),
    "too_few_answers": tell(
        "Too few people answered for a model of every item.\nTake item_imputation out of the plan; the main analysis "
        "follows the rule of the instrument."
    ),
    "not_pooled": tell(
        "The main model cannot be fitted to one of the completed data sets.\nTake item_imputation out of the plan; the "
        "main analysis follows the rule of the instrument."
    ),
}
"""Reason code -> sentence with the way out. None gives a number of people found: they may be few."""
_OTHERWISE: Final = tell(
    "The model that missing scores are filled in from could not be fitted.\nTake covariates out of the estimand, or "
    "look at the data for values that cannot be."
)


@dataclass(frozen=True, slots=True)
class Question:
    """An estimand that was answered, with its outcome and its answer."""

    estimand: Estimand
    outcome: Outcome
    answer: Result


def list_questions(outcome: Outcome, evaluation: Evaluation) -> list[Question]:
    """Return the estimands of an outcome that were estimated."""
    return [
        Question(estimand, outcome, answer)
        for estimand in evaluation.plan.estimands
        if estimand.outcome == outcome.id and (answer := evaluation.answer(estimand)) is not None
    ]


def name_event(event: str) -> str:
    """Return what the analysis of an intercurrent event is called."""
    return f"event {event}"


def name_delta(delta: Delta) -> str:
    """Return what the analysis with a delta is called."""
    return f"delta {delta.delta:g}"


def list_planned(plan: Plan) -> list[str]:
    """Return the names of all analyses that the plan asks for, in its order, events last."""
    named = [name_delta(each) if isinstance(each, Delta) else str(each) for each in plan.sensitivity]
    events = [name_event(each.event) for each in plan.intercurrent_events if each.sensitivity is not None]
    return list(dict.fromkeys([*named, *events]))


def make_row(question: Question, item: str, estimate: Estimate, *, n: float, fewest: float, method: str) -> Result:
    """Return the row of an analysis that gave a number; the protection of its answer is its own too."""
    return replace(
        question.answer,
        analysis="sensitivity",
        item=item,
        value=estimate.value,
        std_error=estimate.std_error,
        df=estimate.df,
        conf_low=estimate.conf_low,
        conf_high=estimate.conf_high,
        p_value=estimate.p_value,
        p_adjusted=NAN,
        n=n,
        fewest=float(np.fmin(fewest, question.answer.fewest)),
        method=method,
    )


def make_number(row: Result, statistic: str, value: float, method: str) -> Result:
    """Return a row beside another, with a number that has no interval."""
    bare = replace(row, std_error=NAN, df=NAN, conf_low=NAN, conf_high=NAN, p_value=NAN)
    return replace(bare, statistic=statistic, value=value, method=method)


def refuse(question: Question, item: str, reason: str | AnalysisError) -> Result:
    """Return the row of an analysis without a number."""
    code = reason if isinstance(reason, str) else reason.problems[0].code
    told = make_number(question.answer, question.answer.statistic, NAN, REFUSALS.get(code, _OTHERWISE))
    return replace(
        told,
        analysis="sensitivity",
        item=item,
        p_adjusted=NAN,
        n=NAN,
        classes=NAN,
        fewest=NAN,
        verdict=f"refused:{code}",
    )


def smallest(counts: Iterable[float]) -> float:
    """Return the smallest count above none, NaN without one."""
    return min((float(count) for count in counts if count > 0), default=NAN)

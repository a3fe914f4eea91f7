"""What the plan's `sensitivity` and its intercurrent events ask for, of every estimand that was answered."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.evaluation import Evaluation
from analysis.results import Result
from analysis.sensitivity.imputed import estimate_imputed
from analysis.sensitivity.items import estimate_with_imputed_items
from analysis.sensitivity.refits import estimate_completers, estimate_unadjusted
from analysis.sensitivity.rows import list_planned, list_questions

_ALONE = {
    "completers": estimate_completers,
    "unadjusted": estimate_unadjusted,
    "item_imputation": estimate_with_imputed_items,
}


def estimate_sensitivity(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the sensitivity analyses that the plan names.

    Parameters
    ----------
    evaluation : Evaluation
        What was asked, and what the models answered.

    Yields
    ------
    Result
        For each estimand that was estimated, and each analysis (`item`), its estimate or a row ``refused:<reason>``;
        with any imputation of scores one row more, ``missing_at_random``. Beside ``multiple_imputation`` stands
        its ``monte_carlo_error``. Of ``tipping_point`` the statistic is ``tipping_point`` (points added to the missing
        scores of the first arm at which the interval reaches zero), or ``clear_if_lower`` and ``clear_if_higher`` (at
        which an interval that holds zero leaves it out). `n` are the people of the smaller arm; `fewest` is the
        smallest number of people of an arm, above none, on whose missing scores or absence the difference rests.
    """
    planned = list_planned(evaluation.plan)
    for outcome in evaluation.plan.outcomes:
        questions = list_questions(outcome, evaluation)
        if not questions:
            continue
        yield from estimate_imputed(questions, evaluation)
        for item, estimate in _ALONE.items():
            if item in planned:
                yield from estimate(questions, evaluation)

"""Whether what can be said of an outcome hangs on what is assumed about those who left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from analysis.certainty_reasons import Reason
from analysis.evaluation import Evaluation
from analysis.plan import Outcome, Plan
from analysis.quality import find_meaning
from analysis.results import Result
from analysis.sensitivity.rows import AT_RANDOM, list_planned
from analysis.sensitivity.tipping import CLEAR, TIPPING_POINT
from analysis.telling import tell

WORDS: Final = {
    AT_RANDOM: tell("missing at random"),
    "jump_to_reference": tell("jump to reference"),
    "copy_reference": tell("copy reference"),
    "copy_increments": tell("copy increments"),
    "multiple_imputation": tell("multiple imputation"),
    "completers": tell("people who missed nothing"),
    "item_imputation": tell("imputed items"),
}
"""Name of an analysis -> in words; one with a delta, or after an event, is called as it is."""
_NOT_OF_LEAVERS: Final = ("unadjusted", AT_RANDOM, *CLEAR.values(), TIPPING_POINT)


def reasons_of_leavers(outcome: Outcome, evaluation: Evaluation, rows: Sequence[Result]) -> Iterator[Reason]:
    """Yield a reason where an assumption that the plan names changes what can be said of an outcome.

    Zero moves in or out of an interval, or the interval lies otherwise to the smallest meaningful change. Nothing in a
    study with protected numbers where so few people make the difference that it is not shown.
    """
    planned = plan_of_leavers(evaluation.plan)
    for estimand in evaluation.plan.estimands:
        answer = evaluation.answer(estimand)
        if answer is None or estimand.outcome != outcome.id:
            continue
        others = [
            row
            for row in rows
            if (row.analysis, row.estimand, row.statistic) == ("sensitivity", estimand.id, answer.statistic)
            and row.item in planned
            and row.verdict == "estimated"
            and _is_shown(row, evaluation)
        ]
        if any(find_meaning(row, outcome) != find_meaning(answer, outcome) for row in others):
            sentence = tell("What can be said hangs on how those who left are taken to have fared.")
            yield Reason("leavers", sentence, timepoint=estimand.timepoint)
            return


def plan_of_leavers(plan: Plan) -> list[str]:
    """Return the analyses that a plan names which assume something else about those who left, in its order."""
    return [name for name in list_planned(plan) if name not in _NOT_OF_LEAVERS]


def _is_shown(row: Result, evaluation: Evaluation) -> bool:
    protection = evaluation.plan.small_numbers.protection
    return not (protection.protects and (not row.n >= protection.threshold or row.fewest < protection.threshold))

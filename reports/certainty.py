"""How sure one may be of an answer, in words: its level, and each reason with its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from analysis.certainty_reasons import may_be_none
from analysis.plan import Estimand
from analysis.populations import population_of
from reports import reasons, reasons_of_measurement
from reports.chance import is_left_to_chance
from reports.claim_sentences import join_sentences
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import decimals_of, decimals_to_show, say_amount
from reports.reading import Row, Rows, pick, pick_one
from reports.reasons import Case

LEVELS: Final = {
    1: mark("Very low certainty"),
    2: mark("Low certainty"),
    3: mark("Moderate certainty"),
    4: mark("High certainty"),
}
NOT_TOLD: Final = mark("Certainty is not told where the result is not shown.")
TOGETHER: Final = mark("This counts once, together with the reason before it.")
WITH_NUMBER: Final[dict[str, Callable[[Case], str]]] = {
    "missing": reasons.say_missing,
    "leavers": reasons.say_leavers,
    "imprecise": reasons.say_imprecise,
    "permutation": reasons.say_permutation,
    "balance": reasons.say_balance,
    "overlap": reasons.say_overlap,
    "composition": reasons.say_composition,
    "unreliable": reasons_of_measurement.say_unreliable,
    "not_invariant": reasons_of_measurement.say_not_invariant,
    "audit": reasons_of_measurement.say_audit,
    "flagged": reasons.say_flagged,
    "expected": reasons.say_expected,
}
"""Kind of reason -> what is said of it with its number, empty where that is not shown.

Of the others the limit is the number, or there is none, or it is about no people.
"""


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure one may be of an answer.

    Attributes
    ----------
    name : str
        The level in words.
    level : int
        1 (very low) to 4 (high); 0 where it is not told.
    about : str
        What one may be so sure of.
    reasons : tuple of str
        Why it is not higher.
    of : str
        The questions that it is about; empty for all of an outcome.
    """

    name: str
    level: int
    about: str = ""
    reasons: tuple[str, ...] = ()
    of: str = ""


def certainty_of(rows: Rows, estimand: str, outcome: str) -> int:
    """Return the level of certainty of a question, 1 (very low) to 4 (high); 0 where none is told.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    estimand, outcome : str
        Ids in the plan.
    """
    at = {"analysis": "certainty", "statistic": "level", "outcome": outcome}
    level = pick_one(rows, **at, estimand=estimand)
    return int(level.value) if level is not None and level.is_shown else 0


def say_certainty(rows: Rows, estimand: Estimand, content: ReportContent) -> Certainty | None:
    """Return the certainty of the answer to a question in words.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    estimand : Estimand
        Of the plan.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Certainty or None
        Each reason is told with its number where that is shown. None where there is no answer to be sure of, and of
        questions about some of the people, which are not rated.
    """
    answer = pick_one(rows, analysis="model", estimand=estimand.id, verdict="estimated")
    if answer is None or population_of(estimand, content.plan) is not None:
        return None
    level = certainty_of(rows, estimand.id, estimand.outcome)
    if not level or not answer.is_shown:
        return Certainty(say(NOT_TOLD), 0)
    found = pick(rows, analysis="certainty", statistic="reason", estimand=estimand.id, hidden=False)
    reasons = tuple(_say(Case(row, rows, content)) for row in found)
    return Certainty(say(LEVELS[level]), level, _say_about(answer, estimand, rows, content), reasons)


def _say_about(answer: Row, estimand: Estimand, rows: Rows, content: ReportContent) -> str:
    """Return what a rating is about: on which side of what people notice an answer is, or whether there is anything.

    Where an interval holds zero and more than that, it takes no side.
    """
    smallest = content.plan.outcome(estimand.outcome).smallest_meaningful_change
    messages = _OF_A_CHANGE if content.design.kind == "single_group" else _OF_A_DIFFERENCE
    is_open = may_be_none(answer.conf_low, answer.conf_high, answer.p_adjusted) or is_left_to_chance(rows, estimand.id)
    if smallest is None:
        return say(messages["any" if is_open else "some"])
    measure = content.plan.measure_of(estimand.outcome, content.design)
    size = round(abs(answer.value), decimals_to_show(answer.conf_low, answer.conf_high, decimals_of(measure)))
    side = "noticed" if size >= smallest.value else "smaller"
    if max(abs(answer.conf_low), abs(answer.conf_high)) >= smallest.value:
        side = "open" if is_open else "partly" if side == "smaller" else side
    return say(messages[side], amount=say_amount(smallest.value, measure))


_OF_A_DIFFERENCE: Final = {
    "noticed": mark("This is how sure we are that the difference is one that people notice ({amount} or more)."),
    "smaller": mark("This is how sure we are that the difference is smaller than people notice (less than {amount})."),
    "partly": mark(
        "This is how sure we are that there is a difference; it may be smaller than people notice (less than {amount})."
    ),
    "open": mark("This is how sure we are about whether the difference is one that people notice ({amount} or more)."),
    "some": mark(
        "This is how sure we are that there is a difference; the plan does not say how large one people notice."
    ),
    "any": mark(
        "This is how sure we are about whether there is any difference; the plan does not say how large one people "
        "notice."
    ),
}
_OF_A_CHANGE: Final = {
    "noticed": mark("This is how sure we are that the change is one that people notice ({amount} or more)."),
    "smaller": mark("This is how sure we are that the change is smaller than people notice (less than {amount})."),
    "partly": mark(
        "This is how sure we are that there is a change; it may be smaller than people notice (less than {amount})."
    ),
    "open": mark("This is how sure we are about whether the change is one that people notice ({amount} or more)."),
    "some": mark("This is how sure we are that there is a change; the plan does not say how large one people notice."),
    "any": mark(
        "This is how sure we are about whether there is any change; the plan does not say how large one people notice."
    ),
}


def _say(case: Case) -> str:
    """Return a reason with its number if that is shown; what takes no level says with which reason it counts."""
    with_number = WITH_NUMBER.get(case.reason.item)
    said = (with_number(case) if with_number is not None else "") or case.reason.told
    says_so_itself = case.reason.value or case.reason.item == "knowing"
    return said if says_so_itself else join_sentences(said, say(TOGETHER))

"""How sure one may be of an outcome, in words: its level, and each reason with its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reports import reasons, reasons_of_measurement
from reports.claims import join_sentences
from reports.content import ReportContent
from reports.language import mark, say
from reports.reading import Rows, pick, pick_one
from reports.reasons import Case

LEVELS: Final = {
    1: mark("Very low certainty"),
    2: mark("Low certainty"),
    3: mark("Moderate certainty"),
    4: mark("High certainty"),
}
NOT_RATED: Final = mark("Certainty is not rated where a result is not computed or not shown.")
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
    "not_prespecified": reasons.say_not_prespecified,
    "flagged": reasons.say_flagged,
    "expected": reasons.say_expected,
}
"""Kind of reason -> what is said of it with its number, empty where that is not shown.

Of the others ("few", "ceiling", "draft") the limit is the number, or the number is about no people.
"""


def say_certainty(rows: Rows, outcome: str, content: ReportContent) -> tuple[str, int, tuple[str, ...]]:
    """Return the certainty of an outcome in words, its level (0 without one) and its reasons.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    outcome : str
        Id in the plan.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    tuple of str, int, tuple of str
        Each reason is told with its number where that is shown.
    """
    level = pick_one(rows, analysis="certainty", statistic="level", outcome=outcome)
    if level is None or not level.is_shown:
        return say(NOT_RATED), 0, ()
    number = int(level.value)
    found = pick(rows, analysis="certainty", statistic="reason", outcome=outcome, hidden=False)
    return say(LEVELS[number]), number, tuple(_say(Case(row, rows, content)) for row in found)


def _say(case: Case) -> str:
    """Return a reason with its number if that is shown; what takes no level says with which reason it counts."""
    with_number = WITH_NUMBER.get(case.reason.item)
    said = (with_number(case) if with_number is not None else "") or case.reason.told
    return said if case.reason.value else join_sentences(said, say(TOGETHER))

"""How sure one may be of an outcome, in words: its level, and each reason with its number.

A reason says where its number stands (estimand, arm, timepoint). The number is read there, from gated rows: what the
disclosure gate took out of them is not told here either, and the sentence stands without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from analysis.balance import MOST_DIFFERENT
from analysis.balance_part import AFTER, BEFORE, EFFECTIVE
from analysis.certainty_measurement import LEAST_AGREEMENT, LOWEST_RELIABILITY, SCALAR
from analysis.certainty_reasons import MOST_MISSING, label_of, say_percent
from analysis.design import Measure
from analysis.expected_change_part import DOUBTS, JUDGEMENT, LEFT_OVER
from analysis.quality import LEFT_OUT, WITH
from analysis.sensitivity import plan_of_leavers
from reports.chance import pick_test
from reports.content import ReportContent
from reports.numbers import (
    NO_BREAK,
    decimals_of,
    decimals_to_print,
    format_number,
    format_threshold,
    unit_of,
)
from reports.reading import Row, Rows, pick, pick_one

LEVEL_NAMES: Final = {1: "very low", 2: "low", 3: "moderate", 4: "high"}
NOT_RATED: Final = "Certainty is not rated where a result is not computed or not shown."
TOGETHER: Final = "this counts once, together with the reason before it."


@dataclass(frozen=True, slots=True)
class _Told:
    """A reason, and where its number may be looked up."""

    reason: Row
    rows: Rows
    content: ReportContent

    @property
    def measure(self) -> Measure:
        return self.content.plan.measure_of(self.reason.outcome, self.content.design)

    @property
    def at(self) -> str:
        return label_of(self.content.design, self.reason.timepoint)

    @property
    def what(self) -> str:
        return "change" if self.content.design.kind == "single_group" else "difference"

    def find(self, *, analysis: str, **where: str) -> Row | None:
        """Return a row about the estimand of the reason that holds a number, or None."""
        row = pick_one(self.rows, analysis=analysis, estimand=self.reason.estimand, **where)
        return row if row is not None and row.is_shown else None

    def find_measured(self, statistic: str) -> Row | None:
        """Return a row about the measure of the outcome that holds a number, or None."""
        place = {"outcome": self.content.plan.outcome(self.reason.outcome).measure, "timepoint": self.reason.timepoint}
        row = pick_one(self.rows, analysis=("reliability", "score_agreement"), statistic=statistic, **place)
        return row if row is not None and row.is_shown else None

    def answer(self) -> Row | None:
        return self.find(analysis="model")


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
        Each reason is one sentence, with its number where that is shown.
    """
    level = pick_one(rows, analysis="certainty", statistic="level", outcome=outcome)
    if level is None or not level.is_shown:
        return NOT_RATED, 0, ()
    number = int(level.value)
    found = pick(rows, analysis="certainty", statistic="reason", outcome=outcome, hidden=False)
    reasons = tuple(_say(_Told(row, rows, content)) for row in found)
    return f"{LEVEL_NAMES[number].capitalize()} certainty", number, reasons


def _say(told: _Told) -> str:
    """Return a reason with its number if that is shown; what takes no level says with which reason it counts."""
    say = _WITH_NUMBER.get(told.reason.item)
    sentence = (say(told) if say is not None else "") or told.reason.method
    return sentence if told.reason.value else f"{sentence.removesuffix('.')}; {TOGETHER}"


def _missing(told: _Told) -> str:
    """Tell the share only where both of its counts are printed: with one of them it would give the other away."""
    arm, design = told.reason.arm, told.content.design
    allocated = pick_one(told.rows, analysis="flow", statistic="allocated", arm=arm)
    at = {"outcome": told.reason.outcome, "arm": arm, "timepoint": told.reason.timepoint}
    observed = pick_one(told.rows, analysis="descriptive", statistic="observed", **at)
    if allocated is None or observed is None or not (allocated.is_exact and observed.is_exact):
        return ""
    share = 1 - observed.n / allocated.n
    if round(share, 2) <= MOST_MISSING:
        return ""
    label = next(known.label for known in design.arms if known.id == arm)
    who = f"people in {label}" if len(design.arms) > 1 else "people"
    return f"{say_percent(share)} of the {who} had no score at {told.at} (more than {say_percent(MOST_MISSING)})."


def _leavers(told: _Told) -> str:
    answer = told.answer()
    if answer is None:
        return ""
    names = tuple(plan_of_leavers(told.content.plan))
    others = pick(told.rows, analysis="sensitivity", estimand=answer.estimand, statistic=answer.statistic, item=names)
    shown = [row for row in (answer, *others) if row.is_shown]
    if len(shown) == 1:
        return ""
    values = [row.value for row in shown]
    decimals = min(decimals_to_print(row.conf_low, row.conf_high, decimals_of(told.measure)) for row in shown)
    run = _range(min(values), max(values), told.measure, decimals)
    return f"{told.reason.method.removesuffix('.')}: under the assumptions of the plan the {told.what} runs {run}."


def _imprecise(told: _Told) -> str:
    answer, smallest = told.answer(), told.content.plan.outcome(told.reason.outcome).smallest_meaningful_change
    if answer is None:
        return ""
    excludes = answer.conf_low > 0 or answer.conf_high < 0
    several = ", but several questions were asked at once" if excludes else ""
    rest = f"and the plan does not say how small a {told.what} people notice"
    if smallest is not None:
        noticed = f"{format_threshold(smallest.value)}{unit_of(told.measure, smallest.value)}"
        rest = f"or one that people notice ({noticed} or more)"
    run = _range(answer.conf_low, answer.conf_high, told.measure)
    return f"At {told.at} the 95{NO_BREAK}% interval runs {run}{several}: there may be no {told.what}, {rest}."


def _permutation(told: _Told) -> str:
    p = pick_test(told.rows, told.reason.estimand).get("p_value")
    if p is None or not p.is_shown:
        return ""
    lead, _, _ = told.reason.method.partition(", and ")
    share = f"{100 * p.value:.1f}{NO_BREAK}%"
    return (
        f"{lead}, and {share} of all ways to draw them would alone give a difference this large (5{NO_BREAK}% or more)."
    )


def _balance(told: _Told) -> str:
    own = pick(told.rows, analysis="balance", outcome=told.reason.outcome)
    weighted = {row.estimand for row in own if row.statistic == AFTER}
    rows = [row for row in own if row.statistic == AFTER or (row.statistic == BEFORE and row.estimand not in weighted)]
    return _with_largest(told, rows)


def _composition(told: _Told) -> str:
    at = {"outcome": told.reason.outcome, "timepoint": told.reason.timepoint}
    return _with_largest(told, pick(told.rows, analysis="composition", **at))


def _overlap(told: _Told) -> str:
    own = [row for row in pick(told.rows, analysis="balance", statistic=EFFECTIVE) if row.is_shown]
    own = [row for row in own if row.outcome == told.reason.outcome]
    if not own:
        return ""
    least = min(own, key=lambda row: row.value)
    label = next(arm.label for arm in told.content.design.arms if arm.id == least.arm)
    return (
        f"Made alike by weights, the people of the {label} arm tell only as much as "
        f"{say_percent(least.value / 100)} of them would (less than {say_percent(0.5)}): many have no like in the "
        "other arm."
    )


def _unreliable(told: _Told) -> str:
    alpha = told.find_measured("cronbach_alpha")
    if alpha is None or round(alpha.value, 2) >= LOWEST_RELIABILITY:
        return ""
    return (
        f"The questions agreed little with each other at {told.at}: their agreement (alpha, 1 at best) was "
        f"{format_number(alpha.value, 2)}, below {LOWEST_RELIABILITY}."
    )


def _not_invariant(told: _Told) -> str:
    level = told.find_measured("invariance_level")
    if level is None:
        return ""
    first = told.content.design.baseline.label
    return (
        f"The questions did not mean quite the same at {first} and at {told.at} ({level.value:.0f} of {SCALAR} steps "
        f"of sameness were reached), so part of the {told.what} may be the questions."
    )


def _audit(told: _Told) -> str:
    compared, equal = told.find_measured("compared"), told.find_measured("equal")
    if compared is None or equal is None or round(equal.value / compared.value, 2) >= LEAST_AGREEMENT:
        return ""
    return (
        f"Only {say_percent(equal.value / compared.value)} of the totals that came with the data are those that we "
        f"compute from the answers (fewer than {say_percent(LEAST_AGREEMENT)}), and which are right is open."
    )


def _not_prespecified(told: _Told) -> str:
    answers = pick(told.rows, analysis="model", outcome=told.reason.outcome, verdict="estimated")
    asked = [row for row in answers if row.estimand and row.population in ("", told.content.plan.population)]
    other = [row for row in asked if not row.prespecified]
    if len(other) in (0, len(asked)):
        return ""
    was = "was" if len(other) == 1 else "were"
    return (
        f"{len(other)} of the {len(asked)} questions about this outcome {was} not asked as in the plan that was frozen "
        "before outcomes were read, so what was asked may have been chosen for its answer."
    )


def _flagged(told: _Told) -> str:
    found = pick(told.rows, analysis="quality", estimand=told.reason.estimand)
    again = next((row for row in found if row.statistic != LEFT_OUT and row.is_shown), None)
    answer = told.answer()
    if answer is None or again is None:
        return ""
    kept, gone = (again, answer) if again.population == WITH else (answer, again)
    used, unused = (_range(row.conf_low, row.conf_high, told.measure) for row in (kept, gone))
    lead = told.reason.method.removesuffix(".")
    return f"{lead}: with them the 95{NO_BREAK}% interval runs {used}, without them {unused}."


def _expected(told: _Told) -> str:
    own = pick(told.rows, analysis="expected_change", estimand=told.reason.estimand)
    judged = next((row for row in own if row.statistic == JUDGEMENT and row.method in DOUBTS), None)
    left_over = pick_one(own, statistic=LEFT_OVER, item=judged.item) if judged else None
    if left_over is None or not left_over.is_shown:
        return ""
    run = _range(left_over.conf_low, left_over.conf_high, told.measure)
    return f"{told.reason.method.removesuffix('.')} (95{NO_BREAK}% interval of what is left over: {run})."


def _with_largest(told: _Told, rows: Rows | list[Row]) -> str:
    """Return the sentence with the largest standardised difference that is shown."""
    largest = max((abs(row.value) for row in rows if row.is_shown), default=0.0)
    if round(largest, 2) <= MOST_DIFFERENT:
        return ""
    return (
        f"{told.reason.method.removesuffix('.')} (at most by {largest:.2f} of the usual spread between people; more "
        f"than {MOST_DIFFERENT} is much)."
    )


def _range(low: float, high: float, measure: Measure, decimals: int | None = None) -> str:
    """Return ``from 0.9 to 2.4 points lower``, or with both ways named where zero is inside."""
    decimals = decimals_to_print(low, high, decimals_of(measure)) if decimals is None else decimals
    unit = unit_of(measure)
    if low < 0 < high:
        down, up = (format_number(abs(end), decimals) for end in (low, high))
        return f"from {down}{unit} lower to {up}{unit} higher"
    near, far = (format_number(abs(end), decimals) for end in sorted((low, high), key=abs))
    return f"from {near} to {far}{unit} {'lower' if low + high < 0 else 'higher'}"


_WITH_NUMBER: Final[dict[str, Callable[[_Told], str]]] = {
    "missing": _missing,
    "leavers": _leavers,
    "imprecise": _imprecise,
    "permutation": _permutation,
    "balance": _balance,
    "overlap": _overlap,
    "composition": _composition,
    "unreliable": _unreliable,
    "not_invariant": _not_invariant,
    "audit": _audit,
    "not_prespecified": _not_prespecified,
    "flagged": _flagged,
    "expected": _expected,
}
"""Kind of reason -> its sentence with its number, empty where that is not shown.

Of the others ("few", "ceiling", "draft") the limit is the number, or the number is about no people.
"""

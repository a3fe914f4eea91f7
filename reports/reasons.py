"""What makes one less sure of an outcome, in sentences with their numbers.

A reason says where its number stands (estimand, arm, timepoint). The number is read there, from gated rows: what the
disclosure gate took out of them is not told here either, and the sentence of the analysis stands without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.balance import MOST_DIFFERENT
from analysis.balance_part import AFTER, BEFORE, EFFECTIVE, LEAST_EFFECTIVE
from analysis.certainty_reasons import MOST_MISSING, label_of, may_be_none
from analysis.design import Measure
from analysis.expected_change_part import DOUBTS, JUDGEMENT, LEFT_OVER
from analysis.permutation_part import ENOUGH_CLUSTERS
from analysis.quality import LEFT_OUT, WITH
from analysis.sensitivity import plan_of_leavers
from reports.chance import CHANCE, pick_test
from reports.claim_sentences import join_sentences
from reports.content import ReportContent
from reports.language import say, say_many
from reports.numbers import (
    decimals_of,
    decimals_to_print,
    format_count,
    format_number,
    format_percent,
    format_threshold,
    say_amount,
    say_difference,
)
from reports.reading import Row, Rows, pick, pick_one


@dataclass(frozen=True, slots=True)
class Case:
    """A reason, and where its number may be looked up."""

    reason: Row
    rows: Rows
    content: ReportContent

    @property
    def measure(self) -> Measure:
        """What the outcome is measured with."""
        return self.content.plan.measure_of(self.reason.outcome, self.content.design)

    @property
    def at(self) -> str:
        """Label of the timepoint."""
        return label_of(self.content.design, self.reason.timepoint)

    @property
    def is_change(self) -> bool:
        """Whether the outcome is answered by a change of one group, and not by a difference."""
        return self.content.design.kind == "single_group"

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
        """Return the estimate, or None where it is not shown."""
        return self.find(analysis="model")


def say_missing(case: Case) -> str:
    """Tell the share only where both of its counts are printed: with one of them it would give the other away."""
    arm, design = case.reason.arm, case.content.design
    allocated = pick_one(case.rows, analysis="flow", statistic="allocated", arm=arm)
    at = {"outcome": case.reason.outcome, "arm": arm, "timepoint": case.reason.timepoint}
    observed = pick_one(case.rows, analysis="descriptive", statistic="observed", **at)
    if allocated is None or observed is None or not (allocated.is_exact and observed.is_exact):
        return ""
    share = 1 - observed.n / allocated.n
    if round(share, 2) <= MOST_MISSING:
        return ""
    said = {"share": percent(share), "timepoint": case.at, "limit": percent(MOST_MISSING)}
    if len(design.arms) == 1:
        return say(
            "{share} of the people had no score at {timepoint} (more than {limit}), and nobody knows how they fared.",
            **said,
        )
    label = next(known.label for known in design.arms if known.id == arm)
    return say(
        "{share} of the people in {arm} had no score at {timepoint} (more than {limit}), and nobody knows how they "
        "fared.",
        arm=label,
        **said,
    )


def say_leavers(case: Case) -> str:
    """Return how far the intervals reach under the assumptions about those who left."""
    answer = case.answer()
    if answer is None:
        return ""
    names = tuple(plan_of_leavers(case.content.plan))
    others = pick(case.rows, analysis="sensitivity", estimand=answer.estimand, statistic=answer.statistic, item=names)
    shown = [row for row in (answer, *others) if row.is_shown]
    if len(shown) == 1:
        return ""
    most = decimals_of(case.measure)
    decimals = min(decimals_to_print(row.conf_low, row.conf_high, most, row.value) for row in shown)
    lowest, highest = min(row.conf_low for row in shown), max(row.conf_high for row in shown)
    run = _run(lowest, highest, case.measure, decimals)
    if case.is_change:
        return say(
            "What can be said hangs on how those who left are taken to have fared: under the assumptions of the plan "
            "the 95\u00a0% intervals of the change reach {range}.",
            range=run,
        )
    return say(
        "What can be said hangs on how those who left are taken to have fared: under the assumptions of the plan the "
        "95\u00a0% intervals of the difference reach {range}.",
        range=run,
    )


def say_imprecise(case: Case) -> str:
    """Return the interval that decides nothing, and what it leaves open."""
    answer = case.answer()
    if answer is None:
        return ""
    holds_none = may_be_none(answer.conf_low, answer.conf_high, answer.p_adjusted)
    said = {
        "timepoint": case.at,
        "range": _run(answer.conf_low, answer.conf_high, case.measure),
        "meaning": _left_open(case, holds_none=holds_none),
    }
    if holds_none and not answer.conf_low <= 0 <= answer.conf_high:
        # i18n: {meaning} is a clause of its own, such as "there may be no difference, or one that people notice"
        return say(
            "At {timepoint} the 95\u00a0% interval runs {range}, but several questions were asked at once: {meaning}.",
            **said,
        )
    return say("At {timepoint} the 95\u00a0% interval runs {range}: {meaning}.", **said)


def _left_open(case: Case, *, holds_none: bool) -> str:
    """Return what an interval leaves open, as a clause of its own."""
    smallest = case.content.plan.outcome(case.reason.outcome).smallest_meaningful_change
    if smallest is None and case.is_change:
        return say("there may be no change, and the plan does not say how small a change people notice")
    if smallest is None:
        return say("there may be no difference, and the plan does not say how small a difference people notice")
    noticed = say_amount(smallest.value, case.measure)
    if not holds_none and case.is_change:
        return say("the change may be one that people notice ({amount} or more), or a smaller one", amount=noticed)
    if not holds_none:
        return say("the difference may be one that people notice ({amount} or more), or a smaller one", amount=noticed)
    if case.is_change:
        return say("there may be no change, or one that people notice ({amount} or more)", amount=noticed)
    return say("there may be no difference, or one that people notice ({amount} or more)", amount=noticed)


def say_permutation(case: Case) -> str:
    """Return the share of all allocations that would give as large a difference."""
    p = pick_test(case.rows, case.reason.estimand).get("p_value")
    if p is None or not p.is_shown:
        return ""
    return say_many(
        "Fewer than {groups} group was drawn for an arm, and {share} of all ways to draw them would alone give a "
        "difference this large ({limit} or more).",
        "Fewer than {groups} groups were drawn for an arm, and {share} of all ways to draw them would alone give "
        "a difference this large ({limit} or more).",
        ENOUGH_CLUSTERS,
        groups=format_count(ENOUGH_CLUSTERS),
        share=format_percent(100 * p.value, 1),
        limit=percent(CHANCE),
    )


def say_balance(case: Case) -> str:
    """Return the largest difference between the arms, after weighting where there are weights."""
    own = pick(case.rows, analysis="balance", estimand=case.reason.estimand)
    weighted = {row.estimand for row in own if row.statistic == AFTER}
    rows = [row for row in own if row.statistic == AFTER or (row.statistic == BEFORE and row.estimand not in weighted)]
    return _with_largest(case, rows)


def say_composition(case: Case) -> str:
    """Return the largest difference between the samples."""
    at = {"outcome": case.reason.outcome, "timepoint": case.reason.timepoint}
    return _with_largest(case, pick(case.rows, analysis="composition", **at))


def say_overlap(case: Case) -> str:
    """Return how much of its precision the arm that lost most has kept under weights."""
    rows = pick(case.rows, analysis="balance", statistic=EFFECTIVE, estimand=case.reason.estimand)
    own = [row for row in rows if row.is_shown]
    if not own:
        return ""
    least = min(own, key=lambda row: row.value)
    return say(
        "Made alike by weights, the people of the {arm} arm tell only as much as {share} of them would (less "
        "than {limit}): many have no like in the other arm.",
        arm=next(arm.label for arm in case.content.design.arms if arm.id == least.arm),
        share=percent(least.value / 100),
        limit=percent(LEAST_EFFECTIVE / 100),
    )


def say_flagged(case: Case) -> str:
    """Return the interval with and without the answers that were flagged."""
    found = pick(case.rows, analysis="quality", estimand=case.reason.estimand)
    again = next((row for row in found if row.statistic != LEFT_OUT and row.is_shown), None)
    answer = case.answer()
    if answer is None or again is None:
        return ""
    kept, gone = (again, answer) if again.population == WITH else (answer, again)
    used, unused = (_run(row.conf_low, row.conf_high, case.measure) for row in (kept, gone))
    return say(
        "What can be said hangs on whether the answers that were flagged are used: with them the 95\u00a0% interval "
        "runs {used}, without them {unused}.",
        used=used,
        unused=unused,
    )


def say_expected(case: Case) -> str:
    """Return the interval of what is left over of a change."""
    own = pick(case.rows, analysis="expected_change", estimand=case.reason.estimand)
    judged = next((row for row in own if row.statistic == JUDGEMENT and row.method in DOUBTS), None)
    left_over = pick_one(own, statistic=LEFT_OVER, item=judged.item) if judged else None
    if left_over is None or not left_over.is_shown:
        return ""
    run = _run(left_over.conf_low, left_over.conf_high, case.measure)
    number = say("The 95\u00a0% interval of what remains runs {range}.", range=run)
    return join_sentences(case.reason.told, number)


def _with_largest(case: Case, rows: Rows | list[Row]) -> str:
    """Return the sentence, and another one with the largest standardised difference that is shown."""
    largest = max((abs(row.value) for row in rows if row.is_shown), default=0.0)
    if round(largest, 2) <= MOST_DIFFERENT:
        return ""
    number = say(
        "The largest difference was {size} of the usual spread between people; more than {limit} is much.",
        size=format_number(largest, 2),
        limit=format_threshold(MOST_DIFFERENT),
    )
    return join_sentences(case.reason.told, number)


def _run(low: float, high: float, measure: Measure, decimals: int | None = None) -> str:
    """Return ``from 0.9 to 2.4 points lower``, or with both ways named where zero is inside."""
    decimals = decimals_to_print(low, high, decimals_of(measure)) if decimals is None else decimals
    if low < 0 < high:
        down, up = (say_difference(end, measure, decimals) for end in (low, high))
        return say("from {lower} to {higher}", lower=down, higher=up)
    near, far = sorted((low, high), key=abs)
    number = format_number(abs(near), decimals)
    # i18n: {far} has the unit and the direction of both, as in "from 0.9 to 2.4 points lower"
    return say("from {near} to {far}", near=number, far=say_difference(far, measure, decimals))


def percent(share: float) -> str:
    """Return a share as ``20 %``."""
    return format_percent(100 * share)

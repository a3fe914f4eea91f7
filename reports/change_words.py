"""Changes of people in words: by which border they are counted, and how arms differ in them, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.change_counts_part import MEANINGFUL, RELIABLE
from analysis.plan import Outcome
from reports.claims import join_sentences
from reports.content import ReportContent
from reports.language import say, say_many
from reports.numbers import decimals_of, format_count, say_amount
from reports.reading import Row, Rows, pick, pick_one


def say_way(statistic: str, rule: str, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
    """Return ``at least 2 points better``, or ``reliably worse (by more than 4.1 points)``."""
    is_better, measure = statistic == "improved", content.plan.measure_of(outcome.id, content.design)
    smallest = outcome.smallest_meaningful_change
    if rule == MEANINGFUL and smallest is not None:
        amount = say_amount(smallest.value, measure)
        if is_better:
            # i18n: in "people scored {change} than at {baseline}", and alone in a table
            return say("at least {amount} better", amount=amount)
        # i18n: in "people scored {change} than at {baseline}", and alone in a table
        return say("at least {amount} worse", amount=amount)
    threshold = pick_one(rows, statistic="threshold", item=RELIABLE)
    if threshold is None or not threshold.is_shown:
        # i18n: in "people scored {change} than at {baseline}", and alone in a table
        return say("reliably better") if is_better else say("reliably worse")
    amount = say_amount(threshold.value, measure, decimals_of(measure))
    if is_better:
        # i18n: in "people scored {change} than at {baseline}", and alone in a table
        return say("reliably better (by more than {amount})", amount=amount)
    # i18n: in "people scored {change} than at {baseline}", and alone in a table
    return say("reliably worse (by more than {amount})", amount=amount)


def say_comparisons(rows: Rows, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield how many more of 100 people of an arm scored better, and for how many people that is one."""
    for row in pick(rows, statistic="difference_in_shares"):
        if not row.is_shown:
            continue
        place = {"timepoint": row.timepoint, "contrast": row.contrast, "item": row.item}
        needed = pick_one(rows, statistic="number_needed", **place)
        said = _name_compared(row, rows, outcome, content)
        difference = _say_difference(row, said, content)
        yield join_sentences(difference, _say_needed(needed, said, is_more=row.value > 0))


def say_comparison(row: Row, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
    """Return how many more of 100 people of an arm scored better, and that it could be none where that is so."""
    difference = _say_difference(row, _name_compared(row, rows, outcome, content), content)
    is_open = row.conf_low <= 0 <= row.conf_high
    return join_sentences(difference, say("The difference could be none.") if is_open else "")


def _name_compared(row: Row, rows: Rows, outcome: Outcome, content: ReportContent) -> dict[str, str]:
    """Return the arms that a row compares, and the change that it counts, in words."""
    labels = {arm.id: arm.label for arm in content.design.arms}
    first, second = (labels[side] for side in row.contrast.split(" - "))
    return {"first": first, "second": second, "change": say_way("improved", row.item, rows, outcome, content)}


def _say_difference(row: Row, said: dict[str, str], content: ReportContent) -> str:
    """Return how many more or fewer of 100 people of an arm scored better, with the interval."""
    timepoint = next(each.label for each in content.design.timepoints if each.id == row.timepoint)
    low, high = (_more(end) for end in (row.conf_low, row.conf_high))
    interval = say("95\u00a0% interval from {low} to {high}", low=low, high=high)
    count = of_100(abs(row.value))
    if not count:
        return say(
            "At {timepoint}, as many of 100 people in {first} as in {second} scored {change} ({interval}).",
            timepoint=timepoint,
            interval=interval,
            **said,
        )
    said = said | {"timepoint": timepoint, "number": format_count(count), "interval": interval}
    if row.value > 0:
        return say_many(
            "At {timepoint}, {number} more of 100 people in {first} than in {second} scored {change} ({interval}).",
            "At {timepoint}, {number} more of 100 people in {first} than in {second} scored {change} ({interval}).",
            count,
            **said,
        )
    return say_many(
        "At {timepoint}, {number} fewer of 100 people in {first} than in {second} scored {change} ({interval}).",
        "At {timepoint}, {number} fewer of 100 people in {first} than in {second} scored {change} ({interval}).",
        count,
        **said,
    )


def _say_needed(row: Row | None, said: dict[str, str], *, is_more: bool) -> str:
    """Return the number needed to treat in words, or that there is none."""
    if row is None or not row.is_shown:
        return say("The difference could be none, so no number needed to treat can be given.")
    interval = say_many(
        "95\u00a0% interval {low} to {high} person",
        "95\u00a0% interval {low} to {high} people",
        round(row.conf_high),
        low=format_count(row.conf_low),
        high=format_count(row.conf_high),
    )
    said = said | {"number": format_count(row.value), "interval": interval}
    if is_more:
        return say_many(
            "Number needed to treat: of every {number} person in {first} rather than in {second}, one more scored "
            "{change} ({interval}).",
            "Number needed to treat: of every {number} people in {first} rather than in {second}, one more scored "
            "{change} ({interval}).",
            round(row.value),
            **said,
        )
    return say_many(
        "Number needed to treat: of every {number} person in {first} rather than in {second}, one fewer scored "
        "{change} ({interval}).",
        "Number needed to treat: of every {number} people in {first} rather than in {second}, one fewer scored "
        "{change} ({interval}).",
        round(row.value),
        **said,
    )


def _more(value: float) -> str:
    """Return ``5 more``, ``5 fewer`` or ``as many``: of 100 people."""
    count = of_100(abs(value))
    number = format_count(count)
    if not count:
        return say("as many")
    if value > 0:
        # i18n: of 100 people
        return say_many("{number} more", "{number} more", count, number=number)
    # i18n: of 100 people
    return say_many("{number} fewer", "{number} fewer", count, number=number)


def of_100(share: float) -> int:
    """Return people of 100, halves up."""
    return math.floor(100 * share + 0.5 + 1e-9)


def print_of_100(share: float) -> str:
    """Return people of 100 as text."""
    return format_count(of_100(share))

"""What a result means for people: how many scored better or worse, and how large it is, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from analysis.change_counts_part import MEANINGFUL, RELIABLE
from analysis.design import Arm, Timepoint
from analysis.plan import Outcome
from reports.cells import Table, mark_notes
from reports.change_counts_gate import FEW
from reports.claims import WITHHELD, capital, join_sentences
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import (
    NOT_SHOWN,
    decimals_of,
    format_count,
    format_threshold,
    say_amount,
)
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block
from reports.sizes import tabulate_sizes

HEADING: Final = mark("What it means for people")
SIZE_HEADING: Final = mark("How large it is")
WORSE_HEADING: Final = mark("People who scored worse than at the start")
ANYWAY: Final = mark(
    "People change without a programme too, in both directions: these numbers do not say for how many of them it was "
    "the programme that made the change."
)
COMPARE: Final = mark("Only the difference between the arms bears on the programme.")
UNKNOWN: Final = mark(
    "People without a score at both timepoints are not counted, and how they fared is not known; the numbers hold for "
    "everybody only if they fared like the others."
)
MIXED_UP: Final = mark(
    "Of people whose true score stayed the same, about 1 in 40 is counted on each side of the reliable change."
)
_EXACT: Final = mark("People of 100 with a score at both timepoints, with 95\u00a0% intervals.")
_ROUNDED: Final = mark("Numbers are rounded so that nobody can be recognised, and intervals allow for the rounding.")


def say_meaning(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what the results of an outcome mean for people.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Block or None
        Natural frequencies by arm, number needed and standardised size; None where the results hold none of them.
    """
    own = pick(rows, analysis="change_counts", outcome=outcome.id)
    sizes = tabulate_sizes(pick(rows, analysis="size", outcome=outcome.id), content)
    if not any(row.arm for row in own):
        return Block(heading=say(SIZE_HEADING), tables=(sizes,)) if sizes else None
    told = tuple(_say_shares(own, "improved", _first_rule(own), outcome, content))
    compared = tuple(_say_comparisons(own, outcome, content))
    counts = _counts_table(own, outcome, content)
    return Block(
        heading=say(HEADING),
        sentences=told,
        items=compared,
        tables=(counts, sizes) if sizes else (counts,),
        caution=_caution(own, content),
    )


def say_worse(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return how many people scored worse than at the start, by outcome, timepoint and arm.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    tuple of Block
        One block: worse by more than measurement error where the plan declares a reliable change, otherwise by the
        smallest change that people notice. Empty where nobody's change was counted.
    """
    own = pick(rows, analysis="change_counts")
    sentences: list[str] = []
    for outcome in content.plan.outcomes:
        of_outcome = pick(own, outcome=outcome.id)
        rule = RELIABLE if any(row.arm for row in pick(of_outcome, item=RELIABLE)) else MEANINGFUL
        concept = capital(content.plan.measure_of(outcome.id, content.design).concept)
        said = _say_shares(of_outcome, "worsened", rule, outcome, content)
        sentences += [say("{outcome}. {sentence}", outcome=concept, sentence=sentence) for sentence in said]
    if not sentences:
        return ()
    return (Block(heading=say(WORSE_HEADING), items=tuple(sentences), caution=_caution(own, content)),)


def _first_rule(rows: Rows) -> str:
    return MEANINGFUL if pick(rows, item=MEANINGFUL) else RELIABLE


def _caution(rows: Rows, content: ReportContent) -> str:
    is_compared, is_reliable = content.design.kind == "randomised", any(row.arm for row in pick(rows, item=RELIABLE))
    told = (ANYWAY, *((COMPARE,) if is_compared else ()), UNKNOWN, *((MIXED_UP,) if is_reliable else ()))
    return join_sentences(*(say(sentence) for sentence in told))


def _say_shares(rows: Rows, statistic: str, rule: str, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield a sentence for each timepoint: how many of 100 people of each arm scored so."""
    for timepoint, found in _by_timepoint(pick(rows, statistic=statistic, item=rule), content):
        said = {
            "change": _change_words(statistic, rule, rows, outcome, content),
            "baseline": content.design.baseline.label,
            "timepoint": timepoint.label,
        }
        known = [(arm, row) for arm, row in found if row.is_shown or _is_few(row)]
        hidden = [arm.label for arm, row in found if (arm, row) not in known]
        if not known:
            yield say(
                "How many people scored {change} than at {baseline} at {timepoint} is not shown: {reason}.",
                **said,
                reason=say(WITHHELD),
            )
            continue
        people = say_list(_people(row, arm, content) for arm, row in known)
        sentences = [say("At {timepoint}, {people} scored {change} than at {baseline}.", **said, people=people)]
        if hidden:
            sentences.append(
                say("How many in {arms} is not shown: {reason}.", arms=say_list(hidden), reason=say(WITHHELD))
            )
        yield join_sentences(*sentences)


def _people(row: Row, arm: Arm, content: ReportContent) -> str:
    """Return ``56 of 100 people in Peer support``, without the arm where there is one alone."""
    people = row.told
    if row.is_shown:
        people = say_many(
            "{number} of 100 people", "{number} of 100 people", _of_100(row.value), number=_print_of_100(row.value)
        )
    return say("{people} in {arm}", people=people, arm=arm.label) if len(content.design.arms) > 1 else people


def _is_few(row: Row) -> bool:
    """Tell whether of a hidden share it may be said that people are few."""
    return row.hidden and row.method.startswith(FEW)


def _by_timepoint(rows: Rows, content: ReportContent) -> Iterator[tuple[Timepoint, list[tuple[Arm, Row]]]]:
    """Yield the timepoints that rows are of, each with its arms and their rows."""
    for timepoint in content.design.timepoints:
        at = [(arm, pick_one(rows, timepoint=timepoint.id, arm=arm.id)) for arm in content.design.arms]
        found = [(arm, row) for arm, row in at if row is not None]
        if found:
            yield timepoint, found


def _change_words(statistic: str, rule: str, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
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


def _say_comparisons(rows: Rows, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield how many more of 100 people of an arm scored better, and for how many people that is one."""
    labels = {arm.id: arm.label for arm in content.design.arms}
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    for row in pick(rows, statistic="difference_in_shares"):
        if not row.is_shown:
            continue
        first, second = (labels[side] for side in row.contrast.split(" - "))
        arms = {"first": first, "second": second}
        said = arms | {"change": _change_words("improved", row.item, rows, outcome, content)}
        place = {"timepoint": row.timepoint, "contrast": row.contrast, "item": row.item}
        needed = pick_one(rows, statistic="number_needed", **place)
        difference = _say_difference(row, times[row.timepoint], said)
        yield join_sentences(difference, _say_needed(needed, said, is_more=row.value > 0))


def _say_difference(row: Row, timepoint: str, said: dict[str, str]) -> str:
    """Return how many more or fewer of 100 people of an arm scored better, with the interval."""
    low, high = (_more(end) for end in (row.conf_low, row.conf_high))
    interval = say("95\u00a0% interval from {low} to {high}", low=low, high=high)
    count = _of_100(abs(row.value))
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
    count = _of_100(abs(value))
    number = format_count(count)
    if not count:
        return say("as many")
    if value > 0:
        # i18n: of 100 people
        return say_many("{number} more", "{number} more", count, number=number)
    # i18n: of 100 people
    return say_many("{number} fewer", "{number} fewer", count, number=number)


def _of_100(share: float) -> int:
    """Return people of 100, halves up."""
    return math.floor(100 * share + 0.5 + 1e-9)


def _print_of_100(share: float) -> str:
    return format_count(_of_100(share))


def _counts_table(rows: Rows, outcome: Outcome, content: ReportContent) -> Table:
    """Return people of 100 by arm, for each timepoint, rule and way."""
    arms = [arm for arm in content.design.arms if pick(rows, arm=arm.id)]
    lines = []
    for timepoint in content.design.timepoints:
        for rule in (MEANINGFUL, RELIABLE):
            for statistic in ("improved", "unchanged", "worsened"):
                place = {"timepoint": timepoint.id, "item": rule, "statistic": statistic}
                found = [pick_one(rows, arm=arm.id, **place) for arm in arms]
                if any(found):
                    what = _line_words(statistic, rule, rows, outcome, content)
                    header = say("{timepoint}: {what}", timepoint=timepoint.label, what=what)
                    lines.append((header, *(_share_cell(row) for row in found)))
    return Table(
        say("How people changed since {baseline}", baseline=content.design.baseline.label),
        (say("Timepoint and change"), *(arm.label for arm in arms)),
        tuple(lines),
        (*_notes_on_counts(outcome, content), *mark_notes(tuple(lines))),
    )


def _notes_on_counts(outcome: Outcome, content: ReportContent) -> Iterator[str]:
    is_exact = content.plan.small_numbers.profile == "none"
    yield say(_EXACT) if is_exact else join_sentences(say(_EXACT), say(_ROUNDED))
    if outcome.reliable_change is not None:
        yield say(
            "A reliable change is more than measurement error is likely to make where nothing changed; the retest "
            "correlation is {correlation} (source: {source}).",
            correlation=format_threshold(outcome.reliable_change.retest_correlation),
            source=outcome.reliable_change.source,
        )


def _line_words(statistic: str, rule: str, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
    if statistic != "unchanged":
        return _change_words(statistic, rule, rows, outcome, content)
    return say("less than that, either way") if rule == MEANINGFUL else say("no reliable change")


def _share_cell(row: Row | None) -> str:
    if row is None or not row.is_shown:
        return row.told if row is not None and _is_few(row) else say(NOT_SHOWN)
    low, high = _print_of_100(row.conf_low), _print_of_100(row.conf_high)
    return f"{_print_of_100(row.value)} ({say('{low} to {high}', low=low, high=high)})"

"""What a result means for people: how many scored better or worse, and how large it is, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from analysis.change_counts_part import MEANINGFUL, RELIABLE
from analysis.design import SIDE_LABELS, Arm, Timepoint
from analysis.plan import Outcome
from analysis.size_part import CHANGE, DIFFERENCE
from reports.cells import INTERVAL, Table, mark_notes, value_cell
from reports.change_counts_gate import FEW
from reports.claims import WITHHELD, join_words
from reports.content import ReportContent
from reports.numbers import (
    MINUS,
    NOT_SHOWN,
    NOTHING,
    decimals_of,
    format_interval,
    format_number,
    format_threshold,
    unit_of,
)
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = "What it means for people"
SIZE_HEADING: Final = "How large it is"
WORSE_HEADING: Final = "People who scored worse than at the start"
ANYWAY: Final = (
    "People change without a programme too, in both directions: these numbers do not say for how many of them it was "
    "the programme that made the change."
)
COMPARE: Final = " Only the difference between the arms bears on the programme."
UNKNOWN: Final = (
    " People without a score at both timepoints are not counted, and how they fared is not known; the numbers hold for "
    "everybody only if they fared like the others."
)
MIXED_UP: Final = (
    " Of people whose true score stayed the same, about 1 in 40 is counted on each side of the reliable change."
)
_ROUNDED: Final = (
    f"People of 100 with a score at both timepoints, with {INTERVAL}s. Numbers are rounded so that nobody can be "
    "recognised, and intervals allow for the rounding."
)
_EXACT: Final = f"People of 100 with a score at both timepoints, with {INTERVAL}s."
_SIZES: Final = ((0.2, "very small"), (0.5, "small"), (0.8, "medium"), (math.inf, "large"))
"""Conventions of Cohen (1988); each word holds below its limit."""


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
    sizes = _size_table(pick(rows, analysis="size", outcome=outcome.id), content)
    if not any(row.arm for row in own):
        return Block(heading=SIZE_HEADING, tables=(sizes,)) if sizes else None
    told = tuple(_say_shares(own, "improved", _first_rule(own), outcome, content))
    compared = tuple(_say_comparisons(own, outcome, content))
    counts = _counts_table(own, outcome, content)
    return Block(
        heading=HEADING,
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
        concept = content.plan.measure_of(outcome.id, content.design).concept
        lead = f"{concept[0].upper()}{concept[1:]}. "
        sentences += [f"{lead}{said}" for said in _say_shares(of_outcome, "worsened", rule, outcome, content)]
    if not sentences:
        return ()
    return (Block(heading=WORSE_HEADING, items=tuple(sentences), caution=_caution(own, content)),)


def _first_rule(rows: Rows) -> str:
    return MEANINGFUL if pick(rows, item=MEANINGFUL) else RELIABLE


def _caution(rows: Rows, content: ReportContent) -> str:
    compare = COMPARE if content.design.kind == "randomised" else ""
    return f"{ANYWAY}{compare}{UNKNOWN}{MIXED_UP if any(row.arm for row in pick(rows, item=RELIABLE)) else ''}"


def _say_shares(rows: Rows, statistic: str, rule: str, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield a sentence for each timepoint: how many of 100 people of each arm scored so."""
    for timepoint, found in _by_timepoint(pick(rows, statistic=statistic, item=rule), content):
        scored = (
            f"scored {_change_words(statistic, rule, rows, outcome, content)} than at {content.design.baseline.label}"
        )
        known = [(arm, row) for arm, row in found if row.is_shown or _is_few(row)]
        hidden = [arm.label for arm, row in found if (arm, row) not in known]
        if not known:
            yield f"How many people {scored} at {timepoint.label} is not shown: {WITHHELD}."
            continue
        people = join_words([_people(row, arm, content) for arm, row in known])
        rest = f" How many in {join_words(hidden)} is not shown: {WITHHELD}." if hidden else ""
        yield f"At {timepoint.label}, {people} {scored}.{rest}"


def _people(row: Row, arm: Arm, content: ReportContent) -> str:
    many = f"{_of_100(row.value)} of 100 people" if row.is_shown else row.method
    return f"{many} in {arm.label}" if len(content.design.arms) > 1 else many


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
    way = "better" if statistic == "improved" else "worse"
    measure = content.plan.measure_of(outcome.id, content.design)
    smallest = outcome.smallest_meaningful_change
    if rule == MEANINGFUL and smallest is not None:
        return f"at least {format_threshold(smallest.value)}{unit_of(measure, smallest.value)} {way}"
    threshold = pick_one(rows, statistic="threshold", item=RELIABLE)
    if threshold is None or not threshold.is_shown:
        return f"reliably {way}"
    return f"reliably {way} (by more than {format_number(threshold.value, decimals_of(measure))}{unit_of(measure)})"


def _say_comparisons(rows: Rows, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield how many more of 100 people of an arm scored better, and for how many people that is one."""
    labels = {arm.id: arm.label for arm in content.design.arms}
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    for row in pick(rows, statistic="difference_in_shares"):
        if not row.is_shown:
            continue
        first, second = (labels[side] for side in row.contrast.split(" - "))
        scored = f"scored {_change_words('improved', row.item, rows, outcome, content)}"
        than = "than" if _of_100(abs(row.value)) else "as"
        place = {"timepoint": row.timepoint, "contrast": row.contrast, "item": row.item}
        needed = pick_one(rows, statistic="number_needed", **place)
        what = f"{'more' if row.value > 0 else 'fewer'} {scored}"
        yield (
            f"At {times[row.timepoint]}, {_more(row.value)} of 100 people in {first} {than} in {second} {scored} "
            f"({INTERVAL} from {_more(row.conf_low)} to {_more(row.conf_high)}). "
            f"{_say_needed(needed, what, first, second)}"
        )


def _say_needed(row: Row | None, what: str, first: str, second: str) -> str:
    """Return the number needed to treat in words, or that there is none."""
    if row is None or not row.is_shown:
        return "The difference could be none, so no number needed to treat can be given."
    low, high = (format_number(end, 0) for end in (row.conf_low, row.conf_high))
    return (
        f"Number needed to treat: of every {format_number(row.value, 0)} people in {first} rather than in {second}, "
        f"one {what} ({INTERVAL} {low} to {high} people)."
    )


def _more(value: float) -> str:
    count = _of_100(abs(value))
    return f"{count} {'more' if value > 0 else 'fewer'}" if count else "as many"


def _of_100(share: float) -> int:
    """Return people of 100, halves up."""
    return math.floor(100 * share + 0.5 + 1e-9)


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
                    lines.append((f"{timepoint.label}: {what}", *(_share_cell(row) for row in found)))
    is_exact = content.plan.small_numbers.profile == "none"
    notes = [_EXACT if is_exact else _ROUNDED]
    if outcome.reliable_change is not None:
        correlation, source = outcome.reliable_change.retest_correlation, outcome.reliable_change.source
        notes.append(
            "A reliable change is more than measurement error is likely to make where nothing changed; the retest "
            f"correlation is {correlation:g} (source: {source})."
        )
    return Table(
        f"How people changed since {content.design.baseline.label}",
        ("Timepoint and change", *(arm.label for arm in arms)),
        tuple(lines),
        (*notes, *mark_notes(tuple(lines))),
    )


def _line_words(statistic: str, rule: str, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
    if statistic != "unchanged":
        return _change_words(statistic, rule, rows, outcome, content)
    return "less than that, either way" if rule == MEANINGFUL else "no reliable change"


def _share_cell(row: Row | None) -> str:
    if row is None or not row.is_shown:
        return row.method if row is not None and _is_few(row) else NOT_SHOWN
    return f"{_of_100(row.value)} ({_of_100(row.conf_low)} to {_of_100(row.conf_high)})"


def _size_table(rows: Rows, content: ReportContent) -> Table | None:
    """Return the standardised size of each estimand, with a word for it; None without any."""
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    labels = SIDE_LABELS | times | {arm.id: arm.label for arm in content.design.arms}
    shown = [row for row in pick(rows, statistic=(DIFFERENCE, CHANGE)) if row.verdict == "estimated"]
    if not shown:
        return None
    lines = []
    for row in shown:
        estimand = next(each for each in content.plan.estimands if each.id == row.estimand)
        sides = f" {MINUS} ".join(labels[side] for side in row.contrast.split(" - "))
        at = "" if content.design.compares_timepoints else f", {times[row.timepoint]}"
        at += f" ({row.estimand})" if content.plan.is_asked_twice(estimand) else ""
        cells = (
            (value_cell(row, 2), format_interval(row.conf_low, row.conf_high, 2), _size_word(row))
            if row.is_shown
            else (NOT_SHOWN, NOTHING, NOTHING)
        )
        lines.append((f"{sides}{at}", *cells))
    note = (
        f"In standard deviations of the scores at {content.design.baseline.label}, so that instruments can be held "
        "beside each other. The words are conventions (Cohen 1988): below 0.2 very small, below 0.5 small, below 0.8 "
        "medium. Whether it matters to people is another question."
    )
    columns = ("Comparison", "Standardised size", INTERVAL, "In words")
    return Table("How large it is, whatever the instrument", columns, tuple(lines), (note, *mark_notes(tuple(lines))))


def _size_word(row: Row) -> str:
    word = next(word for limit, word in _SIZES if abs(row.value) < limit)
    return f"{word}, but not clear which way" if row.conf_low <= 0 <= row.conf_high else word

"""How much would have changed anyway: beside every change of a single group, and as a block of its outcome's card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from analysis.design import Measure, StudyDesign
from analysis.expected_change_part import (
    ANALYSIS,
    BETWEEN,
    BY_MEAN,
    BY_RULE,
    FROM_FIRST,
    FROM_SECOND,
    JUDGEMENT,
    LEFT_OVER,
    NATURAL,
    REGRESSION,
)
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Entry
from reports.cells import INTERVAL, Table, mark_notes, value_cell
from reports.claims import Claim, say_size
from reports.content import ReportContent
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_interval, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = "How much would have changed anyway"
LEAD: Final = (
    "Part of a change needs no programme. Once that part is taken off, what is left over may come of the programme, or "
    "of anything else that happened meanwhile: other help, the time of year, who answered again."
)
CAUTION: Final = (
    "What is expected stands on declared numbers about other people; where these people differ from them, so does what "
    "would be expected. The ways above each stand alone: they are not to be added up."
)
_WITH_OR_WITHOUT: Final = "with or without a programme (regression to the mean)"
_NO_ENTRY: Final = (
    "How much of this change is regression to the mean cannot be told, because the plan does not say from among whom "
    "people entered, and by which score."
)
_FOR_SCORES: Final = (
    "How much of this change would be expected without any programme cannot be told: it is computed for scores of "
    "everybody only."
)


def add_expected(claim: Claim, estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Return the claim of a single group's change with what would be expected without any programme.

    Parameters
    ----------
    claim, estimand : Claim, Estimand
        What is said of an estimand of the plan; without a number, and of other designs, a claim stays as it is.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Claim
        Its notes hold, after the first, the regression to the mean to expect with its interval, or why that cannot be
        told, and the natural change where the plan declares one.
    """
    if content.design.kind != "single_group" or not claim.is_answered:
        return claim
    own = pick(rows, analysis=ANALYSIS, estimand=estimand.id)
    said = tuple(_say_expected(own, estimand, content)) if own else (_FOR_SCORES,)
    return replace(claim, notes=(*claim.notes[:1], *said, *claim.notes[1:]))


def say_changed_anyway(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what would be expected without any programme and what is left over; None without either."""
    own = pick(rows, analysis=ANALYSIS, outcome=outcome.id)
    if not own:
        return None
    measure = content.plan.measure_of(outcome.id, content.design)
    refused = dict.fromkeys(row.method for row in own if row.verdict.startswith("refused"))
    expected = _expected_table(own, outcome, measure, content)
    tables = (expected, _baselines_table(own, measure, content.design))
    return Block(
        heading=HEADING,
        sentences=(LEAD, *refused),
        tables=tuple(table for table in tables if table.rows),
        caution=CAUTION if expected.rows else "",
    )


def quoted_sources(content: ReportContent) -> list[str]:
    """Return the sources that the plan names for what would be expected, which the report prints as they are."""
    told = [outcome.entry.reference.source for outcome in content.plan.outcomes if outcome.entry]
    return told + [outcome.natural_change.source for outcome in content.plan.outcomes if outcome.natural_change]


def _say_expected(own: Rows, estimand: Estimand, content: ReportContent) -> Iterator[str]:
    """Yield a note on regression to the mean and, where it is declared, one on natural change."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    entry = content.plan.outcome(estimand.outcome).entry
    found = [row for way in (BY_RULE, BY_MEAN) for row in pick(own, statistic=REGRESSION, item=way) if row.is_shown]
    if found and entry is not None:
        lead = _say_entry(entry, found[0].item, content.design)
        yield f"{lead} One would expect scores that are {say_size(found[0], measure)}.{_judged(own, found[0].item)}"
    else:
        yield _NO_ENTRY
    natural = pick_one(own, statistic=NATURAL)
    if natural is not None and natural.is_shown:
        lead = "People like these who had no programme later had scores that were"
        yield f"{lead} {say_size(natural, measure)}.{_judged(own, NATURAL)}"


def _say_entry(entry: Entry, way: str, design: StudyDesign) -> str:
    if way == BY_RULE:
        return (
            f"Who enters with a score {_border(entry)} tends to score closer to the average later, {_WITH_OR_WITHOUT}."
        )
    return (
        f"People whose mean at {design.baseline.label} is not that of the people they came from tend to score closer "
        f"to it later, {_WITH_OR_WITHOUT}."
    )


def _border(entry: Entry) -> str:
    """Return ``of at least 10``."""
    word, border = ("most", entry.at_most) if entry.at_least is None else ("least", entry.at_least)
    return "" if border is None else f"of at {word} {format_threshold(border)}"


def _judged(own: Rows, way: str) -> str:
    """Return after a space how the change lies to the expected one, nothing where that may not be said."""
    row = pick_one(own, statistic=JUDGEMENT, item=way)
    return f" {row.method}" if row is not None and not row.hidden and row.method else ""


def _expected_table(own: Rows, outcome: Outcome, measure: Measure, content: ReportContent) -> Table:
    """Return each expected change and what is left over of the observed one, by timepoint and way."""
    labels = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    ways = {
        BY_RULE: "regression to the mean, from the entry rule",
        BY_MEAN: f"regression to the mean, from the mean at {content.design.baseline.label}",
        "": "change of people like these who had no programme",
    }
    lines = []
    for estimand in (each for each in content.plan.estimands if each.outcome == outcome.id):
        about = pick(own, estimand=estimand.id)
        again = f" ({estimand.id})" if content.plan.is_asked_twice(estimand) else ""
        for row in pick(about, statistic=(REGRESSION, NATURAL)):
            if row.verdict.startswith("refused"):
                continue
            left_over = pick_one(about, statistic=LEFT_OVER, item=row.item or row.statistic)
            name = f"{labels[row.timepoint]}: {ways[row.item]}{again}"
            lines.append((name, _cell(row, measure), _cell(left_over, measure)))
    notes = (
        f"In points, later minus before, with {INTERVAL}s; below zero means lower. Left over: the observed change less "
        "the expected one.",
        *_say_sources(outcome),
        *mark_notes(tuple(lines)),
    )
    columns = ("Timepoint and way", "Expected without any programme", "Left over")
    return Table(f"What would be expected, and what is left over: {measure.label}", columns, tuple(lines), notes)


def _say_sources(outcome: Outcome) -> Iterator[str]:
    """Yield the declared numbers and where they come from."""
    if outcome.entry is not None:
        told = outcome.entry.reference
        border = f"entry with a score {_border(outcome.entry)}; " if _border(outcome.entry) else ""
        yield (
            f"Regression to the mean: {border}before anybody was chosen the mean was {format_threshold(told.mean)}, "
            f"the standard deviation {format_threshold(told.sd)}, and the correlation of two scores of a person "
            f"{format_threshold(told.retest_correlation)} (source: {told.source})."
        )
    if outcome.natural_change is not None:
        yield f"People who had no programme: source: {outcome.natural_change.source}."


def _baselines_table(own: Rows, measure: Measure, design: StudyDesign) -> Table:
    """Return the change from each of two timepoints before the programme, of the same people."""
    labels = {timepoint.id: timepoint.label for timepoint in design.timepoints}
    lines, ends = [], []
    for row in pick(own, statistic=(FROM_FIRST, FROM_SECOND, BETWEEN), verdict="observed"):
        later, before = (labels[end] for end in row.contrast.split(" - "))
        lines.append((f"From {before} to {later}", _cell(row, measure)))
        ends += [(before, later)] if row.statistic == BETWEEN else []
    notes = tuple(
        f"If the score at {first} decided who entered, part of the chance in it is gone by {second}, and the change "
        f"from {second} holds less regression to the mean."
        for first, second in dict.fromkeys(ends)
    )
    unique = tuple(dict.fromkeys(lines))
    caption = f"Change from two timepoints before the programme, of the people with all three scores: {measure.label}"
    return Table(caption, ("Timepoints", "Change in points"), unique, (*notes, *mark_notes(unique)))


def _cell(row: Row | None, measure: Measure) -> str:
    """Return a value with its interval in brackets."""
    if row is None or not row.is_shown:
        return NOTHING if row is None else NOT_SHOWN
    decimals = decimals_of(measure)
    interval = format_interval(row.conf_low, row.conf_high, decimals)
    return value_cell(row, decimals) if interval == NOTHING else f"{value_cell(row, decimals)} ({interval})"

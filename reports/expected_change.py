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
from reports.cells import Table, mark_notes, value_cell
from reports.claim_sentences import label_of
from reports.claims import Claim, join_sentences, say_size
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_interval, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = mark("How much would have changed anyway")
LEAD: Final = mark(
    "Part of a change needs no programme. Once that part is taken off, what remains may come of the programme, or "
    "of anything else that happened meanwhile: other help, the time of year, who answered again."
)
CAUTION: Final = mark(
    "What is expected stands on declared numbers about other people; where these people differ from them, so does what "
    "would be expected. The ways above each stand alone: they are not to be added up."
)
_NO_ENTRY: Final = mark(
    "How much of this change is regression to the mean cannot be told, because the plan does not say from among whom "
    "people entered, and by which score."
)
_FOR_SCORES: Final = mark(
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
    said = tuple(_say_expected(own, estimand, content)) if own else (say(_FOR_SCORES),)
    return replace(claim, notes=(*claim.notes[:1], *said, *claim.notes[1:]))


def say_changed_anyway(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what would be expected without any programme and what is left over; None without either."""
    own = pick(rows, analysis=ANALYSIS, outcome=outcome.id)
    if not own:
        return None
    measure = content.plan.measure_of(outcome.id, content.design)
    refused = dict.fromkeys(row.told for row in own if row.verdict.startswith("refused"))
    expected = _expected_table(own, outcome, measure, content)
    tables = (expected, _baselines_table(own, measure, content.design))
    return Block(
        heading=say(HEADING),
        sentences=(say(LEAD), *refused) if expected.rows else tuple(refused),
        tables=tuple(table for table in tables if table.rows),
        caution=say(CAUTION) if expected.rows else "",
    )


def quoted_sources(content: ReportContent) -> list[str]:
    """Return the sources that the plan names for what would be expected, which the report prints as they are."""
    told = [outcome.entry.reference.source for outcome in content.plan.outcomes if outcome.entry]
    return told + [outcome.natural_change.source for outcome in content.plan.outcomes if outcome.natural_change]


def _say_expected(own: Rows, estimand: Estimand, content: ReportContent) -> Iterator[str]:
    """Yield a note on regression to the mean and, where it is declared, one on natural change."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    entry = content.plan.outcome(estimand.outcome).entry
    at = label_of(content.design, estimand.timepoint)
    found = [row for way in (BY_RULE, BY_MEAN) for row in pick(own, statistic=REGRESSION, item=way) if row.is_shown]
    if found and entry is not None:
        lead = _say_entry(entry, found[0].item, content.design)
        expected = say(
            "One would expect scores at {timepoint} that are {size}.", timepoint=at, size=say_size(found[0], measure)
        )
        yield join_sentences(lead, expected, _judged(own, found[0].item))
    else:
        yield say(_NO_ENTRY)
    natural = pick_one(own, statistic=NATURAL)
    if natural is not None and natural.is_shown:
        observed = say(
            "Elsewhere, people like these who had no programme had scores that were {size}, over about the time from "
            "{baseline} to {timepoint}.",
            size=say_size(natural, measure),
            baseline=content.design.baseline.label,
            timepoint=at,
        )
        yield join_sentences(observed, _judged(own, NATURAL))


def _say_entry(entry: Entry, way: str, design: StudyDesign) -> str:
    if way == BY_RULE and entry.at_least is not None:
        return say(
            "Who enters with a score of at least {border} tends to score closer to the average later, with or without "
            "a programme (regression to the mean).",
            border=format_threshold(entry.at_least),
        )
    if way == BY_RULE and entry.at_most is not None:
        return say(
            "Who enters with a score of at most {border} tends to score closer to the average later, with or without a "
            "programme (regression to the mean).",
            border=format_threshold(entry.at_most),
        )
    return say(
        "People whose mean at {baseline} is not that of the people they came from tend to score closer to it later, "
        "with or without a programme (regression to the mean).",
        baseline=design.baseline.label,
    )


def _judged(own: Rows, way: str) -> str:
    """Return how the change lies to the expected one, nothing where that may not be said."""
    row = pick_one(own, statistic=JUDGEMENT, item=way)
    return row.told if row is not None and not row.hidden else ""


def _expected_table(own: Rows, outcome: Outcome, measure: Measure, content: ReportContent) -> Table:
    """Return each expected change and what is left over of the observed one, by timepoint and way."""
    labels = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    lines = []
    for estimand in (each for each in content.plan.estimands if each.outcome == outcome.id):
        about = pick(own, estimand=estimand.id)
        again = f" ({estimand.id})" if content.plan.is_asked_twice(estimand) else ""
        for row in pick(about, statistic=(REGRESSION, NATURAL)):
            if row.verdict.startswith("refused"):
                continue
            left_over = pick_one(about, statistic=LEFT_OVER, item=row.item or row.statistic)
            name = f"{_say_way(row.item, labels[row.timepoint], content.design)}{again}"
            lines.append((name, _cell(row, measure), _cell(left_over, measure)))
    notes = (
        say(
            "In points, later minus before, with 95\u00a0% intervals; below zero means lower. What remains: the "
            "observed change less the expected one."
        ),
        *_say_sources(outcome),
        *mark_notes(tuple(lines)),
    )
    columns = (say("Timepoint and way"), say("Expected without any programme"), say("What remains"))
    caption = say("What would be expected, and what remains: {measure}", measure=measure.label)
    return Table(caption, columns, tuple(lines), notes)


def _say_way(way: str, at: str, design: StudyDesign) -> str:
    if way == BY_RULE:
        return say("{timepoint}: regression to the mean, from the entry rule", timepoint=at)
    if way == BY_MEAN:
        baseline = design.baseline.label
        return say("{timepoint}: regression to the mean, from the mean at {baseline}", timepoint=at, baseline=baseline)
    return say("{timepoint}: change of people like these elsewhere who had no programme", timepoint=at)


def _say_sources(outcome: Outcome) -> Iterator[str]:
    """Yield the declared numbers and where they come from."""
    if outcome.entry is not None:
        yield _say_reference(outcome.entry)
    if outcome.natural_change is not None:
        yield say(
            "People elsewhere who had no programme: source: {source}. The plan declares one change of theirs, which is "
            "held against every timepoint.",
            source=outcome.natural_change.source,
        )


def _say_reference(entry: Entry) -> str:
    declared = entry.reference
    told = {
        "mean": format_threshold(declared.mean),
        "sd": format_threshold(declared.sd),
        "correlation": format_threshold(declared.retest_correlation),
        "source": declared.source,
    }
    if entry.at_least is not None:
        return say(
            "Regression to the mean: entry with a score of at least {border}; before anybody was chosen the mean was "
            "{mean}, the standard deviation {sd}, and the correlation of two scores of a person {correlation} (source: "
            "{source}).",
            border=format_threshold(entry.at_least),
            **told,
        )
    if entry.at_most is not None:
        return say(
            "Regression to the mean: entry with a score of at most {border}; before anybody was chosen the mean was "
            "{mean}, the standard deviation {sd}, and the correlation of two scores of a person {correlation} (source: "
            "{source}).",
            border=format_threshold(entry.at_most),
            **told,
        )
    return say(
        "Regression to the mean: before anybody was chosen the mean was {mean}, the standard deviation {sd}, and the "
        "correlation of two scores of a person {correlation} (source: {source}).",
        **told,
    )


def _baselines_table(own: Rows, measure: Measure, design: StudyDesign) -> Table:
    """Return the change from each of two timepoints before the programme, of the same people."""
    labels = {timepoint.id: timepoint.label for timepoint in design.timepoints}
    lines, ends = [], []
    for row in pick(own, statistic=(FROM_FIRST, FROM_SECOND, BETWEEN), verdict="observed"):
        later, before = (labels[end] for end in row.contrast.split(" - "))
        lines.append((say("From {before} to {later}", before=before, later=later), _cell(row, measure)))
        ends += [(before, later)] if row.statistic == BETWEEN else []
    notes = tuple(
        say(
            "If the score at {first} decided who entered, part of the chance in it is gone by {second}, and the change "
            "from {second} holds less regression to the mean.",
            first=first,
            second=second,
        )
        for first, second in dict.fromkeys(ends)
    )
    unique = tuple(dict.fromkeys(lines))
    caption = say(
        "Change from two timepoints before the programme, of the people with all three scores: {measure}",
        measure=measure.label,
    )
    return Table(caption, (say("Timepoints"), say("Change in points")), unique, (*notes, *mark_notes(unique)))


def _cell(row: Row | None, measure: Measure) -> str:
    """Return a value with its interval in brackets."""
    if row is None or not row.is_shown:
        return NOTHING if row is None else say(NOT_SHOWN)
    decimals = decimals_of(measure)
    interval = format_interval(row.conf_low, row.conf_high, decimals)
    return value_cell(row, decimals) if interval == NOTHING else f"{value_cell(row, decimals)} ({interval})"

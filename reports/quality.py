"""What the report says of flagged answers: how many there were, what became of them, and what they decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from analysis.plan import Estimand
from analysis.quality import ANY, FLAGS, LEFT_OUT, WITH
from reports.cells import Table, count_cell, mark_notes
from reports.claims import WITHHELD, Claim, join_words, say_size
from reports.content import ReportContent
from reports.numbers import format_count, say_portion
from reports.reading import Row, Rows, pick, pick_one

NAMES: Final = {
    "too_fast": "too fast",
    "straight_lining": "same answer throughout",
    "failed_attention": "attention check failed",
    "bot": "signs of a bot",
}
_WORDS: Final = {
    "too_fast": "Given faster than the questions can be read",
    "straight_lining": "The same answer to every item, where that contradicts itself",
    "failed_attention": "A question that checks attention answered wrongly",
    "bot": "Signs that no person answered",
    ANY: "Any of these",
}
_REASONS: Final = {
    "blank_row": "blank",
    "second_header": "part of the header",
    "above_header": "above the header",
    "preview": "previews of the survey",
    "test_answer": "generated test answers",
    "imported": "imported into the survey tool",
    "unfinished": "not finished",
    "in_progress": "not finished",
    "identical_duplicate": "the same as another row",
    "identical_file": "the same file twice",
    "repeated": "the same as another row",
    "superseded": "replaced by a later version",
    "entered_in_error": "marked as entered in error",
    "one_row_per_timepoint": "several rows of one person and timepoint that contradict each other",
}
"""Rules by which rows are not used -> in words; others are told by their own name."""
_OF_NOBODY: Final = tuple(
    _REASONS[rule] for rule in ("blank_row", "second_header", "above_header", "preview", "test_answer")
)
"""Reasons whose rows are no answers of people, so that their numbers tell nothing of people."""


def add_flagged(claim: Claim, estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Return a claim with a note on what its estimand is with other answers, where flags make a difference.

    Parameters
    ----------
    claim, estimand : Claim, Estimand
        What is said of an estimand of the plan; a claim without a number stays as it is.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    found = pick(rows, analysis="quality", estimand=estimand.id)
    again = next((row for row in found if row.statistic != LEFT_OUT), None)
    if again is None or not claim.is_answered:
        return claim
    answers = _answers(again, pick_one(found, statistic=LEFT_OUT), rows, content)
    lead = f"With {answers}" if again.population == WITH else f"Without {answers}"
    measure = content.plan.measure_of(estimand.outcome, content.design)
    if again.is_shown:
        note = f"{lead}, the same comparison gives: {say_size(again, measure)}."
    elif again.verdict.startswith("failed"):
        note = f"{lead}, the same comparison could not be computed. {again.method.partition('. ')[2]}"
    else:
        note = f"What the same comparison gives {lead[0].lower()}{lead[1:]} is not shown: {WITHHELD}."
    return replace(claim, notes=(*claim.notes, note))


def flags_table(rows: Rows, content: ReportContent) -> Table:
    """Return how many people have each flag, by timepoint; without lines where nobody has one."""
    timepoints = content.design.timepoints
    counts = pick(rows, analysis="quality", estimand="")
    lines = tuple(
        (_WORDS[flag], *(count_cell(pick_one(counts, statistic=flag, timepoint=at.id)) for at in timepoints))
        for flag in (*FLAGS, ANY)
        if pick_one(counts, statistic=flag)
    )
    notes = ("Somebody may have several flags.", _say_use(content), *mark_notes(lines))
    return Table(
        "People whose answers were flagged", ("Flag", *(at.label for at in timepoints)), lines, notes if lines else ()
    )


def reasons_table(content: ReportContent) -> Table:
    """Return for what reasons rows were not used, and how many of the rows that were read, as far as may be said."""
    counts = Counter[str]()
    for reasons in content.reconciliation["reasons"]:
        for reason in filter(None, reasons.split("; ")):
            rule, _, count = reason.partition(": ")
            counts[_REASONS.get(rule, rule.replace("_", " "))] += int(count)
    read = int(content.reconciliation["rows_read"].sum())
    exact = tuple(counts) if content.plan.small_numbers.profile == "none" else _OF_NOBODY
    lines = tuple(
        (f"{words[0].upper()}{words[1:]}", format_count(count) if words in exact else say_portion(count, read).lower())
        for words, count in counts.items()
    )
    return Table("Rows that were not used, by reason", ("Reason", "Rows"), lines)


def _answers(again: Row, left_out: Row | None, rows: Rows, content: ReportContent) -> str:
    """Return ``the 23 answers that were flagged (too fast)``, without the number where it is not shown."""
    chosen = content.plan.quality.leave_out if again.population == WITH else FLAGS
    counted = [
        flag
        for flag in FLAGS
        if flag in chosen
        and any(row.hidden or row.value for row in pick(rows, analysis="quality", statistic=flag, estimand=""))
    ]
    number = f"{format_count(left_out.value)} " if left_out is not None and left_out.is_shown else ""
    plan = " and that the plan leaves out" if again.population == WITH else ""
    return f"the {number}answers that were flagged ({', '.join(NAMES[flag] for flag in counted)}){plan}"


def _say_use(content: ReportContent) -> str:
    chosen = list(dict.fromkeys(content.plan.quality.leave_out))
    if not chosen:
        return "The plan leaves out none of their answers."
    return f"The plan leaves out the answers flagged as: {join_words([NAMES[flag] for flag in _in_order(chosen)])}."


def _in_order(flags: Iterable[str]) -> list[str]:
    return sorted(flags, key=[str(flag) for flag in FLAGS].index)

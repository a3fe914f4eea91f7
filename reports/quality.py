"""What the report says of flagged answers: how many there were, what became of them, and what they decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from analysis.plan import Estimand
from analysis.quality import ANY, FLAGS, LEFT_OUT, METHODS, WITH
from reports.cells import Table, count_cell, mark_notes
from reports.claim_sentences import capital
from reports.claims import WITHHELD, Claim, say_size
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import format_count, say_portion
from reports.own_words import name_of_rule
from reports.reading import Row, Rows, pick, pick_one

NAMES: Final = {
    "too_fast": mark("too fast"),
    "straight_lining": mark("same answer throughout"),
    "failed_attention": mark("attention check failed"),
    "bot": mark("signs of a bot"),
}
_WORDS: Final = {
    "too_fast": mark("Given faster than the questions can be read"),
    "straight_lining": mark("The same answer to every item, where that contradicts itself"),
    "failed_attention": mark("A question that checks attention answered wrongly"),
    "bot": mark("Signs that no person answered"),
    ANY: mark("Any of these"),
}
_REASONS: Final = {
    "blank_row": mark("Blank"),
    "second_header": mark("Part of the header"),
    "above_header": mark("Above the header"),
    "preview": mark("Previews of the survey"),
    "test_answer": mark("Generated test answers"),
    "imported": mark("Imported into the survey tool"),
    "unfinished": mark("Not finished"),
    "in_progress": mark("Not finished"),
    "identical_duplicate": mark("The same as another row"),
    "identical_file": mark("The same file twice"),
    "repeated": mark("The same as another row"),
    "superseded": mark("Replaced by a later version"),
    "entered_in_error": mark("Marked as entered in error"),
    "one_row_per_timepoint": mark("Several rows of one person and timepoint that contradict each other"),
    "one_row_per_session": mark("Several rows of one person and session that contradict each other"),
    "one_arm_per_participant": mark("Rows of one person that tell no arm, or different ones"),
    "not_missing": mark("Something that is needed is missing"),
    "field_count": mark("More or fewer cells than the header has"),
    "readable": mark("Text that cannot be read as a number or a date"),
    "possible_day": mark("A day that cannot be right"),
    "known_arm": mark("An arm that the study does not have"),
    "known_event": mark("An event that the study does not know"),
    "known_timepoint": mark("A timepoint that the study does not have"),
    "known_attendance": mark("A code of attendance that the study does not know"),
    "known_participant": mark("About somebody who is not among the participants"),
}
"""Rules by which rows are not used -> in words; others are told by the name of the rule."""
_OF_NOBODY: Final = ("blank_row", "second_header", "above_header", "preview", "test_answer")
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
    note = _say_again(again, answers, estimand, content)
    beside = () if again.is_shown else (note,)
    return replace(claim, notes=(*claim.notes, note), only_in_card=(*claim.only_in_card, *beside))


def _say_again(again: Row, answers: str, estimand: Estimand, content: ReportContent) -> str:
    """Say what the same comparison gives with, or without, answers that were flagged."""
    kept = again.population == WITH
    if again.is_shown:
        size = say_size(again, content.plan.measure_of(estimand.outcome, content.design))
        if kept:
            return say("With {answers}, the same comparison gives: {size}.", answers=answers, size=size)
        return say("Without {answers}, the same comparison gives: {size}.", answers=answers, size=size)
    if again.verdict.startswith("failed"):
        why = again.told.removeprefix(say(METHODS[again.population])).lstrip()
        if kept:
            failed = say("With {answers}, the same comparison could not be computed.", answers=answers)
        else:
            failed = say("Without {answers}, the same comparison could not be computed.", answers=answers)
        return f"{failed} {why}"
    if kept:
        return say(
            "What the same comparison gives with {answers} is not shown: {reason}.",
            answers=answers,
            reason=say(WITHHELD),
        )
    return say(
        "What the same comparison gives without {answers} is not shown: {reason}.",
        answers=answers,
        reason=say(WITHHELD),
    )


def flags_table(rows: Rows, content: ReportContent) -> Table:
    """Return how many people have each flag, by timepoint; without lines where nobody has one."""
    timepoints = content.design.timepoints
    counts = pick(rows, analysis="quality", estimand="")
    lines = tuple(
        (say(_WORDS[flag]), *(count_cell(pick_one(counts, statistic=flag, timepoint=at.id)) for at in timepoints))
        for flag in (*FLAGS, ANY)
        if pick_one(counts, statistic=flag)
    )
    notes = (say("Somebody may have several flags."), _say_use(content), *mark_notes(lines))
    columns = (say("Flag"), *(at.label for at in timepoints))
    return Table(say("People whose answers were flagged"), columns, lines, notes if lines else ())


def reasons_table(content: ReportContent) -> Table:
    """Return for what reasons rows were not used, and how many of the rows that were read, as far as may be said."""
    counts, of_nobody = Counter[str](), set[str]()
    for reasons in content.reconciliation["reasons"]:
        for reason in filter(None, reasons.split("; ")):
            rule, _, count = reason.partition(": ")
            words = say(_REASONS[rule]) if rule in _REASONS else capital(say(name_of_rule(rule)))
            counts[words] += int(count)
            if rule in _OF_NOBODY:
                of_nobody.add(words)
    read = int(content.reconciliation["rows_read"].sum())
    exact = counts if content.plan.small_numbers.profile == "none" else of_nobody
    lines = tuple(
        (words, format_count(count) if words in exact else say_portion(count, read)) for words, count in counts.items()
    )
    return Table(say("Rows that were not used, by reason"), (say("Reason"), say("Rows")), lines)


def _answers(again: Row, left_out: Row | None, rows: Rows, content: ReportContent) -> str:
    """Return ``the 23 answers that were flagged (too fast)``, without the number where it is not shown."""
    chosen = content.plan.quality.leave_out if again.population == WITH else FLAGS
    counted = [
        flag
        for flag in FLAGS
        if flag in chosen
        and any(row.hidden or row.value for row in pick(rows, analysis="quality", statistic=flag, estimand=""))
    ]
    flags = say_list(say(NAMES[flag]) for flag in counted)
    if left_out is None or not left_out.is_shown:
        if again.population == WITH:
            return say("the answers that were flagged ({flags}) and that the plan leaves out", flags=flags)
        return say("the answers that were flagged ({flags})", flags=flags)
    number, count = left_out.value, format_count(left_out.value)
    if again.population == WITH:
        return say_many(
            "the {count} answer that was flagged ({flags}) and that the plan leaves out",
            "the {count} answers that were flagged ({flags}) and that the plan leaves out",
            number,
            count=count,
            flags=flags,
        )
    return say_many(
        "the {count} answer that was flagged ({flags})",
        "the {count} answers that were flagged ({flags})",
        number,
        count=count,
        flags=flags,
    )


def _say_use(content: ReportContent) -> str:
    chosen = list(dict.fromkeys(content.plan.quality.leave_out))
    if not chosen:
        return say("The plan leaves out none of their answers.")
    flags = say_list(say(NAMES[flag]) for flag in _in_order(chosen))
    return say("The plan leaves out the answers flagged as: {flags}.", flags=flags)


def _in_order(flags: Iterable[str]) -> list[str]:
    return sorted(flags, key=[str(flag) for flag in FLAGS].index)

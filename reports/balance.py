"""How alike the compared people were, and what something unmeasured would have to be like: from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.balance import MOST_DIFFERENT
from analysis.balance_part import AFTER, BEFORE, E_VALUE, E_VALUE_OF_LIMIT, EFFECTIVE, LEFT_OUT
from analysis.frames import score_column
from analysis.plan import Estimand, Outcome
from reports.cells import Table, mark_notes, value_cell
from reports.claims import WITHHELD, join_words
from reports.content import ReportContent
from reports.numbers import NO_BREAK, NOT_SHOWN, NOTHING, format_number
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = "How alike the compared people were"
CAUTION: Final = (
    "Being alike in what was measured says nothing of what was not: people who chose, or were chosen for, an arm may "
    "differ in hope, support or illness that no question asked about."
)
_LEFT_OUT_WORDS: Final = {
    5.0: "None or few",
    25.0: "Fewer than one in four",
    100.0: "One in four or more",
}
"""Upper limit of a share in percent -> words that tell no count."""


def say_balance(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return how alike compared people were before and after weighting, and what is needed to explain it away.

    Parameters
    ----------
    outcome : Outcome
        Of the card.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Block or None
        None where arms were formed by chance, or where nothing was compared or may be shown.
    """
    own = pick(rows, analysis=("balance", "unmeasured"), outcome=outcome.id)
    told = [each for each in content.plan.estimands if pick(own, estimand=each.id) and _is_told(each, rows)]
    if not told:
        return None
    sentences: list[str] = []
    tables: list[Table] = []
    for estimand in _distinct(told, own):
        of_estimand = pick(own, estimand=estimand.id)
        sentences += _say_weights(of_estimand, estimand, content)
        tables += _tables(of_estimand, estimand, content)
    for estimand in told:
        sentences += _say_unmeasured(pick(own, estimand=estimand.id), estimand, content, len(told) > 1)
    return Block(heading=HEADING, sentences=tuple(dict.fromkeys(sentences)), tables=tuple(tables), caution=CAUTION)


def _is_told(estimand: Estimand, rows: Rows) -> bool:
    answer = pick_one(rows, estimand=estimand.id, analysis="model")
    return answer is not None and answer.is_shown


def _distinct(told: list[Estimand], rows: Rows) -> Iterator[Estimand]:
    """Yield estimands whose people are others, or weighted otherwise, than those of an estimand before."""
    seen = set()
    for estimand in told:
        key = tuple(
            (row.statistic, row.item, row.arm, row.value, row.contrast)
            for row in pick(rows, analysis="balance", estimand=estimand.id)
        )
        if str(key) not in seen:
            seen.add(str(key))
            yield estimand


def _say_weights(rows: Rows, estimand: Estimand, content: ReportContent) -> Iterator[str]:
    """Yield what the arms were made alike in, and how many people that left to compare."""
    if not pick(rows, statistic=EFFECTIVE):
        yield (
            "The arms are compared as they were, and the model allows for the covariates; the table says how alike "
            "their people were to begin with."
        )
        return
    at = _timepoint(estimand, content)
    yield (
        "People were weighted by how well they could have been in the other arm (overlap weights). With these weights "
        f"both arms are alike on average in {_adjustment_set(estimand, content)}."
    )
    left = [(arm, pick_one(rows, statistic=EFFECTIVE, arm=arm)) for arm in estimand.compared]
    shown = [(arm, row) for arm, row in left if row is not None and row.is_shown]
    if shown:
        parts = [f"{format_number(row.value, 0)} of 100 in {_arm(arm, content)}" for arm, row in shown]
        yield (
            f"Compared at {at}, weighted people tell as much as so many people of equal weight would (the effective "
            f"sample size): {join_words(parts)}."
        )
    for arm in estimand.compared:
        row = pick_one(rows, statistic=LEFT_OUT, arm=arm)
        if row is not None and row.is_shown:
            yield (
                f"{_LEFT_OUT_WORDS[row.value]} of the people in {_arm(arm, content)} with a score at {at} were left "
                "out because their score at the start or a covariate is missing."
            )


def _say_unmeasured(rows: Rows, estimand: Estimand, content: ReportContent, is_one_of_several: bool) -> Iterator[str]:
    """Yield what strength something unmeasured would need (E-value), in plain words."""
    value, limit = (pick_one(rows, statistic=name) for name in (E_VALUE, E_VALUE_OF_LIMIT))
    where = f"At {_timepoint(estimand, content)}" if is_one_of_several else ""
    if is_one_of_several and content.plan.is_asked_twice(estimand):
        where = f"{where} ({estimand.id})"
    if value is None:
        return
    if value.verdict.startswith("refused"):
        yield f"{where}: {value.method}" if where else value.method
    elif not value.is_shown or limit is None or not limit.is_shown:
        yield f"How strong something unmeasured would have to be is not shown: {WITHHELD}."
    elif limit.value <= 1:
        sentence = "the interval holds no difference already, so nothing unmeasured is needed to explain it."
        yield f"{where}, {sentence}" if where else f"T{sentence[1:]}"
    else:
        lead = f"{where}, something" if where else "Something"
        first = _arm(estimand.compared.first, content)
        yield (
            f"{lead} that was not measured could explain the difference away only if it made both being in the {first} "
            f"arm and the outcome at least {format_number(value.value, 1)} times as likely, beyond what was adjusted "
            f"for (E-value); {format_number(limit.value, 1)} times would bring the interval to no difference."
        )


def _tables(rows: Rows, estimand: Estimand, content: ReportContent) -> Iterator[Table]:
    """Yield the standardised differences, and of weighted arms the effective sample size."""
    design = content.design
    labels = {known.id: known.label for known in design.covariates}
    labels[score_column(design.baseline.id)] = f"The score at {design.baseline.label}"
    weighted = bool(pick(rows, statistic=AFTER))
    adjusted = {*estimand.covariates, score_column(design.baseline.id)}
    lines = []
    for item in dict.fromkeys(row.item for row in pick(rows, statistic=BEFORE)):
        found = [pick_one(rows, statistic=name, item=item) for name in ((BEFORE, AFTER) if weighted else (BEFORE,))]
        beside = "" if item in adjusted else " (not adjusted for)"
        lines.append((f"{labels[item]}{beside}", *(value_cell(row, 2) for row in found)))
    if lines:
        first, second = (_arm(arm, content) for arm in estimand.compared)
        note = (
            f"{first} less {second}, over the average standard deviation; of a category the largest of its levels. At "
            f"0 the arms are alike; beyond {MOST_DIFFERENT}, either way, they differ much."
        )
        yield Table(
            f"Standardised differences between the arms, {_timepoint(estimand, content)}",
            ("Of people", *(("Before weighting", "After weighting") if weighted else ("To begin with",))),
            tuple(lines),
            (note, *mark_notes(tuple(lines))),
        )
    sizes = tuple(
        (_arm(row.arm, content), _percent(row))
        for row in pick(rows, statistic=EFFECTIVE)
        if row.arm in estimand.compared
    )
    if sizes:
        note = "In percent of the people compared: how many people of equal weight would tell as much."
        yield Table(
            "What weights leave: the effective sample size",
            ("Arm", "After weighting"),
            sizes,
            (note, *mark_notes(sizes)),
        )


def _percent(row: Row) -> str:
    if row.hidden:
        return NOT_SHOWN
    return f"{format_number(row.value, 0)}{NO_BREAK}%" if row.is_shown else NOTHING


def _adjustment_set(estimand: Estimand, content: ReportContent) -> str:
    labels = {known.id: known.label for known in content.design.covariates}
    return join_words(
        [*(labels[covariate] for covariate in estimand.covariates), f"the score at {content.design.baseline.label}"]
    )


def _timepoint(estimand: Estimand, content: ReportContent) -> str:
    return next(known.label for known in content.design.timepoints if known.id == estimand.timepoint)


def _arm(arm: str, content: ReportContent) -> str:
    return next(known.label for known in content.design.arms if known.id == arm)

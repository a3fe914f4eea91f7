"""How alike the compared people were, and what something unmeasured would have to be like: from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.balance import MOST_DIFFERENT
from analysis.balance_part import AFTER, BEFORE, E_VALUE, E_VALUE_OF_LIMIT, EFFECTIVE, LEFT_OUT
from analysis.frames import score_column
from analysis.plan import Estimand, Outcome
from reports.cells import Table, mark_notes, value_cell
from reports.claim_sentences import label_of
from reports.claims import WITHHELD, capital
from reports.content import ReportContent
from reports.language import mark, say, say_list
from reports.numbers import NOT_SHOWN, NOTHING, format_number, format_percent, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = mark("How alike the compared people were")
CAUTION: Final = mark(
    "Being alike in what was measured says nothing of what was not: people who chose, or were chosen for, an arm may "
    "differ in hope, support or illness that no question asked about."
)
AS_THEY_WERE: Final = mark(
    "The arms are compared as they were, and the model allows for the covariates; the table says how alike their "
    "people were to begin with."
)
_LEFT_OUT_WORDS: Final = {
    5.0: mark(
        "None or few of the people in {arm} with a score at {timepoint} were left out because their score at the start "
        "or a covariate is missing."
    ),
    25.0: mark(
        "Fewer than one in four of the people in {arm} with a score at {timepoint} were left out because their score "
        "at the start or a covariate is missing."
    ),
    100.0: mark(
        "One in four or more of the people in {arm} with a score at {timepoint} were left out because their score at "
        "the start or a covariate is missing."
    ),
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
    return Block(
        heading=say(HEADING), sentences=tuple(dict.fromkeys(sentences)), tables=tuple(tables), caution=say(CAUTION)
    )


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
        yield say(AS_THEY_WERE)
        return
    at = label_of(content.design, estimand.timepoint)
    yield say(
        "People were weighted by how well they could have been in the other arm (overlap weights). With these weights "
        "both arms are alike on average in {characteristics}.",
        characteristics=_adjustment_set(estimand, content),
    )
    left = [(arm, pick_one(rows, statistic=EFFECTIVE, arm=arm)) for arm in estimand.compared]
    shown = [(arm, row) for arm, row in left if row is not None and row.is_shown]
    if shown:
        parts = [
            say("{number} of 100 in {arm}", number=format_number(row.value, 0), arm=_arm(arm, content))
            for arm, row in shown
        ]
        yield say(
            "Compared at {timepoint}, weighted people tell as much as so many people of equal weight would (the "
            "effective sample size): {sizes}.",
            timepoint=at,
            sizes=say_list(parts),
        )
    for arm in estimand.compared:
        row = pick_one(rows, statistic=LEFT_OUT, arm=arm)
        if row is not None and row.is_shown:
            yield say(_LEFT_OUT_WORDS[row.value], arm=_arm(arm, content), timepoint=at)


def _say_unmeasured(rows: Rows, estimand: Estimand, content: ReportContent, is_one_of_several: bool) -> Iterator[str]:
    """Yield what strength something unmeasured would need (E-value), in plain words."""
    value, limit = (pick_one(rows, statistic=name) for name in (E_VALUE, E_VALUE_OF_LIMIT))
    if value is None:
        return
    said = _say_strength(value, limit, estimand, content)
    if is_one_of_several:
        said = say("{when}: {sentence}", when=_which(estimand, content), sentence=said)
    yield said


def _say_strength(value: Row, limit: Row | None, estimand: Estimand, content: ReportContent) -> str:
    if value.verdict.startswith("refused"):
        return value.told
    if not value.is_shown or limit is None or not limit.is_shown:
        return say("How strong something unmeasured would have to be is not shown: {reason}.", reason=say(WITHHELD))
    if limit.value <= 1:
        return say("The interval holds no difference already, so nothing unmeasured is needed to explain it.")
    return say(
        "Something that was not measured could explain the difference away only if it made both being in the {arm} arm "
        "and the outcome at least {strength} times as likely, beyond what was adjusted for (E-value); {least} times "
        "would bring the interval to no difference.",
        arm=_arm(estimand.compared.first, content),
        strength=format_number(value.value, 1),
        least=format_number(limit.value, 1),
    )


def _which(estimand: Estimand, content: ReportContent) -> str:
    """Return which of several estimands it is."""
    timepoint = label_of(content.design, estimand.timepoint)
    if content.plan.is_asked_twice(estimand):
        return say("At {timepoint} ({estimand})", timepoint=timepoint, estimand=estimand.id)
    return say("At {timepoint}", timepoint=timepoint)


def _tables(rows: Rows, estimand: Estimand, content: ReportContent) -> Iterator[Table]:
    """Yield the standardised differences, and of weighted arms the effective sample size."""
    lines = tuple(_lines(rows, estimand, content))
    if lines:
        first, second = (_arm(arm, content) for arm in estimand.compared)
        note = say(
            "{first} less {second}, over the average standard deviation; of a category the largest of its levels. At 0 "
            "the arms are alike; beyond {limit}, either way, they differ much.",
            first=first,
            second=second,
            limit=format_threshold(MOST_DIFFERENT),
        )
        timepoint = label_of(content.design, estimand.timepoint)
        columns = (
            (say("Before weighting"), say("After weighting"))
            if pick(rows, statistic=AFTER)
            else (say("To begin with"),)
        )
        yield Table(
            say("Standardised differences between the arms, {timepoint}", timepoint=timepoint),
            (say("Of people"), *columns),
            lines,
            (note, *mark_notes(lines)),
        )
    sizes = tuple(
        (_arm(row.arm, content), _percent(row))
        for row in pick(rows, statistic=EFFECTIVE)
        if row.arm in estimand.compared
    )
    if sizes:
        note = say("In percent of the people compared: how many people of equal weight would tell as much.")
        yield Table(
            say("What weights leave: the effective sample size"),
            (say("Arm"), say("After weighting")),
            sizes,
            (note, *mark_notes(sizes)),
        )


def _lines(rows: Rows, estimand: Estimand, content: ReportContent) -> Iterator[tuple[str, ...]]:
    """Yield a line for each characteristic; of one that was not adjusted for it is said."""
    design = content.design
    baseline = score_column(design.baseline.id)
    labels = {known.id: known.label for known in design.covariates}
    labels[baseline] = capital(say("the score at {timepoint}", timepoint=design.baseline.label))
    statistics = (BEFORE, AFTER) if pick(rows, statistic=AFTER) else (BEFORE,)
    for item in dict.fromkeys(row.item for row in pick(rows, statistic=BEFORE)):
        header = labels[item]
        if item not in (*estimand.covariates, baseline):
            header = say("{characteristic} (not adjusted for)", characteristic=header)
        yield header, *(value_cell(pick_one(rows, statistic=name, item=item), 2) for name in statistics)


def _percent(row: Row) -> str:
    if row.hidden:
        return say(NOT_SHOWN)
    return format_percent(row.value) if row.is_shown else NOTHING


def _adjustment_set(estimand: Estimand, content: ReportContent) -> str:
    labels = {known.id: known.label for known in content.design.covariates}
    baseline = say("the score at {timepoint}", timepoint=content.design.baseline.label)
    return say_list([*(labels[covariate] for covariate in estimand.covariates), baseline])


def _arm(arm: str, content: ReportContent) -> str:
    return next(known.label for known in content.design.arms if known.id == arm)

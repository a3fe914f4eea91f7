"""What the report says of those who left: who they were, and what would be said had they fared differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.balance import MOST_DIFFERENT
from analysis.leavers import DIFFERENCE
from analysis.plan import Estimand, Outcome
from analysis.sensitivity.imputed import MONTE_CARLO_ERROR
from analysis.sensitivity.rows import AT_RANDOM, list_planned
from analysis.sensitivity.tipping import CLEAR, TIPPING_POINT
from reports.assumptions import first_arm, name_analysis, say_assumption, say_use
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claim_sentences import label_of
from reports.claims import WITHHELD, capital, say_size
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_number, format_threshold, say_amount
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = mark("If the people who left had fared differently")
OTHERWISE: Final = mark("The same question, answered otherwise")
CAUTION: Final = mark(
    "These are assumptions and no findings: how somebody fared who did not answer is not known. They show how far what "
    "is said above hangs on it."
)
PRECISION: Final = mark(
    "Intervals of filled-in scores are by the jackknife, which leaves out everybody (or every group) in turn; those of "
    "multiple imputation and of imputed items are by Rubin's rules; the others are those of the main model."
)
_REFITS: Final = ("completers", "unadjusted")
_TIPS_WORSE: Final = mark(
    "{when}, only if those who left the {arm} arm had scored at least {amount} worse than similar people who stayed "
    "would the interval hold zero."
)
_TIPS_BETTER: Final = mark(
    "{when}, only if those who left the {arm} arm had scored at least {amount} better than similar people who stayed "
    "would the interval hold zero."
)
_CLEAR_LOWER: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if those who left the {arm} arm had scored at least "
    "{amount} lower than similar people who stayed."
)
_CLEAR_HIGHER: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if those who left the {arm} arm had scored at least "
    "{amount} higher than similar people who stayed."
)
_CLEAR_EITHER_WAY: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if those who left the {arm} arm had scored at least "
    "{lower} lower or at least {higher} higher than similar people who stayed."
)


def say_leavers(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return how the answers of an outcome move under other assumptions about those who left.

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
        Of the primary outcome also where the plan names no such analysis; None where nobody is followed.
    """
    design, plan = content.design, content.plan
    own = pick(rows, analysis="sensitivity", outcome=outcome.id)
    events = tuple(say_use(event, design) for event in plan.intercurrent_events)
    if not own:
        if design.is_resampled or outcome.role != "primary" or list_planned(plan):
            return None
        none = say("The plan names no analysis under other assumptions about the people who left.")
        return Block(heading=say(HEADING), sentences=(none, *events))
    estimands = [each for each in plan.estimands if pick(own, estimand=each.id)]
    items = [item for each in estimands for item in _say_estimand(each, own, content)]
    tables = tuple(_table(each, own, rows, content) for each in estimands)
    return Block(
        heading=say(OTHERWISE) if design.is_resampled else say(HEADING),
        sentences=(*events, *_say_gaps(own, content)),
        items=tuple(items),
        tables=tuple(table for table in tables if table.rows),
        caution="" if design.is_resampled else say(CAUTION),
    )


def compare_those_who_left(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return leavers against stayers at baseline, as standardised differences by arm; nothing where nobody left."""
    own = pick(rows, analysis="leavers", statistic=DIFFERENCE)
    if not own:
        return ()
    plan, design = content.plan, content.design
    arms = {arm.id: arm.label for arm in design.arms if pick(own, arm=arm.id)}
    labels = {each.id: plan.measure_of(each.id, design).label for each in plan.outcomes}
    labels |= {each.id: each.label for each in design.covariates}
    lines = tuple(
        (labels.get(item, item), *(_difference_cell(pick_one(own, item=item, arm=arm)) for arm in arms))
        for item in dict.fromkeys(row.item for row in own)
    )
    table = Table(
        say("Those who left less those who stayed, in standard deviations at baseline, by arm"),
        (say("At baseline"), *arms.values()),
        lines,
        (say("Of a category the largest difference of its levels, without a sign."), *mark_notes(lines)),
    )
    far = [
        say("{characteristic} ({arm})", characteristic=labels.get(row.item, row.item), arm=arms[row.arm])
        for row in own
        if row.is_shown and abs(row.value) > MOST_DIFFERENT
    ]
    how = say(
        "Here, who has no score of {measure} at {timepoint} has left.",
        measure=labels[plan.primary.id],
        timepoint=design.timepoints[-1].label,
    )
    heading = say("People who left and people who stayed")
    return (Block(heading=heading, sentences=(how, _say_far(far)), tables=(table,)),)


def _say_far(far: list[str]) -> str:
    limit = format_threshold(MOST_DIFFERENT)
    if not far:
        return say(
            "In nothing that is shown did those who left differ by more than {limit} standard deviations.", limit=limit
        )
    return say(
        "Those who left differed at the start by more than {limit} standard deviations in: {characteristics}.",
        limit=limit,
        characteristics=say_list(far),
    )


def _say_estimand(estimand: Estimand, own: Rows, content: ReportContent) -> Iterator[str]:
    """Yield a sentence for each analysis of an estimand that has a number to show."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    when = _say_when(estimand, content)
    for item in (AT_RANDOM, *list_planned(content.plan)):
        found = pick(own, estimand=estimand.id, item=item)
        row = next((each for each in found if each.statistic in ("difference", "change")), None)
        if row is not None and row.is_shown:
            yield say(
                "{when}, {assumption}: {size}.",
                when=when,
                assumption=say_assumption(item, estimand, content),
                size=say_size(row, measure),
            )
        yield from _say_tipping(found, when, estimand, content)


def _say_tipping(found: Rows, when: str, estimand: Estimand, content: ReportContent) -> Iterator[str]:
    """Yield from how far away scores of those who left the interval would say something else."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    points = {row.statistic: row.value for row in found if row.is_shown}
    amounts = {statistic: say_amount(value, measure) for statistic, value in points.items()}
    said = {"when": when, "arm": first_arm(estimand, content.design)}
    if TIPPING_POINT in points:
        is_worse = (points[TIPPING_POINT] > 0) == (measure.higher_is == "worse")
        message = _TIPS_WORSE if is_worse else _TIPS_BETTER
        yield say(message, **said, amount=amounts[TIPPING_POINT])
    lower, higher = amounts.get(CLEAR[-1]), amounts.get(CLEAR[1])
    if lower and higher:
        yield say(_CLEAR_EITHER_WAY, **said, lower=lower, higher=higher)
    elif lower:
        yield say(_CLEAR_LOWER, **said, amount=lower)
    elif higher:
        yield say(_CLEAR_HIGHER, **said, amount=higher)


def _say_when(estimand: Estimand, content: ReportContent) -> str:
    """Return ``At 12 weeks``, with the estimand where more than one is about it."""
    timepoint = label_of(content.design, estimand.timepoint)
    same = [e for e in content.plan.estimands if (e.outcome, e.timepoint) == (estimand.outcome, estimand.timepoint)]
    if len(same) == 1:
        # i18n: begins a sentence, as in "{when}, {assumption}: {size}."
        return say("At {timepoint}", timepoint=timepoint)
    # i18n: begins a sentence, as in "{when}, {assumption}: {size}."
    return say("At {timepoint} ('{estimand}' of the plan)", timepoint=timepoint, estimand=estimand.id)


def _table(estimand: Estimand, own: Rows, rows: Rows, content: ReportContent) -> Table:
    """Return the estimates of an estimand under each assumption, the main analysis first."""
    decimals = decimals_of(content.plan.measure_of(estimand.outcome, content.design))
    main = pick_one(rows, analysis="model", estimand=estimand.id)
    lines = [_line(say("Main analysis"), main, decimals)] if main is not None else []
    for item in (AT_RANDOM, *list_planned(content.plan)):
        found = pick(own, estimand=estimand.id, item=item, statistic=("difference", "change"), verdict="estimated")
        if found:
            lines.append(_line(capital(say_assumption(item, estimand, content)), found[0], decimals))
    table = tuple(lines) if len(lines) > 1 else ()
    of_estimand = pick(own, estimand=estimand.id)
    what = say("Change") if content.design.compares_timepoints else say("Difference")
    return Table(
        say("{when}, under each assumption", when=_say_when(estimand, content)),
        (say("Assumption"), what, say(INTERVAL)),
        table,
        (*_notes(of_estimand, content), *mark_notes(table)),
    )


def _notes(rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield how intervals came about, and by how much estimates that were drawn differ by chance."""
    if any(row.item not in _REFITS for row in pick(rows, verdict="estimated")):
        yield say(PRECISION)
    errors = [pick_one(rows, item=item, statistic=MONTE_CARLO_ERROR) for item in list_planned(content.plan)]
    drawn = [
        say("{analysis}: {number}", analysis=name_analysis(error.item, content), number=format_threshold(error.value))
        for error in errors
        if error is not None and error.is_shown
    ]
    if drawn:
        yield say("By chance of the draws alone, {errors} (Monte Carlo error).", errors=say_list(drawn))


def _line(words: str, row: Row, decimals: int) -> tuple[str, str, str]:
    return words, value_cell(row, decimals), interval_cell(row, decimals)


def _say_gaps(own: Rows, content: ReportContent) -> Iterator[str]:
    """Yield which analyses have no number, and why."""
    hidden: dict[str, None] = {}
    refused: dict[str, dict[str, None]] = {}
    for row in own:
        at = next((t.label for t in content.design.timepoints if t.id == row.timepoint), row.timepoint)
        name = name_analysis(row.item, content)
        if row.verdict == "estimated" and row.hidden and row.statistic != MONTE_CARLO_ERROR:
            hidden[say("{analysis} at {timepoint}", analysis=name, timepoint=at)] = None
        elif row.verdict.startswith(("refused", "failed")) and row.item != AT_RANDOM:
            refused.setdefault(row.told, {})[name] = None
    if hidden:
        yield say_many(
            "{analyses} is not shown: {reason}.",
            "{analyses} are not shown: {reason}.",
            len(hidden),
            analyses=capital(say_list(hidden)),
            reason=say(WITHHELD),
        )
    for reason, names in refused.items():
        yield say_many(
            "{analyses} is not computed: {reason}",
            "{analyses} are not computed: {reason}",
            len(names),
            analyses=capital(say_list(names)),
            reason=reason,
        )


def _difference_cell(row: Row | None) -> str:
    if row is None:
        return NOTHING
    return say(NOT_SHOWN) if row.hidden else format_number(row.value, 2)

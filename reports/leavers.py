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
from reports.assumptions import find_first_arm, first_arm, name_analysis, say_assumption, say_use
from reports.cells import Table, interval_cell, mark_notes, value_cell
from reports.claim_sentences import join_sentences, label_of
from reports.claims import WITHHELD, capital
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_number, format_threshold, say_amount, scale_of
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
_ESTIMATES: Final = ("difference", "change")
_TIPS_WORSE: Final = mark(
    "{when}, only if people of the {arm} arm who left had scored at least {amount} worse than similar people who "
    "stayed would the interval hold zero."
)
_TIPS_BETTER: Final = mark(
    "{when}, only if people of the {arm} arm who left had scored at least {amount} better than similar people who "
    "stayed would the interval hold zero."
)
_CLEAR_LOWER: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if people of the {arm} arm who left had scored at "
    "least {amount} lower than similar people who stayed."
)
_CLEAR_HIGHER: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if people of the {arm} arm who left had scored at "
    "least {amount} higher than similar people who stayed."
)
_CLEAR_EITHER_WAY: Final = mark(
    "{when}, the interval holds zero; it would leave zero out only if people of the {arm} arm who left had scored at "
    "least {lower} lower or at least {higher} higher than similar people who stayed."
)
_BEYOND: Final = mark(
    "From the mean of that arm, {mean}, this lies beyond the scale, which runs from {minimum} to {maximum}: it can "
    "hardly be so."
)
_BEYOND_LOWER: Final = mark(
    "From the mean of that arm, {mean}, the lower of the two lies beyond the scale, which runs from {minimum} to "
    "{maximum}: it can hardly be so."
)
_BEYOND_HIGHER: Final = mark(
    "From the mean of that arm, {mean}, the higher of the two lies beyond the scale, which runs from {minimum} to "
    "{maximum}: it can hardly be so."
)
_BEYOND_BOTH: Final = mark(
    "From the mean of that arm, {mean}, both lie beyond the scale, which runs from {minimum} to {maximum}: it can "
    "hardly be so either way."
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
        Of the primary outcome also where the plan names no such analysis; None where nobody is followed, or nothing
        was computed.
    """
    design, plan = content.design, content.plan
    own = pick(rows, analysis="sensitivity", outcome=outcome.id)
    events = tuple(say_use(event, design) for event in plan.intercurrent_events)
    if not own:
        is_computed = bool(pick(rows, analysis="model", outcome=outcome.id, verdict="estimated"))
        if design.is_resampled or outcome.role != "primary" or list_planned(plan) or not is_computed:
            return None
        none = say("The plan names no analysis under other assumptions about the people who left.")
        return Block(heading=say(HEADING), sentences=(none, *events))
    estimands = [each for each in plan.estimands if pick(own, estimand=each.id)]
    items = [item for each in estimands for item in _say_tipping(each, own, rows, content)]
    table = _table(estimands, own, rows, content)
    return Block(
        heading=say(OTHERWISE) if design.is_resampled else say(HEADING),
        sentences=(*events, *_say_gaps(own, content)),
        items=tuple(items),
        tables=(table,) if table.rows else (),
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
        "People without a score of {measure} at {timepoint} count here as people who left the study, whether or not "
        "they went on with the programme.",
        measure=labels[plan.primary.id],
        timepoint=design.timepoints[-1].label,
    )
    heading = say("People who left and people who stayed")
    if not any(row.is_shown for row in own):
        hidden = say("How those who left compare with those who stayed is not shown: {reason}.", reason=say(WITHHELD))
        return (Block(heading=heading, sentences=(how, hidden)),)
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


def _say_tipping(estimand: Estimand, own: Rows, rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield from how far away scores of those who left the interval would say something else."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    found = pick(own, estimand=estimand.id, item="tipping_point")
    points = {row.statistic: row.value for row in found if row.is_shown}
    amounts = {statistic: say_amount(value, measure) for statistic, value in points.items()}
    said = {"when": _say_when(estimand, content), "arm": first_arm(estimand, content.design)}
    beyond = _say_beyond(points, estimand, rows, content)
    if TIPPING_POINT in points:
        is_worse = (points[TIPPING_POINT] > 0) == (measure.higher_is == "worse")
        message = _TIPS_WORSE if is_worse else _TIPS_BETTER
        yield join_sentences(say(message, **said, amount=amounts[TIPPING_POINT]), beyond)
    lower, higher = amounts.get(CLEAR[-1]), amounts.get(CLEAR[1])
    if lower and higher:
        yield join_sentences(say(_CLEAR_EITHER_WAY, **said, lower=lower, higher=higher), beyond)
    elif lower:
        yield join_sentences(say(_CLEAR_LOWER, **said, amount=lower), beyond)
    elif higher:
        yield join_sentences(say(_CLEAR_HIGHER, **said, amount=higher), beyond)


def _say_beyond(points: dict[str, float], estimand: Estimand, rows: Rows, content: ReportContent) -> str:
    """Return which points lead from the mean of their arm beyond the scale; nothing where the scale has room."""
    design, measure = content.design, content.plan.measure_of(estimand.outcome, content.design)
    arm = find_first_arm(estimand, design)
    mean = pick_one(rows, analysis="model", statistic="marginal_mean", outcome=estimand.outcome, arm=arm,
                    timepoint=estimand.timepoint)  # fmt: skip
    if mean is None or not mean.is_shown:
        return ""
    beyond = [name for name, value in points.items() if not measure.minimum <= mean.value + value <= measure.maximum]
    if not beyond:
        return ""
    one_of_two = _BEYOND_LOWER if beyond == [CLEAR[-1]] else _BEYOND_HIGHER
    message = _BEYOND if len(points) == 1 else _BEYOND_BOTH if len(beyond) == len(points) else one_of_two
    ends = {"minimum": format_threshold(measure.minimum), "maximum": format_threshold(measure.maximum)}
    return say(message, mean=value_cell(mean, decimals_of(measure)), **ends)


def _say_when(estimand: Estimand, content: ReportContent) -> str:
    """Return ``At 12 weeks``, with the estimand where more than one is about it."""
    timepoint = label_of(content.design, estimand.timepoint)
    if _is_alone(estimand, content):
        # i18n: begins a sentence, as in "{when}, {assumption}: {size}."
        return say("At {timepoint}", timepoint=timepoint)
    # i18n: begins a sentence, as in "{when}, {assumption}: {size}."
    return say("At {timepoint} ('{estimand}' of the plan)", timepoint=timepoint, estimand=estimand.id)


def _is_alone(estimand: Estimand, content: ReportContent) -> bool:
    """Tell whether no other estimand is about the same outcome and timepoint."""
    asked = (estimand.outcome, estimand.timepoint)
    return sum((each.outcome, each.timepoint) == asked for each in content.plan.estimands) == 1


def _table(estimands: list[Estimand], own: Rows, rows: Rows, content: ReportContent) -> Table:
    """Return the answer to each question under each assumption, the main analysis first; no lines without another."""
    first = say("Main analysis")
    lines: dict[str, dict[str, str]] = {}
    for estimand in estimands:
        decimals = decimals_of(content.plan.measure_of(estimand.outcome, content.design))
        main = pick_one(rows, analysis="model", estimand=estimand.id)
        found = {first: main} if main is not None else {}
        for item in (AT_RANDOM, *list_planned(content.plan)):
            of_item = pick(own, estimand=estimand.id, item=item, statistic=_ESTIMATES, verdict="estimated")
            if of_item:
                found[capital(say_assumption(item, estimand, content))] = of_item[0]
        for words, row in found.items():
            lines.setdefault(words, {})[estimand.id] = _estimate_cell(row, decimals)
    cells = tuple(
        (words, *(by_estimand.get(estimand.id, NOTHING) for estimand in estimands))
        for words, by_estimand in lines.items()
    )
    cells = cells if len(cells) > 1 else ()
    columns = (say("Assumption"), *(_say_column(estimand, content) for estimand in estimands))
    notes = (*_notes(own, estimands, content), *mark_notes(cells))
    return Table(_say_caption(estimands[0], content), columns, cells, notes)


def _say_caption(estimand: Estimand, content: ReportContent) -> str:
    measure = content.plan.measure_of(estimand.outcome, content.design)
    unit = say("percentage points") if measure.unit == "percent" else scale_of(measure)
    if content.design.compares_timepoints:
        return say("Change under each assumption, in {unit}, with 95\u00a0% interval", unit=unit)
    return say("Difference under each assumption, in {unit}, with 95\u00a0% interval", unit=unit)


def _say_column(estimand: Estimand, content: ReportContent) -> str:
    """Return when a question is about, with its name where more than one is about that."""
    timepoint = label_of(content.design, estimand.timepoint)
    if _is_alone(estimand, content):
        return timepoint
    return say("{timepoint} ({estimand})", timepoint=timepoint, estimand=estimand.id)


def _notes(rows: Rows, estimands: list[Estimand], content: ReportContent) -> Iterator[str]:
    """Yield how intervals came about, and by how much estimates that were drawn differ by chance."""
    if any(row.item not in _REFITS for row in pick(rows, verdict="estimated")):
        yield say(PRECISION)
    errors = [
        error
        for item in list_planned(content.plan)
        for error in pick(rows, item=item, statistic=MONTE_CARLO_ERROR)
        if error.is_shown
    ]
    drawn = [
        say(
            "{analysis}: {number}",
            analysis=_name_drawn(error, estimands, content),
            number=format_threshold(error.value),
        )
        for error in errors
    ]
    if drawn:
        yield say("By chance of the draws alone, {errors} (Monte Carlo error).", errors=say_list(drawn))


def _name_drawn(error: Row, estimands: list[Estimand], content: ReportContent) -> str:
    """Return the name of an analysis, and of several questions the one that is meant."""
    name = name_analysis(error.item, content)
    if len(estimands) == 1:
        return name
    asked = next(estimand for estimand in estimands if estimand.id == error.estimand)
    return say("{analysis} at {timepoint}", analysis=name, timepoint=_say_column(asked, content))


def _estimate_cell(row: Row, decimals: int) -> str:
    """Return an estimate with its interval in brackets, as far as the gate leaves them."""
    value, interval = value_cell(row, decimals), interval_cell(row, decimals)
    return value if interval == NOTHING else say("{value} ({interval})", value=value, interval=interval)


def _say_gaps(own: Rows, content: ReportContent) -> Iterator[str]:
    """Yield which analyses have no number, and why; hidden estimates are marked in the table."""
    hidden: dict[str, None] = {}
    refused: dict[str, dict[str, None]] = {}
    for row in own:
        at = next((t.label for t in content.design.timepoints if t.id == row.timepoint), row.timepoint)
        name = name_analysis(row.item, content)
        if row.verdict == "estimated" and row.hidden and row.statistic not in (*_ESTIMATES, MONTE_CARLO_ERROR):
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

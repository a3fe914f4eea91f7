"""What the report says of those who left: who they were, and what would be said had they fared differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.balance import MOST_DIFFERENT
from analysis.design import Measure, StudyDesign
from analysis.leavers import DIFFERENCE
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Delta, IntercurrentEvent
from analysis.sensitivity.imputed import MONTE_CARLO_ERROR
from analysis.sensitivity.judgement import WORDS
from analysis.sensitivity.rows import AT_RANDOM, list_planned, name_delta, name_event
from analysis.sensitivity.tipping import CLEAR, TIPPING_POINT
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claims import WITHHELD, join_words, say_size
from reports.content import ReportContent
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_number, format_threshold, unit_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

HEADING: Final = "If the people who left had fared differently"
OTHERWISE: Final = "The same question, answered otherwise"
CAUTION: Final = (
    "These are assumptions and no findings: how somebody fared who did not answer is not known. They show how far what "
    "is said above hangs on it."
)
PRECISION: Final = (
    "Intervals of filled-in scores are by the jackknife, which leaves out everybody (or every group) in turn; those of "
    "multiple imputation and of imputed items are by Rubin's rules; the others are those of the main model."
)
_NAMES: Final = WORDS | {"tipping_point": "tipping point", "unadjusted": "without covariates"}
_REFITS: Final = ("completers", "unadjusted")
_STRATEGIES: Final = {
    "jump_to_reference": "had fared like people in {reference} from then on",
    "copy_reference": "had been like people in {reference} from the start",
    "copy_increments": "had changed like people in {reference} from then on",
    "hypothetical": "had gone on like similar people of their arm",
}


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
    events = tuple(_say_use(event, design) for event in plan.intercurrent_events)
    if not own:
        if design.is_resampled or outcome.role != "primary" or list_planned(plan):
            return None
        none = "The plan names no analysis under other assumptions about the people who left."
        return Block(heading=HEADING, sentences=(none, *events))
    estimands = [each for each in plan.estimands if pick(own, estimand=each.id)]
    items = [item for each in estimands for item in _say_estimand(each, own, content)]
    tables = tuple(_table(each, own, rows, content) for each in estimands)
    return Block(
        heading=OTHERWISE if design.is_resampled else HEADING,
        sentences=(*events, *_say_gaps(own, content)),
        items=tuple(items),
        tables=tuple(table for table in tables if table.rows),
        caution="" if design.is_resampled else CAUTION,
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
        "Those who left less those who stayed, in standard deviations at baseline, by arm",
        ("At baseline", *arms.values()),
        lines,
        ("Of a category the largest difference of its levels, without a sign.", *mark_notes(lines)),
    )
    far = [
        f"{labels.get(row.item, row.item)} ({arms[row.arm]})"
        for row in own
        if row.is_shown and abs(row.value) > MOST_DIFFERENT
    ]
    how = f"Here, who has no score of {labels[plan.primary.id]} at {design.timepoints[-1].label} has left."
    return (Block(heading="People who left and people who stayed", sentences=(how, _say_far(far)), tables=(table,)),)


def _say_far(far: list[str]) -> str:
    if not far:
        return f"In nothing that is shown did those who left differ by more than {MOST_DIFFERENT} standard deviations."
    return (
        f"Those who left differed at the start by more than {MOST_DIFFERENT} standard deviations in: {join_words(far)}."
    )


def _say_estimand(estimand: Estimand, own: Rows, content: ReportContent) -> Iterator[str]:
    """Yield a sentence for each analysis of an estimand that has a number to show."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    lead = _lead(estimand, content)
    for item in (AT_RANDOM, *list_planned(content.plan)):
        found = pick(own, estimand=estimand.id, item=item)
        row = next((each for each in found if each.statistic in ("difference", "change")), None)
        if row is not None and row.is_shown:
            words = _words(item, estimand, content)
            yield f"{lead}, {words[0].lower()}{words[1:]}: {say_size(row, measure)}."
        yield from _say_tipping(found, lead, estimand, content, measure)


def _say_tipping(found: Rows, lead: str, estimand: Estimand, content: ReportContent, measure: Measure) -> Iterator[str]:
    """Yield from how far away scores of those who left the interval would say something else."""
    points = {row.statistic: row.value for row in found if row.is_shown}
    those = f"those who left the {_first_arm(estimand, content.design)} arm"
    if TIPPING_POINT in points:
        value = points[TIPPING_POINT]
        way = "worse" if (value > 0) == (measure.higher_is == "worse") else "better"
        yield (
            f"{lead}, only if {those} had scored at least {_size(value, measure)} {way} than similar people who stayed "
            "would the interval hold zero."
        )
    ways = [(points[CLEAR[sign]], way) for sign, way in ((-1, "lower"), (1, "higher")) if CLEAR[sign] in points]
    if ways:
        said = " or ".join(f"at least {_size(value, measure)} {way}" for value, way in ways)
        yield (
            f"{lead}, the interval holds zero; it would leave zero out only if {those} had scored {said} than similar "
            "people who stayed."
        )


def _size(value: float, measure: Measure) -> str:
    return f"{format_threshold(abs(value))}{unit_of(measure, abs(value))}"


def _lead(estimand: Estimand, content: ReportContent) -> str:
    """Return ``At 12 weeks``, with the arms where more than one estimand is about it."""
    design = content.design
    label = next(timepoint.label for timepoint in design.timepoints if timepoint.id == estimand.timepoint)
    same = [e for e in content.plan.estimands if (e.outcome, e.timepoint) == (estimand.outcome, estimand.timepoint)]
    return f"At {label}" if len(same) == 1 else f"At {label} ('{estimand.id}' of the plan)"


def _first_arm(estimand: Estimand, design: StudyDesign) -> str:
    chosen = design.arms[0].id if design.compares_timepoints else estimand.compared.first
    return next((arm.label for arm in design.arms if arm.id == chosen), chosen)


def _words(item: str, estimand: Estimand, content: ReportContent) -> str:
    """Return the assumption of an analysis, as a sentence begins."""
    design, plan = content.design, content.plan
    reference = design.reference.label if design.reference else ""
    if item in _STRATEGIES:
        return f"If those who left {_STRATEGIES[item]}".format(reference=reference)
    delta = next((each for each in plan.sensitivity if isinstance(each, Delta) and name_delta(each) == item), None)
    if delta is not None:
        way = "worse" if delta.delta >= 0 else "better"
        points = _size(delta.delta, plan.measure_of(estimand.outcome, design))
        return f"If those who left the {_first_arm(estimand, design)} arm had scored {points} {way} than similar people"
    event = next((each for each in plan.intercurrent_events if name_event(each.event) == item), None)
    if event is not None and event.sensitivity is not None:
        how = _STRATEGIES[event.sensitivity].format(reference=reference)
        return f"Without the scores after \u2018{_label(event, design)}\u2019, as if those people {how}"
    return {
        AT_RANDOM: "If those who left had gone on like similar people of their arm who stayed",
        "multiple_imputation": "With the scores of those who left drawn at random many times",
        "completers": "Among people with a score at every timepoint alone",
        "unadjusted": "Without allowing for any characteristics",
        "item_imputation": "With items that people did not answer filled in",
    }.get(item, item)


def _table(estimand: Estimand, own: Rows, rows: Rows, content: ReportContent) -> Table:
    """Return the estimates of an estimand under each assumption, the main analysis first."""
    design, measure = content.design, content.plan.measure_of(estimand.outcome, content.design)
    decimals = decimals_of(measure)
    main = pick_one(rows, analysis="model", estimand=estimand.id)
    lines = [_line("Main analysis", main, decimals)] if main is not None else []
    drawn = []
    for item in (AT_RANDOM, *list_planned(content.plan)):
        found = pick(own, estimand=estimand.id, item=item)
        row = pick_one(found, statistic=("difference", "change"), verdict="estimated")
        if row is not None:
            lines.append(_line(_words(item, estimand, content), row, decimals))
        error = pick_one(found, statistic=MONTE_CARLO_ERROR)
        if error is not None and error.is_shown:
            drawn.append(f"{_NAMES[item]}: {format_threshold(error.value)}")
    notes = (f"By chance of the draws alone, {join_words(drawn)} (Monte Carlo error).",) if drawn else ()
    what = "Change" if design.compares_timepoints else "Difference"
    compared = f"{_lead(estimand, content)}, under each assumption"
    table = tuple(lines) if len(lines) > 1 else ()
    is_filled = any(row.item not in _REFITS for row in pick(own, estimand=estimand.id, verdict="estimated"))
    how = (PRECISION,) if is_filled else ()
    return Table(compared, ("Assumption", what, INTERVAL), table, (*how, *notes, *mark_notes(table)))


def _line(words: str, row: Row, decimals: int) -> tuple[str, str, str]:
    return words, value_cell(row, decimals), interval_cell(row, decimals)


def _say_gaps(own: Rows, content: ReportContent) -> Iterator[str]:
    """Yield which analyses have no number, and why."""
    why: dict[str, dict[str, None]] = {}
    for row in own:
        at = next((t.label for t in content.design.timepoints if t.id == row.timepoint), row.timepoint)
        if row.verdict == "estimated" and row.hidden and row.statistic != MONTE_CARLO_ERROR:
            why.setdefault(f"not shown: {WITHHELD}", {})[f"{_name(row.item, content)} at {at}"] = None
        elif row.verdict.startswith(("refused", "failed")) and row.item != AT_RANDOM:
            why.setdefault(f"not computed: {row.method}", {})[_name(row.item, content)] = None
    for reason, names in why.items():
        said = join_words(list(names))
        verb = "are" if len(names) > 1 else "is"
        yield f"{said[0].upper()}{said[1:]} {verb} {reason.rstrip('.')}."


def _name(item: str, content: ReportContent) -> str:
    event = next((each for each in content.plan.intercurrent_events if name_event(each.event) == item), None)
    return f"\u2018{_label(event, content.design)}\u2019" if event is not None else _NAMES.get(item, item)


def _say_use(event: IntercurrentEvent, design: StudyDesign) -> str:
    """Return how the main analysis takes the scores after an event."""
    label = f"\u2018{_label(event, design)}\u2019"
    if event.strategy == "hypothetical":
        return f"Scores after {label} are left out of the main analysis, as if it had not happened."
    return f"Scores after {label} count in the main analysis as they are."


def _label(event: IntercurrentEvent, design: StudyDesign) -> str:
    kinds = {kind.id: kind.label for kind in design.event_kinds}
    return kinds.get(event.event, event.event)


def _difference_cell(row: Row | None) -> str:
    if row is None:
        return NOTHING
    return NOT_SHOWN if row.hidden else format_number(row.value, 2)

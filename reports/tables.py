"""Tables of people and outcomes: the numbers of the charts, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from analysis.design import SIDE_LABELS, Measure, StudyDesign
from analysis.plan import Estimand, Plan
from analysis.populations import population_of
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, p_cell, people_cell, rounding_notes, value_cell
from reports.claims import say_population
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_count, format_interval, format_share, scale_of
from reports.reading import Row, Rows, pick, pick_one

_ASKED: Final = {
    "change": (mark("Change"), mark("Changes that the plan asked for: {measure}")),
    "difference": (mark("Difference"), mark("Differences that the plan asked for: {measure}")),
    "difference_in_change": (
        mark("Difference in change"),
        mark("Differences in change that the plan asked for: {measure}"),
    ),
    "difference_in_difference": (
        mark("Difference in difference"),
        mark("Differences in difference that the plan asked for: {measure}"),
    ),
    "departure": (mark("Departure"), mark("Departures that the plan asked for: {measure}")),
}
"""What the plan asks for -> heading of its column, and caption of its table."""
_UNITS: Final = {
    "points": mark("In points; below zero means lower."),
    "percent": mark("In percentage points; below zero means lower."),
}


def flow_table(rows: Rows, design: StudyDesign, plan: Plan) -> Table:
    """Return who took part, answered at each timepoint and entered each model, by arm."""
    if design.is_resampled:
        return _samples_table(rows, design, plan)
    told: list[Row | None] = [_flow(rows, "allocated", arm.id) for arm in design.arms]
    lines: list[tuple[str, ...]] = [(say("In the data that could be used"), *map(people_cell, told))]
    for timepoint in design.timepoints:
        told += [_flow(rows, "answered", arm.id, timepoint.id) for arm in design.arms]
        cells = (_response(rows, arm.id, timepoint.id) for arm in design.arms)
        lines.append((say("Answered at {timepoint}", timepoint=timepoint.label), *cells))
    for outcome in plan.outcomes:
        found = [
            pick_one(rows, analysis="flow", statistic="analysed", outcome=outcome.id, arm=arm.id) for arm in design.arms
        ]
        if any(found):
            told += found
            concept = plan.measure_of(outcome.id, design).concept
            lines.append((say("In the model of {concept}", concept=concept), *map(people_cell, found)))
    columns = (say("Step"), *(arm.label for arm in design.arms))
    return Table(say("People, by arm"), columns, tuple(lines), _count_notes(lines, told, plan))


def _samples_table(rows: Rows, design: StudyDesign, plan: Plan) -> Table:
    """Return how many people each sample holds, entered each model, and could be linked to another sample."""
    told: list[Row | None] = []
    lines: list[tuple[str, ...]] = []
    for at in design.timepoints:
        found = [_flow(rows, "answered", arm.id, at.id) for arm in design.arms]
        told += found
        lines.append((say("Surveyed at {timepoint}", timepoint=at.label), *map(people_cell, found)))
    for outcome in plan.outcomes:
        concept = plan.measure_of(outcome.id, design).concept
        steps = {
            ("analysed", at.id): say("In the model of {concept}: {timepoint}", concept=concept, timepoint=at.label)
            for at in design.timepoints
        }
        steps["linked", ""] = say("In the model of {concept}: linked across timepoints", concept=concept)
        for (statistic, timepoint), words in steps.items():
            where = {"statistic": statistic, "outcome": outcome.id, "timepoint": timepoint}
            found = [pick_one(rows, analysis="flow", arm=arm.id, **where) for arm in design.arms]
            if any(found):
                told += found
                lines.append((words, *map(people_cell, found)))
    columns = (say("Sample"), *(arm.label for arm in design.arms))
    return Table(say("People surveyed, by arm"), columns, tuple(lines), _count_notes(lines, told, plan))


def _count_notes(lines: list[tuple[str, ...]], told: Iterable[Row | None], plan: Plan) -> tuple[str, ...]:
    """Return how numbers of people are rounded, and what ``at least`` and ``not shown`` mean, where a cell says it."""
    profile = plan.small_numbers.protection
    notes = (*rounding_notes(profile), *mark_notes(tuple(lines)))
    if not any(row is not None and row.is_bounded for row in told):
        return notes
    return (
        say(
            "“At least”: fewer than {count} people separate this number from another one of the same arm, so it is not "
            "given exactly.",
            count=format_count(profile.threshold),
        ),
        *notes,
    )


def means_table(rows: Rows, design: StudyDesign, measure: Measure) -> Table:
    """Return marginal means with intervals by timepoint and arm: the numbers of the chart."""
    decimals = decimals_of(measure)
    lines = tuple(
        (
            timepoint.label,
            *(
                _mean(pick_one(rows, statistic="marginal_mean", arm=arm.id, timepoint=timepoint.id), decimals)
                for arm in design.arms
            ),
        )
        for timepoint in design.timepoints
    )
    return Table(
        say(
            "Model means of {measure}, in {unit}, with 95\u00a0% intervals",
            measure=measure.label,
            unit=scale_of(measure),
        ),
        (say("Timepoint"), *(arm.label for arm in design.arms)),
        lines,
        mark_notes(lines),
    )


def contrasts_table(rows: Rows, content: ReportContent, outcome: str, measure: Measure) -> Table:
    """Return what the plan asked of an outcome, a line per estimand with the answer or its lack; none without any."""
    decimals = decimals_of(measure)
    lines = []
    asked = tuple(estimand.id for estimand in content.plan.estimands if estimand.outcome == outcome)
    is_answered = bool(pick(rows, analysis="model", verdict="estimated", estimand=asked))
    for estimand in content.plan.estimands:
        row = pick_one(rows, estimand=estimand.id, analysis="model")
        if estimand.outcome != outcome or row is None or not is_answered:
            continue
        name = say_comparison(estimand, content)
        if row.verdict != "estimated":
            lines.append((name, say("not computed"), NOTHING, NOTHING, NOTHING))
            continue
        lines.append(
            (
                name,
                value_cell(row, decimals),
                interval_cell(row, decimals),
                p_cell(row, row.p_value),
                p_cell(row, row.p_adjusted),
            )
        )
    what, caption = _ASKED[_asked(content.design)]
    adjusted = say("Adjusted p: allowing for the questions that the plan groups together.")
    unit = say(_UNITS.get(measure.unit, mark("Below zero means lower.")))
    return Table(
        say(caption, measure=measure.label),
        (say("Comparison"), say(what), say(INTERVAL), say("p"), say("Adjusted p")),
        tuple(lines),
        (f"{adjusted} {unit}", *mark_notes(tuple(lines))),
    )


def say_comparison(estimand: Estimand, content: ReportContent) -> str:
    """Return what an estimand compares, when, and among whom."""
    design = content.design
    at = next(known.label for known in design.timepoints if known.id == estimand.timepoint)
    name = say_sides(design, estimand.compared)
    if not design.compares_timepoints:
        name = say("{timepoint}: {comparison}", timepoint=at, comparison=name)
    if content.plan.is_asked_twice(estimand):
        name = say("{comparison} ({estimand})", comparison=name, estimand=estimand.id)
    population = population_of(estimand, content.plan)
    if population is None:
        return name
    return say("{comparison}, among {population}", comparison=name, population=say_population(population, design))


def _asked(design: StudyDesign) -> str:
    if design.is_resampled and not design.compares_timepoints:
        return "difference_in_difference"
    if design.is_series:
        return "departure"
    if design.compares_unlike_arms:
        return "difference_in_change"
    return "change" if design.kind == "single_group" else "difference"


def is_told(table: Table) -> bool:
    """Tell whether any cell of a table, but the headers, holds something."""
    empty = (say(NOT_SHOWN), NOTHING)
    return any(cell not in empty for line in table.rows for cell in line[1:])


def observed_table(rows: Rows, design: StudyDesign, outcome: str, measure: Measure) -> Table:
    """Return what was observed before any model: people with a score, mean, standard deviation."""
    decimals = decimals_of(measure)
    lines = []
    for arm in design.arms:
        for timepoint in design.timepoints:
            found = {
                row.statistic: row
                for row in pick(rows, analysis="descriptive", outcome=outcome, arm=arm.id, timepoint=timepoint.id)
            }
            if found:
                lines.append(
                    (
                        say("{arm}, {timepoint}", arm=arm.label, timepoint=timepoint.label),
                        people_cell(found.get("observed")),
                        value_cell(found.get("mean"), decimals),
                        interval_cell(found.get("mean"), decimals),
                        value_cell(found.get("sd"), decimals),
                    )
                )
    where, people = say("Arm and timepoint"), say("People")
    if measure.unit == "percent":
        return Table(
            say("Observed shares: {measure}", measure=measure.label),
            (where, people, say("Percent"), say(INTERVAL)),
            tuple(line[:-1] for line in lines),
            mark_notes(tuple(line[:-1] for line in lines)),
        )
    return Table(
        say("Observed scores of {measure}, in {unit}", measure=measure.label, unit=scale_of(measure)),
        (where, people, say("Mean"), say(INTERVAL), say("SD")),
        tuple(lines),
        (say("SD: standard deviation."), *mark_notes(tuple(lines))),
    )


def _decimals_of_size(found: Mapping[str, Row]) -> int:
    """Return the decimals of a standardised change: one where the gate left no more, nor an interval."""
    size = found.get("standardised_change")
    return 1 if size is not None and size.conf_low != size.conf_low else 2


def changes_table(rows: Rows, design: StudyDesign, outcome: str, measure: Measure) -> Table:
    """Return the change from baseline within each arm, of the people who answered twice."""
    decimals = decimals_of(measure)
    lines = []
    for arm in design.arms:
        for timepoint in design.timepoints[1:]:
            found = {
                row.statistic: row
                for row in pick(rows, analysis="change_within_arm", outcome=outcome, arm=arm.id, timepoint=timepoint.id)
            }
            if change := found.get("mean_change"):
                since = say_less(timepoint.label, design.baseline.label)
                lines.append(
                    (
                        say("{arm}, {timepoint}", arm=arm.label, timepoint=since),
                        people_cell(change),
                        value_cell(change, decimals),
                        interval_cell(change, decimals),
                        value_cell(found.get("standardised_change"), _decimals_of_size(found)),
                    )
                )
    what = {"measure": measure.label, "unit": scale_of(measure)}
    if len(design.arms) > 1:
        caption = say("Change of {measure} within each arm, in {unit}", **what)
    else:
        caption = say("Change of {measure}, in {unit}", **what)
    return Table(
        caption,
        (say("Arm and timepoints"), say("People"), say("Mean change"), say(INTERVAL), say("In SDs of change")),
        tuple(lines),
        mark_notes(tuple(lines)),
    )


def composition_table(rows: Rows, design: StudyDesign, outcome: str) -> Table:
    """Return how far the people surveyed later differ from those surveyed at first, by covariate."""
    lines = []
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    for arm in design.arms:
        for timepoint in design.timepoints[1:]:
            found = pick(rows, analysis="composition", outcome=outcome, arm=arm.id, timepoint=timepoint.id)
            who = say_less(timepoint.label, design.baseline.label)
            if len(design.arms) > 1:
                who = say("{arm}, {timepoint}", arm=arm.label, timepoint=who)
            lines += [
                (say("{label}: {detail}", label=labels[row.item], detail=who), value_cell(row, 2)) for row in found
            ]
    notes = (
        say(
            "Standardised: over the average standard deviation; of a category the largest of its levels. At 0 the "
            "samples are alike; beyond 0.25, either way, they differ much, and adjusting for it leans on the form of "
            "the model."
        ),
        *mark_notes(tuple(lines)),
    )
    columns = (say("Of samples"), say("Standardised difference"))
    return Table(say("How the samples compare"), columns, tuple(lines), notes)


def _flow(rows: Rows, statistic: str, arm: str, timepoint: str = "") -> Row | None:
    return pick_one(rows, analysis="flow", statistic=statistic, arm=arm, timepoint=timepoint)


def say_response(answered: Row, allocated: Row) -> str:
    """Return ``98 (84 %)`` of those allocated, or as much of it as may be said."""
    if not allocated.is_exact or not (answered.is_exact or answered.is_bounded):
        return answered.people
    if answered.is_exact:
        share = format_share(answered.n, allocated.n)
        return say("{people} ({share})", people=answered.people, share=share)
    share = format_share(answered.at_least, allocated.n, at_least=True)
    return say("{people} ({share} or more)", people=answered.people, share=share)


def _response(rows: Rows, arm: str, timepoint: str) -> str:
    answered, allocated = _flow(rows, "answered", arm, timepoint), _flow(rows, "allocated", arm)
    return NOTHING if answered is None or allocated is None else say_response(answered, allocated)


def _mean(row: Row | None, decimals: int) -> str:
    if row is None:
        return NOTHING
    if not row.is_shown:
        return say(NOT_SHOWN)
    interval = format_interval(row.conf_low, row.conf_high, decimals)
    return say("{mean} ({interval})", mean=value_cell(row, decimals), interval=interval)


def say_sides(design: StudyDesign, sides: tuple[str, str]) -> str:
    """Return the two sides of a contrast of the plan by their labels, the second taken from the first."""
    labels = {name: say(label) for name, label in SIDE_LABELS.items()}
    labels |= {arm.id: arm.label for arm in design.arms} | {at.id: at.label for at in design.timepoints}
    first, second = (labels.get(side, side) for side in sides)
    return say_less(first, second)


def say_less(first: str, second: str) -> str:
    """Return ``26 weeks − Baseline``."""
    return say("{first} \u2212 {second}", first=first, second=second)

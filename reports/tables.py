"""Tables of people and outcomes: the numbers of the charts, from gated rows only."""

from __future__ import annotations

from analysis.design import SIDE_LABELS, Measure, StudyDesign
from analysis.plan import Plan
from analysis.populations import population_of
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, p_cell, people_cell, value_cell
from reports.claims import say_population
from reports.content import ReportContent
from reports.disclosure import THRESHOLD
from reports.numbers import (
    NOT_SHOWN,
    NOTHING,
    decimals_of,
    format_interval,
    format_share,
    scale_of,
    unit_of,
)
from reports.reading import Row, Rows, pick, pick_one


def flow_table(rows: Rows, design: StudyDesign, plan: Plan) -> Table:
    """Return who took part, answered at each timepoint and entered each model, by arm."""
    if design.is_resampled:
        return _samples_table(rows, design, plan)
    everybody = "In the data that could be used"
    lines: list[tuple[str, ...]] = [
        (everybody, *(people_cell(_flow(rows, "allocated", arm.id)) for arm in design.arms))
    ]
    for timepoint in design.timepoints:
        cells = (_response(rows, arm.id, timepoint.id) for arm in design.arms)
        lines.append((f"Answered at {timepoint.label}", *cells))
    for outcome in plan.outcomes:
        found = [
            pick_one(rows, analysis="flow", statistic="analysed", outcome=outcome.id, arm=arm.id) for arm in design.arms
        ]
        if any(found):
            concept = plan.measure_of(outcome.id, design).concept
            lines.append((f"In the model of {concept}", *(people_cell(row) for row in found)))
    return Table("People, by arm", ("Step", *(arm.label for arm in design.arms)), tuple(lines), _count_notes(lines))


def _samples_table(rows: Rows, design: StudyDesign, plan: Plan) -> Table:
    """Return how many people each sample holds, entered each model, and could be linked to another sample."""
    lines: list[tuple[str, ...]] = [
        (f"Surveyed at {at.label}", *(people_cell(_flow(rows, "answered", arm.id, at.id)) for arm in design.arms))
        for at in design.timepoints
    ]
    for outcome in plan.outcomes:
        concept = plan.measure_of(outcome.id, design).concept
        steps = {("analysed", at.id): f"In the model of {concept}: {at.label}" for at in design.timepoints}
        steps["linked", ""] = f"In the model of {concept}: linked across timepoints"
        for (statistic, timepoint), words in steps.items():
            where = {"statistic": statistic, "outcome": outcome.id, "timepoint": timepoint}
            found = [pick_one(rows, analysis="flow", arm=arm.id, **where) for arm in design.arms]
            if any(found):
                lines.append((words, *(people_cell(row) for row in found)))
    return Table(
        "People surveyed, by arm", ("Sample", *(arm.label for arm in design.arms)), tuple(lines), _count_notes(lines)
    )


def _count_notes(lines: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what ``at least`` and ``not shown`` mean, where a cell says it."""
    notes = list(mark_notes(tuple(lines)))
    if any(cell.startswith("at least") for line in lines for cell in line[1:]):
        notes.insert(
            0,
            f"\u201cAt least\u201d: fewer than {THRESHOLD} people separate this number from another one of "
            "the same arm, so it is not given exactly.",
        )
    return tuple(notes)


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
        f"Model means of {measure.label}, in {scale_of(measure)}, with {INTERVAL}s",
        ("Timepoint", *(arm.label for arm in design.arms)),
        lines,
        mark_notes(lines),
    )


def contrasts_table(rows: Rows, content: ReportContent, outcome: str, measure: Measure) -> Table:
    """Return what the plan asked of an outcome, one line per estimand, with the answer or its lack."""
    decimals = decimals_of(measure)
    lines = []
    for estimand in content.plan.estimands:
        row = pick_one(rows, estimand=estimand.id, analysis="model")
        if estimand.outcome != outcome or row is None:
            continue
        name = f"{_label(content.design, estimand.timepoint)}: {_compared(content.design, estimand.compared)}"
        if content.plan.is_asked_twice(estimand):
            name = f"{name} ({estimand.id})"
        population = population_of(estimand, content.plan)
        if population is not None:
            name = f"{name}, among {say_population(population, content.design)}"
        if row.verdict != "estimated":
            lines.append((name, "not computed", NOTHING, NOTHING, NOTHING))
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
    what = "Change" if content.design.kind == "single_group" else "Difference"
    if content.design.compares_unlike_arms:
        what = "Difference in change"
    if content.design.is_series:
        what = "Departure"
    if content.design.is_resampled and not content.design.compares_timepoints:
        what = "Difference in difference"
    unit = f" in{unit_of(measure)}" if unit_of(measure) else ""
    notes = (
        f"Adjusted p: allowing for the questions that the plan groups together. {what}s{unit}; below zero means lower.",
        *mark_notes(tuple(lines)),
    )
    return Table(
        f"{what}s that the plan asked for: {measure.label}",
        ("Comparison", what, INTERVAL, "p", "Adjusted p"),
        tuple(lines),
        notes,
    )


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
                        f"{arm.label}, {timepoint.label}",
                        people_cell(found.get("observed")),
                        value_cell(found.get("mean"), decimals),
                        interval_cell(found.get("mean"), decimals),
                        value_cell(found.get("sd"), decimals),
                    )
                )
    if measure.unit == "percent":
        return Table(
            f"Observed shares: {measure.label}",
            ("Arm and timepoint", "People", "Percent", INTERVAL),
            tuple(line[:-1] for line in lines),
            mark_notes(tuple(line[:-1] for line in lines)),
        )
    return Table(
        f"Observed scores: {measure.label}",
        ("Arm and timepoint", "People", "Mean", INTERVAL, "SD"),
        tuple(lines),
        ("SD: standard deviation.", *mark_notes(tuple(lines))),
    )


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
                lines.append(
                    (
                        f"{arm.label}, {timepoint.label} \u2212 {design.baseline.label}",
                        people_cell(change),
                        value_cell(change, decimals),
                        interval_cell(change, decimals),
                        value_cell(found.get("standardised_change"), 2),
                    )
                )
    return Table(
        f"Change within each arm: {measure.label}",
        ("Arm and timepoints", "People", "Mean change", INTERVAL, "In SDs of change"),
        tuple(lines),
        mark_notes(tuple(lines)),
    )


def composition_table(rows: Rows, design: StudyDesign, outcome: str) -> Table:
    """Return how far the people surveyed later differ from those surveyed at first, by covariate."""
    lines = []
    for arm in design.arms:
        for timepoint in design.timepoints[1:]:
            found = pick(rows, analysis="composition", outcome=outcome, arm=arm.id, timepoint=timepoint.id)
            labels = {covariate.id: covariate.label for covariate in design.covariates}
            whose = f"{arm.label}, " if len(design.arms) > 1 else ""
            who = f"{whose}{timepoint.label} \u2212 {design.baseline.label}"
            lines += [(f"{labels[row.item]}: {who}", value_cell(row, 2)) for row in found]
    notes = (
        "Standardised: over the average standard deviation; of a category the largest of its levels. At 0 the samples "
        "are alike; beyond 0.25, either way, they differ much, and adjusting for it leans on the form of the model.",
        *mark_notes(tuple(lines)),
    )
    return Table("How the samples compare", ("Of samples", "Standardised difference"), tuple(lines), notes)


def _flow(rows: Rows, statistic: str, arm: str, timepoint: str = "") -> Row | None:
    return pick_one(rows, analysis="flow", statistic=statistic, arm=arm, timepoint=timepoint)


def say_response(answered: Row, allocated: Row) -> str:
    """Return ``98 (84 %)`` of those allocated, or as much of it as may be said."""
    text = answered.people
    if not allocated.is_exact or text == NOT_SHOWN:
        return text
    if answered.is_exact:
        return f"{text} ({format_share(answered.n, allocated.n)})"
    return f"{text} ({format_share(answered.at_least, allocated.n, at_least=True)} or more)"


def _response(rows: Rows, arm: str, timepoint: str) -> str:
    answered, allocated = _flow(rows, "answered", arm, timepoint), _flow(rows, "allocated", arm)
    return NOTHING if answered is None or allocated is None else say_response(answered, allocated)


def _mean(row: Row | None, decimals: int) -> str:
    if row is None:
        return NOTHING
    if not row.is_shown:
        return NOT_SHOWN
    return f"{value_cell(row, decimals)} ({format_interval(row.conf_low, row.conf_high, decimals)})"


def _compared(design: StudyDesign, sides: tuple[str, str]) -> str:
    times = {time.id: time.label for time in design.timepoints}
    labels = SIDE_LABELS | {arm.id: arm.label for arm in design.arms} | times
    return " \u2212 ".join(labels[side] for side in sides)


def _label(design: StudyDesign, timepoint: str) -> str:
    return next(known.label for known in design.timepoints if known.id == timepoint)

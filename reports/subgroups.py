"""For whom, and by which way: planned characteristics in words, the interaction first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Covariate
from analysis.plan import Estimand
from analysis.plan_parts import Mediation, Subgroup
from analysis.subgroups_part import INTERACTION
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claims import WITHHELD, say_size
from reports.content import ReportContent
from reports.numbers import decimals_of, format_p
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

ALIKE: Final = (
    "Where the difference between levels is not clear, the numbers of the levels are no reason to treat people "
    "differently: by chance alone they never come out equal."
)
EXPLORATORY: Final = (
    "Exploratory: chance formed the arms, and not the way in between. Whatever bears on both the way and the outcome "
    "would give the same picture, so this is a hint for the next study and no finding."
)
LATER: Final = "Not pre-specified: it was not in the plan that was frozen before outcomes were read. Reason given:"
_PATHS: Final = (("total", "In all"), ("indirect", "By this way"), ("direct", "By any other"))
SIGNIFICANCE: Final = 0.05


def say_subgroups(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return the planned characteristics, or that the plan names none, and the planned ways.

    Parameters
    ----------
    rows, content : tuple of Row, ReportContent
        Gated results, labels and design.
    """
    plan = content.plan
    if not plan.subgroups:
        none = "The plan names no characteristic by which people might differ, so none was looked at."
        blocks = [Block(heading="For whom", sentences=(none,))]
    else:
        blocks = [_say_subgroup(subgroup, rows, content) for subgroup in plan.subgroups]
    return (*blocks, *(_say_mediation(mediation, rows, content) for mediation in plan.mediation))


def _say_subgroup(subgroup: Subgroup, rows: Rows, content: ReportContent) -> Block:
    estimand = next(each for each in content.plan.estimands if each.id == subgroup.estimand)
    covariate = next(each for each in content.design.covariates if each.id == subgroup.covariate)
    own = [
        row
        for row in pick(rows, analysis="subgroups", estimand=estimand.id)
        if row.item == covariate.id or row.item.startswith(f"{covariate.id}=")
    ]
    interaction = pick_one(own, statistic=INTERACTION)
    levels = pick(own, statistic="difference")
    measure = content.plan.measure_of(estimand.outcome, content.design)
    title = f"{covariate.label}: {measure.concept} at {_at(estimand, content)}"
    if interaction is None or interaction.verdict != "estimated":
        why = interaction.method if interaction is not None else "The results hold no row for it."
        return Block(heading=title, sentences=(f"Whether it differs by this was not computed. {why}",))
    if interaction.hidden:
        return Block(heading=title, sentences=(f"Whether it differs by this is not shown: {WITHHELD}.",))
    return Block(
        heading=title,
        sentences=(
            _say_interaction(interaction, covariate, content, estimand),
            f"Planned because: {subgroup.reason}" if interaction.prespecified else f"{LATER} {subgroup.reason}",
        ),
        tables=(_table(levels, covariate, content, estimand),) if levels else (),
        caution=ALIKE,
    )


def _say_interaction(row: Row, covariate: Covariate, content: ReportContent, estimand: Estimand) -> str:
    measure = content.plan.measure_of(estimand.outcome, content.design)
    what = "change" if content.design.compares_timepoints else "difference"
    is_clear = row.p_value < SIGNIFICANCE
    lead = f"The {what} was not the same" if is_clear else f"No clear sign that the {what} is not the same"
    if row.value != row.value:
        return f"{lead} at all levels (joint test, p = {format_p(row.p_value)})."
    if not covariate.levels:
        return f"{lead} at all values: per standard deviation it was {say_size(row, measure)}."
    first, second = (covariate.levels[0], covariate.levels[1])
    pair = row.method.split(" less ")
    second, first = pair if len(pair) == 2 else (second, first)
    return f"{lead} at both levels: compared with {first}, among {second} it was {say_size(row, measure)}."


def _table(levels: Rows, covariate: Covariate, content: ReportContent, estimand: Estimand) -> Table:
    decimals = decimals_of(content.plan.measure_of(estimand.outcome, content.design))
    lines = tuple(
        (row.item.removeprefix(f"{covariate.id}="), value_cell(row, decimals), interval_cell(row, decimals))
        for row in levels
    )
    what = "Change" if content.design.compares_timepoints else "Difference"
    caption = f"{what} at each level of {covariate.label}"
    return Table(caption, (covariate.label, what, INTERVAL), lines, mark_notes(lines))


def _say_mediation(mediation: Mediation, rows: Rows, content: ReportContent) -> Block:
    estimand = next(each for each in content.plan.estimands if each.id == mediation.estimand)
    measure = content.plan.measure_of(estimand.outcome, content.design)
    way = content.plan.measure_of(mediation.mediator, content.design)
    title = f"By way of {way.concept}: {measure.concept} at {_at(estimand, content)}"
    own = pick(rows, analysis="mediation", estimand=estimand.id, item=f"{mediation.mediator} at {mediation.timepoint}")
    indirect = pick_one(own, statistic="indirect")
    if indirect is None or indirect.verdict != "estimated":
        why = indirect.method if indirect is not None else "The results hold no row for it."
        return Block(heading=title, sentences=(f"This was not computed. {why}",))
    if indirect.hidden:
        return Block(heading=title, sentences=(f"This is not shown: {WITHHELD}.",))
    lead = (
        f"The {measure.concept} of the arms at {_at(estimand, content)}, and what of it went along with {way.concept}:"
    )
    return Block(heading=title, sentences=(lead,), items=tuple(_say_paths(own, content, estimand)), caution=EXPLORATORY)


def _say_paths(own: Rows, content: ReportContent, estimand: Estimand) -> Iterator[str]:
    measure = content.plan.measure_of(estimand.outcome, content.design)
    for statistic, words in _PATHS:
        row = pick_one(own, statistic=statistic)
        if row is not None and row.is_shown:
            yield f"{words}: {say_size(row, measure)}."


def _at(estimand: Estimand, content: ReportContent) -> str:
    return next(timepoint.label for timepoint in content.design.timepoints if timepoint.id == estimand.timepoint)

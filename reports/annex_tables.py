"""Tables of the method annex, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis.design import StudyDesign
from reports.cells import INTERVAL, Table, mark_notes, rounding_notes, value_cell
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.gated_rows import REVEALING
from reports.language import say, say_many
from reports.numbers import NOTHING, format_count, format_interval, format_number, format_p
from reports.reading import Row, Rows, pick
from reports.statistic_names import say_statistic, say_verdict
from reports.tables import say_sides


def estimates_table(rows: Rows, content: ReportContent) -> Table:
    """Return every estimate and description of the results, as computed and gated."""
    plan, design = content.plan, content.design
    found = pick(rows, analysis=("descriptive", "change_within_arm", "model"))
    told = [row for row in found if row.statistic != "observed"]  # how many people: in the column of people
    labels = {outcome.id: plan.measure_of(outcome.id, design).label for outcome in plan.outcomes}
    times = {timepoint.id: timepoint.label for timepoint in design.timepoints}
    lines = tuple(
        (
            say(
                "{measure}: {statistic}",
                measure=labels.get(row.outcome, row.outcome),
                statistic=say_statistic(row, design),
            ),
            _whose(row, design),
            times.get(row.timepoint, NOTHING),
            value_cell(row, _decimals(row)),
            format_number(row.std_error, 3),
            format_number(row.df, 1),
            format_interval(row.conf_low, row.conf_high, _decimals(row)),
            format_p(row.p_value),
            format_p(row.p_adjusted),
            row.people if row.is_exact or row.is_bounded else NOTHING,
            say_verdict(row),
        )
        for row in told
        if not (_is_withheld_parameter(row) or _is_withheld_description(row))
    )
    columns = (
        say("Statistic"),
        say("Arm or contrast"),
        say("Timepoint"),
        say("Value"),
        say("Standard error"),
        say("df"),
        say(INTERVAL),
        say("p"),
        say("Adjusted p"),
        say("People"),
        say("Verdict"),
    )
    rounded = rounding_notes(plan.small_numbers.protection)
    notes = (*rounded, *_say_withheld(told), *_say_undescribed(told), *_say_people(told), *mark_notes(lines))
    return Table(say("All estimates"), columns, lines, notes)


def _say_people(told: list[Row]) -> tuple[str, ...]:
    """Return of whom the people of a difference are; nothing where there is none between arms."""
    if not any(row.statistic == "difference" and row.is_shown for row in told):
        return ()
    return (say("People of a difference between arms: those of the arm with fewer."),)


def _is_withheld_parameter(row: Row) -> bool:
    """Tell whether a row is of a parameter of a model, of no arm and no contrast, that the gate took out."""
    return row.hidden and row.analysis == "model" and not (row.arm or row.contrast)


def _is_withheld_description(row: Row) -> bool:
    """Tell whether a row is a description of the scores of an arm that the gate took out."""
    return row.hidden and row.analysis in ("descriptive", "change_within_arm")


def _say_undescribed(told: list[Row]) -> tuple[str, ...]:
    """Return that descriptions have no line; nothing where all have one."""
    count = sum(map(_is_withheld_description, told))
    if not count:
        return ()
    return (
        say_many(
            "{count} mean, standard deviation or change of scores has no line: {reason}.",
            "{count} means, standard deviations and changes of scores have no line: {reason}.",
            count,
            count=format_count(count),
            reason=say(WITHHELD),
        ),
    )


def _say_withheld(told: list[Row]) -> tuple[str, ...]:
    """Return that parameters of models have no line; nothing where all have one."""
    count = sum(map(_is_withheld_parameter, told))
    if not count:
        return ()
    return (
        say_many(
            "{count} parameter of the models (variances, covariances, correlations, fit) has no line: {reason}.",
            "{count} parameters of the models (variances, covariances, correlations, fit) have no line: {reason}.",
            count,
            count=format_count(count),
            reason=say(WITHHELD),
        ),
    )


def _whose(row: Row, design: StudyDesign) -> str:
    """Return the arm that a number is of, or what it compares."""
    if row.arm:
        return next((arm.label for arm in design.arms if arm.id == row.arm), row.arm)
    first, _, second = row.contrast.partition(" - ")
    return say_sides(design, (first, second)) if second else NOTHING


def versions_table(versions: Mapping[str, str], caption: str, columns: tuple[str, str]) -> Table:
    """Return names with versions or fingerprints."""
    return Table(caption, columns, tuple((name, value) for name, value in versions.items()), is_text=True)


def _decimals(row: Row) -> int:
    """Return how many decimals are printed: one where the gate left no more of an estimate."""
    numbers = [number for number in (row.value, row.conf_low, row.conf_high) if math.isfinite(number)]
    is_blurred = math.isnan(row.std_error) and (math.isfinite(row.conf_low) or row.statistic in REVEALING)
    return 1 if is_blurred and all(round(number, 1) == number for number in numbers) else 2

"""Tables of the method annex, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from analysis.design import StudyDesign
from reports.cells import INTERVAL, Table, mark_notes
from reports.content import ReportContent
from reports.language import say
from reports.numbers import NOT_SHOWN, NOTHING, format_interval, format_number, format_p
from reports.reading import Row, Rows, pick
from reports.statistic_names import say_statistic, say_verdict
from reports.tables import say_sides


def estimates_table(rows: Rows, content: ReportContent) -> Table:
    """Return every estimate and description of the results, as computed and gated."""
    plan, design = content.plan, content.design
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
            say(NOT_SHOWN) if row.hidden else format_number(row.value, 1 if is_blurred(row) else 2),
            format_number(row.std_error, 3),
            format_number(row.df, 1),
            format_interval(row.conf_low, row.conf_high, 1 if is_blurred(row) else 2),
            format_p(row.p_value),
            format_p(row.p_adjusted),
            row.people if row.is_exact or row.is_bounded else NOTHING,
            say_verdict(row),
        )
        for row in pick(rows, analysis=("descriptive", "change_within_arm", "model"))
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
    return Table(say("All estimates"), columns, lines, mark_notes(lines))


def _whose(row: Row, design: StudyDesign) -> str:
    """Return the arm that a number is of, or what it compares."""
    if row.arm:
        return next((arm.label for arm in design.arms if arm.id == row.arm), row.arm)
    first, _, second = row.contrast.partition(" - ")
    return say_sides(design, (first, second)) if second else NOTHING


def versions_table(versions: Mapping[str, str], caption: str, columns: tuple[str, str]) -> Table:
    """Return names with versions or fingerprints."""
    return Table(caption, columns, tuple((name, value) for name, value in versions.items()))


def is_blurred(row: Row) -> bool:
    """Tell whether the gate left few digits of an estimate."""
    return math.isfinite(row.conf_low) and math.isnan(row.std_error)

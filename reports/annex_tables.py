"""Tables of the method annex, from gated rows only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from reports.cells import INTERVAL, Table, mark_notes
from reports.content import ReportContent
from reports.numbers import NOT_SHOWN, NOTHING, format_interval, format_number, format_p
from reports.reading import Row, Rows, pick


def estimates_table(rows: Rows, content: ReportContent) -> Table:
    """Return every estimate and description of the results, as computed and gated."""
    plan = content.plan
    labels = {outcome.id: plan.measure_of(outcome.id, content.design).label for outcome in plan.outcomes}
    arms = {arm.id: arm.label for arm in content.design.arms}
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    lines = tuple(
        (
            f"{labels.get(row.outcome, row.outcome)}: {row.statistic.replace('_', ' ')}",
            arms.get(row.arm, row.contrast) or NOTHING,
            times.get(row.timepoint, NOTHING),
            NOT_SHOWN if row.hidden else format_number(row.value, 1 if is_blurred(row) else 2),
            format_number(row.std_error, 3),
            format_number(row.df, 1),
            format_interval(row.conf_low, row.conf_high, 1 if is_blurred(row) else 2),
            format_p(row.p_value),
            format_p(row.p_adjusted),
            row.people if row.is_exact or row.at_least == row.at_least else NOTHING,
            row.verdict.replace("_", " "),
        )
        for row in pick(rows, analysis=("descriptive", "change_within_arm", "model"))
    )
    return Table(
        "All estimates",
        (
            "Statistic",
            "Arm or contrast",
            "Timepoint",
            "Value",
            "Standard error",
            "df",
            INTERVAL,
            "p",
            "Adjusted p",
            "People",
            "Verdict",
        ),
        lines,
        mark_notes(lines),
    )


def versions_table(versions: Mapping[str, str], caption: str, columns: tuple[str, str]) -> Table:
    """Return names with versions or fingerprints."""
    return Table(caption, columns, tuple((name, value) for name, value in versions.items()))


def is_blurred(row: Row) -> bool:
    """Tell whether the gate left few digits of an estimate."""
    return math.isfinite(row.conf_low) and math.isnan(row.std_error)

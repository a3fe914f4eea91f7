"""How large differences and changes are in standard deviations, from gated rows only."""

from __future__ import annotations

from typing import Final

from analysis.design import SIDE_LABELS
from analysis.size_part import CHANGE, DIFFERENCE
from reports.cells import INTERVAL, Table, mark_notes, value_cell
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import MINUS, NOT_SHOWN, NOTHING, format_interval
from reports.reading import Rows, pick

_SIZE_NOTE: Final = mark(
    "In standard deviations of the scores at {timepoint}, so that instruments can be held beside each other. "
    "Researchers often call 0.2 small, 0.5 medium and 0.8 large (Cohen 1988); that is a convention, and whether it "
    "matters to people is another question."
)


def tabulate_sizes(rows: Rows, content: ReportContent) -> Table | None:
    """Return the standardised size of each estimand.

    Parameters
    ----------
    rows : tuple of Row
        Gated results of the analysis ``size``.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Table or None
        None where no size was estimated.
    """
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    sides = {side: say(words) for side, words in SIDE_LABELS.items()}
    labels = sides | times | {arm.id: arm.label for arm in content.design.arms}
    shown = [row for row in pick(rows, statistic=(DIFFERENCE, CHANGE)) if row.verdict == "estimated"]
    if not shown:
        return None
    lines = []
    for row in shown:
        estimand = next(each for each in content.plan.estimands if each.id == row.estimand)
        compared = f" {MINUS} ".join(labels[side] for side in row.contrast.split(" - "))
        if not content.design.compares_timepoints:
            compared = say("{comparison}, {timepoint}", comparison=compared, timepoint=times[row.timepoint])
        if content.plan.is_asked_twice(estimand):
            compared = say("{comparison} ({estimand})", comparison=compared, estimand=row.estimand)
        cells = (
            (value_cell(row, 2), format_interval(row.conf_low, row.conf_high, 2))
            if row.is_shown
            else (say(NOT_SHOWN), NOTHING)
        )
        lines.append((compared, *cells))
    note = say(_SIZE_NOTE, timepoint=content.design.baseline.label)
    columns = (say("Comparison"), say("Standardised size"), say(INTERVAL))
    caption = say("Size in standard deviations, whatever the instrument")
    return Table(caption, columns, tuple(lines), (note, *mark_notes(tuple(lines))))

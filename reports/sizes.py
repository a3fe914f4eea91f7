"""How large differences and changes are in standard deviations, from gated rows only."""

from __future__ import annotations

import math
from typing import Final

from analysis.design import SIDE_LABELS
from analysis.size_part import CHANGE, DIFFERENCE
from reports.cells import INTERVAL, Table, mark_notes, value_cell
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import MINUS, NOT_SHOWN, NOTHING, format_interval
from reports.reading import Row, Rows, pick

_SIZE_NOTE: Final = mark(
    "In standard deviations of the scores at {timepoint}, so that instruments can be held beside each other. The words "
    "are conventions (Cohen 1988): below 0.2 very small, below 0.5 small, below 0.8 medium. Whether it matters to "
    "people is another question."
)
_SIZES: Final = (
    (0.2, mark("very small"), mark("very small, but not clear which way")),
    (0.5, mark("small"), mark("small, but not clear which way")),
    (0.8, mark("medium"), mark("medium, but not clear which way")),
    (math.inf, mark("large"), mark("large, but not clear which way")),
)
"""Conventions of Cohen (1988); each word holds below its limit, the second one where the interval holds zero."""


def tabulate_sizes(rows: Rows, content: ReportContent) -> Table | None:
    """Return the standardised size of each estimand, with a word for it.

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
            (value_cell(row, 2), format_interval(row.conf_low, row.conf_high, 2), _size_word(row))
            if row.is_shown
            else (say(NOT_SHOWN), NOTHING, NOTHING)
        )
        lines.append((compared, *cells))
    note = say(_SIZE_NOTE, timepoint=content.design.baseline.label)
    columns = (say("Comparison"), say("Standardised size"), say(INTERVAL), say("In words"))
    caption = say("How large it is, whatever the instrument")
    return Table(caption, columns, tuple(lines), (note, *mark_notes(tuple(lines))))


def _size_word(row: Row) -> str:
    clear, unclear = next(words for limit, *words in _SIZES if abs(row.value) < limit)
    return say(unclear) if row.conf_low <= 0 <= row.conf_high else say(clear)

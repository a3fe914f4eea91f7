"""The instruments in this sample, from gated rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from analysis.design import Measure, StudyDesign
from instruments.wording import item_label
from reports.cells import INTERVAL, Table, count_cell, interval_cell, mark_notes, value_cell
from reports.content import ReportContent
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_number
from reports.reading import Row, Rows, pick, pick_one

_MEASUREMENT: Final = (
    "Measure",
    "Alpha",
    INTERVAL,
    "Omega",
    "At the lowest score",
    "At the highest",
    "Reliable change",
)
_NO_MODEL: Final = ("refused:too_few_items",)
"""Reasons against a factor model that say nothing of the sample."""


def instrument_tables(rows: Rows, content: ReportContent) -> tuple[Table, ...]:
    """Return the tables that hold anything."""
    design = content.design
    tables = (
        measurement_table(rows, design),
        sameness_table(rows, design),
        agreement_table(rows, design),
        *item_tables(rows, content),
    )
    return tuple(table for table in tables if table.rows)


def measurement_table(rows: Rows, design: StudyDesign) -> Table:
    """Return reliability, ends of the range and the change that exceeds measurement error."""
    lines = []
    for measure, timepoint, label in _occasions(design):
        own = pick(rows, analysis="reliability", outcome=measure.id, timepoint=timepoint)
        by_name = {row.statistic: row for row in own}
        alpha = by_name.get("cronbach_alpha")
        if alpha is None:
            continue
        is_refused = alpha.verdict.startswith("refused")
        lines.append(
            (
                f"{measure.label}, {label}",
                alpha.method if is_refused else value_cell(alpha, 2),
                NOTHING if is_refused else interval_cell(alpha, 2),
                _number(by_name.get("omega_total"), 2),
                _percent(by_name.get("score_floor_share")),
                _percent(by_name.get("score_ceiling_share")),
                _number(by_name.get("reliable_change"), decimals_of(measure)),
            )
        )
    told = _columns_told(design, lines)
    cells = tuple(tuple(line[place] for place in told) for line in lines)
    note = "Alpha and omega say how well items agree (1 is best)."
    if not design.is_resampled:
        note += (
            " A change of one participant beyond the reliable change, in points, exceeds measurement error in 95 of "
            "100 cases."
        )
    columns = tuple(_MEASUREMENT[place] for place in told)
    return Table("The measures in this sample", columns, cells, (note, *mark_notes(cells)))


def _columns_told(design: StudyDesign, lines: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the columns but those without anything in them, and the change of people where nobody is followed."""
    empty = _MEASUREMENT.index(INTERVAL) if all(line[2] == NOTHING for line in lines) else None
    unfollowed = _MEASUREMENT.index("Reliable change") if design.is_resampled else None
    return [place for place in range(len(_MEASUREMENT)) if place not in (empty, unfollowed)]


def sameness_table(rows: Rows, design: StudyDesign) -> Table:
    """Return whether items meant the same at baseline and later, in words, and items that run against the others."""
    lines = []
    for measure, timepoint, label in _occasions(design):
        level = pick_one(rows, statistic="invariance_level", outcome=measure.id, timepoint=timepoint)
        against = pick_one(rows, statistic="negative_item_rest_correlations", outcome=measure.id, timepoint=timepoint)
        told = [row.method for row in (level,) if row is not None and not row.hidden and row.verdict not in _NO_MODEL]
        told += [row.method for row in (against,) if row is not None and not row.hidden and row.value > 0]
        lines += [(f"{measure.label}, {label}", words) for words in told]
    return Table("Whether items meant the same at baseline and later", ("Measure", "Found"), tuple(lines))


def agreement_table(rows: Rows, design: StudyDesign) -> Table:
    """Return how delivered totals compare with ours, and the rules that they obey."""
    lines = []
    for measure_id, measure in design.measures.items():
        found = {row.statistic: row for row in pick(rows, analysis="score_agreement", outcome=measure_id)}
        if found:
            rules = [row.method for row in pick(rows, analysis="score_audit", outcome=measure_id) if not row.hidden]
            counts = (count_cell(found.get(name)) for name in ("compared", "equal", "different"))
            lines.append((measure.label, *counts, " ".join(rules) or NOTHING))
    return Table(
        "Totals that came with the data, held against ours",
        ("Measure", "Compared", "Equal", "Different", "What they follow"),
        tuple(lines),
        mark_notes(tuple(lines)),
    )


def item_tables(rows: Rows, content: ReportContent) -> Iterator[Table]:
    """Yield the items of each measure at baseline, by their wording where it was brought, else by our concepts."""
    baseline = content.design.baseline
    for measure in content.design.measures.values():
        own = pick(rows, analysis="items", outcome=measure.id, timepoint=baseline.id)
        if not any(row.is_shown for row in own):
            continue
        instrument = content.instruments[measure.instrument or ""]
        wording = content.wording.get(instrument.id)
        shown = [name for name in _ITEM_COLUMNS if any(row.is_shown and row.statistic == name for row in own)]
        lines = tuple(
            (f"{item.id} {item_label(item, wording)}", *(_ITEM_COLUMNS[name][1](by_name.get(name)) for name in shown))
            for item in instrument.items
            for by_name in [{row.statistic: row for row in own if row.item == item.id}]
            if by_name
        )
        words = wording.holder if wording else "our own short concepts; the wording is its owner's"
        yield Table(
            f"{measure.label}: items at {baseline.label}",
            ("Item", *(_ITEM_COLUMNS[name][0] for name in shown)),
            lines,
            (f"Items as worded by: {words}. Reversed items are turned.", *mark_notes(lines)),
        )


def _occasions(design: StudyDesign) -> Iterator[tuple[Measure, str, str]]:
    for measure in design.measures.values():
        for timepoint in design.timepoints:
            yield measure, timepoint.id, timepoint.label


def _number(row: Row | None, decimals: int) -> str:
    return NOTHING if row is not None and row.verdict.startswith("refused") else value_cell(row, decimals)


def _percent(row: Row | None) -> str:
    if row is None or row.verdict.startswith("refused"):
        return NOTHING
    return NOT_SHOWN if row.hidden else f"{format_number(100 * row.value, 0)} %" if row.is_shown else row.method


_ITEM_COLUMNS: Final[dict[str, tuple[str, Callable[[Row | None], str]]]] = {
    "mean": ("Mean", partial(value_cell, decimals=1)),
    "floor_share": ("Lowest answer", _percent),
    "ceiling_share": ("Highest answer", _percent),
    "item_rest_correlation": ("With the other items", partial(value_cell, decimals=2)),
    "alpha_if_dropped": ("Alpha without it", partial(value_cell, decimals=2)),
}
"""Statistic of items -> its column, which stands where the gate leaves any of it, and how it is written."""

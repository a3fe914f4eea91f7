"""The instruments in this sample, from gated rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from analysis.design import Measure, StudyDesign
from instruments.wording import item_label
from reports.cells import INTERVAL, Table, count_cell, interval_cell, mark_notes, value_cell
from reports.content import ReportContent
from reports.language import mark, say, say_list
from reports.measurement_gate import FEWEST_MEASURED
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_count, format_percent
from reports.reading import Row, Rows, pick, pick_one

_RELIABLE_CHANGE: Final = mark("Reliable change")
_MEASUREMENT: Final = (
    mark("Measure"),
    mark("Alpha"),
    INTERVAL,
    mark("Omega"),
    mark("At the lowest score"),
    mark("At the highest"),
    _RELIABLE_CHANGE,
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
    lines: list[tuple[str, ...]] = []
    refused: dict[str, None] = {}
    for measure, timepoint, label in _occasions(design):
        own = pick(rows, analysis="reliability", outcome=measure.id, timepoint=timepoint)
        by_name = {row.statistic: row for row in own}
        alpha = by_name.get("cronbach_alpha")
        if alpha is None:
            continue
        is_refused = alpha.verdict.startswith("refused")
        if is_refused:
            refused[say("{label}: {detail}", label=measure.label, detail=alpha.told)] = None
        lines.append(
            (
                _say_occasion(measure, label),
                NOTHING if is_refused else value_cell(alpha, 2),
                NOTHING if is_refused else interval_cell(alpha, 2),
                _number(by_name.get("omega_total"), 2),
                _percent(by_name.get("score_floor_share")),
                _percent(by_name.get("score_ceiling_share")),
                _number(by_name.get("reliable_change"), decimals_of(measure)),
            )
        )
    told = _columns_told(design, lines)
    cells = tuple(tuple(line[place] for place in told) for line in lines)
    note = say("Alpha and omega say how well items agree (1 is best).")
    if not design.is_resampled:
        beyond = say(
            "Reliable change: by how many points the scores of a person whose true score stays the same differ at most "
            "in 95 of 100 cases, from alpha and the spread in this sample. Where the plan declares a retest "
            "correlation, cards count by that one instead."
        )
        note = f"{note} {beyond}"
    columns = tuple(say(_MEASUREMENT[place]) for place in told)
    notes = (note, *say_few_people(rows, design), *refused, *mark_notes(cells))
    return Table(say("The measures in this sample"), columns, cells, notes)


def say_few_people(rows: Rows, design: StudyDesign) -> tuple[str, ...]:
    """Return of which measures an alpha that is shown comes from few people; nothing where none does.

    Few is fewer than `FEWEST_MEASURED`. Thirty are enough for an unbiased alpha only where items agree so much that
    their largest eigenvalue is beyond 6 (Yurdugul 2008, Hacettepe University Journal of Education 35, 397-405), which
    short instruments do not reach. That the gate keeps omega inside says that there are so few, as does their number
    where it may be told.
    """
    few: dict[str, None] = {}
    for measure, timepoint, _ in _occasions(design):
        own = pick(rows, analysis="reliability", outcome=measure.id, timepoint=timepoint)
        alpha, omega = (pick_one(own, statistic=name) for name in ("cronbach_alpha", "omega_total"))
        is_held_back = omega is not None and omega.hidden
        if alpha is not None and alpha.is_shown and (is_held_back or alpha.n < FEWEST_MEASURED):
            few[measure.label] = None
    if not few:
        return ()
    count = format_count(FEWEST_MEASURED)
    # i18n: alpha is Cronbach's alpha, how well items agree
    return (
        say(
            "At one timepoint at least, fewer than {count} people are behind the alpha of {measures}: it is uncertain, "
            "and could be quite different with other people.",
            count=count,
            measures=say_list(few),
        ),
    )


def _columns_told(design: StudyDesign, lines: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the columns but those without anything in them, and the change of people where nobody is followed."""
    empty = _MEASUREMENT.index(INTERVAL) if all(line[2] == NOTHING for line in lines) else None
    unfollowed = _MEASUREMENT.index(_RELIABLE_CHANGE) if design.is_resampled else None
    return [place for place in range(len(_MEASUREMENT)) if place not in (empty, unfollowed)]


def sameness_table(rows: Rows, design: StudyDesign) -> Table:
    """Return whether items meant the same at baseline and later, in words, and items that run against the others.

    Timepoints of a measure of which the same was found share a line.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for measure, timepoint, label in _occasions(design):
        level = pick_one(rows, statistic="invariance_level", outcome=measure.id, timepoint=timepoint)
        against = pick_one(rows, statistic="negative_item_rest_correlations", outcome=measure.id, timepoint=timepoint)
        told = [row.told for row in (level,) if row is not None and not row.hidden and row.verdict not in _NO_MODEL]
        told += [row.told for row in (against,) if row is not None and not row.hidden and row.value > 0]
        for words in told:
            found.setdefault((measure.label, words), []).append(label)
    lines = tuple(
        (say("{measure}, {timepoint}", measure=measure, timepoint=say_list(labels)), words)
        for (measure, words), labels in found.items()
    )
    columns = (say("Measure"), say("Found"))
    return Table(say("Whether items meant the same at baseline and later"), columns, lines)


def agreement_table(rows: Rows, design: StudyDesign) -> Table:
    """Return how delivered totals compare with ours, and the rules that they obey."""
    lines = []
    for measure_id, measure in design.measures.items():
        found = {row.statistic: row for row in pick(rows, analysis="score_agreement", outcome=measure_id)}
        if found:
            rules = [row.told for row in pick(rows, analysis="score_audit", outcome=measure_id) if not row.hidden]
            counts = (count_cell(found.get(name)) for name in ("compared", "equal", "different"))
            lines.append((measure.label, *counts, " ".join(rules) or NOTHING))
    return Table(
        say("Totals that came with the data, held against ours"),
        (say("Measure"), say("Compared"), say("Equal"), say("Different"), say("What they follow")),
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
        whose = (
            say("The words of the items are those of: {holder}. Reversed items are turned.", holder=wording.holder)
            if wording
            else say(
                "Items stand here by what they are about, in our own words; the wording is its owner's. Reversed items "
                "are turned."
            )
        )
        yield Table(
            say("{measure}: items at {timepoint}", measure=measure.label, timepoint=baseline.label),
            (say("Item"), *(say(_ITEM_COLUMNS[name][0]) for name in shown)),
            lines,
            (whose, *mark_notes(lines)),
        )


def _occasions(design: StudyDesign) -> Iterator[tuple[Measure, str, str]]:
    for measure in design.measures.values():
        for timepoint in design.timepoints:
            yield measure, timepoint.id, timepoint.label


def _say_occasion(measure: Measure, timepoint: str) -> str:
    return say("{measure}, {timepoint}", measure=measure.label, timepoint=timepoint)


def _number(row: Row | None, decimals: int) -> str:
    return NOTHING if row is not None and row.verdict.startswith("refused") else value_cell(row, decimals)


def _percent(row: Row | None) -> str:
    if row is None or row.verdict.startswith("refused"):
        return NOTHING
    return say(NOT_SHOWN) if row.hidden else format_percent(100 * row.value) if row.is_shown else row.told


_ITEM_COLUMNS: Final[dict[str, tuple[str, Callable[[Row | None], str]]]] = {
    "mean": (mark("Mean"), partial(value_cell, decimals=1)),
    "floor_share": (mark("Lowest answer"), _percent),
    "ceiling_share": (mark("Highest answer"), _percent),
    "item_rest_correlation": (mark("With the other items"), partial(value_cell, decimals=2)),
    "alpha_if_dropped": (mark("Alpha without it"), partial(value_cell, decimals=2)),
}
"""Statistic of items -> its column, which stands where the gate leaves any of it, and how it is written."""

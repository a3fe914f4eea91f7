"""Instruments of one table at their timepoints: by a column, in the column names, or one for the whole file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from instruments import Instrument
from pipelines.declarations import Items, item_columns
from pipelines.proposing.column_roles import ColumnRoles, values_of
from pipelines.proposing.column_runs import join_wide
from pipelines.proposing.export_formats import OpenedExport
from pipelines.proposing.recognition import InstrumentProposal, Unplaced, propose_columns
from pipelines.sources import RawTable


@dataclass(frozen=True, slots=True)
class PlacedInstrument:
    """An instrument of a source: the guess, and `items` as study.yaml takes them (codes of waves still as found)."""

    proposal: InstrumentProposal
    items: Items | dict[str, Items]


@dataclass(frozen=True, slots=True)
class Placing:
    """The instruments of a table, how it tells the timepoint, by which codes, and what did not fit."""

    instruments: tuple[PlacedInstrument, ...]
    way: str
    codes: tuple[str, ...]
    doubted: tuple[Unplaced, ...]


@dataclass(frozen=True, slots=True)
class _Wide:
    """A pattern with {t}, and the texts that stand for it."""

    pattern: str
    texts: tuple[str, ...]


def told_instrument(export: OpenedExport, instrument: Instrument, told: str) -> InstrumentProposal | None:
    """Return the proposal for a pattern, or all columns ``first..last``; None where not half of its items are there."""
    have = list(export.table.cells.columns)
    first, dots, last = told.partition("..")
    if dots and first in have and last in have:
        columns: list[str | None] = list(have[have.index(first) : have.index(last) + 1])
        pattern = ""
    else:
        columns = [name if name in have else None for name in item_columns(told, len(instrument.items))]
        pattern = told
    if len(columns) != len(instrument.items) or 2 * sum(map(bool, columns)) < len(columns):
        return None
    return propose_columns(instrument, columns, pattern, export.table, "told by --instrument")


def quiet_codes(table: RawTable, column: str, codes: Sequence[str], asked: Collection[str]) -> list[str]:
    """Return the codes of the timepoint in whose rows none of some columns has an answer."""
    has_answer = (table.cells[sorted(asked)] != "").any(axis=1).groupby(table.cells[column].str.strip()).any()
    return [code for code in codes if not has_answer.get(code, False)]


def place_instruments(proposals: Sequence[InstrumentProposal], roles: ColumnRoles, export: OpenedExport) -> Placing:
    """Say where the items of each instrument stand at which timepoint.

    Parameters
    ----------
    proposals : sequence of InstrumentProposal
        An instrument may stand several times, for several timepoints.
    roles : ColumnRoles
        With the column of the timepoint, if there is one.
    export : OpenedExport
        The table.
    """
    by_name: dict[str, list[InstrumentProposal]] = {}
    for one in proposals:
        by_name.setdefault(one.instrument, []).append(one)
    values = values_of(export.table, roles.timepoint) if roles.timepoint else []
    if len(values) > 1:
        return _by_column(by_name, roles.timepoint, values, export)
    wide = {name: found for name, several in by_name.items() if (found := _join(several)) is not None}
    if wide:
        return _in_names(by_name, wide)
    single = [PlacedInstrument(several[0], _items(several[0])) for several in by_name.values() if len(several) == 1]
    doubted = [doubt for several in by_name.values() if len(several) > 1 for doubt in _doubt(several)]
    return Placing(tuple(single), "column" if values else "fixed", tuple(values or [""]), tuple(doubted))


def _by_column(
    by_name: Mapping[str, Sequence[InstrumentProposal]], column: str, values: Sequence[str], export: OpenedExport
) -> Placing:
    """Return the instruments of a file with a column of the timepoint; what is not asked at one has a crosswalk."""
    placed: list[PlacedInstrument] = []
    doubted: list[Unplaced] = []
    for several in by_name.values():
        items = _crosswalk(several, column, values, export)
        if len(several) == 1:
            only = several[0]
            placed.append(PlacedInstrument(only, items if 0 < len(items) < len(values) else _items(only)))
        elif items:
            placed.append(PlacedInstrument(_merged(several), items))
        else:
            doubted += _doubt(several)
    return Placing(tuple(placed), "column", tuple(values), tuple(doubted))


def _in_names(by_name: Mapping[str, Sequence[InstrumentProposal]], wide: Mapping[str, _Wide]) -> Placing:
    """Return the instruments of a wide file; one that is not at all its timepoints has a crosswalk."""
    texts = tuple(dict.fromkeys(text for one in wide.values() for text in one.texts))
    placed: list[PlacedInstrument] = []
    doubted: list[Unplaced] = []
    for name, several in by_name.items():
        found = wide.get(name) or (_at_one(several[0].pattern, wide) if len(several) == 1 else None)
        if found is None:
            doubted += _doubt(several, "The file is wide, and nothing tells at which timepoint these stand.")
        elif set(found.texts) == set(texts):
            placed.append(PlacedInstrument(_merged(several), found.pattern))
        else:
            placed.append(PlacedInstrument(_merged(several), dict.fromkeys(found.texts, found.pattern)))
    return Placing(tuple(placed), "wide", texts, tuple(doubted))


def _join(several: Sequence[InstrumentProposal]) -> _Wide | None:
    if len(several) < 2 or not all(one.pattern for one in several):
        return None
    joined = join_wide({one.pattern: one.columns for one in several})
    return None if joined is None else _Wide(joined.pattern, tuple(joined.columns))


def _at_one(pattern: str, wide: Mapping[str, _Wide]) -> _Wide | None:
    """Return the pattern with {t} where a text of the other instruments stands in it once, between the same letters."""
    found = {
        _Wide(pattern.replace(f"{before}{text}{after}", f"{before}{{t}}{after}"), (text,))
        for one in wide.values()
        for before, after in [(one.pattern.partition("{t}")[0][-1:], one.pattern.partition("{t}")[2][:1])]
        for text in one.texts
        if text and pattern.count(f"{before}{text}{after}") == 1
    }
    return found.pop() if len(found) == 1 else None


def _items(one: InstrumentProposal) -> Items:
    return list(one.listed) if one.listed else one.pattern or list(one.columns)


def _crosswalk(
    several: Sequence[InstrumentProposal], column: str, values: Sequence[str], export: OpenedExport
) -> dict[str, Items]:
    """Return code of the timepoint -> items, where each has answers in one run of columns only."""
    silent = [set(quiet_codes(export.table, column, values, one.columns)) for one in several]
    found: dict[str, Items] = {}
    for value in values:
        told = [one for one, quiet in zip(several, silent, strict=True) if value not in quiet]
        if len(told) > 1:
            return {}
        if told:
            found[value] = _items(told[0])
    return found


def _merged(several: Sequence[InstrumentProposal]) -> InstrumentProposal:
    """Return one proposal for runs of an instrument: the least certain of them, with all columns."""
    worst = min(several, key=lambda one: one.confidence)
    columns = tuple(column for one in several for column in one.columns)
    return replace(worst, columns=columns, pattern="", delivered={})


def _doubt(several: Sequence[InstrumentProposal], why: str = "") -> list[Unplaced]:
    words = why or "The instrument stands more than once, and nothing tells which timepoint is which."
    return [Unplaced(one.pattern or one.columns[0], one.columns, words, (one.instrument,)) for one in several]

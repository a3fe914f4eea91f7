"""Drift of columns: those that appear, go, stand beside the declared ones, or are not asked at a timepoint."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from instruments import Instrument
from pipelines.deliveries import Delivery
from pipelines.drift.findings import Drift, Occasion, instrument_of, is_name, name_columns
from pipelines.proposing.column_runs import ColumnRun, find_runs
from pipelines.proposing.recognition import nearest_instrument
from pipelines.study import Study

_ALIKE: Final = 0.75
"""How similar two patterns are that may be one in another wave (`difflib`); SCS_{n} and SCS2_{n} are 0.93."""
Silent = Collection[tuple[str, str, str]]
"""Table, timepoint and instrument where nothing is answered though its columns are there."""
_SAME_TABLE: Final = 0.5
"""Share of common columns from which on two tables of one format are taken for deliveries of one form."""


def find_column_drift(
    study: Study,
    files: Sequence[Delivery],
    library: Mapping[str, Instrument],
    occasions: Sequence[Occasion],
    silent: Silent,
) -> list[Drift]:
    """Return what is to be told of column names.

    Columns of a table that study.yaml does not name are told by name only where it is one word: see `is_name`.
    """
    return [
        *_compare_headers(files),
        *(finding for file in files for finding in _find_unmapped(file, library, _of(file, occasions), silent)),
        *_find_not_declared(study, library, occasions),
    ]


def _of(file: Delivery, occasions: Sequence[Occasion]) -> list[Occasion]:
    return [one for one in occasions if one.delivery is file]


def _compare_headers(files: Sequence[Delivery]) -> Iterator[Drift]:
    """Compare each table with the earlier ones of its kind."""
    for place, file in enumerate(files):
        earlier = [one for one in files[:place] if _is_same_form(one, file)]
        if not earlier:
            continue
        known = {column for one in earlier for column in _header(one)}
        new = [column for column in file.unused if column not in known]
        gone = [column for column in earlier[-1].unused if column not in _header(file)]
        is_one_declaration = any(one.declared is file.declared for one in earlier)
        if new:
            yield Drift(
                "warning" if is_one_declaration else "info",
                "column_new",
                f"{_count(new)} not in the earlier files of this form, and study.yaml does not name them: "
                f"they are not read.",
                "If they hold answers, name them in study.yaml; the file may need a declaration of its own.",
                file.table.source,
                column=_tell(new),
                expected=earlier[-1].table.source,
            )
        if gone:
            yield Drift(
                "info",
                "column_gone",
                f"{_count(gone)} in an earlier file of this form and not in this one; study.yaml does not name them.",
                "Nothing to do, unless a question was dropped by mistake.",
                file.table.source,
                column=_tell(gone),
                expected=earlier[-1].table.source,
            )


def _is_same_form(first: Delivery, other: Delivery) -> bool:
    if first.declared is other.declared:
        return True
    one, two = _header(first), _header(other)
    return first.declared.format == other.declared.format and len(one & two) >= _SAME_TABLE * min(len(one), len(two))


def _header(file: Delivery) -> set[str]:
    return {*file.unused, *map(str, file.table.cells.columns)}


def _find_unmapped(
    file: Delivery, library: Mapping[str, Instrument], occasions: Sequence[Occasion], silent: Silent
) -> Iterator[Drift]:
    """Tell of columns that nobody declared: runs like the items of a declared instrument first."""
    named = [column for column in file.unused if is_name(column)]
    left = dict.fromkeys(file.unused)
    for run in find_runs(named):
        if not set(run.columns) <= set(left):
            continue
        finding = _like_declared(file, library, occasions, run, silent) or _like_library(file, library, run)
        if finding:
            left = {column: None for column in left if column not in run.columns}
            yield finding
    declared = [str(column) for column in file.table.cells.columns]
    for column in list(left):
        near = difflib.get_close_matches(column, declared, n=1, cutoff=_ALIKE)
        if near:
            del left[column]
            told = f"study.yaml does not name this column; the nearest that it names is '{near[0]}'."
            advice = "Name it if it is meant; it is not read."
            yield Drift("info", "column_unmapped", told, advice, file.table.source, column=_tell([column]),
                        expected=near[0])  # fmt: skip
    if left:
        told = f"{_count(list(left))} not named in study.yaml and like none that is: they are not read."
        yield Drift("info", "column_unmapped", told, "Nothing to do, unless they hold answers that are needed.",
                    file.table.source, column=_tell(list(left)))  # fmt: skip


def _like_declared(
    file: Delivery, library: Mapping[str, Instrument], occasions: Sequence[Occasion], run: ColumnRun, silent: Silent
) -> Drift | None:
    """Return a finding where a run has the length and nearly the pattern of a declared instrument."""
    own, found = run.pattern or run.name, ("", "")
    for instrument in file.declared.instruments:
        for pattern in dict.fromkeys(_pattern(one.columns_of(instrument)) for one in occasions):
            if pattern and len(run.columns) == len(library[instrument].items):
                found = max(found, (instrument, pattern), key=lambda pair: _similarity(pair[1], own))
    instrument, pattern = found
    if _similarity(pattern, own) < _ALIKE:
        return None
    free = [
        one.timepoint
        for one in occasions
        if not one.columns_of(instrument) or (one.source, one.timepoint, instrument) in silent
    ]
    told = f"These columns look like the items of {instrument}, which study.yaml reads from '{pattern}'"
    return Drift(
        "warning" if free else "info",
        "column_unmapped",
        f"{told} and which has no answers at {free[0]}." if free else f"{told}.",
        _crosswalk_advice(file, occasions, run, instrument, pattern, free),
        file.table.source,
        free[0] if free else "",
        name_columns(run.columns),
        instrument,
        own,
        pattern,
    )


def _crosswalk_advice(
    file: Delivery, occasions: Sequence[Occasion], run: ColumnRun, instrument: str, pattern: str, free: Sequence[str]
) -> str:
    """Return the line that says where the items of another timepoint stand."""
    if file.declared.timepoint.wide is not None:
        return "If they are another timepoint of it, name it in 'timepoint: {wide: ...}'."
    told_at = [one.timepoint for one in occasions if one.columns_of(instrument) and one.timepoint not in free]
    items = f'"{run.pattern}"' if run.pattern else f"[{', '.join(run.columns)}]"
    known = ", ".join(f'{timepoint}: "{pattern}"' for timepoint in told_at)
    others = ", ".join(f"{timepoint}: {items}" for timepoint in free or ["TIMEPOINT"])
    line = f"{instrument}: {{items: {{{', '.join(filter(None, (known, others)))}}}}}"
    return f"If they are another timepoint of it, write under 'instruments': {line}"


def _like_library(file: Delivery, library: Mapping[str, Instrument], run: ColumnRun) -> Drift | None:
    """Return a finding where a run has the name of an instrument that the study uses."""
    instrument = nearest_instrument(library)(run.columns[0])
    if not instrument or len(run.columns) < len(library[instrument].items):
        return None
    told = f"study.yaml does not name these columns; the nearest instrument of the study is {instrument}."
    advice = f'If they are its items, name them: {instrument}: {{items: "{run.pattern or run.name}"}}.'
    columns = name_columns(run.columns)
    return Drift("info", "column_unmapped", told, advice, file.table.source, column=columns, name=instrument)


def _find_not_declared(
    study: Study, library: Mapping[str, Instrument], occasions: Sequence[Occasion]
) -> Iterator[Drift]:
    """Tell which items study.yaml declares as not asked: instruments with a crosswalk, and null in a list."""
    for one in occasions:
        for instrument, declared in one.delivery.declared.instruments.items():
            asked = {name for name in one.items if instrument_of(name) == instrument}
            missing = [item.id for item in library[instrument].items if f"{instrument} {item.id}" not in asked]
            if declared.items is None or not missing:
                continue
            whole = not asked
            yield Drift(
                "info",
                "item_not_asked",
                f"{instrument} is declared as not asked at {one.timepoint}."
                if whole
                else f"{len(missing)} of {len(library[instrument].items)} items of {instrument} are declared as not "
                f"asked at {one.timepoint}.",
                "Nothing to do if this is so.",
                one.source,
                one.timepoint,
                name=instrument if whole else f"{instrument} {', '.join(missing)}",
            )


def _pattern(columns: Sequence[str]) -> str:
    """Return the pattern of columns, or the first and the last where they have none."""
    runs = [run for run in find_runs(columns) if len(run.columns) == len(columns)]
    patterns = [run.pattern for run in runs if run.pattern]
    return patterns[0] if patterns else f"{columns[0]} ... {columns[-1]}" if columns else ""


def _similarity(first: str, other: str) -> float:
    return difflib.SequenceMatcher(None, first, other).ratio()


def _count(columns: Sequence[str]) -> str:
    return "1 column is" if len(columns) == 1 else f"{len(columns)} columns are"


def _tell(columns: Sequence[str]) -> str:
    """Return the columns whose names may be told."""
    return name_columns(column for column in columns if is_name(column))

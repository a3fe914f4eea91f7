"""Moments from tables that do not fit in memory: DuckDB sorts them by participant and hands over batch after batch."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict, Unpack

import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.moments import Moments, add_moments
from analysis.mixed_models.recognise import label_of, make_design
from analysis.mixed_models.terms import Design, Place, Variable, check_terms
from data_contracts.errors import Problem, choose_from

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_ONCE: Final = 500_000


class Columns(TypedDict):
    """What is what in a table; see `Moments.from_frame`."""

    outcome: str
    terms: Sequence[str]
    participant: str
    timepoint: str
    time: NotRequired[str | None]
    groups: NotRequired[Sequence[str]]
    partially_nested: NotRequired[bool]
    stratum: NotRequired[str | None]
    references: NotRequired[Mapping[str, str]]
    center: NotRequired[Sequence[str]]


def moments_from_parquet(path: Path | str, *, rows_at_once: int = ROWS_AT_ONCE, **columns: Unpack[Columns]) -> Moments:
    """Sum one Parquet file, or several by a pattern such as ``wave_*.parquet``, batch after batch.

    Parameters
    ----------
    path : Path or str
        File or pattern; one row per participant and timepoint over all files, in any order.
    rows_at_once : int
        Rows in memory at a time, apart from those of the last participant.
    outcome, terms, participant, timepoint, time, groups, partially_nested, stratum, references, center
        As in `Moments.from_frame`.

    Raises
    ------
    AnalysisError
        A column is missing, no row is complete, or see `Moments.from_frame`.
    """
    import duckdb

    with duckdb.connect() as connection:
        if not connection.sql(f"SELECT * FROM glob({_text(str(path))})").fetchall():  # noqa: S608 - quoted
            message = "No file has that name."
            raise AnalysisError(Problem("file_missing", message, "Check the name.", file=Path(path).name))
        query = f"SELECT * FROM read_parquet({_text(str(path))})"  # noqa: S608 - quoted
        return moments_from_duckdb(connection, query, rows_at_once=rows_at_once, **columns)


def moments_from_duckdb(
    connection: DuckDBPyConnection, query: str, *, rows_at_once: int = ROWS_AT_ONCE, **columns: Unpack[Columns]
) -> Moments:
    """Sum the rows of a query.

    Parameters
    ----------
    connection : DuckDBPyConnection
        An open connection.
    query : str
        SQL of the caller's own, trusted as such, with one row per participant and timepoint.
    rows_at_once, outcome, terms, participant, timepoint, time, groups, partially_nested, stratum, references, center
        As in `moments_from_parquet`.

    Raises
    ------
    AnalysisError
        A column is missing, no row is complete, or see `Moments.from_frame`.
    """
    terms, participant, groups = columns["terms"], columns["participant"], tuple(columns.get("groups", ()))
    named = [columns["outcome"], participant, columns["timepoint"], columns.get("time"), columns.get("stratum")]
    named += [*groups, *(name for term in terms for name in term.split(":"))]
    used = list(dict.fromkeys(name for name in named if name))
    types = {row[0]: row[1] for row in connection.sql(f"DESCRIBE {query}").fetchall()}
    for name in used:
        if name not in types:
            raise AnalysisError(
                Problem("column_unknown", f"The table has no column '{name}'.", choose_from(name, list(types)))
            )
    check_terms(terms, list(types))
    for name in [columns["outcome"], *([time] if (time := columns.get("time")) else [])]:
        if not _is_number(types[name]):
            message = f"'{name}' does not hold numbers."
            raise AnalysisError(Problem("not_numeric", message, "Turn it into numbers; look at what cannot be turned."))
    optional = groups if columns.get("partially_nested") else ()
    known = " AND ".join(_known(name, types[name]) for name in used if name not in optional)
    rows = f"SELECT {', '.join(map(_name, used))} FROM ({query}) WHERE {known}"  # noqa: S608
    design = _design(connection, rows, types, columns)
    ordered = f"{rows} ORDER BY {_name(participant)}"
    with closing(_batches(connection, ordered, participant, rows_at_once)) as batches:
        return add_moments(Moments.from_frame(frame, **columns, design=design) for frame in batches)


def _batches(
    connection: DuckDBPyConnection, query: str, participant: str, rows_at_once: int
) -> Generator[pd.DataFrame]:
    """Yield frames that split no participant."""
    left = pd.DataFrame()
    with closing(connection.sql(query).to_arrow_reader(rows_at_once)) as reader:
        for batch in reader:
            frame = pd.concat([left, batch.to_pandas()], ignore_index=True)
            open_ended = (frame[participant] == frame[participant].iloc[-1]).to_numpy()
            left = frame.loc[open_ended]
            if not open_ended.all():
                yield frame.loc[~open_ended].reset_index(drop=True)
    if len(left):
        yield left.reset_index(drop=True)


def _design(connection: DuckDBPyConnection, rows: str, types: Mapping[str, str], columns: Columns) -> Design:
    """Recognise every variable of the terms, as `arrange` does for a frame."""
    terms, timepoint, time = columns["terms"], columns["timepoint"], columns.get("time")
    references, center = columns.get("references") or {}, columns.get("center", ())
    participant = columns["participant"]

    def ask(what: str, rest: str = "") -> list[tuple[object, ...]]:
        return connection.sql(f"SELECT {what} FROM ({rows}) {rest}").fetchall()  # noqa: S608

    ((middle, count),) = ask(f"avg(CAST({_name(columns['outcome'])} AS DOUBLE)), count(*)")
    if not count:
        raise AnalysisError(
            Problem("no_rows", "No row has every column of the model.", "Check which columns are empty.")
        )
    if not math.isfinite(float(middle)):  # type: ignore[arg-type]
        message = f"'{columns['outcome']}' holds infinite values."
        raise AnalysisError(Problem("infinite", message, "Give finite numbers, or leave them out."))
    at = _name(timepoint)
    occasions = [row[0] for row in ask(f"DISTINCT {at}", f"ORDER BY {at}")]
    labels = tuple(label_of(value) for value in occasions)
    times: tuple[float, ...] = ()
    if time:
        found = ask(f"{at}, min({_name(time)}), max({_name(time)})", f"GROUP BY {at} ORDER BY {at}")
        if any(low != high for _, low, high in found):
            raise AnalysisError(Problem("time_differs", f"'{time}' differs within a timepoint.", "Name another time."))
        times = tuple(float(low) for _, low, _ in found)  # type: ignore[arg-type]
    variables: dict[str, Variable] = {}
    for name in dict.fromkeys(name for term in terms for name in term.split(":")):
        column = _name(name)
        is_number = _is_number(types[name]) and name != timepoint
        place: Place = "row"
        by_timepoint: tuple[float, ...] = ()
        levels: list[str] = []
        shares: tuple[float, ...] = ()
        centre = 0.0
        if is_number:
            centre = float(ask(f"avg(CAST({column} AS DOUBLE))")[0][0])  # type: ignore[arg-type]
        else:
            counted = ask(f"{column}, count(*)", f"GROUP BY {column} ORDER BY {column}")
            levels = [label_of(value) for value, _ in counted]
            if name in references:
                first = str(references[name])
                if first not in levels:
                    message = f"'{name}' has no level '{first}'."
                    raise AnalysisError(Problem("level_unknown", message, choose_from(first, levels)))
                counted.sort(key=lambda row, first=first: label_of(row[0]) != first)  # type: ignore[misc]
                levels = [label_of(value) for value, _ in counted]
            shares = tuple(float(number) / count for _, number in counted)  # type: ignore[arg-type, operator]
        if not ask("1", f"GROUP BY {_name(participant)} HAVING count(DISTINCT {column}) > 1 LIMIT 1"):
            place = "participant"
        if name == timepoint or not ask("1", f"GROUP BY {at} HAVING count(DISTINCT {column}) > 1 LIMIT 1"):
            place = "timepoint"
            values = [value for _, value in ask(f"{at}, any_value({column})", f"GROUP BY {at} ORDER BY {at}")]
            by_timepoint = tuple(float(levels.index(label_of(v)) if levels else v) for v in values)  # type: ignore[arg-type]
        variables[name] = Variable(name, place, tuple(levels), centre, centre, name in center, by_timepoint, shares)
    return make_design(terms, variables, labels, times, float(middle))  # type: ignore[arg-type]


_FLOATS: Final = ("DOUBLE", "FLOAT")
_WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS: Final = (*_FLOATS, *_WHOLE, *(f"U{name}" for name in _WHOLE), "BOOLEAN", "DECIMAL")


def _is_number(kind: str) -> bool:
    return kind.partition("(")[0] in _NUMBERS


def _known(name: str, kind: str) -> str:
    """Return the SQL condition that a column has a value."""
    column = _name(name)
    return f"({column} IS NOT NULL AND NOT isnan({column}))" if kind in _FLOATS else f"{column} IS NOT NULL"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

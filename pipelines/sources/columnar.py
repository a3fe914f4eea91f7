"""Typed columns as text, and Parquet files: each value becomes what a person would type for it."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.sources.delimited import MAX_BYTES
from pipelines.sources.model import SOURCE_ROW, RawTable, SourceError

MAX_CELLS: Final = 200_000_000
MAX_TEXT_BYTES: Final = 2 * 1024**3
_MAGIC: Final = b"PAR1"


def cell_text(value: object) -> str:
    """Return the text of one value.

    Parameters
    ----------
    value : object
        A number in its shortest digits, never with an exponent (``3`` for 3.0, ``2.5``, ``0.00001``), a decimal without
        trailing zeros, ``TRUE`` or ``FALSE``, a date or time in ISO 8601 (the day alone at midnight; a time zone is not
        told: it is the clock of that zone), a duration as ``h:mm:ss``; None and NaN are empty.
    """
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | np.floating):
        return _digits(Decimal(str(value))) if np.isfinite(value) else "" if np.isnan(value) else str(value)
    if isinstance(value, Decimal):
        return _digits(value) if value.is_finite() else "" if value.is_nan() else str(value)
    if isinstance(value, datetime.datetime):
        clock = value.replace(tzinfo=None)
        return clock.isoformat() if clock.time() != datetime.time() else clock.date().isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def build_from_columns(source: str, columns: Sequence[tuple[str, pd.Series]]) -> RawTable:
    """Build the table of a file that holds columns instead of lines: a record's row is its number + 1.

    Parameters
    ----------
    source : str
        Name for provenance.
    columns : sequence of (str, Series)
        Name and text (dtype ``str``, nothing missing) of every column, all of one length; spaces around names do not
        count. Records in which every column is blank are set aside as excluded.

    Raises
    ------
    SourceError
        No column, a name stands twice or is missing, or no record.
    """
    names = [name.strip() for name, _ in columns]
    _check_names(source, names)
    cells = pd.DataFrame({name: column.array for name, (_, column) in zip(names, columns, strict=True)}, copy=False)
    cells.index = pd.RangeIndex(2, len(cells) + 2, name=SOURCE_ROW)
    blank = _blank_rows(cells)
    aside = tuple(
        SetAside(source, int(row), "", "blank_row", "excluded", "The row is blank.", "Nothing to do.")
        for row in cells.index[blank]
    )
    if blank.all():
        raise SourceError(
            Problem("no_rows", "The file has columns but no answers.", "Deliver the export again.", source)
        )
    return RawTable(source, cells[~blank] if aside else cells, len(cells), aside)


def read_parquet(path: Path, source: str) -> RawTable:
    """Read a Parquet file, row group by row group.

    Values become text as in `cell_text`; dictionaries (categories) are told by their values. Memory is that of the
    text of the cells (Arrow: 8 bytes and the characters for each) and of one row group more.

    Parameters
    ----------
    path : Path
        The file. Pages that have a checksum are held against it.
    source : str
        Name for provenance.

    Raises
    ------
    SourceError
        No Parquet file, damaged, more than 200 million cells, or 2 GiB of text; a column that holds lists, structures,
        bytes or durations; text that is no UTF-8 or holds NUL characters, with its row.
    """
    import pyarrow as pa

    _check_file(path, source)
    try:
        table = _read_row_groups(path, source)
        columns = [(name, table.column(place).to_pandas()) for place, name in enumerate(table.column_names)]
    except SourceError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise SourceError(
            Problem(
                "not_parquet",
                f"The file is damaged, or uses what Parquet files seldom use ({type(error).__name__}).",
                "Write it again, without encryption, or deliver the answers as CSV.",
                source,
            )
        ) from None
    return build_from_columns(source, columns)


def _digits(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _duration(value: datetime.timedelta) -> str:
    seconds, rest = divmod(abs(value), datetime.timedelta(seconds=1))
    minutes, second = divmod(seconds, 60)
    fraction = f".{rest.microseconds:06}" if rest else ""
    return f"{'-' if value < datetime.timedelta() else ''}{minutes // 60}:{minutes % 60:02}:{second:02}{fraction}"


def _check_names(source: str, names: Sequence[str]) -> None:
    times = Counter(names)
    problems = [
        Problem("column_twice", f"{n} columns have the same name.", "Rename the columns.", source, key=name)
        for name, n in times.items()
        if name and n > 1
    ]
    if times[""] or not names:
        message = "A column has no name." if names else "The file has no columns."
        problems.append(Problem("column_without_name", message, "Name every column.", source))
    if problems:
        raise SourceError(problems)


def _blank_rows(cells: pd.DataFrame) -> np.ndarray:
    blank = np.ones(len(cells), dtype=bool)
    for name in cells.columns:
        still = np.flatnonzero(blank)
        if not still.size:
            break
        blank[still] = cells[name].iloc[still].str.strip().eq("").to_numpy()
    return blank


def _check_file(path: Path, source: str) -> None:
    if path.stat().st_size > MAX_BYTES:
        message, advice = f"The file is larger than {MAX_BYTES // 2**20} MiB.", "Split it."
        raise SourceError(Problem("file_too_large", message, advice, source))
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if not start:
        raise SourceError(Problem("file_empty", "The file is empty.", "Deliver the export again.", source))
    if start == b"PARE":
        message, advice = "The file is encrypted.", "Write it without encryption."
        raise SourceError(Problem("encrypted", message, advice, source))
    if start != _MAGIC:
        message, advice = "The file is not a Parquet file.", "Declare the 'format' that it has in study.yaml."
        raise SourceError(Problem("not_parquet", message, advice, source))


def _read_row_groups(path: Path, source: str) -> Any:
    """Return the Arrow table of a file, every column large_string and without nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as plain:
        schema, n_cells = plain.schema_arrow, plain.metadata.num_rows * max(len(plain.schema_arrow), 1)
    _check_columns(schema, n_cells, source)
    texts = [field.name for field in schema if _is_text(field.type)]  # one text a million times is read once
    left = MAX_TEXT_BYTES
    groups = []
    with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
        n_rows = 0
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            columns = []
            for field, column in zip(schema, group.columns, strict=True):
                text, size = _column_text(column, field.name, left, n_rows, source)
                columns.append(text)
                left -= size
            groups.append(pa.table(columns, names=schema.names))
            n_rows += group.num_rows
    empty = pa.schema([(name, pa.large_string()) for name in schema.names])
    return pa.concat_tables(groups) if groups else empty.empty_table()


def _check_columns(schema: Any, n_cells: int, source: str) -> None:
    from pyarrow import types

    refused = {
        "lists or structures": [types.is_nested],
        "bytes": [types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view],
        "durations": [types.is_duration, types.is_interval],
    }
    problems = [
        Problem(
            "column_kind",
            f"The column holds {name}, which are no answers.",
            "Write it as text or numbers, one answer to a column, or leave it out.",
            source,
            key=field.name,
        )
        for field in schema
        for name, kinds in refused.items()
        if any(is_kind(field.type.value_type if types.is_dictionary(field.type) else field.type) for is_kind in kinds)
    ]
    if n_cells > MAX_CELLS:
        message = f"The file says that it has more than {MAX_CELLS // 10**6} million cells."
        advice = "Deliver the columns of the study only, or split the file."
        problems.append(Problem("file_too_large", message, advice, source))
    if problems:
        raise SourceError(problems)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _column_text(column: Any, name: str, left: int, n_before: int, source: str) -> tuple[Any, int]:
    """Return one column of a row group as text, and its size in bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column.validate(full=True)
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.array([""] * len(column), pa.large_string())]), 0
    chunks, size = [], 0
    for chunk in column.chunks or [pa.array([], column.type)]:
        encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        values = encoded.dictionary
        known = values.cast(pa.large_string()) if _is_text(values.type) else _texts(values)
        _check_nul(known, encoded.indices, name, n_before, source)
        size += pc.sum(pc.binary_length(known).take(encoded.indices)).as_py() or 0
        if size > left:
            message = f"The file unpacks to more than {MAX_TEXT_BYTES // 2**30} GiB of text."
            raise SourceError(Problem("file_too_large", message, "Deliver the columns of the study only.", source))
        chunks.append(known.take(encoded.indices).fill_null(""))
        n_before += len(chunk)
    return pa.chunked_array(chunks, pa.large_string()), size


def _texts(values: Any) -> Any:
    """Return the texts of an Arrow array of numbers, dates or anything else that is not text."""
    import pyarrow as pa

    plain = values.to_numpy(zero_copy_only=False) if pa.types.is_floating(values.type) else values.to_pylist()
    return pa.array([cell_text(value) for value in plain], pa.large_string())


def _check_nul(known: Any, indices: Any, name: str, n_before: int, source: str) -> None:
    import pyarrow.compute as pc

    damaged = pc.match_substring(known, "\x00")
    if not pc.any(damaged).as_py():
        return
    row = pc.index(damaged.take(indices), value=True).as_py()
    advice = "Write the file again, or leave the column out."
    message = "The column holds NUL characters: the file is damaged, or this is no text."
    raise SourceError(Problem("nul_byte", message, advice, source, n_before + row + 2 if row >= 0 else None, name))

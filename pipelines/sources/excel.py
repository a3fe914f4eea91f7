"""Excel workbooks, read strictly: cell by cell to text, with the limits a hostile file needs."""

from __future__ import annotations

import warnings
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.sources.delimited import MAX_BYTES
from pipelines.sources.model import RawTable, SourceError, build_table

MAX_UNPACKED_BYTES = 500 * 1024 * 1024
MAX_RATIO = 100
MAX_ENTRIES = 2000
MAX_ROWS: Final = 2**20
MAX_CELLS: Final = 20_000_000
MAX_CHARACTERS: Final = 512 * 1024**2
_RATIO_MATTERS_ABOVE = 10 * 1024 * 1024
FORMULA_WITHOUT_VALUE = "#formula without a stored value"
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", FORMULA_WITHOUT_VALUE)
"""What a cell holds when it holds no value."""
_ENDINGS: Final = (".xlsx", ".xlsm")
_OLD_OR_LOCKED: Final = b"\xd0\xcf\x11\xe0"
_NOT_WORKBOOKS: Final = {
    "content.xml": ("an OpenDocument file", "Save it as .xlsx."),
    "xl/workbook.bin": ("a binary workbook (.xlsb)", "Save it as .xlsx."),
    "Index/Document.iwa": ("a file of Numbers", "Export it as .xlsx or as CSV."),
}

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows of a sheet up to the last that holds something, and its merged ranges as `SheetCells.merged`."""

    rows: list[Row]
    merged: list[tuple[int, int, int, int]]


def read_excel(
    path: Path,
    source: str,
    *,
    sheet: str | None = None,
    header_row: int = 1,
    is_declared: bool = True,
    number_names: bool = False,
    may_be_empty: bool = False,
) -> RawTable:
    """Read one sheet of an .xlsx workbook.

    Numbers become their shortest text (``3``, not ``3.0``; a percentage the number that is stored, ``0.25``), dates ISO
    text by the calendar of the workbook (1900 or 1904), durations ``h:mm:ss``, formulas the value stored with them;
    text stays as it is, also where it looks like a number. Hidden rows and columns are read like all others. Rows
    without a single cell are not in the file.

    Parameters
    ----------
    path : Path
        The workbook.
    source : str
        Name for provenance, without the sheet.
    sheet : str, optional
        Sheet name, which may be that of a hidden sheet; the only sheet when the workbook has one.
    header_row : int
        Row of the sheet with the column names. Rows above it are set aside as excluded.
    is_declared : bool
        Whether study.yaml names `sheet`. A name that it does not say may be that of a person and is told nowhere.
    number_names, may_be_empty : bool
        As in `build_table`.

    Returns
    -------
    RawTable
        Its `source` has the sheet in brackets where study.yaml names one. Rows are those of the sheet. A row through
        which merged cells run is quarantined: nobody can tell to which of its rows or columns the answer belongs.

    Raises
    ------
    SourceError
        Not a workbook, too large when unpacked, the sheet is not there or not named, the header row is blank or has
        merged cells.
    """
    check_archive(path, source)
    name = f"{source}[{sheet}]" if sheet is not None and is_declared else source
    found = _load(path, source, name, sheet)
    if not found.rows:
        advice = "Name another 'sheet', or deliver it again."
        raise SourceError(Problem("file_empty", "The sheet is empty.", advice, name))
    header = _find_header(found, name, header_row)
    if len(found.rows) * len(header) > MAX_CELLS:
        raise refuse_size(name)
    merged = _merged_rows(found)
    aside = [
        *(_above(name, row) for row, _ in found.rows if row < header_row),
        *(_merged(name, row) for row in merged if row > header_row),
    ]
    rows = [(row, _fit(fields, len(header))) for row, fields in found.rows if row > header_row and row not in merged]
    try:
        table = build_table(name, header, rows, number_names=number_names, may_be_empty=may_be_empty)
    except SourceError as error:  # which counts on a header in the first row
        raise SourceError(
            replace(one, line=header_row if one.line == 1 else one.line) for one in error.problems
        ) from None
    together = tuple(sorted((*aside, *table.set_aside), key=lambda line: line.source_row))
    return replace(table, rows_read=table.rows_read + len(aside), set_aside=together, header_row=header_row)


def check_archive(path: Path, source: str) -> None:
    """Refuse a file that is no workbook, or one too large when unpacked."""
    if path.stat().st_size > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES // 2**20} MiB."
        raise SourceError(Problem("workbook_too_large", message, "Deliver the answers as CSV.", source))
    with path.open("rb") as file:
        start = file.read(len(_OLD_OR_LOCKED))
    if start == _OLD_OR_LOCKED:
        message = "The file is an old .xls workbook, or one that is protected by a password."
        raise SourceError(Problem("not_excel", message, "Save it as .xlsx without a password.", source))
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception:  # a damaged directory of the archive is met in many ways
        message = "The file is not an .xlsx workbook (the old .xls format is not read)."
        advice = "Save it as .xlsx, or declare 'format: csv'."
        raise SourceError(Problem("not_excel", message, advice, source)) from None
    for entry in entries:
        if entry.filename in _NOT_WORKBOOKS:
            kind, advice = _NOT_WORKBOOKS[entry.filename]
            raise SourceError(Problem("not_excel", f"The file is {kind}, not an .xlsx workbook.", advice, source))
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if (
        unpacked > MAX_UNPACKED_BYTES
        or len(entries) > MAX_ENTRIES
        or (unpacked > _RATIO_MATTERS_ABOVE and unpacked / packed > MAX_RATIO)
    ):
        raise refuse_size(source)


def _load(path: Path, source: str, name: str, wanted: str | None) -> _Sheet:
    import openpyxl

    from pipelines.sources.excel_cells import SheetCells

    if path.suffix.lower() not in _ENDINGS:
        message = "The file is a workbook, but its name does not end in .xlsx."
        raise SourceError(Problem("not_excel", message, "Rename it.", source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the library: about what it leaves out, and with the values of cells
            with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
                states: dict[str, str] = {each.title: each.sheet_state for each in book.worksheets}
                sheet: Any = book[_choose_sheet(states, wanted, source)]
                cells = SheetCells(sheet, name)
                return _Sheet(_without_blank_end(list(cells.rows())), cells.merged)
    except SourceError:
        raise
    except Exception as error:  # the library raises whatever a damaged file makes of it
        message = f"The workbook cannot be read ({type(error).__name__})."
        advice = "Save it again as .xlsx (not as a strict or protected one)."
        raise SourceError(Problem("not_excel", message, advice, source)) from None


def _choose_sheet(states: dict[str, str], wanted: str | None, source: str) -> str:
    names = list(states)
    if not names:
        message = "The workbook has no sheet with cells."
        raise SourceError(Problem("file_empty", message, "Deliver it again.", source))
    if wanted is None and len(names) == 1:
        return names[0]
    hidden = sum(state != "visible" for state in states.values())
    count = f"{len(names)} {'sheet' if len(names) == 1 else 'sheets'}{f' ({hidden} hidden)' if hidden else ''}"
    if wanted is None:
        advice = "Open it, and name the sheet with the answers with 'sheet' in study.yaml."
        raise SourceError(Problem("sheet_not_named", f"The workbook has {count}.", advice, source))
    if wanted not in names:
        alike = any(" ".join(name.split()).casefold() == " ".join(wanted.split()).casefold() for name in names)
        message = f"The workbook has no sheet '{wanted}'; it has {count}."
        advice = "Open it, and write the name of the sheet as it stands there."
        if alike:
            advice = f"One differs in case or spaces alone. {advice}"
        raise SourceError(Problem("sheet_missing", message, advice, source))
    return wanted


def _without_blank_end(rows: list[Row]) -> list[Row]:
    """Return rows up to the last that holds something: formatted emptiness below is no answer."""
    end = len(rows)
    while end and not rows[end - 1][1]:
        end -= 1
    return rows[:end]


def _find_header(sheet: _Sheet, name: str, header_row: int) -> list[str]:
    over = [each for each in sheet.merged if each[0] <= header_row <= each[2]]
    if over:
        columns = ", ".join(sorted({str(column) for _, column, _, _ in over}, key=int))
        message = f"Cells of the header are merged, beginning in columns {columns}."
        advice = "Unmerge them, and give every column a name of its own in this one row."
        raise SourceError(Problem("merged_header", message, advice, name, header_row))
    header = dict(sheet.rows).get(header_row, [])
    if not header:
        message = "The row that should hold the column names is blank."
        advice = "Name the row that does with 'header_row' in study.yaml."
        raise SourceError(Problem("header_blank", message, advice, name, header_row))
    return header


def _merged_rows(sheet: _Sheet) -> set[int]:
    """Return the rows through which merged cells run that hold something."""
    numbers = [row for row, _ in sheet.rows]
    steps = np.zeros(len(numbers) + 1, dtype=int)
    for first, column, last, _ in sheet.merged:
        at = bisect_left(numbers, first)
        if at < len(numbers) and numbers[at] == first and "".join(sheet.rows[at][1][column - 1 : column]).strip():
            steps[at] += 1
            steps[bisect_right(numbers, last)] -= 1
    return {row for row, depth in zip(numbers, np.cumsum(steps), strict=False) if depth}


def refuse_size(source: str) -> SourceError:
    """Return the error for a workbook that is larger than any survey."""
    message = "The workbook unpacks to far more than a survey holds."
    return SourceError(Problem("workbook_too_large", message, "Deliver the answers as CSV.", source))


def _above(name: str, row: int) -> SetAside:
    return SetAside(name, row, "", "above_header", "excluded", "The row stands above the header.", "Nothing to do.")


def _merged(name: str, row: int) -> SetAside:
    reason = "Cells of the row are merged with others: it cannot be told where the answer belongs."
    advice = "Unmerge them, and write the answer into every row and column it holds for."
    return SetAside(name, row, "", "merged_cells", "row", reason, advice)


def _fit(fields: Sequence[str], width: int) -> list[str]:
    return [*fields, *[""] * (width - len(fields))]

"""Excel workbooks, read strictly: cell by cell to text, with the limits a hostile file needs."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from data_contracts.errors import Problem, choose_from
from pipelines.sources.model import RawTable, SourceError, build_table

MAX_UNPACKED_BYTES = 500 * 1024 * 1024
MAX_RATIO = 100
MAX_ENTRIES = 2000
_RATIO_MATTERS_ABOVE = 10 * 1024 * 1024
FORMULA_WITHOUT_VALUE = "#formula without a stored value"
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", FORMULA_WITHOUT_VALUE)
"""What a cell holds when it holds no value."""


def read_excel(path: Path, source: str, *, sheet: str | None = None) -> RawTable:
    """Read one sheet of an .xlsx workbook; its first row is the header.

    Numbers become their shortest text (``3``, not ``3.0``), dates ISO text, formulas the value stored with them.

    Parameters
    ----------
    path : Path
        The workbook.
    source : str
        Name for provenance, without the sheet.
    sheet : str, optional
        Sheet name; the only sheet when the workbook has one.

    Raises
    ------
    SourceError
        Not a workbook, too large when unpacked, or the sheet is not there or not named.
    """
    import openpyxl

    _check_archive(path, source)
    try:
        with (
            closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as stored,
            closing(openpyxl.load_workbook(path, read_only=True)) as written,
        ):
            name = _choose_sheet(stored.sheetnames, sheet, source)
            rows = _without_blank_end(_rows(stored[name], written[name]))
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            Problem(
                "not_excel",
                f"The workbook cannot be read ({type(error).__name__}).",
                "Save it again as .xlsx.",
                source,
            )
        ) from None
    if not rows:
        raise SourceError(
            Problem(
                "file_empty", "The sheet is empty.", "Name another 'sheet', or deliver it again.", f"{source}[{name}]"
            )
        )
    header = rows[0][1]
    return build_table(f"{source}[{name}]", header, ((row, _fit(fields, len(header))) for row, fields in rows[1:]))


def _check_archive(path: Path, source: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise SourceError(
            Problem(
                "not_excel",
                "The file is not an .xlsx workbook (the old .xls format is not read).",
                "Save it as .xlsx, or declare 'format: csv'.",
                source,
            )
        ) from None
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if (
        unpacked > MAX_UNPACKED_BYTES
        or len(entries) > MAX_ENTRIES
        or (unpacked > _RATIO_MATTERS_ABOVE and unpacked / packed > MAX_RATIO)
    ):
        raise SourceError(
            Problem(
                "workbook_too_large",
                "The workbook unpacks to far more than a survey holds.",
                "Deliver the answers as CSV.",
                source,
            )
        )


def _choose_sheet(names: list[str], wanted: str | None, source: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise SourceError(
            Problem(
                "sheet_not_named",
                f"The workbook has {len(names)} sheets: {', '.join(names)}.",
                "Name one with 'sheet' in study.yaml.",
                source,
            )
        )
    if wanted not in names:
        raise SourceError(
            Problem("sheet_missing", f"The workbook has no sheet '{wanted}'.", choose_from(wanted, names), source)
        )
    return wanted


def _rows(stored: Any, written: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a sheet; `stored` holds the values of formulas, `written` the formulas."""
    for sheet in (stored, written):
        sheet.reset_dimensions()  # what a workbook says of its size may be wrong, and rows beyond would be lost
    pairs = zip(stored.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
    for number, (values, formulas) in enumerate(pairs, 1):
        fields = [
            FORMULA_WITHOUT_VALUE if value is None and formula is not None else _text(value)
            for value, formula in zip(values, formulas, strict=True)
        ]
        while fields and fields[-1] == "":
            fields.pop()
        yield number, fields


def _without_blank_end(rows: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Return rows up to the last that holds something: formatted emptiness below is no answer."""
    kept = list(rows)
    while kept and not kept[-1][1]:
        kept.pop()
    return kept


def _fit(fields: list[str], width: int) -> list[str]:
    return fields + [""] * (width - len(fields))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return re.sub(r"\.0$", "", repr(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)

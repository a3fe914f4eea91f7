"""The corrections log of a study: what a person changed of the delivered files, applied again on every run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem, did_you_mean
from pipelines.errors import PipelineError
from pipelines.sources import RawTable
from pipelines.texts import read_day

FILE: Final = "corrections.csv"
COLUMNS: Final = ("who", "when", "source", "row", "column", "old", "new", "why")
_NEEDED: Final = ("who", "when", "source", "row", "column", "why")


@dataclass(frozen=True, slots=True)
class Correction:
    """One line of the log: in `column` of `row` of `source`, `old` becomes `new`; `line` is where it stands."""

    line: int
    source: str
    row: int
    column: str
    old: str
    new: str


def load_corrections(study: Path) -> tuple[Correction, ...]:
    """Load ``corrections.csv`` of a study folder; none where there is no such file.

    The file is UTF-8 with the columns of `COLUMNS`. `source` and `row` are those of quarantine.csv (the header of a
    file is row 1); `old` is the text as delivered, and blank where the cell is blank.

    Raises
    ------
    PipelineError
        The file has other columns, a line lacks who, when, where or why, or two lines change one cell.
    """
    path = study / FILE
    if not path.is_file():
        return ()
    try:
        text = path.read_bytes().decode("utf-8-sig")
        delimiter = ";" if text.startswith("who;") else ","  # a spreadsheet writes that of its language
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, _without_blank_end(fields)) for fields in reader]
    except (UnicodeDecodeError, csv.Error):
        raise PipelineError(
            Problem("not_csv", "The file is no CSV in UTF-8.", "Save it as 'CSV UTF-8'.", FILE)
        ) from None
    if not lines or tuple(name.strip() for name in lines[0][1]) != COLUMNS:
        told, advice = "The columns are not those of a corrections log.", f"Let the first row be {','.join(COLUMNS)}."
        raise PipelineError(Problem("columns_differ", told, advice, FILE, 1))
    problems: list[Problem] = []
    found: dict[tuple[str, int, str], Correction] = {}
    for number, fields in lines[1:]:
        if not fields:
            continue
        problem = _fault(fields)
        if problem:
            problems.append(replace(problem, file=FILE, line=number))
            continue
        cell = dict(zip(COLUMNS, (field.strip() for field in fields), strict=True))
        one = Correction(number, cell["source"], int(cell["row"]), cell["column"], cell["old"], cell["new"])
        first = found.setdefault((one.source, one.row, one.column), one)
        if first is not one:
            told_before = f"Line {first.line} changes the same cell."
            problems.append(Problem("corrected_twice", told_before, "Keep one of the two.", FILE, number))
    if problems:
        raise PipelineError(problems)
    return tuple(found.values())


def correct_table(table: RawTable, corrections: Sequence[Correction]) -> RawTable:
    """Apply the lines that name a table.

    Raises
    ------
    PipelineError
        The row or the column is not in the table, or the cell no longer holds what the line says it held.
    """
    own = [one for one in corrections if one.source == table.source]
    if not own:
        return table
    cells, problems = table.cells.copy(), []
    columns = [str(name) for name in cells.columns]
    for one in own:
        if one.column not in columns:
            near = did_you_mean(one.column, columns)
            key = one.column if near else ""  # what is like no column may be an id in the wrong place
            told, advice = "The file has no such column.", f"{near}Correct the line."
            problems.append(Problem("column_missing", told, advice, FILE, one.line, key))
        elif one.row not in cells.index:
            told = f"The file has no row {one.row} of answers."
            advice = "Correct the line; rows that could not be read cannot be corrected here."
            problems.append(Problem("row_missing", told, advice, FILE, one.line))
        elif cells.loc[one.row, one.column].strip() != one.old:
            told = "The cell does not hold the old value of this line (any more)."
            advice = "Look at the file: correct the line, or remove it if the file was mended."
            problems.append(Problem("old_differs", told, advice, FILE, one.line, one.column))
        else:
            cells.loc[one.row, one.column] = one.new
    if problems:
        raise PipelineError(problems)
    return replace(table, cells=cells)


def unused_corrections(tables: Collection[str], corrections: Sequence[Correction]) -> tuple[int, ...]:
    """Return the lines that name none of the tables that were read."""
    return tuple(one.line for one in corrections if one.source not in tables)


def _without_blank_end(fields: Sequence[str]) -> Sequence[str]:
    """Return the fields without blank ones beyond the columns; none of a blank line."""
    if not any(field.strip() for field in fields):
        return []
    return fields[: len(COLUMNS)] if not any(field.strip() for field in fields[len(COLUMNS) :]) else fields


def _fault(fields: Sequence[str]) -> Problem | None:
    if len(fields) != len(COLUMNS):
        advice = f"Give {len(COLUMNS)}: {','.join(COLUMNS)}."
        return Problem("field_count", f"The line has {len(fields)} fields.", advice)
    told = dict(zip(COLUMNS, (field.strip() for field in fields), strict=True))
    absent = [name for name in _NEEDED if not told[name]]
    if absent:
        return Problem("field_blank", f"The line does not tell {', '.join(absent)}.", "Fill it in.")
    if not read_day(told["when"], "%Y-%m-%d"):
        advice = "Write the day on which it was corrected as YYYY-MM-DD."
        return Problem("when_no_day", "It is not told when.", advice, key="when")
    if not re.fullmatch(r"[0-9]{1,9}", told["row"]):
        advice = "Write the row in the file; its header is row 1."
        return Problem("row_no_number", "The row is no number.", advice, key="row")
    return None

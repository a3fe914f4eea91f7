"""Exports of KoboToolbox and ODK: one row per submission, or the rows of a repeat with the columns of their parents."""

from __future__ import annotations

import csv
import re
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.sources.delimited import read_delimited
from pipelines.sources.excel import check_archive, read_excel
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.redcap import without_cut_row

OWN_DELIMITER: Final = ";"
INDEX: Final = "_index"
PARENT_TABLE: Final = "_parent_table_name"
PARENT_INDEX: Final = "_parent_index"
KEY: Final = "KEY"
PARENT_KEY: Final = "PARENT_KEY"
PARENT: Final = "_parent/"
"""Stands before a parent's column whose name the repeat has, too."""
MAX_DEPTH: Final = 10
_SHEET_NAME: Final = 31
_XML_NAME: Final = re.compile(r"[^\W\d][\w.-]*(?:[/.:][\w.-]+)*")
_TAG: Final = re.compile(r"#[^\W\d].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Text:
    """How a text file is declared."""

    encoding: str | None
    delimiter: str | None
    decimal_comma: bool


def read_kobo(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    sheet: str | None = None,
    repeat: str | None = None,
) -> RawTable:
    """Read a CSV or XLSX export of KoboToolbox, or a CSV export of ODK; cells and column names stay as they are.

    Groups stand in the names (``group/question``), a question with several answers is one column with the codes and a
    space between them, one column per answer (``question/answer``), or both. What the system adds (``_id``, ``_uuid``,
    ``_submission_time``, ``_validation_status``, ``__version__``) are columns; no row is left out for them. Questions
    of other versions of the form are columns of their own, blank where a version did not ask. A row of HXL tags below
    the header is excluded as ``second_header``; a last row of a CSV file without a line break is quarantined as
    ``cut_off``.

    An export of labels is read as it is: its columns are the labels, and `questions` holds each of them, where an
    export of XML values and headers has none. It is known by a label that can be no XML name; an export whose labels
    all look like names is not told apart. Questions with the same label are numbered, as in `number_repeated`.

    Parameters
    ----------
    path : Path
        The file; a workbook's name ends in ``.xlsx``, all else is text.
    source : str
        Name for provenance; the sheet, or the repeat of a CSV file, follows in brackets.
    encoding, delimiter, decimal_comma
        As in `read_delimited`; a workbook has neither encoding nor delimiter.
    sheet : str, optional
        Sheet of a workbook; without it the only one that is no repeat.
    repeat : str, optional
        Rows of this repeat: the sheet of a workbook; for ODK the file ``<name>-<repeat>.csv`` beside ``<name>.csv``.
        Each row stands with the columns of its parents up to the submission, found through ``_parent_index`` and
        ``_index``, or ``PARENT_KEY`` and ``KEY``. A parent's column whose name the repeat has, too, is
        ``_parent/<name>``. A row whose parent is not in the export is quarantined.

    Raises
    ------
    SourceError
        Not readable as its kind of file, options of another kind, more than one sheet could be meant, or a repeat that
        is none, is not there, or whose parents cannot be told apart.
    """
    if _is_workbook(path, source):
        table = _read_workbook(path, source, sheet, repeat, encoding or delimiter)
        table = replace(table, decimal_comma=decimal_comma)
    else:
        table = _read_text(path, source, sheet, repeat, _Text(encoding, delimiter, decimal_comma))
    labels = [name for name in table.cells.columns if not _XML_NAME.fullmatch(name.removeprefix(PARENT))]
    told = {name: name for name in table.cells.columns if not name.startswith("_")} if labels else {}
    return replace(_without_tags(table), questions=told)


def _read_text(path: Path, source: str, sheet: str | None, repeat: str | None, options: _Text) -> RawTable:
    if sheet:
        _refuse("option_of_another_kind", "A CSV file has no sheets.", "Remove 'sheet' from study.yaml.", source)
    table = _read_one(path, source, options)
    if repeat is None:
        return table
    file = path.parent / f"{path.stem}-{repeat}.csv"
    if Path(repeat).name != repeat or not file.is_file():
        _refuse("repeat_missing", f"There is no file '<name>-{repeat}.csv' beside the export.",
                "Deliver all files of ODK's export; KoboToolbox writes repeats to workbooks only.", source)  # fmt: skip
    rows = _read_one(file, f"{source}[{repeat}]", options)
    return _join(rows, rows.cells, PARENT_KEY, table, KEY)


def _read_one(path: Path, source: str, options: _Text) -> RawTable:
    try:
        return without_cut_row(path, read_delimited(path, source, **asdict(options), number_names=True))
    except SourceError as error:
        if options.delimiter or error.problems[0].code != "no_delimiter":
            raise
        return _read_one(path, source, replace(options, delimiter=OWN_DELIMITER))  # a form with one question
    except csv.Error:  # a field beyond the limit, before the delimiter is known
        _refuse("broken_quotes", "A field is longer than any answer: a quotation mark is never closed.",
                "Deliver the export again.", source)  # fmt: skip


def _is_workbook(path: Path, source: str) -> bool:
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return True
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            _refuse("packed_file", "The file is a .zip archive or a workbook, not text.",
                    "Unpack it; if it is a workbook, let its name end in .xlsx.", source)  # fmt: skip
    return False


def _read_workbook(path: Path, source: str, sheet: str | None, repeat: str | None, of_text: str | None) -> RawTable:
    if of_text:
        _refuse("option_of_another_kind", "A workbook has neither encoding nor delimiter.",
                "Remove 'encoding' and 'delimiter' from study.yaml.", source)  # fmt: skip
    headers = _read_headers(path, source)
    answers = [name for name, header in headers.items() if PARENT_INDEX not in header]
    if repeat is None:
        if sheet is None and len(answers) != 1:
            _refuse("sheet_not_named", f"{len(answers)} sheets could hold the submissions.",
                    "Open the workbook, and name one with 'sheet' in study.yaml.", source)  # fmt: skip
        return read_excel(path, source, sheet=sheet or answers[0], is_declared=sheet is not None, number_names=True)
    if sheet:
        _refuse("sheet_and_repeat", "Both 'sheet' and 'repeat' are given; the parents' sheets are found by themselves.",
                "Remove 'sheet' from study.yaml.", source)  # fmt: skip
    repeats = [name for name in headers if name not in answers]
    if repeat not in repeats:
        advice = "Remove 'repeat': no sheet of this export is one."
        if repeats:
            advice = f"{len(repeats)} sheets are: open the workbook, and write the name of one as it stands there."
        _refuse("repeat_missing", f"'{repeat}' is no sheet of a repeat (with '{PARENT_INDEX}').", advice, source)
    return _with_parents(path, source, repeat, headers, ())


def _with_parents(
    path: Path, source: str, sheet: str, headers: dict[str, list[str]], below: tuple[str, ...]
) -> RawTable:
    """Return the rows of a sheet with the columns of their parents, and of theirs."""
    table = read_excel(path, source, sheet=sheet, is_declared=not below, number_names=True)
    if PARENT_INDEX not in headers[sheet]:
        return table
    if PARENT_TABLE not in table.cells.columns or len(below) >= MAX_DEPTH:
        _refuse("parent_unknown", f"The sheet does not tell its parent ('{PARENT_TABLE}'), or repeats nest too deep.",
                "Export the workbook again.", table.source, 1, PARENT_TABLE)  # fmt: skip
    found = {name: _find_sheet(name, headers) for name in table.cells[PARENT_TABLE].unique()}
    parents = {parent for parent in found.values() if parent is not None and parent not in (*below, sheet)}
    if len(parents) != 1:
        _refuse("parent_unknown", "No single sheet has the name of the table that the rows call their parent.",
                "Export the workbook again, and do not rename its sheets.", table.source, 2, PARENT_TABLE)  # fmt: skip
    parent = _with_parents(path, source, parents.pop(), headers, (*below, sheet))
    named = table.cells[PARENT_TABLE].map(lambda name: found[name] is not None)
    return _join(table, table.cells[named], PARENT_INDEX, parent, INDEX)


def _find_sheet(table: str, headers: dict[str, list[str]]) -> str | None:
    """Return the sheet of a table: KoboToolbox replaces what sheet names cannot hold, and cuts them with dots."""
    name = re.sub(r"[\[\]:*?/\\]|^'|'$", "_", table)
    short = name if len(name) <= _SHEET_NAME else f"{name[: _SHEET_NAME - 3]}..."
    twins = [sheet for sheet in headers if re.fullmatch(r".*\.\.\. \([0-9]+\)", sheet)]
    return short if short in headers and (short == name or not twins) else None


def _join(table: RawTable, rows: pd.DataFrame, parent_key: str, parent: RawTable, key: str) -> RawTable:
    """Return a table of `rows` with the columns of their parents in front; the others of `table` are set aside."""
    for one, column in ((table, parent_key), (parent, key)):
        if column not in one.cells.columns:
            _refuse("column_missing", f"The column '{column}', by which repeats are joined, is not in the table.",
                    "Export all columns again.", one.source, 1, column)  # fmt: skip
    keys = parent.cells[key]
    twice = keys.index[keys.duplicated() & (keys != "")]
    if len(twice):
        _refuse("parent_twice", "The key of this row stands further up already: its repeats could be of either.",
                "Export again; do not paste exports together.", parent.source, int(twice[0]), key)  # fmt: skip
    rows = rows[rows[parent_key].isin(set(keys) - {""})]
    if rows.empty:
        _refuse("parent_missing", "No row of the repeat has its parent in the export.",
                "Deliver files of the same export.", table.source, 1, parent_key)  # fmt: skip
    above = parent.cells.set_index(key, drop=False).loc[rows[parent_key]].set_axis(rows.index)
    above.columns = pd.Index([_free(column, rows.columns) for column in above.columns])
    lines = [
        SetAside(table.source, int(row), parent_key, "parent_missing", "row", "The row's parent is not in the export.",
                 "Export again, or correct the row: its submission was deleted, or could not be read.")
        for row in table.cells.index.difference(rows.index)
    ]  # fmt: skip
    aside = tuple(sorted([*table.set_aside, *lines], key=lambda line: line.source_row))
    return replace(table, cells=pd.concat([above, rows], axis=1), set_aside=aside)


def _free(column: str, taken: pd.Index) -> str:
    while column in taken:
        column = f"{PARENT}{column}"
    return column


def _without_tags(table: RawTable) -> RawTable:
    """Return the table without a first row that holds HXL tags only."""
    first = [cell.strip() for cell in table.cells.iloc[0] if cell.strip()]
    if not all(_TAG.fullmatch(cell) for cell in first) or len(table.cells) == 1:
        return table
    line = SetAside(table.source, int(table.cells.index[0]), "", "second_header", "excluded",
                    "The row holds tags of the columns.", "Nothing to do.")  # fmt: skip
    aside = sorted([line, *table.set_aside], key=lambda line: line.source_row)
    return replace(table, cells=table.cells.iloc[1:], set_aside=tuple(aside))


def _read_headers(path: Path, source: str) -> dict[str, list[str]]:
    """Return the first row of every sheet."""
    import openpyxl

    check_archive(path, source)
    try:
        with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
            headers = {}
            for name in book.sheetnames:
                book[name].reset_dimensions()
                row = next(book[name].iter_rows(max_row=1, values_only=True), ())
                headers[name] = ["" if value is None else str(value).strip() for value in row]
    except Exception as error:
        problem = Problem("not_excel", f"The workbook cannot be read ({type(error).__name__}).",
                          "Export it again as .xlsx.", source)  # fmt: skip
    else:
        return headers
    raise SourceError(problem)


def _refuse(code: str, message: str, how_to_fix: str, file: str, line: int | None = None, column: str = "") -> NoReturn:
    raise SourceError(Problem(code, message, how_to_fix, file, line, column))

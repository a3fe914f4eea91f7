"""What the readers of survey platforms share: rows of text, names of repeated questions, rows that are left out."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.sources.delimited import decode_text, detect_delimiter, split_rows
from pipelines.sources.model import RawTable, SourceError, build_table, number_repeated

Row = tuple[int, list[str]]
"""Row in the file (the header is row 1) and its fields."""
ARCHIVE = b"PK\x03\x04"
"""The first bytes of a .zip archive, and so of an .xlsx workbook."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text, the header first; `is_cut` where the text ends without a line break."""

    rows: list[Row]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is set aside: the rule, `row` (quarantined) or `excluded`, what was found and what to do."""

    rule: str
    severity: str
    reason: str
    how_to_fix: str

    def at(self, source: str, row: int) -> SetAside:
        """Return the line of the quarantine for one row."""
        return SetAside(source, row, "", self.rule, self.severity, self.reason, self.how_to_fix)


NOTHING_TO_DO = "Nothing to do."
SECOND_HEADER = Reason("second_header", "excluded", "The row is part of the header, not an answer.", NOTHING_TO_DO)
CUT_OFF = Reason(
    "cut_off",
    "row",
    "The file ends within this row, without a line break: its last answer may be cut off.",
    "Deliver the export again; if the row is complete, end it with a line break.",
)


def read_rows(path: Path, source: str, encoding: str | None, delimiter: str | None) -> TextRows:
    """Read the rows of a delimited file, the header first; see `read_delimited` for `encoding` and `delimiter`.

    Raises
    ------
    SourceError
        As `read_delimited`, and for an archive or a workbook, whatever its name.
    """
    with path.open("rb") as file:
        packed = file.read(len(ARCHIVE)) == ARCHIVE
    if packed:
        advice = "Unpack the .zip and deliver the file inside; instead of a workbook, deliver the answers as CSV."
        raise SourceError(Problem("packed_file", "The file is a .zip archive or a workbook, not text.", advice, source))
    text = decode_text(path, source, encoding)
    try:
        used = delimiter or detect_delimiter(text, source)
    except csv.Error:
        message = "A field is longer than any answer: a quotation mark is probably never closed."
        raise SourceError(Problem("broken_quotes", message, "Deliver the export again.", source)) from None
    rows = list(split_rows(text, used, source))
    if not rows:
        raise SourceError(Problem("file_empty", "The file is empty.", "Deliver the export again.", source))
    return TextRows(rows, not text.endswith(("\n", "\r")))


def drop_unnamed_end(text: TextRows, n_header: int = 1) -> TextRows:
    """Return rows without the last columns that no header row names; a row with text there keeps its length."""
    full = width = len(text.rows[0][1])
    while width and not any("".join(fields[width - 1 : width]).strip() for _, fields in text.rows[:n_header]):
        width -= 1
    if width in (0, full):
        return text
    rows = [
        (row, fields[:width] if len(fields) == full and not "".join(fields[width:]).strip() else fields)
        for row, fields in text.rows
    ]
    return replace(text, rows=rows)


def build_answers(source: str, names: Sequence[str], text: TextRows, n_header: int = 1) -> RawTable:
    """Build the table of the rows below a header of `n_header` rows, as `build_table`; all rows but the first count.

    The other rows of the header are excluded, wherever they stand again, and a last row that is cut off is
    quarantined.
    """
    header = [fields for _, fields in text.rows[:n_header]]
    lines, body = [], []
    for row, fields in text.rows[1:]:
        if fields in header:
            lines.append(SECOND_HEADER.at(source, row))
        elif text.is_cut and row == text.rows[-1][0]:
            lines.append(CUT_OFF.at(source, row))
        else:
            body.append((row, fields))
    table = build_table(source, names, body)
    return replace(table, rows_read=len(text.rows) - 1, set_aside=_in_order(*table.set_aside, *lines))


def name_questions(texts: Sequence[str]) -> list[str]:
    """Return a column name for each question text: one space between words, and repeated texts all numbered."""
    return number_repeated([" ".join(text.split()) for text in texts])


def leave_out(table: RawTable, lines: Sequence[SetAside]) -> RawTable:
    """Return the table without the rows of `lines`, which are told in its `set_aside`.

    Raises
    ------
    SourceError
        No row is left; the problem counts the reasons.
    """
    cells = table.cells.drop(index=[line.source_row for line in lines])
    aside = _in_order(*table.set_aside, *lines)
    if cells.empty:
        counted = Counter(line.rule for line in aside if line.rule != SECOND_HEADER.rule)
        counts = "; ".join(f"{rule}: {n}" for rule, n in sorted(counted.items()))
        fixes = dict.fromkeys(line.how_to_fix for line in lines if line.how_to_fix != NOTHING_TO_DO)
        advice = " ".join(("Deliver the export again when there are answers.", *fixes))
        raise SourceError(Problem("no_rows", f"No row is an answer to use ({counts}).", advice, table.source))
    return replace(table, cells=cells, set_aside=aside)


def finish(table: RawTable, texts: Sequence[str], *, decimal_comma: bool) -> RawTable:
    """Return the table with the text of each question, in column order and blank where none is told."""
    texts_of = zip(table.cells.columns, (text.strip() for text in texts), strict=True)
    return replace(
        table,
        questions={name: text for name, text in texts_of if text},
        decimal_comma=decimal_comma,
    )


def _in_order(*lines: SetAside) -> tuple[SetAside, ...]:
    return tuple(sorted(lines, key=lambda line: line.source_row))

"""CSV and other delimited text, read strictly: text only, declared or detected encoding and delimiter, no guessing."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.sources.model import RawTable, SourceError, build_table

DELIMITERS = (",", ";", "\t", "|")
MAX_BYTES = 512 * 1024 * 1024
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROLS = re.compile("[\x80-\x9f]")
_SAMPLE_ROWS = 50
CUT_ADVICE = (
    "Deliver the file again; if the row is complete, end it with a line break. Google's files have none: "
    "declare them as 'format: google_forms'."
)
MAX_FIELD_CHARACTERS = 4 * 1024 * 1024
csv.field_size_limit(MAX_FIELD_CHARACTERS)


def read_delimited(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    number_names: bool = False,
    may_be_empty: bool = False,
) -> RawTable:
    """Read a delimited text file.

    Parameters
    ----------
    path : Path
        The file; its first row is the header.
    source : str
        Name for provenance.
    encoding : str, optional
        As declared. Without it: the byte-order mark, else UTF-8; anything else is refused, never guessed.
    delimiter : str, optional
        As declared. Without it: the one that cuts the first rows into the same number of fields.
    decimal_comma : bool
        As declared: where a number is read, ``2,5`` is one. No cell is changed.
    number_names, may_be_empty : bool
        As in `build_table`.

    Returns
    -------
    RawTable
        A last row after which the file ends without a line break is quarantined as ``cut_off``, unless a quotation mark
        closes it: ``12`` may be what is left of ``125``, and nobody could see it.

    Raises
    ------
    SourceError
        Not readable in that encoding, NUL bytes, an unclosed quote, no delimiter fits, or nothing is left.
    """
    text = decode_text(path, source, encoding)
    delimiter = delimiter or detect_delimiter(text, source)
    rows = split_rows(text, delimiter, source)
    header = next(rows, None)
    if header is None:
        raise SourceError(Problem("file_empty", "The file is empty.", "Deliver the export again.", source))
    table = build_table(source, header[1], rows, number_names=number_names, may_be_empty=may_be_empty)
    if len(table.cells) and not text.endswith(("\n", "\r", '"')):
        table = set_aside_last_row(table, CUT_ADVICE)
    return replace(table, decimal_comma=decimal_comma)


def set_aside_last_row(table: RawTable, how_to_fix: str) -> RawTable:
    """Return the table of a file that ends within its last row, without that row.

    Raises
    ------
    SourceError
        No other row is there.
    """
    last = int(table.cells.index[-1])
    if any(line.source_row > last for line in table.set_aside):
        return table
    reason = "The file ends within this row, without a line break: its last answer may be cut off."
    if len(table.cells) == 1:
        raise SourceError(Problem("no_rows", "The file ends within its only row.", how_to_fix, table.source, last))
    line = SetAside(table.source, last, "", "cut_off", "row", reason, how_to_fix)
    return replace(table, cells=table.cells.iloc[:-1], set_aside=(*table.set_aside, line))


def decode_text(path: Path, source: str, encoding: str | None) -> str:
    """Return the text of a file, in the declared encoding or by its byte-order mark, else UTF-8."""
    if path.stat().st_size > MAX_BYTES:
        raise SourceError(
            Problem("file_too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.", "Split it.", source)
        )
    raw = path.read_bytes()
    if not raw.strip():
        raise SourceError(Problem("file_empty", "The file is empty.", "Deliver the export again.", source))
    if raw.startswith(b"PK\x03\x04"):
        advice = "Unpack it, or declare 'format: excel' where it is a workbook."
        raise SourceError(Problem("not_text", "The file is an archive or a workbook, not text.", advice, source))
    used = encoding or next((name for mark, name in _BYTE_ORDER_MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(used).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SourceError(
            Problem(
                "wrong_encoding",
                f"The file is not {used} text: the first byte that does not fit is in this line.",
                "Save it as UTF-8, or declare its 'encoding' (often cp1252 from Windows) in study.yaml.",
                source,
                line,
            )
        ) from None
    except (LookupError, UnicodeError):
        raise SourceError(
            Problem(
                "unknown_encoding",
                f"'{used}' is not a known encoding.",
                "Declare one such as utf-8 or cp1252 in study.yaml.",
                source,
            )
        ) from None
    _refuse_windows_letters(text, used, source)
    if "\x00" in text:
        raise SourceError(
            Problem(
                "nul_byte",
                "The file holds NUL characters: it is damaged, or not text.",
                "Deliver the export again, or declare its 'encoding' (utf-16?).",
                source,
                text[: text.index("\x00")].count("\n") + 1,
            )
        )
    return text


def _refuse_windows_letters(text: str, encoding: str, source: str) -> None:
    """Refuse letters of Windows that were read as ISO 8859, where every byte is a character: controls nobody types."""
    found = _CONTROLS.search(text) if codecs.lookup(encoding).name.startswith("iso8859") else None
    if found:
        raise SourceError(
            Problem(
                "wrong_encoding",
                f"The file is not {encoding} text: this line has a control character that nobody types.",
                "Declare 'encoding: cp1252' (Windows) in study.yaml, or save the file as UTF-8.",
                source,
                text.count("\n", 0, found.start()) + 1,
            )
        )


def detect_delimiter(text: str, source: str) -> str:
    """Return the delimiter that cuts the first rows into the same number of fields; `SourceError` where none does."""
    fitting = _fitting(text, is_strict=True) or _fitting(text, is_strict=False)
    if not fitting:
        raise SourceError(
            Problem(
                "no_delimiter",
                "None of , ; tab | cuts the header into columns.",
                "Declare the 'delimiter' in study.yaml, or check that this is a CSV file.",
                source,
                1,
            )
        )
    return max(fitting, key=lambda entry: entry[:2])[2]


def _fitting(text: str, *, is_strict: bool) -> list[tuple[float, int, str]]:
    """Return for each delimiter that gives columns: share of rows with as many fields as the first, fields, delimiter.

    Strictly read, quotation marks inside a field rule a delimiter out.
    """
    found = []
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=is_strict)
        counts: list[int] = []
        try:
            counts.extend(len(fields) for fields in islice(reader, _SAMPLE_ROWS) if fields)
        except csv.Error:  # what was cut before it still tells the delimiter
            if is_strict:
                continue
        if counts and counts[0] > 1:
            found.append((counts.count(counts[0]) / len(counts), counts[0], delimiter))
    return found


def split_rows(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield row number and fields of every row; `SourceError` where a quotation mark is never closed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    try:
        for row, fields in enumerate(reader, 1):
            yield row, fields
    except csv.Error:
        raise SourceError(
            Problem(
                "broken_quotes",
                f"A quotation mark opened near row {row + 1} is never closed, or stands inside a field.",
                "Close it, or double it inside an answer.",
                source,
                reader.line_num,
            )
        ) from None

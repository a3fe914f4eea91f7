"""Which system wrote a file? Told by its first bytes and its header, and tried with the reader of that format."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem
from pipelines.declarations import Export
from pipelines.errors import PipelineError
from pipelines.proposing.headers import find_header_row
from pipelines.sources import RawTable, read_source
from pipelines.sources.formats import OPTIONS, Format
from pipelines.texts import with_decimal_point

_HEAD_BYTES: Final = 64 * 1024
_MAGIC: Final[Mapping[bytes, Format]] = {
    b"PAR1": "parquet", b"$FL2": "spss", b"$FL3": "spss", b"<stata_dta>": "stata",
}  # fmt: skip
_ENDINGS: Final[Mapping[str, Format]] = {".sav": "spss", ".zsav": "spss", ".dta": "stata", ".parquet": "parquet"}
_DICTIONARY_HEADERS: Final = ({"Variable / Field Name"}, {"field_name", "select_choices_or_calculations"})
_TIMESTAMPS: Final = frozenset({"timestamp", "zeitstempel", "marca temporal", "horodateur"})
_REPEAT_COLUMN: Final = "redcap_repeat_instrument"
_NO_HEADER: Final = frozenset(
    {"rows_do_not_fit", "column_twice", "column_without_name", "header_blank", "merged_header"}
)
"""What a reader says of a first row that is no header."""
COMMAS: Final = 0.05
"""Share of the numbers of a column that have a comma, where the comma is no slip."""
_COMMA_NUMBER: Final = re.compile(r"[-+]?\d+,\d+")


@dataclass(frozen=True, slots=True)
class OpenedExport:
    """A file as read.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        Its path from the data folder on, as study.yaml names it.
    declared : Export
        Format and options with which it was read; the participant is not known yet.
    table : RawTable
        What the reader returned.
    reasons : tuple of str
        Why this format and these options, in words.
    """

    path: Path
    name: str
    declared: Export
    table: RawTable
    reasons: tuple[str, ...]

    @property
    def options(self) -> dict[str, str | int]:
        """The options of the format that were needed."""
        told = {option: getattr(self.declared, option) for option in OPTIONS[self.declared.format]}
        return {option: value for option, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class OpenedExports:
    """Files as read, what hindered the reading of others, and files that only describe others."""

    exports: tuple[OpenedExport, ...]
    problems: tuple[Problem, ...]
    dictionaries: tuple[str, ...]


def open_exports(paths: Sequence[Path], root: Path) -> OpenedExports:
    """Read files, each as what its bytes and header say it is.

    Parameters
    ----------
    paths : sequence of Path
        Exports; a REDCap data dictionary among them, or beside an export, is used and is no export itself.
    root : Path
        Folder that their names are relative to.

    Returns
    -------
    OpenedExports
        Every file is either read, told as a problem with the reader's own words, or a dictionary.
    """
    exports: list[OpenedExport] = []
    problems: list[Problem] = []
    dictionaries: list[str] = []
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            if is_dictionary(path):
                dictionaries.append(name)
            else:
                exports += _open(path, name)
        except PipelineError as error:
            problems += error.problems
        except OSError as error:
            advice = "Check the path and its rights."
            problems.append(Problem("file_unreadable", f"The file cannot be read ({error.strerror}).", advice, name))
    return OpenedExports(tuple(exports), tuple(problems), tuple(dictionaries))


def guess_format(path: Path) -> tuple[Format, str]:
    """Return the format that the first bytes and the header of a file tell, and why."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind, "its first bytes"
    if head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        return _guess_workbook(path)
    ending = path.suffix.lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending], f"its name ends in {ending}"
    text = _decode(head)
    if text.lstrip().startswith(("{", "[")) and '"resourceType"' in text:
        return "fhir", "it is JSON with a resourceType"
    if ending in (".xlsx", ".xlsm"):
        return "excel", f"its name ends in {ending}"
    return _guess_text(path, text)


def is_dictionary(path: Path) -> bool:
    """Tell whether a file is a REDCap data dictionary."""
    with path.open("rb") as file:
        header = set(_first_rows(_decode(file.read(_HEAD_BYTES)))[0])
    return any(names <= header for names in _DICTIONARY_HEADERS)


def _open(path: Path, name: str) -> Iterator[OpenedExport]:
    kind, reason = guess_format(path)
    options: dict[str, object] = {}
    reasons = [reason]
    if kind == "redcap":
        beside = sorted(one for one in path.parent.glob("*.csv") if one != path and is_dictionary(one))
        if len(beside) == 1:
            options["dictionary"] = beside[0].name
            reasons.append(f"the data dictionary {beside[0].name} lies beside it")
    opened = _read(path, name, kind, options, reasons)
    yield from opened
    for first in opened[:1]:
        if kind == "redcap" and _REPEAT_COLUMN in first.table.cells.columns:
            yield from _open_repeats(first)


def _read(
    path: Path, name: str, kind: Format, options: Mapping[str, object], reasons: Sequence[str]
) -> list[OpenedExport]:
    """Read a file; where its reader asks for an option that can be told, read it again with it."""
    declared = Export.model_validate({"path": name, "format": kind, "participant_id": "-", **options})
    try:
        table = read_source(path, name, declared)
    except PipelineError as error:
        codes = {problem.code for problem in error.problems}
        if "wrong_encoding" in codes and "encoding" not in options:
            more = [*reasons, "it is no UTF-8 text, and probably cp1252 from Windows"]
            return _read(path, name, kind, {**options, "encoding": "cp1252"}, more)
        if "finished_unknown" in codes and "keep_unfinished" not in options:
            more = [*reasons, "no column tells which answers were finished"]
            return _read(path, name, kind, {**options, "keep_unfinished": True}, more)
        if "sheet_not_named" in codes:
            return _read_sheets(path, name, kind, reasons)
        header_row = _header_below(path, kind, options) if codes & _NO_HEADER else None
        if header_row:
            more = [*reasons, f"its header is in row {header_row}, below other lines"]
            return _read(path, name, kind, {**options, "header_row": header_row}, more)
        raise
    if "decimal_comma" in OPTIONS[kind] and "decimal_comma" not in options and _has_decimal_commas(table):
        more = [*reasons, "its numbers have a decimal comma"]
        return _read(path, name, kind, {**options, "decimal_comma": True}, more)
    return [OpenedExport(path, name, declared, _with_decimal_points(table), tuple(reasons))]


def _with_decimal_points(table: RawTable) -> RawTable:
    """Return a table to look at: where a column holds numbers alone, and commas count, it has decimal points."""
    if not table.decimal_comma:
        return table
    pointed = {
        column: cells.str.strip().map(with_decimal_point)
        for column, cells in table.cells.items()
        if cells.str.strip().str.fullmatch(r"([-+]?\d+(,\d+)?)?").all()
    }
    return replace(table, cells=table.cells.assign(**pointed))


def _read_sheets(path: Path, name: str, kind: Format, reasons: Sequence[str]) -> list[OpenedExport]:
    """Read every sheet that holds a table; blank ones, and remarks beside a table, are none."""
    found: list[OpenedExport] = []
    problems: list[Problem] = []
    for sheet in _sheets(path):
        try:
            found += _read(path, name, kind, {"sheet": sheet}, [*reasons, "one of several sheets"])
        except PipelineError as error:
            problems += error.problems
    if not found:
        raise PipelineError(problems)
    return found


def _header_below(path: Path, kind: Format, options: Mapping[str, object]) -> int | None:
    """Return the row of the header, where the first row is none and a later one can be."""
    if kind != "excel" or "header_row" in options:
        return None
    sheet = options.get("sheet")
    row = find_header_row(path, sheet if isinstance(sheet, str) else None)
    return row if row != 1 else None


def _open_repeats(export: OpenedExport) -> Iterator[OpenedExport]:
    """Yield the tables of the repeating instruments; their rows are excluded from the table of the record."""
    everything = read_source(
        export.path,
        export.name,
        Export.model_validate({"path": export.name, "format": "csv", "participant_id": "-"}),
    )
    for repeat in sorted(set(everything.cells[_REPEAT_COLUMN].str.strip()) - {""}):
        declared = export.declared.model_copy(update={"repeat": repeat})
        table = read_source(export.path, export.name, declared)
        yield replace(export, declared=declared, table=table, reasons=(*export.reasons, "a repeating instrument of it"))


def _guess_workbook(path: Path) -> tuple[Format, str]:
    from pipelines.sources.excel import read_excel

    headers: list[list[str]] = []
    for sheet in _sheets(path):
        with suppress(PipelineError):
            headers.append(list(read_excel(path, path.name, sheet=sheet).cells.columns))
    repeats = [header for header in headers if "_parent_index" in header and "_index" in headers[0]]
    kind, reason = _guess_header([*headers[0], *(repeats[0] if repeats else [])] if headers else [])
    return (kind, f"a workbook in which {reason}") if kind in ("kobo", "google_forms", "microsoft_forms") else (
        "excel", "a workbook")  # fmt: skip


def _guess_text(path: Path, text: str) -> tuple[Format, str]:
    rows = _first_rows(text)
    if any('"ImportId"' in field for row in rows[1:3] for field in row):
        return "qualtrics", "its header has import ids"
    if len(rows) > 1 and "ResponseID" in [field.strip() for field in rows[1]]:
        return "qualtrics", "its header is that of older exports of Qualtrics"
    kind, reason = _guess_header([field.strip() for field in rows[0]])
    if kind == "csv" and rows[0] and path.parent.is_dir():
        beside = [one for one in path.parent.glob("*.csv") if one != path and is_dictionary(one)]
        if beside and rows[0][0].strip() in beside[0].read_text(encoding="utf-8", errors="replace"):
            return "redcap", "a data dictionary with its columns lies beside it"
    return kind, reason


def _guess_header(names: Sequence[str]) -> tuple[Format, str]:
    known = set(names)
    lower = {name.casefold() for name in names}
    if known & {"redcap_event_name", _REPEAT_COLUMN, "redcap_data_access_group", "redcap_survey_identifier"}:
        return "redcap", "it has columns of REDCap"
    if "record_id" in known and any(name.endswith("_complete") for name in names):
        return "redcap", "it has a record_id and the status of forms"
    if known & {"_uuid", "_submission_time", "meta/instanceID", "KEY"} or known >= {"_index", "_parent_index"}:
        return "kobo", "it has columns of KoboToolbox or ODK"
    if any(name.startswith("submitdate") for name in names) and len(lower & {"id", "lastpage", "startlanguage"}):
        return "limesurvey", "it has columns of LimeSurvey"
    if lower >= {"start time", "completion time"}:
        return "microsoft_forms", "it has the times of Microsoft Forms"
    if lower & _TIMESTAMPS and names and names[0].casefold() in _TIMESTAMPS:
        return "google_forms", "its first column is the timestamp of Google Forms"
    return "csv", "its first row is taken for a header"


def _first_rows(text: str) -> list[list[str]]:
    """Return the first three rows of a text, cut where that gives most fields."""
    best: list[list[str]] = [[]]
    for delimiter in (",", ";", "\t", "|"):
        rows: list[list[str]] = []
        try:
            for fields in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                rows.append(fields)
                if len(rows) == 3:
                    break
        except csv.Error:
            pass
        if rows and len(rows[0]) > len(best[0]):
            best = rows
    return best


def _decode(head: bytes) -> str:
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return head.decode(encoding, errors="replace")


def _sheets(path: Path) -> list[str]:
    from openpyxl import load_workbook

    from pipelines.sources.excel import check_archive

    check_archive(path, path.name)
    try:
        with closing(load_workbook(path, read_only=True)) as book:
            return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except (KeyError, ValueError, zipfile.BadZipFile):
        return []


def _has_decimal_commas(table: RawTable) -> bool:
    """Tell whether in some column every answer is a number, and not only now and then one has a comma."""
    for column in table.cells.columns:
        texts = table.cells[column].str.strip()
        texts = texts[texts != ""]
        with_comma = texts.str.fullmatch(_COMMA_NUMBER.pattern)
        if with_comma.mean() >= COMMAS and texts.str.fullmatch(r"[-+]?\d+(,\d+)?").all():
            return True
    return False

"""Google Forms and Microsoft Forms: the text of a question is the name of its column; CSV or workbook."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem
from pipelines.sources.excel import read_excel
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.survey_rows import (
    ARCHIVE,
    SECOND_HEADER,
    TextRows,
    build_answers,
    drop_unnamed_end,
    finish,
    leave_out,
    name_questions,
    read_rows,
)

_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


def read_google_forms(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    sheet: str | None = None,
) -> RawTable:
    """Read the answers of a Google form: the CSV of the form or of its sheet, or the sheet as .xlsx.

    Columns have the text of the question, with one space between words (line breaks and the hard spaces of copied
    text cannot be typed in study.yaml); ``Question [Row]`` is a row of a grid. In CSV, a text that stands over several
    columns is numbered over all of them, ``Comments (1)``, ``Comments (2)``, so that the plain text means none;
    a workbook with such columns is refused. `questions` has every text as it stands. Several choices stay one text
    (``a;b`` in the CSV of a form, ``a, b`` in a sheet). Google ends its files without a line break, so that a last
    answer that was cut off cannot be told where fields have no quotation marks. No cell is changed.

    Parameters
    ----------
    path : Path
        The file. Text is read whatever its name is, a workbook only as .xlsx.
    source : str
        Name for provenance, without the sheet.
    encoding, delimiter, decimal_comma
        Of a CSV file, as in `read_delimited`.
    sheet : str, optional
        Of a workbook, as in `read_excel`.

    Raises
    ------
    SourceError
        Not readable, an option that the kind of file does not have, or a column without a question.
    """
    if not _is_workbook(path, source):
        text = replace(_read_text(path, source, encoding, delimiter, sheet), is_cut=False)
        return _read_csv(source, text, decimal_comma=decimal_comma)
    given = {"encoding": encoding, "delimiter": delimiter, "decimal_comma": decimal_comma or None}
    for option, value in given.items():
        if value is not None:
            raise _no_such_option(option, "a workbook", source)
    return _read_workbook(path, source, sheet)


def read_microsoft_forms(path: Path, source: str, *, sheet: str | None = None) -> RawTable:
    """Read the answers of a Microsoft form: the workbook, or a CSV made of it.

    As `read_google_forms`. Microsoft numbers repeated texts itself (``Comments``, ``Comments2``) and ends several
    choices with a semicolon (``a;b;``); both stay. A last row of a CSV file without a line break is quarantined as
    ``cut_off``: Excel ends every row with one.

    Parameters
    ----------
    path : Path
        The file. Text is read whatever its name is, a workbook only as .xlsx.
    source : str
        Name for provenance, without the sheet.
    sheet : str, optional
        Of a workbook, as in `read_excel`.

    Raises
    ------
    SourceError
        Not readable, a sheet named for a CSV file, or a column without a question.
    """
    if not _is_workbook(path, source):
        return _read_csv(source, _read_text(path, source, None, None, sheet), decimal_comma=False)
    return _read_workbook(path, source, sheet)


def _read_text(path: Path, source: str, encoding: str | None, delimiter: str | None, sheet: str | None) -> TextRows:
    if sheet is not None:
        raise _no_such_option("sheet", "a CSV file", source)
    return drop_unnamed_end(read_rows(path, source, encoding, delimiter))


def _read_csv(source: str, text: TextRows, *, decimal_comma: bool) -> RawTable:
    header = text.rows[0][1]
    return finish(build_answers(source, name_questions(header), text), header, decimal_comma=decimal_comma)


def _read_workbook(path: Path, source: str, sheet: str | None) -> RawTable:
    table = read_excel(path, source, sheet=sheet)
    texts = list(table.cells.columns)
    names = name_questions(texts)
    if len(set(names)) < len(names):
        places = [str(place) for place, name in enumerate(names, 1) if names.count(name) > 1]
        message = f"Columns {', '.join(places)} have the same question."
        raise SourceError(Problem("column_twice", message, "Rename the columns.", table.source, 1))
    rows = table.cells.itertuples(name=None)
    again = [row for row, *fields in rows if [field.strip() for field in fields] == texts]
    table = leave_out(table, [SECOND_HEADER.at(table.source, int(row)) for row in again])
    table = replace(table, cells=table.cells.set_axis(names, axis="columns"))
    return finish(table, texts, decimal_comma=False)


def _is_workbook(path: Path, source: str) -> bool:
    """Tell a workbook from text by its first bytes; an archive that is no workbook is left to `read_rows`."""
    with path.open("rb") as file:
        start = file.read(len(ARCHIVE))
    if start != ARCHIVE:
        return start == _OLD_WORKBOOK
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except Exception as error:  # a damaged directory of the archive is met in many ways
        message = f"The workbook or archive is damaged ({type(error).__name__})."
        raise SourceError(Problem("not_excel", message, "Deliver the export again.", source)) from None


def _no_such_option(option: str, kind: str, source: str) -> SourceError:
    advice = f"Remove '{option}' from this source in study.yaml, or deliver the other kind of file."
    return SourceError(Problem("option_not_used", f"The file is {kind}, which has no '{option}'.", advice, source))

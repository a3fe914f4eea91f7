"""SPSS and Stata files: codes as text, labels and user-missing codes kept; parsed in a confined child process."""

from __future__ import annotations

import datetime
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from pipelines.sources.columnar import build_from_columns, cell_text
from pipelines.sources.delimited import MAX_BYTES
from pipelines.sources.model import Missing, RawTable, SourceError
from pipelines.sources.statistical_child import ANY_BYTES
from pipelines.sources.statistical_process import FAILURES, STOPPED, read_in_child

Value = float | str | None
SPSS_ORIGIN: Final = datetime.datetime(1582, 10, 14)  # noqa: DTZ001 - these clocks have no zone
STATA_ORIGIN: Final = datetime.datetime(1960, 1, 1)  # noqa: DTZ001
_HEADER_BYTES: Final = 176
_PERHAPS_ASCII: Final = "WINDOWS-1252"  # so written where the file has only a number, which may mean plain ASCII
_DECODED: Final = ""  # by the child
_DECLARE: Final = "Declare its 'encoding' (often cp1252 from Windows) in study.yaml."


@dataclass(frozen=True, slots=True)
class Variable:
    """What the file says of one column: its name, its question, how numbers are shown, labels and missing codes."""

    name: str
    label: str
    type: str
    display: str
    labels: Sequence[tuple[float | str, str]]
    missing: Sequence[tuple[float | str, float | str]]


def read_spss(path: Path, source: str, *, encoding: str | None = None) -> RawTable:
    """Read an SPSS file (.sav or .zsav).

    A number becomes its code (``3``, not ``3.0``; ``2.5``), also where the file declares it to be missing: only system
    missing is blank. Columns shown as a date become ISO dates, as date and time ISO times, as a time ``h:mm:ss``; where
    that cannot be, and for missing codes, the number stays. Texts lose the blanks at their end, which the format adds.
    `questions` has the variable labels, `answers` the value labels, `missing` what is declared to be missing.

    Parameters
    ----------
    path : Path
        The file, up to 512 MiB. It is read in a process of its own, with bounds on memory and time.
    source : str
        Name for provenance.
    encoding : str, optional
        As declared; without it, as the file says. A file that does not say may hold ASCII only.

    Raises
    ------
    SourceError
        Not an SPSS file, encrypted, damaged, cut off, too large, text that is not in that encoding, or it does not tell
        its number of rows (nobody could see whether its end is missing).
    """
    start = _read_start(path, source)
    if b"ENCRYPTEDSAV" in start[:40]:
        raise _refuse(("encrypted", "The file is protected by a password.", "Save it without one."), source)
    if start[:4] not in (b"$FL2", b"$FL3") or len(start) < _HEADER_BYTES:
        advice = "Save it as .sav (not .por), or declare the 'format' that it has."
        raise _refuse(("not_spss", "The file is not an SPSS .sav file.", advice), source)
    order = "<" if start[64:68] in (b"\x02\0\0\0", b"\x03\0\0\0") else ">"
    (n_rows,) = struct.unpack(f"{order}i", start[80:84])
    if n_rows < 0:
        message = "The file does not tell how many rows it has: nobody can see whether its end is missing."
        raise _refuse(("rows_not_told", message, "Open it in SPSS or PSPP and save it again."), source)
    table = _read(path, source, "spss", encoding, _spss_text)
    if table.rows_read != n_rows:
        raise SourceError(Problem(*FAILURES["cut_off"], source))
    return table


def read_stata(path: Path, source: str, *, encoding: str | None = None) -> RawTable:
    """Read a Stata file (.dta).

    A number becomes its code, one stored as ``float`` in the fewest digits that mean it; the missing values ``.a`` to
    ``.z`` stay as Stata writes them, and only ``.`` is blank. Columns shown as days (``%td``) or as milliseconds
    (``%tc``) become ISO text; weeks, months, quarters and times with leap seconds (``%tC``) stay numbers.
    `questions` has the variable labels, `answers` the value labels.

    Parameters
    ----------
    path, source
        As in `read_spss`.
    encoding : str, optional
        As declared; without it UTF-8, as in Stata 14 and later. Files of earlier versions do not say what they have.

    Raises
    ------
    SourceError
        Not a Stata file, damaged, cut off, too large, or text that is not in that encoding.
    """
    start = _read_start(path, source)
    is_marked = start.startswith(b"<stata_dta>")
    if not is_marked and not (start[0] in range(104, 116) and start[1:2] in (b"\1", b"\2") and start[2:3] == b"\1"):
        advice = "Save it as .dta, or declare the 'format' that it has."
        raise _refuse(("not_stata", "The file is not a Stata .dta file.", advice), source)
    is_unicode = is_marked and encoding is None and b"<release>117" not in start
    if is_unicode:
        return _read(path, source, "stata_unicode", _DECODED, _stata_text)
    return _read(path, source, "stata", encoding or "utf-8", _stata_text)


def _refuse(problem: tuple[str, str, str], source: str, row: int | None = None, key: str = "") -> SourceError:
    return SourceError(Problem(*problem, source, row, key))


def _read_start(path: Path, source: str) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise _refuse(("file_too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.", "Split it."), source)
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if not start:
        raise _refuse(("file_empty", "The file is empty.", "Deliver the export again."), source)
    return start


def _read(
    path: Path, source: str, kind: str, encoding: str | None, text_of: Callable[[Variable], Callable[[Value], str]]
) -> RawTable:
    """Return the table of a file; `text_of` gives for a variable what makes text of its values."""
    if encoding:
        _check_encoding(encoding, "study.yaml", source)
    try:
        with closing(read_in_child(path, kind, source)) as lines:
            told = next(lines)
            used = _stated_encoding(told["encoding"], source) if encoding is None else encoding
            variables = [_decoded(Variable(**each), used, source) for each in told["variables"]]
            columns = [
                (one.name, _column(values, one, text_of(one), used, source))
                for one, values in zip(variables, lines, strict=True)
            ]
        table = build_from_columns(source, columns)
    except (StopIteration, TypeError, ValueError, LookupError, AttributeError):  # what a sound child never writes
        raise _refuse(STOPPED, source) from None
    questions = {one.name: one.label for one in variables if one.label}
    answers = {one.name: _answers(one, text_of(one)) for one in variables if one.labels}
    missing = {one.name: _missing(one) for one in variables if one.missing}
    return replace(table, questions=questions, answers=answers, missing=missing)


def _check_encoding(encoding: str, teller: str, source: str) -> None:
    try:
        b" ".decode(encoding)
    except LookupError:
        message = f"The encoding that {teller} names is not known."
        raise _refuse(
            ("unknown_encoding", message, "Declare one such as utf-8 or cp1252 in study.yaml."), source
        ) from None
    except UnicodeDecodeError:
        pass


def _stated_encoding(stated: str, source: str) -> str:
    """Return the encoding that an SPSS file says it has; ASCII, where what it says means nothing."""
    if stated in ("", _PERHAPS_ASCII):
        return "ascii"
    encoding = re.sub("^windows-", "cp", stated.lower())
    _check_encoding(encoding, "the file", source)
    return encoding


def _decode(text: str, encoding: str, source: str, row: int | None = None, column: str = "") -> str:
    if text.isascii() or encoding == _DECODED:
        return text
    try:
        return text.encode(ANY_BYTES).decode(encoding)
    except UnicodeDecodeError:
        message = (
            "There are letters beyond ASCII, and the file does not say how they are encoded."
            if encoding == "ascii"
            else f"There is text that is not {encoding}."
        )
        raise _refuse(("wrong_encoding", message, _DECLARE), source, row, column) from None


def _decoded(variable: Variable, encoding: str, source: str) -> Variable:
    name = _decode(variable.name, encoding, source)
    return Variable(
        name,
        _decode(variable.label, encoding, source, column=name),
        variable.type,
        variable.display,
        [
            (_decode(code, encoding, source, column=name) if isinstance(code, str) else code,
             _decode(label, encoding, source, column=name))
            for code, label in variable.labels
        ],
        [
            (_decode(low, encoding, source, column=name) if isinstance(low, str) else low, high)
            for low, high in variable.missing
        ],
    )  # fmt: skip


def _answers(variable: Variable, text: Callable[[Value], str]) -> Mapping[str, str]:
    return {text(code): label for code, label in variable.labels}


def _missing(variable: Variable) -> tuple[Missing, ...]:
    return tuple(low.strip() if isinstance(low, str) else (low, float(high)) for low, high in variable.missing)


def _column(
    values: Sequence[Value], variable: Variable, text: Callable[[Value], str], encoding: str, source: str
) -> pd.Series:
    """Return the values of a column as text, each different value read once."""
    texts: dict[Value, str] = {}
    for row, value in enumerate(values, 2):
        if value not in texts:
            texts[value] = _decode(text(value), encoding, source, row, variable.name)
    return pd.Series([texts[value] for value in values], dtype="str")


def _spss_text(variable: Variable) -> Callable[[Value], str]:
    shown = re.match("[A-Z]*", variable.display)
    convert = _SPSS_SHOWN.get(shown[0] if shown else "", cell_text)
    missing = [one for one in _missing(variable) if not isinstance(one, str)]

    def text(value: Value) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        if any(low <= value <= high for low, high in missing):
            return cell_text(value)
        return _in_calendar(convert, value)

    return text


def _stata_text(variable: Variable) -> Callable[[Value], str]:
    convert = next((each for shown, each in _STATA_SHOWN if re.match(shown, variable.display)), cell_text)
    is_text, is_single = variable.type.startswith("string"), variable.type == "float"

    def text(value: Value) -> str:
        if value is None or isinstance(value, str):
            return value or "" if is_text or not value else f".{value}"
        return cell_text(np.float32(value)) if is_single and convert is cell_text else _in_calendar(convert, value)

    return text


def _in_calendar(convert: Callable[[float], str], value: float) -> str:
    """Return the text of a value, which stays a number where it is no day of a calendar."""
    try:
        return convert(value)
    except (OverflowError, ValueError):
        return cell_text(value)


def _spss_day(seconds: float) -> str:
    return (SPSS_ORIGIN + datetime.timedelta(seconds=seconds)).date().isoformat()


def _spss_moment(seconds: float) -> str:
    return cell_text(SPSS_ORIGIN + datetime.timedelta(seconds=round(seconds, 3)))


def _spss_duration(seconds: float) -> str:
    return cell_text(datetime.timedelta(seconds=round(seconds, 3)))


def _stata_day(days: float) -> str:
    return (STATA_ORIGIN + datetime.timedelta(days=days)).date().isoformat()


def _stata_moment(milliseconds: float) -> str:
    return cell_text(STATA_ORIGIN + datetime.timedelta(milliseconds=round(milliseconds)))


_SPSS_SHOWN: Final[Mapping[str, Callable[[float], str]]] = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR"), _spss_day),
    **dict.fromkeys(("DATETIME", "YMDHMS"), _spss_moment),
    **dict.fromkeys(("TIME", "DTIME", "MTIME"), _spss_duration),
}
_STATA_SHOWN: Final = ((r"%-?t?d", _stata_day), (r"%-?tc", _stata_moment))

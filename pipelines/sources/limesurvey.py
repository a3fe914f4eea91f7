"""LimeSurvey exports (CSV): headers of codes, of codes and texts, or of texts; unfinished answers told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.survey_rows import (
    Reason,
    build_answers,
    drop_unnamed_end,
    finish,
    leave_out,
    name_questions,
    read_rows,
)

_SUBMITTED: Final = "submitdate"
_CODE_AND_TEXT = re.compile(r"submitdate(?P<separator>\W+)\w.*", re.DOTALL)
_SUBMITTED_TEXTS: Final = {
    "date submitted", "datum abgeschickt", "date de soumission", "fecha de envío",
}  # fmt: skip
"""What the column of `submitdate` is called in exports with full question texts."""
_A_DATE = re.compile(r"(?!0+[-./]0+[-./]0+\b)[0-9]{1,4}([-./])[0-9]{1,2}\1[0-9]{1,4}\b")

UNFINISHED = Reason(
    "unfinished", "excluded", "The survey was not submitted.", "To use it, set 'keep_unfinished: true' in study.yaml."
)
SUBMITTED_UNKNOWN = Reason(
    "finished_unknown",
    "row",
    "The date of submission is no date: it does not tell whether the survey was finished.",
    "Deliver the file as it was downloaded, or set 'keep_unfinished: true' in study.yaml.",
)


@dataclass(frozen=True, slots=True)
class _Header:
    """Column names, the question text of each (empty where none is told), and the place of the submission date."""

    names: Sequence[str]
    texts: Sequence[str]
    submitted: int | None


def read_limesurvey(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    keep_unfinished: bool = False,
) -> RawTable:
    """Read a LimeSurvey export (CSV) with any of its three kinds of header.

    *Question codes*: columns have the names of the header (``Q1``, ``Q1[SQ001]``, ``Q1_SQ001``, ``Q1.SQ001.``).
    *Code and text*: the code is the name and the text the question; the separator is the one that follows
    ``submitdate``. *Full text*: the text, with one space between words, is the name; where a text stands several
    times all of them are numbered, as in ``Comments (1)``. Answers without a date of submission are unfinished: the
    last page seen (``lastpage``) cannot tell, because somebody may see the last page and not submit it. A repeated
    header and the blank last line that LimeSurvey writes are excluded; a last row without a line break is
    quarantined, because its answers may be cut off. No cell is changed;
    what each answer code means is unknown (`answers` is empty).

    Parameters
    ----------
    path : Path
        The file.
    source : str
        Name for provenance.
    encoding, delimiter, decimal_comma
        As in `read_delimited`.
    keep_unfinished : bool
        Keep answers that were not submitted.

    Raises
    ------
    SourceError
        Not readable; no column tells what was submitted and `keep_unfinished` is not set; no answers.
    """
    text = drop_unnamed_end(read_rows(path, source, encoding, delimiter))
    header = _read_header(text.rows[0][1])
    if header.submitted is None and not keep_unfinished:
        raise SourceError(
            Problem(
                "finished_unknown",
                "No column is the date of submission, so it cannot be told which answers were finished.",
                "Export 'submitdate' too, with question codes as headings, or set 'keep_unfinished: true'.",
                source,
                1,
            )
        )
    table = build_answers(source, header.names, text)
    unfinished = [] if keep_unfinished else _unfinished(table, header.submitted)
    table = leave_out(table, [reason.at(source, row) for row, reason in unfinished])
    return finish(table, header.texts, decimal_comma=decimal_comma)


def _read_header(fields: Sequence[str]) -> _Header:
    names = [name.strip() for name in fields]
    if _SUBMITTED in names:
        return _Header(names, [""] * len(names), names.index(_SUBMITTED))
    separators = [match["separator"] for name in names if (match := _CODE_AND_TEXT.fullmatch(name))]
    if separators:
        parts = [field.lstrip().partition(separators[0]) for field in fields]
        codes = [code.strip() for code, _, _ in parts]
        return _Header(codes, [text for _, _, text in parts], codes.index(_SUBMITTED))
    names = name_questions(fields)
    found = [place for place, name in enumerate(names) if name.casefold() in _SUBMITTED_TEXTS]
    return _Header(names, fields, found[0] if found else None)


def _unfinished(table: RawTable, submitted: int | None) -> list[tuple[int, Reason]]:
    if submitted is None:
        return []
    dates = table.cells.iloc[:, submitted].str.strip()
    return [
        (int(row), SUBMITTED_UNKNOWN if date else UNFINISHED) for row, date in dates.items() if not _A_DATE.match(date)
    ]

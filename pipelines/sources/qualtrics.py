"""Qualtrics exports (CSV, TSV): header rows, previews, tests, imports and unfinished answers told apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.survey_rows import (
    NOTHING_TO_DO,
    Reason,
    Row,
    build_answers,
    drop_unnamed_end,
    finish,
    leave_out,
    read_rows,
)

_LEGACY_ID: Final = "ResponseID"
_ROLES: Final = ("status", "distributionChannel", "finished", "progress")
_PREVIEW, _TEST, _IMPORTED, _KNOWN_BITS = 1, 2, 4, 63
_ANY_STATUS = re.compile(r"[0-9]{1,3}")
_PERCENT = re.compile(r"[0-9]{1,3}")
_PREVIEW_WORDS: Final = (
    "preview", "vorschau", "aperçu", "vista previa", "visualização", "anteprima", "voorbeeld", "förhandsgranskning",
    "forhåndsvisning", "esikatselu",
)  # fmt: skip
_IMPORT_WORDS: Final = ("import", "geïmporteerd", "tuotu")
_ANSWERED_WORDS = re.compile(r"\b(ip|offline|spam|ex)\b")
_YES: Final = {"1", "true", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "sant", "sann", "tosi"}
_NO: Final = {"0", "false", "falsch", "faux", "falso", "onwaar", "falskt", "usann", "epätosi"}

PREVIEW = Reason("preview", "excluded", "The row is a preview of the survey.", NOTHING_TO_DO)
TEST = Reason("test_answer", "excluded", "The row is a generated test answer.", NOTHING_TO_DO)
IMPORTED = Reason(
    "imported",
    "excluded",
    "The row was imported into Qualtrics, not answered there.",
    "If participants gave these answers elsewhere, declare the file they were imported from as a source.",
)
STATUS_UNKNOWN = Reason(
    "status_unknown",
    "row",
    "The status of the row does not tell whether it is an answer, a preview or a test.",
    "Export again with numeric values instead of choice text.",
)
UNFINISHED = Reason(
    "unfinished", "excluded", "The survey was not finished.", "To use it, set 'keep_unfinished: true' in study.yaml."
)
FINISHED_UNKNOWN = Reason(
    "finished_unknown",
    "row",
    "The row does not tell whether the survey was finished.",
    "Export again with numeric values, or set 'keep_unfinished: true' in study.yaml.",
)


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header rows tell: the place of the column of each role, and the text of each question."""

    roles: Mapping[str, int]
    texts: Sequence[str]


def read_qualtrics(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    keep_unfinished: bool = False,
) -> RawTable:
    """Read a Qualtrics export as it was downloaded: CSV or TSV, values or choice text, current or legacy header.

    Columns have the names of row 1. Row 2 (the questions, in any language) and row 3 (import ids; not in the legacy
    format) count as read and are excluded, wherever they stand again. Previews, generated tests and imported rows
    are excluded by ``Status`` and ``DistributionChannel``; answers that Qualtrics marks as spam stay, as do timers
    and attention checks: all of them are columns that a study may use. A file without those two columns tells of no
    previews. A last row without a line break is quarantined: its answers may be cut off. No cell is changed;
    what each choice means is unknown (`answers` is empty).

    Parameters
    ----------
    path : Path
        The file.
    source : str
        Name for provenance.
    encoding, delimiter, decimal_comma
        As in `read_delimited`.
    keep_unfinished : bool
        Keep answers whose ``Finished`` is no or whose ``Progress`` is below 100.

    Raises
    ------
    SourceError
        Not readable; header rows removed, damaged or of different length; no column tells what was finished and
        `keep_unfinished` is not set; no answers.
    """
    text = read_rows(path, source, encoding, delimiter)
    n_header = _count_header_rows(text.rows, source)
    text = drop_unnamed_end(text, n_header)
    header = _read_header(text.rows[:n_header], source)
    table = build_answers(source, text.rows[0][1], text, n_header)
    judged = _judge(table.cells, header.roles, keep_unfinished, source)
    table = leave_out(table, [reason.at(source, row) for row, reason in judged.items()])
    return finish(table, header.texts, decimal_comma=decimal_comma)


def _count_header_rows(rows: Sequence[Row], source: str) -> int:
    """Return how many rows the header has: up to the import ids, or two in the legacy format."""
    ids = [row for row, fields in rows[1:3] if any('"ImportId"' in field for field in fields)]
    if ids:
        return ids[0]
    if len(rows) > 1 and _LEGACY_ID in [field.strip() for field in rows[1][1]]:
        return 2
    raise SourceError(
        Problem(
            "not_qualtrics",
            "Rows 2 and 3 are not the header rows of a Qualtrics export.",
            "Deliver the file as it was downloaded, with all its header rows; without them declare 'format: csv'.",
            source,
            2,
        )
    )


def _read_header(rows: Sequence[Row], source: str) -> _Header:
    _check_width(rows, source)
    last = rows[-1][1]
    if any('"ImportId"' in field for field in last):
        texts = rows[1][1] if len(rows) == 3 else [""] * len(last)
        return _Header(_find_roles(_import_ids(rows[-1], source), source), texts)
    return _Header(_find_roles([field.strip() for field in last], source), last)


def _check_width(rows: Sequence[Row], source: str) -> None:
    """Refuse header rows of different length: columns and questions would be taken for each other."""
    width = len(rows[0][1])
    for row, fields in rows[1:]:
        if len(fields) != width:
            raise SourceError(
                Problem(
                    "header_rows_differ",
                    f"Row {row} of the header has {len(fields)} fields where row 1 has {width}.",
                    "Deliver the file as it was downloaded.",
                    source,
                    row,
                )
            )


def _import_ids(row: Row, source: str) -> list[str]:
    """Return the import id of each column; columns that somebody added by hand have none."""
    ids = [_import_id(field) if field.strip() else "" for field in row[1]]
    broken = [str(place) for place, import_id in enumerate(ids, 1) if import_id is None]
    if broken:
        raise SourceError(
            Problem(
                "header_damaged",
                f"The import ids of columns {', '.join(broken[:10])} cannot be read.",
                "Deliver the file as it was downloaded.",
                source,
                row[0],
            )
        )
    return [import_id or "" for import_id in ids]


def _import_id(field: str) -> str | None:
    try:
        told = json.loads(field)
    except (ValueError, RecursionError):
        return None
    import_id = told.get("ImportId") if isinstance(told, dict) else None
    return import_id if isinstance(import_id, str) else None


def _find_roles(ids: Sequence[str], source: str) -> dict[str, int]:
    """Return the place of the columns that tell what a row is; the legacy names differ by a capital letter."""
    roles = {}
    for role in _ROLES:
        exact = [place for place, import_id in enumerate(ids) if import_id == role]
        places = exact or [place for place, import_id in enumerate(ids) if import_id.casefold() == role.casefold()]
        if len(places) > 1:
            columns = ", ".join(str(place + 1) for place in places)
            raise SourceError(
                Problem(
                    "column_twice",
                    f"Columns {columns} both say that they are '{role}'.",
                    "Deliver the file as it was downloaded, without the added column.",
                    source,
                    1,
                )
            )
        if places:
            roles[role] = places[0]
    return roles


def _judge(cells: pd.DataFrame, roles: Mapping[str, int], keep_unfinished: bool, source: str) -> dict[int, Reason]:
    """Return row -> reason for the rows that are no finished answer of a participant."""
    if not keep_unfinished and not {"finished", "progress"} & set(roles):
        raise SourceError(
            Problem(
                "finished_unknown",
                "No column tells which answers were finished.",
                "Export with Finished and Progress, or set 'keep_unfinished: true' in study.yaml.",
                source,
                1,
            )
        )
    told = {role: cells.iloc[:, place].str.strip().str.casefold().tolist() for role, place in roles.items()}
    judged = {}
    for place, row in enumerate(cells.index):
        values = {role: column[place] for role, column in told.items()}
        reason = _judge_status(values) or (None if keep_unfinished else _judge_finished(values))
        if reason:
            judged[int(row)] = reason
    return judged


def _judge_status(values: Mapping[str, str]) -> Reason | None:
    """Return why a row is no answer of a participant; a numeric status is a sum of bits."""
    channel, status = values.get("distributionChannel"), values.get("status")
    if channel in ("preview", "test"):
        return PREVIEW if channel == "preview" else TEST
    if status is None:
        return None
    if _ANY_STATUS.fullmatch(status):
        bits = int(status)
        found = [(bits & _PREVIEW, PREVIEW), (bits & _TEST, TEST), (bits & _IMPORTED, IMPORTED)]
        known = bits <= _KNOWN_BITS
    else:
        found = [
            (any(word in status for word in _PREVIEW_WORDS), PREVIEW),
            ("test" in status, TEST),
            (any(word in status for word in _IMPORT_WORDS), IMPORTED),
        ]
        known = bool(_ANSWERED_WORDS.search(status))
    return next((reason for is_so, reason in found if is_so), None if known else STATUS_UNKNOWN)


def _judge_finished(values: Mapping[str, str]) -> Reason | None:
    finished, progress = values.get("finished", ""), values.get("progress", "")
    percent = int(progress) if _PERCENT.fullmatch(progress) else None
    if finished in _NO or (percent is not None and percent < 100):
        return UNFINISHED
    return None if finished in _YES or percent is not None else FINISHED_UNKNOWN

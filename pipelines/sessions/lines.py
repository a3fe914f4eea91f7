"""Lines of attendance: what each row of a log or roster says of whom and which session, nothing judged yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from pipelines.corrections import Correction, correct_table
from pipelines.deliveries import ExportFile, find_tables_twice, read_files
from pipelines.errors import PipelineError
from pipelines.rows import UNDECLARED, list_ids
from pipelines.sessions.declarations import SessionSource
from pipelines.sources import ERRORS
from pipelines.study import Study
from pipelines.texts import read_day, with_decimal_point

DAY: Final = np.timedelta64(1, "D")
_SAME_FILE: Final = " (sessions)"
"""Stands after the name of a table that answers are read from too."""


@dataclass(frozen=True, slots=True)
class SessionFile(ExportFile):
    """A file with attendance."""

    declared: SessionSource


def read_session_files(
    study: Study, data_root: Path, taken: Collection[str], corrections: Sequence[Correction] = (), key: bytes = b""
) -> tuple[SessionFile, ...]:
    """Read every attendance log and roster, and apply the corrections log.

    Parameters
    ----------
    study : Study
        The study definition.
    data_root : Path
        Folder that the paths are relative to.
    taken : collection of str
        Tables that answers are read from; one of them that holds sessions too has ``(sessions)`` after its name.
    corrections : sequence of Correction
        The corrections log.
    key : bytes
        As in `tell_file`.

    Raises
    ------
    PipelineError
        With every problem of every file: not there, not readable, a column missing, a correction that does not fit.
    """
    problems: list[Problem] = []
    files: list[SessionFile] = []
    for source in study.sessions:
        for file in read_files(study, source, source.columns, data_root, problems, key):
            table = file.table
            if table.source in taken:
                name = f"{table.source}{_SAME_FILE}"
                aside = tuple(replace(line, source=name) for line in table.set_aside)
                table = replace(table, source=name, set_aside=aside)
            files.append(SessionFile(source, table, file.fingerprint, file.unused))
    problems += find_tables_twice(files)
    if problems:
        raise PipelineError(problems)
    return tuple(replace(file, table=correct_table(file.table, corrections)) for file in files)


def list_lines(study: Study, file: SessionFile) -> pd.DataFrame:
    """Return one line per source row and session that the row tells of, in the words of the study."""
    source, text = file.declared, file.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    column_of = {purpose: column for column, purpose in source.columns}
    meets, coded = source.meets, {"facilitator": source.facilitator, "group": source.group}
    own = pd.DataFrame({"source": file.table.source, "source_row": text.index})
    own["participant_id"] = list_ids(file, nothing).to_numpy()
    own["format"] = (
        _in_words(text[meets.column], meets.values, nothing)
        if meets and meets.column
        else (meets.fixed or "" if meets else "")
    )
    for role, told in coded.items():
        own[role] = _in_words(text[told.column], told.values, nothing) if told else ""
    days = _in_words(text[source.held_on.column], None, nothing) if source.held_on else []
    own["day"] = [_day(day, source.held_on.format) for day in days] if source.held_on else ""
    minutes = _in_words(text[source.minutes], None, nothing) if source.minutes else [""] * len(text)
    own["minutes"] = [with_decimal_point(told) for told in minutes] if file.table.decimal_comma else minutes
    own["is_roster"], own["by_day"] = source.is_roster, not (source.is_roster or source.session)
    codes = source.attended.values if source.attended else None
    if source.is_roster:
        parts = [
            own.assign(column=column, session=session, attended=_in_words(text[column], codes, nothing))
            for column, session in source.roster_columns.items()
        ]
        lines = pd.concat(parts, ignore_index=True)
        return lines[lines["attended"] != ""]
    own["column"] = column_of.get("attended", "")
    own["session"] = (
        _session_ids(source, _in_words(text[source.session.column], None, nothing)) if source.session else ""
    )
    own["attended"] = _in_words(text[own["column"].iloc[0]], codes, nothing) if source.attended else "attended"
    return own


def _in_words(column: pd.Series, values: Mapping[str, str] | None, nothing: Collection[str]) -> list[str]:
    """Return the study's words for the codes of a column; a code that `values` does not declare is marked."""
    codes = column.str.strip()
    if values is None:
        return ["" if code in nothing else code for code in codes]
    return [values.get(code, f"{UNDECLARED}{code}" if code and code not in nothing else "") for code in codes]


def _day(text: str, day_format: str) -> str:
    return (read_day(text, day_format) or f"{UNDECLARED}{text}") if text else ""


def _session_ids(source: SessionSource, codes: Sequence[str]) -> list[str]:
    """Return the sessions of a log: as study.yaml has them, or else numbers; anything else is marked."""
    planned = {one.id: one.id for one in source.calendar}
    known = (source.session.values if source.session else None) or planned
    if known:
        return [known.get(code, f"{UNDECLARED}{code}") if code else "" for code in codes]
    return [str(int(code)) if code.isdecimal() else f"{UNDECLARED}{code}" if code else "" for code in codes]


def number_by_day(lines: pd.DataFrame) -> pd.DataFrame:
    """Call the sessions of logs that tell only a day by its distance from the first: days themselves are not kept."""
    has_day = lines["by_day"] & (lines["day"] != "") & ~lines["day"].str.startswith(UNDECLARED)
    days = pd.to_datetime(lines.loc[has_day, "day"])
    since = ((days - days.min()) / DAY).astype("int64") if len(days) else days.astype("int64")
    named = lines["session"].copy()
    named[has_day] = "day-" + since.astype("str")
    return lines.assign(session=named)

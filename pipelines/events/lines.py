"""Lines of events: what each row of a list says of whom, what and when, nothing judged yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from pipelines.corrections import Correction, correct_table
from pipelines.deliveries import ExportFile, read_files
from pipelines.errors import PipelineError
from pipelines.events.declarations import EventsSource
from pipelines.rows import UNDECLARED, list_ids
from pipelines.sources import ERRORS
from pipelines.study import Study
from pipelines.texts import read_day

NOTHING_HAPPENED: Final = "nothing"
"""Stands for the event of a row that tells of none; `UNDECLARED` and ids of events look otherwise."""
DAY, TIMEPOINT, UNREADABLE, UNKNOWN = "day", "timepoint", "unreadable", "unknown"
"""How the time of an event was read; blank where none is told."""


@dataclass(frozen=True, slots=True)
class EventFile(ExportFile):
    """A file with events."""

    declared: EventsSource


def read_event_files(
    study: Study, data_root: Path, taken: Collection[str], corrections: Sequence[Correction] = (), key: bytes = b""
) -> tuple[EventFile, ...]:
    """Read every list of events, and apply the corrections log.

    Parameters
    ----------
    study : Study
        The study definition.
    data_root : Path
        Folder that the paths are relative to.
    taken : collection of str
        Tables that answers or sessions are read from; one of them that tells of events too has ``(events)`` after its
        name, and ``(events 2)`` where a second source of events reads it.
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
    files: list[EventFile] = []
    known = set(taken)
    for source in study.events:
        for file in read_files(study, source, source.columns, data_root, problems, key):
            name = _own_name(file.table.source, known)
            known.add(name)
            aside = tuple(replace(line, source=name) for line in file.table.set_aside)
            table = replace(file.table, source=name, set_aside=aside)
            files.append(EventFile(source, table, file.fingerprint, file.unused))
    if problems:
        raise PipelineError(problems)
    return tuple(replace(file, table=correct_table(file.table, corrections)) for file in files)


def list_events(study: Study, file: EventFile) -> pd.DataFrame:
    """Return one line per source row: who, the event, the day or the timepoint, and how that was read.

    A code of an event that is not declared is marked; the event of a row that tells of none is `NOTHING_HAPPENED`.
    """
    source, text = file.declared, file.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    lines = pd.DataFrame({"source": file.table.source, "source_row": text.index})
    lines["participant_id"] = list_ids(file, nothing).to_numpy()
    when = _plain(text[source.when], nothing)
    if source.event.column and source.event.values:
        kinds = {code: kind or NOTHING_HAPPENED for code, kind in source.event.values.items()}
        codes = _plain(text[source.event.column], nothing)
        lines["event"] = [kinds.get(code, f"{UNDECLARED}{code}" if code else "") for code in codes]
    else:
        lines["event"] = [source.event.fixed if told else NOTHING_HAPPENED for told in when]
    if source.day:
        days = [read_day(told, source.day.format) if told else "" for told in when]
        lines["day"], lines["timepoint"] = days, ""
        lines["reading"] = [DAY if day else UNREADABLE if told else "" for day, told in zip(days, when, strict=True)]
    else:
        values = source.timepoint.values if source.timepoint else {}
        lines["day"], lines["timepoint"] = "", [values.get(told, "") for told in when]
        lines["reading"] = [TIMEPOINT if told in values else UNKNOWN if told else "" for told in when]
    return lines


def _plain(column: pd.Series, nothing: Collection[str]) -> list[str]:
    return ["" if told in nothing else told for told in column.str.strip()]


def _own_name(table: str, taken: Collection[str]) -> str:
    """Return a name that no table has yet."""
    names = (f"{table} (events{f' {number}' if number > 1 else ''})" for number in count(1))
    return table if table not in taken else next(name for name in names if name not in taken)

"""Lines of events: what each row of a list says of whom, what and when, nothing judged yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pandas as pd

from pipelines.corrections import Correction
from pipelines.deliveries import ExportFile
from pipelines.events.declarations import EventsSource
from pipelines.lists import plain_cells, read_lists
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
    """Read every list of events, and apply the corrections log, as `read_lists` does."""
    sources = [(source, source.columns) for source in study.events]
    return tuple(
        EventFile(cast("EventsSource", file.declared), file.table, file.fingerprint, file.unused)
        for file in read_lists(study, sources, "events", data_root, taken, corrections, key)
    )


def list_events(study: Study, file: EventFile) -> pd.DataFrame:
    """Return one line per source row: who, the event, the day or the timepoint, and how that was read.

    A code of an event that is not declared is marked; the event of a row that tells of none is `NOTHING_HAPPENED`.
    """
    source, text = file.declared, file.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    lines = pd.DataFrame({"source": file.table.source, "source_row": text.index})
    lines["participant_id"] = list_ids(file, nothing).to_numpy()
    when = plain_cells(text[source.when], nothing)
    if source.event.column and source.event.values:
        kinds = {code: kind or NOTHING_HAPPENED for code, kind in source.event.values.items()}
        codes = plain_cells(text[source.event.column], nothing)
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
    return lines.astype({column: "str" for column in lines if column != "source_row"})  # a list may hold no row

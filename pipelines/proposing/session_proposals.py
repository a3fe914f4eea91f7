"""What a file without answers could tell of attendance: a log of meetings, or a roster with a column for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pandas as pd

from pipelines.proposing.column_roles import ColumnRoles
from pipelines.proposing.column_runs import find_runs
from pipelines.proposing.days import DayProposal, find_day_formats
from pipelines.proposing.export_formats import OpenedExport
from pipelines.sessions.declarations import Attended, MeetingFormat

FEWEST_SESSIONS: Final = 3
MOST_CODES: Final = 8
FEWEST_CELLS: Final = 2
"""A code of attendance that stands in fewer cells is a slip, or somebody's own word."""
_ATTENDED: Final = ("attended", "attendance", "present", "presence", "came", "anwesend", "asistencia", "status")
_SESSION: Final = ("session", "session_number", "session_no", "meeting", "week", "meeting_number", "treffen", "sesion")
_HELD_ON: Final = ("held_on", "date", "session_date", "meeting_date", "day", "datum", "fecha", "met_on")
_MEETS: Final = ("format", "meets", "mode", "modality", "setting")
_FACILITATOR: Final = ("facilitator", "leader", "host", "moderator", "peer_supporter", "facilitator_id")
_GROUP: Final = ("group", "group_id", "groupid", "peer_group", "peergroup", "circle")
_MINUTES: Final = ("minutes", "duration_minutes", "minutes_attended", "mins")
_OF_ROSTER: Final = re.compile(r"(^|[\W_])(w|s|wk|week|woche|session|sess|meeting|mtg|treffen|semana)[\W_]*\d", re.I)
_OF_FILE: Final = re.compile(r"attend|session|meeting|roster|anwesen|presen|asistenc", re.I)
_CAME: Final[Mapping[str, Attended]] = {
    **dict.fromkeys(("1", "y", "yes", "x", "true", "present", "attended", "came", "p", "ja", "si", "sí"), "attended"),
    **dict.fromkeys(("0", "n", "no", "-", "false", "absent", "missed", "nein", "no show"), "absent"),
    **dict.fromkeys(("e", "excused", "apologies", "sick", "entschuldigt"), "excused"),
    **dict.fromkeys(("c", "cancelled", "canceled", "not held"), "cancelled"),
}  # fmt: skip
_FORMATS: Final[Mapping[str, MeetingFormat]] = {
    **dict.fromkeys(("o", "online", "zoom", "video", "virtual", "remote"), "online"),
    **dict.fromkeys(("p", "f", "in_person", "in person", "face to face", "f2f", "onsite", "on site"), "in_person"),
}  # fmt: skip
_SHORT: Final = re.compile(r"\w{1,3}|[-+/.?]")


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of codes: those whose meaning is usual, and others that only a person knows."""

    column: str
    values: Mapping[str, str]
    open: tuple[str, ...] = ()
    n_rare: int = 0


@dataclass(frozen=True, slots=True)
class SessionProposal:
    """A file as a source of sessions.

    Attributes
    ----------
    pattern, count
        Of a roster: its columns with {n}, and how many there are.
    wide : mapping
        Column of a roster -> session, where the names are days.
    attended : Codes
        Its column is blank for a roster, and where a log lists only who came.
    """

    export: OpenedExport
    participant_id: str
    attended: Codes
    pattern: str = ""
    count: int = 0
    wide: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    held_on: DayProposal | None = None
    meets: Codes | None = None
    facilitator: str = ""
    group: str = ""
    minutes: str = ""

    @property
    def is_roster(self) -> bool:
        """Whether there is a column for each session."""
        return bool(self.pattern or self.wide)

    @property
    def used_columns(self) -> set[str]:
        """The columns that it gives a meaning."""
        named = {self.participant_id, self.attended.column, self.session, self.facilitator, self.group, self.minutes}
        named |= {self.held_on.column} if self.held_on else set()
        named |= {self.meets.column} if self.meets else set()
        return (named | set(self.wide) | set(_columns(self.pattern, self.count))) - {""}


def propose_sessions(export: OpenedExport, roles: ColumnRoles) -> SessionProposal | None:
    """Return what a file tells of attendance; None where nothing looks like it.

    A roster has one row per participant and three columns or more that are counted weeks or sessions, or days, and
    hold a few codes. A log has several rows per participant, a column named for the session or its day, and one that
    says who came; without it, the name of the file must speak of attendance.
    """
    if not roles.participant_id:
        return None
    cells = export.table.cells
    if cells.duplicated([roles.participant_id]).mean() < 0.2:
        return _roster(export, roles)
    return _log(export, roles)


def _roster(export: OpenedExport, roles: ColumnRoles) -> SessionProposal | None:
    cells = export.table.cells
    days = {column: day for column in cells.columns if (day := _iso_day(column))}
    if len(days) >= FEWEST_SESSIONS and len(set(days.values())) == len(days):
        codes = _codes(cells, list(days), "", _CAME)
        return SessionProposal(export, roles.participant_id, codes, wide=days) if _is_code(codes) else None
    for run in find_runs(list(cells.columns)):
        is_named = all(_OF_ROSTER.search(column) for column in run.columns) or _OF_FILE.search(export.name)
        if len(run.columns) < FEWEST_SESSIONS or not is_named or not re.search(r"\{n+\}", run.pattern):
            continue
        codes = _codes(cells, run.columns, "", _CAME)
        if _is_code(codes):
            return SessionProposal(
                export, roles.participant_id, codes, pattern=run.pattern, count=len(run.columns), group=roles.group
            )
    return None


def _log(export: OpenedExport, roles: ColumnRoles) -> SessionProposal | None:
    cells = export.table.cells
    free = [column for column in cells.columns if column not in (roles.participant_id, *roles.identifying)]
    named = {role: _first_named(free, names) for role, names in (
        ("attended", _ATTENDED), ("session", _SESSION), ("held_on", _HELD_ON), ("meets", _MEETS),
        ("group", _GROUP), ("minutes", _MINUTES),
    )}  # fmt: skip
    formats = find_day_formats(cells[named["held_on"]]) if named["held_on"] else ()
    held_on = DayProposal(named["held_on"], formats) if formats else None
    if not (named["session"] or held_on) or not (named["attended"] or _OF_FILE.search(export.name)):
        return None
    attended = _codes(cells, [named["attended"]], named["attended"], _CAME) if named["attended"] else Codes("", {})
    if named["attended"] and not _is_code(attended):
        return None
    meets = _codes(cells, [named["meets"]], named["meets"], _FORMATS) if named["meets"] else None
    numbers = pd.to_numeric(cells[named["minutes"]], errors="coerce") if named["minutes"] else pd.Series(dtype=float)
    return SessionProposal(
        export, roles.participant_id, attended, session=named["session"], held_on=held_on,
        meets=meets if meets and meets.values and not meets.open else None,
        facilitator=_first_named(list(cells.columns), _FACILITATOR), group=named["group"],
        minutes=named["minutes"] if numbers.notna().mean() > 0.5 else "",
    )  # fmt: skip


def _codes(cells: pd.DataFrame, columns: Sequence[str], column: str, known: Mapping[str, str]) -> Codes:
    """Return the codes of columns: known ones, short ones that are not known, and how many cells hold anything else."""
    counts = pd.concat([cells[name] for name in columns]).str.strip().value_counts().sort_index()
    counts = counts[counts.index != ""]
    values = {text: known[text.casefold()] for text in counts.index if text.casefold() in known}
    strange = counts[[text not in values for text in counts.index]]
    is_code = [count >= FEWEST_CELLS and bool(_SHORT.fullmatch(text)) for text, count in strange.items()]
    return Codes(column, values, tuple(strange.index[is_code]), int(strange[[not each for each in is_code]].sum()))


def _is_code(codes: Codes) -> bool:
    return 0 < len(codes.values) + len(codes.open) <= MOST_CODES and bool(codes.values)


def _first_named(columns: Sequence[str], names: Sequence[str]) -> str:
    plain = {re.sub(r"\W+", "_", column.casefold()).strip("_"): column for column in reversed(columns)}
    return next((plain[name] for name in names if name in plain), "")


def _iso_day(name: str) -> str:
    try:
        return date.fromisoformat(name.strip()[:10]).isoformat() if re.match(r"\d{4}-\d\d-\d\d", name.strip()) else ""
    except ValueError:
        return ""


def _columns(pattern: str, count: int) -> list[str]:
    numbers = range(1, count + 1)
    return [pattern.replace("{nn}", f"{number:02}").replace("{n}", str(number)) for number in numbers if pattern]

"""What study.yaml says of attendance: a log of meetings, or a roster with a column for each session."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from data_contracts.documents import Code, Finding, FindingsError, StrictModel
from pipelines.declarations import Column, DateColumn, Export, Text

Attended = Literal["attended", "absent", "excused", "cancelled"]
"""What came of a session for somebody: a session that was `cancelled` was not held."""
ATTENDANCE: Final[tuple[str, ...]] = get_args(Attended)
MeetingFormat = Literal["online", "in_person"]
MOST_SESSIONS: Final = 366
NUMBER_PLACE: Final = ("{n}", "{nn}")


def _iso_day(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise FindingsError([Finding((), "This is no day.", "Write it as 2025-01-31.")]) from None
    return value


def _fixed(value: object) -> object:
    return {"fixed": value} if isinstance(value, str) else value


SessionId = Annotated[Code, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A session's id may be a number."""


class AttendedCodes(StrictModel):
    """Codes of attendance, and the column of a log that has them."""

    column: Text | None = None
    values: Annotated[dict[str, Attended], Field(min_length=1)]


class MeetsSource(StrictModel):
    """How people met: one format for the whole source, or by a column."""

    fixed: MeetingFormat | None = None
    column: Text | None = None
    values: Annotated[dict[str, MeetingFormat], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> MeetsSource:
        if (self.fixed is None) == (self.column is None) or (self.column is None) != (self.values is None):
            advice = "Write 'online' or 'in_person', or {column, values: {code: online}}."
            raise FindingsError([Finding((), "The format of the meetings is told in exactly one way.", advice)])
        return self


Meets = Annotated[MeetsSource, BeforeValidator(_fixed, json_schema_input_type=MeetingFormat | MeetsSource)]


class PlannedSession(StrictModel):
    """A session of the calendar: its id, and its day and format where they are the same for everybody."""

    id: SessionId
    date: Annotated[str, AfterValidator(_iso_day)] | None = None
    meets: MeetingFormat | None = None


class RosterPattern(StrictModel):
    """Columns of a roster alike: {n} = 1, 2, ... and {nn} = 01, 02, ... up to `count`; the numbers are the ids."""

    pattern: Text
    count: Annotated[int, Field(ge=1, le=MOST_SESSIONS)]

    @model_validator(mode="after")
    def _counts(self) -> RosterPattern:
        if not any(place in self.pattern for place in NUMBER_PLACE):
            finding = Finding(("pattern",), "The pattern names one column.", "Write {n} or {nn} where the number is.")
            raise FindingsError([finding])
        return self


class SessionSource(Export):
    """Attendance: who came to which session.

    A log has one row per participant and session: `session` names the column of the session, `held_on` that of its day
    (either alone will do), `attended` the column that says who came; without it everybody in the log came. A roster has
    one row per participant and a column for each session: `wide` (column -> session) or `roster` (a pattern).
    """

    session: Column | None = None
    held_on: DateColumn | None = None
    wide: Annotated[dict[Text, SessionId], Field(min_length=1)] | None = None
    roster: RosterPattern | None = None
    calendar: list[PlannedSession] = []
    attended: AttendedCodes | None = None
    meets: Meets | None = None
    facilitator: Column | None = None
    group: Column | None = None
    minutes: Text | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> SessionSource:
        findings = [*_shape_findings(self), *_id_findings(self)]
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def roster_columns(self) -> dict[str, str]:
        """Column -> session, of a roster; empty for a log."""
        if self.roster is not None:
            numbers = range(1, self.roster.count + 1)
            return {_numbered(self.roster.pattern, number): str(number) for number in numbers}
        return dict(self.wide or {})

    @property
    def is_roster(self) -> bool:
        """Whether there is a column for each session."""
        return self.wide is not None or self.roster is not None

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Every column that is read, and what it is for."""
        told = {
            "session": self.session.column if self.session else None,
            "held_on": self.held_on.column if self.held_on else None,
            "attended": self.attended.column if self.attended else None,
            "meets": self.meets.column if self.meets else None,
            "facilitator": self.facilitator.column if self.facilitator else None,
            "group": self.group.column if self.group else None,
            "minutes": self.minutes,
        }
        return [
            *((column, "participant_id") for column in self.participant_id.columns),
            *((column, "attended") for column in self.roster_columns),
            *((column, purpose) for purpose, column in told.items() if column is not None),
        ]


def _numbered(pattern: str, number: int) -> str:
    return pattern.replace("{nn}", f"{number:02}").replace("{n}", str(number))


def _shape_findings(source: SessionSource) -> list[Finding]:
    """Return what does not fit a log, or a roster."""
    findings = []
    if source.participant_id.anonymous:
        message, advice = "Sessions are those of participants.", "Name the column of the participant's id."
        findings.append(Finding(("participant_id",), message, advice))
    ways = [source.wide is not None, source.roster is not None, bool(source.session or source.held_on)]
    if sum(ways) != 1:
        advice = "Name 'session' or 'held_on' of a log, or give 'wide' or 'roster' of a roster."
        return [*findings, Finding((), "The sessions are told in exactly one way.", advice)]
    if source.is_roster and source.minutes:
        findings.append(Finding(("minutes",), "A roster has one row for all sessions.", "Remove 'minutes'."))
    if source.is_roster and (source.attended is None or source.attended.column):
        advice = "Write 'attended: {values: {1: attended, 0: absent}}' without a column."
        findings.append(Finding(("attended",), "A roster needs to know what its codes mean.", advice))
    if not source.is_roster and source.attended is not None and not source.attended.column:
        advice = "Write 'attended: {column: came, values: {1: attended, 0: absent}}'."
        findings.append(Finding(("attended",), "The column that says who came is not named.", advice))
    return findings


def _id_findings(source: SessionSource) -> list[Finding]:
    """Return sessions that stand twice, or are not in the calendar."""
    told = {
        "calendar": [one.id for one in source.calendar],
        "wide": list((source.wide or {}).values()),
    }
    findings = [
        Finding((key,), f"The session '{name}' stands more than once.", "Give each session an id of its own.")
        for key, names in told.items()
        for name, times in Counter(names).items()
        if times > 1
    ]
    named = [*told["wide"], *((source.session.values or {}).values() if source.session else ())]
    findings += [
        Finding(("calendar",), f"The session '{name}' is not in the calendar.", "Add it, or leave the calendar out.")
        for name in dict.fromkeys(named)
        if source.calendar and name not in told["calendar"]
    ]
    return findings

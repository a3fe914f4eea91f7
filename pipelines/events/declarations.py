"""What study.yaml says of a list of events: where it tells what happened to whom, and when."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from data_contracts.documents import Finding, FindingsError, StrictModel
from pipelines.declarations import DateColumn, Export, Id, Text


class EventSource(StrictModel):
    """What happened: by the codes of a column, or the same in every row.

    In `values` a code that says that nothing happened stands for null.
    """

    column: Text | None = None
    values: Annotated[dict[str, Id | None], Field(min_length=1)] | None = None
    fixed: Id | None = None

    @model_validator(mode="after")
    def _one_way(self) -> EventSource:
        if (self.column is None) == (self.fixed is None) or (self.column is None) != (self.values is None):
            advice = "Write {column: kind, values: {H: hospital}}, or {fixed: hospital}."
            raise FindingsError([Finding((), "The event is told in exactly one way.", advice)])
        return self

    @property
    def kinds(self) -> list[str]:
        """The events that it can tell, in order."""
        told = [self.fixed] if self.fixed else (self.values or {}).values()
        return list(dict.fromkeys(kind for kind in told if kind is not None))


class TimepointColumn(StrictModel):
    """The column of the first timepoint after an event, where no day is told."""

    column: Text
    values: Annotated[dict[str, Id], Field(min_length=1)]


class EventsSource(Export):
    """Events: one row for each thing that happened to a participant.

    When it happened is told by a `day`, or by the `timepoint` at which it was first known. A row without either tells
    of no event where the event is `fixed`: a list of all participants has a day only for those who left.
    """

    may_be_empty: ClassVar[bool] = True
    """Nothing may have happened to anybody."""
    event: EventSource
    day: DateColumn | None = None
    timepoint: TimepointColumn | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> EventsSource:
        findings = []
        if self.participant_id.anonymous:
            message, advice = "Events are those of participants.", "Name the column of the participant's id."
            findings.append(Finding(("participant_id",), message, advice))
        if (self.day is None) == (self.timepoint is None):
            advice = "Write 'day: {column: happened_on}', or 'timepoint: {column: wave, values: {2: post}}'."
            findings.append(Finding((), "When it happened is told in exactly one way.", advice))
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def when(self) -> str:
        """The column that says when it happened."""
        told = self.day or self.timepoint
        return told.column if told else ""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Every column that is read, and what it is for."""
        told = [(self.event.column, "event"), (self.when, "day" if self.day else "timepoint")]
        return [
            *((column, "participant_id") for column in self.participant_id.columns),
            *((column, purpose) for column, purpose in told if column),
        ]

"""What study.yaml says of one export: how to read it, and which of its columns are what. No other column enters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from data_contracts.documents import NAME_PATTERN, Code, Finding, FindingsError, KeyPath, StrictModel
from pipelines.sources.formats import ALL_OPTIONS, OPTIONS, Format

Id = Annotated[str, Field(pattern=NAME_PATTERN)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


def _named(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class ColumnOf(StrictModel):
    """A column, and how its codes translate (`values`: code in the file -> id in the study)."""

    column: Text
    values: dict[str, Text] | None = None


Column = Annotated[ColumnOf, BeforeValidator(_named, json_schema_input_type=str | ColumnOf)]
"""A column name alone stands for a column without `values`."""


class IdColumns(StrictModel):
    """Who a row is about.

    The participant's id in a `column`; a self-generated code, told by the answers to several questions (`code_from`);
    or nobody in particular (`anonymous`): every row is a person of its own.
    """

    column: Text | None = None
    code_from: Annotated[list[Text], Field(min_length=2)] | None = None
    anonymous: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> IdColumns:
        if sum(way is not None for way in (self.column, self.code_from, self.anonymous)) != 1:
            advice = "Give a column name, or {code_from: [columns]}, or {anonymous: true}."
            raise FindingsError([Finding((), "The participant is told in exactly one way.", advice)])
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that tell it; none of an anonymous export."""
        return [self.column] if self.column else list(self.code_from or [])


Participant = Annotated[IdColumns, BeforeValidator(_named, json_schema_input_type=str | IdColumns)]


class TimepointSource(StrictModel):
    """How a source tells the timepoint: by a column, fixed for the whole file, or in its column names (wide)."""

    column: str | None = None
    values: dict[str, Id] | None = None
    fixed: Id | None = None
    wide: dict[str, Id] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TimepointSource:
        ways = [self.column is not None, self.fixed is not None, self.wide is not None]
        if sum(ways) != 1 or (self.values is not None) != (self.column is not None):
            raise FindingsError(
                [
                    Finding(
                        (),
                        "The timepoint of a source is told in exactly one way.",
                        "Give 'column' with 'values', or 'fixed', or 'wide' (text in place of {t} -> timepoint).",
                    )
                ]
            )
        return self

    @property
    def occasions(self) -> list[tuple[str, str]]:
        """Text in place of {t} (empty unless wide) and timepoint, of every timepoint that the source can tell."""
        if self.wide is not None:
            return list(self.wide.items())
        told = [self.fixed] if self.fixed else (self.values or {}).values()
        return [("", timepoint) for timepoint in dict.fromkeys(told)]


def _readable_format(value: str) -> str:
    day = datetime(2025, 1, 31, tzinfo=UTC)  # a format may tell the offset of a time zone
    try:
        is_readable = datetime.strptime(day.strftime(value), value).date() == day.date()  # noqa: DTZ007 - only the day
    except ValueError:
        is_readable = False
    if not is_readable:
        finding = Finding((), f"A day cannot be read with the format '{value}'.", "Write one such as %d/%m/%Y.")
        raise FindingsError([finding])
    return value


class DateColumn(StrictModel):
    """A date column and its format in `strptime` notation."""

    column: Text
    format: Annotated[str, AfterValidator(_readable_format)] = "%Y-%m-%d"


def _is_items(value: object) -> bool:
    columns = [value] if isinstance(value, str) else value
    told = [column for column in columns if column is not None] if isinstance(columns, list) else []
    return bool(told) and all(isinstance(column, str) and column for column in told)


def _pattern_list_or_crosswalk(value: object) -> object:
    if _is_items(value) or (isinstance(value, dict) and value and all(_is_items(each) for each in value.values())):
        return value
    advice = 'Write a pattern such as "phq_{n}", a list [a, b], or one of these for each timepoint: {baseline: ...}.'
    raise FindingsError([Finding((), "The item columns are not told.", advice)])


Items = str | list[str | None]
"""A pattern, or the columns in item order; null stands for an item that was not asked."""


ItemsOrCrosswalk = Annotated[str | list[str | None] | dict[Id, Items], BeforeValidator(_pattern_list_or_crosswalk)]
Labels = Annotated[list[Id], BeforeValidator(lambda told: [told] if isinstance(told, str) else told, str | list[Id])]


class InstrumentColumns(StrictModel):
    """Where an instrument's items stand.

    `items` is a pattern ({n} = 1, 2, ...; {nn} = 01, 02, ...; {A} or {a} = letters; {t} = the timepoint of a wide
    file), the list of columns in item order, or one of these for each timepoint that has the instrument. `labels` names
    the label sets that turn the texts of the file into the instrument's codes. `delivered` names columns with totals
    that came with the data: they are compared with ours and never used, unless there are no items to compute a score
    from.
    """

    items: ItemsOrCrosswalk | None = None
    labels: Labels = []
    delivered: dict[Id, Text] = {}

    @model_validator(mode="after")
    def _tells_something(self) -> InstrumentColumns:
        if self.items is None and not self.delivered:
            finding = Finding((), "Neither items nor delivered scores are named.", "Write 'items: \"phq_{n}\"'.")
            raise FindingsError([finding])
        return self

    @property
    def crosswalk(self) -> Mapping[str, Items]:
        """Timepoint -> items; the key is empty where all timepoints have the same."""
        return self.items if isinstance(self.items, dict) else {} if self.items is None else {"": self.items}

    def items_at(self, timepoint: str) -> Items | None:
        """Return the pattern or columns of a timepoint; None where the instrument was not asked."""
        return self.crosswalk.get(timepoint, self.crosswalk.get(""))


class Duration(StrictModel):
    """How long somebody took, and the shortest time in which the questions can be read."""

    column: Text
    at_least: Annotated[Number, Field(gt=0)]


class Quality(StrictModel):
    """What a source tells of how carefully somebody answered.

    `duration` is in the unit of its column; `attention` holds right answers by column; `bots` the lowest score of a
    human by column; `honeypots` are columns that a human leaves blank.
    """

    duration: Duration | None = None
    attention: dict[Text, Annotated[list[Code], Field(min_length=1)]] = {}
    bots: dict[Text, Number] = {}
    honeypots: list[Text] = []

    @property
    def columns(self) -> list[str]:
        """The columns that tell it."""
        return [*([self.duration.column] if self.duration else []), *self.attention, *self.bots, *self.honeypots]


class Export(StrictModel):
    """One file, or several alike (`path` may hold * and ?), and how it is read."""

    may_be_empty: ClassVar[bool] = False
    """Whether a header without a row is a delivery."""
    path: Text
    format: Format
    participant_id: Participant
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal_comma: bool | None = None
    sheet: str | None = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    keep_unfinished: bool | None = None
    dictionary: str | None = None
    repeat: str | None = None

    @model_validator(mode="after")
    def _options_fit_the_format(self) -> Export:
        findings = [
            Finding((option,), f"'{option}' is not an option of format {self.format}.", "Remove it.")
            for option in ALL_OPTIONS
            if getattr(self, option) is not None and option not in OPTIONS[self.format]
        ]
        if findings:
            raise FindingsError(findings)
        return self


class Source(Export):
    """An export with answers, scores or characteristics of participants."""

    timepoint: TimepointSource
    answered_on: DateColumn | None = None
    participant_columns: dict[Id, Column] = {}
    instruments: dict[Id, InstrumentColumns] = {}
    scores: dict[Id, Text] = {}
    quality: Quality | None = None

    @model_validator(mode="after")
    def _tells_something(self) -> Source:
        findings = []
        if self.timepoint.wide is not None:
            findings += [
                Finding(
                    key, f"'{name}' is the same column at every timepoint.", "Write {t} where the timepoint stands."
                )
                for key, name in self._columns_of_answers()
                if "{t}" not in name
            ]
        if not (self.instruments or self.scores or self.participant_columns):
            findings.append(Finding((), "Nothing is taken from this source.", "Name its 'instruments' or 'scores'."))
        if findings:
            raise FindingsError(findings)
        return self

    def _columns_of_answers(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield the key and the name or pattern of every column that holds answers, scores or their date."""
        for name, columns in self.instruments.items():
            at: KeyPath = ("instruments", name)
            for timepoint, items in columns.crosswalk.items():
                here: KeyPath = (*at, "items", timepoint) if timepoint else (*at, "items")
                if isinstance(items, str):
                    yield here, items
                else:
                    yield from (((*here, place), column) for place, column in enumerate(items) if column)
            yield from (((*at, "delivered", score), column) for score, column in columns.delivered.items())
        yield from ((("scores", measure), column) for measure, column in self.scores.items())
        if self.answered_on:
            yield ("answered_on", "column"), self.answered_on.column


def item_columns(items: Items | None, n_items: int, wide: str = "") -> list[str | None]:
    """Return the column of each item, in item order; `wide` is the text in place of {t}; none without items."""
    if items is None:
        return []
    if isinstance(items, list):
        return [name.replace("{t}", wide) if name else None for name in items]
    return [_fill(items, number, wide) for number in range(1, n_items + 1)]


def _fill(pattern: str, number: int, wide: str) -> str:
    letter = chr(ord("A") + number - 1) if number <= 26 else ""
    parts = {"{n}": str(number), "{nn}": f"{number:02}", "{A}": letter, "{a}": letter.lower(), "{t}": wide}
    return re.sub(r"\{(?:n|nn|A|a|t)\}", lambda match: parts[match.group()], pattern)

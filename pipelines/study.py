"""The study definition: study.yaml as a validated model, and what the other rooms need of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from analysis.design import Arm, Covariate, DesignKind, Direction, Measure, StudyDesign, Timepoint
from data_contracts.documents import NAME_PATTERN, Document, Finding, FindingsError, StrictModel, load_document
from instruments import Instrument
from instruments.parts import LanguageTag
from pipelines.consistency import find_contradictions, find_unknown_instruments, find_unknown_variants
from pipelines.errors import PipelineError
from pipelines.library import adapt_library
from pipelines.sources.formats import ALL_OPTIONS, OPTIONS, Format

Id = Annotated[str, Field(pattern=NAME_PATTERN)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


def _ascending(value: list[float]) -> list[float]:
    if len(value) != 2 or value[0] >= value[1]:
        raise FindingsError([Finding((), "A range is two numbers, the lower one first.", "Write [low, high].")])
    return value


Range = Annotated[list[Number], AfterValidator(_ascending)]


class StudyTimepoint(StrictModel):
    """A planned occasion; `week` counts from baseline."""

    id: Id
    week: Number
    label: str = ""


class StudyArm(StrictModel):
    """What participants were assigned to."""

    id: Id
    label: str = ""
    reference: bool = False


class Groups(StrictModel):
    """Peer groups: the arms whose participants meet in groups."""

    meets_in: Annotated[list[Id], Field(min_length=1)]


class StudyCovariate(StrictModel):
    """A characteristic known at baseline: a `number` with `range`, or a `category` with `levels` (code -> level)."""

    id: Id
    kind: Literal["number", "category"]
    label: str = ""
    range: Range | None = None
    levels: Annotated[dict[str, Text], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _says_what_is_allowed(self) -> StudyCovariate:
        needed, other = ("range", "levels") if self.kind == "number" else ("levels", "range")
        if getattr(self, needed) is None or getattr(self, other) is not None:
            raise FindingsError(
                [Finding((), f"A {self.kind} covariate has '{needed}' and no '{other}'.", f"Give '{needed}' only.")]
            )
        return self


class StudyMeasure(StrictModel):
    """A score that the study delivers ready-made, because its items or its scoring are not in the library."""

    id: Id
    label: Text
    concept: Text
    range: Range
    higher_is: Direction


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


class ColumnOf(StrictModel):
    """A column, and how its codes translate (`values`: code in the file -> id in the study)."""

    column: Text
    values: dict[str, Text] | None = None


def _readable_format(value: str) -> str:
    day = date(2025, 1, 31)
    try:
        is_readable = datetime.strptime(day.strftime(value), value).date() == day  # noqa: DTZ007 - a day has no time zone
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


def _pattern_or_list(value: object) -> object:
    columns = [value] if isinstance(value, str) else value
    if isinstance(columns, list) and columns and all(isinstance(column, str) and column for column in columns):
        return value
    raise FindingsError(
        [Finding((), "The item columns are not told.", 'Write a pattern such as "phq_{n}", or a list: [a, b].')]
    )


class InstrumentColumns(StrictModel):
    """Where an instrument's items stand.

    `items` is a pattern ({n} = 1, 2, ...; {nn} = 01, 02, ...; {A} or {a} = letters; {t} = the timepoint of a wide
    file) or the list of columns in item order. `delivered` names columns with totals that came with the data: they
    are compared with ours and never used, unless there are no items to compute a score from.
    """

    items: Annotated[str | list[str], BeforeValidator(_pattern_or_list)] | None = None
    delivered: dict[Id, Text] = {}

    @model_validator(mode="after")
    def _tells_something(self) -> InstrumentColumns:
        if self.items is None and not self.delivered:
            finding = Finding((), "Neither items nor delivered scores are named.", "Write 'items: \"phq_{n}\"'.")
            raise FindingsError([finding])
        return self


def _named(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Column = Annotated[ColumnOf, BeforeValidator(_named, json_schema_input_type=str | ColumnOf)]
"""A column name alone stands for a column without `values`."""


class Source(StrictModel):
    """One export, or several alike (`path` may hold * and ?)."""

    path: Text
    format: Format
    participant_id: Text
    timepoint: TimepointSource
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    decimal_comma: bool | None = None
    sheet: str | None = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    keep_unfinished: bool | None = None
    dictionary: str | None = None
    repeat: str | None = None
    answered_on: DateColumn | None = None
    participant_columns: dict[Id, Column] = {}
    instruments: dict[Id, InstrumentColumns] = {}
    scores: dict[Id, Text] = {}

    @model_validator(mode="after")
    def _options_fit_the_format(self) -> Source:
        findings = [
            Finding((option,), f"'{option}' is not an option of format {self.format}.", "Remove it.")
            for option in ALL_OPTIONS
            if getattr(self, option) is not None and option not in OPTIONS[self.format]
        ]
        if self.timepoint.wide is not None:
            findings += [
                Finding(
                    key, f"'{name}' is the same column at every timepoint.", "Write {t} where the timepoint stands."
                )
                for key, name in self._named_columns()
                if "{t}" not in name
            ]
        if not (self.instruments or self.scores or self.participant_columns):
            findings.append(Finding((), "Nothing is taken from this source.", "Name its 'instruments' or 'scores'."))
        if findings:
            raise FindingsError(findings)
        return self

    def _named_columns(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the key and the name or pattern of every column that holds answers, scores or their date."""
        for name, columns in self.instruments.items():
            at = ("instruments", name)
            if isinstance(columns.items, str):
                yield (*at, "items"), columns.items
            else:
                yield from (((*at, "items", place), column) for place, column in enumerate(columns.items or []))
            yield from (((*at, "delivered", score), column) for score, column in columns.delivered.items())
        yield from ((("scores", measure), column) for measure, column in self.scores.items())
        if self.answered_on:
            yield ("answered_on", "column"), self.answered_on.column


class Study(StrictModel):
    """A study definition (`study.yaml`)."""

    study: Id
    title: Text
    question: str = ""
    programme: str = ""
    sponsor: str = ""
    evaluator: str = ""
    synthetic: bool = False
    language: LanguageTag = "en"
    design: DesignKind
    timepoints: Annotated[list[StudyTimepoint], Field(min_length=1)]
    arms: Annotated[list[StudyArm], Field(min_length=1)]
    groups: Groups | None = None
    covariates: list[StudyCovariate] = []
    measures: list[StudyMeasure] = []
    variants: dict[Id, Annotated[list[Id], Field(min_length=1)]] = {}
    missing_codes: dict[str, Id] = {}
    recruitment: dict[Literal["eligible", "invited"], Annotated[int, Field(ge=0)]] = {}
    sources: Annotated[list[Source], Field(min_length=1)]

    @model_validator(mode="after")
    def _holds_together(self) -> Study:
        findings = find_contradictions(self)
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def covariate_ids(self) -> list[str]:
        """Ids of the declared covariates, in order."""
        return [covariate.id for covariate in self.covariates]


def load_study(path: Path, library: Mapping[str, Instrument]) -> Document[Study]:
    """Load `study.yaml` and hold its instruments against the library.

    Parameters
    ----------
    path : Path
        The study folder.
    library : mapping
        Instrument id -> definition.

    Raises
    ------
    DataContractError
        The document is wrong by itself.
    PipelineError
        It names an instrument, a variant or a score that is not in the library.
    """
    document = load_document(path / "study.yaml", Study)
    study = document.value
    findings = find_unknown_variants(study, library) or find_unknown_instruments(study, adapt_library(study, library))
    problems = [
        document.problem(finding.key, "unknown_name", finding.message, finding.how_to_fix) for finding in findings
    ]
    if problems:
        raise PipelineError(problems)
    return document


def derive_design(study: Study, library: Mapping[str, Instrument]) -> StudyDesign:
    """Return what the analysis must know of the study."""
    timepoints = sorted(study.timepoints, key=lambda timepoint: timepoint.week)
    return StudyDesign(
        kind=study.design,
        timepoints=tuple(Timepoint(t.id, t.label or t.id, t.week) for t in timepoints),
        arms=tuple(Arm(arm.id, arm.label or arm.id, arm.reference) for arm in study.arms),
        group_arms=tuple(study.groups.meets_in) if study.groups else (),
        covariates=tuple(
            Covariate(c.id, c.label or c.id, c.kind, tuple(dict.fromkeys((c.levels or {}).values())))
            for c in study.covariates
        ),
        measures=_measures(study, library),
        recruitment={str(name): count for name, count in study.recruitment.items()},
    )


def used_instruments(study: Study) -> list[str]:
    """Return the ids of the instruments that the sources deliver, in order of appearance."""
    return list(dict.fromkeys(name for source in study.sources for name in source.instruments))


def item_columns(columns: InstrumentColumns, n_items: int, wide: str | None = None) -> list[str]:
    """Return the column of each item, in item order; `wide` is the text in place of {t}; none without items."""
    if columns.items is None:
        return []
    if isinstance(columns.items, list):
        return [name.replace("{t}", wide or "") for name in columns.items]
    return [_fill(columns.items, number, wide) for number in range(1, n_items + 1)]


def _fill(pattern: str, number: int, wide: str | None) -> str:
    letter = chr(ord("A") + number - 1) if number <= 26 else ""
    parts = {"{n}": str(number), "{nn}": f"{number:02}", "{A}": letter, "{a}": letter.lower(), "{t}": wide or ""}
    return re.sub(r"\{(?:n|nn|A|a|t)\}", lambda match: parts[match.group()], pattern)


def _measures(study: Study, library: Mapping[str, Instrument]) -> dict[str, Measure]:
    measures: dict[str, Measure] = {}
    for name in used_instruments(study):
        instrument = library[name]
        for measure in instrument.measures:
            low, high = measure.range
            measures[f"{name}.{measure.id}"] = Measure(
                f"{name}.{measure.id}", measure.label, measure.concept, low, high, measure.higher_is, name
            )
    for own in study.measures:
        measures[own.id] = Measure(own.id, own.label, own.concept, own.range[0], own.range[1], own.higher_is)
    return measures

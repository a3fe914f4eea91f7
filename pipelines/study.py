"""The study definition: study.yaml as a validated model, and what the other rooms need of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from analysis.design import Arm, Covariate, DesignKind, Direction, EventKind, Measure, StudyDesign, Theme, Timepoint
from data_contracts.documents import Document, Finding, FindingsError, StrictModel, load_document
from instruments import Instrument
from instruments.parts import LanguageTag
from pipelines.consistency import find_contradictions, find_unknown_instruments, find_unknown_variants
from pipelines.declarations import Id, Number, Source, Text
from pipelines.errors import PipelineError
from pipelines.events.declarations import EventsSource
from pipelines.interviews.declarations import InterviewsSource, StudyTheme
from pipelines.library import adapt_library
from pipelines.sessions.declarations import SessionSource


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
    """What participants were assigned to.

    `starts` is a timepoint: of the arm on a waiting list the last one measured before it begins, of a sequence of a
    stepped wedge the first one measured under the programme.
    """

    id: Id
    label: str = ""
    reference: bool = False
    starts: Id | None = None


class Groups(StrictModel):
    """Peer groups: the arms whose participants meet in groups; `randomised` where lots were drawn for whole groups."""

    meets_in: Annotated[list[Id], Field(min_length=1)]
    randomised: bool = False


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


class StudyEventKind(StrictModel):
    """Something that may happen to a participant: leaving the programme, a stay in hospital."""

    id: Id
    label: str = ""


class ProgrammeDescription(StrictModel):
    """What the programme is and how it is given: the points of the TIDieR checklist that need words of the study.

    The name of the programme is the `title` of the study.

    References
    ----------
    Hoffmann TC, Glasziou PP, Boutron I, et al. (2014). Better reporting of interventions: template for intervention
    description and replication (TIDieR) checklist and guide. BMJ 348, g1687. doi 10.1136/bmj.g1687
    """

    why: str = ""
    materials: str = ""
    procedures: str = ""
    provider: str = ""
    mode: str = ""
    place: str = ""
    schedule: str = ""
    tailoring: str = ""
    modifications: str = ""
    fidelity_planned: str = ""
    fidelity_assessed: str = ""


class Study(StrictModel):
    """A study definition (`study.yaml`)."""

    study: Id
    title: Text
    question: str = ""
    programme: str = ""
    sponsor: str = ""
    evaluator: str = ""
    delivery: ProgrammeDescription = ProgrammeDescription()
    funding: str = ""
    interests: str = ""
    ethics: str = ""
    registration: str = ""
    data_access: str = ""
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
    label_sets: dict[Id, Annotated[dict[Text, Number], Field(min_length=1)]] = {}
    recruitment: dict[Literal["eligible", "invited"], Annotated[int, Field(ge=0)]] = {}
    sources: Annotated[list[Source], Field(min_length=1)]
    sessions: list[SessionSource] = []
    event_kinds: list[StudyEventKind] = []
    events: list[EventsSource] = []
    themes: list[StudyTheme] = []
    interviews: list[InterviewsSource] = []

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
        arms=tuple(Arm(arm.id, arm.label or arm.id, arm.reference, arm.starts or "") for arm in study.arms),
        group_arms=tuple(study.groups.meets_in) if study.groups else (),
        groups_drawn=study.groups is not None and study.groups.randomised,
        covariates=tuple(
            Covariate(c.id, c.label or c.id, c.kind, tuple(dict.fromkeys((c.levels or {}).values())))
            for c in study.covariates
        ),
        measures=_measures(study, library),
        recruitment={str(name): count for name, count in study.recruitment.items()},
        event_kinds=tuple(EventKind(kind.id, kind.label or kind.id) for kind in study.event_kinds),
        items=_items(study, library),
        themes=tuple(Theme(theme.id, theme.label, theme.definition) for theme in study.themes),
    )


def used_instruments(study: Study) -> list[str]:
    """Return the ids of the instruments that the sources deliver, in order of appearance."""
    return list(dict.fromkeys(name for source in study.sources for name in source.instruments))


def _items(study: Study, library: Mapping[str, Instrument]) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the lowest and the highest answer of every item whose answers some source delivers."""
    delivered = [name for source in study.sources for name, columns in source.instruments.items() if columns.items]
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name in dict.fromkeys(delivered):
        sets = library[name].response_sets
        ends = {key: (one.allowed.minimum, one.allowed.maximum) for key, one in sets.items()}
        found[name] = {item.id: ends[item.response_set] for item in library[name].items}
    return found


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

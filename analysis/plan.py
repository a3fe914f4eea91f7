"""The statistical analysis plan: sap.yaml as a validated model."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from analysis.design import Direction, Measure, StudyDesign, Unit
from analysis.errors import AnalysisError
from analysis.mixed_models.fit import Engine
from analysis.mixed_models.inference import DfMethod
from analysis.plan_checks import find_dangling, find_misfits
from analysis.plan_parts import (
    Compliers,
    Entry,
    ExposureResponse,
    Family,
    FormatComparison,
    Harm,
    IntercurrentEvent,
    Margin,
    Mediation,
    NaturalChange,
    PlanId,
    Population,
    ReliableChange,
    Sensitivity,
    SmallestMeaningfulChange,
    Subgroup,
)
from analysis.profiles import PROFILES, Profile, ProfileName
from analysis.telling import Number, Told, tell
from data_contracts.documents import (
    Document,
    Finding,
    FindingsError,
    StrictModel,
    load_document,
)

ModelKind = Literal["mmrm", "mixed_model", "gee", "least_squares", "overlap_weights", "interrupted_series"]
CovarianceKind = Literal["us", "toeph", "toep", "ar1h", "ar1", "csh", "cs", "adh", "ad"]
Ladder = Annotated[
    list[CovarianceKind],
    Field(min_length=1),
    BeforeValidator(lambda kinds: [kinds] if isinstance(kinds, str) else kinds, CovarianceKind | list[CovarianceKind]),
]
Border = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Literal["too_fast", "straight_lining", "failed_attention", "bot"]
"""What may speak against the answers of a participant at a timepoint."""
_CONTRAST = re.compile(r"^([a-z][a-z0-9_.-]*) - ([a-z][a-z0-9_.-]*)$")


class Event(StrictModel):
    """What counts as an event: a score of at least, or of at most, so many points."""

    at_least: Border | None = None
    at_most: Border | None = None

    @model_validator(mode="after")
    def _one_border(self) -> Event:
        if (self.at_least is None) == (self.at_most is None):
            raise FindingsError(
                [Finding((), "An event needs one border.", "Write 'event: {at_least: 10}' or 'event: {at_most: 4}'.")]
            )
        return self

    def __str__(self) -> str:
        """Return ``of at least 10``."""
        word, border = ("at most", self.at_most) if self.at_least is None else ("at least", self.at_least)
        return f"of {word} {border:g}"

    def of(self, measure: str) -> Told:
        """Return ``PHQ-9 total of at least 10``."""
        if self.at_most is not None:
            return tell("{measure} of at most {limit}", measure=measure, limit=Number.exactly(self.at_most))
        assert self.at_least is not None  # noqa: S101 - an event has one border
        return tell("{measure} of at least {limit}", measure=measure, limit=Number.exactly(self.at_least))

    def percent(self, scores: pd.Series) -> pd.Series:
        """Return 100 where a score is an event, 0 where it is none, NaN without a score."""
        events = pd.Series(self.holds(scores.to_numpy(dtype="float64")), index=scores.index)
        return (100.0 * events.astype("float64")).where(scores.notna())

    def holds(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Tell which scores are events."""
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        return (scores >= low) & (scores <= high)


class Outcome(StrictModel):
    """A measure that the plan asks about.

    ``kind`` says how its scores are taken: as numbers (``score``), as yes or no (``binary``, with an ``event``), as
    ordered categories (``ordinal``), or as counts of something (``count``). The smallest meaningful change is in
    points, and in percentage points for a binary outcome.
    """

    id: PlanId
    measure: PlanId
    role: Literal["primary", "secondary", "exploratory"]
    kind: Literal["score", "binary", "ordinal", "count"] = "score"
    event: Event | None = None
    smallest_meaningful_change: SmallestMeaningfulChange | None = None
    reliable_change: ReliableChange | None = None
    natural_change: NaturalChange | None = None
    entry: Entry | None = None

    @model_validator(mode="after")
    def _event_of_binary(self) -> Outcome:
        if (self.kind == "binary") != (self.event is not None):
            advice = "Write 'kind: binary' and 'event: {at_least: 10}' together, or neither."
            raise FindingsError([Finding(("event",), "A binary outcome has an event, and no other has.", advice)])
        return self


class Contrast(NamedTuple):
    """``a - b``: two arms of a comparison, or two timepoints where there is one arm."""

    first: str
    second: str


class Estimand(StrictModel):
    """One number that the plan asks for.

    ``contrast`` is ``arm - arm`` (compared at ``timepoint``) or, with one arm, ``timepoint - timepoint``.
    ``model`` is ``mmrm``, ``mixed_model``, ``gee``, ``least_squares`` or ``overlap_weights``; left out, it is the last
    for scores and shares in a comparison of arms as they came, otherwise ``gee`` for an outcome that is not a score,
    ``least_squares`` in a repeated cross-section (which knows no other of scores), ``mixed_model`` where people meet in
    groups, and ``mmrm`` otherwise. ``covariance`` of an mmrm is one structure or
    a ladder, of which the first that converges is taken. ``random`` effects are those of a mixed model.
    """

    id: PlanId
    outcome: PlanId
    contrast: Annotated[str, Field(pattern=_CONTRAST.pattern)]
    timepoint: PlanId
    population: PlanId | None = None
    margin: Margin | None = None
    model: ModelKind | None = None
    covariates: list[PlanId] = []
    covariance: Ladder = ["us", "toeph", "csh", "cs"]
    random: Literal["intercept", "slope", "slope_uncorrelated"] = "intercept"
    variance_by_arm: bool = False
    df_method: DfMethod = "kenward_roger"

    @property
    def compared(self) -> Contrast:
        """The two sides of the contrast."""
        first, second = self.contrast.split(" - ")
        return Contrast(first, second)


class SmallNumbers(StrictModel):
    """Floors below which numbers are hidden (`profile`) or not computed (`fewest_per_arm`)."""

    profile: ProfileName = "threshold-10"
    fewest_per_arm: Annotated[int, Field(ge=5)] = 10

    @property
    def protection(self) -> Profile:
        """What the profile protects."""
        return PROFILES[self.profile]

    @property
    def floor(self) -> int:
        """People of an arm below whom nothing is inferred: never fewer than are protected, for a refusal says so."""
        return max(self.fewest_per_arm, self.protection.threshold)


class AnswerQuality(StrictModel):
    """Flags whose answers are left out of the main analysis, as if they were missing; none without the key."""

    leave_out: list[Flag] = []


class Plan(StrictModel):
    """A statistical analysis plan (`sap.yaml`).

    ``engine: statsmodels`` finds the variances of mixed models with statsmodels' MixedLM, to check against.
    """

    sap: Literal[1]
    population: Literal["intention_to_treat"] = "intention_to_treat"
    populations: list[Population] = []
    outcomes: Annotated[list[Outcome], Field(min_length=1)]
    estimands: Annotated[list[Estimand], Field(min_length=1)]
    families: list[Family] = []
    intercurrent_events: list[IntercurrentEvent] = []
    sensitivity: list[Sensitivity] = []
    subgroups: list[Subgroup] = []
    mediation: list[Mediation] = []
    exposure_response: list[ExposureResponse] = []
    compliers: list[Compliers] = []
    formats: list[FormatComparison] = []
    harms: list[Harm] = []
    small_numbers: SmallNumbers = SmallNumbers()
    quality: AnswerQuality = AnswerQuality()
    engine: Engine = "peerimpact"

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Plan:
        findings = find_dangling(self)
        if findings:
            raise FindingsError(findings)
        return self

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome of that id."""
        return next(outcome for outcome in self.outcomes if outcome.id == outcome_id)

    def model_of(self, estimand: Estimand, design: StudyDesign) -> ModelKind:
        """Return the model of an estimand, chosen where the plan leaves it open."""
        return estimand.model or usual_model(self.outcome(estimand.outcome), design)

    def is_asked_twice(self, estimand: Estimand) -> bool:
        """Tell whether another estimand is about the same comparison, by another model or other covariates."""

        def asked(each: Estimand) -> tuple[str | None, ...]:
            return (each.outcome, each.contrast, each.timepoint, each.population or self.population)

        return sum(asked(each) == asked(estimand) for each in self.estimands) > 1

    def measure_of(self, outcome_id: str, design: StudyDesign) -> Measure:
        """Return the measure of an outcome as the plan takes it: that of the study, or the percent with an event."""
        outcome = self.outcome(outcome_id)
        measure = design.measures[outcome.measure]
        if outcome.event is None:
            units: dict[str, Unit] = {"ordinal": "category", "count": "count"}
            return replace(measure, unit=units.get(outcome.kind, measure.unit))
        flipped: dict[Direction, Direction] = {"better": "worse", "worse": "better"}
        label = outcome.event.of(measure.label)
        return replace(
            measure,
            label=label,
            concept=tell("the share of people with {event}", event=label),
            minimum=0.0,
            maximum=100.0,
            higher_is=measure.higher_is if outcome.event.at_most is None else flipped[measure.higher_is],
            unit="percent",
        )

    @property
    def primary(self) -> Outcome:
        """The one primary outcome."""
        return next(outcome for outcome in self.outcomes if outcome.role == "primary")


def usual_model(outcome: Outcome, design: StudyDesign) -> ModelKind:
    """Return the model of an outcome where the plan names none."""
    if design.is_series:
        return "interrupted_series"
    if design.kind == "comparison" and outcome.kind in ("score", "binary"):
        return "overlap_weights"
    if outcome.kind != "score":
        return "gee"
    if design.is_resampled:
        return "least_squares"
    return "mixed_model" if design.group_arms else "mmrm"


def load_plan(path: Path, design: StudyDesign) -> Document[Plan]:
    """Load `sap.yaml` and hold every name in it against the study.

    Raises
    ------
    DataContractError
        The document itself is wrong.
    AnalysisError
        It names a measure, timepoint, arm or covariate that the study does not have.
    """
    document = load_document(path, Plan)
    problems = [
        document.problem(finding.key, "unknown_name", finding.message, finding.how_to_fix)
        for finding in find_misfits(document.value, design)
    ]
    if problems:
        raise AnalysisError(problems)
    return document

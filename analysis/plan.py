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
from data_contracts.documents import (
    NAME_PATTERN,
    Document,
    Finding,
    FindingsError,
    StrictModel,
    load_document,
)
from data_contracts.errors import choose_from

PlanId = Annotated[str, Field(pattern=NAME_PATTERN)]
Number = Annotated[float, Field(strict=False)]
ModelKind = Literal["mmrm", "mixed_model", "gee", "least_squares"]
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


class SmallestMeaningfulChange(StrictModel):
    """The smallest difference that people notice, in points, with the source that says so."""

    value: Annotated[Number, Field(gt=0)]
    source: Annotated[str, Field(min_length=3)]


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
    ``model`` is ``mmrm``, ``mixed_model``, ``gee`` or ``least_squares``; left out, it is ``gee`` for an outcome that is
    not a score, ``least_squares`` in a repeated cross-section (which knows no other of scores), ``mixed_model`` where
    people meet in groups, and ``mmrm`` otherwise. ``covariance`` of an mmrm is one structure or
    a ladder, of which the first that converges is taken. ``random`` effects are those of a mixed model.
    """

    id: PlanId
    outcome: PlanId
    contrast: Annotated[str, Field(pattern=_CONTRAST.pattern)]
    timepoint: PlanId
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


class Family(StrictModel):
    """Estimands whose p-values are adjusted together."""

    id: PlanId
    members: Annotated[list[PlanId], Field(min_length=1)]
    adjust: Literal["none", "holm"]


class SmallNumbers(StrictModel):
    """Floors below which numbers are hidden (`profile`) or not computed (`fewest_per_arm`)."""

    profile: Literal["threshold-10", "none"] = "threshold-10"
    fewest_per_arm: Annotated[int, Field(ge=5)] = 10


class AnswerQuality(StrictModel):
    """Flags whose answers are left out of the main analysis, as if they were missing; none without the key."""

    leave_out: list[Flag] = []


class Plan(StrictModel):
    """A statistical analysis plan (`sap.yaml`).

    ``engine: statsmodels`` finds the variances of mixed models with statsmodels' MixedLM, to check against.
    """

    sap: Literal[1]
    population: Literal["intention_to_treat"] = "intention_to_treat"
    outcomes: Annotated[list[Outcome], Field(min_length=1)]
    estimands: Annotated[list[Estimand], Field(min_length=1)]
    families: list[Family] = []
    small_numbers: SmallNumbers = SmallNumbers()
    quality: AnswerQuality = AnswerQuality()
    engine: Engine = "peerimpact"

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Plan:
        outcomes = [outcome.id for outcome in self.outcomes]
        estimands = [estimand.id for estimand in self.estimands]
        findings = [*_repeated("outcomes", outcomes), *_repeated("estimands", estimands)]
        if [outcome.role for outcome in self.outcomes].count("primary") != 1:
            findings.append(Finding(("outcomes",), "Exactly one outcome must be primary.", "Set 'role: primary' once."))
        for index, estimand in enumerate(self.estimands):
            findings += _unknown(("estimands", index, "outcome"), estimand.outcome, outcomes)
        members: list[str] = []
        for index, family in enumerate(self.families):
            for place, member in enumerate(family.members):
                findings += _unknown(("families", index, "members", place), member, estimands)
                members.append(member)
        findings += _repeated("families", members)
        if findings:
            raise FindingsError(findings)
        return self

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome of that id."""
        return next(outcome for outcome in self.outcomes if outcome.id == outcome_id)

    def model_of(self, estimand: Estimand, design: StudyDesign) -> ModelKind:
        """Return the model of an estimand, chosen where the plan leaves it open."""
        if estimand.model is not None:
            return estimand.model
        if self.outcome(estimand.outcome).kind != "score":
            return "gee"
        if design.is_resampled:
            return "least_squares"
        return "mixed_model" if design.group_arms else "mmrm"

    def is_asked_twice(self, estimand: Estimand) -> bool:
        """Tell whether another estimand is about the same comparison, by another model or other covariates."""
        asked = (estimand.outcome, estimand.contrast, estimand.timepoint)
        return sum((each.outcome, each.contrast, each.timepoint) == asked for each in self.estimands) > 1

    def measure_of(self, outcome_id: str, design: StudyDesign) -> Measure:
        """Return the measure of an outcome as the plan takes it: that of the study, or the percent with an event."""
        outcome = self.outcome(outcome_id)
        measure = design.measures[outcome.measure]
        if outcome.event is None:
            units: dict[str, Unit] = {"ordinal": "category", "count": "count"}
            return replace(measure, unit=units.get(outcome.kind, measure.unit))
        flipped: dict[Direction, Direction] = {"better": "worse", "worse": "better"}
        return replace(
            measure,
            label=f"{measure.label} {outcome.event}",
            concept=f"the share of people with {measure.label} {outcome.event}",
            minimum=0.0,
            maximum=100.0,
            higher_is=measure.higher_is if outcome.event.at_most is None else flipped[measure.higher_is],
            unit="percent",
        )

    @property
    def primary(self) -> Outcome:
        """The one primary outcome."""
        return next(outcome for outcome in self.outcomes if outcome.role == "primary")


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
        for finding in _misfits(document.value, design)
    ]
    if problems:
        raise AnalysisError(problems)
    return document


def _misfits(plan: Plan, design: StudyDesign) -> list[Finding]:
    timepoints = [timepoint.id for timepoint in design.timepoints]
    arms = [arm.id for arm in design.arms]
    later = timepoints[1:]
    findings: list[Finding] = []
    for index, outcome in enumerate(plan.outcomes):
        findings += _unknown(("outcomes", index, "measure"), outcome.measure, list(design.measures))
        findings += _event_misfits(("outcomes", index), outcome, design)
        others = plan.outcomes[:index]
        before = [each.id for each in others if each.measure == outcome.measure and each.kind != "score"]
        if before and outcome.kind != "score" and plan.small_numbers.profile != "none":
            message = f"'{before[0]}' and '{outcome.id}' sort people by one measure: together they tell small numbers."
            findings.append(Finding(("outcomes", index), message, "Keep one of them."))
    for index, estimand in enumerate(plan.estimands):
        at = ("estimands", index)
        if estimand.timepoint == design.baseline.id:
            advice = f"Name a later one: {', '.join(later)}." if later else "The study needs a second timepoint."
            findings.append(Finding((*at, "timepoint"), f"'{estimand.timepoint}' is the baseline.", advice))
            continue
        findings += _unknown((*at, "timepoint"), estimand.timepoint, later)
        for place, covariate in enumerate(estimand.covariates):
            findings += _unknown((*at, "covariates", place), covariate, [known.id for known in design.covariates])
        findings += _model_misfits(at, estimand, plan, design)
        first, second = estimand.compared
        if design.compares_timepoints:
            expected = f"{estimand.timepoint} - {design.baseline.id}"
            if estimand.contrast != expected:
                findings.append(
                    Finding(
                        (*at, "contrast"),
                        f"Found '{estimand.contrast}'; one arm alone is compared with its own baseline.",
                        f"Write '{expected}'.",
                    )
                )
            continue
        for side in (first, second):
            findings += _unknown((*at, "contrast"), side, arms)
        if second != (design.reference.id if design.reference else second):
            findings.append(
                Finding(
                    (*at, "contrast"),
                    f"The arm behind the minus sign is '{second}', not the reference arm.",
                    f"Write '... - {design.reference.id}'.",  # type: ignore[union-attr]
                )
            )
        elif first == second:
            findings.append(Finding((*at, "contrast"), "An arm is compared with itself.", "Name two arms."))
    return findings


def _event_misfits(at: tuple[str | int, ...], outcome: Outcome, design: StudyDesign) -> list[Finding]:
    """Return whether everybody or nobody could have the event."""
    measure = design.measures.get(outcome.measure)
    if outcome.event is None or measure is None:
        return []
    ends = np.array([measure.minimum, measure.maximum])
    if outcome.event.holds(ends).sum() == 1:
        return []
    message = f"Of the scores from {measure.minimum:g} to {measure.maximum:g}, all or none are {outcome.event}."
    return [Finding((*at, "event"), message, "Give a border within the range.")]


def _model_misfits(at: tuple[str | int, ...], estimand: Estimand, plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return what in the choice of a model does not go together."""
    model = plan.model_of(estimand, design)
    is_score = next((each.kind == "score" for each in plan.outcomes if each.id == estimand.outcome), True)
    findings = []
    if (model == "gee") == is_score:
        message = f"The model '{model}' does not go with the kind of the outcome."
        scores = "least_squares" if design.is_resampled else "mmrm or mixed_model"
        findings.append(Finding((*at, "model"), message, f"Scores need {scores}, every other kind gee."))
    elif is_score and (model == "least_squares") != design.is_resampled:
        message = f"The model '{model}' does not go with the design {design.kind}."
        findings.append(Finding((*at, "model"), message, "Leave 'model' out: the design chooses it."))
    if model == "mmrm" and design.group_arms:
        message = "An mmrm takes people for independent, but people of an arm meet in groups."
        findings.append(Finding((*at, "model"), message, "Write 'model: mixed_model'."))
    set_options = estimand.model_fields_set
    either = ("mmrm", "mixed_model")
    owners = {"covariance": either[:1], "random": either[1:], "variance_by_arm": either, "df_method": either}
    for option, models in owners.items():
        if option in set_options and model not in models:
            owner = " and ".join(f"'{name}'" for name in models)
            message = f"'{option}' is an option of {owner}, and the model is '{model}'."
            findings.append(Finding((*at, option), message, "Take it out."))
    simple = model == "mixed_model" and estimand.random == "intercept" and not estimand.variance_by_arm
    if plan.engine == "statsmodels" and model in either and is_score and not simple:
        message = "The statsmodels engine fits mixed models with random intercepts and one residual variance only."
        findings.append(Finding((*at, "model"), message, "Write 'model: mixed_model', or 'engine: peerimpact'."))
    return findings


def _unknown(key: tuple[str | int, ...], name: str, known: list[str]) -> list[Finding]:
    return [] if name in known else [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]


def _repeated(key: str, names: list[str]) -> list[Finding]:
    return [
        Finding((key,), f"'{name}' stands more than once.", "Keep one.")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]

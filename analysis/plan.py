"""The statistical analysis plan: sap.yaml as a validated model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from analysis.design import StudyDesign
from analysis.errors import AnalysisError
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
_CONTRAST = re.compile(r"^([a-z][a-z0-9_.-]*) - ([a-z][a-z0-9_.-]*)$")


class SmallestMeaningfulChange(StrictModel):
    """The smallest difference that people notice, in points, with the source that says so."""

    value: Annotated[Number, Field(gt=0)]
    source: Annotated[str, Field(min_length=3)]


class Outcome(StrictModel):
    """A measure that the plan asks about."""

    id: PlanId
    measure: PlanId
    role: Literal["primary", "secondary", "exploratory"]
    smallest_meaningful_change: SmallestMeaningfulChange | None = None


class Contrast(NamedTuple):
    """``a - b``: two arms of a comparison, or two timepoints of a single group."""

    first: str
    second: str


class Estimand(StrictModel):
    """One number that the plan asks for.

    ``contrast`` is ``arm - arm`` (compared at ``timepoint``) or, in a single group, ``timepoint - timepoint``.
    """

    id: PlanId
    outcome: PlanId
    contrast: Annotated[str, Field(pattern=_CONTRAST.pattern)]
    timepoint: PlanId
    model: Literal["mixed_model"] = "mixed_model"
    covariates: list[PlanId] = []
    df_method: Literal["between_within"] = "between_within"

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


class Plan(StrictModel):
    """A statistical analysis plan (`sap.yaml`)."""

    sap: Literal[1]
    population: Literal["intention_to_treat"] = "intention_to_treat"
    outcomes: Annotated[list[Outcome], Field(min_length=1)]
    estimands: Annotated[list[Estimand], Field(min_length=1)]
    families: list[Family] = []
    small_numbers: SmallNumbers = SmallNumbers()

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
    for index, estimand in enumerate(plan.estimands):
        at = ("estimands", index)
        if estimand.timepoint == design.baseline.id:
            advice = f"Name a later one: {', '.join(later)}." if later else "The study needs a second timepoint."
            findings.append(Finding((*at, "timepoint"), f"'{estimand.timepoint}' is the baseline.", advice))
            continue
        findings += _unknown((*at, "timepoint"), estimand.timepoint, later)
        for place, covariate in enumerate(estimand.covariates):
            findings += _unknown((*at, "covariates", place), covariate, [known.id for known in design.covariates])
        first, second = estimand.compared
        if design.kind == "single_group":
            expected = f"{estimand.timepoint} - {design.baseline.id}"
            if estimand.contrast != expected:
                findings.append(
                    Finding(
                        (*at, "contrast"),
                        f"Found '{estimand.contrast}'; a single group is compared with its own baseline.",
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


def _unknown(key: tuple[str | int, ...], name: str, known: list[str]) -> list[Finding]:
    return [] if name in known else [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]


def _repeated(key: str, names: list[str]) -> list[Finding]:
    return [
        Finding((key,), f"'{name}' stands more than once.", "Keep one.")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]

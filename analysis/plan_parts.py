"""Parts of the plan beside outcomes and estimands: of whom, how much matters, for whom, under which assumptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from data_contracts.documents import NAME_PATTERN, Code, Finding, FindingsError, StrictModel

PlanId = Annotated[str, Field(pattern=NAME_PATTERN)]
Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=False, allow_inf_nan=False, gt=0)]
Correlation = Annotated[float, Field(strict=False, gt=0, lt=1)]
Source = Annotated[str, Field(min_length=3)]
SHARES_SUM_WITHIN = 1e-9
Analysis = Literal[
    "completers",
    "jump_to_reference",
    "copy_reference",
    "copy_increments",
    "tipping_point",
    "multiple_imputation",
    "item_imputation",
    "unadjusted",
    "second_baseline",
    "permutation",
]
"""Other analyses of the same question that a plan may name."""


class SmallestMeaningfulChange(StrictModel):
    """The smallest difference that people notice, in points, with the source that says so."""

    value: Positive
    source: Source


class Population(StrictModel):
    """People of whom an estimand may be asked instead of all: who came often enough, or answered at timepoints.

    `attended_at_least` counts sessions and binds the arms that had any.
    """

    id: PlanId
    label: str = ""
    attended_at_least: Annotated[int, Field(ge=1)] | None = None
    answered: list[PlanId] = []

    @model_validator(mode="after")
    def _chooses_somebody(self) -> Population:
        if self.attended_at_least is None and not self.answered:
            advice = "Give 'attended_at_least: 4' (sessions), or 'answered: [baseline, post]'."
            raise FindingsError([Finding((), f"Population '{self.id}' is everybody.", advice)])
        return self


class ReliableChange(StrictModel):
    """How well scores agree when nothing changes: correlation of test and retest, and spread of the people tested."""

    retest_correlation: Correlation
    sd: Positive | None = None
    source: Source


class NaturalChange(StrictModel):
    """How people like these changed without any programme, over about the same time, in points."""

    mean: Number
    sd: Positive
    n: Annotated[int, Field(ge=10)]
    source: Source


class EntryReference(StrictModel):
    """Scores of the people to whom the entry rule was put, before anybody was chosen."""

    mean: Number
    sd: Positive
    retest_correlation: Correlation
    n: Annotated[int, Field(ge=4)]
    n_retest: Annotated[int, Field(ge=4)]
    source: Source


class Entry(StrictModel):
    """The score by which people came into the study; `step` is the distance of neighbouring scores (0: any number).

    Without a border nobody was chosen by one, and what is expected follows from the mean of those who came.
    """

    at_least: Number | None = None
    at_most: Number | None = None
    step: Annotated[float, Field(strict=False, ge=0)] = 0.0
    reference: EntryReference

    @model_validator(mode="after")
    def _one_border(self) -> Entry:
        if self.at_least is not None and self.at_most is not None:
            advice = "Write 'at_least: 10' or 'at_most: 4', or neither where no border decided."
            raise FindingsError([Finding((), "An entry rule has one border.", advice)])
        return self


class Margin(StrictModel):
    """The largest difference, in points, at which one way still counts as no worse than, or as good as, another."""

    value: Positive
    question: Literal["non_inferiority", "equivalence"]
    source: Source


class Family(StrictModel):
    """Estimands whose p-values are adjusted together; `after` opens it only when another family is decided.

    `weights` belong to ``fallback``: member -> share of the error rate.
    """

    id: PlanId
    members: Annotated[list[PlanId], Field(min_length=1)]
    adjust: Literal["none", "holm", "hochberg", "fixed_sequence", "fallback"]
    weights: dict[PlanId, Positive] = {}
    after: PlanId | None = None

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Family:
        advice = (
            "Give each member its share, in sum 1, with 'adjust: fallback' only: 'weights: {mood: 0.8, stigma: 0.2}'."
        )
        shares = abs(sum(self.weights.values()) - 1) < SHARES_SUM_WITHIN and set(self.weights) == set(self.members)
        if shares != (self.adjust == "fallback") or (self.weights and not shares):
            raise FindingsError([Finding(("weights",), "Weights and 'adjust' do not go together.", advice)])
        return self


class Subgroup(StrictModel):
    """A characteristic by which an estimand may differ, planned with the reason why."""

    id: PlanId
    estimand: PlanId
    covariate: PlanId
    reason: Source


class Mediation(StrictModel):
    """A way by which the programme may work: another outcome at an earlier timepoint. Always exploratory."""

    id: PlanId
    estimand: PlanId
    mediator: PlanId
    timepoint: PlanId


class ExposureResponse(StrictModel):
    """How the outcome of an estimand goes with the number of sessions that people of an arm came to."""

    id: PlanId
    estimand: PlanId
    arm: PlanId


class Compliers(StrictModel):
    """The estimand among people who come to so many sessions when, and only when, they are offered them."""

    id: PlanId
    estimand: PlanId
    attended_at_least: Annotated[int, Field(ge=1)]


class FormatComparison(StrictModel):
    """Online against in person within an arm: whether the first is no worse than, or as good as, the second."""

    id: PlanId
    outcome: PlanId
    arm: PlanId
    timepoint: PlanId
    covariates: list[PlanId] = []
    margin: Margin


class Harm(StrictModel):
    """An answer to one item, or an event of the study's events table, that is counted as possible harm."""

    id: PlanId
    label: str = ""
    instrument: PlanId | None = None
    item: Code | None = None
    at_least: Number | None = None
    event: PlanId | None = None

    @model_validator(mode="after")
    def _item_or_event(self) -> Harm:
        of_item = [part is not None for part in (self.instrument, self.item, self.at_least)]
        if (self.event is None) != all(of_item) or (self.event is not None and any(of_item)):
            advice = "Write 'instrument: phq-9', 'item: 9' and 'at_least: 1', or 'event: hospital'."
            raise FindingsError([Finding((), f"Harm '{self.id}' is neither an answer nor an event.", advice)])
        return self


class IntercurrentEvent(StrictModel):
    """An event after which answers mean something else, and how the estimands take it.

    ``treatment_policy`` takes answers as they are, ``hypothetical`` as if the event had not happened (answers from
    then on are missing); the others are for a sensitivity analysis: answers go on as those of the reference arm.
    """

    event: PlanId
    strategy: Literal["treatment_policy", "hypothetical"] = "treatment_policy"
    sensitivity: Literal["hypothetical", "jump_to_reference", "copy_reference", "copy_increments"] | None = None


class Delta(StrictModel):
    """Answers of people who left, but for the reference arm, are taken to be so many points worse than modelled."""

    delta: Number


Sensitivity = Analysis | Delta

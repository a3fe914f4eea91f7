"""The definition of an instrument: items, answers, measures, and where each fact about them comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from data_contracts.documents import NAME_PATTERN, Code, Finding, FindingsError, StrictModel
from instruments.consistency import find_contradictions

Id = Annotated[str, Field(pattern=NAME_PATTERN)]
ItemId = Annotated[Code, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Range = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Share = Annotated[float, Field(ge=0, le=1)]
LoincCode = Annotated[str, Field(pattern=r"^[0-9]{1,7}-[0-9]$")]
LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]

FactName = Literal[
    "items", "response_options", "reverse", "scoring", "missing_rule", "range", "direction", "recall", "licence",
    "citation", "population", "languages", "bands", "reliability", "smallest_change", "loinc",
]  # fmt: skip
SCORING_FACTS: Final[tuple[FactName, ...]] = (
    "items", "response_options", "reverse", "scoring", "missing_rule", "range", "direction",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """What an item may be answered with.

    Attributes
    ----------
    minimum, maximum : float
        Lowest and highest answer.
    options : tuple of int
        The values to choose from in ascending order; empty where any number from `minimum` to `maximum` is an answer.
    """

    minimum: float
    maximum: float
    options: tuple[int, ...] = ()

    def allows(self, answers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each answer whether it is allowed; a missing answer (NaN) is not."""
        if self.options:
            return np.isin(answers, self.options)
        return (answers >= self.minimum) & (answers <= self.maximum)

    def reverse(self, answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return minimum + maximum - answer; NaN stays NaN."""
        return self.minimum + self.maximum - answers


class Citation(StrictModel):
    """The publication to cite; `doi` is empty where none was seen."""

    text: Text
    doi: Annotated[str, Field(pattern=r"^(10\.[0-9]{4,9}/\S+)?$")] = ""


class Licence(StrictModel):
    """Who may use the instrument: `status` for machines, `terms` in words, `source` where it was read."""

    status: Literal[
        "public_domain", "free", "free_with_attribution", "free_non_commercial", "registration_required",
        "permission_needed", "restricted",
    ]  # fmt: skip
    terms: Text
    source: Text


class Option(StrictModel):
    """An answer that can be chosen; `label` is empty where the form or our source prints none."""

    value: int
    label: str = ""


class ResponseSet(StrictModel):
    """Answers to choose from (`options`), or any number between `minimum` and `maximum` (visual analogue)."""

    options: list[Option] = Field(default_factory=list)
    minimum: Finite | None = None
    maximum: Finite | None = None

    @model_validator(mode="after")
    def _options_or_range(self) -> ResponseSet:
        ends = (self.minimum, self.maximum)
        values = [option.value for option in self.options]
        if bool(values) == (ends != (None, None)) or (not values and None in ends):
            _refuse((), "A response set has either options or a range.", "Give 'options', or 'minimum' and 'maximum'.")
        if values and (len(values) < 2 or values != sorted(set(values))):
            _refuse(("options",), "The values of the options do not ascend.", "List two options or more, lowest first.")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            _refuse(("maximum",), "The maximum is not above the minimum.", "Write the lower end as 'minimum'.")
        return self

    @property
    def allowed(self) -> AllowedValues:
        """The answers as numbers."""
        values = tuple(option.value for option in self.options)
        low, high = (values[0], values[-1]) if values else (self.minimum, self.maximum)
        assert low is not None and high is not None  # noqa: S101, PT018 - the validator holds them together
        return AllowedValues(float(low), float(high), values)


class Safety(StrictModel):
    """An answer (before any reversal) of `at_least` asks for a person to act."""

    at_least: int
    note: Text


class Item(StrictModel):
    """A question, named by our own `concept` of one to four words; its wording is never kept."""

    id: ItemId
    concept: Text
    response_set: Id
    reverse: bool = False
    safety: Safety | None = None


class Missing(StrictModel):
    """How many answers of a measure may be missing; `prorate` lets the mean of the others stand for them."""

    max_missing: Annotated[int, Field(ge=0)]
    treat: Literal["prorate", "none"]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Missing:
        if (self.max_missing > 0) != (self.treat == "prorate"):
            _refuse(("treat",), f"Found '{self.treat}' where {self.max_missing} answers may be missing.",
                    "Write 'prorate' when answers may be missing, and 'none' when none may.")  # fmt: skip
        return self


class Band(StrictModel):
    """Scores from `low` to `high`, both included, and what `source` calls them."""

    low: Finite
    high: Finite
    label: Text
    source: Text


def _all_or_ids(value: object) -> object:
    if value == "all" or (isinstance(value, list) and value):
        return value
    raise FindingsError([Finding((), "The items of a measure are not listed.", "Write 'all', or a list: [1, 2].")])


class Measure(StrictModel):
    """A score: `method` over `items` after reversal, times `multiply`; `concept` is written for use in sentences."""

    id: Id
    label: Text
    concept: Annotated[str, Field(min_length=1)]
    items: Annotated[Literal["all"] | list[ItemId], BeforeValidator(_all_or_ids)]
    method: Literal["sum", "mean"]
    multiply: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    missing: Missing
    range: Range
    higher_is: Literal["better", "worse"]
    bands: list[Band] = Field(default_factory=list)


class Reliability(StrictModel):
    """Reliability published for a sample; `lowest` equals `highest` where one value is given."""

    statistic: Literal["cronbach_alpha", "test_retest_correlation", "intraclass_correlation"]
    lowest: Share
    highest: Share
    sample: Text
    source: Text


class SmallestChange(StrictModel):
    """The smallest change of a measure, in points, that people notice or that exceeds measurement error."""

    measure: Id
    kind: Literal["minimal_important_difference", "reliable_change"]
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    population: str = ""
    source: Text


class Loinc(StrictModel):
    """LOINC codes of the panel, of measures (by measure id) and of items (by item id)."""

    panel: LoincCode | None = None
    measures: dict[Id, LoincCode] = Field(default_factory=dict)
    items: dict[str, LoincCode] = Field(default_factory=dict)


class Fact(StrictModel):
    """Whether a fact was seen in a source, which is named, or stands from memory."""

    status: Literal["confirmed", "unconfirmed"]
    source: Text


class Instrument(StrictModel):
    """An instrument as its YAML file defines it; unknown text is empty.

    A definition that contradicts itself cannot be built: every reference, range and band is checked, and every fact
    has an entry in `facts`.
    """

    id: Id
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    name: Text
    short_name: Text
    construct_name: Text
    domain: Literal[
        "stigma", "self_efficacy", "mental_health", "adherence", "social", "self_esteem", "quality_of_life",
        "caregiving", "condition_specific",
    ]  # fmt: skip
    citation: Citation
    licence: Licence
    languages: list[LanguageTag] = Field(default_factory=list)
    recall_period: str = ""
    population: str = ""
    response_sets: Annotated[dict[Id, ResponseSet], Field(min_length=1)]
    items: Annotated[list[Item], Field(min_length=1)]
    measures: Annotated[list[Measure], Field(min_length=1)]
    reliability: list[Reliability] = Field(default_factory=list)
    smallest_change: list[SmallestChange] = Field(default_factory=list)
    loinc: Loinc | None = None
    facts: dict[FactName, Fact]
    notes: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _holds_together(self) -> Instrument:
        findings = find_contradictions(self)
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def measure_ids(self) -> tuple[str, ...]:
        """Ids as tables and plans name them, such as ``ces-d.total``."""
        return tuple(f"{self.id}.{measure.id}" for measure in self.measures)

    @property
    def unconfirmed_scoring_facts(self) -> tuple[FactName, ...]:
        """Facts that a score depends on and that no source has confirmed yet."""
        return tuple(name for name in SCORING_FACTS if self.facts[name].status == "unconfirmed")

    @property
    def is_draft(self) -> bool:
        """True while any fact that a score depends on is unconfirmed."""
        return bool(self.unconfirmed_scoring_facts)

    def allowed_values(self, item_id: str) -> AllowedValues:
        """Return what an item may be answered with; `KeyError` for an unknown item."""
        response_sets = {item.id: item.response_set for item in self.items}
        return self.response_sets[response_sets[item_id]].allowed

    def items_of(self, measure: Measure) -> tuple[Item, ...]:
        """Return the items of a measure, in the instrument's order."""
        return tuple(item for item in self.items if measure.items == "all" or item.id in measure.items)


def _refuse(key: tuple[str | int, ...], message: str, how_to_fix: str) -> None:
    raise FindingsError([Finding(key, message, how_to_fix)])

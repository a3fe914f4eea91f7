"""The parts of a definition: answers, items, measures, and the evidence about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from data_contracts.documents import NAME_PATTERN, Code, Finding, FindingsError, StrictModel
from data_contracts.telling import tell

Id = Annotated[str, Field(pattern=NAME_PATTERN)]
ItemId = Annotated[Code, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
MeasureId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Range = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Share = Annotated[float, Field(ge=0, le=1)]
LoincCode = Annotated[str, Field(pattern=r"^[0-9]{1,7}-[0-9]$")]
LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
Status = Literal["confirmed", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class AllowedValues:
    """What an item may be answered with, and what an answer counts.

    Attributes
    ----------
    minimum, maximum : float
        Lowest and highest answer.
    options : tuple of int
        The values to choose from in ascending order; empty where any number from `minimum` to `maximum` is an answer.
    scores : tuple of float
        What each option counts, before any reversal; empty where there are no options.
    """

    minimum: float
    maximum: float
    options: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def lowest_score(self) -> float:
        """The least that an answer counts."""
        return min(self.scores) if self.scores else self.minimum

    @property
    def highest_score(self) -> float:
        """The most that an answer counts."""
        return max(self.scores) if self.scores else self.maximum

    def allows(self, answers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each answer whether it is allowed; a missing answer (NaN) is not."""
        if self.options:
            return np.isin(answers, self.options)
        return (answers >= self.minimum) & (answers <= self.maximum)

    def score(self, answers: NDArray[np.float64], *, reverse: bool = False) -> NDArray[np.float64]:
        """Return what allowed answers count: reversed, `lowest_score` + `highest_score` - score; NaN stays NaN."""
        scores = answers
        if self.scores != tuple(map(float, self.options)):
            places = np.searchsorted(self.options, np.nan_to_num(answers, nan=self.options[0]))
            scores = np.where(np.isnan(answers), np.nan, np.asarray(self.scores)[places])
        return self.lowest_score + self.highest_score - scores if reverse else scores


class Citation(StrictModel):
    """The publication to cite; `doi` is empty where none was seen."""

    text: Text
    doi: Annotated[str, Field(pattern=r"^(10\.[0-9]{4,9}/\S+)?$")] = ""


_LICENCES: Final = {
    "public_domain": tell("public domain"),
    "free": tell("free to use"),
    "free_with_attribution": tell("free with attribution"),
    "free_non_commercial": tell("free for non-commercial use"),
    "registration_required": tell("registration required"),
    "permission_needed": tell("permission needed"),
    "restricted": tell("restricted"),
    "unknown": tell("not known"),
}


class Licence(StrictModel):
    """Who may use the instrument: `status` for machines, `terms` in words, `source` where it was read.

    `contact` says whom to ask, or where to go; empty where nobody needs to be asked, or nobody is known.
    """

    status: Literal[
        "public_domain", "free", "free_with_attribution", "free_non_commercial", "registration_required",
        "permission_needed", "restricted", "unknown",
    ]  # fmt: skip
    terms: Text
    source: Text
    contact: str = ""

    @property
    def in_words(self) -> str:
        """The status as people say it."""
        return _LICENCES[self.status]


class Option(StrictModel):
    """An answer that can be chosen.

    `label` is empty where the form or our source prints none. `score` is what the answer counts where that is not its
    value.
    """

    value: int
    label: str = ""
    score: Finite | None = None


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
            refuse((), "A response set has either options or a range.", "Give 'options', or 'minimum' and 'maximum'.")
        if values and (len(values) < 2 or values != sorted(set(values))):
            refuse(("options",), "The values of the options do not ascend.", "List two options or more, lowest first.")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            refuse(("maximum",), "The maximum is not above the minimum.", "Write the lower end as 'minimum'.")
        return self

    @property
    def allowed(self) -> AllowedValues:
        """The answers as numbers."""
        values = tuple(option.value for option in self.options)
        scores = tuple(float(one.value if one.score is None else one.score) for one in self.options)
        low, high = (values[0], values[-1]) if values else (self.minimum, self.maximum)
        assert low is not None and high is not None  # noqa: S101, PT018 - the validator holds them together
        return AllowedValues(float(low), float(high), values, scores)


class Safety(StrictModel):
    """An answer that counts `at_least` this much, before any reversal, asks for a person to act."""

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
    """How many answers of a measure may be missing, and what stands for them.

    `prorate` lets the mean of the answered items stand for the missing ones; `zero` lets a missing answer count as 0.
    """

    max_missing: Annotated[int, Field(ge=0)] = 0
    treat: Literal["prorate", "zero", "none"] = "none"

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Missing:
        if (self.max_missing > 0) != (self.treat != "none"):
            refuse(("treat",), f"Found '{self.treat}' where {self.max_missing} answers may be missing.",
                   "Write 'prorate' or 'zero' when answers may be missing, and 'none' when none may.")  # fmt: skip
        return self


class Band(StrictModel):
    """Scores from `low` to `high`, both included, and what `source` calls them."""

    low: Finite
    high: Finite
    label: Text
    source: Text


class Step(StrictModel):
    """A row of a lookup table: the `score` that a sum of answers (`raw`) stands for."""

    raw: int
    score: Finite


def _all_or_ids(value: object) -> object:
    if value == "all" or (isinstance(value, list) and value):
        return value
    raise FindingsError([Finding((), "The items of a measure are not listed.", "Write 'all', or a list: [1, 2].")])


class Measure(StrictModel):
    """A score: `method` over `items` after scoring each answer, times `multiply`, plus `add`, or looked up in `lookup`.

    `concept` is written for use in sentences. A measure by the method `delivered` has no items: others compute it, and
    a study may deliver it.
    """

    id: MeasureId
    label: Text
    concept: Text
    items: Annotated[Literal["all"] | list[ItemId], BeforeValidator(_all_or_ids)] = "all"
    method: Literal["sum", "mean", "delivered"]
    multiply: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    add: Finite = 0.0
    lookup: list[Step] = Field(default_factory=list)
    missing: Missing = Missing()
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

    status: Status
    source: Text


class MeasureChange(StrictModel):
    """What a variant changes of a measure; what is not given stays as it is."""

    label: Text | None = None
    multiply: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    add: Finite | None = None
    missing: Missing | None = None
    range: Range | None = None
    bands: list[Band] | None = None


class Variant(StrictModel):
    """Another form of the instrument that is in use: other codes, another order of items, another rule for missing.

    Attributes
    ----------
    kind : str
        ``coding`` (`response_sets`, and what of `measures` follows), ``item_order`` (`order`), or ``missing_rule``.
    order : list of item ids
        For ``item_order``: the items of this definition in the order in which the variant prints them. Item 1 of the
        variant is the first of them, and so on.
    """

    id: Id
    kind: Literal["coding", "item_order", "missing_rule"]
    label: Text
    response_sets: dict[Id, ResponseSet] = Field(default_factory=dict)
    order: list[ItemId] = Field(default_factory=list)
    measures: dict[Id, MeasureChange] = Field(default_factory=dict)
    status: Status
    source: Text


class Example(StrictModel):
    """Answers in item order (null where missing), and the scores that follow, worked out by hand or published.

    `scores` holds some or all measures; null where the rule gives no score. `variants` are applied first.
    """

    answers: Annotated[list[Finite | None], Field(min_length=1)]
    scores: Annotated[dict[Id, Finite | None], Field(min_length=1)]
    variants: list[Id] = Field(default_factory=list)
    source: Text


def refuse(key: tuple[str | int, ...], message: str, how_to_fix: str) -> None:
    """Refuse a value from inside a model validator; `key` is relative to that model."""
    raise FindingsError([Finding(key, message, how_to_fix)])

"""The definition of an instrument: items, answers, measures, and where each fact about them comes from."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from data_contracts.documents import FindingsError, StrictModel
from instruments.consistency import find_contradictions
from instruments.parts import (
    AllowedValues,
    Citation,
    Example,
    Fact,
    Id,
    Item,
    LanguageTag,
    Licence,
    Loinc,
    Measure,
    Reliability,
    ResponseSet,
    SmallestChange,
    Text,
    Variant,
)

Version = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
FactName = Literal[
    "items", "response_options", "reverse", "scoring", "lookup", "missing_rule", "range", "direction", "recall",
    "licence", "citation", "population", "languages", "bands", "reliability", "smallest_change", "loinc", "variant",
]  # fmt: skip
SCORING_FACTS: Final[tuple[FactName, ...]] = (
    "items", "response_options", "reverse", "scoring", "lookup", "missing_rule", "range", "direction", "variant",
)  # fmt: skip


class Instrument(StrictModel):
    """An instrument as its YAML file defines it; unknown text is empty.

    A definition that contradicts itself cannot be built: every reference, range and band is checked, and every fact
    has an entry in `facts`. An instrument whose scoring may not be published has neither items nor response sets, and
    only measures by the method ``delivered``.

    Attributes
    ----------
    aliases : list of str
        Other names under which people look for it.
    max_missing : int, optional
        More missing answers among all items than this leave no score at all.
    variants : list of Variant
        Other forms in use; `instruments.apply_variants` makes the instrument of them.
    examples : list of Example
        Worked examples, which the tests run.
    changes : dict
        What each version changed; the last is `version`.
    """

    id: Id
    version: Version
    changes: Annotated[dict[Version, Text], Field(min_length=1)]
    name: Text
    short_name: Text
    aliases: list[Text] = Field(default_factory=list)
    construct_name: Text
    domain: Literal[
        "stigma", "self_efficacy", "resilience", "self_esteem", "mental_health", "adherence", "social",
        "quality_of_life", "caregiving", "recovery", "condition_specific",
    ]  # fmt: skip
    citation: Citation
    licence: Licence
    languages: list[LanguageTag] = Field(default_factory=list)
    recall_period: str = ""
    population: str = ""
    response_sets: dict[Id, ResponseSet] = Field(default_factory=dict)
    items: list[Item] = Field(default_factory=list)
    max_missing: Annotated[int, Field(ge=0)] | None = None
    measures: Annotated[list[Measure], Field(min_length=1)]
    variants: list[Variant] = Field(default_factory=list)
    reliability: list[Reliability] = Field(default_factory=list)
    smallest_change: list[SmallestChange] = Field(default_factory=list)
    loinc: Loinc | None = None
    examples: list[Example] = Field(default_factory=list)
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
    def scored_measures(self) -> tuple[Measure, ...]:
        """The measures that are computed from items."""
        return tuple(measure for measure in self.measures if measure.method != "delivered")

    @property
    def unconfirmed_scoring_facts(self) -> tuple[FactName, ...]:
        """Facts that a score depends on and that no source has confirmed yet."""
        return tuple(name for name in SCORING_FACTS if name in self.facts and self.facts[name].status == "unconfirmed")

    @property
    def is_draft(self) -> bool:
        """True while any fact that a score depends on is unconfirmed."""
        return bool(self.unconfirmed_scoring_facts)

    def allowed_values(self, item_id: str) -> AllowedValues:
        """Return what an item may be answered with; `KeyError` for an unknown item."""
        response_sets = {item.id: item.response_set for item in self.items}
        return self.response_sets[response_sets[item_id]].allowed

    def alarming_answers(self, item: Item) -> str:
        """Return the answers to an item that ask for a person to act, as they stand in the data; empty without any."""
        if item.safety is None:
            return ""
        allowed, limit = self.response_sets[item.response_set].allowed, item.safety.at_least
        if not allowed.options:
            return f"{limit:g} or more"
        return ", ".join(
            str(value) for value, score in zip(allowed.options, allowed.scores, strict=True) if score >= limit
        )

    def items_of(self, measure: Measure) -> tuple[Item, ...]:
        """Return the items of a measure, in the instrument's order; none of a measure that is only delivered."""
        if measure.method == "delivered":
            return ()
        return tuple(item for item in self.items if measure.items == "all" or item.id in measure.items)

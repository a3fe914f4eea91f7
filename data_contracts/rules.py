"""Rules of a data contract: what is counted, of which values, and how many of it there may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, model_validator

from data_contracts.documents import NAME_PATTERN, Finding, FindingsError, KeyPath, StrictModel

Severity = Literal["error", "warning", "info"]
LogicalType = Literal["string", "integer", "number", "boolean"]
RuleName = Annotated[str, Field(pattern=NAME_PATTERN)]
OWN: Final = "study"
"""The tag of what a study adds to a contract."""
RESERVED: Final = ("columns", "not_missing")
"""Names of the checks that every contract has without declaring them."""
_OPERATORS: Final = (
    "mustBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween",
)  # fmt: skip


def _one_value(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise ValueError("write one text, number, true or false")  # noqa: TRY004 - pydantic tells ValueErrors
    return value


Values = list[Annotated[str | int | float | bool, PlainValidator(_one_value)]]


class ValidValues(StrictModel):
    """Values allowed by the study: a `parameter`, and where it differs by row the column it goes `per`."""

    parameter: RuleName
    per: str | None = None


def _of_list(value: object) -> str:
    return "[parameter]" if isinstance(value, dict | ValidValues) else "[values]"


def _of_text(value: object) -> str:
    return "[condition]" if isinstance(value, dict | Condition) else "[text]"


Parameter = Annotated[ValidValues, Tag("[parameter]")]


class Arguments(StrictModel):
    """What a rule is held against: values, the ends of a range (both allowed), a pattern, or columns."""

    validValues: (  # noqa: N815 - key of the standard
        Annotated[Annotated[Values, Field(min_length=1), Tag("[values]")] | Parameter, Discriminator(_of_list)] | None
    ) = None
    validRange: (  # noqa: N815
        Annotated[
            Annotated[list[float], Field(min_length=2, max_length=2), Tag("[values]")] | Parameter,
            Discriminator(_of_list),
        ]
        | None
    ) = None
    pattern: str | None = None
    properties: Annotated[list[str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _can_be_held_against(self) -> Arguments:
        if isinstance(self.validRange, list):
            low, high = self.validRange
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise FindingsError(
                    [Finding(("validRange",), f"Found [{low:g}, {high:g}].", "Write [lowest, highest].")]
                )
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise FindingsError(
                    [Finding(("pattern",), f"This is no regular expression: {error.msg}.", "Correct the pattern.")]
                ) from None
        return self


class Condition(StrictModel):
    """Rows that a rule is about: those where a property has one of some values."""

    property: str
    validValues: Annotated[Values, Field(min_length=1)]  # noqa: N815


class CustomProperty(StrictModel):
    """What the standard has no key for: advice (`howToFix`), and to which rows a rule applies (`appliesWhere`)."""

    property: Literal["howToFix", "appliesWhere"]
    value: Annotated[Annotated[str, Tag("[text]")] | Annotated[Condition, Tag("[condition]")], Discriminator(_of_text)]

    @model_validator(mode="after")
    def _holds_its_kind(self) -> CustomProperty:
        if (self.property == "appliesWhere") is isinstance(self.value, str):
            advice = "howToFix is text; appliesWhere is {property: column, validValues: [...]}."
            raise FindingsError([Finding(("value",), f"{self.property} cannot be this.", advice)])
        return self


class Rule(StrictModel):
    """One check of a table or of a property (ODCS `quality` of type `library`)."""

    name: RuleName
    description: Annotated[str, Field(min_length=5)]
    type: Literal["library"] = "library"
    metric: Literal["nullValues", "invalidValues", "duplicateValues", "rowCount"]
    arguments: Arguments = Arguments()
    mustBe: float | None = None  # noqa: N815
    mustBeGreaterThan: float | None = None  # noqa: N815
    mustBeGreaterOrEqualTo: float | None = None  # noqa: N815
    mustBeLessThan: float | None = None  # noqa: N815
    mustBeLessOrEqualTo: float | None = None  # noqa: N815
    mustBeBetween: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None  # noqa: N815
    unit: Literal["rows", "percent"] = "rows"
    severity: Severity = "error"
    dimension: (
        Literal["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"] | None
    ) = None
    businessImpact: str | None = None  # noqa: N815
    tags: list[str] = []
    customProperties: list[CustomProperty] = []  # noqa: N815

    @property
    def how_to_fix(self) -> str:
        """What to do about a row or cell that breaks the rule."""
        told = (custom.value for custom in self.customProperties if isinstance(custom.value, str))
        return next(told, "Correct the table.")

    @property
    def condition(self) -> Condition | None:
        """Rows that the rule is about; None for all."""
        return next((one.value for one in self.customProperties if isinstance(one.value, Condition)), None)

    @property
    def parameter(self) -> ValidValues | None:
        """The parameter that the rule needs, if it needs one."""
        given = (self.arguments.validValues, self.arguments.validRange)
        return next((value for value in given if isinstance(value, ValidValues)), None)

    @property
    def is_own(self) -> bool:
        """Whether the study added the rule."""
        return OWN in self.tags

    @property
    def is_about_rows(self) -> bool:
        """Whether every row has to obey; otherwise the rule bounds a number of rows, and no row by itself breaks it."""
        return self.metric != "rowCount" and self.mustBe == 0

    @property
    def operator(self) -> tuple[str, float | list[float]]:
        """The one comparison of the rule, with its key in the standard."""
        return next((key, value) for key in _OPERATORS if (value := getattr(self, key)) is not None)

    def allows(self, found: int, whole: int) -> bool:
        """Tell whether `found` rows of `whole` are within the bound; the share of nothing is zero."""
        number = found if self.unit == "rows" else 100 * found / whole if whole else 0.0
        key, bound = self.operator
        if isinstance(bound, list):
            return bound[0] <= number <= bound[1]
        return {
            "mustBe": number == bound,
            "mustBeGreaterThan": number > bound,
            "mustBeGreaterOrEqualTo": number >= bound,
            "mustBeLessThan": number < bound,
            "mustBeLessOrEqualTo": number <= bound,
        }[key]

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Rule:
        findings = [*_arguments_needed(self), *_bound_needed(self)]
        if self.condition is not None and self.metric in ("duplicateValues", "rowCount"):
            advice = "Use it with nullValues or invalidValues."
            findings.append(Finding(("customProperties",), f"{self.metric} cannot have appliesWhere.", advice))
        if sum(isinstance(one.value, Condition) for one in self.customProperties) > 1:
            findings.append(Finding(("customProperties",), "appliesWhere stands twice.", "Keep one of the two."))
        if self.name in RESERVED:
            findings.append(Finding(("name",), f"'{self.name}' is the name of a check of every table.", "Rename it."))
        if findings:
            raise FindingsError(findings)
        return self


def values_of(arguments: Arguments) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the key and value of everything that a column is compared with."""
    for key, values in (("validValues", arguments.validValues), ("validRange", arguments.validRange)):
        if isinstance(values, list):
            yield from (((key, place), value) for place, value in enumerate(values))


def _arguments_needed(rule: Rule) -> Iterator[Finding]:
    given = {name for name in Arguments.model_fields if getattr(rule.arguments, name) is not None}
    allowed: dict[str, list[set[str]]] = {
        "nullValues": [set()],
        "rowCount": [set()],
        "duplicateValues": [set(), {"properties"}],
        "invalidValues": [{"validValues"}, {"validRange"}, {"pattern"}],
    }
    if given not in allowed[rule.metric]:
        one = " or ".join(" ".join(names) for names in allowed[rule.metric] if names)
        advice = f"Give exactly one of {one}." if one else "Leave 'arguments' out."
        found = ", ".join(sorted(given)) or "no arguments"
        yield Finding(("arguments",), f"Metric {rule.metric} cannot be checked with {found}.", advice)


def _bound_needed(rule: Rule) -> Iterator[Finding]:
    given = [key for key in _OPERATORS if getattr(rule, key) is not None]
    if len(given) != 1:
        yield Finding((), f"Found {len(given)} comparisons.", f"Give exactly one of {', '.join(_OPERATORS)}.")
        return
    counts_breaches = rule.metric != "rowCount"
    if counts_breaches and given[0] not in ("mustBe", "mustBeLessThan", "mustBeLessOrEqualTo"):
        advice = "Use mustBe: 0, mustBeLessThan or mustBeLessOrEqualTo."
        yield Finding((given[0],), f"{rule.metric} counts rows that are wrong.", advice)
    if counts_breaches and rule.mustBe not in (None, 0):
        yield Finding(("mustBe",), f"{rule.metric} counts rows that are wrong.", "Write mustBe: 0.")
    if not counts_breaches and rule.unit == "percent":
        yield Finding(("unit",), "The number of rows is no share.", "Leave 'unit' out.")
    ends = rule.mustBeBetween
    if ends is not None and ends[0] > ends[1]:
        yield Finding(("mustBeBetween",), "The first number is the larger one.", "Write [smallest, largest].")

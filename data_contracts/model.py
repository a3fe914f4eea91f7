"""Data contracts: what a table must look like, as YAML with the keys of the Open Data Contract Standard."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from data_contracts.documents import NAME_PATTERN, Finding, FindingsError, StrictModel, load_document
from data_contracts.errors import choose_from

Severity = Literal["error", "warning"]
RuleName = Annotated[str, Field(pattern=NAME_PATTERN)]
DTYPES: Final = {"string": "str", "integer": "int64", "number": "float64", "boolean": "bool"}


class ValidValues(StrictModel):
    """Values allowed by the study: a `parameter`, and where it differs by row the column it goes `per`."""

    parameter: RuleName
    per: str | None = None


class Arguments(StrictModel):
    """What a rule is held against: a list or parameter of values, a range parameter, a pattern, or columns."""

    validValues: list[str] | ValidValues | None = None  # noqa: N815 - key of the standard
    validRange: ValidValues | None = None  # noqa: N815
    pattern: str | None = None
    properties: list[str] | None = None


class CustomProperty(StrictModel):
    """Advice that the standard has no key for."""

    property: Literal["howToFix"]
    value: str


class Rule(StrictModel):
    """One check of a table or of a property (ODCS `quality`)."""

    name: RuleName
    description: Annotated[str, Field(min_length=5)]
    metric: Literal["nullValues", "invalidValues", "duplicateValues", "rowCount"]
    arguments: Arguments = Arguments()
    mustBe: Literal[0] | None = None  # noqa: N815
    mustBeGreaterOrEqualTo: int | None = None  # noqa: N815
    severity: Severity = "error"
    customProperties: list[CustomProperty] = []  # noqa: N815

    @property
    def how_to_fix(self) -> str:
        """What to do about a row or cell that breaks the rule."""
        return next((custom.value for custom in self.customProperties), "Correct the table.")

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Rule:
        given = {name for name in Arguments.model_fields if getattr(self.arguments, name) is not None}
        needed: dict[str, set[frozenset[str]]] = {
            "nullValues": {frozenset()},
            "rowCount": {frozenset()},
            "duplicateValues": {frozenset({"properties"})},
            "invalidValues": {frozenset({"validValues"}), frozenset({"validRange"}), frozenset({"pattern"})},
        }
        bound = self.mustBeGreaterOrEqualTo if self.metric == "rowCount" else self.mustBe
        if frozenset(given) not in needed[self.metric] or bound is None:
            raise FindingsError(
                [
                    Finding(
                        ("arguments",),
                        f"Metric {self.metric} cannot be checked with {sorted(given)}.",
                        "Give its one argument, and 'mustBe: 0' (rowCount: mustBeGreaterOrEqualTo).",
                    )
                ]
            )
        return self


class Property(StrictModel):
    """A column: its type, whether it may be missing, and its rules."""

    name: str
    logicalType: Literal["string", "integer", "number", "boolean"]  # noqa: N815
    description: str = ""
    required: bool = False
    quality: list[Rule] = []


class Table(StrictModel):
    """A table (ODCS schema object); the contract of `participants` is open to the study's covariates."""

    name: RuleName
    logicalType: Literal["object"]  # noqa: N815
    description: str
    additionalProperties: bool = False  # noqa: N815
    properties: Annotated[list[Property], Field(min_length=1)]
    quality: list[Rule] = []

    @model_validator(mode="after")
    def _rules_refer_to_columns(self) -> Table:
        names = [column.name for column in self.properties]
        findings = []
        for index, rule in enumerate(self.quality):
            for place, column in enumerate(rule.arguments.properties or []):
                if column not in names:
                    findings.append(
                        Finding(
                            ("quality", index, "arguments", "properties", place),
                            f"Found '{column}', which is not a property.",
                            choose_from(column, names),
                        )
                    )
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def dtypes(self) -> dict[str, str]:
        """Column -> pandas dtype."""
        return {column.name: DTYPES[column.logicalType] for column in self.properties}


class Contract(StrictModel):
    """A data contract with exactly one table."""

    apiVersion: Literal["v3.1.0"]  # noqa: N815
    kind: Literal["DataContract"]
    id: RuleName
    version: str
    status: Literal["active", "draft", "deprecated"]
    tables: Annotated[list[Table], Field(min_length=1, max_length=1, alias="schema")]

    @property
    def table(self) -> Table:
        """The table that the contract is about."""
        return self.tables[0]


def load_contract(path: Path) -> Contract:
    """Load one contract; raises `DataContractError` with file, line and key."""
    return load_document(path, Contract).value


@cache
def shipped_contract(name: str) -> Contract:
    """Return the contract of one of the project's own tables."""
    with resources.as_file(resources.files("data_contracts") / "contracts" / f"{name}.yaml") as path:
        return load_contract(path)


def shipped_contract_names() -> tuple[str, ...]:
    """Return the names of all shipped contracts, sorted."""
    folder = resources.files("data_contracts") / "contracts"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))

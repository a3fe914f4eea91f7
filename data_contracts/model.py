"""Data contracts: what a table must look like, as YAML with the keys of the Open Data Contract Standard 3.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from data_contracts.documents import Finding, FindingsError, KeyPath, StrictModel, load_document
from data_contracts.errors import choose_from
from data_contracts.rules import OWN, LogicalType, Rule, RuleName, values_of

DTYPES: Final = {"string": "str", "integer": "int64", "number": "float64", "boolean": "bool"}
_TYPES: Final[dict[LogicalType, tuple[type, ...]]] = {
    "string": (str,), "integer": (int, float), "number": (int, float), "boolean": (bool,),
}  # fmt: skip


class Property(StrictModel):
    """A column: its type, whether it may be missing, and its rules."""

    name: str
    logicalType: LogicalType  # noqa: N815
    description: str = ""
    required: bool = False
    tags: list[str] = []
    quality: list[Rule] = []

    @property
    def is_own(self) -> bool:
        """Whether the study added the column."""
        return OWN in self.tags


class OpenTable(StrictModel):
    """Says that a table may have more columns than its contract names."""

    property: Literal["additionalProperties"]
    value: Literal[True]


class Table(StrictModel):
    """A table (ODCS schema object); the contract of `participants` is open to the study's covariates."""

    name: RuleName
    logicalType: Literal["object"]  # noqa: N815
    description: str
    tags: list[str] = []
    properties: Annotated[list[Property], Field(min_length=1)]
    quality: list[Rule] = []
    customProperties: list[OpenTable] = []  # noqa: N815

    @model_validator(mode="after")
    def _rules_refer_to_columns(self) -> Table:
        findings = [*_misplaced_rules(self), *_repeated_names(self)]
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def is_open(self) -> bool:
        """Whether there may be columns that the contract does not name."""
        return bool(self.customProperties)

    @property
    def dtypes(self) -> dict[str, str]:
        """Column -> pandas dtype."""
        return {column.name: DTYPES[column.logicalType] for column in self.properties}

    @property
    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Column (empty for the whole table) and rule, in the order of the contract."""
        return (
            *(("", rule) for rule in self.quality),
            *((column.name, rule) for column in self.properties for rule in column.quality),
        )


class Purpose(StrictModel):
    """What a contract is for, in words."""

    purpose: str = ""
    usage: str = ""
    limitations: str = ""


class Contract(StrictModel):
    """A data contract with exactly one table."""

    apiVersion: Literal["v3.1.0"]  # noqa: N815
    kind: Literal["DataContract"]
    id: RuleName
    name: str | None = None
    version: str
    status: Literal["active", "draft", "deprecated"]
    description: Purpose | None = None
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


def find_table_faults(rule: Rule, types: Mapping[str, LogicalType], at: KeyPath) -> Iterator[Finding]:
    """Yield what is wrong with a rule about a whole table, whose columns have `types`."""
    if rule.metric != "rowCount" and rule.arguments.properties is None:
        advice = "Move it to the 'quality' of a property, or give 'arguments: {properties: [...]}'."
        yield Finding(at, f"{rule.name} is about a column.", advice)
    for place, name in enumerate(rule.arguments.properties or []):
        if name not in types:
            key = (*at, "arguments", "properties", place)
            yield Finding(key, f"Found '{name}', which is not a property.", choose_from(name, types))


def find_column_faults(
    rule: Rule, logical_type: LogicalType, types: Mapping[str, LogicalType], at: KeyPath
) -> Iterator[Finding]:
    """Yield what is wrong with a rule about a column of a type, in a table whose columns have `types`."""
    if rule.metric == "rowCount" or rule.arguments.properties is not None:
        yield Finding(at, f"{rule.name} is about the whole table.", "Move it to the 'quality' of the table.")
    key: KeyPath = (*at, "arguments")
    if rule.arguments.pattern is not None and logical_type != "string":
        yield Finding((*key, "pattern"), f"Found a pattern for a column of type {logical_type}.", "Use validRange.")
    if rule.arguments.validRange is not None and logical_type not in ("number", "integer"):
        yield Finding((*key, "validRange"), f"Found a range for a column of type {logical_type}.", "Use validValues.")
    for place, value in values_of(rule.arguments):
        if not is_of_type(value, logical_type):
            advice = "Put it in quotes." if logical_type == "string" else f"Write a {logical_type}."
            yield Finding((*key, *place), f"Found {value!r} for a column of type {logical_type}.", advice)
    yield from _condition_faults(rule, types, at)


def is_of_type(value: Any, logical_type: LogicalType) -> bool:
    """Tell whether a value of a document can be found in a column of a type; true and false are no numbers."""
    return isinstance(value, _TYPES[logical_type]) and isinstance(value, bool) is (logical_type == "boolean")


def _condition_faults(rule: Rule, types: Mapping[str, LogicalType], at: KeyPath) -> Iterator[Finding]:
    for place, custom in enumerate(rule.customProperties):
        if isinstance(custom.value, str):
            continue
        key, name = (*at, "customProperties", place, "value"), custom.value.property
        if name not in types:
            yield Finding((*key, "property"), f"Found '{name}', which is not a property.", choose_from(name, types))
        elif not all(is_of_type(value, types[name]) for value in custom.value.validValues):
            advice = f"'{name}' is of type {types[name]}; write such values."
            yield Finding((*key, "validValues"), "Found a value of another type.", advice)


def _misplaced_rules(table: Table) -> Iterator[Finding]:
    types = {column.name: column.logicalType for column in table.properties}
    for index, rule in enumerate(table.quality):
        yield from find_table_faults(rule, types, ("quality", index))
    for number, column in enumerate(table.properties):
        for index, rule in enumerate(column.quality):
            yield from find_column_faults(rule, column.logicalType, types, ("properties", number, "quality", index))


def _repeated_names(table: Table) -> Iterator[Finding]:
    seen: set[str] = set()
    keys: list[tuple[KeyPath, str]] = [
        (("quality", index, "name"), rule.name) for index, rule in enumerate(table.quality)
    ]
    for number, column in enumerate(table.properties):
        at: KeyPath = ("properties", number)
        if column.name in [other.name for other in table.properties[:number]]:
            yield Finding((*at, "name"), f"The property '{column.name}' stands twice.", "Keep one of the two.")
        keys += [((*at, "quality", index, "name"), rule.name) for index, rule in enumerate(column.quality)]
    for key, name in keys:
        if name in seen:
            yield Finding(key, f"The rule '{name}' stands twice.", "Give each rule of a table its own name.")
        seen.add(name)

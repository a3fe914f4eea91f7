"""A study's own rules laid over a shipped contract: they may ask for more, never for less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data_contracts.documents import Document, Finding, KeyPath, StrictModel, load_document
from data_contracts.errors import DataContractError, choose_from
from data_contracts.model import Contract, Property, Purpose, Table, find_column_faults, find_table_faults
from data_contracts.rules import OWN, LogicalType, Rule, RuleName


class AddedProperty(StrictModel):
    """A column that has rules to add, or a covariate that the table gets; the type may be told again."""

    name: str
    logicalType: LogicalType | None = None  # noqa: N815
    description: str = ""
    required: bool | None = None
    tags: list[str] = []
    quality: list[Rule] = []


class AddedTable(StrictModel):
    """What a study adds to a table."""

    name: RuleName
    logicalType: Literal["object"] = "object"  # noqa: N815
    description: str = ""
    tags: list[str] = []
    properties: list[AddedProperty] = []
    quality: list[Rule] = []


class Extension(StrictModel):
    """A data contract that adds to a shipped one of the same id."""

    apiVersion: Literal["v3.1.0"]  # noqa: N815
    kind: Literal["DataContract"]
    id: RuleName
    name: str | None = None
    version: str
    status: Literal["active", "draft", "deprecated"]
    description: Purpose | None = None
    tables: Annotated[list[AddedTable], Field(min_length=1, max_length=1, alias="schema")]


def load_extension(path: Path) -> Document[Extension]:
    """Load what a study adds to a contract; raises `DataContractError` with file, line and key."""
    return load_document(path, Extension)


def extend_contract(
    shipped: Contract, added: Document[Extension], covariates: Mapping[str, LogicalType] | None = None
) -> Contract:
    """Return a contract with the rules and columns that a study adds.

    Parameters
    ----------
    shipped : Contract
        The project's contract of the table.
    added : Document
        The study's document, of the same id and table.
    covariates : mapping, optional
        Covariate of the study -> its type: the columns that may be added to a table that is open. Without it any
        column may be.

    Returns
    -------
    Contract
        Every shipped rule as it was, then the study's, which carry the tag ``study``.

    Raises
    ------
    DataContractError
        With every problem and its line: another id or table, a type or ``required`` that differs, a column that the
        table does not have, the name of a rule that is taken, a rule that refers to a parameter.
    """
    findings = [*_faults(shipped.table, added.value, covariates)]
    if findings:
        raise DataContractError(
            added.problem(found.key, "contract_not_extended", found.message, found.how_to_fix) for found in findings
        )
    table, own = shipped.table, added.value.tables[0]
    mine = {column.name: column for column in own.properties}
    properties = [
        column.model_copy(update={"quality": [*column.quality, *_marked(mine[column.name].quality)]})
        if column.name in mine
        else column
        for column in table.properties
    ]
    known = {column.name for column in table.properties}
    properties += [_new_property(column) for column in own.properties if column.name not in known]
    merged = table.model_copy(update={"properties": properties, "quality": [*table.quality, *_marked(own.quality)]})
    return shipped.model_copy(update={"tables": [merged]})


def _marked(rules: list[Rule]) -> list[Rule]:
    return [rule.model_copy(update={"tags": [*rule.tags, OWN]}) for rule in rules]


def _new_property(column: AddedProperty) -> Property:
    return Property(
        name=column.name,
        logicalType=column.logicalType or "string",
        description=column.description,
        required=bool(column.required),
        tags=[*column.tags, OWN],
        quality=_marked(column.quality),
    )


def _faults(shipped: Table, added: Extension, covariates: Mapping[str, LogicalType] | None) -> Iterator[Finding]:
    own = added.tables[0]
    at: KeyPath = ("schema", 0)
    for key, name in ((("id",), added.id), ((*at, "name"), own.name)):
        if name != shipped.name:
            yield Finding(key, f"Found '{name}' in the file for '{shipped.name}'.", f"Write '{shipped.name}'.")
    types = _types(shipped, own)
    for index, rule in enumerate(own.quality):
        yield from find_table_faults(rule, types, (*at, "quality", index))
    for place, column in enumerate(own.properties):
        key = (*at, "properties", place)
        if column.name in [other.name for other in own.properties[:place]]:
            yield Finding((*key, "name"), f"The property '{column.name}' stands twice.", "Put its rules together.")
        yield from _column_faults(shipped, column, covariates, key)
        for index, rule in enumerate(column.quality):
            if column.name in types:
                yield from find_column_faults(rule, types[column.name], types, (*key, "quality", index))
    yield from _rule_faults(shipped, own, at)


def _types(shipped: Table, own: AddedTable) -> dict[str, LogicalType]:
    added = {column.name: column.logicalType for column in own.properties if column.logicalType is not None}
    return added | {column.name: column.logicalType for column in shipped.properties}


def _column_faults(
    shipped: Table, column: AddedProperty, covariates: Mapping[str, LogicalType] | None, at: KeyPath
) -> Iterator[Finding]:
    known = next((one for one in shipped.properties if one.name == column.name), None)
    if known is None:
        yield from _new_column_faults(shipped, column, covariates, at)
        return
    if column.logicalType not in (None, known.logicalType):
        message = f"'{column.name}' is of type {known.logicalType}; a study cannot change it."
        yield Finding((*at, "logicalType"), message, f"Write {known.logicalType}, or leave the key out.")
    if column.required not in (None, known.required):
        message = f"'{column.name}' {'is' if known.required else 'is not'} required; a study cannot change it."
        more = "" if known.required else " To ask for more, add a rule with metric nullValues."
        advice = f"Leave the key out.{more}"
        yield Finding((*at, "required"), message, advice)


def _new_column_faults(
    shipped: Table, column: AddedProperty, covariates: Mapping[str, LogicalType] | None, at: KeyPath
) -> Iterator[Finding]:
    names = [one.name for one in shipped.properties]
    if not shipped.is_open:
        yield Finding((*at, "name"), f"The table has no column '{column.name}'.", choose_from(column.name, names))
        return
    if covariates is not None and column.name not in covariates:
        advice = f"Declare it under 'covariates' in study.yaml. {choose_from(column.name, [*names, *covariates])}"
        yield Finding((*at, "name"), f"'{column.name}' is no covariate of the study.", advice)
        return
    needed = covariates[column.name] if covariates is not None else None
    if column.logicalType is None:
        yield Finding(at, f"The type of '{column.name}' is missing.", f"Add 'logicalType: {needed or 'number'}'.")
    elif needed is not None and column.logicalType != needed:
        message = f"study.yaml declares '{column.name}' as what is of type {needed}."
        yield Finding((*at, "logicalType"), message, f"Write {needed}.")


def _rule_faults(shipped: Table, own: AddedTable, at: KeyPath) -> Iterator[Finding]:
    taken = {rule.name for _, rule in shipped.rules}
    mine: set[str] = set()
    keys: list[tuple[KeyPath, Rule]] = [((*at, "quality", index), rule) for index, rule in enumerate(own.quality)]
    for place, column in enumerate(own.properties):
        keys += [((*at, "properties", place, "quality", index), rule) for index, rule in enumerate(column.quality)]
    for key, rule in keys:
        if rule.name in taken:
            message = f"The shipped contract has a rule '{rule.name}', which a study cannot replace."
            yield Finding((*key, "name"), message, "Give your rule a name of its own.")
        if rule.name in mine:
            message = f"The rule '{rule.name}' stands twice."
            yield Finding((*key, "name"), message, "Give each rule of a table its own name.")
        if rule.parameter is not None:
            message = f"A parameter ('{rule.parameter.parameter}') is for shipped contracts."
            yield Finding((*key, "arguments"), message, "Write the values themselves: [a, b].")
        mine.add(rule.name)

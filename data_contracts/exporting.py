"""Contracts for other tools: ODCS YAML with the values of a study filled in, and JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from data_contracts.expectations import Parameters
from data_contracts.model import Contract, Property
from data_contracts.rules import Arguments, Condition, CustomProperty, Rule

JSON_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"


def fill_contract(contract: Contract, parameters: Parameters) -> Contract:
    """Return a contract whose rules hold the values themselves in place of the parameters that are given.

    Parameters
    ----------
    contract : Contract
        With rules that refer to parameters.
    parameters : mapping
        As in `check_table`; a rule whose parameter is not among them stays as it is.

    Returns
    -------
    Contract
        A rule that differs by row becomes one rule for each key, with the name of the rule and a number, that applies
        where the column has this key. A key without allowed values gets no rule.
    """
    table = contract.table
    properties = [
        column.model_copy(update={"quality": [each for rule in column.quality for each in _filled(rule, parameters)]})
        for column in table.properties
    ]
    return contract.model_copy(update={"tables": [table.model_copy(update={"properties": properties})]})


def drop_parameters(contract: Contract) -> tuple[Contract, tuple[str, ...]]:
    """Return a contract without the rules that need a parameter, and the names of these rules."""
    table = contract.table
    properties = [
        column.model_copy(update={"quality": [rule for rule in column.quality if rule.parameter is None]})
        for column in table.properties
    ]
    dropped = tuple(rule.name for _, rule in table.rules if rule.parameter is not None)
    return contract.model_copy(update={"tables": [table.model_copy(update={"properties": properties})]}), dropped


def odcs_yaml(contract: Contract) -> str:
    """Return a contract as a document of the Open Data Contract Standard 3.1 (YAML, the keys in order)."""
    document = _plain(contract.model_dump(mode="json", by_alias=True))
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text


def json_schema(contract: Contract) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a list of rows, each an object of column -> value.

    What a schema of single rows can say is in it: types, presence, and the rules of severity `error` that every row has
    to obey. Uniqueness, numbers of rows, parameters that are not filled in, and other severities are left out.
    """
    table = contract.table
    conditional = [clause for column in table.properties for clause in _clauses(column)]
    row: dict[str, Any] = {
        "type": "object",
        "properties": {column.name: _column_schema(column) for column in table.properties},
        "required": [column.name for column in table.properties],
        "additionalProperties": table.is_open,
    }
    if conditional:
        row["allOf"] = conditional
    return {
        "$schema": JSON_SCHEMA,
        "title": table.name,
        "description": table.description,
        "type": "array",
        "items": row,
    }


def _plain(value: Any) -> Any:
    """Return a document without keys that say nothing, and with whole numbers as such."""
    if isinstance(value, dict):
        kept = {key: _plain(each) for key, each in value.items() if each not in (None, [], {}, "")}
        return {key: each for key, each in kept.items() if each is not False and each != {}}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _filled(rule: Rule, parameters: Parameters) -> Iterator[Rule]:
    parameter = rule.parameter
    if parameter is None or parameter.parameter not in parameters:
        yield rule
        return
    key = "validRange" if rule.arguments.validRange is not None else "validValues"
    allowed = parameters[parameter.parameter]
    if parameter.per is None:
        yield rule.model_copy(update={"arguments": _arguments(key, allowed)})
        return
    told = {row_key: values for row_key, values in allowed.items() if len(values)}
    for number, (row_key, values) in enumerate(told.items(), 1):
        where = CustomProperty(property="appliesWhere", value=Condition(property=parameter.per, validValues=[row_key]))
        filled = {
            "name": f"{rule.name}.{number}",
            "arguments": _arguments(key, values),
            "customProperties": [*rule.customProperties, where],
        }
        yield rule.model_copy(update=filled)


def _arguments(key: str, values: Sequence[Any]) -> Arguments:
    return Arguments.model_validate({key: list(values)})


def _row_rules(column: Property) -> Iterator[Rule]:
    for rule in column.quality:
        if rule.severity == "error" and rule.is_about_rows and rule.metric != "duplicateValues" and not rule.parameter:
            yield rule


def _column_schema(column: Property) -> dict[str, Any]:
    plain = [_value_schema(rule, column) for rule in _row_rules(column) if rule.condition is None]
    types: list[str] = [column.logicalType] if column.required else [column.logicalType, "null"]
    schema: dict[str, Any] = {"type": types if len(types) > 1 else types[0], "description": column.description}
    if column.required and column.logicalType == "string":
        schema["minLength"] = 1
    return schema | ({"allOf": plain} if plain else {})


def _value_schema(rule: Rule, column: Property) -> dict[str, Any]:
    """Return what a rule asks of a value that is there; an empty text is not."""
    arguments = rule.arguments
    if rule.metric == "nullValues":
        return {"not": {"enum": [None, ""]}}
    if isinstance(arguments.validRange, list):
        asked: dict[str, Any] = {"minimum": arguments.validRange[0], "maximum": arguments.validRange[1]}
    elif isinstance(arguments.validValues, list):
        asked = {"enum": arguments.validValues}
    else:
        asked = {"pattern": f"^(?:{arguments.pattern})"}
    return {"anyOf": [{"enum": [None, ""]}, asked]}


def _clauses(column: Property) -> Iterator[Mapping[str, Any]]:
    for rule in _row_rules(column):
        if rule.condition is not None:
            where = {rule.condition.property: {"enum": rule.condition.validValues}}
            yield {"if": {"properties": where}, "then": {"properties": {column.name: _value_schema(rule, column)}}}

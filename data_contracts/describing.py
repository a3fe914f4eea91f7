"""Contracts in words: each column, each rule, what it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from data_contracts.model import Contract
from data_contracts.rules import RESERVED, Rule, Severity, ValidValues

WHEN_BROKEN: Final[dict[Severity, str]] = {
    "error": "of what arrives (deliveries, cells) the row or cell is set aside; any other table is not stored",
    "warning": "the data are used, and the report and the checks show it",
    "info": "the data are used, and the report and the checks show it as a remark",
}
_SHOWN_VALUES: Final = 8
_COMPARED: Final = {
    "mustBe": "exactly {}", "mustBeGreaterThan": "more than {}", "mustBeGreaterOrEqualTo": "at least {}",
    "mustBeLessThan": "fewer than {}", "mustBeLessOrEqualTo": "at most {}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule of a contract in words; `column` is empty for rules of the whole table."""

    column: str
    rule: str
    asks: str
    against: str
    severity: Severity
    is_own: bool


def describe_rules(contract: Contract, parameters: Mapping[str, Any] | None = None) -> tuple[RuleLine, ...]:
    """Return the rules of a contract in words: those of the table, then column by column, presence first.

    Parameters
    ----------
    contract : Contract
        The contract.
    parameters : mapping, optional
        As in `check_table`; without it a parameter is told by its name.
    """
    given = parameters or {}
    lines = [_line("", rule, given) for rule in contract.table.quality]
    for column in contract.table.properties:
        if column.required:
            asks = f"{column.name} is never missing."
            lines.append(RuleLine(column.name, RESERVED[1], asks, "", "error", column.is_own))
        lines += [_line(column.name, rule, given) for rule in column.quality]
    return tuple(lines)


def _line(column: str, rule: Rule, parameters: Mapping[str, Any]) -> RuleLine:
    against = "; ".join(_held_against(rule, parameters))
    return RuleLine(column, rule.name, rule.description, against, rule.severity, rule.is_own)


def _held_against(rule: Rule, parameters: Mapping[str, Any]) -> Iterator[str]:
    arguments = rule.arguments
    if arguments.properties:
        yield f"unique: {', '.join(arguments.properties)}"
    elif rule.metric == "duplicateValues":
        yield "unique"
    if arguments.pattern is not None:
        yield f"pattern {arguments.pattern}"
    for values, is_range in ((arguments.validValues, False), (arguments.validRange, True)):
        if values is not None:
            yield _values(values, parameters, is_range)
    if not rule.is_about_rows:
        yield _bound(rule)
    if rule.condition is not None:
        yield f"where {rule.condition.property} is {_listed(rule.condition.validValues)}"


def _values(values: list[Any] | ValidValues, parameters: Mapping[str, Any], is_range: bool) -> str:
    if isinstance(values, ValidValues):
        if values.per is not None or values.parameter not in parameters:
            per = f", for each {values.per}" if values.per else ""
            return f"{values.parameter} of the study{per}"
        values = list(parameters[values.parameter])
    return f"{values[0]:g} to {values[1]:g}" if is_range else _listed(values)


def _listed(values: Sequence[Any]) -> str:
    shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in values[:_SHOWN_VALUES]]
    return ", ".join(shown) + (f" and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else "")


def _bound(rule: Rule) -> str:
    key, bound = rule.operator
    unit = " % of the rows" if rule.unit == "percent" else " rows"
    if isinstance(bound, list):
        return f"{bound[0]:g} to {bound[1]:g}{unit}"
    return f"{_COMPARED[key].format(f'{bound:g}')}{unit}"

"""Contracts compiled to Great Expectations suites: the only place that runs it.

The wrapper asks for row positions without values, reads raised exceptions before results, and takes a rule that could
not be evaluated for a rule that failed: a broken rule must never look like a clean table.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from data_contracts.errors import DataContractError, Problem
from data_contracts.model import Contract, Rule, Table, ValidValues
from data_contracts.verdicts import Verdict

Parameters = Mapping[str, Any]
"""Parameter name -> allowed values (sequence), or key -> allowed values / (low, high) for rules that go per column."""

_ROW = "row_position"
_PRESENCE = "not_missing"
_COLUMNS = "columns"


def check_table(table: pd.DataFrame, contract: Contract, parameters: Parameters | None = None) -> tuple[Verdict, ...]:
    """Run a contract on a table.

    Parameters
    ----------
    table : DataFrame
        Empty text counts as missing; rules other than presence look at values that are there.
    contract : Contract
        What the table must be.
    parameters : mapping, optional
        What the rules with a `parameter` are held against.

    Returns
    -------
    tuple of Verdict
        One per rule, in the contract's order: columns, presence, then declared rules.
    """
    layout = _check_columns(table, contract)
    if not layout.passed:
        return (layout,)
    rules = list(_rules(contract.table))
    suite = [
        (index, expectation)
        for index, (column, rule) in enumerate(rules)
        for expectation in _expectations(column, rule, parameters or {})
    ]
    outcomes = _run(table, [expectation for _, expectation in suite])
    verdicts = [layout]
    for index, (column, rule) in enumerate(rules):
        mine = [outcome for (owner, _), outcome in zip(suite, outcomes, strict=True) if owner == index]
        verdicts.append(_verdict(contract.id, column, rule, mine, len(table)))
    return tuple(verdicts)


def require(table: pd.DataFrame, contract: Contract, parameters: Parameters | None = None) -> tuple[Verdict, ...]:
    """Run a contract that the table must obey wholly; raises `DataContractError` naming each broken rule."""
    verdicts = check_table(table, contract, parameters)
    broken = [verdict for verdict in verdicts if not verdict.passed and verdict.severity == "error"]
    if broken:
        raise DataContractError(
            Problem(
                "contract_broken",
                f"Table {verdict.contract}: rule {verdict.rule} is broken by {verdict.n_failed} of "
                f"{verdict.n_checked} rows. {verdict.description}",
                "This table is not stored.",
                key=verdict.column,
            )
            for verdict in broken
        )
    return verdicts


def conform(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the table with the contract's columns first and their types; missing text is empty, never a word."""
    typed = table.copy()
    for column, dtype in contract.table.dtypes.items():
        values = typed[column]
        typed[column] = (
            values.astype("object").where(values.notna(), "").astype("str") if dtype == "str" else values.astype(dtype)
        )
    known = list(contract.table.dtypes)
    return typed[[*known, *[column for column in typed.columns if column not in known]]].reset_index(drop=True)


def _check_columns(table: pd.DataFrame, contract: Contract) -> Verdict:
    wanted = set(contract.table.dtypes)
    missing, extra = wanted - set(table.columns), set(table.columns) - wanted
    wrong = missing if contract.table.additionalProperties else missing | extra
    return Verdict(
        contract.id,
        _COLUMNS,
        ", ".join(sorted(wrong)),
        "error",
        not wrong,
        len(table),
        len(table) if wrong else 0,
        "The table has the columns of its contract.",
    )


def _rules(table: Table) -> Iterator[tuple[str, Rule]]:
    for rule in table.quality:
        yield "", rule
    for column in table.properties:
        if column.required:
            yield (
                column.name,
                Rule(name=_PRESENCE, description=f"{column.name} is never missing.", metric="nullValues", mustBe=0),
            )
        for rule in column.quality:
            yield column.name, rule


def _expectations(column: str, rule: Rule, parameters: Parameters) -> Iterator[Any]:
    import great_expectations.expectations as gxe

    arguments = rule.arguments
    if rule.metric == "rowCount":
        yield gxe.ExpectTableRowCountToBeBetween(min_value=rule.mustBeGreaterOrEqualTo)
    elif rule.metric == "nullValues":
        yield gxe.ExpectColumnValuesToNotBeNull(column=column)
    elif arguments.properties is not None and len(arguments.properties) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=arguments.properties[0])
    elif arguments.properties is not None:
        yield gxe.ExpectCompoundColumnsToBeUnique(
            column_list=arguments.properties, ignore_row_if="any_value_is_missing"
        )
    elif arguments.pattern is not None:
        yield gxe.ExpectColumnValuesToMatchRegex(column=column, regex=arguments.pattern)
    elif isinstance(arguments.validValues, list):
        yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=arguments.validValues)
    elif arguments.validValues is not None:
        for condition, allowed in _by_row(arguments.validValues, parameters):
            yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(allowed), **condition)
    elif arguments.validRange is not None:
        for condition, (low, high) in _by_row(arguments.validRange, parameters):
            yield gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **condition)


def _by_row(argument: ValidValues, parameters: Parameters) -> Iterator[tuple[dict[str, Any], Sequence[Any]]]:
    from great_expectations.expectations.row_conditions import Column

    allowed = parameters[argument.parameter]
    if argument.per is None:
        yield {}, allowed
        return
    for key, values in allowed.items():
        yield {"row_condition": Column(argument.per) == key}, values


def _run(table: pd.DataFrame, expectations: Sequence[Any]) -> list[Any]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    frame = table.reset_index(drop=True)
    for column in frame.columns[frame.dtypes == "str"]:
        frame[column] = frame[column].astype("object").where(frame[column] != "", None)
    frame[_ROW] = range(len(frame))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("memory")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
    )
    for number, expectation in enumerate(expectations):
        expectation.meta = {"number": number}
    suite = gx.ExpectationSuite(name="contract", expectations=list(expectations))
    outcome = batch.get_batch({"dataframe": frame}).validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [_ROW],
            "exclude_unexpected_values": True,
            "partial_unexpected_count": 0,
        },
    )
    by_number = {result.expectation_config.meta["number"]: result for result in outcome.results}
    return [by_number.get(number) for number in range(len(expectations))]


def _verdict(contract: str, column: str, rule: Rule, outcomes: Sequence[Any], n_rows: int) -> Verdict:
    about = column or ", ".join(rule.arguments.properties or [])
    if any(outcome is None or _raised(outcome) for outcome in outcomes):
        return Verdict(
            contract,
            rule.name,
            about,
            "error",
            False,
            n_rows,
            n_rows,
            f"{rule.description} (The rule could not be evaluated.)",
        )
    if rule.metric == "rowCount":
        passed = all(outcome.success for outcome in outcomes)
        return Verdict(
            contract, rule.name, about, rule.severity, passed, n_rows, 0 if passed else n_rows, rule.description
        )
    rows = sorted({int(row) for outcome in outcomes for row in _failed_rows(outcome)})
    return Verdict(
        contract,
        rule.name,
        about,
        rule.severity,
        not rows and all(outcome.success for outcome in outcomes),
        n_rows,
        len(rows),
        rule.description,
        tuple(rows),
    )


def _raised(outcome: Any) -> bool:
    information = outcome.exception_info or {}
    entries = [information, *[entry for entry in information.values() if isinstance(entry, dict)]]
    return any(entry.get("raised_exception") for entry in entries)


def _failed_rows(outcome: Any) -> Iterator[Any]:
    for entry in (outcome.result or {}).get("unexpected_index_list") or []:
        rows = entry[_ROW]
        yield from rows if isinstance(rows, list) else [rows]

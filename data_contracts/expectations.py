"""Rules compiled to expectations of Great Expectations: the only place that runs it.

The wrapper asks for row positions without values, reads raised exceptions before results, and takes a rule that could
not be evaluated for a rule that failed: a broken rule must never look like a clean table.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_contracts.rules import Rule, ValidValues

Parameters = Mapping[str, Any]
"""Parameter name -> allowed values (sequence), or key -> allowed values / (low, high) for rules that go per column."""

ROW = "row_position"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one expectation: could it be evaluated, does it hold, and which rows (`row_position`) fail."""

    evaluated: bool
    success: bool
    rows: np.ndarray


def build_expectations(column: str, rule: Rule, parameters: Parameters) -> list[Any]:
    """Return the expectations that say what a rule says of every row; a bound on their number is not in them."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations.expectations as gxe

    arguments, where = rule.arguments, _where(rule)
    if rule.metric == "nullValues":
        return [gxe.ExpectColumnValuesToNotBeNull(column=column, **where)]
    if rule.metric == "duplicateValues":
        return [gxe.ExpectColumnValuesToBeUnique(column=column)]
    if arguments.pattern is not None:
        return [gxe.ExpectColumnValuesToMatchRegex(column=column, regex=arguments.pattern, **where)]
    if arguments.validValues is not None:
        return [
            gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(allowed), **(condition or where))
            for condition, allowed in _by_row(arguments.validValues, parameters)
        ]
    if arguments.validRange is not None:
        return [
            gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **(condition or where))
            for condition, (low, high) in _by_row(arguments.validRange, parameters)
        ]
    return [gxe.ExpectTableRowCountToBeBetween(**_row_bounds(rule))]


class Runner:
    """Great Expectations on tables in memory; its context is made once, and nothing is kept of a table."""

    def __init__(self) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._suite = gx.ExpectationSuite
        self._batch = (
            context.data_sources.add_pandas("memory")
            .add_dataframe_asset("table")
            .add_batch_definition_whole_dataframe("all")
        )

    def run(self, frame: pd.DataFrame, expectations: Sequence[Any]) -> list[Outcome]:
        """Return the outcome of each expectation on a table with `ROW`, in their order."""
        if not expectations:
            return []
        for number, expectation in enumerate(expectations):
            expectation.meta = {"number": number}
        outcome = self._batch.get_batch({"dataframe": frame}).validate(
            self._suite(name="contract", expectations=list(expectations)),
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": [ROW],
                "exclude_unexpected_values": True,
                "partial_unexpected_count": 0,
            },
        )
        by_number = {result.expectation_config.meta["number"]: result for result in outcome.results}
        return [_read(by_number.get(number)) for number in range(len(expectations))]


def _where(rule: Rule) -> dict[str, Any]:
    from great_expectations.expectations.row_conditions import Column

    condition = rule.condition
    return {"row_condition": Column(condition.property).is_in(condition.validValues)} if condition else {}


def _by_row(argument: list[Any] | ValidValues, parameters: Parameters) -> Iterator[tuple[dict[str, Any], Any]]:
    from great_expectations.expectations.row_conditions import Column

    if isinstance(argument, list):
        yield {}, argument
        return
    allowed = parameters[argument.parameter]
    if argument.per is None:
        yield {}, allowed
        return
    for key, values in allowed.items():
        yield {"row_condition": Column(argument.per) == key}, values


def _row_bounds(rule: Rule) -> dict[str, Any]:
    key, bound = rule.operator
    if isinstance(bound, list):
        return {"min_value": bound[0], "max_value": bound[1]}
    bounds: dict[str, dict[str, Any]] = {
        "mustBe": {"min_value": bound, "max_value": bound},
        "mustBeGreaterThan": {"min_value": bound, "strict_min": True},
        "mustBeGreaterOrEqualTo": {"min_value": bound},
        "mustBeLessThan": {"max_value": bound, "strict_max": True},
        "mustBeLessOrEqualTo": {"max_value": bound},
    }
    return bounds[key]


def _read(result: Any) -> Outcome:
    none = np.empty(0, dtype="int64")
    if result is None or _raised(result):
        return Outcome(False, False, none)
    entries = (result.result or {}).get("unexpected_index_list") or []
    rows = [row for entry in entries for row in _as_list(entry[ROW])]
    return Outcome(True, bool(result.success), np.asarray(rows, dtype="int64") if rows else none)


def _as_list(rows: Any) -> list[Any]:
    return rows if isinstance(rows, list) else [rows]


def _raised(result: Any) -> bool:
    information = result.exception_info or {}
    entries = [information, *[entry for entry in information.values() if isinstance(entry, dict)]]
    return any(entry.get("raised_exception") for entry in entries)

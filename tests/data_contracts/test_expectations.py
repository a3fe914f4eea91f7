"""Contracts run through Great Expectations: verdicts with rows, never with values."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.results import RESULT_DTYPES
from data_contracts import (
    Contract,
    DataContractError,
    check_table,
    conform,
    load_contract,
    require,
    shipped_contract,
    shipped_contract_names,
)

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: visits
version: 1.0.0
status: active
schema:
  - name: visits
    logicalType: object
    description: Visits.
    quality:
      - {name: has_rows, description: There are rows., metric: rowCount, mustBeGreaterOrEqualTo: 1}
      - {name: unique_visits, description: One row each., metric: duplicateValues, mustBe: 0, arguments: {properties: [person, day]}}
    properties:
      - {name: person, logicalType: string, required: true}
      - {name: day, logicalType: integer}
      - name: answer
        logicalType: number
        quality:
          - {name: option, description: One of the options., metric: invalidValues, mustBe: 0, arguments: {validValues: {parameter: options, per: form}}}
          - {name: range, description: In the range., metric: invalidValues, mustBe: 0, arguments: {validRange: {parameter: ranges}}}
      - name: form
        logicalType: string
        quality:
          - {name: pattern, description: Lower case., metric: invalidValues, mustBe: 0, severity: warning, arguments: {pattern: "^[a-z]+$"}}
"""
PARAMETERS: dict[str, Any] = {"options": {"a": [0.0, 1.0], "b": [4.0, 5.0]}, "ranges": (0, 10)}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "visits.yaml"
    path.write_text(CONTRACT)
    return load_contract(path)


def visits(**columns: list[object]) -> pd.DataFrame:
    base: dict[str, list[object]] = {
        "person": ["p", "q", "r"],
        "day": [1, 1, 1],
        "answer": [0.0, 5.0, float("nan")],
        "form": ["a", "b", "a"],
    }
    return pd.DataFrame(base | columns)


def failed(table: pd.DataFrame, contract: Contract) -> dict[str, tuple[int, ...]]:
    return {
        verdict.rule: verdict.rows
        for verdict in check_table(conform(table, contract), contract, PARAMETERS)
        if not verdict.passed
    }


def test_a_good_table_obeys_every_rule_and_missing_values_are_no_breach(contract: Contract) -> None:
    assert failed(visits(), contract) == {}


def test_each_rule_names_the_rows_that_break_it(contract: Contract) -> None:
    assert failed(visits(answer=[4.0, 5.0, 1.0]), contract) == {"option": (0,)}
    assert failed(visits(answer=[0.0, 5.0, 11.0]), contract) == {"option": (2,), "range": (2,)}
    assert failed(visits(person=["p", "p", ""]), contract) == {"unique_visits": (0, 1), "not_missing": (2,)}
    assert failed(visits(form=["a", "b", "C"]), contract) == {"pattern": (2,)}


def test_an_empty_table_fails(contract: Contract) -> None:
    assert "has_rows" in failed(visits().head(0), contract)


def test_a_rule_that_cannot_be_evaluated_fails_for_all_rows(contract: Contract) -> None:
    table = conform(visits(), contract).assign(answer=["x", "y", "z"])
    verdict = next(verdict for verdict in check_table(table, contract, PARAMETERS) if verdict.rule == "range")
    assert not verdict.passed
    assert verdict.severity == "error"
    assert verdict.n_failed == 3
    assert "could not be evaluated" in verdict.description


def test_a_missing_or_unknown_column_fails_before_anything_else(contract: Contract) -> None:
    for table in (visits().drop(columns="day"), visits().assign(surprise=1)):
        (verdict,) = check_table(table, contract, PARAMETERS)
        assert (verdict.rule, verdict.passed) == ("columns", False)


def test_verdicts_hold_no_values_of_the_table(contract: Contract) -> None:
    verdicts = check_table(
        conform(visits(person=["secret@example.org", "q", "r"], form=["CANARY", "b", "a"]), contract),
        contract,
        PARAMETERS,
    )
    assert "CANARY" not in repr(verdicts)
    assert "secret" not in repr(verdicts)


def test_a_required_table_raises_for_errors_and_lets_warnings_pass(contract: Contract) -> None:
    assert any(
        not verdict.passed for verdict in require(conform(visits(form=["a", "b", "C"]), contract), contract, PARAMETERS)
    )
    with pytest.raises(DataContractError, match=r"rule option is broken by 1 of 3 rows"):
        require(conform(visits(answer=[4.0, 5.0, 1.0]), contract), contract, PARAMETERS)


def test_a_contract_that_contradicts_itself_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "visits.yaml"
    path.write_text(CONTRACT.replace("[person, day]", "[person, dya]"))
    with pytest.raises(DataContractError, match=r"visits.yaml, line 12.*'dya'.*Did you mean 'day'"):
        load_contract(path)


def test_every_shipped_contract_loads_and_is_named_after_its_table() -> None:
    names = shipped_contract_names()
    assert {"responses", "participants", "scores", "results", "quarantine", "reconciliation"} <= set(names)
    for name in names:
        assert shipped_contract(name).id == shipped_contract(name).table.name == name


def test_the_contract_of_results_is_the_table_that_analysis_writes() -> None:
    assert shipped_contract("results").table.dtypes == RESULT_DTYPES

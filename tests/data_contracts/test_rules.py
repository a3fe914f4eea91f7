"""Every kind of rule, with a table that obeys and one that breaks it; and what is no rule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data_contracts import Contract, DataContractError, Verdict, check_table, conform, enforce, load_contract

Make = Callable[..., Contract]
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: visits
version: 1.0.0
status: active
schema:
  - name: visits
    logicalType: object
    description: Visits.
    quality: [{table_rule}]
    properties:
      - {{name: person, logicalType: string, quality: [{person}]}}
      - {{name: day, logicalType: integer, quality: [{day}]}}
      - {{name: answer, logicalType: number, quality: [{answer}]}}
      - {{name: came, logicalType: boolean, quality: [{came}]}}
      - {{name: source, logicalType: string}}
      - {{name: source_row, logicalType: integer}}
"""
PEOPLE = ["ann", "bob", "cat", "dan"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Contract of visits with rules for the table or a column; each is given without its name and description."""

    def build(table_rule: str = "", person: str = "", day: str = "", answer: str = "", came: str = "") -> Contract:
        given = {"table_rule": table_rule, "person": person, "day": day, "answer": answer, "came": came}
        ready = {at: f"{{name: r_{at}, description: A rule., {rule}}}" if rule else "" for at, rule in given.items()}
        path = tmp_path / "visits.yaml"
        path.write_text(HEAD.format(**ready))
        return load_contract(path)

    return build


def visits(**columns: list[Any]) -> pd.DataFrame:
    base: dict[str, list[Any]] = {
        "person": PEOPLE, "day": [1, 2, 3, 4], "answer": [0.0, 1.0, 2.0, 3.0], "came": [True, True, True, False],
        "source": ["a.csv"] * 4, "source_row": [2, 3, 4, 5],
    }  # fmt: skip
    return pd.DataFrame(base | columns)


def verdict_of(table: pd.DataFrame, contract: Contract, rows_at_once: int = 3) -> Verdict:
    verdicts = check_table(conform(table, contract), contract, rows_at_once=rows_at_once)
    return next(verdict for verdict in verdicts if verdict.rule.startswith("r_"))


ROWS: dict[str, tuple[dict[str, str], dict[str, list[Any]], tuple[int, ...]]] = {
    "validValues of text": ({"person": "metric: invalidValues, mustBe: 0, arguments: {validValues: [ann, bob, cat, dan]}"}, {"person": ["ann", "eve", "cat", "eve"]}, (1, 3)),
    "validValues of numbers": ({"day": "metric: invalidValues, mustBe: 0, arguments: {validValues: [1, 2, 3, 4]}"}, {"day": [1, 2, 3, 5]}, (3,)),
    "validValues of true and false": ({"came": "metric: invalidValues, mustBe: 0, arguments: {validValues: [true, false]}"}, {}, ()),
    "validRange": ({"answer": "metric: invalidValues, mustBe: 0, arguments: {validRange: [0, 3]}"}, {"answer": [0.0, 3.01, float("nan"), -1.0]}, (1, 3)),
    "validRange of one value": ({"answer": "metric: invalidValues, mustBe: 0, arguments: {validRange: [2, 2]}"}, {"answer": [2.0, 2.0, 2.0, 3.0]}, (3,)),
    "pattern": ({"person": 'metric: invalidValues, mustBe: 0, arguments: {pattern: "^[a-z]{3}$"}'}, {"person": ["ann", "", "Cat", "dan"]}, (2,)),
    "nullValues": ({"person": "metric: nullValues, mustBe: 0"}, {"person": ["ann", "", "cat", None]}, (1, 3)),
    "duplicateValues of a column": ({"day": "metric: duplicateValues, mustBe: 0"}, {"day": [1, 7, 3, 7]}, (1, 3)),
    "duplicateValues of several": ({"table_rule": "metric: duplicateValues, mustBe: 0, arguments: {properties: [person, day]}"}, {"person": ["ann", "bob", "bob", "ann"], "day": [1, 2, 3, 1]}, (0, 3)),
    "appliesWhere": ({"answer": "metric: nullValues, mustBe: 0, customProperties: [{property: appliesWhere, value: {property: person, validValues: [ann, bob]}}]"}, {"answer": [float("nan"), 1.0, float("nan"), 3.0]}, (0,)),
    "appliesWhere a number": ({"person": "metric: invalidValues, mustBe: 0, arguments: {validValues: [ann]}, customProperties: [{property: appliesWhere, value: {property: day, validValues: [4, 1]}}]"}, {}, (3,)),
}  # fmt: skip


@pytest.mark.parametrize("kind", ROWS)
def test_a_rule_about_rows_names_those_that_break_it(make: Make, kind: str) -> None:
    rule, columns, broken = ROWS[kind]
    verdict = verdict_of(visits(**columns), make(**rule))
    assert (verdict.rows, verdict.n_failed, verdict.passed) == (broken, len(broken), not broken)


@pytest.mark.parametrize(
    ("rule", "n_failed", "passed"),
    [
        ("metric: nullValues, mustBeLessOrEqualTo: 25, unit: percent", 1, True),
        ("metric: nullValues, mustBeLessThan: 25, unit: percent", 1, False),
        ("metric: nullValues, mustBeLessOrEqualTo: 1", 1, True),
        ("metric: nullValues, mustBeLessThan: 1, unit: rows", 1, False),
        ("metric: invalidValues, arguments: {validValues: [ann]}, mustBeLessThan: 3", 2, True),
        ("metric: invalidValues, arguments: {validValues: [ann]}, mustBeLessThan: 50, unit: percent", 2, False),
        ("metric: duplicateValues, mustBeLessOrEqualTo: 50, unit: percent", 2, True),
        ("metric: duplicateValues, mustBeLessOrEqualTo: 1", 2, False),
    ],
)
def test_a_bound_counts_over_all_pieces_and_names_no_row(make: Make, rule: str, n_failed: int, passed: bool) -> None:
    verdict = verdict_of(visits(person=["ann", "", "eve", "eve"]), make(person=rule), rows_at_once=1)
    assert (verdict.n_failed, verdict.passed, verdict.rows) == (n_failed, passed, ())


def test_a_share_counts_only_the_rows_that_a_rule_applies_to(make: Make) -> None:
    where = "customProperties: [{property: appliesWhere, value: {property: day, validValues: [1, 2]}}]"
    contract = make(answer=f"metric: nullValues, mustBeLessThan: 50, unit: percent, {where}")
    verdict = verdict_of(visits(answer=[float("nan"), 1.0, 2.0, 3.0]), contract)
    assert (verdict.n_checked, verdict.n_failed, verdict.passed) == (2, 1, False)


@pytest.mark.parametrize(
    ("bound", "passed"),
    [
        ("mustBe: 4", True), ("mustBe: 5", False),
        ("mustBeGreaterThan: 3", True), ("mustBeGreaterThan: 4", False),
        ("mustBeGreaterOrEqualTo: 4", True), ("mustBeGreaterOrEqualTo: 5", False),
        ("mustBeLessThan: 5", True), ("mustBeLessThan: 4", False),
        ("mustBeLessOrEqualTo: 4", True), ("mustBeLessOrEqualTo: 3", False),
        ("mustBeBetween: [4, 9]", True), ("mustBeBetween: [5, 9]", False),
    ],
)  # fmt: skip
def test_the_number_of_rows_is_bounded_by_every_comparison(make: Make, bound: str, passed: bool) -> None:
    assert verdict_of(visits(), make(table_rule=f"metric: rowCount, {bound}")).passed is passed


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_what_is_no_error_sets_nothing_aside_and_stops_nothing(make: Make, severity: str) -> None:
    row = f"metric: invalidValues, arguments: {{validValues: [ann]}}, mustBe: 0, severity: {severity}"
    whole = f"metric: rowCount, mustBe: 9, severity: {severity}"
    contract = make(person=row, table_rule=whole)
    enforced = enforce(conform(visits(), contract), contract, severity="row")
    assert enforced.rejected.empty
    assert enforced.set_aside == ()
    assert {(v.rule, v.severity, v.passed) for v in enforced.verdicts if v.rule != "columns"} == {
        ("r_person", severity, False),
        ("r_table_rule", severity, False),
    }


def test_a_bound_of_severity_error_stops_the_table_for_no_row_is_to_blame(make: Make) -> None:
    contract = make(person="metric: nullValues, mustBeLessThan: 25, unit: percent")
    with pytest.raises(DataContractError, match="r_person is broken"):
        enforce(conform(visits(person=["ann", "", "cat", "dan"]), contract), contract, severity="row")


def test_a_rule_that_cannot_be_evaluated_keeps_its_severity_and_is_broken(make: Make) -> None:
    contract = make(answer="metric: invalidValues, arguments: {validRange: [0, 3]}, mustBe: 0, severity: info")
    verdicts = check_table(visits(answer=["x", "y", "z", "w"]), contract, rows_at_once=3)
    verdict = next(verdict for verdict in verdicts if verdict.rule == "r_answer")
    assert (verdict.severity, verdict.passed, verdict.n_failed) == ("info", False, 4)
    assert "could not be evaluated" in verdict.description


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"person": "metric: invalidValues, mustBe: 0"}, "line 12.*invalidValues cannot be checked with no arguments.*exactly one of"),
    ({"person": "metric: nullValues, mustBe: 0, arguments: {pattern: a}"}, "nullValues cannot be checked with pattern.*Leave 'arguments' out"),
    ({"person": "metric: nullValues"}, "Found 0 comparisons"),
    ({"person": "metric: nullValues, mustBe: 0, mustBeLessThan: 4"}, "Found 2 comparisons"),
    ({"person": "metric: nullValues, mustBe: 3"}, "counts rows that are wrong.*Write mustBe: 0"),
    ({"person": "metric: nullValues, mustBeGreaterThan: 3"}, "counts rows that are wrong.*mustBeLessThan"),
    ({"table_rule": "metric: rowCount, mustBeBetween: [9, 3]"}, "line 10.*first number is the larger one"),
    ({"table_rule": "metric: rowCount, mustBeLessThan: 9, unit: percent"}, "no share"),
    ({"table_rule": "metric: nullValues, mustBe: 0"}, "r_table_rule is about a column"),
    ({"person": "metric: rowCount, mustBe: 0"}, "r_person is about the whole table"),
    ({"person": "metric: duplicateValues, mustBe: 0, arguments: {properties: [person]}"}, "r_person is about the whole table"),
    ({"table_rule": "metric: duplicateValues, mustBe: 0, arguments: {properties: [persn]}"}, "'persn', which is not a property.*Did you mean 'person'"),
    ({"person": "metric: invalidValues, mustBe: 0, arguments: {validValues: [1]}"}, "Found 1 for a column of type string.*quotes"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validValues: [one]}"}, "Found 'one' for a column of type integer"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validValues: [[1]]}"}, r"validValues\[0\].*write one text, number"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validValues: []}"}, "at least 1 item"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validValues: 3}"}, "arguments.validValues: Found 3. Write a list"),
    ({"person": "metric: invalidValues, mustBe: 0, arguments: {validRange: [1, 2]}"}, "range for a column of type string"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validRange: [3, 1]}"}, r"Found \[3, 1\].*lowest, highest"),
    ({"day": "metric: invalidValues, mustBe: 0, arguments: {validRange: [3]}"}, "at least 2 items"),
    ({"day": 'metric: invalidValues, mustBe: 0, arguments: {pattern: "a"}'}, "pattern for a column of type integer"),
    ({"person": 'metric: invalidValues, mustBe: 0, arguments: {pattern: "("}'}, "no regular expression"),
    ({"person": "metric: nullValues, mustBe: 0, severity: fatal"}, "'fatal', which is not allowed.*error, warning, info"),
    ({"person": "metric: nullValues, mustBe: 0, type: sql"}, "'sql', which is not allowed"),
    ({"person": "metric: nullValues, mustBe: 0, query: SELECT"}, "Unknown key 'query'"),
    ({"person": "metric: nullValues, mustBe: 0, customProperties: [{property: appliesWhere, value: peer}]"}, "appliesWhere cannot be this"),
    ({"person": "metric: nullValues, mustBe: 0, customProperties: [{property: appliesWhere, value: {property: dya, validValues: [1]}}]"}, "'dya', which is not a property.*'day'"),
    ({"person": "metric: nullValues, mustBe: 0, customProperties: [{property: appliesWhere, value: {property: day, validValues: [one]}}]"}, "'day' is of type integer"),
    ({"person": "metric: duplicateValues, mustBe: 0, customProperties: [{property: appliesWhere, value: {property: day, validValues: [1]}}]"}, "duplicateValues cannot have appliesWhere"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "message"), REFUSED)
def test_what_is_no_rule_is_refused_with_line_and_advice(make: Make, rule: dict[str, str], message: str) -> None:
    with pytest.raises(DataContractError, match=message):
        make(**rule)


@pytest.mark.parametrize("name", ["columns", "not_missing"])
def test_names_of_checks_that_every_table_has_are_taken(make: Make, name: str) -> None:
    with pytest.raises(DataContractError, match="is the name of a check of every table"):
        make(
            person=f"metric: nullValues, mustBe: 0}}, {{name: {name}, description: A rule., metric: nullValues, mustBe: 0"
        )


def test_two_rules_or_columns_of_one_name_are_refused(make: Make, tmp_path: Path) -> None:
    second = "metric: nullValues, mustBe: 0}, {name: r_person, description: A rule., metric: duplicateValues, mustBe: 0"
    with pytest.raises(DataContractError, match=r"quality\[1\].name: The rule 'r_person' stands twice"):
        make(person=second)
    make()
    path = tmp_path / "visits.yaml"
    path.write_text(path.read_text().replace("name: day", "name: person"))
    with pytest.raises(DataContractError, match="The property 'person' stands twice"):
        load_contract(path)


def test_a_right_table_conforms_without_an_object_per_cell(make: Make) -> None:
    import tracemalloc

    contract, rows = make(), 100_000
    table = visits().loc[np.zeros(rows, dtype="int64")].astype(contract.table.dtypes).reset_index(drop=True)
    tracemalloc.start()
    conformed = conform(table, contract)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    numbers = rows * (8 + 8 + 8 + 1)
    assert peak < 2 * numbers  # an array of references to text alone would be 16 bytes more for each row
    pd.testing.assert_frame_equal(conformed, table)


def test_missing_text_conforms_to_empty_text_and_the_table_given_stays_as_it_was(make: Make) -> None:
    table = visits(person=["ann", None, "cat", float("nan")])
    before = table.copy(deep=True)
    assert conform(table, make())["person"].tolist() == ["ann", "", "cat", ""]
    assert conform(table.astype({"person": "object"}), make())["person"].tolist() == ["ann", "", "cat", ""]
    pd.testing.assert_frame_equal(table, before)

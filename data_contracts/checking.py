"""A contract held against a table: in pieces of rows, so that memory stays bounded and time goes with the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

from data_contracts.errors import DataContractError, Problem
from data_contracts.expectations import ROW, Outcome, Parameters, Runner, build_expectations
from data_contracts.keys import number_keys
from data_contracts.model import Contract, Table
from data_contracts.rules import OWN, RESERVED, Rule
from data_contracts.telling import tell
from data_contracts.verdicts import Verdict

ROWS_AT_ONCE: Final = 200_000
"""Rows that are held in the form that the checks need; what one run of the checks costs is little beside them."""
_COLUMNS, _PRESENCE = RESERVED
_KEY: Final = "key"


@dataclass(slots=True, eq=False)
class _Tally:
    """A rule, and what was found of it so far."""

    column: str
    rule: Rule
    evaluated: bool = True
    success: bool = True
    rows: list[np.ndarray] = field(default_factory=list)

    @property
    def differs_by_row(self) -> bool:
        """Whether what is allowed goes by another column."""
        return self.rule.parameter is not None and self.rule.parameter.per is not None

    @property
    def key_columns(self) -> list[str]:
        """The columns that are unique together by this rule; none for other rules."""
        return (self.rule.arguments.properties or [self.column]) if self.rule.metric == "duplicateValues" else []

    @property
    def read_columns(self) -> list[str]:
        """The columns that the rule looks at, row by row."""
        condition, parameter = self.rule.condition, self.rule.parameter
        beside = [condition.property] if condition else []
        return list(dict.fromkeys([*([parameter.per] if parameter and parameter.per else []), *beside, self.column]))


def check_table(
    table: pd.DataFrame,
    contract: Contract,
    parameters: Parameters | None = None,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
) -> tuple[Verdict, ...]:
    """Run a contract on a table.

    Parameters
    ----------
    table : DataFrame
        Empty text counts as missing; rules other than presence look at values that are there. Not changed.
    contract : Contract
        What the table must be.
    parameters : mapping, optional
        What the rules with a `parameter` are held against.
    rows_at_once : int
        How many rows are looked at in one piece; it changes memory and time, never a verdict.

    Returns
    -------
    tuple of Verdict
        One per rule, in the contract's order: columns, rules of the table, then presence and rules column by column.
    """
    layout = _check_columns(table, contract)
    if not layout.passed:
        return (layout,)
    tallies = [_Tally(column, rule) for column, rule in _rules(contract.table)]
    runner = Runner()
    by_row = [tally for tally in tallies if tally.rule.metric in ("nullValues", "invalidValues")]
    plain = [tally for tally in by_row if not tally.differs_by_row]
    for start in range(0, len(table), rows_at_once):
        _check_piece(table.iloc[start : start + rows_at_once], start, plain, parameters or {}, runner)
    for tally in tallies:
        if tally.key_columns:
            _check_unique(table, tally, runner)
        elif tally.differs_by_row:
            _check_pairs(table, tally, parameters or {}, runner)
        elif tally.rule.metric == "rowCount":
            counted = pd.DataFrame({ROW: np.arange(len(table))})
            _add(tally, runner.run(counted, build_expectations("", tally.rule, {})))
    return (layout, *(_verdict(contract.id, tally, table) for tally in tallies))


def require(table: pd.DataFrame, contract: Contract, parameters: Parameters | None = None) -> tuple[Verdict, ...]:
    """Run a contract that the table must obey wholly; raises `DataContractError` naming each broken rule."""
    verdicts = check_table(table, contract, parameters)
    broken = [verdict for verdict in verdicts if not verdict.passed and verdict.severity == "error"]
    if broken:
        raise DataContractError(tell_broken(verdict, contract) for verdict in broken)
    return verdicts


def tell_broken(verdict: Verdict, contract: Contract) -> Problem:
    """Return a broken rule as a problem: what it asks, how many rows broke it, and what its author advises."""
    named = [(column, rule) for column, rule in _rules(contract.table) if rule.name == verdict.rule]
    rule = dict(named).get(verdict.column, named[0][1] if named else None)
    by_rows = f" by {verdict.n_failed} of {verdict.n_checked} rows" if rule is None or rule.is_about_rows else ""
    advice = rule.how_to_fix if rule is not None and rule.is_own else "This table is not stored."
    return Problem(
        "contract_broken",
        f"Table {verdict.contract}: rule {verdict.rule} is broken{by_rows}. {verdict.description}",
        advice,
        f"contracts/{contract.id}.yaml" if verdict.is_own else "",
        key=verdict.column,
    )


def conform(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the table with the contract's columns first and their types; missing text is empty, never a word.

    A column that has its type and misses nothing is taken as it is.
    """
    known = contract.table.dtypes
    ordered = [*known, *[column for column in table.columns if column not in known]]
    typed = table[ordered].reset_index(drop=True)
    for column, dtype in known.items():
        values = typed[column]
        if values.dtype != dtype:
            typed[column] = (
                values.astype("object").where(values.notna(), "").astype("str")
                if dtype == "str"
                else values.astype(dtype)
            )
        elif dtype == "str" and values.hasnans:
            typed[column] = values.fillna("")
    return typed


def _check_columns(table: pd.DataFrame, contract: Contract) -> Verdict:
    wanted = set(contract.table.dtypes)
    missing, extra = wanted - set(table.columns), set(table.columns) - wanted
    wrong = missing if contract.table.is_open else missing | extra
    return Verdict(
        contract.id,
        _COLUMNS,
        ", ".join(sorted(wrong)),
        "error",
        not wrong,
        len(table),
        len(table) if wrong else 0,
        tell("The table has the columns of its contract."),
    )


def _rules(table: Table) -> Iterator[tuple[str, Rule]]:
    yield from (("", rule) for rule in table.quality)
    for column in table.properties:
        if column.required:
            tags = [OWN] if column.is_own else []
            about = f"{column.name} is never missing."
            yield (
                column.name,
                Rule.model_construct(name=_PRESENCE, description=about, metric="nullValues", mustBe=0, tags=tags),
            )
        yield from ((column.name, rule) for rule in column.quality)


def _check_piece(
    piece: pd.DataFrame, start: int, tallies: Sequence[_Tally], parameters: Parameters, runner: Runner
) -> None:
    """Hold the rules about single rows against a piece of the table."""
    frame = _frame(piece, [name for tally in tallies for name in tally.read_columns], start)
    suite = [(tally, each) for tally in tallies for each in build_expectations(tally.column, tally.rule, parameters)]
    for (tally, _), outcome in zip(suite, runner.run(frame, [each for _, each in suite]), strict=True):
        _add(tally, [outcome])


def _check_pairs(table: pd.DataFrame, tally: _Tally, parameters: Parameters, runner: Runner) -> None:
    """Hold a rule that differs by row against each pair of key and value once, however many rows have it."""
    codes, pairs = pd.factorize(number_keys(table, tally.read_columns))
    if not len(pairs):
        return
    first = np.full(len(pairs), len(table), dtype="int64")
    np.minimum.at(first, codes, np.arange(len(table)))
    frame = _frame(table.iloc[first], tally.read_columns, 0)
    for outcome in runner.run(frame, build_expectations(tally.column, tally.rule, parameters)):
        broken = np.zeros(len(pairs), dtype="bool")
        broken[outcome.rows] = True
        _add(tally, [replace(outcome, rows=np.flatnonzero(broken[codes] & (pairs[codes] >= 0)))])


def _check_unique(table: pd.DataFrame, tally: _Tally, runner: Runner) -> None:
    """Hold a rule about unique rows against one whole number per row; a row that misses a part is left out."""
    keys = number_keys(table, tally.key_columns)
    whole = np.flatnonzero(keys >= 0)
    frame = pd.DataFrame({_KEY: keys[whole], ROW: whole})
    _add(tally, runner.run(frame, build_expectations(_KEY, tally.rule, {})))


def _frame(piece: pd.DataFrame, columns: Sequence[str], start: int) -> pd.DataFrame:
    """Return the columns with missing text as missing, and the positions of the rows in the table."""
    frame = piece[list(dict.fromkeys(columns))].reset_index(drop=True)
    for column in frame.columns[frame.dtypes == "str"]:
        frame[column] = frame[column].mask(frame[column] == "")
    return frame.assign(**{ROW: np.arange(start, start + len(frame))})


def _add(tally: _Tally, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        tally.evaluated &= outcome.evaluated
        tally.success &= outcome.success
        tally.rows.append(outcome.rows)


def _verdict(contract: str, tally: _Tally, table: pd.DataFrame) -> Verdict:
    rule, n_checked = tally.rule, _count_checked(tally.rule, table)
    description, rows = rule.description, _merge(tally.rows)
    passed, n_failed = tally.success, len(rows)
    if not tally.evaluated:
        passed, n_failed, rows = False, n_checked, rows[:0]
        description = f"{description} (The rule could not be evaluated.)"
    elif rule.metric == "rowCount":
        n_failed = 0 if passed else n_checked
    elif not rule.is_about_rows:
        passed, rows = rule.allows(n_failed, n_checked), rows[:0]
    return Verdict(
        contract,
        rule.name,
        tally.column or ", ".join(rule.arguments.properties or []),
        rule.severity,
        passed,
        n_checked,
        n_failed,
        description,
        rule.is_own,
        tuple(rows.tolist()),
    )


def _merge(rows: Sequence[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate(rows)) if rows else np.empty(0, dtype="int64")


def _count_checked(rule: Rule, table: pd.DataFrame) -> int:
    condition = rule.condition
    return len(table) if condition is None else int(table[condition.property].isin(condition.validValues).sum())

"""Verdicts: what came of each rule, and tables that carry theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from data_contracts.rules import Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one rule on one table; it holds no values of the table.

    Attributes
    ----------
    contract, rule : str
        Which rule of which contract.
    column : str
        The column it is about; empty for a rule about the whole table.
    severity : {"error", "warning", "info"}
        As the contract says.
    passed : bool
        Whether every row obeyed, or few enough did not where the rule has a bound.
    n_checked, n_failed : int
        Rows looked at and rows that broke the rule.
    description : str
        What the rule asks, in words.
    is_own : bool
        Whether the study added the rule to the project's contract.
    rows : tuple of int
        Positions of the rows that broke it; none for a rule that bounds a number of rows.
    """

    contract: str
    rule: str
    column: str
    severity: Severity
    passed: bool
    n_checked: int
    n_failed: int
    description: str
    is_own: bool = False
    rows: tuple[int, ...] = field(default=(), repr=False)


VERDICT_COLUMNS = ("contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own")


def verdicts_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return verdicts as a table, in the order given, without row positions."""
    rows = [{name: getattr(verdict, name) for name in VERDICT_COLUMNS} for verdict in verdicts]
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS)).astype(
        dict.fromkeys(VERDICT_COLUMNS, "str")
        | {"passed": "bool", "n_checked": "int64", "n_failed": "int64", "is_own": "bool"}
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """A table together with the verdicts of its contract."""

    table: pd.DataFrame
    verdicts: tuple[Verdict, ...]

"""Quarantine: rows and cells that broke a rule are set aside with a reason, and the sum is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data_contracts.checking import check_table
from data_contracts.errors import DataContractError, Problem
from data_contracts.expectations import Parameters
from data_contracts.model import Contract
from data_contracts.rules import Rule
from data_contracts.verdicts import Verdict

QUARANTINE_DTYPES = {
    "source": "str",
    "source_row": "int64",
    "column": "str",
    "rule": "str",
    "severity": "str",
    "reason": "str",
    "how_to_fix": "str",
}
RECONCILIATION_DTYPES = {
    "source": "str",
    "rows_read": "int64",
    "rows_accepted": "int64",
    "rows_quarantined": "int64",
    "rows_excluded": "int64",
    "cells_quarantined": "int64",
    "reasons": "str",
    "sha256": "str",
}


@dataclass(frozen=True, slots=True)
class SetAside:
    """One line of the quarantine.

    `severity` is ``row`` (the source row is quarantined), ``cell`` (only this cell is) or ``excluded`` (the row holds
    nothing that is not kept elsewhere, such as an exact duplicate). It never holds a value of the data.
    """

    source: str
    source_row: int
    column: str
    rule: str
    severity: str
    reason: str
    how_to_fix: str


@dataclass(frozen=True, slots=True)
class Enforced:
    """A table after its contract: what stays, what was set aside (index = position in the table), the verdicts."""

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[Verdict, ...]


def enforce(
    table: pd.DataFrame,
    contract: Contract,
    parameters: Parameters | None = None,
    *,
    severity: str,
    column_of: Callable[[Mapping[str, Any], str], str] | None = None,
    codes_of: Callable[[Mapping[str, Any], str], Sequence[str]] = lambda row, column: (),
) -> Enforced:
    """Set aside every row of a table that breaks a rule of severity `error`.

    Parameters
    ----------
    table : DataFrame
        With ``source`` and ``source_row``; one row per source row, or per cell.
    contract, parameters
        As in `check_table`.
    severity : {"row", "cell"}
        What one row of `table` stands for.
    column_of : callable, optional
        ``(row, column of the rule) -> column in the source``, for the quarantine.
    codes_of : callable, optional
        ``(row, column of the rule) -> codes of the source that are allowed there``, told instead of the study's own
        names for them.

    Raises
    ------
    DataContractError
        The columns are wrong, the table is empty, or a rule could not be evaluated: nothing can be set aside by row.
    """
    verdicts = check_table(table, contract, parameters)
    _raise_for_whole_table(verdicts)
    rules = {rule.name: rule for _, rule in contract.table.rules}
    frame = table.reset_index(drop=True)
    lines: list[SetAside] = []
    broken: set[int] = set()
    for verdict in verdicts:
        if verdict.severity != "error":
            continue
        broken.update(verdict.rows)
        for row in frame.loc[list(verdict.rows)].to_dict("records"):
            column = column_of(row, verdict.column) if column_of else verdict.column
            lines.append(
                SetAside(
                    str(row["source"]),
                    int(row["source_row"]),
                    column,
                    verdict.rule,
                    severity,
                    _reason(verdict, rules.get(verdict.rule), row, parameters or {}, codes_of(row, verdict.column)),
                    rules[verdict.rule].how_to_fix if verdict.rule in rules else "Fill in the missing value.",
                )
            )
    keep = ~frame.index.isin(sorted(broken))
    return Enforced(frame[keep], frame[~keep], tuple(lines), verdicts)


def quarantine_table(set_aside: Sequence[SetAside]) -> pd.DataFrame:
    """Return the quarantine as a table, ordered by source, row, column and rule."""
    rows = [{name: getattr(line, name) for name in QUARANTINE_DTYPES} for line in set_aside]
    table = pd.DataFrame(rows, columns=list(QUARANTINE_DTYPES)).astype(QUARANTINE_DTYPES)
    return table.drop_duplicates().sort_values(["source", "source_row", "column", "rule"]).reset_index(drop=True)


def reconcile(
    rows_read: Mapping[str, int],
    rows_accepted: Mapping[str, int],
    set_aside: Sequence[SetAside],
    fingerprints: Mapping[str, str],
) -> pd.DataFrame:
    """Account for every source row read; raises `DataContractError` when the sum does not hold.

    Parameters
    ----------
    rows_read, rows_accepted : mapping
        Source -> number of rows. Both are counted independently of `set_aside`.
    set_aside : sequence of SetAside
        Every line of the quarantine.
    fingerprints : mapping
        Source -> SHA-256 of its file.

    Returns
    -------
    DataFrame
        One row per source: ``rows_read = rows_accepted + rows_quarantined + rows_excluded``.
    """
    fate: dict[tuple[str, int], SetAside] = {}
    for line in set_aside:
        at = (line.source, line.source_row)
        if line.severity == "row" or (line.severity == "excluded" and at not in fate):
            fate[at] = line
    records = [
        _account(source, read, rows_accepted.get(source, 0), fate, set_aside) | {"sha256": fingerprints[source]}
        for source, read in rows_read.items()
    ]
    table = pd.DataFrame(records, columns=list(RECONCILIATION_DTYPES)).astype(RECONCILIATION_DTYPES)
    off = table[table["rows_read"] != table["rows_accepted"] + table["rows_quarantined"] + table["rows_excluded"]]
    if len(off):
        raise DataContractError(
            Problem(
                "rows_lost",
                f"{row['rows_read']} rows were read, but {row['rows_accepted']} accepted, {row['rows_quarantined']} "
                f"quarantined and {row['rows_excluded']} excluded.",
                "This is a defect: please report it. Nothing was stored.",
                str(row["source"]),
            )
            for row in off.to_dict("records")
        )
    return table


def _account(
    source: str, read: int, accepted: int, fate: Mapping[tuple[str, int], SetAside], lines: Sequence[SetAside]
) -> dict[str, Any]:
    mine = [line for (name, _), line in fate.items() if name == source]
    reasons = Counter(line.rule for line in mine)
    cells = {(line.source_row, line.column) for line in lines if line.source == source and line.severity == "cell"}
    return {
        "source": source,
        "rows_read": read,
        "rows_accepted": accepted,
        "rows_quarantined": sum(line.severity == "row" for line in mine),
        "rows_excluded": sum(line.severity == "excluded" for line in mine),
        "cells_quarantined": len(cells),
        "reasons": "; ".join(f"{rule}: {count}" for rule, count in sorted(reasons.items())),
    }


def _raise_for_whole_table(verdicts: Sequence[Verdict]) -> None:
    fatal = [verdict for verdict in verdicts if not verdict.passed and verdict.severity == "error" and not verdict.rows]
    if fatal:
        raise DataContractError(
            Problem(
                "contract_broken",
                f"Table {verdict.contract}: rule {verdict.rule} is broken. {verdict.description}",
                "Nothing was stored.",
                key=verdict.column,
            )
            for verdict in fatal
        )


def _reason(
    verdict: Verdict, rule: Rule | None, row: Mapping[str, Any], parameters: Parameters, codes: Sequence[str]
) -> str:
    if rule is None:
        return f"The {verdict.column.replace('_', ' ')} is missing."
    argument = rule.arguments.validRange or rule.arguments.validValues
    if argument is None or isinstance(argument, list):
        return verdict.description
    allowed = parameters[argument.parameter]
    values = allowed[row[argument.per]] if argument.per else allowed
    shown = ", ".join(codes) or (
        " to ".join(f"{value:g}" for value in values)
        if rule.arguments.validRange
        else ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    )
    return f"{verdict.description} Allowed: {shown}."

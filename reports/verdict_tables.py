"""The rules that the data were held to, table by table, without numbers of rows that would tell numbers of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from reports.cells import Table
from reports.disclosure import THRESHOLD
from reports.numbers import format_count, say_portion

SEVERITIES: Final = {"error": "must hold", "warning": "should hold", "info": "worth knowing"}
OWN: Final = "rule of this study"
ROWS_NOTE: Final = (
    "Numbers of rows are given as powers of ten and as shares: rows are answers of people, and exact numbers of them "
    "could be set against numbers of people."
)
_COLUMNS: Final = ("Rule", "About", "Weight", "Verdict", "Rows checked", "Rows that broke it")
_SHOWN: Final = ["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]


def verdict_tables(verdicts: pd.DataFrame, profile: str) -> tuple[Table, ...]:
    """Return what became of each rule of the data contracts, one table per contract.

    Parameters
    ----------
    verdicts : DataFrame
        contract, rule, column, severity, passed, n_checked, n_failed, description, is_own.
    profile : {"threshold-10", "none"}
        Under ``none`` numbers of rows are exact; otherwise they are powers of ten, and shares in words.

    Returns
    -------
    tuple of Table
        Tables with a broken rule first, and in each the broken rules first, errors before warnings before remarks.
    """
    rows = verdicts[_SHOWN].to_dict("records")
    contracts = dict.fromkeys(row["contract"] for row in rows)
    grouped = {name: sorted((row for row in rows if row["contract"] == name), key=_rank) for name in contracts}
    ordered = sorted(grouped.items(), key=lambda item: _rank(item[1][0]))
    notes = () if profile == "none" else (ROWS_NOTE,)
    tables = [
        Table(_caption(name, mine), _COLUMNS, tuple(tuple(_cells(row, profile)) for row in mine))
        for name, mine in ordered
    ]
    return (*tables[:-1], *(Table(one.caption, one.columns, one.rows, notes) for one in tables[-1:]))


def _rank(row: dict[str, Any]) -> tuple[bool, int]:
    return bool(row["passed"]), 0 if row["passed"] else list(SEVERITIES).index(row["severity"])


def _caption(contract: str, rows: list[dict[str, Any]]) -> str:
    broken = sum(not row["passed"] for row in rows)
    told = f"{broken} of {len(rows)} rules broken" if broken else f"all {len(rows)} rules hold"
    return f"Table {contract}: {told}"


def _cells(row: dict[str, Any], profile: str) -> Iterator[str]:
    rule = row["rule"].replace("_", " ")
    about = f"{rule} ({row['column']})" if row["column"] else rule
    yield f"{about}: {OWN}" if row["is_own"] else about
    yield row["description"]
    yield SEVERITIES[row["severity"]]
    yield "holds" if row["passed"] else _say_broken(row)
    yield format_count(row["n_checked"]) if profile == "none" else _at_least(row["n_checked"])
    yield format_count(row["n_failed"]) if profile == "none" else say_portion(row["n_failed"], row["n_checked"]).lower()


def _say_broken(row: dict[str, Any]) -> str:
    return "broken; what broke it was set aside" if row["severity"] == "error" else "broken; the data were kept"


def _at_least(count: int) -> str:
    """Return a number of rows as the power of ten below it: ten times as many stay possible."""
    if count < THRESHOLD:
        return "none" if not count else f"fewer than {THRESHOLD}"
    return f"at least {format_count(10 ** (len(str(count)) - 1))}"

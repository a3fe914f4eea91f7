"""The rules that the data were held to, table by table, without numbers of rows that would tell numbers of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from analysis.profiles import PROFILES
from data_contracts.rules import RESERVED
from reports.cells import Table
from reports.language import mark, own_words, say, say_as, say_many
from reports.numbers import format_count, say_portion
from reports.own_words import name_of_rule

SEVERITIES: Final = {"error": mark("must hold"), "warning": mark("should hold"), "info": mark("worth knowing")}
OWN: Final = mark("{rule}: rule of this study")
ROWS_NOTE: Final = mark(
    "Numbers of rows are given as powers of ten and as shares: rows are answers of people, and exact numbers of them "
    "could be set against numbers of people."
)
TABLES: Final = {
    "attendance": mark("Rows of sessions, as delivered"),
    "attendance_cells": mark("Cells of sessions, as delivered"),
    "cells": mark("Cells of answers, as delivered"),
    "coding_rows": mark("Rows of coded interviews, as delivered"),
    "codings": mark("Coded interviews"),
    "delivered_scores": mark("Scores that came with the data"),
    "deliveries": mark("Rows of answers, as delivered"),
    "drift": mark("Differences between deliveries"),
    "event_rows": mark("Rows of events, as delivered"),
    "events": mark("Events"),
    "flags": mark("Flagged answers"),
    "linking": mark("Links between ids"),
    "participants": mark("Participants"),
    "quarantine": mark("Rows that were set aside"),
    "quotations": mark("Quotations"),
    "reconciliation": mark("Account of the rows"),
    "responses": mark("Answers"),
    "results": mark("Results"),
    "scores": mark("Scores"),
    "sessions": mark("Sessions"),
}
"""Contract -> what its table holds, in words."""
_COLUMNS: Final = (
    mark("Rule"),
    mark("What it asks, or what breaks it"),
    mark("Weight"),
    mark("Verdict"),
    mark("Rows checked"),
    mark("Rows that broke it"),
)
_, PRESENCE = RESERVED
_BUILT_IN: Final = (mark("columns"), mark("not missing"))
"""Names of the rules that every contract has, as words."""
_SHOWN: Final = ["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]


def verdict_tables(verdicts: pd.DataFrame, profile: str) -> tuple[Table, ...]:
    """Return what became of each rule of the data contracts, one table per contract.

    Parameters
    ----------
    verdicts : DataFrame
        contract, rule, column, severity, passed, n_checked, n_failed, description, is_own.
    profile : str
        A key of `analysis.profiles.PROFILES`. Under ``none`` numbers of rows are exact; otherwise they are powers of
        ten, and shares in words.

    Returns
    -------
    tuple of Table
        Tables with a broken rule first, and in each the broken rules first, errors before warnings before remarks.
    """
    rows = verdicts[_SHOWN].to_dict("records")
    contracts = dict.fromkeys(row["contract"] for row in rows)
    grouped = {name: sorted((row for row in rows if row["contract"] == name), key=_rank) for name in contracts}
    ordered = sorted(grouped.items(), key=lambda item: _rank(item[1][0]))
    notes = () if profile == "none" else (say(ROWS_NOTE),)
    columns = tuple(say(column) for column in _COLUMNS)
    tables = [Table(_caption(name, mine), columns, tuple(_lines(mine, profile))) for name, mine in ordered]
    return (*tables[:-1], *(Table(one.caption, one.columns, one.rows, notes) for one in tables[-1:]))


def _lines(rows: list[dict[str, Any]], profile: str) -> Iterator[tuple[str, ...]]:
    """Yield a line for each rule; those by which a column is never missing, and is not, have one for all of them."""
    present = [row for row in rows if row["rule"] == PRESENCE and row["passed"] and not row["is_own"]]
    for row in rows:
        if len(present) < 2 or row not in present:
            yield tuple(_cells(row, profile))
        elif row is present[0]:
            _, _, *cells = _cells(row, profile)
            told = say_many(
                "Nothing is missing in {count} column that must be filled.",
                "Nothing is missing in {count} columns that must be filled.",
                len(present),
                count=format_count(len(present)),
            )
            yield say(name_of_rule(PRESENCE)), told, *cells


def _rank(row: dict[str, Any]) -> tuple[bool, int]:
    return bool(row["passed"]), 0 if row["passed"] else list(SEVERITIES).index(row["severity"])


def _caption(contract: str, rows: list[dict[str, Any]]) -> str:
    table = say(TABLES[contract]) if contract in TABLES else contract
    broken, count = sum(not row["passed"] for row in rows), len(rows)
    if broken:
        return say(
            "{table}: rules broken: {broken} of {count}",
            table=table,
            broken=format_count(broken),
            count=format_count(count),
        )
    return say_many(
        "{table}: its {count} rule holds",
        "{table}: all {count} rules hold",
        count,
        table=table,
        count=format_count(count),
    )


def _cells(row: dict[str, Any], profile: str) -> Iterator[str]:
    name = name_of_rule(row["rule"])
    rule = name if row["is_own"] else say(name)
    if row["is_own"]:
        about = say("{rule} ({column})", rule=rule, column=row["column"]) if row["column"] else rule
        yield say(OWN, rule=about)
    else:
        yield rule
    yield _describe(row)
    yield say(SEVERITIES[row["severity"]])
    yield say("holds") if row["passed"] else _say_broken(row)
    if profile == "none":
        yield format_count(row["n_checked"])
        yield format_count(row["n_failed"])
    else:
        yield _at_least(row["n_checked"], PROFILES[profile].threshold)
        yield say_portion(row["n_failed"], row["n_checked"])


def _describe(row: dict[str, Any]) -> str:
    """Return what a rule asks: in our words, or in those of the study that added it."""
    if row["rule"] == PRESENCE:
        return say("{column} is never missing.", column=row["column"])
    return own_words(row["description"]) if row["is_own"] else say(row["description"])


def _say_broken(row: dict[str, Any]) -> str:
    if row["severity"] == "error":
        return say("broken; what broke it was set aside")
    return say("broken; the data were kept")


def _at_least(count: int, threshold: int) -> str:
    """Return a number of rows as the power of ten below it: ten times as many stay possible."""
    if not count:
        return say_as("rows", "none")
    if count < threshold:
        return say("fewer than {count}", count=format_count(threshold))
    return say("at least {count}", count=format_count(10 ** (len(str(count)) - 1)))

"""Attendance: from logs and rosters to one row per participant and session, with every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from data_contracts import SetAside, Verdict, conform, enforce
from data_contracts.model import Contract
from pipelines.deliveries import ROW, list_identical_files
from pipelines.linking import PLACE_PREFIX, pseudonymise
from pipelines.rows import UNDECLARED
from pipelines.sessions.declarations import ATTENDANCE
from pipelines.sessions.lines import DAY, SessionFile, list_lines, number_by_day
from pipelines.study import Study

PREFIX: Final = {"group": PLACE_PREFIX["group"], "facilitator": "f_"}
"""What may name a person or a place, and how its pseudonyms begin."""
_CODED: Final = ("format", "facilitator", "group")
_BESIDE: Final = (*_CODED, "day", "minutes")
_KEY: Final = ["participant_id", "session"]


@dataclass(frozen=True, slots=True)
class Attendance:
    """What came of the attendance logs.

    Attributes
    ----------
    sessions : DataFrame
        One row per participant and session, as the contract `sessions` has it.
    rows_accepted : mapping
        Table -> number of source rows that were not set aside.
    set_aside : tuple of SetAside
        Lines of the quarantine.
    verdicts : tuple of Verdict
        Of the contracts of attendance on arrival; none without a log.
    """

    sessions: pd.DataFrame
    rows_accepted: Mapping[str, int]
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[Verdict, ...]


def take_in_sessions(
    study: Study,
    files: Sequence[SessionFile],
    participants: pd.DataFrame,
    baseline: pd.Series,
    key: bytes,
    contracts: Mapping[str, Contract],
) -> Attendance:
    """Link and check the attendance of participants.

    Parameters
    ----------
    study, files
        What is declared, and what was delivered.
    participants : DataFrame
        The participants whose answers could be used, with their group.
    baseline : Series of datetime64
        Day of the answers at baseline, by participant; days of sessions count from it.
    key : bytes
        Secret of the pseudonyms: of participants, of facilitators, and of groups that study.yaml does not translate.
    contracts : mapping
        With ``attendance``, ``attendance_cells`` and ``sessions``.

    Returns
    -------
    Attendance
        Rows of people who are no participants, of sessions or with codes that are not declared, and rows that
        contradict each other are in its `set_aside`, and so are rows that repeat another. A cell of a roster with an
        unknown code, and what a log tells beside attendance and cannot be read, is set aside alone.
    """
    if not files:
        return Attendance(conform(pd.DataFrame(columns=list(contracts["sessions"].table.dtypes)),
                                  contracts["sessions"]), {}, (), ())  # fmt: skip
    aside = [*[line for file in files for line in file.table.set_aside], *list_identical_files(files)]
    rows = pd.concat(
        [pd.DataFrame({"source": file.table.source, "source_row": file.table.cells.index}) for file in files],
        ignore_index=True,
    )
    lines = number_by_day(pd.concat([list_lines(study, file) for file in files], ignore_index=True))
    lines["participant_id"] = pseudonymise(lines["participant_id"], study.study, key)
    lines = _without(lines, aside)
    is_cell = lines["is_roster"] & lines["attended"].str.startswith(UNDECLARED)
    unknown, lines = lines[is_cell], lines[~is_cell]
    lines, repeated = _said_once(lines)
    checked, broken = _enforce_lines(lines, files, participants, contracts["attendance"])
    aside += [*repeated, *broken]
    lines, unknown = _without(lines, broken), _without(unknown, aside)
    accepted = _without(rows, aside).groupby("source", sort=False).size().to_dict()
    lines, of_cells, cells = _enforce_cells(lines, unknown, files, contracts["attendance_cells"])
    return Attendance(
        _sessions(study, lines, files, participants, baseline, key, contracts["sessions"]),
        accepted,
        (*aside, *cells),
        (*checked, *of_cells),
    )


def _said_once(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[SetAside]]:
    """Return the lines without those that repeat another; a source row whose every line does is excluded."""
    named = lines[(lines["participant_id"] != "") & (lines["session"] != "")]
    repeated = pd.Series(False, index=lines.index)
    repeated.loc[named.index] = named.duplicated([*_KEY, "attended", *_BESIDE])
    whole = repeated.groupby([lines[name] for name in ROW], sort=False).transform("all")
    rows = lines.loc[whole, ROW].drop_duplicates()
    told, advice = "The row tells the same as an earlier row.", "Nothing to do: the earlier row is used."
    return lines[~repeated].reset_index(drop=True), [
        SetAside(source, int(row), "", "identical_duplicate", "excluded", told, advice)
        for source, row in zip(rows["source"], rows["source_row"], strict=True)
    ]


def _enforce_lines(
    lines: pd.DataFrame, files: Sequence[SessionFile], participants: pd.DataFrame, contract: Contract
) -> tuple[tuple[Verdict, ...], tuple[SetAside, ...]]:
    """Hold lines against the contract of rows; a row of which any line is broken is set aside whole."""
    if lines.empty:
        return (), ()
    known = lines["participant_id"].isin(["", *participants["participant_id"]])  # a row without an id has its own rule
    table = lines.assign(is_participant=known.map({True: "yes", False: "no"}))[list(contract.table.dtypes)]
    declared = {file.table.source: file.declared for file in files}
    ids = {source: ", ".join(one.participant_id.columns) for source, one in declared.items()}
    columns = {source: {use: column for column, use in one.columns} for source, one in declared.items()}
    codes = {source: list(one.attended.values) if one.attended else [] for source, one in declared.items()}

    def column_of(row: Mapping[str, object], ruled: str) -> str:
        source = str(row["source"])
        if ruled == "session":
            return columns[source].get("session") or columns[source].get("held_on", "")
        return columns[source].get("attended", "") if ruled == "attended" else ids[source]

    checked = enforce(
        conform(table, contract),
        contract,
        {"attendance": list(ATTENDANCE)},
        severity="row",
        column_of=column_of,
        codes_of=lambda row, ruled: codes[str(row["source"])] if ruled == "attended" else [],
    )
    return checked.verdicts, checked.set_aside


def _enforce_cells(
    lines: pd.DataFrame, unknown: pd.DataFrame, files: Sequence[SessionFile], contract: Contract
) -> tuple[pd.DataFrame, tuple[Verdict, ...], tuple[SetAside, ...]]:
    """Return the lines without what cannot be read beside attendance; `unknown` are roster cells of unknown code."""
    column_of = {
        file.table.source: {"format" if use == "meets" else "day" if use == "held_on" else use: column
                            for column, use in file.declared.columns}
        for file in files
    }  # fmt: skip
    parts = [unknown.assign(kind="attended", code=unknown["attended"], reading="code", minutes=np.nan)]
    for kind in _BESIDE:
        columns = {source: column for source, told in column_of.items() if (column := told.get(kind))}
        told = lines[(lines[kind] != "") & lines["source"].isin(list(columns))].drop_duplicates(ROW)
        parts.append(_cells_of(told, kind).assign(column=told["source"].map(columns)))
    cells = conform(pd.concat(parts)[list(contract.table.dtypes)], contract)
    if cells.empty:
        return lines, (), ()
    checked = enforce(cells, contract, severity="cell", column_of=lambda cell, _: str(cell["column"]))
    kept = lines.copy()
    for kind, gone in checked.rejected.groupby("kind"):
        if kind in _BESIDE:
            kept[kind] = kept[kind].mask(_at(kept).isin(_at(gone)), "")
    return kept, checked.verdicts, checked.set_aside


def _cells_of(told: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return cells of one kind: their code, or the number or day that was read."""
    text = told[kind]
    if kind in _CODED:
        return told.assign(kind=kind, code=text, reading="code", minutes=np.nan)
    if kind == "day":
        reading = text.str.startswith(UNDECLARED).map({True: "unreadable", False: "day"})
        return told.assign(kind=kind, code="", reading=reading, minutes=np.nan)
    is_number = text.str.fullmatch(r"[0-9]+(\.[0-9]+)?")
    reading = is_number.map({True: "number", False: "unreadable"})
    return told.assign(kind=kind, code="", reading=reading, minutes=text.where(is_number, "nan").astype("float64"))


def _sessions(
    study: Study,
    lines: pd.DataFrame,
    files: Sequence[SessionFile],
    participants: pd.DataFrame,
    baseline: pd.Series,
    key: bytes,
    contract: Contract,
) -> pd.DataFrame:
    """Return the table of sessions: names under pseudonyms, days since baseline, what the calendar adds."""
    table = lines.copy()
    calendars = {file.table.source: {one.id: one for one in file.declared.calendar} for file in files}
    planned = [
        calendars[source].get(session) for source, session in zip(table["source"], table["session"], strict=True)
    ]
    for column, told in {
        "day": [(one.date if one else None) or "" for one in planned],
        "format": [(one.meets if one else None) or "" for one in planned],
    }.items():
        table[column] = table[column].mask(table[column] == "", pd.Series(told, index=table.index, dtype="str"))
    for role, prefix in PREFIX.items():
        translated = {file.table.source: bool((told := getattr(file.declared, role)) and told.values) for file in files}
        named = pseudonymise(table[role], f"{study.study} {role}", key, prefix=prefix)
        table[role] = table[role].where(table["source"].map(translated).astype("bool"), named)
    own = table["participant_id"].map(participants.set_index("participant_id")["group"]).fillna("")
    table["group"] = table["group"].mask(table["group"] == "", own)
    days = pd.to_datetime(table["day"].where(table["day"] != ""))
    table["days_since_baseline"] = (days - table["participant_id"].map(baseline)) / DAY
    table["minutes"] = table["minutes"].where(table["minutes"] != "", "nan").astype("float64")
    return conform(table[list(contract.table.dtypes)], contract)


def _at(table: pd.DataFrame) -> pd.Series:
    return table["source"] + "\x1f" + table["source_row"].astype("str")


def _without(rows: pd.DataFrame, lines: Sequence[SetAside]) -> pd.DataFrame:
    gone = {f"{line.source}\x1f{line.source_row}" for line in lines}
    return rows[~_at(rows).isin(gone)].reset_index(drop=True)

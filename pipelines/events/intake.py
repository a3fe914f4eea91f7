"""Events: from lists of what happened to one row per event, with every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from data_contracts import SetAside, Verdict, conform, enforce
from data_contracts.model import Contract
from pipelines.deliveries import list_identical_files
from pipelines.events.lines import DAY, NOTHING_HAPPENED, EventFile, list_events
from pipelines.linking import pseudonymise
from pipelines.lists import drop_set_aside
from pipelines.study import Study

DAYS_BEFORE: Final = 366
"""Days before baseline from which on the day of an event cannot be right."""
DAYS_AFTER: Final = 731
"""Days after the last timepoint from which on it cannot be."""
_ONE_DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Events:
    """What came of the lists of events.

    Attributes
    ----------
    events : DataFrame
        One row per event, as the contract `events` has it.
    rows_accepted : mapping
        Table -> number of source rows that were not set aside, rows that tell of no event among them.
    set_aside : tuple of SetAside
        Lines of the quarantine.
    verdicts : tuple of Verdict
        Of the contract of events on arrival; none without events.
    """

    events: pd.DataFrame
    rows_accepted: Mapping[str, int]
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[Verdict, ...]


def take_in_events(
    study: Study,
    files: Sequence[EventFile],
    rows: pd.DataFrame,
    baseline: pd.Series,
    key: bytes,
    contracts: Mapping[str, Contract],
    parameters: Mapping[str, Any],
) -> Events:
    """Link and check what happened to participants.

    Parameters
    ----------
    study, files
        What is declared, and what was delivered.
    rows : DataFrame
        The accepted rows of answers: participant_id, timepoint, days_since_baseline.
    baseline : Series of datetime64
        Day of the answers at baseline, by participant; days of events count from it.
    key : bytes
        Secret of the pseudonyms.
    contracts : mapping
        With ``event_rows`` and ``events``.
    parameters : mapping
        What the study allows.

    Returns
    -------
    Events
        Rows of people who are no participants, of events or timepoints that are not declared, of days that cannot be
        read, cannot be right or count from nothing are in its `set_aside`; so are rows that repeat another.
    """
    if not files:
        nothing = pd.DataFrame(columns=list(contracts["events"].table.dtypes))
        return Events(conform(nothing, contracts["events"]), {}, (), ())
    aside = [*[line for file in files for line in file.table.set_aside], *list_identical_files(files)]
    lines = pd.concat([list_events(study, file) for file in files], ignore_index=True)
    lines["participant_id"] = pseudonymise(lines["participant_id"], study.study, key)
    lines = drop_set_aside(lines, aside)
    is_told = lines["event"] != NOTHING_HAPPENED
    told, repeated = _said_once(lines[is_told].reset_index(drop=True))
    days = pd.to_datetime(told["day"].where(told["day"] != "")) - told["participant_id"].map(baseline)
    told["days_since_baseline"] = (days / _ONE_DAY).astype("float64")
    checked, broken = _enforce(told, files, rows, contracts["event_rows"], parameters)
    kept = drop_set_aside(told, broken)
    by_day = kept["reading"] == DAY
    kept["timepoint"] = kept["timepoint"].mask(by_day, find_next_timepoints(study, kept, rows))
    used = drop_set_aside(lines, [*repeated, *broken])
    return Events(
        conform(kept[list(contracts["events"].table.dtypes)], contracts["events"]),
        used.groupby("source", sort=False).size().to_dict(),
        (*aside, *repeated, *broken),
        checked,
    )


def find_next_timepoints(study: Study, events: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Return the first timepoint on or after the day of each event, empty after the last.

    A timepoint is on the day of the participant's own answers where that is told, on the planned day otherwise;
    baseline is day 0.
    """
    told = rows[rows["days_since_baseline"].notna()]
    answered = told.groupby(["participant_id", "timepoint"])["days_since_baseline"].max()
    timepoints = sorted(study.timepoints, key=lambda timepoint: timepoint.week)
    found = pd.Series("", index=events.index, dtype="str")
    for place, timepoint in reversed(list(enumerate(timepoints))):
        planned = 7.0 * (timepoint.week - timepoints[0].week)
        at = pd.MultiIndex.from_arrays([events["participant_id"], [timepoint.id] * len(events)])
        own = answered.reindex(at).fillna(planned).to_numpy() if place else np.zeros(len(events))
        found = found.mask(events["days_since_baseline"] <= own, timepoint.id)
    return found


def allowed_event_days(study: Study) -> tuple[float, float]:
    """Return how many days from baseline the day of an event can be right."""
    weeks = [timepoint.week for timepoint in study.timepoints]
    return (-float(DAYS_BEFORE), 7.0 * (max(weeks) - min(weeks)) + DAYS_AFTER)


def _said_once(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[SetAside]]:
    """Return the lines without those that repeat an event of the same day or timepoint."""
    is_whole = (lines[["participant_id", "event"]] != "").all(axis=1) & ((lines["day"] + lines["timepoint"]) != "")
    repeated = is_whole & lines.duplicated(["participant_id", "event", "day", "timepoint"])
    told, advice = "The row tells the same as an earlier row.", "Nothing to do: the earlier row is used."
    return lines[~repeated].reset_index(drop=True), [
        SetAside(source, int(row), "", "identical_duplicate", "excluded", told, advice)
        for source, row in zip(lines.loc[repeated, "source"], lines.loc[repeated, "source_row"], strict=True)
    ]


def _enforce(
    told: pd.DataFrame,
    files: Sequence[EventFile],
    rows: pd.DataFrame,
    contract: Contract,
    parameters: Mapping[str, Any],
) -> tuple[tuple[Verdict, ...], tuple[SetAside, ...]]:
    """Hold events against the contract of rows."""
    if told.empty:
        return (), ()
    is_known = told["participant_id"].isin(["", *rows["participant_id"]])  # a row without an id has its own rule
    is_linked = is_known & (told["participant_id"] != "")
    counts = (told["reading"] != DAY) | ~is_linked | told["days_since_baseline"].notna()
    words = {True: "yes", False: "no"}
    table = told.assign(is_participant=is_known.map(words), is_counted_from=counts.map(words))
    declared = {file.table.source: file.declared for file in files}

    def column_of(row: Mapping[str, object], ruled: str) -> str:
        source = declared[str(row["source"])]
        if ruled in ("participant_id", "is_participant"):
            return ", ".join(source.participant_id.columns)
        return source.event.column or "" if ruled == "event" else source.when

    def codes_of(row: Mapping[str, object], ruled: str) -> Sequence[str]:
        return list(declared[str(row["source"])].event.values or {}) if ruled == "event" else []

    checked = enforce(
        conform(table[list(contract.table.dtypes)], contract),
        contract,
        parameters,
        severity="row",
        column_of=column_of,
        codes_of=codes_of,
    )
    return checked.verdicts, checked.set_aside

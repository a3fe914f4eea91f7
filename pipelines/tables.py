"""The tables of a study from its accepted rows and cells: answers, participants, delivered scores."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts import conform
from data_contracts.model import Contract
from pipelines.consistency import ROLES
from pipelines.deliveries import ROW
from pipelines.readings import Readings
from pipelines.study import Study

_NAN: Final = float("nan")
_DAY: Final = np.timedelta64(1, "D")
Positions = NDArray[np.int64]


def count_days_since_baseline(study: Study, rows: pd.DataFrame, cells: Readings) -> pd.Series:
    """Return the days between a row's answers and the participant's at baseline; NaN where one is not told."""
    days = _answered_on(rows, cells)
    return (days - find_baseline_days(study, rows, cells).reindex(rows["participant_id"]).to_numpy()) / _DAY


def _answered_on(rows: pd.DataFrame, cells: Readings) -> pd.Series:
    """Return the day of each row's answers; NaT where it is not told."""
    at, reading = cells.of("date")
    read = pd.to_datetime(cells.different["level"].where(cells.accepted & (cells.different["kind"] == "date"), ""))
    days = pd.Series(np.datetime64("NaT", "s"), index=rows.index)
    days.iloc[at] = read.to_numpy()[reading]
    return days


def find_baseline_days(study: Study, rows: pd.DataFrame, cells: Readings) -> pd.Series:
    """Return the day of each participant's answers at baseline, by participant."""
    weeks = {timepoint.id: timepoint.week for timepoint in study.timepoints}
    first = min(weeks, key=lambda timepoint: weeks[timepoint])
    return _answered_on(rows, cells)[rows["timepoint"] == first].groupby(rows["participant_id"]).min()


def build_responses(rows: pd.DataFrame, cells: Readings, contract: Contract) -> pd.DataFrame:
    """Return one row per participant, timepoint and item; an answer that was set aside is missing, and says so."""
    different = cells.different
    names = different["name"].str.partition(" ")
    read = pd.DataFrame({
        "instrument": names[0],
        "item": names[2],
        "raw": different["raw"].where(cells.accepted, ""),
        "value": different["value"].where(cells.accepted, _NAN),
        "missing_reason": different["missing_reason"].where(cells.accepted, "quarantined"),
    })  # fmt: skip
    at, reading = _said_once(rows, read, *cells.of("item"))
    own = rows[["participant_id", "timepoint", "days_since_baseline", *ROW]].take(at)
    return conform(pd.concat([own.reset_index(drop=True), read.take(reading).reset_index(drop=True)], axis=1), contract)


def _said_once(
    rows: pd.DataFrame, read: pd.DataFrame, at: Positions, reading: Positions
) -> tuple[Positions, Positions]:
    """Return one cell per participant, timepoint and item: an answer goes before a blank of another row."""
    who = rows.groupby(["participant_id", "timepoint"], sort=False).ngroup().to_numpy(dtype="int64")
    item = read.groupby(["instrument", "item"], sort=False).ngroup().to_numpy(dtype="int64")
    key = pd.Series(who[at] * (len(read) + 1) + item[reading])
    if key.is_unique:
        return at, reading
    order = np.argsort((read["missing_reason"] != "").to_numpy()[reading], kind="stable")
    stays = np.sort(order[~key.iloc[order].duplicated().to_numpy()])
    return at[stays], reading[stays]


def build_participants(study: Study, rows: pd.DataFrame, cells: Readings, contract: Contract) -> pd.DataFrame:
    """Return the participants; a covariate that was set aside is missing, and no later timepoint stands in for it."""
    people = pd.DataFrame({"participant_id": rows["participant_id"].unique()})
    known = rows.assign(arm=rows["arm"].where(rows["arm"].isin([arm.id for arm in study.arms]), ""))
    for role in ROLES:
        told = known[known[role] != ""].drop_duplicates("participant_id").set_index("participant_id")[role]
        people[role] = people["participant_id"].map(told)
    weeks = {timepoint.id: timepoint.week for timepoint in study.timepoints}
    at, reading = cells.of("covariate")
    read, accepted = cells.different.take(reading).reset_index(drop=True), cells.accepted[reading]
    told_of = pd.DataFrame({
        "participant_id": rows["participant_id"].take(at).to_numpy(),
        "week": rows["timepoint"].map(weeks).to_numpy()[at],
        "name": read["name"],
        "value": read["value"].where(accepted, _NAN),
        "level": read["level"].where(accepted, ""),
        "is_usable": accepted,
    })[~accepted | (read["missing_reason"] == "")]  # fmt: skip
    earliest = told_of.sort_values(["week", "is_usable"], kind="stable").drop_duplicates(["participant_id", "name"])
    for covariate in study.covariates:
        own = earliest[earliest["name"] == covariate.id].set_index("participant_id")
        values = own["value"] if covariate.kind == "number" else own["level"].map(covariate.levels or {})
        column = people["participant_id"].map(values)
        people[covariate.id] = (
            column.astype("float64")
            if covariate.kind == "number"
            else column.astype("object").where(column.notna(), "").astype("str")
        )
    return conform(people, contract)


def build_delivered_scores(rows: pd.DataFrame, cells: Readings, contract: Contract) -> pd.DataFrame:
    """Return the scores that came with the data and obeyed, one row per participant, timepoint and measure."""
    at, reading = cells.of("score")
    used = (cells.accepted & (cells.different["missing_reason"] == "").to_numpy())[reading]
    own = rows[["participant_id", "timepoint", *ROW]].take(at[used]).reset_index(drop=True)
    told = cells.different[["name", "value"]].take(reading[used]).reset_index(drop=True)
    scores = pd.concat([own, told.rename(columns={"name": "measure", "value": "score"})], axis=1)
    return conform(scores[list(contract.table.dtypes)], contract)

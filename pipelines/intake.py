"""Intake: from the files of a study to answers, participants and delivered scores, with every row accounted for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data_contracts import SetAside, Verdict, conform, enforce, quarantine_table, reconcile, shipped_contract
from data_contracts.errors import Problem
from instruments import Instrument
from pipelines.consistency import ROLES
from pipelines.corrections import Correction, correct_table, unused_corrections
from pipelines.deliveries import (
    ROW,
    UNDECLARED,
    Delivery,
    find_topics,
    list_cells,
    list_identical_files,
    list_rows,
    read_deliveries,
)
from pipelines.errors import PipelineError
from pipelines.identities import find_like_ids
from pipelines.linking import count_told, pseudonymise, set_aside_identical
from pipelines.study import Source, Study, derive_design

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_ISO_TIME = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-9:.]+)?")
"""How dates of a spreadsheet, which have no format of their own, are written out."""
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of the files: the tables that the rest of the evaluation starts from."""

    responses: pd.DataFrame
    participants: pd.DataFrame
    delivered_scores: pd.DataFrame
    quarantine: pd.DataFrame
    reconciliation: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    like_ids: pd.DataFrame
    unused_corrections: tuple[int, ...]


def take_in(
    study: Study,
    data_root: Path,
    library: Mapping[str, Instrument],
    key: bytes,
    corrections: Sequence[Correction] = (),
) -> Intake:
    """Read, link and check everything that a study delivers.

    Parameters
    ----------
    study : Study
        The study definition.
    data_root : Path
        Folder that the source paths are relative to.
    library : mapping
        Instrument definitions.
    key : bytes
        Secret of the pseudonyms.
    corrections : sequence of Correction
        The corrections log, applied to the files as read.

    Returns
    -------
    Intake
        Rows and cells that broke a rule are in `quarantine`; a quarantined answer stays in `responses` as missing.

    Raises
    ------
    PipelineError
        A file cannot be read as declared, or a correction does not fit it any more.
    DataContractError
        The sum of rows does not hold, or a contract cannot be checked.
    """
    files = tuple(
        replace(file, table=correct_table(file.table, corrections))
        for file in read_deliveries(study, data_root, library)
    )
    parameters = contract_parameters(study, library)
    aside = [*[line for file in files for line in file.table.set_aside], *list_identical_files(files)]
    rows = pd.concat([list_rows(study, file, library) for file in files], ignore_index=True)
    rows["topic"] = rows["source"].map(find_topics(study, files, library))
    rows["topic"] = rows["topic"].mask(_is_silent(rows), rows["topic"] + " (blank)")
    rows["participant_id"] = pseudonymise(rows["participant_id"], study.study, key)
    rows = _without(rows, aside)
    identical = set_aside_identical(rows)
    rows = _without(rows, identical)
    rows, set_aside, arrival = _enforce_rows(rows, files, parameters)
    cells = enforce(
        _read_cells(study, files, library, rows),
        shipped_contract("cells"),
        parameters,
        severity="cell",
        column_of=lambda row, _: row["column"],
    )
    aside += [*identical, *set_aside, *cells.set_aside]
    accepted = rows.drop_duplicates(ROW).groupby("source", sort=False).size().to_dict()
    return Intake(
        responses=_responses(cells.accepted, cells.rejected),
        participants=_participants(study, rows, cells.accepted, cells.rejected),
        delivered_scores=_delivered(cells.accepted),
        quarantine=quarantine_table(aside),
        reconciliation=reconcile(
            {file.table.source: file.table.rows_read for file in files},
            accepted,
            aside,
            {file.table.source: file.fingerprint for file in files},
        ),
        verdicts=(*arrival, *cells.verdicts),
        like_ids=find_like_ids(files),
        unused_corrections=unused_corrections([file.table.source for file in files], corrections),
    )


def _enforce_rows(
    rows: pd.DataFrame, files: Sequence[Delivery], parameters: Mapping[str, Any]
) -> tuple[pd.DataFrame, list[SetAside], tuple[Verdict, ...]]:
    """Set aside rows until all that stay obey: a participant may have been known by a row that is gone."""
    declared = {file.table.source: file.declared for file in files}
    set_aside: list[SetAside] = []
    verdicts: tuple[Verdict, ...] = ()
    while True:
        checked = enforce(
            _told(rows, parameters["arms"]),
            shipped_contract("deliveries"),
            parameters,
            severity="row",
            column_of=lambda row, ruled: _column_of(declared[row["source"]], ruled),
            codes_of=lambda row, ruled: _codes_of(declared[row["source"]], ruled),
        )
        set_aside += checked.set_aside
        verdicts = _added(verdicts, checked.verdicts)
        if checked.rejected.empty:
            return rows, set_aside, verdicts
        rows = rows[~_at(rows).isin(_at(checked.rejected))].reset_index(drop=True)
        if rows.empty:
            raise PipelineError(_no_row_is_left(set_aside))


def _added(before: tuple[Verdict, ...], after: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    if not before:
        return after
    return tuple(
        replace(first, passed=first.passed and second.passed, n_failed=first.n_failed + second.n_failed)
        for first, second in zip(before, after, strict=True)
    )


def contract_parameters(study: Study, library: Mapping[str, Instrument]) -> dict[str, Any]:
    """Return what the study allows: the values that contracts refer to by name."""
    options: dict[str, list[float]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(name for source in study.sources for name in source.instruments):
        for set_name, responses in library[name].response_sets.items():
            if responses.options:
                options[f"{name} {set_name}"] = [float(option.value) for option in responses.options]
            else:
                ranges[f"{name} {set_name}"] = (responses.allowed.minimum, responses.allowed.maximum)
    design = derive_design(study, library)
    measures = {measure.id: (measure.minimum, measure.maximum) for measure in design.measures.values()}
    numbers = {
        covariate.id: (covariate.range[0], covariate.range[1]) for covariate in study.covariates if covariate.range
    }
    return {
        "timepoints": [timepoint.id for timepoint in design.timepoints],
        "arms": [arm.id for arm in design.arms],
        "options": options,
        "ranges": ranges | measures | numbers,
        "levels": {covariate.id: list(covariate.levels) for covariate in study.covariates if covariate.levels},
        "measure_ranges": measures,
        "unit_interval": (0.0, 1.0),
    }


def _no_row_is_left(lines: Sequence[SetAside]) -> Problem:
    first = lines[0]
    return Problem(
        "no_rows_accepted",
        f"Every row broke a rule; the first: {first.reason}",
        first.how_to_fix,
        first.source,
        first.source_row,
        first.column,
    )


def _at(table: pd.DataFrame) -> pd.Series:
    return table["source"] + "\x1f" + table["source_row"].astype("str")


def _without(rows: pd.DataFrame, lines: Sequence[SetAside]) -> pd.DataFrame:
    gone = {f"{line.source}\x1f{line.source_row}" for line in lines}
    return rows[~_at(rows).isin(gone)].reset_index(drop=True)


def _told(rows: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    known = rows.assign(arm=rows["arm"].where(rows["arm"].isin(arms), ""))
    told = {f"{role}s_told": count_told(known, role) for role in ROLES}
    told["arms_told"] = told["arms_told"].where(
        rows["arm"].isin(["", *arms]), "one"
    )  # an unknown code has its own rule
    table = rows.assign(**told)
    return conform(
        table[["source", "source_row", "participant_id", "timepoint", "topic", "arm", *told]],
        shipped_contract("deliveries"),
    )


def _column_of(declared: Source, ruled: str) -> str:
    about = _subject(ruled)
    if about in declared.participant_columns:
        return declared.participant_columns[about].column
    return {"participant_id": declared.participant_id, "timepoint": declared.timepoint.column or ""}.get(about, "")


def _codes_of(declared: Source, ruled: str) -> Sequence[str]:
    about = _subject(ruled)
    if about in declared.participant_columns:
        return list(declared.participant_columns[about].values or {})
    return list(declared.timepoint.values or {}) if about == "timepoint" else []


def _subject(ruled: str) -> str:
    return ruled.split(", ")[0].removesuffix("s_told")


def _read_cells(
    study: Study, files: Sequence[Delivery], library: Mapping[str, Instrument], rows: pd.DataFrame
) -> pd.DataFrame:
    frames = []
    for file in files:
        for wide, mine in rows[rows["source"] == file.table.source].groupby("wide", sort=False):
            text = file.table.cells.loc[mine["source_row"]]
            for cell in list_cells(study, file.declared, library, str(wide) or None):
                frame = mine[[*ROW, "participant_id", "timepoint"]].reset_index(drop=True)
                raw = text[cell.column].str.strip().reset_index(drop=True)
                if cell.values is not None:
                    known = {**cell.values, "": "", **{code: code for code in study.missing_codes}}
                    raw = raw.map(lambda code, known=known: known.get(code, f"{UNDECLARED}{code}"))
                date_format = file.declared.answered_on.format if file.declared.answered_on else ""
                read = _read(raw, study, cell.kind, bool(cell.levels_of), date_format)
                frames.append(
                    frame.assign(
                        column=cell.column,
                        kind=cell.kind,
                        name=cell.name,
                        raw=raw,
                        **read,
                        options_of=cell.options_of,
                        range_of=cell.range_of,
                        levels_of=cell.levels_of,
                    )
                )
    cells = pd.concat(frames, ignore_index=True)
    return conform(cells.assign(told=_count_told_values(cells, study)), shipped_contract("cells"))


def _count_told_values(cells: pd.DataFrame, study: Study) -> pd.Series:
    """Return how many different values of a covariate are told of a participant and timepoint: one or several.

    What counts is what was read: 44 and 44.0 are one value, and so are two codes of one level.
    """
    levels = {(one.id, code): level for one in study.covariates for code, level in (one.levels or {}).items()}
    read = [
        str(value) if value == value else levels.get((name, level), level or raw)
        for name, value, level, raw in zip(cells["name"], cells["value"], cells["level"], cells["raw"], strict=True)
    ]
    answered = pd.Series(read, index=cells.index, dtype="str").where(
        (cells["kind"] == "covariate") & (cells["missing_reason"] == "")
    )
    counts = answered.groupby([cells[name] for name in ("participant_id", "timepoint", "name")]).transform("nunique")
    is_one = counts.fillna(0) <= 1
    return is_one.map({True: "one", False: "several"}).astype("str")


def _read(raw: pd.Series, study: Study, kind: str, is_category: bool, date_format: str) -> dict[str, pd.Series]:
    """Read the text of one column once per different text."""
    read = {text: _read_text(text, study.missing_codes, kind, is_category, date_format) for text in raw.unique()}
    return {
        part: raw.map({text: parts[place] for text, parts in read.items()})
        for place, part in enumerate(("value", "level", "reading", "missing_reason"))
    }


def _read_text(
    text: str, missing_codes: Mapping[str, str], kind: str, is_category: bool, date_format: str
) -> tuple[float, str, str, str]:
    if not text:
        return _NAN, "", "missing", "blank"
    number = float(text) if _NUMBER.fullmatch(text) else None
    for code, reason in missing_codes.items():
        if text == code or (number is not None and _NUMBER.fullmatch(code) and number == float(code)):
            return _NAN, "", "missing", reason
    if kind == "date":
        day = _day(text, date_format)
        return _NAN, day, "date" if day else "unreadable", ""
    if is_category:
        return _NAN, text, "category", ""
    return (_NAN, "", "unreadable", "") if number is None else (number, "", "number", "")


def _day(text: str, date_format: str) -> str:
    try:
        return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return text[:10] if _ISO_TIME.fullmatch(text) else ""


def _responses(accepted: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    set_aside = rejected.assign(raw="", value=_NAN, missing_reason="quarantined")
    items = pd.concat([accepted[accepted["kind"] == "item"], set_aside[set_aside["kind"] == "item"]]).sort_index()
    dates = accepted[accepted["kind"] == "date"].drop_duplicates([*ROW, "timepoint"])
    items = items.merge(
        dates[[*ROW, "timepoint", "level"]].rename(columns={"level": "answered_on"}), on=[*ROW, "timepoint"], how="left"
    )
    items = _said_once(items)
    names = items["name"].str.partition(" ") if len(items) else pd.DataFrame({0: [], 2: []}, dtype="str")
    return _conformed(items.assign(instrument=names[0], item=names[2]), "responses")


def _is_silent(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows answer nothing where another row of the participant, timepoint and topic does."""
    answers = rows["answers"] != ""
    return ~answers & answers.groupby([rows[name] for name in ("participant_id", "timepoint", "topic")]).transform(
        "any"
    )


def _said_once(items: pd.DataFrame) -> pd.DataFrame:
    """Return one line per participant, timepoint and item: an answer goes before a blank of a silent row."""
    key = ["participant_id", "timepoint", "name"]
    return (
        items.sort_values("missing_reason", key=lambda reason: reason != "", kind="stable")
        .drop_duplicates(key)
        .sort_index()
    )


def _participants(study: Study, rows: pd.DataFrame, cells: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
    """Return the participants; a covariate that was set aside is missing, and no later timepoint stands in for it."""
    people = pd.DataFrame({"participant_id": rows["participant_id"].unique()})
    known = rows.assign(arm=rows["arm"].where(rows["arm"].isin([arm.id for arm in study.arms]), ""))
    for role in ROLES:
        told = known[known[role] != ""].drop_duplicates("participant_id").set_index("participant_id")[role]
        people[role] = people["participant_id"].map(told)
    weeks = {timepoint.id: timepoint.week for timepoint in study.timepoints}
    unusable = rejected[rejected["kind"] == "covariate"].assign(value=_NAN, level="")
    answered = pd.concat([unusable, cells[(cells["kind"] == "covariate") & (cells["missing_reason"] == "")]])
    earliest = (
        answered.assign(week=answered["timepoint"].map(weeks))
        .sort_values("week", kind="stable")
        .drop_duplicates(["participant_id", "name"])
    )
    for covariate in study.covariates:
        told = earliest[earliest["name"] == covariate.id].set_index("participant_id")
        values = told["value"] if covariate.kind == "number" else told["level"].map(covariate.levels or {})
        column = people["participant_id"].map(values)
        people[covariate.id] = (
            column.astype("float64")
            if covariate.kind == "number"
            else column.astype("object").where(column.notna(), "").astype("str")
        )
    return conform(people, shipped_contract("participants"))


def _delivered(cells: pd.DataFrame) -> pd.DataFrame:
    scores = cells[(cells["kind"] == "score") & (cells["missing_reason"] == "")]
    return _conformed(scores.rename(columns={"name": "measure", "value": "score"}), "delivered_scores")


def _conformed(table: pd.DataFrame, name: str) -> pd.DataFrame:
    contract = shipped_contract(name)
    return conform(table[list(contract.table.dtypes)], contract)

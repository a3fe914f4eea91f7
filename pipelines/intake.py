"""Intake: from the files of a study to answers, participants and delivered scores, with every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from data_contracts import (
    SetAside,
    Verdict,
    conform,
    enforce,
    quarantine_table,
    reconcile,
    shipped_contract,
    shipped_contract_names,
)
from data_contracts.errors import Problem
from data_contracts.model import Contract
from instruments import Instrument
from pipelines.consistency import ROLES
from pipelines.corrections import Correction, correct_table, unused_corrections
from pipelines.declarations import Source
from pipelines.deliveries import ROW, Delivery, find_topics, list_identical_files, read_deliveries
from pipelines.drift.find import find_drift
from pipelines.errors import PipelineError
from pipelines.events.intake import allowed_event_days, take_in_events
from pipelines.events.lines import read_event_files
from pipelines.identities import count_linked, find_like_ids, tell_linking
from pipelines.interviews.intake import take_in_interviews
from pipelines.interviews.lines import NO_THEME, read_interview_files
from pipelines.linking import PLACE_PREFIX, count_told, pseudonymise, set_aside_identical
from pipelines.quality import flag_answers
from pipelines.readings import read_cells
from pipelines.rows import UNDECLARED, list_rows, tell_rows
from pipelines.sessions.attendance import take_in_sessions
from pipelines.sessions.declarations import ATTENDANCE
from pipelines.sessions.lines import read_session_files
from pipelines.study import Study, derive_design
from pipelines.tables import (
    build_delivered_scores,
    build_participants,
    build_responses,
    count_days_since_baseline,
    find_baseline_days,
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of the files: the tables that the rest of the evaluation starts from."""

    responses: pd.DataFrame
    participants: pd.DataFrame
    delivered_scores: pd.DataFrame
    flags: pd.DataFrame
    sessions: pd.DataFrame
    events: pd.DataFrame
    codings: pd.DataFrame
    quotations: pd.DataFrame
    quarantine: pd.DataFrame
    reconciliation: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    drift: pd.DataFrame
    linkage: pd.DataFrame
    like_ids: pd.DataFrame
    unused_corrections: tuple[int, ...]

    @property
    def linking(self) -> pd.DataFrame:
        """Who is linked over timepoints, and whom a person may want to link, in one table."""
        return tell_linking(self.linkage, self.like_ids)


def take_in(
    study: Study,
    data_root: Path,
    library: Mapping[str, Instrument],
    key: bytes,
    corrections: Sequence[Correction] = (),
    contracts: Mapping[str, Contract] | None = None,
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
    contracts : mapping, optional
        Contracts by name, with the rules that the study adds; the shipped ones without it.

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
    contracts = contracts or {name: shipped_contract(name) for name in shipped_contract_names()}
    files = tuple(
        replace(file, table=correct_table(file.table, corrections))
        for file in read_deliveries(study, data_root, library, key)
    )
    logs = read_session_files(study, data_root, [file.table.source for file in files], corrections, key)
    read = [file.table.source for file in (*files, *logs)]
    lists = read_event_files(study, data_root, read, corrections, key)
    read += [file.table.source for file in lists]
    spoken = read_interview_files(study, data_root, read, corrections, key)
    all_files = (*files, *logs, *lists, *spoken)
    parameters = contract_parameters(study, library)
    aside = [*[line for file in files for line in file.table.set_aside], *list_identical_files(files)]
    rows = _list_all_rows(study, files, library, key)
    listed = rows[[*ROW, "timepoint"]]
    rows = _without(rows, aside)
    identical = set_aside_identical(_alike(study, files, library, rows))
    rows = _without(rows, identical)
    rows, set_aside, arrival = _enforce_rows(rows, files, contracts["deliveries"], parameters)
    cells = read_cells(study, files, library, rows, contracts["cells"], parameters)
    rows = rows.assign(days_since_baseline=count_days_since_baseline(study, rows, cells))
    responses = build_responses(rows, cells, contracts["responses"])
    participants = build_participants(study, rows, cells, contracts["participants"])
    baseline = find_baseline_days(study, rows, cells)
    attendance = take_in_sessions(study, logs, participants, baseline, key, contracts)
    happened = take_in_events(study, lists, rows, baseline, key, contracts, parameters)
    heard = take_in_interviews(study, spoken, files, rows, key, contracts, parameters)
    flagged = flag_answers(study, files, library, rows, responses, contracts["flags"])
    aside += [*identical, *set_aside, *cells.set_aside, *flagged.set_aside, *attendance.set_aside]
    aside += [*happened.set_aside, *heard.set_aside]
    return Intake(
        responses=responses,
        participants=participants,
        delivered_scores=build_delivered_scores(rows, cells, contracts["delivered_scores"]),
        flags=flagged.flags,
        sessions=attendance.sessions,
        events=happened.events,
        codings=heard.codings,
        quotations=heard.quotations,
        quarantine=quarantine_table(aside),
        reconciliation=reconcile(
            {file.table.source: file.table.rows_read for file in all_files},
            rows.drop_duplicates(ROW).groupby("source", sort=False).size().to_dict()
            | attendance.rows_accepted
            | happened.rows_accepted
            | heard.rows_accepted,
            aside,
            {file.table.source: file.fingerprint for file in all_files},
        ),
        verdicts=(*arrival, *cells.verdicts, *attendance.verdicts, *happened.verdicts, *heard.verdicts),
        drift=find_drift(study, files, library, cells),
        linkage=count_linked(rows, parameters["timepoints"]),
        like_ids=find_like_ids(all_files, listed),
        unused_corrections=unused_corrections([file.table.source for file in all_files], corrections),
    )


def _list_all_rows(
    study: Study, files: Sequence[Delivery], library: Mapping[str, Instrument], key: bytes
) -> pd.DataFrame:
    """Return the rows of all files under pseudonyms, with their topic."""
    rows = pd.concat([list_rows(study, file, library) for file in files], ignore_index=True)
    rows["participant_id"] = pseudonymise(rows["participant_id"], study.study, key)
    declared = {file.table.source: file.declared for file in files}
    for role in PLACE_PREFIX:
        translated = rows["source"].map({
            name: role in one.participant_columns and one.participant_columns[role].values is not None
            for name, one in declared.items()
        })  # fmt: skip
        named = pseudonymise(rows[role], f"{study.study} {role}", key, prefix=PLACE_PREFIX[role])
        rows[role] = rows[role].where(translated.astype("bool"), named)
    rows["topic"] = rows["source"].map(find_topics(study, files, library))
    rows["topic"] = rows["topic"].mask(_is_silent(rows), rows["topic"] + " (blank)")
    return rows


def _alike(
    study: Study, files: Sequence[Delivery], library: Mapping[str, Instrument], rows: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows that share participant, timepoint and topic with another, with what they tell in words."""
    named = rows[rows["participant_id"] != ""]
    shared = named[named.duplicated(["participant_id", "timepoint", "topic"], keep=False)]
    told = [tell_rows(study, file, library, shared[shared["source"] == file.table.source]) for file in files]
    return shared.join(pd.concat(told))


def _enforce_rows(
    rows: pd.DataFrame, files: Sequence[Delivery], contract: Contract, parameters: Mapping[str, Any]
) -> tuple[pd.DataFrame, list[SetAside], tuple[Verdict, ...]]:
    """Set aside rows until all that stay obey: a participant may have been known by a row that is gone."""
    declared = {file.table.source: file.declared for file in files}
    set_aside: list[SetAside] = []
    verdicts: tuple[Verdict, ...] = ()
    while True:
        checked = enforce(
            _told(rows, parameters["arms"], contract),
            contract,
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
        "attendance": list(ATTENDANCE),
        "event_kinds": [kind.id for kind in study.event_kinds],
        "event_days": allowed_event_days(study),
        "themes": [theme.id for theme in study.themes],
        "themes_or_none": [*(theme.id for theme in study.themes), NO_THEME],
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


def _told(rows: pd.DataFrame, arms: Sequence[str], contract: Contract) -> pd.DataFrame:
    declared = {role: rows[role].where(~rows[role].str.startswith(UNDECLARED), "") for role in PLACE_PREFIX}
    known = rows.assign(arm=rows["arm"].where(rows["arm"].isin(arms), ""), **declared)
    told = {f"{role}s_told": count_told(known, role) for role in ROLES}
    told["arms_told"] = told["arms_told"].where(
        rows["arm"].isin(["", *arms]), "one"
    )  # an unknown code has its own rule
    return conform(rows.assign(**told)[list(contract.table.dtypes)], contract)


def _column_of(declared: Source, ruled: str) -> str:
    about = _subject(ruled)
    if about in declared.participant_columns:
        return declared.participant_columns[about].column
    if about == "participant_id":
        return ", ".join(declared.participant_id.columns)
    return (declared.timepoint.column or "") if about == "timepoint" else ""


def _codes_of(declared: Source, ruled: str) -> Sequence[str]:
    about = _subject(ruled)
    if about in declared.participant_columns:
        return list(declared.participant_columns[about].values or {})
    return list(declared.timepoint.values or {}) if about == "timepoint" else []


def _subject(ruled: str) -> str:
    return ruled.split(", ")[0].removesuffix("s_told")


def _is_silent(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows answer nothing where another row of the participant, timepoint and topic does."""
    answers = rows["answers_anything"]
    return ~answers & answers.groupby([rows[name] for name in ("participant_id", "timepoint", "topic")]).transform(
        "any"
    )

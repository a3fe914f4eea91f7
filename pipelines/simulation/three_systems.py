"""The synthetic study as three systems would deliver it: Qualtrics, REDCap and SPSS, with ids in disorder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analysis.simulation import simulate_study
from instruments import Instrument, load_library
from pipelines.declarations import item_columns
from pipelines.simulation.exports import (
    FIRST_QUALTRICS_ROW,
    SYSTEM_COLUMNS,
    Question,
    write_corrections,
    write_list,
    write_qualtrics,
    write_redcap,
    write_spss,
)
from pipelines.simulation.harbour import GROUP_SIZE, TRAITS, WAVES, check_new_folder, true_estimands
from pipelines.simulation.visits import LOOK_ALIKE, NOT_ASKED, REFUSED, disorder_ids, simulate_visits, spell_id

WAVE_1, WAVE_2, WAVE_3 = "data/wave_1_qualtrics.csv", "data/wave_2_redcap/records.csv", "data/wave_3.sav"
LIST, LIST_SHEET = "data/participants.xlsx", "List"
WELLBEING_ES: Final = ("ningún día", "algún día", "menos de la mitad", "más de la mitad", "casi siempre", "siempre")
REFUSED_ES: Final = "sin respuesta"
ATTENTION, RIGHT_ANSWER = "check", "3"
"""The column of an attention check, and its right answer."""
_PATTERNS: Final = (
    {"ssci-8": "ssci_{n}", "phq-9": "phq_{n}", "gse-10": "gse_{n}", "who-5": "who_{n}", "adherence-vas": "doses_1"},
    {"ssci-8": "ssci2_{n}", "phq-9": "phq_{n}", "gse-10": "gse_{n}", "who-5": "who_{n}", "adherence-vas": "doses"},
    {"ssci-8": "SSCI{nn}", "phq-9": "PHQ{nn}", "gse-10": "GSE{nn}", "who-5": "WHO{nn}", "adherence-vas": "DOSES"},
)
_FORMS: Final = {"ssci-8": "stigma", "phq-9": "mood", "gse-10": "confidence", "who-5": "wellbeing",
                 "adherence-vas": "doses"}  # fmt: skip
WHO_CORRECTED, WHEN_CORRECTED = "lena", "2025-08-04"


@dataclass(slots=True)
class _Log:
    """What was put into the files: lines for quarantine, lines of the corrections log, flagged answers."""

    faults: list[dict[str, str | int]] = field(default_factory=list)
    corrections: list[list[str]] = field(default_factory=list)
    flags: list[dict[str, str | int]] = field(default_factory=list)

    def fault(self, source: str, row: int, column: str, rule: str, severity: str) -> None:
        """Remember a line of the quarantine."""
        self.faults.append({"source": source, "source_row": row, "column": column, "rule": rule, "severity": severity})

    def correct(self, source: str, row: int, column: str, old: str, new: str, why: str) -> None:
        """Remember a line of the corrections log."""
        self.corrections.append([WHO_CORRECTED, WHEN_CORRECTED, source, str(row), column, old, new, why])

    def correct_ids(self, source: str, column: str, rows: pd.DataFrame) -> None:
        """Remember a correction for each row (index: row of the file) whose typed id is not the participant's."""
        for row, typed, right, why in zip(rows.index, rows["typed"], rows["participant_id"], rows["why"], strict=True):
            if typed.strip() != right:
                self.correct(source, row, column, typed.strip(), right, why)


def write_three_systems(folder: Path, *, seed: int = 2025, participants: int = 240, solved: bool = True) -> None:
    """Write the people of `write_study` as three systems would deliver them. Same arguments, same bytes.

    Wave 1 is an export of Qualtrics, wave 2 of REDCap (items renamed, codes of one instrument shifted by one), wave 3
    an SPSS file (one instrument as text in Spanish); who is in which arm stands in a workbook. Ids are typed in many
    ways.

    Parameters
    ----------
    folder : Path
        New, or empty but for files of these names.
    seed : int
        Seed of the random numbers; that of `write_study` gives the same people with the same answers.
    participants : int
        A multiple of 40, 120 or more.
    solved : bool
        Write study.yaml, sap.yaml, corrections.csv and truth.json, too; only the data without it.

    Raises
    ------
    PipelineError
        The folder is a study already, or the number of participants does not fit.
    """
    check_new_folder(folder, participants)
    library = load_library()
    rng = np.random.default_rng(seed)
    study = simulate_study(library, TRAITS, participants=participants, group_size=GROUP_SIZE, rng=rng)
    visits = disorder_ids(simulate_visits(study, library, rng))
    log = _Log()
    (folder / "data").mkdir(parents=True)
    _write_wave_1(folder / WAVE_1, visits, library, rng, log)
    _write_wave_2(folder / WAVE_2, visits, library, rng, log)
    _write_wave_3(folder / WAVE_3, visits, library, rng, log)
    _write_participants(folder / LIST, visits, rng, log)
    if solved:
        for name in ("study.yaml", "sap.yaml"):
            content = (resources.files("pipelines") / "example" / "three_systems" / name).read_bytes()
            (folder / name).write_bytes(content)
        write_corrections(folder / "corrections.csv", log.corrections)
        truth = {
            "synthetic": True,
            "seed": seed,
            "participants": participants,
            "estimands": true_estimands(folder, study, library),
            "faults": sorted(log.faults, key=lambda fault: (fault["source"], fault["source_row"], fault["column"])),
            "flags": log.flags,
            "alike_but_two": [spell_id(number) for number in LOOK_ALIKE],
        }
        (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


def _questions(library: Mapping[str, Instrument], wave: int, *, first_code: int = 0) -> Iterator[tuple[str, Question]]:
    """Yield the column of visits and the question of each item; codes of phq-9 begin at `first_code`."""
    for name, pattern in _PATTERNS[wave].items():
        instrument = library[name]
        for item, column in zip(instrument.items, item_columns(pattern, len(instrument.items)), strict=True):
            shift = first_code if name == "phq-9" else 0
            options = instrument.response_sets[item.response_set].options
            labels = {str(int(option.value) + shift): option.label for option in options}
            kind = "radio" if labels else "text"
            yield f"{name} {item.id}", Question(str(column), item.concept, labels, _FORMS[name], kind)


def _write_wave_1(
    path: Path, visits: pd.DataFrame, library: Mapping[str, Instrument], rng: np.random.Generator, log: _Log
) -> None:
    """Write the export of Qualtrics: answered at home, some in a hurry, some twice, some not to the end."""
    asked = dict(_questions(library, 0))
    rows = _wave_1_rows(visits, list(asked))
    system = pd.DataFrame([_system_cells(one, rng) for _, one in rows.iterrows()], index=rows.index)
    repeats = rows.index[rows["role"] == "repeats"]
    system.loc[repeats] = system.loc[[repeats[0]] * len(repeats)].to_numpy()
    answers = rows.rename(columns={column: question.column for column, question in asked.items()})
    answers = answers.assign(pid=rows["typed"], **{ATTENTION: _attention(rows)})
    questions = [
        Question("pid", "Your code", {}, "code"),
        *asked.values(),
        Question(ATTENTION, "Please tick the third answer here", {}, "check"),
    ]
    write_qualtrics(path, pd.concat([answers[[one.column for one in questions]], system], axis=1), questions)
    _log_wave_1(rows, log)


def _wave_1_rows(visits: pd.DataFrame, items: Sequence[str]) -> pd.DataFrame:
    """Return the rows by the day of answering; `kind` is blank, again, unfinished or preview."""
    rows = visits[visits["timepoint"] == WAVES[0]]
    twice = rows[rows["role"].isin(["repeats", "contradicts"])].assign(kind="again")
    contradicts = twice["role"] == "contradicts"
    twice.loc[contradicts, "phq-9 1"] = ["0" if code != "0" else "1" for code in twice.loc[contradicts, "phq-9 1"]]
    partial = rows.iloc[[5, 50]].assign(kind="unfinished", role="")
    partial.loc[:, items[len(items) // 2 :]] = ""
    preview = rows.iloc[[0]].assign(kind="preview", role="", typed="test")
    rows = pd.concat([preview, rows.assign(kind=""), twice, partial], ignore_index=True)
    rows = rows.sort_values("answered_on", kind="stable", ignore_index=True)
    rows.index += FIRST_QUALTRICS_ROW
    return rows


def _attention(rows: pd.DataFrame) -> list[str]:
    return [
        "" if kind == "unfinished" else "1" if role.startswith("inattentive") else RIGHT_ANSWER
        for kind, role in zip(rows["kind"], rows["role"], strict=True)
    ]


def _system_cells(row: pd.Series, rng: np.random.Generator) -> dict[str, str]:
    """Return what Qualtrics adds to a row; addresses are of the range for documents, all is invented."""
    started = datetime(*row["answered_on"].timetuple()[:3]) + timedelta(seconds=int(rng.integers(28_800, 72_000)))  # noqa: DTZ001
    seconds = int(rng.integers(40, 110) if row["role"].startswith("fast") else rng.integers(300, 1500))
    ended = str(started + timedelta(seconds=seconds))
    is_whole, is_preview = row["kind"] != "unfinished", row["kind"] == "preview"
    letters = rng.choice(list("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789"), 15)
    told = {
        "StartDate": str(started),
        "EndDate": ended,
        "Status": "1" if is_preview else "0",
        "IPAddress": f"198.51.100.{int(rng.integers(1, 255))}",
        "Progress": "100" if is_whole else "54",
        "Duration (in seconds)": str(seconds),
        "Finished": "1" if is_whole else "0",
        "RecordedDate": ended,
        "ResponseId": "R_" + "".join(letters),
        "LocationLatitude": f"{rng.uniform(48, 52):.4f}",
        "LocationLongitude": f"{rng.uniform(-40, -30):.4f}",
        "DistributionChannel": "preview" if is_preview else "anonymous",
        "UserLanguage": "EN",
    }
    return {column: told.get(column, "") for column in SYSTEM_COLUMNS}


def _log_wave_1(rows: pd.DataFrame, log: _Log) -> None:
    for row in range(2, FIRST_QUALTRICS_ROW):
        log.fault(WAVE_1, row, "", "second_header", "excluded")
    for row, kind, role in zip(rows.index, rows["kind"], rows["role"], strict=True):
        if kind in ("preview", "unfinished"):
            log.fault(WAVE_1, row, "", kind, "excluded")
        elif role == "repeats" and kind == "again":
            log.fault(WAVE_1, row, "", "identical_duplicate", "excluded")
        elif role == "contradicts":
            log.fault(WAVE_1, row, "pid", "one_row_per_timepoint", "row")
        elif role.startswith(("fast", "inattentive")):
            flag = "too_fast" if role.startswith("fast") else "failed_attention"
            log.flags.append({"flag": flag, "timepoint": WAVES[0], "source": WAVE_1, "source_row": row})
    log.correct_ids(WAVE_1, "pid", rows[rows["kind"].isin(["", "again"])])


def _write_wave_2(
    path: Path, visits: pd.DataFrame, library: Mapping[str, Instrument], rng: np.random.Generator, log: _Log
) -> None:
    """Write the REDCap project: typed in from paper, phq-9 coded from 1, an event for contacts without answers."""
    asked = dict(_questions(library, 1, first_code=1))
    rows = _wave_2_rows(visits)
    is_visit = rows["event"] == "week_12_arm_1"
    records = pd.DataFrame({"record_id": rows["typed"], "redcap_event_name": rows["event"]})
    records["redcap_data_access_group"] = np.where(rows["participant"] % 3 == 0, "riverside", "old_town")
    records["call_note"] = np.where(is_visit, "", "asked to be called in the evening")
    records["contact_complete"] = np.where(is_visit, "", "2")
    records["visit_date"] = [
        day.isoformat() if visit else "" for day, visit in zip(rows["answered_on"], is_visit, strict=True)
    ]
    for way in (1, 2, 3):
        records[f"came_by___{way}"] = np.where(is_visit, rng.integers(0, 2, len(rows)).astype(str), "")
    records["visit_complete"] = np.where(is_visit, "2", "")
    for column, question in asked.items():
        codes = [_shifted(code) for code in rows[column]] if column.startswith("phq-9 ") else rows[column]
        records[question.column] = np.where(is_visit, codes, "")
        if question.column == [one.column for one in asked.values() if one.form == question.form][-1]:
            records[f"{question.form}_complete"] = np.where(is_visit, "2", "")
    write_redcap(path.parent, records, _fields(list(asked.values())))
    log.correct_ids(WAVE_2, "record_id", rows)
    for row in rows.index[is_visit & (rows["role"] == "second_record") & (rows["typed"] != rows["participant_id"])]:
        log.fault(WAVE_2, int(row), "", "identical_duplicate", "excluded")


def _wave_2_rows(visits: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by record and `event`; some people were called, and one has a second record."""
    visited = visits[visits["timepoint"] == WAVES[1]].assign(event="week_12_arm_1")
    again = visited[visited["role"] == "second_record"].assign(typed=lambda rows: rows["typed"].str.lower())
    called = visited.iloc[::9].assign(event="contact_arm_1")
    rows = pd.concat([called, visited, again], ignore_index=True)
    rows["typed"] = rows["typed"].str.strip()
    rows = rows.sort_values(["typed", "event"], kind="stable", ignore_index=True)
    rows.index += 2
    return rows


def _fields(asked: Sequence[Question]) -> list[Question]:
    ways = {"1": "on foot", "2": "bus", "3": "car"}
    return [
        Question("record_id", "Code", {}, "contact"),
        Question("call_note", "Note", {}, "contact", "notes"),
        Question("visit_date", "Day of the visit", {}, "visit"),
        Question("came_by", "Came by", ways, "visit", "checkbox"),
        *asked,
    ]


def _shifted(code: str) -> str:
    return code if code in ("", REFUSED, NOT_ASKED) else str(int(code) + 1)


def _write_wave_3(
    path: Path, visits: pd.DataFrame, library: Mapping[str, Instrument], rng: np.random.Generator, log: _Log
) -> None:
    """Write the SPSS file of a student: in the order of a pile of paper, who-5 as text, two slips of the keyboard."""
    asked = dict(_questions(library, 2))
    rows = visits[visits["timepoint"] == WAVES[2]]
    rows = rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)
    rows.index += 2
    mended, left = (rows.index[rows["role"] == role][0] for role in ("slip_mended", "slip_left"))
    right = str(rows.loc[mended, "ssci-8 4"])
    rows.loc[mended, "ssci-8 4"], rows.loc[left, "ssci-8 5"] = "33", "9"
    table = pd.DataFrame({"CODE": rows["typed"], "DATE": rows["answered_on"]})
    questions = [Question("CODE", "Code", {}, "code"), Question("DATE", "Day", {}, "code")]
    for column, question in asked.items():
        if question.form == "wellbeing":
            table[question.column] = [_in_spanish(code) for code in rows[column]]
            questions.append(Question(question.column, question.text, {}, question.form))
        else:
            table[question.column] = [float(code) if code else np.nan for code in rows[column]]
            questions.append(question)
    write_spss(path, table, questions, float(REFUSED))
    log.correct_ids(WAVE_3, "CODE", rows)
    log.correct(WAVE_3, int(mended), asked["ssci-8 4"].column, "33", right, "the paper form has one digit")
    log.fault(WAVE_3, int(left), asked["ssci-8 5"].column, "known_option", "cell")


def _in_spanish(code: str) -> str:
    return "" if not code else REFUSED_ES if code == REFUSED else WELLBEING_ES[int(code)]


def _write_participants(path: Path, visits: pd.DataFrame, rng: np.random.Generator, log: _Log) -> None:
    people = visits.drop_duplicates("participant").sort_values("participant")
    table = pd.DataFrame({
        "Code": people["participant_id"],
        "Telephone": [f"555-{number:04}" for number in rng.integers(0, 10_000, len(people))],
        "Arm": people["arm"].map({"peer": "Peer group", "usual": "Usual care"}),
        "Group": people["group"],
        "Age": people["age"],
        "Gender": people["gender"],
    })  # fmt: skip
    above = ["List of participants", f"As of {date(2025, 7, 31).isoformat()}"]
    write_list(path, LIST_SHEET, above, table)
    for row in range(1, len(above) + 1):
        log.fault(f"{LIST}[{LIST_SHEET}]", row, "", "above_header", "excluded")

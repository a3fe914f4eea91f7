"""Write a synthetic study as people would deliver it: several files, seeded faults, and the truth beside it."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plan import load_plan
from analysis.simulation import SimulatedStudy, Trait, simulate_study, true_share_difference
from data_contracts.errors import Problem
from instruments import Instrument, load_library
from pipelines.errors import PipelineError
from pipelines.folder import open_folder
from pipelines.freezing import freeze_plan
from pipelines.simulation.attendance import FILE as ATTENDANCE
from pipelines.simulation.attendance import HEADER as ATTENDANCE_HEADER
from pipelines.simulation.attendance import simulate_attendance
from pipelines.simulation.events import FILE as EVENTS
from pipelines.simulation.events import HEADER as EVENTS_HEADER
from pipelines.simulation.events import simulate_events
from pipelines.study import derive_design, load_study

TRAITS = {
    "ssci-8": Trait(-0.3, (-0.10, -0.15), (-0.45, -0.40)),
    "phq-9": Trait(-0.2, (-0.25, -0.30), (-0.30, -0.25)),
    "gse-10": Trait(0.1, (0.05, 0.05), (0.30, 0.25)),
    "who-5": Trait(-0.1, (0.10, 0.15), (0.35, 0.30)),
    "adherence-vas": Trait(0.7, (0.0, 0.0), (0.10, 0.05)),
}
PREFIX = {"ssci-8": "ssci", "phq-9": "phq", "gse-10": "gse", "who-5": "who"}
WAVES = ("baseline", "post", "followup")
FIRST_DAY = (date(2025, 1, 13), date(2025, 4, 7), date(2025, 7, 14))
FROZEN_ON = date(2025, 1, 6)
GROUP_SIZE = 10
LANGUAGES = ("ar", "es", "fr")
LATE, LATE_SHEET = "data/late_returns.xlsx", "Returns"
BLANK_SHARE, REFUSED_SHARE = 0.006, 0.004
ATTENDANCE_STREAM, EVENTS_STREAM = 1, 2
"""Attendance and events have random numbers of their own: the answers are the same with and without them."""

Row = dict[str, str]


@dataclass(slots=True)
class _Files:
    """Rows of each file as they will be written, and the faults put into them."""

    header: list[str]
    rows: dict[str, list[list[str]]] = field(default_factory=dict)
    faults: list[dict[str, str | int]] = field(default_factory=list)

    def note(self, file: str, place: int, column: str, rule: str, severity: str) -> None:
        """Remember a fault in row `place` (0 = first below the header) of a file."""
        source = f"{file}[{LATE_SHEET}]" if file == LATE else file
        self.faults.append(
            {"source": source, "source_row": place + 2, "column": column, "rule": rule, "severity": severity}
        )

    def set_cell(self, file: str, place: int, column: str, value: str) -> None:
        """Overwrite one cell."""
        self.rows[file][place][self.header.index(column)] = value


def write_study(folder: Path, *, seed: int = 2025, participants: int = 240) -> None:
    """Write a synthetic study: study.yaml, sap.yaml, its frozen form, data and truth.json. Same arguments, same bytes.

    Parameters
    ----------
    folder : Path
        New, or empty but for files of these names.
    seed : int
        Seed of the random numbers.
    participants : int
        A multiple of 40, so that groups of ten fill the peer arm.

    Raises
    ------
    PipelineError
        The folder is a study already, or the number of participants does not fit.
    """
    check_new_folder(folder, participants)
    library = load_library()
    rng = np.random.default_rng(seed)
    study = simulate_study(library, TRAITS, participants=participants, group_size=GROUP_SIZE, rng=rng)
    files = _type_in(study, library, rng)
    _put_faults(files)
    people, usable = _members(study), _usable(files)
    log = simulate_attendance(people, usable, np.random.default_rng([seed, ATTENDANCE_STREAM]))
    pids = [str(pid) for pid in people["pid"]]
    happened = simulate_events(pids, log.rows, usable, np.random.default_rng([seed, EVENTS_STREAM]))
    (folder / "data").mkdir(parents=True)
    (folder / "languages").mkdir()
    for name in ("study.yaml", "sap.yaml", *(f"languages/{tag}.yaml" for tag in LANGUAGES)):
        (folder / name).write_bytes((resources.files("pipelines") / "example" / name).read_bytes())
    for name, rows in files.rows.items():
        (folder / name).write_bytes(_workbook(files.header, rows) if name == LATE else _csv(files.header, rows))
    (folder / ATTENDANCE).write_bytes(_csv(ATTENDANCE_HEADER, log.rows))
    (folder / EVENTS).write_bytes(_csv(EVENTS_HEADER, happened.rows))
    truth = {
        "synthetic": True,
        "seed": seed,
        "participants": participants,
        "estimands": true_estimands(folder, study, library),
        "faults": sorted(
            [*files.faults, *log.faults, *happened.faults],
            key=lambda fault: (fault["source"], fault["source_row"], fault["column"]),
        ),
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    freeze_plan(open_folder(folder), on=FROZEN_ON.isoformat())


def check_new_folder(folder: Path, participants: int) -> None:
    """Refuse a folder that holds a study already, and a number of people that does not make groups of ten.

    Raises
    ------
    PipelineError
        As `write_study` tells.
    """
    if participants % 40:
        raise PipelineError(
            Problem(
                "participants_do_not_fit",
                f"{participants} people do not make two arms with groups of ten.",
                "Give a multiple of 40.",
                key="--participants",
            )
        )
    if (folder / "study.yaml").exists() or (folder / "data").exists():
        raise PipelineError(
            Problem(
                "folder_not_empty",
                "The folder holds a study already; nothing is overwritten.",
                "Name a new folder.",
                str(folder),
            )
        )


def _members(study: SimulatedStudy) -> pd.DataFrame:
    """Return the pid and the peer group of everybody; outside of the groups it is empty."""
    people = study.participants
    groups = [f"G{group + 1:02}" if group >= 0 else "" for group in people["group"]]
    return pd.DataFrame({"pid": [f"H{number:03}" for number in people["participant"]], "group": groups})


def _usable(files: _Files) -> set[str]:
    """Return the pids of everybody of whom a row is free of faults that set it aside."""
    gone = {(fault["source"], fault["source_row"]) for fault in files.faults if fault["severity"] == "row"}
    pid = files.header.index("pid")
    return {
        row[pid]
        for file, rows in files.rows.items()
        for place, row in enumerate(rows)
        if (f"{file}[{LATE_SHEET}]" if file == LATE else file, place + 2) not in gone
    }


def true_estimands(folder: Path, study: SimulatedStudy, library: Mapping[str, Instrument]) -> dict[str, float]:
    """Return what each estimand of a study folder is worth: estimand -> difference in points, or in percent."""
    design = derive_design(load_study(folder, library).value, library)
    plan = load_plan(folder / "sap.yaml", design).value
    place = {timepoint.id: index for index, timepoint in enumerate(design.timepoints)}
    truth = {}
    for one in plan.estimands:
        outcome, timepoint = plan.outcome(one.outcome), place[one.timepoint]
        value = study.truth[outcome.measure, timepoint]
        if outcome.event is not None:
            name = outcome.measure.partition(".")[0]
            value = true_share_difference(library[name], TRAITS[name], timepoint, outcome.event.holds)
        truth[one.id] = round(value, 6)
    return truth


def _type_in(study: SimulatedStudy, library: Mapping[str, Instrument], rng: np.random.Generator) -> _Files:
    columns = {
        name: [f"{PREFIX[name]}_{item.id}" for item in library[name].items] if name in PREFIX else ["adherence"]
        for name in TRAITS
    }
    header = [
        "pid",
        "wave",
        "answered_on",
        "arm",
        "group",
        "age",
        "gender",
        *[column for names in columns.values() for column in names],
        "ssci_total",
    ]
    files = _Files(header, {name: [] for name in (*(f"data/survey_{wave}.csv" for wave in WAVES), LATE)})
    for place, wave in enumerate(WAVES):
        for index, person in enumerate(study.participants.itertuples()):
            if not study.observed[index, place]:
                continue
            row = {
                "pid": f"H{person.participant:03}",
                "wave": str(place + 1),
                "arm": person.arm[0].upper(),
                "group": f"G{person.group + 1:02}" if person.group >= 0 else "",
                "age": str(person.age),
                "gender": person.gender,
                "answered_on": (FIRST_DAY[place] + timedelta(days=int(rng.integers(0, 14)))).isoformat(),
            }
            for name, names in columns.items():
                answers = study.answers[name][index, place]
                row |= {column: type_answer(int(answer), rng) for column, answer in zip(names, answers, strict=True)}
            row["ssci_total"] = _total([row[column] for column in columns["ssci-8"]])
            late = place == len(WAVES) - 1 and rng.random() < 0.08
            files.rows[LATE if late else f"data/survey_{wave}.csv"].append([row[column] for column in header])
    return files


def type_answer(answer: int, rng: np.random.Generator) -> str:
    """Return the text of an answer; now and then it is blank or refused."""
    draw = rng.random()
    return "" if draw < BLANK_SHARE else "-9" if draw < BLANK_SHARE + REFUSED_SHARE else str(answer)


def _total(answers: Sequence[str]) -> str:
    return str(sum(int(answer) for answer in answers)) if all(answer and answer != "-9" for answer in answers) else ""


def _put_faults(files: _Files) -> None:
    """Put one of each fault into the files, at fixed places; rows added by faults stand at the end."""
    baseline, post, followup = (f"data/survey_{wave}.csv" for wave in WAVES)
    column = files.header.index
    for file, place, name, value, rule in (
        (post, 3, "ssci_4", "7", "known_option"),
        (post, 10, "phq_2", "often", "readable"),
        (baseline, 20, "age", "240", "in_range"),
        (baseline, 31, "gender", "x", "known_level"),
        (baseline, 40, "who_3", "2,5", "readable"),
        (followup, 5, "adherence", "105", "in_range"),
        (post, 14, "answered_on", "14/04/2025", "readable"),
    ):
        files.set_cell(file, place, name, value)
        files.note(file, place, name, rule, "cell")
    for place in (50, 51, 52):
        total = files.rows[baseline][place][column("ssci_total")]
        files.set_cell(baseline, place, "ssci_total", str(int(total or 10) - 1))
    for file, name, value, rule in (
        (baseline, "pid", "", "not_missing"),
        (baseline, "arm", "Q", "known_arm"),
        (post, "wave", "9", "known_timepoint"),
    ):
        stray = list(files.rows[file][60])
        stray[column("pid")] = f"X{len(files.rows[file])}"
        stray[column(name)] = value
        files.rows[file].append(stray)
        files.note(file, len(files.rows[file]) - 1, name, rule, "row")
    _move_to_other_arm(files, post, 70)
    files.rows[post].append([*files.rows[post][80][:9], "", *files.rows[post][80][9:]])
    files.note(post, len(files.rows[post]) - 1, "", "field_count", "row")
    files.rows[post].append(list(files.rows[post][25]))
    files.note(post, len(files.rows[post]) - 1, "", "identical_duplicate", "excluded")
    _contradict_late(files, followup, 12)


def _move_to_other_arm(files: _Files, file: str, place: int) -> None:
    """Let one participant change arms between waves: every row of theirs contradicts the others."""
    column = files.header.index
    person, arm = files.rows[file][place][column("pid")], files.rows[file][place][column("arm")]
    files.set_cell(file, place, "arm", "U" if arm == "P" else "P")
    for name, rows in files.rows.items():
        for index, row in enumerate(rows):
            if row[column("pid")] == person:
                files.note(name, index, "" if name == LATE else "arm", "one_arm_per_participant", "row")


def _contradict_late(files: _Files, file: str, place: int) -> None:
    """Let one late return answer again, and differently, what was delivered before."""
    column = files.header.index
    again = list(files.rows[file][place])
    again[column("phq_1")] = "0" if again[column("phq_1")] != "0" else "1"
    files.rows[LATE].append(again)
    files.note(file, place, "pid", "one_row_per_timepoint", "row")
    files.note(LATE, len(files.rows[LATE]) - 1, "pid", "one_row_per_timepoint", "row")


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def _workbook(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook of what the survey tool of the late returns knows, without times of writing."""
    import openpyxl

    kept = [
        place
        for place, name in enumerate(header)
        if name not in ("wave", "arm", "group", "age", "gender", "ssci_total")
    ]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(LATE_SHEET)
    for row in [header, *rows]:
        sheet.append(
            [int(row[place]) if re.fullmatch(r"-?[0-9]+", row[place]) else row[place] or None for place in kept]
        )
    written = io.BytesIO()
    book.save(written)
    return without_times(written)


def without_times(written: io.BytesIO) -> bytes:
    """Return a workbook that is the same whenever it is written."""
    timeless = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(timeless, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-08-01T00:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name, (2025, 8, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return timeless.getvalue()

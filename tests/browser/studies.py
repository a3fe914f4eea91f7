"""Folders of the studies whose reports are opened in a browser: variants of the example, and one of many sites."""

import csv
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import yaml

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLE = PROJECT / "examples" / "harbour"
HELP = PROJECT / "tests" / "real_data" / "help"
HELP_DATA = Path(os.environ.get("PEERIMPACT_SHARED", PROJECT.parent / "shared")) / "data" / "help_trial"
SITES = 60


def write_single_group(folder: Path) -> None:
    """The example as if nobody but the peer groups had been asked: before and after."""
    _copy_example(folder)
    kept = {row["pid"] for row in _rows(folder / "data" / "survey_baseline.csv") if row["arm"] == "P"}
    _keep_people(folder, kept)

    def change(study: dict[str, Any]) -> None:
        study["design"] = "single_group"
        study["arms"] = [{"id": "peer", "label": "Peer support"}]
        study["programme"] = "Weekly peer groups of ten people with a trained facilitator, for twelve weeks."
        study["question"] = "Do people with a long-term condition feel less stigma after meeting in a peer group?"
        study["sources"][0]["participant_columns"]["arm"]["values"] = {"P": "peer"}

    def ask_of_time(plan: dict[str, Any]) -> None:
        for estimand in plan["estimands"]:
            estimand["contrast"] = f"{estimand['timepoint']} - baseline"

    _edit(folder / "study.yaml", change)
    _edit(folder / "sap.yaml", ask_of_time)


def write_refused(folder: Path) -> None:
    """The example by a plan that asks for more people in each arm than it has at the end."""
    _copy_example(folder)
    _edit(folder / "sap.yaml", lambda plan: plan.update(small_numbers={"fewest_per_arm": 105}))


def write_twelve(folder: Path) -> None:
    """Six people of each arm of the example, of whom all answered twice at least."""
    _copy_example(folder)
    answered = {row["pid"] for row in _rows(folder / "data" / "survey_post.csv")}
    baseline = [row for row in _rows(folder / "data" / "survey_baseline.csv") if row["pid"] and row["pid"] in answered]
    _keep_people(folder, {row["pid"] for arm in "PU" for row in [r for r in baseline if r["arm"] == arm][:6]})
    _edit(folder / "study.yaml", lambda study: study.update(recruitment={"eligible": 30, "invited": 20}))


def write_sites(folder: Path) -> None:
    """A randomised study in sixty places, of 6 to 39 people each."""
    rng = np.random.default_rng(5)
    folder.mkdir(parents=True)
    rows: list[list[object]] = []
    for site in range(SITES):
        own = rng.normal(0, 0.12)
        for person in range(int(rng.integers(6, 40))):
            arm, level = rng.choice(["P", "U"]), rng.normal(0, 0.5)
            for wave in (1, 2):
                if wave == 2 and rng.random() < 0.12:
                    continue
                shift = (own - 0.3 * (arm == "P")) * (wave == 2)
                answers = np.clip(np.round(1.5 + level + shift + rng.normal(0, 0.6, 7)), 0, 3).astype(int)
                rows.append([f"S{site:02}{person:03}", wave, arm, f"SITE-{site + 101}", *answers])
    header = ["pid", "wave", "arm", "site", *[f"gad_{number}" for number in range(1, 8)]]
    _write(folder / "answers.csv", [header, *rows])
    study = {
        "study": "sixty",
        "title": "Peer support in sixty places",
        "question": "Do people who meet in a peer group feel less anxious than people with usual care?",
        "sponsor": "County health board (invented)",
        "design": "randomised",
        "timepoints": [{"id": "t0", "week": 0, "label": "Baseline"}, {"id": "t1", "week": 12, "label": "12 weeks"}],
        "arms": [{"id": "peer", "label": "Peer support"}, {"id": "usual", "label": "Usual care", "reference": True}],
        "sources": [
            {
                "path": "answers.csv",
                "format": "csv",
                "participant_id": "pid",
                "timepoint": {"column": "wave", "values": {1: "t0", 2: "t1"}},
                "participant_columns": {
                    "arm": {"column": "arm", "values": {"P": "peer", "U": "usual"}},
                    "site": "site",
                },
                "instruments": {"gad-7": {"items": "gad_{n}"}},
            }
        ],
    }
    smallest = {"value": 4, "source": "Toussaint 2020"}
    plan = {
        "sap": 1,
        "outcomes": [
            {"id": "anxiety", "measure": "gad-7.total", "role": "primary", "smallest_meaningful_change": smallest}
        ],
        "estimands": [{"id": "asked", "outcome": "anxiety", "contrast": "peer - usual", "timepoint": "t1"}],
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (folder / "sap.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))


def write_help(folder: Path) -> None:
    """What the project declares of the trial; its data stay where they are."""
    shutil.copytree(HELP, folder)


STUDIES: dict[str, Callable[[Path], None]] = {
    "help": write_help,
    "single group": write_single_group,
    "refused": write_refused,
    "twelve people": write_twelve,
    "sixty sites": write_sites,
}


def _copy_example(folder: Path) -> None:
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("output", "sap.frozen.json"))


def _keep_people(folder: Path, kept: set[str]) -> None:
    """Drop everybody else from every file of a study."""
    for path in (folder / "data").glob("*.csv"):
        rows = _rows(path)
        _write(path, [list(rows[0]), *[list(row.values()) for row in rows if row["pid"] in kept]])
    for path in (folder / "data").glob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets:
            heads = [cell.value for cell in sheet[1]]
            for row in reversed(list(sheet.iter_rows(min_row=2))):
                if "pid" in heads and row[heads.index("pid")].value not in kept:
                    sheet.delete_rows(row[0].row)
        book.save(path)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if name} for row in csv.DictReader(file, restval="")]


def _write(path: Path, rows: Iterable[list[Any]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))

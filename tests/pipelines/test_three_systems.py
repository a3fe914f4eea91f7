"""One study delivered by three systems, with ids in disorder, gives the results of the same study in one clean file."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from pipelines.folder import open_folder
from pipelines.run import Run, run_study

STUDY = """\
study: small
title: A small study
design: randomised
timepoints:
  - {id: baseline, week: 0}
  - {id: post, week: 8}
  - {id: later, week: 20}
arms:
  - {id: peer, label: Peer support}
  - {id: usual, label: Usual care, reference: true}
covariates:
  - {id: age, kind: number, range: [18, 99]}
missing_codes: {-9: refused, -8: not_asked}
sources:
"""
ONE_FILE = """\
  - path: answers.csv
    format: csv
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post, 3: later}}
    participant_columns: {arm: arm, age: age}
    instruments:
      gad-7: {items: "gad_{n}"}
"""
THREE_SYSTEMS = """\
  - path: start.csv
    format: qualtrics
    participant_id: Q1
    timepoint: {fixed: baseline}
    participant_columns: {arm: {column: Q2, values: {A: peer, B: usual}}, age: Q3}
    instruments:
      gad-7: {items: "Q4_{n}"}
  - path: redcap/data.csv
    format: redcap
    dictionary: dictionary.csv
    participant_id: record_id
    timepoint: {column: redcap_event_name, values: {post_arm_1: post}}
    instruments:
      gad-7: {items: "gad{n}"}
  - path: later.sav
    format: spss
    participant_id: ID
    timepoint: {fixed: later}
    instruments:
      gad-7: {items: "anx{nn}"}
"""
PLAN = """\
sap: 1
outcomes:
  - {id: anxiety, measure: gad-7.total, role: primary}
estimands:
  - {id: anxiety_later, outcome: anxiety, contrast: peer - usual, timepoint: later, covariates: [age]}
"""
ITEMS = [f"gad_{n}" for n in range(1, 8)]
DISORDER = {5: "P005", 17: " p017", 40: "p-040"}
"""Row of the third wave -> how somebody typed the id there."""


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(17)
    rows = []
    for person in range(90):
        arm, level, age = ("peer", "usual")[person % 2], rng.normal(), int(rng.integers(20, 70))
        for wave in (1, 2, 3):
            if wave > 1 and rng.random() < 0.1:
                continue
            shift = -0.5 * (arm == "peer") * (wave > 1)
            given = np.clip(np.round(1.5 + shift + 0.8 * level + rng.normal(0, 0.6, 7)), 0, 3).astype(int).tolist()
            given = ["-9" if rng.random() < 0.01 else str(value) for value in given]
            rows.append([f"p{person:03}", str(wave), arm, str(age), *given])
    return pd.DataFrame(rows, columns=["pid", "wave", "arm", "age", *ITEMS])


def write_qualtrics(folder: Path, wave: pd.DataFrame) -> None:
    names = [
        "StartDate",
        "Status",
        "IPAddress",
        "Progress",
        "Finished",
        "Q1",
        "Q2",
        "Q3",
        *[f"Q4_{n}" for n in range(1, 8)],
    ]
    texts = [
        "Startdatum",
        "Antworttyp",
        "IP-Adresse",
        "Fortschritt",
        "Beendet",
        *[f"Frage {name}" for name in names[5:]],
    ]
    imports = [json.dumps({"ImportId": one}) for one in
               ("startDate", "status", "ipAddress", "progress", "finished", *[f"QID{k}" for k in range(10)])]  # fmt: skip
    head = ["2025-01-06 10:00:00", "0", "198.51.100.7", "100", "1"]
    rows = [
        [*head, row["pid"], {"peer": "A", "usual": "B"}[row["arm"]], row["age"], *row[ITEMS]]
        for _, row in wave.iterrows()
    ]
    preview = [*head[:1], "1", *head[2:], "test", "A", "33", *["1"] * 7]
    unfinished = [*head[:3], "40", "0", wave["pid"].iloc[0], "A", "33", *["1"] * 7]
    pd.DataFrame([texts, imports, preview, *rows, unfinished], columns=names).to_csv(folder / "start.csv", index=False)


def write_redcap(folder: Path, wave: pd.DataFrame) -> None:
    (folder / "redcap").mkdir()
    names = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
             *[f"gad{n}" for n in range(1, 8)], "anxiety_complete", "bp"]  # fmt: skip
    rows = [[row["pid"], "post_arm_1", "", "", *row[ITEMS], "2", ""] for _, row in wave.iterrows()]
    pressure = [wave["pid"].iloc[0], "post_arm_1", "pressure", "1", *[""] * 7, "", "120"]
    pd.DataFrame([*rows, pressure], columns=names).to_csv(folder / "redcap" / "data.csv", index=False)
    header = ["field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
              "field_note", "text_validation_type_or_show_slider_number", "text_validation_min", "text_validation_max",
              "identifier", "branching_logic", "required_field", "custom_alignment", "question_number",
              "matrix_group_name", "matrix_ranking", "field_annotation"]  # fmt: skip
    fields = [["record_id", "anxiety", "", "text", "Record"], ["bp", "pressure", "", "text", "Pressure"]]
    fields += [
        [f"gad{n}", "anxiety", "", "radio", f"Item {n}", "0, no | 1, few | 2, more | 3, all"] for n in range(1, 8)
    ]
    rows = [[*field, *[""] * (len(header) - len(field))] for field in fields]
    pd.DataFrame(rows, columns=header).to_csv(folder / "redcap" / "dictionary.csv", index=False)


def write_spss(folder: Path, wave: pd.DataFrame) -> None:
    table = wave[["pid", *ITEMS]].reset_index(drop=True)
    table = table.set_axis(["ID", *[f"anx{n:02}" for n in range(1, 8)]], axis="columns")
    table[table.columns[1:]] = table[table.columns[1:]].astype(float)
    for row, typed in DISORDER.items():
        table.loc[row, "ID"] = typed
    labels = {name: {0.0: "no", 1.0: "few", 2.0: "more", 3.0: "all", -9.0: "refused"} for name in table.columns[1:]}
    ranges = {name: [{"lo": -9, "hi": -9}] for name in table.columns[1:]}
    pyreadstat.write_sav(table, folder / "later.sav", variable_value_labels=labels, missing_ranges=ranges)


@pytest.fixture(scope="module")
def clean(answers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("clean")
    answers.to_csv(folder / "answers.csv", index=False)
    (folder / "study.yaml").write_text(STUDY + ONE_FILE)
    (folder / "sap.yaml").write_text(PLAN)
    return run_study(open_folder(folder))


@pytest.fixture(scope="module")
def mixed(answers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    waves = {wave: answers[answers["wave"] == wave] for wave in "123"}
    write_qualtrics(folder, waves["1"])
    write_redcap(folder, waves["2"])
    write_spss(folder, waves["3"])
    (folder / "study.yaml").write_text(STUDY + THREE_SYSTEMS)
    (folder / "sap.yaml").write_text(PLAN)
    return folder


def test_ids_in_disorder_are_told_and_people_without_an_arm_set_aside(mixed: Path) -> None:
    done = run_study(open_folder(mixed))
    lost = done.quarantine[done.quarantine["rule"] == "one_arm_per_participant"]
    assert set(lost["source"]) == {"later.sav"}
    assert len(lost) == 2  # the spaces around the third id do not count


def test_with_the_corrections_of_a_person_three_systems_give_the_results_of_one_file(
    mixed: Path, clean: Run, answers: pd.DataFrame
) -> None:
    ids = answers.loc[answers["wave"] == "3", "pid"].tolist()
    lines = ["who,when,source,row,column,old,new,why"]
    lines += [
        f"ann,2026-01-05,later.sav,{row + 2},ID,{typed.strip()},{ids[row]},typed by hand"
        for row, typed in DISORDER.items()
        if typed.strip() != ids[row]
    ]
    (mixed / "corrections.csv").write_text("\n".join(lines) + "\n")
    done = run_study(open_folder(mixed))
    pd.testing.assert_frame_equal(done.results, clean.results, check_exact=False, rtol=1e-9)
    account = done.reconciliation.set_index("source")
    assert account["rows_read"].sum() == len(answers) + 4 + 1  # two more headers, a preview, an unfinished; a repeat
    assert (account["rows_read"] == account[["rows_accepted", "rows_quarantined", "rows_excluded"]].sum(axis=1)).all()
    assert account["rows_accepted"].sum() == len(answers)
    assert set(done.quarantine["rule"]) == {"second_header", "preview", "unfinished", "repeating_instrument"}
    page = done.report.read_text()
    assert "198.51.100.7" not in page
    assert "198.51.100.7" not in json.dumps(done.quarantine.to_dict("records"))

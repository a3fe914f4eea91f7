"""One study delivered by three systems, with ids in disorder, gives the results of the same people in one clean file."""

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.simulation import simulate_study
from instruments import load_library
from pipelines.checking import CheckedStudy, check_study
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.linking import load_key, pseudonymise
from pipelines.run import Run, run_study
from pipelines.settings import key_file
from pipelines.simulation.harbour import GROUP_SIZE, TRAITS, write_study
from pipelines.simulation.three_systems import LIST, WAVE_1, WAVE_2, WAVE_3, write_three_systems
from pipelines.simulation.visits import simulate_visits

SEED, PARTICIPANTS = 2025, 240
WHERE = ["source", "source_row", "column", "rule", "severity"]
CELL = ["participant_id", "timepoint", "instrument", "item"]
ONE_FILE = """\
sources:
  - path: answers.csv
    format: csv
    participant_id: participant_id
    timepoint: {column: timepoint, values: {baseline: baseline, post: post, followup: followup}}
    answered_on: {column: answered_on}
    participant_columns: {arm: arm, group: group, age: age, gender: gender}
    instruments:
      ssci-8: {items: "ssci-8 {n}"}
      phq-9: {items: "phq-9 {n}"}
      gse-10: {items: "gse-10 {n}"}
      who-5: {items: "who-5 {n}"}
      adherence-vas: {items: "adherence-vas {n}"}
"""
NEVER = ("198.51.100.", "555-", "asked to be called", "R_")
"""Beginnings of addresses, telephone numbers, notes and response ids in the files."""


@pytest.fixture(scope="module")
def kindred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "kindred"
    write_three_systems(folder, seed=SEED, participants=PARTICIPANTS)
    return folder


@pytest.fixture(scope="module")
def run(kindred: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_study(open_folder(kindred, output=tmp_path_factory.mktemp("output")))


@pytest.fixture(scope="module")
def checked(kindred: Path) -> CheckedStudy:
    return check_study(open_folder(kindred))


@pytest.fixture(scope="module")
def uncorrected(kindred: Path, tmp_path_factory: pytest.TempPathFactory) -> CheckedStudy:
    folder = tmp_path_factory.mktemp("uncorrected") / "kindred"
    shutil.copytree(kindred, folder)
    (folder / "corrections.csv").unlink()
    return check_study(open_folder(folder))


@pytest.fixture(scope="module")
def truth(kindred: Path) -> dict[str, Any]:
    return dict(json.loads((kindred / "truth.json").read_text()))


@pytest.fixture(scope="module")
def corrections(kindred: Path) -> list[dict[str, str]]:
    with (kindred / "corrections.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def clean(kindred: Path, tmp_path_factory: pytest.TempPathFactory) -> CheckedStudy:
    folder = tmp_path_factory.mktemp("clean")
    library, rng = load_library(), np.random.default_rng(SEED)
    study = simulate_study(library, TRAITS, participants=PARTICIPANTS, group_size=GROUP_SIZE, rng=rng)
    simulate_visits(study, library, rng).to_csv(folder / "answers.csv", index=False)
    (folder / "study.yaml").write_text((kindred / "study.yaml").read_text().partition("label_sets:")[0] + ONE_FILE)
    shutil.copy(kindred / "sap.yaml", folder)
    return check_study(open_folder(folder))


def test_every_estimand_is_estimated_and_its_interval_holds_the_truth(run: Run, truth: dict[str, Any]) -> None:
    assert run.is_complete
    assert run.report.is_file()
    estimates = run.estimands.set_index("estimand")
    assert set(estimates.index) == set(truth["estimands"])
    for name, value in truth["estimands"].items():
        assert estimates.loc[name, "conf_low"] < value < estimates.loc[name, "conf_high"], name


def test_the_people_are_those_of_the_example(truth: dict[str, Any], tmp_path: Path) -> None:
    write_study(tmp_path / "harbour", seed=SEED, participants=PARTICIPANTS)
    example = json.loads((tmp_path / "harbour" / "truth.json").read_text())["estimands"]
    shared = set(example) & set(truth["estimands"])
    assert len(shared) >= 5
    assert {name: truth["estimands"][name] for name in shared} == {name: example[name] for name in shared}


def test_but_for_what_is_listed_the_answers_are_those_of_one_clean_file(
    checked: CheckedStudy, clean: CheckedStudy, truth: dict[str, Any]
) -> None:
    told = [one.intake.responses.set_index(CELL)[["value", "missing_reason"]].sort_index() for one in (checked, clean)]
    both = told[1].join(told[0], how="outer", suffixes=("_clean", "")).reset_index()
    same = (both["value"] == both["value_clean"]) | (both["value"].isna() & both["value_clean"].isna())
    differ = both[~same | (both["missing_reason"] != both["missing_reason_clean"])]
    lost = [fault for fault in truth["faults"] if fault["rule"] == "one_row_per_timepoint"]
    assert len(lost) == 2  # two rows of one person, who has no answers at baseline then
    n_items = sum(len(load_library()[name].items) for name in TRAITS)
    cells = [fault for fault in truth["faults"] if fault["severity"] == "cell"]
    assert len(differ) == n_items + len(cells)
    gone = differ[differ["missing_reason"].isna()]
    assert (len(gone), gone["participant_id"].nunique(), set(gone["timepoint"])) == (n_items, 1, {"baseline"})
    rest = differ[differ["missing_reason"].notna()]
    assert rest["missing_reason"].tolist() == ["quarantined"] * len(cells)


def test_the_people_have_the_arms_groups_and_ages_of_one_clean_file(checked: CheckedStudy, clean: CheckedStudy) -> None:
    people = [one.intake.participants.set_index("participant_id").sort_index() for one in (checked, clean)]
    assert len(people[0]) == PARTICIPANTS
    pd.testing.assert_frame_equal(people[0], people[1])


def test_the_reconciliation_adds_up_to_the_rows_in_the_files(run: Run, kindred: Path) -> None:
    table = run.reconciliation.set_index("source")
    assert (table["rows_read"] == table["rows_accepted"] + table["rows_quarantined"] + table["rows_excluded"]).all()
    for name in (WAVE_1, WAVE_2):
        with (kindred / name).open(newline="") as file:
            assert table.loc[name, "rows_read"] == sum(1 for _ in csv.reader(file)) - 1
    with (kindred / WAVE_3).open("rb") as file:
        assert table.loc[WAVE_3, "rows_read"] == int.from_bytes(file.read(84)[80:], "little")
    people = openpyxl.load_workbook(kindred / LIST).worksheets[0]
    assert table.loc[f"{LIST}[List]", "rows_read"] == people.max_row - 1


def test_the_quarantine_is_what_was_put_into_the_files(run: Run, truth: dict[str, Any]) -> None:
    assert run.quarantine[WHERE].to_dict("records") == pd.DataFrame(truth["faults"]).sort_values(WHERE[:4])[
        WHERE
    ].to_dict("records")


def test_every_line_of_the_corrections_log_is_used_and_none_could_be_left_out(
    checked: CheckedStudy, uncorrected: CheckedStudy, corrections: list[dict[str, str]]
) -> None:
    assert len(corrections) >= 15
    assert checked.intake.unused_corrections == ()
    lines = uncorrected.intake.quarantine
    aside = set(zip(lines["source"], lines["source_row"], strict=True))
    assert {(line["source"], int(line["row"])) for line in corrections} <= aside
    assert {line["why"] for line in corrections if not line["why"].strip()} == set()


def test_without_corrections_check_tells_which_ids_are_alike(
    checked: CheckedStudy, uncorrected: CheckedStudy, corrections: list[dict[str, str]]
) -> None:
    alike = uncorrected.intake.like_ids
    told = set(zip(alike["source"], alike["source_row"], strict=True))
    told |= set(zip(alike["like_source"], alike["like_source_row"], strict=True))
    misspelt = [one for one in corrections if one["new"].startswith("H") and not one["old"].startswith("H0")]
    assert len(misspelt) >= 12
    ids = {(one["source"], int(one["row"])) for one in misspelt}
    assert len(ids - told) <= 1  # the second event of a record has the id of the first
    left = checked.intake.like_ids
    assert left["differ_in"].tolist() == ["leading zeros"]


def test_two_people_whose_ids_look_alike_stay_two(
    checked: CheckedStudy, clean: CheckedStudy, truth: dict[str, Any]
) -> None:
    assert truth["alike_but_two"] == ["H012", "H12"]
    two = pseudonymise(pd.Series(truth["alike_but_two"]), "kindred", load_key(key_file()))
    assert two.nunique() == 2
    for one in (checked, clean):
        assert two.isin(one.intake.participants["participant_id"]).all()
        assert two.isin(one.intake.responses["participant_id"]).all()


def test_without_the_label_set_check_says_that_the_codes_are_shifted_and_a_run_stops(
    kindred: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "kindred"
    shutil.copytree(kindred, folder)
    text = (folder / "study.yaml").read_text()
    assert text.count(", labels: mood_from_1") == 1
    (folder / "study.yaml").write_text(text.replace(", labels: mood_from_1", ""))
    drift = check_study(open_folder(folder)).intake.drift
    grave = drift[drift["severity"] == "error"]
    assert grave["source"].tolist() == [WAVE_2]
    assert '{"1": 0, "2": 1, "3": 2, "4": 3}' in grave["how_to_fix"].iloc[0]
    outcome = CliRunner().invoke(app, ["run", str(folder)])
    assert outcome.exit_code == 2
    assert not (folder / "output" / "report.html").exists()


def test_the_solved_study_has_no_drift_that_is_not_declared(checked: CheckedStudy) -> None:
    assert set(checked.intake.drift["severity"]) <= {"info"}


def test_answers_given_in_a_hurry_or_past_the_attention_check_are_flagged(
    checked: CheckedStudy, truth: dict[str, Any]
) -> None:
    flags = checked.intake.flags
    declared = flags[flags["flag"].isin(["too_fast", "failed_attention"])]
    wanted = ["flag", "timepoint", "source", "source_row"]
    assert len(truth["flags"]) == 5
    assert declared[wanted].sort_values(wanted).to_dict("records") == pd.DataFrame(truth["flags"]).sort_values(
        wanted
    ).to_dict("records")


def test_no_address_telephone_number_or_note_enters(kindred: Path, run: Run, checked: CheckedStudy) -> None:
    delivered = "".join((kindred / name).read_text() for name in (WAVE_1, WAVE_2))
    people = openpyxl.load_workbook(kindred / LIST).worksheets[0]
    delivered += "".join(str(cell) for row in people.iter_rows(values_only=True) for cell in row)
    assert all(text in delivered for text in NEVER)
    kept = [checked.intake.responses, checked.intake.participants, run.quarantine, run.results, checked.intake.flags]
    pages = [path.read_text() for path in run.report.parent.iterdir() if path.suffix in (".csv", ".json")]
    for text in [*(table.to_csv() for table in kept), *pages]:
        assert not any(one in text for one in NEVER)
    assert not any(one in run.report.read_text() for one in NEVER[:3])


def test_the_same_arguments_write_the_same_bytes_and_unsolved_only_the_data(kindred: Path, tmp_path: Path) -> None:
    write_three_systems(tmp_path / "again", seed=SEED, participants=PARTICIPANTS, solved=False)
    written = sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file())
    assert [os.fspath(path) for path in written] == sorted(
        [WAVE_1, WAVE_2, WAVE_2.replace("records", "dictionary"), WAVE_3, LIST]
    )
    for name in written:
        assert (tmp_path / "again" / name).read_bytes() == (kindred / name).read_bytes(), name


def test_fewer_people_of_another_seed_make_a_study_too(tmp_path: Path) -> None:
    write_three_systems(tmp_path / "other", seed=7, participants=120)
    intake = check_study(open_folder(tmp_path / "other")).intake
    truth = json.loads((tmp_path / "other" / "truth.json").read_text())
    assert intake.quarantine[WHERE].to_dict("records") == pd.DataFrame(truth["faults"]).sort_values(WHERE[:4])[
        WHERE
    ].to_dict("records")
    assert intake.unused_corrections == ()


def test_unsolved_is_an_option_of_the_three_systems_only(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["simulate", str(tmp_path / "new"), "--unsolved"])
    assert outcome.exit_code == 2
    assert "--as three-systems" in outcome.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.real_data
def test_the_export_of_qualtrics_has_the_columns_of_a_real_one(kindred: Path, shared: Path) -> None:
    rows = []
    for path in (shared / "data" / "exports" / "qualtrics" / "sample.csv", kindred / WAVE_1):
        with path.open(newline="") as file:
            rows.append([row[:17] for row in list(csv.reader(file))[:3]])
    assert rows[1][0] == rows[0][0]
    assert rows[1][2] == rows[0][2]


@pytest.mark.real_data
def test_the_data_dictionary_has_the_columns_of_a_real_one(kindred: Path, shared: Path) -> None:
    headers = []
    for folder in (shared / "data" / "exports" / "redcap" / "longitudinal", (kindred / WAVE_2).parent):
        with (folder / "dictionary.csv").open(newline="", encoding="utf-8-sig") as file:
            headers.append(next(csv.reader(file)))
    assert headers[1] == headers[0]

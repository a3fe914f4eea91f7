"""What an SPSS file declares to be missing is missing, in that column, whatever else the code could mean."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from instruments import load_library
from pipelines.proposing.anchors import compare_anchors, observed_codes
from pipelines.sources.statistical import read_spss

from .folders import rewrite, taken

ITEMS = [f"gad_{n}" for n in range(1, 8)]
LABELS = {"age": {99: "refused"}, "gad_1": {0: "Not at all", 1: "Some", 2: "More", 3: "Refused"}}


@pytest.fixture
def answers(small_study: Path) -> pd.DataFrame:
    """The answers of the small study: the first row has 99 as age and 3 everywhere else."""
    frame = pd.read_csv(small_study / "answers.csv").astype({"age": "float", **dict.fromkeys(ITEMS, "float")})
    frame.loc[[0, 1], "age"] = 99
    frame.loc[0, ITEMS] = 3
    return frame


def deliver(folder: Path, answers: pd.DataFrame, labels: dict[str, dict[int, str]] = LABELS, **options: Any) -> None:
    pyreadstat.write_sav(answers, folder / "answers.sav", variable_value_labels=labels, **options)
    if "answers.csv" in (folder / "study.yaml").read_text():
        rewrite(folder, ("answers.csv", "answers.sav"), ("format: csv", "format: spss"))


def test_a_code_that_nothing_declares_is_an_answer(small_study: Path, answers: pd.DataFrame) -> None:
    deliver(small_study, answers)
    intake = taken(small_study)
    assert intake.responses["value"].notna().all()
    assert intake.participants["age"].eq(99).sum() == 1


def test_user_missing_codes_are_missing_in_their_column_also_where_they_are_options_or_in_range(
    small_study: Path, answers: pd.DataFrame
) -> None:
    deliver(small_study, answers, missing_ranges={"age": [99], "gad_1": [3]})
    intake = taken(small_study)
    assert intake.quarantine.empty
    assert intake.participants["age"].isna().sum() == 1
    first = intake.responses["item"] == "1"
    is_refused = intake.responses["source_row"].isin(answers.index[answers["gad_1"] == 3] + 2)
    assert set(intake.responses.loc[first & is_refused, "missing_reason"]) == {"user_missing"}
    assert intake.responses.loc[first & is_refused, "value"].isna().all()
    assert intake.responses.loc[~(first & is_refused), "missing_reason"].eq("").all()
    assert intake.responses.loc[~first & (intake.responses["source_row"] == 2), "value"].eq(3).all()
    is_told = intake.drift["severity"].isin(["error", "warning"])
    assert intake.drift.loc[is_told, ["kind", "column"]].to_numpy().tolist() == [["codes_differ", "gad_1"]]


def test_labels_of_declared_codes_are_not_held_against_the_instrument(small_study: Path, answers: pd.DataFrame) -> None:
    answers.loc[5, "gad_1"] = 4
    labels = {"gad_1": {**LABELS["gad_1"], 3: "Most", 4: "Refused"}}
    deliver(small_study, answers, labels=labels)
    assert "codes_differ" in set(taken(small_study).drift["kind"])
    deliver(small_study, answers, labels=labels, missing_ranges={"gad_1": [4]})
    assert "codes_differ" not in set(taken(small_study).drift["kind"])


def test_the_reason_is_that_of_the_study_where_it_knows_the_code(small_study: Path, answers: pd.DataFrame) -> None:
    answers.loc[5, "gad_2"] = -9
    answers.loc[6, "gad_2"] = -5
    deliver(small_study, answers, missing_ranges={"gad_2": [{"lo": -9, "hi": -1}]})
    told = taken(small_study).responses
    told = told[told["item"] == "2"].set_index("source_row")["missing_reason"]
    assert told.loc[[7, 8]].tolist() == ["refused", "user_missing"]


def test_what_the_file_declares_as_missing_is_no_id_and_no_arm(small_study: Path, answers: pd.DataFrame) -> None:
    answers.loc[2, "pid"] = "none"
    answers.loc[4, "arm"] = "none"
    deliver(small_study, answers, missing_ranges={"pid": ["none"], "arm": ["none"]})
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "rule"]].to_numpy().tolist() == [[4, "not_missing"]]
    assert intake.participants["arm"].isin(["peer", "usual"]).all()


def test_a_duration_that_the_file_declares_as_missing_tells_no_flag(small_study: Path, answers: pd.DataFrame) -> None:
    answers["seconds"] = 300.0
    answers.loc[[3, 4], "seconds"] = [1.0, 9.0]
    deliver(small_study, answers, missing_ranges={"seconds": [1]})
    with (small_study / "study.yaml").open("a") as file:
        file.write("    quality: {duration: {column: seconds, at_least: 120}}\n")
    assert taken(small_study).flags[["source_row", "flag"]].to_numpy().tolist() == [[6, "too_fast"]]


def test_letters_of_stata_are_missing_where_the_study_declares_them_and_quarantined_elsewhere(
    small_study: Path, answers: pd.DataFrame
) -> None:
    columns = answers.astype({"gad_3": "object"})
    columns.loc[[7, 8], "gad_3"] = ["a", "b"]
    path = small_study / "answers.dta"
    pyreadstat.write_dta(columns, path, missing_user_values={"gad_3": ["a", "b"]})
    rewrite(small_study, ("answers.csv", "answers.dta"), ("format: csv", "format: stata"))
    rewrite(small_study, ("{-9: refused}", "{.a: tired}"))
    told = taken(small_study).responses
    told = told[told["item"] == "3"].set_index("source_row")["missing_reason"]
    assert told.loc[[9, 10]].tolist() == ["tired", "quarantined"]


def test_declared_codes_do_not_speak_against_an_instrument(small_study: Path, answers: pd.DataFrame) -> None:
    answers.loc[3:8, "gad_1"] = 4
    answers.loc[9, "gad_1"] = 99
    instrument = load_library()["gad-7"]
    deliver(small_study, answers)
    plain = read_spss(small_study / "answers.sav", "answers.sav")
    assert compare_anchors(plain, ITEMS, instrument).verdict != "equal"
    assert 4 in observed_codes(plain, ITEMS)
    deliver(small_study, answers, missing_ranges={"gad_1": [4, 99]})
    declared = read_spss(small_study / "answers.sav", "answers.sav")
    found = compare_anchors(declared, ITEMS, instrument)
    assert (found.verdict, found.missing) == ("equal", ("99",))
    assert observed_codes(declared, ITEMS) == {0, 1, 2, 3}

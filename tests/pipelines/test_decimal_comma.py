"""A decimal comma counts where a number is read, and nowhere else: ids and codes stay what they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from instruments import load_library
from pipelines.checking import check_study
from pipelines.corrections import COLUMNS
from pipelines.folder import open_folder
from pipelines.instrument_files import read_answer_file, score_file
from pipelines.proposing.export_formats import open_exports

from .folders import rewrite, taken

Edit = Callable[[Path, Callable[[list[list[str]]], object]], None]


@pytest.fixture
def comma_study(small_study: Path, edit_rows: Edit) -> Path:
    """The small study as it comes from a spreadsheet that writes numbers with a comma."""

    def change(rows: list[list[str]]) -> None:
        rows[0] += ["seconds", "check"]
        for row in rows[1:]:
            row[3:] = [f"{told},0" for told in row[3:]]
            row += ["300,5", "2,0"]

    edit_rows(small_study / "answers.csv", change)
    rewrite(small_study, ("    format: csv\n", "    format: csv\n    decimal_comma: true\n"))
    with (small_study / "study.yaml").open("a") as file:
        file.write("    quality: {duration: {column: seconds, at_least: 120}, attention: {check: [2]}}\n")
    return small_study


def test_two_ids_that_differ_in_a_comma_are_two_people(comma_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        for row in rows[1:5]:
            row[0] = {"P00": "1,5", "P01": "1.5"}[row[0]]

    edit_rows(comma_study / "answers.csv", change)
    intake = taken(comma_study)
    assert intake.quarantine.empty
    assert len(intake.participants) == 60


def test_answers_covariates_and_durations_with_a_comma_are_numbers(comma_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[1][3] = rows[2][3] = "33,5"
        rows[3][4], rows[4][4] = "-9,0", "1,5"
        rows[5][-2], rows[6][-1], rows[7][-2] = "119,5", "3,0", "-9,0"

    edit_rows(comma_study / "answers.csv", change)
    intake = taken(comma_study)
    assert intake.participants["age"].eq(33.5).sum() == 1
    first = intake.responses[intake.responses["item"] == "1"].set_index("source_row")
    assert first["missing_reason"].loc[[2, 4, 5]].tolist() == ["", "refused", "quarantined"]
    assert first["value"].drop([4, 5]).isin([0, 1, 2, 3]).all()
    assert intake.quarantine[["source_row", "column", "rule"]].to_numpy().tolist() == [[5, "gad_1", "known_option"]]
    assert intake.flags[["source_row", "flag"]].to_numpy().tolist() == [[6, "too_fast"], [7, "failed_attention"]]


def test_without_the_declaration_no_comma_is_a_number(comma_study: Path) -> None:
    rewrite(comma_study, ("    decimal_comma: true\n", ""))
    intake = taken(comma_study)
    assert intake.responses["missing_reason"].eq("quarantined").all()


def test_codes_of_levels_arms_and_timepoints_stay_as_they_are(comma_study: Path, edit_rows: Edit) -> None:
    rewrite(
        comma_study,
        ("kind: number, range: [18, 99]", 'kind: category, levels: {"1,5": early, "1.5": late}'),
        ("id: age", "id: stage"),
        ("age: age", "stage: age"),
        ("{1: baseline, 2: post}", '{"1,0": baseline, "2,0": post}'),
    )
    rewrite(comma_study, ("covariates: [age]", "covariates: [stage]"), name="sap.yaml")

    def change(rows: list[list[str]]) -> None:
        for row in rows[1:]:
            row[1] += ",0"
            row[3] = "1,5" if row[0] < "P30" else "1.5"

    edit_rows(comma_study / "answers.csv", change)
    intake = taken(comma_study)
    assert intake.quarantine.empty
    assert intake.participants["stage"].value_counts().to_dict() == {"early": 30, "late": 30}


def test_rows_that_tell_the_same_numbers_are_one_however_they_are_spelled(comma_study: Path, edit_rows: Edit) -> None:
    edit_rows(comma_study / "answers.csv", lambda rows: rows.append([one.replace(",", ".") for one in rows[1]]))
    intake = taken(comma_study)
    assert intake.quarantine["rule"].tolist() == ["identical_duplicate"]
    assert len(intake.participants) == 60


def test_a_correction_names_the_text_of_the_file(comma_study: Path, edit_rows: Edit) -> None:
    edit_rows(comma_study / "answers.csv", lambda rows: rows[4].__setitem__(5, "33,0"))
    line = 'ann,2026-01-05,answers.csv,5,gad_2,"33,0","3,0",typing error'
    (comma_study / "corrections.csv").write_text("\n".join([",".join(COLUMNS), line]) + "\n")
    intake = check_study(open_folder(comma_study)).intake
    assert intake.quarantine.empty
    answer = (intake.responses["item"] == "2") & (intake.responses["source_row"] == 5)
    assert intake.responses.loc[answer, "value"].tolist() == [3]


def test_minutes_of_sessions_may_have_a_comma_and_their_ids_keep_theirs(comma_study: Path) -> None:
    with (comma_study / "study.yaml").open("a") as file:
        file.write(
            "sessions:\n  - path: log.csv\n    format: csv\n    delimiter: ';'\n    decimal_comma: true\n"
            "    participant_id: who\n    session: {column: meeting, values: {'1,5': extra}}\n    minutes: minutes\n"
        )
    (comma_study / "log.csv").write_text("who;meeting;minutes\nP01;1,5;90,5\nP02;1,5;60\n")
    sessions = taken(comma_study).sessions
    assert sessions["session"].tolist() == ["extra", "extra"]
    assert sorted(sessions["minutes"]) == [60, 90.5]


def test_a_file_of_one_instrument_is_scored_as_before(small_study: Path) -> None:
    instrument = load_library()["gad-7"]
    path = small_study / "answers.csv"
    scored = score_file(read_answer_file(path, instrument, items="gad_{n}"), instrument)
    assert (
        scored[[f"gad_{n}" for n in range(1, 8)]].astype("int").sum(axis=1).tolist() == scored["gad-7.total"].tolist()
    )


def test_init_takes_numbers_with_a_comma_for_numbers(comma_study: Path) -> None:
    path = comma_study / "answers.csv"
    (export,) = open_exports([path], comma_study).exports
    assert export.declared.decimal_comma
    assert export.table.cells.loc[2, ["pid", "seconds", "check"]].tolist() == ["P00", "300.5", "2.0"]

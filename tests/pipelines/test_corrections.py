"""Corrections by a person, and ids that may be one person: applied and told, never guessed."""

from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.checking import check_study
from pipelines.corrections import COLUMNS
from pipelines.folder import open_folder
from pipelines.run import run_study

HEADER = ",".join(COLUMNS)


def log(study: Path, *lines: str) -> None:
    (study / "corrections.csv").write_text("\n".join([HEADER, *lines]) + "\n")


@pytest.fixture
def answers(small_study: Path) -> pd.DataFrame:
    return pd.read_csv(small_study / "answers.csv", dtype="str")


def test_a_correction_changes_the_cell_that_it_names_on_every_run(small_study: Path, answers: pd.DataFrame) -> None:
    answers.loc[3, "gad_2"] = "33"
    answers.to_csv(small_study / "answers.csv", index=False)
    assert check_study(open_folder(small_study)).intake.quarantine["source_row"].tolist() == [5]
    log(small_study, "ann,2026-01-05,answers.csv,5,gad_2,33,3,typing error: checked with the paper form")
    for _ in range(2):
        intake = check_study(open_folder(small_study)).intake
        assert intake.quarantine.empty
        assert (
            intake.responses["item"].eq("2") & intake.responses["source_row"].eq(5) & intake.responses["value"].eq(3)
        ).any()
    run = run_study(open_folder(small_study))
    assert "corrections.csv" in (run.report.parent / "provenance.json").read_text()


def test_ids_that_a_person_joins_become_one_participant(small_study: Path, answers: pd.DataFrame) -> None:
    people = answers["pid"].nunique()
    row = answers.index[(answers["wave"] == "2")][0]
    own = answers.loc[row, "pid"]
    answers.loc[row, "pid"] = f" {own.upper()}-"
    answers.to_csv(small_study / "answers.csv", index=False)
    apart = check_study(open_folder(small_study)).intake
    assert len(apart.participants) == people + 1
    (pair,) = apart.like_ids.to_dict("records")
    assert {pair["source_row"], pair["like_source_row"]} == {row + 2, answers.index[answers["pid"] == own][0] + 2}
    assert pair["differ_in"] == "case and punctuation"
    log(small_study, f"ann,2026-01-05,answers.csv,{row + 2},pid,{own.upper()}-,{own},same signature")
    joined = check_study(open_folder(small_study)).intake
    assert len(joined.participants) == people
    assert joined.like_ids.empty


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (("7", "007"), "leading zeros"),
        (("ml-7", "ML7"), "case and punctuation"),
        (("p07", "P-7"), "leading zeros"),
        (("7", "8"), None),
        (("a7", "b7"), None),  # both in one file: two people
    ],
)
def test_like_ids_are_listed_by_their_place_and_never_joined(
    small_study: Path, answers: pd.DataFrame, ids: tuple[str, str], told: str | None
) -> None:
    first, second = answers["pid"].unique()[:2]
    answers["pid"] = "q" + answers["pid"].str.replace(r"\D", "", regex=True).str.zfill(4).where(
        ~answers["pid"].isin([first, second]), answers["pid"]
    )
    answers["pid"] = answers["pid"].replace({f"q{first}": ids[0], f"q{second}": ids[1]})
    answers.to_csv(small_study / "answers.csv", index=False)
    intake = check_study(open_folder(small_study)).intake
    assert len(intake.participants) == answers["pid"].nunique()
    found = intake.like_ids["differ_in"].tolist()
    assert found == ([told] if told else [])


def test_letters_around_a_number_may_be_the_habit_of_another_file(small_study: Path, answers: pd.DataFrame) -> None:
    answers["pid"] = [f"{int(''.join(c for c in one if c.isdigit())):03}" for one in answers["pid"]]
    answers[answers["wave"] == "1"].to_csv(small_study / "answers.csv", index=False)
    later = answers[answers["wave"] == "2"]
    later.assign(pid="ML" + later["pid"]).to_csv(small_study / "later.csv", index=False)
    text = (small_study / "study.yaml").read_text()
    source = text[text.index("  - path: answers.csv") :]
    (small_study / "study.yaml").write_text(text + source.replace("answers.csv", "later.csv"))
    like = check_study(open_folder(small_study)).intake.like_ids
    assert len(like) == later["pid"].nunique()
    assert set(like["differ_in"]) == {"letters around the number"}
    assert set(like["source"]) == {"answers.csv"}
    assert set(like["like_source"]) == {"later.csv"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ann,2026-01-05,answers.csv,5,gad_2,9,3,why", "line 2, gad_2: The cell does not hold the old value"),
        ("ann,2026-01-05,answers.csv,5,gad_22,0,3,why", "line 2, gad_22: The file has no such column. Did you mean"),
        ("ann,2026-01-05,answers.csv,999,gad_2,0,3,why", "line 2: The file has no row 999"),
        ("ann,2026-01-05,answers.csv,five,gad_2,0,3,why", "line 2, row: The row is no number"),
        (",2026-01-05,answers.csv,5,gad_2,0,3,", "line 2: The line does not tell who, why"),
        ("ann,2026-01-05,answers.csv,5,gad_2,0,3", "line 2: The line has 7 fields"),
    ],
)
def test_a_line_that_no_longer_fits_stops_the_run_and_is_told(small_study: Path, line: str, told: str) -> None:
    log(small_study, line)
    with pytest.raises(PeerimpactError) as caught:
        check_study(open_folder(small_study))
    assert f"corrections.csv, {told}" in str(caught.value)


def test_two_lines_for_one_cell_and_other_columns_are_refused(small_study: Path) -> None:
    line = "ann,2026-01-05,answers.csv,5,gad_2,0,3,why"
    log(small_study, line, line)
    with pytest.raises(PeerimpactError, match=r"line 3: Line 2 changes the same cell"):
        open_folder(small_study)
    (small_study / "corrections.csv").write_text("who,when\n")
    with pytest.raises(PeerimpactError, match="The columns are not those of a corrections log"):
        open_folder(small_study)


def test_a_line_for_a_file_that_was_not_read_is_told_as_unused(small_study: Path) -> None:
    log(small_study, "ann,2026-01-05,other.csv,5,gad_2,0,3,why")
    assert check_study(open_folder(small_study)).intake.unused_corrections == (2,)


def test_the_log_may_come_from_a_spreadsheet_of_another_language(small_study: Path, answers: pd.DataFrame) -> None:
    own = answers.loc[3, "gad_2"]
    lines = [HEADER, f"ann,2026-01-05,answers.csv,5,gad_2,{own},3,why", "", ",,,,,,,"]
    text = "\r\n".join(line.replace(",", ";") + ";;" for line in lines)
    (small_study / "corrections.csv").write_text(text, encoding="utf-8-sig", newline="")
    responses = check_study(open_folder(small_study)).intake.responses
    assert (responses["item"].eq("2") & responses["source_row"].eq(5) & responses["value"].eq(3)).any()


@pytest.mark.parametrize("row", ["²", "9" * 5000])
def test_a_row_that_is_no_plain_number_is_told(small_study: Path, row: str) -> None:
    log(small_study, f"ann,2026-01-05,answers.csv,{row},gad_2,0,3,why")
    with pytest.raises(PeerimpactError, match="The row is no number"):
        open_folder(small_study)

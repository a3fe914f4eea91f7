"""Quality flags: known ones are found, good answers are left alone, and nothing unreadable passes for either."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.intake import Intake

from .folders import taken

Edit = Callable[[Path, Callable[[list[list[str]]], object]], None]
COLUMNS = ["seconds", "check", "score", "trap", *[f"pss_{n}" for n in range(1, 11)]]
QUALITY = """\
    quality:
      duration: {column: seconds, at_least: 120}
      attention: {check: [2, strongly agree]}
      bots: {score: 0.5}
      honeypots: [trap]
"""
CAREFUL = ["300", "2", "0.9", "", *"0123401234"]


@pytest.fixture
def watched(small_study: Path, edit_rows: Edit) -> Path:
    """The small study with a second instrument and with columns that tell of how carefully somebody answered."""

    def change(rows: list[list[str]]) -> None:
        rows[0] += COLUMNS
        for row in rows[1:]:
            row += CAREFUL

    edit_rows(small_study / "answers.csv", change)
    text = (small_study / "study.yaml").read_text()
    (small_study / "study.yaml").write_text(f'{text}      pss-10: {{items: "pss_{{n}}"}}\n{QUALITY}')
    return small_study


def set_cells(folder: Path, edit_rows: Edit, **cells: dict[int, str]) -> None:
    """Write cells, told as column -> {row of the file: text}."""

    def change(rows: list[list[str]]) -> None:
        for column, told in cells.items():
            for row, text in told.items():
                rows[row - 1][rows[0].index(column)] = text

    edit_rows(folder / "answers.csv", change)


def flags_of(intake: Intake) -> list[tuple[int, str]]:
    return list(zip(intake.flags["source_row"], intake.flags["flag"], strict=True))


def test_careful_answers_have_no_flag(watched: Path) -> None:
    intake = taken(watched)
    assert intake.flags.empty
    assert intake.flags.columns.tolist() == ["participant_id", "timepoint", "flag", "source", "source_row"]
    assert intake.quarantine.empty


def test_each_check_flags_the_rows_that_fail_it(watched: Path, edit_rows: Edit) -> None:
    set_cells(watched, edit_rows, seconds={3: "119.9", 4: "120", 5: "30"}, check={5: "3", 6: " Strongly  AGREE ", 7: "2.0"},
              score={8: "0.49", 9: "0.5"}, trap={8: "hello", 10: "x"})  # fmt: skip
    intake = taken(watched)
    assert flags_of(intake) == [(3, "too_fast"), (5, "failed_attention"), (5, "too_fast"), (8, "bot"), (10, "bot")]
    assert intake.flags.loc[0, "timepoint"] == "post"
    person = intake.responses.loc[intake.responses["source_row"] == 3, "participant_id"].unique()
    assert intake.flags.loc[0, "participant_id"] == person.item()
    assert intake.responses["missing_reason"].eq("").all()  # a flag takes nothing away


def test_what_is_blank_or_a_missing_code_tells_no_flag(watched: Path, edit_rows: Edit) -> None:
    set_cells(watched, edit_rows, seconds={2: "", 3: "-9"}, check={2: "", 3: "-9"}, score={2: " ", 3: "-9.0"}, trap={3: "-9"})  # fmt: skip
    intake = taken(watched)
    assert intake.flags.empty
    assert intake.quarantine.empty


def test_a_duration_or_score_that_is_no_number_is_a_quarantined_cell_and_no_flag(
    watched: Path, edit_rows: Edit
) -> None:
    set_cells(watched, edit_rows, seconds={2: "two minutes", 3: "-5"}, score={4: "human"})
    intake = taken(watched)
    assert intake.flags.empty
    lines = intake.quarantine[["source_row", "column", "rule", "severity"]].to_numpy().tolist()
    assert lines == [[2, "seconds", "readable", "cell"], [3, "seconds", "readable", "cell"],
                     [4, "score", "readable", "cell"]]  # fmt: skip
    assert not intake.quarantine["reason"].str.contains("two|human|5").any()
    assert intake.reconciliation[["rows_accepted", "cells_quarantined"]].to_numpy().tolist() == [[120, 3]]


def test_a_row_without_any_answer_is_not_flagged(watched: Path, edit_rows: Edit) -> None:
    blank = {column: {2: ""} for column in [*[f"gad_{n}" for n in range(1, 8)], *COLUMNS]}
    set_cells(watched, edit_rows, **blank)
    set_cells(watched, edit_rows, seconds={2: "1"}, trap={2: "x"})
    assert taken(watched).flags.empty


def test_one_answer_throughout_is_a_straight_line_only_where_it_contradicts_itself(
    watched: Path, edit_rows: Edit
) -> None:
    lines = {f"pss_{n}": {2: "4", 3: "0", 4: "2", 5: "1" if n < 10 else "2", 6: "3" if n > 4 else ""} for n in range(1, 11)}  # fmt: skip
    lines["pss_6"][7] = "4"
    few = {f"pss_{n}": {8: "4" if n < 6 else ""} for n in range(1, 11)}
    set_cells(watched, edit_rows, **{column: lines[column] | few[column] for column in lines},
              **{f"gad_{n}": {9: "0"} for n in range(1, 8)})  # fmt: skip
    assert flags_of(taken(watched)) == [(2, "straight_lining"), (3, "straight_lining"), (6, "straight_lining")]


def test_a_participant_has_a_flag_once_per_timepoint_and_the_first_row_tells_it(watched: Path, edit_rows: Edit) -> None:
    set_cells(watched, edit_rows, score={2: "0.1"}, trap={2: "x"})
    rows = pd.read_csv(watched / "answers.csv", dtype="str", keep_default_na=False)
    stress = [f"pss_{n}" for n in range(1, 11)]
    rows[["pid", "wave", "trap", *stress]].to_csv(watched / "stress.csv", index=False)
    rows.drop(columns=stress).to_csv(watched / "answers.csv", index=False)
    text = (watched / "study.yaml").read_text().replace('      pss-10: {items: "pss_{n}"}\n', "")
    second = """\
  - path: stress.csv
    format: csv
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    instruments:
      pss-10: {items: "pss_{n}"}
    quality: {honeypots: [trap]}
"""
    (watched / "study.yaml").write_text(text + second)
    intake = taken(watched)
    assert intake.flags[["flag", "source", "source_row"]].to_numpy().tolist() == [["bot", "answers.csv", 2]]


def test_the_order_of_the_rows_changes_no_flag(watched: Path, edit_rows: Edit) -> None:
    set_cells(watched, edit_rows, seconds={3: "9", 7: "9"}, check={7: "5"})
    before = taken(watched).flags
    edit_rows(watched / "answers.csv", lambda rows: rows.__setitem__(slice(1, None), rows[:0:-1]))
    key = ["participant_id", "timepoint", "flag"]
    after = taken(watched).flags
    assert len(before) == 3
    pd.testing.assert_frame_equal(before[key].sort_values(key, ignore_index=True), after[key].sort_values(key, ignore_index=True))  # fmt: skip


def test_a_wide_file_tells_flags_by_timepoint(watched: Path, edit_rows: Edit) -> None:
    set_cells(watched, edit_rows, seconds={3: "9"})
    long = taken(watched).flags[["participant_id", "timepoint", "flag"]]
    rows = pd.read_csv(watched / "answers.csv", dtype="str", keep_default_na=False)
    told = [name for name in rows.columns if name not in ("pid", "arm", "age", "wave")]
    wide = rows.pivot(index=["pid", "arm", "age"], columns="wave", values=told)  # noqa: PD010 - nothing is aggregated
    wide.columns = [f"{name}_T{wave}" for name, wave in wide.columns]
    wide.reset_index().to_csv(watched / "answers.csv", index=False)
    text = (watched / "study.yaml").read_text()
    for old, new in {"{column: wave, values: {1: baseline, 2: post}}": "{wide: {T1: baseline, T2: post}}",
                     "gad_{n}": "gad_{n}_{t}", "pss_{n}": "pss_{n}_{t}", "column: seconds": "column: 'seconds_{t}'",
                     "{check:": "{'check_{t}':", "{score:": "{'score_{t}':", "[trap]": "['trap_{t}']"}.items():  # fmt: skip
        text = text.replace(old, new)
    (watched / "study.yaml").write_text(text)
    pd.testing.assert_frame_equal(taken(watched).flags[long.columns], long)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("{column: wave, values: {1: baseline, 2: post}}", "{wide: {T1: baseline, T2: post}}"),
            "same column at every",
        ),
        (("check: [2,", "check: [-9,"), "real answers would be lost"),
        (("at_least: 120", "at_least: 0"), "greater than 0"),
    ],
)
def test_checks_that_cannot_tell_anything_are_refused(watched: Path, change: tuple[str, str], said: str) -> None:
    text = (watched / "study.yaml").read_text().replace("gad_{n}", "gad_{n}_{t}" if "wide" in change[1] else "gad_{n}")
    (watched / "study.yaml").write_text(text.replace(*change))
    with pytest.raises(PeerimpactError, match=said):
        open_folder(watched)


def test_a_source_without_answers_has_nothing_to_flag(watched: Path) -> None:
    text = (watched / "study.yaml").read_text()
    arms = """\
  - path: arms.csv
    format: csv
    participant_id: pid
    timepoint: {fixed: baseline}
    participant_columns: {age: years}
    quality: {honeypots: [trap]}
"""
    (watched / "study.yaml").write_text(text + arms)
    with pytest.raises(PeerimpactError, match="no answers that could be flagged"):
        open_folder(watched)

"""Intake: every row accounted for, nothing changed in silence, nobody named."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts import PeerimpactError
from pipelines.linking import load_key, pseudonymise

from .folders import KEY, rewrite, taken

Edit = Callable[[Path, Callable[[list[list[str]]], object]], None]


def test_a_clean_study_is_taken_in_whole(small_study: Path) -> None:
    intake = taken(small_study)
    assert intake.quarantine.empty
    assert intake.reconciliation["rows_accepted"].tolist() == [120]
    assert len(intake.participants) == 60
    assert len(intake.responses) == 120 * 7
    assert intake.responses["missing_reason"].eq("").all()


def test_no_id_of_a_participant_survives(small_study: Path) -> None:
    intake = taken(small_study)
    for table in (
        intake.responses,
        intake.participants,
        intake.delivered_scores,
        intake.quarantine,
        intake.reconciliation,
    ):
        assert not table.astype("str").apply(lambda column: column.str.fullmatch(r"P\d\d")).any(axis=None)
    assert intake.participants["participant_id"].str.fullmatch(r"p_[0-9a-f]{24}").all()


def test_missing_codes_blanks_and_bad_cells_are_told_apart(small_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[1][4], rows[2][4], rows[3][4], rows[4][4], rows[5][4], rows[6][3] = "-9", "", "7", "never", " 2 ", "old"

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    first = intake.responses[intake.responses["item"] == "1"].set_index("source_row")
    assert first.loc[[2, 3, 4, 5, 6], "missing_reason"].tolist() == [
        "refused",
        "blank",
        "quarantined",
        "quarantined",
        "",
    ]
    assert first.loc[[4, 5], "raw"].tolist() == ["", ""]
    assert first.loc[6, "value"] == 2
    lines = intake.quarantine
    assert lines[["source_row", "column", "rule"]].to_numpy().tolist() == [
        [4, "gad_1", "known_option"],
        [5, "gad_1", "readable"],
        [7, "age", "readable"],
    ]
    assert "Allowed: 0, 1, 2, 3." in lines.loc[0, "reason"]
    assert intake.reconciliation[["rows_accepted", "cells_quarantined"]].to_numpy().tolist() == [[120, 3]]


def test_rows_that_repeat_to_the_letter_are_merged_and_rows_that_contradict_are_all_set_aside(
    small_study: Path, edit_rows: Edit
) -> None:
    def change(rows: list[list[str]]) -> None:
        again, other = list(rows[1]), list(rows[4])
        other[5] = "0" if other[5] != "0" else "1"
        rows += [again, other]

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "rule", "severity"]].to_numpy().tolist() == [
        [5, "one_row_per_timepoint", "row"], [122, "identical_duplicate", "excluded"], [123, "one_row_per_timepoint", "row"]]  # fmt: skip
    assert intake.reconciliation[
        ["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded"]
    ].to_numpy().tolist() == [[122, 119, 2, 1]]


def test_a_participant_whose_rows_tell_two_arms_is_set_aside_whole(small_study: Path, edit_rows: Edit) -> None:
    edit_rows(small_study / "answers.csv", lambda rows: rows[1].__setitem__(2, "usual"))
    intake = taken(small_study)
    assert intake.quarantine["source_row"].tolist() == [2, 3]
    assert intake.quarantine["column"].eq("arm").all()
    assert len(intake.participants) == 59


def test_the_same_file_twice_adds_nothing(small_study: Path) -> None:
    for name in ("answers_b.csv", "answers_a.csv"):
        (small_study / name).write_bytes((small_study / "answers.csv").read_bytes())
    (small_study / "study.yaml").write_text(
        (small_study / "study.yaml").read_text().replace("path: answers.csv", "path: answers_*.csv")
    )
    intake = taken(small_study)
    assert intake.reconciliation[["source", "rows_accepted", "rows_excluded"]].to_numpy().tolist() == [
        ["answers_a.csv", 120, 0],
        ["answers_b.csv", 0, 120],
    ]
    assert intake.quarantine["rule"].unique().tolist() == ["identical_file"]


def test_a_wide_file_gives_the_same_answers_as_a_long_one(small_study: Path) -> None:
    long = taken(small_study)
    rows = pd.read_csv(small_study / "answers.csv", dtype="str")
    wide = rows.pivot(index=["pid", "arm", "age"], columns="wave", values=[f"gad_{n}" for n in range(1, 8)])  # noqa: PD010 - nothing is aggregated
    wide.columns = [f"{name}_T{wave}" for name, wave in wide.columns]
    wide.reset_index().to_csv(small_study / "answers.csv", index=False)
    text = (small_study / "study.yaml").read_text()
    text = text.replace("{column: wave, values: {1: baseline, 2: post}}", "{wide: {T1: baseline, T2: post}}").replace(
        "gad_{n}", "gad_{n}_{t}"
    )
    (small_study / "study.yaml").write_text(text)
    columns = ["participant_id", "timepoint", "item", "value"]
    ours = taken(small_study)
    assert ours.reconciliation[["rows_read", "rows_accepted"]].to_numpy().tolist() == [[60, 60]]
    by = {"by": columns[:3], "ignore_index": True}
    pd.testing.assert_frame_equal(ours.responses[columns].sort_values(**by), long.responses[columns].sort_values(**by))
    pd.testing.assert_frame_equal(ours.participants, long.participants)


def test_covariates_are_those_of_the_earliest_timepoint_that_tells_them(small_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[1][3], rows[2][3] = "", "44"
        rows[3][3], rows[4][3] = "30", "31"

    edit_rows(small_study / "answers.csv", change)
    assert taken(small_study).participants["age"].head(2).tolist() == [44.0, 30.0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_the_cells_every_row_is_accounted_for(
    small_study: Path, edit_rows: Edit, data: st.DataObject
) -> None:
    original = (small_study / "answers.csv").read_text()
    text = st.text(st.characters(codec="utf-8", exclude_characters='\x00\r\n",'), max_size=6)
    spots = data.draw(
        st.lists(
            st.tuples(
                st.integers(1, 120), st.integers(0, 10), st.one_of(text, st.sampled_from(["1", "2", "9", "peer"]))
            ),
            max_size=8,
        )
    )

    def change(rows: list[list[str]]) -> None:
        for row, column, value in spots:
            rows[row][column] = value

    edit_rows(small_study / "answers.csv", change)
    try:
        line = taken(small_study).reconciliation.iloc[0]
    finally:
        (small_study / "answers.csv").write_text(original)
    assert line["rows_read"] == 120 == line["rows_accepted"] + line["rows_quarantined"] + line["rows_excluded"]


def test_pseudonyms_depend_on_key_and_study_and_not_on_spaces() -> None:
    ids = pd.Series(["007", " 007 ", "7", ""])
    ours = pseudonymise(ids, "harbour", KEY)
    assert ours[0] == ours[1] != ours[2]
    assert ours[3] == ""
    assert pseudonymise(ids, "kindred", KEY)[0] != ours[0]
    assert pseudonymise(ids, "harbour", KEY[::-1])[0] != ours[0]


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    assert load_key(path) == load_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("short")
    with pytest.raises(PeerimpactError, match="PEERIMPACT_KEY_FILE"):
        load_key(path)


def test_equal_answers_with_another_arm_or_age_are_no_repetition(small_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        for place, value in ((2, "usual"), (3, "55")):
            again = list(rows[1])
            again[place] = value
            rows.append(again)

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    assert "identical_duplicate" not in set(intake.quarantine["rule"])
    assert set(intake.quarantine.loc[intake.quarantine["rule"] == "one_row_per_timepoint", "source_row"]) == {
        2,
        122,
        123,
    }
    assert set(intake.quarantine.loc[intake.quarantine["rule"] == "one_arm_per_participant", "source_row"]) == {
        2,
        3,
        122,
        123,
    }


def test_a_table_that_two_sources_read_is_refused(small_study: Path) -> None:
    text = (small_study / "study.yaml").read_text()
    (small_study / "study.yaml").write_text(text + text[text.index("  - path:") :])
    with pytest.raises(PeerimpactError, match=r"answers\.csv: More than one source reads this table"):
        taken(small_study)


def test_a_column_that_stands_for_two_items_is_refused(small_study: Path) -> None:
    rewrite(small_study, ('"gad_{n}"', "[gad_1, gad_2, gad_3, gad_4, gad_5, gad_6, gad_6]"))
    with pytest.raises(PeerimpactError, match="'gad_6' is read as more than one"):
        taken(small_study)


def test_the_rows_of_a_participant_whose_arm_stood_in_a_lost_row_are_lost_with_it(
    small_study: Path, edit_rows: Edit
) -> None:
    def change(rows: list[list[str]]) -> None:
        rows[1][1] = "9"
        rows[2][2] = ""

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "rule"]].to_numpy().tolist() == [
        [2, "known_timepoint"],
        [3, "one_arm_per_participant"],
    ]
    assert intake.reconciliation["rows_accepted"].tolist() == [118]
    assert len(intake.participants) == 59


def test_missing_codes_are_no_id_no_arm_and_no_group(small_study: Path, edit_rows: Edit) -> None:
    rewrite(small_study, ("arm: arm,", "arm: arm, group: room,"))

    def change(rows: list[list[str]]) -> None:
        for number, row in enumerate(rows):
            row.append("room" if number == 0 else "-9" if number < 5 else "A")
        rows[1][0], rows[3][2] = "-9", "-9"

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "rule"]].to_numpy().tolist() == [[2, "not_missing"]]
    assert intake.participants["group"].str.fullmatch("|g_[0-9a-f]{24}").all()
    assert intake.participants["group"].nunique() == 2
    assert intake.participants["arm"].isin(["peer", "usual"]).all()


def test_a_code_that_values_do_not_declare_is_unknown_even_if_it_is_an_id_of_the_study(
    small_study: Path, edit_rows: Edit
) -> None:
    rewrite(small_study, ("{arm: arm,", "{arm: {column: arm, values: {peer: peer, U: usual}},"))
    edit_rows(
        small_study / "answers.csv", lambda rows: [row.__setitem__(2, "U") for row in rows[5:] if row[2] == "usual"]
    )
    lines = taken(small_study).quarantine
    assert lines["rule"].unique().tolist() == ["known_arm"]
    assert lines["reason"].str.contains("Allowed: peer, U.", regex=False).all()


def test_codes_of_a_covariate_may_differ_by_source(small_study: Path, edit_rows: Edit) -> None:
    rewrite(small_study, ("{id: age, kind: number, range: [18, 99]}", "{id: gender, kind: category, levels: {w: woman, m: man}}"),
            ("age: age", "gender: {column: age, values: {1: w, 2: m}}"))  # fmt: skip
    rewrite(small_study, ("covariates: [age]", "covariates: [gender]"), name="sap.yaml")
    edit_rows(
        small_study / "answers.csv",
        lambda rows: [row.__setitem__(3, str(1 + number % 3 % 2)) for number, row in enumerate(rows) if number],
    )
    intake = taken(small_study)
    assert intake.quarantine.empty
    assert set(intake.participants["gender"]) == {"woman", "man"}


def test_a_study_of_delivered_scores_alone_is_taken_in(small_study: Path) -> None:
    rewrite(small_study, ("covariates:\n", "measures:\n  - {id: own, label: Own, concept: worry, range: [0, 3], higher_is: worse}\ncovariates:\n"),
            ('    instruments:\n      gad-7: {items: "gad_{n}"}\n', "    scores: {own: gad_1}\n"))  # fmt: skip
    rewrite(small_study, ("gad-7.total", "own"), name="sap.yaml")
    intake = taken(small_study)
    assert intake.responses.empty
    assert len(intake.delivered_scores) == 120


def test_a_first_row_that_is_no_header_is_not_repeated_in_the_message(small_study: Path) -> None:
    lines = (small_study / "answers.csv").read_text().splitlines()
    (small_study / "answers.csv").write_text("\n".join(["pidCANARY,a,b,c,d,e,f,g,h,i,j", *lines[2:]]) + "\n")
    with pytest.raises(PeerimpactError) as caught:
        taken(small_study)
    assert "may be no header" in str(caught.value)
    assert "CANARY" not in str(caught.value)
    (small_study / "answers.csv").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(PeerimpactError, match="have the same name in the first row"):
        taken(small_study)


def test_each_cell_with_the_same_wrong_text_is_told_and_counted(small_study: Path, edit_rows: Edit) -> None:
    def change(rows: list[list[str]]) -> None:
        for number in (3, 5, 8):
            rows[number][4] = "9"

    edit_rows(small_study / "answers.csv", change)
    intake = taken(small_study)
    assert intake.quarantine["source_row"].tolist() == [4, 6, 9]
    assert intake.reconciliation["cells_quarantined"].tolist() == [3]
    (verdict,) = [one for one in intake.verdicts if one.rule == "known_option"]
    assert (verdict.n_failed, verdict.n_checked) == (3, 120 * 8)

"""Attendance: logs and rosters give one table, every row is accounted for, nobody is named."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.intake import Intake, take_in

from .folders import KEY, taken

LOG = """\
sessions:
  - path: log.csv
    format: csv
    participant_id: who
    session: meeting
    held_on: {column: day, format: "%d/%m/%Y"}
    attended: {column: came, values: {1: attended, 0: absent, e: excused, c: cancelled}}
    meets: {column: how, values: {O: online, P: in_person}}
    facilitator: leader
    group: circle
    minutes: minutes
"""
ROSTER = """\
sessions:
  - path: log.csv
    format: csv
    participant_id: who
    roster: {pattern: "week_{n}", count: 3}
    attended: {values: {1: attended, 0: absent}}
    meets: online
    calendar: [{id: 1, date: 2025-01-08}, {id: 2, date: 2025-01-15}, {id: 3, meets: in_person}]
"""
HEADER = ["who", "meeting", "day", "came", "how", "leader", "circle", "minutes"]
PEOPLE = [f"P{number:02}" for number in range(0, 20, 2)]
PLACE = ["source_row", "column", "rule", "severity"]
Study = Callable[..., Path]


@pytest.fixture
def study(small_study: Path) -> Study:
    """A function that adds an attendance log to the small study, whose people answered on one day at baseline."""

    def add(rows: list[list[str]], declared: str = LOG, header: list[str] | None = None) -> Path:
        answers = pd.read_csv(small_study / "answers.csv", dtype="str").assign(answered_on="2025-01-01")
        answers.to_csv(small_study / "answers.csv", index=False)
        text = (small_study / "study.yaml").read_text()
        asked = "participant_columns: {arm: arm, age: age}"
        if "answered_on" not in text:
            text = text.replace(asked, f"{asked}\n    answered_on: {{column: answered_on}}") + declared
        (small_study / "study.yaml").write_text(text)
        pd.DataFrame(rows, columns=header or HEADER).to_csv(small_study / "log.csv", index=False)
        return small_study

    return add


def log_rows() -> list[list[str]]:
    """Three weekly meetings of ten people: everybody came to the first, half to the second, the third fell out."""
    return [
        [who, str(week), f"{1 + 7 * week:02}/01/2025", came, "P" if week < 3 else "O", "Ann", f"c{place // 5}", "90"]
        for place, who in enumerate(PEOPLE)
        for week, came in enumerate(("1", "1" if place % 2 else "0", "c"), 1)
    ]


def account(intake: Intake) -> list[int]:
    line = intake.reconciliation.set_index("source").loc["log.csv"]
    return line[["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded", "cells_quarantined"]].to_list()


def test_a_log_gives_a_row_for_each_participant_and_session(study: Study) -> None:
    intake = taken(study(log_rows()))
    sessions = intake.sessions
    assert intake.quarantine.empty
    assert account(intake) == [30, 30, 0, 0, 0]
    assert sessions.groupby("session")["attended"].value_counts().to_dict() == {
        ("1", "attended"): 10,
        ("2", "absent"): 5,
        ("2", "attended"): 5,
        ("3", "cancelled"): 10,
    }
    assert sessions.groupby("session")["days_since_baseline"].first().to_dict() == {"1": 7, "2": 14, "3": 21}
    assert sessions.groupby("session")["format"].first().to_dict() == {
        "1": "in_person",
        "2": "in_person",
        "3": "online",
    }
    assert sessions["minutes"].eq(90).all()
    assert set(sessions["participant_id"]) <= set(intake.participants["participant_id"])


def test_nobody_who_leads_or_meets_is_named_unless_study_yaml_does(study: Study) -> None:
    folder = study(log_rows())
    sessions = taken(folder).sessions
    assert not sessions.astype("str").isin(["Ann", "c0", "c1", *PEOPLE]).any(axis=None)
    assert sessions["facilitator"].str.fullmatch(r"f_[0-9a-f]{24}").all()
    assert sessions["group"].str.fullmatch(r"g_[0-9a-f]{24}").all()
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("leader\n", "{column: leader, values: {Ann: first}}\n"))
    assert taken(folder).sessions["facilitator"].unique().tolist() == ["first"]


def test_a_roster_gives_the_same_rows_as_a_log(study: Study) -> None:
    rows = [[who, "1", "1" if place % 2 else "0", "" if place else "1"] for place, who in enumerate(PEOPLE)]
    intake = taken(study(rows, ROSTER, ["who", "week_1", "week_2", "week_3"]))
    assert account(intake) == [10, 10, 0, 0, 0]
    found = intake.sessions.groupby(["session", "format", "attended"]).size().to_dict()
    assert found == {
        ("1", "online", "attended"): 10,
        ("2", "online", "absent"): 5,
        ("2", "online", "attended"): 5,
        ("3", "online", "attended"): 1,
    }
    assert intake.sessions.groupby("session")["days_since_baseline"].max().dropna().to_dict() == {"1": 7, "2": 14}


def test_columns_of_a_roster_can_be_called_anything(study: Study) -> None:
    declared = ROSTER.replace('roster: {pattern: "week_{n}", count: 3}', "wide: {First week: 1, Second week: 2}")
    intake = taken(study([["P00", "1", "0"]], declared, ["who", "First week", "Second week"]))
    assert intake.sessions[["session", "attended"]].to_numpy().tolist() == [["1", "attended"], ["2", "absent"]]


def test_faults_of_a_log_are_set_aside_with_row_column_and_rule(study: Study) -> None:
    rows = log_rows()
    rows[1][3], rows[4][1], rows[7][0], rows[10][0], rows[13][3] = "9", "kick-off", "P99", "", ""
    rows[16][4], rows[19][2], rows[22][7] = "X", "mid January", "long"
    intake = taken(study(rows))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [
        [3, "came", "known_attendance", "row"],
        [6, "meeting", "known_session", "row"],
        [9, "who", "known_participant", "row"],
        [12, "who", "not_missing", "row"],
        [15, "came", "not_missing", "row"],
        [18, "how", "known_code", "cell"],
        [21, "day", "readable", "cell"],
        [24, "minutes", "readable", "cell"],
    ]
    assert "Allowed: 1, 0, e, c." in intake.quarantine.loc[0, "reason"]
    assert not intake.quarantine.astype("str").isin(["P99", "kick-off", "long"]).any(axis=None)
    assert account(intake) == [30, 25, 5, 0, 3]
    cells = intake.sessions.set_index("source_row").loc[[18, 21, 24]]
    assert (
        cells.loc[18, "format"],
        pd.isna(cells.loc[21, "days_since_baseline"]),
        pd.isna(cells.loc[24, "minutes"]),
    ) == (
        "",
        True,
        True,
    )


def test_an_unknown_code_in_a_roster_sets_one_cell_aside(study: Study) -> None:
    rows = [[who, "1", "9" if who == "P04" else "0", "1"] for who in PEOPLE]
    intake = taken(study(rows, ROSTER, ["who", "week_1", "week_2", "week_3"]))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [[4, "week_2", "known_code", "cell"]]
    assert account(intake) == [10, 10, 0, 0, 1]
    assert len(intake.sessions) == 29


def test_rows_that_repeat_are_excluded_and_rows_that_contradict_are_all_set_aside(study: Study) -> None:
    rows = log_rows()
    other = list(rows[3])
    other[3] = "0"
    intake = taken(study([*rows, list(rows[0]), other]))
    assert intake.quarantine[["source_row", "rule", "severity"]].to_numpy().tolist() == [
        [5, "one_row_per_session", "row"],
        [32, "identical_duplicate", "excluded"],
        [33, "one_row_per_session", "row"],
    ]
    assert account(intake) == [32, 29, 2, 1, 0]
    assert not intake.sessions.duplicated(["participant_id", "session"]).any()


def test_without_a_column_for_it_everybody_in_the_log_came_and_a_day_names_the_session(study: Study) -> None:
    declared = (
        'sessions: [{path: log.csv, format: csv, participant_id: who, held_on: {column: day, format: "%d/%m/%Y"}}]\n'
    )
    sessions = taken(study(log_rows(), declared)).sessions
    assert sessions["attended"].eq("attended").all()
    assert sessions["session"].unique().tolist() == ["day-0", "day-7", "day-14"]
    assert not sessions.astype("str").apply(lambda column: column.str.contains("2025")).any(axis=None)


def test_the_group_of_a_participant_stands_where_the_log_tells_none(study: Study) -> None:
    folder = study(log_rows(), LOG.replace("    group: circle\n", ""))
    answers = pd.read_csv(folder / "answers.csv", dtype="str")
    answers.assign(circle="round").to_csv(folder / "answers.csv", index=False)
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("age: age}", "age: age, group: circle}"))
    intake = taken(folder)
    assert set(intake.sessions["group"]) == set(intake.participants["group"])
    assert intake.sessions["group"].str.startswith("g_").all()


def test_sessions_that_stand_in_the_file_with_the_answers_have_an_account_of_their_own(study: Study) -> None:
    declared = LOG.replace("log.csv", "answers.csv").split("    session:")[0].replace("who", "pid")
    declared += "    wide: {came: 1}\n    attended: {values: {1: attended, 0: absent}}\n"
    folder = study([], declared)
    answers = pd.read_csv(folder / "answers.csv", dtype="str")
    answers["came"] = answers["wave"].map({"1": "", "2": "1"})
    answers.to_csv(folder / "answers.csv", index=False)
    intake = taken(folder)
    assert intake.reconciliation[["source", "rows_read", "rows_accepted"]].to_numpy().tolist() == [
        ["answers.csv", 120, 120],
        ["answers.csv (sessions)", 120, 120],
    ]
    assert len(intake.sessions) == 60


def test_a_correction_joins_an_id_of_the_log_that_is_listed_as_alike(study: Study) -> None:
    rows = log_rows()
    rows[0][0] = "p-00"
    folder = study(rows)
    before = taken(folder)
    assert before.quarantine["rule"].tolist() == ["known_participant"]
    assert before.like_ids["like_source"].tolist() == ["log.csv"]
    header = "who,when,source,row,column,old,new,why"
    (folder / "corrections.csv").write_text(f"{header}\nann,2026-01-05,log.csv,2,who,p-00,P00,same person\n")
    opened = open_folder(folder)
    after = take_in(opened.study.value, opened.data_root, opened.library, KEY, opened.corrections)
    assert after.quarantine.empty
    assert after.unused_corrections == ()


def test_a_study_without_sessions_has_an_empty_table(small_study: Path) -> None:
    assert taken(small_study).sessions.empty


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("    session: meeting\n", ""), None),
        (("    session: meeting\n", "    session: meeting\n    wide: {a: 1}\n"), "exactly one way"),
        (("who\n    session", "{anonymous: true}\n    session"), "Sessions are those of participants"),
        (("{column: came, values", "{values"), "The column that says who came is not named"),
        (("{column: how, values: {O: online, P: in_person}}", "by_phone"), "by_phone"),
        (("{column: how, values: {O: online, P: in_person}}", "{column: how}"), "exactly one way"),
        (("minutes: minutes", "calendar: [{id: 1, date: 8 January}]"), "This is no day"),
        (("minutes: minutes", "calendar: [{id: 1}, {id: 1}]"), "stands more than once"),
        (("1: attended", "1: came"), "came"),
        (("came, values", "cmae, values"), "cmae"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused_in_words(
    study: Study, change: tuple[str, str], words: str | None
) -> None:
    folder = study(log_rows(), LOG.replace(*change))
    if words is None:
        assert len(taken(folder).sessions) == 30
        return
    with pytest.raises(PeerimpactError, match=words):
        taken(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("week_{n}", "week"), "The pattern names one column"),
        (("attended: {values", "attended: {column: came, values"), "A roster needs to know what its codes mean"),
        (("meets: online", "minutes: long"), "A roster has one row for all sessions"),
        (('roster: {pattern: "week_{n}", count: 3}', "wide: {a: 1, b: 1}"), "stands more than once"),
        (('roster: {pattern: "week_{n}", count: 3}', "wide: {a: 7}"), "is not in the calendar"),
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused_in_words(study: Study, change: tuple[str, str], words: str) -> None:
    with pytest.raises(PeerimpactError, match=words):
        taken(study([], ROSTER.replace(*change), ["who"]))

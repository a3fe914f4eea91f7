"""Participants over several files: split questionnaires, demographics apart, and what contradicts."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.intake import Intake

from .folders import rewrite, taken

PEOPLE = """\
  - path: people.csv
    format: csv
    participant_id: id
    timepoint: {fixed: baseline}
    participant_columns: {arm: assigned, age: years}
"""
MORE = """\
  - path: more.csv
    format: csv
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    instruments:
      phq-2: {items: "phq_{n}"}
"""


@pytest.fixture
def answers(small_study: Path) -> pd.DataFrame:
    return pd.read_csv(small_study / "answers.csv", dtype="str")


@pytest.fixture
def split(small_study: Path, answers: pd.DataFrame) -> Path:
    """The small study with arm and age in a file of their own, and a second questionnaire in a third file."""
    people = answers.drop_duplicates("pid")[["pid", "arm", "age"]]
    people.set_axis(["id", "assigned", "years"], axis="columns").to_csv(small_study / "people.csv", index=False)
    more = answers[["pid", "wave"]].assign(phq_1=answers["gad_1"], phq_2=answers["gad_2"])
    more.sample(frac=1, random_state=4).to_csv(small_study / "more.csv", index=False)
    answers.drop(columns=["arm", "age"]).to_csv(small_study / "answers.csv", index=False)
    rewrite(small_study, ("    participant_columns: {arm: arm, age: age}\n", ""))
    with (small_study / "study.yaml").open("a") as file:
        file.write(PEOPLE + MORE)
    return small_study


def assert_rows_conserve(intake: Intake) -> None:
    rows = intake.reconciliation
    parts = rows["rows_accepted"] + rows["rows_quarantined"] + rows["rows_excluded"]
    assert rows["rows_read"].equals(parts)


def test_a_study_split_over_files_gives_the_same_participants_and_answers(
    small_study: Path, answers: pd.DataFrame, split: Path
) -> None:
    intake = taken(split)
    assert intake.quarantine.empty
    assert_rows_conserve(intake)
    assert len(intake.participants) == answers["pid"].nunique()
    arms = intake.participants["arm"].value_counts().to_dict()
    assert arms == answers.drop_duplicates("pid")["arm"].value_counts().to_dict()
    assert sorted(intake.participants["age"]) == sorted(answers.drop_duplicates("pid")["age"].astype(float))
    wide = intake.responses.pivot_table(
        index=["participant_id", "timepoint"], columns=["instrument", "item"], values="value"
    )
    assert wide["phq-2"]["1"].equals(wide["gad-7"]["1"].rename("1"))
    assert len(wide) == len(answers)


def test_files_with_the_same_questions_may_not_contradict_each_other(split: Path) -> None:
    more = pd.read_csv(split / "more.csv", dtype="str")
    again = more.head(3).assign(phq_1=lambda rows: rows["phq_1"].map(lambda value: str((int(value) + 1) % 4)))
    again.to_csv(split / "again.csv", index=False)
    with (split / "study.yaml").open("a") as file:
        file.write(MORE.replace("more.csv", "again.csv"))
    intake = taken(split)
    conflicting = intake.quarantine[intake.quarantine["rule"] == "one_row_per_timepoint"]
    assert sorted(conflicting["source"]) == ["again.csv"] * 3 + ["more.csv"] * 3
    assert_rows_conserve(intake)


def test_the_same_row_in_two_files_is_used_once_and_told(split: Path) -> None:
    pd.read_csv(split / "more.csv", dtype="str").head(3).to_csv(split / "again.csv", index=False)
    with (split / "study.yaml").open("a") as file:
        file.write(MORE.replace("more.csv", "again.csv"))
    intake = taken(split)
    assert set(intake.quarantine["rule"]) == {"identical_duplicate"}
    assert len(intake.quarantine) == 3
    assert_rows_conserve(intake)


def test_an_arm_that_two_files_tell_differently_sets_the_participant_aside(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people.head(1).assign(assigned=lambda rows: rows["assigned"].map({"peer": "usual", "usual": "peer"})).to_csv(
        split / "changes.csv", index=False
    )
    with (split / "study.yaml").open("a") as file:
        file.write(PEOPLE.replace("people.csv", "changes.csv"))
    intake = taken(split)
    assert set(intake.quarantine["rule"]) == {"one_arm_per_participant"}
    assert set(intake.quarantine["source"]) == {"people.csv", "changes.csv", "answers.csv", "more.csv"}
    assert len(intake.participants) == len(people) - 1
    assert_rows_conserve(intake)


def test_an_age_that_two_files_tell_differently_is_set_aside_in_both(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people.head(2).assign(years=["30", "31"]).to_csv(split / "ages.csv", index=False)
    with (split / "study.yaml").open("a") as file:
        file.write(PEOPLE.replace("people.csv", "ages.csv"))
    intake = taken(split)
    told = intake.quarantine[intake.quarantine["rule"] == "one_value_per_participant"]
    assert sorted(told["source"]) == ["ages.csv"] * 2 + ["people.csv"] * 2
    assert told["severity"].eq("cell").all()
    assert intake.participants["age"].isna().sum() == 2
    assert_rows_conserve(intake)


def test_somebody_who_is_only_in_the_list_of_people_is_allocated_and_has_no_answers(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people = pd.concat([people, pd.DataFrame([["new", "peer", "40"]], columns=people.columns)])
    people.to_csv(split / "people.csv", index=False)
    intake = taken(split)
    assert len(intake.participants) == len(people)
    assert intake.responses["participant_id"].nunique() == len(people) - 1


def test_somebody_whom_the_list_of_people_does_not_have_is_set_aside_in_every_file(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people.iloc[1:].to_csv(split / "people.csv", index=False)
    intake = taken(split)
    assert set(intake.quarantine["rule"]) == {"one_arm_per_participant"}
    assert set(intake.quarantine["source"]) == {"answers.csv", "more.csv"}
    assert_rows_conserve(intake)


def test_of_rows_that_repeat_each_other_the_one_that_tells_most_stays_whatever_their_order(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    silent = people.head(3).assign(assigned="", years="")
    for rows in ([silent, people], [people, silent]):
        pd.concat(rows).to_csv(split / "people.csv", index=False)
        intake = taken(split)
        assert set(intake.quarantine["rule"]) == {"identical_duplicate"}
        assert len(intake.participants) == len(people)
        assert intake.participants["age"].notna().all()
        assert_rows_conserve(intake)


def test_a_row_without_answers_contradicts_nobody(split: Path) -> None:
    more = pd.read_csv(split / "more.csv", dtype="str")
    blank = more.head(5).assign(phq_1="", phq_2="")
    for rows in ([blank, more], [more, blank]):
        pd.concat(rows).to_csv(split / "more.csv", index=False)
        intake = taken(split)
        assert intake.quarantine.empty
        answers = intake.responses[intake.responses["instrument"] == "phq-2"]
        assert len(answers) == 2 * len(more)
        assert answers["value"].notna().all()
        assert_rows_conserve(intake)


def test_one_value_spelled_in_two_ways_is_one_value(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people.assign(years=people["years"] + ".0").to_csv(split / "ages.csv", index=False)
    with (split / "study.yaml").open("a") as file:
        file.write(PEOPLE.replace("people.csv", "ages.csv"))
    intake = taken(split)
    assert not (intake.quarantine["rule"] == "one_value_per_participant").any()
    assert intake.participants["age"].notna().all()


def test_a_contradicted_covariate_is_missing_and_not_that_of_a_later_timepoint(
    split: Path, answers: pd.DataFrame
) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    later = people.assign(years="77").to_csv(split / "later.csv", index=False)
    assert later is None
    people.head(2).assign(years=["30", "31"]).to_csv(split / "ages.csv", index=False)
    with (split / "study.yaml").open("a") as file:
        file.write(PEOPLE.replace("people.csv", "ages.csv"))
        file.write(PEOPLE.replace("people.csv", "later.csv").replace("fixed: baseline", "fixed: post"))
    ages = taken(split).participants["age"]
    assert ages.isna().sum() == 2
    assert not (ages == 77).any()


def test_equal_files_whose_rows_are_read_elsewhere_are_not_the_same(small_study: Path, answers: pd.DataFrame) -> None:
    for place, wave in (("a", "1"), ("b", "2")):
        (small_study / place).mkdir()
        people = answers.drop_duplicates("pid")[["pid", "arm", "age"]].assign(KEY=lambda rows: rows["pid"])
        people.to_csv(small_study / place / "odk.csv", index=False)
        visits = answers[answers["wave"] == wave].drop(columns=["arm", "age"])
        visits = visits.rename(columns={"pid": "PARENT_KEY"}).assign(KEY=[f"v{wave}{n}" for n in range(len(visits))])
        visits.to_csv(small_study / place / "odk-visit.csv", index=False)
    rewrite(small_study, ("path: answers.csv", 'path: "*/odk.csv"'), ("format: csv", "format: kobo\n    repeat: visit"))
    intake = taken(small_study)
    assert intake.quarantine.empty
    assert len(intake.responses) == 7 * len(answers)


def test_a_control_character_in_a_covariate_is_no_end_of_the_program(split: Path) -> None:
    people = pd.read_csv(split / "people.csv", dtype="str")
    people.loc[0, "years"] = "4\x1f4"
    people.to_csv(split / "people.csv", index=False)
    intake = taken(split)
    assert intake.quarantine["rule"].tolist() == ["readable"]
    assert intake.quarantine["source_row"].tolist() == [2]
    assert_rows_conserve(intake)

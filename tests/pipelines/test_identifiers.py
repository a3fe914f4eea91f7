"""Who is who, and what never enters: an allow-list of columns, pseudonyms of places, codes people made themselves, days."""

from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.deliveries import read_deliveries
from pipelines.exports import tell_file
from pipelines.folder import open_folder

from .folders import KEY, rewrite, taken


@pytest.fixture
def table(small_study: Path) -> pd.DataFrame:
    return pd.read_csv(small_study / "answers.csv", dtype="str")


def deliver(folder: Path, table: pd.DataFrame) -> None:
    table.to_csv(folder / "answers.csv", index=False)


def test_columns_that_study_yaml_does_not_name_do_not_enter(small_study: Path, table: pd.DataFrame) -> None:
    deliver(small_study, table.assign(email="ann@example.org", IPAddress="10.0.0.1", LocationLatitude="48.1"))
    opened = open_folder(small_study)
    (delivery,) = read_deliveries(opened.study.value, opened.data_root, opened.library)
    assert list(delivery.table.cells.columns) == ["pid", "wave", "arm", "age", *[f"gad_{n}" for n in range(1, 8)]]
    assert delivery.unused == ("email", "IPAddress", "LocationLatitude")


def test_dates_become_days_since_the_baseline_of_the_participant(small_study: Path, table: pd.DataFrame) -> None:
    when = [f"{10 + 14 * (wave == '2'):02}/03/2025" for wave in table["wave"]]
    told = pd.Series(when)
    told[0], told[3] = "", "31/02/2025"
    deliver(small_study, table.assign(answered=told))
    rewrite(
        small_study,
        ("    participant_columns", "    answered_on: {column: answered, format: '%d/%m/%Y'}\n    participant_columns"),
    )
    intake = taken(small_study)
    days = intake.responses[intake.responses["item"] == "1"].set_index("source_row")["days_since_baseline"]
    assert days.loc[[4, 6]].tolist() == [0, 0]
    assert days.loc[[7, 9]].tolist() == [14, 14]
    assert days.loc[[2, 3, 5]].isna().all(), "without a day at baseline, or with one that cannot be, there is no number"
    assert not intake.responses.astype("str").apply(lambda column: column.str.contains("2025")).any(axis=None)


def test_groups_and_sites_are_pseudonyms_unless_study_yaml_names_them(small_study: Path, table: pd.DataFrame) -> None:
    deliver(
        small_study,
        table.assign(room=["Anna's kitchen" if n % 4 < 2 else "Hall" for n in range(len(table))], place="N"),
    )
    rewrite(small_study, ("arm: arm,", "arm: arm, group: room, site: {column: place, values: {N: north}},"))
    intake = taken(small_study)
    assert intake.participants["group"].str.fullmatch("g_[0-9a-f]{24}").all()
    assert intake.participants["group"].nunique() == 2
    assert set(intake.participants["site"]) == {"north"}


def test_a_site_that_values_do_not_name_sets_the_row_aside(small_study: Path, table: pd.DataFrame) -> None:
    deliver(small_study, table.assign(place=["X", *["N"] * (len(table) - 1)]))
    rewrite(small_study, ("arm: arm,", "arm: arm, site: {column: place, values: {N: north}},"))
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "column", "rule"]].to_numpy().tolist() == [[2, "place", "known_site"]]
    assert "Allowed" not in intake.quarantine.loc[0, "reason"] or "X" not in intake.quarantine.loc[0, "reason"]


CODE = {"participant_id: pid": "participant_id: {code_from: [mother, day, street]}"}


def with_codes(table: pd.DataFrame) -> pd.DataFrame:
    number = table["pid"].str[1:].astype(int)
    return table.drop(columns="pid").assign(
        mother=[f"{'ABCDEFGH'[n % 8]}{n // 8}" for n in number], day=[str(n % 28 + 1) for n in number], street="Q"
    )


def test_codes_that_people_made_themselves_link_whatever_their_spelling(small_study: Path, table: pd.DataFrame) -> None:
    coded = with_codes(table)
    coded.loc[coded["wave"] == "2", "mother"] = coded["mother"].str.lower() + " "
    deliver(small_study, coded)
    rewrite(small_study, *CODE.items())
    intake = taken(small_study)
    assert len(intake.participants) == 60
    assert intake.responses.groupby("participant_id")["timepoint"].nunique().eq(2).all()


def test_a_code_with_a_part_left_out_links_nobody_and_loses_nothing(small_study: Path, table: pd.DataFrame) -> None:
    coded = with_codes(table)
    coded.loc[[1, 3], "day"] = ["", "-9"]
    deliver(small_study, coded)
    rewrite(small_study, *CODE.items(), ("design: randomised", "design: single_group"), ("arm: arm, ", ""),
            ("  - {id: usual, label: Usual care, reference: true}\n", ""))  # fmt: skip
    (small_study / "sap.yaml").write_text(
        (small_study / "sap.yaml").read_text().replace("peer - usual", "post - baseline")
    )
    intake = taken(small_study)
    assert intake.reconciliation[["rows_read", "rows_accepted"]].to_numpy().tolist() == [[120, 120]]
    assert len(intake.participants) == 62


def test_two_rows_of_one_wave_with_one_code_may_be_two_people_and_are_not_used(
    small_study: Path, table: pd.DataFrame
) -> None:
    coded = with_codes(table)
    parts = ["mother", "day", "street"]
    coded.loc[2, parts] = coded.loc[0, parts]
    deliver(small_study, coded)
    rewrite(small_study, *CODE.items())
    lines = taken(small_study).quarantine
    assert set(lines.loc[lines["rule"] == "one_row_per_timepoint", "source_row"]) == {2, 4}
    assert "mother, day, street" in set(lines["column"])


def test_rows_without_ids_need_a_design_that_follows_nobody(small_study: Path) -> None:
    rewrite(small_study, ("participant_id: pid", "participant_id: {anonymous: true}"))
    with pytest.raises(PeerimpactError, match="Rows without ids cannot be linked") as refused:
        open_folder(small_study)
    assert "repeated_cross_section" in str(refused.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("data/survey_baseline.csv", "data/survey_baseline.csv"),
        ("data/survey_2025-03.csv", "data/survey_2025-03.csv"),
        ("data/survey_t1.csv", "data/survey_t1.csv"),
        ("data/survey_P01.csv", "data/survey_*.csv (8df242)"),
        ("data/survey_Anna_Kowalska.csv", "data/survey_*.csv (964b52)"),
    ],
)
def test_a_file_name_is_told_only_as_far_as_study_yaml_says_it(small_study: Path, path: str, told: str) -> None:
    study = open_folder(small_study).study.value
    assert tell_file(Path(path), "data/survey_*.csv", study, KEY) == told


@pytest.mark.parametrize(
    ("path", "content"),
    [("again.csv", "text"), ("again.csv", "CRLF"), ("again.xlsx", "workbook")],
)
def test_an_anonymous_table_that_comes_twice_counts_once(
    small_study: Path, table: pd.DataFrame, path: str, content: str
) -> None:
    text = (small_study / "answers.csv").read_text()
    if content == "workbook":
        table.to_excel(small_study / path, index=False)
    else:
        (small_study / path).write_text(text, newline="\r\n" if content == "CRLF" else "\n")
    document = (
        (small_study / "study.yaml").read_text().replace("participant_id: pid", "participant_id: {anonymous: true}")
    )
    source = document[document.index("  - path: answers.csv") :]
    again = source.replace("answers.csv", path).replace(
        "format: csv", f"format: {'excel' if content == 'workbook' else 'csv'}"
    )
    (small_study / "study.yaml").write_text(document.replace("randomised", "repeated_cross_section") + again)
    (small_study / "sap.yaml").write_text(PLAN_WITHOUT_IDS)
    counts = taken(small_study).reconciliation[["rows_read", "rows_accepted", "rows_excluded"]]
    assert counts.to_numpy().tolist() == [[120, 120, 0], [120, 0, 120]]


PLAN_WITHOUT_IDS = """\
sap: 1
outcomes:
  - {id: anxiety, measure: gad-7.total, role: primary}
estimands:
  - {id: anxiety_post, outcome: anxiety, contrast: peer - usual, timepoint: post}
"""


@pytest.mark.parametrize(
    "change",
    [
        ("missing_codes: {-9: refused}", "missing_codes: {1: refused}\nlabel_sets: {often: {1: 0, 2: 1}}"),
        ("missing_codes: {-9: refused}", "missing_codes: {Never: refused}\nlabel_sets: {often: {Never: 0, Often: 1}}"),
    ],
)
def test_a_missing_code_that_is_a_label_is_refused(small_study: Path, change: tuple[str, str]) -> None:
    rewrite(
        small_study,
        change,
        ('"gad_{n}"}', '"gad_{n}", labels: often}'),
        ("{1: baseline, 2: post}", "{a: baseline, b: post}"),
    )
    with pytest.raises(PeerimpactError, match="possible value of label set 'often'"):
        open_folder(small_study)


def test_a_missing_code_that_is_the_code_of_an_arm_is_refused(small_study: Path) -> None:
    rewrite(small_study, ("arm: arm,", "arm: {column: arm, values: {-9: peer, 2: usual}},"))
    with pytest.raises(PeerimpactError, match="possible value of 'arm'"):
        open_folder(small_study)


def test_a_day_that_stands_for_none_is_set_aside_alone(small_study: Path, table: pd.DataFrame) -> None:
    when = pd.Series(["2025-03-01", "2025-05-01"] * 60)
    when[4], when[7] = "9999-12-31", "2025-01-01"
    deliver(small_study, table.assign(answered=when))
    rewrite(small_study, ("    participant_columns", "    answered_on: {column: answered}\n    participant_columns"))
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "column", "rule"]].to_numpy().tolist() == [[6, "answered", "readable"]]
    days = intake.responses.drop_duplicates("source_row").set_index("source_row")["days_since_baseline"]
    assert days[[2, 3, 9]].tolist() == [0, 61, -59]
    assert days[[6, 7]].isna().all()


def test_equal_anonymous_tables_of_two_timepoints_are_two_samples(small_study: Path) -> None:
    header = "q," + ",".join(f"gad_{n}" for n in range(1, 8))
    source = """\
  - path: {name}.csv
    format: csv
    participant_id: {{anonymous: true}}
    timepoint: {{fixed: {name}}}
    instruments: {{gad-7: {{items: "gad_{{n}}"}}}}
"""
    document = (small_study / "study.yaml").read_text()
    start = document[: document.index("  - path")].replace("randomised", "repeated_cross_section")
    one_arm = start.replace("  - {id: usual, label: Usual care, reference: true}\n", "")
    (small_study / "study.yaml").write_text(one_arm + source.format(name="baseline") + source.format(name="post"))
    (small_study / "sap.yaml").write_text(PLAN_WITHOUT_IDS.replace("peer - usual", "post - baseline"))
    for name in ("baseline", "post"):
        (small_study / f"{name}.csv").write_text(f"{header}\n" + "x,1,1,1,1,1,1,1\n" * 3)
    assert taken(small_study).reconciliation["rows_accepted"].tolist() == [3, 3]

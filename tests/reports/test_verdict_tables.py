"""The rules in the report: broken ones first, the study's marked, no number that tells a number of people."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import data_contracts
from reports import ReportContent, render_report
from reports.verdict_tables import OWN, ROWS_NOTE, TABLES, verdict_tables

COLUMNS = ["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]
VERDICTS = pd.DataFrame(
    [
        ("cells", "known_kind", "kind", "error", True, 4210, 0, "A cell is of a kind.", False),
        ("participants", "has_rows", "", "error", True, 9, 0, "There are rows.", False),
        ("participants", "adults", "age", "info", False, 451, 30, "Everybody is of age.", True),
        ("participants", "site_told", "site", "warning", False, 451, 3, "Most have a site.", True),
        ("deliveries", "known_arm", "arm", "error", False, 453, 200, "The arm is known.", False),
        ("responses", "empty", "", "error", True, 0, 0, "Nothing to check.", False),
    ],
    columns=COLUMNS,
)  # fmt: skip


def test_tables_and_rules_that_are_broken_come_first() -> None:
    tables = verdict_tables(VERDICTS, "threshold-10")
    assert [table.caption for table in tables] == [
        "Rows of answers, as delivered: rules broken: 1 of 1",
        "Participants: rules broken: 2 of 3",
        "Cells of answers, as delivered: its 1 rule holds",
        "Answers: its 1 rule holds",
    ]
    assert [row[0] for row in tables[1].rows] == [
        OWN.format(rule="site told (site)"),
        OWN.format(rule="adults (age)"),
        "has rows",
    ]


def test_columns_that_are_filled_as_they_must_be_have_one_line() -> None:
    missing = [("cells", "not_missing", name, "error", True, 4210, 0, "", False) for name in ("source", "kind", "name")]
    missing.append(("cells", "not_missing", "told", "error", False, 4210, 3, "", False))
    (table,) = verdict_tables(pd.DataFrame(missing, columns=COLUMNS), "threshold-10")
    assert [row[1] for row in table.rows] == [
        "told is never missing.", "Nothing is missing in 3 columns that must be filled.",
    ]  # fmt: skip


def test_every_table_that_has_a_contract_has_a_name_in_words() -> None:
    assert set(TABLES) == {path.stem for path in (Path(data_contracts.__file__).parent / "contracts").glob("*.yaml")}


def test_severity_and_verdict_are_said_in_words() -> None:
    told = {row[0].split(" (")[0]: row[2:4] for table in verdict_tables(VERDICTS, "none") for row in table.rows}
    assert told["known arm"] == ("must hold", "broken; what broke it was set aside")
    assert told["site told"] == ("should hold", "broken; the data were kept")
    assert told["adults"] == ("worth knowing", "broken; the data were kept")
    assert told["known kind"] == ("must hold", "holds")


def test_numbers_of_rows_are_powers_of_ten_and_shares_unless_the_report_is_for_the_study_alone() -> None:
    shown = {row[0].split(" (")[0]: row[4:] for table in verdict_tables(VERDICTS, "threshold-10") for row in table.rows}
    assert shown == {
        "known kind": ("at least 1,000", "none"),
        "has rows": ("fewer than 10", "none"),
        "adults": ("at least 100", "fewer than one in four"),
        "site told": ("at least 100", "fewer than one in twenty"),
        "known arm": ("at least 100", "one in four or more"),
        "empty": ("none", "none"),
    }
    exact = {row[0].split(" (")[0]: row[4:] for table in verdict_tables(VERDICTS, "none") for row in table.rows}
    assert exact["known kind"] == ("4,210", "0")
    assert exact["site told"] == ("451", "3")
    assert ROWS_NOTE in verdict_tables(VERDICTS, "threshold-10")[-1].notes
    assert all(table.notes == () for table in verdict_tables(VERDICTS, "none"))


@pytest.mark.parametrize("count", [10, 99, 100, 999, 1000, 123_456])
def test_ten_times_as_many_numbers_stay_possible(count: int) -> None:
    (table,) = verdict_tables(VERDICTS.head(1).assign(n_checked=count), "threshold-10")
    lowest = int(table.rows[0][4].removeprefix("at least ").replace(",", ""))
    assert lowest <= count < 10 * lowest


def test_the_report_shows_every_table_and_no_rule_becomes_markup(build: Callable[..., ReportContent]) -> None:
    content = build()
    page = render_report(replace(content, verdicts=VERDICTS.assign(description="<b>bold</b>")))
    assert "Rows of answers, as delivered: rules broken: 1 of 1" in page
    assert OWN.format(rule="adults (age)") in page
    assert "<b>bold</b>" not in page
    assert "4,210" not in page
    assert render_report(replace(content, verdicts=VERDICTS.head(0)))

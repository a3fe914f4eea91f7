"""Nothing is lost: what is set aside is told, and the sum is checked."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import DataContractError, SetAside, conform, enforce, quarantine_table, reconcile, shipped_contract

PARAMETERS = {"timepoints": ["baseline", "post"], "arms": ["peer", "usual"]}


def deliveries(**columns: list[object]) -> pd.DataFrame:
    base: dict[str, list[object]] = {
        "source": ["a.csv"] * 3, "source_row": [2, 3, 4], "participant_id": ["p", "q", "r"], "timepoint": ["baseline"] * 3, "topic": ["t"] * 3,
        "arm": ["peer", "usual", ""], "group": [""] * 3, "site": [""] * 3, "arms_told": ["one"] * 3, "groups_told": ["none"] * 3, "sites_told": ["none"] * 3,
    }  # fmt: skip
    return conform(pd.DataFrame(base | columns), shipped_contract("deliveries"))


def line(row: int, severity: str = "row", rule: str = "some_rule") -> SetAside:
    return SetAside("a.csv", row, "", rule, severity, "A reason.", "Some advice.")


def test_rows_that_break_a_rule_are_set_aside_with_reason_and_advice() -> None:
    enforced = enforce(
        deliveries(timepoint=["baseline", "pots", "post"]), shipped_contract("deliveries"), PARAMETERS, severity="row"
    )
    assert enforced.accepted["source_row"].tolist() == [2, 4]
    (told,) = enforced.set_aside
    assert (told.source, told.source_row, told.column, told.rule) == ("a.csv", 3, "timepoint", "known_timepoint")
    assert "Allowed: baseline, post." in told.reason
    assert "study.yaml" in told.how_to_fix
    assert "pots" not in told.reason


def test_a_broken_rule_about_the_whole_table_stops_everything() -> None:
    with pytest.raises(DataContractError, match="has_rows"):
        enforce(deliveries().head(0), shipped_contract("deliveries"), PARAMETERS, severity="row")


def test_a_row_is_counted_once_however_many_rules_it_breaks() -> None:
    table = reconcile(
        {"a.csv": 3}, {"a.csv": 2}, [line(2), line(2, rule="other"), line(2, "cell"), line(3, "cell")], {"a.csv": "f"}
    )
    assert table.loc[0, ["rows_quarantined", "rows_excluded", "cells_quarantined"]].tolist() == [1, 0, 2]


@given(
    accepted=st.integers(0, 5),
    fates=st.lists(st.sampled_from(["row", "excluded"]), max_size=6),
    lost=st.integers(-2, 2),
)
def test_a_run_fails_unless_every_row_read_is_accepted_quarantined_or_excluded(
    accepted: int, fates: list[str], lost: int
) -> None:
    lines = [line(row, severity) for row, severity in enumerate(fates, 2)]
    arguments = ({"a.csv": accepted + len(fates) + lost}, {"a.csv": accepted}, lines, {"a.csv": "f"})
    if lost:
        with pytest.raises(DataContractError, match="rows were read"):
            reconcile(*arguments)
    else:
        assert reconcile(*arguments)["rows_read"].tolist() == [accepted + len(fates)]


def test_the_quarantine_is_a_table_ordered_by_place_even_when_empty() -> None:
    assert quarantine_table([line(9), line(2), line(2)])["source_row"].tolist() == [2, 9]
    assert list(quarantine_table([]).columns) == list(shipped_contract("quarantine").table.dtypes)


def test_no_module_but_expectations_imports_great_expectations() -> None:
    package = Path(__file__).resolve().parents[2] / "data_contracts"
    users = [path.name for path in package.rglob("*.py") if "great_expectations" in path.read_text()]
    assert users == ["expectations.py"]

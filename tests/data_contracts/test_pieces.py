"""Checking in pieces of rows: the same verdicts as in one piece, positions and all."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import Contract, check_table, conform, shipped_contract
from data_contracts.exporting import fill_contract
from data_contracts.keys import number_keys

PARAMETERS: dict[str, Any] = {
    "options": {"a": [0.0, 1.0], "b": [4.0, 5.0]}, "ranges": {"r": (0, 10), "s": (5, 6)}, "levels": {"sex": ["f", "m"]},
}  # fmt: skip
ROW = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["a.csv", ""]),
        "kind": st.sampled_from(["item", "score", "nonsense", ""]),
        "value": st.sampled_from([0.0, 1.0, 4.0, 5.5, 11.0, float("nan")]),
        "options_of": st.sampled_from(["a", "b", "c", ""]),
        "range_of": st.sampled_from(["r", "s", ""]),
        "level": st.sampled_from(["f", "x", ""]),
        "levels_of": st.sampled_from(["sex", ""]),
    }
)


def cells(rows: list[dict[str, Any]]) -> pd.DataFrame:
    contract = shipped_contract("cells")
    blank = {name: "z" if dtype == "str" else 1 for name, dtype in contract.table.dtypes.items()}
    return conform(
        pd.DataFrame([blank | row for row in rows], columns=list(blank)).astype({"value": "float64"}), contract
    )


def add_uniqueness(contract: Contract) -> Contract:
    rule = {"name": "once", "description": "Once each.", "metric": "duplicateValues", "mustBe": 0,
            "arguments": {"properties": ["kind", "value", "options_of"]}}  # fmt: skip
    document = contract.model_dump(by_alias=True)
    document["schema"][0]["quality"].append(rule)
    return Contract.model_validate(document)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=12), size=st.integers(1, 5))
def test_pieces_of_any_size_give_the_verdicts_of_the_whole(rows: list[dict[str, Any]], size: int) -> None:
    table, contract = cells(rows), add_uniqueness(shipped_contract("cells"))
    assert check_table(table, contract, PARAMETERS, rows_at_once=size) == check_table(table, contract, PARAMETERS)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_verdicts_are_those_of_rules_applied_by_hand(rows: list[dict[str, Any]]) -> None:
    found = {
        one.rule: one.rows for one in check_table(cells(rows), shipped_contract("cells"), PARAMETERS, rows_at_once=4)
    }
    options, ranges = PARAMETERS["options"], PARAMETERS["ranges"]
    told = [row["value"] == row["value"] for row in rows]
    assert found["known_option"] == tuple(
        at for at, row in enumerate(rows)
        if told[at] and row["options_of"] in options and row["value"] not in options[row["options_of"]]
    )  # fmt: skip
    assert found["in_range"] == tuple(
        at for at, row in enumerate(rows)
        if told[at] and row["range_of"] in ranges
        and not ranges[row["range_of"]][0] <= row["value"] <= ranges[row["range_of"]][1]
    )  # fmt: skip
    assert found["known_kind"] == tuple(at for at, row in enumerate(rows) if row["kind"] == "nonsense")


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=12))
def test_a_contract_with_its_parameters_filled_in_breaks_at_the_same_rows(rows: list[dict[str, Any]]) -> None:
    table, contract = cells(rows), shipped_contract("cells")
    filled = fill_contract(contract, PARAMETERS)
    before: dict[str, set[int]] = {}
    after: dict[str, set[int]] = {}
    for into, verdicts in ((before, check_table(table, contract, PARAMETERS)), (after, check_table(table, filled))):
        for one in verdicts:
            into.setdefault(f"{one.rule.partition('.')[0]} {one.column}", set()).update(one.rows)
    assert after == before


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a", "b", "ab", ""]), st.integers(0, 2), st.sampled_from(["", "b", "bb"])),
        max_size=20,
    )
)
def test_a_number_stands_for_the_same_values_and_no_others(rows: list[tuple[str, int, str]]) -> None:
    table = pd.DataFrame(rows, columns=["x", "y", "z"]).astype({"x": "str", "y": "int64", "z": "str"})
    keys = number_keys(table, ["x", "y", "z"])
    for row, key in zip(rows, keys, strict=True):
        if "" in row:
            assert key == -1
        else:
            assert key >= 0
            assert [other == row for other in rows] == list(keys == key)


def test_numbers_stay_exact_where_many_columns_have_many_values() -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.integers(0, 2000, (2000, 8)))  # more combinations than a whole number has
    table.loc[1999] = table.loc[0]
    keys = number_keys(table, list(table.columns))
    assert len(np.unique(keys)) == 1999
    assert keys[1999] == keys[0]
    assert keys.min() >= 0


def test_a_rule_of_hundreds_of_keys_names_every_row_of_a_pair_that_breaks_it() -> None:
    keys = [f"k{number}" for number in range(300)]
    table = cells([{"options_of": key, "value": float(place % 3)} for place, key in enumerate(keys * 2)])
    verdicts = check_table(
        table, shipped_contract("cells"), PARAMETERS | {"options": {key: [0.0, 1.0] for key in keys}}
    )
    (found,) = (one for one in verdicts if one.rule == "known_option")
    assert found.rows == tuple(place for place in range(600) if place % 3 == 2)


@pytest.mark.parametrize("size", [1, 2, 250])
def test_a_table_without_rows_or_with_one_is_checked_alike(size: int) -> None:
    contract = shipped_contract("cells")
    none = {one.rule: one.passed for one in check_table(cells([]), contract, PARAMETERS, rows_at_once=size)}
    assert [rule for rule, passed in none.items() if not passed] == ["has_rows"]
    one_row = cells([{"kind": "item", "reading": "number", "told": "one"}])
    assert all(one.passed for one in check_table(one_row, contract, PARAMETERS, rows_at_once=size))

"""Days covered by refills: published cases, a count day by day, and what must never matter."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.errors import InstrumentError
from instruments.refills import compute_days_covered

EXAMPLES = 50  # enough to meet gaps, stockpiles and same days, and still about a second
NEW_YEAR = date(2018, 1, 1)
YEAR_END = "2018-12-31"
NINETY_DAYS = [("2018-01-01", 30), ("2018-01-28", 30), ("2018-03-01", 30)]  # days 1, 28 and 60

# Test cases of the Pharmacy Quality Alliance (pdc-dr.js.txt): refills, and the days on which their doses are taken.
ALLIANCE_CASES = [
    (
        [("2018-01-01", 90, "metformin"), ("2018-04-01", 90, "glipizide")],
        [("2018-01-01", "2018-03-31"), ("2018-04-01", "2018-06-29")],
    ),
    (
        [("2018-01-01", 90, "metformin"), ("2018-01-01", 90, "glipizide")],
        [("2018-01-01", "2018-03-31"), ("2018-01-01", "2018-03-31")],
    ),
    (
        [("2018-03-25", 90, "metformin"), ("2018-07-05", 90, "metformin"), ("2018-09-25", 90, "metformin")],
        [("2018-03-25", "2018-06-22"), ("2018-07-05", "2018-10-02"), ("2018-10-03", "2018-12-31")],
    ),
    (
        [
            ("2018-01-01", 90, "metformin"), ("2018-03-25", 90, "metformin"), ("2018-07-05", 90, "metformin"),
            ("2018-10-15", 90, "metformin"),
        ],
        [
            ("2018-01-01", "2018-03-31"), ("2018-04-01", "2018-06-29"), ("2018-07-05", "2018-10-02"),
            ("2018-10-15", "2018-12-31"),
        ],
    ),
    (
        [("2018-10-04", 30, "metformin"), ("2018-11-01", 30, "metformin")],
        [("2018-10-04", "2018-11-02"), ("2018-11-03", "2018-12-02")],
    ),
]  # fmt: skip


def refills_of(*people, **columns):
    """One list of (filled_on, days_supply) per participant p0, p1 and so on."""
    rows = [(f"p{person}", *refill) for person, given in enumerate(people) for refill in given]
    names = ["participant_id", "filled_on", "days_supply", "product"]
    return pd.DataFrame(rows, columns=names[: len(rows[0])]).assign(**columns)


def days_between(first, last):
    return set(range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1))


@pytest.mark.parametrize(("refills", "doses"), ALLIANCE_CASES)
def test_the_cases_of_the_alliance_come_out(refills, doses):
    covered = set().union(*[days_between(*span) for span in doses])
    found = compute_days_covered(refills_of(refills), start=None, end=YEAR_END).iloc[0]
    in_period = len(days_between(refills[0][0], YEAR_END))
    assert (found["days_covered"], found["days_in_period"]) == (len(covered), in_period)
    assert found["pdc"] == len(covered) / in_period


def test_early_refills_are_shifted_or_their_overlap_lapses():
    refills = refills_of(NINETY_DAYS)
    shifted = compute_days_covered(refills, start="2018-01-01", end="2018-03-31").iloc[0]
    assert shifted.tolist() == ["p0", 90, 90, 1.0]
    lapsed = compute_days_covered(refills, start="2018-01-01", end="2018-03-31", shift_overlaps=False).iloc[0]
    assert lapsed.tolist() == ["p0", 87, 90, 87 / 90]


def test_without_products_refills_of_one_day_follow_one_another_and_with_products_they_run_together():
    same_day = refills_of([("2018-01-01", 90), ("2018-01-01", 90)])
    assert compute_days_covered(same_day, start=None, end=YEAR_END)["days_covered"].tolist() == [180]
    two = same_day.assign(product=["metformin", "glipizide"])
    assert compute_days_covered(two, start=None, end=YEAR_END)["days_covered"].tolist() == [90]


def test_a_refill_before_the_period_counts_with_the_days_that_reach_into_it():
    refills = refills_of([("2017-12-12", 30)], [("2017-12-12", 30), ("2018-01-01", 30)], [("2017-06-01", 30)])
    found = compute_days_covered(refills, start=NEW_YEAR, end="2018-01-31")
    assert found["days_covered"].tolist() == [10, 31, 0]
    assert found["days_in_period"].tolist() == [31, 31, 31]


def test_refills_after_the_period_do_not_count():
    refills = refills_of([("2018-01-01", 30), ("2018-05-01", 30)], [("2018-05-01", 30)])
    found = compute_days_covered(refills, start="2018-01-01", end="2018-03-31")
    assert found["days_covered"].tolist() == [30, 0]
    from_first = compute_days_covered(refills, start=None, end="2018-03-31")
    assert from_first["days_in_period"].tolist() == [90, 0]
    assert from_first["pdc"].isna().tolist() == [False, True]


def test_a_period_of_one_day_is_covered_or_not():
    refills = refills_of([("2018-01-01", 1)])
    assert compute_days_covered(refills, start="2018-01-01", end="2018-01-01")["pdc"].tolist() == [1.0]
    assert compute_days_covered(refills, start="2018-01-02", end="2018-01-02")["pdc"].tolist() == [0.0]


@pytest.mark.parametrize(
    "dates",
    [
        pd.Series([date(2018, 1, 1), date(2018, 1, 28), date(2018, 3, 1)], dtype="object"),
        pd.to_datetime(["2018-01-01 23:59", "2018-01-28 08:00", "2018-03-01 00:00"]),
        pd.to_datetime(["2018-01-01 23:59", "2018-01-28 08:00", "2018-03-01 00:00"]).tz_localize("America/New_York"),
        [" 2018-01-01", "2018-01-28", "2018-03-01 "],
    ],
)
def test_a_day_is_the_calendar_day_however_it_is_written(dates):
    refills = refills_of(NINETY_DAYS, filled_on=dates, days_supply=["30", "30", "30"])
    for end in ("2018-03-31", date(2018, 3, 31), datetime(2018, 3, 31, 23, 59, tzinfo=UTC), pd.Timestamp("2018-03-31")):
        assert compute_days_covered(refills, start=NEW_YEAR, end=end)["days_covered"].tolist() == [90]


def test_the_table_has_the_declared_columns_and_types_even_when_empty():
    expected = {"participant_id": "str", "days_covered": "int64", "days_in_period": "int64", "pdc": "float64"}
    refills = refills_of(NINETY_DAYS, NINETY_DAYS)
    for table, people in ((refills, ["p0", "p1"]), (refills.iloc[:0], [])):
        for start in (None, "2018-01-01"):
            found = compute_days_covered(table, start=start, end=YEAR_END)
            assert found.dtypes.astype(str).to_dict() == expected
            assert found["participant_id"].tolist() == people


def test_the_refills_stay_as_they_were():
    refills = refills_of(NINETY_DAYS[::-1])
    before = refills.copy(deep=True)
    compute_days_covered(refills, start=None, end=YEAR_END)
    pd.testing.assert_frame_equal(refills, before)


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("filled_on", ["2018-01-01", "2018-02-30", "2018-03-01"], "filled_on: 1 cell holds no date (row 2)."),
        ("filled_on", ["01/02/2018", None, "2018"], "filled_on: 3 cells hold no date (row 1, 2, 3)."),
        ("filled_on", [43101, 43128, 43160], "filled_on: 3 cells hold no date"),
        ("filled_on", pd.to_datetime(["2018-01-01", None, None]), "(row 2, 3)."),
        ("days_supply", [30, 0, -5], "days_supply: 2 cells hold no whole number of days from 1 to 3660 (row 2, 3)."),
        ("days_supply", [30.5, float("nan"), float("inf")], "days_supply: 3 cells hold no whole number"),
        ("days_supply", ["thirty", "30", "9999"], "(row 1, 3)."),
        ("participant_id", ["secret", None, " "], "participant_id: 2 cells hold nothing (row 2, 3)."),
        ("product", ["metformin", None, "metformin"], "product: 1 cell holds nothing (row 2)."),
    ],
)
def test_a_bad_cell_is_an_error_that_names_row_and_column_and_no_participant(column, cells, said):
    refills = refills_of(NINETY_DAYS, participant_id="secret").assign(**{column: cells})
    with pytest.raises(InstrumentError) as caught:
        compute_days_covered(refills, start=None, end=YEAR_END)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert [problem.key for problem in caught.value.problems] == [column]


def test_every_bad_column_is_told_at_once_and_only_the_first_rows_are_listed():
    refills = refills_of([("soon", 0)] * 7)
    with pytest.raises(InstrumentError) as caught:
        compute_days_covered(refills, start=None, end=YEAR_END)
    assert [problem.code for problem in caught.value.problems] == ["not_a_date", "not_a_supply"]
    assert "7 cells hold no date (row 1, 2, 3, 4, 5, ...)." in str(caught.value)


def test_an_absent_column_is_an_error_with_the_nearest_name():
    refills = refills_of(NINETY_DAYS).rename(columns={"days_supply": "day_supply"})
    with pytest.raises(InstrumentError, match=r"no column 'days_supply'\. Did you mean 'day_supply'\?"):
        compute_days_covered(refills, start=None, end=YEAR_END)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2018-01-02", "2018-01-01", "The period ends before it begins."),
        ("2018-13-01", YEAR_END, "'start' is no date."),
        (None, "31.12.2018", "'end' is no date."),
        (None, pd.NaT, "'end' is no date."),
        (None, None, "'end' is no date."),
        (20180101, YEAR_END, "'start' is no date."),
    ],
)
def test_a_period_that_is_none_is_an_error(start, end, said):
    with pytest.raises(InstrumentError, match=said):
        compute_days_covered(refills_of(NINETY_DAYS), start=start, end=end)


REFILL = st.tuples(st.integers(-60, 150), st.integers(1, 60))
PERSON = st.lists(REFILL, min_size=1, max_size=8)
PERIOD = st.tuples(st.integers(0, 60), st.integers(0, 90)).map(lambda ends: (ends[0], ends[0] + ends[1]))


def table_of(people):
    return refills_of(*[[((NEW_YEAR + timedelta(day)).isoformat(), supply) for day, supply in one] for one in people])


def compute(people, period, **options):
    first, last = (NEW_YEAR + timedelta(day) for day in period)
    return compute_days_covered(table_of(people), start=first, end=last, **options)


def count_by_day(refills, period):
    """Walk through the days: medication comes in when a refill is filled, and one day's worth goes each day."""
    stock, covered = 0, 0
    for day in range(min(day for day, _ in refills), period[1] + 1):
        stock += sum(supply for filled, supply in refills if filled == day)
        covered += stock > 0 and day >= period[0]
        stock -= stock > 0
    return covered


@given(people=st.lists(PERSON, min_size=1, max_size=4), period=PERIOD)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_the_count_agrees_with_a_walk_through_the_days(people, period):
    found = compute(people, period)
    assert found["days_covered"].tolist() == [count_by_day(one, period) for one in people]
    without_shift = [
        len(set().union(*[range(day, day + supply) for day, supply in one]) & set(range(period[0], period[1] + 1)))
        for one in people
    ]
    assert compute(people, period, shift_overlaps=False)["days_covered"].tolist() == without_shift


@given(people=st.lists(PERSON, min_size=1, max_size=4), period=PERIOD, shift=st.booleans())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_a_proportion_lies_between_none_and_all_and_shifting_never_lowers_it(people, period, shift):
    found = compute(people, period, shift_overlaps=shift)
    assert found["pdc"].between(0, 1).all()
    assert (found["pdc"] == found["days_covered"] / found["days_in_period"]).all()
    assert (compute(people, period)["pdc"] >= found["pdc"]).all()


@given(person=PERSON, extra=REFILL, period=PERIOD, shift=st.booleans())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_one_more_refill_never_lowers_the_proportion_of_a_given_period(person, extra, period, shift):
    before = compute([person], period, shift_overlaps=shift)["pdc"].iloc[0]
    assert compute([[*person, extra]], period, shift_overlaps=shift)["pdc"].iloc[0] >= before


@given(people=st.lists(PERSON, min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1), shift=st.booleans())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_neither_the_order_of_rows_nor_the_other_participants_matter(people, seed, shift):
    table = table_of(people)
    options = {"start": None, "end": NEW_YEAR + timedelta(120), "shift_overlaps": shift}
    expected = compute_days_covered(table, **options)
    shuffled = table.iloc[np.random.default_rng(seed).permutation(len(table))]
    pd.testing.assert_frame_equal(compute_days_covered(shuffled, **options), expected, check_exact=True)
    alone = [compute_days_covered(rows, **options) for _, rows in table.groupby("participant_id")]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), expected, check_exact=True)

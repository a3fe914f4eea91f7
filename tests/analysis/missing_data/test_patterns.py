"""Who is missing when, and how those who left differ from those who stayed."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.missing_data import compare_leavers, describe_flow, describe_patterns

NAN = float("nan")
OUTCOMES = {"start": "start", "mid": "mid", "end": "end"}


@pytest.fixture
def frame():
    rows = [
        ["peer", 1, 2, 3, 30, "w"],
        ["peer", 1, 2, 3, 40, "m"],
        ["peer", 1, NAN, NAN, 50, "w"],
        ["peer", 1, NAN, NAN, 70, None],
        ["peer", 1, NAN, 3, 50, "m"],
        ["usual", 1, 2, NAN, NAN, "w"],
        ["usual", 1, 2, 3, 20, "w"],
        ["usual", NAN, NAN, NAN, 30, "m"],
    ]
    return pd.DataFrame(rows, columns=["arm", "start", "mid", "end", "age", "gender"])


def test_every_pattern_is_counted_in_its_arm_and_named(frame):
    found = describe_patterns(frame, OUTCOMES, arm="arm")
    assert list(found.columns) == ["arm", "start", "mid", "end", "course", "participants", "share"]
    told = list(found[["arm", "course", "participants"]].itertuples(index=False, name=None))
    assert told == [
        ("peer", "complete", 2),
        ("peer", "left", 2),
        ("peer", "came_back", 1),
        ("usual", "complete", 1),
        ("usual", "left", 1),
        ("usual", "never", 1),
    ]
    assert found.groupby("arm")["share"].sum().to_list() == pytest.approx([1.0, 1.0])
    assert found.loc[2, ["start", "mid", "end"]].to_list() == [True, False, True]


def test_the_flow_tells_who_is_away_from_who_has_left(frame):
    found = describe_flow(frame, OUTCOMES, arm="arm").set_index(["arm", "timepoint"])
    assert found.loc[("peer", "mid"), ["participants", "observed", "away", "left"]].to_list() == [5, 2, 1, 2]
    assert found.loc[("peer", "end"), ["observed", "away", "left"]].to_list() == [3, 0, 2]
    assert found.loc[("usual", "start"), ["observed", "away", "left"]].to_list() == [2, 0, 1]
    assert found.loc[("usual", "end"), "share_missing"] == pytest.approx(2 / 3)
    assert (found[["observed", "away", "left"]].sum(axis=1) == found["participants"]).all()


def test_leavers_are_compared_in_units_of_spread(frame):
    later = {"mid": "mid", "end": "end"}
    found = compare_leavers(frame, later, arm="arm", characteristics=["age", "gender"])
    rows = found.set_index(["arm", "characteristic", "level"])
    age = rows.loc[("peer", "age", "")]
    left, stayed = np.array([50.0, 70.0]), np.array([30.0, 40.0, 50.0])
    expected = (left.mean() - stayed.mean()) / np.sqrt((left.var(ddof=1) + stayed.var(ddof=1)) / 2)
    assert age["standardised_difference"] == pytest.approx(expected)
    assert (age["n_left"], age["n_stayed"]) == (2, 3)
    women = rows.loc[("", "gender", "w")]  # two of three leavers, two of four who stayed; one said nothing
    assert (women["left"], women["stayed"]) == (pytest.approx(2 / 3), 0.5)
    assert women["standardised_difference"] == pytest.approx((2 / 3 - 0.5) / np.sqrt((2 / 9 + 1 / 4) / 2))
    assert women["n_left"] + women["n_stayed"] == 7


def test_no_difference_is_told_where_there_is_no_spread_or_nobody_left(frame):
    found = compare_leavers(frame.assign(same=1.0), {"end": "end"}, arm="arm", characteristics=["same"])
    assert found["standardised_difference"].isna().all()
    stayed = frame.assign(end=3.0)
    found = compare_leavers(stayed, {"end": "end"}, arm="arm", characteristics=["age"])
    assert found["standardised_difference"].isna().all()
    assert (found["n_left"] == 0).all()


def test_an_unknown_column_is_refused_with_the_nearest(frame):
    for call in (
        lambda: describe_patterns(frame, {"start": "strat"}, arm="arm"),
        lambda: describe_flow(frame, OUTCOMES, arm="amr"),
        lambda: compare_leavers(frame, OUTCOMES, arm="arm", characteristics=["aeg"]),
    ):
        with pytest.raises(AnalysisError, match="Did you mean"):
            call()

"""How scores are spread: bands of the range, and the people in them counted by hand."""

import numpy as np
import pytest

from analysis import evaluate_plan
from analysis.design import Measure
from analysis.distribution_part import band_range, merge_names, name_band, read_band


def measure_of(low, high):
    return Measure("m", "M", "mood", low, high, "worse")


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0, 27, ["0", "1:2", "3:5", "6:8", "9:11", "12:14", "15:17", "18:20", "21:23", "24:26", "27"]),
        (0, 60, ["0", "1:4", "5:9", "10:14", "15:19", "20:24", "25:29", "30:34", "35:39", "40:44", "45:49", "50:54",
                 "55:59", "60"]),
        (0, 100, ["0", "1:9", "10:19", "20:29", "30:39", "40:49", "50:59", "60:69", "70:79", "80:89", "90:99", "100"]),
        (-3, 3, ["-3", "-2", "-1", "0", "1", "2", "3"]),
    ],
)  # fmt: skip
def test_bands_of_whole_scores_are_of_one_width_with_the_ends_apart(low, high, names):
    bands = band_range(measure_of(low, high), is_whole=True)
    assert list(bands.names) == names
    every = np.arange(low, high + 1, dtype=float)
    in_names = [sum(read_band(name)[0] <= score <= read_band(name)[1] for score in every) for name in names]
    assert bands.count(every) == in_names


def test_bands_of_means_of_items_meet_at_their_ends():
    bands = band_range(measure_of(1, 5), is_whole=False)
    assert list(bands.names) == ["1", "1:1.5", "1.5:2", "2:2.5", "2.5:3", "3:3.5", "3.5:4", "4:4.5", "4.5:5", "5"]
    assert bands.count(np.array([1.0, 1.01, 1.5, 4.99, 5.0])) == [1, 1, 1, 0, 0, 0, 0, 0, 1, 1]


def test_a_band_begins_where_an_event_does():
    bands = band_range(measure_of(0, 27), [10.0], is_whole=True)
    assert "9" in bands.names
    assert "10:11" in bands.names


def test_names_of_neighbours_make_the_name_of_both():
    assert merge_names("0", "1:2") == "0:2"
    assert merge_names("0", "0") == "0"
    assert merge_names(name_band(1, 2), name_band(3, 5)) == "1:5"


@pytest.fixture
def results(make_trial, make_design, make_plan, no_responses, no_delivered):
    scores, people = make_trial(np.random.default_rng(11), 60, missing=0.15)
    scores = scores.assign(score=scores["score"].round().clip(0, 60))
    outcomes = [
        {"id": "case", "measure": "mood.total", "role": "secondary", "kind": "binary", "event": {"at_most": 17}},
        {"id": "mood", "measure": "mood.total", "role": "primary"},
        {"id": "again", "measure": "mood.total", "role": "secondary"},
    ]
    table = evaluate_plan(make_plan({}, outcomes=outcomes), make_design("randomised", ("baseline", "post")),
                          scores=scores, delivered=no_delivered, participants=people, responses=no_responses,
                          library={})  # fmt: skip
    return table[table["analysis"] == "distribution"], scores, people


def test_people_in_bands_are_counted_by_hand_once_for_each_measure(results):
    own, scores, people = results
    assert set(own["outcome"]) == {"mood"}
    shares = own[own["statistic"] == "share"]
    for (arm, timepoint), rows in shares.groupby(["arm", "timepoint"]):
        chosen = scores["participant_id"].isin(people.loc[people["arm"] == arm, "participant_id"])
        points = scores.loc[chosen & (scores["timepoint"] == timepoint), "score"].dropna()
        assert (rows["n"] == len(points)).all()
        for row in rows.itertuples():
            low, high = read_band(row.item)
            assert row.value * row.n == pytest.approx(points.between(low, high).sum())
        assert rows["value"].sum() == pytest.approx(1)
    assert shares.groupby(["arm", "timepoint"])["item"].agg(tuple).nunique() == 1


def test_the_border_of_an_event_of_the_same_measure_is_declared(results):
    own, _, _ = results
    border = own[own["statistic"] == "border_of_event"].iloc[0]
    assert (border["value"], border["verdict"]) == (18, "declared")
    assert border["item"].startswith("18")
    assert border["item"] in set(own.loc[own["statistic"] == "share", "item"])

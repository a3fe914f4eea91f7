"""What each strategy assigns, and how what is missing follows from it, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.missing_data import build_panel, find_leavers
from analysis.missing_data.completion import assign_means, fill_in_draws, fill_in_means, find_patterns
from analysis.missing_data.imputation_model import Parameters

# Small matrices solved in another order.
SAME = 1e-12
# Means and covariances of 40,000 draws of unit variance: five standard errors.
DRAWN = 0.025
NAN = float("nan")
OUTCOMES = {"one": "one", "two": "two", "three": "three"}
OWN, REFERENCE = [10.0, 12.0, 14.0], [20.0, 23.0, 27.0]
COVARIANCE = np.array([[4.0, 2.0, 1.0], [2.0, 5.0, 2.0], [1.0, 2.0, 6.0]])


def _frame(rows):
    frame = pd.DataFrame(rows, columns=["one", "two", "three"]).assign(baseline=1.0)
    frame["arm"] = ["peer"] * (len(frame) - 1) + ["usual"]
    return frame.set_index(pd.Index([f"p{place}" for place in range(len(frame))]))


def _panel(rows, **more):
    return build_panel(_frame(rows), outcomes=OUTCOMES, baseline="baseline", arm="arm", reference="usual", **more)


@pytest.fixture
def panel():
    """One who stayed, one who left before `two`, one who never came, one who came back; one in the reference arm."""
    return _panel([[1, 2, 3], [1, NAN, NAN], [NAN, NAN, NAN], [1, NAN, 3], [1, 2, 3]])


@pytest.fixture
def parameters(panel):
    n = panel.n_participants
    own = np.tile(OWN, (n, 1))
    own[-1] = REFERENCE
    return Parameters(own=own, reference=np.tile(REFERENCE, (n, 1)), covariance=COVARIANCE)


@pytest.mark.parametrize(
    ("strategy", "left", "never"),
    [
        ("missing_at_random", [10, 12, 14], [10, 12, 14]),
        ("hypothetical", [10, 12, 14], [10, 12, 14]),
        ("jump_to_reference", [10, 23, 27], [20, 23, 27]),
        ("copy_reference", [20, 23, 27], [20, 23, 27]),
        ("copy_increments", [10, 13, 17], [20, 23, 27]),
    ],
)
def test_the_means_of_leavers_are_those_of_their_strategy(panel, parameters, strategy, left, never):
    means = assign_means(panel.with_strategy(strategy), parameters)
    assert means[1] == pytest.approx(left)
    assert means[2] == pytest.approx(never)


@pytest.mark.parametrize("strategy", ["jump_to_reference", "copy_reference", "copy_increments"])
def test_who_stayed_or_came_back_keeps_the_mean_of_the_own_arm(panel, parameters, strategy):
    means = assign_means(panel.with_strategy(strategy), parameters)
    assert means[0] == pytest.approx(OWN)
    assert means[3] == pytest.approx(OWN)
    assert means[4] == pytest.approx(REFERENCE)


def test_missing_scores_follow_the_observed_ones(panel, parameters):
    filled = fill_in_means(panel, parameters.own, COVARIANCE, find_patterns(panel.observed))
    assert filled[0] == pytest.approx([1, 2, 3])
    assert filled[1] == pytest.approx([1, 12 + 2 / 4 * (1 - 10), 14 + 1 / 4 * (1 - 10)], rel=SAME)
    assert filled[2] == pytest.approx(OWN)
    weights = np.linalg.inv([[4.0, 1.0], [1.0, 6.0]]) @ [2.0, 2.0]
    assert filled[3] == pytest.approx([1, 12 + weights @ [1 - 10, 3 - 14], 3], rel=SAME)


def test_draws_have_the_mean_and_the_covariance_of_what_is_missing_given_what_is_not():
    many = _panel([[1, NAN, NAN]] * 40_000 + [[1, 2, 3]] * 2)
    means = np.tile(OWN, (many.n_participants, 1))
    unit = COVARIANCE / 5.0
    drawn = fill_in_draws(many, means, unit, find_patterns(many.observed), np.random.default_rng(3))[:40_000, 1:]
    across = unit[0, 1:]
    assert drawn.mean(axis=0) == pytest.approx(np.array(OWN[1:]) + across / unit[0, 0] * (1 - 10), abs=DRAWN)
    expected = unit[1:, 1:] - np.outer(across, across) / unit[0, 0]
    assert np.cov(drawn.T) == pytest.approx(expected, abs=DRAWN)


def test_scores_after_an_event_are_kept_set_aside_or_not_learned_from_as_the_strategy_says():
    rows = [[1, 2, 3], [1, 2, 3], [4, 5, 6]]
    for strategy, kept, learned in (
        ("missing_at_random", True, True),
        ("hypothetical", False, False),
        ("jump_to_reference", True, False),
        ("copy_reference", True, False),
        ("copy_increments", True, False),
    ):
        events = pd.DataFrame({"participant": ["p0"], "timepoint": ["two"], "strategy": [strategy]})
        panel = _panel(rows, events=events)
        assert panel.observed[0].tolist() == [True, kept, kept]
        assert panel.modelled[0].tolist() == [True, learned, learned]
        assert panel.observed[1:].all()
        assert panel.modelled[1:].all()


def test_each_event_has_a_strategy_of_its_own(parameters):
    rows = [[1, NAN, NAN], [1, NAN, NAN], [1, 2, NAN], [1, 2, 3], [1, 2, 3]]
    events = pd.DataFrame(
        {
            "participant": ["p0", "p1"],
            "timepoint": ["two", "two"],
            "strategy": ["jump_to_reference", "copy_increments"],
        }
    )
    means = assign_means(_panel(rows, events=events), parameters)
    assert means[0] == pytest.approx([10, 23, 27])
    assert means[1] == pytest.approx([10, 13, 17])
    assert means[2] == pytest.approx(OWN)


def test_leavers_are_those_without_a_score_to_the_end():
    frame = _frame([[1, 2, 3], [1, NAN, NAN], [NAN, NAN, NAN], [1, NAN, 3], [NAN, 2, NAN]])
    found = find_leavers(frame, OUTCOMES, strategy="copy_reference")
    assert dict(zip(found["participant"], found["timepoint"], strict=True)) == {
        "p1": "two",
        "p2": "one",
        "p4": "three",
    }
    assert set(found["strategy"]) == {"copy_reference"}


EVENT = {"participant": ["p0"], "timepoint": ["two"], "strategy": ["copy_reference"]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"participant": ["somebody"]}, "participant_unknown"),
        ({"timepoint": ["never"]}, "timepoint_unknown"),
        ({"strategy": ["jump"]}, "strategy_unknown"),
        ({"participant": ["p0", "p0"], "timepoint": ["two"] * 2, "strategy": ["copy_reference"] * 2}, "event_twice"),
    ],
)
def test_events_that_do_not_fit_are_refused_without_naming_anybody(change, code):
    with pytest.raises(AnalysisError) as caught:
        _panel([[1, 2, 3], [1, 2, 3]], events=pd.DataFrame(EVENT | change))
    assert caught.value.problems[0].code == code
    assert "p0" not in str(caught.value)
    assert "somebody" not in str(caught.value)


def test_events_without_a_strategy_are_refused():
    events = pd.DataFrame(EVENT).drop(columns="strategy")
    with pytest.raises(AnalysisError, match="no column 'strategy'"):
        _panel([[1, 2, 3], [1, 2, 3]], events=events)


def test_people_without_a_baseline_are_left_out_and_counted():
    frame = _frame([[1, 2, 3], [1, 2, 3], [1, 2, 3], [4, 5, 6]]).assign(age=[30.0, NAN, 40.0, 50.0])
    frame.loc["p0", "baseline"] = NAN
    panel = build_panel(frame, outcomes=OUTCOMES, baseline="baseline", arm="arm", reference="usual", covariates=["age"])
    assert panel.n_participants == 2
    assert panel.left_out == {"baseline missing": 1, "another column missing": 1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"baseline": "start"}, "column_unknown"),
        ({"baseline": "arm"}, "not_numeric"),
        ({"baseline": "one"}, "column_in_two_roles"),
        ({"reference": "nobody"}, "arm_unknown"),
        ({"outcomes": {}}, "no_timepoint"),
        ({"strategy": "jump"}, "strategy_unknown"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(change, code):
    roles = {"outcomes": OUTCOMES, "baseline": "baseline", "arm": "arm", "reference": "usual"} | change
    with pytest.raises(AnalysisError) as caught:
        build_panel(_frame([[1, 2, 3], [4, 5, 6]]), **roles)
    assert code in [problem.code for problem in caught.value.problems]


def test_infinite_scores_and_repeated_people_are_refused():
    with pytest.raises(AnalysisError, match="infinite"):
        _panel([[1, 2, float("inf")], [4, 5, 6]])
    frame = _frame([[1, 2, 3], [4, 5, 6]]).set_axis(["p0", "p0"])
    with pytest.raises(AnalysisError, match="repeat"):
        build_panel(frame, outcomes=OUTCOMES, baseline="baseline", arm="arm", reference="usual")


def test_missing_values_of_every_kind_of_column_are_missing():
    plain = _frame([[1, 2, NAN], [1, NAN, 3], [4, 5, 6]])
    panels = [
        build_panel(frame, outcomes=OUTCOMES, baseline="baseline", arm="arm", reference="usual")
        for frame in (plain, plain.convert_dtypes())
    ]
    assert np.array_equal(panels[0].scores, panels[1].scores, equal_nan=True)
    assert panels[0].event.tolist() == panels[1].event.tolist() == [2, 3, 3]


def test_a_timepoint_that_nobody_of_an_arm_came_to_is_refused():
    with pytest.raises(AnalysisError) as caught:
        _panel([[1, 2, 3], [1, 2, 3], [4, 5, NAN]])
    assert caught.value.problems[0].code == "empty_cell"

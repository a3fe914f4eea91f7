"""An estimand of the plan under several assumptions, from the outcome frame."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.frames import outcome_frame
from analysis.missing_data import (
    STRATEGIES,
    estimate_with_leavers,
    find_tipping_point,
    impute_for_estimand,
    name_statistic,
)

# The same arithmetic in another order.
SAME = 1e-9
TIMEPOINTS = ("baseline", "post", "later")
SHIFTS = {("peer", "post"): -4.0, ("peer", "later"): -6.0}


@pytest.fixture
def make_question(make_trial, make_design, make_plan):
    """A function that gives an outcome frame with the estimand, outcome and design that it belongs to."""

    def make(kind="randomised", timepoints=TIMEPOINTS, *, contrast="peer - usual", timepoint=None, outcome=(), **trial):
        arms = ("peer",) if kind == "single_group" else ("peer", "usual")
        options = {"missing": 0.2, "shifts": SHIFTS, "arms": arms} | trial
        scores, participants = make_trial(np.random.default_rng(3), timepoints=timepoints, **options)
        design = make_design(kind, timepoints, group_arms=("peer",) if options.get("group_size") else ())
        asked = {"contrast": contrast, "timepoint": timepoint or timepoints[-1], "covariates": ["age"]}
        plan = make_plan(asked)
        mood = plan.outcome("mood").model_copy(update=dict(outcome))
        return outcome_frame(scores, participants, design, mood), plan.estimands[0], mood, design

    return make


@pytest.mark.parametrize("timepoints", [TIMEPOINTS, TIMEPOINTS[:2]])
def test_every_strategy_gives_an_estimate_with_interval_df_and_method(make_question, timepoints):
    found = estimate_with_leavers(*make_question(timepoints=timepoints), strategies=STRATEGIES)
    assert [each.strategy for each in found] == list(STRATEGIES)
    for each in found:
        own = each.estimate
        assert own.conf_low < own.value < own.conf_high < 0
        assert own.df == 78
        assert (each.contrast, each.timepoint, each.statistic) == ("peer - usual", timepoints[-1], "difference")
        assert (each.n, each.n_imputed > 0) == (80, True)
        assert "jackknife" in each.method
    by_name = {each.strategy: each.estimate.value for each in found}
    assert by_name["missing_at_random"] == by_name["hypothetical"]  # nothing was observed after an event
    assert by_name["jump_to_reference"] > by_name["missing_at_random"]


def test_multiple_imputation_is_the_other_route(make_question):
    question = make_question()
    kept = estimate_with_leavers(*question)
    drawn = estimate_with_leavers(*question, route="multiple_imputation", rng=np.random.default_rng(1), imputations=100)
    for one, other in zip(kept, drawn, strict=True):
        assert one.strategy == other.strategy
        assert abs(one.estimate.value - other.estimate.value) < 4 * other.monte_carlo_error
        assert "Barnard-Rubin" in other.method


def test_a_matched_comparison_compares_changes_and_a_single_group_has_one(make_question):
    frame, *question = make_question("matched_comparison", missing=0.0)
    (found,) = estimate_with_leavers(frame, *question, strategies=["missing_at_random"])
    change = frame["score:later"] - frame["score:baseline"]
    x = np.column_stack([np.ones(len(frame)), frame["arm"] == "peer", frame["covariate:age"]]).astype(float)
    assert found.estimate.value == pytest.approx(np.linalg.lstsq(x, change, rcond=None)[0][1], rel=SAME)
    frame, *question = make_question("single_group", contrast="later - baseline", missing=0.0)
    (found,) = estimate_with_leavers(frame, *question, strategies=["missing_at_random"])
    change = frame["score:later"] - frame["score:baseline"]
    assert found.estimate.value == pytest.approx(change.mean(), rel=SAME)
    assert found.statistic == "mean"


def test_a_single_group_with_leavers_has_a_tipping_point(make_question):
    frame, estimand, outcome, design = make_question("single_group", contrast="later - baseline", timepoint="later")
    (imputed,) = impute_for_estimand(frame, estimand, outcome, design, strategies=["missing_at_random"])
    found = find_tipping_point(imputed, name_statistic(estimand, design), "later", most=100.0)
    assert found.verdict == "tips"
    assert found.end.estimate.conf_high == pytest.approx(0.0, abs=1e-6)


def test_groups_are_left_out_as_a_whole_and_drawn_imputations_refuse_them(make_question):
    question = make_question(group_size=4, group_sd=3.0)
    (found,) = estimate_with_leavers(*question, strategies=["jump_to_reference"])
    assert "every group" in found.method
    with pytest.raises(AnalysisError) as caught:
        estimate_with_leavers(*question, route="multiple_imputation", rng=np.random.default_rng(1))
    assert caught.value.problems[0].code == "imputation_without_groups"


def test_a_timepoint_at_which_an_arm_has_no_scores_is_passed_over(make_question):
    frame, *question = make_question(timepoints=TIMEPOINTS)
    without = frame.assign(**{"score:post": frame["score:post"].where(frame["arm"] == "peer")})
    events = pd.DataFrame(
        {"participant": frame.index[:2], "timepoint": ["post", "later"], "strategy": ["copy_reference"] * 2}
    )
    (found,) = impute_for_estimand(without, *question, strategies=(), events=events)
    assert found.panel.timepoints == ("later",)
    assert (found.panel.event[:2] == 0).all()
    missed = frame.assign(**{"score:later": frame["score:later"].where(frame["arm"] == "peer")})
    estimand = question[0].model_copy(update={"timepoint": "post"})
    (found,) = impute_for_estimand(missed, estimand, *question[1:], strategies=(), events=events)
    assert found.panel.timepoints == ("post",)
    assert found.panel.event[:3].tolist() == [0, 1, 1]


def test_events_bring_their_own_strategies(make_question):
    frame, *question = make_question()
    gone = frame.index[frame["score:later"].isna()]
    strategies = ["jump_to_reference" if place % 2 else "hypothetical" for place in range(len(gone))]
    events = pd.DataFrame({"participant": gone, "timepoint": "later", "strategy": strategies})
    (found,) = estimate_with_leavers(frame, *question, events=events)
    assert found.strategy == "by event"
    bounds = [
        each.estimate.value
        for each in estimate_with_leavers(frame, *question, strategies=["hypothetical", "jump_to_reference"])
    ]
    assert min(bounds) < found.estimate.value < max(bounds)


@pytest.mark.parametrize(
    ("question", "options", "code"),
    [
        ({"kind": "repeated_cross_section"}, {}, "nobody_is_followed"),
        ({"outcome": {"kind": "count"}}, {}, "outcome_not_a_score"),
        (
            {"kind": "single_group", "contrast": "later - post"},
            {"strategies": ["missing_at_random"]},
            "not_since_baseline",
        ),
        ({"kind": "single_group", "contrast": "later - baseline"}, {}, "no_reference_arm"),
        ({}, {"route": "guess"}, "route_unknown"),
        ({}, {"route": "multiple_imputation"}, "no_generator"),
        ({}, {"strategies": []}, "strategies_or_events"),
        ({}, {"events": pd.DataFrame(), "strategies": ["copy_reference"]}, "strategies_or_events"),
        ({}, {"strategies": ["jump"]}, "strategy_unknown"),
    ],
)
def test_what_imputation_cannot_answer_is_refused(make_question, question, options, code):
    with pytest.raises(AnalysisError) as caught:
        estimate_with_leavers(*make_question(**question), **options)
    assert caught.value.problems[0].code == code

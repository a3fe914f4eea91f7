"""Standardised sizes of the answers of a plan: against pingouin, and by hand from the frame."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, evaluate_plan
from analysis.size_part import CHANGE, DIFFERENCE
from analysis.telling import read_told

from .said_again import find_unsayable

SAME_SUMS = 1e-9
"""The same sums in another order."""


@pytest.fixture
def evaluate(make_design, make_plan, no_responses, no_delivered):
    def run(scores, people, kind="randomised", estimands=({},), design=None, **document):
        return evaluate_plan(
            make_plan(*estimands, **document),
            design or make_design(kind),
            scores=scores,
            delivered=no_delivered,
            participants=people,
            responses=no_responses,
            library={},
        )

    return run


def one(results, **where):
    found = results[np.logical_and.reduce([results[name] == value for name, value in where.items()])]
    assert len(found) == 1
    return found.iloc[0]


def baseline_of(scores, people, arm):
    own = people.loc[people["arm"] == arm, "participant_id"]
    at = (scores["timepoint"] == "baseline") & scores["participant_id"].isin(own)
    return scores.loc[at, "score"].dropna().to_numpy()


def hedges_of_pingouin(estimate, first, second):
    """g of two baseline samples, moved so that they differ by the estimate."""
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        return float(pingouin.compute_effsize(first - first.mean() + estimate, second - second.mean(), eftype="hedges"))


def test_a_size_is_the_estimate_over_the_pooled_baseline_spread_with_the_correction_of_hedges(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(1), 14, shifts={("peer", "post"): -5.0})
    scores.loc[2, "score"] = np.nan  # one person without a baseline score
    results = evaluate(scores, people)
    answer, size = one(results, analysis="model", estimand="mood_post"), one(results, analysis="size")
    samples = [baseline_of(scores, people, arm) for arm in ("peer", "usual")]
    assert size["value"] == pytest.approx(hedges_of_pingouin(answer["value"], *samples), abs=SAME_SUMS)
    assert (size["statistic"], size["estimand"], size["verdict"]) == (DIFFERENCE, "mood_post", "estimated")
    assert size["n"] == 13


def test_the_interval_allows_for_the_spread_being_estimated(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(2), 20, shifts={("peer", "post"): -8.0})
    results = evaluate(scores, people)
    answer, size = one(results, analysis="model", estimand="mood_post"), one(results, analysis="size")
    ratio, df = size["value"] / answer["value"], 38
    by_hand = np.sqrt((ratio * answer["std_error"]) ** 2 + size["value"] ** 2 / (2 * df))
    assert size["std_error"] == pytest.approx(by_hand, abs=SAME_SUMS)
    assert size["conf_high"] - size["conf_low"] > abs(ratio) * (answer["conf_high"] - answer["conf_low"])


def test_only_the_arms_compared_give_the_spread(make_trial, make_design, evaluate):
    arms = [Arm("peer", "Peer"), Arm("other", "Other"), Arm("usual", "Usual", is_reference=True)]
    scores, people = make_trial(np.random.default_rng(3), 20, arms=("peer", "other", "usual"))
    wild = people.loc[people["arm"] == "other", "participant_id"]
    scores.loc[scores["participant_id"].isin(wild), "score"] *= 3
    results = evaluate(scores, people, design=make_design(arms=arms))
    answer, size = one(results, analysis="model", estimand="mood_post"), one(results, analysis="size")
    samples = [baseline_of(scores, people, arm) for arm in ("peer", "usual")]
    assert size["value"] == pytest.approx(hedges_of_pingouin(answer["value"], *samples), abs=SAME_SUMS)


def test_a_single_group_has_its_change_in_standard_deviations_at_baseline(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(4), 25, arms=("peer",), shifts={("peer", "post"): -3.0})
    results = evaluate(scores, people, "single_group", [{"contrast": "post - baseline"}])
    answer, size = one(results, analysis="model", estimand="mood_post"), one(results, analysis="size")
    sd = baseline_of(scores, people, "peer").std(ddof=1)
    assert size["value"] == pytest.approx(answer["value"] / sd * (1 - 3 / (4 * 24 - 1)), abs=SAME_SUMS)
    assert size["statistic"] == CHANGE


def test_samples_drawn_anew_are_held_against_the_spread_of_the_first(make_waves, make_design, evaluate):
    scores, people = make_waves(np.random.default_rng(5), {("peer", "baseline"): 30, ("peer", "post"): 20})
    design = make_design("repeated_cross_section", arms=[Arm("peer", "Peer")])
    results = evaluate(scores, people, design=design, estimands=[{"contrast": "post - baseline"}])
    answer, size = one(results, analysis="model", estimand="mood_post"), one(results, analysis="size")
    sd = baseline_of(scores, people, "peer").std(ddof=1)
    assert size["value"] == pytest.approx(answer["value"] / sd * (1 - 3 / (4 * 29 - 1)), abs=SAME_SUMS)
    assert (size["statistic"], size["n"]) == (DIFFERENCE, 20)


def test_people_alike_at_baseline_have_no_size_and_a_sentence(make_waves, make_design, evaluate):
    scores, people = make_waves(np.random.default_rng(6), {("peer", "baseline"): 30, ("peer", "post"): 20})
    scores.loc[scores["timepoint"] == "baseline", "score"] = 50.0
    design = make_design("repeated_cross_section", arms=[Arm("peer", "Peer")])
    results = evaluate(scores, people, design=design, estimands=[{"contrast": "post - baseline"}])
    assert one(results, analysis="model", estimand="mood_post")["verdict"] == "estimated"
    size = one(results, analysis="size")
    assert size["verdict"] == "refused:no_spread"
    assert np.isnan(size["value"])
    assert "points" in size["method"]


def test_what_is_not_a_score_has_no_size(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(7), 30)
    binary = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
    results = evaluate(scores, people, outcomes=[binary])
    assert one(results, analysis="model", estimand="mood_post")["verdict"] == "estimated"
    assert not (results["analysis"] == "size").any()


def test_an_estimand_without_an_answer_has_no_size(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(8), 6)
    results = evaluate(scores, people)
    assert one(results, analysis="model", estimand="mood_post")["verdict"].startswith("refused")
    assert not (results["analysis"] == "size").any()


def test_sizes_carry_what_the_gate_needs_of_scores_of_few_values(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(9), 30)
    scores["score"] = pd.cut(scores["score"], [-np.inf, 45, 50, 55, np.inf], labels=False).astype(float)
    size = one(evaluate(scores, people), analysis="size")
    assert size["classes"] == 4


def test_what_an_estimate_was_divided_by_can_be_said_in_other_languages(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(1), arms=("peer",))
    alone = one(evaluate(scores, people, "single_group", [{"contrast": "post - baseline"}]), analysis="size")
    compared = one(evaluate(*make_trial(np.random.default_rng(1))), analysis="size")
    for row in (alone, compared):
        assert find_unsayable(read_told(row["method"], row["words"]), {"Baseline"}) == []
    assert alone["method"] != compared["method"]

"""Every refusal, one at a time, on a trial that is sound but for that."""

import numpy as np
import pytest

from analysis import AnalysisError, find_refusals
from analysis.guards import EXPLANATIONS
from analysis.series_model import REFUSALS as SERIES_REFUSALS
from analysis.stepped_wedge import REFUSALS as STEP_REFUSALS

GROUPED = {"group_arms": ("peer",)}


def _no_scores(scores, people):
    scores["score"] = np.nan


def _constant(scores, people):
    scores["score"] = 7.0


def _one_arm(scores, people):
    scores.loc[scores["participant_id"].isin(people.loc[people["arm"] == "usual", "participant_id"]), "score"] = np.nan


def _one_timepoint(scores, people):
    scores.loc[scores["timepoint"] == "baseline", "score"] = np.nan


def _nobody_twice(scores, people):
    early = scores["participant_id"].isin(people["participant_id"].iloc[::2])
    scores.loc[early == (scores["timepoint"] == "post"), "score"] = np.nan


def _empty_cell(scores, people):
    usual = scores["participant_id"].isin(people.loc[people["arm"] == "usual", "participant_id"])
    scores.loc[usual & (scores["timepoint"] == "post"), "score"] = np.nan


def _nine_left(timepoint):
    def change(scores, people):
        gone = people.loc[people["arm"] == "peer", "participant_id"].iloc[9:]
        scores.loc[scores["participant_id"].isin(gone) & (scores["timepoint"] == timepoint), "score"] = np.nan

    return change


def _two_groups(scores, people):
    people.loc[people["group"] != "", "group"] = ["a", "b"] * 20


def _groups_of_one(scores, people):
    people.loc[people["group"] != "", "group"] = [f"g{place}" for place in range(40)]


def _constant_age(scores, people):
    people["age"] = 40.0


def _no_age(scores, people):
    people["age"] = np.nan


def _no_age_column(scores, people):
    del people["age"]


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("no_scores", _no_scores),
        ("constant_outcome", _constant),
        ("one_arm", _one_arm),
        ("one_timepoint", _one_timepoint),
        ("one_row_per_participant", _nobody_twice),
        ("empty_cell", _empty_cell),
        ("too_few_participants", _nine_left("post")),
        ("too_few_participants", _nine_left("baseline")),
        ("group_without_replication", _two_groups),
        ("group_without_replication", _groups_of_one),
        ("covariate_constant_or_missing", _constant_age),
        ("covariate_constant_or_missing", _no_age),
        ("covariate_constant_or_missing", _no_age_column),
    ],
)
def test_an_estimand_is_refused_for_its_reason_with_a_way_out(reason, spoil, make_trial, make_design, make_plan):
    design, plan = make_design(**GROUPED), make_plan({"covariates": ["age"]})
    scores, people = make_trial(np.random.default_rng(1), group_size=8)
    assert find_refusals(plan, design, scores=scores, participants=people) == ()
    spoil(scores, people)
    (refusal,) = find_refusals(plan, design, scores=scores, participants=people)
    assert refusal.estimand == "mood_post"
    assert refusal.reason == reason
    assert refusal.explanation.count(". ") >= 1  # what is wrong, and what to do
    assert "{" not in refusal.explanation


def test_every_reason_has_a_test():
    marks = test_an_estimand_is_refused_for_its_reason_with_a_way_out.pytestmark
    by_design = {"nobody_waits", "people_without_group", "group_in_two_arms", *STEP_REFUSALS, *SERIES_REFUSALS}
    elsewhere = {"nobody_or_everybody", "covariate_not_asked", *by_design}
    assert {case[0] for case in marks[0].args[1]} | elsewhere == set(EXPLANATIONS)


@pytest.mark.parametrize("event", [{"at_least": 99}, {"at_most": 99}])
def test_an_event_of_nobody_or_everybody_is_refused_as_such(event, make_trial, make_design, make_plan):
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": event}
    scores, people = make_trial(np.random.default_rng(1))
    (refusal,) = find_refusals(make_plan(outcomes=[outcome]), make_design(), scores=scores, participants=people)
    assert refusal.reason == "nobody_or_everybody"
    assert "Choose another border" in refusal.explanation


def test_ten_participants_in_an_arm_are_enough_when_the_plan_says_ten(make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(1), per_arm=10)
    assert find_refusals(make_plan(), make_design(), scores=scores, participants=people) == ()
    strict = make_plan(small_numbers={"fewest_per_arm": 11})
    refusals = find_refusals(strict, make_design(), scores=scores, participants=people)
    assert [refusal.reason for refusal in refusals] == ["too_few_participants"]


def test_participants_who_miss_a_covariate_do_not_count(make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(1), per_arm=12)
    people.loc[people["arm"] == "usual", "age"] = [np.nan] * 3 + [40.0 + place for place in range(9)]
    (refusal,) = find_refusals(make_plan({"covariates": ["age"]}), make_design(), scores=scores, participants=people)
    assert refusal.reason == "too_few_participants"
    assert "Usual care" in refusal.explanation


def test_all_arms_that_are_too_small_are_named(make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(1), per_arm=9)
    (refusal,) = find_refusals(make_plan(), make_design(), scores=scores, participants=people)
    assert "at least 10 participants in each arm" in refusal.explanation
    assert "there are fewer in Peer support and Usual care." in refusal.explanation


def test_a_single_group_needs_no_second_arm(make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(1), arms=("peer",))
    plan = make_plan({"contrast": "post - baseline"})
    assert find_refusals(plan, make_design("single_group"), scores=scores, participants=people) == ()


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("columns_missing", lambda scores, people: (scores.drop(columns="measure"), people)),
        ("participant_twice", lambda scores, people: (scores, people.iloc[[0, *range(len(people))]])),
        ("score_twice", lambda scores, people: (scores.iloc[[0, *range(len(scores))]], people)),
        ("participant_unknown", lambda scores, people: (scores, people.iloc[1:])),
        ("arm_unknown", lambda scores, people: (scores, people.assign(arm=people["arm"].replace("peer", "")))),
        ("timepoint_unknown", lambda scores, people: (scores.replace({"timepoint": {"post": "late"}}), people)),
        ("level_unknown", lambda scores, people: (scores, people.replace({"gender": {"w": "woman"}}))),
    ],
)
def test_tables_that_contradict_each_other_are_an_error(code, spoil, make_trial, make_design, make_plan):
    scores, people = spoil(*make_trial(np.random.default_rng(1)))
    with pytest.raises(AnalysisError) as caught:
        find_refusals(make_plan(), make_design(), scores=scores, participants=people)
    assert [problem.code for problem in caught.value.problems] == [code]

"""A waiting list: who may be compared with whom until when, and what the model takes."""

import numpy as np
import pytest

from analysis import Arm, find_refusals
from analysis.certainty import START
from analysis.frames import outcome_frame
from analysis.model_frame import build_model_frame
from analysis.outcome_model import estimate_outcome

TIMEPOINTS = ("baseline", "post", "late")
WAITING = Arm("usual", "Waiting list", is_reference=True, starts="post")
SAME = 1e-8
"""A mean of its own takes up a shift: left is the rounding of another optimisation."""


@pytest.fixture
def design(make_design):
    return make_design("waitlist", TIMEPOINTS, arms=(Arm("peer", "Peer support"), WAITING))


def answer(scores, people, plan, design):
    frame = outcome_frame(scores, people, design, plan.outcomes[0])
    (row,) = [row for row in estimate_outcome(plan.outcomes[0], frame, plan, design) if row.estimand]
    return row


def test_people_are_compared_while_they_wait_and_not_after(make_trial, make_plan, design):
    scores, people = make_trial(np.random.default_rng(1), timepoints=TIMEPOINTS)
    tables = {"scores": scores, "participants": people}
    assert find_refusals(make_plan(), design, **tables) == ()
    (refusal,) = find_refusals(make_plan({"timepoint": "late"}), design, **tables)
    assert refusal.reason == "nobody_waits"
    assert "At Late the people of arm 'Waiting list' had begun the programme too" in refusal.explanation
    assert "Choose a timepoint up to Post" in refusal.explanation
    row = answer(scores, people, make_plan({"timepoint": "late"}), design)
    assert (row.verdict, np.isnan(row.value)) == ("refused:nobody_waits", True)


def test_who_waits_longer_is_compared_longer(make_trial, make_plan, make_design):
    later = Arm("usual", "Waiting list", is_reference=True, starts="late")
    design = make_design("waitlist", TIMEPOINTS, arms=(Arm("peer", "Peer support"), later))
    scores, people = make_trial(np.random.default_rng(1), timepoints=TIMEPOINTS)
    assert find_refusals(make_plan({"timepoint": "late"}), design, scores=scores, participants=people) == ()


def test_an_arm_that_does_not_wait_is_no_reason_to_refuse(make_trial, make_plan, make_design):
    arms = (Arm("peer", "Peer"), Arm("phone", "Phone"), WAITING)
    design = make_design("waitlist", TIMEPOINTS, arms=arms)
    rng = np.random.default_rng(1)
    scores, people = make_trial(rng, arms=("peer", "phone", "usual"), timepoints=TIMEPOINTS)
    plan = make_plan({}, {"id": "other", "contrast": "phone - usual"})
    assert find_refusals(plan, design, scores=scores, participants=people) == ()


def test_the_answer_is_that_of_the_same_people_in_a_randomised_study(make_trial, make_plan, make_design, design):
    scores, people = make_trial(np.random.default_rng(2), timepoints=TIMEPOINTS, missing=0.1)
    waits, usual = (
        answer(scores, people, make_plan(), each) for each in (design, make_design("randomised", TIMEPOINTS))
    )
    assert (waits.value, waits.std_error, waits.df) == (usual.value, usual.std_error, usual.df)
    assert "baseline means constrained equal" in waits.method


def test_how_people_fare_once_they_have_begun_does_not_move_the_answer(make_trial, make_plan, design):
    scores, people = make_trial(np.random.default_rng(3), timepoints=TIMEPOINTS, missing=0.15)
    arms = scores["participant_id"].map(people.set_index("participant_id")["arm"])
    after = (arms == "usual") & (scores["timepoint"] == "late")
    better = scores.assign(score=scores["score"] - 10.0 * after)
    before, moved = (answer(each, people, make_plan(), design) for each in (scores, better))
    assert moved.value == pytest.approx(before.value, abs=SAME)
    assert moved.std_error == pytest.approx(before.std_error, abs=SAME)


def test_people_who_wait_meet_in_no_group_yet(make_trial, make_plan, make_design):
    arms = (Arm("peer", "Peer support"), WAITING)
    design = make_design("waitlist", TIMEPOINTS, arms=arms, group_arms=("peer", "usual"))
    scores, people = make_trial(np.random.default_rng(4), timepoints=TIMEPOINTS, group_size=8)
    waits = people["arm"] == "usual"
    people.loc[waits, "group"] = [f"w{place % 2}" for place in range(int(waits.sum()))]
    rows = build_model_frame(outcome_frame(scores, people, design, make_plan().outcomes[0]), [], design)
    grouped = rows.assign(grouped=rows["group"] != "").groupby(["arm", "timepoint"], observed=True)["grouped"].mean()
    assert grouped["peer"].to_list() == [0.0, 1.0, 1.0]
    assert grouped["usual"].to_list() == [0.0, 0.0, 1.0]
    refusals = find_refusals(make_plan(), design, scores=scores, participants=people)
    assert refusals == ()  # two groups are too few for an arm that meets, but these people do not yet


def test_a_waiting_list_starts_as_a_randomised_study():
    assert START["waitlist"] == START["randomised"]

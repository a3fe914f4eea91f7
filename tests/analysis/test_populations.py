"""Estimands of some people: chosen by sessions and answers, estimated among them alone, and never by chance."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import evaluate_plan, find_refusals
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.plan_parts import Population
from analysis.populations import choose_people

SAME = 1e-12
ATTENDERS = {"id": "attenders", "attended_at_least": 4}


@pytest.fixture
def trial(make_trial):
    """Scores, participants and six sessions a person of peer support: the first ten people came to three of them."""
    scores, people = make_trial(np.random.default_rng(21), 30, shifts={("peer", "post"): -6.0})
    offered = people.loc[people["arm"] == "peer", "participant_id"]
    rows = [
        {"participant_id": name, "session": str(number), "session_on": "", "format": "online", "facilitator": "",
         "group": "", "attended": "attended" if place >= 10 or number < 3 else "missed", "days_since_baseline": np.nan}
        for place, name in enumerate(offered)
        for number in range(6)
    ]  # fmt: skip
    return scores, people, pd.DataFrame(rows)


def ask(make_plan, **population):
    plan = {"populations": [population or ATTENDERS]}
    return make_plan({}, {"id": "often", "population": (population or ATTENDERS)["id"]}, **plan)


def rows_of(plan, design, trial, no_responses, no_delivered, sessions=True):
    scores, people, log = trial
    table = evaluate_plan(
        plan, design, scores=scores, participants=people, responses=no_responses, delivered=no_delivered, library={},
        sessions=log if sessions else None,
    )  # fmt: skip
    return table[(table["analysis"] == "model") & (table["estimand"] != "")].set_index("estimand")


def test_who_came_often_is_chosen_and_arms_without_sessions_stay_whole(trial, make_plan):
    scores, people, log = trial
    plan = ask(make_plan)
    chosen = choose_people(plan.populations[0], plan.outcomes[0], scores, people, log)
    assert chosen.groupby(people["arm"]).sum().to_dict() == {"peer": 20, "usual": 30}


def test_who_answered_at_every_named_timepoint_is_chosen(trial, make_plan):
    scores, people, _ = trial
    gone = people["participant_id"].iloc[[0, 31]]
    at_post = scores["timepoint"] == "post"
    scores.loc[scores["participant_id"].isin(gone) & at_post, "score"] = np.nan
    population = Population(id="stayed", answered=["baseline", "post"])
    chosen = choose_people(population, make_plan().outcomes[0], scores, people, None)
    assert people.loc[~chosen, "participant_id"].tolist() == gone.tolist()


def test_the_estimate_is_that_of_these_people_alone_as_a_comparison_not_by_lot(
    trial, make_plan, make_design, no_responses, no_delivered
):
    plan, design = ask(make_plan), make_design()
    found = rows_of(plan, design, trial, no_responses, no_delivered)
    scores, people, _ = trial
    often = people.iloc[10:].reset_index(drop=True)
    frame = outcome_frame(scores, often, design, plan.outcomes[0])
    (alone,) = (
        row
        for row in estimate_outcome(plan.outcomes[0], frame, make_plan(), replace(design, kind="matched_comparison"))
        if row.estimand
    )
    assert found.loc["often", ["value", "std_error", "df"]].to_list() == pytest.approx(
        [alone.value, alone.std_error, alone.df], abs=SAME
    )
    assert found.loc["often", "population"] == "attenders"
    assert found.loc["often", "fewest"] == 10
    assert found.loc["mood_post", "population"] == "intention_to_treat"
    assert found.loc["mood_post", "value"] != pytest.approx(alone.value, abs=0.01)


def test_an_answer_about_everybody_does_not_change_when_some_are_asked_of_too(
    trial, make_plan, make_design, no_responses, no_delivered
):
    both = rows_of(ask(make_plan), make_design(), trial, no_responses, no_delivered)
    alone = rows_of(make_plan(), make_design(), trial, no_responses, no_delivered)
    pd.testing.assert_series_equal(both.loc["mood_post"], alone.loc["mood_post"])


def test_without_sessions_who_came_often_is_refused_and_check_says_so_too(
    trial, make_plan, make_design, no_responses, no_delivered
):
    plan, design = ask(make_plan), make_design()
    found = rows_of(plan, design, trial, no_responses, no_delivered, sessions=False)
    assert found.loc["often", "verdict"] == "refused:no_sessions"
    assert "no sessions" in found.loc["often", "method"]
    (refusal,) = find_refusals(plan, design, scores=trial[0], participants=trial[1])
    assert (refusal.estimand, refusal.reason) == ("often", "no_sessions")
    assert find_refusals(plan, design, scores=trial[0], participants=trial[1], sessions=trial[2]) == ()


def test_too_few_who_came_often_are_refused_before_and_in_a_run(trial, make_plan, make_design):
    scores, people, log = trial
    plan = ask(make_plan, id="often", attended_at_least=5)
    people = people.drop(index=range(18, 30)).reset_index(drop=True)
    known = people["participant_id"]
    (refusal,) = find_refusals(
        plan,
        make_design(),
        scores=scores[scores["participant_id"].isin(known)],
        participants=people,
        sessions=log[log["participant_id"].isin(known)],
    )
    assert (refusal.estimand, refusal.reason) == ("often", "too_few_participants")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"populations": [ATTENDERS, ATTENDERS]}, "more than once"),
        ({"populations": [{"id": "all"}]}, "is everybody"),
        ({"populations": [{"id": "intention_to_treat", "attended_at_least": 2}]}, "more than once"),
        ({"populations": [ATTENDERS], "subgroups": [
            {"id": "by_age", "estimand": "often", "covariate": "age", "reason": "declared"}]}, "not asked of everybody"),
    ],
)  # fmt: skip
def test_populations_that_cannot_be_are_told(make_plan, change, words):
    with pytest.raises(ValueError, match=words):
        make_plan({}, {"id": "often", "population": "attenders"}, **change)

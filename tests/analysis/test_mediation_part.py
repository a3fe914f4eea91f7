"""By which way: paths against least squares, and every refusal."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis import evaluate_plan
from analysis.mediation_part import REFUSALS
from analysis.telling import read_told

from .said_again import find_unsayable

SAME = 1e-9
WHEN = ("baseline", "post", "followup")
OUTCOMES = [
    {"id": "mood", "measure": "mood.total", "role": "primary"},
    {"id": "ties", "measure": "ties.total", "role": "secondary"},
]
ASKED = {"id": "way", "estimand": "mood_later", "mediator": "ties", "timepoint": "post"}


@pytest.fixture
def data(make_trial):
    """Mood and ties of 80 people at three timepoints: the arm moves ties at post, and ties move mood at follow-up."""
    rng = np.random.default_rng(12)
    ties, people = make_trial(rng, timepoints=WHEN, shifts={("peer", "post"): 6.0}, measure="ties.total")
    mood, _ = make_trial(rng, timepoints=WHEN)
    later = ties[ties["timepoint"] == "post"].set_index("participant_id")["score"]
    at = mood["timepoint"] == "followup"
    mood.loc[at, "score"] -= 0.5 * mood.loc[at, "participant_id"].map(later)
    return pd.concat([ties, mood], ignore_index=True), people


@pytest.fixture
def told(data, make_plan, make_design, no_responses, no_delivered):
    """A function that gives the rows of the mediation part."""

    def run(change=None, kind="randomised", plan_change=None, scores=None, **design):
        estimand = {"id": "mood_later", "timepoint": "followup"} | (plan_change or {})
        plan = make_plan(estimand, outcomes=OUTCOMES, mediation=[ASKED | (change or {})])
        own, people = data
        table = evaluate_plan(
            plan,
            make_design(kind, WHEN, more_measures=["ties.total"], **design),
            scores=own if scores is None else scores,
            participants=people,
            responses=no_responses,
            delivered=no_delivered,
            library={},
        )
        return table[table["analysis"] == "mediation"]

    return run


def test_paths_are_those_of_least_squares_given_both_baselines(data, told):
    scores, people = data
    wide = scores.pivot_table(index="participant_id", columns=["measure", "timepoint"], values="score")
    wide = wide.loc[people["participant_id"]]
    arm = (people["arm"] == "peer").to_numpy(dtype=float)
    y, m = (wide["mood.total", "followup"].to_numpy(), wide["ties.total", "post"].to_numpy())
    base = np.column_stack([np.ones(len(arm)), wide["mood.total", "baseline"], wide["ties.total", "baseline"], arm])
    a, total = sm.OLS(m, base).fit().params[3], sm.OLS(y, base).fit().params[3]
    *_, direct, b = sm.OLS(y, np.column_stack([base, m])).fit().params
    found = told().set_index("statistic")
    assert found["value"].to_dict() == pytest.approx({"total": total, "direct": direct, "indirect": a * b}, rel=SAME)
    assert found.loc["indirect", "conf_high"] < 0
    assert not found["prespecified"].any()


def test_the_same_input_gives_the_same_interval_whatever_the_order_of_rows(told, data):
    again = told(scores=data[0].sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(told().reset_index(drop=True), again.reset_index(drop=True))


def test_what_cannot_be_asked_is_refused_with_the_way_out(told, data):
    few = data[0].copy()
    gone = (few["measure"] == "ties.total") & (few["timepoint"] == "post") & ~few["participant_id"].str.endswith("5")
    few.loc[gone, "score"] = np.nan
    cases = {
        "not_by_lot": told(kind="matched_comparison"),
        "not_before": told({"timepoint": "followup"}),
        "in_groups": told(plan_change={"model": "mixed_model"}, group_arms=("peer",)),
        "too_few_participants": told(scores=few),
    }
    for reason, found in cases.items():
        (row,) = found.to_dict("records")
        assert (row["verdict"], row["method"]) == (f"refused:{reason}", REFUSALS[reason])
    assert told({"timepoint": "baseline"})["verdict"].to_list() == ["refused:not_before"]


@pytest.mark.parametrize("mediator", ["constant", "the arm", "its own baseline"])
def test_a_mediator_that_nothing_tells_apart_is_refused(told, data, mediator):
    scores, people = data[0].copy(), data[1]
    ties = scores["measure"] == "ties.total"
    at_post = ties & (scores["timepoint"] == "post")
    who = scores.loc[at_post, "participant_id"]
    if mediator == "constant":
        scores.loc[at_post, "score"] = 50.0
    elif mediator == "the arm":
        scores.loc[at_post, "score"] = np.where(
            who.map(people.set_index("participant_id")["arm"]) == "peer", 60.0, 40.0
        )
    else:
        first = scores[ties & (scores["timepoint"] == "baseline")].set_index("participant_id")["score"]
        scores.loc[at_post, "score"] = who.map(first).to_numpy() + 3.0
    assert told(scores=scores)["verdict"].to_list() == ["refused:not_separate"]


def test_what_others_tell_already_is_not_adjusted_for_twice(told, data):
    scores, people = data
    wide = scores[(scores["measure"] == "mood.total") & (scores["timepoint"] == "baseline")]
    again = people["participant_id"].map(wide.set_index("participant_id")["score"])
    plain = told().set_index("statistic")["value"]
    people["age"] = again.to_numpy()
    twice = told(plan_change={"covariates": ["age"]}).set_index("statistic")["value"]
    assert twice.to_dict() == pytest.approx(plain.to_dict(), rel=SAME)


def test_what_a_way_takes_for_granted_can_be_said_in_other_languages(told):
    rows = told()
    said = {read_told(text, words) for text, words in zip(rows["method"], rows["words"], strict=True)}
    assert [find_unsayable(text, set()) for text in said] == [[]]

"""What the data could have shown: from the precision reached, and of plain scores where too few answered."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower

from analysis import evaluate_plan

CLOSE = 1e-6
"""Relative; both search for a root."""


@pytest.fixture
def detectable(no_responses, no_delivered):
    """A function that gives the rows of the precision part."""

    def run(plan, design, data):
        scores, people = data
        table = evaluate_plan(
            plan, design, scores=scores, participants=people, responses=no_responses, delivered=no_delivered, library={}
        )
        answers = table[(table["analysis"] == "model") & (table["estimand"] != "")]
        return table[table["analysis"] == "precision"].reset_index(drop=True), answers.iloc[0]

    return run


def test_an_estimate_tells_what_four_of_five_such_studies_would_have_shown(
    make_trial, make_plan, make_design, detectable
):
    found, answer = detectable(make_plan(), make_design(), make_trial(np.random.default_rng(1)))
    # The precision of the model, as a one-sample t-test of df + 1 observations with that standard error would have it.
    size = answer["df"] + 1
    expected = TTestPower().solve_power(nobs=size, alpha=0.05, power=0.8) * np.sqrt(size) * answer["std_error"]
    assert found["value"].to_list() == pytest.approx([expected], rel=1e-4)
    assert found["n"].to_list() == [40]


def test_too_few_answers_tell_what_a_plain_comparison_would_have_shown(make_trial, make_plan, make_design, detectable):
    scores, people = make_trial(np.random.default_rng(2), 12)
    plan = make_plan(small_numbers={"profile": "threshold-10", "fewest_per_arm": 20})
    found, answer = detectable(plan, make_design(), (scores, people))
    assert answer["verdict"] == "refused:too_few_participants"
    post = scores[scores["timepoint"] == "post"].merge(people[["participant_id", "arm"]])
    spread = np.sqrt(post.groupby("arm")["score"].var().mean())
    expected = TTestIndPower().solve_power(nobs1=12, ratio=1, alpha=0.05, power=0.8) * spread
    assert found["value"].to_list() == pytest.approx([expected], rel=CLOSE)
    assert found["n"].to_list() == [12]


def test_too_few_of_a_single_group_tell_it_of_their_change(make_trial, make_plan, make_design, detectable):
    scores, people = make_trial(np.random.default_rng(3), 12, arms=["peer"])
    plan = make_plan({"contrast": "post - baseline"}, small_numbers={"profile": "threshold-10", "fewest_per_arm": 20})
    found, _ = detectable(plan, make_design("single_group"), (scores, people))
    wide = scores.pivot_table(index="participant_id", columns="timepoint", values="score")
    expected = TTestPower().solve_power(nobs=12, alpha=0.05, power=0.8) * (wide["post"] - wide["baseline"]).std()
    assert found["value"].to_list() == pytest.approx([expected], rel=CLOSE)


def test_nothing_is_told_where_there_is_no_precision(make_trial, make_plan, make_design, detectable):
    scores, people = make_trial(np.random.default_rng(4))
    nobody = scores.assign(score=np.nan)
    assert detectable(make_plan(), make_design(), (nobody, people))[0].empty
    alone = pd.concat([people[people["arm"] == "peer"].head(1), people[people["arm"] == "usual"].head(1)])
    few = scores[scores["participant_id"].isin(alone["participant_id"])]
    assert detectable(make_plan(), make_design(), (few, alone.reset_index(drop=True)))[0].empty

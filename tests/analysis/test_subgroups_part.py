"""For whom: interactions against least squares on change scores, and every refusal."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from analysis import Covariate, evaluate_plan
from analysis.subgroups_part import REFUSALS
from analysis.telling import read_told

from .said_again import find_unsayable

SAME = 1e-6
"""Relative: with two complete timepoints an unstructured mmrm of changes is least squares on change, up to its search."""
REGION = Covariate("region", "Region", "category", ("north", "south", "west"))
REASON = "declared for the test"


def ask(make_plan, covariate="gender", **estimand):
    subgroups = [{"id": "whom", "estimand": "mood_post", "covariate": covariate, "reason": REASON}]
    return make_plan({"covariance": "us"} | estimand, subgroups=subgroups)


@pytest.fixture
def trial(make_trial):
    """Scores and participants of 120 people with a region; women of the peer arm gain more, and so do the old."""
    scores, people = make_trial(np.random.default_rng(4), 60, shifts={("peer", "post"): -4.0})
    people["region"] = np.random.default_rng(5).choice(REGION.levels, len(people))
    more = np.where(people["gender"] == "w", -5.0, 0.0) - 0.1 * (people["age"] - 50)
    extra = dict(zip(people["participant_id"], np.where(people["arm"] == "peer", more, 0.0), strict=True))
    at_post = scores["timepoint"] == "post"
    scores.loc[at_post, "score"] += scores.loc[at_post, "participant_id"].map(extra)
    return scores, people


@pytest.fixture
def told(trial, no_responses, no_delivered):
    """A function that gives the rows of the subgroups part, by item and statistic."""

    def run(plan, design, data=None):
        scores, people = data or trial
        table = evaluate_plan(
            plan, design, scores=scores, participants=people, responses=no_responses, delivered=no_delivered, library={}
        )
        return table[table["analysis"] == "subgroups"].set_index(["statistic", "item"])

    return run


def by_least_squares(trial, columns):
    """Least squares of the change on arm (peer 1), the columns, and their products with arm."""
    scores, people = trial
    wide = scores.pivot_table(index="participant_id", columns="timepoint", values="score").loc[people["participant_id"]]
    arm = (people["arm"] == "peer").to_numpy(dtype=float)
    own = np.column_stack([np.asarray(column(people), dtype=float) for column in columns])
    design = np.column_stack([np.ones(len(people)), arm, own, own * arm[:, None]])
    return sm.OLS((wide["post"] - wide["baseline"]).to_numpy(), design).fit(), own.shape[1]


def test_two_levels_are_compared_as_by_least_squares_on_change(trial, told, make_plan, make_design):
    found = told(ask(make_plan), make_design("matched_comparison"))
    fit, _ = by_least_squares(trial, [lambda people: people["gender"] == "m"])
    row = found.loc[("interaction", "gender")]
    assert row["value"] == pytest.approx(fit.params[3], rel=SAME)
    assert row["std_error"] == pytest.approx(fit.bse[3], rel=SAME)
    assert row["p_value"] == pytest.approx(fit.pvalues[3], rel=1e-4)
    assert found.loc[("difference", "gender=w"), "value"] == pytest.approx(fit.params[1], rel=SAME)
    assert found.loc[("difference", "gender=m"), "value"] == pytest.approx(fit.params[1] + fit.params[3], rel=SAME)


def test_a_number_is_told_per_standard_deviation_and_at_both_sides_of_the_mean(trial, told, make_plan, make_design):
    found = told(ask(make_plan, "age"), make_design("matched_comparison"))
    fit, _ = by_least_squares(trial, [lambda people: (people["age"] - people["age"].mean()) / people["age"].std()])
    assert found.loc[("interaction", "age"), "value"] == pytest.approx(fit.params[3], rel=SAME)
    ends = [found.loc[("difference", f"age=one SD {side} the mean"), "value"] for side in ("below", "above")]
    assert ends == pytest.approx([fit.params[1] - fit.params[3], fit.params[1] + fit.params[3]], rel=SAME)


def test_three_levels_are_tested_together(trial, told, make_plan, make_design):
    design = make_design("matched_comparison")
    design = replace(design, covariates=(*design.covariates, REGION))
    found = told(ask(make_plan, "region"), design)
    dummies = [lambda people, level=level: people["region"] == level for level in REGION.levels[1:]]
    fit, width = by_least_squares(trial, dummies)
    together = np.eye(2 + 2 * width)[2 + width :]
    assert found.loc[("interaction", "region"), "p_value"] == pytest.approx(
        float(fit.f_test(together).pvalue), rel=1e-3
    )
    assert np.isnan(found.loc[("interaction", "region"), "value"])
    assert [item for statistic, item in found.index if statistic == "difference"] == [
        f"region={level}" for level in REGION.levels
    ]


def test_in_a_trial_levels_share_a_baseline_mean_across_arms_and_the_answer_stays_close(
    trial, told, make_plan, make_design
):
    by_lot = told(ask(make_plan), make_design()).loc[("interaction", "gender")]
    otherwise = told(ask(make_plan), make_design("matched_comparison")).loc[("interaction", "gender")]
    assert abs(by_lot["value"] - otherwise["value"]) < otherwise["std_error"]
    assert by_lot["std_error"] < otherwise["std_error"]


def test_a_single_group_is_asked_too(make_trial, told, make_plan, make_design):
    data = make_trial(np.random.default_rng(6), 60, arms=["peer"], shifts={("peer", "post"): -3.0})
    found = told(ask(make_plan, contrast="post - baseline"), make_design("single_group"), data)
    assert found.loc[("interaction", "gender"), "verdict"] == "estimated"


def test_the_gate_is_told_of_the_smallest_cell(trial, told, make_plan, make_design):
    _, people = trial
    smallest = people.groupby(["arm", "gender"]).size().min()
    found = told(ask(make_plan), make_design())
    assert (found["fewest"] == smallest).all()
    assert (found["n"] == smallest).all()


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("too_few_in_level", {"few": True}),
        ("not_answered", {"nobody": True}),
        ("not_a_score", {"outcome": {"kind": "binary", "event": {"at_least": 50}}}),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(trial, told, make_plan, make_design, reason, change):
    scores, people = trial
    if "few" in change:
        people = people.assign(gender=np.where(people.index % 60 < 4, "w", "m"))
    if "nobody" in change:
        scores = scores.assign(score=scores["score"].where(scores["timepoint"] == "baseline"))
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary"} | change.get("outcome", {})
    options = {} if "outcome" in change else {"covariance": "us"}
    subgroups = [{"id": "whom", "estimand": "mood_post", "covariate": "gender", "reason": REASON}]
    plan = make_plan(options, outcomes=[outcome], subgroups=subgroups)
    found = told(plan, make_design(), (scores, people))
    (row,) = found.to_dict("records")
    assert row["verdict"] == f"refused:{reason}"
    assert row["method"] == REFUSALS[reason]


def test_chance_alone_shows_an_interaction_in_one_of_twenty(make_trial, told, make_plan, make_design):
    rng = np.random.default_rng(8)
    shown = [
        told(ask(make_plan), make_design(), make_trial(rng, 40)).loc[("interaction", "gender"), "p_value"] < 0.05
        for _ in range(60)
    ]
    assert sum(shown) <= 9  # binomial(60, 0.05) is above 9 once in 1,000


def test_what_is_compared_can_be_said_in_other_languages(told, make_plan, make_design):
    design = make_design("matched_comparison")
    for covariate, levels in (("gender", {"m", "w"}), ("age", set()), ("region", set())):
        rows = told(ask(make_plan, covariate), replace(design, covariates=(*design.covariates, REGION)))
        for text, words in zip(rows["method"], rows["words"], strict=True):
            assert find_unsayable(read_told(text, words), levels) == []

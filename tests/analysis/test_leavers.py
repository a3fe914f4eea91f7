"""Leavers against stayers: differences held against a computation from the tables, and what the gate is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import Covariate
from analysis.evaluation import Evaluation
from analysis.leavers import describe_leavers

from .said_again import find_unsayable

SAME = 1e-9
"""The same arithmetic in another order."""
WAVES = ("baseline", "post", "later")


@pytest.fixture
def make_left(make_trial, make_design, make_plan):
    """A function that gives an evaluation of 200 people: old people of the peer arm leave more often."""

    def make(kind="randomised", *, share=0.25, outcomes=None, group=()):
        arms = ("peer",) if kind == "single_group" else ("peer", "usual")
        rng = np.random.default_rng(12)
        scores, people = make_trial(rng, 100, timepoints=WAVES, arms=arms)
        odds = share * np.where((people["arm"] == "peer") & (people["age"] > 50), 1.8, 0.7)
        gone = people["participant_id"][rng.random(len(people)) < odds]
        lost = scores["participant_id"].isin(gone) & (scores["timepoint"] == "later")
        away = scores["participant_id"].isin(people["participant_id"].iloc[::9]) & (scores["timepoint"] == "post")
        scores = scores.assign(score=scores["score"].mask(lost | away))
        others = scores.assign(measure="worry.total", score=scores["score"] * 0.5 + rng.normal(0, 3, len(scores)))
        contrast = {"contrast": "later - baseline"} if kind == "single_group" else {}
        document = {"outcomes": outcomes} if outcomes else {}
        design = make_design(kind, WAVES, more_measures=("worry.total",))
        plan = make_plan({"timepoint": "later"} | contrast, **document)
        tables = {"scores": pd.concat([scores, others], ignore_index=True), "participants": people}
        nothing = {"responses": None, "sessions": None, "events": None, "frames": {}, "answers": [], "measurement": []}
        return Evaluation(plan=plan, design=design, library={}, **tables, **nothing)

    return make


BOTH = [
    {"id": "mood", "measure": "mood.total", "role": "primary"},
    {"id": "worry", "measure": "worry.total", "role": "secondary"},
    {"id": "case", "measure": "mood.total", "role": "exploratory", "kind": "binary", "event": {"at_least": 50}},
]


def tell(evaluation) -> pd.DataFrame:
    return pd.DataFrame([
        {"arm": row.arm, "item": row.item, "value": row.value, "n": row.n, "fewest": row.fewest, "p": row.p_value}
        for row in describe_leavers(evaluation)
    ]).set_index(["arm", "item"])  # fmt: skip


def from_tables(evaluation, arm):
    """Values of the arm's people at baseline, and who of them left, by participant id."""
    people = evaluation.participants[evaluation.participants["arm"] == arm].set_index("participant_id")
    wide = evaluation.scores.pivot_table(index="participant_id", columns=["measure", "timepoint"], values="score")
    wide = wide.loc[people.index]
    return people, wide, wide["mood.total", "later"].isna()


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_numbers_differ_by_the_difference_of_means_over_the_mean_deviation(make_left, kind):
    evaluation = make_left(kind, outcomes=BOTH)
    found = tell(evaluation)
    for arm in [each.id for each in evaluation.design.arms]:
        people, wide, left = from_tables(evaluation, arm)
        columns = {
            "mood": wide["mood.total", "baseline"],
            "worry": wide["worry.total", "baseline"],
            "age": people["age"],
        }
        for item, values in columns.items():
            spread = np.sqrt((values[left].var(ddof=1) + values[~left].var(ddof=1)) / 2)
            own = (values[left].mean() - values[~left].mean()) / spread
            assert found.loc[(arm, item), "value"] == pytest.approx(own, rel=SAME)
            assert found.loc[(arm, item), "n"] == 100
            assert found.loc[(arm, item), "fewest"] == min(left.sum(), (~left).sum())
    assert found["p"].isna().all()
    assert found.loc[("peer", "age"), "value"] > 0.25  # the old left more often


def test_a_category_differs_by_its_largest_level_and_tells_its_smallest_cell(make_left):
    evaluation = make_left()
    people, _, left = from_tables(evaluation, "peer")
    shares = [(people.loc[who, "gender"] == "w").mean() for who in (left, ~left)]
    spread = np.sqrt(np.mean([share * (1 - share) for share in shares]))
    row = tell(evaluation).loc[("peer", "gender")]
    assert row["value"] == pytest.approx(abs(shares[0] - shares[1]) / spread, rel=SAME)
    assert row["fewest"] == pd.crosstab(left, people["gender"]).min().min()


def test_a_rare_level_is_told_to_the_gate_even_where_only_stayers_have_it(make_left):
    evaluation = make_left()
    _, _, left = from_tables(evaluation, "peer")
    rare = left.index[~left][:20]
    people = evaluation.participants
    people = people.assign(gender=people["gender"].mask(people["participant_id"].isin(rare), "x"))
    found = tell(replace(evaluation, participants=people))
    assert found.loc[("peer", "gender"), "fewest"] == 0


def test_who_was_away_and_came_back_has_not_left_and_other_outcomes_do_not_decide_it(make_left):
    evaluation = make_left(outcomes=BOTH)
    _, _, left = from_tables(evaluation, "usual")
    found = tell(evaluation)
    assert found.loc[("usual", "mood"), "fewest"] == left.sum()
    worry = evaluation.scores["score"].mask(evaluation.scores["measure"] == "worry.total")
    lost = worry.where(evaluation.scores["timepoint"] != "baseline", evaluation.scores["score"])
    other = replace(evaluation, scores=evaluation.scores.assign(score=lost))
    pd.testing.assert_frame_equal(tell(other), found)


def test_an_arm_that_nobody_left_and_a_study_that_follows_nobody_have_no_rows(make_left, make_design):
    assert not list(describe_leavers(make_left(share=0.0)))
    evaluation = make_left()
    samples = make_design("repeated_cross_section", WAVES, more_measures=("worry.total",))
    assert not list(describe_leavers(replace(evaluation, design=samples)))


def test_a_covariate_that_was_not_delivered_is_passed_over(make_left):
    evaluation = make_left()
    design = replace(evaluation.design, covariates=(*evaluation.design.covariates, Covariate("site", "S", "number")))
    people = evaluation.participants.drop(columns="site")
    assert "site" not in tell(replace(evaluation, design=design, participants=people)).index.get_level_values("item")


def test_what_the_differences_are_can_be_said_in_other_languages(make_left):
    rows = list(describe_leavers(make_left()))
    assert [problem for row in rows for problem in find_unsayable(row.method, set())] == []
    assert rows

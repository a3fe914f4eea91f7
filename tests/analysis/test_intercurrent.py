"""Intercurrent events: which scores they take away, in the main analysis and in one beside it."""

import numpy as np
import pandas as pd
import pytest

from analysis import evaluate_plan
from analysis.frames import outcome_frame
from analysis.intercurrent import find_first, set_aside_hypothetical
from analysis.missing_data import estimate_with_leavers

WAVES = ("baseline", "post", "later")
LATER = {"id": "mood_later", "timepoint": "later"}
SAME = 1e-9
"""The same arithmetic in another order."""


@pytest.fixture
def design(make_design):
    return make_design("randomised", WAVES)


@pytest.fixture
def trial(make_trial):
    """Scores and participants of 60 people of whom nobody misses anything."""
    shifts = {("peer", "post"): -4.0, ("peer", "later"): -6.0}
    return make_trial(np.random.default_rng(9), 30, timepoints=WAVES, shifts=shifts)


@pytest.fixture
def happened() -> pd.DataFrame:
    """Twelve people of the peer arm move away, six before each later timepoint, and one falls ill twice."""
    rows = [(f"p{place:04}", "moved", "post" if place < 6 else "later") for place in range(12)]
    rows += [("p0001", "ill", "later"), ("p0020", "ill", "later"), ("p0020", "ill", "post")]
    rows += [("p0021", "ill", "baseline"), ("p0022", "ill", "")]
    return pd.DataFrame(rows, columns=["participant_id", "event", "timepoint"]).assign(days_since_baseline=5.0)


@pytest.fixture
def run(trial, design, no_responses, no_delivered):
    """A function that evaluates a plan on the trial, with scores put in its place."""

    def evaluate(plan, events, scores=None):
        return evaluate_plan(
            plan,
            design,
            scores=trial[0] if scores is None else scores,
            delivered=no_delivered,
            participants=trial[1],
            responses=no_responses,
            library={},
            events=events,
        )

    return evaluate


def plan_of(make_plan, strategy, sensitivity=None, event="moved"):
    return make_plan(LATER, intercurrent_events=[{"event": event, "strategy": strategy, "sensitivity": sensitivity}])


def mask_by_hand(scores, gone) -> pd.DataFrame:
    """Return scores without those of (participant, timepoint) pairs."""
    pairs = list(zip(scores["participant_id"], scores["timepoint"], strict=True))
    return scores.assign(score=scores["score"].mask([pair in gone for pair in pairs]))


GONE = {(f"p{place:04}", wave) for place in range(12) for wave in (("post", "later") if place < 6 else ("later",))}


def test_scores_from_a_hypothetical_event_on_are_missing_and_no_others(trial, happened, design, make_plan):
    found = set_aside_hypothetical(trial[0], happened, plan_of(make_plan, "hypothetical"), design)
    pd.testing.assert_frame_equal(found, mask_by_hand(trial[0], GONE))
    assert trial[0]["score"].notna().all()


def test_the_earliest_event_decides_and_one_outside_of_the_study_decides_nothing(trial, happened, design, make_plan):
    found = set_aside_hypothetical(trial[0], happened, plan_of(make_plan, "hypothetical", event="ill"), design)
    gone = {("p0001", "later"), ("p0020", "post"), ("p0020", "later")}
    pd.testing.assert_frame_equal(found, mask_by_hand(trial[0], gone))
    assert find_first(happened, ["ill", "moved"], design)["p0001"] == "post"


def test_treatment_policy_leaves_every_score(trial, happened, design, make_plan):
    found = set_aside_hypothetical(trial[0], happened, plan_of(make_plan, "treatment_policy"), design)
    assert found is trial[0]
    assert set_aside_hypothetical(trial[0], happened.iloc[:0], plan_of(make_plan, "hypothetical"), design) is trial[0]


def test_the_main_analysis_is_that_of_the_scores_that_are_left(run, trial, happened, make_plan):
    found = run(plan_of(make_plan, "hypothetical"), happened)
    by_hand = run(plan_of(make_plan, "hypothetical"), None, mask_by_hand(trial[0], GONE))
    keep = ["model", "descriptive", "change_within_arm"]
    found, by_hand = (table[table["analysis"].isin(keep)].reset_index(drop=True) for table in (found, by_hand))
    pd.testing.assert_frame_equal(found, by_hand)
    policy = run(plan_of(make_plan, "treatment_policy"), happened)
    answers = [table.loc[table["estimand"] == "mood_later", "value"].iloc[0] for table in (found, policy)]
    assert answers[0] != answers[1]


@pytest.mark.parametrize("sensitivity", ["hypothetical", "jump_to_reference", "copy_increments"])
def test_an_event_with_a_sensitivity_has_its_scores_imputed_by_that_strategy(
    run, trial, happened, design, make_plan, sensitivity
):
    plan = plan_of(make_plan, "treatment_policy", sensitivity)
    table = run(plan, happened)
    rows = table[table["analysis"] == "sensitivity"].set_index("item")
    assert list(rows.index) == ["missing_at_random", "event moved"]
    masked = mask_by_hand(trial[0], GONE)
    people = trial[1].assign(who=trial[1]["participant_id"])
    frame = outcome_frame(masked, people, design, plan.outcomes[0], carried=["who"])
    label = {who: place for place, who in frame["who"].items()}
    who = [f"p{place:04}" for place in range(12)]
    events = pd.DataFrame({
        "participant": [label[each] for each in who],
        "timepoint": ["post"] * 6 + ["later"] * 6,
        "strategy": sensitivity,
    })  # fmt: skip
    (own,) = estimate_with_leavers(
        frame.drop(columns="who"), plan.estimands[0], plan.outcomes[0], design, events=events
    )
    row = rows.loc["event moved"]
    assert row["value"] == pytest.approx(own.estimate.value, rel=SAME)
    assert row["std_error"] == pytest.approx(own.estimate.std_error, rel=SAME)
    assert row["fewest"] == 12
    assert row["value"] != pytest.approx(rows.loc["missing_at_random", "value"], rel=1e-4)


def test_an_event_that_few_had_says_so_to_the_gate_and_one_that_nobody_had_is_refused(run, happened, make_plan):
    rare = run(plan_of(make_plan, "treatment_policy", "jump_to_reference", "ill"), happened)
    row = rare[rare["item"] == "event ill"].iloc[0]
    assert (row["verdict"], row["fewest"]) == ("estimated", 2)
    none = run(plan_of(make_plan, "treatment_policy", "jump_to_reference", "died"), happened)
    row = none[none["item"] == "event died"].iloc[0]
    assert row["verdict"] == "refused:no_such_event"
    assert "Nobody had this event" in row["method"]


def test_neither_order_nor_names_of_people_have_any_bearing_on_events(run, trial, design, happened, make_plan):
    plan = plan_of(make_plan, "treatment_policy", "jump_to_reference")
    first = run(plan, happened)
    again = run(plan, happened.sample(frac=1, random_state=3).reset_index(drop=True), trial[0].iloc[::-1])
    pd.testing.assert_frame_equal(first, again, check_exact=True)

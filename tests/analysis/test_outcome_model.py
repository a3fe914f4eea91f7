"""The design decides the model; closed forms on complete data of two timepoints say whether it decided well."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.frames import outcome_frame
from analysis.model_frame import build_model_frame, contrast_cells, model_terms
from analysis.outcome_model import estimate_outcome

# Closed forms at the optimum: the engine's last Newton step is exact to rounding.
CLOSED_FORM_TOLERANCE = 1e-7
TRIALS = 250
TRUTH = -4.0
# With 250 trials the Monte Carlo standard error of a coverage of 95 % is 1.38 points; three of them either side.
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / TRIALS)


@pytest.fixture
def answer(make_trial, make_plan):
    """A function that gives the frame of an invented trial and the rows of its one outcome."""

    def build(design, estimand=None, seed=12, outcome=None, engine="peerimpact", **trial):
        scores, participants = make_trial(np.random.default_rng(seed), **trial)
        document = {"engine": engine} | ({"outcomes": [outcome]} if outcome else {})
        plan = make_plan(estimand or {}, **document)
        frame = outcome_frame(scores, participants, design, plan.outcomes[0])
        return frame, estimate_outcome(plan.outcomes[0], frame, plan, design)

    return build


def _asked(results):
    (row,) = [each for each in results if each.estimand]
    return row


def _changes(frame: pd.DataFrame, arm: str) -> np.ndarray:
    own = frame.loc[frame["arm"] == arm]
    return (own["score:post"] - own["score:baseline"]).to_numpy()


def test_a_randomised_contrast_takes_the_chance_difference_at_baseline_into_account(answer, make_design):
    frame, results = answer(make_design("randomised"), shifts={("peer", "post"): -5.0})
    components = {row.statistic: row.value for row in results if row.statistic.startswith("covariance: ")}
    slope = components["covariance: covariance[post,baseline]"] / components["covariance: variance[baseline]"]
    means = frame.groupby("arm")[["score:baseline", "score:post"]].mean()
    difference = means.loc["peer"] - means.loc["usual"]
    expected = difference["score:post"] - slope * difference["score:baseline"]
    assert _asked(results).value == pytest.approx(expected, rel=CLOSED_FORM_TOLERANCE)


def test_a_matched_contrast_is_the_two_sample_t_test_of_changes(answer, make_design):
    frame, results = answer(make_design("matched_comparison"), shifts={("peer", "post"): -5.0})
    test = stats.ttest_ind(_changes(frame, "peer"), _changes(frame, "usual"))
    found = _asked(results)
    assert found.value == pytest.approx(_changes(frame, "peer").mean() - _changes(frame, "usual").mean())
    assert found.value / found.std_error == pytest.approx(test.statistic, rel=CLOSED_FORM_TOLERANCE)
    assert found.df == pytest.approx(test.df, rel=CLOSED_FORM_TOLERANCE)
    assert found.p_value == pytest.approx(test.pvalue, rel=CLOSED_FORM_TOLERANCE)


def test_a_single_group_contrast_is_the_paired_t_test(answer, make_design):
    design = make_design("single_group")
    frame, results = answer(design, {"contrast": "post - baseline"}, arms=("peer",), shifts={("peer", "post"): -5.0})
    test = stats.ttest_rel(*(frame[f"score:{timepoint}"] for timepoint in ("post", "baseline")))
    found = _asked(results)
    assert found.value / found.std_error == pytest.approx(test.statistic, rel=CLOSED_FORM_TOLERANCE)
    assert found.df == pytest.approx(test.df, rel=CLOSED_FORM_TOLERANCE)


def test_marginal_means_stand_at_the_average_participant(answer, make_design):
    estimand = {"contrast": "post - baseline", "covariates": ["age", "gender"]}
    frame, results = answer(make_design("single_group"), estimand, arms=("peer",))
    for row in (each for each in results if each.statistic == "marginal_mean"):
        # Complete data and one arm: the mean at the average covariates, levels weighted as observed, is the plain mean.
        assert row.value == pytest.approx(frame[f"score:{row.timepoint}"].mean(), rel=CLOSED_FORM_TOLERANCE)


def test_a_covariate_that_tells_the_arms_apart_gives_way_to_the_arm(answer, make_design, make_plan, make_trial):
    design, plan = make_design("matched_comparison"), make_plan({"covariates": ["age"]})
    frame = outcome_frame(*make_trial(np.random.default_rng(12)), design, plan.outcomes[0])
    frame["covariate:age"] = np.where(frame["arm"] == "peer", 30.0, 60.0)
    row = _asked(estimate_outcome(plan.outcomes[0], frame, plan, design))
    assert row.verdict == "estimated"
    assert "left out because they add nothing: covariate age" in row.method
    assert "Adjusted for" not in row.method
    plain = _asked(estimate_outcome(plan.outcomes[0], frame, make_plan(), design))
    assert row.value == pytest.approx(plain.value, rel=CLOSED_FORM_TOLERANCE)


def test_a_participant_without_a_covariate_is_left_out_of_the_model(make_trial, make_design, make_plan):
    design = make_design("randomised")
    frame = outcome_frame(*make_trial(np.random.default_rng(12)), design, make_plan().outcomes[0])
    frame.loc[:4, "covariate:age"] = np.nan
    for covariate, left_out in (("age", 5), ("gender", 0)):
        rows = build_model_frame(frame, [covariate], design)
        assert rows["participant"].nunique() == len(frame) - left_out


def test_every_arm_that_meets_in_groups_brings_its_groups_after_baseline_and_no_other(
    make_trial, make_design, make_plan
):
    design = make_design("randomised", group_arms=("peer",))
    frame = outcome_frame(*make_trial(np.random.default_rng(1), group_size=8), design, make_plan().outcomes[0])
    rows = build_model_frame(frame, [], design)
    met = (rows["arm"] == "peer") & (rows["timepoint"] == "post")
    assert set(rows.loc[met, "group"]) == {"g0", "g1", "g2", "g3", "g4"}
    assert (rows.loc[~met, "group"] == "").all()


def test_what_a_group_shares_after_baseline_counts_in_the_precision_of_change(make_trial, make_design, make_plan):
    design = make_design("single_group", group_arms=("peer",))
    plan = make_plan({"contrast": "post - baseline"})
    frame = outcome_frame(
        *make_trial(np.random.default_rng(12), arms=("peer",), group_size=8), design, plan.outcomes[0]
    )
    frame["score:post"] += frame["group"].map({f"g{place}": 4.0 * place for place in range(5)})
    results = estimate_outcome(plan.outcomes[0], frame, plan, design)
    components = {row.statistic.removeprefix("covariance: "): row.value for row in results}
    # Five groups of eight, all seen twice: the mean change varies by groups and by the residuals of both timepoints.
    expected = components["group intercept"] / 5 + 2 * components["residual"] / 40
    found = _asked(results)
    assert components["group intercept"] > 0
    assert found.std_error**2 == pytest.approx(expected, rel=CLOSED_FORM_TOLERANCE)
    assert 4 < found.df < 4.5  # five groups less one, and a little for what the residuals add


def test_the_model_left_open_is_chosen_by_outcome_and_groups(make_plan, make_design):
    plain, grouped = make_design(), make_design(group_arms=("peer",))
    plan = make_plan()
    assert plan.model_of(plan.estimands[0], plain) == "mmrm"
    assert plan.model_of(plan.estimands[0], grouped) == "mixed_model"
    binary = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 40}}
    assert (plan := make_plan(outcomes=[binary])).model_of(plan.estimands[0], plain) == "gee"


def test_terms_follow_the_design(make_design):
    assert model_terms(["age"], make_design("randomised")) == ("timepoint", "covariate age", "arm:timepoint")
    assert model_terms([], make_design("matched_comparison")) == ("timepoint", "arm", "arm:timepoint")
    assert model_terms([], make_design("single_group")) == ("timepoint",)


def test_the_words_name_the_step_of_the_ladder_that_was_taken(answer, make_design, make_trial, make_plan):
    design = make_design("single_group", ("baseline", "post", "followup"))
    plan = make_plan({"contrast": "post - baseline"})
    scores, people = make_trial(np.random.default_rng(3), arms=("peer",), timepoints=("baseline", "post", "followup"))
    odd = scores["participant_id"].map(dict(zip(people["participant_id"], np.arange(len(people)) % 2, strict=True)))
    never_both = scores.loc[~((scores["timepoint"] == "post") & (odd == 1))]
    never_both = never_both.loc[~((never_both["timepoint"] == "followup") & (odd.loc[never_both.index] == 0))]
    frame = outcome_frame(never_both, people, design, plan.outcomes[0])
    row = _asked(estimate_outcome(plan.outcomes[0], frame, plan, design))
    assert row.verdict == "estimated"
    assert (
        "Covariance of a person's scores: heterogeneous Toeplitz. It is the first that converged of those that the "
        "plan names: us, toeph, csh and cs."
    ) in row.method


def test_the_statsmodels_engine_finds_the_same_answer(answer, make_design):
    design = make_design(group_arms=("peer",))
    shifts = {("peer", "post"): -5.0}
    ours = _asked(answer(design, group_size=8, shifts=shifts)[1])
    theirs = _asked(answer(design, group_size=8, shifts=shifts, engine="statsmodels")[1])
    assert "The variances were found by statsmodels MixedLM." in theirs.method
    assert "MixedLM" not in ours.method
    # MixedLM stops where the deviance is flat to about 1e-7.
    for name in ("value", "std_error", "df"):
        assert getattr(theirs, name) == pytest.approx(getattr(ours, name), rel=1e-4)


def test_a_share_of_people_is_estimated_in_percent(answer, make_design):
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
    frame, results = answer(make_design("matched_comparison"), outcome=outcome, shifts={("peer", "post"): -8.0})
    found = _asked(results)
    means = frame.groupby("arm")[["score:baseline", "score:post"]].mean()
    changes = means["score:post"] - means["score:baseline"]
    # Saturated and complete: the model's shares are the observed ones.
    assert found.value == pytest.approx(changes["peer"] - changes["usual"], abs=1e-4)
    assert -100 <= found.conf_low < found.value < found.conf_high <= 100
    counts = frame.groupby("arm")["score:post"].agg(["sum", "count"])
    events = counts["sum"] / 100
    assert (found.n, found.classes) == (40, 2)
    assert found.fewest == min(*events, *(counts["count"] - events))


def test_intervals_of_a_plain_randomised_trial_cover_the_truth_as_often_as_they_say(make_trial, make_design, make_plan):
    design, plan = make_design(), make_plan()
    shifts = {("peer", "post"): TRUTH - 3.0, ("usual", "post"): -3.0}
    found = []
    for seed in np.random.SeedSequence(20260101).spawn(TRIALS):
        scores, people = make_trial(np.random.default_rng(seed), 20, shifts=shifts)
        frame = outcome_frame(scores, people, design, plan.outcomes[0])
        found.append(_asked(estimate_outcome(plan.outcomes[0], frame, plan, design)))
    covered = np.mean([each.conf_low <= TRUTH <= each.conf_high for each in found])
    values = np.array([each.value for each in found])
    assert abs(covered - 0.95) <= COVERAGE_MARGIN
    assert abs(values.mean() - TRUTH) <= 3 * values.std(ddof=1) / np.sqrt(TRIALS)  # three Monte Carlo errors
    assert np.mean([each.std_error for each in found]) == pytest.approx(values.std(ddof=1), rel=3 / np.sqrt(2 * TRIALS))


def test_a_contrast_is_made_of_the_cells_that_the_design_compares(make_design, make_plan):
    estimand = make_plan().estimands[0]
    post, base = (
        {("peer", "post"): 1.0, ("usual", "post"): -1.0},
        {("peer", "baseline"): -1.0, ("usual", "baseline"): 1.0},
    )
    assert contrast_cells(estimand, make_design("randomised")) == post
    assert contrast_cells(estimand, make_design("matched_comparison")) == post | base
    alone = make_plan({"contrast": "post - baseline"}).estimands[0]
    assert contrast_cells(alone, replace(make_design("single_group"))) == {
        ("peer", "post"): 1,
        ("peer", "baseline"): -1,
    }

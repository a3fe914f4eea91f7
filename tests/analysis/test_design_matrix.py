"""The design decides the columns; closed forms on complete data of two timepoints say whether it decided well."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import fit_mixed_model
from analysis.design_matrix import build_design_matrix, cell_weights, contrast_weights
from analysis.frames import outcome_frame

# Complete data of two timepoints have closed forms at the fitted variances, so only rounding is left.
CLOSED_FORM_TOLERANCE = 1e-8
# Where the closed form holds the variances too, the last step of the engine comes in.
VARIANCE_TOLERANCE = 1e-5


def _frame(make_trial, design, **trial):
    scores, participants = make_trial(np.random.default_rng(12), **trial)
    return outcome_frame(scores, participants, design, "mood.total")


def _changes(frame: pd.DataFrame, arm: str) -> np.ndarray:
    own = frame.loc[frame["arm"] == arm]
    return (own["score:post"] - own["score:baseline"]).to_numpy()


def test_a_randomised_contrast_takes_the_chance_difference_at_baseline_into_account(make_trial, make_design, make_plan):
    design = make_design("randomised")
    frame = _frame(make_trial, design, shifts={("peer", "post"): -5.0})
    matrix = build_design_matrix(frame, [], design)
    fit = fit_mixed_model(matrix.rows, matrix.specification)
    means = frame.groupby("arm")[["score:baseline", "score:post"]].mean()
    difference = means.loc["peer"] - means.loc["usual"]
    correlation = fit.variance_participant / (fit.variance_participant + fit.variance_residual)
    found = fit.estimate(contrast_weights(make_plan().estimands[0], design))
    assert found.value == pytest.approx(
        difference["score:post"] - correlation * difference["score:baseline"], rel=CLOSED_FORM_TOLERANCE
    )
    assert "arm peer" not in fit.terms


def test_a_matched_contrast_is_the_two_sample_t_test_of_changes(make_trial, make_design, make_plan):
    design = make_design("matched_comparison")
    frame = _frame(make_trial, design, shifts={("peer", "post"): -5.0})
    matrix = build_design_matrix(frame, [], design)
    found = fit_mixed_model(matrix.rows, matrix.specification).estimate(
        contrast_weights(make_plan().estimands[0], design)
    )
    test = stats.ttest_ind(_changes(frame, "peer"), _changes(frame, "usual"))
    assert found.value == pytest.approx(
        _changes(frame, "peer").mean() - _changes(frame, "usual").mean(), rel=CLOSED_FORM_TOLERANCE
    )
    assert found.value / found.std_error == pytest.approx(test.statistic, rel=VARIANCE_TOLERANCE)


def test_a_single_group_contrast_is_the_paired_t_test(make_trial, make_design, make_plan):
    design = make_design("single_group")
    frame = _frame(make_trial, design, arms=("peer",), shifts={("peer", "post"): -5.0})
    matrix = build_design_matrix(frame, [], design)
    found = fit_mixed_model(matrix.rows, matrix.specification).estimate(
        contrast_weights(make_plan({"contrast": "post - baseline"}).estimands[0], design)
    )
    changes = _changes(frame, "peer")
    assert found.value == pytest.approx(changes.mean(), rel=CLOSED_FORM_TOLERANCE)
    assert found.std_error == pytest.approx(changes.std(ddof=1) / np.sqrt(len(changes)), rel=VARIANCE_TOLERANCE)


def test_marginal_means_stand_at_the_average_participant(make_trial, make_design):
    design = make_design("single_group")
    frame = _frame(make_trial, design, arms=("peer",))
    matrix = build_design_matrix(frame, ["age", "gender"], design)
    fit = fit_mixed_model(matrix.rows, matrix.specification)
    for timepoint in ("baseline", "post"):
        # Complete data and one arm: the mean at the average covariates, levels weighted as observed, is the plain mean.
        assert fit.estimate(cell_weights("peer", timepoint, design)).value == pytest.approx(
            frame[f"score:{timepoint}"].mean(), rel=CLOSED_FORM_TOLERANCE
        )


def test_covariates_are_centred_and_levels_that_nobody_has_are_dropped_by_name(make_trial, make_design):
    design = make_design("randomised")
    matrix = build_design_matrix(_frame(make_trial, design), ["gender", "age"], design)
    assert matrix.dropped == ("covariate gender x",)
    assert matrix.specification.terms[-2:] == ("covariate age", "covariate gender m")
    people = matrix.rows.drop_duplicates("participant")
    assert people[["covariate age", "covariate gender m"]].mean().to_numpy() == pytest.approx([0, 0], abs=1e-12)


def test_a_covariate_that_tells_the_arms_apart_gives_way_to_the_arm(make_trial, make_design):
    design = make_design("matched_comparison")
    frame = _frame(make_trial, design)
    frame["covariate:age"] = np.where(frame["arm"] == "peer", 30.0, 60.0)
    matrix = build_design_matrix(frame, ["age"], design)
    assert "covariate age" in matrix.dropped
    assert "arm peer" in matrix.specification.terms


def test_a_participant_without_a_covariate_is_left_out_of_the_model(make_trial, make_design):
    design = make_design("randomised")
    frame = _frame(make_trial, design)
    frame.loc[:4, "covariate:age"] = np.nan
    assert len(build_design_matrix(frame, ["age"], design).participants) == len(frame) - 5
    assert len(build_design_matrix(frame, ["gender"], design).participants) == len(frame)


def test_every_arm_that_meets_in_groups_brings_its_groups_and_no_other(make_trial, make_design):
    design = make_design("randomised", group_arms=("peer",))
    matrix = build_design_matrix(_frame(make_trial, design, group_size=8), [], design)
    met = (matrix.rows["arm"] == "peer") & (matrix.rows["timepoint"] == "post")
    assert matrix.specification.group == "group"
    assert set(matrix.rows.loc[met, "group"]) == {"g0", "g1", "g2", "g3", "g4"}
    assert (matrix.rows.loc[~met, "group"] == "").all()  # nor before the groups met
    ungrouped = build_design_matrix(_frame(make_trial, make_design(), group_size=8), [], make_design())
    assert ungrouped.specification.group is None


def test_what_a_group_shares_after_baseline_counts_in_the_precision_of_change(make_trial, make_design, make_plan):
    design = make_design("single_group", group_arms=("peer",))
    frame = _frame(make_trial, design, arms=("peer",), group_size=8)
    shared = frame["group"].map({f"g{place}": 4.0 * place for place in range(5)})
    frame["score:post"] += shared
    matrix = build_design_matrix(frame, [], design)
    fit = fit_mixed_model(matrix.rows, matrix.specification)
    found = fit.estimate(contrast_weights(make_plan({"contrast": "post - baseline"}).estimands[0], design))
    # Five groups of eight, all seen twice: the mean change varies by groups and by the residuals of both timepoints.
    expected = fit.variance_group / 5 + 2 * fit.variance_residual / 40
    assert fit.variance_group > 0
    assert found.std_error**2 == pytest.approx(expected, rel=CLOSED_FORM_TOLERANCE)

"""Conditional means and the jackknife: the same as doing everything anew, and as closed forms where there are any."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.missing_data import (
    build_panel,
    estimate_one,
    impute_conditional_means,
    impute_under_strategies,
    tidy_imputed,
)
from analysis.missing_data.conditional_means import FEWEST_UNITS, find_units
from analysis.missing_data.imputation_model import ImputationModel, subtract_moments
from analysis.mixed_models import Moments, ancova_terms, fit_mmrm
from analysis.mixed_models.reshape import lengthen

# Two optima of the same likelihood, each found to the decrement of the optimiser; in points of scores near 50.
OPTIMA = 1e-6
# The same arithmetic in another order.
SAME = 1e-9
REFERENCE_BASED = ("jump_to_reference", "copy_reference", "copy_increments")


def _ols(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0]


def _ancova(frame, score, arm="peer"):
    """Return the difference of the arms given baseline, by least squares."""
    x = np.column_stack([np.ones(len(frame)), frame["arm"] == arm, frame["baseline"]])
    return _ols(x.astype(float), score)[1]


def test_without_missing_scores_it_is_the_jackknife_of_ancova(make_followed, roles):
    frame = make_followed(leaving=0.0, away=0.0)
    found = estimate_one(impute_conditional_means(build_panel(frame, **roles())), "peer - usual", "later")
    without = np.array([_ancova(rest, rest["later"].to_numpy()) for rest in (frame.drop(p) for p in frame.index)])
    n = len(frame)
    assert found.estimate.value == pytest.approx(_ancova(frame, frame["later"].to_numpy()), rel=SAME)
    assert found.estimate.std_error == pytest.approx(
        np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()), rel=SAME
    )
    assert found.estimate.df == n - 2
    assert found.n_imputed == 0


@pytest.mark.parametrize("strategy", ["missing_at_random", "jump_to_reference"])
def test_one_follow_up_is_enough(make_followed, roles, strategy):
    frame = make_followed(timepoints=("post",), leaving=0.3)
    panel = build_panel(frame, **roles(("post",)), strategy=strategy)
    found = estimate_one(impute_conditional_means(panel), "peer - usual", "post")
    known = frame.dropna(subset="post")
    x = np.column_stack([np.ones(len(known)), known["arm"] == "peer", known["baseline"]]).astype(float)
    level, effect, slope = _ols(x, known["post"].to_numpy())
    own = (
        level
        + slope * frame["baseline"]
        + (0 if strategy == "jump_to_reference" else effect) * (frame["arm"] == "peer")
    )
    assert found.estimate.value == pytest.approx(_ancova(frame, frame["post"].fillna(own).to_numpy()), rel=SAME)
    assert found.n_imputed == frame["post"].isna().sum()


def test_under_missing_at_random_it_is_nearly_the_mmrm(make_followed, roles):
    frame = make_followed(per_arm=80)
    found = estimate_one(impute_conditional_means(build_panel(frame, **roles())), "peer - usual", "later").estimate
    long = lengthen(frame.reset_index(names="participant"), {"post": "post", "later": "later"}, timepoint="timepoint")
    fit = fit_mmrm(
        long,
        outcome="outcome",
        terms=ancova_terms("arm", "timepoint", "baseline"),
        participant="participant",
        references={"arm": "usual"},
    )
    means = fit.marginal_means(("arm", "timepoint"))
    direct = means.combine({("peer", "later"): 1.0, ("usual", "later"): -1.0})
    # one is the other but for the slopes of baseline, which imputation averages over people
    assert found.value == pytest.approx(direct.value, abs=0.05 * direct.std_error)
    assert found.std_error == pytest.approx(direct.std_error, rel=0.05)


def test_leaving_out_by_subtraction_is_fitting_the_others_anew(make_followed, roles):
    frame = make_followed(3)
    panel = build_panel(frame, **roles(covariates=["age", "gender"]))
    model = ImputationModel.fit(panel)
    for gone in ([0], [7, 8, 40]):
        rest = np.delete(np.arange(len(frame)), gone)
        found = model.without(np.array(gone))
        anew = ImputationModel.fit(build_panel(frame.iloc[rest], **roles(covariates=["age", "gender"]))).parameters()
        assert found.own[rest] == pytest.approx(anew.own, abs=OPTIMA)
        assert found.reference[rest] == pytest.approx(anew.reference, abs=OPTIMA)
        assert found.covariance == pytest.approx(anew.covariance, abs=OPTIMA)


def test_moments_of_a_part_can_be_taken_out_and_of_others_cannot(make_followed):
    long = lengthen(
        make_followed().reset_index(names="participant"), {"post": "post", "later": "later"}, timepoint="timepoint"
    )
    table = {
        "outcome": "outcome",
        "terms": ("arm", "timepoint", "baseline"),
        "participant": "participant",
        "timepoint": "timepoint",
    }
    whole = Moments.from_frame(long, **table)
    is_part = long["participant"] < "p020"
    part, rest = (Moments.from_frame(long[which], **table, design=whole.design) for which in (is_part, ~is_part))
    found = subtract_moments(whole, part)
    assert found.cells.tolist() == rest.cells.tolist()
    assert found.products == pytest.approx(rest.products, abs=SAME * whole.products.max())
    with pytest.raises(AnalysisError, match="no part"):
        subtract_moments(part, whole)
    with pytest.raises(AnalysisError, match="no part"):
        subtract_moments(whole, Moments.from_frame(long[is_part], **table))


def test_the_whole_jackknife_is_the_procedure_repeated_without_each_participant(make_followed, roles):
    frame = make_followed(5, per_arm=10)
    found = impute_conditional_means(build_panel(frame, **roles(), strategy="copy_increments"))
    for place, participant in list(enumerate(frame.index))[::7]:
        rest = build_panel(frame.drop(participant), **roles(), strategy="copy_increments")
        anew = impute_conditional_means(rest)
        assert found.without[place] == pytest.approx(anew.everybody, abs=OPTIMA)


def test_strategies_imputed_together_are_those_imputed_alone(make_followed, roles):
    frame = make_followed()
    # somebody has scores after an event, so the strategies do not learn from the same
    stayed = frame.dropna().index[0]
    events = pd.DataFrame({"participant": [stayed], "timepoint": ["post"], "strategy": ["hypothetical"]})
    panel = build_panel(frame, **roles(), events=events)
    strategies = ("missing_at_random", *REFERENCE_BASED)
    together = impute_under_strategies(panel, strategies)
    for strategy, found in zip(strategies, together, strict=True):
        alone = impute_conditional_means(panel.with_strategy(strategy))
        pd.testing.assert_frame_equal(tidy_imputed(found), tidy_imputed(alone))
        assert set(tidy_imputed(found)["strategy"]) == {strategy}
    assert together[0].everybody[2, 1, 0] != together[1].everybody[2, 1, 0]


@pytest.mark.parametrize("strategy", REFERENCE_BASED)
def test_borrowing_from_the_reference_draws_an_effect_towards_zero(make_followed, roles, strategy):
    panel = build_panel(make_followed(per_arm=60, leaving=0.3, effect=-6.0), **roles())
    own, borrowed = impute_under_strategies(panel, ("missing_at_random", strategy))
    values = [abs(estimate_one(found, "peer - usual", "later").estimate.value) for found in (own, borrowed)]
    assert values[1] < values[0]
    # scores of the reference arm are imputed alike; its mean moves only through the common slope of baseline
    means = [estimate_one(found, "usual", "later").estimate.value for found in (own, borrowed)]
    assert means[0] == pytest.approx(means[1], abs=0.2)


def test_delta_moves_each_imputed_score_of_its_arm(make_followed, roles):
    frame = make_followed()
    panel = build_panel(frame, **roles())
    imputed = impute_conditional_means(panel)
    plain, moved = (estimate_one(imputed, "peer - usual", "later", delta=delta) for delta in ({}, {"peer": 4.0}))
    shift = 4.0 * ((frame["arm"] == "peer") & frame["later"].isna())
    assert moved.estimate.value - plain.estimate.value == pytest.approx(_ancova(frame, shift.to_numpy()), rel=1e-6)
    assert (plain.delta, moved.delta) == ("", "peer +4")
    assert moved.estimate.std_error != plain.estimate.std_error


def test_the_order_of_people_does_not_matter_and_input_is_not_touched(make_followed, roles):
    frame = make_followed()
    before = frame.copy()
    found = tidy_imputed(impute_conditional_means(build_panel(frame, **roles())))
    shuffled = frame.sample(frac=1.0, random_state=4)
    again = tidy_imputed(impute_conditional_means(build_panel(shuffled, **roles())))
    pd.testing.assert_frame_equal(found, again, rtol=OPTIMA)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(found, tidy_imputed(impute_conditional_means(build_panel(frame, **roles()))), rtol=0)


def test_changes_from_baseline_are_compared_as_such(make_followed, roles):
    frame = make_followed(leaving=0.0, away=0.0)
    imputed = impute_conditional_means(build_panel(frame, **roles()), compare="change")
    change = (frame["later"] - frame["baseline"]).groupby(frame["arm"]).mean()
    assert estimate_one(imputed, "peer", "later").estimate.value == pytest.approx(change["peer"], rel=SAME)
    difference = estimate_one(imputed, "peer - usual", "later").estimate.value
    assert difference == pytest.approx(change["peer"] - change["usual"], rel=SAME)


def test_three_arms_are_compared_as_asked(make_followed, roles):
    panel = build_panel(make_followed(arms=("peer", "app", "usual")), **roles())
    default = impute_conditional_means(panel)
    assert [name for name in default.names["contrast"] if name] == ["app - usual", "peer - usual"]
    asked = impute_conditional_means(panel, contrasts=[("peer", "app")])
    found = estimate_one(asked, "peer - app", "post").estimate.value
    parts = [estimate_one(default, f"{arm} - usual", "post").estimate.value for arm in ("peer", "app")]
    assert found == pytest.approx(parts[0] - parts[1], rel=SAME)


def test_where_people_meet_in_groups_whole_groups_are_left_out(make_followed, roles):
    frame = make_followed(per_arm=40, groups=10, group_sd=5.0)
    alone, grouped = (
        impute_conditional_means(build_panel(frame, **roles(**more))) for more in ({}, {"groups": "group"})
    )
    assert len(grouped.without) == 10 + 40
    first, second = (estimate_one(each, "peer - usual", "later").estimate for each in (alone, grouped))
    assert first.value == pytest.approx(second.value, rel=SAME)
    assert second.std_error > 1.2 * first.std_error
    assert 9 <= second.df < first.df


def test_the_variance_over_groups_is_that_of_each_arm_added_up(make_followed, roles):
    units = find_units(build_panel(make_followed(per_arm=16, groups=8), **roles(groups="group")))
    values = np.arange(24.0) ** 1.5
    expected = 0.0
    for arm, count in ((0, 16), (1, 8)):
        own = values[units.arm == arm]
        assert len(own) == count
        expected += (count - 1) / count * ((own - own.mean()) ** 2).sum()
    assert units.variance(values)[0] == pytest.approx(expected, rel=SAME)


def test_too_few_people_or_groups_are_refused(make_followed, roles):
    with pytest.raises(AnalysisError, match=f"fewer than {FEWEST_UNITS} participants"):
        impute_conditional_means(build_panel(make_followed(per_arm=7, leaving=0.1), **roles()))
    with pytest.raises(AnalysisError, match=f"fewer than {FEWEST_UNITS} groups"):
        impute_conditional_means(build_panel(make_followed(groups=4), **roles(groups="group")))


def test_a_group_of_both_arms_is_refused(make_followed, roles):
    frame = make_followed().assign(group="mixed")
    with pytest.raises(AnalysisError) as caught:
        impute_conditional_means(build_panel(frame, **roles(groups="group")))
    assert caught.value.problems[0].code == "groups_across_arms"


def test_a_model_that_hangs_on_one_participant_is_refused(make_followed, roles):
    frame = make_followed(leaving=0.0, away=0.0).assign(site="a")
    frame.iloc[3, frame.columns.get_loc("site")] = "b"
    with pytest.raises(AnalysisError) as caught:
        impute_conditional_means(build_panel(frame, **roles(covariates=["site"])))
    assert caught.value.problems[0].code == "leaving_out_failed"


@pytest.mark.parametrize("levels", [("a", "b"), (0.0, 1.0)])
def test_a_level_that_only_leavers_have_is_refused(make_followed, roles, levels):
    frame = make_followed(leaving=0.0, away=0.0)
    frame["site"] = np.where(np.arange(len(frame)) % 20 == 3, levels[1], levels[0])
    frame.loc[frame["site"] == levels[1], ["post", "later"]] = np.nan
    with pytest.raises(AnalysisError) as caught:
        impute_conditional_means(build_panel(frame, **roles(covariates=["site"])))
    assert caught.value.problems[0].code == "not_estimable"


@pytest.mark.parametrize("covariates", [["age", "double"], ["constant"]])
def test_covariates_that_say_nothing_new_are_refused(make_followed, roles, covariates):
    frame = make_followed().assign(constant=1.0)
    frame["double"] = 2 * frame["age"]
    with pytest.raises(AnalysisError) as caught:
        impute_conditional_means(build_panel(frame, **roles(covariates=covariates)))
    assert caught.value.problems[0].code == "comparison_not_estimable"


def test_what_is_unknown_is_refused_with_what_is_known(make_followed, roles):
    imputed = impute_conditional_means(build_panel(make_followed(), **roles()))
    for what, timepoint, delta in (("peer - pear", "post", {}), ("peer", "pots", {}), ("peer", "post", {"pear": 1.0})):
        with pytest.raises(AnalysisError, match="Did you mean"):
            estimate_one(imputed, what, timepoint, delta=delta)
    with pytest.raises(AnalysisError, match="Allowed: ancova, change"):
        impute_conditional_means(build_panel(make_followed(), **roles()), compare="nothing")
    with pytest.raises(AnalysisError, match="no arm 'pear'"):
        impute_conditional_means(build_panel(make_followed(), **roles()), contrasts=[("pear", "usual")])

"""Several imputations, and what they say together."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.missing_data import (
    build_panel,
    estimate_one,
    impute_conditional_means,
    impute_repeatedly,
    pool_imputations,
    tidy_imputed,
)
from analysis.missing_data.imputation_model import ImputationModel

# Printed with 15 digits.
PRINTED = 1e-12
# Of a standard deviation of 4,000 draws: four standard errors, relative.
SPREAD = 4.0 / np.sqrt(2 * 4000)
# Standard deviations of a mean of 4,000 draws: one in 15,000 lies further out.
FAR = 4.0
VALUES = np.array([2.1, 1.4, 2.9, 1.8, 2.4])
VARIANCES = np.array([0.90, 0.80, 1.10, 0.95, 0.85])


@pytest.mark.parametrize(
    ("df_complete", "expected"),
    # mice 3.15.0 in R 4.2.2: pool.scalar(values, variances, n = 41, k = 3), and with n = Inf, k = 1
    [(38.0, 16.17741824154271), (float("inf"), 44.74396198515943)],
)
def test_pooling_is_that_of_mice(df_complete, expected):
    found = pool_imputations(VALUES, VARIANCES, df_complete=df_complete)
    assert found.value == pytest.approx(2.12, rel=PRINTED)
    assert found.std_error == pytest.approx(1.14560027932957, rel=PRINTED)
    assert found.df == pytest.approx(expected, rel=PRINTED)
    assert found.conf_low < found.value < found.conf_high


def test_where_nothing_is_missing_the_complete_data_decide():
    found = pool_imputations(np.array([2.0, 2.0]), np.array([0.25, 0.25]), df_complete=20.0)
    assert (found.value, found.std_error) == (2.0, 0.5)
    assert found.df == pytest.approx(21 / 23 * 20)


def test_one_imputation_is_refused(make_followed, roles):
    with pytest.raises(AnalysisError) as caught:
        pool_imputations(VALUES[:1], VARIANCES[:1])
    assert caught.value.problems[0].code == "too_few_imputations"
    with pytest.raises(AnalysisError, match="two imputations"):
        impute_repeatedly(build_panel(make_followed(), **roles()), np.random.default_rng(1), imputations=1)


def test_draws_of_the_coefficients_spread_as_the_fit_says(make_followed, roles):
    frame = make_followed(timepoints=("post",), leaving=0.0, away=0.0, per_arm=20)
    model = ImputationModel.fit(build_panel(frame, **roles(("post",))))
    rng = np.random.default_rng(2)
    draws = [model.draw(rng) for _ in range(4000)]
    x = np.column_stack([np.ones(40), frame["arm"] == "peer", frame["baseline"]]).astype(float)
    y = frame["post"].to_numpy()
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    variance = float(left @ left) / 37
    logs = np.log([draw.covariance[0, 0] for draw in draws])
    assert logs.mean() == pytest.approx(np.log(variance), abs=FAR * np.sqrt(2 / 37 / 4000))
    assert logs.std() == pytest.approx(np.sqrt(2 / 37), rel=SPREAD)
    # a coefficient given the variance is normal, and the variance lognormal: its mean is a little above the estimate
    effects = np.array([draw.own[0, 0] - draw.reference[0, 0] for draw in draws])
    deviation = np.sqrt(variance * np.exp(1 / 37) * np.linalg.inv(x.T @ x)[1, 1])
    fitted = model.parameters()
    assert effects.std() == pytest.approx(deviation, rel=SPREAD)
    assert effects.mean() == pytest.approx(
        fitted.own[0, 0] - fitted.reference[0, 0], abs=FAR * deviation / np.sqrt(4000)
    )


@pytest.mark.parametrize("strategy", ["missing_at_random", "jump_to_reference", "copy_increments"])
def test_it_agrees_with_conditional_means_within_its_monte_carlo_error(make_followed, roles, strategy):
    panel = build_panel(make_followed(6, per_arm=60), **roles(), strategy=strategy)
    several = impute_repeatedly(panel, np.random.default_rng(8), imputations=400)
    single = impute_conditional_means(panel)
    for timepoint in ("post", "later"):
        found = estimate_one(several, "peer - usual", timepoint)
        expected = estimate_one(single, "peer - usual", timepoint)
        assert abs(found.estimate.value - expected.estimate.value) < FAR * found.monte_carlo_error
        assert found.estimate.df < 120
        assert expected.monte_carlo_error == 0.0


def test_rubins_error_keeps_the_information_lost_at_random_and_the_jackknife_that_of_the_assumption(
    make_followed, roles
):
    """About half of an arm leaves: jump to reference halves its effect, and with it the error of the effect.

    Rubin's rules stay near the error at random all the same (Cro, Carpenter and Kenward 2019, doi 10.1111/rssa.12423).
    """
    panel = build_panel(make_followed(2, per_arm=80, leaving=0.3), **roles())
    errors = {}
    for strategy in ("missing_at_random", "jump_to_reference"):
        own = panel.with_strategy(strategy)
        several = impute_repeatedly(own, np.random.default_rng(8), imputations=400)
        for name, imputed in (("rubin", several), ("jackknife", impute_conditional_means(own))):
            errors[name, strategy] = estimate_one(imputed, "peer - usual", "later").estimate.std_error
    rubin, jackknife = (
        errors[name, "jump_to_reference"] / errors[name, "missing_at_random"] for name in ("rubin", "jackknife")
    )
    stayed = float((~np.isnan(panel.scores[panel.arm == 1, 1])).mean())
    assert 0.8 < rubin < 1.1
    assert jackknife == pytest.approx(stayed, abs=0.15)
    assert jackknife < 0.75 * rubin


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(make_followed, roles):
    panel = build_panel(make_followed(), **roles())
    tables = [tidy_imputed(impute_repeatedly(panel, np.random.default_rng(seed), imputations=20)) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=0, atol=0)
    assert (tables[0]["estimate"] != tables[2]["estimate"]).all()


def test_delta_changes_the_spread_within_and_between_as_completed_data_would(make_followed, roles):
    frame = make_followed(timepoints=("post",), leaving=0.4)
    imputed = impute_repeatedly(build_panel(frame, **roles(("post",))), np.random.default_rng(3), imputations=50)
    plain, moved = (
        estimate_one(imputed, "peer - usual", "post", delta=delta).estimate for delta in ({}, {"peer": 40.0})
    )
    x = np.column_stack([np.ones(len(frame)), frame["arm"] == "peer", frame["baseline"]]).astype(float)
    shift = 40.0 * ((frame["arm"] == "peer") & frame["post"].isna()).to_numpy()
    assert moved.value - plain.value == pytest.approx(np.linalg.lstsq(x, shift, rcond=None)[0][1], rel=1e-9)
    left = shift - x @ np.linalg.lstsq(x, shift, rcond=None)[0]
    of_shift = np.sqrt(left @ left / (len(frame) - 3) * np.linalg.inv(x.T @ x)[1, 1])
    assert moved.std_error > plain.std_error
    assert moved.std_error == pytest.approx(np.hypot(of_shift, plain.std_error), rel=0.15)


def test_people_in_groups_are_refused(make_followed, roles):
    panel = build_panel(make_followed(groups=10), **roles(groups="group"))
    with pytest.raises(AnalysisError) as caught:
        impute_repeatedly(panel, np.random.default_rng(1))
    assert caught.value.problems[0].code == "imputation_without_groups"
    nobody = build_panel(make_followed(), **roles(groups="group"))
    assert (
        impute_repeatedly(nobody, np.random.default_rng(1), imputations=2).names["contrast"].iloc[2] == "peer - usual"
    )

"""Everything a fit says equals the model written out in full, with V as one matrix over all rows (see `conftest.InFull`)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.mixed_models import fit_mixed_model, fit_mmrm
from analysis.mixed_models.components import variance_components

# The same formulas at the same parameters: rounding alone, more of it where an inverse of V comes in twice.
ROUNDING = 1e-9
# On the scale of the parameters, d(deviance)/d(log theta): the search stops at a Newton decrement of 1e-9, or a step of 3e-5 of an SE.
GRADIENT = 1e-6
# Degrees of freedom and adjusted covariances hold second derivatives of V, which in full are differences good to 1e-9.
SECOND_DERIVATIVES = 1e-6

METHODS = ("reml", "ml")
KENWARD_ROGER = ("kenward_roger", "kenward_roger_linear")
POWERS = {"CR0": 0.0, "CR2": -0.5, "CR3": -1.0}


def _information(fit):
    return "observed" if fit.kind == "mmrm" else "expected"


def _close(found, expected, tolerance, scale=None):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    difference = np.abs(found - expected) / np.abs(expected if scale is None else scale)
    assert difference.max() <= tolerance, f"differs by {difference.max():.1e}"


def _vcov_scale(vcov):
    deviations = np.sqrt(np.diag(vcov))
    return np.outer(deviations, deviations)


@pytest.mark.parametrize("method", METHODS)
def test_the_likelihood_is_the_one_in_full_and_at_its_top(case, method):
    fit, whole = case.fit(method), case.in_full(method)
    assert fit.converged
    assert not fit.optimisation.is_singular  # or the tests of this file would not see all parameters
    assert fit.log_likelihood == pytest.approx(-whole.deviance(whole.theta) / 2, abs=ROUNDING)
    sizes = np.maximum(np.abs(whole.theta), np.abs(np.diag(whole.hessian)) ** -0.5)
    assert np.abs(whole.gradient * sizes).max() < GRADIENT
    assert np.linalg.eigvalsh(whole.hessian * np.outer(sizes, sizes))[0] > 0


@pytest.mark.parametrize("method", METHODS)
def test_coefficients_and_their_covariance_are_generalised_least_squares(case, method):
    fit, whole = case.fit(method), case.in_full(method)
    assert fit.dropped_terms == ()
    _close(fit.coefficients, whole.coefficients, ROUNDING, scale=np.sqrt(np.diag(whole.phi)))
    _close(fit.vcov, whole.phi, ROUNDING, scale=_vcov_scale(whole.phi))


def test_covariances_between_timepoints_are_blocks_of_v(case):
    fit, whole = case.fit(), case.in_full()
    levels = case.arguments.get("groups", ())
    if not fit.covariance:
        assert fit.moments is None  # no planned timepoints, no covariance over them
        return
    v, frame = whole.covariance(whole.theta), case.frame
    if levels:  # the covariance is that of participants given their groups
        names = [name for name in whole.names if name.startswith(("participant", "residual"))]
        v = whole.covariance(np.where([name in names for name in whole.names], whole.theta, 0.0))
    by = case.arguments.get("by_arm") or case.arguments.get("residual_by")
    for label, covariance in fit.covariance.items():
        inside = frame[by] == label if by else np.ones(len(frame), dtype=bool)
        size = len(covariance)
        of_all = frame[inside].groupby("participant").filter(lambda rows, size=size: len(rows) == size)
        rows = of_all.index[of_all["participant"] == of_all["participant"].iloc[0]]
        assert list(covariance.index) == list(frame["time"].cat.categories)
        _close(covariance, v[np.ix_(rows, rows)], ROUNDING, scale=np.abs(np.diag(covariance)).max())


def test_satterthwaite_degrees_of_freedom_are_those_in_full(case):
    fit, whole = case.fit(), case.in_full()
    rows = np.eye(len(fit.terms))
    _close(fit.tidy()["df"], [whole.satterthwaite(row) for row in rows], SECOND_DERIVATIVES)
    rng = np.random.default_rng(3)
    mixture = rng.normal(size=len(fit.terms)) / np.sqrt(np.diag(whole.phi))
    assert fit.estimate(mixture).df == pytest.approx(whole.satterthwaite(mixture), rel=SECOND_DERIVATIVES)


def test_satterthwaite_by_maximum_likelihood_has_the_information_of_that_likelihood(case):
    fit, whole = case.fit("ml"), case.in_full("ml")
    rows = np.eye(len(fit.terms))
    _close(fit.tidy()["df"], [whole.satterthwaite(row) for row in rows], SECOND_DERIVATIVES)


def test_the_information_of_kenward_roger_is_the_one_in_full(case):
    fit, whole = case.fit(df_method="kenward_roger"), case.in_full()
    information = whole.hessian / 2 if fit.kind == "mmrm" else whole.expected_information
    optimum, size = fit._parts.optimum, len(whole.theta)
    units = [replace(fit._parts, optimum=replace(optimum, theta=unit)) for unit in np.eye(size)]
    with np.errstate(all="ignore"):  # these have no intervals
        as_reported = np.column_stack([variance_components(each)["estimate"] for each in units])
    errors = np.sqrt(np.diag(np.linalg.inv(information)))  # in these units, the information is of order one
    found = as_reported @ fit._precision.theta_vcov @ as_reported.T
    _close(
        np.linalg.inv(found) * np.outer(errors, errors),
        information * np.outer(errors, errors),
        SECOND_DERIVATIVES,
        scale=1.0,
    )


@pytest.mark.parametrize("df_method", KENWARD_ROGER)
def test_kenward_roger_is_that_of_the_paper(case, df_method):
    fit, whole = case.fit(df_method=df_method), case.in_full()
    paper = whole.kenward_roger(_information(fit), linear=df_method.endswith("linear"))
    _close(fit.vcov, paper.vcov, SECOND_DERIVATIVES, scale=_vcov_scale(paper.vcov))
    single = [paper.test(whole.coefficients, row[None]) for row in np.eye(len(fit.terms))]
    table = fit.tidy()
    _close(table["df"], [df for _, df in single], SECOND_DERIVATIVES)
    _close(table["statistic"] ** 2, [statistic for statistic, _ in single], SECOND_DERIVATIVES, scale=1.0)


@pytest.mark.parametrize("df_method", KENWARD_ROGER)
def test_the_scaled_f_of_kenward_roger_is_that_of_the_paper(case, df_method):
    fit, whole = case.fit(df_method=df_method), case.in_full()
    paper = whole.kenward_roger(_information(fit), linear=df_method.endswith("linear"))
    names = np.array(fit.terms)
    joint = fit.joint_tests().set_index("term")
    for term, row in joint.iterrows():
        parts = str(term).split(":")
        inside = [
            name.count(":") == len(parts) - 1
            and all(own.partition("[")[0] == part for own, part in zip(name.split(":"), parts, strict=True))
            for name in names
        ]
        rows = np.eye(len(names))[inside]
        assert row["df_numerator"] == len(rows)
        assert [row["statistic"], row["df_denominator"]] == pytest.approx(
            paper.test(whole.coefficients, rows), rel=SECOND_DERIVATIVES
        )
    rows = np.random.default_rng(8).normal(size=(3, len(names))) / np.sqrt(np.diag(whole.phi))
    found = fit.test(rows)
    assert [found.statistic, found.df_denominator] == pytest.approx(
        paper.test(whole.coefficients, rows), rel=SECOND_DERIVATIVES
    )


def test_fai_and_cornelius_join_the_degrees_of_freedom_of_independent_directions(case):
    fit, whole = case.fit(), case.in_full()
    rows = np.random.default_rng(8).normal(size=(3, len(fit.terms))) / np.sqrt(np.diag(whole.phi))
    _, vectors = np.linalg.eigh(rows @ whole.phi @ rows.T)
    each = np.array([whole.satterthwaite(vector @ rows) for vector in vectors.T])
    expectation = np.sum(each / (each - 2))
    found = fit.test(rows)
    value = rows @ whole.coefficients
    assert found.df_denominator == pytest.approx(2 * expectation / (expectation - 3), rel=SECOND_DERIVATIVES)
    assert found.statistic == pytest.approx(value @ np.linalg.inv(rows @ whole.phi @ rows.T) @ value / 3, rel=ROUNDING)


@pytest.mark.parametrize("kind", POWERS)
def test_cluster_robust_inference_is_that_in_full(case, kind):
    fit, whole = case.fit().robust(kind), case.in_full()
    vcov, df = whole.robust(POWERS[kind])
    _close(fit.vcov, vcov, ROUNDING, scale=_vcov_scale(vcov))
    _close(fit.tidy()["df"], [df(row) for row in np.eye(len(fit.terms))], ROUNDING)


def test_random_effects_are_best_linear_unbiased_predictions(random_case):
    fit, whole = random_case.fit(), random_case.in_full()
    table = fit.random_effects()
    found = {
        key: rows.set_index("term")["estimate"].reindex(["intercept", "slope"]).dropna().to_numpy()
        for key, rows in table.groupby(["level", "label"])
    }
    expected = whole.random_effects()
    assert set(found) == set(expected)
    scale = np.abs(table["estimate"]).max()
    for key, value in expected.items():
        _close(found[key], value, ROUNDING, scale=scale)


def test_fitted_values_and_residuals_are_those_in_full(case):
    fit, whole = case.fit(), case.in_full()
    rows, scale = fit.augment(), np.std(whole.y)
    assert list(rows["row"]) == list(range(len(case.frame)))
    assert list(rows["participant"]) == list(case.frame["participant"])
    marginal = whole.x @ whole.coefficients
    conditional = marginal if fit.kind == "mmrm" else whole.conditional()
    _close(rows["observed"], whole.y, ROUNDING, scale=scale)
    _close(rows["fitted"], marginal, ROUNDING, scale=scale)
    _close(rows["residual"], whole.residual, ROUNDING, scale=scale)
    _close(rows["fitted_conditional"], conditional, ROUNDING, scale=scale)
    _close(rows["residual_conditional"], whole.y - conditional, ROUNDING, scale=scale)


def test_scaled_residuals_are_white_within_participants(case):
    fit, whole = case.fit(), case.in_full()
    scaled = fit.augment()["residual_scaled"].to_numpy()
    own = [name.startswith(("participant", "residual")) for name in whole.names]
    v = whole.covariance(whole.theta if fit.kind == "mmrm" else np.where(own, whole.theta, 0.0))
    for rows in case.frame.groupby("participant").indices.values():
        block, residual = v[np.ix_(rows, rows)], whole.residual[rows]
        assert scaled[rows] @ scaled[rows] == pytest.approx(residual @ np.linalg.solve(block, residual), rel=ROUNDING)


def test_standard_errors_of_variances_come_from_the_observed_information(case):
    fit, whole = case.fit(), case.in_full()
    expected = np.sqrt(np.diag(2 * np.linalg.inv(whole.hessian)))
    _close(fit.variance_components()["std_error"], expected, SECOND_DERIVATIVES)


def test_a_single_timepoint_is_ordinary_regression(make_visits):
    frame = make_visits(timepoints=1)
    fit = fit_mmrm(frame, outcome="score", terms=("arm", "age"), participant="participant", timepoint="time")
    x = np.column_stack([np.ones(len(frame)), frame["arm"] == "usual", frame["age"]]).astype(float)
    coefficients, (rest,), *_ = np.linalg.lstsq(x, frame["score"].to_numpy(), rcond=None)
    _close(fit.coefficients, coefficients, ROUNDING)
    _close(fit.vcov, rest / (len(x) - 3) * np.linalg.inv(x.T @ x), ROUNDING)
    _close(fit.tidy()["df"], [len(x) - 3] * 3, SECOND_DERIVATIVES)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("participant", {"timepoint": "time"}),
        ("participant", {}),
        ("group", {"timepoint": "time", "groups": "group", "partially_nested": True}),
        ("group", {"groups": "group", "partially_nested": True}),
    ],
)
def test_at_a_zero_variance_the_fit_is_that_of_the_model_without_it(name, arguments, make_visits, write_out):
    frame = make_visits(seed=2, group_sd=0.0)
    inside = frame[name] != ""
    frame["score"] -= (frame.groupby(name)["score"].transform("mean") - frame["score"].mean()).where(inside, 0.0)
    common = {"outcome": "score", "terms": ("time", "arm", "age"), "participant": "participant"}
    fit = fit_mixed_model(frame, df_method="kenward_roger", **common, **arguments)
    components = fit.variance_components().set_index("component")
    assert fit.converged
    assert fit.optimisation.is_singular
    assert components.loc[f"{name} intercept", "estimate"] == 0.0
    assert "zero" in fit.words()
    whole = write_out(frame, common | arguments, fit, "reml")
    assert fit.log_likelihood == pytest.approx(-whole.deviance(whole.theta) / 2, abs=ROUNDING)
    place = list(components.index).index(f"{name} intercept")
    assert whole.gradient[place] > 0  # more of this variance would fit worse
    paper = whole.kenward_roger("expected", linear=True)  # all parameters count, as in pbkrtest
    _close(fit.vcov, paper.vcov, SECOND_DERIVATIVES, scale=_vcov_scale(paper.vcov))
    _close(
        fit.tidy()["df"],
        [paper.test(whole.coefficients, row[None])[1] for row in np.eye(len(fit.terms))],
        SECOND_DERIVATIVES,
    )
    robust, _ = whole.robust(-0.5)
    _close(fit.robust().vcov, robust, ROUNDING, scale=_vcov_scale(robust))
    if name == "group":
        alone = fit_mixed_model(frame, **common, **{k: v for k, v in arguments.items() if k == "timepoint"})
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, abs=ROUNDING)
        assert (fit.random_effects().set_index("level").loc["group", "estimate"] == 0.0).all()


def test_rows_that_lack_something_are_left_out_as_if_they_were_not_there(case):
    frame = case.frame
    more = pd.concat(
        [
            frame.assign(participant="x" + frame["participant"], score=np.nan),
            frame.iloc[:7].assign(participant="y", age=np.nan),
            frame,
        ],
        ignore_index=True,
    )
    fit, found = case.fit(), case.function(more, method="reml", df_method="satterthwaite", **case.arguments)
    assert found.dropped_rows == {"outcome missing": len(frame), "another column missing": 7}
    assert found.n_rows == fit.n_rows
    pd.testing.assert_frame_equal(found.tidy(), fit.tidy(), check_exact=True)
    assert found.augment()["row"].min() == len(frame) + 7

"""Gradient and Hessian of the deviance equal numerical derivatives, in natural and in working parameters, wherever one looks."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.mixed_models.components import variance_components
from analysis.mixed_models.likelihood import evaluate
from analysis.mixed_models.optimise import Deviance, verify

# Differences with step h and h / 2, extrapolated, leave terms in h^4; what is left is rounding of the deviance (1e-13) over h.
STEP = 1e-3
GRADIENT_TOLERANCE = 3e-7
# Differences of the gradient, itself good to 1e-12.
HESSIAN_TOLERANCE = 3e-7
# Restricted or not, a constant and a scale apart: both sides are good to 1e-12.
VALUE_TOLERANCE = 1e-9

METHODS = ("reml", "ml")


def _differences(function, point, steps=None):
    """First derivatives of a function of several numbers, one row each."""
    found = []
    for unit, size in zip(np.eye(len(point)), np.full(len(point), STEP) if steps is None else steps, strict=True):
        wide, narrow = (
            (function(point + half * unit) - function(point - half * unit)) / (2 * half) for half in (size, size / 2)
        )
        found.append((4 * narrow - wide) / 3)
    return np.array(found)


def _close(found, expected, tolerance):
    found, expected = np.asarray(found), np.asarray(expected)
    assert np.isfinite(found).all()
    assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def _value(deviance):
    return lambda point: deviance.at(point, 0)[0].deviance


def _blocks(fit):
    return fit._parts.base.model.blocks


def _places(fit):
    """Working parameters to look at: away from the optimum, on two sides."""
    rng = np.random.default_rng(5)
    best = fit._parts.optimum.working
    return [best + rng.uniform(-0.2, 0.2, len(best)), best * 0.7 + 0.1]


def _as_reported(fit, theta):
    """Parameters of the search as they would be reported, in units of the outcome and of time."""
    parts = replace(fit._parts, optimum=replace(fit._parts.optimum, theta=theta))
    return variance_components(parts)["estimate"].to_numpy()


@pytest.mark.parametrize("method", METHODS)
def test_working_derivatives_are_those_of_differences(case, method):
    fit = case.fit(method)
    deviance = Deviance(fit._parts.base, _blocks(fit), restricted=method == "reml")
    point = _places(fit)[0]
    assert np.abs(deviance.gradient(point)).max() > 0.1  # not the optimum, where all would be zero
    _close(deviance.gradient(point), _differences(_value(deviance), point), GRADIENT_TOLERANCE)
    _close(deviance.hessian(point), _differences(deviance.gradient, point), HESSIAN_TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
def test_natural_derivatives_are_those_of_differences(case, method):
    fit = case.fit(method)
    base, restricted = fit._parts.base, method == "reml"
    theta = Deviance(base, _blocks(fit), restricted=restricted).at(_places(fit)[1], 0)[1]
    found = evaluate(base, theta, restricted=restricted)
    steps = STEP * np.maximum(np.abs(theta), 0.05)
    by_value = _differences(lambda at: evaluate(base, at, restricted=restricted, order=0).deviance, theta, steps)
    by_gradient = _differences(lambda at: evaluate(base, at, restricted=restricted, order=1).gradient, theta, steps)
    _close(found.gradient, by_value, GRADIENT_TOLERANCE)
    _close(found.hessian, by_gradient, HESSIAN_TOLERANCE)


def test_derivatives_of_the_information_are_those_of_differences(case):
    fit = case.fit()
    base = fit._parts.base
    theta = Deviance(base, _blocks(fit), restricted=True).at(_places(fit)[0], 0)[1]
    found = evaluate(base, theta, restricted=True)

    def information_and_slopes(at):
        moved = evaluate(base, at, restricted=True, order=1)
        return np.concatenate([np.linalg.inv(moved.unscaled)[None], moved.slopes])

    by_differences = _differences(information_and_slopes, theta, STEP * np.maximum(np.abs(theta), 0.05))
    _close(found.slopes, by_differences[:, 0], HESSIAN_TOLERANCE)
    _close(found.curvatures, by_differences[:, 1:], HESSIAN_TOLERANCE)


@pytest.mark.parametrize("method", METHODS)
def test_the_deviance_away_from_the_optimum_is_that_of_the_model_in_full(case, method):
    fit, whole = case.fit(method), case.in_full(method)
    parts = fit._parts
    deviance = Deviance(parts.base, _blocks(fit), restricted=method == "reml")
    freedom = fit.n_rows - (len(fit.terms) if method == "reml" else 0)
    for working in _places(fit):
        evaluation, theta, _, _ = deviance.at(working, 1)
        expected = whole.deviance(_as_reported(fit, theta))
        assert evaluation.deviance + 2 * freedom * np.log(parts.spread) == pytest.approx(expected, abs=VALUE_TOLERANCE)


def test_derivatives_at_a_zero_variance_are_those_of_differences(random_case):
    fit, restricted = random_case.fit(), True
    base = fit._parts.base
    deviance = Deviance(base, _blocks(fit), restricted=restricted)
    offset = 0
    for block in _blocks(fit)[: -base.model.n_strata]:
        point = _places(fit)[0].copy()
        point[offset : offset + block.working_size] = 0.0
        assert deviance.at(point, 0)[1][offset] == 0.0
        _close(deviance.gradient(point), _differences(_value(deviance), point), GRADIENT_TOLERANCE)
        _close(deviance.hessian(point), _differences(deviance.gradient, point), HESSIAN_TOLERANCE)
        theta = deviance.at(point, 0)[1]
        found = evaluate(base, theta, restricted=restricted)
        steps = np.full(len(theta), 1e-4)  # small enough that slightly negative variances leave V positive definite
        by_value = _differences(lambda at: evaluate(base, at, restricted=restricted, order=0).deviance, theta, steps)
        by_gradient = _differences(lambda at: evaluate(base, at, restricted=restricted, order=1).gradient, theta, steps)
        _close(found.gradient, by_value, GRADIENT_TOLERANCE * 10)  # the step is ten times smaller
        _close(found.hessian, by_gradient, HESSIAN_TOLERANCE)
        offset += block.working_size


def test_a_point_without_a_variance_that_the_data_ask_for_is_no_optimum(random_case):
    """The gradient by the root of a variance vanishes at zero; only the curvature tells a saddle from a top."""
    fit = random_case.fit()
    best = fit._parts.optimum.working
    deviance = Deviance(fit._parts.base, _blocks(fit), restricted=True)
    assert verify(deviance, _blocks(fit), best)[0]
    assert not verify(deviance, _blocks(fit), best + 1e-3)[0]
    free = np.zeros(len(best), dtype=bool)
    free[-fit._parts.base.model.n_strata :] = True  # all random effects at zero, residual variances at their best
    point = np.where(free, best, 0.0)
    for _ in range(20):
        step = np.linalg.solve(deviance.hessian(point)[np.ix_(free, free)], deviance.gradient(point)[free])
        point[free] -= np.clip(step, -0.5, 0.5)
    assert np.abs(deviance.gradient(point)).max() < GRADIENT_TOLERANCE
    assert not verify(deviance, _blocks(fit), point)[0]


def test_what_is_no_covariance_has_an_infinite_deviance(case):
    fit = case.fit()
    theta = fit._parts.optimum.theta.copy()
    theta[-1 if fit.kind == "mixed_model" else 0] = -1.0
    with np.errstate(invalid="ignore"):
        assert evaluate(fit._parts.base, theta, restricted=True).deviance == np.inf

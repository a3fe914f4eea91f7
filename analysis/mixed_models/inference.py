"""Standard errors, degrees of freedom and tests in small samples: Satterthwaite, Kenward-Roger, or none of it.

Satterthwaite 1941, doi 10.1007/BF02288586, several dimensions by Fai and Cornelius 1996, doi 10.1080/00949659608811740.
Kenward and Roger 1997, doi 10.2307/2533558, and 2009, doi 10.1016/j.csda.2008.12.013, for covariances that are not
linear in their parameters. Phi = (X' V^-1 X)^-1, P_i = d(X' V^-1 X)/dtheta_i, W the covariance of theta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Array
from analysis.mixed_models.likelihood import Evaluation
from analysis.mixed_models.optimise import Optimum
from data_contracts.errors import Problem, choose_from

DfMethod = Literal["kenward_roger", "kenward_roger_linear", "satterthwaite", "z"]
DF_METHODS: Final = ("kenward_roger", "kenward_roger_linear", "satterthwaite", "z")
Information = Literal["observed", "expected"]
CONFIDENCE: Final = 0.95
NO_INFORMATION: Final = 1e-10
"""Share of the largest eigenvalue below which an eigenvalue of scaled information is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A linear combination of coefficients with its interval (95 %) and two-sided test against zero."""

    value: float
    std_error: float
    df: float
    conf_low: float
    conf_high: float
    p_value: float

    @property
    def statistic(self) -> float:
        """Value over standard error."""
        return self.value / self.std_error if self.std_error > 0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """A test of several linear combinations at once: F, or chi-square over its degrees if `df_denominator` is inf."""

    statistic: float
    df_numerator: int
    df_denominator: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Precision:
    """What inference needs of a fit.

    Attributes
    ----------
    unscaled : (p, p) array
        Phi.
    vcov : (p, p) array
        Covariance of the coefficients by the method chosen: Phi, or adjusted.
    slopes : (m, p, p) array
        P by the parameters that `theta_vcov` is about.
    theta_vcov : (m, m) array
        W.
    df_method : str
        See `DF_METHODS`.
    """

    unscaled: Array
    vcov: Array
    slopes: Array
    theta_vcov: Array
    df_method: DfMethod

    def df(self, weights: Array) -> float:
        """Return the degrees of freedom of one linear combination."""
        if self.df_method == "z":
            return float("inf")
        moved = self.unscaled @ weights
        gradient = np.einsum("a,iab,b->i", moved, self.slopes, moved)
        spread = float(gradient @ self.theta_vcov @ gradient)
        variance = float(weights @ moved)
        return 2.0 * variance**2 / spread if spread > 0 else float("inf")

    def test(self, coefficients: Array, rows: Array) -> WaldTest:
        """Test that all linear combinations (l, p) are zero. Rows must be independent."""
        found = rows @ coefficients
        size = len(rows)
        if size == 1:
            df = self.df(rows[0])
            value = float(found[0] ** 2 / (rows[0] @ self.vcov @ rows[0]))
            return _test(value, 1, df)
        statistic = float(found @ np.linalg.solve(rows @ self.vcov @ rows.T, found)) / size
        if self.df_method == "z":
            return _test(statistic, size, float("inf"))
        if self.df_method == "satterthwaite":
            return _test(statistic, size, self._fai_cornelius(rows))
        df, scale = self._kenward_roger(rows)
        return _test(scale * statistic, size, df)

    def _fai_cornelius(self, rows: Array) -> float:
        _, vectors = np.linalg.eigh(rows @ self.unscaled @ rows.T)
        dfs = np.array([self.df(vector @ rows) for vector in vectors.T])
        if np.isinf(dfs).all():
            return float("inf")
        if np.ptp(dfs) < 1e-8 * dfs.max():
            return float(dfs.mean())
        total = float((dfs[dfs > 2] / (dfs[dfs > 2] - 2.0)).sum())
        return 2.0 * total / (total - len(rows)) if total > len(rows) else float("nan")

    def _kenward_roger(self, rows: Array) -> tuple[float, float]:
        """Return denominator degrees of freedom and the scale of F."""
        size = len(rows)
        theta = rows.T @ np.linalg.solve(rows @ self.unscaled @ rows.T, rows)
        moved = theta @ self.unscaled @ self.slopes @ self.unscaled
        traces = np.einsum("iaa->i", moved)
        a1 = float(traces @ self.theta_vcov @ traces)
        a2 = float(np.einsum("ij,iab,jba->", self.theta_vcov, moved, moved, optimize=True))
        b = (a1 + 6.0 * a2) / (2.0 * size)
        g = ((size + 1.0) * a1 - (size + 4.0) * a2) / ((size + 2.0) * a2)
        base = 3.0 * size + 2.0 * (1.0 - g)
        c1, c2, c3 = g / base, (size - g) / base, (size + 2.0 - g) / base
        mean = 1.0 / (1.0 - a2 / size)
        variance = 2.0 / size * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
        rho = variance / (2.0 * mean**2)
        df = 4.0 + (size + 2.0) / (size * rho - 1.0)
        return df, df / (mean * (df - 2.0))


def make_precision(
    optimum: Optimum,
    df_method: DfMethod,
    *,
    information: Information,
    curvature: Mapping[tuple[int, int], Array] | None,
) -> Precision:
    """Return what inference needs.

    Parameters
    ----------
    optimum : Optimum
        A converged fit.
    df_method : str
        See `DF_METHODS`.
    information : {"observed", "expected"}
        Of the covariance parameters, for Kenward-Roger. Observed as SAS PROC MIXED and the R package mmrm have it,
        expected as Kenward and Roger wrote it and as pbkrtest has it.
    curvature : mapping, optional
        X' V^-1 (d2V / dtheta_i dtheta_j) V^-1 X where the covariance is not linear in its parameters.
    """
    evaluation = optimum.evaluation
    working_vcov = 2.0 * inverse(optimum.hessian)
    if df_method in ("satterthwaite", "z"):
        slopes = np.tensordot(optimum.jacobian, evaluation.slopes, ((0,), (0,)))
        return Precision(evaluation.unscaled, evaluation.unscaled, slopes, working_vcov, df_method)
    theta_vcov = optimum.jacobian @ working_vcov @ optimum.jacobian.T
    if information == "expected":
        theta_vcov = inverse(expected_information(evaluation))
    inner = np.tensordot(theta_vcov, evaluation.curvatures, ((0, 1), (0, 1))) / 2.0
    turned = np.tensordot(theta_vcov, evaluation.slopes, 1)
    inner = inner - np.einsum("iab,bc,icd->ad", evaluation.slopes, evaluation.unscaled, turned, optimize=True)
    share = 0.5 if df_method == "kenward_roger_linear" else 0.25  # Q - R / 4 in terms of second derivatives
    for (i, j), value in (curvature or {}).items():
        inner = inner + share * theta_vcov[i, j] * value * (1.0 if i == j else 2.0)
    adjusted: Array = evaluation.unscaled + 2.0 * evaluation.unscaled @ inner @ evaluation.unscaled
    symmetric: Array = (adjusted + adjusted.T) / 2.0
    return Precision(evaluation.unscaled, symmetric, evaluation.slopes, theta_vcov, df_method)


def inverse(information: Array) -> Array:
    """Return the inverse of an information matrix, without directions that hold none, whatever the units."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), np.finfo(float).tiny))
    found: Array = np.linalg.pinv(information * np.outer(scale, scale), rcond=NO_INFORMATION, hermitian=True)
    return found * np.outer(scale, scale)


def expected_information(evaluation: Evaluation) -> Array:
    """Return the expected information of variances and covariances that V is linear in."""
    size = len(evaluation.slopes)
    traces = np.einsum("ijab,ab->ij", evaluation.curvatures, evaluation.unscaled)
    turned = (evaluation.unscaled @ evaluation.slopes).reshape(size, -1)
    squares = turned @ (evaluation.slopes @ evaluation.unscaled).reshape(size, -1).T
    found: Array = (-evaluation.log_det_curvature - traces + squares) / 2.0
    return found


def make_estimate(value: float, std_error: float, df: float) -> Estimate:
    """Return an estimate with interval and test; without degrees of freedom (below one) the value alone."""
    if not df >= 1 or not std_error > 0:
        nothing = float("nan")
        return Estimate(value=value, std_error=std_error, df=df, conf_low=nothing, conf_high=nothing, p_value=nothing)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * std_error
    p_value = float(2.0 * stats.t.sf(abs(value / std_error), df))
    return Estimate(
        value=value, std_error=std_error, df=df, conf_low=value - reach, conf_high=value + reach, p_value=p_value
    )


def _test(statistic: float, size: int, df: float) -> WaldTest:
    p_value = float(stats.chi2.sf(statistic * size, size) if np.isinf(df) else stats.f.sf(statistic, size, df))
    return WaldTest(statistic=statistic, df_numerator=size, df_denominator=df, p_value=p_value)


def check_methods(method: str, df_method: str) -> None:
    """Refuse methods that there are not, or that do not go together."""
    choose("method", method, ("reml", "ml"))
    choose("df_method", df_method, DF_METHODS)
    if method == "ml" and df_method.startswith("kenward_roger"):
        raise AnalysisError(
            Problem(
                "kenward_roger_needs_reml",
                "Kenward-Roger is defined for restricted maximum likelihood only.",
                "Use method='reml', or df_method='satterthwaite'.",
            )
        )


def choose(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a value that is not allowed, naming the nearest."""
    if value not in allowed:
        raise AnalysisError(
            Problem(f"{name}_unknown", f"There is no {name} '{value}'.", choose_from(str(value), allowed))
        )

"""Generalised estimating equations: marginal models of binary, ordinal and count outcomes of people seen repeatedly."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.gee_fit import GeeFit, Ratio, Working
from analysis.gee_guards import Family, check_clusters, check_levels, check_separation, read_outcome
from analysis.gee_means import GeeMeans, People, Response, ScaledBasis
from analysis.mixed_models.arrange import arrange
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.robust import cluster_codes
from analysis.mixed_models.threads import on_one_thread
from data_contracts.errors import Problem, choose_from

__all__ = ["GeeFit", "GeeMeans", "Ratio", "fit_gee"]

FAMILIES: Final = ("binary", "ordinal", "count")
WORKINGS: Final = ("exchangeable", "independence")
MOST_STEPS: Final = 100
SMALL_SCORE: Final = 1e-6
"""Length of the score, of columns with a mean square of one, at which the equations are solved."""


@on_one_thread
def fit_gee(
    frame: pd.DataFrame,
    *,
    outcome: str,
    terms: Sequence[str],
    participant: str,
    timepoint: str,
    family: Family = "binary",
    groups: str | None = None,
    working: Working | None = None,
    references: Mapping[str, str] | None = None,
    center: Sequence[str] = (),
) -> GeeFit:
    """Fit a marginal model by generalised estimating equations (Liang and Zeger 1986, doi 10.1093/biomet/73.1.13).

    sum_i D_i' V_i^-1 (y_i - mu_i) = 0 over clusters i, with D_i = d mu_i / d b and V_i the working covariance. Binary:
    logit P(y = 1) = x b. Count: log E(y) = x b, variance proportional to the mean by a factor that is estimated.
    Ordinal: logit P(y > c_j) = a_j + x b for every level but the highest (proportional odds), positive b meaning higher
    answers; y is taken as indicators of y > c_j, whose covariance within a row is that which follows from mu, so that
    coefficients are those of maximum likelihood under independence of rows.

    Standard errors are bias-reduced after Mancl and DeRouen 2001, doi 10.1111/j.0006-341X.2001.00126.x: residuals of
    cluster i are multiplied by (I - H_ii)^-1, H_ii = D_i (sum_j D_j' V_j^-1 D_j)^-1 D_i' V_i^-1, before they enter the
    sandwich; the widest of the usual corrections. Tests and intervals use t with clusters less coefficients degrees of
    freedom (Li and Redden 2015, doi 10.1002/sim.6344, who show that the normal approximation rejects too often even
    with corrected standard errors). These count all clusters alike: where an effect rests on a few of them, such as a
    handful of groups beside many people who meet in none, they are too many.

    Parameters
    ----------
    frame : DataFrame
        Long: one row per participant and timepoint. Rows that lack the outcome or a term are left out and counted
        (`GeeFit.dropped_rows`); this is valid when their being missing has to do with what is in `terms` only, not with
        answers given before. `fit_mmrm` asks for less.
    outcome : str
        Column of 0 and 1 (or booleans); of whole numbers from 0; or, ordinal, of whole numbers that follow one another
        or ordered categories, 3 to 10 levels.
    terms, references, center
        As in `fit_mmrm`.
    participant, timepoint : str
        Columns; categories of `timepoint` keep their order, other values are sorted. Always a factor.
    family : {"binary", "ordinal", "count"}
        What the outcome is.
    groups : str, optional
        Column of the groups that people meet in, who are then not independent: each is a cluster, as is every
        participant without one (empty or missing). Else participants are the clusters.
    working : {"exchangeable", "independence"}, optional
        Working correlation of the rows of a cluster: the same for any two of them, or none. By default exchangeable,
        but independence for an ordinal outcome, which has no other here.

    Returns
    -------
    GeeFit
        `converged` says whether it may be used; without, all of its estimates are NaN.

    Raises
    ------
    AnalysisError
        A column is missing or unusable, the outcome is not what `family` says, or something is not identified (see
        `analysis.gee_guards`): the reason and the way out.
    """
    _choose("family", family, FAMILIES)
    chosen = _working(working, family)
    levels: tuple[float, ...] = ()
    if outcome in frame.columns:  # else `arrange` says so, with near names
        frame, levels = read_outcome(frame, outcome, family)
    roles = Roles(
        outcome=outcome,
        participant=participant,
        timepoint=timepoint,
        groups=(groups,) if groups else (),
        partially_nested=True,
    )
    arranged = arrange(frame, terms, roles, references=references, center=center)
    both = arranged.matrix()[arranged.mask]
    values = frame[outcome].to_numpy(dtype=float)[arranged.rows[arranged.mask]]
    check_levels(values, levels, outcome)
    scaled = ScaledBasis.of(arranged.design, both)
    basis = scaled.basis
    design = both[:, basis.columns] / scaled.sizes
    cluster = cluster_codes(arranged)
    n_cuts = max(len(levels) - 1, 1)
    n_clusters, n_coefficients = int(cluster.max()) + 1, len(basis.columns) - 1 + n_cuts
    check_clusters(design, cluster, basis.names, n_coefficients)
    check_separation(design, values, levels, basis.names)
    solution = _solve(design, values, cluster, family, chosen)
    df = float(n_clusters - n_coefficients)
    to_asked = scaled.expand(n_cuts)
    cuts = tuple(f"{outcome}>{level:g}" for level in levels[:-1]) if family == "ordinal" else basis.names[:1]
    return GeeFit(
        family=family,
        terms=(*cuts, *basis.names[1:]),
        dropped_terms=basis.dropped,
        coefficients=to_asked @ solution.coefficients,
        vcov=to_asked @ solution.vcov @ to_asked.T,
        df=df,
        n_rows=len(values),
        n_participants=len(arranged.participants),
        n_clusters=n_clusters,
        clusters=groups or participant,
        dropped_rows=arranged.dropped,
        working=chosen,
        working_correlation=solution.correlation,
        scale=solution.scale,
        converged=solution.converged,
        n_iterations=solution.n_iterations,
        score_norm=solution.score_norm,
        messages=solution.messages,
        _people=People.of(frame, arranged, roles, scaled),
        _response=Response(family=family, levels=levels, coefficients=solution.coefficients, vcov=solution.vcov, df=df),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Solution:
    """What came of the iterations; NaN where it may not be used."""

    coefficients: Array
    vcov: Array
    correlation: float
    scale: float
    converged: bool
    n_iterations: int
    score_norm: float
    messages: tuple[str, ...]


def _solve(design: Array, values: Array, cluster: Codes, family: Family, working: Working) -> _Solution:
    """Solve the estimating equations; what is warned of becomes messages."""
    sizes = np.bincount(cluster)
    found: Any = None
    stopped = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = _model(design, values, cluster, family, working)
        settings = {"scale": "X2"} if family == "count" else {}
        try:
            found = model.fit(maxiter=MOST_STEPS, ctol=SMALL_SCORE, cov_type="bias_reduced", **settings)
        except (np.linalg.LinAlgError, ArithmeticError, ValueError, AttributeError) as error:
            # AttributeError: statsmodels' ordinal fit goes on with the None that its own fit returns on failure
            stopped = f"The iterations broke off: {error}."
    messages = list(dict.fromkeys(str(each.message) for each in caught))
    correlation = float(model.cov_struct.dep_params or 0.0)
    if stopped:
        messages.append(stopped)
    if working == "exchangeable" and not -1.0 / max(sizes.max() - 1, 1) < correlation < 1.0:
        messages.append("The working correlation came out as no rows can have it; use working='independence'.")
        found = None
    size = model.exog.shape[1]
    usable = (
        found is not None
        and bool(found.converged)
        and bool(np.isfinite(found.params).all())
        and bool(np.isfinite(found.cov_robust_bc).all())
    )
    return _Solution(
        coefficients=np.array(found.params) if usable else np.full(size, np.nan),
        vcov=np.array(found.cov_robust_bc) if usable else np.full((size, size), np.nan),
        correlation=correlation if usable else float("nan"),
        scale=float(found.scale) if usable else float("nan"),
        converged=usable,
        n_iterations=len(found.fit_history["params"]) if found is not None else 0,
        score_norm=float(found.score_norm) if found is not None else float("nan"),
        messages=tuple(messages),
    )


def _model(design: Array, values: Array, cluster: Codes, family: Family, working: Working) -> Any:
    """Return the model of statsmodels: from arrays, never from a formula, which would be run as code."""
    from statsmodels.genmod import cov_struct, families
    from statsmodels.genmod.generalized_estimating_equations import GEE, OrdinalGEE

    if family == "ordinal":
        return OrdinalGEE(values, design[:, 1:], cluster, cov_struct=cov_struct.OrdinalIndependence())
    if working == "exchangeable":
        _check_pairs(cluster, design.shape[1])
    return GEE(
        values,
        design,
        cluster,
        family=families.Binomial() if family == "binary" else families.Poisson(),
        cov_struct=cov_struct.Exchangeable() if working == "exchangeable" else cov_struct.Independence(),
    )


def _check_pairs(cluster: Codes, n_coefficients: int) -> None:
    """Refuse a correlation from fewer pairs of rows than coefficients, whose estimate would have the wrong sign."""
    sizes = np.bincount(cluster)
    pairs = int((sizes * (sizes - 1)).sum()) // 2
    if 0 < pairs <= n_coefficients:
        raise AnalysisError(
            Problem(
                "too_few_pairs",
                "There are not more pairs of rows within clusters than coefficients, so nothing is known of their"
                " correlation.",
                "Choose working='independence', which costs no validity.",
            )
        )


def _working(working: str | None, family: Family) -> Working:
    """Return the working correlation that was asked for, or that suits the family."""
    if working is None:
        return "independence" if family == "ordinal" else "exchangeable"
    _choose("working", working, WORKINGS)
    if family == "ordinal" and working == "exchangeable":
        raise AnalysisError(
            Problem(
                "working_not_ordinal",
                "There is no exchangeable working correlation for an ordinal outcome.",
                "Choose working='independence', which costs no validity.",
            )
        )
    return "exchangeable" if working == "exchangeable" else "independence"


def _choose(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise AnalysisError(
            Problem(f"{name}_unknown", f"There is no {name} '{value}'.", choose_from(str(value), allowed))
        )

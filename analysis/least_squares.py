"""Least squares with cluster-robust inference: samples of different spread, of other people or in part of the same.

Standard errors and degrees of freedom after Bell and McCaffrey 2002, Survey Methodology 28:169, and Pustejovsky and
Tipton 2018, doi 10.1080/07350015.2016.1247004 (CR2). Where everybody answers once, the standard error of a plain
difference of two means is that of Welch 1947, doi 10.1093/biomet/34.1-2.28.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.gee_means import ScaledBasis
from analysis.mixed_models.arrange import arrange
from analysis.mixed_models.basis import estimable_row
from analysis.mixed_models.inference import Estimate, make_estimate
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.marginal_means import MarginalMeans, marginal_means
from analysis.mixed_models.model_fit import tidy_estimates
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.robust import RobustPrecision, cluster_codes, sandwich
from analysis.mixed_models.terms import Design
from analysis.mixed_models.threads import on_one_thread
from data_contracts.errors import Problem

NOTHING_LEFT: Final = 1e-12
"""Share of the variation of the outcome below which what the model leaves over is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeastSquaresFit:
    """A linear model fitted by least squares.

    Attributes
    ----------
    terms, dropped_terms : tuple of str
        Names of the coefficients; columns left out because those before them say the same.
    coefficients : (p,) array
        In units of the outcome.
    vcov : (p, p) array
        Their cluster-robust covariance (CR2).
    n_rows, n_participants, n_clusters : int
        What the model was fitted to.
    clusters : str
        Column whose values are the clusters: the participant, or the group.
    dropped_rows : mapping
        Reason -> rows left out.
    design : Design
        Terms, variables and timepoints of the model.
    """

    terms: tuple[str, ...]
    dropped_terms: tuple[str, ...]
    coefficients: Array
    vcov: Array
    n_rows: int
    n_participants: int
    n_clusters: int
    clusters: str
    dropped_rows: Mapping[str, int]
    design: Design
    _basis: ScaledBasis
    _precision: RobustPrecision

    @property
    def converged(self) -> bool:
        """Whether the fit may be used: always, as nothing is iterated."""
        return True

    def estimate(self, weights: Mapping[str, float] | Array) -> Estimate:
        """Estimate a linear combination of coefficients, with degrees of freedom of its own.

        Parameters
        ----------
        weights : mapping or array
            Term -> weight, terms left out weigh 0; or a weight for each of `terms`, or for each of `terms` and then of
            `dropped_terms`.

        Raises
        ------
        AnalysisError
            A weight is for a term that the model does not have, or for one left out that others cannot stand in for.
        """
        row = self.row(weights)
        error = float(np.sqrt(max(float(row @ self.vcov @ row), 0.0)))
        return make_estimate(float(row @ self.coefficients), error, self._precision.df(self._basis.expand(1).T @ row))

    def row(self, weights: Mapping[str, float] | Array) -> Array:
        """Return weights for each of `terms`, after checking that those of left-out terms go without saying.

        Raises
        ------
        AnalysisError
            See `estimate`.
        """
        return estimable_row(weights, self.terms, self.dropped_terms, self._basis.aliases)

    def marginal_means(
        self,
        by: str | Sequence[str],
        *,
        at: Mapping[str, float] | None = None,
        weights: Literal["equal", "observed"] = "observed",
    ) -> MarginalMeans:
        """Return model means on a grid of factors, other numbers at their mean over rows; see `ModelFit`.

        Raises
        ------
        AnalysisError
            A name is no factor of the model, or no number.
        """
        return marginal_means(self, (by,) if isinstance(by, str) else tuple(by), at=at or {}, weights=weights)

    def tidy(self) -> pd.DataFrame:
        """Return one row per coefficient: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high."""
        return tidy_estimates({"term": list(self.terms)}, [self.estimate(row) for row in np.eye(len(self.terms))])

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row: how standard errors came about, and sizes."""
        return pd.DataFrame(
            [
                {
                    "model": "least_squares",
                    "std_errors": "CR2",
                    "clusters": self.clusters,
                    "n_rows": self.n_rows,
                    "n_participants": self.n_participants,
                    "n_clusters": self.n_clusters,
                }
            ]
        )


@on_one_thread
def fit_least_squares(
    frame: pd.DataFrame,
    *,
    outcome: str,
    terms: Sequence[str],
    participant: str,
    timepoint: str,
    groups: str | None = None,
) -> LeastSquaresFit:
    """Fit a linear model by least squares, with standard errors that ask for neither equal variances nor independence.

    b = (X'X)^-1 X'y. With e_i the residuals of cluster i and H_ii = X_i (X'X)^-1 X_i',
    vcov = (X'X)^-1 [sum_i X_i' A_i e_i e_i' A_i X_i] (X'X)^-1 with A_i = (I - H_ii)^-1/2 (CR2), and each linear
    combination has the Satterthwaite degrees of freedom that it would have were rows independent and alike. Rows of
    one cluster may hang together in any way, and every row may have a variance of its own.

    Parameters
    ----------
    frame : DataFrame
        Long: one row per participant and timepoint. Rows that lack the outcome or a term are left out and counted
        (`LeastSquaresFit.dropped_rows`).
    outcome : str
        Column of numbers.
    terms : sequence of str
        Names, or products ``a:b`` of names, as in `fit_mmrm`.
    participant, timepoint : str
        Columns; the timepoint is always a factor.
    groups : str, optional
        Column of the groups that people meet in: each is a cluster, as is every participant without one (empty or
        missing). Else participants are the clusters.

    Raises
    ------
    AnalysisError
        A column is missing or unusable; ``too_few_rows``: there are not more rows than coefficients; or
        ``constant_outcome``: the model leaves nothing over to judge its precision by.
    """
    roles = Roles(
        outcome=outcome,
        participant=participant,
        timepoint=timepoint,
        groups=(groups,) if groups else (),
        partially_nested=True,
    )
    arranged = arrange(frame, terms, roles)
    both = arranged.matrix()[arranged.mask]
    scaled = ScaledBasis.of(arranged.design, both)
    design = both[:, scaled.basis.columns] / scaled.sizes
    values = frame[outcome].to_numpy(dtype=float)[arranged.rows[arranged.mask]]
    _check_size(*design.shape)
    orthogonal, triangular = np.linalg.qr(design)
    solution = np.linalg.solve(triangular, orthogonal.T @ values)
    residuals = values - design @ solution
    _check_spread(residuals, values, outcome)
    root = np.linalg.inv(triangular)
    cluster = cluster_codes(arranged)
    precision = sandwich(root @ root.T, _stacks(design, residuals, cluster))
    to_asked = scaled.expand(1)
    return LeastSquaresFit(
        terms=scaled.basis.names,
        dropped_terms=scaled.basis.dropped,
        coefficients=to_asked @ solution,
        vcov=to_asked @ precision.vcov @ to_asked.T,
        n_rows=len(values),
        n_participants=len(arranged.participants),
        n_clusters=int(cluster.max()) + 1,
        clusters=groups or participant,
        dropped_rows=arranged.dropped,
        design=arranged.design,
        _basis=scaled,
        _precision=precision,
    )


def _stacks(design: Array, residuals: Array, cluster: Codes) -> Iterator[tuple[Array, Array]]:
    """Yield design (clusters, rows, p) and residuals (clusters, rows) of the clusters of each size."""
    order = np.argsort(cluster, kind="stable")
    sizes = np.bincount(cluster)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        yield design[rows], residuals[rows]


def _check_size(rows: int, columns: int) -> None:
    if rows <= columns:
        raise AnalysisError(
            Problem(
                "too_few_rows",
                f"There are {rows} rows for {columns} coefficients.",
                "Take terms out, or collect more data.",
            )
        )


def _check_spread(residuals: Array, values: Array, outcome: str) -> None:
    """Refuse an outcome of which the model leaves nothing over."""
    variation = float(((values - values.mean()) ** 2).sum())
    if float(residuals @ residuals) <= NOTHING_LEFT * variation:
        raise AnalysisError(
            Problem(
                "constant_outcome",
                f"'{outcome}' does not vary, given the terms of the model.",
                "Check how it was coded, and whether a term is the outcome itself.",
            )
        )

"""Cluster-robust standard errors with small-sample corrections, for those who doubt the covariance model.

Bell and McCaffrey 2002, Survey Methodology 28:169; Pustejovsky and Tipton 2018, doi 10.1080/07350015.2016.1247004.
Everything is in coordinates whitened by the fitted covariance, where the leverage of cluster i is H_i = X_i Phi X_i'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged
from analysis.mixed_models.bases import RandomModel
from analysis.mixed_models.inference import Precision
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.prediction import _internal_residuals, participant_covariances, require_rows
from data_contracts.errors import Problem, choose_from

if TYPE_CHECKING:
    from analysis.mixed_models.model_fit import Parts

RobustKind = Literal["CR0", "CR2", "CR3"]
POWERS: Final[dict[str, float]] = {"CR0": 0.0, "CR2": -0.5, "CR3": -1.0}
"""Power of I - H that residuals of a cluster are multiplied by."""
LEAST: Final = 1e-10
"""Eigenvalue of I - H below which a direction is taken by the cluster's own coefficients."""


@dataclass(frozen=True, slots=True)
class RobustPrecision(Precision):
    """Sandwich covariance with degrees of freedom after Bell and McCaffrey.

    `own` and `crossed` (clusters, p, p) are X' A^2 X and X' A X of each cluster.
    """

    own: Array
    crossed: Array

    def df(self, weights: Array) -> float:
        """Return the degrees of freedom of one linear combination."""
        moved = self.unscaled @ weights
        diagonal = np.einsum("a,iab,b->i", moved, self.own, moved)
        vectors = self.crossed @ moved
        overlap = vectors.T @ vectors
        through = np.einsum("ia,ab,ib->i", vectors, self.unscaled, vectors)
        total = float(diagonal.sum() - through.sum())
        squares = float((diagonal**2).sum() - 2.0 * (diagonal * through).sum())
        squares += float(np.trace(self.unscaled @ overlap @ self.unscaled @ overlap))
        return total**2 / squares


def robust_precision(parts: Parts, kind: RobustKind) -> RobustPrecision:
    """Return what inference needs; see `ModelFit.robust`."""
    if kind not in POWERS:
        raise AnalysisError(
            Problem("robust_unknown", f"There is no '{kind}' covariance.", choose_from(str(kind), list(POWERS)))
        )
    return sandwich(parts.optimum.evaluation.unscaled, _whitened(parts, require_rows(parts)), kind)


def sandwich(unscaled: Array, clusters: Iterable[tuple[Array, Array]], kind: RobustKind = "CR2") -> RobustPrecision:
    """Return the sandwich covariance of coefficients, and what its degrees of freedom need.

    Parameters
    ----------
    unscaled : (p, p) array
        Phi.
    clusters : iterable of ((clusters, rows, p) array, (clusters, rows) array)
        Whitened designs and residuals of clusters that have as many rows.
    kind : {"CR2", "CR0", "CR3"}
        Correction of the residuals.
    """
    size = len(unscaled)
    meat = np.zeros_like(unscaled)
    own, crossed = [], []
    for x, residual in clusters:
        leverage = x @ unscaled @ np.swapaxes(x, 1, 2)
        values, vectors = np.linalg.eigh(np.eye(x.shape[1]) - leverage)
        power = np.where(values > LEAST, np.maximum(values, LEAST) ** POWERS[kind], 0.0)
        adjusted = (vectors * power[:, None, :]) @ np.swapaxes(vectors, 1, 2) @ x
        scores = np.einsum("itp,it->ip", adjusted, residual)
        meat += scores.T @ scores
        own.append(np.swapaxes(adjusted, 1, 2) @ adjusted)
        crossed.append(np.swapaxes(x, 1, 2) @ adjusted)
    return RobustPrecision(
        unscaled,
        unscaled @ meat @ unscaled,
        np.zeros((0, size, size)),
        np.zeros((0, 0)),
        "satterthwaite",
        np.concatenate(own),
        np.concatenate(crossed),
    )


def cluster_codes(arranged: Arranged) -> Codes:
    """Return the cluster of each row that was observed: the group of the participant, or else the participant."""
    participant = np.nonzero(arranged.mask)[0]
    cluster = np.arange(len(arranged.participants))
    for groups in arranged.memberships:
        cluster = np.where(groups.codes >= 0, groups.codes, len(groups.labels) + cluster)
    return np.unique(cluster[participant], return_inverse=True)[1].astype(np.int64)


def _whitened(parts: Parts, arranged: Arranged) -> Iterator[tuple[Array, Array]]:
    """Yield stacks of whitened designs (clusters, rows, p) and residuals (clusters, rows)."""
    residual = _internal_residuals(parts, arranged)
    x = arranged.matrix()[..., parts.columns]
    covariances = participant_covariances(parts, arranged, slice(None))
    cluster = np.full(len(x), -1, dtype=np.int64)
    for membership in reversed(arranged.memberships):
        offset = cluster.max(initial=-1) + 1
        cluster = np.where((cluster < 0) & (membership.codes >= 0), offset + membership.codes, cluster)
    alone = np.flatnonzero(cluster < 0)
    if len(alone):
        root = np.linalg.cholesky(covariances[alone])
        yield np.linalg.solve(root, x[alone]), np.linalg.solve(root, residual[alone][..., None])[..., 0]
    for which in np.unique(cluster[cluster >= 0]):
        people = np.flatnonzero(cluster == which)
        mask = arranged.mask[people]
        root = np.linalg.cholesky(
            _cluster_covariance(parts, arranged, people, covariances[people])[np.ix_(*(mask.ravel(),) * 2)]
        )
        yield np.linalg.solve(root, x[people][mask])[None], np.linalg.solve(root, residual[people][mask])[None]


def _cluster_covariance(parts: Parts, arranged: Arranged, people: Codes, within: Array) -> Array:
    """Return the covariance of all rows of a cluster of participants."""
    model = parts.base.model
    assert isinstance(model, RandomModel)  # noqa: S101 - only these have groups
    size, width = within.shape[:2]
    found = np.zeros((size, width, size, width))
    found[np.arange(size), :, np.arange(size), :] = within
    times = model.times[people] if model.times.ndim == 3 else np.broadcast_to(model.times, (size, *model.times.shape))
    for membership, cells in zip(arranged.memberships, model.variances[1:], strict=True):
        together = (membership.codes[people][:, None] == membership.codes[people]) & (membership.codes[people] >= 0)
        design = times * membership.active[people][..., None]
        for parameter, row, column in cells:
            outer = np.einsum("it,js->itjs", design[..., row], design[..., column])
            outer = outer if row == column else outer + outer.transpose(2, 3, 0, 1)
            found += parts.optimum.theta[parameter] * together[:, None, :, None] * outer
    return found.reshape(size * width, size * width)

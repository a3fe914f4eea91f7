"""The restricted likelihood of a random-intercept model, exact and cheap, from sums per participant and per group.

For participant i in group g the score is y = X b + v_g + u_i + e, with the variances of u and v given as ratios to that
of e. Every product with the inverse of V is then a sum of products over rows, less a rank-one term per participant,
less one per group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

NO_GROUP: Final = -1


@dataclass(frozen=True, slots=True)
class Sums:
    """What the likelihood needs of the data; columns of `total` and `by_participant` are [X | y].

    Attributes
    ----------
    total : (p+1, p+1) array
        Cross products over all rows.
    by_participant : (participants, p+1) array
        Sums over the rows of a participant.
    rows : (participants,) array
        Number of rows of a participant.
    grouped, grouped_rows : as `by_participant` and `rows`
        Of the rows that share the variance of the participant's group.
    group : (participants,) array of int
        Code of the group, `NO_GROUP` for participants who meet in none.
    """

    total: Array
    by_participant: Array
    rows: Array
    grouped: Array
    grouped_rows: Array
    group: Codes

    @property
    def n_rows(self) -> int:
        """Number of rows in all."""
        return int(self.rows.sum())

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max(initial=NO_GROUP)) + 1


@dataclass(frozen=True, slots=True)
class Gls:
    """Generalised least squares at given variance ratios.

    Attributes
    ----------
    coefficients : (p,) array
        Fixed effects.
    unscaled_vcov : (p, p) array
        (X' V^-1 X)^-1 for a residual variance of one.
    residual_variance : float
        Profiled residual variance, with N - p in the denominator.
    deviance : float
        -2 restricted log-likelihood, constants included.
    """

    coefficients: Array
    unscaled_vcov: Array
    residual_variance: float
    deviance: float


def sum_rows(y: Array, x: Array, participant: Codes, group: Codes) -> Sums:
    """Sum rows by participant.

    Parameters
    ----------
    y, x : (n,) and (n, p) arrays
        Outcome and design.
    participant : (n,) array of int
        Codes 0 .. participants - 1.
    group : (n,) array of int
        Codes 0 .. groups - 1, or `NO_GROUP` where a row does not share the variance of a group. A participant is in one
        group at most.
    """
    both = np.column_stack([x, y])
    n_participants = int(participant.max()) + 1
    shares = group != NO_GROUP
    by_participant, grouped = np.zeros((2, n_participants, both.shape[1]))
    np.add.at(by_participant, participant, both)
    np.add.at(grouped, participant[shares], both[shares])
    rows, grouped_rows = (
        np.bincount(codes, minlength=n_participants).astype(float) for codes in (participant, participant[shares])
    )
    group_of = np.full(n_participants, NO_GROUP, dtype=np.int64)
    np.maximum.at(group_of, participant, group)
    return Sums(both.T @ both, by_participant, rows, grouped, grouped_rows, group_of)


def solve_gls(sums: Sums, participant_ratio: float, group_ratio: float) -> Gls:
    """Solve for the fixed effects at given ratios of the random variances to the residual variance.

    Raises
    ------
    numpy.linalg.LinAlgError
        The design has no full column rank.
    """
    shrunk = 1.0 / (1.0 + participant_ratio * sums.rows)
    cross = sums.total - (sums.by_participant.T * (participant_ratio * shrunk)) @ sums.by_participant
    log_det = float(np.log1p(participant_ratio * sums.rows).sum())
    if sums.n_groups and group_ratio:
        members = sums.group != NO_GROUP
        lost = participant_ratio * shrunk * sums.grouped_rows
        by_group = np.zeros((sums.n_groups, cross.shape[0]))
        np.add.at(by_group, sums.group[members], (sums.grouped - sums.by_participant * lost[:, None])[members])
        weight = np.bincount(sums.group[members], (sums.grouped_rows * (1 - lost))[members], minlength=sums.n_groups)
        cross -= (by_group.T * (group_ratio / (1.0 + group_ratio * weight))) @ by_group
        log_det += float(np.log1p(group_ratio * weight).sum())
    xx, xy, yy = cross[:-1, :-1], cross[:-1, -1], cross[-1, -1]
    root = np.linalg.cholesky(xx)
    inverse_root = np.linalg.inv(root)
    unscaled_vcov = inverse_root.T @ inverse_root
    coefficients = unscaled_vcov @ xy
    freedom = sums.n_rows - len(xy)
    residual_variance = float(yy - xy @ coefficients) / freedom
    log_det += 2.0 * float(np.log(np.diag(root)).sum())
    deviance = log_det + freedom * (1.0 + np.log(2.0 * np.pi * residual_variance)) if residual_variance > 0 else -np.inf
    return Gls(coefficients, unscaled_vcov, residual_variance, float(deviance))

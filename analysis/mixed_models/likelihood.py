"""The restricted likelihood with its exact gradient and Hessian, from moments alone.

Everything is read off two functions of the covariance parameters: log|V| and C = [X y]' V^-1 [X y], with their first
and second derivatives. A base yields both for what is independent between participants; every level of groups above
is then taken in by one elimination (Woodbury), which has no inverse of the group variance and so holds at zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from analysis.mixed_models.jets import (
    Array,
    Codes,
    Index,
    Jet,
    add,
    invert,
    log_determinant,
    multiply,
    stacked,
    transform,
)

UNITS_AT_ONCE: Final = 20_000
"""Groups eliminated together; bounds memory."""


@dataclass(frozen=True, slots=True)
class Level:
    """Groups of one kind.

    Attributes
    ----------
    name : str
        Column of the groups.
    labels : tuple of str
        The groups.
    width : int
        Random effects of a group: 1 intercept, 2 with a slope.
    variance : tuple of (int, int, int)
        Parameter, row and column of each free element of the covariance of the random effects.
    ancestors : tuple of (units,) arrays of int
        For each level above, the unit that a unit belongs to; -1 where it belongs to none.
    """

    name: str
    labels: tuple[str, ...]
    width: int
    variance: tuple[tuple[int, int, int], ...]
    ancestors: tuple[Codes, ...]

    def covariance(self, theta: Array) -> dict[Index, Array]:
        """Return the covariance of the random effects as a jet."""
        found: dict[Index, Array] = {(): np.zeros((self.width, self.width))}
        for parameter, row, column in self.variance:
            change = np.zeros((self.width, self.width))
            change[row, column] = change[column, row] = 1.0
            found[()] = found[()] + theta[parameter] * change
            found[parameter,] = change
        return found


class Base(Protocol):
    """What is independent between participants.

    `size` is the number of columns of [X y], `levels` the groups above, from the lowest.
    """

    size: int
    n_rows: int
    levels: Sequence[Level]

    def total(self, theta: Array, order: int) -> tuple[dict[Index, Array], dict[Index, Array]]:
        """Return log|V| and C without groups."""
        ...

    def sums(self, level: int, units: slice, theta: Array, order: int) -> dict[Index, Array]:
        """Return W' V^-1 [X y | W_top .. W] of units of a level, (units, width, size + widths from the top down)."""
        ...


@dataclass(frozen=True, slots=True)
class Eliminated:
    """What is kept of a level for the prediction of its random effects.

    `shrink` (units, width, width) is K, `sums` (units, width, columns) is W' V^-1 [X y | W_top .. W_next].
    """

    shrink: Array
    sums: Array


def log_determinant_and_products(
    base: Base, theta: Array, order: int, kept: list[Eliminated] | None = None
) -> tuple[dict[Index, Array], dict[Index, Array]]:
    """Return log|V| and C = [X y]' V^-1 [X y] as jets, groups included.

    Parameters
    ----------
    base : Base
        The data.
    theta : (m,) array
        Variances and covariances.
    order : int
        Highest derivative.
    kept : list, optional
        Filled with an `Eliminated` per level.

    Raises
    ------
    numpy.linalg.LinAlgError
        `theta` is no covariance.
    """
    log_det, products = base.total(theta, order)
    size = base.size
    above: list[dict[Index, Array]] = [{} for _ in base.levels]
    for place, level in enumerate(base.levels):
        psi = level.covariance(theta)
        shrinks, sums_of = [], []
        for units in _slices(len(level.labels)):
            sums = base.sums(place, units, theta, order)
            if above[place]:
                sums = add(sums, {index: value[units] for index, value in above[place].items()}, -1.0)
            shrink, log_dets = _shrink(psi, sums, level.width, order)
            log_det = add(log_det, transform(log_dets, lambda values: values.sum()))
            rest = transform(sums, lambda values, width=level.width: values[..., :-width])  # type: ignore[misc]
            explained = multiply(shrink, rest, order, _times)
            lost = multiply(rest, explained, order, _summed)
            products = add(products, transform(lost, lambda values: values[:size, :size]), -1.0)
            for higher in range(place + 1, len(base.levels)):
                _pass_up(above, higher, rest, explained, level.ancestors[higher - place - 1][units], base, order)
            shrinks.append(shrink[()])
            sums_of.append(rest[()])
        if kept is not None:
            kept.append(Eliminated(np.concatenate(shrinks), np.concatenate(sums_of)))
    return log_det, products


def _slices(count: int) -> Iterator[slice]:
    yield from (slice(start, min(start + UNITS_AT_ONCE, count)) for start in range(0, count, UNITS_AT_ONCE))


def _shrink(psi: Jet, sums: Jet, width: int, order: int) -> tuple[dict[Index, Array], dict[Index, Array]]:
    """Return K = (I + psi N)^-1 psi and log|I + psi N| of every unit; N is the last block of the sums."""
    inner = multiply(psi, transform(sums, lambda values: values[..., -width:]), order)
    inner[()] = inner[()] + np.eye(width)
    inverse = invert(inner, order)
    return multiply(inverse, psi, order), log_determinant(inner, inverse, order)


def _times(first: Array, second: Array) -> Array:
    """Return products of a stack; plain multiplication where there is one random effect, which is much faster."""
    return first * second if first.shape[-1] == 1 else first @ second


def _summed(first: Array, second: Array) -> Array:
    """Return the sum of A'B over a stack, as one product of matrices."""
    return first.reshape(-1, first.shape[-1]).T @ second.reshape(-1, second.shape[-1])


def _pass_up(
    above: list[dict[Index, Array]],
    higher: int,
    rest: Jet,
    explained: Jet,
    parents: Codes,
    base: Base,
    order: int,
) -> None:
    """Take what a lower level explains out of the sums of a higher one."""
    columns = base.size + sum(level.width for level in base.levels[higher:])
    rows = slice(columns - base.levels[higher].width, columns)
    inside = parents >= 0
    own = transform(rest, lambda values: np.swapaxes(values[inside][..., rows], 1, 2))
    lost = multiply(own, transform(explained, lambda values: values[inside][..., :columns]), order)
    for index, values in lost.items():
        if index not in above[higher]:
            shape = (len(base.levels[higher].labels), base.levels[higher].width, columns)
            above[higher][index] = np.zeros(shape)
        np.add.at(above[higher][index], parents[inside], values)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The deviance at a point, and what inference needs of it.

    Attributes
    ----------
    deviance : float
        -2 (restricted) log-likelihood, constants included; infinite where theta is no covariance.
    gradient : (m,) array
        By the parameters theta.
    hessian : (m, m) array
        Likewise.
    coefficients : (p,) array
        Generalised least squares.
    unscaled : (p, p) array
        Phi = (X' V^-1 X)^-1.
    slopes : (m, p, p) array
        d(X' V^-1 X) / dtheta.
    curvatures : (m, m, p, p) array
        Second derivatives of X' V^-1 X.
    log_det_curvature : (m, m) array
        Second derivatives of log|V|.
    """

    deviance: float
    gradient: Array
    hessian: Array
    coefficients: Array
    unscaled: Array
    slopes: Array
    curvatures: Array
    log_det_curvature: Array


_NOTHING: Final = np.empty(0)


def evaluate(base: Base, theta: Array, *, restricted: bool, order: int = 2) -> Evaluation:
    """Evaluate the deviance with derivatives up to `order`; see `Evaluation`."""
    try:
        log_det, products = log_determinant_and_products(base, theta, order)
        whole = products[()]
        root = np.linalg.cholesky(whole[:-1, :-1])
    except np.linalg.LinAlgError:
        return Evaluation(np.inf, *(_NOTHING,) * 7)
    inverse_root = np.linalg.inv(root)
    unscaled = inverse_root.T @ inverse_root
    coefficients = unscaled @ whole[:-1, -1]
    weights = np.append(-coefficients, 1.0)
    freedom = base.n_rows - (len(coefficients) if restricted else 0)
    deviance = float(log_det[()] + weights @ whole @ weights + freedom * np.log(2 * np.pi))
    if restricted:
        deviance += 2.0 * float(np.log(np.diag(root)).sum())
    if not order or not np.isfinite(deviance):
        empty = _NOTHING
        found = deviance if np.isfinite(deviance) else np.inf
        return Evaluation(found, empty, empty, coefficients, unscaled, empty, empty, empty)
    m = len(theta)
    kernel = np.outer(weights, weights)
    if restricted:
        kernel[:-1, :-1] += unscaled
    _, *by_log_det = stacked(log_det, m, order)
    _, *by_products = stacked(products, m, order)
    gradient = by_log_det[0] + np.einsum("iab,ab->i", by_products[0], kernel)
    slopes = by_products[0][:, :-1, :-1]
    if order < 2:
        return Evaluation(deviance, gradient, _NOTHING, coefficients, unscaled, slopes, _NOTHING, _NOTHING)
    moved = by_products[0][:, :-1, :] @ weights
    hessian = by_log_det[1] + np.einsum("ijab,ab->ij", by_products[1], kernel) - 2.0 * moved @ unscaled @ moved.T
    if restricted:
        turned = (unscaled @ slopes).reshape(m, -1)
        hessian -= turned @ (slopes @ unscaled).reshape(m, -1).T
    return Evaluation(
        deviance,
        gradient,
        (hessian + hessian.T) / 2.0,
        coefficients,
        unscaled,
        slopes,
        by_products[1][:, :, :-1, :-1],
        by_log_det[1],
    )

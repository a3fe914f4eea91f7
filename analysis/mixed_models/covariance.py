"""Covariance structures: their natural parameters, and working parameters in which every number is allowed.

Natural parameters are those of SAS PROC MIXED: variances and covariances where the structure is linear in them (``us``,
``cs``, ``toep``, random effects), variances and correlations elsewhere. Kenward-Roger depends on that choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Array, Index, multiply
from data_contracts.errors import Problem, choose_from

STRUCTURES: Final = ("us", "toeph", "toep", "ar1h", "ar1", "csh", "cs", "adh", "ad")
LARGEST_CORRELATION: Final = 0.9
"""A start further out leaves no room for the search."""


class Block(Protocol):
    """A part of the covariance parameters with a map of its own."""

    @property
    def size(self) -> int:
        """Number of natural parameters."""
        ...

    @property
    def working_size(self) -> int:
        """Number of working parameters."""
        ...

    def natural(self, working: Array) -> tuple[Array, Array, Array]:
        """Return natural parameters, and their first (m, w) and second (m, w, w) derivatives by the working ones."""
        ...


@dataclass(frozen=True, slots=True)
class Positive:
    """A variance; the working parameter is the logarithm of its root."""

    size: int = 1
    working_size: int = 1

    def natural(self, working: Array) -> tuple[Array, Array, Array]:
        """See `Block`."""
        value = np.exp(2.0 * working)
        return value, 2.0 * value[:, None], 4.0 * value[:, None, None]


@dataclass(frozen=True, slots=True)
class Unstructured:
    """A free covariance matrix of `width` rows; working parameters are its Cholesky factor, so zero is no border.

    Natural parameters are the lower triangle, row by row.
    """

    width: int

    @property
    def size(self) -> int:
        """Number of natural parameters."""
        return self.width * (self.width + 1) // 2

    @property
    def working_size(self) -> int:
        """Number of working parameters."""
        return self.size

    @property
    def is_linear(self) -> bool:
        """Always."""
        return True

    def cells(self) -> tuple[tuple[int, int], ...]:
        """Return row and column of every parameter."""
        return tuple((row, column) for row in range(self.width) for column in range(row + 1))

    def natural(self, working: Array) -> tuple[Array, Array, Array]:
        """See `Block`."""
        cells = self.cells()
        units = np.zeros((self.size, self.width, self.width))
        for place, (row, column) in enumerate(cells):
            units[place, row, column] = 1.0
        root = np.tensordot(working, units, 1)
        rows, columns = np.array(cells).T
        first = units @ root.T
        first = (first + np.swapaxes(first, 1, 2))[:, rows, columns].T
        second = units[:, None] @ np.swapaxes(units, 1, 2)[None]
        second = np.moveaxis((second + np.swapaxes(second, 2, 3))[:, :, rows, columns], 2, 0)
        return (root @ root.T)[rows, columns], first, second

    def start(self, guess: Array) -> Array:
        """Return working parameters near a covariance matrix, which may be singular or no covariance at all."""
        values, vectors = np.linalg.eigh((guess + guess.T) / 2.0)
        floor = max(values.max(initial=0.0) * 1e-2, 1e-6)
        root = np.linalg.cholesky((vectors * np.maximum(values, floor)) @ vectors.T)
        return np.array([root[cell] for cell in self.cells()])

    def assemble(self, theta: Array, order: int) -> dict[Index, Array]:
        """Return the matrix as a jet."""
        found: dict[Index, Array] = {(): np.zeros((self.width, self.width))}
        for place, (row, column) in enumerate(self.cells()):
            change = np.zeros((self.width, self.width))
            change[row, column] = change[column, row] = 1.0
            found[()] = found[()] + theta[place] * change
            if order:
                found[place,] = change
        return found

    def names(self, timepoints: Sequence[str]) -> tuple[str, ...]:
        """Return names of the natural parameters."""
        return tuple(
            f"variance[{timepoints[row]}]" if row == column else f"covariance[{timepoints[row]},{timepoints[column]}]"
            for row, column in self.cells()
        )


@dataclass(frozen=True, slots=True)
class Correlated:
    """Standard deviations times correlations, where every correlation is a product of powers of free ones.

    Compound symmetry, Toeplitz, AR(1) and ante-dependence differ in these powers alone. Homogeneous compound symmetry
    and Toeplitz have covariances for natural parameters, the others correlations.
    """

    kind: str
    width: int

    @property
    def is_heterogeneous(self) -> bool:
        """A variance per timepoint."""
        return self.kind.endswith("h")

    @property
    def is_linear(self) -> bool:
        """Linear in the natural parameters."""
        return self.kind in ("cs", "toep")

    @property
    def powers(self) -> Array:
        """(correlations, width, width) power of each free correlation in each cell."""
        place = np.arange(self.width)
        distance = np.abs(place[:, None] - place[None, :]).astype(float)
        family = self.kind.removesuffix("h")
        if family in ("cs", "ar1"):
            power: Array = np.minimum(distance, 1.0) if family == "cs" else distance
            return power[None]
        steps = np.arange(self.width - 1)[:, None, None]
        low, high = np.minimum.outer(place, place), np.maximum.outer(place, place)
        involved = distance[None] == steps + 1 if family == "toep" else (low[None] <= steps) & (steps < high[None])
        return np.asarray(involved, dtype=float)

    @property
    def variances(self) -> int:
        """Number of variances."""
        return self.width if self.is_heterogeneous else 1

    @property
    def size(self) -> int:
        """Number of natural parameters."""
        return self.variances + len(self.powers)

    @property
    def working_size(self) -> int:
        """Number of working parameters."""
        return self.size

    def natural(self, working: Array) -> tuple[Array, Array, Array]:
        """See `Block`."""
        v, m = self.variances, self.size
        variance, correlation = np.exp(2.0 * working[:v]), np.tanh(working[v:])
        slope = 1.0 - correlation**2
        bend = -2.0 * correlation * slope
        theta, first, second = np.empty(m), np.zeros((m, m)), np.zeros((m, m, m))
        at, by = np.arange(v), np.arange(v, m)
        theta[at], first[at, at], second[at, at, at] = variance, 2.0 * variance, 4.0 * variance
        scale = variance[0] if self.is_linear else 1.0
        theta[by], first[by, by], second[by, by, by] = scale * correlation, scale * slope, scale * bend
        if self.is_linear:
            first[by, 0], second[by, 0, 0] = 2.0 * theta[by], 4.0 * theta[by]
            second[by, 0, by] = second[by, by, 0] = 2.0 * scale * slope
        return theta, first, second

    def start(self, guess: Array) -> Array:
        """Return working parameters near a covariance matrix."""
        deviation = np.sqrt(np.maximum(np.diag(guess), 1e-6))
        correlations = guess / np.outer(deviation, deviation)
        direct = self.powers.sum(axis=0) == 1.0
        found = np.array([correlations[direct & (power == 1.0)].mean() for power in self.powers])
        found = np.clip(np.nan_to_num(found), -LARGEST_CORRELATION, LARGEST_CORRELATION)
        spread = np.log(deviation if self.is_heterogeneous else [np.sqrt(np.mean(deviation**2))])
        for _ in range(20):
            working = np.concatenate([spread, np.arctanh(found)])
            if np.linalg.eigvalsh(self.assemble(self.natural(working)[0], 0)[()])[0] > 1e-3 * np.exp(2 * spread.min()):
                break
            found = found * 0.8
        return working

    def assemble(self, theta: Array, order: int) -> dict[Index, Array]:
        """Return the matrix as a jet."""
        v, powers = self.variances, self.powers
        if self.is_linear:
            parts = np.concatenate([np.eye(self.width)[None], powers])
            linear: dict[Index, Array] = {(): np.tensordot(theta, parts, 1)}
            return linear | {(place,): part for place, part in enumerate(parts) if order}
        spread: dict[Index, Array]
        if not self.is_heterogeneous:
            spread = {(): np.full((self.width, self.width), theta[0]), (0,): np.ones((self.width, self.width))}
        else:
            spread = _spread(theta[:v])
        return multiply(spread, _powers(theta[v:], powers, v), order, np.multiply)

    def names(self, timepoints: Sequence[str]) -> tuple[str, ...]:
        """Return names of the natural parameters."""
        own = tuple(f"variance[{timepoint}]" for timepoint in timepoints) if self.is_heterogeneous else ("variance",)
        word = "covariance" if self.is_linear else "correlation"
        family = self.kind.removesuffix("h")
        if family in ("cs", "ar1"):
            return (*own, word)
        if family == "toep":
            return (*own, *(f"{word}[lag {lag}]" for lag in range(1, self.width)))
        return (*own, *(f"{word}[{first},{second}]" for first, second in pairwise(timepoints)))


Structure = Unstructured | Correlated


def choose_structure(kind: str, width: int) -> Structure:
    """Return a covariance structure by its name.

    Raises
    ------
    AnalysisError
        No structure has that name.
    """
    if kind not in STRUCTURES:
        raise AnalysisError(
            Problem("covariance_unknown", f"There is no covariance '{kind}'.", choose_from(kind, STRUCTURES))
        )
    return Unstructured(width) if kind == "us" else Correlated(kind, width)


def compose(blocks: Sequence[Block], working: Array) -> tuple[Array, Array, Array]:
    """Return natural parameters of several blocks and their derivatives, as `Block.natural` does."""
    m, w = sum(block.size for block in blocks), sum(block.working_size for block in blocks)
    theta, first, second = np.empty(m), np.zeros((m, w)), np.zeros((m, w, w))
    row = column = 0
    for block in blocks:
        rows, columns = slice(row, row + block.size), slice(column, column + block.working_size)
        theta[rows], first[rows, columns], second[rows, columns, columns] = block.natural(working[columns])
        row, column = rows.stop, columns.stop
    return theta, first, second


def _spread(variances: Array) -> dict[Index, Array]:
    """Return the jet of the products of standard deviations."""
    deviation = np.sqrt(variances)
    width = len(variances)
    unit = np.eye(width)
    first = unit / (2.0 * deviation)
    second = -unit / (4.0 * deviation**3)
    found: dict[Index, Array] = {(): np.outer(deviation, deviation)}
    for i in range(width):
        found[i,] = np.outer(first[i], deviation) + np.outer(deviation, first[i])
        for j in range(i, width):
            found[i, j] = np.outer(first[i], first[j]) + np.outer(first[j], first[i])
        found[i, i] = found[i, i] + np.outer(second[i], deviation) + np.outer(deviation, second[i])
    return found


def _powers(correlations: Array, powers: Array, offset: int) -> dict[Index, Array]:
    """Return the jet of products of powers of correlations; parameters are counted from `offset`."""
    rho = correlations[:, None, None]
    value = rho**powers
    first = np.where(powers >= 1, powers * rho ** np.maximum(powers - 1, 0), 0.0)
    second = np.where(powers >= 2, powers * (powers - 1) * rho ** np.maximum(powers - 2, 0), 0.0)

    def product(changed: dict[int, Array]) -> Array:
        pieces = value.copy()
        for place, change in changed.items():
            pieces[place] = change[place]
        found: Array = pieces.prod(axis=0)
        return found

    found: dict[Index, Array] = {(): product({})}
    for i in range(len(powers)):
        found[offset + i,] = product({i: first})
        found[offset + i, offset + i] = product({i: second})
        for j in range(i + 1, len(powers)):
            found[offset + i, offset + j] = product({i: first, j: first})
    return found

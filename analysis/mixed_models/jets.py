"""Stacks of small matrices with their first and second derivatives by the parameters of a covariance.

A jet maps a tuple of parameter indices, in ascending order, to an array: ``()`` is the value, ``(i,)`` a first and
``(i, j)`` a second derivative. An index that is missing stands for zero, so what does not depend on a parameter costs
nothing. `order` is the highest derivative that is carried along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
Index = tuple[int, ...]
Jet = Mapping[Index, Array]


def multiply(
    first: Jet, second: Jet, order: int, product: Callable[[Array, Array], Array] = np.matmul
) -> dict[Index, Array]:
    """Return the jet of a bilinear product (Leibniz rule)."""
    found: dict[Index, Array] = {}
    for left, a in first.items():
        for right, b in second.items():
            if len(left) + len(right) <= order:
                piece = product(a, b)
                if left and left == right:
                    piece = 2.0 * piece  # the second derivative of ab holds da db twice
                index = tuple(sorted(left + right))
                found[index] = found[index] + piece if index in found else piece
    return found


def add(first: Jet, second: Jet, weight: float = 1.0) -> dict[Index, Array]:
    """Return first + weight * second."""
    found = dict(first)
    for index, value in second.items():
        found[index] = found[index] + weight * value if index in found else weight * value
    return found


def transform(jet: Jet, function: Callable[[Array], Array]) -> dict[Index, Array]:
    """Apply a linear function to value and derivatives."""
    return {index: function(value) for index, value in jet.items()}


def transpose(jet: Jet) -> dict[Index, Array]:
    """Swap the last two axes."""
    return transform(jet, lambda value: np.swapaxes(value, -1, -2))


def invert(jet: Jet, order: int) -> dict[Index, Array]:
    """Return the inverses X of a stack of matrices M: dX = -X dM X.

    Raises
    ------
    numpy.linalg.LinAlgError
        A matrix is singular.
    """
    inverse: Array = np.linalg.inv(jet[()])
    found: dict[Index, Array] = {(): inverse}
    parameters = sorted(index[0] for index in jet if len(index) == 1) if order else []
    moved = {i: jet[i,] @ inverse for i in parameters}
    for i in parameters:
        found[i,] = -(inverse @ moved[i])
    for place, i in enumerate(parameters if order > 1 else []):
        for j in parameters[place:]:
            value = -found[i,] @ moved[j] - found[j,] @ moved[i]
            found[i, j] = value - inverse @ jet[i, j] @ inverse if (i, j) in jet else value
    return found


def log_determinant(jet: Jet, inverse: Jet, order: int) -> dict[Index, Array]:
    """Return log|M| of every matrix M of a stack, given the jet of its inverse; all determinants must be positive."""
    sign, value = np.linalg.slogdet(jet[()])
    if not (sign > 0).all():
        raise np.linalg.LinAlgError("a matrix is not positive definite")
    found: dict[Index, Array] = {(): value}
    for index, change in jet.items():
        if len(index) == 1 and order:
            found[index] = trace(inverse[()], change)
            for (j,) in (other for other in inverse if order > 1 and len(other) == 1 and other >= index):
                found[index[0], j] = trace(inverse[j,], change)
    for index, change in jet.items():
        if len(index) == 2 and order > 1:
            found[index] = found.get(index, np.zeros_like(value)) + trace(inverse[()], change)
    return found


def trace(first: Array, second: Array) -> Array:
    """Return tr(AB) of every pair of a stack."""
    found: Array = np.einsum("...ts,...st->...", first, second)
    return found


def stacked(jet: Jet, size: int, order: int) -> tuple[Array, ...]:
    """Return value, and with them first (size, ...) and second (size, size, ...) derivatives, zeros filled in."""
    value = np.asarray(jet[()])
    found: list[Array] = [value]
    if order:
        firsts = np.zeros((size, *value.shape))
        for index, change in jet.items():
            if len(index) == 1:
                firsts[index[0]] = change
        found.append(firsts)
    if order > 1:
        seconds = np.zeros((size, size, *value.shape))
        for index, change in jet.items():
            if len(index) == 2:
                seconds[index[0], index[1]] = seconds[index[1], index[0]] = change
        found.append(seconds)
    return tuple(found)

"""From starting values to a verified optimum: one verdict that is earned, and a record of how it was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from analysis.mixed_models.covariance import Block, Unstructured, compose
from analysis.mixed_models.jets import Array
from analysis.mixed_models.likelihood import Base, Evaluation, evaluate

DECREMENT: Final = 1e-9
"""At an optimum, one more Newton step may promise no more deviance than this."""
MOST_STEPS: Final = 30
ROUNDING: Final = 1e-12
"""Relative change of a deviance that is put down to rounding."""
MOST_PARAMETERS_FOR_NEWTON: Final = 30
"""With more, derivatives of second order are worked out at the end only."""
ZERO: Final = 1e-4
"""Standard deviation of a random effect, relative to the residual one, from which on it is tried at exactly zero."""
FLAT: Final = 1e-9
"""Smallest eigenvalue of the scaled Hessian, relative to the largest, of a deviance that has a single optimum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimisation:
    """How the covariance parameters were found.

    Attributes
    ----------
    converged : bool
        The gradient vanishes and the Hessian is positive definite. Not taken from the optimiser's word.
    is_singular : bool
        A covariance of random effects lost rank: a valid fit at the border of what is allowed.
    gradient_norm : float
        Root of the Newton decrement: expected change of the deviance in one more step, to the half.
    n_iterations : int
        Steps of all optimisers together.
    optimiser : str
        The one that found the optimum.
    covariance : str
        Step of the ladder that was taken.
    messages : tuple of str
        What was tried and said.
    """

    converged: bool
    is_singular: bool
    gradient_norm: float
    n_iterations: int
    optimiser: str
    covariance: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Optimum:
    """An optimum in working parameters.

    `theta` (m,) natural parameters; `jacobian` (m, w); `hessian` (w, w) of the deviance by working parameters.
    """

    working: Array
    theta: Array
    jacobian: Array
    hessian: Array
    evaluation: Evaluation
    record: Optimisation


class Deviance:
    """The deviance by working parameters, remembering its last point."""

    def __init__(self, base: Base, blocks: Sequence[Block], *, restricted: bool) -> None:
        self.base, self.blocks, self.restricted = base, blocks, restricted
        self._key, self._order = b"", -1
        self._last: tuple[Evaluation, Array, Array, Array] | None = None

    def at(self, working: Array, order: int) -> tuple[Evaluation, Array, Array, Array]:
        """Return the evaluation in natural parameters, these, and their derivatives."""
        key = working.tobytes()
        if self._last is None or key != self._key or self._order < order:
            with np.errstate(all="ignore"):
                theta, first, second = compose(self.blocks, working)
                found = evaluate(self.base, theta, restricted=self.restricted, order=order)
            self._key, self._order, self._last = key, order, (found, theta, first, second)
        return self._last

    def value(self, working: Array) -> float:
        """Return the deviance; infinite where the parameters are no covariance."""
        found = self.at(working, 2 if len(working) <= MOST_PARAMETERS_FOR_NEWTON else 1)[0].deviance
        return found if np.isfinite(found) else np.inf

    def gradient(self, working: Array) -> Array:
        """Return the gradient by working parameters."""
        evaluation, _, first, _ = self.at(working, 1)
        return first.T @ evaluation.gradient if np.isfinite(evaluation.deviance) else np.zeros_like(working)

    def hessian(self, working: Array) -> Array:
        """Return the Hessian by working parameters."""
        evaluation, _, first, second = self.at(working, 2)
        found: Array = first.T @ evaluation.hessian @ first + np.tensordot(evaluation.gradient, second, 1)
        return found


def find_optimum(
    base: Base, blocks: Sequence[Block], starts: Sequence[Array], *, restricted: bool, covariance: str
) -> Optimum:
    """Minimise the deviance from the first start that leads to a verified optimum.

    Returns
    -------
    Optimum
        With `record.converged` False when none does; it is then the best point that was seen.
    """
    deviance = Deviance(base, blocks, restricted=restricted)
    messages: list[str] = []
    steps = 0
    best: tuple[float, Array, str] | None = None
    for number, start in enumerate(starts):
        for name, search in _SEARCHES.items():
            if name == "newton" and len(start) > MOST_PARAMETERS_FOR_NEWTON:
                continue
            label = f"start {number + 1}, {name}"
            try:
                point, used, said = search(deviance, start)
                point, more = _polish(deviance, _try_zeros(deviance, blocks, point))
                point = _try_zeros(deviance, blocks, point)  # rounding moved them again
            except (np.linalg.LinAlgError, ValueError, UnboundLocalError) as error:  # the last: a slip in trust-exact
                messages.append(f"{label}: {error}")
                continue
            steps += used + more
            value = deviance.value(point)
            converged, decrement = verify(deviance, blocks, point)
            messages.append(f"{label}: {said}; deviance {value:.6f}, decrement {decrement:.1e}")
            if best is None or value < best[0]:
                best = (value, point, name)
            if converged:
                return arrange_optimum(deviance, point, blocks, name, covariance, steps, messages)
    if best is None or not np.isfinite(best[0]):
        best = (np.inf, np.asarray(starts[0]), "none")
        messages.append("no attempt had a finite deviance")
    return arrange_optimum(deviance, best[1], blocks, best[2], covariance, steps, messages)


def _newton(deviance: Deviance, start: Array) -> tuple[Array, int, str]:
    found = minimize(
        deviance.value,
        start,
        jac=deviance.gradient,
        hess=deviance.hessian,
        method="trust-exact",
        options={"gtol": 1e-6, "maxiter": 200, "initial_trust_radius": 0.5, "max_trust_radius": 4.0},
    )
    return found.x, int(found.nit), str(found.message)


def _bfgs(deviance: Deviance, start: Array) -> tuple[Array, int, str]:
    found = minimize(
        deviance.value, start, jac=deviance.gradient, method="BFGS", options={"gtol": 1e-5, "maxiter": 1000}
    )
    return found.x, int(found.nit), str(found.message)


_SEARCHES: Final[dict[str, Callable[[Deviance, Array], tuple[Array, int, str]]]] = {"newton": _newton, "bfgs": _bfgs}


def _try_zeros(deviance: Deviance, blocks: Sequence[Block], point: Array) -> Array:
    """Return the point with tiny standard deviations of random effects at exactly zero where that is no worse."""
    residual = np.exp(min(float(point[-1]), 0.0))  # of an outcome with a variance of one, or of another parameter
    trial = point.copy()
    offset = 0
    for block in blocks:
        if isinstance(block, Unstructured):
            for place, (row, column) in enumerate(block.cells()):
                if row == column and abs(point[offset + place]) < ZERO * residual:
                    trial[offset + place] = 0.0
        offset += block.working_size
    if (trial == point).all():
        return point
    return trial if deviance.value(trial) <= deviance.value(point) + 1e-6 else point


def _polish(deviance: Deviance, point: Array) -> tuple[Array, int]:
    """Take Newton steps while they promise something."""
    value = deviance.value(point)
    for step in range(MOST_STEPS):
        move, promise, least = _newton_step(deviance, point)
        if least < 0 or promise < DECREMENT**2:
            return point, step
        trial = point + move
        found = deviance.value(trial)
        if not found <= value + ROUNDING * max(1.0, abs(value)):
            return point, step
        point, value = trial, found
    return point, MOST_STEPS


def _newton_step(deviance: Deviance, point: Array) -> tuple[Array, float, int]:
    """Return the Newton step without flat directions, the deviance it promises, and the sign of the least curvature."""
    gradient, hessian = deviance.gradient(point), deviance.hessian(point)
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    values, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    flat = np.abs(values) <= FLAT * np.abs(values).max()
    along = vectors.T @ (scale * gradient)
    step = np.where(flat, 0.0, along / np.where(flat, 1.0, values))
    move: Array = -scale * (vectors @ step)
    least = -1 if (values[~flat] < 0).any() else 0 if flat.any() else 1
    return move, float(abs(along @ step)), least


def verify(
    deviance: Deviance, blocks: Sequence[Block], point: Array, promised: float = DECREMENT
) -> tuple[bool, float]:
    """Tell whether a point is an optimum, and the root of what one more Newton step promises.

    Only where the covariance of several random effects has lost rank may the deviance be flat in a direction: factors
    of it can then be turned. A variance in which the deviance is flat is not identified.
    """
    if not np.isfinite(deviance.value(point)) or not np.isfinite(deviance.hessian(point)).all():
        return False, np.inf
    _, promise, least = _newton_step(deviance, point)
    curved = least > 0 or (least == 0 and _is_singular(blocks, point, of_several=True))
    return curved and promise < promised, float(np.sqrt(promise))


def arrange_optimum(
    deviance: Deviance,
    point: Array,
    blocks: Sequence[Block],
    optimiser: str,
    covariance: str,
    steps: int,
    messages: Sequence[str],
    promised: float = DECREMENT,
) -> Optimum:
    """Return a point with its verdict."""
    evaluation, theta, jacobian, _ = deviance.at(point, 2)
    finite = bool(np.isfinite(evaluation.deviance))
    converged, decrement = verify(deviance, blocks, point, promised) if finite else (False, np.inf)
    hessian = deviance.hessian(point) if finite else np.full((len(point), len(point)), np.nan)
    record = Optimisation(
        converged=converged,
        is_singular=finite and _is_singular(blocks, point),
        gradient_norm=decrement,
        n_iterations=steps,
        optimiser=optimiser,
        covariance=covariance,
        messages=tuple(messages),
    )
    return Optimum(point, theta, jacobian, hessian, evaluation, record)


def _is_singular(blocks: Sequence[Block], point: Array, *, of_several: bool = False) -> bool:
    """Tell whether a covariance of random effects (with `of_several`: of more than one) has lost rank."""
    offset, found = 0, False
    for block in blocks:
        if isinstance(block, Unstructured) and (block.width > 1 or not of_several):
            theta = block.natural(point[offset : offset + block.working_size])[0]
            matrix = block.assemble(theta, 0)[()]
            scale = np.sqrt(np.maximum(np.diag(matrix), 1e-12))
            found |= bool(
                np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] < 1e-6 or (np.diag(matrix) < 1e-9).any()
            )
        offset += block.working_size
    return found

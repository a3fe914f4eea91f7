"""What is known of numbers of people: limits, sums, and what follows from all of them by linear programming."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

What = tuple[str, str, str, str]
"""Which people: what they did, arm, timepoint, measure (or what else they have in common)."""
MOST: Final = 1e5
"""People beyond whom nobody counts."""
_NEAR: Final = 1e-6
_ROUNDS: Final = 6


@dataclass(frozen=True)
class Learned:
    """Between which numbers the number of some people lies, or of those who are not also some others."""

    what: What
    low: float
    high: float
    without: What | None = None


class MisreadError(ValueError):
    """What was read does not fit together."""


class Knowledge:
    """Numbers of people, between which limits each was said to lie, and sums that are not above a limit."""

    def __init__(self) -> None:
        self.low: dict[What, float] = {}
        self.high: dict[What, float] = {}
        self.sums: list[tuple[dict[What, float], float]] = []
        self.parts: dict[tuple[What, What], None] = {}
        self.sources: dict[What, list[str]] = {}
        self.source = ""

    def tell(self, what: What, low: float = 0.0, high: float = MOST) -> None:
        """Take in that a number of people is not below `low` and not above `high`."""
        if low > self.low.get(what, 0.0) or high < self.high.get(what, MOST):
            self.sources.setdefault(what, []).append(f"{self.source}: {low:.6g} to {high:.6g}")
        self.low[what] = max(self.low.get(what, 0.0), low)
        self.high[what] = min(self.high.get(what, MOST), high)

    def limit(self, terms: Mapping[What, float], limit: float = 0.0) -> None:
        """Take in that a sum of numbers of people, each times a factor, is not above a limit."""
        for what in terms:
            self.tell(what)
        self.sums.append((dict(terms), limit))

    def part_of(self, part: What, whole: What) -> None:
        """Take in that some people are part of others; who is not part could be had by subtracting."""
        if (part, whole) not in self.parts:
            self.parts[part, whole] = None
            self.limit({part: 1.0, whole: -1.0})

    def share(self, part: What, whole: What, low: float, high: float) -> None:
        """Take in between which shares of a whole a part lies."""
        self.part_of(part, whole)
        self.limit({part: 1.0, whole: -min(high, 1.0)})
        self.limit({part: -1.0, whole: max(low, 0.0)})

    def spread(self) -> None:
        """Tighten limits by each sum on its own, to whole numbers; what is true stays possible."""
        for _ in range(_ROUNDS):
            before = (dict(self.low), dict(self.high))
            for terms, limit in self.sums:
                least = sum(f * (self.low[w] if f > 0 else self.high[w]) for w, f in terms.items())
                for what, factor in terms.items():
                    rest = limit - least + factor * (self.low[what] if factor > 0 else self.high[what])
                    if factor > 0:
                        self.high[what] = min(self.high[what], float(np.floor(rest / factor + _NEAR)))
                    elif factor < 0:
                        self.low[what] = max(self.low[what], float(np.ceil(rest / factor - _NEAR)))
                    if self.low[what] > self.high[what]:
                        told = [(each, self.low[each], self.high[each], self.sources.get(each)) for each in terms]
                        message = f"{terms} is not below {limit:g}: {told}"
                        raise MisreadError(message)
            if before == (self.low, self.high):
                return

    def solve(self, is_few: Callable[[float, float], bool]) -> Iterator[Learned]:
        """Yield every number of people whose limits satisfy a condition, which wider limits never do."""
        names = list(self.low)
        place = {what: number for number, what in enumerate(names)}
        cells = [
            (number, place[what], factor)
            for number, (terms, _) in enumerate(self.sums)
            for what, factor in terms.items()
        ]
        rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
        matrix = csr_array((values, (rows, columns)), shape=(len(self.sums), len(names)))
        limits = np.array([limit for _, limit in self.sums])
        bounds = np.array([(self.low[what], self.high[what]) for what in names])
        if (bounds[:, 0] > bounds[:, 1] + _NEAR).any():
            crossed = [names[at] for at in np.flatnonzero(bounds[:, 0] > bounds[:, 1] + _NEAR)]
            raise MisreadError(f"{crossed[0]}: {self.sources.get(crossed[0])}")
        seen: list[np.ndarray] = []
        for what, without in self._asked():
            terms = {what: 1.0} if without is None else {what: 1.0, without: -1.0}
            weights = np.zeros(len(names))
            for name, factor in terms.items():
                weights[place[name]] = factor
            low, high = (float(weights @ np.where(weights * sign > 0, bounds[:, 0], bounds[:, 1])) for sign in (1, -1))
            values_seen = [float(weights @ point) for point in seen]
            if values_seen and not is_few(min(values_seen), max(values_seen)):
                continue
            if len(terms) > 1 or low != high:
                low, high = self._ends(weights, matrix, limits, bounds, seen)
            if is_few(low, high):
                yield Learned(what, low, high, without)

    def _asked(self) -> list[tuple[What, What | None]]:
        return [*((what, None) for what in self.low), *((whole, part) for part, whole in self.parts)]

    def _ends(
        self, weights: np.ndarray, matrix: csr_array, limits: np.ndarray, bounds: np.ndarray, seen: list[np.ndarray]
    ) -> tuple[float, float]:
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(sign * weights, A_ub=matrix, b_ub=limits + _NEAR, bounds=bounds, method="highs")
            if answer.x is None:
                message = "No numbers of people agree with everything that was read."
                raise MisreadError(message)
            seen.append(answer.x)
            ends.append(float(weights @ answer.x))
        return float(np.ceil(ends[0] - 1e-4)), float(np.floor(ends[1] + 1e-4))

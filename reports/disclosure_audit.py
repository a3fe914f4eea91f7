"""An independent check of the disclosure gate: what follows from everything that is told, by linear programming.

For every number of people that is not told, the smallest and the largest that agree with the published table are found
(Dantzig 1963; as in the audit of suppressed tables, Fischetti and Salazar 2001, doi 10.1287/mnsc.47.7.1008.9796). The
interval must not be tighter than the profile allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from analysis.profiles import Profile
from reports.disclosure_knowledge import Count, Knowledge, Terms, list_protected, read_knowledge

MOST: Final = 1e6
"""People beyond whom nobody counts: it stands for no limit."""
_NEAR: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """A number of people that follows too exactly.

    Attributes
    ----------
    name : str
        Which people.
    low, high : float
        Between which numbers it must lie.
    counts : tuple of Count
        Published counts that it follows from.
    rows : tuple of int
        Places of rows whose shares it follows from.
    """

    name: str
    low: float
    high: float
    counts: tuple[Count, ...]
    rows: tuple[int, ...]


def audit_disclosure(gated: pd.DataFrame, profile: Profile, known: Knowledge | None = None) -> list[Finding]:
    """Find the numbers of people that follow more exactly from gated results than a profile allows.

    Parameters
    ----------
    gated : DataFrame
        What `gate_results` lets through; nothing else is looked at.
    profile : Profile
        The rule.
    known : Knowledge, optional
        What is known, where that is more than the results tell.

    Returns
    -------
    list of Finding
        Empty where nobody can be told of: every number is zero, or at least the threshold, or between limits that are
        as far apart as small numbers are, and that are not all small.
    """
    known = read_knowledge(gated, profile) if known is None else known
    return [found for component in _components(known) for found in _Program(known, component).find(profile)]


def is_safe(low: float, high: float, profile: Profile) -> bool:
    """Tell whether a number of people may be known to lie between two numbers."""
    return bool(np.ceil(low - _NEAR) >= profile.threshold or high + _NEAR < 1 or _has_room(low, high, profile))


def _has_room(low: float, high: float, profile: Profile) -> bool:
    """Tell whether two numbers are as far apart as small ones are, and not both small; what is wider has room too."""
    least, most = np.ceil(low - _NEAR), np.floor(high + _NEAR)
    width = profile.threshold - 1 if profile.rounded_to == 1 else min(profile.threshold, profile.rounded_to) - 1
    is_small = least >= 1 and most < profile.threshold
    return bool(not is_small and most - least >= width)


def _components(known: Knowledge) -> Iterator[set[Count]]:
    """Yield counts that tell of each other: those that share an inequality, where not all of it is published."""
    parent = {count: count for count in known.low}

    def root(count: Count) -> Count:
        while parent[count] != count:
            parent[count] = parent[parent[count]]
            count = parent[count]
        return count

    fixed = {count for count, low in known.low.items() if low == known.high[count]}
    for terms in (*(each.terms for each in known.inequalities), *known.derived.values()):
        free = [count for count, _ in terms if count not in fixed]
        for other in free[1:]:
            parent[root(other)] = root(free[0])
    found: dict[Count, set[Count]] = {}
    for count in known.low:
        if count not in fixed:
            found.setdefault(root(count), set()).add(count)
    yield from found.values()
    yield set()


class _Program:
    """The linear program of one component; counts outside it are published, and so are numbers."""

    def __init__(self, known: Knowledge, counts: set[Count]) -> None:
        self.known = known
        self.place = {count: place for place, count in enumerate(each for each in known.low if each in counts)}
        self.limits = [each for each in known.inequalities if any(count in self.place for count, _ in each.terms)]
        columns, rows, values, limits = [], [], [], []
        for number, each in enumerate(self.limits):
            limit = each.limit
            for count, factor in each.terms:
                if count in self.place:
                    rows.append(number)
                    columns.append(self.place[count])
                    values.append(factor)
                else:
                    limit -= factor * known.low[count]
            limits.append(limit)
        self.matrix = csr_array((values, (rows, columns)), shape=(len(self.limits), len(self.place)))
        self.limit = np.array(limits)
        self.bounds = [(known.low[count], min(known.high[count], MOST)) for count in self.place]
        self.seen: list[NDArray[np.float64]] = []

    def find(self, profile: Profile) -> Iterator[Finding]:
        """Yield what follows too exactly; points that were found already often show that there is room."""
        for name, terms in list_protected(self.known):
            weights, constant = np.zeros(len(self.place)), 0.0
            for count, factor in terms:
                if count in self.place:
                    weights[self.place[count]] += factor
                else:
                    constant += factor * self.known.low[count]
            is_mine = weights.any() if self.place else not any(self._is_free(count) for count, _ in terms)
            if not is_mine or (self.place and not all(self._belongs(count) for count, _ in terms)):
                continue
            values = [float(weights @ point) + constant for point in self.seen]
            if values and _has_room(min(values), max(values), profile):
                continue
            yield from self._solve(name, terms, weights, constant, profile)

    def _is_free(self, count: Count) -> bool:
        return self.known.low[count] != self.known.high[count]

    def _belongs(self, count: Count) -> bool:
        return count in self.place or not self._is_free(count)

    def _solve(
        self, name: str, terms: Terms, weights: NDArray[np.float64], constant: float, profile: Profile
    ) -> Iterator[Finding]:
        if not self.place:
            if not is_safe(constant, constant, profile):
                yield Finding(name, constant, constant, tuple(count for count, _ in terms), ())
            return
        ends, answers = [], []
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * weights, A_ub=self.matrix if len(self.limit) else None,
                b_ub=self.limit if len(self.limit) else None, bounds=self.bounds, method="highs",
            )  # fmt: skip
            if answer.x is None:
                # No numbers agree with what is published (rounded shares may miss each other): nothing is proven safe.
                yield Finding(
                    name, np.nan, np.nan, tuple(self.place), tuple(r for each in self.limits for r in each.rows)
                )
                return
            self.seen.append(answer.x)
            ends.append(float(weights @ answer.x) + constant)
            answers.append(answer)
        if not is_safe(min(ends), max(ends), profile):
            counts, rows = self._reasons(answers)
            fixed = [count for count, _ in terms if count not in self.place]
            yield Finding(name, min(ends), max(ends), tuple(dict.fromkeys([*counts, *fixed])), rows)

    def _reasons(self, answers: list[Any]) -> tuple[list[Count], tuple[int, ...]]:
        """Return the published counts, and the rows of shares, that hold a number where it is."""
        counts: list[Count] = []
        rows: list[int] = []
        for answer in answers:
            held = (np.abs(answer.lower.marginals) + np.abs(answer.upper.marginals)) > _NEAR
            counts += [count for count, place in self.place.items() if held[place]]
            for each, weight in zip(self.limits, answer.ineqlin.marginals if len(self.limit) else (), strict=False):
                if abs(weight) > _NEAR:
                    rows += each.rows
                    counts += [count for count, _ in each.terms if count not in self.place]
        return counts, tuple(dict.fromkeys(rows))

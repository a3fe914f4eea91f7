"""Terms of the fixed part: names and products of names, never a formula.

A factor stands for the indicators of its levels but the reference; a product of terms for the products of their
columns. So ``("timepoint", "arm:timepoint")`` without ``arm`` means: arms differ at later timepoints only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from math import prod
from typing import Final, Literal

from analysis.errors import AnalysisError
from data_contracts.errors import Problem, choose_from

INTERCEPT: Final = "intercept"
Place = Literal["participant", "timepoint", "row"]
Part = tuple[str, int]
"""A variable and the place of a level in its levels; 0 of a number, whose levels are empty."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A column that terms are made of.

    Attributes
    ----------
    name : str
        Column of the data.
    place : {"participant", "timepoint", "row"}
        What it depends on: constant within a participant, a function of the planned timepoint, or neither.
    levels : tuple of str
        Of a factor, the reference level first; empty for a number.
    centre, mean : float
        Of a number: the agreed constant about which sums are taken (the mean where centring was asked for), and its
        mean over rows.
    is_centred : bool
        Coefficients are those of the centred number.
    values : tuple of float
        Where it depends on the timepoint: its value, or the place of its level, at each.
    shares : tuple of float
        Share of the rows that have each level of a factor.
    """

    name: str
    place: Place
    levels: tuple[str, ...] = ()
    centre: float = 0.0
    mean: float = 0.0
    is_centred: bool = False
    values: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def parts(self) -> list[Part]:
        """Return what the variable contributes: every level but the reference, or the number itself."""
        return [(self.name, place) for place in range(1, len(self.levels))] if self.levels else [(self.name, 0)]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the design: a function of the timepoint times a feature.

    Attributes
    ----------
    name : str
        Such as ``arm[peer]:timepoint[post]``.
    term : str
        The term it belongs to.
    parts : frozenset of Part
        All its parts.
    by_timepoint : tuple of float
        Its factor at each timepoint.
    feature : tuple of Part
        Its parts that are not functions of the timepoint, in sorted order; empty for the constant.
    """

    name: str
    term: str
    parts: frozenset[Part]
    by_timepoint: tuple[float, ...]
    feature: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Terms, variables and planned timepoints: what every part of the data must agree on to be added up.

    Attributes
    ----------
    terms : tuple of str
        As declared; the intercept is always there.
    variables : mapping
        Name -> Variable, for every name in `terms`.
    timepoints : tuple of str
        Planned, in order.
    times : tuple of float
        Numeric time of each; empty where only their order is known.
    outcome_centre : float
        The agreed constant about which sums of the outcome are taken.
    """

    terms: tuple[str, ...]
    variables: Mapping[str, Variable]
    timepoints: tuple[str, ...]
    times: tuple[float, ...] = ()
    outcome_centre: float = 0.0
    columns: tuple[Column, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self._columns()))

    def _columns(self) -> Iterable[Column]:
        yield Column(INTERCEPT, INTERCEPT, frozenset(), (1.0,) * len(self.timepoints), ())
        for term in self.terms:
            for parts in product(*(self.variables[name].parts() for name in term.split(":"))):
                own = [part for part in parts if self.variables[part[0]].place != "timepoint"]
                yield Column(
                    ":".join(self.label(part) for part in parts),
                    term,
                    frozenset(parts),
                    tuple(
                        prod(self._at(part, place) for part in parts if part not in own)
                        for place in range(len(self.timepoints))
                    ),
                    tuple(sorted(own)),
                )

    def label(self, part: Part) -> str:
        """Return the name of a part as it stands in column names."""
        levels = self.variables[part[0]].levels
        return f"{part[0]}[{levels[part[1]]}]" if levels else part[0]

    def _at(self, part: Part, place: int) -> float:
        variable = self.variables[part[0]]
        if variable.levels:
            return float(variable.values[place] == part[1])
        return variable.values[place] - variable.centre

    def features(self) -> tuple[tuple[tuple[Part, ...], ...], tuple[tuple[Part, ...], ...]]:
        """Return the products of parts that the columns need: constant within participants, and varying."""
        needed = dict.fromkeys([(), *(column.feature for column in self.columns)])
        varying = [key for key in needed if any(self.variables[part[0]].place == "row" for part in key)]
        return tuple(key for key in needed if key not in varying), tuple(varying)

    def uncentred(self, columns: Sequence[Column]) -> list[list[float]] | None:
        """Return the matrix that turns columns of centred numbers into columns of numbers as they are.

        A row per column as asked for, in terms of the columns in which numbers are centred. None where a product
        stands without its parts, so that there is no such matrix.
        """
        where = {(column.parts): place for place, column in enumerate(columns)}
        rows = []
        for column in columns:
            shifted = [part for part in column.parts if self._shift(part)]
            row = [0.0] * len(columns)
            for size in range(len(shifted) + 1):
                for left_out in combinations(shifted, size):
                    place = where.get(column.parts - set(left_out))
                    if place is None:
                        return None
                    row[place] += prod(self._shift(part) for part in left_out)
            rows.append(row)
        return rows

    def _shift(self, part: Part) -> float:
        """Return what is to be added to a centred part to have the one that was asked for."""
        variable = self.variables[part[0]]
        return 0.0 if variable.levels or variable.is_centred else variable.centre


def check_terms(terms: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return terms after holding their names against the columns there are.

    Raises
    ------
    AnalysisError
        A term is not made of known names joined by ``:``, or stands twice.
    """
    problems = []
    for term in terms:
        problems += [
            Problem("term_unknown", f"The term '{term}' names no column '{name}'.", choose_from(name, list(known)))
            for name in term.split(":")
            if name not in known
        ]
    problems += [
        Problem(
            "term_with_itself", f"The term '{term}' multiplies a column with itself.", "Make a column of the square."
        )
        for term in terms
        if len(set(term.split(":"))) < len(term.split(":"))
    ]
    seen = [frozenset(term.split(":")) for term in terms]
    problems += [
        Problem("term_twice", f"The term '{term}' stands more than once.", "Keep one.")
        for place, term in enumerate(terms)
        if seen[place] in seen[:place]
    ]
    if problems:
        raise AnalysisError(problems)
    return tuple(terms)


def constrained_terms(arm: str, timepoint: str, covariates: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the terms of a constrained longitudinal analysis: baseline is an outcome, its mean equal in all arms.

    Parameters
    ----------
    arm, timepoint : str
        Columns; the reference level of `timepoint` is the baseline.
    covariates : sequence of str
        Further terms.

    References
    ----------
    Liang and Zeger 2000, Sankhya B 62:134; Lu 2010, doi 10.1002/sim.3844.
    """
    return (timepoint, *covariates, f"{arm}:{timepoint}")


def ancova_terms(arm: str, timepoint: str, baseline: str, covariates: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the terms of an analysis of later timepoints that allows for baseline, differently at each timepoint.

    Parameters
    ----------
    arm, timepoint, baseline : str
        Columns; `baseline` holds the score at baseline on every row (see `baseline_as_covariate`).
    covariates : sequence of str
        Further terms.
    """
    return (arm, timepoint, f"{arm}:{timepoint}", baseline, f"{baseline}:{timepoint}", *covariates)

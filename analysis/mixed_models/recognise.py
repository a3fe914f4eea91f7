"""What the columns of a frame are: occasions, factors and numbers, and what each depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Codes
from analysis.mixed_models.terms import Design, Place, Variable
from data_contracts.errors import Problem, choose_from

MOST_TIMEPOINTS: Final = 12
"""More distinct times than this are not planned timepoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which columns of a frame are what.

    Attributes
    ----------
    outcome, participant : str
        Columns of the outcome and of the participant.
    timepoint : str or None
        Column of the planned timepoint; None where rows of a participant have no planned order.
    groups : tuple of str
        Columns of the groups, from the lowest.
    stratum : str or None
        Column by whose levels covariance or residual variance differ.
    partially_nested : bool
        Rows without a group are allowed, and share no group variance.
    """

    outcome: str
    participant: str
    timepoint: str | None
    groups: tuple[str, ...] = ()
    stratum: str | None = None
    partially_nested: bool = False

    def columns(self, terms: Iterable[str]) -> list[str]:
        """Return every column that has to be complete."""
        named = [self.outcome, self.participant, self.timepoint, self.stratum, *self.groups]
        return list(dict.fromkeys([*(name for name in named if name), *(n for term in terms for n in term.split(":"))]))


def find_occasions(
    columns: Mapping[str, pd.Series], roles: Roles, time: str | None, participant: Codes, count: int
) -> tuple[Codes, tuple[str, ...], tuple[float, ...]]:
    """Return the place of each row among the occasions, their labels and, where planned, their numeric times."""
    if roles.timepoint:
        codes, labels = code_levels(columns[roles.timepoint])
        numbers: tuple[float, ...] = ()
        if time:
            at = columns[time].to_numpy(dtype=float)
            first = first_rows(codes, len(labels))
            numbers = tuple(at[first])
            if not (at == at[first][codes]).all():
                raise AnalysisError(
                    Problem("time_differs", f"'{time}' differs within a timepoint.", "Leave timepoint out.")
                )
        return codes, labels, numbers
    if time:
        codes, uniques = pd.factorize(columns[time].to_numpy(dtype=float), sort=True)
        few = len(uniques) <= MOST_TIMEPOINTS
        if few and np.bincount(participant * len(uniques) + codes).max() == 1:
            return codes, tuple(f"{value:g}" for value in uniques), tuple(float(value) for value in uniques)
    order = np.argsort(participant, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(participant, minlength=count))[:-1]])
    place = np.empty(len(participant), dtype=np.int64)
    place[order] = np.arange(len(participant)) - starts[participant[order]]
    return place, tuple(str(number) for number in range(int(place.max()) + 1)), ()


@dataclass(frozen=True, slots=True)
class Occasions:
    """Where every row stands.

    Attributes
    ----------
    planned : (rows,) array of int
        Place among the occasions.
    labels : tuple of str
        The occasions.
    times : tuple of float
        Their numeric times; empty where there are none, or no planned occasions.
    participant : (rows,) array of int
        Code of the participant.
    first : (participants,) array of int
        First row of each participant.
    order : (rows,) array of int
        Rows by participant and occasion: what is summed in this order does not depend on that of the frame.
    """

    planned: Codes
    labels: tuple[str, ...]
    times: tuple[float, ...]
    participant: Codes
    first: Codes
    order: Codes


def recognise_design(
    terms: Sequence[str],
    columns: Mapping[str, pd.Series],
    roles: Roles,
    where: Occasions,
    references: Mapping[str, str],
    center: Sequence[str],
) -> Design:
    """Recognise every variable of the terms."""
    names = list(dict.fromkeys(name for term in terms for name in term.split(":")))
    is_planned = bool(roles.timepoint or where.times)
    occasion = first_rows(where.planned, len(where.labels)) if is_planned else None
    factors = [name for name in names if name == roles.timepoint or not is_number(columns[name])]
    factors += [roles.timepoint] if roles.timepoint and roles.timepoint not in factors else []
    for given, known, what in (
        (references, factors, "factor"),
        (center, [n for n in names if n not in factors], "number"),
    ):
        for name in (each for each in given if each not in known):
            message = f"'{name}' is no {what} of the terms."
            raise AnalysisError(Problem(f"no_{what}", message, choose_from(name, known or ["none"])))
    variables = {}
    for name in names:
        values = columns[name]
        numeric = name not in factors
        at, levels = (values.to_numpy(dtype=float), ()) if numeric else code_levels(values, references.get(name), name)
        place: Place = "row"
        by_timepoint: tuple[float, ...] = ()
        if (at == at[where.first][where.participant]).all():
            place = "participant"
        if occasion is not None and (name == roles.timepoint or (at == at[occasion][where.planned]).all()):
            place, by_timepoint = "timepoint", tuple(float(value) for value in at[occasion])
        mean = float(at[where.order].mean()) if numeric else 0.0
        shares = tuple(np.bincount(at.astype(np.int64), minlength=len(levels)) / len(at)) if levels else ()
        variables[name] = Variable(name, place, levels, mean, mean, name in center, by_timepoint, shares)
    return make_design(
        terms,
        variables,
        where.labels,
        where.times,
        float(columns[roles.outcome].to_numpy(dtype=float)[where.order].mean()),
    )


def make_design(
    terms: Sequence[str],
    variables: Mapping[str, Variable],
    labels: tuple[str, ...],
    times: tuple[float, ...],
    outcome_centre: float,
) -> Design:
    """Return a design; where products stand without their parts, sums of numbers are taken about zero."""
    found = Design(
        terms=tuple(terms), variables=variables, timepoints=labels, times=times, outcome_centre=outcome_centre
    )
    if found.uncentred(found.columns) is not None:
        return found
    plain = {name: each if each.is_centred else replace(each, centre=0.0) for name, each in variables.items()}
    return replace(found, variables=plain)


def code_levels(values: pd.Series, reference: str | None = None, name: str = "") -> tuple[Codes, tuple[str, ...]]:
    """Return codes and labels of a factor: categories in their order, anything else sorted; the reference first."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        codes, uniques = values.cat.codes.to_numpy(dtype=np.int64), list(values.cat.categories)
    else:
        codes, uniques = pd.factorize(values.to_numpy(), sort=True)
        uniques = list(uniques)
    labels = [label_of(value) for value in uniques]
    if len(set(labels)) < len(labels):
        message = f"'{name}' has different levels that are written alike."
        raise AnalysisError(Problem("levels_alike", message, "Give every level a text of its own."))
    if reference is not None:
        if str(reference) not in labels:
            message = f"'{name}' has no level '{reference}'."
            raise AnalysisError(Problem("level_unknown", message, choose_from(str(reference), labels)))
        old = labels.index(str(reference))
        order = [old, *(place for place in range(len(labels)) if place != old)]
        codes = np.argsort(order)[codes]
        labels = [labels[place] for place in order]
    return codes.astype(np.int64), tuple(labels)


def label_of(value: object) -> str:
    """Return the text of a level: whole numbers without a point."""
    if isinstance(value, np.datetime64):
        return str(pd.Timestamp(value))
    if not isinstance(value, float):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def place_labels(values: pd.Series, labels: Sequence[str], name: str) -> Codes:
    """Return codes of values among agreed labels."""
    codes, found = code_levels(values)
    unknown = [label for label in found if label not in labels]
    if unknown:
        message = f"'{name}' has the level '{unknown[0]}', which was not agreed on."
        raise AnalysisError(Problem("level_unknown", message, choose_from(unknown[0], list(labels))))
    return np.array([labels.index(label) for label in found], dtype=np.int64)[codes]


def is_number(values: pd.Series) -> bool:
    """Tell whether a column holds real numbers."""
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_complex_dtype(values.dtype)


def first_rows(participant: Codes, count: int) -> Codes:
    """Return the first row of each code."""
    first = np.empty(count, dtype=np.int64)
    first[participant[::-1]] = np.arange(len(participant))[::-1]
    return first

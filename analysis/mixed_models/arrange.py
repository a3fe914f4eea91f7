"""From a frame to arrays by participant and timepoint: variables recognised, rows checked, none dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Array, Codes, Mask
from analysis.mixed_models.recognise import (
    Occasions,
    Roles,
    code_levels,
    find_occasions,
    first_rows,
    is_number,
    label_of,
    place_labels,
    recognise_design,
)
from analysis.mixed_models.reshape import no_column
from analysis.mixed_models.terms import Design, Part, check_terms
from data_contracts.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who is in which group: `codes` (n,) with -1 for none, and the rows (n, T) that share its variance."""

    name: str
    labels: tuple[str, ...]
    codes: Codes
    active: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """The rows of a model by participant and timepoint.

    Attributes
    ----------
    design : Design
        Terms, variables and timepoints.
    outcome : (n, T) array
        About the agreed constant; 0 where nothing was observed.
    mask : (n, T) array of bool
        What was observed.
    constant : (n, features) array
        Features that are constant within participants, the constant 1 first.
    varying : (n, features, T) array
        Features that vary within participants; 0 where nothing was observed.
    strata : (n,) array of int
        Code of the stratum, by `stratum_labels`.
    memberships : tuple of Membership
        From the lowest level.
    participants : (n,) array
        Ids, sorted.
    rows : (n, T) array of int
        Position of a row in the frame, -1 where nothing was observed.
    times : (n, T) array or None
        Numeric time where there are no planned timepoints.
    dropped : mapping
        Reason -> number of rows left out.
    """

    design: Design
    outcome: Array
    mask: Mask
    constant: Array
    varying: Array
    strata: Codes
    stratum_labels: tuple[str, ...]
    memberships: tuple[Membership, ...]
    participants: np.ndarray
    rows: Codes
    times: Array | None
    dropped: Mapping[str, int]

    @property
    def n_rows(self) -> int:
        """Number of rows in the model."""
        return int(self.mask.sum())

    def matrix(self, people: slice | Codes = slice(None)) -> Array:
        """Return [X | y] of some participants, (n, T, columns + 1), zero where nothing was observed."""
        constant, varying = self.design.features()
        mask = self.mask[people]
        found = np.zeros((*mask.shape, len(self.design.columns) + 1))
        for place, column in enumerate(self.design.columns):
            by_timepoint = np.array(column.by_timepoint) if self.times is None else np.ones(mask.shape[1])
            values = (
                self.varying[people, varying.index(column.feature)]
                if column.feature in varying
                else self.constant[people, constant.index(column.feature)][:, None]
            )
            found[..., place] = values * by_timepoint * mask
        found[..., -1] = self.outcome[people]
        return found


def arrange(
    frame: pd.DataFrame,
    terms: Sequence[str],
    roles: Roles,
    *,
    design: Design | None = None,
    references: Mapping[str, str] | None = None,
    center: Sequence[str] = (),
    time: str | None = None,
) -> Arranged:
    """Arrange rows by participant and timepoint.

    Parameters
    ----------
    frame : DataFrame
        One row per participant and timepoint. Rows that lack the outcome or a term are left out and counted.
    terms : sequence of str
        Names, or products ``a:b`` of names.
    roles : Roles
        Which columns are what.
    design : Design, optional
        Agreed beforehand, for parts of data that will be added up; else found in the frame.
    references : mapping, optional
        Factor -> reference level; by default the first in sorted order, or of the categories.
    center : sequence of str
        Numbers whose coefficients are those of the number less its mean over rows.
    time : str, optional
        Column of the numeric time.

    Raises
    ------
    AnalysisError
        A column is missing, a participant stands twice at a timepoint, or a group or stratum changes within a
        participant.
    """
    needed = roles.columns([*terms, *([time] if time else [])])
    for column in needed:
        if column not in frame.columns:
            raise no_column(column, frame)
    check_terms(terms, list(frame.columns))
    _check_roles(frame, terms, roles, time, needed)
    kept, dropped = _complete(frame, needed, roles)
    is_whole = len(kept) == len(frame)  # then nothing needs to be copied
    columns = {name: frame[name] if is_whole else frame[name].iloc[kept] for name in needed}
    participant, ids = pd.factorize(columns[roles.participant].to_numpy(), sort=True)
    first = first_rows(participant, len(ids))
    planned, labels, times = find_occasions(columns, roles, time, participant, len(ids))
    if design is not None:
        at = pd.Series(labels)[planned] if roles.timepoint is None else columns[roles.timepoint]
        planned, labels = place_labels(at, design.timepoints, roles.timepoint or "time"), design.timepoints
        agreed = np.array(design.times or np.zeros(0))
        if time and len(agreed) and not (agreed[planned] == columns[time].to_numpy(dtype=float)).all():
            message = f"'{time}' is not what was agreed on."
            raise AnalysisError(Problem("time_differs", message, "Give the same time at the same timepoint."))
    place = np.full((len(ids), len(labels)), -1, dtype=np.int64)
    place[participant, planned] = np.arange(len(kept))
    mask = place >= 0
    _once_each(mask, len(kept), roles)
    if design is None:
        where = Occasions(planned, labels, times, participant, first, place[mask])
        design = recognise_design(terms, columns, roles, where, references or {}, center)
    values = columns[roles.outcome].to_numpy(dtype=float) - design.outcome_centre
    constant, varying = _features(design, columns, first, place, mask)
    strata, stratum_labels = _strata(columns, roles, participant, first)
    return Arranged(
        design=design,
        outcome=np.where(mask, values[place], 0.0),
        mask=mask,
        constant=constant,
        varying=varying,
        strata=strata,
        stratum_labels=stratum_labels,
        memberships=tuple(_membership(name, columns[name], participant, place, mask, roles) for name in roles.groups),
        participants=np.asarray(ids),
        rows=place if is_whole else np.where(mask, kept[place], -1),
        times=None
        if roles.timepoint or times or not time
        else np.where(mask, columns[time].to_numpy(dtype=float)[place], 0.0),
        dropped=dropped,
    )


def _check_roles(
    frame: pd.DataFrame, terms: Sequence[str], roles: Roles, time: str | None, needed: Sequence[str]
) -> None:
    """Refuse columns that stand twice, that are two things at once, or that hold no finite numbers where they must."""
    inside = [name for term in terms for name in term.split(":")]
    beside = [*inside, roles.stratum, *roles.groups]
    for name in needed:
        if list(frame.columns).count(name) > 1:
            raise AnalysisError(Problem("column_twice", f"The frame has two columns '{name}'.", "Keep one."))
    for role, others in (
        (roles.participant, [*beside, roles.outcome, roles.timepoint, time]),
        (roles.outcome, [*beside, roles.timepoint, time]),
    ):
        if role in others:
            message = f"'{role}' cannot be two things in one model."
            raise AnalysisError(Problem("column_in_two_roles", message, "Name another column for one of them."))
    for name in (roles.outcome, *([time] if time else [])):
        if not is_number(frame[name]) and frame[name].notna().any():
            message = f"'{name}' does not hold numbers."
            raise AnalysisError(Problem("not_numeric", message, "Turn it into numbers; look at what cannot be turned."))
    for name in needed:
        if is_number(frame[name]) and np.isinf(frame[name].to_numpy(dtype=float, na_value=np.nan)).any():
            message = f"'{name}' holds infinite values."
            raise AnalysisError(Problem("infinite", message, "Give finite numbers, or leave them out."))


def _complete(frame: pd.DataFrame, needed: Sequence[str], roles: Roles) -> tuple[Codes, dict[str, int]]:
    """Return positions of complete rows, and how many were left out for which reason."""
    missing_outcome = frame[roles.outcome].isna().to_numpy()
    missing_other = np.zeros(len(frame), dtype=bool)
    for name in needed:
        if name != roles.outcome and name not in roles.groups:
            missing_other |= frame[name].isna().to_numpy()
    kept = np.flatnonzero(~missing_outcome & ~missing_other)
    if not len(kept):
        raise AnalysisError(
            Problem(
                "no_rows",
                f"No row has '{roles.outcome}' and every other column of the model.",
                "Check which columns are empty.",
            )
        )
    dropped = {
        "outcome missing": int(missing_outcome.sum()),
        "another column missing": int((missing_other & ~missing_outcome).sum()),
    }
    return kept.astype(np.int64), {reason: count for reason, count in dropped.items() if count}


def _once_each(mask: Mask, n_rows: int, roles: Roles) -> None:
    if mask.sum() < n_rows:
        raise AnalysisError(
            Problem(
                "row_twice",
                f"A participant has more than one row at a value of '{roles.timepoint}'.",
                "Keep one row per participant and timepoint.",
            )
        )


def _features(
    design: Design, columns: Mapping[str, pd.Series], first: Codes, place: Codes, mask: Mask
) -> tuple[Array, Array]:
    """Return the products of parts that the design needs."""
    constant, varying = design.features()
    coded = {}
    for name, variable in design.variables.items():
        if variable.place != "timepoint":
            values = columns[name]
            coded[name] = (
                place_labels(values, variable.levels, name)
                if variable.levels
                else values.to_numpy(dtype=float) - variable.centre
            )

    def part(which: Part, at: Codes) -> Array:
        name, level = which
        values = coded[name][at]
        return (values == level).astype(float) if design.variables[name].levels else values.astype(float)

    still = np.ones((len(first), len(constant)))
    for index, key in enumerate(constant):
        for which in key:
            still[:, index] *= part(which, first)
    moving = np.zeros((len(first), len(varying), mask.shape[1]))
    for index, key in enumerate(varying):
        moving[:, index] = mask
        for which in key:
            moving[:, index] *= part(which, place)
    return still, moving


def _strata(
    columns: Mapping[str, pd.Series], roles: Roles, participant: Codes, first: Codes
) -> tuple[Codes, tuple[str, ...]]:
    if roles.stratum is None:
        return np.zeros(len(first), dtype=np.int64), ("",)
    codes, labels = code_levels(columns[roles.stratum])
    if not (codes == codes[first][participant]).all():
        raise AnalysisError(
            Problem(
                "stratum_changes",
                f"'{roles.stratum}' changes within a participant.",
                "Name a column that is constant within participants.",
            )
        )
    return codes[first], labels


def _membership(name: str, values: pd.Series, participant: Codes, place: Codes, mask: Mask, roles: Roles) -> Membership:
    """Return who is in which group; a missing or empty label means none."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype(object).mask(values.astype(str) == "")
    codes, uniques = pd.factorize(values.to_numpy(), sort=True)
    codes = codes.astype(np.int64)
    inside = codes >= 0
    if not inside.all() and not roles.partially_nested:
        raise AnalysisError(
            Problem(
                "group_missing",
                f"'{name}' is empty on some rows.",
                "Give every row its group, or say partially_nested=True where people meet in no group.",
            )
        )
    of_participant = np.full(len(mask), -1, dtype=np.int64)
    np.maximum.at(of_participant, participant, codes)
    if (codes[inside] != of_participant[participant[inside]]).any():
        raise AnalysisError(
            Problem("two_groups", f"A participant is in two groups of '{name}'.", "Name one group per participant.")
        )
    return Membership(
        name=name,
        labels=tuple(label_of(label) for label in uniques),
        codes=of_participant,
        active=mask & (codes >= 0)[place],
    )

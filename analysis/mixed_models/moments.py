"""Sums over participants that hold everything a planned-time model needs: made once, added, stored, and fitted at will.

Participants with the same observed timepoints (and the same stratum and groups at work) form a cell. A cell keeps the
cross products of the features of its participants: what is constant within a participant, the number 1 first, what
varies by timepoint, and the outcome, all taken about agreed constants. A level of groups keeps sums per group and cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged, arrange
from analysis.mixed_models.jets import Array, Codes, Mask
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.terms import Design
from data_contracts.errors import Problem

MOST_TIMEPOINTS: Final = 62
"""As many as fit into the bits of a number."""
PARTICIPANTS_AT_ONCE: Final = 100_000
"""Participants whose features are held together; bounds memory."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """Sums of one level of groups over its participants, per group and cell.

    Attributes
    ----------
    name : str
        Column of the groups.
    labels : tuple of str
        The groups, sorted.
    parents : tuple of (groups,) arrays of int
        For each level above, the group that a group belongs to; -1 for none.
    group, cell : (pairs,) arrays of int
        Where a sum belongs.
    sums : (pairs, features) array
        The sums; the first is the number of participants.
    """

    name: str
    labels: tuple[str, ...]
    parents: tuple[Codes, ...]
    group: Codes
    cell: Codes
    sums: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Sufficient statistics of a planned-time model; `moments(a) + moments(b)` are those of a and b together.

    No participant may be in two of the parts that are added up. Groups may.

    Attributes
    ----------
    design : Design
        Terms, variables and timepoints, with the constants that sums are taken about.
    roles : Roles
        Which columns the sums were made from.
    strata : tuple of str
        Levels of the stratum; one empty text without.
    cells : (cells, 2 + levels) array of int
        Stratum, observed timepoints as bits and, for each level of groups, the timepoints at which it works.
    products : (cells, features, features) array
        Cross products; the first element of each is the number of participants.
    groups : tuple of GroupSums
        From the lowest level.
    """

    design: Design
    roles: Roles
    strata: tuple[str, ...]
    cells: Codes
    products: Array
    groups: tuple[GroupSums, ...] = ()

    @property
    def n_participants(self) -> int:
        """Number of participants."""
        return round(float(self.products[:, 0, 0].sum()))

    @property
    def masks(self) -> Array:
        """(cells, T) what a cell observes, as 0 and 1."""
        return _bits(self.cells[:, 1], len(self.design.timepoints))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return round(float(self.products[:, 0, 0] @ self.masks.sum(axis=1)))

    def active(self, level: int) -> Array:
        """Return (cells, T) where a level of groups is at work, as 0 and 1."""
        return _bits(self.cells[:, 2 + level], len(self.design.timepoints))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        outcome: str,
        terms: Sequence[str],
        participant: str,
        timepoint: str | None = None,
        time: str | None = None,
        groups: Sequence[str] = (),
        partially_nested: bool = False,
        stratum: str | None = None,
        references: Mapping[str, str] | None = None,
        center: Sequence[str] = (),
        design: Design | None = None,
    ) -> Self:
        """Sum a frame with one row per participant and timepoint.

        Parameters
        ----------
        frame : DataFrame
            Rows that lack the outcome or a term are left out.
        outcome, terms, participant, timepoint, time, groups, partially_nested, references, center
            As in `fit_mmrm` and `fit_mixed_model`.
        stratum : str, optional
            Column by whose levels the covariance may differ.
        design : Design, optional
            That of other moments, to which these will be added.

        Raises
        ------
        AnalysisError
            See `fit_mmrm`; also without planned timepoints, whose sums would be as long as the data.
        """
        roles = Roles(
            outcome=outcome,
            participant=participant,
            timepoint=timepoint,
            groups=tuple(groups),
            stratum=stratum,
            partially_nested=partially_nested,
        )
        return cls.of(
            arrange(frame, terms, roles, design=design, references=references, center=center, time=time), roles
        )

    @classmethod
    def of(cls, arranged: Arranged, roles: Roles) -> Self:
        """Sum arranged rows."""
        if not (roles.timepoint or arranged.design.times) or arranged.mask.shape[1] > MOST_TIMEPOINTS:
            raise AnalysisError(
                Problem(
                    "no_planned_time",
                    f"Sums need planned timepoints, {MOST_TIMEPOINTS} at most.",
                    "Name the column of the timepoint, or fit rows in actual time.",
                )
            )
        keys = [arranged.strata, _pack(arranged.mask), *(_pack(each.active) for each in arranged.memberships)]
        cells, cell = _distinct(keys)
        width = arranged.constant.shape[1] + (arranged.varying.shape[1] + 1) * arranged.mask.shape[1]
        products = np.zeros((len(cells), width, width))
        pieces: list[list[tuple[Codes, Array]]] = [[] for _ in arranged.memberships]
        order = np.argsort(cell.astype(np.uint16) if len(cells) < 2**16 else cell, kind="stable")  # 16 bits: radix
        for start in range(0, len(order), PARTICIPANTS_AT_ONCE):
            people = order[start : start + PARTICIPANTS_AT_ONCE]
            values = _features(arranged, people)
            at = cell[people]
            edges = np.flatnonzero(np.diff(at, prepend=-1, append=-1))
            for low, high in pairwise(edges):
                block = values[low:high]
                products[at[low]] += block.T @ block
            for level, membership in enumerate(arranged.memberships):
                pieces[level].append(_sum_by_group(membership.codes[people], at, values, len(cells)))
        return cls(
            design=arranged.design,
            roles=roles,
            strata=arranged.stratum_labels,
            cells=cells.astype(np.int64),
            products=products,
            groups=tuple(
                GroupSums(
                    membership.name,
                    membership.labels,
                    tuple(
                        find_parents(
                            membership.codes, higher.codes, len(membership.labels), membership.name, higher.name
                        )
                        for higher in arranged.memberships[level + 1 :]
                    ),
                    *_merge(
                        np.concatenate([keys for keys, _ in pieces[level]]),
                        np.concatenate([sums for _, sums in pieces[level]]),
                        len(cells),
                    ),
                )
                for level, membership in enumerate(arranged.memberships)
            ),
        )

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both together.

        Raises
        ------
        AnalysisError
            The parts do not agree on terms, timepoints or constants.
        """
        if self.design != other.design or self.roles != other.roles:
            raise AnalysisError(
                Problem(
                    "moments_differ",
                    "The moments do not agree on columns, terms, levels or the constants that sums are taken about.",
                    "Build the second with design= of the first.",
                )
            )
        strata = tuple(sorted({*self.strata, *other.strata}))
        keys = []
        for part in (self, other):
            recoded = part.cells.copy()
            recoded[:, 0] = np.array([strata.index(label) for label in part.strata], dtype=np.int64)[part.cells[:, 0]]
            keys.append(recoded)
        cells, place = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
        place = place.reshape(-1)
        products = np.zeros((len(cells), *self.products.shape[1:]))
        np.add.at(products, place, np.concatenate([self.products, other.products]))
        places = (place[: len(self.cells)], place[len(self.cells) :])
        names = [tuple(sorted({*a.labels, *b.labels})) for a, b in zip(self.groups, other.groups, strict=True)]
        groups = tuple(
            _join_groups(level, (self, other), places, names, len(cells)) for level in range(len(self.groups))
        )
        return Moments(
            design=self.design, roles=self.roles, strata=strata, cells=cells, products=products, groups=groups
        )

    def save(self, path: Path | str) -> None:
        """Write to ``.json`` or ``.parquet``; neither holds a participant's id, both hold the labels of groups."""
        from analysis.mixed_models.moments_files import save_moments

        save_moments(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Moments:
        """Read what `save` wrote.

        Raises
        ------
        AnalysisError
            The file holds no moments, or those of another version.
        """
        from analysis.mixed_models.moments_files import load_moments

        return load_moments(Path(path))


def add_moments(parts: Iterable[Moments]) -> Moments:
    """Return the sum of moments."""
    every = list(parts)
    if not every:
        raise AnalysisError(Problem("no_moments", "There are no moments to add up.", "Give one at least."))
    return reduce(Moments.__add__, every)


def _distinct(keys: Sequence[Codes]) -> tuple[Codes, Codes]:
    """Return the distinct rows of columns of keys, sorted, and the place of each row among them."""
    place = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        codes, uniques = pd.factorize(key, sort=True)
        place = pd.factorize(place * len(uniques) + codes, sort=True)[0]
    first = np.empty(int(place.max()) + 1, dtype=np.int64)
    first[place[::-1]] = np.arange(len(place))[::-1]
    return np.column_stack([key[first] for key in keys]), place


def _features(arranged: Arranged, people: Codes) -> Array:
    """Return [constant | varying by timepoint | outcome by timepoint] of some participants."""
    varying = arranged.varying[people].reshape(len(people), -1)
    return np.concatenate([arranged.constant[people], varying, arranged.outcome[people]], axis=1)


def _pack(mask: Mask) -> Codes:
    bits: Codes = mask.astype(np.int64) @ (1 << np.arange(mask.shape[1], dtype=np.int64))
    return bits


def _bits(packed: Codes, width: int) -> Array:
    return ((packed[:, None] >> np.arange(width)) & 1).astype(float)


def _sum_by_group(codes: Codes, cell: Codes, values: Array, n_cells: int) -> tuple[Codes, Array]:
    """Return the key of each pair of group and cell (group * cells + cell) and the sums of its participants."""
    inside = codes >= 0
    keys, place = np.unique(codes[inside] * n_cells + cell[inside], return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(keys)))
    sums = np.add.reduceat(values[inside][order], starts, axis=0) if len(keys) else np.zeros((0, values.shape[1]))
    return keys, sums


def _merge(keys: Codes, sums: Array, n_cells: int) -> tuple[Codes, Codes, Array]:
    """Add up sums with the same key, and return group, cell and sums."""
    unique, place = np.unique(keys, return_inverse=True)
    if len(unique) < len(keys):
        order = np.argsort(place, kind="stable")
        sums = np.add.reduceat(sums[order], np.searchsorted(place[order], np.arange(len(unique))), axis=0)
    else:
        sums = sums[np.argsort(keys, kind="stable")]
    return unique // n_cells, unique % n_cells, sums


def find_parents(codes: Codes, higher: Codes, count: int, name: str, higher_name: str) -> Codes:
    """Return the higher group that each group belongs to."""
    found = np.full(count, -1, dtype=np.int64)
    inside = codes >= 0
    np.maximum.at(found, codes[inside], higher[inside])
    if (found[codes[inside]] != higher[inside]).any():
        raise AnalysisError(
            Problem(
                "groups_crossed",
                f"A group of '{name}' is in two groups of '{higher_name}'.",
                "Groups must be nested: make the lower label unique, or leave one of the two out.",
            )
        )
    return found


def _join_groups(
    level: int,
    parts: tuple[Moments, Moments],
    places: tuple[Codes, Codes],
    names: Sequence[tuple[str, ...]],
    n_cells: int,
) -> GroupSums:
    """Return the sums of one level of two moments, by the labels of its groups."""
    where = [{label: place for place, label in enumerate(labels)} for labels in names]
    keys, sums = [], []
    parents = [np.full(len(names[level]), -1, dtype=np.int64) for _ in parts[0].groups[level].parents]
    for part, place in zip(parts, places, strict=True):
        own = part.groups[level]
        code = np.array([where[level][label] for label in own.labels], dtype=np.int64)
        keys.append(code[own.group] * n_cells + place[own.cell])
        sums.append(own.sums)
        for above, codes in enumerate(own.parents):
            higher = part.groups[level + 1 + above].labels
            known = codes >= 0
            moved = np.array([where[level + 1 + above][higher[code]] for code in codes[known]], dtype=np.int64)
            old = parents[above][code[known]]
            if ((old >= 0) & (old != moved)).any():
                raise AnalysisError(
                    Problem("groups_crossed", f"A group of '{own.name}' is in two groups above.", "Nest groups.")
                )
            parents[above][code[known]] = moved
    return GroupSums(
        parts[0].groups[level].name,
        names[level],
        tuple(parents),
        *_merge(np.concatenate(keys), np.concatenate(sums), n_cells),
    )

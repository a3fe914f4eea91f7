"""What the likelihood needs of the data and of a covariance model, for planned timepoints and for rows in any time.

With planned timepoints everything comes from moments, whatever the number of participants. Without, each participant
is a unit of the lowest level above independent rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy import sparse

from analysis.mixed_models.arrange import Arranged
from analysis.mixed_models.covariance import Block, Positive, Structure, Unstructured
from analysis.mixed_models.inference import expected_information
from analysis.mixed_models.jets import Array, Codes, Index, invert, log_determinant, transform
from analysis.mixed_models.likelihood import Level, evaluate
from analysis.mixed_models.moments import Moments

PARTICIPANTS_AT_ONCE: Final = 50_000


class CellModel(Protocol):
    """Covariance of the rows of a participant, by cell."""

    @property
    def blocks(self) -> Sequence[Block]:
        """Parameters, in order."""
        ...

    def cells(self, theta: Array, strata: Codes, masks: Array, order: int) -> dict[Index, Array]:
        """Return covariances (cells, T, T), the identity where nothing is observed."""
        ...


@dataclass(frozen=True, slots=True)
class ResidualModel:
    """One residual covariance over the timepoints, or one for each stratum."""

    structure: Structure
    n_strata: int

    @property
    def blocks(self) -> Sequence[Block]:
        """Parameters, stratum after stratum."""
        return [self.structure] * self.n_strata

    def cells(self, theta: Array, strata: Codes, masks: Array, order: int) -> dict[Index, Array]:
        """See `CellModel`."""
        both = masks[:, :, None] * masks[:, None, :]
        found: dict[Index, Array] = {(): np.eye(masks.shape[1]) * (1.0 - masks)[:, :, None]}
        for stratum in range(self.n_strata):
            offset = stratum * self.structure.size
            own = both * (strata == stratum)[:, None, None]
            for index, value in self.structure.assemble(theta[offset : offset + self.structure.size], order).items():
                moved = tuple(place + offset for place in index)
                found[moved] = found.get(moved, np.zeros_like(both)) + own * value
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RandomModel:
    """Random effects of participants in planned time, and a residual variance per stratum.

    `participant` and `groups` are the parameter blocks of each level, from the lowest; `times` (T, 2) is the design
    of intercept and slope, the slope in units of `time_unit`.
    """

    levels: tuple[tuple[Block, ...], ...]
    variances: tuple[tuple[tuple[int, int, int], ...], ...]
    times: Array
    n_strata: int

    @property
    def blocks(self) -> Sequence[Block]:
        """Parameters: level after level, then residual variances."""
        return [*(block for level in self.levels for block in level), *(Positive() for _ in range(self.n_strata))]

    @property
    def first_residual(self) -> int:
        """Place of the first residual variance among the parameters."""
        return sum(block.size for level in self.levels for block in level)

    def cells(self, theta: Array, strata: Codes, masks: Array, order: int) -> dict[Index, Array]:
        """See `CellModel`."""
        both = masks[:, :, None] * masks[:, None, :]
        eye = np.eye(masks.shape[1])
        found: dict[Index, Array] = {(): eye * (1.0 - masks)[:, :, None]}
        changes = {}
        for parameter, row, column in self.variances[0]:
            outer = np.outer(self.times[:, row], self.times[:, column])
            changes[parameter] = both * (outer if row == column else outer + outer.T)
        for stratum in range(self.n_strata):
            own = (strata == stratum)[:, None, None]
            changes[self.first_residual + stratum] = eye * masks[:, :, None] * own
        for parameter, change in changes.items():
            found[()] = found[()] + theta[parameter] * change
            if order:
                found[parameter,] = change
        return found


def random_levels(
    widths: Sequence[int], correlated: Sequence[bool]
) -> tuple[tuple[tuple[Block, ...], ...], tuple[tuple[tuple[int, int, int], ...], ...]]:
    """Return the parameter blocks of each level, and where each parameter stands in its covariance."""
    levels: list[tuple[Block, ...]] = []
    variances: list[tuple[tuple[int, int, int], ...]] = []
    offset = 0
    for width, together in zip(widths, correlated, strict=True):
        if together or width == 1:
            block = Unstructured(width)
            levels.append((block,))
            cells: Sequence[tuple[int, int]] = block.cells()
        else:
            levels.append(tuple(Unstructured(1) for _ in range(width)))
            cells = [(place, place) for place in range(width)]
        variances.append(tuple((offset + place, *cell) for place, cell in enumerate(cells)))
        offset += len(cells)
    return tuple(levels), tuple(variances)


class PatternBase:
    """Planned timepoints: everything from moments. See `analysis.mixed_models.likelihood.Base`."""

    def __init__(self, moments: Moments, model: CellModel, levels: Sequence[Level], times: Array) -> None:
        self.moments, self.model, self.levels, self.times = moments, model, levels, times
        self.strata, self.masks = moments.cells[:, 0], moments.masks
        self.counts = moments.products[:, 0, 0]
        self.n_rows = moments.n_rows
        self.expand = _expansion(moments)
        self.select(np.arange(self.expand.shape[1] - 1), 1.0)

    def select(self, columns: Codes, spread: float) -> None:
        """Keep some columns of X, and take the outcome in units of `spread`."""
        timepoints = self.masks.shape[1]
        expand = self.expand[:, [*columns, self.expand.shape[1] - 1]].copy()
        expand[:, -1] /= spread
        self.chosen = expand
        self.size = expand.shape[1]
        flat = expand.reshape(timepoints * self.size, -1)
        shape = (timepoints, self.size, timepoints, self.size)
        stacked = [(flat @ cell @ flat.T).reshape(shape).transpose(0, 2, 1, 3) for cell in self.moments.products]
        both = self.masks[:, :, None] * self.masks[:, None, :]
        self.moment = (np.array(stacked) * both[..., None, None]).reshape(-1, self.size**2)
        self._tables = [self._table(place) for place in range(len(self.levels))]

    def gram(self) -> Array:
        """Return [X y]'[X y]."""
        one = np.broadcast_to(np.eye(self.masks.shape[1]), (len(self.masks), *(self.masks.shape[1],) * 2))
        return (one.reshape(1, -1) @ self.moment).reshape(self.size, self.size)

    def residual_products(self, coefficients: Array) -> tuple[Array, Array]:
        """Return sums of products of residuals (strata, T, T), and how many went into each."""
        timepoints = self.masks.shape[1]
        weights = np.append(-coefficients, 1.0)
        products = (self.moment @ np.outer(weights, weights).ravel()).reshape(-1, timepoints, timepoints)
        count = self.counts[:, None, None] * self.masks[:, :, None] * self.masks[:, None, :]
        found = np.zeros((2, len(self.moments.strata), timepoints, timepoints))
        np.add.at(found[0], self.strata, products)
        np.add.at(found[1], self.strata, count)
        return found[0], found[1]

    def total(self, theta: Array, order: int) -> tuple[dict[Index, Array], dict[Index, Array]]:
        """See `Base.total`."""
        covariance = self.model.cells(theta, self.strata, self.masks, order)
        np.linalg.cholesky(covariance[()])  # raises where theta is no covariance
        inverse = invert(covariance, order)
        log_det = transform(log_determinant(covariance, inverse, order), lambda values: self.counts @ values)
        keys = list(inverse)
        weights = np.array([inverse[key].reshape(-1) for key in keys])
        products = (weights @ self.moment).reshape(-1, self.size, self.size)
        self._inverse = inverse
        return log_det, dict(zip(keys, products, strict=True))

    def curvature(self, theta: Array) -> dict[tuple[int, int], Array]:
        """Return X' V^-1 (d2V) V^-1 X for every pair of parameters that V is not linear in."""
        covariance = self.model.cells(theta, self.strata, self.masks, 2)
        inverse = np.linalg.inv(covariance[()])
        found: dict[tuple[int, int], Array] = {}
        for index, change in covariance.items():
            if len(index) == 2:
                weights = (inverse @ change @ inverse).reshape(-1)
                found[index[0], index[1]] = (weights @ self.moment).reshape(self.size, self.size)[:-1, :-1]
        return found

    def information(self, theta: Array, *, restricted: bool) -> tuple[Array, Array]:
        """Return tr(P dV P dV), and tr(V^-1 dV V^-1 dV), which knows no terms; for residual covariances."""
        found = evaluate(self, theta, restricted=restricted)
        covariance = self.model.cells(theta, self.strata, self.masks, 2)
        inverse = np.linalg.inv(covariance[()])
        bent = np.zeros((2, len(theta), len(theta)))  # what second derivatives of V have added
        for (i, j), products in self.curvature(theta).items():
            own = float(self.counts @ np.einsum("kts,kst->k", inverse, covariance[i, j]))
            bent[:, i, j] = bent[:, j, i] = own, own - float(np.sum(products * found.unscaled))
        without_terms = bent[0] - found.log_det_curvature
        if not restricted:
            return without_terms, without_terms
        return 2.0 * expected_information(found) + bent[1], without_terms

    def sums(self, level: int, units: slice, theta: Array, order: int) -> dict[Index, Array]:
        """See `Base.sums`."""
        table, design, above = self._tables[level]
        keys = list(self._inverse)
        width = design.shape[2]
        features = self.chosen.shape[2]
        weights = np.array([np.swapaxes(design, 1, 2) @ self._inverse[key] for key in keys])  # keys, cells, width, T
        by_feature = np.tensordot(weights, self.chosen, 1)  # keys, cells, width, columns, features
        constant = np.zeros((*weights.shape[:3], above.shape[2], features))
        constant[..., 0] = weights @ above
        whole = np.concatenate([by_feature, constant], axis=3)
        columns = whole.shape[3]
        flat = whole.transpose(1, 4, 0, 2, 3).reshape(-1, len(keys) * width * columns)
        found = np.asarray(table[units] @ flat).reshape(-1, len(keys), width, columns)
        return {key: np.ascontiguousarray(found[:, place]) for place, key in enumerate(keys)}

    def _table(self, place: int) -> tuple[sparse.csr_array, Array, Array]:
        """Return sums by group (groups, cells x features), the design of the level, and that of it and those above."""
        own = self.moments.groups[place]
        features = self.moments.products.shape[1]
        cells = len(self.masks)
        starts = np.zeros(len(own.labels) + 1, dtype=np.int64)
        np.cumsum(np.bincount(own.group, minlength=len(own.labels)) * features, out=starts[1:])
        columns = (own.cell[:, None] * features + np.arange(features)).ravel()
        table = sparse.csr_array((own.sums.ravel(), columns, starts), shape=(len(own.labels), cells * features))
        designs = [
            self.moments.active(number)[:, :, None] * self.times[None, :, : self.levels[number].width]
            for number in range(len(self.levels) - 1, place - 1, -1)
        ]
        return table, designs[-1], np.concatenate(designs, axis=2)


class RowBase:
    """Rows in any time: independent rows, participants the lowest level of groups. See `Base`."""

    def __init__(self, arranged: Arranged, model: RandomModel, levels: Sequence[Level], times: Array) -> None:
        self.arranged, self.model, self.levels = arranged, model, levels
        self.n_rows = arranged.n_rows
        self.times = times  # (n, T, 2)
        count = len(arranged.participants)
        self.codes = [np.arange(count), *(each.codes for each in arranged.memberships)]
        self.active = [arranged.mask, *(each.active for each in arranged.memberships)]
        self.select(np.arange(len(arranged.design.columns)), 1.0)

    def select(self, columns: Codes, spread: float) -> None:
        """Keep some columns of X, and take the outcome in units of `spread`."""
        arranged = self.arranged
        strata = len(arranged.stratum_labels)
        self.size = len(columns) + 1
        self.rows_by_stratum = np.zeros(strata)
        self.products = np.zeros((strata, self.size, self.size))
        widths = [level.width for level in self.levels]
        self._sums = [
            np.zeros((strata, len(level.labels), level.width, self.size + sum(widths[place:])))
            for place, level in enumerate(self.levels)
        ]
        for start in range(0, len(arranged.participants), PARTICIPANTS_AT_ONCE):
            people = np.arange(start, min(start + PARTICIPANTS_AT_ONCE, len(arranged.participants)))
            both = arranged.matrix(people)[:, :, [*columns, len(arranged.design.columns)]]
            both[..., -1] /= spread
            stratum = arranged.strata[people]
            designs = [
                self.active[place][people][:, :, None] * self.times[people][:, :, :width]
                for place, width in enumerate(widths)
            ]
            for each in range(strata):
                inside = stratum == each
                self.rows_by_stratum[each] += arranged.mask[people[inside]].sum()
                self.products[each] += np.einsum("nta,ntb->ab", both[inside], both[inside], optimize=True)
            for place in range(len(self.levels)):
                whole = np.concatenate([both, *designs[: place - 1 if place else None : -1]], axis=2)
                sums = np.swapaxes(designs[place], 1, 2) @ whole
                unit = self.codes[place][people]
                member = unit >= 0
                np.add.at(self._sums[place], (stratum[member], unit[member]), sums[member])

    def gram(self) -> Array:
        """Return [X y]'[X y]."""
        found: Array = self.products.sum(axis=0)
        return found

    def total(self, theta: Array, order: int) -> tuple[dict[Index, Array], dict[Index, Array]]:
        """See `Base.total`."""
        log_det: dict[Index, Array] = {(): np.asarray(self.rows_by_stratum @ np.log(self._residual(theta)))}
        products = self._divided(self.products, theta, order)
        for stratum, variance in enumerate(self._residual(theta)):
            place = self.model.first_residual + stratum
            log_det[place,] = np.asarray(self.rows_by_stratum[stratum] / variance)
            log_det[place, place] = np.asarray(-self.rows_by_stratum[stratum] / variance**2)
        return log_det, products

    def sums(self, level: int, units: slice, theta: Array, order: int) -> dict[Index, Array]:
        """See `Base.sums`."""
        return self._divided(self._sums[level][:, units], theta, order)

    def _residual(self, theta: Array) -> Array:
        values = theta[self.model.first_residual :]
        if not (values > 0).all():
            raise np.linalg.LinAlgError("a residual variance is not positive")
        return values

    def _divided(self, by_stratum: Array, theta: Array, order: int) -> dict[Index, Array]:
        """Return the sum over strata of sums divided by the residual variance."""
        variances = self._residual(theta)
        found: dict[Index, Array] = {(): np.tensordot(1.0 / variances, by_stratum, 1)}
        for stratum, variance in enumerate(variances):
            place = self.model.first_residual + stratum
            if order:
                found[place,] = -by_stratum[stratum] / variance**2
            if order > 1:
                found[place, place] = 2.0 * by_stratum[stratum] / variance**3
        return found


def _expansion(moments: Moments) -> Array:
    """Return the linear map (T, columns + 1, features) from features to [X | y] at each timepoint."""
    design = moments.design
    timepoints = len(design.timepoints)
    constant, varying = design.features()
    first_outcome = len(constant) + len(varying) * timepoints
    found = np.zeros((timepoints, len(design.columns) + 1, moments.products.shape[1]))
    for timepoint in range(timepoints):
        for place, column in enumerate(design.columns):
            at = (
                len(constant) + varying.index(column.feature) * timepoints + timepoint
                if column.feature in varying
                else constant.index(column.feature)
            )
            found[timepoint, place, at] = column.by_timepoint[timepoint]
        found[timepoint, -1, first_outcome + timepoint] = 1.0
    return found

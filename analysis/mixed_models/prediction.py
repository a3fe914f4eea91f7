"""Predictions of random effects, fitted values and residuals, from a fit and the rows it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged
from analysis.mixed_models.bases import PatternBase, RandomModel
from analysis.mixed_models.jets import Array
from analysis.mixed_models.likelihood import Eliminated, log_determinant_and_products
from data_contracts.errors import Problem

if TYPE_CHECKING:
    from analysis.mixed_models.model_fit import Parts


def require_rows(parts: Parts) -> Arranged:
    """Return the rows of a fit that converged.

    Raises
    ------
    AnalysisError
        The fit was made from moments alone, or did not converge.
    """
    if parts.arranged is None:
        raise AnalysisError(
            Problem("rows_needed", "A fit from moments alone has no rows.", "Fit the frame itself to have them.")
        )
    if not parts.optimum.record.converged:
        raise AnalysisError(Problem("not_converged", "The fit did not converge.", "Choose a simpler model."))
    return parts.arranged


def predict_random_effects(parts: Parts) -> pd.DataFrame:
    """See `ModelFit.random_effects`."""
    if not isinstance(parts.base.model, RandomModel):
        raise AnalysisError(
            Problem("no_random_effects", "An MMRM has no random effects.", "Use fit_mixed_model to have them.")
        )
    arranged = require_rows(parts)
    pieces = []
    names = ["participant", *(membership.name for membership in arranged.memberships)]
    labels = [arranged.participants, *(np.array(membership.labels) for membership in arranged.memberships)]
    for name, label, values in zip(names, labels, random_effects(parts, arranged), strict=True):
        width = values.shape[1]
        effects = parts.spread * values @ parts.as_asked[:width, :width].T
        for term, estimate in zip(("intercept", "slope"), effects.T, strict=False):
            pieces.append(pd.DataFrame({"level": name, "label": label, "term": term, "estimate": estimate}))
    return pd.concat(pieces, ignore_index=True)


def random_effects(parts: Parts, arranged: Arranged) -> list[Array]:
    """Return predicted effects of participants, then of each level of groups, in internal units."""
    base, optimum = parts.base, parts.optimum
    weights = np.append(-optimum.evaluation.coefficients, 1.0)
    kept: list[Eliminated] = []
    log_determinant_and_products(base, optimum.theta, 0, kept)
    found: list[Array] = [np.empty(0)] * len(kept)
    for place in range(len(kept) - 1, -1, -1):
        left = kept[place].sums[..., : base.size] @ weights
        start = base.size
        for higher in range(len(kept) - 1, place, -1):
            width = base.levels[higher].width
            parents = base.levels[place].ancestors[higher - place - 1]
            above = np.where((parents >= 0)[:, None], found[higher][parents], 0.0)
            left -= np.einsum("uqr,ur->uq", kept[place].sums[..., start : start + width], above)
            start += width
        found[place] = np.einsum("uqr,ur->uq", kept[place].shrink, left)
    if not isinstance(base, PatternBase):
        return found
    model = base.model
    assert isinstance(model, RandomModel)  # noqa: S101
    residual = _internal_residuals(parts, arranged)
    for membership, level, values in zip(arranged.memberships, base.levels, found, strict=True):
        effects = np.where((membership.codes >= 0)[:, None], values[membership.codes], 0.0)
        residual -= membership.active * (effects @ model.times[:, : level.width].T)
    covariance = model.cells(optimum.theta, arranged.strata, arranged.mask.astype(float), 0)[()]
    whitened = np.linalg.solve(covariance, residual[..., None])[..., 0]
    width = 1 + max(row for _, row, _ in model.variances[0])
    psi = np.zeros((width, width))
    for parameter, row, column in model.variances[0]:
        psi[row, column] = psi[column, row] = optimum.theta[parameter]
    return [whitened @ model.times[:, :width] @ psi, *found]


def augment_rows(parts: Parts) -> pd.DataFrame:
    """See `ModelFit.augment`."""
    arranged = require_rows(parts)
    mask = arranged.mask
    observed = arranged.outcome + arranged.design.outcome_centre
    residual = parts.spread * _internal_residuals(parts, arranged)
    conditional = residual.copy()
    if isinstance(parts.base.model, RandomModel):
        people, *groups = random_effects(parts, arranged)
        times = parts.base.model.times if parts.base.model.times.ndim == 3 else parts.base.model.times[None]
        conditional -= parts.spread * np.einsum(
            "itq,iq->it", times[..., : people.shape[1]] + 0 * people[:, None], people
        )
        for membership, values in zip(arranged.memberships, groups, strict=True):
            effects = np.where((membership.codes >= 0)[:, None], values[membership.codes], 0.0)
            shape = times[..., : values.shape[1]] + 0 * effects[:, None]
            conditional -= parts.spread * membership.active * np.einsum("itq,iq->it", shape, effects)
    participant, timepoint = np.nonzero(mask)
    found = pd.DataFrame(
        {
            "row": arranged.rows[mask],
            "participant": arranged.participants[participant],
            "timepoint": np.array(arranged.design.timepoints)[timepoint] if parts.moments is not None else timepoint,
            "observed": observed[mask],
            "fitted": (observed - residual)[mask],
            "residual": residual[mask],
            "fitted_conditional": (observed - conditional)[mask],
            "residual_conditional": conditional[mask],
            "residual_scaled": _scaled(parts, arranged, residual / parts.spread)[mask],
        }
    )
    return found.sort_values("row", ignore_index=True)


def participant_covariances(parts: Parts, arranged: Arranged, people: slice) -> Array:
    """Return the covariance of the rows of each participant without groups, the identity where nothing is observed."""
    mask = arranged.mask[people].astype(float)
    model, theta = parts.base.model, parts.optimum.theta
    if isinstance(parts.base, PatternBase):
        return model.cells(theta, arranged.strata[people], mask, 0)[()]
    assert isinstance(model, RandomModel)  # noqa: S101
    times = model.times[people] * mask[..., None]
    width = 1 + max(row for _, row, _ in model.variances[0])
    psi = np.zeros((width, width))
    for parameter, row, column in model.variances[0]:
        psi[row, column] = psi[column, row] = theta[parameter]
    residual = theta[model.first_residual :][arranged.strata[people]]
    inside = times[..., :width]
    eye = np.eye(mask.shape[1])
    within = np.where(mask > 0, residual[:, None], 1.0)
    found: Array = inside @ psi @ np.swapaxes(inside, 1, 2) + eye * within[:, :, None]
    return found


def _internal_residuals(parts: Parts, arranged: Arranged) -> Array:
    """Return y - X b in units of the spread, (n, T), zero where nothing was observed."""
    both = arranged.matrix()
    columns = [*parts.columns, both.shape[2] - 1]
    weights = np.append(-parts.optimum.evaluation.coefficients * parts.spread, 1.0) / parts.spread
    found: Array = both[..., columns] @ weights
    return found


def _scaled(parts: Parts, arranged: Arranged, residual: Array) -> Array:
    root = np.linalg.cholesky(participant_covariances(parts, arranged, slice(None)))
    found: Array = np.linalg.solve(root, residual[..., None])[..., 0]
    return found

"""Variances, covariances and correlations of a fit in the units of the outcome, and what they mean for groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.bases import RandomModel, ResidualModel
from analysis.mixed_models.inference import CONFIDENCE, inverse
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem

MOST_LOGS: Final = 50.0
"""Half an interval of the logarithm of a variance that says nothing any more."""

if TYPE_CHECKING:
    from analysis.mixed_models.model_fit import Parts


def variance_components(parts: Parts) -> pd.DataFrame:
    """See `ModelFit.variance_components`."""
    names, turn = _components(parts)
    optimum = parts.optimum
    values = turn @ optimum.theta
    errors = np.full(len(values), np.nan)
    if optimum.record.converged:
        jacobian = turn @ optimum.jacobian
        errors = np.sqrt(np.maximum(np.diag(jacobian @ (2.0 * inverse(optimum.hessian)) @ jacobian.T), 0.0))
    else:
        values = np.full(len(values), np.nan)
    lows, highs = zip(
        *(_interval(name, value, error) for name, value, error in zip(names, values, errors, strict=True)),
        strict=True,
    )
    return pd.DataFrame(
        {"component": names, "estimate": values, "std_error": errors, "conf_low": lows, "conf_high": highs}
    )


def intraclass_correlations(parts: Parts) -> pd.DataFrame:
    """See `ModelFit.icc`."""
    if parts.kind != "mixed_model":
        raise AnalysisError(
            Problem("no_random_effects", "An MMRM has no random effects, so no ICC.", "Use fit_mixed_model.")
        )
    components = dict(zip(*(variance_components(parts)[name] for name in ("component", "estimate")), strict=True))
    intercepts = {name.removesuffix(" intercept"): value for name, value in components.items() if " intercept" in name}
    residual = float(np.mean([value for name, value in components.items() if name.startswith("residual")]))
    total = sum(intercepts.values()) + residual
    rows, carried = [], 0.0
    for level in reversed(list(intercepts)):
        carried += intercepts[level]
        sizes = _sizes(parts, level)
        mean = float((sizes**2).sum() / sizes.sum())
        share = carried / total
        rows.append(
            {
                "level": level,
                "icc": share,
                "mean_size": mean,
                "informative": float(sizes.sum()) / (1.0 + (mean - 1.0) * share),
            }
        )
    return pd.DataFrame(rows[::-1])


def _sizes(parts: Parts, level: str) -> Array:
    """Return participants in each group of a level, or rows of each participant."""
    found: Array
    if parts.moments is not None:
        if level == "participant":
            counts = parts.moments.products[:, 0, 0]
            return np.asarray(np.repeat(parts.moments.masks.sum(axis=1), counts.round().astype(int)))
        place = [each.name for each in parts.moments.groups].index(level)
        groups = parts.moments.groups[place]
        working = parts.moments.active(place)[groups.cell].any(axis=1)
        found = np.bincount(groups.group[working], groups.sums[working, 0]).astype(float)
    else:
        assert parts.arranged is not None  # noqa: S101
        if level == "participant":
            return np.asarray(parts.arranged.mask.sum(axis=1), dtype=float)
        codes = next(each.codes for each in parts.arranged.memberships if each.name == level)
        found = np.bincount(codes[codes >= 0]).astype(float)
    return found[found > 0]


def _components(parts: Parts) -> tuple[list[str], Array]:
    """Return the name of each component, and the map to them from natural parameters (components, parameters)."""
    model = parts.base.model
    square = parts.spread**2
    names: list[str] = []
    if isinstance(model, ResidualModel):
        for stratum in parts.strata:
            names += [f"{name} {stratum}".strip() for name in model.structure.names(parts.design.timepoints)]
        return names, np.diag([1.0 if name.startswith("correlation") else square for name in names])
    assert isinstance(model, RandomModel)  # noqa: S101
    size = model.first_residual + model.n_strata
    found = square * np.eye(size)
    groups = parts.moments.roles.groups if parts.moments else tuple(level.name for level in parts.base.levels[1:])
    for level, cells in zip(("participant", *groups), model.variances, strict=True):
        width = 1 + max(row for _, row, _ in cells)
        turn = parts.as_asked[:width, :width]
        for parameter, row, column in cells:
            change = np.zeros((width, width))
            change[row, column] = change[column, row] = 1.0
            turned = square * turn @ change @ turn.T
            for other, at, beside in cells:
                found[other, parameter] = turned[at, beside]
            names.append(f"{level} " + ("covariance" if row != column else "slope" if row else "intercept"))
    names += [f"residual[{stratum}]" if stratum else "residual" for stratum in parts.strata]
    return names, found


def _interval(name: str, value: float, error: float) -> tuple[float, float]:
    """Return a Wald interval on a scale without borders."""
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
    if not np.isfinite(reach) or reach == 0.0:
        return float("nan"), float("nan")
    if "covariance" in name:
        return value - reach, value + reach
    if name.startswith("correlation"):
        middle, half = np.arctanh(value), reach / (1.0 - value**2)
        return float(np.tanh(middle - half)), float(np.tanh(middle + half))
    if reach > MOST_LOGS * value:
        return float("nan"), float("nan")  # at the border there is no interval
    return value * float(np.exp(-reach / value)), value * float(np.exp(reach / value))

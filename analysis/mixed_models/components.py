"""Variances, covariances and correlations of a fit in the units of the outcome, and what they mean for groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError
from analysis.mixed_models.bases import RandomModel, ResidualModel
from analysis.mixed_models.inference import CONFIDENCE
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem

if TYPE_CHECKING:
    from analysis.mixed_models.model_fit import Parts


def variance_components(parts: Parts) -> pd.DataFrame:
    """See `ModelFit.variance_components`."""
    names, scales = _component_names(parts)
    optimum = parts.optimum
    values = optimum.theta * scales
    errors = np.full(len(values), np.nan)
    if optimum.record.converged:
        spread = optimum.jacobian @ (2.0 * np.linalg.pinv(optimum.hessian, rcond=1e-10, hermitian=True))
        errors = np.sqrt(np.maximum(np.diag(spread @ optimum.jacobian.T), 0.0)) * scales
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


def _component_names(parts: Parts) -> tuple[list[str], Array]:
    """Return the name of each natural parameter, and what to multiply it by for units of the outcome and of time."""
    model = parts.base.model
    square = parts.spread**2
    names: list[str] = []
    scales: list[float] = []
    if isinstance(model, ResidualModel):
        for stratum in parts.strata:
            for name in model.structure.names(parts.design.timepoints):
                names.append(f"{name} {stratum}".strip())
                scales.append(1.0 if name.startswith("correlation") else square)
        return names, np.array(scales)
    assert isinstance(model, RandomModel)  # noqa: S101
    groups = parts.moments.roles.groups if parts.moments else tuple(level.name for level in parts.base.levels[1:])
    for level, cells in zip(("participant", *groups), model.variances, strict=True):
        for _, row, column in cells:
            names.append(f"{level} " + ("covariance" if row != column else "slope" if row else "intercept"))
            scales.append(square / parts.time_unit ** (row + column))
    for stratum in parts.strata:
        names.append(f"residual[{stratum}]" if stratum else "residual")
        scales.append(square)
    return names, np.array(scales)


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
    return value * float(np.exp(-reach / value)), value * float(np.exp(reach / value))

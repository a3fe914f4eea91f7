"""The engine behind mixed models: statsmodels finds the variances, and what it finds is verified.

Its convergence flag is not relied on: it is raised for models that are not identified, and missing for fits that are a
maximum to nine digits. A fit counts when no small step lowers the deviance; where the engine stops short of that, a
simplex search goes on from its best answer.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from analysis.reml import NO_GROUP, Array, Codes, Sums, solve_gls

OPTIMISERS: Final[tuple[tuple[str, dict[str, float]], ...]] = (("bfgs", {"gtol": 1e-9}), ("lbfgs", {}))
"""Of the engine, tried in this order; the first answer that is a maximum of the likelihood is taken."""
ZERO_RATIO: Final = 1e-6
"""Variance ratio (standard deviation ratio 0.001) from which on a variance is told apart from zero."""
STEP: Final = 1e-4
"""Step in a relative standard deviation for numerical derivatives of the deviance."""
GAIN_TOLERANCE: Final = 1e-7
"""At a maximum, one Newton step may promise no more deviance than this."""
SMALLEST_RESIDUAL: Final = 1e-9
"""Least residual variance, on a scale where the outcome has variance one; below it, nothing is left to chance."""


def find_variance_ratios(
    y: Array, x: Array, participant: Codes, group: Codes, sums: Sums
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Find the restricted maximum likelihood ratios of participant and group variance to the residual variance.

    Parameters
    ----------
    y, x : (n,) and (n, p) arrays
        Outcome on a scale near one, and design of full column rank.
    participant : (n,) array of int
        Code of the participant of each row.
    group : (n,) array of int
        Code of the group whose variance a row shares, or `NO_GROUP`.
    sums : Sums
        Of the same data.

    Returns
    -------
    ratios : (float, float) or None
        Participant and group ratio (0 without groups); None when no attempt reached a verified maximum, or
        none could (no more rows than terms or participants).
    messages : tuple of str
        What the engine said, attempt by attempt.
    """
    if sums.n_rows <= max(x.shape[1], len(sums.rows)):
        return None, ("There are no more rows than terms or participants, so the variances are not identified.",)
    messages: list[str] = []
    found: list[tuple[float, float]] = []
    for components, (method, options) in _attempts(sums):
        label = f"{' and '.join(components)}, {method}"
        try:
            ratios, said = _estimate(y, x, participant, group, sums, components, method, options)
            messages += [f"{label}: {message}" for message in dict.fromkeys(said)]
            if ratios is not None and _is_maximum(sums, *ratios):
                return ratios, tuple(messages)
            found += [ratios] if ratios is not None else []
        except (np.linalg.LinAlgError, ValueError) as error:
            messages.append(f"{label}: {error}")
    try:
        refined = _refine(sums, found) if found else None
    except np.linalg.LinAlgError:
        refined = None
    messages.append("refined from the best attempt" if refined else "no attempt reached a maximum")
    return refined, tuple(messages)


def _attempts(sums: Sums) -> Iterator[tuple[tuple[str, ...], tuple[str, dict[str, float]]]]:
    """Yield models to try: at a zero variance the engine finds the answer only in the model without that variance."""
    full = ("participant", "group") if sums.n_groups else ("participant",)
    first, *others = OPTIMISERS
    yield from ((components, first) for components in dict.fromkeys([("participant",), full, full[-1:]]))
    yield from ((full, other) for other in others)


def _refine(sums: Sums, found: list[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the maximum reached by a simplex search from the best of the ratios found, if it is one."""
    from scipy.optimize import minimize

    size = 2 if sums.n_groups else 1

    def ratios_of(deviations: Array) -> tuple[float, float]:
        squared = [float(each) ** 2 for each in deviations] + [0.0] * (2 - size)
        return squared[0], squared[1]

    best = min(found, key=lambda ratios: solve_gls(sums, *ratios).deviance)
    start = np.sqrt(best)[:size]
    simplex = np.vstack([start, start + 0.1 * np.eye(size)])
    search = minimize(
        lambda deviations: solve_gls(sums, *ratios_of(deviations)).deviance,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-8, "fatol": 1e-10, "maxiter": 1000},
    )
    participant_ratio, group_ratio = (each if each > ZERO_RATIO else 0.0 for each in ratios_of(search.x))
    return (participant_ratio, group_ratio) if _is_maximum(sums, participant_ratio, group_ratio) else None


def _estimate(
    y: Array,
    x: Array,
    participant: Codes,
    group: Codes,
    sums: Sums,
    components: tuple[str, ...],
    method: str,
    options: dict[str, float],
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Return statsmodels' ratios of participant and group variance to the residual, and its warnings."""
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    arguments: dict[str, Any] = {"groups": participant}
    if "group" in components:
        own_group = sums.group[participant]
        cluster = np.where(own_group != NO_GROUP, own_group, sums.n_groups + participant)
        arguments = {"groups": cluster, "exog_re": (group != NO_GROUP).astype(float)[:, None]}
        if "participant" in components:
            members = [participant[cluster == label] for label in np.unique(cluster)]
            indicators = [(codes[:, None] == np.unique(codes)).astype(float) for codes in members]
            names = [[str(code) for code in np.unique(codes)] for codes in members]
            arguments["exog_vc"] = VCSpec(["participant"], [names], [indicators])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = MixedLM(y, x, **arguments).fit(reml=True, method=method, **options)
    said = tuple(str(warning.message) for warning in caught)
    found = [float(np.asarray(fitted.cov_re)[0, 0]), *np.asarray(fitted.vcomp, dtype=float)]
    if not fitted.scale > 0 or not np.isfinite(found).all() or min(found) < 0:
        return None, said
    relative = [ratio if ratio > ZERO_RATIO else 0.0 for ratio in (each / float(fitted.scale) for each in found[::-1])]
    by_name = dict(zip(components, relative, strict=True))
    return (by_name.get("participant", 0.0), by_name.get("group", 0.0)), said


def _is_maximum(sums: Sums, participant_ratio: float, group_ratio: float) -> bool:
    """Verify that the deviance cannot be lowered: flat and curved upwards, or rising from a variance of zero."""
    ratios = np.array([participant_ratio, group_ratio])
    here = solve_gls(sums, participant_ratio, group_ratio)
    if not (np.isfinite(here.deviance) and here.residual_variance > SMALLEST_RESIDUAL):
        return False
    for place in range(2 if sums.n_groups else 1):
        if ratios[place] == 0.0:
            beside = ratios.copy()
            beside[place] = ZERO_RATIO
            if solve_gls(sums, *beside).deviance < here.deviance:
                return False
            continue
        deviations = np.tile(np.sqrt(ratios), (2, 1))
        deviations[:, place] += (-STEP, STEP)
        below, above = (solve_gls(sums, *pair).deviance for pair in deviations**2)
        slope = (above - below) / (2 * STEP)
        curvature = (above - 2 * here.deviance + below) / STEP**2
        if not curvature > 0 or slope**2 / (2 * curvature) > GAIN_TOLERANCE:
            return False
    return True

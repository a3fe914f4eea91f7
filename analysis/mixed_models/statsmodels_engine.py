"""Variances from statsmodels' MixedLM, an independent implementation, for those who want to check ours against it.

Its convergence flag is not relied on: it is raised for models that are not identified, and missing for fits that are an
optimum to nine digits. What it finds is verified by the exact gradient and Hessian of the same likelihood.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.arrange import Arranged
from analysis.mixed_models.covariance import Block
from analysis.mixed_models.jets import Array, Codes
from analysis.mixed_models.likelihood import Base
from analysis.mixed_models.optimise import Deviance, Optimum, arrange_optimum, verify
from data_contracts.errors import Problem

ENGINES: Final = ("peerimpact", "statsmodels")
OPTIMISERS: Final[tuple[tuple[str, dict[str, float]], ...]] = (("bfgs", {"gtol": 1e-9}), ("lbfgs", {}))
"""Of MixedLM, tried in this order."""
ZERO_RATIO: Final = 1e-6
"""Variance ratio (standard deviation ratio 0.001) from which on a variance is told apart from zero."""
PROMISE: Final = 1e-6
"""MixedLM stops earlier than our own search: one more Newton step may promise this much deviance."""


def find_with_statsmodels(
    arranged: Arranged, columns: Codes, spread: float, base: Base, blocks: Sequence[Block]
) -> Optimum:
    """Find the variances of random intercepts with MixedLM.

    Returns
    -------
    Optimum
        With `record.converged` False where no attempt reached an optimum.

    Raises
    ------
    AnalysisError
        The model has more than random intercepts of participants and of one level of groups.
    """
    if len(blocks) > 3 or len(arranged.memberships) > 1 or len(arranged.stratum_labels) > 1:
        raise AnalysisError(
            Problem(
                "statsmodels_cannot",
                "The statsmodels engine knows random intercepts of participants and of one level of groups only.",
                "Choose engine='peerimpact', or a simpler model.",
            )
        )
    deviance = Deviance(base, blocks, restricted=True)
    messages: list[str] = []
    best: tuple[float, Array] | None = None
    for components, (method, options) in _attempts(bool(arranged.memberships)):
        label = f"MixedLM, {' and '.join(components)}, {method}"
        try:
            point, said = _estimate(arranged, columns, spread, components, method, options)
        except (np.linalg.LinAlgError, ValueError) as error:
            messages.append(f"{label}: {error}")
            continue
        messages += [f"{label}: {message}" for message in dict.fromkeys(said)]
        if point is None:
            continue
        value = deviance.value(point)
        if best is None or value < best[0]:
            best = (value, point)
        if verify(deviance, blocks, point, PROMISE)[0]:
            break
    found = best[1] if best is not None else np.ones(len(blocks))
    return arrange_optimum(deviance, found, blocks, "statsmodels", "intercept", 0, messages, PROMISE)


def _attempts(grouped: bool) -> Iterator[tuple[tuple[str, ...], tuple[str, dict[str, float]]]]:
    """Yield models to try: at a zero variance MixedLM finds the answer only in the model without that variance."""
    full = ("participant", "group") if grouped else ("participant",)
    first, *others = OPTIMISERS
    yield from ((full, optimiser) for optimiser in (first, *others))
    if grouped:
        yield from ((alone, first) for alone in (("participant",), ("group",)))


def _estimate(
    arranged: Arranged,
    columns: Codes,
    spread: float,
    components: tuple[str, ...],
    method: str,
    options: dict[str, float],
) -> tuple[Array | None, tuple[str, ...]]:
    """Return working parameters from MixedLM's variances (None where it found none), and its warnings."""
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    mask = arranged.mask
    both = arranged.matrix()[mask]
    participant = np.nonzero(mask)[0]
    arguments: dict[str, Any] = {"groups": participant}
    if "group" in components:
        member = arranged.memberships[0]
        cluster = np.where(member.codes >= 0, member.codes, len(member.labels) + np.arange(len(mask)))[participant]
        arguments = {"groups": cluster, "exog_re": member.active[mask].astype(float)[:, None]}
        if "participant" in components:
            members = [participant[cluster == label] for label in np.unique(cluster)]
            indicators = [(codes[:, None] == np.unique(codes)).astype(float) for codes in members]
            names = [[str(code) for code in np.unique(codes)] for codes in members]
            arguments["exog_vc"] = VCSpec(["participant"], [names], [indicators])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = MixedLM(both[:, -1] / spread, both[:, columns], **arguments).fit(reml=True, method=method, **options)
    said = tuple(str(warning.message) for warning in caught)
    scale = float(fitted.scale)
    found = [float(np.asarray(fitted.cov_re)[0, 0]), *np.asarray(fitted.vcomp, dtype=float)]
    if not scale > 0 or not np.isfinite(found).all() or min(found) < 0:
        return None, said
    variances = dict(zip(components, found[::-1], strict=True))
    kept = [variances.get(name, 0.0) for name in ("participant", "group")[: 1 + len(arranged.memberships)]]
    deviations = [np.sqrt(value) if value > ZERO_RATIO * scale else 0.0 for value in kept]
    return np.array([*deviations, 0.5 * np.log(scale)]), said

"""What no optimiser can know: models whose parameters the data do not hold, refused with the reason and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analysis.errors import AnalysisError
from analysis.mixed_models.inference import expected_information
from analysis.mixed_models.jets import Array
from analysis.mixed_models.moments import Moments
from analysis.mixed_models.optimise import Optimum
from data_contracts.errors import Problem

NO_SPREAD: Final = 1e-12
"""Residual sum of squares, relative to the total, that is nothing but rounding."""
NO_INFORMATION: Final = 1e-8
"""Share of the information on a variance, left when terms and other variances are known, that is rounding."""


def check_spread(left: float, total: float, freedom: int) -> None:
    """Refuse an outcome that does not vary, or that the terms explain in full."""
    if freedom < 1:
        raise AnalysisError(
            Problem(
                "too_few_rows",
                "There are not more rows than terms.",
                "Take terms out, or collect more data.",
            )
        )
    if total <= 0 or left <= NO_SPREAD * total:
        raise AnalysisError(
            Problem(
                "constant_outcome",
                "The outcome does not vary, given the terms.",
                "Check how it was coded, and whether a term is the outcome itself.",
            )
        )


def check_residual_covariance(moments: Moments, kind: str) -> None:
    """Refuse a covariance between timepoints that nobody was observed at together."""
    masks, counts = moments.masks, moments.products[:, 0, 0]
    timepoints = moments.design.timepoints
    if counts.sum() < 2:
        raise AnalysisError(Problem("one_participant", "There is one participant only.", "Collect more data."))
    if len(timepoints) == 1:
        return
    for stratum, label in enumerate(moments.strata):
        own = moments.cells[:, 0] == stratum
        together = np.einsum("k,kt,ks->ts", counts[own], masks[own], masks[own])
        where = f" in '{label}'" if label else ""
        pairs = together - np.diag(np.diag(together))
        if not (pairs > 0).any():
            raise AnalysisError(
                Problem(
                    "one_row_per_participant",
                    f"No participant{where} was observed at two timepoints, so nothing is known of their covariance.",
                    "Check that ids agree between timepoints, or analyse one timepoint.",
                )
            )
        missing = np.argwhere(together == 0)
        if kind == "us" and len(missing):
            first, second = missing[0]
            what = (
                f"was observed at '{timepoints[first]}'"
                if first == second
                else f"was observed at both '{timepoints[first]}' and '{timepoints[second]}'"
            )
            raise AnalysisError(
                Problem(
                    "covariance_not_identified",
                    f"Nobody{where} {what}, so an unstructured covariance is not identified.",
                    "Choose a structure with fewer parameters, such as 'csh' or 'cs', or a ladder of them.",
                )
            )


def check_covariance(information: Array, without_terms: Array, names: Sequence[str]) -> None:
    """Refuse covariance parameters that the data cannot tell apart, given the terms.

    The information is that at a point where nothing is equal by chance: parameters that cannot be told apart there
    cannot be anywhere, and at an optimum rounding may hide it.
    """
    scale = np.sqrt(np.maximum(np.diag(without_terms), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    if values[0] > NO_INFORMATION:
        return
    unknown = np.abs(vectors[:, values <= NO_INFORMATION]).max(axis=1) > 0.1
    told = ", ".join(f"'{name}'" for name, one in zip(names, unknown, strict=True) if one)
    raise AnalysisError(
        Problem(
            "covariance_not_identified",
            f"The data cannot tell these from each other, or from the terms: {told}.",
            "Choose a structure with fewer parameters, a ladder of them, or fewer terms.",
        )
    )


def check_random_effects(rows: Array, counts: Array, width: int) -> None:
    """Refuse random effects that participants do not have the rows for."""
    if not (rows[counts > 0] > 1).any():
        raise AnalysisError(
            Problem(
                "one_row_per_participant",
                "No participant has two rows, so differences between and within participants cannot be told apart.",
                "Check that ids agree between timepoints, or analyse one timepoint.",
            )
        )
    if width > 1 and not (rows[counts > 0] > width).any():
        raise AnalysisError(
            Problem(
                "slope_not_identified",
                "No participant has more than two rows, so a random slope cannot be told apart from the residual.",
                "Use random='intercept', or fit_mmrm, which needs no such choice.",
            )
        )


def check_groups(name: str, sizes: Array) -> None:
    """Refuse a group variance without two groups, or without two participants in any of them."""
    if (sizes > 0).sum() < 2:
        raise AnalysisError(
            Problem(
                "too_few_groups",
                f"'{name}' has fewer than two groups, so their variance is not identified.",
                "Leave the groups out, and say that all met in one.",
            )
        )
    if not (sizes > 1).any():
        raise AnalysisError(
            Problem(
                "group_without_replication",
                f"No group of '{name}' has two participants, so groups and participants cannot be told apart.",
                "Leave the groups out, or check the column that holds them.",
            )
        )


def check_identified(optimum: Optimum, names: Sequence[str]) -> None:
    """Refuse variances that the terms, or other variances, take in whole, so that any value of them fits alike."""
    if not optimum.record.converged:
        return
    evaluation = optimum.evaluation
    information = expected_information(evaluation)
    without_terms = np.maximum(-np.diag(evaluation.log_det_curvature) / 2.0, np.finfo(float).tiny)
    left = np.diag(information) / without_terms
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    if left.min() < NO_INFORMATION:
        what = f"The terms of the model take in all that is known of the variance of '{names[int(left.argmin())]}'"
        advice = "Take the term that tells them apart out, or leave them out."
    elif values[0] < NO_INFORMATION:
        first, second = np.argsort(-np.abs(vectors[:, 0]))[:2]
        what = f"The variances of '{names[first]}' and '{names[second]}' cannot be told apart"
        advice = "Leave one of them out."
    else:
        return
    raise AnalysisError(Problem("variance_not_identified", f"{what}.", advice))

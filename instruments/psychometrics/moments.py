"""Means and covariances of answers over timepoints, with every answer that was given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.errors import Problem
from data_contracts.telling import tell
from instruments.errors import InstrumentError

Floats = NDArray[np.float64]

SAME_DEVIANCE: Final = 1e-11
"""The unrestricted model is found when a step changes its deviance per participant by less."""
MOST_STEPS: Final = 5000
SMALLEST_EIGENVALUE: Final = 1e-6
"""Of the correlations of all answers; below it an answer repeats what others say."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Participants who gave the same answers: which columns, how many people, their mean and covariance (divisor n)."""

    columns: NDArray[np.intp]
    n: int
    mean: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerMoments:
    """What a likelihood needs to know of the answers to k items at t timepoints.

    Answers are in units that keep an item the same at every timepoint: minus the item's `centre`, divided by its
    `spread`. Columns go timepoint by timepoint, and within it item by item.

    Attributes
    ----------
    n : int
        Participants with at least one answer.
    items : tuple of str
        The items, the same at every timepoint.
    n_timepoints : int
        Timepoints, in the order given.
    is_complete : bool
        True where all of them answered every item at every timepoint.
    centre, spread : array of shape (k,)
        Mean and standard deviation of all answers to an item, in its points.
    constant : float
        What the deviance of all participants needs to become -2 x log-likelihood of the answers in points.
    patterns : tuple of Pattern
        Participants by the answers they gave.
    mean, covariance : array of shape (t * k,), (t * k, t * k)
        Of the unrestricted model.
    deviance, independent_deviance : float
        Deviance per participant of the unrestricted model, and of that with free means and variances only.
    """

    n: int
    items: tuple[str, ...]
    n_timepoints: int
    is_complete: bool
    centre: Floats
    spread: Floats
    constant: float
    patterns: tuple[Pattern, ...] = field(repr=False)
    mean: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    deviance: float
    independent_deviance: float


@dataclass(frozen=True, slots=True, eq=False)
class Deviance:
    """Deviance per participant, without the constant, and how it changes with each mean and each covariance."""

    value: float
    by_mean: Floats
    by_covariance: Floats


def summarise_answers(answers: Sequence[pd.DataFrame]) -> AnswerMoments:
    """Summarise scored answers.

    Parameters
    ----------
    answers : sequence of DataFrame
        One per timepoint: participant x item, the same items everywhere, NaN where missing. Participants are matched
        by the index; who answered nothing at all is left out. The order of the rows has no bearing.

    Returns
    -------
    AnswerMoments
        With the unrestricted mean and covariance: those of the answers (divisor n) where all are complete, otherwise
        by the EM algorithm (Dempster, Laird & Rubin 1977, doi 10.1111/j.2517-6161.1977.tb01600.x).

    Raises
    ------
    InstrumentError
        ``different_items``, ``answered_twice``, ``no_answers``, ``constant_items``, ``never_answered_together``,
        ``dependent_items`` or ``not_converged``.
    """
    items = _common_items(answers)
    wide = pd.concat(list(answers), axis="columns", keys=range(len(answers)), sort=True).dropna(how="all")
    points = wide.sort_values(list(wide.columns)).to_numpy(dtype="float64")
    _require_information(points)
    stacked = points.reshape(-1, len(items))
    centre, spread = np.nanmean(stacked, axis=0), np.nanstd(stacked, axis=0)
    values = (points - np.tile(centre, len(answers))) / np.tile(spread, len(answers))
    patterns = _patterns(values)
    mean, covariance, deviance = _unrestricted(patterns, values)
    independent = np.nanmean(values, axis=0), np.diag(np.nanvar(values, axis=0))
    given = (~np.isnan(stacked)).sum(axis=0)
    return AnswerMoments(
        n=len(values),
        items=items,
        n_timepoints=len(answers),
        is_complete=not np.isnan(values).any(),
        centre=centre,
        spread=spread,
        constant=float(given.sum() * math.log(2 * math.pi) + 2 * (given * np.log(spread)).sum()),
        patterns=patterns,
        mean=mean,
        covariance=covariance,
        deviance=deviance,
        independent_deviance=compute_deviance(patterns, *independent).value,
    )


def compute_deviance(patterns: Sequence[Pattern], mean: Floats, covariance: Floats) -> Deviance:
    """Compute the normal deviance per participant of a mean and a covariance, and its gradient.

    Parameters
    ----------
    patterns : sequence of Pattern
        From `summarise_answers`.
    mean, covariance : array of shape (p,), (p, p)
        Of a model.

    Returns
    -------
    Deviance
        The sum over patterns of ``n / N (log det S + tr(S^-1 A))`` with A the mean square of what was answered around
        the model's mean (Arbuckle 1996, "Full information estimation in the presence of incomplete data").

    Raises
    ------
    numpy.linalg.LinAlgError
        The covariance is not positive definite.
    """
    total = sum(pattern.n for pattern in patterns)
    value, by_mean, by_covariance = 0.0, np.zeros_like(mean), np.zeros_like(covariance)
    for pattern in patterns:
        share, block = pattern.n / total, np.ix_(pattern.columns, pattern.columns)
        factor = np.linalg.cholesky(covariance[block])
        root = np.linalg.inv(factor)
        precision = root.T @ root
        gap = pattern.mean - mean[pattern.columns]
        around = precision @ (pattern.covariance + np.outer(gap, gap))
        value += share * (2 * np.log(np.diag(factor)).sum() + np.trace(around))
        by_mean[pattern.columns] -= 2 * share * (precision @ gap)
        by_covariance[block] += share * (precision - around @ precision)
    return Deviance(float(value), by_mean, by_covariance)


def _common_items(answers: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    items = tuple(str(item) for item in answers[0].columns)
    if len(set(items)) < len(items) or any(tuple(map(str, each.columns)) != items for each in answers):
        raise InstrumentError(
            Problem(
                "different_items",
                tell("The timepoints do not have the same items, each once."),
                "Give the same columns in the same order for every timepoint.",
            )
        )
    if any(each.index.has_duplicates for each in answers):
        raise InstrumentError(
            Problem(
                "answered_twice",
                tell("A participant has more than one row at a timepoint."),
                "Keep one row for each participant.",
            )
        )
    return items


def _require_information(points: Floats) -> None:
    """Refuse answers that leave a mean, a variance or a covariance open."""
    answered = ~np.isnan(points)
    if not len(points) or not answered.any(axis=0).all():
        raise InstrumentError(
            Problem(
                "no_answers", tell("An item has no answers at a timepoint."), "Leave out the item or the timepoint."
            )
        )
    if (np.nanmin(points, axis=0) == np.nanmax(points, axis=0)).any():
        raise InstrumentError(
            Problem(
                "constant_items",
                tell("An item was answered alike by all at a timepoint."),
                "Leave the item out, or gather more participants.",
            )
        )
    if not (answered.T.astype("int64") @ answered).all():
        raise InstrumentError(
            Problem(
                "never_answered_together",
                tell("Two answers were never given by the same participant."),
                "Leave out the item or the timepoint that few have answered.",
            )
        )


def _patterns(values: Floats) -> tuple[Pattern, ...]:
    answered, row_pattern = np.unique(~np.isnan(values), axis=0, return_inverse=True)
    patterns = []
    for index, columns in enumerate(np.flatnonzero(row) for row in answered):
        own = values[row_pattern.ravel() == index][:, columns]
        centred = own - own.mean(axis=0)
        patterns.append(Pattern(columns, len(own), own.mean(axis=0), centred.T @ centred / len(own)))
    return tuple(patterns)


def _unrestricted(patterns: tuple[Pattern, ...], values: Floats) -> tuple[Floats, Floats, float]:
    """Return mean, covariance and deviance of the model without restrictions, by EM."""
    mean, covariance = np.nanmean(values, axis=0), np.diag(np.nanvar(values, axis=0))
    before = math.inf
    for _ in range(MOST_STEPS):
        mean, covariance = _em_step(patterns, mean, covariance)
        _require_independent(covariance)
        deviance = compute_deviance(patterns, mean, covariance).value
        if before - deviance < SAME_DEVIANCE:
            return mean, covariance, deviance
        before = deviance
    raise InstrumentError(
        Problem(
            "not_converged",
            tell("Means and covariances of the answers were not found."),
            "Leave out the item or the timepoint that few have answered.",
        )
    )


def _em_step(patterns: tuple[Pattern, ...], mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return the mean and covariance of the answers with the missing ones expected from the given."""
    total = sum(pattern.n for pattern in patterns)
    expected = []
    for pattern in patterns:
        own = covariance[:, pattern.columns]
        weights = np.linalg.solve(own[pattern.columns], own.T).T
        centre = mean + weights @ (pattern.mean - mean[pattern.columns])
        spread = weights @ (pattern.covariance - own[pattern.columns]) @ weights.T + covariance
        expected.append((pattern.n / total, centre, spread))
    new = np.sum([share * centre for share, centre, _ in expected], axis=0)
    moments = [share * (spread + np.outer(centre - new, centre - new)) for share, centre, spread in expected]
    return new, np.sum(moments, axis=0)


def _require_independent(covariance: Floats) -> None:
    deviations = np.sqrt(np.diag(covariance))
    if np.linalg.eigvalsh(covariance / np.outer(deviations, deviations))[0] < SMALLEST_EIGENVALUE:
        raise InstrumentError(
            Problem(
                "dependent_items",
                tell("An answer repeats what other answers of the same people say, or there are too few people."),
                "Leave the item out, or gather more participants.",
            )
        )

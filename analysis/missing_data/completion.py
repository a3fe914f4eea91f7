"""Missing scores filled in: the mean that a strategy assigns, given the scores that were observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.missing_data.imputation_model import Parameters
from analysis.missing_data.panel import Panel
from analysis.mixed_models.jets import Array, Codes, Mask


def assign_means(panel: Panel, parameters: Parameters) -> Array:
    """Return the mean (n, T) of each participant before anything is known of the scores, by the strategy of the event.

    With e the first timepoint after the event, m the mean of the own arm and r that of the reference: m without an
    event and under ``missing_at_random`` and ``hypothetical``; ``jump_to_reference`` r from e on; ``copy_reference`` r
    throughout; ``copy_increments`` m(e-1) + r(t) - r(e-1) from e on. Before the first timepoint there is no increment
    to copy: r throughout.
    """
    own, reference = parameters.own, parameters.reference
    after = panel.after
    last = np.maximum(panel.event - 1, 0)[:, None]
    lag = np.take_along_axis(own, last, 1) - np.take_along_axis(reference, last, 1)
    moved = reference + np.where(panel.event[:, None] > 0, lag, 0.0)
    with_event = (panel.event < len(panel.timepoints))[:, None]
    found = own
    for strategy, means in (
        ("jump_to_reference", np.where(after, reference, own)),
        ("copy_reference", reference),
        ("copy_increments", np.where(after, moved, own)),
    ):
        found = np.where(with_event & panel.has_strategy(strategy)[:, None], means, found)  # type: ignore[arg-type]
    return found


@dataclass(frozen=True, slots=True)
class Pattern:
    """Participants with the same scores missing: their places, and the timepoints missing and observed."""

    people: Codes
    missing: Codes
    observed: Codes


def find_patterns(observed: Mask) -> list[Pattern]:
    """Return the patterns in which something is missing."""
    masks, place = np.unique(observed, axis=0, return_inverse=True)
    return [
        Pattern(np.flatnonzero(place.reshape(-1) == number), np.flatnonzero(~mask), np.flatnonzero(mask))
        for number, mask in enumerate(masks)
        if not mask.all()
    ]


def fill_in_means(panel: Panel, means: Array, covariance: Array, patterns: list[Pattern]) -> Array:
    """Return scores (n, T), the missing ones at their mean given the observed: m_m + S_mo S_oo^-1 (y_o - m_o)."""
    found = panel.scores.copy()
    for pattern, conditional, _ in _conditionals(panel, means, covariance, patterns):
        found[np.ix_(pattern.people, pattern.missing)] = conditional
    return found


def fill_in_draws(
    panel: Panel, means: Array, covariance: Array, patterns: list[Pattern], rng: np.random.Generator
) -> Array:
    """Return scores (n, T) with the missing ones drawn from their distribution given the observed ones."""
    found = panel.scores.copy()
    for pattern, conditional, left in _conditionals(panel, means, covariance, patterns):
        noise = rng.standard_normal(conditional.shape) @ np.linalg.cholesky(left).T
        found[np.ix_(pattern.people, pattern.missing)] = conditional + noise
    return found


def _conditionals(
    panel: Panel, means: Array, covariance: Array, patterns: list[Pattern]
) -> Iterator[tuple[Pattern, Array, Array]]:
    """Yield each pattern with the means and the covariance of its missing scores given the observed ones."""
    for pattern in patterns:
        missing, seen = pattern.missing, pattern.observed
        across = covariance[np.ix_(seen, missing)]
        weights = np.linalg.solve(covariance[np.ix_(seen, seen)], across)
        own = means[pattern.people]
        surprise = panel.scores[np.ix_(pattern.people, seen)] - own[:, seen]
        left = covariance[np.ix_(missing, missing)] - across.T @ weights
        yield pattern, own[:, missing] + surprise @ weights, left

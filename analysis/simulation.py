"""Invented participants with a known truth: answers to real instruments, drop-out, and what the estimands are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from instruments import Instrument

Array = NDArray[np.float64]

LOADING = 0.8
"""Correlation of an item's latent answer with the trait, which has variance 1 at baseline."""
VARIANCE_PARTICIPANT, VARIANCE_OCCASION, VARIANCE_GROUP = 0.65, 0.35, 0.05
NODES = 80
"""Points at which a trait is integrated out."""
AGE_SHARE = 0.2
"""Correlation of a participant's lasting level with age."""


@dataclass(frozen=True, slots=True)
class Trait:
    """What happens to one instrument's trait, in standard deviations of the trait at baseline.

    Attributes
    ----------
    level : float
        Baseline level; 0 puts the average answer in the middle of the options.
    trend : tuple of float
        Change from baseline at each later timepoint in every arm.
    effect : tuple of float
        What peer support adds at each later timepoint.
    """

    level: float
    trend: tuple[float, ...]
    effect: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """An invented study before anybody has typed it into a file.

    Attributes
    ----------
    participants : DataFrame
        participant, arm (peer, usual), group, age, gender (w, m).
    answers : mapping
        Instrument id -> array (participant, timepoint, item), integer codes.
    observed : array of bool, shape (participant, timepoint)
        Who answered when.
    truth : mapping
        (measure, place of the timepoint) -> true difference peer - usual in points of the score.
    """

    participants: pd.DataFrame
    answers: Mapping[str, NDArray[np.int64]]
    observed: NDArray[np.bool_]
    truth: Mapping[tuple[str, int], float]


def simulate_study(
    library: Mapping[str, Instrument],
    traits: Mapping[str, Trait],
    *,
    participants: int,
    group_size: int,
    rng: np.random.Generator,
) -> SimulatedStudy:
    """Simulate a randomised trial of peer groups against usual care.

    The trait of a person is normal: a lasting part (correlated with age), a part of the occasion, and after baseline a
    part shared by the peer group. An item's answer counts the thresholds that its latent answer passes, so that
    expected scores, and with them the true contrasts, are sums of normal probabilities and known exactly.

    Parameters
    ----------
    library : mapping
        Instruments whose first measure is the outcome.
    traits : mapping
        Instrument id -> Trait; the first decides who drops out (the worse off leave more often).
    participants, group_size : int
        Half of the people are in the peer arm, in groups of that size.
    rng : Generator
        Source of randomness.
    """
    in_peer_arm = rng.permutation(np.arange(participants) % 2 == 0)
    group = np.full(participants, -1)
    group[in_peer_arm] = np.arange(int(in_peer_arm.sum())) // group_size
    age_score = rng.standard_normal(participants)
    n_timepoints = 1 + len(next(iter(traits.values())).trend)
    answers: dict[str, NDArray[np.int64]] = {}
    truth: dict[tuple[str, int], float] = {}
    worse_off = np.zeros((participants, n_timepoints))
    for place, (name, trait) in enumerate(traits.items()):
        theta = _draw_trait(trait, in_peer_arm, group, age_score, rng)
        answers[name] = _draw_answers(library[name], theta, trait.level, rng)
        for timepoint in range(1, n_timepoints):
            truth[f"{name}.{library[name].measures[0].id}", timepoint] = _true_difference(
                library[name], trait, timepoint
            )
        if place == 0:
            worse_off = theta
    people = pd.DataFrame(
        {
            "participant": np.arange(1, participants + 1),
            "arm": np.where(in_peer_arm, "peer", "usual"),
            "group": group,
            "age": np.clip(np.round(46 + 13 * age_score), 18, 88).astype(int),
            "gender": np.where(rng.random(participants) < 0.65, "w", "m"),
        }
    )
    return SimulatedStudy(people, answers, _draw_observed(worse_off, rng), truth)


def _draw_trait(
    trait: Trait, in_peer_arm: NDArray[np.bool_], group: NDArray[np.int64], age_score: Array, rng: np.random.Generator
) -> Array:
    n, n_timepoints = len(group), 1 + len(trait.trend)
    lasting = np.sqrt(VARIANCE_PARTICIPANT) * (
        AGE_SHARE * age_score + np.sqrt(1 - AGE_SHARE**2) * rng.standard_normal(n)
    )
    occasion = np.sqrt(VARIANCE_OCCASION) * rng.standard_normal((n, n_timepoints))
    shared = np.sqrt(VARIANCE_GROUP) * rng.standard_normal(group.max() + 1)
    theta: Array = lasting[:, None] + occasion
    theta[:, 1:] += np.array(trait.trend) + in_peer_arm[:, None] * (np.array(trait.effect) + shared[group][:, None])
    return theta


def _draw_answers(instrument: Instrument, theta: Array, level: float, rng: np.random.Generator) -> NDArray[np.int64]:
    columns = []
    for position, item in enumerate(instrument.items):
        lowest, thresholds = _thresholds(instrument, position)
        latent = LOADING * theta + level + np.sqrt(1 - LOADING**2) * rng.standard_normal(theta.shape)
        answer = lowest + (latent[..., None] > thresholds).sum(axis=-1)
        columns.append(2 * lowest + len(thresholds) - answer if item.reverse else answer)
    return np.stack(columns, axis=-1).astype(np.int64)


def _thresholds(instrument: Instrument, position: int) -> tuple[int, Array]:
    """Return the lowest answer and the latent thresholds of an item; items differ a little in difficulty."""
    allowed = instrument.response_sets[instrument.items[position].response_set].allowed
    steps = round(allowed.maximum - allowed.minimum)
    difficulty = 0.3 * (position - (len(instrument.items) - 1) / 2) / max(len(instrument.items) - 1, 1)
    return round(allowed.minimum), norm.ppf((np.arange(1, steps + 1) - 0.5) / steps) * 1.2 + difficulty


def _true_difference(instrument: Instrument, trait: Trait, timepoint: int) -> float:
    """Return E(score | peer) - E(score | usual) at a timepoint, summed over thresholds."""
    measure = instrument.measures[0]
    lasting = VARIANCE_PARTICIPANT + VARIANCE_OCCASION
    total = 0.0
    for position in range(len(instrument.items)):
        _, thresholds = _thresholds(instrument, position)
        for sign, shift, variance in ((1, trait.effect[timepoint - 1], lasting + VARIANCE_GROUP), (-1, 0.0, lasting)):
            mean = LOADING * (trait.trend[timepoint - 1] + shift) + trait.level
            spread = np.sqrt(LOADING**2 * variance + 1 - LOADING**2)
            total += sign * float(norm.sf((thresholds - mean) / spread).sum())
    per_item = total if measure.method == "sum" else total / len(instrument.items)
    return per_item * measure.multiply


def true_share_difference(
    instrument: Instrument, trait: Trait, timepoint: int, is_event: Callable[[Array], NDArray[np.bool_]]
) -> float:
    """Return P(event | peer) - P(event | usual) at a timepoint, in percent.

    Parameters
    ----------
    instrument : Instrument
        Its first measure is a sum of items.
    trait : Trait
        What happens to its trait.
    timepoint : int
        1 for the first one after baseline.
    is_event : callable
        Total scores -> whether each is an event.

    Notes
    -----
    Given the trait, answers are independent; their sum is a convolution, and the trait is integrated out.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    lasting = VARIANCE_PARTICIPANT + VARIANCE_OCCASION
    shares = []
    for shift, variance in ((trait.effect[timepoint - 1], lasting + VARIANCE_GROUP), (0.0, lasting)):
        theta = trait.trend[timepoint - 1] + shift + np.sqrt(variance) * nodes
        lowest, of_total = 0, np.ones((NODES, 1))
        for position in range(len(instrument.items)):
            low, thresholds = _thresholds(instrument, position)
            above = norm.sf((thresholds - LOADING * theta[:, None] - trait.level) / np.sqrt(1 - LOADING**2))
            one, none = np.ones((NODES, 1)), np.zeros((NODES, 1))
            of_item = -np.diff(np.hstack([one, above, none]))
            of_total = np.array([np.convolve(*each) for each in zip(of_total, of_item, strict=True)])
            lowest += low
        totals = lowest + np.arange(of_total.shape[1], dtype=float)
        shares.append(float(weights @ of_total[:, is_event(totals)].sum(axis=1) / weights.sum()))
    return 100.0 * (shares[0] - shares[1])


def _draw_observed(worse_off: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return who answers: everybody at baseline, then those who do not leave; leaving depends on the trait before."""
    observed = np.ones(worse_off.shape, dtype=bool)
    for timepoint in range(1, worse_off.shape[1]):
        chance = 1 / (1 + np.exp(2.0 - 0.5 * worse_off[:, timepoint - 1]))
        leaves = rng.random(len(worse_off)) < np.where(observed[:, timepoint - 1], chance, 0.75)
        observed[:, timepoint] = ~leaves
    return observed

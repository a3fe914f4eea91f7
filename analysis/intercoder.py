"""Agreement between coders: Krippendorff's alpha for nominal judgements, of which some may be missing.

References
----------
Krippendorff K (2004). Reliability in content analysis: some common misconceptions and recommendations. Human
Communication Research 30, 411-433. doi 10.1111/j.1468-2958.2004.tb00738.x
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 2000
MOST_WITHOUT_VARIATION: Final = 0.05
"""Share of samples drawn anew in which all judgements are the same, beyond which no interval is given."""
_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judgements of units, added up by what is drawn together.

    Attributes
    ----------
    disagreement : ndarray
        Shape (n,): of each thing drawn, pairs of judgements of one unit that differ, each counted ``1 / (m - 1)`` where
        m coders judged the unit.
    tallies : ndarray
        Shape (n, k): how often each value was given, in units that two coders or more judged.
    """

    disagreement: NDArray[np.float64]
    tallies: NDArray[np.float64]


def tally_judgements(counts: NDArray[np.float64], together: NDArray[np.intp] | None = None) -> Judgements:
    """Add up judgements for `krippendorff_alpha`.

    Parameters
    ----------
    counts : ndarray
        Shape (u, k): how many coders gave each of k values to each of u units. Units that fewer than two coders judged
        tell nothing of agreement and do not count; so a missing judgement is one that is not there.
    together : ndarray, optional
        Shape (u,): the number, from 0 on, of what each unit is drawn with; each by itself without it.

    Returns
    -------
    Judgements
        In the order of the numbers in `together`.
    """
    coders = counts.sum(axis=1)
    paired = np.where(coders >= 2, 1.0, 0.0)
    differ = paired * (coders**2 - (counts**2).sum(axis=1)) / np.maximum(coders - 1, 1)
    kept = counts * paired[:, None]
    if together is None:
        return Judgements(differ, kept)
    size = int(together.max()) + 1 if together.size else 0
    added = np.zeros((size, counts.shape[1]))
    np.add.at(added, together, kept)
    apart = np.zeros(size)
    np.add.at(apart, together, differ)
    return Judgements(apart, added)


def krippendorff_alpha(judged: Judgements) -> float:
    """Return alpha: 1 where coders agree throughout, 0 where they agree as often as chance would have it.

    Returns
    -------
    float
        NaN where all judgements are the same, so that chance cannot be told from agreement, and without any.
    """
    return float(_alpha(judged.disagreement.sum(keepdims=True), judged.tallies.sum(axis=0, keepdims=True))[0])


def bootstrap_alpha(judged: Judgements, rng: np.random.Generator) -> tuple[float, float]:
    """Return the ends of the 95 % percentile interval of alpha over what is drawn anew.

    Returns
    -------
    tuple of float
        NaN where more than one in twenty samples has judgements that are all the same.
    """
    n = judged.disagreement.size
    found = []
    for start in range(0, DRAWS, _AT_ONCE):
        weights = rng.multinomial(n, np.full(n, 1 / n), size=min(_AT_ONCE, DRAWS - start)).astype("float64")
        found.append(_alpha(weights @ judged.disagreement, weights @ judged.tallies))
    alphas = np.concatenate(found)
    known = alphas[np.isfinite(alphas)]
    if known.size < (1 - MOST_WITHOUT_VARIATION) * alphas.size:
        return np.nan, np.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _alpha(disagreement: NDArray[np.float64], tallies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``1 - observed / expected disagreement`` of several samples."""
    total = tallies.sum(axis=1)
    expected = total**2 - (tallies**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * disagreement / expected, np.nan)

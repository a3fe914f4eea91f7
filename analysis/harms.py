"""Harms and answers that call for attention: counted with their uncertainty, also where there were none.

Ioannidis et al. 2004 (CONSORT for harms), doi 10.7326/0003-4819-141-10-200411160-00009: people and events apart, no
test of a difference that the study was not built to show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.errors import AnalysisError
from analysis.meaning import Share
from analysis.mixed_models.inference import CONFIDENCE
from analysis.mixed_models.jets import Array
from data_contracts.errors import Problem

EXACT = "share with exact (Clopper-Pearson) interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harms:
    """Harms of one arm.

    Attributes
    ----------
    people : Share
        With at least one harm. Without any, its upper limit is what could have been missed.
    events : int
        Harms, of which a person may have several.
    rate, rate_low, rate_high : float
        Events per unit of time and 95 % interval; NaN where no time was given.
    method : str
        How the intervals came about.
    """

    people: Share
    events: int
    rate: float
    rate_low: float
    rate_high: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """Answers to one item that call for attention, of the people who answered it at both timepoints.

    Attributes
    ----------
    before, later : Share
        At or above the border, at each timepoint.
    new, resolved : Share
        Below it before and not later, of those below before; and the other way, of those not below before.
    n_incomplete : int
        People without one of the two answers; they are in no share.
    """

    before: Share
    later: Share
    new: Share
    resolved: Share
    n_incomplete: int


def count_harms(events: Array, *, time: Array | None = None) -> Harms:
    """Count the harms of an arm.

    Parameters
    ----------
    events : (n,) array
        Harms of each person who was asked or watched: whole numbers, 0 for none. A person not asked is not in it.
    time : (n,) array, optional
        How long each was watched, above 0, in any unit.

    Returns
    -------
    Harms
        Shares with the interval of Clopper and Pearson (1934, doi 10.1093/biomet/26.4.404), rates with that of Garwood
        (1936, doi 10.1093/biomet/28.3-4.437), which take events for independent of each other.

    Raises
    ------
    AnalysisError
        ``events_not_possible`` or ``time_not_possible``.
    """
    counts = np.asarray(events, dtype=float)
    if counts.size and not ((counts >= 0) & (counts == np.round(counts))).all():
        message = "Harms are whole numbers, 0 for none, and a person who was not asked is not in them."
        raise AnalysisError(Problem("events_not_possible", message, "Leave out who was not asked."))
    total = int(counts.sum())
    rate = low = high = float("nan")
    if time is not None:
        watched = np.asarray(time, dtype=float)
        if watched.shape != counts.shape or not (np.isfinite(watched) & (watched > 0)).all() or not watched.size:
            message = "Everybody was watched for some time above 0."
            raise AnalysisError(Problem("time_not_possible", message, "Give the time of each person, or none at all."))
        tail, whole = (1 - CONFIDENCE) / 2, float(watched.sum())
        rate = total / whole
        low = float(stats.chi2.ppf(tail, 2 * total)) / (2 * whole) if total else 0.0
        high = float(stats.chi2.isf(tail, 2 * total + 2)) / (2 * whole)
    return Harms(
        people=exact_share(int((counts > 0).sum()), counts.size),
        events=total,
        rate=rate,
        rate_low=low,
        rate_high=high,
        method="people with exact (Clopper-Pearson) interval, rate with exact Poisson (Garwood) interval",
    )


def count_alerts(before: Array, later: Array, *, at_least: float) -> Alerts:
    """Count answers that call for attention, before and later.

    Parameters
    ----------
    before, later : (n,) array
        Answers to a safety item as scored, in the same order of people; NaN where not answered.
    at_least : float
        The least answer that calls for attention; higher answers are worse.

    Raises
    ------
    AnalysisError
        ``lengths_differ``.
    """
    first, second = (np.asarray(answers, dtype=float) for answers in (before, later))
    if first.shape != second.shape:
        message = "There are not as many answers before as later."
        raise AnalysisError(Problem("lengths_differ", message, "Give one answer of each person at both timepoints."))
    both = ~(np.isnan(first) | np.isnan(second))
    was, is_now = first[both] >= at_least, second[both] >= at_least
    return Alerts(
        before=exact_share(int(was.sum()), was.size),
        later=exact_share(int(is_now.sum()), was.size),
        new=exact_share(int((~was & is_now).sum()), int((~was).sum())),
        resolved=exact_share(int((was & ~is_now).sum()), int(was.sum())),
        n_incomplete=int((~both).sum()),
    )


def exact_share(count: int, n: int) -> Share:
    """Return a share with an interval that holds the truth in at least 95 % of studies, however rare the event."""
    low = high = value = float("nan")
    if n:
        tail = (1 - CONFIDENCE) / 2
        value = count / n
        low = float(stats.beta.ppf(tail, count, n - count + 1)) if count else 0.0
        high = float(stats.beta.isf(tail, count + 1, n - count)) if count < n else 1.0
    return Share(count=count, n=n, value=value, conf_low=low, conf_high=high, method=EXACT)

"""Harms that the plan names, by arm: people who had an event, and people whose answer calls for attention.

Counts only, with exact intervals, and no test of a difference between arms (CONSORT for harms: Ioannidis et al. 2004,
doi 10.7326/0003-4819-141-10-200411160-00009; Junqueira et al. 2023, doi 10.1136/bmj-2022-073725).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.evaluation import Evaluation
from analysis.harms import Alerts, count_alerts, count_harms, exact_share
from analysis.meaning import Share
from analysis.plan_parts import Harm
from analysis.results import NAN, Result
from analysis.telling import Number, tell

DAYS_IN_100_YEARS: Final = 36525.0
NOBODY_FOLLOWED: Final = tell(
    "Each timepoint is a sample of its own, so it cannot be told to whom something happened after an earlier one.\n"
    "Take the harm out of the plan, or follow the same people."
)
NOT_ANSWERED: Final = tell(
    "Nobody answered the item both at baseline and later.\nDeliver the item at both, or take the harm out of the plan."
)
_TENS: Final = 10
FEWEST_SPLIT: Final = 20
"""People from whom on it may be said that fewer than half had something: ten are on each side."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The people of one arm, in one order.

    Attributes
    ----------
    events : DataFrame
        Events of one kind after baseline.
    last_day : Series
        Participant -> the last day on which anything is known of them; NaN where no day is told.
    """

    people: pd.Index
    events: pd.DataFrame
    last_day: pd.Series


def describe_harms(evaluation: Evaluation) -> Iterator[Result]:
    """Count the harms that the plan names.

    Parameters
    ----------
    evaluation : Evaluation
        With events and answers; answers that a flag leaves out are missing.

    Yields
    ------
    Result
        With the harm in `item`. Of an event, by arm: ``people_with_event``, ``share_with_event`` (percent of everybody
        allocated), ``events``, ``first_events_per_100_years`` where days are told, and ``is_minority`` (1 where fewer
        than half had it). Of an item, by arm and later timepoint, in percent: ``alert_before``, ``alert_later``,
        ``new_alerts`` (of those below the border at baseline), ``resolved_alerts`` (of those not below it), all among
        people with both answers, ``incomplete`` (of everybody), and ``is_minority`` of the new.
        `fewest` is the smallest number of people, above none, of a part of the arm that a number tells of, beside those
        told before it: with and without, and of an item the parts that follow from several shares together.
    """
    for harm in evaluation.plan.harms:
        if evaluation.design.is_resampled:
            yield _refuse(harm, "nobody_followed", NOBODY_FOLLOWED)
        elif harm.event is not None:
            yield from _describe_event(harm, evaluation)
        else:
            yield from _describe_item(harm, evaluation)


def smallest_part(*parts: float) -> float:
    """Return the smallest number of people above none; NaN where there is nobody in any part."""
    return min((float(part) for part in parts if part > 0), default=NAN)


def _refuse(harm: Harm, reason: str, sentence: str) -> Result:
    return Result(
        analysis="harms",
        statistic="people_with_event" if harm.event else "new_alerts",
        item=harm.id,
        verdict=f"refused:{reason}",
        method=sentence,
        prespecified=True,
    )


def _describe_event(harm: Harm, evaluation: Evaluation) -> Iterator[Result]:
    """Yield how many people of each arm had an event at any time after baseline."""
    for arm in evaluation.design.arms:
        watched = _watch(harm, arm.id, evaluation)
        yield from _count_people(harm, arm.id, watched)


def _watch(harm: Harm, arm: str, evaluation: Evaluation) -> Watched:
    """Return the people of an arm, their events of one kind after the day of baseline, and their last known day."""
    participants, events = evaluation.participants, evaluation.events
    people = pd.Index(participants.loc[participants["arm"] == arm, "participant_id"])
    days = events["days_since_baseline"].astype("float64")
    later = np.where(days.notna(), days > 0, events["timepoint"] != evaluation.design.baseline.id)
    own = events[(events["event"] == harm.event) & later & events["participant_id"].isin(people)]
    tables = [table for table in (evaluation.responses, evaluation.sessions, events) if table is not None]
    told = [
        table[["participant_id", "days_since_baseline"]].astype({"days_since_baseline": "float64"})
        for table in tables
        if "days_since_baseline" in table
    ]
    last = pd.concat(told).groupby("participant_id")["days_since_baseline"].max()
    return Watched(people, own, last.reindex(people))


def _count_people(harm: Harm, arm: str, watched: Watched) -> Iterator[Result]:
    counts = (
        watched.events.groupby("participant_id").size().reindex(watched.people, fill_value=0).to_numpy(dtype="float64")
    )
    found, n = count_harms(counts), counts.size
    with_it = found.people.count
    parts = (with_it, n - with_it)
    common: dict[str, Any] = {"analysis": "harms", "arm": arm, "item": harm.id, "prespecified": True}
    beside = {"n": n, "fewest": smallest_part(*parts)}
    words = tell("people with the event at any time after the day of baseline")
    yield Result(statistic="people_with_event", value=with_it, method=words, **common, **beside)
    yield Result(
        statistic="share_with_event",
        value=100 * found.people.value,
        conf_low=100 * found.people.conf_low,
        conf_high=100 * found.people.conf_high,
        method=tell("percent of everybody allocated: share with exact (Clopper-Pearson) interval"),
        **common,
        **beside,
    )
    several = int((counts > 1).sum())
    words = tell("events, of which a person may have several")
    yield Result(
        statistic="events", value=found.events, method=words, **common, n=n, fewest=smallest_part(*parts, several)
    )
    words = tell("1 where fewer than half of the people had it, otherwise 0")
    if n >= FEWEST_SPLIT:
        yield Result(statistic="is_minority", value=float(2 * with_it < n), method=words, **common, n=n)
    yield from _rate_of_first(watched, common)


def _rate_of_first(watched: Watched, common: dict[str, Any]) -> Iterator[Result]:
    """Yield the rate of first events, where the day of every event is told.

    First events only: with a rate of all, how many people had several could be had from the people with any.
    """
    days = watched.events.assign(day=watched.events["days_since_baseline"].astype("float64"))
    if days["day"].isna().any():
        return
    first = days.groupby("participant_id")["day"].min().reindex(watched.people)
    had = first.notna().to_numpy()
    until = first.fillna(watched.last_day).to_numpy(dtype="float64")
    is_known = until > 0  # of people who were never heard of again no time is known
    if not is_known.any():
        return
    order = np.lexsort((had[is_known], until[is_known]))  # sums must not hang on the order of people
    years = until[is_known][order] / DAYS_IN_100_YEARS
    found = count_harms(had[is_known][order].astype("float64"), time=years)
    with_it = found.people.count
    yield Result(
        statistic="first_events_per_100_years",
        value=found.rate,
        conf_low=found.rate_low,
        conf_high=found.rate_high,
        n=int(is_known.sum()),
        fewest=smallest_part(with_it, len(had) - with_it),
        method=tell(
            "people with a first event per 100 person-years, each until it or the last day on which something is known "
            "of them, with exact Poisson (Garwood) interval"
        ),
        **common,
    )


def _describe_item(harm: Harm, evaluation: Evaluation) -> Iterator[Result]:
    """Yield alerts of every later timepoint at which somebody has both answers."""
    design, responses = evaluation.design, evaluation.responses
    own = responses[(responses["instrument"] == harm.instrument) & (responses["item"] == harm.item)]
    answers = {
        timepoint.id: own[own["timepoint"] == timepoint.id].set_index("participant_id")["value"]
        for timepoint in design.timepoints
    }
    participants = evaluation.participants
    is_told = False
    for timepoint in design.timepoints[1:]:
        before, later = answers[design.baseline.id].dropna(), answers[timepoint.id].dropna()
        if not before.index.isin(later.index).any():
            continue
        is_told = True
        for arm in design.arms:
            people = participants.loc[participants["arm"] == arm.id, "participant_id"]
            first, second = (told.reindex(people).to_numpy(dtype="float64") for told in (before, later))
            alerts = count_alerts(first, second, at_least=harm.at_least or 0.0)
            step = max(_TENS, evaluation.plan.small_numbers.protection.threshold)
            yield from _tell_alerts(harm, arm.id, timepoint.id, alerts, step)
    if not is_told:
        yield _refuse(harm, "nobody_answered_twice", NOT_ANSWERED)


def _tell_alerts(harm: Harm, arm: str, timepoint: str, alerts: Alerts, step: int) -> Iterator[Result]:
    """Yield shares, each held against the parts of the people that it tells together with those before it.

    New alerts come first: they tell those below the border at baseline apart. The share before tells the rest from
    these; with the share later, or the resolved, the rest falls apart too.
    """
    new, resolved = alerts.new.count, alerts.resolved.count
    never, stayed = alerts.new.n - new, alerts.resolved.n - resolved
    both = alerts.new.n + alerts.resolved.n
    all_parts = (new, never, resolved, stayed)
    common: dict[str, Any] = {
        "analysis": "harms",
        "arm": arm,
        "timepoint": timepoint,
        "item": harm.id,
        "prespecified": True,
    }
    border = Number.exactly(harm.at_least or 0.0)
    shares: Iterable[tuple[str, Share, float, str]] = (
        ("new_alerts", alerts.new, smallest_part(new, never),
         tell("percent: answers of at least {border}, of people below at baseline; share with exact "
              "(Clopper-Pearson) interval", border=border)),
        ("alert_before", alerts.before, smallest_part(resolved + stayed, both - resolved - stayed),
         tell("percent: answers of at least {border} at baseline, of people with both answers; share with exact "
              "(Clopper-Pearson) interval", border=border)),
        ("alert_later", alerts.later, smallest_part(*all_parts),
         tell("percent: answers of at least {border}, of people with both answers; share with exact "
              "(Clopper-Pearson) interval", border=border)),
        ("resolved_alerts", alerts.resolved, smallest_part(*all_parts),
         tell("percent: below, of people with answers of at least {border} at baseline; share with exact "
              "(Clopper-Pearson) interval", border=border)),
    )  # fmt: skip
    for statistic, share, fewest, words in shares:
        safe = _without_tail(share, step)
        yield Result(
            statistic=statistic,
            value=100 * safe.value,
            conf_low=100 * safe.conf_low,
            conf_high=100 * safe.conf_high,
            n=share.n,
            fewest=fewest,
            method=words,
            **common,
        )
    words = tell("1 where fewer than half of those below at baseline have one later, otherwise 0")
    if new + never >= FEWEST_SPLIT:
        yield Result(statistic="is_minority", value=float(2 * new < new + never), n=new + never, method=words, **common)
    n = both + alerts.n_incomplete
    yield Result(
        statistic="incomplete",
        value=100 * alerts.n_incomplete / n if n else NAN,
        n=n,
        fewest=smallest_part(alerts.n_incomplete, both),
        method=tell("percent of everybody allocated without one of the two answers"),
        **common,
    )


def _without_tail(share: Share, step: int) -> Share:
    """Return a share of nobody or of everybody with the interval of as many full steps of people, of ten or more.

    The limit of such an interval gives the number of people back, and with it how few left the item out; that of fewer
    people is wider, and so stays true.
    """
    people = share.n - share.n % step
    return exact_share(share.count and people, people) if share.count in (0, share.n) and people else share

"""What somebody who reads gated results knows of counts of people: numbers, bounds, and how counts hang together.

Written down from what the rows mean, without regard to how the gate chose them, so that it can be held against the
gate. Every count is a variable; what is published of it gives its bounds, shares and sums give inequalities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from analysis.profiles import Profile

_STEPS: Final = (100, 50, 20)
"""Steps from none to all in which shares of so many people, or more, are told."""
_FEW: Final = re.compile(r"fewer than (\d+) of 100 people")
_CATEGORIES: Final = ("improved", "unchanged", "worsened")
_TAIL: Final = 0.025
"""What lies beyond each end of an interval (of Clopper and Pearson)."""
_TENS: Final = 10
_COARSEST_ALONE: Final = 5.0
"""Percent: no share without an interval is told in coarser steps."""
_NEAR: Final = 1e-6
_ALERTS: Final = ("new_alerts", "alert_before", "alert_later", "resolved_alerts", "incomplete")
IMPORTANCE: Final = (
    "allocated", "answered", "declared", "attended", "analysed", "observed", "linked", "both", "in_model", "flagged",
    "scores", "harmed", "alerts", "changed", "total",
)  # fmt: skip
"""Kinds of counts; where not all can be told, the last goes first."""


class Count(NamedTuple):
    """Which people are counted."""

    kind: str
    arm: str = ""
    timepoint: str = ""
    outcome: str = ""
    item: str = ""


Terms = tuple[tuple[Count, float], ...]
"""A sum of counts, each times a number."""


@dataclass(frozen=True, slots=True)
class Inequality:
    """A sum of counts is not above `limit`; told by `rows` of the results, or by what the counts are (no rows)."""

    terms: Terms
    limit: float
    rows: tuple[int, ...] = ()


@dataclass(slots=True)
class Knowledge:
    """What is known.

    Attributes
    ----------
    low, high : dict
        Count -> what it is not below, and not above, as published; a count of which nothing is published is between 0
        and infinity.
    rows : dict
        Count -> rows of the results that publish it.
    inequalities : list of Inequality
        Shares, sums, and parts of wholes.
    derived : dict
        What could be had by subtracting: name -> sum of counts that is a number of people.
    """

    low: dict[Count, float] = field(default_factory=dict)
    high: dict[Count, float] = field(default_factory=dict)
    rows: dict[Count, list[int]] = field(default_factory=dict)
    inequalities: list[Inequality] = field(default_factory=list)
    derived: dict[str, Terms] = field(default_factory=dict)

    def publish(self, count: Count, low: float, high: float, row: int | None = None) -> None:
        """Take in that a count is not below `low` and not above `high`."""
        self.low[count] = max(self.low.get(count, 0.0), low)
        self.high[count] = min(self.high.get(count, np.inf), high)
        self.rows.setdefault(count, [])
        if row is not None:
            self.rows[count].append(row)

    def bound(self, terms: Iterable[tuple[Count, float]], limit: float = 0.0, *rows: int) -> None:
        """Take in that a sum of counts is not above `limit`."""
        self.inequalities.append(Inequality(tuple(terms), limit, rows))

    def contain(self, whole: Count, part: Count) -> None:
        """Take in that some people are part of others; who is not could be had by subtracting."""
        self.bound([(part, 1.0), (whole, -1.0)])
        self.derived[f"{_name(whole)} without {_name(part)}"] = ((whole, 1.0), (part, -1.0))

    def has(self, count: Count) -> bool:
        """Tell whether the results have a row about this count, told or not."""
        return count in self.low


def read_knowledge(gated: pd.DataFrame, profile: Profile) -> Knowledge:
    """Return what is known of counts of people from gated results alone.

    Parameters
    ----------
    gated : DataFrame
        What `gate_results` lets through: a withheld number is NaN, with what it is not below in ``at_least``.
    profile : Profile
        Under one that rounds, a count is known up to half a step.

    Returns
    -------
    Knowledge
        Counts in people.
    """
    known = Knowledge()
    for index, row in enumerate(gated.to_dict("records")):
        count = count_of(row)
        if count is not None:
            known.publish(count, *_bounds(row, profile), index)
    _relate_people(known)
    _read_shares(known, gated)
    _read_harms(known, gated, profile)
    _relate_totals(known)
    return known


_BY_ARM: Final[Mapping[tuple[str, str], str]] = {
    ("flow", "allocated"): "allocated",
    ("flow", "answered"): "answered",
    ("flow", "analysed"): "analysed",
    ("flow", "linked"): "linked",
    ("descriptive", "observed"): "observed",
    ("descriptive", "mean"): "observed",
    ("descriptive", "sd"): "observed",
    ("change_within_arm", "mean_change"): "both",
    ("change_within_arm", "standardised_change"): "both",
    ("model", "marginal_mean"): "in_model",
    ("delivery", "attended_any"): "attended",
}
"""(analysis, statistic) -> kind of the people whose number stands in ``n``."""


def count_of(row: Mapping[str, Any]) -> Count | None:
    """Return which people the number in ``n`` of a row counts, if it is one of those that are audited."""
    analysis, statistic = row["analysis"], row["statistic"]
    if row["arm"] and (analysis, statistic) in _BY_ARM:
        kind = _BY_ARM[analysis, statistic]
        return Count(kind, row["arm"], row["timepoint"], "" if kind == "answered" else row["outcome"])
    if analysis == "flow" and row["verdict"] == "declared":
        return Count("declared", item=statistic)
    if analysis == "quality" and not row["estimand"]:
        return Count("flagged", timepoint=row["timepoint"], item=statistic)
    if analysis == "score_agreement":
        return Count("scores", row["arm"], row["timepoint"], row["outcome"], statistic)
    if analysis == "model" and statistic.startswith("covariance: "):
        return Count("total", outcome=row["outcome"])
    return None


def _bounds(row: Mapping[str, Any], profile: Profile) -> tuple[float, float]:
    """Return what the number of people of a row is not below and not above."""
    told = row["value"] if row["statistic"] in ("compared", "equal") and row["n"] == row["n"] else row["n"]
    if row["hidden"] or told != told:
        return (row["at_least"] if row["at_least"] == row["at_least"] else 0.0), np.inf
    if profile.rounded_to > 1 and told > 0:
        return max(told - profile.reach, profile.threshold), told + profile.reach
    return told, told


def _relate_people(known: Knowledge) -> None:
    """Take in who is part of whom within an arm."""
    for count in list(known.low):
        everybody = Count("allocated", count.arm)
        here = Count("answered", count.arm, count.timepoint)
        if count.kind in ("answered", "attended") or (count.kind == "analysed" and not count.timepoint):
            _contain(known, [everybody], count)
        elif count.kind == "analysed":
            _contain(known, [here], count)
        elif count.kind == "observed":
            _contain(known, [everybody, here], count)
        elif count.kind == "in_model":
            _contain(known, [count._replace(kind="observed"), count._replace(kind="analysed", timepoint="")], count)
        elif count.kind == "both":
            _relate_both(known, count)


def _contain(known: Knowledge, wholes: Iterable[Count], part: Count) -> None:
    for whole in wholes:
        if known.has(whole):
            known.contain(whole, part)


def _relate_both(known: Knowledge, both: Count) -> None:
    """Take in who has scores at baseline and later, and that all with either are no more than everybody."""
    at = both._replace(kind="observed")
    first = next((count for count in known.low if count[:2] == at[:2] and count.outcome == at.outcome), None)
    if first is None or not known.has(at) or first == at:
        return
    _contain(known, [first, at], both)
    everybody = Count("allocated", both.arm)
    if known.has(everybody):
        terms = ((first, 1.0), (at, 1.0), (both, -1.0), (everybody, -1.0))
        known.bound(terms)
        known.derived[f"{_name(everybody)} without either score for {_name(both)}"] = tuple(
            (count, -factor) for count, factor in terms
        )


def _relate_totals(known: Knowledge) -> None:
    """Take in sums over arms: people in a model, people asked, and people flagged of those who answered."""
    for total in [count for count in known.low if count.kind == "total"]:
        parts = [count for count in known.low if count.kind == "analysed" and count.outcome == total.outcome]
        if parts:
            known.bound([(total, 1.0), *((part, -1.0) for part in parts)])
            known.bound([(total, -1.0), *((part, 1.0) for part in parts)])
    allocated = [count for count in known.low if count.kind == "allocated"]
    eligible, invited = (Count("declared", item=name) for name in ("eligible", "invited"))
    _contain(known, [eligible] if known.has(eligible) and known.has(invited) else [], invited)
    for asked in (each for each in (eligible, invited) if known.has(each) and allocated):
        known.bound([*((count, 1.0) for count in allocated), (asked, -1.0)])
        known.derived[f"{asked.item} without allocated"] = ((asked, 1.0), *((count, -1.0) for count in allocated))
    for flag in [count for count in known.low if count.kind == "flagged"]:
        answered = [count for count in known.low if count.kind == "answered" and count.timepoint == flag.timepoint]
        if answered:
            known.bound([(flag, 1.0), *((count, -1.0) for count in answered)])
            known.derived[f"answered without {_name(flag)}"] = (*((count, 1.0) for count in answered), (flag, -1.0))
        anybody = flag._replace(item="flagged")
        if flag.item != "flagged" and known.has(anybody):
            known.contain(anybody, flag)
    for equal in [count for count in known.low if count.kind == "scores" and count.item == "equal"]:
        _contain(known, [each for each in [equal._replace(item="compared")] if known.has(each)], equal)


def _read_shares(known: Knowledge, gated: pd.DataFrame) -> None:
    """Take in shares of people by how they changed: each is of those with both scores, and all are everybody."""
    own = gated[(gated["analysis"] == "change_counts") & gated["statistic"].isin(_CATEGORIES) & (gated["arm"] != "")]
    places = {index: place for place, index in enumerate(gated.index)}
    for (outcome, arm, timepoint, item), rows in own.groupby(["outcome", "arm", "timepoint", "item"], sort=False):
        whole = Count("both", arm, timepoint, outcome)
        if not known.has(whole):
            continue
        people = known.low[whole]
        counts = []
        for index, row in rows.iterrows():
            count = Count("changed", arm, timepoint, outcome, f"{item} {row['statistic']}")
            known.publish(count, 0.0, np.inf)
            counts.append(count)
            few = _FEW.search(str(row["method"]))
            if row["value"] == row["value"]:
                steps = next((steps for steps in _STEPS if people >= steps), _STEPS[-1])
                slack = 0.0 if row["value"] in (0.0, 1.0) else 0.5 / steps
                _share(known, count, whole, row["value"] - slack, row["value"] + slack, places[index])
            elif few:
                _share(known, count, whole, 0.0, int(few.group(1)) / 100, places[index])
        known.bound([*((count, 1.0) for count in counts), (whole, -1.0)])
        if len(counts) == len(_CATEGORIES):
            known.bound([*((count, -1.0) for count in counts), (whole, 1.0)])


def _share(known: Knowledge, part: Count, whole: Count, low: float, high: float, row: int) -> None:
    """Take in that a part is between two shares of a whole; who is not part could be had by subtracting."""
    known.contain(whole, part)
    known.bound([(part, 1.0), (whole, -high)], 0.0, row)
    known.bound([(part, -1.0), (whole, low)], 0.0, row)


def _read_harms(known: Knowledge, gated: pd.DataFrame, profile: Profile) -> None:
    """Take in people with a harm, and people by their answers before and later."""
    own = gated[(gated["analysis"] == "harms") & (gated["arm"] != "")]
    places = {index: place for place, index in enumerate(gated.index)}
    for index, row in own.iterrows():
        everybody = Count("allocated", row["arm"])
        if not known.has(everybody):
            continue
        harmed = Count("harmed", row["arm"], item=row["item"])
        if row["statistic"] == "people_with_event":
            slack = profile.step / 2 if row["value"] else 0.0
            told = row["value"] == row["value"]
            known.publish(
                harmed, row["value"] - slack if told else 0.0, row["value"] + slack if told else np.inf, places[index]
            )
            known.contain(everybody, harmed)
        elif row["statistic"] == "share_with_event" and row["value"] == row["value"]:
            low, high = _percent(row)
            _share(known, harmed, everybody, low, high, places[index])
    for (arm, timepoint, item), rows in own[own["statistic"].isin(_ALERTS)].groupby(["arm", "timepoint", "item"]):
        if known.has(Count("allocated", arm)):
            at = Count("alerts", arm, timepoint, item=item)
            _read_alerts(known, rows.set_index("statistic"), at, places, rows, max(_TENS, profile.threshold))


def _read_alerts(
    known: Knowledge, rows: pd.DataFrame, at: Count, places: Mapping[int, int], indexed: pd.DataFrame, step: int
) -> None:
    """Take in who answered above the border before, later, newly, and no longer."""
    everybody = Count("allocated", at.arm)
    new, before, resolved, both, later, below = (
        at._replace(item=f"{at.item} {name}") for name in ("new", "before", "resolved", "both", "later", "below")
    )
    for count in (new, before, resolved, both, later, below):
        known.publish(count, 0.0, np.inf)
    answered = [count for count in known.low if (count.kind, count.arm) == ("answered", at.arm)]
    _contain(known, [everybody, *answered[:1], Count("answered", at.arm, at.timepoint)], both)
    known.contain(below, new)
    known.contain(before, resolved)
    for sign in (1.0, -1.0):
        known.bound([(both, sign), (before, -sign), (below, -sign)])
        known.bound([(later, sign), (new, -sign), (before, -sign), (resolved, sign)])
    row_of = dict(zip(indexed["statistic"], indexed.index, strict=True))
    of = {"new_alerts": (new, below), "alert_before": (before, both), "alert_later": (later, both),
          "resolved_alerts": (resolved, before)}  # fmt: skip
    for statistic, row in rows.iterrows():
        if row["value"] != row["value"]:
            continue
        low, high = _percent(row)
        place = places[row_of[statistic]]
        if statistic == "incomplete":
            known.bound([(everybody, 1 - high), (both, -1.0)], 0.0, place)
            known.bound([(everybody, low - 1), (both, 1.0)], 0.0, place)
        else:
            part, whole = of[str(statistic)]
            _share(known, part, whole, low, high, place)
            _read_tail(known, whole, row, step, place)


def _read_tail(known: Knowledge, whole: Count, row: pd.Series, step: int, place: int) -> None:
    """Take in of how many people the interval of nobody, or of everybody, is: of full steps, its limit rounded."""
    limit = {0.0: row["conf_high"], 100.0: 100 - row["conf_low"]}.get(float(row["value"]), np.nan)
    if not 0 < limit < 100:
        return
    unit = 10.0 ** np.floor(np.log10(limit)) / 10
    most, least = (np.log(_TAIL) / np.log1p(-share / 100) for share in (max(limit - 1.5 * unit, limit / 2), limit))
    full = np.floor(most / step + _NEAR) * step
    known.bound([(whole, -1.0)], -np.ceil(least / step - _NEAR) * step, place)
    known.bound([(whole, 1.0)], full + step - 1, place)


def _percent(row: pd.Series) -> tuple[float, float]:
    """Return between which shares one lies that is told in steps of percent: steps that all its numbers fit."""
    value = float(row["value"])
    if value in (0.0, 100.0):
        return value / 100, value / 100
    numbers = [float(number) for number in row[["value", "conf_low", "conf_high"]] if number == number]
    step = float(np.gcd.reduce([round(number) for number in numbers])) or 1.0
    step = min(step, _COARSEST_ALONE) if len(numbers) == 1 else step
    return max(value - step / 2, 0.0) / 100, min(value + step / 2, 100.0) / 100


def _name(count: Count) -> str:
    return " ".join(part for part in count if part)


def list_protected(known: Knowledge) -> Iterator[tuple[str, Terms]]:
    """Yield every number of people that is not told itself: counts, and what could be had by subtracting."""
    for count, low in known.low.items():
        if low != known.high[count]:
            yield _name(count), ((count, 1.0),)
    yield from known.derived.items()

"""The rows of published results as somebody reads them who looks for numbers of people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from benchmarks.attacker.fits import Share, Statistics
from benchmarks.attacker.knowledge import What
from benchmarks.attacker.names import Names
from benchmarks.attacker.story import Story, widest_step, width_of

_COUNTED: Final[Mapping[tuple[str, str], str]] = {
    ("flow", "allocated"): "allocated",
    ("flow", "answered"): "answered",
    ("flow", "analysed"): "analysed",
    ("descriptive", "observed"): "observed",
    ("descriptive", "mean"): "observed",
    ("descriptive", "sd"): "observed",
    ("change_within_arm", "mean_change"): "both",
    ("change_within_arm", "standardised_change"): "both",
    ("model", "marginal_mean"): "in model",
    ("delivery", "attended_any"): "attended",
    ("delivery", "mean_attended"): "allocated",
    ("themes", "interviewed"): "interviewed",
}
"""(analysis, statistic) -> kind of the people whose number stands in ``n`` or ``at_least``."""
_WITHOUT_TIME: Final = ("allocated", "analysed", "attended", "interviewed")
_WITHOUT_MEASURE: Final = ("allocated", "answered", "attended", "interviewed")
_DIGITS: Final = 5
"""Digits from which on a number is taken for one with all its digits."""
_STEPS: Final = (0.5, 0.25, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
"""Steps to which shares may be rounded, the widest first."""


class RowReader:
    """Reads published results into a story."""

    def __init__(self, story: Story, names: Names) -> None:
        self.story, self.names = story, names

    def read(self, results: pd.DataFrame) -> None:
        """Take in every row."""
        rows = results.to_dict("records")
        sds = {self._what(row): row["value"] for row in rows if row["statistic"] == "sd" and _is(row["value"])}
        for row in rows:
            self._read_count(row)
            if row["statistic"] in ("mean", "mean_change") and row["analysis"] in ("descriptive", "change_within_arm"):
                self._read_mean(row, sds)
            elif row["analysis"] == "harms" and row["arm"]:
                self._read_harm(row)
            elif row["analysis"] == "quality" and not row["estimand"] and _is(row["n"]):
                self.story.count(("flagged", "", self._time(row), row["statistic"]), row["n"])
        self._read_shares(rows, "change_counts", "both")
        self._read_shares(rows, "distribution", "observed")
        self._read_totals(rows)

    def _time(self, row: Mapping[str, Any]) -> str:
        return self.names.times.get(row["timepoint"], "")

    def _what(self, row: Mapping[str, Any]) -> What | None:
        kind, arm = _COUNTED.get((row["analysis"], row["statistic"])), self.names.arms.get(row["arm"], "")
        if kind is None or (not arm and kind != "interviewed"):
            return None
        time = "" if kind in _WITHOUT_TIME else self._time(row)
        return kind, arm, time, "" if kind in _WITHOUT_MEASURE else row["outcome"]

    def _read_count(self, row: Mapping[str, Any]) -> None:
        if row["statistic"] == "invited" and _is(row["value"]):
            self.story.count(("invited", "", "", ""), row["value"])
        what = self._what(row)
        if what is None:
            return
        self.story.mention(what)
        if _is(row["n"]):
            self.story.count(what, row["n"])
        if _is(row.get("at_least")):
            self.story.tell(what, row["at_least"], math.inf)

    def _read_mean(self, row: Mapping[str, Any], sds: Mapping[What | None, float]) -> None:
        what = self._what(row)
        told = [float(row[name]) for name in ("value", "std_error", "df", "conf_low", "conf_high", "p_value")]
        if what is not None:
            unit = _unit(told[0], *told[3:5])
            sd = sds.get(what, math.nan) if row["statistic"] == "mean" else math.nan
            self.story.mean(what, Statistics(*told, sd=sd, unit=unit, sd_unit=min(_unit(sd), 0.1)))

    def _read_harm(self, row: Mapping[str, Any]) -> None:
        arm = self.names.arms[row["arm"]]
        what: What = ("harmed", arm, "", row["item"])
        if row["statistic"] == "people_with_event" and _is(row["value"]):
            self.story.steps(what, f"{row['value']:.0f}")
        elif row["statistic"] == "share_with_event" and _is(row["value"]):
            numbers = [float(row[name]) / 100 for name in ("value", "conf_low", "conf_high")]
            whole = ("allocated", arm, "", "")
            self.story.printed_share(what, whole, Share(*numbers, unit=_step(numbers), method="exact"))

    def _read_shares(self, rows: list[dict[str, Any]], analysis: str, of: str) -> None:
        """Take in shares of people; all of an arm at a timepoint are in the same steps."""
        own = [row for row in rows if row["analysis"] == analysis and row["arm"] and _is(row["value"])]
        rules = ("meaningful", "reliable")
        own = [row for row in own if row["timepoint"] and (of == "observed" or row["item"] in rules)]
        groups: dict[What, list[dict[str, Any]]] = {}
        for row in own:
            whole = (of, self.names.arms[row["arm"]], self._time(row), row["outcome"])
            groups.setdefault(whole, []).append(row)
        for whole, group in groups.items():
            unit = _step(float(row[name]) for row in group for name in ("value", "conf_low", "conf_high"))
            for row in group:
                ends = row["item"] if ":" in row["item"] else f"{row['item']}:{row['item']}"
                kind = f"scored {ends}" if of == "observed" else f"{row['item']} {row['statistic']}"
                numbers = [float(row[name]) for name in ("value", "conf_low", "conf_high")]
                share = Share(*numbers, unit=unit * width_of(kind), method="wilson")
                self.story.printed_share((kind, *whole[1:]), whole, share)

    def _read_totals(self, rows: list[dict[str, Any]]) -> None:
        """Take in people in the model of an outcome over all arms."""
        for row in rows:
            if row["analysis"] == "model" and row["statistic"].startswith("covariance: ") and _is(row["n"]):
                parts = [("analysed", arm, "", row["outcome"]) for arm in self.names.arms.values()]
                reach = self.names.rounded_to // 2 * (1 + len(parts))
                for sign in (1.0, -1.0):
                    self.story.known.limit(dict.fromkeys(parts, sign), sign * row["n"] + reach)


def _is(number: Any) -> bool:
    return number is not None and number == number and number != ""


def _unit(*numbers: float) -> float:
    """Return the step of printed numbers by their decimals; 0 where one has all its digits."""
    told = [Decimal(repr(round(number, 12))) for number in numbers if number == number]
    if any(len(each.normalize().as_tuple().digits) >= _DIGITS for each in told):
        return 0.0
    decimals = max((-int(each.normalize().as_tuple().exponent) for each in told), default=0)
    return widest_step([abs(float(each)) for each in told], max(decimals, 0))


def _step(numbers: Iterable[float]) -> float:
    """Return the widest step that all shares are on, which is none where one has all its digits."""
    told = [number for number in numbers if number == number]
    return next(
        (step for step in _STEPS if all(abs(number / step - round(number / step)) < 1e-6 for number in told)), 0.0
    )

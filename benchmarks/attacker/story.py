"""What one study's files tell together: numbers of people as they are said, and statistics to try numbers on."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from benchmarks.attacker.fits import Nested, Share, Statistics, fit_mean, fit_nested, fit_share
from benchmarks.attacker.knowledge import Knowledge, MisreadError, What
from benchmarks.attacker.names import Names

_WIDEST = 120
"""Numbers of people that are tried one by one; more are left to the linear programs."""


def unit_of(*cells: str) -> float:
    """Return the step to which printed numbers are rounded: by the fewest decimals of a cell, and what all are on."""
    cells = tuple(cell for cell in cells if re.search(r"\d", cell))
    found = [re.findall(r"\d(?:\.(\d+))?(?![\d.])", cell) for cell in cells]
    decimals = min((max(map(len, each)) for each in found), default=0)
    return widest_step([float(each) for cell in cells for each in re.findall(r"\d+(?:\.\d+)?", cell)], decimals)


def widest_step(numbers: list[float], decimals: int) -> float:
    """Return 1, 2 or 5 of the last decimal, whichever is the widest that all numbers are multiples of."""
    last = 10.0**-decimals
    on = (
        step
        for step in (5, 2)
        if all(abs(round(n / last) - n / last) < 1e-6 and round(n / last) % step == 0 for n in numbers)
    )
    return next(on, 1) * last


def width_of(kind: str) -> int:
    """Return how many steps wide a rounded share is unknown: what lies between two rounded cuts is off by both."""
    return 2 if kind.startswith("scored") or kind.endswith("unchanged") else 1


@dataclass(frozen=True)
class FewMean:
    """Between which limits the people lie who were asked at baseline and not later, and their mean at baseline.

    Means are NaN where it is possible that nobody left, or that others came.
    """

    both: What
    fewest: int
    most: int
    low: float
    high: float


class Story:
    """Everything that was said."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.known = Knowledge()
        self.means: dict[What, list[Statistics]] = defaultdict(list)
        self.shares: dict[What, dict[What, list[Share]]] = defaultdict(lambda: defaultdict(list))
        self.few: list[FewMean] = []

    def mention(self, what: What) -> None:
        """Take in that there are such people."""
        self.known.tell(what)

    def tell(self, what: What, low: float, high: float) -> None:
        """Take in between which numbers some people's number lies."""
        self.known.tell(what, low, min(high, self.known.high.get(what, math.inf)))

    def count(self, what: What, number: float) -> None:
        """Take in a number of people as printed; where numbers are rounded it is one near it."""
        reach = self.names.rounded_to // 2 if number else 0
        self.known.tell(what, number - reach, number + reach)

    def steps(self, what: What, cell: str) -> None:
        """Take in a number of people told in steps, or that there are fewer, or none."""
        self.mention(what)
        if found := re.match(r"fewer than (\d+) people", cell):
            self.known.tell(what, 0.0, float(found[1]) - 1)
        elif found := re.match(r"(\d[\d,]*)", cell):
            number = float(found[1].replace(",", ""))
            is_step = number % self.names.threshold == 0 or number % 10 == 0
            reach = max(self.names.threshold, 10) / 2 if number and is_step else 0
            self.known.tell(what, number - reach, number + reach)

    def share(self, part: What, whole: What, low: float, high: float) -> None:
        """Take in between which shares of a whole a part lies; of rounded numbers it says nothing."""
        self.mention(part)
        self.mention(whole)
        if self.names.rounded_to == 1:
            self.known.share(part, whole, low, high)

    def printed_share(self, part: What, whole: What, told: Share) -> None:
        """Take in a share as printed, to try numbers on."""
        if self.names.rounded_to > 1 and told.unit:
            self.mention(part)
            return  # a share of rounded numbers says no more than they do
        off = told.unit / 2 + 1e-8
        self.known.share(part, whole, told.value - off, told.value + off)
        if told not in self.shares[whole][part]:
            self.shares[whole][part].append(told)

    def mean(self, what: What, told: Statistics) -> None:
        """Take in the statistics of a mean, to try numbers on."""
        if math.isfinite(told.value) and told not in self.means[what]:
            self.means[what].append(told)

    def relate(self) -> None:
        """Take in what anybody knows: who answered had started, who has a score answered, and so on."""
        known, first = self.known, next(iter(self.names.times.values()))
        for what in list(known.low):
            kind, arm, time, measure = what
            everybody = ("allocated", arm, "", "")
            wholes: dict[str, list[What]] = {
                "answered": [everybody], "analysed": [everybody], "harmed": [everybody], "attended": [everybody],
                "interviewed": [everybody], "observed": [("answered", arm, time, ""), everybody],
                "in model": [("observed", arm, time, measure), ("analysed", arm, "", measure)],
                "both": [("observed", arm, time, measure), ("observed", arm, first, measure)],
            }  # fmt: skip
            for whole in wholes.get(kind, []) if arm else []:
                known.part_of(what, whole)
            if kind == "both":
                start, later = ("observed", arm, first, measure), ("observed", arm, time, measure)
                known.limit({start: 1.0, later: 1.0, what: -1.0, everybody: -1.0})
            if kind == "flagged":
                known.limit({what: 1.0, **{("answered", each, time, ""): -1.0 for each in self.names.arms.values()}})
        invited, arms = ("invited", "", "", ""), [what for what in known.low if what[0] == "allocated"]
        if invited in known.low:
            known.limit({**dict.fromkeys(arms, 1.0), invited: -1.0})
        self._add_up()

    def _add_up(self) -> None:
        """Take in that parts told apart are no more than the whole, and the whole where nobody is left over."""
        for whole, parts in self.shares.items():
            for rule in ("meaningful", "reliable"):
                three = [(f"{rule} {name}", *whole[1:]) for name in ("improved", "unchanged", "worsened")]
                told = [part for part in three if part in parts]
                if told and whole[0] == "both":
                    self.known.limit({**dict.fromkeys(told, 1.0), whole: -1.0})
                if len(told) == len(three):
                    self.known.limit({**dict.fromkeys(three, -1.0), whole: 1.0})
            bands = [part for part in parts if part[0].startswith("scored ")]
            if bands:
                self.known.limit({**dict.fromkeys(bands, 1.0), whole: -1.0})
                if self._is_full(bands):
                    self.known.limit({**dict.fromkeys(bands, -1.0), whole: 1.0})

    def _is_full(self, bands: list[What]) -> bool:
        ends = sorted(tuple(map(float, band[0].removeprefix("scored ").split(":"))) for band in bands)
        starts = [low for low, _ in ends] + [self.names.maximum + 1]
        return starts[0] == self.names.minimum and all(
            high + 1 == starts[place + 1] for place, (_, high) in enumerate(ends)
        )

    def try_numbers(self) -> None:
        """Leave of every number of people those that agree with each statistic."""
        self.known.spread()
        for what, told in self.means.items():
            self._try_means(what, told)
        for whole, parts in self.shares.items():
            self._try_shares(whole, parts)
        self.known.spread()
        for what in [what for what in self.means if what[0] == "both"]:
            self._try_nested(what)
        self.known.spread()

    def _range(self, what: What) -> np.ndarray | None:
        """Return the numbers of people to be tried; None where there are too many."""
        self.known.tell(what)
        low, high = max(self.known.low[what], 1.0), self.known.high[what]
        if low > max(high, 1.0):
            raise MisreadError(f"{what}: {self.known.sources.get(what)}")
        return np.arange(low, high + 1) if high - low < _WIDEST else None

    def _leave(self, what: What, people: np.ndarray, why: str) -> None:
        if not len(people):
            raise MisreadError(f"{what}: nobody agrees with {why}; {self.known.sources.get(what)}")
        self.known.source = f"tried on {why}"
        self.known.tell(what, float(people.min()), float(people.max()))

    def _try_means(self, what: What, told: list[Statistics]) -> None:
        people = self._range(what)
        if people is None:
            return
        for each in told:
            people = people[fit_mean(people, each)]
        self._leave(what, people, "means")

    def _try_shares(self, whole: What, parts: dict[What, list[Share]]) -> None:
        people = self._range(whole)
        if people is None:
            return
        agree, low, high = np.ones(len(people), dtype=bool), {}, {}
        for part, told in parts.items():
            own = np.arange(people.max() + 1)[:, None]
            fits = (own >= self.known.low[part]) & (own <= self.known.high[part]) & (own <= people)
            for each in told:
                fits &= fit_share(own, people[None, :], each)
            agree &= fits.any(axis=0)
            low[part], high[part] = np.argmax(fits, axis=0), len(own) - 1 - np.argmax(fits[::-1], axis=0)
        self._leave(whole, people[agree], f"shares {list(parts)}")
        for part in parts:
            self.known.tell(part, float(low[part][agree].min()), float(high[part][agree].max()))

    def _try_nested(self, both: What) -> None:
        """Hold means at baseline, later and of change against each other: it tells of those who left in between."""
        _, arm, time, measure = both
        first, later = (("observed", arm, at, measure) for at in (next(iter(self.names.times.values())), time))
        ranges = [self._range(what) for what in (first, later, both)]
        told = [self._finest(what) for what in (first, later, both)]
        everybody = self.known.high.get(("allocated", arm, "", ""), math.inf)
        if any(each is None for each in (*ranges, *told)) or everybody == math.inf:
            return
        if math.prod(len(each) for each in ranges) > 4000:
            return
        spans = tuple((int(each.min()), int(each.max())) for each in ranges)
        found = fit_nested(Nested(*told, spans, int(everybody), self.names.minimum, self.names.maximum))
        for place, what in enumerate((first, later, both)):
            self._leave(what, np.array([each[place] for each in found]), "nested means")
        self.few.append(_mean_of_those_who_left(both, found))

    def _finest(self, what: What) -> Statistics | None:
        return min(self.means.get(what, []), key=lambda each: each.unit, default=None)


def _mean_of_those_who_left(both: What, found: list[tuple[int, int, int, float, float]]) -> FewMean:
    """Return between which limits those who gave no second score lie, in number and in their mean at baseline."""
    left = [each[0] - each[2] for each in found]
    low, high = (float(fold([each[at] for each in found])) for fold, at in ((np.min, 3), (np.max, 4)))
    return FewMean(both, min(left), max(left), low, high)

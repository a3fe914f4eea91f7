"""The disclosure gate of how scores were spread: bands are told together until each holds enough people.

A border between two bands is told only where, in every arm and at every timepoint that is told of the outcome, between
it and every other border, and beyond it, there are at least as many people as the profile asks. Bands are the same
everywhere, so neither the bands of one arm nor shares of all arms together say anything of a border that is not told.
Shares beyond the border of an event of the plan are told elsewhere: other borders keep away from it as well. Shares are
rounded, and judged as they are told: by rounded shares and by the number of people that is told with the mean score, so
that neither a share nor its being told says more of that number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import pandas as pd

from analysis.distribution_part import ANALYSIS, BORDER, SHARE, merge_names
from reports.change_counts_gate import steps_of
from reports.gated_rows import NUMBERS


@dataclass(frozen=True, slots=True)
class Spread:
    """People of an arm at a timepoint by band.

    Attributes
    ----------
    below : tuple of int
        People below each border; the first is 0, the last are all people.
    people : float
        How many people are told, or what their number is told not to be below.
    """

    below: tuple[int, ...]
    people: float

    @property
    def steps(self) -> int:
        """In how many steps from none to all shares are told; 0 where there are too few people to tell any."""
        return steps_of(self.people)

    def place(self, border: int) -> int:
        """Return the share of people below a border in steps, halves up."""
        count, n = self.below[border], self.below[-1]
        return (2 * count * self.steps + n) // (2 * n)

    def keeps_apart(self, borders: list[int], threshold: int) -> bool:
        """Tell whether between neighbouring borders there are enough people, by what is told as by what is true."""
        everywhere = [0, *borders, len(self.below) - 1]
        ends = (0, len(self.below) - 1)
        for left, right in pairwise(everywhere):
            slack = 0.5 * sum(border not in ends for border in (left, right))
            told = (self.place(right) - self.place(left) - slack) * self.people
            if told < threshold * self.steps or self.below[right] - self.below[left] < threshold:
                return False
        return True


def gate_distributions(gated: pd.DataFrame, results: pd.DataFrame, threshold: int) -> None:
    """Leave of the spread of scores what may be told, in place.

    Parameters
    ----------
    gated : DataFrame
        Results whose ``descriptive`` rows have passed the gate: of the people with a score `n`, or `at_least`. Of bands
        that are told together the first has the share of all and their name in `item`; the others are hidden.
    results : DataFrame
        The same rows as computed.
    threshold : int
        The smallest number of people that may be read or derived.
    """
    own = results[(results["analysis"] == ANALYSIS) & (results["statistic"] == SHARE)]
    gated.loc[own.index, NUMBERS] = np.nan
    gated.loc[own.index, "hidden"] = True
    for outcome, rows in own.groupby("outcome", sort=False):
        spreads = {
            place: Spread(_count_below(cell), _people_told(gated, str(outcome), *place))
            for place, cell in rows.groupby(["arm", "timepoint"], sort=False)
            if rows["classes"].isna().all()
        }
        names = list(dict.fromkeys(rows["item"]))
        known = results[(results["outcome"] == outcome) & (results["statistic"] == BORDER)]["item"]
        told, borders = choose_borders(spreads, len(names), [names.index(name) for name in known], threshold)
        for place in told:
            cell = rows[(rows["arm"] == place[0]) & (rows["timepoint"] == place[1])]
            _tell(gated, cell.index, names, spreads[place], borders)


def choose_borders(
    spreads: dict[tuple[str, str], Spread], n_bands: int, known: list[int], threshold: int
) -> tuple[list[tuple[str, str]], list[int]]:
    """Choose the arms at timepoints that are told, and the borders between bands that are told of all of them.

    Parameters
    ----------
    spreads : dict
        (arm, timepoint) -> people by band.
    n_bands : int
        Bands; border `i` lies below band `i`.
    known : list of int
        Borders of events, beyond which shares are told elsewhere.
    threshold : int
        The smallest number of people that may be read or derived.

    Returns
    -------
    told : list of tuple
        Keys of `spreads`, without those of the fewest people where with them nothing could be told.
    borders : list of int
        In order; empty where nothing is told. The lowest and the highest possible score stand apart only where nobody
        is left out: whether many people of all arms have it is told elsewhere.
    """
    told = sorted((place for place in spreads if spreads[place].steps), key=lambda place: -spreads[place].people)
    while told:
        ends = [1, n_bands - 1] if len(told) == len(spreads) else []
        inner = list(range(2, n_bands - 1))
        found: list[int] = []
        for border in dict.fromkeys([*known, *ends, *inner]):
            wanted = sorted({*found, border})
            if all(_is_safe(spreads[place], wanted, known, threshold) for place in told):
                found = wanted
        if found:
            return [place for place in spreads if place in told], found
        told.pop()
    return [], []


def _is_safe(spread: Spread, borders: list[int], known: list[int], threshold: int) -> bool:
    """Tell whether borders keep apart from each other, and from what is told elsewhere of the same people."""
    people = spread.below[-1]
    elsewhere = [each for each in known if threshold <= spread.below[each] <= people - threshold]
    return spread.keeps_apart(sorted({*borders, *elsewhere}), threshold)


def _count_below(cell: pd.DataFrame) -> tuple[int, ...]:
    counts = (cell["value"] * cell["n"]).round().astype(int)
    return tuple(accumulate(counts, initial=0))


def _people_told(gated: pd.DataFrame, outcome: str, arm: str, timepoint: str) -> float:
    """Return the number of people with a score that is told, or what it is not below; NaN without either."""
    where = (gated["analysis"] == "descriptive") & (gated["statistic"] == "mean") & ~gated["hidden"]
    where &= (gated["outcome"] == outcome) & (gated["arm"] == arm) & (gated["timepoint"] == timepoint)
    known = gated.loc[where, "n"].fillna(gated.loc[where, "at_least"])
    return float(known.iloc[0]) if len(known) else float("nan")


def _tell(gated: pd.DataFrame, index: pd.Index, names: list[str], spread: Spread, borders: list[int]) -> None:
    for left, right in pairwise([0, *borders, len(names)]):
        gated.loc[index[left], "value"] = (spread.place(right) - spread.place(left)) / spread.steps
        gated.loc[index[left], "item"] = merge_names(names[left], names[right - 1])
        gated.loc[index[left], "hidden"] = False

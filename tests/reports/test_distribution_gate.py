"""What is told of the spread of scores, and that nobody can tell a few people from it."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.results import Result, results_table
from reports import ReportContent, gate_results
from reports.distribution_gate import Spread, choose_borders

Build = Callable[..., ReportContent]
THRESHOLD = 10
PLACES = [("peer", "baseline"), ("peer", "post"), ("usual", "baseline"), ("usual", "post")]


def spread_of(*counts: int, people: float | None = None) -> Spread:
    below = tuple(int(each) for each in np.cumsum([0, *counts]))
    return Spread(below, float(below[-1]) if people is None else people)


def pieces_of(spread: Spread, borders: list[int]) -> list[int]:
    places = sorted({0, *borders, len(spread.below) - 1})
    return [spread.below[right] - spread.below[left] for left, right in pairwise(places)]


def test_neighbouring_bands_are_told_together_until_each_holds_enough_people() -> None:
    told, borders = choose_borders({PLACES[0]: spread_of(4, 8, 12, 30, 26, 3, 17)}, 7, [], THRESHOLD)
    assert told == [PLACES[0]]
    assert borders == [2, 3, 4, 6]
    assert pieces_of(spread_of(4, 8, 12, 30, 26, 3, 17), borders) == [12, 12, 30, 29, 17]


def test_bands_are_the_same_in_all_arms() -> None:
    spreads = {PLACES[0]: spread_of(30, 30, 30, 30), PLACES[2]: spread_of(30, 3, 57, 30)}
    told, borders = choose_borders(spreads, 4, [], THRESHOLD)
    assert told == [PLACES[0], PLACES[2]]
    assert borders == [1, 3]


def test_a_border_keeps_away_from_an_event_that_is_told_elsewhere() -> None:
    """Band 3 holds 4 people: the share above border 4 and that with the event, above border 3, would tell them."""
    spreads = {PLACES[0]: spread_of(30, 30, 30, 4, 30, 30), PLACES[1]: spread_of(30, 30, 30, 30, 30, 30)}
    _, borders = choose_borders(spreads, 6, [3], THRESHOLD)
    assert borders == [1, 2, 3, 5]
    few_have_it = {PLACES[0]: spread_of(60, 60, 6, 5, 2, 2), PLACES[1]: spread_of(30, 30, 34, 26, 9, 21)}
    _, borders = choose_borders(few_have_it, 6, [3], THRESHOLD)
    assert borders == [1, 2]
    event_of_the_other = {PLACES[0]: spread_of(60, 20, 20, 4, 2, 2), PLACES[1]: spread_of(30, 30, 4, 56, 30, 30)}
    _, borders = choose_borders(event_of_the_other, 6, [3], THRESHOLD)
    assert borders == [1], "border 2 is four people away from the event in the second"


def test_an_arm_of_too_few_people_is_left_out_and_the_ends_with_it() -> None:
    spreads = {PLACES[0]: spread_of(40, 40, 40, 40), PLACES[2]: spread_of(4, 5, 4, 3)}
    told, borders = choose_borders(spreads, 4, [], THRESHOLD)
    assert told == [PLACES[0]]
    assert borders == [2]
    told, borders = choose_borders({PLACES[2]: spread_of(4, 5, 4, 3)}, 4, [], THRESHOLD)
    assert (told, borders) == ([], [])


def test_nothing_is_told_of_a_single_band_or_of_a_hidden_number() -> None:
    assert choose_borders({PLACES[0]: spread_of(3, 90, 4)}, 3, [], THRESHOLD) == ([], [])
    hidden = {PLACES[0]: spread_of(40, 40, people=float("nan"))}
    assert choose_borders(hidden, 2, [], THRESHOLD) == ([], [])


def test_no_few_people_follow_from_what_is_told_of_random_studies() -> None:
    rng = np.random.default_rng(20)
    n_told = 0
    for _ in range(400):
        n_bands = int(rng.integers(3, 14))
        spreads = {}
        for place in PLACES[: int(rng.integers(1, 5))]:
            counts = rng.multinomial(int(rng.integers(5, 400)), rng.dirichlet(np.full(n_bands, 0.6)))
            n = int(counts.sum())
            spreads[place] = spread_of(*counts, people=float(max(n - rng.integers(0, 15), 0)))
        known = [int(rng.integers(1, n_bands))] if rng.random() < 0.5 else []
        told, borders = choose_borders(spreads, n_bands, known, THRESHOLD)
        n_told += bool(told)
        for place in told:
            spread = spreads[place]
            event = [each for each in known if THRESHOLD <= spread.below[each] <= spread.below[-1] - THRESHOLD]
            assert min(pieces_of(spread, [*borders, *event])) >= THRESHOLD
            steps = [spread.place(border) for border in (0, *borders, n_bands)]
            least = [(right - left - 1) * spread.people / spread.steps for left, right in pairwise(steps)]
            assert min(least[1:-1], default=THRESHOLD) >= THRESHOLD, "by what is told it cannot be fewer either"
    assert n_told > 200


def with_spread(content: ReportContent, counts: dict[str, list[int]], **more: float) -> pd.DataFrame:
    rows = [
        Result(analysis="distribution", statistic="share", outcome="stigma", arm=arm, timepoint="post",
               item=f"{place}:{place}", value=count / sum(own), n=sum(own), **more)
        for arm, own in counts.items() for place, count in enumerate(own)
    ]  # fmt: skip
    return pd.concat([content.results, results_table(rows)], ignore_index=True)


def distribution_of(results: pd.DataFrame, profile: str = "threshold-10") -> pd.DataFrame:
    gated = gate_results(results, profile)
    return gated[(gated["analysis"] == "distribution") & (gated["statistic"] == "share")]


def test_the_gate_tells_rounded_shares_of_merged_bands_and_no_number_of_people(build: Build) -> None:
    counts = {"peer": [4, 36, 50, 60, 38, 2], "usual": [40, 30, 50, 60, 15, 5]}
    told = distribution_of(with_spread(build(), counts))
    shown = told[~told["hidden"]]
    for arm in ("peer", "usual"):
        own = shown[shown["arm"] == arm]
        assert list(own["item"]) == ["0:1", "2", "3", "4:5"]
        assert own["value"].sum() == pytest.approx(1)
        assert np.allclose(100 * own["value"], np.round(100 * own["value"]))
    assert told[["n", "at_least", "std_error"]].isna().all().all()
    assert told.loc[told["hidden"], "value"].isna().all()


def test_nothing_is_told_of_scores_of_few_values_or_of_an_arm_that_is_hidden(recount: Build, build: Build) -> None:
    counts = {"peer": [40, 50, 60, 40], "usual": [50, 50, 50, 50]}
    assert distribution_of(with_spread(build(), counts, classes=4.0))["hidden"].all()
    small = recount(usual=(231, 7, 160))
    told = distribution_of(with_spread(small, counts | {"usual": [2, 1, 2, 2]}))
    assert set(told.loc[~told["hidden"], "arm"]) == {"peer"}


def test_where_nothing_is_protected_every_band_is_told(build: Build) -> None:
    told = distribution_of(with_spread(build(profile="none"), {"peer": [1, 2, 187]}), "none")
    assert list(told["value"]) == pytest.approx([1 / 190, 2 / 190, 187 / 190])

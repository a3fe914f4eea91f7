"""What is told of sums of scores leaves open which few people have which score, and what those who left had scored."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from analysis.descriptives import describe_changes, describe_outcome
from analysis.design import Arm, StudyDesign, Timepoint
from analysis.profiles import PROFILES
from analysis.results import Result, results_table
from reports import gate_results
from reports.disclosure_audit import audit_disclosure
from reports.gated_rows import Unit, blur, blur_to, smallest_unit
from reports.model_gate import gate_classes

TEN, THREE = PROFILES["threshold-10"], PROFILES["datashield-3"]
DESIGN = StudyDesign(
    kind="single_group",
    timepoints=(Timepoint("start", "Start", 0), Timepoint("end", "End", 12)),
    arms=(Arm("peer", "Peer support", "programme"),),
    measures={},
)


def ways_to_score(people: int, scores: int) -> np.ndarray:
    """All ways in which so many people can have so many scores: a row each, of how many have which score."""
    bars = np.array(list(combinations(range(people + scores - 1), scores - 1)))
    ends = np.full((len(bars), 1), -1), np.full((len(bars), 1), people + scores - 1)
    return np.diff(np.hstack([ends[0], bars, ends[1]]), axis=1) - 1


def told_of(counts: np.ndarray, threshold: int) -> tuple[float, ...]:
    """What the gate tells of scores 0, 1, ... that so many people have each: mean, its interval, and spread."""
    points = np.repeat(np.arange(len(counts), dtype=float), counts)
    frame = pd.DataFrame({"arm": "peer", "score:start": points, "score:end": np.nan})
    rows = [row for row in describe_outcome(frame, "mood", DESIGN) if row.timepoint == "start"]
    gated = results_table(rows).assign(hidden=False, at_least=np.nan)
    gate_classes(gated, threshold)
    told = gated[gated["statistic"] != "observed"][["value", "conf_low", "conf_high", "std_error"]]
    return tuple(np.round(told.fillna(-99).to_numpy().ravel(), 8))


@pytest.mark.parametrize(("people", "scores"), [(7, 4), (8, 3)])
def test_no_few_people_with_a_score_follow_from_what_is_told_by_all_data_that_agree_with_it(people, scores):
    ways = ways_to_score(people, scores)
    told = [told_of(each, THREE.threshold) for each in ways]
    shown = 0
    for said in set(told):
        agree = ways[[each == said for each in told]]
        shown += len(agree) * (said[0] != -99)
        for counts in (agree, people - agree):
            low, high = counts.min(axis=0), counts.max(axis=0)
            assert not ((low >= 1) & (high < THREE.threshold)).any(), said
    assert shown > len(ways) / 4


def can_be(people: int, total: int, squares: int, most: int) -> list[set[int]]:
    """How many people can have each score from 0 to `most`, with a sum and a sum of squares."""
    found = []
    for score in range(most + 1):
        others = [each for each in range(1, most + 1) if each != score]
        reach = np.zeros((people + 1, total + 1, squares + 1), dtype=bool)
        reach[0, 0, 0] = True
        for each, _ in product(others, range(people)):
            if each <= total and each**2 <= squares:
                more = reach[1:, each:, each**2 :] | reach[:-1, : total + 1 - each, : squares + 1 - each**2]
                if (more == reach[1:, each:, each**2 :]).all():
                    continue
                reach[1:, each:, each**2 :] = more
        ways = set()
        for count in range(people + 1):
            left, rest = total - count * score, squares - count * score**2
            if left >= 0 and rest >= 0:
                some = (
                    reach[people - count, left, rest] if score == 0 else reach[: people - count + 1, left, rest].any()
                )
                ways |= {count} if some else set()
        found.append(ways)
    return found


@pytest.mark.parametrize("counts", [(10, 5, 4, 2), (11, 6, 3, 1, 1), (12, 2, 4, 4), (10, 5, 1, 2, 2)])
def test_where_a_spread_is_told_sum_and_sum_of_squares_leave_open_who_is_near_the_end_of_a_scale(counts):
    threshold = 4
    points = np.repeat(np.arange(len(counts)), counts)
    assert sum(sorted(counts)[:-2]) >= threshold
    for ways in can_be(len(points), int(points.sum()), int((points**2).sum()), most=8):
        for possible in (ways, {len(points) - each for each in ways}):
            assert not (min(possible) >= 1 and max(possible) < threshold), counts


def test_a_spread_goes_where_few_stand_apart_from_two_scores_and_the_interval_that_tells_it():
    scores = pd.Series([0.0] * 15 + [1.0] * 15 + [2.0] * 9)
    frame = pd.DataFrame({"arm": "peer", "score:start": scores, "score:end": np.arange(39.0)})
    gated = results_table(describe_outcome(frame, "mood", DESIGN)).assign(hidden=False, at_least=np.nan)
    gate_classes(gated, TEN.threshold)
    start = gated[gated["timepoint"] == "start"].set_index("statistic")
    assert start.loc["sd", "hidden"]
    assert start.loc["mean", "value"] == 0.8
    assert start.loc["mean", ["std_error", "df", "conf_low", "conf_high"]].isna().all()
    assert not gated[gated["timepoint"] == "end"]["hidden"].any()


def test_a_mean_goes_where_few_stand_apart_from_one_score():
    for few, is_hidden in ((9, True), (10, False)):
        scores = [0.0] * 30 + [5.0 + each for each in range(few)]
        frame = pd.DataFrame({"arm": "peer", "score:start": scores, "score:end": np.arange(30.0 + few)})
        gated = results_table(describe_outcome(frame, "mood", DESIGN)).assign(hidden=False, at_least=np.nan)
        gate_classes(gated, TEN.threshold)
        assert gated.set_index(["statistic", "timepoint"]).loc[("mean", "start"), "hidden"] == is_hidden


def test_the_spread_of_everybody_goes_where_that_of_an_arm_is_hidden_for_its_scores():
    scores = [0.0] * 30 + [7.0] * 3
    frame = pd.DataFrame({"arm": "peer", "score:start": scores, "score:end": np.arange(33.0)})
    common = [
        Result(analysis="reliability", statistic="reliable_change", outcome="phq", timepoint=at, value=5.0, n=33)
        for at in ("start", "end")
    ]
    threshold = Result(
        analysis="change_counts", statistic="threshold", outcome="mood", item="reliable", value=5.0, n=33
    )
    rows = [*describe_outcome(frame, "mood", DESIGN), *common, threshold]
    gated = results_table(rows).assign(hidden=False, at_least=np.nan)
    gate_classes(gated, TEN.threshold)
    assert gated["hidden"].tolist()[-3:] == [True, False, True]


def study(rng: np.random.Generator, *, left: int, came: int = 0, people: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Results of an arm of whom some left and others came later, and the baseline scores of those who left."""
    before = rng.integers(0, 28, people).astype(float)
    later = np.clip(before + rng.integers(-8, 5, people), 0, 27)
    later[:left], before[people - came :] = np.nan, np.nan
    frame = pd.DataFrame({"arm": "peer", "score:start": before, "score:end": later})
    flow = [Result(analysis="flow", statistic="allocated", arm="peer", value=people, n=people)]
    for at, answered in (("start", people - came), ("end", people - left)):
        flow.append(Result(analysis="flow", statistic="answered", arm="peer", timepoint=at, value=answered, n=answered))
    described = [*describe_outcome(frame, "mood", DESIGN), *describe_changes(frame, "mood", DESIGN)]
    return results_table([*flow, *described]), before[:left]


def total_of_who_left(gated: pd.DataFrame, truth: pd.DataFrame) -> tuple[float, float] | None:
    """Between which points the baseline total of who left lies, for somebody who even knows how many they are."""

    def told(analysis: str, statistic: str, at: str) -> tuple[float, float, float] | None:
        where = (truth["analysis"] == analysis) & (truth["statistic"] == statistic) & (truth["timepoint"] == at)
        row, true = gated[where].iloc[0], truth[where].iloc[0]
        if row["hidden"]:
            return None
        numbers = [row["value"], row["conf_low"], row["conf_high"]]
        scaled = [round(1000 * number) for number in numbers]
        slack = 0.0 if row["std_error"] == row["std_error"] else np.gcd.reduce(scaled) / 2000
        return true["n"], row["value"], slack

    means = told("descriptive", "mean", "start"), told("descriptive", "mean", "end")
    change = told("change_within_arm", "mean_change", "end")
    if change is None or None in means:
        return None
    (first, start, a), (n, end, b), (_, moved, c) = *means, change
    slack = first * a + n * (b + c)
    return first * start - n * (end - moved) - slack, first * start - n * (end - moved) + slack


@pytest.mark.parametrize("profile", ["threshold-10", "cms-11", "nhs-8"])
def test_what_few_people_who_left_had_scored_is_known_no_better_than_by_a_guess(profile):
    rng, told = np.random.default_rng(3), 0
    for left in range(1, 8):
        results, scores = study(rng, left=left)
        ends = total_of_who_left(gate_results(results, profile), results)
        if ends is None:
            continue
        told += 1
        assert ends[0] <= scores.sum() <= ends[1]
        spread = results.loc[results["statistic"] == "sd", "value"].iloc[0]
        assert ends[1] - ends[0] >= 2 * spread * np.sqrt(left), "a guess by mean and spread of everybody is as good"
        mean = results.loc[results["statistic"] == "mean", "value"].iloc[0]
        assert ends[0] <= mean * left <= ends[1] + 1e-6, "nor does it follow that anybody left"
    assert told > 1


def test_changes_of_as_many_people_or_of_whom_enough_left_stay_as_they_are():
    for left in (0, 15):
        results, _ = study(np.random.default_rng(4), left=left)
        gated = gate_results(results, "threshold-10")
        assert gated.loc[results["statistic"] == "mean_change", "value"].item() == pytest.approx(
            results.loc[results["statistic"] == "mean_change", "value"].item()
        )


@pytest.mark.parametrize(("least", "unit"), [(0.11, 0.2), (0.2, 0.2), (0.3, 0.5), (0.6, 1.0), (0.01, 0.01), (7, 10)])
def test_units_are_one_two_or_five_times_a_power_of_ten(least, unit):
    assert smallest_unit(least).size == pytest.approx(unit)


def test_an_observed_mean_agrees_with_every_number_of_people_that_may_be():
    row = Result(analysis="descriptive", statistic="mean", outcome="mood", arm="peer", timepoint="end", value=11.857,
                 std_error=0.2, df=6, conf_low=11.4, conf_high=12.3, n=9)  # fmt: skip
    gated = results_table([row]).assign(hidden=False, at_least=7.0)
    blur(gated, 0)
    assert gated.loc[0, ["value", "conf_low", "conf_high"]].tolist() == [11.8, 11.4, 12.4]
    for people in (7, 8, 9):  # one decimal would leave 7 alone
        assert (np.abs(np.arange(300) / people - 11.8) <= 0.1 + 1e-9).any()
    assert smallest_unit(1 / 7) == Unit(1, 2)


def test_a_spread_beside_a_withheld_number_of_people_is_not_told():
    for left in (1, 4, 8):
        gated = gate_results(study(np.random.default_rng(5), left=left, came=3)[0], "threshold-10")
        assert not audit_disclosure(gated, TEN)
        spreads = gated[gated["statistic"].isin(["sd", "standardised_change"])]
        assert spreads.loc[spreads["n"].isna(), "hidden"].all()
    gated = gate_results(study(np.random.default_rng(5), left=30, came=3)[0], "threshold-10")
    assert not gated.loc[gated["statistic"] == "sd", "hidden"].all()


def test_what_is_blurred_twice_is_told_as_once():
    rng = np.random.default_rng(2)
    ends = np.sort(rng.normal(0, 6, (300, 3)), axis=1)
    rows = [
        Result(analysis="model", statistic="marginal_mean", outcome="mood", arm="peer", timepoint="end",
               value=value, std_error=1.0, df=9, conf_low=low, conf_high=high, n=20)
        for low, value, high in ends
    ]  # fmt: skip
    gated = results_table(rows).assign(hidden=False, at_least=np.nan)
    for index in gated.index:
        blur_to(gated, index, Unit(1))
    once = gated.copy()
    for index in gated.index:
        blur_to(gated, index, Unit(1))
    pd.testing.assert_frame_equal(gated, once)
    assert (gated["conf_low"] <= ends[:, 0]).all()
    assert (gated["conf_high"] >= ends[:, 2]).all()

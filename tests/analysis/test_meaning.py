"""Responders, reliable change, numbers needed and harms: against published examples, R and statsmodels."""

import numpy as np
import pytest
from scipy import stats

from analysis import AnalysisError
from analysis.harms import count_alerts, count_harms
from analysis.meaning import count_reliable_changes, count_responders, estimate_share
from analysis.number_needed import derive_number_needed, derive_number_needed_of_difference
from instruments.psychometrics import derive_measurement_error

PRINTED = 5e-5
"""Half of the last of four printed digits."""
SAME_AS_R = 1e-9
# R 4.2.2: binom.test(3, 40), binom.test(0, 40), poisson.test(7, 3.5), poisson.test(0, 3.5)
EXACT_IN_R = {3: (0.0157421799, 0.2038647487), 0: (0.0, 0.0880973029)}
RATE_IN_R = {7: (0.8041037290, 4.1207643891), 0: (0.0, 1.0539655583)}


def test_reliable_change_is_that_of_the_published_example():
    # Jacobson and Truax 1991: 47.5 before, 32.5 later, SD 7.5, reliability .80; SE 3.35, difference 4.74, index -3.16.
    error = derive_measurement_error(7.5, 0.80)
    assert error.standard_error == pytest.approx(3.35, abs=0.005)
    assert (32.5 - 47.5) / (error.reliable_change / 1.96) == pytest.approx(-3.16, abs=0.005)
    found = count_reliable_changes(
        np.array([47.5]), np.array([32.5]), reliable_change=error.reliable_change, higher_is="worse"
    )
    assert (found.improved.count, found.worsened.count) == (1, 0)


def test_improvement_and_deterioration_follow_one_rule():
    before, later = np.array([10, 10, 10, 10, 10, 10.0]), np.array([4, 5, 6, 14, 15, 16.0])
    beyond = count_reliable_changes(before, later, reliable_change=5, higher_is="worse")
    at_least = count_responders(before, later, smallest_meaningful_change=5, higher_is="worse")
    assert (beyond.improved.count, beyond.unchanged.count, beyond.worsened.count) == (1, 4, 1)
    assert (at_least.improved.count, at_least.unchanged.count, at_least.worsened.count) == (2, 2, 2)
    turned = count_responders(before, later - 1, smallest_meaningful_change=5, higher_is="better")
    assert (turned.improved.count, turned.unchanged.count, turned.worsened.count) == (1, 2, 3)


def test_decimals_that_add_up_to_the_threshold_reach_it_and_no_more():
    assert 0.7 - 0.2 < 0.5 < 1.1 - 0.6  # each is half a point, but for rounding
    before, later = np.array([0.2, 0.6]), np.array([0.7, 1.1])
    found = count_responders(before, later, smallest_meaningful_change=0.5, higher_is="better")
    assert found.improved.count == 2
    found = count_reliable_changes(before, later, reliable_change=0.5, higher_is="better")
    assert found.unchanged.count == 2


def test_people_without_a_score_are_counted_apart():
    before, later = np.array([10.0, np.nan, 10.0, 10.0]), np.array([2.0, 3.0, np.nan, 10.0])
    found = count_responders(before, later, smallest_meaningful_change=5, higher_is="worse")
    assert (found.n_incomplete, found.improved.n) == (2, 2)
    assert found.improved.count + found.unchanged.count + found.worsened.count == 2


def test_without_any_true_change_one_in_forty_is_counted_on_each_side():
    rng, n = np.random.default_rng(6), 40_000
    true = rng.normal(20, 6 * np.sqrt(0.8), n)
    before, later = (true + rng.normal(0, 6 * np.sqrt(0.2), n) for _ in range(2))
    threshold = derive_measurement_error(6, 0.8).reliable_change
    found = count_reliable_changes(before, later, reliable_change=threshold, higher_is="better")
    for share in (found.improved, found.worsened):
        assert share.value == pytest.approx(0.025, abs=3 * np.sqrt(0.025 * 0.975 / n))


def test_a_share_has_the_wilson_interval_and_a_natural_frequency():
    # Newcombe 1998, Statistics in Medicine 17:857: 81 of 263, score interval .2553 to .3662.
    found = estimate_share(81, 263)
    assert (found.conf_low, found.conf_high) == pytest.approx((0.2553, 0.3662), abs=PRINTED)
    assert found.of_100 == 31
    assert [estimate_share(count, 8).of_100 for count in (0, 1, 3, 8)] == [0, 13, 38, 100]


def test_nobody_is_no_share():
    nobody = estimate_share(0, 0)
    assert np.isnan([nobody.value, nobody.conf_low, nobody.conf_high]).all()
    with pytest.raises(AnalysisError, match="Nobody"):
        _ = nobody.of_100
    with pytest.raises(AnalysisError, match="nobody to count"):
        derive_number_needed(nobody, estimate_share(2, 9), event_is="good")


@pytest.mark.parametrize("threshold", [0, -2, np.nan, np.inf])
def test_a_threshold_is_above_zero(threshold):
    with pytest.raises(AnalysisError, match="threshold"):
        count_responders(np.ones(3), np.ones(3), smallest_meaningful_change=threshold, higher_is="better")


def test_scores_of_other_people_and_unknown_directions_are_refused():
    with pytest.raises(AnalysisError, match="as many"):
        count_reliable_changes(np.ones(3), np.ones(4), reliable_change=1, higher_is="better")
    with pytest.raises(AnalysisError, match="better, worse"):
        count_reliable_changes(np.ones(3), np.ones(3), reliable_change=1, higher_is="beter")


def test_the_number_needed_is_the_published_difference_turned_over():
    # Newcombe 1998, Statistics in Medicine 17:873, method 10: 56 of 70 against 48 of 80, .2000 (.0524 to .3339).
    found = derive_number_needed(estimate_share(56, 70), estimate_share(48, 80), event_is="good")
    assert (found.difference_low, found.difference_high) == pytest.approx((0.0524, 0.3339), abs=PRINTED)
    assert found.value == pytest.approx(5)
    assert (found.conf_low, found.conf_high) == pytest.approx((1 / 0.3339, 1 / 0.0524), rel=1e-3)
    assert (found.kind, found.verdict) == ("benefit", "estimated")
    assert found.sentence == "5 people for one more to benefit (95 % interval 3 to 19)."


def test_the_same_numbers_of_a_bad_event_are_a_harm():
    found = derive_number_needed(estimate_share(56, 70), estimate_share(48, 80), event_is="bad")
    assert (found.kind, found.value) == ("harm", pytest.approx(5))
    assert 1 <= found.conf_low < found.value < found.conf_high
    assert found.benefit_from == np.inf


def test_where_no_difference_is_within_reach_there_is_no_single_interval():
    # Altman 1998: a reduction of 10 % (-5 % to 25 %) is a number needed of 10, from harm 20 through infinity to benefit 4.
    found = derive_number_needed_of_difference(0.10, -0.05, 0.25, event_is="good")
    assert (found.value, found.benefit_from, found.harm_from) == pytest.approx((10, 4, 20))
    assert found.verdict == "refused:interval_includes_zero"
    assert np.isnan([found.conf_low, found.conf_high]).all()
    assert "from 4 people" in found.sentence
    assert "from 20 people" in found.sentence


def test_no_difference_at_all_and_impossible_ones():
    none = derive_number_needed_of_difference(0.0, -0.2, 0.2, event_is="good")
    assert (none.kind, none.value) == ("none", np.inf)
    same = derive_number_needed(estimate_share(5, 10), estimate_share(10, 20), event_is="bad")
    assert same.verdict == "refused:interval_includes_zero"
    for numbers in [(20, 5, 33), (0.5, 0.6, 0.7), (np.nan, -0.1, 0.1)]:
        with pytest.raises(AnalysisError, match="within"):
            derive_number_needed_of_difference(*numbers, event_is="good")


@pytest.mark.parametrize("harmed", [3, 0])
def test_people_with_a_harm_have_the_exact_interval_of_r(harmed):
    events = np.zeros(40)
    events[:harmed] = 2
    found = count_harms(events)
    assert (found.people.conf_low, found.people.conf_high) == pytest.approx(EXACT_IN_R[harmed], abs=SAME_AS_R)
    assert found.events == 2 * harmed
    assert np.isnan(found.rate)


@pytest.mark.parametrize("events", [7, 0])
def test_rates_have_the_exact_interval_of_r(events):
    found = count_harms(np.array([events, 0]), time=np.array([2.0, 1.5]))
    assert found.rate == pytest.approx(events / 3.5)
    assert (found.rate_low, found.rate_high) == pytest.approx(RATE_IN_R[events], abs=SAME_AS_R)


def test_no_harm_seen_in_n_people_leaves_room_for_about_four_in_n():
    assert count_harms(np.zeros(300)).people.conf_high == pytest.approx(-np.log(0.025) / 300, rel=0.01)
    assert stats.binom.pmf(0, 300, count_harms(np.zeros(300)).people.conf_high) == pytest.approx(0.025)


@pytest.mark.parametrize("events", [[-1.0, 0.0], [0.5, 1.0], [np.nan, 1.0]])
def test_harms_are_whole_numbers(events):
    with pytest.raises(AnalysisError, match="whole numbers"):
        count_harms(np.array(events))


@pytest.mark.parametrize("time", [[1.0], [1.0, 0.0], [1.0, np.nan], [1.0, np.inf]])
def test_time_watched_is_above_zero_for_everybody(time):
    with pytest.raises(AnalysisError, match="watched"):
        count_harms(np.zeros(2), time=np.array(time))


def test_alerts_tell_new_ones_from_those_that_stayed():
    before, later = np.array([0, 0, 0, 2, 2, np.nan, 1]), np.array([0, 1, 3, 0, 2, 3, np.nan])
    found = count_alerts(before, later, at_least=1)
    assert (found.before.count, found.before.n) == (2, 5)
    assert (found.later.count, found.later.n) == (3, 5)
    assert (found.new.count, found.new.n) == (2, 3)
    assert (found.resolved.count, found.resolved.n) == (1, 2)
    assert found.n_incomplete == 2
    with pytest.raises(AnalysisError, match="as many"):
        count_alerts(before, later[1:], at_least=1)

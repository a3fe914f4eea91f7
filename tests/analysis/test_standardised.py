"""Standardised effects: against metafor and pingouin, and on data of known truth."""

import warnings

import numpy as np
import pytest

from analysis import AnalysisError
from analysis.mixed_models.inference import make_estimate
from analysis.standardised import standardise_change, standardise_difference, standardise_estimate

# metafor corrects by gamma functions, pingouin and we by the usual approximation.
SAME_CORRECTION = 2e-4
STUDIES = 1500
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / STUDIES)
# Scores before and later of 40 people, the first 18 of one arm; invented by hand.
BEFORE = "24 17 23 12 14 19 13 17 8 21 13 15 23 11 21 13 10 12 19 22 11 9 14 10 22 11 17 23 23 22 13 21 20 8 8 16 16 13 10 16"
LATER = "19 13 23 8 12 19 11 16 6 19 12 13 20 8 21 17 8 12 15 28 12 5 18 8 25 9 21 24 26 13 27 16 8 5 13 17 13 17 11 11"
# R 4.2.2, metafor 3.8-1, the first 18 people against the others, later:
#   escalc("SMD", m1i, sd1i, n1i, m2i, sd2i, n2i);  escalc("SMCR", m1i = later, m2i = before, sd1i = sd before, ni, ri)
FROM_METAFOR = {"SMD": (-0.1979497257, 0.3185904929), "SMCR": (-0.1510316885, 0.1205969857)}


@pytest.fixture
def scores():
    return tuple(np.array([float(score) for score in text.split()]) for text in (BEFORE, LATER))


def test_differences_are_those_of_metafor(scores):
    found = standardise_difference(scores[1][:18], scores[1][18:])
    assert (found.value, found.std_error) == pytest.approx(FROM_METAFOR["SMD"], abs=SAME_CORRECTION)
    assert found.n == 18


def test_changes_are_those_of_metafor(scores):
    found = standardise_change(*scores)
    assert (found.value, found.std_error) == pytest.approx(FROM_METAFOR["SMCR"], abs=SAME_CORRECTION)
    assert found.n == 40


def test_the_interval_of_a_difference_is_that_of_pingouin(scores):
    import pingouin

    found = standardise_difference(scores[1][:18], scores[1][18:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        low, high = pingouin.compute_esci(found.value, 18, 22, eftype="hedges", decimals=8)
    assert (found.conf_low, found.conf_high) == pytest.approx((low, high), abs=1e-7)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(12), {"difference": 0, "change": 0, "estimate": 0}
    for _ in range(STUDIES):
        first, second = rng.normal(10.8, 2, 30), rng.normal(10, 2, 30)
        found = standardise_difference(first, second)
        held["difference"] += found.conf_low <= 0.4 <= found.conf_high
        level = rng.normal(0, np.sqrt(0.6), 40)
        before, later = level + rng.normal(0, np.sqrt(0.4), 40), level - 0.5 + rng.normal(0, np.sqrt(0.4), 40)
        found = standardise_change(before, later)
        held["change"] += found.conf_low <= -0.5 <= found.conf_high
        variance = (first.var(ddof=1) + second.var(ddof=1)) / 2
        contrast = make_estimate(float(first.mean() - second.mean()), float(np.sqrt(variance / 15)), 58)
        found = standardise_estimate(contrast, sd=float(np.sqrt(variance)), n=59)
        held["estimate"] += found.conf_low <= 0.4 <= found.conf_high
    for what, count in held.items():
        assert count / STUDIES == pytest.approx(0.95, abs=COVERAGE_MARGIN + 0.005), what


def test_an_estimate_is_divided_and_its_divisor_is_uncertain():
    found = standardise_estimate(make_estimate(-4.0, 1.0, 50), sd=8.0, n=101)
    assert found.value == -0.5
    assert found.std_error == pytest.approx(np.sqrt(1 / 64 + 0.25 / 200))


def test_units_do_not_matter_and_order_turns_the_sign(scores):
    plain, turned = standardise_difference(*scores), standardise_difference(scores[1] * 3 + 7, scores[0] * 3 + 7)
    assert turned.value == pytest.approx(-plain.value)
    assert (turned.conf_low, turned.conf_high) == pytest.approx((-plain.conf_high, -plain.conf_low))


def test_missing_scores_are_left_out_and_pairs_stay_together(scores):
    before, later = scores[0].copy(), scores[1].copy()
    before[3], later[7] = np.nan, np.nan
    kept = np.delete(np.arange(40), [3, 7])
    assert standardise_change(before, later) == standardise_change(scores[0][kept], scores[1][kept])
    assert standardise_difference(before, later).n == 39


@pytest.mark.parametrize(
    ("compute", "code"),
    [
        (lambda: standardise_difference(np.array([1.0]), np.array([1.0, 2.0])), "too_few_participants"),
        (lambda: standardise_difference(np.array([]), np.array([1.0, 2.0])), "too_few_participants"),
        (lambda: standardise_difference(np.ones(4), np.ones(5)), "no_spread"),
        (lambda: standardise_change(np.array([1.0, np.nan]), np.array([1.0, 2.0])), "too_few_participants"),
        (lambda: standardise_change(np.array([]), np.array([])), "too_few_participants"),
        (lambda: standardise_change(np.ones(5), np.arange(5.0)), "no_spread"),
        (lambda: standardise_change(np.arange(5.0), np.ones(5)), "no_spread"),
        (lambda: standardise_estimate(make_estimate(1, 0, 9), sd=2, n=9), "no_precision"),
        (lambda: standardise_estimate(make_estimate(1, 1, 9), sd=0, n=9), "no_spread"),
        (lambda: standardise_estimate(make_estimate(1, 1, 9), sd=1, n=1), "too_few_participants"),
    ],
)
def test_what_has_no_size_is_refused(compute, code):
    with pytest.raises(AnalysisError) as raised:
        compute()
    assert raised.value.problems[0].code == code

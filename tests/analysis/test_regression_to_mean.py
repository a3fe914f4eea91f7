"""Change without any programme: against integration, a published setting, and cohorts that nothing was done to."""

import numpy as np
import pytest
from scipy import integrate, stats

from analysis import AnalysisError
from analysis.expected_change import compare_baselines, compare_with_expected, expect_natural_change
from analysis.mixed_models.inference import make_estimate
from analysis.regression_to_mean import EntryRule, Reference, expect_change_by_mean, expect_change_by_rule

COHORTS = 500
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / COHORTS)
SAME = 1e-6
"""Quadrature."""
MEAN, SD = 12.0, 5.0


def reference(**changed) -> Reference:
    numbers = {"mean": MEAN, "sd": SD, "retest": 0.6, "n": 200, "n_retest": 80, "source": "declared for the test"}
    return Reference(**{**numbers, **changed})


def cohort(rng: np.random.Generator, n: int, *, times: int = 2, retest: float = 0.6) -> np.ndarray:
    """Scores of people to whom nothing happens, (n, times)."""
    level = rng.normal(MEAN, SD * np.sqrt(retest), n)
    return level[:, None] + rng.normal(0, SD * np.sqrt(1 - retest), (n, times))


@pytest.mark.parametrize("retest", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("border", [40.0, 60.0, 85.0])
@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_the_expected_change_is_the_integral_over_those_who_enter(retest, border, side):
    # Barnett et al. 2005: a population of mean 60 and standard deviation 15, among others those of at most 40.
    found = expect_change_by_rule(reference(mean=60, sd=15, retest=retest), EntryRule(**{side: border}))
    ends = (border, 60 + 12 * 15) if side == "at_least" else (60 - 12 * 15, border)

    def change_of(score):
        return (retest - 1) * (score - 60) * stats.norm.pdf(score, 60, 15)

    entering = stats.norm.cdf(ends[1], 60, 15) - stats.norm.cdf(ends[0], 60, 15)
    assert found.value == pytest.approx(integrate.quad(change_of, *ends)[0] / entering, abs=SAME)


def test_the_interval_over_the_reference_holds_the_truth_as_often_as_it_says():
    rng, rule, held = np.random.default_rng(2005), EntryRule(at_least=15), 0
    truth = expect_change_by_rule(reference(n=np.inf, n_retest=np.inf), rule).value
    for _ in range(COHORTS):
        screened, twice = cohort(rng, 200, times=1), cohort(rng, 80)
        found = expect_change_by_rule(
            reference(mean=screened.mean(), sd=screened.std(ddof=1), retest=np.corrcoef(twice.T)[0, 1]), rule
        )
        held += found.conf_low <= truth <= found.conf_high
    assert held / COHORTS == pytest.approx(0.95, abs=COVERAGE_MARGIN)


@pytest.mark.parametrize("by", ["rule", "mean"])
def test_cohorts_without_a_programme_change_by_no_more_than_expected(by):
    rng, rule, held, changed = np.random.default_rng(1976), EntryRule(at_least=15), 0, []
    for _ in range(COHORTS):
        screened, twice, entered = cohort(rng, 300, times=1), cohort(rng, 100), cohort(rng, 160)
        entered = entered[entered[:, 0] >= 15]
        known = reference(
            mean=screened.mean(), sd=screened.std(ddof=1), retest=np.corrcoef(twice.T)[0, 1], n=300, n_retest=100
        )
        expected = (
            expect_change_by_rule(known, rule)
            if by == "rule"
            else expect_change_by_mean(known, mean=entered[:, 0].mean())
        )
        change = entered[:, 1] - entered[:, 0]
        observed = make_estimate(change.mean(), change.std(ddof=1) / np.sqrt(len(change)), len(change) - 1)
        left_over = compare_with_expected(observed, expected)
        held += left_over.conf_low <= 0 <= left_over.conf_high
        changed.append(observed.conf_high < 0)
    assert np.mean(changed) > 0.9  # a single group alone would have called nearly all of them a success
    assert held / COHORTS >= 0.95 - COVERAGE_MARGIN


def test_by_the_mean_it_is_right_for_skewed_scores_where_the_border_is_not():
    rng = np.random.default_rng(9)
    level = rng.gamma(1.0, 4.0, 400_000)
    before, later = (level + rng.gamma(1.0, 4.0, level.size) for _ in range(2))
    known = reference(mean=8.0, sd=np.sqrt(32.0), retest=0.5, n=np.inf, n_retest=np.inf)
    entered = before >= 16
    change = (later - before)[entered]
    true, std_error = change.mean(), change.std() / np.sqrt(change.size)
    by_mean = expect_change_by_mean(known, mean=before[entered].mean()).value
    by_rule = expect_change_by_rule(known, EntryRule(at_least=16)).value
    assert by_mean == pytest.approx(true, abs=4 * std_error)
    assert abs(by_rule - true) > 0.5


def test_whole_scores_are_cut_half_a_step_before_the_border():
    rng = np.random.default_rng(10)
    scores = np.round(cohort(rng, 400_000))
    entered = scores[scores[:, 0] >= 15]
    known = reference(sd=scores[:, 0].std(), retest=np.corrcoef(scores.T)[0, 1], n=np.inf, n_retest=np.inf)
    true = (entered[:, 1] - entered[:, 0]).mean()
    assert expect_change_by_rule(known, EntryRule(at_least=15, step=1)).value == pytest.approx(true, abs=0.03)
    assert abs(expect_change_by_rule(known, EntryRule(at_least=15)).value - true) > 0.1


def test_high_and_low_borders_mirror_each_other():
    high = expect_change_by_rule(reference(mean=0), EntryRule(at_least=4, step=1))
    low = expect_change_by_rule(reference(mean=0), EntryRule(at_most=-4, step=1))
    assert low.value == pytest.approx(-high.value)
    assert (low.conf_low, low.conf_high) == pytest.approx((-high.conf_high, -high.conf_low))
    assert high.conf_low < high.value < high.conf_high < 0


def test_a_known_reference_leaves_no_uncertainty_and_a_small_one_much():
    rule = EntryRule(at_least=15)
    assert expect_change_by_rule(reference(n=np.inf, n_retest=np.inf), rule).std_error == 0
    few, many = (expect_change_by_rule(reference(n_retest=n), rule) for n in (10, 1000))
    assert few.conf_high - few.conf_low > 3 * (many.conf_high - many.conf_low)


def test_a_border_far_out_is_no_trouble_for_the_arithmetic():
    found = expect_change_by_rule(reference(), EntryRule(at_least=MEAN + 40 * SD))
    assert found.value == pytest.approx(-0.4 * SD * 40, rel=0.001)
    assert expect_change_by_rule(reference(), EntryRule(at_least=MEAN - 40 * SD)).value == pytest.approx(0, abs=SAME)


def test_a_benchmark_is_taken_off_with_its_own_uncertainty_as_in_a_welch_test():
    rng = np.random.default_rng(14)
    ours, theirs = rng.normal(-4, 5, 30), rng.normal(-2, 3, 50)
    expected = expect_natural_change(mean=theirs.mean(), sd=theirs.std(ddof=1), n=50, source="invented")
    observed = make_estimate(ours.mean(), ours.std(ddof=1) / np.sqrt(30), 29)
    found, welch = compare_with_expected(observed, expected), stats.ttest_ind(ours, theirs, equal_var=False)
    assert (found.p_value, found.df) == pytest.approx((welch.pvalue, welch.df))
    interval = welch.confidence_interval()
    assert (found.conf_low, found.conf_high) == pytest.approx((interval.low, interval.high))
    alone = stats.t.interval(0.95, 49, theirs.mean(), theirs.std(ddof=1) / np.sqrt(50))
    assert (expected.conf_low, expected.conf_high) == pytest.approx(alone)


def test_change_from_a_second_baseline_leaves_regression_to_the_mean_behind():
    scores = cohort(np.random.default_rng(15), 40_000, times=3)
    entered = scores[scores[:, 0] >= 15]
    found = compare_baselines(*entered.T)
    expected = expect_change_by_rule(reference(n=np.inf, n_retest=np.inf), EntryRule(at_least=15)).value
    assert found.between.value == pytest.approx(expected, abs=4 * found.between.std_error)
    assert found.from_first.value == pytest.approx(expected, abs=4 * found.from_first.std_error)
    assert found.from_second.value == pytest.approx(0, abs=4 * found.from_second.std_error)


def test_a_second_baseline_is_compared_by_paired_tests_of_the_complete():
    first, second, later = np.array([[9, 8, 4.0], [7, 9, 5], [8, np.nan, 3], [6, 6, 6], [9, 5, 2]]).T
    kept = ~np.isnan(second)
    found = compare_baselines(first, second, later)
    assert found.n == 4
    for estimate, sides in (
        (found.from_first, (later, first)),
        (found.from_second, (later, second)),
        (found.between, (second, first)),
    ):
        test = stats.ttest_rel(*(side[kept] for side in sides))
        assert (estimate.p_value, estimate.df) == pytest.approx((test.pvalue, test.df))


@pytest.mark.parametrize(
    "changed",
    [{"sd": 0}, {"sd": np.nan}, {"mean": np.nan}, {"retest": 1}, {"retest": -0.1}, {"n": 1}, {"n_retest": 3}],
)
def test_an_impossible_reference_is_refused(changed):
    with pytest.raises(AnalysisError) as raised:
        reference(**changed)
    assert raised.value.problems[0].code == "reference_not_possible"


def test_impossible_rules_means_and_benchmarks_are_refused():
    for borders in ({}, {"at_least": 1, "at_most": 2}, {"at_least": 1, "step": -1}):
        with pytest.raises(AnalysisError, match="one border"):
            EntryRule(**borders)
    with pytest.raises(AnalysisError, match="no mean at baseline"):
        expect_change_by_mean(reference(), mean=np.nan)
    for numbers in ({"mean": np.nan, "sd": 1, "n": 9}, {"mean": 0, "sd": 0, "n": 9}, {"mean": 0, "sd": 1, "n": 1}):
        with pytest.raises(AnalysisError, match="benchmark"):
            expect_natural_change(**numbers, source="invented")
    with pytest.raises(AnalysisError, match="too few people"):
        compare_baselines(np.array([1.0, 2]), np.array([1, np.nan]), np.array([1.0, 2]))

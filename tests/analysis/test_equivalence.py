"""Non-inferiority and equivalence: against pingouin and statsmodels, by hand, and on data of known truth."""

import warnings

import numpy as np
import pytest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from analysis import AnalysisError
from analysis.equivalence import SENTENCES, judge_equivalence, judge_noninferiority
from analysis.mixed_models.inference import make_estimate

SAME = 1e-10
STUDIES = 2000


def difference(first, second):
    """Mean difference of two samples with equal variances."""
    n, m = len(first), len(second)
    pooled = ((n - 1) * first.var(ddof=1) + (m - 1) * second.var(ddof=1)) / (n + m - 2)
    return make_estimate(float(first.mean() - second.mean()), float(np.sqrt(pooled * (1 / n + 1 / m))), n + m - 2)


@pytest.fixture
def samples():
    rng = np.random.default_rng(3)
    return rng.normal(10.4, 3, 45), rng.normal(10, 3, 38)


def test_equivalence_is_that_of_pingouin_and_statsmodels(samples):
    import pingouin

    found = judge_equivalence(difference(*samples), margin=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        in_pingouin = float(pingouin.tost(*samples, bound=2.0, correction=False)["pval"].iloc[0])
    means = CompareMeans(DescrStatsW(samples[0]), DescrStatsW(samples[1]))
    assert found.p_value == pytest.approx(in_pingouin, abs=SAME)
    assert found.p_value == pytest.approx(means.ttost_ind(-2.0, 2.0)[0], abs=SAME)
    low, high = means.tconfint_diff(alpha=0.1)
    assert (found.conf_low, found.conf_high) == pytest.approx((low, high), abs=SAME)
    assert found.confidence == pytest.approx(0.9)


@pytest.mark.parametrize("higher_is", ["better", "worse"])
def test_noninferiority_is_the_one_sided_test_of_statsmodels(samples, higher_is):
    found = judge_noninferiority(difference(*samples), margin=1.5, higher_is=higher_is)
    means = CompareMeans(DescrStatsW(samples[0]), DescrStatsW(samples[1]))
    border, side = (-1.5, "larger") if higher_is == "better" else (1.5, "smaller")
    assert found.p_value == pytest.approx(means.ttest_ind(alternative=side, value=border)[1], abs=SAME)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(2.5, "superior"), (0.5, "non_inferior"), (-0.9, "non_inferior"), (-2.0, "not_shown"), (-5.5, "inferior")],
)
def test_every_place_of_the_interval_has_its_verdict_whichever_way_is_good(value, verdict):
    # Standard error 1 and no end of degrees of freedom: the interval reaches 1.96 either way, the margin is 3.
    for direction, sign in (("better", 1), ("worse", -1)):
        found = judge_noninferiority(make_estimate(sign * value, 1.0, np.inf), margin=3, higher_is=direction)
        assert found.verdict == verdict
        assert found.sentence == SENTENCES[verdict]
        assert (found.p_value < 0.025) == (verdict in ("superior", "non_inferior"))


@pytest.mark.parametrize(("value", "verdict"), [(1.0, "equivalent"), (-2.0, "not_shown"), (5.0, "not_equivalent")])
def test_equivalence_looks_both_ways(value, verdict):
    found = judge_equivalence(make_estimate(value, 1.0, np.inf), margin=3)
    assert found.verdict == verdict
    assert (found.p_value < 0.05) == (verdict == "equivalent")


def test_a_large_uncertain_null_result_is_not_equivalence():
    assert judge_equivalence(make_estimate(0.0, 4.0, 20), margin=3).verdict == "not_shown"
    assert judge_noninferiority(make_estimate(0.0, 4.0, 20), margin=3, higher_is="better").verdict == "not_shown"


def test_at_the_margin_equivalence_is_found_in_one_study_of_twenty():
    rng = np.random.default_rng(8)
    found = [
        judge_equivalence(difference(rng.normal(1, 1, 40), rng.normal(0, 1, 40)), margin=1.0).verdict == "equivalent"
        for _ in range(STUDIES)
    ]
    assert np.mean(found) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / STUDIES))


def test_without_precision_there_is_no_verdict():
    found = judge_equivalence(make_estimate(0.1, 1.0, 0.5), margin=3)
    assert found.verdict == "refused:no_interval"
    assert np.isnan([found.conf_low, found.conf_high, found.p_value]).all()
    found = judge_noninferiority(make_estimate(0.1, 0.0, 30), margin=3, higher_is="worse")
    assert found.verdict == "refused:no_interval"


@pytest.mark.parametrize("margin", [0, -1, np.nan, np.inf])
def test_a_margin_is_above_zero(margin):
    with pytest.raises(AnalysisError, match="margin"):
        judge_equivalence(make_estimate(0, 1, 30), margin=margin)


def test_error_and_direction_are_checked():
    with pytest.raises(AnalysisError, match=r"between 0 and 0\.5"):
        judge_equivalence(make_estimate(0, 1, 30), margin=1, alpha=0.5)
    with pytest.raises(AnalysisError, match="better, worse"):
        judge_noninferiority(make_estimate(0, 1, 30), margin=1, higher_is="bettr")

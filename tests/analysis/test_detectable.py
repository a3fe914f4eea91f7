"""The smallest change that the data could have shown: against statsmodels, R and simulation."""

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.power import TTestIndPower

from analysis import AnalysisError
from analysis.detectable import derive_detectable_change
from analysis.mixed_models.inference import make_estimate

SAME = 1e-6
"""Both look for a root."""
SEARCHED_BY_R = 1e-4
"""R looks for the root no closer than the fourth root of its precision."""
# R 4.2.2: power.t.test(n = 20, sd = 1, power = 0.8, strict = TRUE)$delta
FROM_R = 0.9091575375


def two_arms(n: int) -> float:
    return float(np.sqrt(2 / n))


@pytest.mark.parametrize(("n", "power"), [(5, 0.8), (20, 0.9), (200, 0.5), (20, 0.1)])
def test_it_is_the_difference_that_statsmodels_finds_for_that_power(n, power):
    found = derive_detectable_change(make_estimate(7.0, two_arms(n), 2 * n - 2), power=power)
    assert found.value == pytest.approx(TTestIndPower().solve_power(nobs1=n, alpha=0.05, power=power), abs=SAME)


def test_it_is_that_of_r():
    assert derive_detectable_change(make_estimate(0.0, two_arms(20), 38)).value == pytest.approx(
        FROM_R, abs=SEARCHED_BY_R
    )


def test_the_estimate_itself_does_not_matter():
    found = [derive_detectable_change(make_estimate(value, 1.3, 24)) for value in (-9.0, 0.0, 2.0)]
    assert found[0] == found[1] == found[2]


def test_without_end_of_degrees_of_freedom_it_is_the_sum_of_two_normal_quantiles():
    expected = 2 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8))
    assert derive_detectable_change(make_estimate(0, 2.0, np.inf)).value == pytest.approx(expected, abs=1e-4)


def test_a_study_with_that_difference_finds_it_as_often_as_said():
    rng, studies = np.random.default_rng(4), 3000
    true = derive_detectable_change(make_estimate(0, two_arms(15), 28)).value
    p_values = stats.ttest_ind(rng.normal(true, 1, (studies, 15)), rng.normal(0, 1, (studies, 15)), axis=1).pvalue
    assert np.mean(p_values < 0.05) == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / studies))


def test_what_cannot_be_said_is_refused():
    with pytest.raises(AnalysisError, match="precision"):
        derive_detectable_change(make_estimate(1, 0, 20))
    with pytest.raises(AnalysisError, match="precision"):
        derive_detectable_change(make_estimate(1, 1, 0.4))
    for power in (0.05, 1.0, np.nan):
        with pytest.raises(AnalysisError, match=r"between 0\.05 and 1"):
            derive_detectable_change(make_estimate(1, 1, 20), power=power)


@pytest.mark.parametrize("df", [1.0, 1.2, 1.5, 2.0, 2.5, 4.0])
def test_with_hardly_any_degrees_of_freedom_it_has_its_power_by_integration_over_the_variance(df):
    found = derive_detectable_change(make_estimate(0.0, 1.0, df)).value
    border = stats.t.ppf(0.975, df)

    def beyond(scale):
        ends = border * scale
        return (
            (stats.norm.sf(ends - found) + stats.norm.cdf(-ends - found)) * stats.chi.pdf(scale * df**0.5, df) * df**0.5
        )

    assert integrate.quad(beyond, 0, 40, points=[0.05, 0.5, 1, 2, 4], limit=200)[0] == pytest.approx(0.8, abs=1e-6)

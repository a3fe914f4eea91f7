"""The tipping point is where the interval just includes zero, found wherever it is."""

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.missing_data import (
    build_panel,
    estimate_one,
    find_tipping_point,
    impute_conditional_means,
    impute_repeatedly,
    tabulate_deltas,
)

# Points, of a bound of the interval at the tipping point, which is searched for to 1e-10 of the range.
BOUND = 1e-6
RANGE = 60.0


@pytest.fixture
def panel(make_followed, roles):
    return build_panel(make_followed(per_arm=50, leaving=0.25, effect=-3.0), **roles())


@pytest.fixture(params=["conditional_means", "multiple_imputation"])
def imputed(panel, request):
    if request.param == "conditional_means":
        return impute_conditional_means(panel)
    return impute_repeatedly(panel, np.random.default_rng(1), imputations=50)


def test_a_bound_of_the_interval_is_zero_at_the_tipping_point_and_not_before(imputed):
    found = find_tipping_point(imputed, "peer - usual", "later", most=RANGE)
    assert found.verdict == "tips"
    assert 0 < found.delta < found.most == RANGE
    assert found.start.estimate.conf_high < 0
    assert found.end.estimate.conf_high == pytest.approx(0.0, abs=BOUND)
    for share in np.linspace(0, 0.99, 12):
        before = estimate_one(imputed, "peer - usual", "later", delta={"peer": share * found.delta})
        assert before.estimate.conf_high < 0
    assert f"{found.delta:+.3g} points" in found.words()


def test_it_is_the_same_from_the_other_side(panel):
    first = find_tipping_point(impute_conditional_means(panel), "peer - usual", "later", most=RANGE)
    turned = impute_conditional_means(panel, contrasts=[("usual", "peer")])
    second = find_tipping_point(turned, "usual - peer", "later", most=RANGE)
    assert second.verdict == "tips"
    assert second.start.estimate.value == pytest.approx(-first.start.estimate.value)
    assert second.arm == "usual"
    assert second.delta < 0
    assert second.end.estimate.conf_low == pytest.approx(0.0, abs=BOUND)


def test_a_finding_that_holds_throughout_has_none(imputed):
    found = find_tipping_point(imputed, "peer - usual", "later", most=0.1)
    assert found.verdict == "holds"
    assert np.isnan(found.delta)
    assert found.end.delta == "peer +0.1"
    assert "+0.1 points" in found.words()


def test_without_a_finding_there_is_nothing_to_tip(make_followed, roles):
    panel = build_panel(make_followed(seed=1, effect=0.0), **roles())
    found = find_tipping_point(impute_conditional_means(panel), "peer - usual", "later", most=RANGE)
    assert found.verdict == "not_conclusive"
    assert found.start.estimate.conf_low < 0 < found.start.estimate.conf_high
    assert "nothing to tip" in found.words()


@pytest.mark.parametrize("most", [0.0, -5.0, float("nan"), float("inf")])
def test_how_far_to_search_must_be_said(panel, most):
    with pytest.raises(AnalysisError) as caught:
        find_tipping_point(impute_conditional_means(panel), "peer - usual", "later", most=most)
    assert caught.value.problems[0].code == "most_not_positive"


def test_deltas_of_both_arms_are_tabulated(imputed):
    found = tabulate_deltas(imputed, "peer - usual", "later", first=(0.0, 2.0, 4.0), second=(0.0, -2.0))
    assert found[["delta_first", "delta_second"]].to_numpy().tolist() == [
        [0, 0], [0, -2], [2, 0], [2, -2], [4, 0], [4, -2],
    ]  # fmt: skip
    both = estimate_one(imputed, "peer - usual", "later", delta={"peer": 4.0, "usual": -2.0})
    assert found["estimate"].iloc[-1] == both.estimate.value
    assert found["delta"].iloc[-1] == "peer +4, usual -2"
    assert found["estimate"].is_monotonic_increasing
    with pytest.raises(AnalysisError, match="no contrast"):
        tabulate_deltas(imputed, "peer", "later", first=(0.0,))

"""E-values: against a published example, dowhy, and the bias that they are defined by."""

import numpy as np
import pytest

from analysis import AnalysisError
from analysis.unmeasured import derive_e_value, derive_e_value_of_difference

PRINTED = 0.005
"""Half of the last digit that was printed."""
SAME = 1e-9
# dowhy 0.14, EValueSensitivityAnalyzer._evalue_RR and _evalue_MD(-0.35, 0.11).
FROM_DOWHY = {
    "ratio": {
        (3.9, 1.8, 8.7): (7.263034344160047, 3.0),
        (0.8, 0.71, 0.91): (1.8090169943749475, 1.4285714285714282),
        (1.2, 0.9, 1.6): (1.6898979485566354, 1.0),
    },
    "difference": (2.093211475820605, 1.5147160766243921),
}


def test_the_published_example_is_reproduced():
    # VanderWeele and Ding 2017: risk ratio 3.9 (1.8 to 8.7) has E-values 7.26 and 3.0.
    found = derive_e_value(3.9, conf_low=1.8, conf_high=8.7)
    assert found.value == pytest.approx(7.26, abs=PRINTED)
    assert found.limit == pytest.approx(3.0, abs=PRINTED)


@pytest.mark.parametrize(("ratio", "e_values"), FROM_DOWHY["ratio"].items())
def test_e_values_of_ratios_are_those_of_dowhy(ratio, e_values):
    found = derive_e_value(ratio[0], conf_low=ratio[1], conf_high=ratio[2])
    assert (found.value, found.limit) == pytest.approx(e_values, abs=SAME)


def test_the_e_value_of_a_difference_is_that_of_dowhy():
    # dowhy's interval on the logarithm is 1.78 standard errors wide either way.
    reach = 1.78 * 0.11 / 0.91
    found = derive_e_value_of_difference(-0.35, conf_low=-0.35 - reach, conf_high=-0.35 + reach)
    assert (found.value, found.limit) == pytest.approx(FROM_DOWHY["difference"], abs=SAME)


def test_a_cause_as_strong_as_the_e_value_can_just_explain_the_ratio():
    # The largest bias of a cause with associations a and b is a b / (a + b - 1) (Ding and VanderWeele 2016).
    for ratio in (1.1, 1.7, 4.0):
        e_value = derive_e_value(ratio, conf_low=ratio / 2, conf_high=ratio * 2).value
        assert e_value**2 / (2 * e_value - 1) == pytest.approx(ratio, abs=SAME)


def test_protective_and_harmful_are_alike():
    up = derive_e_value(2.0, conf_low=1.5, conf_high=2.5)
    down = derive_e_value(0.5, conf_low=1 / 2.5, conf_high=1 / 1.5)
    assert (up.value, up.limit) == pytest.approx((down.value, down.limit))


def test_an_interval_with_no_difference_in_it_needs_nothing():
    found = derive_e_value_of_difference(-0.2, conf_low=-0.5, conf_high=0.1)
    assert found.limit == 1
    assert "already" in found.sentence
    assert "7.3 each" in derive_e_value(3.9, conf_low=1.8, conf_high=8.7).sentence


@pytest.mark.parametrize(
    "numbers", [(0, 0.1, 1), (2, 2.5, 3), (2, np.nan, 3), (np.nan, 1, 2), (2, 1, np.inf), (2, -1, 3)]
)
def test_impossible_ratios_are_refused(numbers):
    with pytest.raises(AnalysisError) as raised:
        derive_e_value(numbers[0], conf_low=numbers[1], conf_high=numbers[2])
    assert raised.value.problems[0].code == "ratio_not_possible"


def test_a_difference_of_no_possible_size_is_refused_without_a_traceback():
    with pytest.raises(AnalysisError):
        derive_e_value_of_difference(5000.0, conf_low=4000.0, conf_high=6000.0)

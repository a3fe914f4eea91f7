"""Families and gates: against R, statsmodels, closed testing by brute force, and calculations by hand."""

from itertools import chain, combinations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from analysis import AnalysisError
from analysis.multiplicity import adjust_family, adjust_p_values
from analysis.plan_parts import Family

SAME = 1e-12
P_VALUES = {"a": 0.010, "b": 0.040, "c": 0.030, "d": 0.005, "e": 0.045}
# R 4.2.2: p.adjust(c(0.010, 0.040, 0.030, 0.005, 0.045), "hochberg") and "holm".
HOCHBERG_IN_R = {"a": 0.04, "b": 0.045, "c": 0.045, "d": 0.025, "e": 0.045}
HOLM_IN_R = {"a": 0.04, "b": 0.09, "c": 0.09, "d": 0.025, "e": 0.09}
TRIALS = 4000


def test_hochberg_and_holm_are_those_of_r():
    assert adjust_family(P_VALUES, "hochberg") == pytest.approx(HOCHBERG_IN_R, abs=SAME)
    assert adjust_family(P_VALUES, "holm") == pytest.approx(HOLM_IN_R, abs=SAME)


@pytest.mark.parametrize(("adjust", "in_statsmodels"), [("holm", "holm"), ("hochberg", "simes-hochberg")])
def test_steps_are_those_of_statsmodels_with_ties_and_large_p_values(adjust, in_statsmodels):
    rng = np.random.default_rng(30)
    for size in (1, 2, 7):
        p_values = np.round(rng.uniform(size=size), 1)
        found = adjust_family({str(place): value for place, value in enumerate(p_values)}, adjust)
        assert list(found.values()) == pytest.approx(multipletests(p_values, method=in_statsmodels)[1], abs=SAME)
    assert adjust_family({}, adjust) == {}


def test_a_fixed_sequence_carries_the_largest_p_value_on():
    found = adjust_family({"first": 0.01, "second": 0.06, "third": 0.001}, "fixed_sequence")
    assert found == {"first": 0.01, "second": 0.06, "third": 0.06}


def by_closed_testing(p_values: np.ndarray, shares: np.ndarray) -> list[float]:
    """Adjusted p-values of the fallback procedure by its definition as a closed test (Wiens and Dmitrienko 2005)."""
    everybody = range(len(p_values))
    adjusted = np.zeros(len(p_values))
    for together in chain.from_iterable(combinations(everybody, size) for size in range(1, len(p_values) + 1)):
        collected, smallest = 0.0, np.inf
        for place in everybody:
            collected += shares[place]
            if place in together:
                smallest = min(smallest, p_values[place] / collected) if collected > 0 else smallest
                collected = 0.0
        for place in together:
            adjusted[place] = max(adjusted[place], min(smallest, 1.0))
    return adjusted.tolist()


@pytest.mark.parametrize("shares", [(0.4, 0.3, 0.2, 0.1), (0.25, 0.25, 0.25, 0.25), (0.0, 0.7, 0.0, 0.3)])
def test_fallback_is_the_closed_test_that_defines_it(shares):
    rng = np.random.default_rng(31)
    for _ in range(200):
        p_values = rng.uniform(0, rng.choice([0.05, 0.3, 1.0]), 4)
        found = adjust_family(
            dict(zip("abcd", p_values, strict=True)), "fallback", weights=dict(zip("abcd", shares, strict=True))
        )
        assert list(found.values()) == pytest.approx(by_closed_testing(p_values, np.array(shares)), abs=SAME)


def test_fallback_with_everything_on_the_first_is_a_fixed_sequence():
    weights = {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0}
    assert adjust_family(P_VALUES, "fallback", weights=weights) == adjust_family(P_VALUES, "fixed_sequence")


def chained(*members: str, adjust: str = "holm") -> list[Family]:
    """Families of one letter a member, each after the one before it."""
    names = [f"family_{place}" for place in range(len(members))]
    before = [None, *names]
    return [
        Family(id=name, members=list(own), adjust=adjust, after=after)
        for name, own, after in zip(names, members, before, strict=False)
    ]


def test_a_family_opens_only_once_everything_before_it_was_shown():
    families = chained("ab", "cd", "e")
    families[1] = families[1].model_copy(update={"adjust": "hochberg"})
    # Holm: 0.010 x 2, 0.040. Hochberg: 0.005 x 2 and 0.030, neither below 0.040, nor is what follows.
    expected = {"a": 0.02, "b": 0.04, "c": 0.04, "d": 0.04, "e": 0.045}
    assert adjust_p_values(P_VALUES, families) == pytest.approx(expected, abs=SAME)


def test_a_refusal_keeps_every_later_family_shut_and_is_no_p_value():
    found = adjust_p_values({"a": np.nan, "b": 0.001, "c": 0.5, "d": 0.001}, chained("a", "b", "d"))
    assert np.isnan(found["a"])
    assert found["b"] == found["d"] == 1.0
    assert np.isnan(found["c"])


def test_a_refusal_never_helps_the_rest_of_its_family():
    for adjust in ("holm", "hochberg", "fixed_sequence"):
        found = adjust_family({"a": np.nan, "b": 0.03}, adjust)
        assert found["b"] >= 0.06 - SAME if adjust != "fixed_sequence" else found["b"] == 1.0


@pytest.mark.parametrize("adjust", ["holm", "hochberg", "fixed_sequence", "fallback", "gates"])
def test_the_family_errs_no_more_often_than_one_test_would(adjust):
    rng = np.random.default_rng(77)
    wrong = 0
    for _ in range(TRIALS):
        p_values = dict(zip("abcd", rng.uniform(size=4), strict=True))
        if adjust == "gates":
            found = adjust_p_values(p_values, chained("ab", "cd"))
        else:
            weights = dict.fromkeys("abcd", 0.25) if adjust == "fallback" else None
            found = adjust_family(p_values, adjust, weights=weights)
        wrong += min(found.values()) <= 0.05
    assert wrong / TRIALS <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / TRIALS)


def test_families_of_a_plan_are_adjusted_as_before():
    families = [Family(id="one", members=["a", "b"], adjust="holm"), Family(id="two", members=["c"], adjust="none")]
    found = adjust_p_values(P_VALUES, families)
    assert found["a"] == pytest.approx(0.02, abs=SAME)
    assert found["c"] == 0.03
    assert np.isnan(found["d"])


@pytest.mark.parametrize(
    ("adjust", "weights", "code"),
    [
        ("bonferoni", None, "adjust_unknown"),
        ("holm", {"a": 1.0}, "weights_not_possible"),
        ("fallback", None, "weights_not_possible"),
        ("fallback", {"a": 0.5, "b": 0.6}, "weights_not_possible"),
        ("fallback", {"a": 1.5, "b": -0.5}, "weights_not_possible"),
        ("fallback", {"a": 1.0}, "weights_not_possible"),
    ],
)
def test_methods_and_shares_that_there_are_not_are_refused(adjust, weights, code):
    with pytest.raises(AnalysisError) as raised:
        adjust_family({"a": 0.01, "b": 0.02}, adjust, weights=weights)
    assert raised.value.problems[0].code == code


def test_a_family_with_shares_uses_them():
    family = Family(id="one", members=["a", "b"], adjust="fallback", weights={"a": 0.8, "b": 0.2})
    assert adjust_p_values({"a": 0.01, "b": 0.5}, [family])["a"] == pytest.approx(0.01 / 0.8, abs=SAME)

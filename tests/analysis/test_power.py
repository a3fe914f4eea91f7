"""Power by simulation: against the formula of a t-test, and what a study tells of the next one."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from analysis import AnalysisError
from analysis.frames import outcome_frame
from analysis.power import Assumptions, assume_as_observed, draw_curve, simulate_power

PLAIN = Assumptions(sd=8.0, correlation=0.5, icc=0.0, group_size=1, drop_out=0.0, source="told")
RUNS = 120
WITHIN = 4 * np.sqrt(0.25 / RUNS)
"""Four Monte-Carlo standard errors of a share, at most."""


@pytest.fixture
def power(make_design, make_plan):
    """A function that simulates studies of the usual estimand."""

    def run(assumed=PLAIN, *, difference=-4.0, people=40, kind="randomised", runs=RUNS, **design):
        contrast = "post - baseline" if kind == "single_group" else "peer - usual"
        plan = make_plan({"contrast": contrast, "covariance": "us"} if not design else {"contrast": contrast})
        return simulate_power(
            plan, make_design(kind, **design), plan.estimands[0], assumed, difference=difference, people=people,
            runs=runs, rng=np.random.default_rng(6),
        )  # fmt: skip

    return run


def test_it_is_that_of_a_t_test_given_baseline(power):
    found = power()
    # Given baseline the residual standard deviation is sd * sqrt(1 - correlation^2) (Borm 2007).
    size = 4.0 / (8.0 * np.sqrt(1 - 0.5**2))
    assert found.power == pytest.approx(TTestIndPower().power(size, 40, 0.05), abs=WITHIN)
    needed = TTestIndPower().solve_power(nobs1=40, alpha=0.05, power=0.8) * 8.0 * np.sqrt(1 - 0.5**2)
    assert found.detectable == pytest.approx(needed, rel=0.1)
    assert found.conf_low < found.power < found.conf_high
    assert found.refused == 0


def test_without_a_difference_it_is_the_error_rate(power):
    assert power(difference=0.0).power == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / RUNS))


def test_people_who_leave_and_groups_that_differ_cost_power(power):
    assert power(replace(PLAIN, drop_out=0.5), runs=40).detectable > 1.2 * power(runs=40).detectable
    alone = power(runs=25, group_arms=("peer",), people=48, assumed=replace(PLAIN, group_size=8))
    in_groups = power(runs=25, group_arms=("peer",), people=48, assumed=replace(PLAIN, group_size=8, icc=0.3))
    assert in_groups.detectable > 1.2 * alone.detectable


def test_a_study_too_small_for_the_plan_shows_nothing(power):
    found = power(people=8, runs=20)
    assert (found.power, found.refused) == (0.0, 20)
    assert np.isnan(found.detectable)


def test_a_single_group_and_samples_drawn_anew_are_simulated_too(power):
    assert power(kind="single_group", runs=50).power > 0.8
    anew = power(replace(PLAIN, correlation=0.0), kind="repeated_cross_section", runs=20)
    assert anew.refused == 0


def test_what_a_study_tells_of_the_next_is_what_it_was_made_of(make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(3), 800, missing=0.25)
    plan, design = make_plan(), make_design()
    frame = outcome_frame(scores, people, design, plan.outcomes[0])
    seen = assume_as_observed(frame, plan.estimands[0], design, icc=0.02)
    # make_trial: lasting standard deviation 6, of an occasion 4.
    assert seen.sd == pytest.approx(np.sqrt(52), rel=0.05)
    assert seen.correlation == pytest.approx(36 / 52, abs=0.05)
    assert seen.drop_out == pytest.approx(0.25, abs=0.04)
    assert (seen.icc, seen.group_size) == (0.02, 1)
    with pytest.raises(AnalysisError, match="Too few people"):
        assume_as_observed(frame.head(6), plan.estimands[0], design, icc=0.0)


def test_a_curve_is_the_same_for_the_same_seed_and_rises(make_design, make_plan):
    plan = make_plan({"covariance": "us"})
    curves = [
        list(
            draw_curve(plan, make_design(), plan.estimands[0], PLAIN, difference=-5.0, sizes=(15, 60), runs=30, seed=2)
        )
        for _ in range(2)
    ]
    assert curves[0] == curves[1]
    assert curves[0][1].power > curves[0][0].power


def test_an_outcome_that_is_no_score_is_refused(make_design, make_plan):
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
    plan = make_plan(outcomes=[outcome])
    with pytest.raises(AnalysisError, match="not simulated here"):
        simulate_power(
            plan, make_design(), plan.estimands[0], PLAIN, difference=1, people=20, runs=1, rng=np.random.default_rng(1)
        )

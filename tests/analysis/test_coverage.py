"""Intervals and estimates in many invented trials whose truth is known."""

import numpy as np
import pytest

from analysis import fit_mixed_model
from analysis.design_matrix import build_design_matrix, contrast_weights
from analysis.frames import outcome_frame

TRIALS = 250
TRUTH = -4.0
# With 250 trials the Monte Carlo standard error of a coverage of 95 % is 1.38 points; three of them either side.
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / TRIALS)


@pytest.fixture(scope="module")
def seeds():
    """Independent streams, one per trial."""
    return np.random.SeedSequence(20260101).spawn(TRIALS)


def test_intervals_of_a_plain_randomised_trial_cover_the_truth_as_often_as_they_say(
    seeds, make_trial, make_design, make_plan
):
    design, estimand = make_design(), make_plan().estimands[0]
    weights = contrast_weights(estimand, design)
    found = []
    for seed in seeds:
        scores, people = make_trial(
            np.random.default_rng(seed), 20, shifts={("peer", "post"): TRUTH - 3.0, ("usual", "post"): -3.0}
        )
        matrix = build_design_matrix(outcome_frame(scores, people, design, "mood.total"), [], design)
        found.append(fit_mixed_model(matrix.rows, matrix.specification).estimate(weights))
    covered = np.mean([each.conf_low <= TRUTH <= each.conf_high for each in found])
    values = np.array([each.value for each in found])
    assert abs(covered - 0.95) <= COVERAGE_MARGIN
    assert abs(values.mean() - TRUTH) <= 3 * values.std(ddof=1) / np.sqrt(TRIALS)  # three Monte Carlo errors
    assert np.mean([each.std_error for each in found]) == pytest.approx(values.std(ddof=1), rel=3 / np.sqrt(2 * TRIALS))

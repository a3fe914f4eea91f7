"""Interrupted time series: against nlme in R, its intervals over simulated series, and the design from plan to answer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, Arm, Timepoint, evaluate_plan, find_refusals
from analysis.interrupted_series import fit_interrupted_series
from analysis.plan_checks import find_misfits

SAME = 1e-6
"""Relative: both searches end near the solution, not on it."""
WEEKS = np.arange(0.0, 61.0, 4.0)
MEANS = np.array(
    [52.1, 51.4, 53.0, 52.2, 51.0, 50.2, 51.9, 52.8, 48.1, 47.0, 46.2, 47.4, 45.9, 44.8, 46.0, 44.1]
)  # fmt: skip
# R 4.2.2, nlme: gls(y ~ week + after + since, correlation = corAR1(form = ~1), method = "REML"); after: week >= 32.
IN_R = {
    "coefficients": [51.878412900100720, -0.000913258750178, -4.103572220677434, -0.113887430619327],
    "variance": 0.897820488814,
    "autocorrelation": 0.244206868288,
    "log_likelihood": -23.8459338862,
}


def test_it_is_that_of_nlme():
    found = fit_interrupted_series(WEEKS, MEANS, interruption=32)
    assert found.coefficients == pytest.approx(IN_R["coefficients"], rel=1e-4)
    assert found.variance == pytest.approx(IN_R["variance"], rel=SAME)
    assert found.autocorrelation == pytest.approx(IN_R["autocorrelation"], rel=1e-5)
    assert found.log_likelihood == pytest.approx(IN_R["log_likelihood"], abs=1e-8)


def test_the_departure_is_the_second_line_less_the_first_drawn_on():
    found = fit_interrupted_series(WEEKS, MEANS, interruption=32)
    first = found.expected(60).value
    second = found.estimate(np.array([1, 60, 1, 60 - 32.0])).value
    assert found.departure(60).value == pytest.approx(second - first, abs=1e-10)


def test_uneven_timepoints_are_as_far_apart_as_they_are():
    kept = [0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 15]
    whole = fit_interrupted_series(WEEKS[kept] * 3, MEANS[kept], interruption=96)
    again = fit_interrupted_series(WEEKS[kept], MEANS[kept], interruption=32)
    assert whole.autocorrelation == pytest.approx(again.autocorrelation, abs=1e-6)
    stretched = np.where(WEEKS[kept] > 40, WEEKS[kept] + 1.7, WEEKS[kept])
    uneven = fit_interrupted_series(stretched, MEANS[kept], interruption=32)
    assert 0 < uneven.autocorrelation < 0.95
    assert uneven.departure(60).df >= 1


@pytest.mark.parametrize(
    ("weeks", "means", "code"),
    [
        (WEEKS[6:], MEANS[6:], "too_few_timepoints"),
        (WEEKS[:10], MEANS[:10], "too_few_timepoints"),
        (WEEKS, 50 + 0.1 * WEEKS, "constant_series"),
    ],
)
def test_a_series_that_has_no_trend_to_tell_is_refused(weeks, means, code):
    with pytest.raises(AnalysisError) as raised:
        fit_interrupted_series(weeks, means, interruption=32)
    assert raised.value.problems[0].code == code


def test_an_autocorrelation_that_the_data_do_not_tell_is_said_to_lie_at_the_end_of_the_search():
    assert not fit_interrupted_series(WEEKS, MEANS, interruption=32).is_at_end
    at_end = [
        fit_interrupted_series(WEEKS[:12], np.cumsum(np.random.default_rng(seed).normal(size=12)), interruption=24)
        for seed in range(12)
    ]
    assert any(found.is_at_end for found in at_end)
    for found in at_end:
        assert found.is_at_end == (abs(found.autocorrelation) > 0.9499)


@pytest.mark.parametrize(("size", "rho"), [(12, 0.3), (24, 0.3)])
def test_intervals_hold_the_truth_as_often_as_they_say(size, rho):
    rng = np.random.default_rng(size)
    weeks, held, runs = 4.0 * np.arange(size), 0, 120
    for _ in range(runs):
        errors = np.zeros(size)
        errors[0] = rng.normal()
        for place in range(1, size):
            errors[place] = rho * errors[place - 1] + rng.normal(0, np.sqrt(1 - rho**2))
        found = fit_interrupted_series(weeks, 50 + errors, interruption=weeks[size // 2])
        interval = found.departure(weeks[-1])
        held += interval.conf_low <= 0 <= interval.conf_high
    assert held / runs > 0.88  # 0.95 less three and a half Monte-Carlo standard errors


@pytest.fixture
def series(make_design):
    """A design of 16 samples four weeks apart, of which the programme begins at the ninth; scores and people."""
    rng = np.random.default_rng(7)
    timepoints = tuple(Timepoint(f"w{week:02}", f"Week {week}", float(week)) for week in range(0, 64, 4))
    design = replace(
        make_design("single_group"),
        kind="interrupted_time_series",
        timepoints=timepoints,
        arms=(Arm("town", "The town", starts="w32"),),
    )
    people, scores = [], []
    for place, timepoint in enumerate(timepoints):
        level = 50 + 0.05 * timepoint.week + rng.normal(0, 0.5) - (6 if timepoint.week >= 32 else 0)
        for _ in range(30):
            name = f"p{len(people):04}"
            people.append({"participant_id": name, "arm": "town", "group": "", "site": "", "age": 40.0, "gender": "w"})
            scores.append(
                {"participant_id": name, "timepoint": timepoint.id, "measure": "mood.total", "score": level + rng.normal(0, 8),
                 "n_items": 3, "n_answered": 3, "method": "complete"}
            )  # fmt: skip
        assert place < 16
    return design, pd.DataFrame(scores), pd.DataFrame(people)


ASKED = {"id": "later", "contrast": "observed - expected", "timepoint": "w60"}


def answer(plan, series, no_responses, no_delivered):
    design, scores, people = series
    table = evaluate_plan(
        plan, design, scores=scores, participants=people, responses=no_responses, delivered=no_delivered, library={}
    )
    return table, table[table["estimand"] == "later"].set_index("analysis").loc["model"]


def test_the_answer_is_the_departure_from_the_trend_of_the_means(make_plan, series, no_responses, no_delivered):
    table, found = answer(make_plan(ASKED), series, no_responses, no_delivered)
    design, scores, _ = series
    means = scores.groupby("timepoint")["score"].mean()
    weeks = np.array([timepoint.week for timepoint in design.timepoints])
    by_hand = fit_interrupted_series(weeks, means.to_numpy(), interruption=32).departure(60)
    expected = [by_hand.value, by_hand.std_error, by_hand.df]
    assert found[["value", "std_error", "df"]].to_list() == pytest.approx(expected, rel=SAME)
    assert found["n"] == 30
    assert found["conf_low"] < -6 < found["conf_high"]
    assert "Interrupted time series" in found["method"]
    lines = table[table["statistic"] == "marginal_mean"]
    assert len(lines) == 16
    certainty = table[table["analysis"] == "certainty"]
    assert certainty.loc[certainty["statistic"] == "level", "value"].item() <= 2
    assert certainty["method"].str.contains("whatever else happened").any()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timepoint": "w28"}, "not_begun"),
        ({"few": "w60"}, "too_few_at_timepoint"),
        ({"few": "before"}, "series_too_short"),
    ],
)
def test_what_a_series_cannot_tell_is_refused(make_plan, series, change, reason):
    design, scores, people = series
    weeks = {timepoint.id: timepoint.week for timepoint in design.timepoints}
    if change.get("few") == "before":
        scores = scores[scores["timepoint"].map(weeks).ge(24)]
    elif "few" in change:
        scores = scores[(scores["timepoint"] != "w60") | (scores.index % 30 < 5)]
    plan = make_plan(ASKED | {key: value for key, value in change.items() if key == "timepoint"})
    (refusal,) = find_refusals(plan, design, scores=scores, participants=people)
    assert refusal.reason == reason


@pytest.mark.parametrize(
    ("estimand", "words"),
    [
        ({"contrast": "w60 - w00"}, "Write 'observed - expected'"),
        ({"covariates": ["age"]}, "Take 'covariates' out"),
        ({"model": "least_squares"}, "Leave 'model' out"),
    ],
)
def test_a_plan_that_does_not_fit_a_series_is_told(make_plan, series, estimand, words):
    findings = find_misfits(make_plan(ASKED | estimand), series[0])
    assert [finding for finding in findings if words in finding.how_to_fix]


def test_a_plan_that_fits_has_no_findings_and_other_designs_have_no_series(make_plan, series, make_design):
    assert find_misfits(make_plan(ASKED), series[0]) == []
    assert find_misfits(make_plan({"model": "interrupted_series"}), make_design())

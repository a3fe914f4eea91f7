"""How many people changed by how much: counted by hand with pandas from the scores, and turned over by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis import evaluate_plan
from analysis.telling import read_told

from .said_again import find_unsayable

SAME_SUMS = 1e-9
"""The same sums in another order."""
SMALLEST = {"value": 4, "source": "Invented 2020"}
RETEST = {"retest_correlation": 0.8, "source": "Invented 2021"}


@pytest.fixture
def evaluate(make_design, make_plan, no_responses, no_delivered):
    def run(
        scores, people, kind="randomised", estimands=({},), timepoints=("baseline", "post"), measures=(), **outcome
    ):
        outcomes = [{"id": "mood", "measure": "mood.total", "role": "primary"} | outcome]
        outcomes += [{"id": name, "role": "secondary"} | keys for name, keys in measures]
        design = make_design(kind, timepoints, more_measures=[keys["measure"] for _, keys in measures])
        return evaluate_plan(
            make_plan(*estimands, outcomes=outcomes),
            design,
            scores=scores,
            delivered=no_delivered,
            participants=people,
            responses=no_responses,
            library={},
        )

    return run


@pytest.fixture
def trial(make_trial):
    shifts = {("peer", "post"): -8.0, ("usual", "post"): -1.0}
    return make_trial(np.random.default_rng(11), 60, shifts=shifts, missing=0.15)


def counted(results, **where):
    own = results[results["analysis"] == "change_counts"]
    return own[np.logical_and.reduce([own[name] == value for name, value in where.items()])] if where else own


def gains(scores, people, arm, timepoint="post"):
    """Points by which people of an arm are better (lower is), of those with both scores."""
    wide = scores.pivot_table(index="participant_id", columns="timepoint", values="score")
    own = wide.reindex(people.loc[people["arm"] == arm, "participant_id"])
    return (own["baseline"] - own[timepoint]).dropna()


def test_people_beyond_the_smallest_change_are_counted_of_those_with_both_scores(trial, evaluate):
    results = evaluate(*trial, smallest_meaningful_change=SMALLEST)
    for arm in ("peer", "usual"):
        gain = gains(*trial, arm)
        assert len(gain) < 60
        by_hand = {"improved": (gain >= 4).sum(), "unchanged": (gain.abs() < 4).sum(), "worsened": (gain <= -4).sum()}
        for statistic, count in by_hand.items():
            row = counted(results, arm=arm, timepoint="post", item="meaningful", statistic=statistic).iloc[0]
            assert (row["value"], row["n"]) == (pytest.approx(count / len(gain), abs=SAME_SUMS), len(gain))
            wilson = proportion_confint(count, len(gain), method="wilson")
            assert (row["conf_low"], row["conf_high"]) == pytest.approx(wilson, abs=SAME_SUMS)
            assert row["fewest"] == min(number for number in (count, len(gain) - count) if number)


def test_reliable_change_comes_of_the_retest_correlation_and_the_spread_at_baseline(trial, evaluate):
    results = evaluate(*trial, reliable_change=RETEST)
    scores = trial[0]
    sd = scores.loc[scores["timepoint"] == "baseline", "score"].std(ddof=1)
    by_hand = 1.96 * np.sqrt(2) * sd * np.sqrt(1 - 0.8)
    threshold = counted(results, statistic="threshold").iloc[0]
    assert threshold["value"] == pytest.approx(by_hand, rel=1e-4)  # 1.96 is rounded
    gain = gains(*trial, "peer")
    shares = counted(results, arm="peer", item="reliable").set_index("statistic")["value"]
    assert shares["worsened"] == pytest.approx((gain < -by_hand).mean(), abs=SAME_SUMS)
    assert shares["improved"] == pytest.approx((gain > by_hand).mean(), abs=SAME_SUMS)
    assert shares["improved"] > 0
    assert shares.sum() == pytest.approx(1)


def test_a_declared_spread_goes_before_that_of_the_sample(trial, evaluate):
    results = evaluate(*trial, reliable_change=RETEST | {"sd": 5})
    threshold = counted(results, statistic="threshold").iloc[0]
    assert threshold["value"] == pytest.approx(1.96 * np.sqrt(2) * 5 * np.sqrt(0.2), rel=1e-4)
    assert "declared" in threshold["method"].split("SD")[-1]


def test_no_reliable_change_is_counted_without_a_retest_correlation(trial, evaluate):
    results = evaluate(*trial, smallest_meaningful_change=SMALLEST)
    assert (counted(results)["item"] == "meaningful").all()
    assert counted(evaluate(*trial)).empty


def test_arms_are_compared_by_the_share_that_improved(trial, evaluate):
    results = evaluate(*trial, smallest_meaningful_change=SMALLEST, reliable_change=RETEST)
    first, second = (gains(*trial, arm) >= 4 for arm in ("peer", "usual"))
    difference = counted(results, statistic="difference_in_shares").iloc[0]
    low, high = confint_proportions_2indep(
        first.sum(), len(first), second.sum(), len(second), method="newcomb", compare="diff"
    )
    assert difference["value"] == pytest.approx(first.mean() - second.mean(), abs=SAME_SUMS)
    assert (difference["conf_low"], difference["conf_high"]) == pytest.approx((low, high), abs=SAME_SUMS)
    needed = counted(results, statistic="number_needed").iloc[0]
    assert needed["verdict"] == "estimated"
    ends = (1 / (first.mean() - second.mean()), 1 / high, 1 / low)
    assert (needed["value"], needed["conf_low"], needed["conf_high"]) == pytest.approx(ends)
    assert (needed["item"], needed["contrast"], needed["n"]) == (
        "meaningful",
        "peer - usual",
        min(len(first), len(second)),
    )


def test_there_is_no_number_needed_where_the_difference_could_be_none(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(12), 40)
    needed = counted(evaluate(scores, people, smallest_meaningful_change=SMALLEST), statistic="number_needed").iloc[0]
    assert needed["verdict"] == "refused:interval_includes_zero"
    assert np.isnan(needed["value"])
    assert "no single number" in needed["method"]
    assert not any(character.isdigit() for character in needed["method"])


def test_arms_whose_means_were_not_compared_are_not_compared_by_shares(make_trial, evaluate):
    scores, people = make_trial(np.random.default_rng(11), 8, shifts={("peer", "post"): -8.0})
    results = evaluate(scores, people, smallest_meaningful_change=SMALLEST)
    assert results.loc[results["analysis"] == "model", "verdict"].tolist() == ["refused:too_few_participants"]
    assert set(counted(results)["statistic"]) == {"improved", "unchanged", "worsened"}


@pytest.mark.parametrize("kind", ["matched_comparison", "single_group"])
def test_only_randomised_arms_have_a_number_needed(trial, evaluate, kind):
    scores, people = trial
    estimands = [{}]
    if kind == "single_group":
        people = people[people["arm"] == "peer"]
        scores = scores[scores["participant_id"].isin(people["participant_id"])]
        estimands = [{"contrast": "post - baseline"}]
    results = evaluate(scores, people, kind, estimands, smallest_meaningful_change=SMALLEST)
    assert set(counted(results)["statistic"]) == {"improved", "unchanged", "worsened"}


def test_nobody_is_followed_where_samples_are_drawn_anew(make_waves, evaluate):
    scores, people = make_waves(
        np.random.default_rng(13), {(arm, at): 30 for at in ("baseline", "post") for arm in ("peer", "usual")}
    )
    results = evaluate(scores, people, "repeated_cross_section", smallest_meaningful_change=SMALLEST)
    assert counted(results).empty


def test_only_timepoints_that_are_asked_about_are_counted(make_trial, evaluate):
    timepoints = ("baseline", "post", "late")
    trial = make_trial(np.random.default_rng(14), 30, timepoints=timepoints)
    results = evaluate(
        *trial, estimands=[{"timepoint": "late"}], timepoints=timepoints, smallest_meaningful_change=SMALLEST
    )
    assert set(counted(results)["timepoint"]) == {"late"}
    gain = gains(*trial, "peer", "late")
    row = counted(results, arm="peer", statistic="improved").iloc[0]
    assert row["value"] == pytest.approx((gain >= 4).mean(), abs=SAME_SUMS)


def test_higher_scores_may_be_better(trial, evaluate, make_design, monkeypatch):
    from dataclasses import replace

    from analysis.plan import Plan

    own = Plan.measure_of
    monkeypatch.setattr(Plan, "measure_of", lambda *given: replace(own(*given), higher_is="better"))
    results = evaluate(*trial, smallest_meaningful_change=SMALLEST)
    row = counted(results, arm="peer", statistic="worsened").iloc[0]
    assert row["value"] == pytest.approx((gains(*trial, "peer") >= 4).mean(), abs=SAME_SUMS)


def test_one_measure_has_one_threshold_of_each_kind(trial, evaluate):
    again = {"measure": "mood.total", "smallest_meaningful_change": {"value": 6, "source": "Another"}}
    estimands = [{}, {"id": "again_post", "outcome": "again"}]
    results = evaluate(*trial, estimands=estimands, measures=[("again", again)], smallest_meaningful_change=SMALLEST)
    assert set(counted(results)["outcome"]) == {"mood"}


def test_people_alike_at_baseline_have_no_reliable_change_and_a_sentence(trial, evaluate):
    scores, people = trial
    scores["score"] = scores["score"].where(scores["timepoint"] != "baseline", 50.0)
    results = evaluate(scores, people, reliable_change=RETEST)
    rows = counted(results)
    assert list(rows["verdict"]) == ["refused:no_spread"]
    assert "sd" in rows["method"].iloc[0]


def test_an_arm_in_which_nobody_has_both_scores_is_left_out(trial, evaluate):
    scores, people = trial
    usual = people.loc[people["arm"] == "usual", "participant_id"]
    scores = scores.assign(
        score=scores["score"].mask(scores["participant_id"].isin(usual) & (scores["timepoint"] == "post"))
    )
    rows = counted(evaluate(scores, people, smallest_meaningful_change=SMALLEST))
    assert set(rows["arm"]) == {"peer"}


def test_a_reliable_change_of_what_is_no_score_is_refused(make_design, make_plan):
    from analysis.plan_checks import find_misfits

    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
    plan = make_plan(outcomes=[outcome | {"reliable_change": RETEST}])
    assert any(finding.key == ("outcomes", 0, "reliable_change") for finding in find_misfits(plan, make_design()))
    assert not find_misfits(make_plan(outcomes=[outcome]), make_design())


def test_rows_have_one_key_each(trial, evaluate):
    rows = counted(evaluate(*trial, smallest_meaningful_change=SMALLEST, reliable_change=RETEST))
    key = ["estimand", "outcome", "arm", "timepoint", "contrast", "item", "statistic", "method"]
    assert not rows.duplicated(key).any()
    assert isinstance(rows, pd.DataFrame)


def test_how_people_were_counted_can_be_said_in_other_languages(trial, make_trial, evaluate):
    given = {"smallest_meaningful_change": SMALLEST, "reliable_change": RETEST}
    alike = make_trial(np.random.default_rng(5), 40)
    spread = evaluate(*trial, smallest_meaningful_change=SMALLEST, reliable_change=RETEST | {"sd": 9.0})
    worse = evaluate(*trial, estimands=({"contrast": "usual - peer"},), **given)
    rows = pd.concat(
        [counted(results) for results in (evaluate(*trial, **given), evaluate(*alike, **given), spread, worse)]
    )
    said = set(zip(rows["method"], rows["words"], strict=True))
    assert len(said) >= 7
    assert [find_unsayable(read_told(text, words), set()) for text, words in said] == [[]] * len(said)

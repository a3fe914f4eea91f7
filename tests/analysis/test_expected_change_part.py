"""What a single group would have changed by anyway, from the plan to the rows of the results."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import Arm, Measure, StudyDesign, Timepoint, evaluate_plan
from analysis.expected_change import make_expected_change
from analysis.expected_change_part import LESS, MORE, NOT_TOLD_APART, WITHIN, judge_change
from analysis.mixed_models.inference import make_estimate
from analysis.plan import Plan
from analysis.plan_checks import find_misfits
from analysis.telling import read_told
from data_contracts.errors import PeerimpactError

from .said_again import find_unsayable

SAME = 1e-6
"""Two ways to the same formula; the model stops when a step promises less than 1e-9 of deviance."""
PRINTED = 1e-7
"""Digits of the numbers made with R."""
MEAN, SD, RETEST, BORDER = 12.0, 5.0, 0.6, 15.0
REFERENCE = {"mean": MEAN, "sd": SD, "retest_correlation": RETEST, "n": 300, "n_retest": 100, "source": "invented"}
ENTRY = {"at_least": BORDER, "reference": REFERENCE}
SAID_AS_THEY_ARE = {
    "{id: screening, week: -4}",
    "{id: start, week: 0}",
    *(f"Week {week}" for week in (-4, -2, 0, 12, 26)),
}
NATURAL = {"mean": -2.0, "sd": 4.0, "n": 50, "source": "invented"}
BY_R = {(15.0, 0.0): -2.43005152, (15.0, 1.0): -2.28215554}
"""(border, step) -> change by R 4.2.2: ``z <- (15 - step / 2 - 12) / 5; -0.4 * 5 * dnorm(z) / pnorm(z, lower.tail = FALSE)``."""


def cohort(seed: int, n: int = 200, times: int = 2, border: float = BORDER) -> np.ndarray:
    """Scores of people to whom nothing happens, and who entered by the first, (people, times)."""
    rng = np.random.default_rng(seed)
    level = rng.normal(MEAN, SD * np.sqrt(RETEST), n)
    scores = level[:, None] + rng.normal(0, SD * np.sqrt(1 - RETEST), (n, times))
    return scores[scores[:, 0] >= border]


@pytest.fixture
def evaluate(no_responses, no_delivered):
    """A function that evaluates scores (people, timepoints) of a single group; weeks say which are before it."""

    def run(
        scores: np.ndarray,
        *,
        weeks: tuple[int, ...] = (0, 12),
        kind: str = "score",
        sensitivity: tuple[str, ...] = (),
        asked: tuple[int, ...] = (-1,),
        **declared: object,
    ) -> pd.DataFrame:
        people = [f"p{place:03}" for place in range(len(scores))]
        at = [f"week_{week}" for week in weeks]
        table = pd.DataFrame(
            {
                "participant_id": np.repeat(people, len(weeks)),
                "timepoint": at * len(people),
                "measure": "mood.total",
                "score": scores.ravel(),
                "n_items": 3,
                "n_answered": 3,
                "method": "complete",
            }
        )
        outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": kind, **declared}
        if kind == "binary":
            outcome["event"] = {"at_least": 15.0}
        plan = Plan.model_validate(
            {
                "sap": 1,
                "outcomes": [outcome],
                "estimands": [
                    {"id": f"mood_{at[k]}", "outcome": "mood", "contrast": f"{at[k]} - {at[0]}", "timepoint": at[k]}
                    for k in asked
                ],
                "sensitivity": list(sensitivity),
            }
        )
        results = evaluate_plan(
            plan,
            design_of(weeks),
            scores=table,
            delivered=no_delivered,
            participants=pd.DataFrame({"participant_id": people, "arm": "peer", "group": ""}),
            responses=no_responses,
            library={},
        )
        own = results[results["analysis"].isin(["expected_change", "certainty"]) & (results["statistic"] != "level")]
        told = [read_told(*each) for each in set(zip(own["method"], own["words"], strict=True))]
        assert [find_unsayable(sentence, SAID_AS_THEY_ARE) for sentence in told] == [[]] * len(told)
        return results

    return run


def design_of(weeks: tuple[int, ...] = (0, 12), kind: str = "single_group") -> StudyDesign:
    arms = (Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True))
    return StudyDesign(
        kind=kind,
        timepoints=tuple(Timepoint(f"week_{week}", f"Week {week}", week) for week in weeks),
        arms=arms[:1] if kind == "single_group" else arms,
        measures={"mood.total": Measure("mood.total", "Mood", "low mood", 0, 30, "worse")},
    )


def rows_of(results: pd.DataFrame, **where: str) -> pd.DataFrame:
    rows = results[results["analysis"] == "expected_change"]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows


def one_of(results: pd.DataFrame, **where: str) -> dict[str, object]:
    (row,) = rows_of(results, **where).to_dict("records")
    return row


@pytest.mark.parametrize("step", [0.0, 1.0])
def test_regression_to_the_mean_is_that_of_the_declared_rule(evaluate, step):
    results = evaluate(cohort(1), entry=ENTRY | {"step": step})
    row = one_of(results, statistic="regression_to_mean", item="entry_rule")
    assert row["value"] == pytest.approx(BY_R[BORDER, step], abs=PRINTED)
    assert (row["verdict"], row["estimand"]) == ("declared", "mood_week_12")
    assert row["conf_low"] < row["value"] < row["conf_high"] < 0


def test_low_scores_that_enter_rise(evaluate):
    mirrored = {"at_most": 2 * MEAN - BORDER, "reference": REFERENCE}
    row = one_of(evaluate(2 * MEAN - cohort(1), entry=mirrored), statistic="regression_to_mean", item="entry_rule")
    assert row["value"] == pytest.approx(-BY_R[BORDER, 0.0], abs=PRINTED)


def test_beside_the_rule_stands_what_the_mean_at_baseline_tells(evaluate):
    scores = cohort(2)
    row = one_of(evaluate(scores, entry=ENTRY), statistic="regression_to_mean", item="baseline_mean")
    half_a_tenth = 0.05 * (1 - RETEST)  # the mean is taken with one decimal, as it may be printed
    assert row["value"] == pytest.approx(-(1 - RETEST) * (scores[:, 0].mean() - MEAN), abs=half_a_tenth + SAME)
    assert (row["verdict"], row["n"]) == ("estimated", len(scores))


def test_without_a_border_the_mean_at_baseline_alone_is_told(evaluate):
    results = evaluate(cohort(2), entry={"reference": REFERENCE})
    assert list(rows_of(results, statistic="regression_to_mean")["item"]) == ["baseline_mean"]
    assert rows_of(results)["verdict"].str.startswith("refused").sum() == 0


def test_what_is_left_over_is_a_welch_test_against_the_natural_change(evaluate):
    scores = cohort(3)
    row = one_of(evaluate(scores, natural_change=NATURAL), statistic="left_over", item="natural_change")
    change = scores[:, 1] - scores[:, 0]
    welch = stats.ttest_ind_from_stats(change.mean(), change.std(ddof=1), len(change), -2.0, 4.0, 50, equal_var=False)
    assert row["value"] == pytest.approx(change.mean() + 2.0, abs=SAME)
    assert row["value"] / row["std_error"] == pytest.approx(welch.statistic, abs=SAME)
    assert 2 * stats.t.sf(abs(row["value"] / row["std_error"]), row["df"]) == pytest.approx(welch.pvalue, abs=SAME)
    assert row["n"] == len(scores)


def test_a_cohort_without_a_programme_changes_as_expected_and_the_truth_lies_in_the_interval(evaluate):
    results = evaluate(cohort(4, 400), entry=ENTRY)
    expected = one_of(results, statistic="regression_to_mean", item="entry_rule")
    (seen,) = results[(results["analysis"] == "model") & (results["statistic"] == "change")].to_dict("records")
    assert seen["conf_high"] < 0  # before and after alone would have called it a success
    z = (BORDER - MEAN) / SD
    truth = -(1 - RETEST) * SD * stats.norm.pdf(z) / stats.norm.sf(z)
    assert expected["conf_low"] < truth < expected["conf_high"]
    left_over = one_of(results, statistic="left_over", item="entry_rule")
    assert left_over["conf_low"] < 0 < left_over["conf_high"]
    assert one_of(results, statistic="judgement", item="entry_rule")["method"] == WITHIN


@pytest.mark.parametrize(
    ("seen", "std_error", "said"),
    [(-3.5, 0.1, WITHIN), (-5.5, 2.0, NOT_TOLD_APART), (-9.0, 0.5, MORE), (1.0, 0.5, LESS), (-1.0, 0.1, LESS)],
)
def test_words_follow_from_where_the_change_lies(seen, std_error, said):
    expected = make_expected_change(-3.0, 0.5, np.inf, "", "")  # -4 to -2
    left_over = make_estimate(seen + 3.0, np.hypot(std_error, 0.5), 100.0)
    assert judge_change(seen, expected, left_over) == said


def test_a_plan_without_an_entry_rule_is_told_what_to_ask_for(evaluate):
    row = one_of(evaluate(cohort(5)), statistic="regression_to_mean")
    assert row["verdict"] == "refused:no_entry_rule"
    for needed in ("Ask who decided on entry", "retest correlation", "'entry' of the outcome"):
        assert needed in row["method"]
    results = evaluate(cohort(5), natural_change=NATURAL)
    assert set(rows_of(results)["verdict"]) == {"refused:no_entry_rule", "declared", "estimated"}


def test_a_rule_that_people_do_not_follow_is_not_used(evaluate):
    everybody = cohort(6, border=-np.inf)
    results = evaluate(everybody, entry=ENTRY)
    assert one_of(results, verdict="refused:rule_not_followed")["statistic"] == "regression_to_mean"
    assert set(rows_of(results, statistic="left_over")["item"]) == {"baseline_mean"}
    nearly = np.vstack([cohort(6), [[BORDER - 1, BORDER - 1]]])
    assert rows_of(evaluate(nearly, entry=ENTRY), verdict="refused:rule_not_followed").empty


def test_a_second_baseline_is_compared_by_paired_tests_of_the_complete(evaluate):
    scores = cohort(7, 300, times=3)
    scores[:14, 1] = np.nan
    scores[20:40, 2] = np.nan
    results = evaluate(scores, weeks=(-4, 0, 12), sensitivity=("second_baseline",))
    kept = scores[~np.isnan(scores).any(axis=1)]
    for statistic, later, before in (
        ("change_from_first", 2, 0),
        ("change_from_second", 2, 1),
        ("change_between_baselines", 1, 0),
    ):
        row = one_of(results, statistic=statistic)
        test = stats.ttest_rel(kept[:, later], kept[:, before])
        interval = test.confidence_interval()
        assert (row["conf_low"], row["conf_high"]) == pytest.approx((interval.low, interval.high))
        assert (row["n"], row["fewest"]) == (len(kept), 14)
    assert one_of(results, statistic="change_from_second")["contrast"] == "week_12 - week_0"
    assert one_of(results, statistic="change_from_first")["conf_high"] < 0
    assert one_of(results, statistic="change_from_second")["conf_low"] < 0 < row["conf_high"] + 10


def test_a_second_baseline_needs_two_timepoints_before_the_programme_and_people_at_both(evaluate):
    plan = {"sensitivity": ("second_baseline",)}
    row = one_of(evaluate(cohort(8), entry=ENTRY, **plan), verdict="refused:one_baseline")
    assert "{id: screening, week: -4}" in row["method"]
    scores = cohort(8, times=3)
    scores[5:, 1] = np.nan
    found = evaluate(scores, weeks=(-4, 0, 12), entry=ENTRY, asked=(2,), **plan)
    row = one_of(found, verdict="refused:too_few_participants")
    assert "Fewer than 10 people" in row["method"]
    assert "5" not in row["method"].replace("small_numbers", "")


def test_certainty_is_very_low_and_says_when_the_change_is_no_more_than_expected(evaluate):
    def certainty(results):
        rows = results[results["analysis"] == "certainty"]
        return rows.loc[rows["statistic"] == "level", "value"].tolist(), " ".join(rows["method"])

    level, reasons = certainty(evaluate(cohort(4, 400), entry=ENTRY))
    assert level == [1.0]
    assert "At Week 12 the change is about what one would expect without any programme." in reasons
    helped = cohort(4, 400) - [[0.0, 6.0]]
    level, reasons = certainty(evaluate(helped, entry=ENTRY))
    assert level == [1.0]
    assert "expect" not in reasons


def test_nothing_is_told_of_other_kinds_of_outcomes(evaluate):
    assert rows_of(evaluate(cohort(9, 400, border=12.0), kind="binary")).empty


def test_nothing_is_told_of_a_comparison_which_shows_it_itself(make_trial, no_responses, no_delivered):
    scores, people = make_trial(np.random.default_rng(4))
    plan = Plan.model_validate(
        {
            "sap": 1,
            "outcomes": [{"id": "mood", "measure": "mood.total", "role": "primary", "entry": ENTRY}],
            "estimands": [{"id": "e", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post"}],
        }
    )
    design = StudyDesign(
        kind="randomised",
        timepoints=(Timepoint("baseline", "Baseline", 0), Timepoint("post", "Post", 12)),
        arms=design_of(kind="randomised").arms,
        measures=design_of().measures,
    )
    results = evaluate_plan(
        plan, design, scores=scores, delivered=no_delivered, participants=people, responses=no_responses, library={}
    )
    assert rows_of(results).empty
    assert (results["verdict"] == "estimated").any()


def misfits(kind: str = "single_group", *, outcome: dict[str, object], **plan: object) -> list[str]:
    contrast = "week_12 - week_0" if kind == "single_group" else "peer - usual"
    document = {
        "sap": 1,
        "outcomes": [{"id": "mood", "measure": "mood.total", "role": "primary", **outcome}],
        "estimands": [{"id": "e", "outcome": "mood", "contrast": contrast, "timepoint": "week_12"}],
        **plan,
    }
    return [finding.message for finding in find_misfits(Plan.model_validate(document), design_of(kind=kind))]


def test_what_cannot_be_held_against_a_change_is_refused_before_the_run():
    assert misfits(outcome={"entry": ENTRY}) == []
    (message,) = misfits(outcome={"entry": ENTRY | {"at_least": 31}})
    assert "outside of the range" in message
    binary = {"kind": "binary", "event": {"at_least": 10.0}, "natural_change": NATURAL}
    (message,) = misfits(outcome=binary)
    assert "'natural_change' is about scores" in message
    (message,) = misfits("randomised", outcome={}, sensitivity=["second_baseline"])
    assert "for a single group" in message
    with pytest.raises((PeerimpactError, ValueError), match="one border"):
        misfits(outcome={"entry": ENTRY | {"at_most": 20}})

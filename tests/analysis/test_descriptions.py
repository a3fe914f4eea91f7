"""Descriptions, change within arms, reliability, agreement of totals, and the flow of participants."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import results_table
from analysis.agreement import compare_scores
from analysis.descriptives import describe_changes, describe_outcome
from analysis.flow import count_participants
from analysis.frames import outcome_frame
from analysis.measurement import assess_measures
from analysis.plan import Outcome
from instruments import score_responses

FORMULA_TOLERANCE = 1e-12  # the same formula on a dozen numbers: rounding only
ROUNDED_BY_PINGOUIN = 0.0006  # its interval of alpha has three decimals
MOOD = Outcome(id="mood", measure="mood.total", role="primary")


def _frame(design, baseline, post):
    """One arm with these scores, None for none."""
    people = pd.DataFrame(
        {"participant_id": [f"p{n}" for n in range(len(baseline))], "arm": "peer", "group": "", "site": ""}
    )
    scores = pd.concat(
        [
            pd.DataFrame(
                {
                    "participant_id": people["participant_id"],
                    "timepoint": timepoint,
                    "measure": "mood.total",
                    "score": pd.Series(points, dtype="float64"),
                }
            )
            for timepoint, points in (("baseline", baseline), ("post", post))
        ]
    )
    return outcome_frame(scores, people, design, MOOD)


def _rows(results, **where):
    table = results_table(results)
    for column, value in where.items():
        table = table.loc[table[column] == value]
    return table


def test_a_mean_has_its_t_interval_and_counts_only_scores(make_design):
    frame = _frame(make_design(), [1, 2, 3, 6, None], [4, None, None, None, None])
    results = list(describe_outcome(frame, "mood", make_design()))
    (mean,) = _rows(results, arm="peer", timepoint="baseline", statistic="mean").to_dict("records")
    reach = stats.t.ppf(0.975, 3) * np.sqrt(14 / 3) / 2  # deviations -2, -1, 0, 3: sum of squares 14, n = 4
    assert (mean["value"], mean["n"], mean["df"]) == (3.0, 4.0, 3.0)
    assert (mean["conf_low"], mean["conf_high"]) == pytest.approx((3 - reach, 3 + reach), rel=FORMULA_TOLERANCE)
    (sd,) = _rows(results, arm="peer", timepoint="baseline", statistic="sd")["value"]
    assert sd == pytest.approx(np.sqrt(14 / 3), rel=FORMULA_TOLERANCE)


def test_one_score_has_a_mean_without_spread_and_none_has_a_count_of_zero(make_design):
    results = list(describe_outcome(_frame(make_design(), [1, 2], [4, None]), "mood", make_design()))
    (one,) = _rows(results, arm="peer", timepoint="post", statistic="mean").to_dict("records")
    assert one["value"] == 4.0
    assert np.isnan([one["std_error"], one["conf_low"]]).all()
    nobody = _rows(results, arm="usual", timepoint="post")
    assert list(nobody["statistic"]) == ["observed"]
    assert list(nobody["value"]) == [0.0]


def test_change_within_an_arm_is_the_paired_t_test_of_those_seen_twice(make_design):
    before, later = np.array([10.0, 12, 9, 15, 11, 14]), np.array([8.0, 11, 10, 11, 7, 13])
    frame = _frame(make_design(), [*before, 40], [*later, None])
    results = list(describe_changes(frame, "mood", make_design()))
    (change,) = _rows(results, statistic="mean_change").to_dict("records")
    test = stats.ttest_rel(later, before)
    interval = test.confidence_interval()
    assert (change["contrast"], change["n"], change["df"]) == ("post - baseline", 6.0, 5.0)
    assert change["value"] == pytest.approx((later - before).mean(), rel=FORMULA_TOLERANCE)
    assert change["p_value"] == pytest.approx(test.pvalue, rel=FORMULA_TOLERANCE)
    assert (change["conf_low"], change["conf_high"]) == pytest.approx((interval.low, interval.high), rel=1e-9)
    (standardised,) = _rows(results, statistic="standardised_change").to_dict("records")
    dz = (later - before).mean() / (later - before).std(ddof=1)
    assert standardised["value"] == pytest.approx(dz, rel=FORMULA_TOLERANCE)
    assert standardised["conf_low"] < dz < standardised["conf_high"]


def test_a_change_that_is_the_same_for_all_has_no_inference(make_design):
    changes = _rows(describe_changes(_frame(make_design(), [1, 2, 3], [3, 4, 5]), "mood", make_design()))
    row, standardised = changes.to_dict("records")
    assert row["value"] == 2.0
    assert np.isnan(standardised["value"])
    assert np.isnan([row["conf_low"], row["p_value"]]).all()


def _responses(answers: np.ndarray, timepoint: str = "baseline") -> pd.DataFrame:
    people, items = answers.shape
    return pd.DataFrame(
        {
            "participant_id": np.repeat([f"p{n}" for n in range(people)], items),
            "timepoint": timepoint,
            "instrument": "mood",
            "item": np.tile([str(n + 1) for n in range(items)], people),
            "value": answers.ravel(),
        }
    )


def _assessed(answers, library, design):
    responses = _responses(answers)
    return list(assess_measures(responses, score_responses(responses, library), library, design, fewest=10))


def test_items_and_ends_are_told_of_whom_they_are_about(make_library, make_design):
    rng = np.random.default_rng(5)
    answers = rng.integers(0, 4, (40, 3)).astype(float)
    answers[:6] = [0, 3, 0]  # the lowest answers, item 2 reversed
    rows = _rows(_assessed(answers, make_library(), make_design()), timepoint="baseline", outcome="mood.total")
    items = rows[rows["analysis"] == "items"].set_index(["item", "statistic"])
    assert items.loc[("1", "mean"), "value"] == pytest.approx(answers[:, 0].mean())
    assert items.loc[("2", "mean"), "value"] == pytest.approx(3 - answers[:, 1].mean())
    assert items.loc[("2", "floor_share"), "value"] == pytest.approx((answers[:, 1] == 3).mean())
    of_measure = rows[rows["analysis"] == "reliability"].set_index("statistic")
    total = answers[:, 0] + 3 - answers[:, 1] + answers[:, 2]
    assert of_measure.loc["score_floor_share", "value"] == pytest.approx((total == 0).mean())
    assert {"omega_total", "reliable_change", "invariance_level"} <= set(of_measure.index) | {"invariance_level"}


def test_alpha_is_that_of_its_formula_with_reversed_items_turned(make_library, make_design):
    trait = np.random.default_rng(2).normal(size=(60, 1))
    latent = np.clip(np.round(1.5 + trait + np.random.default_rng(3).normal(0, 0.8, (60, 3))), 0, 3)
    answers = latent * [1, -1, 1] + [0, 3, 0]  # item 2 is answered the other way round
    answers[0, 2] = np.nan
    found = _rows(
        _assessed(answers, make_library(), make_design()), timepoint="baseline", statistic="cronbach_alpha"
    ).to_dict("records")[0]
    complete = latent[1:]
    alpha = 1.5 * (1 - complete.var(axis=0, ddof=1).sum() / complete.sum(axis=1).var(ddof=1))
    assert found["n"] == 59
    assert found["value"] == pytest.approx(alpha, rel=1e-9)
    import pingouin

    low, high = pingouin.cronbach_alpha(pd.DataFrame(complete))[1]
    assert (found["conf_low"], found["conf_high"]) == pytest.approx((low, high), abs=ROUNDED_BY_PINGOUIN)


@pytest.mark.parametrize(
    ("measure", "people", "constant", "verdict"),
    [
        ("mood.joy", 20, False, "refused:single_item"),
        ("mood.total", 9, False, "refused:too_few_complete_rows"),
        ("mood.total", 20, True, "refused:constant_items"),
    ],
)
def test_alpha_is_refused_quietly(measure, people, constant, verdict, make_library, make_design):
    answers = np.random.default_rng(2).integers(0, 4, (people, 3)).astype(float)
    answers[:, 0] = 2.0 if constant else answers[:, 0]
    design = make_design(more_measures=("mood.joy",))
    row = _rows(
        _assessed(answers, make_library(), design),
        outcome=measure,
        timepoint="baseline",
        statistic="cronbach_alpha",
    ).to_dict("records")[0]
    assert row["verdict"] == verdict
    assert np.isnan(row["value"])


def test_delivered_totals_are_compared_where_both_have_a_number(make_design):
    key = {"timepoint": "baseline", "measure": "mood.total"}
    scores = pd.DataFrame(
        {"participant_id": list("abcd"), **key, "score": [1.0, 2.0, np.nan, 4.0], "method": "complete"}
    )
    delivered = pd.DataFrame({"participant_id": list("dcba"), **key, "score": [4.0000001, 3.0, 2.5, 1.0]})
    table = _rows(compare_scores(scores, delivered, make_design())).set_index("statistic")
    assert table["value"].to_dict() == {"compared": 3.0, "equal": 2.0, "different": 1.0}
    assert table["n"].to_dict() == {"compared": 3.0, "equal": 2.0, "different": 1.0}


def test_a_measure_without_delivered_totals_is_not_mentioned(make_design, no_delivered):
    scores = pd.DataFrame({"participant_id": ["a"], "timepoint": "baseline", "measure": "mood.total", "score": 1.0,
                           "method": "complete"})  # fmt: skip
    assert list(compare_scores(scores, no_delivered, make_design())) == []


def test_the_flow_counts_whoever_gave_an_answer_or_has_a_score(make_design):
    people = pd.DataFrame({"participant_id": list("abc"), "arm": ["peer", "peer", "usual"], "group": "", "site": ""})
    scores = pd.DataFrame(
        {"participant_id": ["a", "b"], "timepoint": "baseline", "measure": "mood.total", "score": [3.0, np.nan]}
    )
    responses = pd.DataFrame(
        {
            "participant_id": ["a", "b", "c", "c"],
            "timepoint": ["baseline", "baseline", "post", "baseline"],
            "value": [1, 2, 3, np.nan],
        }
    )
    table = _rows(count_participants(scores, people, responses, make_design()))
    assert table.loc[table["verdict"] == "declared", "value"].to_list() == [412.0, 350.0]
    assert table.loc[table["statistic"] == "allocated", "value"].to_list() == [2.0, 1.0]
    answered = table.loc[table["statistic"] == "answered"].set_index(["arm", "timepoint"])["value"].to_dict()
    assert answered == {
        ("peer", "baseline"): 2.0,
        ("peer", "post"): 0.0,
        ("usual", "baseline"): 0.0,
        ("usual", "post"): 1.0,
    }

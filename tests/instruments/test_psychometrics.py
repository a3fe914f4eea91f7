"""Reliability, items and measurement error of a sample: against psych, against formulas, and as one table."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from instruments import InstrumentError
from instruments.psychometrics.item_statistics import (
    estimate_mean_correlation,
    relate_items,
    summarise_ends,
    summarise_items,
)
from instruments.psychometrics.reliability import (
    derive_measurement_error,
    estimate_alpha,
    estimate_omega,
    estimate_retest_agreement,
)
from instruments.psychometrics.sample import SAMPLE_DTYPES, MeasureSample, assess_sample

HERE = Path(__file__).parent / "reference"
SAME = 1e-10  # closed formulas on both sides; the reference has twelve digits after the point
OMEGA_TOLERANCE = 1e-5  # both sides search for the loadings, and stop a little before the optimum
EXACT = 1e-12
BFI = ["agree", "conscientious", "extraversion", "neuroticism", "openness"]


def _columns(rows, name):
    return [row[name] for row in rows]


CASES = [(name, use) for name in ("steady", "shifted", "three") for use in ("complete", "available")]


@pytest.mark.parametrize(("name", "use"), CASES)
def test_alpha_and_its_interval_are_those_of_psych(data_sets, reference, name, use):
    found, expected = estimate_alpha(data_sets[name][0], use=use), reference[name]["reliability"][use]
    assert found.n == expected["n"]
    assert found.value == pytest.approx(expected["alpha"], abs=SAME)
    assert (found.conf_low, found.conf_high) == pytest.approx((expected["low"], expected["high"]), abs=SAME)


@pytest.mark.parametrize(("name", "use"), CASES)
def test_relations_of_items_are_those_of_psych(data_sets, reference, name, use):
    found, expected = relate_items(data_sets[name][0], use=use), reference[name]["reliability"][use]
    assert found["item"].tolist() == ["1", "2", "3", "4", "5"]
    assert found["item_rest_correlation"].to_list() == pytest.approx(expected["item_rest"], abs=SAME)
    assert found["alpha_if_dropped"].to_list() == pytest.approx(expected["dropped"], abs=SAME)
    mean = estimate_mean_correlation(data_sets[name][0], use=use)
    assert mean.value == pytest.approx(expected["mean_correlation"], abs=SAME)


@pytest.mark.parametrize("name", ["steady", "shifted", "three"])
def test_means_of_items_are_those_of_psych_over_who_answered(data_sets, reference, name):
    found = summarise_items(data_sets[name][0], dict.fromkeys("12345", (0, 4)))
    expected = reference[name]["reliability"]["available"]
    assert found["n"].to_list() == expected["item_n"]
    assert found["mean"].to_list() == pytest.approx(expected["item_mean"], abs=SAME)
    assert found["sd"].to_list() == pytest.approx(expected["item_sd"], abs=SAME)


@pytest.mark.parametrize(("name", "use"), CASES)
def test_omega_is_that_of_lavaan_and_by_smallest_residuals_that_of_psych(data_sets, reference, name, use):
    expected = reference[name]["reliability"][use]
    by_likelihood = estimate_omega(data_sets[name][0], use=use)
    by_residuals = estimate_omega(data_sets[name][0], use=use, method="minres")
    assert by_likelihood.value == pytest.approx(expected["omega"], abs=OMEGA_TOLERANCE)
    assert by_residuals.value == pytest.approx(expected["minres"], abs=OMEGA_TOLERANCE)
    assert by_likelihood.n == by_residuals.n == expected["n"]


@pytest.mark.parametrize("name", ["steady", "shifted", "three"])
def test_agreement_over_time_is_that_of_psych(data_sets, reference, name):
    first, second = (table.mean(axis=1, skipna=False) for table in data_sets[name][:2])
    found, expected = estimate_retest_agreement(first, second), reference[name]["agreement"]
    assert found.n == expected["n"]
    assert (found.value, found.conf_low, found.conf_high) == pytest.approx(
        (expected["icc"], expected["low"], expected["high"]), abs=SAME
    )


@pytest.fixture(scope="module")
def psych(shared):
    return json.loads((shared / "reference" / "psych_bfi_sai.json").read_text())


@pytest.fixture(scope="module")
def personality(shared, psych):
    """Scored answers of the five measures of the Big Five Inventory; answers go from 1 to 6."""
    answers = pd.read_csv(shared / "reference" / "data" / "bfi.csv")
    return {
        measure: pd.DataFrame(
            {key.lstrip("-"): 7 - answers[key[1:]] if key[0] == "-" else answers[key] for key in psych["keys"][measure]}
        )
        for measure in BFI
    }


@pytest.fixture(scope="module")
def anxiety(shared, psych):
    """Scored answers of the State Anxiety Inventory by time; answers go from 1 to 4, the first of repeated rows."""
    rows = pd.read_csv(shared / "reference" / "data" / "sai.csv")
    at_ease = ["calm", "secure", "at.ease", "rested", "comfortable", "confident", "relaxed", "content", "joyful",
               "pleasant"]  # fmt: skip
    items = psych["alpha_sai_time1"]["items"]
    scored = rows.assign(**{item: 5 - rows[item] for item in at_ease}).set_index(["study", "id"])
    return {time: scored.loc[scored["time"] == time, items] for time in (1, 2, 3)}


@pytest.mark.real_data
@pytest.mark.parametrize("measure", BFI)
def test_statistics_of_the_big_five_are_those_of_psych(personality, psych, measure):
    for use, key in (("available", "alpha"), ("complete", "alpha_listwise")):
        expected = psych[f"{key}_{measure}"]
        alpha, relations = (compute(personality[measure], use=use) for compute in (estimate_alpha, relate_items))
        assert (alpha.n, alpha.value) == (expected["n"], pytest.approx(expected["total"]["raw_alpha"], abs=SAME))
        assert alpha.conf_low == pytest.approx(expected["feldt"]["lower.ci"], abs=SAME)
        assert alpha.conf_high == pytest.approx(expected["feldt"]["upper.ci"], abs=SAME)
        statistics, dropped = expected["item_stats"], expected["alpha_drop"]
        assert relations["item_rest_correlation"].to_list() == pytest.approx(_columns(statistics, "r.drop"), abs=SAME)
        assert relations["alpha_if_dropped"].to_list() == pytest.approx(_columns(dropped, "raw_alpha"), abs=SAME)
        mean = estimate_mean_correlation(personality[measure], use=use)
        assert mean.value == pytest.approx(expected["total"]["average_r"], abs=SAME)
    items = summarise_items(personality[measure], dict.fromkeys(personality[measure], (1, 6)))
    for ours in ("n", "mean", "sd"):
        expected = _columns(psych[f"alpha_{measure}"]["item_stats"], ours)
        assert items[ours].to_list() == pytest.approx(expected, abs=SAME)


@pytest.mark.real_data
@pytest.mark.parametrize("measure", BFI)
def test_omega_of_the_big_five_is_that_of_lavaan_and_psych(personality, psych, measure):
    by_likelihood = estimate_omega(personality[measure])
    assert by_likelihood.value == pytest.approx(psych[f"omega_cfa_{measure}"]["omega"], abs=OMEGA_TOLERANCE)
    by_residuals = estimate_omega(personality[measure], use="available", method="minres")
    assert by_residuals.value == pytest.approx(psych[f"omega1_{measure}"]["omega_tot"], abs=OMEGA_TOLERANCE)


@pytest.mark.real_data
@pytest.mark.parametrize("time", [1, 2, 3])
def test_state_anxiety_has_the_alpha_of_psych(anxiety, psych, time):
    expected = psych[f"alpha_sai_time{time}"]
    alpha = estimate_alpha(anxiety[time], use="available")
    assert alpha.value == pytest.approx(expected["total"]["raw_alpha"], abs=SAME)
    relations = relate_items(anxiety[time], use="available")["item_rest_correlation"]
    assert relations.to_list() == pytest.approx(_columns(expected["item_stats"], "r.drop"), abs=SAME)


@pytest.mark.real_data
def test_state_anxiety_agrees_over_time_as_psych_says(anxiety, psych):
    once = [anxiety[time].loc[~anxiety[time].index.duplicated()] for time in (1, 2)]
    scores = [table.mean(axis=1).where(table.notna().sum(axis=1) >= 16) for table in once]  # at most a fifth missing
    found = estimate_retest_agreement(*scores)
    expected = next(row for row in psych["sai_icc"] if row["type"] == "ICC2")
    assert found.n == psych["sai_prepost"]["n"]
    assert found.value == pytest.approx(expected["ICC"], abs=SAME)
    limits = (expected["lower bound"], expected["upper bound"])
    assert (found.conf_low, found.conf_high) == pytest.approx(limits, abs=SAME)


def test_omega_equals_alpha_where_all_items_are_alike():
    raw = np.random.default_rng(1).normal(size=(200, 4))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw)).T
    alike = pd.DataFrame(white @ np.linalg.cholesky(0.4 + 0.6 * np.eye(4)).T).rename(columns=str)
    expected = pytest.approx(4 * 0.4 / (1 + 3 * 0.4), abs=1e-6)  # Spearman and Brown
    assert estimate_alpha(alike).value == expected
    assert estimate_omega(alike).value == expected
    assert estimate_omega(alike, method="minres").value == expected


def test_an_item_that_was_not_reversed_stands_out(data_sets):
    answers = data_sets["steady"][0].assign(**{"3": 4 - data_sets["steady"][0]["3"]})
    found = relate_items(answers).set_index("item")
    assert found.index[found["item_rest_correlation"] < 0].to_list() == ["3"]
    assert found["alpha_if_dropped"].idxmax() == "3"


def test_two_items_have_no_alpha_without_one_of_them(data_sets):
    found = relate_items(data_sets["steady"][0][["1", "2"]])
    assert found["alpha_if_dropped"].isna().all()
    correlation = data_sets["steady"][0][["1", "2"]].corr().iloc[0, 1]
    assert found["item_rest_correlation"].to_list() == pytest.approx([correlation] * 2, abs=EXACT)


def test_other_items_that_cancel_out_leave_no_relation():
    rows = pd.DataFrame({"a": [0.0, 1, 2, 1], "b": [0.0, 1, 0, 3], "c": [3.0, 2, 3, 0]})  # b + c is 3 for all
    found = relate_items(rows).set_index("item")
    assert np.isnan([found.loc["a", "item_rest_correlation"], found.loc["a", "alpha_if_dropped"]]).all()
    assert found.loc[["b", "c"], "item_rest_correlation"].notna().all()


def test_the_ends_of_the_range_are_counted_among_who_answered():
    found = summarise_ends(pd.Series([0, 0, 3, 1, np.nan, 3, 3]), 0, 3)
    assert (found.n, found.floor, found.ceiling) == (6, 2, 3)
    assert (found.floor_share, found.ceiling_share) == (2 / 6, 3 / 6)
    assert math.isnan(summarise_ends(pd.Series([np.nan]), 0, 3).floor_share)


def test_measurement_error_follows_jacobson_and_truax():
    found = derive_measurement_error(10.0, 0.84)
    assert found.standard_error == pytest.approx(4.0, abs=EXACT)
    assert found.reliable_change == pytest.approx(1.96 * math.sqrt(2) * 4, abs=EXACT)
    assert derive_measurement_error(10.0, 1.0).reliable_change == 0


@pytest.mark.parametrize("reliability", [-0.1, 1.1, math.nan])
def test_measurement_error_needs_a_possible_reliability(reliability):
    with pytest.raises(InstrumentError, match="reliability from 0 to 1"):
        derive_measurement_error(10.0, reliability)


def test_a_shift_of_all_lowers_agreement_over_time(data_sets):
    first, second = (table.mean(axis=1) for table in data_sets["steady"])
    assert estimate_retest_agreement(first, second + 2).value < estimate_retest_agreement(first, second).value - 0.2


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ([1, 2, np.nan], [1, 2, 3], "too_few_participants"),
        ([1, 1, 1, 1], [1, 1, 1, 1], "constant_scores"),
        ([1, 2, 3, 4], [0.1 + 1, 0.1 + 2, 0.1 + 3, 0.1 + 4], "constant_scores"),
    ],
)
def test_agreement_over_time_is_refused_with_the_reason(first, second, code):
    with pytest.raises(InstrumentError) as caught:
        estimate_retest_agreement(pd.Series(first, dtype="float64"), pd.Series(second, dtype="float64"))
    assert caught.value.problems[0].code == code


FLAT = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 2, 2], "c": [1.0, 3, 2]})


@pytest.mark.parametrize("compute", [estimate_alpha, estimate_omega, relate_items, estimate_mean_correlation])
@pytest.mark.parametrize(
    ("answers", "options", "code"),
    [
        (FLAT[["a"]], {}, "single_item"),
        (FLAT, {}, "constant_items"),
        (FLAT, {"fewest": 4}, "too_few_complete_rows"),
        (FLAT, {"fewest": 4, "use": "available"}, "too_few_participants"),
        (FLAT.assign(b=[1.0, np.nan, np.nan]), {}, "too_few_complete_rows"),
        (pd.DataFrame({"a": [1.0, 2, 3], "b": [3.0, 2, 1]}), {}, "constant_items"),  # their sum is
    ],
)
def test_reliability_is_refused_with_the_reason(compute, answers, options, code):
    with pytest.raises(InstrumentError) as caught:
        compute(answers, **options)
    assert caught.value.problems[0].code == code


@pytest.fixture
def samples(data_sets):
    """The simulated measure at two timepoints, its score the sum of complete answers."""
    return [
        MeasureSample(
            measure="mood.total",
            timepoint=timepoint,
            answers=table,
            limits=dict.fromkeys("12345", (0.0, 4.0)),
            scores=table.sum(axis=1, skipna=False),
            score_limits=(0.0, 20.0),
        )
        for timepoint, table in zip(("baseline", "post"), data_sets["shifted"], strict=True)
    ]


def test_the_table_holds_every_statistic_of_every_timepoint(samples):
    table = assess_sample(samples, fewest=10)
    assert table.dtypes.astype(str).to_dict() == SAMPLE_DTYPES
    assert set(table["verdict"]) == {"observed"}
    assert table["value"].notna().all()
    items = table[table["item"] != ""].groupby(["timepoint", "item"])["statistic"].apply(list)
    assert len(items) == 10
    assert all(
        statistics == ["mean", "sd", "floor", "ceiling", "floor_share", "ceiling_share", "item_rest_correlation",
                       "alpha_if_dropped"]
        for statistics in items
    )  # fmt: skip
    whole = table[table["item"] == ""].groupby("timepoint")["statistic"].apply(list)
    assert whole["baseline"] == [
        "cronbach_alpha", "omega_total", "mean_inter_item_correlation", "score_sd", "score_floor", "score_ceiling",
        "score_floor_share", "score_ceiling_share", "standard_error_of_measurement", "reliable_change",
        "negative_item_rest_correlations",
    ]  # fmt: skip
    assert whole["post"] == [*whole["baseline"], "agreement_with_first"]


def test_the_table_holds_what_its_functions_compute(samples):
    table = assess_sample(samples, fewest=10, with_invariance=True)
    own = table[(table["timepoint"] == "baseline") & (table["item"] == "")].set_index("statistic")
    alpha, scores = estimate_alpha(samples[0].answers), samples[0].scores.dropna()
    assert own.loc["cronbach_alpha", ["value", "conf_low", "conf_high", "n", "method"]].to_list() == [
        alpha.value, alpha.conf_low, alpha.conf_high, alpha.n, alpha.method,
    ]  # fmt: skip
    error = derive_measurement_error(scores.std(), alpha.value)
    assert own.loc["reliable_change", "value"] == pytest.approx(error.reliable_change, abs=EXACT)
    assert own.loc["score_floor", "value"] == (scores == 0).sum()
    post = table[(table["timepoint"] == "post") & (table["item"] == "")].set_index("statistic")
    assert post.loc["invariance_level", ["value", "method"]].to_list() == [
        2.0, "Metric invariance holds; scalar invariance does not.",
    ]  # fmt: skip
    change = post.loc["scalar_cfi", "value"] - post.loc["metric_cfi", "value"]
    assert post.loc["scalar_change_in_cfi", "value"] == pytest.approx(change, abs=EXACT)


def test_no_statistic_comes_from_fewer_participants_than_allowed(samples):
    few = [replace(each, answers=each.answers.iloc[:20], scores=each.scores.iloc[:20]) for each in samples]
    table = assess_sample(few, fewest=19)
    refused = table["verdict"].str.startswith("refused:")
    assert refused.any()
    assert not refused.all()
    assert table.loc[~refused, "n"].min() >= 19
    assert table.loc[refused, ["value", "conf_low", "conf_high", "n"]].isna().all(axis=None)
    assert (table.loc[refused, "method"] != "").all()


def test_what_cannot_be_estimated_is_a_row_with_the_reason(samples):
    single = [replace(each, answers=each.answers[["1"]], scores=each.answers["1"]) for each in samples]
    table = assess_sample(single, fewest=10, with_invariance=True).query("timepoint == 'post'")
    verdicts = table[table["item"] == ""].set_index("statistic")["verdict"].to_dict()
    assert verdicts["cronbach_alpha"] == verdicts["reliable_change"] == "refused:single_item"
    assert verdicts["invariance_level"] == "refused:too_few_items"
    assert verdicts["agreement_with_first"] == verdicts["score_sd"] == "observed"


def test_items_that_run_against_the_others_are_named(samples):
    turned = replace(samples[0], answers=samples[0].answers.assign(**{"3": 4 - samples[0].answers["3"]}))
    table = assess_sample([turned], fewest=10).set_index("statistic")
    found = table.loc["negative_item_rest_correlations"]
    assert (found["value"], found["method"]) == (1.0, "items that run against the others: 3")


def test_later_timepoints_are_compared_with_the_first_of_their_own_measure(samples):
    other = [replace(each, measure="mood.other") for each in samples]
    table = assess_sample([samples[0], other[0], samples[1], other[1]], fewest=10)
    compared = table[table["statistic"] == "agreement_with_first"]
    assert compared[["measure", "timepoint"]].to_numpy().tolist() == [["mood.total", "post"], ["mood.other", "post"]]
    assert compared["value"].to_list() == [compared["value"].iloc[0]] * 2


def test_the_order_of_participants_has_no_bearing_on_the_table(samples):
    order = np.random.default_rng(3).permutation(500)
    samples = [replace(each, scores=each.scores / 7) for each in samples]  # sums of these depend on the order
    shuffled = [
        replace(each, answers=each.answers.iloc[order], scores=each.scores.iloc[order[::-1]]) for each in samples
    ]
    expected = assess_sample(samples, fewest=10, with_invariance=True)
    pd.testing.assert_frame_equal(assess_sample(shuffled, fewest=10, with_invariance=True), expected, check_exact=True)


def test_the_table_leaves_its_input_as_it_was(samples):
    before = [(each.answers.copy(deep=True), each.scores.copy(deep=True)) for each in samples]
    assess_sample(samples, fewest=10, with_invariance=True)
    for each, (answers, scores) in zip(samples, before, strict=True):
        pd.testing.assert_frame_equal(each.answers, answers)
        pd.testing.assert_series_equal(each.scores, scores)


def test_an_empty_sample_gives_an_empty_table_of_the_same_types():
    table = assess_sample([], fewest=10)
    assert table.empty
    assert table.dtypes.astype(str).to_dict() == SAMPLE_DTYPES


def test_samples_that_cannot_be_read_are_an_error_that_names_no_participant(samples):
    secret = samples[0].answers.rename(index={0: "secret", 1: "secret"})
    broken = replace(samples[0], answers=secret.assign(**{"2": "often"}), limits=dict.fromkeys("1245", (0.0, 4.0)))
    with pytest.raises(InstrumentError) as caught:
        assess_sample([broken], fewest=10)
    assert [problem.code for problem in caught.value.problems] == ["limits_missing", "not_a_number", "answered_twice"]
    assert "mood.total item 3" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "often" not in str(caught.value)


@pytest.mark.real_data
def test_the_personality_items_can_be_assessed_in_one_table(personality):
    samples = [
        MeasureSample(
            measure=f"bfi.{measure}",
            timepoint="once",
            answers=answers,
            limits=dict.fromkeys(answers, (1.0, 6.0)),
            scores=answers.mean(axis=1),
            score_limits=(1.0, 6.0),
        )
        for measure, answers in personality.items()
    ]
    table = assess_sample(samples, fewest=10, with_invariance=True)
    assert set(table["verdict"]) == {"observed"}
    assert (table.loc[table["statistic"] == "negative_item_rest_correlations", "value"] == 0).all()

"""Factor models and invariance over time: against lavaan, against formulas, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from instruments import InstrumentError
from instruments.psychometrics.factor_analysis import fit_one_factor
from instruments.psychometrics.invariance import EQUAL, FEWEST_PARTICIPANTS, Invariance, assess_invariance
from instruments.psychometrics.moments import compute_deviance, summarise_answers

HERE = Path(__file__).parent / "reference"
LAVAAN_TOLERANCE = 1e-6  # of the reference: lavaan stops its own searches a little before the optimum
SRMR_TOLERANCE = 1e-5  # lavaan finds the unrestricted covariances of incomplete answers to about six digits
ESTIMATE_TOLERANCE = 1e-4  # of one parameter: the optimum is flat, so the search stops further from it than in fit
EXACT = 1e-8  # two ways to the same optimum
STEP = 1e-6
INDICES = {"n": "nobs", "n_parameters": "npar", "log_likelihood": "logl", "chisq": "chisq", "df": "df",
           "p_value": "pvalue", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "srmr": "srmr"}  # fmt: skip


def _agrees(fit, expected, names=INDICES):
    for ours, theirs in names.items():
        if theirs in expected:
            tolerance = SRMR_TOLERANCE if ours == "srmr" else LAVAAN_TOLERANCE
            assert getattr(fit, ours) == pytest.approx(expected[theirs], rel=tolerance, abs=tolerance), ours


def _with_correlations(correlations, people=300):
    """Answers of exactly these correlations."""
    raw = np.random.default_rng(5).normal(size=(people, len(correlations)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw / people)).T
    return pd.DataFrame(white @ np.linalg.cholesky(np.array(correlations)).T).rename(columns=str)


@pytest.mark.parametrize("name", ["steady", "shifted", "three"])
def test_the_answers_are_those_that_the_reference_was_made_from(data_sets, reference, name):
    assert [float(total) for table in data_sets[name] for total in table.sum()] == reference[name]["sums"]


@pytest.mark.parametrize("level", list(EQUAL))
@pytest.mark.parametrize("name", ["steady", "shifted", "three"])
def test_fit_over_time_is_that_of_lavaan_with_and_without_missing_answers(data_sets, reference, name, level):
    fit = fit_one_factor(summarise_answers(data_sets[name]), equal=EQUAL[level])
    _agrees(fit, reference[name]["fits"][level])


@pytest.mark.parametrize("use", ["complete", "available"])
@pytest.mark.parametrize("name", ["steady", "shifted"])
def test_fit_at_one_timepoint_is_that_of_lavaan(data_sets, reference, name, use):
    answers = data_sets[name][0]
    fit = fit_one_factor(summarise_answers([answers.dropna() if use == "complete" else answers]))
    _agrees(fit, reference[name]["reliability"][use]["fit"])


@pytest.fixture(scope="module")
def lavaan(shared):
    return json.loads((shared / "reference" / "lavaan_cfa.json").read_text())


@pytest.fixture(scope="module")
def anxiety(shared):
    """Four items of the State Anxiety Inventory for those seen twice; the first of repeated rows."""
    rows = pd.read_csv(shared / "reference" / "data" / "sai.csv").drop_duplicates(["study", "time", "id"])
    first, second = (
        rows[rows["time"] == time].set_index(["study", "id"])[["tense", "nervous", "jittery", "anxious"]]
        for time in (1, 2)
    )
    both = first.index.intersection(second.index)
    return [first.loc[both], second.loc[both]]


@pytest.mark.real_data
@pytest.mark.parametrize("level", list(EQUAL))
def test_state_anxiety_over_time_has_the_fit_of_lavaan(anxiety, lavaan, level):
    expected = lavaan[f"sai_long_{level}"]
    _agrees(fit_one_factor(summarise_answers(anxiety), equal=EQUAL[level]), expected["fit"])


@pytest.mark.real_data
def test_state_anxiety_over_time_has_the_estimates_of_lavaan(anxiety, lavaan):
    fit = fit_one_factor(summarise_answers(anxiety))
    estimates = pd.DataFrame(lavaan["sai_long_configural"]["estimates"])
    ours = {"=~": fit.loadings, "~1": fit.intercepts, "~~": fit.residual_variances}
    compared = 0
    for row in estimates.to_dict("records"):
        item, _, time = (row["lhs"] if row["op"] != "=~" else row["rhs"]).partition("_")
        if time and (row["op"] != "~~" or row["lhs"] == row["rhs"]):
            expected = row["std.lv"] if row["op"] == "=~" else row["est"]
            assert abs(ours[row["op"]].loc[int(time) - 1, item]) == pytest.approx(expected, abs=ESTIMATE_TOLERANCE)
            compared += 1
    assert compared == 24
    factors = estimates.query("lhs == 'a1' and rhs == 'a2'").iloc[0]
    assert fit.factor_covariance[0, 1] == pytest.approx(factors["std.lv"], abs=ESTIMATE_TOLERANCE)


@pytest.mark.real_data
def test_state_anxiety_keeps_its_meaning_over_time(anxiety):
    assert assess_invariance(anxiety).words == "Scalar invariance holds."


@pytest.mark.real_data
def test_one_factor_with_missing_answers_has_the_fit_of_lavaan(shared, lavaan):
    answers = pd.read_csv(shared / "reference" / "data" / "bfi.csv")[["A1", "A2", "A3", "A4", "A5"]]
    _agrees(fit_one_factor(summarise_answers([answers])), lavaan["bfi_agree_fiml"]["fit"])


@pytest.mark.real_data
@pytest.mark.parametrize("measure", ["agree", "conscientious", "extraversion", "neuroticism", "openness"])
def test_one_factor_of_complete_answers_has_the_fit_of_lavaan(shared, measure):
    reference = json.loads((shared / "reference" / "psych_bfi_sai.json").read_text())
    items = reference[f"alpha_{measure}"]["items"]
    answers = pd.read_csv(shared / "reference" / "data" / "bfi.csv")[items].dropna()
    _agrees(fit_one_factor(summarise_answers([answers])), reference[f"omega_cfa_{measure}"]["fit"])


def test_the_gradient_of_the_deviance_is_that_of_differences(data_sets):
    moments = summarise_answers(data_sets["shifted"])
    mean, covariance = moments.mean + 0.1, moments.covariance + 0.2 * np.eye(moments.mean.size)
    found = compute_deviance(moments.patterns, mean, covariance)
    for place in (0, 7):
        step = np.zeros_like(mean)
        step[place] = STEP
        ends = [compute_deviance(moments.patterns, mean + sign * step, covariance).value for sign in (1, -1)]
        assert found.by_mean[place] == pytest.approx((ends[0] - ends[1]) / (2 * STEP), abs=STEP)
    for row, column in ((0, 0), (2, 8)):
        change = np.zeros_like(covariance)
        change[row, column] = change[column, row] = STEP
        ends = [compute_deviance(moments.patterns, mean, covariance + sign * change).value for sign in (1, -1)]
        both = (found.by_covariance * change).sum() / STEP
        assert both == pytest.approx((ends[0] - ends[1]) / (2 * STEP), abs=STEP)


def test_complete_answers_have_their_own_mean_and_covariance(data_sets):
    moments = summarise_answers(data_sets["steady"])
    wide = np.hstack([table.to_numpy() for table in data_sets["steady"]])
    spread = np.tile(moments.spread, 2)
    assert moments.is_complete
    assert moments.mean * spread + np.tile(moments.centre, 2) == pytest.approx(wide.mean(axis=0), abs=EXACT)
    expected = np.cov(wide.T, bias=True)
    assert moments.covariance * np.outer(spread, spread) == pytest.approx(expected, abs=EXACT)


def test_neither_the_order_of_participants_nor_their_names_matter(data_sets):
    order = np.random.default_rng(4).permutation(500)
    renamed = [table.iloc[order].set_axis([f"p{n}" for n in range(500)]) for table in data_sets["shifted"]]
    fits = [fit_one_factor(summarise_answers(tables)) for tables in (data_sets["shifted"], renamed)]
    pd.testing.assert_frame_equal(fits[0].glance(), fits[1].glance(), check_exact=True)
    pd.testing.assert_frame_equal(fits[0].loadings, fits[1].loadings, check_exact=True)


def test_participants_are_matched_by_name_over_time(data_sets):
    first, second = data_sets["steady"]
    turned = fit_one_factor(summarise_answers([first, second.iloc[::-1]]))
    assert turned.chisq == fit_one_factor(summarise_answers([first, second])).chisq
    strangers = second.set_axis(first.index[::-1])
    assert abs(fit_one_factor(summarise_answers([first, strangers])).factor_covariance[0, 1]) < 0.2


def test_the_unit_of_an_item_does_not_matter_to_the_fit(data_sets):
    stretched = [table.assign(**{"2": table["2"] * 25 - 7}) for table in data_sets["shifted"]]
    plain, changed = (
        fit_one_factor(summarise_answers(tables), equal="loadings") for tables in (data_sets["shifted"], stretched)
    )
    assert changed.chisq == pytest.approx(plain.chisq, abs=EXACT)
    assert changed.loadings["2"].to_numpy() == pytest.approx(25 * plain.loadings["2"].to_numpy(), abs=1e-6)


def test_answers_stay_as_they_were(data_sets):
    before = [table.copy(deep=True) for table in data_sets["shifted"]]
    assess_invariance(data_sets["shifted"])
    for table, kept in zip(data_sets["shifted"], before, strict=True):
        pd.testing.assert_frame_equal(table, kept)


def test_an_unchanged_measure_is_scalar_invariant(data_sets):
    found = assess_invariance(data_sets["steady"])
    assert (found.level, found.words) == ("scalar", "Scalar invariance holds.")
    assert found.tidy()["level"].tolist() == ["configural", "metric", "scalar"]


def test_an_item_that_rises_by_itself_ends_scalar_invariance(data_sets):
    found = assess_invariance(data_sets["shifted"])
    assert (found.level, found.words) == ("metric", "Metric invariance holds; scalar invariance does not.")
    assert found.tidy()["change_in_cfi"].iloc[2] < -0.010


def test_an_item_that_turns_round_ends_metric_invariance(data_sets):
    first, second = data_sets["steady"]
    assert assess_invariance([first, second.assign(**{"1": 4 - second["1"]})]).level == "configural"


def test_two_factors_are_not_called_one():
    rng = np.random.default_rng(6)

    def answers():
        pair = rng.normal(size=(600, 2)) @ [[1, 0.1], [0, 1]]
        return pd.DataFrame(np.repeat(pair, 3, axis=1) + 0.6 * rng.normal(size=(600, 6))).rename(columns=str)

    found = assess_invariance([answers(), answers()])
    assert (found.level, found.words) == ("none", "One factor does not describe the answers at every timepoint.")


@pytest.mark.parametrize(
    ("configural", "metric", "scalar", "level"),
    [
        ({}, {}, {}, "scalar"),
        ({"cfi": 0.901, "srmr": 0.079}, {"cfi": 0.892}, {"cfi": 0.883}, "scalar"),
        ({"cfi": 0.899}, {}, {}, "none"),
        ({"srmr": 0.081}, {}, {}, "none"),
        ({}, {"cfi": 0.939}, {"cfi": 0.939}, "configural"),
        ({}, {"rmsea": 0.066}, {"rmsea": 0.066}, "configural"),
        ({}, {"cfi": 0.941, "rmsea": 0.064}, {"cfi": 0.930, "rmsea": 0.064}, "metric"),
        ({}, {"cfi": 0.941, "rmsea": 0.064}, {"cfi": 0.941, "rmsea": 0.080}, "metric"),
        ({}, {"cfi": 0.930}, {"cfi": 0.950}, "configural"),  # a level needs those below it
    ],
)
def test_a_level_holds_where_it_costs_little_fit(data_sets, configural, metric, scalar, level):
    fit = fit_one_factor(summarise_answers(data_sets["steady"]))
    same = {"cfi": 0.95, "rmsea": 0.05, "srmr": 0.05}
    found = Invariance(
        configural=replace(fit, **same | configural),
        metric=replace(fit, **same | metric),
        scalar=replace(fit, **same | scalar),
    )
    assert found.level == level


def _people(number, items=4):
    trait = np.random.default_rng(9).normal(size=(number, 1))
    return pd.DataFrame(trait + np.random.default_rng(8).normal(size=(number, items))).rename(columns=str)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([_people(400)], "one_timepoint"),
        ([_people(400, 2), _people(400, 2)], "too_few_items"),
        ([_people(FEWEST_PARTICIPANTS - 1, 3), _people(FEWEST_PARTICIPANTS - 1, 3)], "too_few_participants"),
        ([_people(144), _people(144) + 1.0], "too_few_participants"),  # 29 parameters ask for 145
        ([_people(400), _people(400).set_axis(range(300, 700))], "too_few_participants"),
        ([_people(400), _people(400).rename(columns={"0": "x"})], "different_items"),
        ([_people(400), _people(400).assign(**{"1": 2.0})], "constant_items"),
        ([_people(400), _people(400).assign(**{"1": np.nan})], "no_answers"),
        ([_people(400), _people(400)], "dependent_items"),
        ([_people(400), pd.concat([_people(400), _people(1)])], "answered_twice"),
    ],
)
def test_samples_that_do_not_allow_a_judgement_are_refused_with_the_reason(answers, code):
    with pytest.raises(InstrumentError) as caught:
        assess_invariance(answers)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_answers_never_given_together_are_refused():
    answers = _people(400)
    answers.loc[:199, "0"] = np.nan
    answers.loc[200:, "1"] = np.nan
    with pytest.raises(InstrumentError, match="never given by the same participant"):
        summarise_answers([answers])


def test_an_impossible_solution_is_refused():
    with pytest.raises(InstrumentError, match="variance below zero"):  # the loading of item 0 would be sqrt(1.6)
        fit_one_factor(summarise_answers([_with_correlations([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]])]))


def test_correlations_that_no_factor_has_are_refused():
    apart = [[1, 0.5, 0.5], [0.5, 1, -0.3], [0.5, -0.3, 1]]  # the product of the three is below zero
    with pytest.raises(InstrumentError) as caught:
        fit_one_factor(summarise_answers([_with_correlations(apart)]))
    assert caught.value.problems[0].code in {"not_converged", "improper_solution"}


def test_three_items_at_one_timepoint_fit_exactly():
    loadings = np.array([0.8, 0.7, 0.6])
    fit = fit_one_factor(
        summarise_answers([_with_correlations(np.outer(loadings, loadings) + np.diag(1 - loadings**2))])
    )
    assert fit.loadings.abs().to_numpy()[0] == pytest.approx(loadings, abs=ESTIMATE_TOLERANCE)
    assert (fit.df, fit.rmsea, fit.p_value) == (0, 0.0, 1.0)
    assert (fit.chisq, fit.cfi) == pytest.approx((0, 1), abs=EXACT)


def test_rare_sets_of_missing_answers_are_left_out_where_there_are_very_many():
    """Six thousand people, nearly each with a set of missing answers of their own."""
    rng = np.random.default_rng(8)
    n, items = 6000, 10
    trait = rng.normal(size=(2, n)) * 0.6 + rng.normal(size=n) * 0.8
    waves = []
    for level in trait:
        table = pd.DataFrame(level[:, None] + rng.normal(0, 0.8, (n, items)), columns=[f"i{k}" for k in range(items)])
        waves.append(table.mask(rng.random(table.shape) < 0.12))
    found = assess_invariance(waves)
    assert found.level == "scalar"
    assert 1000 < found.configural.n < n

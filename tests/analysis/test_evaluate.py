"""The whole plan: what the table holds, what leaves it alone, and what one bad outcome must not spoil."""

import numpy as np
import pandas as pd
import pytest

from analysis import RESULT_DTYPES, Timepoint, evaluate_plan, find_refusals

WAVES = ("baseline", "post", "followup")
SHIFTS = {("peer", "post"): -6.0, ("usual", "post"): -2.0, ("peer", "followup"): -6.0, ("usual", "followup"): -3.0}


@pytest.fixture
def run(make_library, no_responses, no_delivered, freeze):
    """A function that evaluates a frozen plan on scores and participants alone."""

    def evaluate(plan, design, scores, participants):
        return evaluate_plan(
            plan,
            design,
            scores=scores,
            delivered=no_delivered,
            participants=participants,
            responses=no_responses,
            library=make_library(),
            frozen=freeze(plan, design),
        )

    return evaluate


def _rows(results: pd.DataFrame, **where: str) -> pd.DataFrame:
    for column, value in where.items():
        results = results.loc[results[column] == value]
    return results


def _two_estimands(make_plan):
    return make_plan(
        {"covariates": ["age", "gender"]},
        {"id": "mood_followup", "timepoint": "followup", "covariates": ["gender", "age"]},
        families=[{"id": "all", "members": ["mood_post", "mood_followup"], "adjust": "holm"}],
    )


def test_the_table_holds_every_analysis_in_a_fixed_order(run, make_trial, make_design, make_plan):
    design = make_design("randomised", WAVES, group_arms=("peer",))
    trial = make_trial(
        np.random.default_rng(4), 60, timepoints=WAVES, shifts=SHIFTS, group_size=5, group_sd=2.0, missing=0.1
    )
    results = run(_two_estimands(make_plan), design, *trial)
    assert results.dtypes.astype(str).to_dict() == RESULT_DTYPES
    assert list(dict.fromkeys(results["analysis"]))[:5] == [
        "flow",
        "descriptive",
        "change_within_arm",
        "model",
        "certainty",
    ]
    model = _rows(results, analysis="model")
    assert list(model["statistic"]) == [
        *["marginal_mean"] * 6,
        "difference",
        "difference",
        "covariance: participant intercept",
        "covariance: group intercept",
        "covariance: residual",
        "icc_group",
        "log_likelihood",
    ]
    answers = _rows(model, statistic="difference")
    assert list(answers["estimand"]) == ["mood_post", "mood_followup"]
    assert answers["prespecified"].all()
    assert (answers["p_adjusted"] >= answers["p_value"]).all()
    assert answers["method"].str.contains("baseline means constrained equal").all()
    everybody = float(_rows(results, statistic="analysed")["value"].sum())
    assert ((answers["df"] > 12 - 1) & (answers["df"] < everybody)).all()  # twelve groups, and people within them
    usual = _rows(model, statistic="marginal_mean", arm="usual")
    assert (usual["df"] > 11).all()  # who meets in no group is compared between people
    baseline = _rows(model, statistic="marginal_mean", timepoint="baseline")
    assert baseline[["value", "conf_low", "conf_high"]].drop_duplicates().shape[0] == 1  # one mean, one interval


def test_a_contrast_is_the_difference_of_its_marginal_means(run, make_trial, make_design, make_plan):
    design = make_design("randomised", WAVES)
    results = run(
        _two_estimands(make_plan),
        design,
        *make_trial(np.random.default_rng(4), timepoints=WAVES, shifts=SHIFTS, missing=0.1),
    )
    means = _rows(results, statistic="marginal_mean").set_index(["arm", "timepoint"])["value"]
    for answer in _rows(results, statistic="difference").to_dict("records"):
        timepoint = answer["timepoint"]
        assert answer["value"] == pytest.approx(means["peer", timepoint] - means["usual", timepoint], abs=1e-9)
    assert means["peer", "baseline"] == means["usual", "baseline"]


def test_rows_and_pseudonyms_have_no_bearing_on_a_single_bit(run, make_trial, make_design, make_plan):
    design = make_design("randomised", WAVES, group_arms=("peer",))
    scores, people = make_trial(
        np.random.default_rng(4), 30, timepoints=WAVES, shifts=SHIFTS, group_size=5, group_sd=2.0, missing=0.15
    )
    names = {
        name: f"x{place:04}"
        for place, name in enumerate(np.random.default_rng(5).permutation(people["participant_id"].to_numpy()))
    }
    shuffled = [
        table.sample(frac=1, random_state=6).assign(participant_id=lambda rows: rows["participant_id"].map(names))
        for table in (scores, people)
    ]
    plan = _two_estimands(make_plan)
    pd.testing.assert_frame_equal(run(plan, design, scores, people), run(plan, design, *shuffled), check_exact=True)


def test_inputs_stay_as_they_were(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4))
    before = scores.copy(deep=True), people.copy(deep=True)
    run(make_plan({"covariates": ["age"]}), make_design(), scores, people)
    for table, original in zip((scores, people), before, strict=True):
        pd.testing.assert_frame_equal(table, original, check_exact=True)


def test_a_refused_estimand_is_a_row_that_explains_itself_and_the_rest_goes_on(run, make_trial, make_design, make_plan):
    design = make_design("randomised", WAVES)
    scores, people = make_trial(np.random.default_rng(4), timepoints=WAVES)
    scores.loc[scores["timepoint"] == "followup", "score"] = np.nan
    plan = make_plan({}, {"id": "mood_followup", "timepoint": "followup"})
    results = run(plan, design, scores, people)
    (refused,) = _rows(results, estimand="mood_followup").to_dict("records")
    (refusal,) = find_refusals(plan, design, scores=scores, participants=people)
    assert refused["verdict"] == f"refused:{refusal.reason}" == "refused:empty_cell"
    assert refused["method"] == refusal.explanation
    assert np.isnan(refused["value"])
    (answered,) = _rows(results, analysis="model", estimand="mood_post").to_dict("records")
    assert answered["verdict"] == "estimated"
    assert np.isfinite(answered["value"])


def _two_outcomes(make_plan, **second):
    outcomes = [
        {"id": "bad", "measure": "bad.total", "role": "primary"},
        {"id": "mood", "measure": "mood.total", "role": "secondary"},
    ]
    return make_plan({"id": "bad_post", "outcome": "bad"} | second, {}, outcomes=outcomes)


def test_an_outcome_that_cannot_be_fitted_does_not_stop_the_others(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4))
    bad = scores.assign(measure="bad.total")
    baseline = bad.loc[bad["timepoint"] == "baseline"].set_index("participant_id")["score"]
    bad["score"] = bad["participant_id"].map(baseline) + (bad["timepoint"] == "post")  # nothing is left to chance
    design = make_design(more_measures=("bad.total",))
    results = run(_two_outcomes(make_plan), design, pd.concat([bad, scores]), people)
    verdicts = _rows(results, statistic="difference").set_index("estimand")["verdict"]
    assert verdicts.to_dict() == {"bad_post": "failed:not_converged", "mood_post": "estimated"}
    assert set(_rows(results, outcome="bad")["analysis"]) == {
        "descriptive",
        "change_within_arm",
        "model",
        "distribution",
    }


def test_more_terms_than_participants_leave_no_estimate(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4), 10)
    levels = tuple(f"l{place}" for place in range(20))
    people["clinic"] = levels
    design = make_design()
    many = type(design.covariates[0])("clinic", "Clinic", "category", levels)
    design = type(design)(
        kind=design.kind, timepoints=design.timepoints, arms=design.arms, covariates=(many,), measures=design.measures
    )
    (row,) = _rows(run(make_plan({"covariates": ["clinic"]}), design, scores, people), estimand="mood_post").to_dict(
        "records"
    )
    assert row["verdict"] == "refused:covariance_not_identified"
    assert np.isnan(row["value"])


def test_who_misses_a_covariate_is_not_analysed_but_allocated(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4))
    people.loc[people.index[:3], "gender"] = ""
    results = run(make_plan({"covariates": ["gender"]}), make_design(), scores, people)
    assert _rows(results, statistic="allocated")["value"].to_list() == [40.0, 40.0]
    assert _rows(results, statistic="analysed")["value"].to_list() == [37.0, 40.0]
    assert _rows(results, statistic="difference")["n"].to_list() == [37.0]


def test_a_single_group_has_a_change_and_no_difference(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4), arms=("peer",), shifts=SHIFTS)
    results = run(make_plan({"contrast": "post - baseline"}), make_design("single_group"), scores, people)
    assert "difference" not in set(results["statistic"])
    (row,) = _rows(results, statistic="change").to_dict("records")
    assert (row["contrast"], row["verdict"]) == ("post - baseline", "estimated")
    assert _rows(results, analysis="certainty", statistic="level")["value"].to_list() == [1.0]


def test_an_unused_third_timepoint_without_data_does_no_harm(run, make_trial, make_design, make_plan):
    scores, people = make_trial(np.random.default_rng(4))
    two, three = make_design("randomised"), make_design("randomised", WAVES)
    assert three.timepoints[-1] == Timepoint("followup", "Followup", 26)
    short, long = (_rows(run(make_plan(), design, scores, people), statistic="difference") for design in (two, three))
    assert short["value"].to_list() == long["value"].to_list()

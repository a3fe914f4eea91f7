"""Estimands by overlap weights, from the plan to the row: against R, and what is refused with a way out."""

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, Plan, StudyDesign, load_plan
from analysis.frames import outcome_frame, score_column
from analysis.missing_data.sensitivity import impute_for_estimand
from analysis.model_refusals import MODEL_REFUSALS
from analysis.outcome_model import estimate_outcome, fit_estimand
from analysis.plan_checks import find_misfits
from analysis.results import results_table
from analysis.weighted_model import estimate_ratio, fit_weighted_model

from .unlike_people import design_of, invent_tables, plan_of

# R's values were printed with twelve digits; its bread is by central differences.
SAME_AS_R = 1e-8
ROUNDING = 1e-9

# R 4.2.2, base alone. beta <- coef(glm(peer ~ age + base + town, binomial)); stacked estimating functions
#   psi <- cbind(X * (z - e), z * (1 - e) * (y - m1), (1 - z) * e * (y - m0)), e = plogis(X beta);
# influence -psi solve(bread)' with the bread by central differences; variance of each arm the sum over its people (or
# groups) of squared influence times m / (m - 1); df by Welch and Satterthwaite.
MEANS_IN_R, MEAN_ERROR_IN_R, MEAN_DF_IN_R = (18.1752013551700, 22.4970860662044), 1.11829662563, 47.9254415734
ERROR_IN_R, DF_IN_R = 1.20188143704, 60.5329266766
ERROR_BY_GROUP_IN_R, DF_BY_GROUP_IN_R = 1.34593605937, 16.7384892974
# The same with 100 * (post >= 20) as y and 100 * (base >= 20) as base; the ratio by the gradient (1 / m1, -1 / m0).
SHARES_IN_R, SHARE_ERROR_IN_R = (56.74923494286995, 64.98026584342800), 11.0293206854
RATIO_IN_R = (0.873330298149, 0.608080099241, 1.254285102601)


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and participants of the invented people."""
    return invent_tables()


def answer(tables, plan: Plan, design: StudyDesign):
    outcome = plan.outcomes[0]
    return estimate_outcome(outcome, outcome_frame(*tables, design, outcome), plan, design)


def asked(rows, estimand: str = "asked"):
    return next(row for row in rows if row.estimand == estimand)


def test_the_estimand_of_a_comparison_is_that_of_r(tables):
    rows = answer(tables, plan_of(), design_of())
    row = asked(rows)
    assert row.verdict == "estimated"
    assert row.value == pytest.approx(MEANS_IN_R[0] - MEANS_IN_R[1], abs=SAME_AS_R)
    assert (row.std_error, row.df) == pytest.approx((ERROR_IN_R, DF_IN_R), abs=1e-6)
    means = {(each.arm, each.timepoint): each for each in rows if each.statistic == "marginal_mean"}
    assert [means[arm, "post"].value for arm in ("peer", "usual")] == pytest.approx(MEANS_IN_R, abs=SAME_AS_R)
    peer = means["peer", "post"]
    assert (peer.std_error, peer.df) == pytest.approx((MEAN_ERROR_IN_R, MEAN_DF_IN_R), abs=1e-6)
    assert means["peer", "baseline"].value == means["usual", "baseline"].value
    assert {row.n, peer.n} == {30.0, 34.0}


def test_where_people_meet_in_groups_the_standard_error_is_by_group_as_in_r(tables):
    row = asked(answer(tables, plan_of(), design_of(group_arms=("peer",))))
    assert row.value == pytest.approx(MEANS_IN_R[0] - MEANS_IN_R[1], abs=SAME_AS_R)
    assert (row.std_error, row.df) == pytest.approx((ERROR_BY_GROUP_IN_R, DF_BY_GROUP_IN_R), abs=1e-6)
    assert "people of a group" in row.method


def test_a_difference_of_changes_is_the_same_number_with_the_same_error(tables):
    scores, people = tables
    base = scores[scores["timepoint"] == "baseline"].set_index("participant_id")["score"]
    changes = scores.assign(score=scores["score"] - scores["participant_id"].map(base))
    changes["score"] = changes["score"].where(changes["timepoint"] != "baseline", scores["score"])
    of_scores, of_changes = (asked(answer((each, people), plan_of(), design_of())) for each in (scores, changes))
    assert (of_changes.value, of_changes.std_error) == pytest.approx(
        (of_scores.value, of_scores.std_error), abs=ROUNDING
    )


def test_a_share_of_people_and_its_ratio_are_those_of_r(tables):
    plan, design = plan_of(outcome={"kind": "binary", "event": {"at_least": 20}}), design_of()
    row = asked(answer(tables, plan, design))
    assert row.value == pytest.approx(SHARES_IN_R[0] - SHARES_IN_R[1], abs=SAME_AS_R)
    assert row.std_error == pytest.approx(SHARE_ERROR_IN_R, abs=1e-6)
    frame = outcome_frame(*tables, design, plan.outcomes[0])
    model = fit_weighted_model(frame, plan.estimands[0], plan, design)
    assert estimate_ratio(model, "post") == pytest.approx(RATIO_IN_R, abs=1e-6)


def test_every_timepoint_has_its_means_and_people_compared_are_counted_once(tables):
    scores, people = tables
    gone = (scores["timepoint"] == "late") & scores["participant_id"].isin(["p1", "p4", "p0"])
    scores = scores.assign(score=scores["score"].mask(gone))
    plan = plan_of({}, {"id": "later", "timepoint": "late"})
    rows = answer((scores, people), plan, design_of())
    means = [(row.arm, row.timepoint, row.n) for row in rows if row.statistic == "marginal_mean"]
    assert means == [
        ("peer", "baseline", 34), ("peer", "post", 34), ("peer", "late", 32),
        ("usual", "baseline", 30), ("usual", "post", 30), ("usual", "late", 29),
    ]  # fmt: skip
    assert [row.value for row in rows if row.statistic == "analysed"] == [34, 30]
    assert (asked(rows).n, asked(rows, "later").n) == (30, 29)
    keys = [(row.estimand, row.analysis, row.arm, row.timepoint, row.statistic, row.method) for row in rows]
    assert len(set(keys)) == len(keys)


def test_a_comparison_that_is_refused_leaves_the_other_timepoint_alone(tables):
    scores, people = tables
    few = (scores["timepoint"] == "late") & ~scores["participant_id"].isin([f"p{place}" for place in range(12)])
    rows = answer(
        (scores.assign(score=scores["score"].mask(few)), people),
        plan_of({}, {"id": "later", "timepoint": "late"}),
        design_of(),
    )
    assert (asked(rows).verdict, asked(rows, "later").verdict) == ("estimated", "refused:too_few_participants")


def test_who_lacks_baseline_or_covariate_is_left_out_and_the_floor_counts_who_is_left(tables):
    scores, people = tables
    unknown = people.assign(age=people["age"].where(people.index >= 30))
    rows = answer((scores, unknown), plan_of(), design_of())
    assert [row.value for row in rows if row.statistic == "analysed"] == [17, 17]
    no_start = scores.assign(score=scores["score"].mask((scores["timepoint"] == "baseline") & (scores.index < 30)))
    assert asked(answer((no_start, people), plan_of(), design_of())).value == pytest.approx(asked(rows).value)
    # Enough people have the two scores and the covariates, but too few have all at once.
    row = asked(
        answer(
            (no_start, people.assign(age=people["age"].where(people.index < 54))),
            plan_of(small_numbers={"fewest_per_arm": 14}),
            design_of(),
        )
    )
    assert row.verdict.startswith("refused:too_few")
    assert not np.isfinite(row.value)


def test_a_baseline_that_does_not_vary_is_no_part_of_the_weights(tables):
    scores, people = tables
    same = scores.assign(score=scores["score"].mask(scores["timepoint"] == "baseline", 20.0))
    row = asked(answer((same, people), plan_of(), design_of()))
    assert row.verdict == "estimated"
    assert "the score at Start" not in row.method
    unknown = same.assign(score=same["score"].mask((same["timepoint"] == "baseline") & (same.index < 6)))
    assert (row.n, asked(answer((unknown, people), plan_of(), design_of())).n) == (30, 26)
    assert "the score at Start" in asked(answer(tables, plan_of(), design_of())).method


def in_both(people):
    return people.assign(group=[f"g{place // 8}" for place in people.index])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda people: people.assign(age=(people["arm"] == "peer") * 500.0 + people.index), "no_overlap"),
        (lambda people: people.assign(age=(people["town"] == "town") * 1.0), "covariates_repeat"),
        (lambda people: people.assign(group=people["arm"] + (people.index % 4).astype(str)), "too_few_participants"),
        (in_both, "group_in_both_arms"),
    ],
)
def test_what_cannot_be_weighted_is_refused_with_a_way_out(tables, change, code):
    scores, people = tables
    design = design_of(group_arms=("peer", "usual") if code in ("too_few_participants", "group_in_both_arms") else ())
    row = asked(answer((scores, change(people)), plan_of(), design))
    assert row.verdict == f"refused:{code}"
    assert row.method == MODEL_REFUSALS[code]
    assert np.isnan(row.value)


def test_arms_with_little_in_common_are_not_compared(tables):
    scores, people = tables
    rng = np.random.default_rng(3)
    apart = people.assign(age=np.where(people["arm"] == "peer", 57, 40) + rng.normal(0, 6, len(people)))
    row = asked(answer((scores, apart), plan_of(), design_of()))
    assert row.verdict == "refused:too_little_overlap"
    assert "could have been in either" in row.method
    few = plan_of(small_numbers={"profile": "datashield-3", "fewest_per_arm": 5})
    assert asked(answer((scores, apart), few, design_of())).verdict == "estimated"


def test_no_refusal_gives_a_number_of_people():
    assert not any(
        character.isdigit() for words in MODEL_REFUSALS.values() for character in words.replace("3 to 10", "")
    )


def test_a_comparison_is_weighted_and_a_matched_one_only_if_told():
    plan, weighted = plan_of(), plan_of({"model": "overlap_weights"})
    estimand = plan.estimands[0]
    assert plan.model_of(estimand, design_of()) == "overlap_weights"
    assert plan.model_of(estimand, design_of("matched_comparison")) == "mmrm"
    assert find_misfits(weighted, design_of("matched_comparison")) == []
    counted = plan_of(outcome={"kind": "count"})
    assert counted.model_of(counted.estimands[0], design_of()) == "gee"


@pytest.mark.parametrize(
    ("kind", "estimand", "outcome", "key", "said"),
    [
        ("comparison", {"covariates": []}, {}, "covariates", "Declare the adjustment set"),
        ("comparison", {"covariates": [], "model": "mmrm"}, {}, "covariates", "Declare the adjustment set"),
        ("matched_comparison", {"covariates": [], "model": "overlap_weights"}, {}, "covariates", "Declare the adjustment set"),
        ("randomised", {"model": "overlap_weights"}, {}, "model", "the design chooses it"),
        ("repeated_cross_section", {"model": "overlap_weights"}, {}, "model", "the design chooses it"),
        ("comparison", {"model": "overlap_weights"}, {"kind": "count"}, "model", "Write 'model: gee'"),
        ("comparison", {"covariance": "us"}, {}, "covariance", "Take it out"),
        ("comparison", {"random": "slope"}, {}, "random", "Take it out"),
        ("comparison", {"variance_by_arm": True}, {}, "variance_by_arm", "Take it out"),
        ("comparison", {"df_method": "z"}, {}, "df_method", "Take it out"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_weights_is_told_by_key(kind, estimand, outcome, key, said):
    (finding,) = find_misfits(plan_of(estimand, outcome=outcome), design_of(kind))
    assert finding.key == ("estimands", 0, key)
    assert said in finding.how_to_fix


def test_a_plan_without_an_adjustment_set_is_refused_with_its_line(tmp_path):
    path = tmp_path / "sap.yaml"
    path.write_text(
        "sap: 1\noutcomes:\n  - {id: mood, measure: mood, role: primary}\nestimands:\n"
        "  - {id: asked, outcome: mood, contrast: peer - usual, timepoint: post}\n"
    )
    with pytest.raises(AnalysisError) as raised:
        load_plan(path, design_of())
    assert "sap.yaml" in str(raised.value)
    assert "covariates: [age]" in str(raised.value)


def test_neither_the_order_of_people_nor_their_ids_matter(tables):
    scores, people = tables
    shuffled = people.sample(frac=1, random_state=1).reset_index(drop=True)
    renamed = [table.assign(participant_id="x" + table["participant_id"]) for table in (scores, shuffled)]
    found = [asked(answer(each, plan_of(), design_of())) for each in ((scores, people), renamed)]
    assert results_table(found[:1]).equals(results_table(found[1:]))


def test_means_of_a_comparison_are_of_the_people_compared_only(tables):
    plan, design = plan_of(), design_of()
    frame = outcome_frame(*tables, design, plan.outcomes[0])
    model = fit_weighted_model(frame, plan.estimands[0], plan, design)
    assert model.observed("peer", "late").empty
    assert model.observed("third", "post").empty
    expected = frame.loc[frame["arm"] == "peer", score_column("post")]
    assert model.observed("peer", "post").tolist() == expected.tolist()


def test_scores_of_those_who_left_are_not_filled_in_by_another_model(tables):
    design, outcome = design_of(), plan_of().outcomes[0]
    frame = outcome_frame(*tables, design, outcome).assign(**{score_column("late"): np.nan})
    by_model = plan_of({}, {"id": "modelled", "model": "mmrm"})
    with pytest.raises(AnalysisError, match="another model"):
        impute_for_estimand(frame, by_model.estimands[0], outcome, design, strategies=["missing_at_random"])
    assert impute_for_estimand(frame, by_model.estimands[1], outcome, design, strategies=["missing_at_random"])
    with pytest.raises(AnalysisError, match="no model that further terms"):
        fit_estimand(frame, by_model.estimands[0], by_model, design)

"""Samples drawn anew at each timepoint: what is estimated, what is refused, and what is left unsaid."""

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, Arm, Measure, evaluate_plan, find_refusals, load_plan
from analysis.balance import MOST_DIFFERENT
from analysis.composition import compare_samples
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.telling import read_told

from .said_again import find_unsayable

KIND = "repeated_cross_section"
ALONE = (Arm("peer", "Peer support"),)
WAVES = ("baseline", "post", "followup")
SIZES = {("peer", "baseline"): 120, ("peer", "post"): 126, ("peer", "followup"): 90}
BOTH = {("peer", "baseline"): 60, ("usual", "baseline"): 70, ("peer", "post"): 65, ("usual", "post"): 80}
LATER = {"contrast": "post - baseline", "covariates": ["age"]}
SHARE = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
PRECISE = {"id": "mood", "measure": "mood.total", "role": "primary",
           "smallest_meaningful_change": {"value": 20, "source": "so large that every interval is precise"}}  # fmt: skip
STUDIES = 200
TRUTH = -3.0
# Three Monte Carlo standard errors of a coverage of 95 % either side.
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / STUDIES)


@pytest.fixture
def evaluate(make_library, no_responses, no_delivered, freeze):
    """A function that evaluates a frozen plan on scores and participants alone."""

    def run(plan, design, scores, participants):
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

    return run


def _rows(results: pd.DataFrame, **where: str) -> pd.DataFrame:
    for column, value in where.items():
        results = results.loc[results[column] == value]
    return results


def test_the_design_chooses_a_model_that_follows_nobody(make_plan, make_design):
    alone = make_design(KIND, arms=ALONE)
    assert (alone.is_resampled, alone.compares_timepoints) == (True, True)
    assert make_design(KIND).compares_timepoints is False
    plan = make_plan(LATER)
    assert plan.model_of(plan.estimands[0], alone) == "least_squares"
    share = make_plan(LATER, outcomes=[SHARE])
    assert share.model_of(share.estimands[0], alone) == "gee"


@pytest.mark.parametrize(
    ("kind", "estimand", "advice"),
    [
        (KIND, "contrast: post - baseline, model: mmrm", "the design chooses it"),
        (KIND, "contrast: post - baseline, model: mixed_model", "the design chooses it"),
        (KIND, "contrast: post - baseline, model: gee", "Scores need least_squares"),
        (KIND, "contrast: peer - usual", "Write 'post - baseline'"),
        (KIND, "contrast: post - baseline, df_method: z", "Take it out"),
        ("single_group", "contrast: post - baseline, model: least_squares", "the design chooses it"),
        (KIND, "contrast: post - baseline", None),
        (KIND, "contrast: post - baseline, model: least_squares", None),
    ],
)
def test_a_plan_that_follows_people_does_not_go_with_the_design(kind, estimand, advice, make_design, tmp_path):
    path = tmp_path / "sap.yaml"
    path.write_text(
        "sap: 1\noutcomes: [{id: mood, measure: mood.total, role: primary}]\n"
        f"estimands: [{{id: later, outcome: mood, timepoint: post, {estimand}}}]\n"
    )
    design = make_design(kind, arms=ALONE)
    if advice is None:
        assert load_plan(path, design).value.estimands[0].id == "later"
        return
    with pytest.raises(AnalysisError) as caught:
        load_plan(path, design)
    assert [advice in problem.how_to_fix for problem in caught.value.problems] == [True]


def test_results_hold_samples_and_nothing_that_follows_people(evaluate, make_waves, make_plan, make_design):
    design = make_design(KIND, WAVES, arms=ALONE)
    shifts = {("peer", "post"): TRUTH, ("peer", "followup"): TRUTH}
    tables = make_waves(np.random.default_rng(8), SIZES, linked=25, shifts=shifts)
    results = evaluate(make_plan(LATER), design, *tables)
    analyses = list(dict.fromkeys(results["analysis"]))
    assert analyses[:5] == ["flow", "descriptive", "composition", "model", "certainty"]
    assert not {"change_within_arm", "change_counts"} & set(analyses)
    assert set(_rows(results, analysis="flow")["statistic"]) == {
        "eligible",
        "invited",
        "answered",
        "analysed",
        "linked",
    }
    assert _rows(results, statistic="answered")["value"].to_list() == [120.0, 126.0, 90.0]
    assert _rows(results, statistic="analysed")["value"].to_list() == [120.0, 126.0, 90.0]
    assert _rows(results, statistic="linked")["value"].to_list() == [25.0]
    model = _rows(results, analysis="model")
    assert list(model["statistic"]) == ["marginal_mean"] * 3 + ["difference"]
    (found,) = _rows(model, statistic="difference").to_dict("records")
    assert (found["verdict"], found["n"], found["contrast"]) == ("estimated", 120.0, "post - baseline")
    assert found["conf_low"] < TRUTH < found["conf_high"]
    assert "each timepoint a sample of its own" in found["method"]
    assert "Adjusted for Age." in found["method"]
    assert "Bell and McCaffrey" in found["method"]
    means = _rows(model, statistic="marginal_mean").set_index("timepoint")["value"]
    assert found["value"] == pytest.approx(means["post"] - means["baseline"], abs=1e-9)


def test_rows_and_pseudonyms_have_no_bearing_on_a_single_bit(evaluate, make_waves, make_plan, make_design):
    design = make_design(KIND, WAVES, arms=ALONE)
    scores, people = make_waves(np.random.default_rng(8), SIZES, linked=25)
    names = dict(
        zip(people["participant_id"], np.random.default_rng(5).permutation(len(people)).astype(str), strict=True)
    )
    shuffled = [
        table.sample(frac=1, random_state=6).assign(participant_id=lambda rows: rows["participant_id"].map(names))
        for table in (scores, people)
    ]
    plan = make_plan(LATER)
    pd.testing.assert_frame_equal(
        evaluate(plan, design, scores, people), evaluate(plan, design, *shuffled), check_exact=True
    )


def test_two_arms_are_compared_by_how_their_samples_differ(evaluate, make_waves, make_plan, make_design):
    scores, people = make_waves(
        np.random.default_rng(3), BOTH, shifts={("peer", "post"): -6.0, ("usual", "post"): -2.0}
    )
    results = evaluate(make_plan(outcomes=[PRECISE]), make_design(KIND), scores, people)
    cells = scores.merge(people, on="participant_id").groupby(["arm", "timepoint"])["score"].mean()
    expected = cells["peer", "post"] - cells["peer", "baseline"] - cells["usual", "post"] + cells["usual", "baseline"]
    (found,) = _rows(results, statistic="difference").to_dict("records")
    assert found["value"] == pytest.approx(expected)  # saturated: the difference in differences of plain means
    assert found["n"] == 60.0
    assert "compared by differences from baseline" in found["method"]
    levels = _rows(results, analysis="certainty", statistic="level")["value"].to_list()
    assert levels == [2.0]


@pytest.mark.parametrize(
    ("kind", "extra", "words"),
    [
        ("binary", {"event": {"at_least": 50}}, " Logit link."),
        ("count", {}, " Log link."),
        ("ordinal", {}, " Cumulative logit link."),
    ],
)
def test_what_is_no_score_keeps_its_marginal_model_without_a_working_correlation(
    kind, extra, words, evaluate, make_waves, make_plan, make_design
):
    scores, people = make_waves(np.random.default_rng(3), SIZES, linked=30, shifts={("peer", "post"): -4.0})
    if kind != "binary":
        scores["score"] = (scores["score"] / 20).round().clip(1, 4)
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": kind, **extra}
    results = evaluate(make_plan(LATER, outcomes=[outcome]), make_design(KIND, WAVES, arms=ALONE), scores, people)
    (found,) = _rows(results, statistic="difference").to_dict("records")
    assert found["verdict"] == "estimated"
    assert words in found["method"]
    assert "working correlation" not in found["method"]
    assert set(_rows(results, analysis="model")["statistic"]) == {"marginal_mean", "difference"}


def test_groups_are_clusters_at_every_timepoint(evaluate, make_waves, make_plan, make_design):
    sizes = {key: SIZES[key] for key in list(SIZES)[:2]}
    tables = make_waves(np.random.default_rng(6), sizes, groups=9, group_sd=4.0)
    plan = make_plan(LATER)
    apart, together = (
        _rows(evaluate(plan, make_design(KIND, arms=ALONE, group_arms=arms), *tables), statistic="difference")
        for arms in ((), ("peer",))
    )
    assert apart["value"].to_list() == together["value"].to_list()
    assert "Clusters: scores of people of a group, and of one person." in together["method"].iloc[0]
    assert together["df"].iloc[0] < 9 < apart["df"].iloc[0]
    assert together["std_error"].iloc[0] > apart["std_error"].iloc[0]


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("one_timepoint", lambda scores, people: scores.drop(scores.index[scores["timepoint"] != "post"])),
        ("empty_cell", lambda scores, people: scores.drop(scores.index[scores["timepoint"] == "post"])),
        ("too_few_participants", lambda scores, people: scores.drop(scores.index[9:120])),
        ("covariate_not_asked", lambda scores, people: scores),
        ("constant_outcome", lambda scores, people: scores.assign(score=3.0)),
    ],
)
def test_samples_that_cannot_be_compared_are_refused_with_a_way_out(reason, spoil, make_waves, make_plan, make_design):
    scores, people = make_waves(np.random.default_rng(8), SIZES)
    plan, design = make_plan(LATER), make_design(KIND, WAVES, arms=ALONE)
    assert find_refusals(plan, design, scores=scores, participants=people) == ()
    if reason == "covariate_not_asked":
        first = scores.loc[scores["timepoint"] == "baseline", "participant_id"]
        people.loc[people["participant_id"].isin(first), "age"] = np.nan
    (refusal,) = find_refusals(plan, design, scores=spoil(scores, people), participants=people)
    assert refusal.reason == reason
    assert refusal.explanation.count(". ") >= 1


def test_a_number_and_a_category_are_compared_by_their_spread(make_design, make_plan):
    design = make_design(KIND, arms=ALONE)
    people = pd.DataFrame(
        {
            "participant_id": list("abcdefgh"),
            "arm": "peer",
            "group": "",
            "site": "",
            "age": [20.0, 30, 40, 50, 40, 50, 60, 70],
            "gender": ["w", "w", "m", "m", "w", "w", "w", "m"],
        }
    )
    scores = pd.DataFrame({"participant_id": list("abcdefgh"), "timepoint": ["baseline"] * 4 + ["post"] * 4,
                           "measure": "mood.total", "score": np.arange(8.0)})  # fmt: skip
    found = {
        row.item: row
        for row in compare_samples(outcome_frame(scores, people, design, make_plan().outcomes[0]), "mood", design)
    }
    # Both samples of ages have the variance 500 / 3; of four people two and three are "w".
    assert found["age"].value == pytest.approx(20 / np.sqrt(500 / 3))
    assert found["gender"].value == pytest.approx(0.25 / np.sqrt((0.75 * 0.25 + 0.25) / 2))
    assert (found["gender"].classes, found["gender"].fewest, found["gender"].n) == (2.0, 0.0, 4)
    assert np.isnan(found["age"].classes)


def test_samples_without_spread_are_alike_or_cannot_be_told(make_waves, make_design, make_plan):
    design = make_design(KIND, arms=ALONE)
    scores, people = make_waves(np.random.default_rng(8), {key: SIZES[key] for key in list(SIZES)[:2]})
    for age, expected in (([40.0, 40.0], 0.0), ([40.0, 50.0], np.nan)):
        early = people["participant_id"].isin(scores.loc[scores["timepoint"] == "baseline", "participant_id"])
        constant = people.assign(age=np.where(early, *age))
        frame = outcome_frame(scores, constant, design, make_plan().outcomes[0])
        (row,) = [each for each in compare_samples(frame, "mood", design) if each.item == "age"]
        assert row.value == expected or np.isnan([row.value, expected]).all()


@pytest.mark.parametrize(("older", "differs"), [(0.0, False), (6.0, True)])
def test_samples_of_other_people_are_a_reason_for_doubt(older, differs, evaluate, make_waves, make_plan, make_design):
    many = {cell: 5 * size for cell, size in BOTH.items()}  # so that chance alone makes no large difference
    tables = make_waves(np.random.default_rng(8), many, older=older)
    results = evaluate(make_plan({"covariates": ["age"]}, outcomes=[PRECISE]), make_design(KIND), *tables)
    ages = _rows(results, analysis="composition", item="age")["value"]
    assert (ages.abs() > MOST_DIFFERENT).any() == differs
    certainty = _rows(results, analysis="certainty")
    reasons = certainty[certainty["statistic"] == "reason"]
    assert reasons["method"].str.contains("differed from those at Baseline in: Age").any() == differs
    told = [read_told(*each) for each in zip(reasons["method"], reasons["words"], strict=True)]
    assert [find_unsayable(sentence, {"Age", "Baseline", "Post"}) for sentence in told] == [[]] * len(told)
    assert not reasons["method"].str.contains("have no score").any()
    assert _rows(certainty, statistic="level")["value"].to_list() == [1.0 if differs else 2.0]


def test_one_arm_alone_is_never_more_than_very_low(evaluate, make_waves, make_plan, make_design):
    tables = make_waves(np.random.default_rng(8), SIZES)
    results = evaluate(make_plan(LATER), make_design(KIND, WAVES, arms=ALONE), *tables)
    certainty = _rows(results, analysis="certainty")
    assert _rows(certainty, statistic="level")["value"].to_list() == [1.0]
    assert "no comparison arm" in certainty["method"].iloc[1]


def test_nobody_is_compared_with_themselves_in_measurement(
    make_library, make_waves, make_plan, make_design, no_delivered
):
    design = make_design(KIND, arms=ALONE)
    scores, people = make_waves(np.random.default_rng(8), {key: SIZES[key] for key in list(SIZES)[:2]}, linked=100)
    rng = np.random.default_rng(1)
    answers = scores[["participant_id", "timepoint"]].merge(pd.DataFrame({"item": ["1", "2", "3"]}), how="cross")
    responses = answers.assign(instrument="mood", value=rng.integers(0, 4, len(answers)).astype(float))
    measures = {"mood.total": Measure("mood.total", "Mood", "mood", 0, 9, "better", "mood")}
    followed = make_design("single_group")
    for one, expected in ((design, set()), (followed, {"agreement_with_first", "invariance_level"})):
        results = evaluate_plan(
            make_plan(LATER),
            type(one)(
                kind=one.kind, timepoints=one.timepoints, arms=one.arms, covariates=one.covariates, measures=measures
            ),
            scores=scores,
            delivered=no_delivered,
            participants=people,
            responses=responses,
            library=make_library(),
        )
        statistics = set(_rows(results, analysis="reliability")["statistic"])
        assert "cronbach_alpha" in statistics
        assert statistics & {"agreement_with_first", "invariance_level"} == expected


def test_intervals_cover_the_truth_though_some_are_linked_and_samples_differ(make_waves, make_plan, make_design):
    design, plan = make_design(KIND, arms=ALONE), make_plan(LATER)
    sizes = {("peer", "baseline"): 25, ("peer", "post"): 60}
    found = []
    for seed in np.random.SeedSequence(20260302).spawn(STUDIES):
        tables = make_waves(np.random.default_rng(seed), sizes, linked=12, shifts={("peer", "post"): TRUTH}, older=5.0)
        frame = outcome_frame(*tables, design, plan.outcomes[0])
        (row,) = [each for each in estimate_outcome(plan.outcomes[0], frame, plan, design) if each.estimand]
        found.append(row)
    covered = np.mean([each.conf_low <= TRUTH <= each.conf_high for each in found])
    values = np.array([each.value for each in found])
    assert abs(covered - 0.95) <= COVERAGE_MARGIN
    assert abs(values.mean() - TRUTH) <= 3 * values.std(ddof=1) / np.sqrt(STUDIES)

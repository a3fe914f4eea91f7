"""Stepped wedge: the model against lmerTest, what it is asked, and every refusal."""

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, Covariate, Measure, Plan, StudyDesign, Timepoint, find_refusals
from analysis.certainty import START
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.plan_checks import find_misfits
from analysis.stepped_wedge import REFUSALS, SIDES

TIMEPOINTS = ("t0", "t1", "t2", "t3")
SEQUENCES = {"first": 1, "second": 2, "third": 3}
TO_R = 1e-6
"""Coefficients: lme4 stops a little before the optimum."""
TO_R_SPREAD = 1e-3
"""Standard errors and degrees of freedom of Kenward and Roger."""
SAME = 1e-9
"""Sums of the same model, added up in another order."""

LMERTEST = {
    "t3": (-3.610232047802, 1.120809675900, 118.770774236),
    "t2": (-4.312940251803, 1.146116573334, 83.023673618),
}
"""Estimate, standard error and df of ``x`` with R 4.2.2 and lmerTest 3.1.3, on the scores up to that timepoint:
summary(lmer(score ~ timepoint + x + (1 | group) + (1 | participant_id), REML = TRUE, control = lmerControl(optimizer =
"bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-12, maxfun = 1e5))), ddf = "Kenward-Roger")"""


def make_design(**more) -> StudyDesign:
    arms = tuple(Arm(name, name.capitalize(), starts=f"t{step}") for name, step in SEQUENCES.items())
    given = {
        "kind": "stepped_wedge",
        "timepoints": tuple(Timepoint(name, name.upper(), 6.0 * place) for place, name in enumerate(TIMEPOINTS)),
        "arms": arms,
        "group_arms": tuple(SEQUENCES),
        "groups_drawn": True,
        "covariates": (Covariate("age", "Age", "number"),),
        "measures": {"m": Measure("m", "M", "mood", 0, 100, "worse")},
    }
    return StudyDesign(**(given | more))


def make_plan(timepoint: str = "t3", contrast: str = "programme - before", outcome: dict | None = None, **more) -> Plan:
    asked = {"id": "a", "outcome": "mood", "contrast": contrast, "timepoint": timepoint} | more
    mood = {"id": "mood", "measure": "m", "role": "primary"} | (outcome or {})
    return Plan.model_validate({"sap": 1, "outcomes": [mood], "estimands": [asked]})


def make_wedge(per_group: int = 8, groups: int = 6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups, as many of each sequence, whose people leave out one score in seven after the first."""
    rng = np.random.default_rng(5)
    people, scores = [], []
    for group in range(groups):
        arm, of_group = list(SEQUENCES)[group % 3], rng.normal(0, 2)
        for _ in range(per_group):
            name, of_person = f"p{len(people):03}", rng.normal(0, 3)
            people.append({"participant_id": name, "arm": arm, "group": f"g{group}", "site": ""})
            for place, timepoint in enumerate(TIMEPOINTS):
                if place and rng.random() < 0.15:
                    continue
                score = 50 - place - 3 * (place > group % 3) + of_group + of_person + rng.normal(0, 4)
                key = {"participant_id": name, "timepoint": timepoint, "measure": "m"}
                scores.append(key | {"score": round(score, 2)})
    return pd.DataFrame(scores), pd.DataFrame(people)


def answers(scores, people, plan=None, design=None):
    plan, design = plan or make_plan(), design or make_design()
    frame = outcome_frame(scores, people, design, plan.outcomes[0])
    return estimate_outcome(plan.outcomes[0], frame, plan, design)


def answer(*args, **kwargs):
    (row,) = [row for row in answers(*args, **kwargs) if row.estimand]
    return row


def numbers(row):
    return row.value, row.std_error, row.df, row.n


@pytest.mark.parametrize("timepoint", LMERTEST)
def test_the_difference_is_that_of_lmertest(timepoint):
    row = answer(*make_wedge(), make_plan(timepoint))
    value, std_error, df = LMERTEST[timepoint]
    assert row.value == pytest.approx(value, abs=TO_R)
    assert row.std_error == pytest.approx(std_error, rel=TO_R_SPREAD)
    assert row.df == pytest.approx(df, rel=TO_R_SPREAD)
    assert (row.statistic, row.verdict) == ("difference", "estimated")
    assert "whether the group had the programme" in row.method
    assert "Random intercept per participant. Random intercept per group. " in row.method


def test_means_are_of_cells_that_were_observed_and_differ_by_the_programme_and_time_only():
    rows = answers(*make_wedge())
    (asked,) = [row for row in rows if row.estimand]
    means = {(row.arm, row.timepoint): row.value for row in rows if row.statistic == "marginal_mean"}
    assert len(means) == len(TIMEPOINTS) * len(SEQUENCES)
    assert means["first", "t1"] - means["third", "t1"] == pytest.approx(asked.value, abs=SAME)
    assert means["second", "t1"] == means["third", "t1"]
    assert means["first", "t3"] == means["third", "t3"]


def test_what_comes_after_the_timepoint_has_no_bearing():
    scores, people = make_wedge()
    earlier = answer(scores[scores["timepoint"] != "t3"], people, make_plan("t2"))
    spoilt = scores.assign(score=scores["score"].where(scores["timepoint"] != "t3", 0.0))
    assert numbers(answer(spoilt, people, make_plan("t2"))) == numbers(earlier)


def test_the_number_of_people_is_that_of_the_side_with_fewer():
    scores, people = make_wedge()
    arms = people.set_index("participant_id")["arm"]
    begun = scores["timepoint"].str[1].astype(int) >= scores["participant_id"].map(arms).map(SEQUENCES)
    on_side = [scores.loc[begun == side, "participant_id"].nunique() for side in (True, False)]
    assert answer(scores, people).n == min(on_side)


def test_the_difference_of_shares_is_the_average_over_timepoints_of_statsmodels_gee():
    import statsmodels.api as sm

    scores, people = make_wedge(groups=18)
    event = {"kind": "binary", "event": {"at_least": 47}}
    row = answer(scores, people, make_plan(outcome=event))
    long = scores.merge(people, on="participant_id")
    at = long["timepoint"].str[1].astype(int)
    x = (at >= long["arm"].map(SEQUENCES)).to_numpy(dtype=float)
    design = np.column_stack([np.ones(len(long)), *(at == place for place in (1, 2, 3)), x]).astype(float)
    order = np.argsort(long["group"].to_numpy(), kind="stable")
    fitted = sm.GEE(
        (long["score"] >= 47).to_numpy(dtype=float)[order],
        design[order],
        groups=long["group"].to_numpy()[order],
        family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Exchangeable(),
    ).fit()
    expit = sm.families.links.Logit().inverse
    steps = np.array([0.0, *fitted.params[1:4]]) + fitted.params[0]
    expected = 100 * np.mean(expit(steps + fitted.params[4]) - expit(steps))
    assert row.value == pytest.approx(expected, abs=1e-3)  # both stop their iterations


def _nobody_has_begun(scores, people):
    return {"design": make_design(arms=tuple(Arm(name, name, starts="t3") for name in SEQUENCES)), "timepoint": "t2"}


def _two_groups(scores, people):
    people["group"] = people["arm"].map({"first": "a", "second": "b", "third": "c"})
    third = people.loc[people["arm"] == "third", "participant_id"]
    scores.loc[scores["participant_id"].isin(third), "score"] = np.nan
    return {}


def _nothing_before(scores, people):
    first = people.loc[people["arm"] == "first", "participant_id"]
    scores.loc[scores["participant_id"].isin(first) & (scores["timepoint"] == "t0"), "score"] = np.nan
    return {}


def _no_others(scores, people):
    return {"design": make_design(arms=tuple(Arm(name, name, starts="t3") for name in SEQUENCES))}


def _few_on_a_side(scores, people):
    first = people.loc[people["arm"] == "first", "participant_id"]
    early = scores["timepoint"].isin(["t1"]) & scores["participant_id"].isin(first.iloc[9:])
    scores.loc[early, "score"] = np.nan
    return {"timepoint": "t1"}


def _without_group(scores, people):
    people.loc[0, "group"] = ""
    return {}


def _group_of_two_sequences(scores, people):
    people.loc[people["group"] == "g1", "group"] = "g0"
    return {}


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("nobody_has_begun", _nobody_has_begun),
        ("too_few_clusters_to_step", _two_groups),
        ("sequence_on_one_side", _nothing_before),
        ("time_not_separate", _no_others),
        ("too_few_on_a_side", _few_on_a_side),
        ("people_without_group", _without_group),
        ("group_in_two_arms", _group_of_two_sequences),
    ],
)
def test_a_wedge_is_refused_for_its_reason_with_a_way_out(reason, spoil):
    scores, people = make_wedge()
    given = spoil(scores, people)
    plan, design = make_plan(given.get("timepoint", "t3")), given.get("design", make_design())
    (refusal,) = find_refusals(plan, design, scores=scores, participants=people)
    assert refusal.reason == reason
    assert refusal.explanation.count(". ") >= 1
    assert "{" not in refusal.explanation
    assert answer(scores, people, plan, design).verdict == f"refused:{reason}"


def test_every_refusal_of_a_wedge_has_a_test():
    marks = test_a_wedge_is_refused_for_its_reason_with_a_way_out.pytestmark
    assert set(REFUSALS) <= {case[0] for case in marks[0].args[1]}


def test_a_sequence_that_never_begins_is_compared_with():
    arms = (*make_design().arms[:2], Arm("third", "Third"))
    design = make_design(arms=arms)
    scores, people = make_wedge()
    row = answer(scores, people, make_plan("t2"), design)
    assert numbers(row) == numbers(answer(scores, people, make_plan("t2")))
    assert answer(scores, people, make_plan(), design).value != answer(scores, people).value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contrast": "second - first"}, "Write 'programme - before'"),
        ({"model": "mmrm"}, "Write 'model: mixed_model'"),
        ({"timepoint": "t0"}, "is the baseline"),
    ],
)
def test_a_plan_of_a_wedge_asks_for_time_with_the_programme_and_before(changes, words):
    (finding,) = find_misfits(make_plan(**changes), make_design())
    assert words in f"{finding.message} {finding.how_to_fix}"


def test_a_wedge_starts_as_a_randomised_study_and_its_sides_are_no_arms():
    assert START["stepped_wedge"] == START["randomised"]
    assert find_misfits(make_plan(), make_design()) == []
    assert not set(SIDES) & set(SEQUENCES)


def test_two_timepoints_of_a_plan_are_two_models():
    scores, people = make_wedge()
    plan = make_plan().model_dump(exclude_unset=True)
    plan["estimands"].append(plan["estimands"][0] | {"id": "b", "timepoint": "t2"})
    found = {row.estimand: row for row in answers(scores, people, Plan.model_validate(plan)) if row.estimand}
    assert numbers(found["b"]) == numbers(answer(scores, people, make_plan("t2")))
    assert numbers(found["a"]) == numbers(answer(scores, people))

"""Whole groups drawn by lot: the model against lmerTest, the permutation test against a count by hand, refusals."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, Covariate, Measure, Plan, StudyDesign, Timepoint, find_refusals
from analysis.certainty import derive_certainty
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.permutation_part import ENOUGH_CLUSTERS, REFUSALS, permute_allocations, reasons_of_permutation

TIMEPOINTS = ("baseline", "post", "late")
TO_R = 1e-6
"""Coefficients: lme4 stops a little before the optimum."""
TO_R_SPREAD = 1e-3
"""Standard errors and degrees of freedom of Kenward and Roger."""
EXACT = 1e-12
"""Shares of the same counts."""

LMERTEST = (-1.751063160742, 1.373915894729, 11.412382133)
"""Estimate, standard error and df of the difference at the last timepoint with R 4.2.2 and lmerTest 3.1.3:
m <- lmer(score ~ timepoint + I(post * peer) + I(late * peer) + (0 + later | group) + (1 | participant_id)), post, late and later
being 1 at that timepoint or after baseline and 0 otherwise; summary(m, ddf = "Kenward-Roger"), optimised as in
test_stepped_wedge."""


def make_design(
    kind: str = "randomised", *, drawn: bool = True, meets: Sequence[str] = ("peer", "usual")
) -> StudyDesign:
    waits = {"starts": "post"} if kind == "waitlist" else {}
    return StudyDesign(
        kind=kind,
        timepoints=tuple(Timepoint(name, name, 8.0 * place) for place, name in enumerate(TIMEPOINTS)),
        arms=(Arm("peer", "Peer"), Arm("usual", "Usual", is_reference=True, **waits)),
        group_arms=tuple(meets),
        groups_drawn=drawn,
        covariates=(Covariate("age", "Age", "number"), Covariate("gender", "Gender", "category", ("w", "m"))),
        measures={"m": Measure("m", "M", "mood", 0, 100, "worse")},
    )


def make_plan(*, sensitivity: Sequence[str] = (), **more) -> Plan:
    asked = {"id": "a", "outcome": "mood", "contrast": "peer - usual", "timepoint": "late"} | more
    mood = {"id": "mood", "measure": "m", "role": "primary"}
    return Plan.model_validate({"sap": 1, "outcomes": [mood], "estimands": [asked], "sensitivity": list(sensitivity)})


def make_trial(
    groups: int = 5, *, effect: float = -3.0, group_sd: float = 1.5, seed: int = 8
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups of 8 in each arm, of whom one score in seven after the first is missing."""
    rng = np.random.default_rng(seed)
    people, scores = [], []
    for group in range(2 * groups):
        arm, of_group = ("peer", "usual")[group % 2], rng.normal(0, group_sd)
        for _ in range(8):
            name, of_person = f"p{len(people):03}", rng.normal(0, 3)
            facts = {"age": float(rng.integers(20, 70)), "gender": str(rng.choice(["w", "m"]))}
            people.append({"participant_id": name, "arm": arm, "group": f"g{group}", "site": ""} | facts)
            for place, timepoint in enumerate(TIMEPOINTS):
                if place and rng.random() < 0.15:
                    continue
                shift = effect if place and arm == "peer" else 0.0
                score = 50 - place + shift + of_group * (place > 0) + of_person + rng.normal(0, 3)
                key = {"participant_id": name, "timepoint": timepoint, "measure": "m"}
                scores.append(key | {"score": round(score, 2)})
    return pd.DataFrame(scores), pd.DataFrame(people)


def evaluate(tables: tuple[pd.DataFrame, pd.DataFrame], plan: Plan, design: StudyDesign) -> Evaluation:
    scores, people = tables
    frame = outcome_frame(scores, people, design, plan.outcomes[0])
    return Evaluation(
        plan=plan,
        design=design,
        library={},
        scores=scores,
        participants=people,
        responses=pd.DataFrame(),
        sessions=None,
        events=pd.DataFrame(),
        frames={"mood": frame},
        answers=estimate_outcome(plan.outcomes[0], frame, plan, design),
        measurement=(),
    )


def permute(tables, plan=None, design=None) -> Mapping[str, object]:
    evaluation = evaluate(tables, plan or make_plan(), design or make_design())
    return {row.statistic: row for row in permute_allocations(evaluation)}


def test_the_difference_is_that_of_lmertest():
    evaluation = evaluate(make_trial(), make_plan(), make_design())
    row = evaluation.answer(evaluation.plan.estimands[0])
    value, std_error, df = LMERTEST
    assert row.value == pytest.approx(value, abs=TO_R)
    assert row.std_error == pytest.approx(std_error, rel=TO_R_SPREAD)
    assert row.df == pytest.approx(df, rel=TO_R_SPREAD)
    assert "Random intercept per group, after baseline." in row.method


@pytest.mark.parametrize("covariates", [[], ["age", "gender"]])
def test_the_permutation_test_is_a_count_of_all_allocations(covariates):
    scores, people = make_trial(effect=-2.0)
    found = permute((scores, people), make_plan(covariates=covariates))
    wide = scores.pivot_table(index="participant_id", columns="timepoint", values="score").join(
        people.set_index("participant_id")
    )
    wide = wide.dropna(subset=["baseline", "late"])
    known = [np.ones(len(wide)), wide["baseline"]]
    if covariates:
        known += [wide["age"], wide["gender"] == "m"]
    matrix = np.column_stack(known).astype(float)
    left = wide["late"] - matrix @ (np.linalg.pinv(matrix) @ wide["late"].to_numpy())
    means = left.groupby(wide["group"]).mean()
    in_peer = set(wide.loc[wide["arm"] == "peer", "group"])
    differences = {
        chosen: means[list(chosen)].mean() - means.drop(list(chosen)).mean() for chosen in combinations(means.index, 5)
    }
    real = next(value for chosen, value in differences.items() if set(chosen) == in_peer)
    share = np.mean([abs(value) >= abs(real) - 1e-9 for value in differences.values()])
    assert found["p_value"].value == pytest.approx(share, abs=EXACT)
    assert found["difference"].value == pytest.approx(real)
    assert found["allocations"].value == len(differences) == 252
    assert found["smallest_p_value"].value == pytest.approx(2 / 252)
    assert found["fewest_units"].value == 5
    assert found["p_value"].n == wide["arm"].value_counts().min()


def test_people_are_drawn_anew_where_people_were_drawn():
    design = make_design(drawn=False, meets=())
    assert permute(make_trial(), make_plan(), design) == {}
    found = permute(make_trial(effect=-6.0), make_plan(sensitivity=["permutation"]), design)
    assert found["p_value"].value < 0.001
    assert found["p_value"].n > 20
    assert set(found) == {"difference", "p_value"}  # how many people could change places would tell how many there are
    assert "people drawn anew" in found["p_value"].method


def test_the_same_tables_give_the_same_share():
    design, plan = make_design(drawn=False, meets=()), make_plan(sensitivity=["permutation"])
    first, second = (permute(make_trial(effect=-0.5), plan, design)["p_value"].value for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("reason", "design"),
    [
        ("not_by_lot", make_design("matched_comparison", drawn=False, meets=())),
        ("person_without_cluster", make_design(drawn=False, meets=["peer"])),
    ],
)
def test_lots_that_were_not_drawn_are_not_drawn_anew(reason, design):
    (row,) = permute(make_trial(), make_plan(sensitivity=["permutation"]), design).values()
    assert row.verdict == f"refused:{reason}"
    assert row.method == REFUSALS[reason]
    assert np.isnan(row.value)


def test_with_few_groups_the_permutation_test_decides():
    few = evaluate(make_trial(3, effect=-12.0, group_sd=0.5), make_plan(), make_design())
    found = tuple(permute_allocations(few))
    row = few.answer(few.plan.estimands[0])
    assert row.conf_high < 0
    by_name = {each.statistic: each.value for each in found}
    assert by_name["p_value"] == by_name["smallest_p_value"] == pytest.approx(2 / 20)
    (reason,) = reasons_of_permutation(few.plan.outcomes[0], few, found)
    assert reason.kind == "permutation"
    assert f"Fewer than {ENOUGH_CLUSTERS} groups" in reason.sentence
    told = [row.method for row in derive_certainty(few.plan.outcomes[0], few, found)]
    assert reason.sentence in told


def test_with_enough_groups_or_without_a_clear_answer_it_does_not():
    for tables in (make_trial(5, effect=-12.0), make_trial(3, effect=0.0, group_sd=3.0)):
        evaluation = evaluate(tables, make_plan(), make_design())
        found = tuple(permute_allocations(evaluation))
        assert len(found) == 5
        assert list(reasons_of_permutation(evaluation.plan.outcomes[0], evaluation, found)) == []


def _without_group(people):
    people.loc[0, "group"] = ""


def _in_two_arms(people):
    people.loc[people["group"] == "g1", "group"] = "g0"


@pytest.mark.parametrize(
    ("reason", "spoil"), [("people_without_group", _without_group), ("group_in_two_arms", _in_two_arms)]
)
def test_groups_drawn_by_lot_are_whole(reason, spoil):
    scores, people = make_trial()
    assert find_refusals(make_plan(), make_design(), scores=scores, participants=people) == ()
    spoil(people)
    (refusal,) = find_refusals(make_plan(), make_design(), scores=scores, participants=people)
    assert refusal.reason == reason
    assert refusal.explanation.count(". ") >= 1
    assert find_refusals(make_plan(), make_design(drawn=False), scores=scores, participants=people) == ()


def test_groups_of_a_waiting_list_may_be_drawn_too():
    design = make_design("waitlist")
    assert design.is_cluster_randomised
    assert "fewest_units" in permute(make_trial(), make_plan(timepoint="post"), design)

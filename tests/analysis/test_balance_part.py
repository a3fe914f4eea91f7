"""How alike compared people were, and the E-value, as rows: against R, the gate, and the certainty."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.balance_part import (
    AFTER,
    BEFORE,
    E_VALUE,
    E_VALUE_OF_LIMIT,
    EFFECTIVE,
    LEFT_OUT,
    reasons_of_balance,
    tell_balance,
    tell_unmeasured,
)
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.results import results_table
from reports import gate_results

from .said_again import find_unsayable
from .unlike_people import design_of, invent_tables, plan_of

# Results keep six decimals of a standardised difference; R's values were printed with twelve digits.
SIX_DECIMALS, SAME_AS_R = 1e-6, 1e-8
# R 4.2.2, base alone, with the weights of test_weighted_model.py: differences of (weighted) means over
# sqrt((v1 + v0) / 2), v by var() or p (1 - p); sum(w)^2 / sum(w^2); E-value by hand from exp(.91 d), d over the pooled
# standard deviation of base.
BEFORE_IN_R = {"age": 0.375606216032, "score:baseline": 0.350437663936, "town": 0.322010963136}
TOWN_AFTER_WITHOUT_IT_IN_R = 0.364546859164
EFFECTIVE_IN_R = {"peer": 100 * 30.479608242 / 34, "usual": 100 * 27.421979699 / 30}
E_VALUES_IN_R = (2.79655500203, 1.84734850765)
RATIO_IN_R = (0.873330298149, 0.608080099241, 1.254285102601)


def evaluation_of(plan, design, tables=None) -> Evaluation:
    scores, people = tables or invent_tables()
    frames = {each.id: outcome_frame(scores, people, design, each) for each in plan.outcomes}
    answers = [row for each in plan.outcomes for row in estimate_outcome(each, frames[each.id], plan, design)]
    empty = pd.DataFrame()
    return Evaluation(
        plan=plan, design=design, library={}, scores=scores, participants=people, responses=empty, sessions=None,
        events=empty, frames=frames, answers=[row for row in answers if row.analysis == "model"], measurement=(),
    )  # fmt: skip


def told(part, *plan_and_design, tables=None):
    return list(part(evaluation_of(*plan_and_design, tables)))


def values(rows, statistic, key="item"):
    return {getattr(row, key): row.value for row in rows if row.statistic == statistic}


def reasons(*plan_and_design, tables=None):
    evaluation = evaluation_of(*plan_and_design, tables)
    found = reasons_of_balance(evaluation.plan.outcomes[0], evaluation, list(tell_balance(evaluation)))
    return {reason.kind: reason.sentence for reason in found}


def test_differences_before_and_effective_sizes_are_those_of_r():
    rows = told(tell_balance, plan_of(), design_of())
    assert values(rows, BEFORE) == pytest.approx(BEFORE_IN_R, abs=SIX_DECIMALS)
    assert values(rows, AFTER) == {"age": 0.0, "town": 0.0, "score:baseline": 0.0}
    assert values(rows, EFFECTIVE, "arm") == pytest.approx(EFFECTIVE_IN_R, abs=SAME_AS_R * 100)
    assert {row.n for row in rows if row.statistic == BEFORE} == {30}
    assert [row.n for row in rows if row.statistic == EFFECTIVE] == [34, 30]


def test_a_covariate_that_is_not_adjusted_for_is_looked_at_too_and_weakens_the_certainty():
    plan = plan_of({"covariates": ["age"]})
    after = values(told(tell_balance, plan, design_of()), AFTER)
    assert after == pytest.approx({"age": 0, "score:baseline": 0, "town": TOWN_AFTER_WITHOUT_IT_IN_R}, abs=SIX_DECIMALS)
    assert reasons(plan, design_of()) == {"balance": "Weighted, the arms still differed in: Place."}
    assert reasons(plan_of(), design_of()) == {}


def test_a_matched_comparison_tells_how_its_arms_were_to_begin_with():
    plan, design = plan_of(), design_of("matched_comparison")
    rows = told(tell_balance, plan, design)
    assert values(rows, BEFORE) == pytest.approx(BEFORE_IN_R, abs=SIX_DECIMALS)
    assert {row.statistic for row in rows} == {BEFORE}
    assert reasons(plan, design) == {"balance": "The arms differed much in: Age, Place and the score at Start."}


def test_a_difference_counts_whichever_way_it_goes():
    scores, people = invent_tables()
    turned = (scores, people.assign(age=-people["age"]))
    plan, design = plan_of(), design_of("matched_comparison")
    assert values(told(tell_balance, plan, design, tables=turned), BEFORE)["age"] < -0.25
    assert "Age" in reasons(plan, design, tables=turned)["balance"]


@pytest.mark.parametrize("kind", ["randomised", "repeated_cross_section"])
def test_of_other_designs_nothing_is_told(kind):
    plan = plan_of()
    assert told(tell_balance, plan, design_of(kind)) == []
    assert told(tell_unmeasured, plan, design_of(kind)) == []


def test_arms_with_little_in_common_weaken_the_certainty():
    scores, people = invent_tables()
    rng = np.random.default_rng(3)
    apart = people.assign(age=np.where(people["arm"] == "peer", 54, 40) + rng.normal(0, 6, len(people)))
    plan = plan_of(small_numbers={"fewest_per_arm": 5})
    assert "no like in the other arm" in reasons(plan, design_of(), tables=(scores, apart))["overlap"]
    assert "overlap" not in reasons(plan, design_of())


def test_e_values_are_those_of_r():
    rows = told(tell_unmeasured, plan_of(), design_of())
    assert [row.statistic for row in rows] == [E_VALUE, E_VALUE_OF_LIMIT]
    assert [row.value for row in rows] == pytest.approx(E_VALUES_IN_R, abs=1e-6)
    assert {row.n for row in rows} == {30}


def test_the_e_value_of_a_share_is_of_the_ratio_of_weighted_shares():
    plan = plan_of(outcome={"kind": "binary", "event": {"at_least": 20}})
    rows = told(tell_unmeasured, plan, design_of())
    turned = 1 / RATIO_IN_R[0]
    assert rows[0].value == pytest.approx(turned + math.sqrt(turned * (turned - 1)), abs=1e-6)
    assert rows[1].value == 1.0
    assert rows[0].fewest == 5  # people of the peer arm below the border at the start


@pytest.mark.parametrize(
    ("kind", "outcome", "verdict"),
    [
        ("matched_comparison", {"kind": "binary", "event": {"at_least": 20}}, "refused:no_ratio"),
        ("comparison", {"kind": "count"}, "refused:no_ratio"),
    ],
)
def test_without_a_ratio_there_is_a_sentence_instead(kind, outcome, verdict):
    (row,) = told(tell_unmeasured, plan_of(outcome=outcome), design_of(kind))
    assert row.verdict == verdict
    assert "Ask for one of these as a further estimand" in row.method
    assert np.isnan(row.value)


def test_a_baseline_that_does_not_vary_gives_no_e_value():
    scores, people = invent_tables()
    same = scores.assign(score=scores["score"].mask(scores["timepoint"] == "baseline", 20.0))
    (row,) = told(tell_unmeasured, plan_of(), design_of(), tables=(same, people))
    assert (row.verdict, row.statistic) == ("refused:ratio_not_possible", E_VALUE)
    assert "do not vary" in row.method


@pytest.mark.parametrize(("unknown", "limit"), [(0, 5.0), (3, 5.0), (9, 5.0), (12, 100.0)])
def test_how_many_were_left_out_is_told_so_coarsely_that_nobody_can_count_them(unknown, limit):
    scores, people = invent_tables()
    peers = people.index[people["arm"] == "peer"][:unknown]
    rows = told(
        tell_balance,
        plan_of(),
        design_of(),
        tables=(scores, people.assign(age=people["age"].mask(people.index.isin(peers)))),
    )
    assert values(rows, LEFT_OUT, "arm") == {"peer": limit, "usual": 5.0}


def test_the_gate_hides_what_few_people_of_a_level_could_be_told_from():
    scores, people = invent_tables()
    few = people.assign(town=np.where(people.index < 6, people["town"], "village"))
    rows = told(tell_balance, plan_of({"covariates": ["age"]}), design_of(), tables=(scores, few))
    gated = gate_results(results_table(rows), "threshold-10").set_index(["item", "statistic"])
    assert gated.loc[("town", BEFORE), "hidden"]
    assert not gated.loc[("age", BEFORE), "hidden"]
    assert gated["n"].isna().all()
    assert not gate_results(results_table(rows), "none")["hidden"].any()


def test_no_method_gives_a_number_of_people_or_of_the_result():
    rows = [*told(tell_balance, plan_of(), design_of()), *told(tell_unmeasured, plan_of(), design_of())]
    known = {"2015", "1965", "2017", "exp(0.91"}
    found = {word.strip("().,;") for row in rows for word in row.method.split() if any(sign.isdigit() for sign in word)}
    assert found <= known
    keys = [(row.estimand, row.analysis, row.arm, row.timepoint, row.item, row.statistic, row.method) for row in rows]
    assert len(set(keys)) == len(keys)


def test_what_is_told_of_unlike_arms_can_be_said_in_other_languages():
    weighted, matched = (plan_of(), design_of()), (plan_of(), design_of("matched_comparison"))
    rows = [
        row for study in (weighted, matched) for part in (tell_balance, tell_unmeasured) for row in told(part, *study)
    ]
    said = [row.method for row in rows]
    said += [*reasons(*matched).values(), *reasons(plan_of({"covariates": ["age"]}), design_of()).values()]
    assert [problem for text in said for problem in find_unsayable(text, {"Age", "Place", "Start"})] == []
    assert len(set(said)) >= 6

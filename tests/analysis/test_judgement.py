"""Adjusted p-values and certainty: what the numbers are allowed to mean."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis import Plan, Result, certainty, certainty_measurement
from analysis.certainty import derive_certainty
from analysis.certainty_reasons import DOMAIN_OF, DOMAINS, Kind, Reason
from analysis.design import DesignKind
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.multiplicity import adjust_p_values
from analysis.plan_parts import Family
from pipelines.study import Study

from .said_again import find_unsayable

P_VALUE_TOLERANCE = 1e-12
SMALLEST = {"value": 3, "source": "declared for the test"}
CLEAR = Result(
    analysis="model",
    statistic="difference",
    estimand="mood_post",
    outcome="mood",
    timepoint="post",
    value=-5.0,
    conf_low=-7.0,
    conf_high=-3.5,
    n=40,
    verdict="estimated",
    prespecified=True,
)


def test_holm_is_that_of_a_calculation_by_hand():
    family = Family(id="family", members=["a", "b", "c", "d"], adjust="holm")
    found = adjust_p_values({"a": 0.010, "b": 0.040, "c": 0.030, "d": 0.005}, [family])
    # Sorted: 0.005 x 4, 0.010 x 3, 0.030 x 2, 0.040 x 1, none below the one before it.
    assert found == pytest.approx({"d": 0.020, "a": 0.030, "c": 0.060, "b": 0.060}, abs=P_VALUE_TOLERANCE)


def test_a_member_without_a_p_value_keeps_its_place_in_the_family():
    family = Family(id="family", members=["a", "b"], adjust="holm")
    found = adjust_p_values({"a": 0.03, "b": np.nan}, [family])
    assert found["a"] == pytest.approx(0.06, abs=P_VALUE_TOLERANCE)
    assert np.isnan(found["b"])


def test_no_adjustment_keeps_the_p_value_and_no_family_gives_none():
    found = adjust_p_values({"a": 0.03, "b": 0.2}, [Family(id="family", members=["a"], adjust="none")])
    assert found["a"] == 0.03
    assert np.isnan(found["b"])


@pytest.fixture
def judge(make_trial, make_design, make_plan, make_library, no_responses, monkeypatch):
    """A function that gives the certainty rows of a sound trial with one thing changed.

    Its scores are as if read in a laboratory, unless `knows` says that people who know give them.
    """

    def rows(
        *answers,
        kind="randomised",
        scoring="confirmed",
        alpha=0.9,
        design=None,
        outcome=None,
        profile="threshold-10",
        measured=(),
        agreed=None,
        keep=None,
        knows=False,
        gone_late=None,
        **trial,
    ):
        read = frozenset() if knows else frozenset({"mood"})
        monkeypatch.setattr(certainty_measurement, "READ_IN_A_LABORATORY", read)
        timepoints = ("baseline", "post") if gone_late is None else ("baseline", "post", "late")
        design = design or make_design(kind, timepoints)
        smallest = {"smallest_meaningful_change": SMALLEST}
        plan = make_plan(
            *([] if gone_late is None else [{}, {"id": "mood_late", "timepoint": "late"}]),
            outcomes=[{"id": "mood", "measure": "mood.total", "role": "primary"} | (outcome or smallest)],
            small_numbers={"profile": profile},
        )
        trial = trial | ({"per_arm": keep[0]} if keep else {})
        scores, people = make_trial(np.random.default_rng(9), timepoints=timepoints, **trial)
        gone = people.loc[people["arm"] == "usual", "participant_id"].head(gone_late or 0)
        scores = scores[(scores["timepoint"] != "late") | ~scores["participant_id"].isin(gone)]
        if keep is not None:
            stay = people.groupby("arm").head(keep[1])["participant_id"]
            scores = scores[(scores["timepoint"] == "baseline") | scores["participant_id"].isin(stay)]
        own = {"outcome": "mood.total", "timepoint": "baseline", "n": 120}
        reliability = Result(analysis="reliability", statistic="cronbach_alpha", **own | {"value": alpha})
        evaluation = Evaluation(
            plan=plan,
            design=design,
            library=make_library(scoring),
            scores=scores,
            participants=people,
            responses=no_responses,
            sessions=None,
            events=pd.DataFrame(),
            frames={"mood": outcome_frame(scores, people, design, plan.outcomes[0])},
            answers=answers or [CLEAR],
            measurement=[reliability, *(Result(analysis="reliability", **own | each) for each in measured)],
        )
        return list(derive_certainty(plan.outcomes[0], evaluation, list(_agreement(agreed or {}))))

    return rows


def _agreement(counts):
    for statistic, (totals, people) in counts.items():
        yield Result(analysis="score_agreement", statistic=statistic, outcome="mood.total", value=totals, n=people)


def told(rows):
    """Return the level, and the sentence of each reason, which any language can say."""
    assert [find_unsayable(row.method, {"Baseline", "Post", "Peer support", "Usual care"}) for row in rows[1:]] == [
        []
    ] * len(rows[1:])
    return (rows[0].value, [row.method for row in rows[1:]]) if rows else (None, [])


def kinds(rows):
    """Return the kind of each reason, and the levels that it takes."""
    return [(row.item, row.value) for row in rows[1:]]


MANY_AT_THE_TOP = {"statistic": "score_ceiling_share", "value": 0.15}
TOTALS = {"compared": (240, 120), "equal": (190, 110), "different": (50, 40)}
WEAKNESSES = {
    "missing": ({"missing": 0.35}, "More than 20\u00a0% of the people in Usual care have no score at Post, and"),
    "imprecise": (
        {"answer": {"conf_low": -3.0, "conf_high": 0.0}},
        "At Post there may be no difference, or one that people notice.",
    ),
    "imprecise at the other end": (
        {"answer": {"conf_low": -0.5, "conf_high": 3.1}},
        "may be no difference, or one that people notice.",
    ),
    "imprecise by several questions": (
        {"answer": {"p_adjusted": 0.06}},
        "At Post there may be no difference, or one that people notice.",
    ),
    "imprecise about what people notice": (
        {"answer": {"conf_low": -7.0, "conf_high": -2.9}},
        "At Post the difference may be one that people notice, or a smaller one.",
    ),
    "imprecise about what people notice on the other side": (
        {"answer": {"value": 2.0, "conf_low": 1.0, "conf_high": 3.0}},
        "At Post the difference may be one that people notice, or a smaller one.",
    ),
    "few": ({"answer": {"n": 29}}, "Fewer than 30 people in an arm were observed at Post."),
    "not_prespecified": ({"answer": {"prespecified": False}}, "not frozen before outcomes were read"),
    "unreliable": (
        {"alpha": 0.69},
        "agreed little with each other at Baseline (their agreement, alpha, was below 0.7)",
    ),
    "not_invariant": (
        {"measured": [{"statistic": "invariance_level", "timepoint": "post", "value": 2}]},
        "did not mean the same at baseline and later",
    ),
    "draft": (
        {"scoring": "unconfirmed"},
        "For 1 of the 7 rules by which answers become this score no source was found",
    ),
    "ceiling": ({"measured": [MANY_AT_THE_TOP]}, "15\u00a0% or more of the people had the highest possible score"),
    "ceiling at the floor": (
        {"measured": [MANY_AT_THE_TOP | {"statistic": "score_floor_share", "timepoint": "post"}]},
        "At Post 15\u00a0% or more of the people had the lowest possible score, so a fall",
    ),
    "audit": ({"agreed": TOTALS}, "Fewer than 95\u00a0% of the totals that came with the data"),
}


def test_a_sound_randomised_trial_is_highly_certain(judge):
    assert told(judge()) == (4, [])


@pytest.mark.parametrize("name", WEAKNESSES)
def test_each_weakness_takes_one_level_and_says_so(judge, name):
    change, words = WEAKNESSES[name]
    change = dict(change)
    answers = [replace(CLEAR, **change.pop("answer"))] if "answer" in change else []
    rows = judge(*answers, **change)
    level, (sentence,) = told(rows)
    assert level == 3
    assert words in sentence
    assert kinds(rows) == [(name.split(" ")[0], 1)]


SOUND = {
    "missing a fifth": {"missing": 0.1},
    "an interval that is narrow around no difference": {"answer": {"value": 0.1, "conf_low": -2.0, "conf_high": 2.2}},
    "an interval that is all short of what people notice": {"answer": {"conf_low": -2.9, "conf_high": -0.1}},
    "thirty people": {"answer": {"n": 30}},
    "an alpha at the limit": {"alpha": 0.7},
    "an alpha below the limit after baseline": {
        "measured": [{"statistic": "cronbach_alpha", "timepoint": "post", "value": 0.5}]
    },
    "the highest level of invariance": {
        "measured": [{"statistic": "invariance_level", "timepoint": "post", "value": 3}]
    },
    "invariance at a timepoint that is not asked about": {
        "measured": [{"statistic": "invariance_level", "timepoint": "late", "value": 1}]
    },
    "fewer at the top": {"measured": [MANY_AT_THE_TOP | {"value": 0.149}]},
    "many at the top later on": {"measured": [MANY_AT_THE_TOP | {"timepoint": "late"}]},
    "many at the top of so few that it is not told": {"measured": [MANY_AT_THE_TOP | {"n": 66}]},
    "totals that mostly agree": {"agreed": TOTALS | {"equal": (228, 112), "different": (12, 12)}},
    "totals of few people that differ": {"agreed": TOTALS | {"different": (50, 9)}},
    "totals that nobody could compare": {"agreed": dict.fromkeys(TOTALS, (0, 0))},
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_no_weakness_takes_nothing(judge, name):
    change = dict(SOUND[name])
    answers = [replace(CLEAR, **change.pop("answer"))] if "answer" in change else []
    assert told(judge(*answers, **change)) == (4, [])


def test_what_whoever_gave_the_scores_knew_keeps_a_rating_from_being_high_and_lowers_no_other(judge):
    alone = judge(knows=True)
    assert (alone[0].value, kinds(alone)) == (3, [("knowing", 1)])
    assert told(alone)[1][0].endswith("For that alone certainty is not high.")
    beside = judge(knows=True, alpha=0.5)
    assert (beside[0].value, kinds(beside)) == (3, [("unreliable", 1), ("knowing", 0)])
    assert told(beside)[1][1].endswith("Certainty is not high anyway, so nothing more is taken off for it.")
    by_design = judge(knows=True, kind="matched_comparison")
    assert (by_design[0].value, kinds(by_design)) == (2, [("", 2), ("knowing", 0)])


@pytest.mark.parametrize("kind", get_args(DesignKind))
def test_no_design_is_highly_certain_of_what_people_tell_of_themselves(kind, make_design, make_plan, make_library):
    plan, design = make_plan(), make_design(kind)
    evaluation = SimpleNamespace(plan=plan, design=design, library=make_library())
    (reason,) = certainty_measurement.reasons_of_knowing(plan.outcomes[0], evaluation, is_alone=True)
    assert reason.sentence.startswith("People answered for themselves and knew what they were offered")
    evaluation.library = {}
    (reason,) = certainty_measurement.reasons_of_knowing(plan.outcomes[0], evaluation, is_alone=True)
    assert reason.sentence.startswith("Nothing in the study tells that whoever gave these scores did not know")
    assert find_unsayable(reason.sentence) == []


def test_each_question_is_rated_at_its_own_timepoint(judge):
    late = replace(CLEAR, estimand="mood_late", timepoint="late", n=29)
    rows = judge(CLEAR, late, gone_late=0)
    assert [(row.estimand, row.statistic, row.item, row.value) for row in rows] == [
        ("mood_post", "level", "", 4),
        ("mood_late", "level", "", 3),
        ("mood_late", "reason", "few", 1),
    ]


def test_who_is_missing_later_is_no_reason_to_doubt_an_earlier_answer(judge):
    late = replace(CLEAR, estimand="mood_late", timepoint="late")
    rows = judge(CLEAR, late, gone_late=14)
    assert [(row.estimand, row.item) for row in rows if row.statistic == "reason"] == [("mood_late", "missing")]


def test_shares_and_counts_have_no_ceiling(judge):
    outcome = {"kind": "binary", "event": {"at_least": 50}, "smallest_meaningful_change": SMALLEST}
    assert told(judge(outcome=outcome, measured=[MANY_AT_THE_TOP])) == (4, [])


def test_without_a_smallest_meaningful_change_no_difference_is_never_known_closely(judge):
    without = {"role": "primary"}
    assert told(judge(outcome=without)) == (4, [])
    (level, (sentence,)) = told(judge(replace(CLEAR, conf_low=-0.2, conf_high=0.1), outcome=without))
    assert level == 3
    assert (
        sentence
        == "At Post there may be no difference, and the plan does not say how small a difference people notice."
    )


def test_reasons_of_one_domain_take_one_level_together(judge):
    rows = judge(
        replace(CLEAR, n=29, conf_low=-3.5, conf_high=1.0),
        alpha=0.5,
        scoring="unconfirmed",
        agreed=TOTALS,
        missing=0.35,
    )
    assert rows[0].value == 1
    assert kinds(rows) == [
        ("missing", 1), ("imprecise", 1), ("few", 0), ("unreliable", 1), ("draft", 0), ("audit", 0),
    ]  # fmt: skip
    assert told(judge(alpha=0.5, scoring="unconfirmed", agreed=TOTALS))[0] == 3
    assert told(judge(alpha=0.5, missing=0.35))[0] == 2


def test_reasons_of_one_domain_stand_together_wherever_they_come_from(judge, monkeypatch):
    left = Reason("leavers", "It hangs on those who left.")
    monkeypatch.setattr(certainty, "FURTHER_REASONS", (lambda *_: iter([left, left]),))
    assert kinds(judge(alpha=0.5, missing=0.35)) == [("missing", 1), ("leavers", 0), ("unreliable", 1)]
    assert kinds(judge(alpha=0.5)) == [("leavers", 1), ("unreliable", 1)]


def test_every_kind_of_reason_belongs_to_one_domain_and_every_domain_has_a_reason():
    assert set(DOMAIN_OF) == set(get_args(Kind))
    assert set(DOMAIN_OF.values()) == set(DOMAINS)


def test_few_groups_take_a_level(judge, make_design):
    grouped = make_design(group_arms=("peer",))
    assert told(judge(design=grouped, group_size=4)) == (4, [])
    level, reasons = told(judge(design=grouped, group_size=5))
    assert level == 3
    assert reasons == ["Fewer than 10 groups were observed at Post."]


@pytest.mark.parametrize(
    ("allocated", "observed", "profile", "found"),
    [
        (40, 31, "threshold-10", []),  # 9 without a score would follow from "more than a fifth of 40"
        (40, 31, "none", ["missing"]),
        (38, 29, "threshold-10", ["few"]),
        (38, 36, "threshold-10", ["few"]),  # the same words, or they would tell the one from the other
        (38, 36, "none", []),
        (39, 38, "threshold-10", []),
        (50, 39, "threshold-10", ["missing"]),
    ],
)
def test_no_reason_hangs_on_one_to_nine_people_of_a_protected_study(judge, allocated, observed, profile, found):
    rows = judge(replace(CLEAR, n=observed), keep=(allocated, observed), profile=profile)
    assert [kind for kind, _ in kinds(rows)] == found
    if found == ["few"]:
        assert "may have been observed" in told(rows)[1][0]


def test_without_allocation_by_chance_certainty_starts_low_and_never_falls_below_one(judge):
    level, reasons = told(judge(kind="matched_comparison"))
    assert level == 2
    assert "not formed by chance" in reasons[0]
    level, reasons = told(judge(kind="matched_comparison", alpha=0.5, scoring="unconfirmed", missing=0.4))
    assert level == 1
    assert len(reasons) == 4


def test_without_an_estimate_there_is_no_certainty(judge):
    assert judge(replace(CLEAR, verdict="refused:empty_cell")) == []


def test_the_same_results_give_the_same_level(judge):
    change = {"alpha": 0.5, "missing": 0.35, "agreed": TOTALS}
    assert judge(**change) == judge(**change)


def test_nobody_types_a_certainty_in(make_plan, make_design):
    words = re.compile("certain|grade|confidence_level|^level$")
    for model in (Plan, Study):
        assert not [name for name in _keys(model.model_json_schema()) if words.search(name)]
    for field in ("certainty", "level", "reasons"):
        with pytest.raises(ValidationError, match=field):
            make_plan(**{field: "high"})
        with pytest.raises(ValidationError, match=field):
            make_plan(outcomes=[{"id": "mood", "measure": "mood.total", "role": "primary", field: 4}])


def _keys(schema):
    """Yield every key that a document of a JSON schema may have."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def test_an_unconfirmed_rule_for_missing_answers_is_no_reason_where_every_answer_is_needed(make_library):
    mood = make_library()["mood"]
    facts = mood.facts | {"missing_rule": mood.facts["missing_rule"].model_copy(update={"status": "unconfirmed"})}
    total, *others = mood.measures
    prorated = total.model_copy(update={"missing": total.missing.model_copy(update={"max_missing": 1})})
    unsure = certainty_measurement._unsure_of
    assert unsure(mood.model_copy(update={"facts": facts}), "mood.total") == []
    changed = mood.model_copy(update={"facts": facts, "measures": [prorated, *others]})
    assert unsure(changed, "mood.total") == ["missing_rule"]
    assert unsure(changed, "mood.joy") == []

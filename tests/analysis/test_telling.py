"""Sentences that remember what was put into them, and the models of every design in such sentences."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, Timepoint, evaluate_plan
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.telling import Number, Told, join_told, list_told, read_told, tell, tell_many, words_of

from .said_again import find_unsayable
from .unlike_people import design_of, invent_tables, plan_of

BINARY = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
ORDINAL = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "ordinal"}
COUNT = ORDINAL | {"kind": "count"}
THREE = ("baseline", "post", "followup")
ALONE = {"contrast": "post - baseline"}
BOTH = {"covariates": ["age", "gender"]}
LABELS = {"Age", "Gender", "Place", "Start", "Baseline", "Post", "Week 24", "us", "toeph", "cs", "covariate age"}


def test_a_number_keeps_its_sign_and_its_decimals_and_zero_has_no_sign() -> None:
    assert [str(Number(value, 1)) for value in (-1234.56, -0.04, 0.0)] == ["\u22121,234.6", "0.0", "0.0"]
    assert [str(Number.exactly(value)) for value in (3.0, 1.25, -0.5, 1200)] == ["3", "1.25", "\u22120.5", "1,200"]


def test_a_sentence_comes_back_from_its_text_and_words() -> None:
    counts = [tell_many("{count} people", "{count} people", count, count=Number(count)) for count in (1, 7)]
    for said in (tell("plain"), *counts, join_told([tell("One."), tell("Two.")]), list_told(["a", "b", "c"])):
        again = read_told(str(said), words_of(said))
        assert (str(again), words_of(again)) == (str(said), words_of(said))
    assert words_of(read_told("text", "")) == ""
    assert not isinstance(read_told("text", ""), Told)


def test_numbers_of_arrays_are_written_as_numbers() -> None:
    said = tell_many("one", "{count}", np.int64(4), count=Number(np.float32(4)))
    assert words_of(said) == words_of(tell_many("one", "{count}", 4, count=Number(4)))


def _odd_waves(scores: pd.DataFrame) -> pd.DataFrame:
    """Nobody has both later scores, so that no covariance of them can be told."""
    odd = scores["participant_id"].str[-1].astype(int) % 2 == 1
    gone = ((scores["timepoint"] == "post") & odd) | ((scores["timepoint"] == "followup") & ~odd)
    return scores.loc[~gone]


STUDIES = {
    "randomised": ("randomised", {}, BOTH, {}, {}),
    "by arm": ("randomised", {}, {"variance_by_arm": True}, {}, {}),
    "in groups": ("randomised", {"group_arms": ("peer",)}, BOTH | {"variance_by_arm": True}, {"group_size": 8}, {}),
    "statsmodels": ("randomised", {"group_arms": ("peer",)}, {}, {"group_size": 8}, {"engine": "statsmodels"}),
    "matched": ("matched_comparison", {}, BOTH, {}, {}),
    "alone": ("single_group", {}, ALONE, {"arms": ("peer",)}, {}),
    "satterthwaite": ("single_group", {}, ALONE | {"df_method": "satterthwaite"}, {"arms": ("peer",)}, {}),
    "normal": ("randomised", {}, {"df_method": "z"}, {}, {}),
    "slope": ("randomised", {"timepoints": THREE}, {"model": "mixed_model", "random": "slope"}, {"timepoints": THREE},
              {}),
    "waiting": ("waitlist", {"timepoints": THREE, "arms": (Arm("peer", "Peer support"), Arm("usual", "Later",
                is_reference=True, starts="followup"))}, {}, {"timepoints": THREE}, {}),
    "stepped": ("stepped_wedge", {"arms": (Arm("peer", "Early", starts="post"), Arm("usual", "Late")),
                "group_arms": ("peer", "usual")}, {"contrast": "programme - before"}, {}, {}),
    "samples": ("repeated_cross_section", {}, {"covariates": ["age"]}, {}, {}),
    "binary": ("randomised", {}, {}, {}, {"outcomes": [BINARY]}),
    "binary in groups": ("randomised", {"group_arms": ("peer",)}, {}, {"group_size": 8}, {"outcomes": [BINARY]}),
    "ordinal": ("randomised", {}, {}, {}, {"outcomes": [ORDINAL]}),
    "count": ("randomised", {}, {}, {}, {"outcomes": [COUNT]}),
}  # fmt: skip
"""kind, rest of the design, estimand, trial and rest of the plan."""


@pytest.mark.parametrize("study", STUDIES)
def test_the_model_of_a_design_can_be_said_in_other_languages(study, make_trial, make_plan, make_design):
    kind, more, estimand, trial, document = STUDIES[study]
    design, plan = make_design(kind, **more), make_plan(estimand, **document)
    scores, people = make_trial(np.random.default_rng(4), **trial)
    if study == "stepped":
        people["group"] = [f"g{place % 8}{arm}" for place, arm in enumerate(people["arm"])]
        design = replace(design, groups_drawn=True)
    if plan.outcomes[0].kind in ("ordinal", "count"):
        scores["score"] = (scores["score"] / 15).round().clip(1, 5)
    rows = estimate_outcome(plan.outcomes[0], outcome_frame(scores, people, design, plan.outcomes[0]), plan, design)
    assert {row.verdict for row in rows if row.estimand} == {"estimated"}
    for row in rows:
        assert find_unsayable(row.method, LABELS) == []


def test_the_step_of_the_ladder_and_terms_left_out_can_be_said(make_trial, make_plan, make_design):
    ladder = make_plan(ALONE | {"covariance": ["us", "toeph", "cs"]})
    design = make_design("single_group", THREE)
    scores, people = make_trial(np.random.default_rng(3), arms=("peer",), timepoints=THREE)
    frame = outcome_frame(_odd_waves(scores), people, design, ladder.outcomes[0])
    (row,) = [each for each in estimate_outcome(ladder.outcomes[0], frame, ladder, design) if each.estimand]
    assert "the first that converged" in row.method
    assert find_unsayable(row.method, LABELS) == []
    plan, design = make_plan({"covariates": ["age"]}), make_design("matched_comparison")
    frame = outcome_frame(*make_trial(np.random.default_rng(12)), design, plan.outcomes[0])
    frame["covariate:age"] = np.where(frame["arm"] == "peer", 30.0, 60.0)
    (row,) = [each for each in estimate_outcome(plan.outcomes[0], frame, plan, design) if each.estimand]
    assert "left out because" in row.method
    assert find_unsayable(row.method, LABELS) == []


@pytest.mark.parametrize("options", [{}, {"group_arms": ("peer",)}])
def test_a_weighted_comparison_can_be_said(options):
    plan, design = plan_of(), design_of(**options)
    frame = outcome_frame(*invent_tables(), design, plan.outcomes[0])
    (row,) = [each for each in estimate_outcome(plan.outcomes[0], frame, plan, design) if each.estimand]
    assert "Adjusted for Age, Place and the score at Start." in row.method
    assert find_unsayable(row.method, LABELS) == []


@pytest.mark.parametrize(
    ("noise", "said"), [(0.0, "by \u22120.95, the end of what is searched."), (3.0, "by \u22120.7")]
)
def test_an_interrupted_series_can_be_said_with_the_sign_of_its_correlation(noise, said, make_plan, make_design):
    rng = np.random.default_rng(1)
    timepoints = tuple(Timepoint(f"w{week:02}", f"Week {week}", float(week)) for week in range(0, 48, 4))
    design = replace(make_design("single_group"), kind="interrupted_time_series", timepoints=timepoints,
                     arms=(Arm("town", "The town", starts="w24"),))  # fmt: skip
    people = pd.DataFrame({"participant_id": [f"p{place}" for place in range(12 * 30)], "arm": "town", "group": "",
                           "site": "", "age": 40.0, "gender": "w"})  # fmt: skip
    swing = 3.0 * (-1.0) ** np.arange(12) + noise * rng.normal(size=12)
    scores = people[["participant_id"]].assign(
        timepoint=np.repeat([each.id for each in timepoints], 30), measure="mood.total",
        score=50 + np.repeat(swing, 30) + rng.normal(0, 0.5, len(people)),
    )  # fmt: skip
    plan = make_plan({"contrast": "observed - expected", "timepoint": "w44"})
    frame = outcome_frame(scores, people, design, plan.outcomes[0])
    (row,) = [each for each in estimate_outcome(plan.outcomes[0], frame, plan, design) if each.estimand]
    assert said in row.method
    assert find_unsayable(row.method, LABELS) == []


OURS = ("flow", "descriptive", "change_within_arm", "composition", "reliability", "items", "score_agreement",
        "score_audit", "model", "quality")  # fmt: skip


@pytest.mark.parametrize("kind", ["randomised", "repeated_cross_section"])
def test_every_row_of_an_evaluation_has_words(kind, make_trial, make_plan, make_design, make_library):
    rng = np.random.default_rng(8)
    scores, people = make_trial(rng, 60)
    waves = ["baseline", "post"]
    level = np.repeat(rng.normal(size=120), 2)[:, np.newaxis]
    answers = np.clip(np.round(1.5 + level * [1, -1, 1] + rng.normal(0, 0.7, (240, 3))), 0, 3)
    answers[0] = np.nan
    responses = pd.DataFrame({
        "participant_id": np.repeat(people["participant_id"].to_numpy(), 6), "timepoint": np.tile(np.repeat(waves, 3), 120),
        "instrument": "mood", "item": np.tile(["1", "2", "3"], 240), "value": answers.ravel(),
    })  # fmt: skip
    delivered = pd.DataFrame({"participant_id": np.repeat(people["participant_id"].to_numpy(), 2),
                              "timepoint": np.tile(waves, 120), "measure": "mood.total",
                              "score": answers.sum(axis=1)})  # fmt: skip
    flags = pd.DataFrame({"participant_id": people["participant_id"][:40], "timepoint": "post", "flag": "too_fast"})
    table = evaluate_plan(
        make_plan({"covariates": ["age"]}), make_design(kind), scores=scores, participants=people,
        responses=responses, delivered=delivered, library=make_library(), flags=flags,
    )  # fmt: skip
    own = table[table["analysis"].isin(OURS) & (table["method"] != "")]
    missing = set() if kind == "randomised" else {"change_within_arm"}
    extra = {"composition"} if kind == "randomised" else set()
    assert set(own["analysis"]) == set(OURS) - missing - extra
    for method, words in set(zip(own["method"], own["words"], strict=True)):
        assert find_unsayable(read_told(method, words)) == []

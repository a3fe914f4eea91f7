"""The analyses that a plan names beside the main one: what each tells, refuses, and owes to which people."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame, score_column
from analysis.missing_data import estimate_with_leavers
from analysis.outcome_model import estimate_outcome
from analysis.results import Result, results_table
from analysis.sensitivity import estimate_sensitivity, reasons_of_leavers
from analysis.sensitivity.imputed import derive_seed

from .said_again import find_unsayable

SAME = 1e-9
"""The same arithmetic in another order."""
AT_ZERO = 1e-6
"""Points; how exactly the search finds where an interval ends at zero."""
DRAWS_APART = 4.0
"""Monte Carlo errors that a mean of draws is seldom further off than."""
WAVES = ("baseline", "post", "later")
SHIFTS = {("peer", "post"): -4.0, ("peer", "later"): -6.0}
LATER = {"id": "mood_later", "timepoint": "later", "covariates": ["age"]}
EVERYTHING = [
    "jump_to_reference",
    "copy_reference",
    "copy_increments",
    "tipping_point",
    "multiple_imputation",
    "completers",
    "unadjusted",
    {"delta": 2},
]


def evaluate(plan, design, scores, participants, responses=None, library=None, events=None) -> Evaluation:
    """Return an evaluation with the answers of the models, as `evaluate_plan` makes one."""
    frames = {each.id: outcome_frame(scores, participants, design, each) for each in plan.outcomes}
    answers = [row for each in plan.outcomes for row in estimate_outcome(each, frames[each.id], plan, design)]
    return Evaluation(
        plan=plan,
        design=design,
        library=library or {},
        scores=scores,
        participants=participants,
        responses=responses,
        sessions=None,
        events=pd.DataFrame(columns=["participant_id", "event", "timepoint"], dtype="str")
        if events is None
        else events,
        frames=frames,
        answers=[row for row in answers if row.analysis == "model"],
        measurement=[],
    )


@pytest.fixture
def make_study(make_trial, make_design, make_plan):
    """A function that gives an evaluation whose plan names analyses; `trial` changes the invented people."""

    def make(sensitivity, *estimands, kind="randomised", waves=WAVES, change=None, plan=None, **trial):
        arms = ("peer",) if kind == "single_group" else ("peer", "usual")
        options = {"missing": 0.2, "shifts": SHIFTS, "arms": arms} | trial
        scores, participants = make_trial(np.random.default_rng(3), 30, timepoints=waves, **options)
        if change is not None:
            scores = change(scores, participants)
        design = make_design(kind, waves, group_arms=("peer",) if "group_size" in trial else ())
        asked = make_plan(*(estimands or (LATER,)), sensitivity=sensitivity, **(plan or {}))
        return evaluate(asked, design, scores, participants)

    return make


def tell(evaluation) -> dict[tuple[str, str], Result]:
    """Return the rows of the part, by analysis and statistic."""
    return {(row.item, row.statistic): row for row in estimate_sensitivity(evaluation)}


def table(evaluation) -> pd.DataFrame:
    """Return the rows of the part as they are stored."""
    return results_table(estimate_sensitivity(evaluation))


def differences(evaluation) -> dict[str, Result]:
    return {item: row for (item, statistic), row in tell(evaluation).items() if statistic in ("difference", "change")}


def by_library(evaluation, strategy, **options):
    estimand = evaluation.plan.estimands[0]
    outcome, frame = evaluation.plan.outcomes[0], evaluation.frames["mood"]
    (found,) = estimate_with_leavers(frame, estimand, outcome, evaluation.design, strategies=[strategy], **options)
    return found


def test_every_analysis_that_is_named_has_a_row_and_no_other(make_study):
    found = tell(make_study(EVERYTHING))
    assert list(dict.fromkeys(item for item, _ in found)) == [
        "missing_at_random",
        "jump_to_reference",
        "copy_reference",
        "copy_increments",
        "delta 2",
        "tipping_point",
        "multiple_imputation",
        "completers",
        "unadjusted",
    ]
    assert all(row.analysis == "sensitivity" and row.verdict == "estimated" for row in found.values())
    assert all(row.estimand == "mood_later" and row.n > 0 for row in found.values())
    assert not tell(make_study([]))
    assert not tell(make_study(["second_baseline", "permutation"]))


@pytest.mark.parametrize("strategy", ["jump_to_reference", "copy_reference", "copy_increments"])
def test_an_imputed_estimate_is_that_of_the_library_with_the_base_beside_it(make_study, strategy):
    evaluation = make_study([strategy])
    found = differences(evaluation)
    assert list(found) == ["missing_at_random", strategy]
    for name, row in found.items():
        own = by_library(evaluation, name)
        assert row.value == pytest.approx(own.estimate.value, rel=SAME)
        assert (row.conf_low, row.conf_high) == pytest.approx((own.estimate.conf_low, own.estimate.conf_high), rel=SAME)
        assert "jackknife" in row.method


def test_estimands_with_the_same_covariates_share_the_completed_data(make_study, monkeypatch):
    import analysis.sensitivity.imputed as imputed

    calls = []
    once = imputed.impute_for_estimand
    monkeypatch.setattr(imputed, "impute_for_estimand", lambda *a, **k: calls.append(1) or once(*a, **k))
    evaluation = make_study(["jump_to_reference"], LATER, LATER | {"id": "mood_post", "timepoint": "post"})
    rows = list(estimate_sensitivity(evaluation))
    assert len(calls) == 1
    assert {row.estimand for row in rows} == {"mood_later", "mood_post"}
    (own,) = [row for row in rows if (row.estimand, row.item) == ("mood_post", "jump_to_reference")]
    alone = replace(evaluation, plan=evaluation.plan.model_copy(update={"estimands": [evaluation.plan.estimands[1]]}))
    assert own.value == pytest.approx(by_library(alone, "jump_to_reference").estimate.value, rel=SAME)


def test_a_delta_makes_missing_scores_of_the_first_arm_worse_whichever_way_worse_is(make_study):
    evaluation = make_study([{"delta": 3}])
    up = differences(evaluation)
    frame = evaluation.frames["mood"]
    lost = frame.loc[frame["arm"] == "peer", score_column("later")].isna().mean()
    # Without covariates of the comparison the shift is that share; baseline and age move it little.
    assert up["delta 3"].value - up["missing_at_random"].value == pytest.approx(3 * lost, rel=0.1)
    better = {"mood.total": replace(evaluation.design.measures["mood.total"], higher_is="better")}
    down = differences(replace(evaluation, design=replace(evaluation.design, measures=better)))
    moved = [found["delta 3"].value - found["missing_at_random"].value for found in (up, down)]
    assert moved[0] == pytest.approx(-moved[1], rel=SAME)


def test_at_the_tipping_point_the_interval_ends_at_zero(make_study):
    tip = tell(make_study(["tipping_point"]))["tipping_point", "tipping_point"].value
    assert tip > 0  # scores of mood are worse the higher they are, and the finding is a lower score
    row = differences(make_study([{"delta": tip}]))[f"delta {tip:g}"]
    assert row.conf_high == pytest.approx(0.0, abs=1e-4)  # the name of a delta has six digits, the delta all


def test_an_interval_that_holds_zero_has_points_on_both_sides_at_which_it_would_not(make_study):
    nothing = dict.fromkeys(SHIFTS, 0.0)
    found = tell(make_study(["tipping_point"], shifts=nothing))
    points = [found["tipping_point", name].value for name in ("clear_if_lower", "clear_if_higher")]
    assert points[0] < 0 < points[1]
    rows = differences(make_study([{"delta": point} for point in points], shifts=nothing))
    assert rows["missing_at_random"].conf_low < 0 < rows["missing_at_random"].conf_high
    assert rows[f"delta {points[0]:g}"].conf_high == pytest.approx(0.0, abs=AT_ZERO)
    assert rows[f"delta {points[1]:g}"].conf_low == pytest.approx(0.0, abs=AT_ZERO)


def test_draws_agree_with_the_base_within_their_error_and_repeat(make_study):
    evaluation = make_study(["multiple_imputation"])
    found = tell(evaluation)
    drawn, error = (found["multiple_imputation", name] for name in ("difference", "monte_carlo_error"))
    base = found["missing_at_random", "difference"]
    assert 0 < error.value < 0.1
    assert abs(drawn.value - base.value) < DRAWS_APART * error.value
    assert "Barnard-Rubin" in drawn.method
    scores = evaluation.scores.sample(frac=1, random_state=1).reset_index(drop=True)
    people = evaluation.participants.sample(frac=1, random_state=2).reset_index(drop=True)
    shuffled = evaluate(evaluation.plan, evaluation.design, scores, people)
    pd.testing.assert_frame_equal(table(shuffled), table(evaluation), check_exact=True)


def test_the_seed_follows_the_plan(make_plan):
    assert derive_seed(make_plan(), "a") == derive_seed(make_plan(), "a")
    assert len({derive_seed(make_plan(), "a"), derive_seed(make_plan(), "b"), derive_seed(make_plan(LATER), "a")}) == 3


def test_completers_are_the_study_of_those_who_missed_nothing(make_study):
    evaluation = make_study(["completers"])
    row = differences(evaluation)["completers"]
    known = evaluation.scores.groupby("participant_id")["score"].count() == len(WAVES)
    stayed = evaluation.participants["participant_id"].map(known)
    rest = evaluation.participants[stayed].reset_index(drop=True)
    scores = evaluation.scores[evaluation.scores["participant_id"].isin(rest["participant_id"])]
    alone = evaluate(evaluation.plan, evaluation.design, scores, rest).answer(evaluation.plan.estimands[0])
    assert (row.value, row.std_error, row.n) == (alone.value, alone.std_error, alone.n)
    left_out = evaluation.participants.loc[~stayed, "arm"].value_counts()
    assert row.fewest == left_out.min()
    assert row.method.startswith("People with a score at every timepoint.")


def test_unadjusted_is_the_plan_without_covariates(make_study):
    row = differences(make_study(["unadjusted"]))["unadjusted"]
    plain = make_study([], LATER | {"covariates": []})
    assert row.value == pytest.approx(plain.answer(plain.plan.estimands[0]).value, rel=SAME)
    assert differences(make_study(["unadjusted"], LATER | {"covariates": []}))["unadjusted"].verdict == (
        "refused:no_covariates"
    )


def test_a_row_says_on_how_few_missing_people_of_an_arm_it_rests(make_study):
    def change(scores, participants):
        """Nobody misses the last timepoint but 12 of the usual arm, 15 of the peer arm, 4 of whom were there at post."""
        ids = {arm: list(own["participant_id"]) for arm, own in participants.groupby("arm")}
        gone = scores["timepoint"] == "later"
        gone &= scores["participant_id"].isin([*ids["usual"][:12], *ids["peer"][:15]])
        early = scores["participant_id"].isin(ids["peer"][:11]) & (scores["timepoint"] == "post")
        return scores.assign(score=scores["score"].mask(gone | early))

    post = LATER | {"id": "mood_post", "timepoint": "post"}
    named = ["jump_to_reference", "tipping_point"]
    rows = [*estimate_sensitivity(make_study(named, LATER, post, missing=0.0, change=change))]
    fewest = {(row.estimand, row.item): row.fewest for row in rows}
    assert fewest["mood_later", "missing_at_random"] == 12
    assert fewest["mood_later", "jump_to_reference"] == 12
    assert fewest["mood_post", "missing_at_random"] == 11
    assert {row.n for row in rows} == {30}

    def come_back(scores, participants):
        """As before, but only 3 of the 11 who miss post never come back."""
        ids = list(participants.loc[participants["arm"] == "peer", "participant_id"])
        gone = scores["participant_id"].isin(ids[:11]) & (scores["timepoint"] == "post")
        gone |= scores["participant_id"].isin(ids[:3]) & (scores["timepoint"] == "later")
        return scores.assign(score=scores["score"].mask(gone))

    rows = [*estimate_sensitivity(make_study(named, post, missing=0.0, change=come_back))]
    fewest = {row.item: row.fewest for row in rows}
    assert fewest == {"missing_at_random": 11, "jump_to_reference": 3, "tipping_point": 11}


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (
            {"kind": "single_group", "estimand": {"contrast": "later - baseline"}},
            {"jump_to_reference": "no_reference_arm", "copy_reference": "no_reference_arm"},
        ),
        ({"group_size": 3}, {"multiple_imputation": "imputation_without_groups"}),
        ({"missing": 0.0}, {"tipping_point": "nobody_missing"}),
    ],
)
def test_what_the_design_does_not_allow_is_refused_alone_and_with_a_way_out(make_study, options, refused):
    estimand = LATER | options.pop("estimand", {})
    found = differences(make_study([*EVERYTHING[:5], {"delta": 1}], estimand, **options))
    for name, code in refused.items():
        assert found[name].verdict == f"refused:{code}"
        assert np.isnan(found[name].value)
        assert found[name].method.count(".") >= 1
    assert found["missing_at_random"].verdict == "estimated"
    assert found["delta 1"].verdict == "estimated"


def test_groups_are_left_out_as_a_whole(make_study):
    row = differences(make_study(["jump_to_reference"], group_size=3, group_sd=3.0))["jump_to_reference"]
    assert "every group" in row.method


def test_an_outcome_that_is_no_score_is_not_imputed_but_taken_apart(make_study):
    outcomes = [{"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}]
    found = differences(make_study(["jump_to_reference", "completers"], plan={"outcomes": outcomes}))
    assert found["jump_to_reference"].verdict == "refused:outcome_not_a_score"
    assert found["completers"].verdict == "estimated"
    assert found["completers"].classes == 2


def test_where_nobody_is_followed_only_covariates_can_be_left_out(make_waves, make_design, make_plan):
    sizes = {(arm, wave): 40 for arm in ("peer", "usual") for wave in ("baseline", "post")}
    scores, people = make_waves(np.random.default_rng(2), sizes)
    plan = make_plan({"covariates": ["age"]}, sensitivity=["jump_to_reference", "completers", "unadjusted"])
    found = differences(evaluate(plan, make_design("repeated_cross_section"), scores, people))
    assert found["jump_to_reference"].verdict == found["completers"].verdict == "refused:nobody_is_followed"
    assert found["unadjusted"].verdict == "estimated"


def test_an_estimand_without_an_answer_has_no_sensitivity(make_study):
    evaluation = make_study(EVERYTHING)
    assert not tell(replace(evaluation, answers=[]))


@pytest.fixture
def make_items(make_design, make_plan, make_library):
    """A function that gives an evaluation of items; `knows` of them say the same, so a missing one can be told."""

    def make(gaps: float, sensitivity=("item_imputation",), order=1):
        rng = np.random.default_rng(6)
        lines, people = [], []
        for place in range(160):
            arm = ("peer", "usual")[place % 2]
            people.append({"participant_id": f"p{place:03}", "arm": arm, "group": "", "site": "",
                           "age": float(rng.integers(20, 80)), "gender": "w"})  # fmt: skip
            for wave in ("baseline", "post"):
                level = int(np.clip(rng.normal(1.5 + (arm == "peer") * (wave == "post") * 0.6, 0.8), 0, 3).round())
                for item, value in (("1", level), ("2", 3 - level), ("3", level)):
                    gone = item == "3" and rng.random() < gaps
                    lines.append((f"p{place:03}", wave, "mood", item, np.nan if gone else float(value)))
        names = ["participant_id", "timepoint", "instrument", "item", "value"]
        responses, participants = pd.DataFrame(lines, columns=names)[::order], pd.DataFrame(people)[::order]
        library = make_library()
        from instruments import score_responses

        responses, participants = responses.reset_index(drop=True), participants.reset_index(drop=True)
        scores = score_responses(responses, library)
        design = make_design()
        measures = {"mood.total": replace(design.measures["mood.total"], maximum=9.0, higher_is="better")}
        plan = make_plan(sensitivity=list(sensitivity))
        return evaluate(plan, replace(design, measures=measures), scores, participants, responses, library)

    return make


def test_an_item_that_the_others_tell_is_filled_in_and_scored_as_if_it_had_been_answered(make_items):
    truth = make_items(0.0)
    answer = truth.answer(truth.plan.estimands[0])
    found = tell(make_items(0.15))
    row = found["item_imputation", "difference"]
    main = make_items(0.15).answer(truth.plan.estimands[0])
    assert abs(main.value - answer.value) > 0.02  # the rule of the instrument gives no score with a missing item
    assert row.value == pytest.approx(answer.value, rel=1e-6)
    assert row.std_error == pytest.approx(answer.std_error, rel=1e-6)
    assert found["item_imputation", "monte_carlo_error"].value == pytest.approx(0.0, abs=1e-9)
    assert row.n == answer.n
    assert "predictive mean matching" in row.method


def test_filled_in_items_depend_neither_on_order_nor_on_ids(make_items):
    first, second = make_items(0.15), make_items(0.15, order=-1)
    renamed = {name: f"z{name[::-1]}" for name in second.participants["participant_id"]}
    tables = {
        name: getattr(second, name).assign(participant_id=getattr(second, name)["participant_id"].map(renamed))
        for name in ("scores", "participants", "responses")
    }
    third = evaluate(second.plan, second.design, library=second.library, **tables)
    pd.testing.assert_frame_equal(table(second), table(first), check_exact=True)
    pd.testing.assert_frame_equal(table(third), table(first), check_exact=True)


def test_items_that_are_all_there_or_were_never_delivered_are_not_filled_in(make_items):
    complete = make_items(0.0)
    assert tell(complete)["item_imputation", "difference"].verdict == "refused:no_item_missing"
    assert tell(replace(complete, library={}))["item_imputation", "difference"].verdict == "refused:no_items"
    none = replace(complete, responses=complete.responses.iloc[:0])
    assert tell(none)["item_imputation", "difference"].verdict == "refused:no_items"


@pytest.fixture
def make_judged(make_study):
    """A function that gives certainty's reasons, from an answer and other estimates put beside it."""

    def make(answer, *others, smallest=None, profile="threshold-10", n=50.0, fewest=20.0):
        outcome = {"id": "mood", "measure": "mood.total", "role": "primary"}
        if smallest:
            outcome["smallest_meaningful_change"] = {"value": smallest, "source": "test"}
        named = ["jump_to_reference", "completers", "unadjusted"][: len(others)]
        plan = {"outcomes": [outcome], "small_numbers": {"profile": profile}}
        evaluation = make_study(named, waves=("baseline", "post"), plan=plan)
        (row,) = [row for row in evaluation.answers if row.estimand]
        value, low, high = answer
        evaluation = replace(evaluation, answers=[replace(row, value=value, conf_low=low, conf_high=high)])
        rows = [
            replace(
                row, analysis="sensitivity", item=name, value=value, conf_low=low, conf_high=high, n=n, fewest=fewest
            )
            for name, (value, low, high) in zip(named, others, strict=True)
        ]
        return {each.kind: each.sentence for each in reasons_of_leavers(evaluation.plan.outcomes[0], evaluation, rows)}

    return make


def test_certainty_falls_where_an_assumption_moves_zero_in_or_out(make_judged, monkeypatch):
    monkeypatch.setitem(LATER, "timepoint", "post")
    assert not make_judged((-2.4, -4.0, -0.8), (-1.9, -3.2, -0.6))
    found = make_judged((-2.4, -4.0, -0.8), (-0.9, -2.0, 0.2))
    assert list(found) == ["leavers"]
    assert found["leavers"] == "What can be said hangs on how those who left are taken to have fared."


def test_certainty_falls_where_an_assumption_moves_the_smallest_meaningful_change(make_judged, monkeypatch):
    monkeypatch.setitem(LATER, "timepoint", "post")
    assert make_judged((-4.0, -5.5, -3.1), (-3.0, -4.5, -1.5), smallest=3.0)
    assert not make_judged((-4.0, -5.5, -3.1), (-3.0, -4.5, -1.5))


def test_certainty_does_not_speak_of_what_is_hidden_or_not_of_those_who_left(make_judged, monkeypatch):
    monkeypatch.setitem(LATER, "timepoint", "post")
    apart = ((-2.4, -4.0, -0.8), (-0.9, -2.0, 0.2))
    assert not make_judged(*apart, fewest=9.0)
    assert not make_judged(*apart, n=9.0)
    assert make_judged(*apart, n=9.0, fewest=9.0, profile="none")
    same = (-2.4, -4.0, -0.8)
    assert not make_judged(same, same, same, (-0.9, -2.0, 0.2))  # without covariates is no assumption about leavers


def test_how_each_analysis_was_done_can_be_said_in_other_languages(make_study, make_items):
    rows = [*tell(make_study(EVERYTHING)).values(), *tell(make_items(0.15)).values()]
    rows += tell(make_study(["tipping_point"], missing=0.0)).values()
    assert [problem for row in rows for problem in find_unsayable(row.method)] == []
    assert len({row.method for row in rows}) >= 8

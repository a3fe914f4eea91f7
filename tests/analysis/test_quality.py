"""Flagged answers: left out only as the plan says, and always shown both ways."""

import numpy as np
import pandas as pd
import pytest

from analysis import evaluate_plan
from analysis.quality import FLAGS
from reports.disclosure import NUMBERS as GATED
from reports.disclosure import gate_results

SHIFTS = {("peer", "post"): -6.0}
NUMBERS = ["value", "std_error", "df", "conf_low", "conf_high", "p_value", "n"]


@pytest.fixture
def run(make_library, no_responses, no_delivered, freeze):
    """A function that evaluates a frozen plan on scores, participants and flags."""

    def evaluate(plan, design, scores, participants, flags=None):
        return evaluate_plan(plan, design, scores=scores, delivered=no_delivered, participants=participants,
                             responses=no_responses, library=make_library(), flags=flags,
                             frozen=freeze(plan, design))  # fmt: skip

    return evaluate


@pytest.fixture
def trial(make_trial):
    return make_trial(np.random.default_rng(31), 60, shifts=SHIFTS)


def flag(participants: pd.DataFrame, per_arm: int, name: str = "too_fast", timepoint: str = "post") -> pd.DataFrame:
    """Flag the first people of each arm."""
    people = participants.groupby("arm").head(per_arm)["participant_id"].to_numpy()
    return pd.DataFrame({"participant_id": people, "timepoint": timepoint, "flag": name, "source": "a.csv",
                         "source_row": range(2, len(people) + 2)})  # fmt: skip


def without(scores: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Return scores that are missing where there is a flag, found person by person."""
    flagged = set(zip(flags["participant_id"], flags["timepoint"], strict=True))
    gone = [who in flagged for who in zip(scores["participant_id"], scores["timepoint"], strict=True)]
    return scores.assign(score=np.where(gone, np.nan, scores["score"]))


def estimate_of(results: pd.DataFrame, analysis: str, estimand: str = "mood_post") -> pd.Series:
    found = results[(results["analysis"] == analysis) & (results["estimand"] == estimand)]
    return found[found["statistic"] != "left_out"].iloc[0]


def test_nothing_is_left_out_without_a_word_of_the_plan_and_the_other_estimate_is_that_without_flagged_answers(
    run, trial, make_design, make_plan
):
    scores, participants = trial
    flags = pd.concat([flag(participants, 12), flag(participants, 4, "bot", "baseline")])
    plain, filtered = (run(make_plan(), make_design(), each, participants) for each in (scores, without(scores, flags)))
    results = run(make_plan(), make_design(), scores, participants, flags)
    kept = results[results["analysis"] != "quality"].reset_index(drop=True)
    numbers = plain["analysis"] != "certainty"
    pd.testing.assert_frame_equal(kept[kept["analysis"] != "certainty"], plain[numbers])
    again, separate = estimate_of(results, "quality"), estimate_of(filtered, "model")
    assert again[NUMBERS].tolist() == separate[NUMBERS].tolist()
    assert again["value"] != estimate_of(results, "model")["value"]
    assert again["population"] == "flagged_left_out"
    assert again["method"].startswith("Without the answers that were flagged. Mixed model")
    assert not again["prespecified"]


def test_what_the_plan_leaves_out_is_missing_in_the_main_analysis_and_its_people_stay_allocated(
    run, trial, make_design, make_plan
):
    scores, participants = trial
    fast, bots = flag(participants, 12), flag(participants, 5, "bot", "baseline")
    plan = make_plan(quality={"leave_out": ["too_fast"]})
    results = run(plan, make_design(), scores, participants, pd.concat([fast, bots]))
    separate = run(make_plan(), make_design(), without(scores, fast), participants)
    whole = run(make_plan(), make_design(), scores, participants)
    model = [frame[frame["analysis"].isin(["model", "descriptive"])] for frame in (results, separate)]
    pd.testing.assert_frame_equal(model[0].reset_index(drop=True), model[1].reset_index(drop=True))
    again = estimate_of(results, "quality")
    assert again[NUMBERS].tolist() == estimate_of(whole, "model")[NUMBERS].tolist()
    assert again["population"] == "flagged_kept"
    assert again["prespecified"]
    flow = [
        frame[frame["statistic"].isin(["allocated", "answered"])].reset_index(drop=True) for frame in (results, whole)
    ]
    pd.testing.assert_frame_equal(*flow)


def test_where_no_answer_has_a_flag_that_the_plan_leaves_out_the_other_estimate_is_without_all_flags(
    run, trial, make_design, make_plan
):
    scores, participants = trial
    flags = flag(participants, 12)
    results = run(make_plan(quality={"leave_out": ["bot"]}), make_design(), scores, participants, flags)
    assert estimate_of(results, "model")["n"] == 60
    assert estimate_of(results, "quality")["n"] == 48
    assert estimate_of(results, "quality")["population"] == "flagged_left_out"


def test_people_are_counted_by_flag_and_once_among_those_with_any(run, trial, make_design, make_plan):
    scores, participants = trial
    flags = pd.concat([flag(participants, 12), flag(participants, 5, "bot"), flag(participants, 3, "bot", "baseline")])
    results = run(make_plan(), make_design(), scores, participants, flags)
    counts = results[(results["analysis"] == "quality") & (results["estimand"] == "")]
    told = counts.set_index(["statistic", "timepoint"])[["value", "n"]]
    assert told.to_dict("index") == {
        (name, timepoint): {"value": number, "n": number}
        for (name, timepoint), number in {
            ("too_fast", "baseline"): 0, ("too_fast", "post"): 24, ("bot", "baseline"): 6, ("bot", "post"): 10,
            ("flagged", "baseline"): 6, ("flagged", "post"): 24,
        }.items()
    }  # fmt: skip
    left_out = results[results["statistic"] == "left_out"].iloc[0]
    assert left_out[["value", "fewest"]].tolist() == [30, 3]


def test_only_people_in_the_model_count_as_left_out(run, trial, make_design, make_plan):
    scores, participants = trial
    flags = flag(participants, 12)
    unknown = participants["participant_id"].isin(flags["participant_id"].iloc[:10])
    participants = participants.assign(age=participants["age"].mask(unknown))
    results = run(make_plan({"covariates": ["age"]}), make_design(), scores, participants, flags)
    left_out = results[results["statistic"] == "left_out"].iloc[0]
    assert left_out[["value", "fewest"]].tolist() == [14, 2]
    assert estimate_of(results, "quality")["fewest"] == 2


def test_without_flags_or_with_flags_of_people_without_scores_nothing_is_estimated_again(
    run, trial, make_design, make_plan
):
    scores, participants = trial
    flags = flag(participants, 12)
    empty = run(make_plan(), make_design(), scores, participants, flags.iloc[:0])
    pd.testing.assert_frame_equal(empty, run(make_plan(), make_design(), scores, participants))
    assert not (empty["analysis"] == "quality").any()
    unscored = run(make_plan(), make_design(), without(scores, flags), participants, flags)
    assert unscored.loc[unscored["analysis"] == "quality", "estimand"].eq("").all()


def test_an_estimate_that_cannot_be_had_with_other_answers_says_why(run, trial, make_design, make_plan):
    scores, participants = trial
    results = run(make_plan(), make_design(), scores, participants, flag(participants, 55))
    again = estimate_of(results, "quality")
    assert again["verdict"] == "refused:too_few_participants"
    assert again[NUMBERS].isna().all()
    assert estimate_of(results, "model")["verdict"] == "estimated"


def fragile(scores: pd.DataFrame, flags: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return scores whose flagged answers of the peer arm undo what the others show."""
    peers = set(participants.loc[participants["arm"] == "peer", "participant_id"])
    flagged = set(zip(flags["participant_id"], flags["timepoint"], strict=True))
    undone = [
        who in flagged and who[0] in peers for who in zip(scores["participant_id"], scores["timepoint"], strict=True)
    ]
    return scores.assign(score=scores["score"] + 25.0 * np.array(undone))


@pytest.mark.parametrize(("per_arm", "profile", "is_told"), [(12, "threshold-10", True), (9, "threshold-10", False), (9, "none", True)])  # fmt: skip
def test_certainty_falls_where_flagged_answers_decide_unless_so_few_do_that_it_is_not_shown(
    run, trial, make_design, make_plan, per_arm, profile, is_told
):
    scores, participants = trial
    flags = flag(participants, per_arm)
    plan = make_plan(small_numbers={"profile": profile})
    results = run(plan, make_design(), fragile(scores, flags, participants), participants, flags)
    main, again = estimate_of(results, "model"), estimate_of(results, "quality")
    assert main["conf_high"] > 0 > again["conf_high"]
    certainty = results[results["analysis"] == "certainty"]
    assert certainty["method"].str.contains("hangs on whether the answers that were flagged").any() == is_told


def test_certainty_falls_where_flags_decide_whether_a_difference_is_meaningful(run, trial, make_design, make_plan):
    scores, participants = trial
    flags = flag(participants, 12)
    again = estimate_of(run(make_plan(), make_design(), scores, participants, flags), "quality")
    main = estimate_of(run(make_plan(), make_design(), scores, participants, flags), "model")
    border = float(np.mean([abs(main["conf_high"]), abs(again["conf_high"])]))
    for smallest, is_told in ((border, True), (0.01, False)):
        outcome = {"id": "mood", "measure": "mood.total", "role": "primary",
                   "smallest_meaningful_change": {"value": smallest, "source": "Invented"}}  # fmt: skip
        results = run(make_plan(outcomes=[outcome]), make_design(), scores, participants, flags)
        assert results["method"].str.contains("hangs on whether").any() == is_told


@pytest.mark.parametrize(
    ("peer", "usual", "baseline", "is_shown"),
    [(1, 0, 0, False), (9, 0, 0, False), (9, 1, 0, False), (25, 3, 0, False), (20, 20, 1, False), (10, 0, 0, True),
     (12, 10, 0, True), (12, 10, 10, True)],
)  # fmt: skip
def test_no_few_people_stand_between_two_estimates_that_are_shown(
    run, trial, make_design, make_plan, peer, usual, baseline, is_shown
):
    scores, participants = trial
    flags = pd.concat([flag(participants[participants["arm"] == "peer"], peer),
                       flag(participants[participants["arm"] == "usual"], usual),
                       flag(participants[participants["arm"] == "usual"], baseline, "bot", "baseline")])  # fmt: skip
    results = run(make_plan(), make_design(), scores, participants, flags)
    again = estimate_of(gate_results(results, "threshold-10"), "quality")
    assert np.isfinite(estimate_of(gate_results(results, "threshold-10"), "model")["value"])
    assert np.isfinite(again["value"]) == is_shown
    assert again["hidden"] != is_shown
    assert again[[name for name in GATED if is_shown is False or name in ("n", "df", "std_error")]].isna().all()
    assert np.isfinite(estimate_of(results, "quality")["value"])  # it is the gate that hides it


def test_answers_that_the_plan_leaves_out_do_not_speak_for_the_instrument(
    trial, make_library, make_design, make_plan, no_delivered
):
    scores, participants = trial
    rng = np.random.default_rng(5)
    people = participants["participant_id"].repeat(3).reset_index(drop=True)
    responses = pd.DataFrame({"participant_id": people, "timepoint": "baseline", "instrument": "mood",
                              "item": ["1", "2", "3"] * 120, "value": rng.integers(0, 4, 360).astype(float)})  # fmt: skip
    flags = flag(participants, 12, timepoint="baseline")
    plan = make_plan(quality={"leave_out": ["too_fast"]})
    results = evaluate_plan(plan, make_design(), scores=scores, delivered=no_delivered, participants=participants,
                            responses=responses, library=make_library(), flags=flags)  # fmt: skip
    alpha = results[(results["statistic"] == "cronbach_alpha") & (results["timepoint"] == "baseline")]
    assert alpha["n"].tolist() == [96]
    assert responses["value"].notna().all()


def test_neither_order_nor_names_of_people_change_a_bit(run, trial, make_design, make_plan):
    scores, participants = trial
    flags = pd.concat([flag(participants, 12), flag(participants, 11, "bot")], ignore_index=True)
    before = run(make_plan(), make_design(), scores, participants, flags)
    names = {name: f"q{number}" for number, name in enumerate(reversed(participants["participant_id"].tolist()))}
    renamed = [each.assign(participant_id=each["participant_id"].map(names)).sample(frac=1, random_state=3)
               for each in (scores, participants, flags)]  # fmt: skip
    pd.testing.assert_frame_equal(run(make_plan(), make_design(), *renamed), before)


def test_inputs_are_left_as_they_are(run, trial, make_design, make_plan):
    scores, participants = trial
    flags = flag(participants, 12)
    copies = [each.copy() for each in (scores, participants, flags)]
    run(make_plan(quality={"leave_out": ["too_fast"]}), make_design(), scores, participants, flags)
    for each, copy in zip((scores, participants, flags), copies, strict=True):
        pd.testing.assert_frame_equal(each, copy)


def test_flags_are_those_that_are_made():
    assert FLAGS == ("too_fast", "straight_lining", "failed_attention", "bot")

"""The difference among people who come when offered: against other implementations, its assumptions, its refusals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.compliers import DIFFERENCE, REFUSALS, SHARE_CAME, two_stage_least_squares
from analysis.dose_part import relate_dose
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.results import Result

from .said_again import find_unsayable

EXACT = 1e-8  # the same equations in double precision
BY_HAND = {"groups": (-2.18498709674, 2.95852654257, 7.46122493472), "people": (-2.18498709674, 2.20758493770, 87.21183695108)}  # fmt: skip
"""Estimate, standard error, degrees of freedom of `one_sided(12)`, by base R 4: b <- solve(t(Z) %*% X, t(Z) %*% later)
with X = cbind(came, 1, start, age), Z = cbind(offered, 1, start, age); per arm m / (m - 1) * (n - 2) / (n - 4) *
A crossprod(rowsum(Z * e, cluster)) A' with A = solve(t(Z) %*% X), df = v^2 / sum(v_arm^2 / (m - 1))."""
WEEKS = 10


def one_sided(seed: int, people: int = 90, first: int = 50, true: float = -4.0) -> pd.DataFrame:
    """An invented trial of which some people of the first arm came."""
    rng = np.random.default_rng(seed)
    offered = np.arange(people) < first
    group = np.where(offered, np.arange(people) // 10, -1)
    start, age = np.round(rng.normal(50, 8, people), 1), np.round(rng.normal(45, 12, people))
    came = (offered & (rng.random(people) < 0.65)).astype(float)
    noise = rng.normal(0, 5, people) + np.where(group >= 0, rng.normal(0, 1.5, first // 10)[group], 0)
    later = np.round(0.6 * start + true * came + 0.1 * age + noise, 1)
    groups = [f"g{number}" if number >= 0 else "" for number in group]
    return pd.DataFrame({"offered": offered, "group": groups, "start": start, "age": age, "came": came, "later": later})


def solve(frame: pd.DataFrame, *, known: tuple[str, ...] = ("start", "age"), grouped: bool = True) -> Any:
    groups = frame["group"] if grouped else pd.Series("", index=frame.index)
    return two_stage_least_squares(
        frame["later"].to_numpy(), frame["came"].to_numpy(), frame["offered"].to_numpy(),
        frame[list(known)].to_numpy(), groups,
    )  # fmt: skip


@pytest.mark.parametrize("unit", ["groups", "people"])
def test_two_stage_least_squares_is_that_of_r_by_hand(unit: str) -> None:
    found = solve(one_sided(12), grouped=unit == "groups").difference
    assert (found.value, found.std_error, found.df) == pytest.approx(BY_HAND[unit], abs=EXACT)


def test_estimates_are_those_of_statsmodels() -> None:
    from statsmodels.sandbox.regression.gmm import IV2SLS

    frame = one_sided(4)
    ones = np.ones(len(frame))
    beside = (ones, frame["start"], frame["age"])
    fit = IV2SLS(
        frame["later"], np.column_stack([frame["came"], *beside]), np.column_stack([frame["offered"], *beside])
    )
    assert solve(frame).difference.value == pytest.approx(fit.fit().params.iloc[0], abs=EXACT)


def test_without_covariates_it_is_the_difference_over_the_share_who_came() -> None:
    frame = one_sided(5)
    arms = frame.groupby("offered")[["later", "came"]].mean()
    found = solve(frame, known=())
    assert found.first_stage.value == pytest.approx(arms.loc[True, "came"], abs=EXACT)
    difference = arms.loc[True, "later"] - arms.loc[False, "later"]
    assert found.difference.value == pytest.approx(difference / arms.loc[True, "came"], abs=EXACT)


def test_where_everybody_comes_it_is_welchs_test() -> None:
    frame = one_sided(6).assign(came=lambda table: table["offered"].astype(float))
    found = solve(frame, known=(), grouped=False)
    arms = [frame.loc[frame["offered"] == offered, "later"] for offered in (True, False)]
    welch = stats.ttest_ind(*arms, equal_var=False)
    assert found.difference.p_value == pytest.approx(welch.pvalue, abs=EXACT)
    assert found.difference.df == pytest.approx(welch.df, abs=EXACT)
    assert np.isinf(found.f_statistic)


def test_intervals_hold_the_truth_as_often_as_they_say(record_property) -> None:
    runs = 400
    held = [
        found.conf_low <= -4 <= found.conf_high
        for found in (solve(one_sided(seed, 160, 80), grouped=True).difference for seed in range(runs))
    ]
    record_property("coverage", float(np.mean(held)))
    assert 0.92 <= np.mean(held) <= 0.985  # three Monte Carlo standard errors about 0.95


@pytest.fixture
def study(make_plan, make_design, make_trial, make_evaluation, make_sessions) -> Callable[..., Evaluation]:
    """A function that gives a trial with sessions in the peer arm."""

    def make(
        *,
        kind: str = "randomised",
        at_least: int = 4,
        came: Any = None,
        per_arm: int = 60,
        noise: int = 1,
        **given: Any,
    ) -> Evaluation:
        rng = np.random.default_rng(noise)
        scores, participants = make_trial(rng, per_arm, shifts={("peer", "post"): -5.0})
        usual = rng.beta(3, 2, (per_arm, 1)) > rng.random((per_arm, WEEKS))
        sessions = make_sessions(participants, usual if came is None else came)
        contrast = {"contrast": "post - baseline"} if kind == "single_group" else {}
        plan = make_plan(
            contrast, compliers=[{"id": "regulars", "estimand": "mood_post", "attended_at_least": at_least}]
        )
        if kind == "single_group":
            keep = participants["arm"] == "peer"
            participants = participants[keep].reset_index(drop=True)
            scores = scores[scores["participant_id"].isin(participants["participant_id"])].reset_index(drop=True)
        return make_evaluation(plan, make_design(kind), scores, participants, **({"sessions": sessions} | given))

    return make


def rows(evaluation: Evaluation) -> dict[str, Result]:
    """Return rows by statistic, whose words any language can say."""
    found = {row.statistic: row for row in relate_dose(evaluation)}
    assert [find_unsayable(row.method, set()) for row in found.values()] == [[]] * len(found)
    return found


def test_a_plan_that_asks_is_answered_with_the_share_in_tens(study) -> None:
    evaluation = study()
    found = rows(evaluation)
    sessions = evaluation.sessions
    counts = sessions[sessions["attended"] == "attended"].groupby("participant_id").size()
    share = (counts >= 4).sum() / 60
    assert found[DIFFERENCE].verdict == "estimated"
    assert found[SHARE_CAME].value == 10 * round(10 * share)
    assert found[DIFFERENCE].n == min((counts >= 4).sum(), 60)
    assert found[DIFFERENCE].fewest == min(n for n in ((counts >= 4).sum(), 60 - (counts >= 4).sum(), ((counts > 0) & (counts < 4)).sum()) if n)  # fmt: skip


def never(per_arm: int = 60) -> np.ndarray:
    return np.zeros((per_arm, WEEKS), dtype=bool)


def some(number: int, per_arm: int = 60) -> np.ndarray:
    came = never(per_arm)
    came[:number] = True
    return came


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "matched_comparison"}, "not_by_chance"),
        ({"kind": "single_group"}, "not_by_chance"),
        ({"sessions": None}, "no_sessions"),
        ({"came": never()}, "too_few_came"),
        ({"came": some(9)}, "too_few_came"),
        ({"came": some(10, 240), "per_arm": 240}, None),
    ],
)
def test_a_design_that_does_not_identify_it_is_refused(study, change: dict[str, Any], reason: str | None) -> None:
    found = rows(study(**change))[DIFFERENCE]
    assert found.verdict == (f"refused:{reason}" if reason else "estimated")
    if reason:
        assert found.method == REFUSALS[reason]


def test_one_session_in_the_reference_arm_is_a_refusal(study, make_sessions) -> None:
    evaluation = study()
    came = never()
    came[3, 2] = True
    other = make_sessions(evaluation.participants, came, arm="usual")
    sessions = pd.concat([evaluation.sessions, other], ignore_index=True)
    assert rows(replace(evaluation, sessions=sessions))[DIFFERENCE].verdict == "refused:reference_attended"


def test_sessions_that_the_waiting_arm_had_after_the_timepoint_do_not_count(study, make_sessions) -> None:
    evaluation = study(kind="waitlist")
    other = make_sessions(evaluation.participants, ~never(), arm="usual")
    other["days_since_baseline"] += 100
    sessions = pd.concat([evaluation.sessions, other], ignore_index=True)
    assert rows(replace(evaluation, sessions=sessions))[DIFFERENCE].verdict == "estimated"


def test_a_weak_first_stage_is_refused(study, monkeypatch) -> None:
    monkeypatch.setattr("analysis.compliers.WEAKEST", 1e9)
    assert rows(study())[DIFFERENCE].verdict == "refused:weak_first_stage"
    assert "attended_at_least" in REFUSALS["weak_first_stage"]


@pytest.mark.parametrize("sentence", REFUSALS.values())
def test_no_refusal_gives_a_number(sentence: str) -> None:
    assert sentence.endswith(".")
    assert not any(character.isdigit() for character in sentence)


def test_columns_that_repeat_each_other_are_told_apart_from_a_defect() -> None:
    frame = one_sided(3).assign(twice=lambda table: 2 * table["start"])
    with pytest.raises(AnalysisError, match="too few people"):
        solve(frame, known=("start", "twice"))

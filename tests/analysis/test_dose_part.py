"""How change goes with sessions: the slope against another implementation, what counts as attended, and refusals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.attended import count_attended
from analysis.dose_part import BANDS, SLOPE, relate_dose
from analysis.evaluation import Evaluation
from analysis.results import Result, results_table

from .said_again import find_unsayable

EXACT = 1e-8  # both solve the same normal equations in double precision
ASK = [{"id": "sessions", "estimand": "mood_post", "arm": "peer"}]
WEEKS = 10


@pytest.fixture
def study(make_plan, make_design, make_trial, make_evaluation, make_sessions) -> Callable[..., Evaluation]:
    """A function that gives a trial with weekly sessions in the peer arm."""

    def make(
        seed: int = 3, *, kind: str = "randomised", group_size: int = 0, per_arm: int = 80, came: Any = None,
        estimand: dict[str, Any] | None = None, **given: Any,
    ) -> Evaluation:  # fmt: skip
        rng = np.random.default_rng(seed)
        arms = ("peer",) if kind == "single_group" else ("peer", "usual")
        scores, participants = make_trial(rng, per_arm, arms=arms, group_size=group_size, missing=0.1)
        often = rng.beta(3, 2, (per_arm, 1)) > rng.random((per_arm, WEEKS)) if came is None else came
        design = make_design(kind, group_arms=("peer",) if group_size else ())
        contrast = "post - baseline" if kind in ("single_group", "repeated_cross_section") else "peer - usual"
        plan = make_plan({"contrast": contrast} | (estimand or {}), exposure_response=ASK)
        return make_evaluation(
            plan, design, scores, participants, **({"sessions": make_sessions(participants, often)} | given)
        )

    return make


def one(evaluation: Evaluation, statistic: str = SLOPE) -> Result:
    """Return a row, whose words any language can say."""
    row = next(row for row in relate_dose(evaluation) if row.statistic == statistic)
    assert find_unsayable(row.method, {"Age", "Gender"}) == []
    return row


def wide(evaluation: Evaluation) -> pd.DataFrame:
    """Scores of the peer arm, age and sessions attended, one row per person, put together anew."""
    people = evaluation.participants.set_index("participant_id")
    scores = evaluation.scores.pivot_table(index="participant_id", columns="timepoint", values="score")
    sessions = evaluation.sessions
    came = sessions[sessions["attended"] == "attended"].groupby("participant_id").size()
    table = people[people["arm"] == "peer"].join(scores).assign(came=came).fillna({"came": 0})
    return table.dropna(subset=["baseline", "post"])


def test_the_slope_is_that_of_statsmodels_with_hc2_errors(study) -> None:
    import statsmodels.api as sm

    evaluation = study(estimand={"covariates": ["age"]})
    table = wide(evaluation)
    design = sm.add_constant(table[["came", "baseline", "age"]])
    fit = sm.OLS(table["post"] - table["baseline"], design).fit(cov_type="HC2")
    found = one(evaluation)
    assert found.value == pytest.approx(fit.params["came"], abs=EXACT)
    assert found.std_error == pytest.approx(fit.bse["came"], abs=EXACT)
    assert found.n == len(table)
    assert found.conf_low < found.value < found.conf_high
    assert np.isnan(found.p_value)


def test_people_of_a_group_are_a_cluster(study) -> None:
    alone, grouped = one(study()), one(study(group_size=10))
    assert "clusters: people" in alone.method
    assert "clusters: groups" in grouped.method
    assert grouped.df < 8 < alone.df


def test_means_are_given_in_three_bands_of_what_was_offered(study) -> None:
    evaluation = study()
    table = wide(evaluation)
    shares = table["came"] / WEEKS
    sizes = [(shares < 1 / 3).sum(), ((shares >= 1 / 3) & (shares < 2 / 3)).sum(), (shares >= 2 / 3).sum()]
    rows = [one(evaluation, f"mean_change_{band}") for band in BANDS]
    assert [row.n for row in rows] == sizes
    assert [row.fewest for row in rows] == [size - 1 for size in sizes]  # no two people changed alike
    change = table["post"] - table["baseline"]
    middle = np.average([row.value for row in rows], weights=sizes)
    assert middle == pytest.approx(change.mean(), abs=EXACT)  # means allow for baseline, at its mean


def test_sessions_after_a_persons_answers_do_not_count(study) -> None:
    evaluation = study(came=np.ones((80, WEEKS), dtype=bool))
    people = evaluation.participants["participant_id"]
    responses = pd.DataFrame({"participant_id": people, "timepoint": "post", "days_since_baseline": 35.0})
    responses.loc[0, "days_since_baseline"] = np.nan  # of who has no day, the planned week 12 counts
    found = count_attended(replace(evaluation, responses=responses), "post").set_index("participant_id")
    assert found.loc[people[0], "n_attended"] == WEEKS
    assert found.loc[people[1], ["n_attended", "n_offered"]].tolist() == [5, 5]
    assert found.loc[people[1], "share"] == 1
    assert found.loc[people[100], "n_attended"] == 0


def test_a_session_whose_day_is_not_told_counts(study) -> None:
    evaluation = study(came=np.ones((80, WEEKS), dtype=bool))
    sessions = evaluation.sessions.assign(days_since_baseline=np.nan)
    found = count_attended(replace(evaluation, sessions=sessions), "post")
    assert (found.loc[found["arm"] == "peer", "n_attended"] == WEEKS).all()


def test_without_attendance_before_the_answers_every_share_is_what_is_left(study) -> None:
    evaluation = study()
    people = evaluation.participants["participant_id"]
    responses = pd.DataFrame({"participant_id": people, "timepoint": "post", "days_since_baseline": 49.0})
    found = count_attended(replace(evaluation, responses=responses), "post")
    peers = found[found["arm"] == "peer"]
    assert (peers["n_offered"] == 7).all()
    assert peers["share"].to_numpy() == pytest.approx(peers["n_attended"] / 7)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sessions": None}, "no_sessions"),
        ({"per_arm": 9, "came": np.eye(9, WEEKS, dtype=bool)}, "too_few_participants"),
        ({"came": np.ones((80, WEEKS), dtype=bool)}, "attendance_alike"),
        ({"group_size": 40}, "too_few_groups"),
        ({"kind": "repeated_cross_section"}, "nobody_followed"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_way_out(study, change: dict[str, Any], reason: str) -> None:
    rows = list(relate_dose(study(**change)))
    assert [row.verdict for row in rows] == [f"refused:{reason}"]
    assert np.isnan([rows[0].value, rows[0].n, rows[0].fewest]).all()
    assert rows[0].method.endswith(".")
    assert not any(figure.isdigit() for figure in rows[0].method)


def test_an_estimand_of_people_chosen_later_is_refused(study) -> None:
    evaluation = study()
    plan = evaluation.plan.model_copy(update={"estimands": []})  # as an evaluation has it
    assert one(replace(evaluation, plan=plan)).verdict == "refused:population_of_its_own"


def test_an_outcome_of_another_kind_is_refused(study, make_plan) -> None:
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "binary", "event": {"at_least": 50}}
    plan = make_plan(outcomes=[outcome], exposure_response=ASK)
    assert one(replace(study(), plan=plan)).verdict == "refused:not_a_score"


def test_fewest_are_the_people_who_did_not_come_to_the_usual_number(study) -> None:
    came = np.ones((80, WEEKS), dtype=bool)
    came[:40, 0] = False
    found = one(study(came=came))
    table = wide(study(came=came))
    assert found.fewest == min((table["came"] == WEEKS).sum(), (table["came"] != WEEKS).sum())


def test_a_single_group_can_be_asked(study) -> None:
    assert one(study(kind="single_group")).verdict == "estimated"


def test_neither_order_nor_ids_have_any_bearing(study) -> None:
    evaluation = study(group_size=10)
    rng = np.random.default_rng(1)
    new = {old: f"x{place}" for place, old in enumerate(rng.permutation(evaluation.participants["participant_id"]))}
    tables = {
        name: getattr(evaluation, name).assign(participant_id=getattr(evaluation, name)["participant_id"].map(new))
        for name in ("participants", "scores", "sessions")
    }
    other = replace(evaluation, **{name: table.sample(frac=1, random_state=2) for name, table in tables.items()})
    pd.testing.assert_frame_equal(*(results_table(relate_dose(each)) for each in (evaluation, other)), rtol=EXACT)

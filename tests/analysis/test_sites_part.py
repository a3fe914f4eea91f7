"""How much sites differ: variances, predictions and intervals against lme4, and what is told of few sites."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation import Evaluation
from analysis.results import Result, results_table
from analysis.sites import compare_units
from analysis.sites_part import compare_sites, find_listed

from .said_again import find_unsayable

CLOSE = 1e-5  # lme4's optimiser stops about there
EXACT = 1e-8
SIZES = (42, 9, 25, 31, 14, 55, 18)
LME4 = {"site": 3.836252522, "residual": 21.475035582}
"""R 4, lme4: VarCorr(lmer(change ~ start + arm + (1 | site), REML = TRUE, control = lmerControl(optCtrl =
list(xtol_abs = 1e-12, ftol_abs = 1e-14)))), of `made()`, arm with levels usual, peer."""
RANEF = (-0.9919170849, 1.8839281532, -1.7056756699, -1.9943264204, -0.2789176324, 2.5193757640, 0.5675328904)
"""ranef() of the same fit."""
ERRORS = (0.9953853074, 1.3169669853, 1.0832767846, 1.0408354285, 1.2104536812, 0.9622770025, 1.1461566402)
"""With X, Z, v of the same fit: sqrt(diag(solve(rbind(cbind(X'X, X'Z), cbind(Z'X, Z'Z + diag(7) v_res / v_site)) /
v_res)))[4:10], Henderson's equations."""
PROFILE = (0.9953473743, 4.2790486697)
"""Where -2 restricted log-likelihood, by determinant() and solve() of the whole covariance matrix with optimize() over
the residual variance, exceeds its least value by qchisq(0.95, 1): uniroot() on both sides."""


def made() -> pd.DataFrame:
    """People of seven sites with a known difference between arms."""
    rng = np.random.default_rng(71)
    site = np.repeat([f"s{place}" for place in range(7)], SIZES)
    arm = np.where(np.arange(len(site)) % 2 == 0, "peer", "usual")
    start = np.round(rng.normal(50, 8, len(site)), 1)
    by_site = rng.normal(0, 2.5, 7)
    noise = rng.normal(0, 5, len(site))
    change = np.round(-0.4 * (start - 50) - 1.5 * (arm == "peer") + np.repeat(by_site, SIZES) + noise, 1)
    arms = pd.Categorical(arm, categories=["usual", "peer"])
    return pd.DataFrame({"site": site, "arm": arms, "start": start, "change": change})


def test_variances_and_predictions_are_those_of_lme4() -> None:
    found = compare_units(made(), "site", ("start", "arm"))
    assert found.spread**2 == pytest.approx(LME4["site"], abs=CLOSE)
    assert found.residual_spread**2 == pytest.approx(LME4["residual"], abs=CLOSE)
    assert found.icc == pytest.approx(LME4["site"] / sum(LME4.values()), abs=CLOSE)
    assert found.units["unit"].tolist() == [f"s{place}" for place in range(7)]
    assert found.units["prediction"].to_numpy() == pytest.approx(RANEF, abs=CLOSE)
    assert found.units["std_error"].to_numpy() == pytest.approx(ERRORS, abs=CLOSE)
    assert (found.spread_low, found.spread_high) == pytest.approx(PROFILE, abs=CLOSE)


def test_predictions_are_shrunken_the_more_the_smaller_the_site() -> None:
    units = compare_units(made(), "site", ("start", "arm")).units.set_index("unit")
    kept = units["prediction"] / units["unshrunken"]
    assert kept.between(0, 1).all()
    assert kept.sort_values().index.tolist() == units["n"].sort_values().index.tolist()
    assert units["prediction"].sum() == pytest.approx(0, abs=EXACT)


def test_funnel_limits_are_those_of_sites_like_all_others(record_property) -> None:
    units = compare_units(made(), "site", ("start", "arm")).units
    residual = np.sqrt(LME4["residual"] / np.array(SIZES))
    assert units["funnel_95"].to_numpy() == pytest.approx(1.959964 * residual, abs=1e-4)  # qnorm(0.975) to 6 digits
    assert units["funnel_998"].to_numpy() == pytest.approx(3.090232 * residual, abs=1e-4)  # qnorm(0.999)
    rng = np.random.default_rng(2)
    beyond = []
    for _ in range(40):
        start = rng.normal(0, 1, 300)
        rows = pd.DataFrame({"site": np.repeat([f"s{place}" for place in range(12)], 25), "start": start})
        beyond += (
            compare_units(rows.assign(change=rng.normal(0, 3, 300)), "site", ("start",)).units["position"] > 0
        ).tolist()
    record_property("beyond", float(np.mean(beyond)))
    assert 0.02 <= np.mean(beyond) <= 0.08  # three Monte Carlo standard errors about 0.05, of 480 sites


def test_without_differences_the_spread_begins_at_zero() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"site": np.tile(list("abcdef"), 30), "start": rng.normal(0, 1, 180)})
    found = compare_units(rows.assign(change=rng.normal(0, 3, 180)), "site", ("start",))
    assert found.spread_low == 0
    assert 0 < found.spread_high < 2


@pytest.fixture
def study(make_plan, make_design, make_trial, make_evaluation) -> Callable[..., Evaluation]:
    """A function that gives a trial at sites of the sizes given, with differences between them."""

    def make(sizes: tuple[int, ...] = (30, 24, 9, 40, 21, 8, 28), *, spread: float = 3.0, **given: Any) -> Evaluation:
        rng = np.random.default_rng(4)
        people = sum(sizes)
        scores, participants = make_trial(rng, people // 2)
        # names in another order than sizes, so that an order by size would show
        names = [f"town {'hcaegbdf'[place]}" for place in range(len(sizes))]
        site = np.repeat(names, sizes)[: 2 * (people // 2)]
        participants["site"] = site if len(site) == len(participants) else np.append(site, names[-1])
        levels = dict(zip(names, rng.normal(0, spread, len(names)), strict=True))
        place = scores["participant_id"].map(participants.set_index("participant_id")["site"])
        scores["score"] += (scores["timepoint"] == "post") * place.map(levels)
        return make_evaluation(make_plan(), make_design(), scores, participants, **given)

    return make


def rows_of(evaluation: Evaluation, statistic: str) -> list[Result]:
    return [row for row in compare_sites(evaluation) if row.statistic == statistic]


def test_sites_are_listed_by_name_and_only_from_ten_people_on(study) -> None:
    listed = rows_of(study(), "site_prediction")
    names = [row.item for row in listed]
    assert names == sorted(names)
    assert min(row.n for row in listed) >= 10
    assert len(listed) == 5
    assert rows_of(study(), "sites")[0].value == 7  # all are in the model
    assert {row.statistic for row in compare_sites(study())} == {
        "sites", "site_spread", "site_icc", "site_prediction", "site_funnel_95", "site_funnel_998", "site_position",
    }  # fmt: skip


def test_one_small_site_alone_takes_the_next_smallest_with_it() -> None:
    assert find_listed(pd.Series({"a": 30, "b": 9, "c": 20, "d": 12})) == {"a", "c"}
    assert find_listed(pd.Series({"a": 30, "b": 9, "c": 8, "d": 12})) == {"a", "d"}
    assert find_listed(pd.Series({"a": 30, "b": 10})) == {"a", "b"}


def test_fewer_than_five_sites_are_described_only(study) -> None:
    evaluation = study((40, 40, 40, 40))
    (spread,) = rows_of(evaluation, "site_spread")
    assert spread.verdict == "refused:too_few_sites"
    means = rows_of(evaluation, "site_mean_change")
    assert len(means) == 4
    scores = evaluation.scores.pivot_table(index="participant_id", columns="timepoint", values="score")
    change = (scores["post"] - scores["baseline"]).groupby(evaluation.participants.set_index("participant_id")["site"])
    assert [row.value for row in means] == pytest.approx(change.mean().sort_index().tolist(), abs=EXACT)
    assert rows_of(evaluation, "site_prediction") == []
    assert rows_of(study((40, 40, 40, 40, 40)), "site_spread")[0].verdict == "estimated"


def test_a_spread_of_zero_predicts_nothing_as_if_it_were_certain(study) -> None:
    evaluation = study((30,) * 6, spread=0.0)
    scores, people = evaluation.scores, evaluation.participants.set_index("participant_id")
    later = scores["timepoint"] == "post"
    cells = [scores["participant_id"].map(people[column]) for column in ("site", "arm")]
    scores.loc[later, "score"] -= scores[later].groupby([cell[later] for cell in cells])["score"].transform("mean")
    scores.loc[~later, "score"] = 50.0  # all began alike, and sites have one mean: less apart than by chance
    assert rows_of(evaluation, "site_spread")[0].value == 0
    assert rows_of(evaluation, "site_prediction") == []
    assert len(rows_of(evaluation, "site_position")) == 6


def test_without_sites_nothing_is_told(study) -> None:
    evaluation = study()
    for site in ("", "town a"):
        one = replace(evaluation, participants=evaluation.participants.assign(site=site))
        assert list(compare_sites(one)) == []
    assert list(compare_sites(replace(evaluation, participants=evaluation.participants.drop(columns="site")))) == []


def lead(evaluation: Evaluation, make_sessions, leaders: int) -> Evaluation:
    """Give everybody of the peer arm ten sessions with one of so many facilitators."""
    people = evaluation.participants
    sessions = make_sessions(people, np.ones(((people["arm"] == "peer").sum(), 10), dtype=bool))
    number = pd.factorize(sessions["participant_id"])[0] % leaders
    return replace(evaluation, sessions=sessions.assign(facilitator=[f"f{each:02}" for each in number]))


def test_of_facilitators_only_the_spread_is_told(study, make_sessions) -> None:
    evaluation = lead(study(), make_sessions, 12)
    told = [row for row in compare_sites(evaluation) if row.statistic.startswith("facilitator")]
    assert [row.statistic for row in told] == ["facilitator_spread", "facilitator_icc"]
    assert {row.item for row in told} == {""}
    assert {row.fewest for row in told} == {12.0}
    for few in (1, 4, 9):
        assert rows_of(lead(study(), make_sessions, few), "facilitator_spread") == []


def test_each_timepoint_of_the_primary_outcome_is_told_once(study, make_plan) -> None:
    plan = make_plan({}, {"id": "again", "covariates": ["age"]})
    assert len(rows_of(replace(study(), plan=plan), "site_spread")) == 1


def test_neither_order_nor_ids_have_any_bearing(study) -> None:
    evaluation = study()
    rng = np.random.default_rng(1)
    new = {old: f"x{place}" for place, old in enumerate(rng.permutation(evaluation.participants["participant_id"]))}
    tables = {
        name: getattr(evaluation, name).assign(participant_id=getattr(evaluation, name)["participant_id"].map(new))
        for name in ("participants", "scores")
    }
    other = replace(evaluation, **{name: table.sample(frac=1, random_state=2) for name, table in tables.items()})
    pd.testing.assert_frame_equal(*(results_table(compare_sites(each)) for each in (evaluation, other)), rtol=CLOSE)


def test_how_sites_were_compared_can_be_said_in_other_languages(study, make_sessions) -> None:
    rows = [*compare_sites(study()), *compare_sites(study((40, 40, 40, 40)))]
    rows += compare_sites(lead(study(), make_sessions, 12))
    assert [problem for row in rows for problem in find_unsayable(row.method, set())] == []
    assert len({row.method for row in rows}) >= 7

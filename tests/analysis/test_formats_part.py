"""Online against in person with a margin, estimands with a margin, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.evaluation import Evaluation
from analysis.formats_part import DIFFERENCE, LEFT_OUT, REFUSALS, compare_formats
from analysis.margin_part import JUDGED, JUDGEMENTS, judge_margins
from analysis.results import Result

from .said_again import find_unsayable

EXACT = 1e-8  # the same equations in double precision
WEEKS = 10
MARGIN = {"value": 4, "question": "non_inferiority", "source": "invented"}


@pytest.fixture
def study(make_plan, make_design, make_trial, make_evaluation, make_sessions) -> Callable[..., Evaluation]:
    """A function that gives a trial in which half of the peer arm meets mostly online; `worse` points are added there.

    Higher scores are worse. `ties` people came to as many of both, `never` came to none.
    """

    def make(
        *, worse: float = 0.0, margin: dict[str, Any] = MARGIN, online: int = 60, ties: int = 0, never: int = 0,
        group_size: int = 0, **given: Any,
    ) -> Evaluation:  # fmt: skip
        scores, participants = make_trial(np.random.default_rng(8), 120, group_size=group_size)
        is_online = np.zeros((120, WEEKS), dtype=bool)
        is_online[:online] = True
        is_online[online : online + ties, ::2] = True
        came = np.ones((120, WEEKS), dtype=bool)
        came[120 - never :] = False
        people = participants.loc[participants["arm"] == "peer", "participant_id"].head(online)
        shifted = scores["participant_id"].isin(people) & (scores["timepoint"] == "post")
        scores.loc[shifted, "score"] += worse
        comparison = {"id": "format", "outcome": "mood", "arm": "peer", "timepoint": "post", "covariates": ["age"]}
        sessions = make_sessions(participants, came, online=is_online)
        return make_evaluation(
            make_plan(formats=[comparison | {"margin": margin}]),
            make_design(group_arms=("peer",) if group_size else ()),
            scores, participants, **({"sessions": sessions} | given),
        )  # fmt: skip

    return make


def rows(evaluation: Evaluation) -> dict[str, Result]:
    """Return rows by statistic, whose words any language can say."""
    found = {row.statistic: row for row in compare_formats(evaluation)}
    assert [find_unsayable(row.method, {"Age"}) for row in found.values()] == [[]] * len(found)
    return found


def verdict(row: Result) -> str:
    return JUDGEMENTS[int(row.value)]


def test_the_difference_is_that_of_statsmodels_with_hc2_errors(study) -> None:
    import statsmodels.api as sm

    evaluation = study(worse=1.0)
    people = evaluation.participants.set_index("participant_id").query("arm == 'peer'")
    scores = evaluation.scores.pivot_table(index="participant_id", columns="timepoint", values="score")
    table = people.join(scores).assign(online=(np.arange(120) < 60).astype(float))
    fit = sm.OLS(table["post"], sm.add_constant(table[["online", "baseline", "age"]])).fit(cov_type="HC2")
    found = rows(evaluation)[DIFFERENCE]
    assert (found.value, found.std_error) == pytest.approx((fit.params["online"], fit.bse["online"]), abs=EXACT)
    assert (found.n, found.fewest) == (60, 59)  # no two people of a format have the same score
    assert np.isnan(found.p_value)


@pytest.mark.parametrize(
    ("worse", "question", "said"),
    [
        (-9.0, "non_inferiority", "superior"),
        (1.0, "non_inferiority", "non_inferior"),
        (4.5, "non_inferiority", "not_shown"),
        (12.0, "non_inferiority", "inferior"),
        (0.5, "equivalence", "equivalent"),
        (4.5, "equivalence", "not_shown"),
        (-12.0, "equivalence", "not_equivalent"),
    ],
)
def test_the_margin_decides(study, worse: float, question: str, said: str) -> None:
    found = rows(study(worse=worse, margin=MARGIN | {"question": question}))
    assert verdict(found[JUDGED]) == said
    row = found[DIFFERENCE]
    reach = stats.t.isf(0.05 if question == "equivalence" else 0.025, row.df) * row.std_error
    if said in ("non_inferior", "superior"):
        assert row.value + reach < (4 if said == "non_inferior" else 0)
    if said == "equivalent":
        assert abs(row.value) + reach < 4


def test_who_has_no_format_is_left_out_and_told_in_tens(study) -> None:
    found = rows(study(online=50, ties=12, never=11))
    assert found[DIFFERENCE].n == 120 - 50 - 12 - 11
    assert (found[LEFT_OUT].value, found[LEFT_OUT].fewest) == (20, 11)
    assert rows(study(online=50, ties=3, never=11))[LEFT_OUT].fewest == 3
    assert np.isnan(rows(study())[LEFT_OUT].fewest)


def test_one_format_of_too_few_people_is_refused(study) -> None:
    found = rows(study(online=9))
    assert list(found) == [DIFFERENCE]
    assert found[DIFFERENCE].verdict == "refused:format_too_small"
    assert rows(study(online=10))[DIFFERENCE].verdict == "estimated"


def test_sessions_without_a_format_are_refused(study) -> None:
    evaluation = study()
    silent = replace(evaluation, sessions=evaluation.sessions.assign(format=""))
    assert rows(silent)[DIFFERENCE].verdict == "refused:formats_not_told"
    assert rows(replace(evaluation, sessions=None))[DIFFERENCE].verdict == "refused:no_sessions"


def test_groups_are_clusters_and_too_few_of_them_are_refused(study) -> None:
    assert rows(study(group_size=10))[DIFFERENCE].df < 12 < rows(study())[DIFFERENCE].df
    assert rows(study(group_size=60))[DIFFERENCE].verdict == "refused:too_few_groups"


@pytest.mark.parametrize("sentence", REFUSALS.values())
def test_no_refusal_gives_a_number(sentence: str) -> None:
    assert sentence.endswith(".")
    assert not any(character.isdigit() for character in sentence)


def answered(make_plan, make_design, make_evaluation, value: float, **margin: Any) -> Evaluation:
    """An evaluation whose one estimand was estimated as `value` with standard error 1 and 100 degrees of freedom."""
    plan = make_plan({"margin": MARGIN | margin})
    reach = stats.t.isf(0.025, 100)
    row = Result(
        analysis="model", statistic="difference", estimand="mood_post", outcome="mood", value=value, std_error=1.0,
        df=100, conf_low=value - reach, conf_high=value + reach, p_value=0.5, n=60, verdict="estimated",
    )  # fmt: skip
    empty = pd.DataFrame({"participant_id": ["a"], "timepoint": "post", "measure": "mood.total", "score": 1.0})
    people = pd.DataFrame({"participant_id": ["a"], "arm": "peer", "group": ""})
    return make_evaluation(plan, make_design(), empty, people, answers=[row])


@pytest.mark.parametrize(
    ("value", "question", "said"),
    [
        (1.9, "non_inferiority", "non_inferior"),  # 1.9 + 1.98 < 4; higher is worse
        (2.1, "non_inferiority", "not_shown"),
        (-2.1, "non_inferiority", "superior"),
        (6.1, "non_inferiority", "inferior"),
        (2.3, "equivalence", "equivalent"),  # 2.3 + 1.66 < 4
        (-2.4, "equivalence", "not_shown"),
        (-5.7, "equivalence", "not_equivalent"),
    ],
)
def test_an_estimand_is_held_against_its_margin(
    make_plan, make_design, make_evaluation, value: float, question: str, said: str
) -> None:
    (row,) = judge_margins(answered(make_plan, make_design, make_evaluation, value, question=question))
    assert (row.analysis, row.statistic, row.estimand, row.n) == ("margin", JUDGED, "mood_post", 60)
    assert verdict(row) == said
    assert row.method.endswith(
        "; margin 4, 2.5\u00a0% one-sided" if question == "non_inferiority" else "5\u00a0% one-sided"
    )
    assert find_unsayable(row.method, set()) == []


def test_an_estimand_without_an_estimate_has_no_judgement(make_plan, make_design, make_evaluation) -> None:
    evaluation = answered(make_plan, make_design, make_evaluation, 1.0)
    (row,) = judge_margins(replace(evaluation, answers=()))
    assert row.verdict == "refused:not_estimated"
    assert np.isnan(row.value)
    assert list(judge_margins(replace(evaluation, plan=make_plan()))) == []

"""Adjusted p-values and certainty: what the numbers are allowed to mean."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import Result
from analysis.certainty import derive_certainty
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.multiplicity import adjust_p_values
from analysis.plan import Outcome
from analysis.plan_parts import Family

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
)
MOOD = Outcome(id="mood", measure="mood.total", role="primary")


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
def judge(make_trial, make_design, make_plan, make_library, no_responses):
    """A function that gives level and reasons of a sound trial with one thing changed."""

    def run(row=CLEAR, *, kind="randomised", scoring="confirmed", alpha=0.9, design=None, **trial):
        design = design or make_design(kind)
        plan = make_plan(
            outcomes=[
                {"id": "mood", "measure": "mood.total", "role": "primary", "smallest_meaningful_change": SMALLEST}
            ]
        )
        scores, people = make_trial(np.random.default_rng(9), **trial)
        reliability = Result(
            analysis="reliability", statistic="cronbach_alpha", outcome="mood.total", timepoint="baseline", value=alpha
        )
        frame = outcome_frame(scores, people, design, MOOD)
        evaluation = Evaluation(
            plan=plan,
            design=design,
            library=make_library(scoring),
            scores=scores,
            participants=people,
            responses=no_responses,
            sessions=None,
            events=pd.DataFrame(),
            frames={"mood": frame},
            answers=[row],
            measurement=[reliability],
        )
        rows = list(derive_certainty(plan.outcomes[0], evaluation))
        return (rows[0].value, [row.method for row in rows[1:]]) if rows else (None, [])

    return run


def test_a_sound_randomised_trial_is_highly_certain(judge):
    assert judge() == (4, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missing": 0.35}, "have no score at Post"),
        ({"row": replace(CLEAR, conf_low=-3.0, conf_high=0.0)}, "neither no difference nor the smallest change"),
        ({"row": replace(CLEAR, conf_low=-0.5, conf_high=3.1)}, "neither no difference nor the smallest change"),
        ({"row": replace(CLEAR, n=29)}, "Fewer than 30 participants"),
        ({"alpha": 0.69}, "alpha below 0.7"),
        ({"scoring": "unconfirmed"}, "scoring of the instrument is not confirmed"),
    ],
)
def test_each_weakness_takes_one_level_and_says_so(judge, change, words):
    level, reasons = judge(**change)
    assert level == 3
    assert len(reasons) == 1
    assert words in reasons[0]


def test_an_interval_that_is_narrow_around_no_difference_is_not_imprecise(judge):
    assert judge(row=replace(CLEAR, value=0.1, conf_low=-2.0, conf_high=2.2)) == (4, [])


def test_few_groups_take_a_level(judge, make_design):
    grouped = make_design(group_arms=("peer",))
    assert judge(design=grouped, group_size=4) == (4, [])
    level, reasons = judge(design=grouped, group_size=5)
    assert level == 3
    assert reasons == ["Fewer than 10 groups were observed at Post."]


def test_without_allocation_by_chance_certainty_starts_low_and_never_falls_below_one(judge):
    level, reasons = judge(kind="matched_comparison")
    assert level == 2
    assert "not formed by chance" in reasons[0]
    level, reasons = judge(kind="matched_comparison", alpha=0.5, scoring="unconfirmed", missing=0.4)
    assert level == 1
    assert len(reasons) == 4


def test_without_an_estimate_there_is_no_certainty(judge):
    assert judge(row=replace(CLEAR, verdict="refused:empty_cell")) == (None, [])

"""A plan held against the frozen one: what differs, which answers it concerns, and what that does to certainty."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import Plan, StudyDesign, Timepoint, evaluate_plan
from analysis.deviations import CHANGED, NEVER_FROZEN, Comparison, compare_with_frozen
from analysis.fingerprint import FrozenPlan
from analysis.results import Result

WAVES = ("baseline", "post", "followup")
MOOD = {"id": "mood", "measure": "mood.total", "role": "primary"}
JOY = {"id": "joy", "measure": "mood.joy", "role": "secondary"}
POST = {"id": "mood_post", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post", "covariates": ["age"]}
LATE = {**POST, "id": "mood_late", "timepoint": "followup", "covariates": []}
JOY_POST = {**POST, "id": "joy_post", "outcome": "joy", "covariates": ["gender"]}
PLANNED: dict[str, Any] = {
    "sap": 1,
    "outcomes": [MOOD, JOY],
    "estimands": [POST, LATE, JOY_POST],
    "families": [
        {"id": "first", "members": ["mood_post"], "adjust": "none"},
        {"id": "then", "members": ["joy_post"], "adjust": "none", "after": "first"},
    ],
}
ALL = {"mood_post", "mood_late", "joy_post"}

Compare = Callable[..., Comparison]


@pytest.fixture
def design(make_design) -> StudyDesign:
    return make_design("randomised", WAVES, more_measures=("mood.joy",))


@pytest.fixture
def compare(make_library, design, freeze) -> Compare:
    """A function that holds a changed plan against `PLANNED`."""

    def compared(now: StudyDesign = design, read: str = "", **changes: Any) -> Comparison:
        frozen = freeze(Plan.model_validate(PLANNED), design, read=read)
        return compare_with_frozen(Plan.model_validate(PLANNED | changes), now, make_library(), frozen)

    return compared


def kept(comparison: Comparison) -> set[str]:
    return {estimand.id for estimand in comparison.plan.estimands if comparison.keeps(estimand)}


def told(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    return [(str(each), each.kind, each.planned, each.done) for each in comparison.deviations]


def changed(things: list[dict[str, Any]], place: int, **values: Any) -> list[dict[str, Any]]:
    return [{**each, **values} if at == place else each for at, each in enumerate(things)]


def test_a_plan_that_is_carried_out_as_it_was_frozen_keeps_everything(compare: Compare):
    comparison = compare()
    assert comparison.deviations == ()
    assert kept(comparison) == ALL


def test_nothing_is_kept_of_a_plan_that_was_frozen_late_or_never(compare: Compare, design, make_library):
    assert kept(compare(read="2025-03-01")) == set()
    never = compare_with_frozen(Plan.model_validate(PLANNED), design, make_library(), None)
    assert kept(never) == set()
    assert list(never.tell()) == []


@pytest.mark.parametrize(
    ("changes", "rows", "lost"),
    [
        pytest.param(
            {"estimands": changed(PLANNED["estimands"], 0, covariates=["age", "gender"])},
            [("estimands.mood_post.covariates", "changed", "age", "age, gender")], {"mood_post"}, id="covariates"),
        pytest.param(
            {"estimands": changed(PLANNED["estimands"], 1, covariates=["age"])},
            [("estimands.mood_late.covariates", "added", "", "age")], {"mood_late"}, id="a first covariate"),
        pytest.param(
            {"estimands": changed(PLANNED["estimands"], 0, covariates=[])},
            [("estimands.mood_post.covariates", "removed", "age", "")], {"mood_post"}, id="no covariate"),
        pytest.param(
            {"outcomes": changed(PLANNED["outcomes"], 0, smallest_meaningful_change={"value": 2, "source": "late"})},
            [("outcomes.mood.smallest_meaningful_change", "added", "", "value: 2, source: late")],
            {"mood_post", "mood_late"}, id="a smallest meaningful change"),
        pytest.param(
            {"outcomes": changed(PLANNED["outcomes"], 0, natural_change={"mean": 1, "sd": 2, "n": 40, "source": "late"})},
            [("outcomes.mood.natural_change", "added", "", "mean: 1, sd: 2, n: 40, source: late")], set(),
            id="a benchmark beside the estimands"),
        pytest.param(
            {"families": changed(PLANNED["families"], 0, members=["mood_post", "mood_late"], adjust="holm")},
            [("families.first.members", "changed", "mood_post", "mood_late, mood_post"),
             ("families.first.adjust", "changed", "none", "holm")], ALL, id="a family that others come after"),
        pytest.param(
            {"families": changed(PLANNED["families"], 1, after=None)},
            [("families.then.after", "removed", "first", "")], {"joy_post"}, id="a family that comes after another"),
        pytest.param(
            {"quality": {"leave_out": ["bot"]}}, [("quality.leave_out", "added", "", "bot")], ALL, id="answers left out"),
        pytest.param(
            {"small_numbers": {"fewest_per_arm": 5}}, [("small_numbers.fewest_per_arm", "changed", "10", "5")], ALL,
            id="a floor"),
        pytest.param(
            {"small_numbers": {"profile": "none"}}, [("small_numbers.profile", "changed", "threshold-10", "none")],
            set(), id="what is hidden"),
        pytest.param(
            {"sensitivity": ["completers", {"delta": -2}]},
            [("sensitivity", "added", "", "completers, delta: -2")], set(), id="a sensitivity analysis"),
        pytest.param(
            {"intercurrent_events": [{"event": "moved", "strategy": "hypothetical"}]},
            [("intercurrent_events.moved", "added", "", "event: moved, strategy: hypothetical")], ALL,
            id="an intercurrent event"),
        pytest.param(
            {"estimands": [LATE, POST, JOY_POST]},
            [("outcomes.mood.order of estimands", "changed", "mood_post, mood_late", "mood_late, mood_post")],
            {"mood_late"}, id="another headline"),
    ],
)  # fmt: skip
def test_a_change_is_told_by_its_path_and_costs_the_estimands_that_it_bears_on(
    compare: Compare, changes: Mapping[str, Any], rows: list[tuple[str, str, str, str]], lost: set[str]
):
    comparison = compare(**changes)
    assert told(comparison) == rows
    assert kept(comparison) == ALL - lost


def test_an_estimand_that_was_added_is_not_pre_specified_and_one_that_was_removed_is_told(compare: Compare):
    extra = {**LATE, "id": "mood_again", "covariates": ["gender"]}
    comparison = compare(estimands=[*PLANNED["estimands"], extra])
    assert [(path, kind) for path, kind, _, _ in told(comparison)] == [("estimands.mood_again", "added")]
    assert "timepoint: followup" in comparison.deviations[0].done
    assert kept(comparison) == ALL
    families = [PLANNED["families"][0]]
    comparison = compare(estimands=[POST, LATE], families=families)
    assert [(path, kind) for path, kind, _, _ in told(comparison)] == [
        ("estimands.joy_post", "removed"),
        ("families.then", "removed"),
    ]
    assert kept(comparison) == {"mood_post", "mood_late"}


def test_the_next_estimand_does_not_become_the_headline_unseen(compare: Compare):
    comparison = compare(estimands=[LATE, JOY_POST], families=[])
    assert ("outcomes.mood.order of estimands", "changed", "mood_post, mood_late", "mood_late") in told(comparison)
    assert "mood_late" not in kept(comparison)


@pytest.mark.parametrize(
    ("change", "path", "lost"),
    [
        (lambda design: {"kind": "matched_comparison"}, "design.kind", ALL),
        (lambda design: {"group_arms": ("peer",)}, "design.group_arms", ALL),
        (lambda design: {"timepoints": (*design.timepoints, Timepoint("last", "Last", 52))}, "design.timepoints.last", ALL),
        (lambda design: {"covariates": (replace(design.covariates[0], kind="category", levels=("a", "b")),
                                        design.covariates[1])}, "design.covariates.age.kind", {"mood_post"}),
        (lambda design: {"measures": {**design.measures, "mood.joy": replace(design.measures["mood.joy"], maximum=50)}},
         "design.measures.mood.joy.maximum", {"joy_post"}),
    ],
)  # fmt: skip
def test_what_the_study_decides_costs_the_estimands_that_depend_on_it(compare: Compare, design, change, path, lost):
    comparison = compare(now=replace(design, **change(design)))
    assert path in [row[0] for row in told(comparison)]
    if path != "design.group_arms":  # the model follows the groups, and is told too
        assert kept(comparison) == ALL - lost
    assert not kept(comparison) & lost


def test_a_changed_population_costs_those_who_ask_of_it(make_library, design, freeze):
    def plan(sessions: int) -> Plan:
        came = {"id": "came", "attended_at_least": sessions}
        estimands = [{**POST, "population": "came"}, LATE]
        return Plan.model_validate(PLANNED | {"populations": [came], "estimands": estimands, "families": []})

    comparison = compare_with_frozen(plan(3), design, make_library(), freeze(plan(4), design))
    assert told(comparison) == [("populations.came.attended_at_least", "changed", "4", "3")]
    assert kept(comparison) == {"mood_late"}


def test_another_version_of_the_scoring_costs_the_answers_that_use_it(make_library, design, freeze):
    plan, library = Plan.model_validate(PLANNED), make_library()
    newer = {"mood": library["mood"].model_copy(update={"version": "1.1.0"})}
    comparison = compare_with_frozen(plan, design, newer, freeze(plan, design))
    assert told(comparison) == [("design.instruments.mood.version", "changed", "1.0.0", "1.1.0")]
    assert kept(comparison) == set()


@pytest.mark.parametrize(
    ("row", "changes", "stays"),
    [
        ({"analysis": "harms"}, {}, True),
        ({"analysis": "harms"}, {"harms": [{"id": "stay", "event": "hospital"}]}, False),
        ({"analysis": "harms"}, {"sensitivity": ["completers"]}, True),
        ({"analysis": "harms"}, {"quality": {"leave_out": ["bot"]}}, False),
        ({"analysis": "sensitivity", "estimand": "mood_late"}, {"sensitivity": ["completers"]}, False),
        ({"analysis": "sensitivity", "estimand": "mood_post"},
         {"estimands": changed(PLANNED["estimands"], 0, covariates=[])}, False),
        ({"analysis": "sensitivity", "estimand": "mood_late"},
         {"estimands": changed(PLANNED["estimands"], 0, covariates=[])}, True),
        ({"analysis": "expected_change", "outcome": "mood"},
         {"outcomes": changed(PLANNED["outcomes"], 0, natural_change={"mean": 1, "sd": 2, "n": 40, "source": "late"})},
         False),
        ({"analysis": "expected_change", "outcome": "joy"},
         {"outcomes": changed(PLANNED["outcomes"], 0, natural_change={"mean": 1, "sd": 2, "n": 40, "source": "late"})},
         True),
    ],
)  # fmt: skip
def test_a_part_is_pre_specified_while_the_keys_that_ask_for_it_are_as_they_were(
    compare: Compare, row: dict[str, str], changes: dict[str, Any], stays: bool
):
    (marked,) = compare(**changes).mark([Result(statistic="x", prespecified=True, **row)])
    assert marked.prespecified == stays
    (unasked,) = compare(**changes).mark([Result(statistic="x", **row)])
    assert not unasked.prespecified


@pytest.fixture
def run(make_library, make_trial, design, no_responses, no_delivered):
    """A function that evaluates a plan on one invented trial."""
    scores, people = make_trial(np.random.default_rng(4), 60, timepoints=WAVES, shifts={("peer", "post"): -6.0})

    def evaluate(plan: Plan, frozen: FrozenPlan | None) -> pd.DataFrame:
        return evaluate_plan(
            plan, design, scores=scores, delivered=no_delivered, participants=people, responses=no_responses,
            library=make_library(), frozen=frozen,
        )  # fmt: skip

    return evaluate


LARGE = {"value": 20, "source": "so large that every interval is precise"}
ONE_OUTCOME = {"sap": 1, "outcomes": [MOOD | {"smallest_meaningful_change": LARGE}], "estimands": [POST, LATE]}


def level_and_reasons(results: pd.DataFrame, estimand: str = "mood_post") -> tuple[float, list[str]]:
    rows = results[(results["analysis"] == "certainty") & (results["estimand"] == estimand)].set_index("statistic")
    return rows.loc["level", "value"], rows.loc[rows.index == "reason", "method"].tolist()


def test_an_answer_is_prespecified_only_as_it_was_frozen_and_certainty_falls_a_level_without(
    run, freeze, design, monkeypatch
):
    monkeypatch.setattr("analysis.certainty_measurement.READ_IN_A_LABORATORY", {"mood"})
    plan = Plan.model_validate(ONE_OUTCOME)
    adjusted = Plan.model_validate(ONE_OUTCOME | {"estimands": [{**POST, "covariates": []}, LATE]})
    found = {
        "frozen": run(plan, freeze(plan, design)),
        "late": run(plan, freeze(plan, design, read="2025-03-01")),
        "never": run(plan, None),
        "changed": run(adjusted, freeze(plan, design)),
    }
    answers = {
        name: results[(results["estimand"] != "") & (results["analysis"] == "model")]
        .set_index("estimand")["prespecified"]
        .to_dict()
        for name, results in found.items()
    }
    assert answers == {
        "frozen": {"mood_post": True, "mood_late": True},
        "late": {"mood_post": False, "mood_late": False},
        "never": {"mood_post": False, "mood_late": False},
        "changed": {"mood_post": False, "mood_late": True},
    }
    assert level_and_reasons(found["frozen"]) == (4, [])
    assert level_and_reasons(found["late"]) == (3, [NEVER_FROZEN])
    assert level_and_reasons(found["never"]) == (3, [NEVER_FROZEN])
    assert level_and_reasons(found["changed"]) == (3, [CHANGED])
    assert level_and_reasons(found["changed"], "mood_late") == (4, [])


def test_what_was_frozen_changes_no_number(run, freeze, design):
    plan = Plan.model_validate(ONE_OUTCOME)
    other = Plan.model_validate(ONE_OUTCOME | {"small_numbers": {"profile": "none"}})
    columns = ["statistic", "value", "conf_low", "conf_high", "p_value", "method"]
    tables = []
    for frozen in (None, freeze(other, design)):
        results = run(plan, frozen)
        told = ~results["analysis"].isin(["certainty", "deviations"])
        tables.append(results.loc[told, columns].reset_index(drop=True))
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)


def test_deviations_are_rows_of_results_with_what_was_planned_what_was_done_and_what_it_concerns(run, freeze, design):
    plan = Plan.model_validate(ONE_OUTCOME)
    adjusted = Plan.model_validate(ONE_OUTCOME | {"estimands": [{**POST, "covariates": []}, LATE]})
    results = run(adjusted, freeze(plan, design))
    rows = results[results["analysis"] == "deviations"]
    assert rows[["item", "statistic", "method", "verdict"]].to_numpy().tolist() == [
        ["estimands.mood_post.covariates", "planned", "age", "declared"],
        ["estimands.mood_post.covariates", "concerns", "mood_post", "declared"],
    ]
    assert rows["value"].isna().all()

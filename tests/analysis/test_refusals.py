"""Every refusal: a sentence that somebody without statistics understands, with a way out, and that reaches the row."""

import importlib
import pkgutil
import re
from dataclasses import replace
from string import Formatter

import numpy as np
import pytest

import analysis
from analysis import AnalysisError, Arm, evaluate_plan
from analysis.model_refusals import FAILURES, MODEL_REFUSALS
from analysis.outcome_model import estimate_outcome
from analysis.permutation_part import permute_allocations
from analysis.plan_parts import Subgroup
from analysis.results import Result
from analysis.sensitivity.rows import REFUSALS, Question, refuse
from analysis.telling import Number, read_told, tell
from data_contracts.errors import Problem
from reports import lint_claims
from reports.language import say_reason

from .said_again import find_unsayable

JARGON = re.compile(
    r"\b(eigen\w*|Hessian|REML|likelihood|heteroscedas\w*|singular|degenerate|rank[- ]deficien\w*|matrix|asymptotic\w*|"
    r"optimi[sz]\w*|covariance matrix|null hypothesis)\b",
    re.IGNORECASE,
)
NO_WAY_OUT = {
    "nobody_missing", "no_such_event", "no_covariates", "no_item_missing", "nothing_flips", "not_answered", "design",
}  # fmt: skip
"""Reasons that ask nothing of anybody: there is nothing to mend."""
NUMBERS = {"fewest", "groups", "clusters", "before", "after"}


def told() -> dict[tuple[str, str], str]:
    """Every dictionary of reasons in the package: (where, code) -> sentence, or its pattern."""
    found = {}
    for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, dict) and re.search("REFUS|EXPLAN|FAILURES", name):
                found |= {(f"{module.name}.{name}", code): words for code, words in value.items()}
    return found


def particulars_of(pattern: str) -> dict[str, str | Number]:
    """What the pattern of a reason asks for: numbers, and labels of the study."""
    names = {name for _, name, _, _ in Formatter().parse(pattern) if name}
    return {name: Number(30) if name in NUMBERS else f"label {name}" for name in names}


@pytest.mark.parametrize("where", sorted(told()), ids=lambda where: f"{where[0].rsplit('.', 2)[-2]}-{where[1]}")
def test_a_reason_is_said_in_plain_words_with_a_way_out(where: tuple[str, str]) -> None:
    words = told()[where]
    assert words[0].isupper()
    assert words.endswith(".")
    assert not JARGON.search(words)
    lint_claims(words, "single_group")
    if where[1] not in NO_WAY_OUT:
        assert len(re.findall(r"[.;] ?", words)) >= 2 or "there is nothing" in words


@pytest.mark.parametrize("where", sorted(told()), ids=lambda where: f"{where[0].rsplit('.', 2)[-2]}-{where[1]}")
def test_a_reason_can_be_said_in_other_languages(where: tuple[str, str]) -> None:
    words = told()[where]
    particulars = particulars_of(words)
    said = tell(words, **particulars) if particulars else words
    assert find_unsayable(said, {value for value in particulars.values() if isinstance(value, str)}) == []
    assert all(str(value) in said for value in particulars.values())


@pytest.mark.parametrize("where", sorted(told()), ids=lambda where: f"{where[0].rsplit('.', 2)[-2]}-{where[1]}")
def test_a_page_names_no_key_of_a_file_as_the_reason(where: tuple[str, str]) -> None:
    words = told()[where]
    said = tell(words, **particulars_of(words)) if particulars_of(words) else words
    assert not re.search(r"\w_\w|yaml|'[a-z: ]+'|the floor", re.sub(r"'label \w+'", "", say_reason(said.words, said)))


@pytest.mark.parametrize(("code", "estimand", "change"), [
    ("empty_cell", {}, lambda scores, people: (scores[~(scores["participant_id"].isin(people.loc[people["arm"] == "peer",
     "participant_id"]) & (scores["timepoint"] == "post"))], people)),
    ("too_few_participants", {}, lambda scores, people: (scores[scores["participant_id"].isin(people["participant_id"][
     ::10])], people)),
    ("covariate_constant_or_missing", {"covariates": ["age"]}, lambda scores, people: (scores, people.assign(age=40.0))),
])  # fmt: skip
def test_a_reason_with_its_particulars_reaches_the_row_in_words(
    code, estimand, change, make_trial, make_plan, make_design, no_responses, no_delivered
):
    scores, people = change(*make_trial(np.random.default_rng(1)))
    table = evaluate_plan(
        make_plan(estimand), make_design(), scores=scores, participants=people, responses=no_responses,
        delivered=no_delivered, library={},
    )  # fmt: skip
    row = table[(table["analysis"] == "model") & (table["estimand"] != "")].iloc[0]
    assert row["verdict"] == f"refused:{code}"
    assert (
        find_unsayable(read_told(row["method"], row["words"]), {"mood", "Peer support", "Usual care", "Post", "age"})
        == []
    )


def test_there_are_as_many_reasons_as_were_counted() -> None:
    assert len(told()) >= 100


@pytest.fixture
def asked(make_plan):
    """A question that was answered."""
    plan = make_plan()
    answer = Result(
        analysis="model", statistic="difference", estimand="mood_post", value=1.0, n=40, verdict="estimated"
    )
    return Question(plan.estimands[0], plan.outcomes[0], answer)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_reason_not_to_impute_reaches_its_row_without_a_number(asked: Question, code: str) -> None:
    error = AnalysisError(Problem(code, "The words of the library.", "Its advice."))
    for reason in (code, error):
        row = refuse(asked, "jump_to_reference", reason)
        assert (row.verdict, row.method) == (f"refused:{code}", REFUSALS[code])
        assert np.isnan([row.value, row.n, row.p_value]).all()


@pytest.mark.parametrize("code", [*sorted(MODEL_REFUSALS), "something_new"])
def test_a_model_that_refuses_leaves_a_row_with_the_reason(
    code, monkeypatch, make_trial, make_plan, make_design, no_responses, no_delivered
):
    def cannot(*_, **__):
        raise AnalysisError(Problem(code, "The words of the library.", "Its advice."))

    monkeypatch.setattr("analysis.outcome_model.fit_mmrm", cannot)
    scores, people = make_trial(np.random.default_rng(1))
    table = evaluate_plan(
        make_plan(), make_design(), scores=scores, participants=people, responses=no_responses,
        delivered=no_delivered, library={},
    )  # fmt: skip
    row = table[(table["analysis"] == "model") & (table["estimand"] != "")].iloc[0]
    assert row["verdict"] == f"refused:{code}"
    assert row["method"] == MODEL_REFUSALS.get(code, MODEL_REFUSALS["model_unsuitable"])
    assert np.isnan(row["value"])


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_a_model_that_fails_leaves_a_row_with_the_reason(code, monkeypatch, make_trial, make_plan, make_design):
    from analysis.frames import outcome_frame
    from analysis.outcome_model import OutcomeModel

    if code == "not_converged":
        monkeypatch.setattr(OutcomeModel, "converged", property(lambda _: False))
    else:
        estimate = OutcomeModel.estimate
        monkeypatch.setattr(OutcomeModel, "estimate", lambda model, cells: replace(estimate(model, cells), df=0.5))
    plan, design = make_plan(), make_design()
    frame = outcome_frame(*make_trial(np.random.default_rng(1)), design, plan.outcomes[0])
    (row,) = [row for row in estimate_outcome(plan.outcomes[0], frame, plan, design) if row.estimand]
    assert (row.verdict, row.method) == (f"failed:{code}", FAILURES[code])


def test_a_subgroup_whose_model_cannot_be_fitted_says_so(
    monkeypatch, make_trial, make_plan, make_design, no_responses, no_delivered
):
    def cannot(*_, **__):
        raise AnalysisError(Problem("too_few_rows", "The words of the library.", "Its advice."))

    monkeypatch.setattr("analysis.subgroups_part.fit_estimand", cannot)
    subgroup = Subgroup(id="whom", estimand="mood_post", covariate="gender", reason="declared")
    scores, people = make_trial(np.random.default_rng(1), 60)
    table = evaluate_plan(
        make_plan(subgroups=[subgroup.model_dump()]), make_design(), scores=scores, participants=people,
        responses=no_responses, delivered=no_delivered, library={},
    )  # fmt: skip
    assert table.loc[table["analysis"] == "subgroups", "verdict"].to_list() == ["refused:not_fitted"]


def test_lots_of_a_stepped_wedge_are_not_drawn_anew(make_evaluation, make_trial, make_plan, make_design):
    arms = (Arm("early", "Early", starts="post"), Arm("late", "Late"))
    design = replace(make_design(arms=arms, group_arms=("early", "late")), kind="stepped_wedge", groups_drawn=True)
    scores, people = make_trial(np.random.default_rng(1), arms=("early", "late"))
    people = people.assign(group=[f"g{place % 8}{arm}" for place, arm in enumerate(people["arm"])])
    plan = make_plan({"contrast": "programme - before"}, sensitivity=["permutation"])
    answer = Result(analysis="model", statistic="difference", estimand="mood_post", value=1.0, verdict="estimated")
    (row,) = permute_allocations(make_evaluation(plan, design, scores, people, answers=[answer]))
    assert row.verdict == "refused:order_by_lot"

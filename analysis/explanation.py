"""Where one number came from: the question, the people, the model fitted again, and all that was told beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.errors import AnalysisError
from analysis.frames import outcome_frame
from analysis.guards import check_estimand
from analysis.intercurrent import set_aside_hypothetical
from analysis.margin_part import JUDGEMENTS
from analysis.mixed_models import ModelFit
from analysis.model_frame import contrast_cells
from analysis.outcome_model import AnyModel, fit_model
from analysis.plan import Estimand, Plan
from analysis.populations import choose_people, design_of_some, population_of
from analysis.quality import choose_scores
from analysis.weighting import WeightedComparison
from data_contracts.errors import Problem, choose_from

SAME: Final = 1e-8
"""Relative to its standard error; a number computed again from stored tables must be the same up to this."""
BESIDE: Final = ("quality", "sensitivity", "margin", "permutation", "precision", "unmeasured", "size", "subgroups")
"""Analyses of `results` that are about the same estimand."""
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """A titled part of an explanation: pairs of a name and what is said of it."""

    title: str
    lines: tuple[Line, ...]


def explain_estimand(
    estimand_id: str,
    plan: Plan,
    design: StudyDesign,
    *,
    results: pd.DataFrame,
    scores: pd.DataFrame,
    participants: pd.DataFrame,
    flags: pd.DataFrame,
    sessions: pd.DataFrame,
    events: pd.DataFrame,
) -> tuple[Passage, ...]:
    """Explain one estimand from the stored tables of a run; exact, and so not for release.

    Parameters
    ----------
    estimand_id : str
        Id in the plan.
    plan, design : Plan, StudyDesign
        As they are now.
    results, scores, participants, flags, sessions, events : DataFrame
        Tables that the run stored.

    Returns
    -------
    tuple of Passage
        Question, answer, people, model (fitted again and held against the stored number), other answers to the same
        question, and certainty.

    Raises
    ------
    AnalysisError
        ``estimand_unknown``: the plan or the stored results do not have it.
    """
    known = [estimand.id for estimand in plan.estimands]
    stored = results[(results["estimand"] == estimand_id) & (results["analysis"] == "model")]
    if estimand_id not in known or stored.empty:
        where = "plan" if estimand_id not in known else "stored results"
        message = f"The {where} has no estimand '{estimand_id}'."
        advice = choose_from(estimand_id, known) if where == "plan" else "Run the study again."
        raise AnalysisError(Problem("estimand_unknown", message, advice))
    estimand = next(each for each in plan.estimands if each.id == estimand_id)
    row = stored.iloc[0]
    population = population_of(estimand, plan)
    used = choose_scores(set_aside_hypothetical(scores, events, plan, design), flags, plan).used
    outcome = plan.outcome(estimand.outcome)
    people = participants
    if population is not None:
        chosen = choose_people(population, outcome, used, participants, sessions)
        people = participants if chosen is None else participants[chosen].reset_index(drop=True)
    own = design if population is None else design_of_some(design)
    frame = outcome_frame(used, people, own, outcome)
    return (
        Passage("Question", tuple(_question(estimand, plan, design, row))),
        Passage("Answer", tuple(_answer(row, plan))),
        Passage("People", tuple(_people(estimand, results))),
        Passage("Model", tuple(_model(frame, estimand, plan, own, row))),
        Passage("Other answers to the same question", tuple(_beside(estimand, results))),
        Passage("Certainty of the outcome", tuple(_certainty(estimand, results))),
    )


def _question(estimand: Estimand, plan: Plan, design: StudyDesign, row: pd.Series) -> Iterator[Line]:
    outcome = plan.outcome(estimand.outcome)
    yield "outcome", f"{outcome.id} ({outcome.role}), measured by {outcome.measure}, taken as {outcome.kind}"
    yield "contrast", f"{estimand.contrast} at {estimand.timepoint}"
    yield "population", estimand.population or plan.population
    yield "design", design.kind
    yield "covariates", ", ".join(estimand.covariates) or "none"
    for each in plan.intercurrent_events:
        yield "intercurrent event", f"{each.event}: {each.strategy}"
    if plan.quality.leave_out:
        yield "answers left out", f"those flagged as {', '.join(plan.quality.leave_out)}"
    yield (
        "pre-specified",
        "yes" if row["prespecified"] else "no: not frozen before outcomes were read, or changed since",
    )


def _answer(row: pd.Series, plan: Plan) -> Iterator[Line]:
    yield "verdict", str(row["verdict"])
    if row["verdict"] != "estimated":
        yield "why", str(row["method"])
        return
    yield str(row["statistic"]), f"{row['value']:.6g}"
    yield "95 % interval", f"{row['conf_low']:.6g} to {row['conf_high']:.6g}"
    yield "standard error", f"{row['std_error']:.6g}"
    yield "degrees of freedom", f"{row['df']:.6g}"
    yield "p-value", f"{row['p_value']:.4g}"
    for family in (each for each in plan.families if row["estimand"] in each.members):
        after = f", after family '{family.after}'" if family.after else ""
        yield "adjusted p-value", f"{row['p_adjusted']:.4g} (family '{family.id}', {family.adjust}{after})"


def _people(estimand: Estimand, results: pd.DataFrame) -> Iterator[Line]:
    flow = results[(results["analysis"] == "flow") & results["timepoint"].isin(["", estimand.timepoint])]
    for row in flow[flow["outcome"].isin(["", estimand.outcome])].to_dict("records"):
        where = ", ".join(filter(None, (row["arm"], row["timepoint"])))
        yield f"{row['statistic']}{f' ({where})' if where else ''}", f"{row['value']:g}"


def _model(frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign, row: pd.Series) -> Iterator[Line]:
    """Yield what guards said, and the fit made again."""
    asked = plan.model_copy(update={"population": estimand.population or plan.population})
    refusal = check_estimand(frame, estimand, asked, design)
    yield "guards", "no objection" if refusal is None else f"{refusal.reason}: {refusal.explanation}"
    if refusal is not None or row["verdict"] != "estimated":
        return
    yield "in words", str(row["method"])
    try:
        model = fit_model(frame, estimand, asked, design)
    except AnalysisError as error:
        yield "fitted again", f"no: {error.problems[0].message}"
        return
    yield "fitted again", _compare(model, estimand, design, row)
    told = pd.DataFrame([{}]) if isinstance(model.fit, WeightedComparison) else model.fit.glance()
    for name, value in told.iloc[0].items():
        yield str(name), f"{value:.6g}" if isinstance(value, float) else str(value)
    if isinstance(model.fit, ModelFit):
        for part in model.fit.variance_components().to_dict("records"):
            yield f"variance: {part['component']}", f"{part['estimate']:.6g}"


def _compare(model: AnyModel, estimand: Estimand, design: StudyDesign, row: pd.Series) -> str:
    found = model.estimate(contrast_cells(estimand, design))
    apart = max(abs(found.value - row["value"]), abs(found.std_error - row["std_error"])) / row["std_error"]
    if apart <= SAME:
        return "from the stored tables: the same estimate and standard error"
    return (
        f"from the stored tables: {found.value:.6g} (standard error {found.std_error:.6g}), which is NOT the same. The "
        "plan, the study definition or the program changed since the run"
    )


def _beside(estimand: Estimand, results: pd.DataFrame) -> Iterator[Line]:
    own = results[(results["estimand"] == estimand.id) & results["analysis"].isin(BESIDE)]
    for row in own.to_dict("records"):
        name = ": ".join(filter(None, (row["analysis"], row["item"] or row["population"], row["statistic"])))
        if row["verdict"].startswith(("refused", "failed")):
            yield name, f"{row['verdict']}. {row['method']}"
            continue
        interval = "" if row["conf_low"] != row["conf_low"] else f" ({row['conf_low']:.4g} to {row['conf_high']:.4g})"
        value = f"{row['value']:.4g}{interval}" if row["value"] == row["value"] else f"p = {row['p_value']:.4g}"
        if row["analysis"] == "margin":
            value = f"{JUDGEMENTS[int(row['value'])]}{interval}"
        yield name, f"{value}. {row['method']}"


def _certainty(estimand: Estimand, results: pd.DataFrame) -> Iterator[Line]:
    own = results[(results["analysis"] == "certainty") & (results["estimand"] == estimand.id)]
    for row in own.to_dict("records"):
        yield ": ".join(filter(None, (row["statistic"], row["item"]))), row["method"]

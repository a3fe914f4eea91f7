"""The model of one outcome, and every row of results that it answers or has to leave empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.design_matrix import DesignMatrix, build_design_matrix, cell_weights, contrast_weights
from analysis.guards import check_estimand, compared_arms
from analysis.mixed_model import Estimate, MixedModelFit, fit_mixed_model
from analysis.plan import Estimand, Outcome, Plan
from analysis.results import Result

FAILURES: Final[dict[str, str]] = {
    "not_converged": "No attempt to fit the model reached a maximum of its likelihood. Take covariates out of the "
    "estimand, or look at the data for values that cannot be.",
    "no_degrees_of_freedom": "The model has as many terms as participants, so nothing is left to judge its precision. "
    "Take covariates out of the estimand.",
}
"""Failure code -> sentence with the way out."""


@dataclass(frozen=True, slots=True)
class OutcomeModel:
    """A fit and the data it was fitted to."""

    matrix: DesignMatrix
    fit: MixedModelFit


def estimate_outcome(outcome: Outcome, frame: pd.DataFrame, plan: Plan, design: StudyDesign) -> tuple[Result, ...]:
    """Fit the models of one outcome, and estimate what the plan asks of it.

    Parameters
    ----------
    outcome : Outcome
        An outcome of the plan.
    frame : DataFrame
        Its outcome frame.
    plan, design : Plan, StudyDesign
        What is asked, and of which study.

    Returns
    -------
    tuple of Result
        ``marginal_mean`` by arm and timepoint where somebody was observed, one row per estimand (refused and failed
        ones too), variances and log-likelihood, and ``analysed`` by arm (analysis ``flow``). Estimands with the same
        covariates share one model; means, variances and ``analysed`` are those of the first model that was fitted.
    """
    models: dict[tuple[str, ...], OutcomeModel] = {}
    answers = []
    for estimand in (each for each in plan.estimands if each.outcome == outcome.id):
        refusal = check_estimand(frame, estimand, plan, design)
        if refusal:
            answers.append(_empty(estimand, plan, design, f"refused:{refusal.reason}", refusal.explanation))
            continue
        key = tuple(sorted(set(estimand.covariates)))
        if key not in models:
            models[key] = _fit(frame, key, design)
        answers.append(_answer(models[key], estimand, plan, design))
    first = next((model for model in models.values() if model.fit.converged), None)
    if first is None:
        return tuple(answers)
    means = _marginal_means(first, outcome.id, plan, design)
    return (*_analysed(first, outcome.id, plan, design), *means, *answers, *_variances(first, outcome.id, plan, design))


def _fit(frame: pd.DataFrame, covariates: Sequence[str], design: StudyDesign) -> OutcomeModel:
    matrix = build_design_matrix(frame, covariates, design)
    return OutcomeModel(matrix, fit_mixed_model(matrix.rows, matrix.specification))


def _answer(model: OutcomeModel, estimand: Estimand, plan: Plan, design: StudyDesign) -> Result:
    """Return the row of an estimand that no guard stands against."""
    arms = compared_arms(estimand, design)
    if not model.fit.converged:
        return _empty(estimand, plan, design, "failed:not_converged", FAILURES["not_converged"])
    found = _estimate(model, contrast_weights(estimand, design), arms, design)
    if found.df < 1:
        return _empty(estimand, plan, design, "failed:no_degrees_of_freedom", FAILURES["no_degrees_of_freedom"])
    at = (
        [(arm, estimand.timepoint) for arm in arms]
        if design.kind != "single_group"
        else [(arms[0], timepoint) for timepoint in estimand.compared]
    )
    return Result(
        analysis="mixed_model",
        statistic=_statistic(design),
        estimand=estimand.id,
        outcome=estimand.outcome,
        population=plan.population,
        timepoint=estimand.timepoint,
        contrast=estimand.contrast,
        prespecified=True,
        n=min(_observed(model, *cell) for cell in at),
        verdict="estimated",
        method=_words(model, design),
        value=found.value,
        std_error=found.std_error,
        df=found.df,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        p_value=found.p_value,
    )


def _empty(estimand: Estimand, plan: Plan, design: StudyDesign, verdict: str, explanation: str) -> Result:
    """Return the row of an estimand that has no number."""
    return Result(
        analysis="mixed_model",
        statistic=_statistic(design),
        estimand=estimand.id,
        outcome=estimand.outcome,
        population=plan.population,
        timepoint=estimand.timepoint,
        contrast=estimand.contrast,
        prespecified=True,
        verdict=verdict,
        method=explanation,
    )


def _marginal_means(model: OutcomeModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    """Yield model means at the average of the covariates, categories weighted as observed."""
    for arm in design.arms:
        for timepoint in design.timepoints:
            n = _observed(model, arm.id, timepoint.id)
            if n:
                arms = () if timepoint == design.baseline else (arm.id,)  # before groups meet, people are compared
                found = _estimate(model, cell_weights(arm.id, timepoint.id, design), arms, design)
                yield Result(
                    analysis="mixed_model",
                    statistic="marginal_mean",
                    outcome=outcome,
                    population=plan.population,
                    arm=arm.id,
                    timepoint=timepoint.id,
                    value=found.value,
                    std_error=found.std_error,
                    df=found.df,
                    conf_low=found.conf_low,
                    conf_high=found.conf_high,
                    n=n,
                    verdict="estimated",
                    method=_words(model, design),
                )


def _variances(model: OutcomeModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    fit = model.fit
    total = fit.variance_participant + fit.variance_residual + (fit.variance_group if fit.n_groups else 0.0)
    values = {"variance_participant": fit.variance_participant}
    if fit.n_groups:
        values |= {"variance_group": fit.variance_group, "icc_group": fit.variance_group / total}
    values |= {"variance_residual": fit.variance_residual, "log_likelihood": fit.log_likelihood}
    for statistic, value in values.items():
        yield Result(
            analysis="mixed_model",
            statistic=statistic,
            outcome=outcome,
            population=plan.population,
            value=value,
            n=fit.n_participants,
            verdict="estimated",
            method=_words(model, design),
        )


def _analysed(model: OutcomeModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    for arm in design.arms:
        number = int((model.matrix.participants["arm"] == arm.id).sum())
        yield Result(
            analysis="flow",
            statistic="analysed",
            outcome=outcome,
            population=plan.population,
            arm=arm.id,
            value=number,
            n=number,
            method="participants in the model of the outcome",
        )


def _estimate(model: OutcomeModel, weights: dict[str, float], arms: Sequence[str], design: StudyDesign) -> Estimate:
    """Estimate with the degrees of freedom of what is compared: groups where an arm meets in groups."""
    kept = {term: weight for term, weight in weights.items() if term in model.fit.terms}
    meeting = [arm for arm in arms if arm in design.group_arms]
    if not (model.fit.n_groups and meeting):
        return model.fit.estimate(kept)
    rows = model.matrix.rows
    groups = rows.loc[rows["arm"].isin(meeting) & (rows["group"] != ""), ["arm", "group"]]
    return model.fit.estimate(kept, df=min(model.fit.df_participants, len(groups.drop_duplicates()) - len(meeting)))


def _observed(model: OutcomeModel, arm: str, timepoint: str) -> int:
    rows = model.matrix.rows
    return int(((rows["arm"] == arm) & (rows["timepoint"] == timepoint)).sum())


def _statistic(design: StudyDesign) -> str:
    return "change" if design.kind == "single_group" else "difference"


def _words(model: OutcomeModel, design: StudyDesign) -> str:
    """Return the model in words."""
    fixed = {
        "randomised": "timepoint and arm by timepoint, baseline means constrained equal between arms",
        "matched_comparison": "timepoint, arm and arm by timepoint, compared by change from baseline",
        "single_group": "timepoint",
    }[design.kind]
    covariates = [
        covariate.label
        for covariate in design.covariates
        if any(term.split(" ")[:2] == ["covariate", covariate.id] for term in model.fit.terms)
    ]
    grouped = bool(model.fit.n_groups)
    sentences = [
        "Linear mixed model of all scores by restricted maximum likelihood",
        f"fixed: {fixed}" + (f"; adjusted for {', '.join(covariates)}" if covariates else ""),
        "random intercept per participant" + (" and, after baseline, per group" if grouped else ""),
        "t intervals with participants less fixed terms as degrees of freedom"
        + (", groups less one for arms that meet in groups" if grouped else ""),
    ]
    if model.matrix.dropped:
        sentences.append(f"left out because they add nothing: {', '.join(model.matrix.dropped)}")
    if model.fit.is_singular:
        sentences.append("a variance was estimated as zero")
    return "; ".join(sentences) + "."

"""The models of one outcome, and every row of results that they answer or have to leave empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.clusters import problem
from analysis.design import StudyDesign
from analysis.errors import AnalysisError
from analysis.frames import count_classes, count_fewest
from analysis.gee import fit_gee
from analysis.gee_fit import GeeFit
from analysis.guards import check_estimand, compared_arms
from analysis.interrupted_series import InterruptedSeries
from analysis.least_squares import LeastSquaresFit, fit_least_squares
from analysis.mixed_models import Estimate, MarginalMeans, ModelFit, fit_mixed_model, fit_mmrm
from analysis.model_frame import Cell, build_model_frame, contrast_cells, model_terms
from analysis.model_refusals import FAILURES, MODEL_REFUSALS
from analysis.model_words import describe_model
from analysis.plan import Estimand, Outcome, Plan
from analysis.results import Result
from analysis.series_model import SeriesModel, fit_series_model
from analysis.stepped_wedge import EXPOSURE, SIDES, add_exposure, exposure_of, fewest_on_sides, people_on_sides
from analysis.telling import tell
from analysis.weighted_model import WeightedModel, fit_weighted_model
from analysis.weighting import WeightedComparison

COUNTED: Final[dict[str, str]] = {
    "analysed": tell("participants in the model of the outcome"),
    "linked": tell("participants in the model of the outcome at more than one timepoint"),
}


@dataclass(frozen=True, slots=True)
class OutcomeModel:
    """A fit, its means by arm and timepoint, and the rows it was fitted to."""

    fit: ModelFit | GeeFit | LeastSquaresFit
    means: MarginalMeans
    rows: pd.DataFrame
    estimand: Estimand
    scale: float
    classes: float
    design: StudyDesign

    @property
    def converged(self) -> bool:
        """The fit may be used."""
        return self.fit.converged

    def estimate(self, cells: Mapping[Cell, float]) -> Estimate:
        """Estimate a weighted sum of means, in points or percent."""
        return self._scaled(self.means.combine({self._levels(*cell): weight for cell, weight in cells.items()}))

    def _levels(self, arm: str, timepoint: str) -> tuple[str, ...]:
        known = {"arm": arm, "timepoint": timepoint}
        if EXPOSURE in self.means.grid.columns:
            known[EXPOSURE] = arm if arm in SIDES else exposure_of(arm, timepoint, self.design)
        return tuple(known[str(name)] for name in self.means.grid.columns)

    def _scaled(self, found: Estimate) -> Estimate:
        return replace(
            found,
            value=self.scale * found.value,
            std_error=self.scale * found.std_error,
            conf_low=self.scale * found.conf_low,
            conf_high=self.scale * found.conf_high,
        )

    def observed(self, arm: str, timepoint: str) -> pd.Series:
        """Return the scores of an arm at a timepoint."""
        rows = self.rows
        return rows.loc[(rows["arm"] == arm) & (rows["timepoint"] == timepoint), "score"]


AnyModel = OutcomeModel | WeightedModel | SeriesModel


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
        ones too), variances and log-likelihood, and ``analysed`` by arm (analysis ``flow``); in a repeated
        cross-section ``analysed`` by arm and timepoint and ``linked`` by arm, and no variances. Estimands that ask for
        the same model share one; means, variances and counts are those of the first model that was fitted.
    """
    models: dict[str, AnyModel | AnalysisError] = {}
    answers = []
    for estimand in (each for each in plan.estimands if each.outcome == outcome.id):
        refusal = check_estimand(frame, estimand, plan, design)
        if refusal:
            answers.append(leave_empty(estimand, plan, design, f"refused:{refusal.reason}", refusal.explanation))
            continue
        whichever = {"id", "contrast"} if design.is_stepped_wedge else {"id", "contrast", "timepoint"}
        is_weighted = plan.model_of(estimand, design) == "overlap_weights"
        key = estimand.model_dump_json(exclude={"id"} if is_weighted else whichever)
        if key not in models:
            try:
                models[key] = fit_model(frame, estimand, plan, design)
            except AnalysisError as error:
                models[key] = error
        model = models[key]
        if isinstance(model, AnalysisError):
            code = {"one_cluster_alone": "too_few_clusters"}.get(model.problems[0].code, model.problems[0].code)
            words = MODEL_REFUSALS.get(code, MODEL_REFUSALS["model_unsuitable"])
            answers.append(leave_empty(estimand, plan, design, f"refused:{code}", words))
        else:
            answers.append(_answer(model, estimand, plan, design))
    fitted = [model for model in models.values() if not isinstance(model, AnalysisError) and model.converged]
    if not fitted:
        return tuple(answers)
    first = fitted[0].joined(fitted) if isinstance(fitted[0], WeightedModel) else fitted[0]
    means = _marginal_means(first, outcome.id, plan, design)
    return (*_analysed(first, outcome.id, plan, design), *means, *answers, *_variances(first, outcome.id, plan, design))


def fit_model(frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign) -> AnyModel:
    """Fit the model of an estimand, whichever it is.

    Raises
    ------
    AnalysisError
        The model cannot be fitted to these scores.
    """
    if plan.model_of(estimand, design) == "overlap_weights":
        return fit_weighted_model(frame, estimand, plan, design)
    if design.is_series:
        return fit_series_model(frame, estimand, plan, design)
    return fit_estimand(frame, estimand, plan, design)


def fit_estimand(
    frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign, *, more_terms: Sequence[str] = ()
) -> OutcomeModel:
    """Fit the model of an estimand, with further terms beside those that the design asks for.

    Raises
    ------
    AnalysisError
        The model cannot be fitted to these scores.
    """
    kind = plan.model_of(estimand, design)
    if kind == "overlap_weights":
        message = "An estimand by overlap weights has no model that further terms could be added to."
        raise problem("weights_alone", message, "Ask it of an estimand by another model.")
    outcome = plan.outcome(estimand.outcome)
    scale = 1.0 if outcome.event is None else 100.0
    rows = build_model_frame(frame, estimand.covariates, design)
    if design.is_stepped_wedge:
        rows = add_exposure(rows, estimand, design)
    data = rows if scale == 1.0 else rows.assign(score=rows["score"] / scale)
    terms = (*model_terms(estimand.covariates, design), *more_terms)
    by_arm = "arm" if estimand.variance_by_arm else None
    groups = ("group",) if (rows["group"] != "").any() else ()
    fit: ModelFit | GeeFit | LeastSquaresFit
    if outcome.kind != "score":
        fit = fit_gee(
            data,
            outcome="score",
            terms=terms,
            participant="participant",
            timepoint="timepoint",
            family=outcome.kind,
            groups=groups[0] if groups else None,
            working="independence" if design.is_resampled else None,
        )
    elif kind == "least_squares":
        fit = fit_least_squares(
            data,
            outcome="score",
            terms=terms,
            participant="participant",
            timepoint="timepoint",
            groups=groups[0] if groups else None,
        )
    elif kind == "mmrm":
        fit = fit_mmrm(
            data,
            outcome="score",
            terms=terms,
            participant="participant",
            timepoint="timepoint",
            covariance=estimand.covariance,
            by_arm=by_arm,
            df_method=estimand.df_method,
        )
    else:
        fit = fit_mixed_model(
            data,
            outcome="score",
            terms=terms,
            participant="participant",
            timepoint="timepoint",
            time="week",
            random=estimand.random,
            groups=groups,
            partially_nested=True,
            residual_by=by_arm,
            df_method=estimand.df_method,
            engine=plan.engine,
        )
    side = EXPOSURE if design.is_stepped_wedge else "arm"
    by = ("timepoint",) if design.compares_timepoints else (side, "timepoint")
    means = fit.marginal_means(by) if isinstance(fit, GeeFit) else fit.marginal_means(by, weights="observed")
    classes = 2.0 if outcome.event is not None else count_classes(frame)
    return OutcomeModel(fit, means, rows, estimand, scale, classes, design)


def _answer(model: AnyModel, estimand: Estimand, plan: Plan, design: StudyDesign) -> Result:
    """Return the row of an estimand that no guard stands against."""
    if not model.converged:
        return leave_empty(estimand, plan, design, "failed:not_converged", FAILURES["not_converged"])
    cells = contrast_cells(estimand, design)
    found = model.estimate(cells)
    if not found.df >= 1:
        return leave_empty(estimand, plan, design, "failed:no_degrees_of_freedom", FAILURES["no_degrees_of_freedom"])
    n, fewest = _behind(model, cells, estimand, design)
    return Result(
        analysis="model",
        statistic=_statistic(design),
        estimand=estimand.id,
        outcome=estimand.outcome,
        population=plan.population,
        timepoint=estimand.timepoint,
        contrast=estimand.contrast,
        prespecified=True,
        n=n,
        classes=model.classes,
        fewest=fewest,
        verdict="estimated",
        method=describe_model(model.fit, model.estimand, plan, design),
        value=found.value,
        std_error=found.std_error,
        df=found.df,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        p_value=found.p_value,
    )


def _behind(
    model: AnyModel, cells: Mapping[Cell, float], estimand: Estimand, design: StudyDesign
) -> tuple[float, float]:
    """Return how many people are behind a contrast, and how many have the rarer of two scores."""
    if isinstance(model, SeriesModel):
        samples = [sample for _, sample in model.rows.groupby("timepoint")["score"]]
        return float(min(len(each) for each in samples)), min(count_fewest(each) for each in samples)
    if design.is_stepped_wedge:
        return float(people_on_sides(model.rows).min()), fewest_on_sides(model.rows, model.classes)
    at: Iterable[Cell] = cells
    if not (design.compares_timepoints or design.is_resampled):
        at = [(arm, estimand.timepoint) for arm in compared_arms(estimand, design)]
    scores = [model.observed(*cell) for cell in at]
    return min(len(each) for each in scores), min(count_fewest(each) for each in scores)


def leave_empty(estimand: Estimand, plan: Plan, design: StudyDesign, verdict: str, explanation: str) -> Result:
    """Return the row of an estimand that has no number: `verdict` says which kind of reason, `explanation` why."""
    return Result(
        analysis="model",
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


def _marginal_means(model: AnyModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    """Yield model means at the average of the covariates, categories weighted as observed."""
    for arm in design.arms:
        for timepoint in design.timepoints:
            scores = model.observed(arm.id, timepoint.id)
            if len(scores):
                found = model.estimate({(arm.id, timepoint.id): 1.0})
                if np.isnan(found.value):
                    continue  # a covariate gave way to the arm: contrasts within it can be told, means cannot
                yield Result(
                    analysis="model",
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
                    n=len(scores),
                    classes=model.classes,
                    fewest=count_fewest(scores),
                    verdict="estimated",
                    method=describe_model(model.fit, model.estimand, plan, design),
                )


def _variances(model: AnyModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    """Yield the covariance parameters, the ICC of the groups and the likelihood; of a gee its working correlation."""
    fit = model.fit
    values: dict[str, float] = {}
    if isinstance(fit, LeastSquaresFit | WeightedComparison | InterruptedSeries):
        return
    if isinstance(fit, GeeFit):
        values = {"working_correlation": fit.working_correlation} if fit.working == "exchangeable" else {}
    else:
        components = fit.variance_components()
        values = dict(zip(components["component"], components["estimate"], strict=True))
        if fit.kind == "mixed_model" and fit.n_groups:
            shares = fit.icc().set_index("level")["icc"]
            values |= {"icc_group": float(shares["group"])}
        values |= {"log_likelihood": fit.log_likelihood}
    for name, value in values.items():
        known = name in ("icc_group", "log_likelihood", "working_correlation")
        yield Result(
            analysis="model",
            statistic=name if known else f"covariance: {name}",
            outcome=outcome,
            population=plan.population,
            value=value,
            n=fit.n_participants,
            classes=model.classes,
            verdict="estimated",
            method=describe_model(model.fit, model.estimand, plan, design),
        )


def _analysed(model: AnyModel, outcome: str, plan: Plan, design: StudyDesign) -> Iterator[Result]:
    """Yield how many people are in the model; where samples are drawn anew, by timepoint and seen more than once."""
    times = model.rows.groupby("participant")["timepoint"].size()
    people = model.rows.drop_duplicates("participant").set_index("participant")
    for arm in design.arms:
        counts = {("analysed", ""): int((people["arm"] == arm.id).sum())}
        if design.is_resampled:
            counts = {("analysed", at.id): len(model.observed(arm.id, at.id)) for at in design.timepoints}
            counts["linked", ""] = int((times[people["arm"] == arm.id] > 1).sum())
        for (statistic, timepoint), number in counts.items():
            yield Result(
                analysis="flow",
                statistic=statistic,
                outcome=outcome,
                population=plan.population,
                arm=arm.id,
                timepoint=timepoint,
                value=number,
                n=number,
                method=COUNTED[statistic],
            )


def _statistic(design: StudyDesign) -> str:
    return "change" if design.kind == "single_group" else "difference"

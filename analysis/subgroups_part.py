"""For whom: planned characteristics by which an estimand may differ, the interaction first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.design import Covariate, StudyDesign
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import complete_cases, covariate_column, score_column
from analysis.guards import compared_arms
from analysis.least_squares import LeastSquaresFit
from analysis.mixed_models import Estimate, MarginalMeans, ModelFit
from analysis.mixed_models.jets import Array
from analysis.model_frame import Cell, contrast_cells, covariate_term
from analysis.outcome_model import fit_estimand
from analysis.plan import Estimand
from analysis.plan_parts import Subgroup
from analysis.results import Result
from analysis.telling import tell

SIDES: Final = ["below", "above"]
"""Of the mean of a number."""
ENDS: Final[Mapping[str, float]] = {tell("one SD below the mean"): -1.0, tell("one SD above the mean"): 1.0}
"""Values of a number at which the estimand is told -> standard deviations from the mean."""
INTERACTION: Final = "interaction"
REFUSALS: Final[dict[str, str]] = {
    "not_answered": tell("The question itself was not answered, so it cannot be asked for whom."),
    "not_a_score": tell("For whom is asked of scores only.\nAsk for the score that the outcome is made of."),
    "design": tell("In this design it cannot be asked for whom."),
    "too_few_in_level": tell(
        "Too few people of some level were observed in an arm.\nJoin levels, or leave the subgroup out."
    ),
    "not_fitted": tell(
        "The model with the characteristic could not be fitted.\nLeave the subgroup out, or ask more people."
    ),
}
"""Reason -> sentence with the way out."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One planned subgroup with all that it refers to."""

    subgroup: Subgroup
    estimand: Estimand
    covariate: Covariate
    frame: pd.DataFrame


def describe_subgroups(evaluation: Evaluation) -> Iterator[Result]:
    """Yield, for each planned subgroup, whether the estimand differs by it, and the estimand at its levels.

    Parameters
    ----------
    evaluation : Evaluation
        People with a missing characteristic are left out, as with any covariate, and people of a level that fewer
        than the plan's `fewest_per_arm` of an arm have.

    Yields
    ------
    Result
        ``interaction``: of two levels the difference between their estimates (second less first); of a number the
        difference per standard deviation; of more levels only the p-value of the joint test. Then ``difference`` at
        each level (in `item`), or one standard deviation below and above the mean of a number. The model is that of
        the estimand with the characteristic, and its products with timepoint and arm.

    References
    ----------
    Interaction first, and few planned in advance: Schandelmaier et al. 2020 (ICEMAN), doi 10.1503/cmaj.200077.
    """
    covariates = {covariate.id: covariate for covariate in evaluation.design.covariates}
    for subgroup in evaluation.plan.subgroups:
        estimand = evaluation.estimand(subgroup.estimand)
        asked = _Asked(subgroup, estimand, covariates[subgroup.covariate], evaluation.frames[estimand.outcome])
        asked = _keep_levels(asked, evaluation)
        reason = _objection(asked, evaluation)
        found = [] if reason else _estimate(asked, evaluation)
        if not found:
            reason = reason or "not_fitted"
            yield _row(asked, INTERACTION, "", verdict=f"refused:{reason}", method=REFUSALS[reason])
        yield from found


def _objection(asked: _Asked, evaluation: Evaluation) -> str:
    """Return what stands against a subgroup, or nothing."""
    if evaluation.answer(asked.estimand) is None:
        return "not_answered"
    if evaluation.outcome_of(asked.estimand).kind != "score":
        return "not_a_score"
    model = evaluation.plan.model_of(asked.estimand, evaluation.design)
    if model not in ("mmrm", "mixed_model", "least_squares") or evaluation.design.is_stepped_wedge:
        return "design"
    if (_count(asked, evaluation.design) > 0).all().sum() < len(SIDES):
        return "too_few_in_level"
    return ""


def _count(asked: _Asked, design: StudyDesign) -> pd.DataFrame:
    """Return how many people of each arm compared were scored at the timepoint, by level or side of the mean."""
    covariates = dict.fromkeys([*asked.estimand.covariates, asked.covariate.id])
    complete = complete_cases(asked.frame, list(covariates), design)
    scored = complete[complete[score_column(asked.estimand.timepoint)].notna()]
    values = scored[covariate_column(asked.covariate.id)]
    levels = list(asked.covariate.levels) or SIDES
    own = values if asked.covariate.levels else pd.Series(np.where(values > values.mean(), *reversed(SIDES)))
    counts = pd.crosstab(scored["arm"].to_numpy(), own.to_numpy())
    return counts.reindex(index=list(compared_arms(asked.estimand, design)), columns=levels, fill_value=0)


def _keep_levels(asked: _Asked, evaluation: Evaluation) -> _Asked:
    """Return the subgroup without people of levels that too few of an arm have; a number keeps both sides or none."""
    fewest = _count(asked, evaluation.design).min()
    kept = fewest[fewest >= evaluation.plan.small_numbers.floor].index
    values = asked.frame[covariate_column(asked.covariate.id)]
    has_level = values.isin(kept) if asked.covariate.levels else values.notna() & (len(kept) == len(SIDES))
    return replace(asked, frame=asked.frame[has_level].reset_index(drop=True))


def _estimate(asked: _Asked, evaluation: Evaluation) -> list[Result]:
    """Return the rows of a subgroup; none where the model cannot be fitted."""
    plan, design = evaluation.plan, evaluation.design
    covariates = list(dict.fromkeys([*asked.estimand.covariates, asked.covariate.id]))
    estimand = asked.estimand.model_copy(update={"covariates": covariates})
    term = covariate_term(asked.covariate.id)
    products = [f"timepoint:{term}"] if design.compares_timepoints else [f"timepoint:{term}", f"arm:timepoint:{term}"]
    if not design.compares_timepoints and not design.shares_baseline:
        products.insert(1, f"arm:{term}")
    try:
        fit = fit_estimand(asked.frame, estimand, plan, design, more_terms=products).fit
        if not fit.converged or not isinstance(fit, ModelFit | LeastSquaresFit):
            return []
        labels, rows = _rows_of_levels(fit, asked, design)
        return _tell(fit, labels, rows, asked, evaluation)
    except AnalysisError:
        return []


def _rows_of_levels(fit: ModelFit | LeastSquaresFit, asked: _Asked, design: StudyDesign) -> tuple[list[str], Array]:
    """Return labels of the levels and the weights of the estimand at each."""
    factors = ("timepoint",) if design.compares_timepoints else ("arm", "timepoint")
    term = covariate_term(asked.covariate.id)
    cells = contrast_cells(asked.estimand, design)
    if asked.covariate.levels:
        means = fit.marginal_means((*factors, term), weights="observed")
        found = set(asked.frame[covariate_column(asked.covariate.id)])
        present = [level for level in asked.covariate.levels if level in found]
        return present, np.array([_weigh(means, cells, {term: level}) for level in present])
    values = complete_cases(asked.frame, [asked.covariate.id], design)[covariate_column(asked.covariate.id)]
    rows = [
        _weigh(
            fit.marginal_means(factors, at={term: float(values.mean() + side * values.std())}, weights="observed"),
            cells,
            {},
        )
        for side in ENDS.values()
    ]
    return list(ENDS), np.array(rows)


def _weigh(means: MarginalMeans, cells: Mapping[Cell, float], level: dict[str, str]) -> Array:
    """Return the weighted sum of the means of an estimand at a level."""
    total = np.zeros(means.matrix.shape[1])
    for place, known in enumerate(means.grid.to_dict("records")):
        at = {name: value for name, value in known.items() if name not in ("arm", "timepoint")}
        if at == level:
            weight = sum(
                each
                for (arm, timepoint), each in cells.items()
                if known["timepoint"] == timepoint and known.get("arm", arm) == arm
            )
            total = total + weight * means.matrix[place] if weight else total
    return total


def _tell(
    fit: ModelFit | LeastSquaresFit, labels: list[str], rows: Array, asked: _Asked, evaluation: Evaluation
) -> list[Result]:
    """Return the interaction and the estimate at each level."""
    counts = _count(asked, evaluation.design)
    fewest = float(counts[counts > 0].min().min())
    known: dict[str, Any] = {"n": fewest, "fewest": fewest, "verdict": "estimated"}
    differences = rows[1:] - rows[0]
    if len(labels) == 2:
        per = 1.0 if asked.covariate.levels else 0.5
        between = fit.estimate(per * differences[0])
        of_levels = tell("{second} less {first}", second=labels[1], first=labels[0])
        what = of_levels if asked.covariate.levels else tell("per standard deviation")
        told = [_row(asked, INTERACTION, "", between, method=what, **known)]
    elif isinstance(fit, ModelFit):
        joint = fit.test(differences)
        told = [_row(asked, INTERACTION, "", p_value=joint.p_value, method=tell("joint test of all levels"), **known)]
    else:
        return []
    return told + [
        _row(asked, "difference", label, fit.estimate(row), method=tell("the same model"), **known)
        for label, row in zip(labels, rows, strict=True)
    ]


def _row(asked: _Asked, statistic: str, level: str, estimate: Estimate | None = None, **more: Any) -> Result:
    own: dict[str, Any] = {} if estimate is None else {
        "value": estimate.value, "std_error": estimate.std_error, "df": estimate.df, "conf_low": estimate.conf_low,
        "conf_high": estimate.conf_high, "p_value": estimate.p_value,
    }  # fmt: skip
    return Result(
        analysis="subgroups",
        statistic=statistic,
        estimand=asked.estimand.id,
        outcome=asked.estimand.outcome,
        timepoint=asked.estimand.timepoint,
        contrast=asked.estimand.contrast,
        item=f"{asked.covariate.id}={level}" if level else asked.covariate.id,
        prespecified=True,
        **(own | more),
    )

"""How large each answer of the plan is in standard deviations, so that outcomes can be held beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import score_column
from analysis.guards import compared_arms
from analysis.mixed_models.inference import make_estimate
from analysis.plan import Estimand
from analysis.results import Result
from analysis.standardised import standardise_estimate
from analysis.telling import Told, tell

DIFFERENCE: Final = "difference_in_baseline_sds"
CHANGE: Final = "change_in_baseline_sds"
"""Statistics of this part: how arms or samples differ, and how a single group changed."""
REFUSALS: Final[dict[str, str]] = {
    "too_few_participants": tell(
        "There are too few people with scores to tell how far people differ.\nDescribe what was observed instead."
    ),
    "no_spread": tell(
        "People do not differ in their scores, so there is no standard deviation to divide by.\nGive the difference in "
        "points."
    ),
    "no_precision": tell(
        "The estimate has no standard error or no degrees of freedom, so its size has no interval.\nDescribe what was "
        "observed instead."
    ),
}
"""Reason -> sentence with the way out."""


def standardise_answers(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the size of every estimated estimand of a score in standard deviations at baseline.

    The estimate of the model is divided by the standard deviation of the baseline scores within the arms compared
    (pooled; of one arm its own) and multiplied by J = 1 - 3 / (4 df - 1), with df the people with a baseline score less
    the number of arms (Hedges 1981, doi 10.3102/10769986006002107). The interval allows for the standard deviation
    being estimated; see `standardise_estimate`.

    Yields
    ------
    Result
        Analysis ``size``, with the `n`, `classes` and `fewest` of the answer (`n` no larger than the baseline sample of
        an arm). Refused where too few people have a baseline score or all have the same. Nothing for outcomes that are
        not scores: their estimates are percent, counts or categories already.
    """
    for estimand in evaluation.plan.estimands:
        answer = evaluation.answer(estimand)
        if answer is not None and evaluation.outcome_of(estimand).kind == "score":
            yield _standardise(answer, estimand, evaluation)


def _standardise(answer: Result, estimand: Estimand, evaluation: Evaluation) -> Result:
    design = evaluation.design
    baseline = score_column(design.baseline.id)
    samples = evaluation.frames[estimand.outcome].dropna(subset=baseline).groupby("arm")[baseline]
    own = samples.agg(["count", "var"]).reindex(list(compared_arms(estimand, design)))
    sd, df = _pool(own)
    fewest = float(np.fmin(answer.n, own["count"].fillna(0).min()))
    place: dict[str, Any] = {
        "analysis": "size",
        "statistic": CHANGE if answer.statistic == "change" else DIFFERENCE,
        "estimand": estimand.id,
        "outcome": estimand.outcome,
        "population": answer.population,
        "timepoint": estimand.timepoint,
        "contrast": estimand.contrast,
    }
    try:
        correction = 1 - 3 / (4 * df - 1) if df > 0 else 1.0
        estimate = make_estimate(answer.value, answer.std_error, answer.df)
        found = standardise_estimate(estimate, sd=sd / correction, n=df + 1)
    except AnalysisError as error:
        code = error.problems[0].code
        return Result(**place, verdict=f"refused:{code}", method=REFUSALS.get(code, str(error)))
    return Result(
        **place,
        value=found.value,
        std_error=found.std_error,
        df=answer.df,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        n=fewest,
        classes=answer.classes,
        fewest=answer.fewest,
        verdict="estimated",
        method=_describe(answer, design.baseline.label),
    )


def _describe(answer: Result, baseline: str) -> Told:
    """Return what the answer was divided by."""
    if answer.statistic == "change":
        return tell(
            "change of the model over the standard deviation at {baseline} within the arm, with Hedges' correction for "
            "small samples (t interval)",
            baseline=baseline,
        )
    return tell(
        "difference of the model over the standard deviation at {baseline} within the arms compared, with Hedges' "
        "correction for small samples (t interval)",
        baseline=baseline,
    )


def _pool(samples: pd.DataFrame) -> tuple[float, int]:
    """Return the standard deviation within samples and its degrees of freedom, NaN and 0 without two people in one."""
    weights = (samples["count"].fillna(0) - 1).clip(lower=0)
    df = int(weights.sum())
    return (float(np.sqrt((weights * samples["var"].fillna(0)).sum() / df)), df) if df else (float("nan"), 0)

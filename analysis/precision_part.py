"""What the data could have shown: the smallest true difference that a study of this precision finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from analysis.detectable import derive_detectable_change
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import score_column
from analysis.guards import compared_arms
from analysis.mixed_models import Estimate
from analysis.plan import Estimand
from analysis.results import Result
from analysis.telling import Number, tell

POWER: Final = 0.8
DESCRIBED: Final = "too_few_participants"
"""Reason of a refusal after which the change that could have been shown is told of the scores themselves."""


def describe_precision(evaluation: Evaluation) -> Iterator[Result]:
    """Yield ``detectable_change`` of every estimand: what four of five studies as precise as this would have shown.

    Of an estimand that was refused because too few people answered it is that of a t-test between the scores as they
    are. `n` is the smaller number of people of the arms; nothing is told where precision is not known.
    """
    answers = {row.estimand: row for row in evaluation.answers if row.estimand}
    for estimand in evaluation.plan.estimands:
        row = answers[estimand.id]
        if row.verdict == "estimated":
            precision, n = _precision(row.std_error, row.df), row.n
        elif row.verdict == f"refused:{DESCRIBED}":
            precision, n = _described(estimand, evaluation)
        else:
            continue
        try:
            found = derive_detectable_change(precision, power=POWER)
        except AnalysisError:
            continue
        yield Result(
            analysis="precision",
            statistic="detectable_change",
            estimand=estimand.id,
            outcome=estimand.outcome,
            timepoint=estimand.timepoint,
            contrast=estimand.contrast,
            value=found.value,
            n=n,
            classes=row.classes,
            fewest=row.fewest,
            verdict="estimated",
            method=tell(
                "True difference that a two-sided t-test at 5\u00a0% finds in {percent}\u00a0% of studies as precise "
                "as this.",
                percent=Number(100 * found.power),
            ),
        )


def _precision(std_error: float, df: float) -> Estimate:
    nothing = float("nan")
    return Estimate(
        value=nothing, std_error=std_error, df=df, conf_low=nothing, conf_high=nothing, p_value=nothing
    )  # precision is all that is known


def _described(estimand: Estimand, evaluation: Evaluation) -> tuple[Estimate, float]:
    """Return the precision of a plain comparison of scores: of two arms, or of a change within one."""
    frame, design = evaluation.frames[estimand.outcome], evaluation.design
    later = frame[score_column(estimand.timepoint)]
    if design.compares_timepoints and not design.is_resampled:
        samples = [(later - frame[score_column(design.baseline.id)]).dropna()]
    elif design.compares_timepoints:
        samples = [later.dropna(), frame[score_column(design.baseline.id)].dropna()]
    else:
        samples = [later[frame["arm"] == arm].dropna() for arm in compared_arms(estimand, design)]
    sizes = np.array([len(sample) for sample in samples])
    df = float(sizes.sum() - len(samples))
    if sizes.min() < 2:
        return _precision(float("nan"), df), float(sizes.min())
    pooled = sum(float(sample.var()) * (len(sample) - 1) for sample in samples) / df
    return _precision(float(np.sqrt(pooled * (1 / sizes).sum())), df), float(sizes.min())

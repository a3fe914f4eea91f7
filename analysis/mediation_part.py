"""By which way: another outcome, measured earlier, between arm and outcome. Exploratory, and by lot only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.evaluation import Evaluation
from analysis.plan import Estimand
from analysis.plan_parts import Mediation
from analysis.results import Result
from analysis.telling import tell

DRAWS: Final = 2000
SEED: Final = 20_260
"""Of the bootstrap: same input, same bytes."""
NEGLIGIBLE: Final = 1e-8
"""Part of a column, relative to its length, that is rounding."""
PATHS: Final[dict[str, str]] = {"Total": "total", "Direct": "direct", "Indirect": "indirect"}
ASSUMES: Final = tell(
    "linear paths with the baseline of outcome and mediator, percentile bootstrap of complete cases (pingouin); it "
    "takes nothing unmeasured to bear on both mediator and outcome"
)
REFUSALS: Final[dict[str, str]] = {
    "not_by_lot": tell(
        "Without arms formed by chance a way cannot be told from what people brought along.\nLeave the mediation out."
    ),
    "not_before": tell(
        "The mediator is not measured between baseline and the outcome's timepoint, so which came first is not known.\n"
        "Name an earlier timepoint."
    ),
    "in_groups": tell("People meet in groups, which this analysis takes no account of.\nLeave the mediation out."),
    "not_a_score": tell("A way is asked of scores only.\nAsk for the scores that the outcomes are made of."),
    "not_answered": tell("The question itself was not answered, so it cannot be asked by which way."),
    "not_separate": tell(
        "The mediator does not vary, or follows from the arm and what is adjusted for, so no way can be told.\nName "
        "another mediator."
    ),
    "too_few_participants": tell(
        "Too few people of an arm have every score that this needs.\nLeave the mediation out."
    ),
}
"""Reason -> sentence with the way out."""


def describe_mediation(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the ``total``, ``direct`` and ``indirect`` difference of each planned mediation, never pre-specified.

    People who lack a score of outcome or mediator, at baseline or later, or a covariate are left out.

    References
    ----------
    Preacher and Hayes 2008, doi 10.3758/BRM.40.3.879, as pingouin has it; why it stays exploratory: Bullock, Green and
    Ha 2010, doi 10.1037/a0018933.
    """
    for mediation in evaluation.plan.mediation:
        estimand = evaluation.estimand(mediation.estimand)
        reason = _objection(mediation, estimand, evaluation)
        data = pd.DataFrame() if reason else _data(mediation, estimand, evaluation)
        if not reason and _smallest(data) < evaluation.plan.small_numbers.floor:
            reason = "too_few_participants"
        if not reason and "mediator" not in _independent(data):
            reason = "not_separate"
        if reason:
            yield _row(mediation, estimand, "indirect", verdict=f"refused:{reason}", method=REFUSALS[reason])
        else:
            yield from _estimate(mediation, estimand, data)


def _objection(mediation: Mediation, estimand: Estimand, evaluation: Evaluation) -> str:
    plan, design = evaluation.plan, evaluation.design
    weeks = {timepoint.id: timepoint.week for timepoint in design.timepoints}
    if not design.shares_baseline:
        return "not_by_lot"
    if design.group_arms:
        return "in_groups"
    if not design.baseline.week < weeks[mediation.timepoint] < weeks[estimand.timepoint]:
        return "not_before"
    if {plan.outcome(name).kind for name in (estimand.outcome, mediation.mediator)} != {"score"}:
        return "not_a_score"
    return "" if evaluation.answer(estimand) is not None else "not_answered"


def _data(mediation: Mediation, estimand: Estimand, evaluation: Evaluation) -> pd.DataFrame:
    """Return the complete cases of both arms: outcome, mediator, arm (1 for the first), and what is adjusted for."""
    design, plan = evaluation.design, evaluation.plan
    people = evaluation.participants[evaluation.participants["arm"].isin(estimand.compared)]
    own = {}
    for name, outcome, timepoint in (
        ("outcome", estimand.outcome, estimand.timepoint),
        ("mediator", mediation.mediator, mediation.timepoint),
    ):
        measure = plan.outcome(outcome).measure
        scores = evaluation.scores[evaluation.scores["measure"] == measure].set_index(["participant_id", "timepoint"])
        for at, column in ((timepoint, name), (design.baseline.id, f"{name}_at_baseline")):
            own[column] = people["participant_id"].map(scores["score"].xs(at, level="timepoint"))
    data = pd.DataFrame(own).assign(arm=(people["arm"] == estimand.compared.first).astype("float64"))
    for covariate in (known for known in design.covariates if known.id in estimand.covariates):
        values = people[covariate.id]
        if covariate.levels:
            for level in covariate.levels[1:]:
                data[f"{covariate.id}={level}"] = (values == level).astype("float64").where(values != "")
        else:
            data[covariate.id] = values.astype("float64")
    complete = data.astype("float64").dropna()
    return complete.sort_values(list(complete.columns)).reset_index(drop=True)


def _smallest(data: pd.DataFrame) -> int:
    counts = data["arm"].value_counts()
    return int(counts.min()) if len(counts) == 2 else 0


def _independent(data: pd.DataFrame) -> list[str]:
    """Return the columns beside the outcome that no others before them tell: arm, what is adjusted for, mediator."""
    kept: list[str] = []
    basis = np.ones((len(data), 1))
    for name in ["arm", *(each for each in data.columns if each not in ("arm", "outcome", "mediator")), "mediator"]:
        column = data[name].to_numpy() - data[name].mean()
        left = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
        if np.linalg.norm(left) > NEGLIGIBLE * max(float(np.linalg.norm(column)), 1.0):
            kept.append(name)
            basis = np.column_stack([basis, column])
    return kept


def _estimate(mediation: Mediation, estimand: Estimand, data: pd.DataFrame) -> Iterator[Result]:
    import pingouin

    covariates = [name for name in _independent(data) if name not in ("arm", "mediator")]
    found = pingouin.mediation_analysis(
        data, x="arm", m="mediator", y="outcome", covar=covariates, n_boot=DRAWS, seed=SEED
    ).set_index("path")
    for path, statistic in PATHS.items():
        row = found.loc[path]
        yield _row(
            mediation,
            estimand,
            statistic,
            value=float(row["coef"]),
            std_error=float(row["se"]),
            conf_low=float(row["CI2.5"]),
            conf_high=float(row["CI97.5"]),
            n=float(_smallest(data)),
            verdict="estimated",
            method=ASSUMES,
        )


def _row(mediation: Mediation, estimand: Estimand, statistic: str, **more: Any) -> Result:
    return Result(
        analysis="mediation",
        statistic=statistic,
        estimand=estimand.id,
        outcome=estimand.outcome,
        timepoint=estimand.timepoint,
        contrast=estimand.contrast,
        item=f"{mediation.mediator} at {mediation.timepoint}",
        **more,
    )

"""The difference among people who come to the sessions when, and only when, they are offered them.

Where chance offered the sessions, and nobody else could come, the difference between the arms divided by the share who
came often enough is that of these people, if the offer does nothing to those who come less often (Angrist, Imbens and
Rubin 1996, doi 10.1080/01621459.1996.10476902). Two-stage least squares, with what was known at baseline on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.attended import ATTENDED, classes_of, count_attended, person_frame, usable_terms
from analysis.clusters import Flags, code_units, problem
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import count_fewest
from analysis.mixed_models.inference import Estimate, make_estimate
from analysis.mixed_models.jets import Array, Codes
from analysis.plan import Estimand
from analysis.plan_parts import Compliers
from analysis.results import Result
from analysis.telling import Number, Told, tell, tell_many

WEAKEST: Final = 10.0
"""F of the first stage below which two-stage least squares is not to be trusted (Staiger and Stock 1997, doi
10.2307/2171753)."""
DIFFERENCE: Final = "complier_difference"
SHARE_CAME: Final = "share_attended_enough"
REFUSALS: Final[dict[str, Told]] = {
    "not_by_chance": tell(
        "Who was offered the sessions was not decided by chance between two arms, so people who come cannot be "
        "compared with people who would have come.\nTake the question out of the plan."
    ),
    "population_of_its_own": tell(
        "The estimand is asked of people chosen by what they did, not of everybody.\nName an estimand of everybody."
    ),
    "not_a_score": tell(
        "This question is answered for scores in points only.\nAsk it of the score that the outcome is made from."
    ),
    "no_sessions": tell(
        "The study tells of no sessions, so who came is not known.\nDeclare 'sessions' in study.yaml, or take the "
        "question out of the plan."
    ),
    "reference_attended": tell(
        "Sessions were attended in the reference arm too before the timepoint, so people who come only when they are "
        "offered sessions cannot be told from people who come anyway.\nCheck the log for people under the wrong arm, "
        "or take the question out of the plan."
    ),
    "too_few_came": tell(
        "Too few people came to so many sessions, or too few have scores at both timepoints.\nThe floor is "
        "small_numbers: fewest_per_arm in the plan; a lower 'attended_at_least' asks of more people."
    ),
    "weak_first_stage": tell(
        "Being offered the sessions made too little difference to who came to so many of them, so a number would be "
        "far off by chance alone.\nA lower 'attended_at_least' asks of more people."
    ),
    "too_few_clusters": tell(
        "There are too few people or groups for so many covariates.\nTake covariates out of the estimand."
    ),
}
"""Reason -> sentence with the way out; none gives a number of people found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierEstimate:
    """Two-stage least squares with one thing received and one thing offered.

    Attributes
    ----------
    difference : Estimate
        Among people who receive it when it is offered, in the units of the outcome.
    first_stage : Estimate
        Difference in the share who received it, offered less not offered.
    f_statistic : float
        Of the first stage; infinite where everybody did as offered.
    """

    difference: Estimate
    first_stage: Estimate
    f_statistic: float


def two_stage_least_squares(
    outcome: Array, received: Array, offered: Flags, known: Array, groups: pd.Series
) -> ComplierEstimate:
    """Estimate the difference that receiving makes among those who receive when offered.

    b = (Z'X)^-1 Z'y with X = [received, 1, known] and Z = [offered, 1, known]. A person moves the first coefficient by
    (Z'X)^-1 z e; within an arm of m groups (people, where there are none) the squares of the groups' sums, times
    m / (m - 1), are its share of the variance, all times (n - 2) / (n - columns), and degrees of freedom are Welch's.
    With everybody doing as offered and nothing known, this is Welch's t-test.

    Parameters
    ----------
    outcome, received : (n,) array
        Numbers; `received` 0 or 1.
    offered : (n,) array of bool
        By chance.
    known : (n, k) array
        What was known before, with independent columns.
    groups : Series of str
        Group of each person; empty for who has none.

    Raises
    ------
    AnalysisError
        ``too_few_clusters``: not more people than columns, one group in an arm, or columns that follow from others;
        ``nobody_received``; ``group_in_both_arms``.
    """
    unit = code_units(groups, offered)
    ones = np.ones((len(outcome), 1))
    scale = np.abs(known).max(axis=0, initial=0.0) if known.size else np.ones(known.shape[1])
    beside = np.hstack([ones, known / np.where(scale > 0, scale, 1.0)])
    instruments = np.column_stack([offered.astype(float), beside])
    columns = instruments.shape[1]
    smallest = min(len(np.unique(unit[arm])) for arm in (offered, ~offered)) if offered.any() else 0
    if len(outcome) <= columns or smallest < 2 or np.linalg.matrix_rank(instruments) < columns:
        raise problem("too_few_clusters", "There are too few people for so many terms.", "Take covariates out.")
    if not received[offered].any():
        raise problem("nobody_received", "Nobody received what was offered.", "Check who came to which session.")
    correction = (len(outcome) - 2) / (len(outcome) - columns)
    came = _solve(instruments, instruments, received, offered, unit, correction)
    answer = _solve(instruments, np.column_stack([received, beside]), outcome, offered, unit, correction)
    error = came.std_error
    f_statistic = (came.value / error) ** 2 if error > 1e-12 else float("inf")
    return ComplierEstimate(difference=answer, first_stage=came, f_statistic=f_statistic)


def estimate_compliers(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the difference among people who come to enough sessions when offered (analysis ``dose``).

    Yields
    ------
    Result
        Of each `compliers` of the plan, its id in `item`: ``complier_difference``, points, first arm less second, with
        interval, and ``share_attended_enough``: percent of the first arm who came to so many, rounded to tens; or one
        refused row. `n` are the people of the smaller of: who came to so many, and the reference arm; `fewest` the
        smallest number, above none, of who came to so many, who came to fewer, and who came to some but fewer.
    """
    for part in evaluation.plan.compliers:
        yield from _answer(part, evaluation)


def _answer(part: Compliers, evaluation: Evaluation) -> Iterator[Result]:
    plan = evaluation.plan
    estimand = next((each for each in plan.estimands if each.id == part.estimand), None)
    row = Result(
        analysis="dose", statistic=DIFFERENCE, estimand=part.estimand, item=part.id, prespecified=True,
        population=plan.population, verdict="estimated",
    )  # fmt: skip
    if estimand is None:
        yield _refuse(row, "population_of_its_own")
        return
    row = replace(row, outcome=estimand.outcome, timepoint=estimand.timepoint, contrast=estimand.contrast)
    reason = _objection(estimand, evaluation)
    if reason:
        yield _refuse(row, reason)
        return
    exposure = count_attended(evaluation, estimand.timepoint)
    if (exposure.loc[exposure["arm"] == estimand.compared.second, ATTENDED] > 0).any():
        yield _refuse(row, "reference_attended")
        return
    outcome = plan.outcome(estimand.outcome)
    beside = {ATTENDED: exposure[ATTENDED].astype("float64")}
    people = person_frame(evaluation, outcome, estimand.timepoint, estimand.covariates, beside)
    people = people[people["arm"].isin(estimand.compared)].reset_index(drop=True)
    offered = (people["arm"] == estimand.compared.first).to_numpy()
    enough = (people[ATTENDED] >= part.attended_at_least).to_numpy()
    counts = [int(enough.sum()), int((~offered).sum())]
    if min(counts) < plan.small_numbers.floor:
        yield _refuse(row, "too_few_came")
        return
    known = build_columns(people, usable_terms(people, estimand.covariates))
    try:
        found = two_stage_least_squares(
            people["later"].to_numpy(dtype=float), enough.astype(float), offered, known, people["group"]
        )
    except AnalysisError:
        yield _refuse(row, "too_few_clusters")
        return
    if found.f_statistic < WEAKEST or not found.difference.df >= 1:
        yield _refuse(row, "weak_first_stage" if found.f_statistic < WEAKEST else "too_few_clusters")
        return
    some = int((offered & ~enough & (people[ATTENDED] > 0).to_numpy()).sum())
    parts = [counts[0], int((offered & ~enough).sum()), some]
    classes = classes_of(evaluation, outcome)
    rarer = min(count_fewest(people.loc[arm, "later"]) for arm in (offered, ~offered))
    fewest = float(np.fmin(min(number for number in parts if number), rarer))
    row = replace(row, n=min(counts), fewest=fewest, classes=classes)
    answer = found.difference
    yield replace(
        row, value=answer.value, std_error=answer.std_error, df=answer.df, conf_low=answer.conf_low,
        conf_high=answer.conf_high,
        method=tell_many(
            "two-stage least squares of the score, offered by chance and received as at least {count} session, "
            "allowing for baseline and the estimand's covariates; cluster-robust standard error, Welch's degrees of "
            "freedom",
            "two-stage least squares of the score, offered by chance and received as at least {count} sessions, "
            "allowing for baseline and the estimand's covariates; cluster-robust standard error, Welch's degrees of "
            "freedom",
            part.attended_at_least, count=Number(part.attended_at_least),
        ),
    )  # fmt: skip
    share = 10.0 * round(10.0 * enough[offered].mean())
    words = tell_many(
        "percent of the arm with scores who came to at least {count} session, rounded to tens",
        "percent of the arm with scores who came to at least {count} sessions, rounded to tens",
        part.attended_at_least,
        count=Number(part.attended_at_least),
    )
    yield replace(row, statistic=SHARE_CAME, value=share, arm=estimand.compared.first, verdict="observed", method=words)


def build_columns(people: pd.DataFrame, terms: Sequence[str]) -> Array:
    """Return numbers centred, and a column of 0 and 1 for each level of a category but the first."""
    columns = []
    for term in terms:
        values = people[term]
        if isinstance(values.dtype, pd.CategoricalDtype):
            columns += [(values == level).to_numpy(dtype=float) for level in values.cat.categories[1:]]
        else:
            numbers = values.to_numpy(dtype=float)
            columns.append(numbers - numbers.mean())
    return np.column_stack(columns) if columns else np.empty((len(people), 0))


def _objection(estimand: Estimand, evaluation: Evaluation) -> str:
    """Return why the design or the outcome does not let the question be answered; empty if they do."""
    sessions = evaluation.sessions
    if not evaluation.design.shares_baseline:
        return "not_by_chance"
    if evaluation.outcome_of(estimand).kind != "score":
        return "not_a_score"
    return "no_sessions" if sessions is None or sessions.empty else ""


def _solve(instruments: Array, columns: Array, values: Array, arm: Flags, unit: Codes, correction: float) -> Estimate:
    """Return the first coefficient of `columns` by instruments."""
    through = np.linalg.solve(instruments.T @ columns, instruments.T)
    coefficients = through @ values
    influence = through[0] * (values - columns @ coefficients)
    variances, freedoms = [], []
    for side in (arm, ~arm):
        sums = np.bincount(np.unique(unit[side], return_inverse=True)[1], weights=influence[side])
        size = len(sums)
        variances.append(correction * float(sums @ sums) * size / (size - 1))
        freedoms.append(size - 1)
    total = sum(variances)
    spread = sum(variance**2 / df for variance, df in zip(variances, freedoms, strict=True))
    df = total**2 / spread if spread > 0 else float("nan")
    return make_estimate(float(coefficients[0]), float(np.sqrt(total)), df)


def _refuse(row: Result, reason: str) -> Result:
    """Return the row without a number, and why."""
    return replace(row, verdict=f"refused:{reason}", method=REFUSALS[reason])

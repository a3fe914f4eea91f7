"""Estimands held against a declared margin: no worse than, or as good as; never answered by a p-value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from analysis.design import Direction
from analysis.equivalence import MarginTest, MarginVerdict, judge_equivalence, judge_noninferiority
from analysis.evaluation import Evaluation
from analysis.mixed_models.inference import Estimate
from analysis.plan_parts import Margin
from analysis.results import Result
from analysis.telling import Number, tell

JUDGED: Final = "judgement"
JUDGEMENTS: Final[tuple[MarginVerdict, ...]] = (
    "not_shown",
    "superior",
    "non_inferior",
    "inferior",
    "equivalent",
    "not_equivalent",
)
"""A judgement is a number in the results, its place here: the disclosure gate takes numbers out, not words."""
NOT_ESTIMATED: Final = tell(
    "The estimand has no estimate, so it cannot be held against its margin. Its own row says what is missing."
)
NO_INTERVAL: Final = tell("There are too few people to tell how precise the difference is.\nCollect more data.")


def judge_margins(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the judgement of every estimand with a margin (analysis ``margin``).

    Parameters
    ----------
    evaluation : Evaluation
        With the answers of the models.

    Yields
    ------
    Result
        ``judgement``: place in `JUDGEMENTS`, from the estimate and its own degrees of freedom, at 2.5 % one-sided for
        non-inferiority and 5 % for each side of equivalence; or a refused row. `n` and `fewest` are of the estimate.
    """
    for estimand in evaluation.plan.estimands:
        if estimand.margin is None:
            continue
        answer = evaluation.answer(estimand)
        row = Result(
            analysis="margin", statistic=JUDGED, estimand=estimand.id, outcome=estimand.outcome,
            population=evaluation.plan.population, timepoint=estimand.timepoint, contrast=estimand.contrast,
            prespecified=True, verdict="estimated",
        )  # fmt: skip
        if answer is None:
            yield replace(row, verdict="refused:not_estimated", method=NOT_ESTIMATED)
            continue
        found = Estimate(
            value=answer.value, std_error=answer.std_error, df=answer.df, conf_low=answer.conf_low,
            conf_high=answer.conf_high, p_value=answer.p_value,
        )  # fmt: skip
        higher_is = evaluation.plan.measure_of(estimand.outcome, evaluation.design).higher_is
        row = replace(row, n=answer.n, fewest=answer.fewest, classes=answer.classes)
        yield put_judgement(row, judge(found, estimand.margin, higher_is))


def judge(found: Estimate, margin: Margin, higher_is: Direction) -> MarginTest:
    """Hold an estimate, first minus second, against a margin in the way that the plan asks."""
    if margin.question == "equivalence":
        return judge_equivalence(found, margin=margin.value)
    return judge_noninferiority(found, margin=margin.value, higher_is=higher_is)


def put_judgement(row: Result, found: MarginTest) -> Result:
    """Return a row with a judgement; refused without an interval."""
    if found.verdict == "refused:no_interval":
        nan = float("nan")
        return replace(row, verdict=found.verdict, method=NO_INTERVAL, n=nan, fewest=nan, classes=nan)
    words = tell(
        "{test}; margin {margin}, {percent}\u00a0% one-sided",
        test=found.method,
        margin=Number.exactly(found.margin),
        percent=Number.exactly(100 * found.alpha),
    )
    return replace(row, value=float(JUDGEMENTS.index(found.verdict)), method=words)

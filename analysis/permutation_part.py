"""The answers of the plan once more without a model: against all ways in which lots could have been drawn.

Asked of every estimand where whole groups were drawn by lot, and elsewhere where the plan's sensitivity names
``permutation``. With few groups in an arm it decides what is clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.certainty_reasons import Reason
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import complete_cases, count_fewest, covariate_column, score_column
from analysis.mixed_models.inference import CONFIDENCE
from analysis.permutation import PermutationTest, permute_clusters
from analysis.plan import Estimand, Outcome
from analysis.results import Result
from analysis.telling import Number, Told, tell, tell_many

ENOUGH_CLUSTERS: Final = 5
"""Groups in each arm from which the model decides what is clear.

Below, it judges how far groups differ from four or fewer of a kind, which nothing can check (Taljaard et al. 2016, doi
10.1177/1740774516634316). With three in each arm no difference at all is clear: 2 of 20 allocations are as extreme.
"""
SEED: Final = 20_261
"""Of allocations that are drawn: same input, same bytes."""
REFUSALS: Final[dict[str, Told]] = {
    "not_by_lot": tell(
        "Lots did not decide who was in which arm, so there is nothing to draw anew.\nTake 'permutation' out "
        "of the plan."
    ),
    "order_by_lot": tell(
        "In a stepped wedge lots decide the order of the groups; a test that draws the order anew is not "
        "there.\nTake 'permutation' out of the plan."
    ),
    "person_without_cluster": tell(
        "People of one arm meet in groups and people of the other do not, so they cannot change "
        "places.\nTake 'permutation' out of the plan; the mixed model allows for the groups."
    ),
    "group_in_both_arms": tell("A group has people of both arms.\nCheck the columns of arm and group."),
    "too_few_clusters": tell(
        "An arm has fewer than two groups with scores at baseline and then, so groups and arms cannot "
        "be told apart.\nCollect more groups, or describe what was observed."
    ),
    "constant_outcome": tell("All groups have the same mean.\nCheck how the answers were coded."),
}
"""Reason -> sentence with the way out."""


def permute_allocations(evaluation: Evaluation) -> Iterator[Result]:
    """Yield a permutation test of every estimand that was answered, where there is one.

    Mean scores of groups (of people, where these were drawn) are compared after allowing for the score at baseline and
    the estimand's covariates; people who miss one of these are left out.

    Parameters
    ----------
    evaluation : Evaluation
        With the answers of the models.

    Yields
    ------
    Result
        Analysis ``permutation``: ``difference`` in points, ``p_value``, ``smallest_p_value`` that so many groups can
        give, ``allocations`` tried and ``fewest_units`` (groups of the smaller arm), these three where groups were
        drawn; or a row with the reason why not. `n` is the number of people of the smaller arm.
    """
    design = evaluation.design
    if (
        not (design.is_cluster_randomised and design.shares_baseline)
        and "permutation" not in evaluation.plan.sensitivity
    ):
        return
    for estimand in evaluation.plan.estimands:
        if evaluation.answer(estimand) is not None:
            yield from _permute(estimand, evaluation)


def reasons_of_permutation(outcome: Outcome, evaluation: Evaluation, found: Sequence[Result]) -> Iterator[Reason]:
    """Yield a reason where a model is clear, and few groups leave the decision to the permutation test."""
    for estimand in (each for each in evaluation.plan.estimands if each.outcome == outcome.id):
        answer = evaluation.answer(estimand)
        own = {row.statistic: row for row in found if row.analysis == "permutation" and row.estimand == estimand.id}
        if answer is None or "p_value" not in own or not evaluation.design.is_cluster_randomised:
            continue
        is_clear = answer.conf_low > 0 or answer.conf_high < 0
        if is_clear and own["fewest_units"].value < ENOUGH_CLUSTERS and own["p_value"].value >= 1 - CONFIDENCE:
            yield Reason(
                "permutation",
                tell_many(
                    "Fewer than {count} group was drawn for an arm, and drawing lots alone could have made such a "
                    "difference.",
                    "Fewer than {count} groups were drawn for an arm, and drawing lots alone could have made such a "
                    "difference.",
                    ENOUGH_CLUSTERS,
                    count=Number(ENOUGH_CLUSTERS),
                ),
            )


def _permute(estimand: Estimand, evaluation: Evaluation) -> Iterator[Result]:
    design = evaluation.design
    outcome = evaluation.outcome_of(estimand)
    if not design.shares_baseline:
        yield _refuse("order_by_lot" if design.is_stepped_wedge else "not_by_lot", estimand, evaluation)
        return
    frame = evaluation.frames[outcome.id]
    people, adjust_for = _people(frame, estimand, evaluation)
    try:
        test = permute_clusters(
            people,
            outcome="score",
            arm="arm",
            cluster="unit",
            contrast=(estimand.compared.first, estimand.compared.second),
            adjust_for=adjust_for,
            rng=np.random.default_rng(SEED),
        )
    except AnalysisError as error:
        code = error.problems[0].code
        yield _refuse(code if code in REFUSALS else "too_few_clusters", estimand, evaluation)
        return
    scores = [people.loc[people["arm"] == arm, "score"] for arm in estimand.compared]
    told = _statistics(test)
    if not design.is_cluster_randomised:
        told = {name: told[name] for name in ("difference", "p_value")}  # the others count people
    for statistic, value in told.items():
        yield Result(
            analysis="permutation",
            statistic=statistic,
            estimand=estimand.id,
            outcome=outcome.id,
            population=evaluation.plan.population,
            timepoint=estimand.timepoint,
            contrast=estimand.contrast,
            value=value,
            n=min(len(each) for each in scores),
            fewest=min(count_fewest(each) for each in scores),
            verdict="estimated",
            method=_describe(test, is_of_groups=design.is_cluster_randomised),
        )


def _describe(test: PermutationTest, *, is_of_groups: bool) -> Told:
    """Return the test in words; a report reads from them what was drawn, and whether all ways were tried."""
    if is_of_groups and test.is_exact:
        return tell(
            "Permutation test of mean scores, all allocations; groups drawn anew, scores less what baseline and "
            "covariates tell."
        )
    if is_of_groups:
        return tell(
            "Permutation test of mean scores, allocations drawn at random; groups drawn anew, scores less what "
            "baseline and covariates tell."
        )
    if test.is_exact:
        return tell(
            "Permutation test of mean scores, all allocations; people drawn anew, scores less what baseline and "
            "covariates tell."
        )
    return tell(
        "Permutation test of mean scores, allocations drawn at random; people drawn anew, scores less what "
        "baseline and covariates tell."
    )


def _statistics(test: PermutationTest) -> dict[str, float]:
    return {
        "difference": test.value,
        "p_value": test.p_value,
        "smallest_p_value": test.smallest_p_value,
        "allocations": float(test.n_allocations),
        "fewest_units": float(min(test.n_clusters_first, test.n_clusters_second)),
    }


def _people(frame: pd.DataFrame, estimand: Estimand, evaluation: Evaluation) -> tuple[pd.DataFrame, list[str]]:
    """Return the people who enter the test, with the unit that was drawn, and the columns to allow for."""
    design = evaluation.design
    needed = [score_column(estimand.timepoint), score_column(design.baseline.id)]
    own = complete_cases(frame, estimand.covariates, design).dropna(subset=needed)
    own = own.loc[own["arm"].isin(estimand.compared)].reset_index(drop=True)
    meets = design.is_cluster_randomised or any(arm in design.group_arms for arm in estimand.compared)
    unit = own["group"] if meets else pd.Series(np.arange(len(own)).astype(str), index=own.index)
    people = pd.DataFrame({"arm": own["arm"], "unit": unit, "score": own[needed[0]], "baseline": own[needed[1]]})
    known = {covariate.id: covariate for covariate in design.covariates}
    for name in estimand.covariates:
        values = own[covariate_column(name)]
        if known[name].kind == "number":
            people[f"number {name}"] = values.astype("float64")
        for level in known[name].levels[1:]:
            people[f"level {level} of {name}"] = (values == level).astype("float64")
    return people, list(people.columns[3:])


def _refuse(reason: str, estimand: Estimand, evaluation: Evaluation) -> Result:
    return Result(
        analysis="permutation",
        statistic="p_value",
        estimand=estimand.id,
        outcome=estimand.outcome,
        population=evaluation.plan.population,
        timepoint=estimand.timepoint,
        contrast=estimand.contrast,
        verdict=f"refused:{reason}",
        method=REFUSALS[reason],
    )

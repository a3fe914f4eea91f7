"""Analyses that fill in missing scores: at random, by the reference arm, some points worse, and the tipping point."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame, score_column
from analysis.guards import compared_arms
from analysis.intercurrent import find_first, join_events, scores_before
from analysis.missing_data import Strategy, estimate_one, impute_for_estimand, name_statistic
from analysis.missing_data.estimates import NO_DELTA, Imputed
from analysis.missing_data.events import REFERENCE_BASED
from analysis.plan import Plan
from analysis.plan_parts import Delta, IntercurrentEvent
from analysis.results import Result
from analysis.sensitivity.rows import (
    AT_RANDOM,
    Question,
    list_planned,
    make_number,
    make_row,
    name_delta,
    name_event,
    refuse,
    smallest,
)
from analysis.sensitivity.tipping import find_tipping
from analysis.telling import join_told, tell

MONTE_CARLO_ERROR: Final = "monte_carlo_error"
OVER_DRAWS: Final = tell("Standard deviation over repeated sets of draws.")
"""How the Monte Carlo error came about."""
_EVENT: Final = "event"
_OTHERS: Final = ("multiple_imputation", "tipping_point")
Filled = Mapping[str, Imputed | AnalysisError]
"""Strategy -> completed data, or why there are none."""


def estimate_imputed(questions: Sequence[Question], evaluation: Evaluation) -> Iterator[Result]:
    """Yield every analysis of the plan that imputes scores, for estimands of one outcome; nothing if it names none."""
    plan, planned = evaluation.plan, list_planned(evaluation.plan)
    strategies = [strategy for strategy in REFERENCE_BASED if strategy in planned]
    deltas = {name_delta(each): each for each in plan.sensitivity if isinstance(each, Delta)}
    events = [each for each in plan.intercurrent_events if each.sensitivity is not None]
    if not (strategies or deltas or events or set(_OTHERS) & set(planned)):
        return
    known: dict[str, Filled] = {}
    for question in questions:
        same = _same(question, evaluation)
        if same not in known:
            known[same] = _fill(question, strategies, evaluation)
        filled = known[same]
        base = filled[AT_RANDOM]
        for strategy in (AT_RANDOM, *strategies):
            yield _estimate(question, strategy, filled[strategy], evaluation)
        for name, delta in deltas.items():
            yield _estimate(question, name, base, evaluation, _points(question, delta, evaluation))
        if "tipping_point" in planned:
            yield from _tip(question, base, evaluation)
        if "multiple_imputation" in planned:
            yield from _draw(question, evaluation)
        for event in events:
            yield _estimate_event(question, event, evaluation)


def derive_seed(plan: Plan, estimand: str) -> int:
    """Return a seed for an estimand that is the same for the same plan, however its file is laid out."""
    text = f"{plan.model_dump_json()} {estimand}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _same(question: Question, evaluation: Evaluation) -> str:
    """Return what estimands share that are answered by the same completed data."""
    of_arms = set() if evaluation.design.compares_timepoints else {"contrast"}
    return question.estimand.model_dump_json(include={"model", "covariates", "covariance"} | of_arms)


def _fill(question: Question, strategies: Sequence[Strategy], evaluation: Evaluation) -> Filled:
    """Impute under every strategy together; one that the design does not know is set apart with its reason."""
    design, frame = evaluation.design, evaluation.frames[question.outcome.id]
    asked: list[Strategy] = ["missing_at_random", *(strategies if design.reference else ())]
    found: dict[str, Imputed | AnalysisError] = {}
    try:
        imputed = impute_for_estimand(frame, question.estimand, question.outcome, design, strategies=asked)
        found |= dict(zip(asked, imputed, strict=True))
    except AnalysisError as error:
        found |= dict.fromkeys(asked, error)
    for strategy in (each for each in strategies if each not in asked):
        try:
            impute_for_estimand(frame, question.estimand, question.outcome, design, strategies=[strategy])
        except AnalysisError as error:
            found[strategy] = error
    return found


def _estimate(
    question: Question,
    item: str,
    imputed: Imputed | AnalysisError,
    evaluation: Evaluation,
    delta: Mapping[str, float] = NO_DELTA,
) -> Result:
    """Return the row of completed data, or of the reason why there are none."""
    if isinstance(imputed, AnalysisError):
        return refuse(question, item, imputed)
    timepoint = question.estimand.timepoint
    if timepoint not in imputed.panel.timepoints:
        return refuse(question, item, "timepoint_unknown")
    found = estimate_one(imputed, name_statistic(question.estimand, evaluation.design), timepoint, delta=delta)
    people, fewest = _count(question, imputed, evaluation)
    return make_row(question, item, found.estimate, n=people, fewest=fewest, method=found.method)


def _count(question: Question, imputed: Imputed, evaluation: Evaluation) -> tuple[float, float]:
    """Return the people of the smaller arm, and the fewest, above none, of an arm whose scores are filled in.

    Where they borrow from the reference arm, also those of another arm who do: an estimate so made falls short of that
    at random by about their share, so the two tell how many they are.
    """
    panel, at = imputed.panel, imputed.panel.timepoints.index(question.estimand.timepoint)
    missing = ~panel.observed[:, at]
    borrow = np.isin(panel.strategy, REFERENCE_BASED) & (panel.event <= at) & (panel.arm != 0)
    owns = [panel.arm == panel.arms.index(arm) for arm in compared_arms(question.estimand, evaluation.design)]
    filled = [float((own & who).sum()) for own in owns for who in (missing, missing & borrow)]
    return min(float(own.sum()) for own in owns), smallest(filled)


def _points(question: Question, delta: Delta, evaluation: Evaluation) -> dict[str, float]:
    """Return what is added to imputed scores: points in the way that is worse, in every arm but the reference."""
    measure = evaluation.design.measures[question.outcome.measure]
    worse = delta.delta if measure.higher_is == "worse" else -delta.delta
    reference = evaluation.design.reference
    arms = compared_arms(question.estimand, evaluation.design)
    return {arm: worse for arm in arms if reference is None or arm != reference.id}


def _tip(question: Question, base: Imputed | AnalysisError, evaluation: Evaluation) -> Iterator[Result]:
    """Yield where the finding tips, or where there would be one."""
    item = "tipping_point"
    start = _estimate(question, item, base, evaluation)
    if isinstance(base, AnalysisError) or start.verdict != "estimated":
        yield start
        return
    arm, at = compared_arms(question.estimand, evaluation.design)[0], question.estimand.timepoint
    panel = base.panel
    if panel.observed[panel.arm == panel.arms.index(arm), panel.timepoints.index(at)].all():
        yield refuse(question, item, "nobody_missing")
        return
    measure = evaluation.design.measures[question.outcome.measure]
    found = find_tipping(base, name_statistic(question.estimand, evaluation.design), at, measure)
    if isinstance(found, str):
        yield refuse(question, item, found)
        return
    for statistic, points in found.items():
        added = tell("Points added to missing scores of '{arm}'.", arm=arm)
        yield make_number(start, statistic, points, join_told([added, base.method]))


def _draw(question: Question, evaluation: Evaluation) -> Iterator[Result]:
    """Yield the estimate at random by repeated draws, and how much it would differ by chance if drawn anew."""
    item = "multiple_imputation"
    rng = np.random.default_rng(derive_seed(evaluation.plan, question.estimand.id))
    try:
        (imputed,) = impute_for_estimand(
            evaluation.frames[question.outcome.id],
            question.estimand,
            question.outcome,
            evaluation.design,
            strategies=["missing_at_random"],
            route="multiple_imputation",
            rng=rng,
        )
    except AnalysisError as error:
        yield refuse(question, item, error)
        return
    row = _estimate(question, item, imputed, evaluation)
    yield row
    if row.verdict == "estimated":
        what = name_statistic(question.estimand, evaluation.design)
        error_of_draws = estimate_one(imputed, what, question.estimand.timepoint).monte_carlo_error
        yield make_number(row, MONTE_CARLO_ERROR, error_of_draws, OVER_DRAWS)


def _estimate_event(question: Question, event: IntercurrentEvent, evaluation: Evaluation) -> Result:
    """Return the estimate with scores from an event on taken as missing, and imputed as the plan says."""
    item, design = name_event(event.event), evaluation.design
    first = find_first(evaluation.events, [event.event], design)
    people = join_events(evaluation.participants, first, _EVENT)
    frame = outcome_frame(evaluation.scores, people, design, question.outcome, carried=[_EVENT])
    frame = scores_before(frame, _EVENT, design, {each.id: score_column(each.id) for each in design.timepoints[1:]})
    places = [timepoint.id for timepoint in design.timepoints]
    asked = places.index(question.estimand.timepoint)
    had = frame[_EVENT].isin(places[1 : asked + 1])
    arms = frame.loc[had, "arm"].value_counts()
    fewest = smallest(arms.get(arm, 0) for arm in compared_arms(question.estimand, design))
    if not fewest > 0:
        return refuse(question, item, "no_such_event")
    table = pd.DataFrame(
        {
            "participant": frame.index[frame[_EVENT] != ""],
            "timepoint": frame.loc[frame[_EVENT] != "", _EVENT].to_numpy(),
            "strategy": event.sensitivity,
        }
    )
    try:
        (imputed,) = impute_for_estimand(
            frame.drop(columns=_EVENT), question.estimand, question.outcome, design, strategies=(), events=table
        )
    except AnalysisError as error:
        return refuse(question, item, error)
    row = _estimate(question, item, imputed, evaluation)
    return replace(row, fewest=float(np.fmin(row.fewest, fewest))) if row.verdict == "estimated" else row

"""What flagged answers decide: who was flagged, and every estimand once with and once without their answers.

The main analysis leaves out what the plan says, and nothing without a word of it. The other analysis is shown beside
it, for neither is right by itself: answers given without care blur a difference, and who gives them is not chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.certainty_reasons import Reason
from analysis.design import StudyDesign
from analysis.frames import complete_cases, score_column
from analysis.outcome_model import estimate_outcome
from analysis.plan import Flag, Outcome, Plan
from analysis.results import Result
from analysis.telling import join_told, tell

FLAGS: Final[tuple[Flag, ...]] = get_args(Flag)
ANY: Final = "flagged"
"""Statistic that counts the people with any flag; the others are called as the flags."""
LEFT_OUT: Final = "left_out"
WITHOUT, WITH = "flagged_left_out", "flagged_kept"
"""Populations of the other analysis: without the flagged answers, or with those that the plan leaves out."""
METHODS: Final = {
    WITHOUT: tell("Without the answers that were flagged."),
    WITH: tell("With the flagged answers that the plan leaves out."),
}
_WHO: Final = ["participant_id", "timepoint"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The scores that the plan takes, those of the other analysis, and what the other one is (`WITHOUT`, `WITH`)."""

    used: pd.DataFrame
    other: pd.DataFrame
    population: str


def choose_scores(scores: pd.DataFrame, flags: pd.DataFrame, plan: Plan) -> Choice:
    """Return the scores of the main analysis and of the other one.

    Parameters
    ----------
    scores, flags : DataFrame
        See the table contracts.
    plan : Plan
        Its ``quality: leave_out`` names the flags whose answers the main analysis leaves out.

    Returns
    -------
    Choice
        Where the main analysis leaves out any answer, the other leaves out none; otherwise it leaves out every
        flagged one. What is left out is missing (NaN); no row goes.
    """
    left_out = flags["flag"].isin(plan.quality.leave_out)
    if left_out.any():
        return Choice(leave_out(scores, flags, plan.quality.leave_out, "score"), scores, WITH)
    return Choice(scores, leave_out(scores, flags, FLAGS, "score"), WITHOUT)


def leave_out(table: pd.DataFrame, flags: pd.DataFrame, chosen: Collection[str], column: str) -> pd.DataFrame:
    """Return a table whose `column` is NaN at the participants and timepoints that have one of the `chosen` flags."""
    flagged = pd.MultiIndex.from_frame(flags.loc[flags["flag"].isin(chosen), _WHO])
    if flagged.empty:
        return table
    return table.assign(**{column: table[column].mask(pd.MultiIndex.from_frame(table[_WHO]).isin(flagged))})


def count_flags(flags: pd.DataFrame, design: StudyDesign) -> Iterator[Result]:
    """Yield how many people have each flag that anybody has, and any flag at all (`ANY`), by timepoint."""
    people = flags[_WHO].drop_duplicates().assign(flag=ANY)
    told = pd.concat([flags[[*_WHO, "flag"]].drop_duplicates(), people])
    counts = told.groupby(["flag", "timepoint"]).size()
    for flag in (*FLAGS, ANY):
        for timepoint in design.timepoints if flag in counts.index else ():
            number = int(counts.get((flag, timepoint.id), 0))
            yield Result(
                analysis="quality",
                statistic=flag,
                timepoint=timepoint.id,
                value=number,
                n=number,
                method=tell("participants with any flag") if flag == ANY else tell("participants with this flag"),
            )


def estimate_again(
    outcome: Outcome, frame: pd.DataFrame, other: pd.DataFrame, plan: Plan, design: StudyDesign, population: str
) -> Iterator[Result]:
    """Yield the estimands of an outcome by the other analysis, where it takes other answers.

    Parameters
    ----------
    outcome : Outcome
        An outcome of the plan.
    frame, other : DataFrame
        Its outcome frames, of the main and of the other analysis.
    plan, design : Plan, StudyDesign
        What is asked, and of which study.
    population : {WITHOUT, WITH}
        Which analysis the other one is.

    Yields
    ------
    Result
        For each estimand ``left_out`` (how many scores only one of the two analyses takes) and the estimate, refused
        and failed ones too. ``fewest`` is the smallest number of people, above none, who make the difference in an arm
        at a timepoint: the disclosure gate needs it.
    """
    if not _differences([], frame, other, design).any():
        return
    answers = {row.estimand: row for row in estimate_outcome(outcome, other, plan, design) if row.estimand}
    for estimand in (each for each in plan.estimands if each.id in answers):
        lost = _differences(estimand.covariates, frame, other, design)
        if not lost.any():
            continue
        fewest, row = float(lost[lost > 0].min()), answers[estimand.id]
        yield Result(
            analysis="quality",
            statistic=LEFT_OUT,
            estimand=estimand.id,
            outcome=outcome.id,
            population=population,
            value=lost.sum(),
            n=lost.sum(),
            fewest=fewest,
            method=tell("scores that one of the two analyses leaves out"),
        )
        yield replace(
            row,
            analysis="quality",
            population=population,
            prespecified=bool(plan.quality.leave_out),
            fewest=float(np.fmin(row.fewest, fewest)),
            method=join_told([METHODS[population], row.method]),
        )


def reasons_of_flags(
    outcome: Outcome, answers: Sequence[Result], again: Sequence[Result], plan: Plan
) -> Iterator[Reason]:
    """Yield a reason where what can be said of an outcome hangs on whether flagged answers are used.

    Nothing in a study with protected numbers where so few people make the difference that it is not shown.
    """
    others = {row.estimand: row for row in again if row.verdict == "estimated"}
    for row in answers:
        other = others.get(row.estimand)
        if other is None:
            continue
        protection = plan.small_numbers.protection
        if protection.protects and min(other.fewest, other.n) < protection.threshold:
            continue
        if find_meaning(row, outcome) != find_meaning(other, outcome):
            sentence = tell("What can be said hangs on whether the answers that were flagged are used.")
            yield Reason("flagged", sentence, timepoint=row.timepoint)


def find_meaning(row: Result, outcome: Outcome) -> tuple[bool, bool, str]:
    """Return what an interval says: above zero, below zero, and how it lies to the smallest meaningful change."""
    if outcome.smallest_meaningful_change is None:
        return row.conf_low > 0, row.conf_high < 0, ""
    smallest = outcome.smallest_meaningful_change.value
    near = max(row.conf_low, -row.conf_high, 0.0)
    far = max(-row.conf_low, row.conf_high)
    size = "meaningful" if near >= smallest else "smaller" if far < smallest else "open"
    return row.conf_low > 0, row.conf_high < 0, size


def _differences(
    covariates: Sequence[str], frame: pd.DataFrame, other: pd.DataFrame, design: StudyDesign
) -> NDArray[np.int64]:
    """Return how many scores of an arm at a timepoint only one of two analyses takes."""
    columns = [score_column(timepoint.id) for timepoint in design.timepoints]
    arms = [arm.id for arm in design.arms]
    counts = [
        complete_cases(each, covariates, design).groupby("arm")[columns].count().reindex(arms, fill_value=0)
        for each in (frame, other)
    ]
    lost: NDArray[np.int64] = np.abs(counts[0].to_numpy(dtype="int64") - counts[1].to_numpy(dtype="int64")).ravel()
    return lost

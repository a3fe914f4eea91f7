"""What makes one less sure of an answer: kinds of reasons, the domains they belong to, and those that models give.

A sentence here gives no number that was found: the report puts it in from the row where it stands, as far as the
disclosure gate left it there (`reports.certainty`). Nor does a reason hang on a number that the gate hides because few
people are behind it, or the fall of the level would tell of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import pandas as pd

from analysis.balance import MOST_DIFFERENT
from analysis.composition import compare_samples
from analysis.design import StudyDesign
from analysis.evaluation import Evaluation
from analysis.frames import score_column
from analysis.guards import compared_arms
from analysis.mixed_models.inference import CONFIDENCE
from analysis.plan import Estimand, Outcome, Plan
from analysis.results import Result
from analysis.telling import Number, Told, list_told, tell, tell_many

Domain = Literal["design", "people", "precision", "comparison", "measurement", "conduct", "knowing"]
Kind = Literal[
    "expected", "missing", "leavers", "imprecise", "few", "permutation", "balance", "overlap", "composition",
    "unreliable", "not_invariant", "draft", "ceiling", "audit", "not_prespecified", "flagged", "knowing",
]  # fmt: skip
DOMAIN_OF: Final[dict[Kind, Domain]] = {
    "expected": "design",
    "missing": "people",
    "leavers": "people",
    "imprecise": "precision",
    "few": "precision",
    "permutation": "precision",
    "balance": "comparison",
    "overlap": "comparison",
    "composition": "comparison",
    "unreliable": "measurement",
    "not_invariant": "measurement",
    "draft": "measurement",
    "ceiling": "measurement",
    "audit": "measurement",
    "not_prespecified": "conduct",
    "flagged": "conduct",
    "knowing": "knowing",
}
"""Kind of reason -> what it is about. Whatever is about one thing takes one level together, as in GRADE."""
DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)
"""In the order in which reasons are told."""

MOST_MISSING: Final = 0.20
FEWEST_GROUPS: Final = 10
FEWEST_PARTICIPANTS: Final = 30


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one is less sure of the answer to a question.

    Attributes
    ----------
    kind : str
        A key of `DOMAIN_OF`.
    sentence : Told
        For a programme manager, with the limit that was passed and without any number that was found.
    arm, timepoint : str
        Where the number of that estimand stands that it is about; empty where it is about none, or the whole of it.
    """

    kind: Kind
    sentence: Told
    arm: str = ""
    timepoint: str = ""


def is_told(fewest: float, plan: Plan) -> bool:
    """Tell whether so many people may decide something: not so few, but some, that the plan protects them."""
    return not plan.small_numbers.protection.hides(fewest)


def reasons_of_missing(outcome: Outcome, evaluation: Evaluation, estimated: Sequence[Result]) -> Iterator[Reason]:
    """Yield the arm of which the largest share has no score at the timepoint, where it is more than `MOST_MISSING`."""
    design, frame = evaluation.design, evaluation.frames[outcome.id]
    shares: dict[tuple[str, str], float] = {}
    for estimand in [] if design.is_resampled else _asked(evaluation, estimated):
        for arm in compared_arms(estimand, design):
            has_none = frame.loc[frame["arm"] == arm, score_column(estimand.timepoint)].isna()
            if has_none.mean() > MOST_MISSING and is_told(float(has_none.sum()), evaluation.plan):
                shares[arm, estimand.timepoint] = float(has_none.mean())
    if shares:
        arm, timepoint = max(shares, key=lambda place: shares[place])
        label = next(known.label for known in design.arms if known.id == arm)
        told: dict[str, str | Number] = {"percent": in_percent(MOST_MISSING), "timepoint": label_of(design, timepoint)}
        sentence = tell(
            "More than {percent}\u00a0% of the people in {arm} have no score at {timepoint}, and nobody knows how they "
            "fared.",
            arm=label,
            **told,
        )
        if len(design.arms) == 1:
            sentence = tell(
                "More than {percent}\u00a0% of the people have no score at {timepoint}, and nobody knows how they "
                "fared.",
                **told,
            )
        yield Reason("missing", sentence, arm=arm, timepoint=timepoint)


def reasons_of_intervals(outcome: Outcome, evaluation: Evaluation, estimated: Sequence[Result]) -> Iterator[Reason]:
    """Yield estimates whose interval lies on both sides of a limit (`is_imprecise`)."""
    design = evaluation.design
    for row in (row for row in estimated if is_imprecise(row, outcome)):
        timepoint = evaluation.estimand(row.estimand).timepoint
        holds_none = may_be_none(row.conf_low, row.conf_high, row.p_adjusted)
        sentence = _tell_open(label_of(design, timepoint), outcome, design, holds_none=holds_none)
        yield Reason("imprecise", sentence, timepoint=timepoint)


def _tell_open(at: str, outcome: Outcome, design: StudyDesign, *, holds_none: bool) -> Told:
    """Return what an interval leaves open."""
    is_named, is_change = outcome.smallest_meaningful_change is not None, design.kind == "single_group"
    if not holds_none and is_change:
        return tell("At {timepoint} the change may be one that people notice, or a smaller one.", timepoint=at)
    if not holds_none:
        return tell("At {timepoint} the difference may be one that people notice, or a smaller one.", timepoint=at)
    if is_named and is_change:
        return tell("At {timepoint} there may be no change, or one that people notice.", timepoint=at)
    if is_named:
        return tell("At {timepoint} there may be no difference, or one that people notice.", timepoint=at)
    if is_change:
        return tell(
            "At {timepoint} there may be no change, and the plan does not say how small a change people notice.",
            timepoint=at,
        )
    return tell(
        "At {timepoint} there may be no difference, and the plan does not say how small a difference people notice.",
        timepoint=at,
    )


def reasons_of_few(outcome: Outcome, evaluation: Evaluation, estimated: Sequence[Result]) -> Iterator[Reason]:
    """Yield estimates that few groups or few people are behind."""
    design, frame = evaluation.design, evaluation.frames[outcome.id]
    for row in estimated:
        estimand = evaluation.estimand(row.estimand)
        at = label_of(design, estimand.timepoint)
        at_least, is_sure = _people_at_least(row, frame, estimand, evaluation)
        if _too_few_groups(frame.loc[frame[score_column(estimand.timepoint)].notna()], estimand, design):
            sentence = tell_many(
                "Fewer than {limit} group was observed at {timepoint}.",
                "Fewer than {limit} groups were observed at {timepoint}.",
                FEWEST_GROUPS,
                limit=Number(FEWEST_GROUPS),
                timepoint=at,
            )
        elif at_least < FEWEST_PARTICIPANTS:
            sentence = _tell_few(at, is_sure=is_sure, is_alone=len(design.arms) == 1)
        else:
            continue
        yield Reason("few", sentence, timepoint=estimand.timepoint)


def _tell_few(at: str, *, is_sure: bool, is_alone: bool) -> Told:
    """Return that few people were observed, or may have been, in a group that is alone or in one of several arms."""
    told: dict[str, str | Number] = {"limit": Number(FEWEST_PARTICIPANTS), "timepoint": at}
    if is_sure and is_alone:
        return tell_many(
            "Fewer than {limit} person was observed at {timepoint}.",
            "Fewer than {limit} people were observed at {timepoint}.",
            FEWEST_PARTICIPANTS,
            **told,
        )
    if is_sure:
        return tell_many(
            "Fewer than {limit} person in an arm was observed at {timepoint}.",
            "Fewer than {limit} people in an arm were observed at {timepoint}.",
            FEWEST_PARTICIPANTS,
            **told,
        )
    if is_alone:
        return tell_many(
            "Fewer than {limit} person may have been observed at {timepoint}.",
            "Fewer than {limit} people may have been observed at {timepoint}.",
            FEWEST_PARTICIPANTS,
            **told,
        )
    return tell_many(
        "Fewer than {limit} person in an arm may have been observed at {timepoint}.",
        "Fewer than {limit} people in an arm may have been observed at {timepoint}.",
        FEWEST_PARTICIPANTS,
        **told,
    )


def reasons_of_samples(outcome: Outcome, evaluation: Evaluation, estimated: Sequence[Result]) -> Iterator[Reason]:
    """Yield what samples drawn anew do not have in common; one without spread differs as far as can be."""
    design, frame = evaluation.design, evaluation.frames[outcome.id]
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    for estimand in _asked(evaluation, estimated) if design.is_resampled else ():
        compared = compared_arms(estimand, design)
        different = {
            row.item
            for row in compare_samples(frame, outcome.id, design)
            if row.timepoint == estimand.timepoint and row.arm in compared and not abs(row.value) <= MOST_DIFFERENT
        }
        if different:
            sentence = tell(
                "The people surveyed at {timepoint} differed from those at {baseline} in: {covariates}.",
                timepoint=label_of(design, estimand.timepoint),
                baseline=design.baseline.label,
                covariates=list_told(label for known, label in labels.items() if known in different),
            )
            yield Reason("composition", sentence, timepoint=estimand.timepoint)


def is_imprecise(row: Result, outcome: Outcome) -> bool:
    """Tell whether an interval leaves open what the certainty is about.

    Where the plan names the smallest meaningful change, that is whether people notice the difference: the interval
    holds differences that they notice and others that they do not (Guyatt et al. 2025, doi 10.1136/bmj-2024-081904).
    Otherwise it is whether there is any difference: the interval holds none.
    """
    holds_none = may_be_none(row.conf_low, row.conf_high, row.p_adjusted)
    smallest = outcome.smallest_meaningful_change
    if smallest is None:
        return holds_none
    near = 0.0 if holds_none else min(abs(row.conf_low), abs(row.conf_high))
    return near < smallest.value <= max(-row.conf_low, row.conf_high)


def may_be_none(conf_low: float, conf_high: float, p_adjusted: float) -> bool:
    """Tell whether an interval holds zero, also where several questions are allowed for and chance remains."""
    return conf_low <= 0 <= conf_high or p_adjusted >= 1 - CONFIDENCE


def in_percent(share: float) -> Number:
    """Return a share as a whole number of percent."""
    return Number(100 * share)


def label_of(design: StudyDesign, timepoint: str) -> str:
    """Return the label of a timepoint."""
    return next(known.label for known in design.timepoints if known.id == timepoint)


def _asked(evaluation: Evaluation, estimated: Sequence[Result]) -> list[Estimand]:
    return [evaluation.estimand(row.estimand) for row in estimated]


def _people_at_least(
    row: Result, frame: pd.DataFrame, estimand: Estimand, evaluation: Evaluation
) -> tuple[float, bool]:
    """Return the people behind an estimate, and if surely; the least they could be where so few left an arm.

    With the arm's size the limit would tell how many left, if an estimate of 29 people were judged as one of 29.
    """
    allocated = frame["arm"].value_counts()
    arms = () if evaluation.design.is_resampled else compared_arms(estimand, evaluation.design)
    sizes = [float(allocated.get(arm, 0)) for arm in arms]
    protection = evaluation.plan.small_numbers.protection
    near = [size for size in sizes if protection.hides(size - row.n)]
    return (min(near) - protection.threshold + 1, False) if near else (row.n, True)


def _too_few_groups(scored: pd.DataFrame, estimand: Estimand, design: StudyDesign) -> bool:
    """Tell whether few groups are behind an estimate: of an arm that met, or in all of a stepped wedge."""
    scored = scored.loc[scored["group"] != ""]
    if design.is_stepped_wedge:
        return bool(scored["group"].nunique() < FEWEST_GROUPS)
    meeting = scored.groupby("arm")["group"].nunique()
    compared = compared_arms(estimand, design)
    in_groups = [arm.id for arm in design.arms if arm.id in compared and design.in_groups(arm, estimand.timepoint)]
    return any(meeting.get(arm, 0) < FEWEST_GROUPS for arm in in_groups)

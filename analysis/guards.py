"""What an estimand needs before anything is fitted: every refusal, its reason and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.frames import complete_cases, covariate_column, outcome_frame, require_consistent_tables, score_column
from analysis.plan import Estimand, Plan
from analysis.populations import NO_SESSIONS, choose_people, population_of
from analysis.series_model import REFUSALS as SERIES_REFUSALS
from analysis.series_model import object_to_series
from analysis.stepped_wedge import REFUSALS as STEP_REFUSALS
from analysis.stepped_wedge import object_to_steps
from analysis.telling import Number, list_told, tell

Particulars = dict[str, str | Number]
"""What the sentence of a refusal names: labels and declared numbers."""
FEWEST_GROUPS: Final = 3
"""Fewer groups in an arm give no usable estimate of how much groups differ."""

EXPLANATIONS: Final[dict[str, str]] = {
    "no_scores": tell(
        "Nobody has a score of {outcome}.\nCheck that its instrument is delivered and scored, or take the estimand out "
        "of the plan."
    ),
    "constant_outcome": tell(
        "All scores of {outcome} are the same, so there is nothing to compare.\nCheck how the answers were coded."
    ),
    "nobody_or_everybody": tell(
        "Everybody or nobody with a score of {outcome} has the event, so there is nothing to compare.\nChoose another "
        "border, or compare the scores themselves."
    ),
    "one_arm": tell(
        "Scores of {outcome} come from one arm only.\nCheck the column that holds the arm, or describe the change "
        "within that arm."
    ),
    "one_timepoint": tell(
        "Scores of {outcome} come from one timepoint only.\nCheck the column that holds the timepoint, or deliver "
        "another wave."
    ),
    "covariate_constant_or_missing": tell(
        "The covariate '{covariate}' is missing or the same for every participant with a score of {outcome}.\nTake it "
        "out of the estimand or deliver it."
    ),
    "one_row_per_participant": tell(
        "No participant has scores of {outcome} at two timepoints, so change cannot be followed.\nCheck that ids agree "
        "between waves."
    ),
    "empty_cell": tell(
        "Nobody in arm '{arm}' has a score of {outcome} at {timepoint}.\nChoose a timepoint with answers in both arms."
    ),
    "too_few_participants": tell(
        "The plan asks for at least {fewest} participants in each arm with a score of {outcome} at {timepoint}; there "
        "are fewer in {arms}.\nThe floor is small_numbers: fewest_per_arm in the plan."
    ),
    "covariate_not_asked": tell(
        "The covariate '{covariate}' is missing for everybody in arm '{arm}' with a score of {outcome} at {timepoint}, "
        "so samples cannot be made alike in it.\nTake it out of the estimand or deliver it."
    ),
    "group_without_replication": tell(
        "Arm '{arm}' has too few groups with scores of {outcome} (fewer than {groups}), or one participant in each, so "
        "differences between groups and between people cannot be told apart.\nDeliver the column that holds the group, "
        "or collect more groups."
    ),
    "nobody_waits": tell(
        "At {timepoint} the people of arm '{arm}' had begun the programme too, so nobody remained to compare with.\n"
        "Choose a timepoint up to {until}."
    ),
    "people_without_group": tell(
        "Some participants of arm '{arm}' have no group, although whole groups were drawn by lot.\nDeliver the group "
        "of everybody."
    ),
    "group_in_two_arms": tell(
        "A group has people in two arms, although whole groups were drawn by lot.\nCheck the columns of arm and group."
    ),
    **STEP_REFUSALS,
    **SERIES_REFUSALS,
}
"""Reason code -> pattern of a sentence. None gives a number of people found: a small one could identify somebody."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An estimand that is not computed.

    Attributes
    ----------
    estimand : str
        Id in the plan.
    reason : str
        Code, a key of `EXPLANATIONS`.
    explanation : str
        A sentence for people, with the way out: a `Told`.
    """

    estimand: str
    reason: str
    explanation: str


def find_refusals(
    plan: Plan,
    design: StudyDesign,
    *,
    scores: pd.DataFrame,
    participants: pd.DataFrame,
    sessions: pd.DataFrame | None = None,
) -> tuple[Refusal, ...]:
    """Return the estimands that the data cannot answer, without fitting anything.

    Parameters
    ----------
    plan, design : Plan, StudyDesign
        What is asked, and of which study.
    scores, participants, sessions : DataFrame
        See the table contracts; a score of NaN is no score.

    Returns
    -------
    tuple of Refusal
        In the plan's order, at most one per estimand: the first reason that holds.

    Raises
    ------
    AnalysisError
        The tables contradict each other or the design.
    """
    require_consistent_tables(scores, participants, design)
    refusals = []
    for estimand in plan.estimands:
        outcome = plan.outcome(estimand.outcome)
        population = population_of(estimand, plan)
        chosen = choose_people(population, outcome, scores, participants, sessions) if population else None
        if population is not None and chosen is None:
            refusals.append(Refusal(estimand.id, "no_sessions", NO_SESSIONS))
            continue
        people = participants if chosen is None else participants[chosen].reset_index(drop=True)
        frame = outcome_frame(scores, people, design, outcome)
        refusal = check_estimand(frame, estimand, plan, design)
        if refusal:
            refusals.append(refusal)
    return tuple(refusals)


def check_estimand(frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign) -> Refusal | None:
    """Return why an estimand cannot be computed from an outcome frame, or None."""
    measure = plan.outcome(estimand.outcome).measure
    concept = design.measures[measure].concept if measure in design.measures else measure
    labels = {arm.id: arm.label for arm in design.arms}
    for reason, particulars in _objections(frame, estimand, plan, design):
        if "arm" in particulars:
            particulars |= {"arm": labels.get(str(particulars["arm"]), particulars["arm"])}
        return Refusal(estimand.id, reason, tell(EXPLANATIONS[reason], outcome=concept, **particulars))
    return None


def compared_arms(estimand: Estimand, design: StudyDesign) -> tuple[str, ...]:
    """Return the arms that an estimand is about: both sides of a comparison, the only arm, or all sequences."""
    if design.is_stepped_wedge:
        return tuple(arm.id for arm in design.arms)
    return (design.arms[0].id,) if design.compares_timepoints else tuple(estimand.compared)


def _objections(
    frame: pd.DataFrame, estimand: Estimand, plan: Plan, design: StudyDesign
) -> Iterator[tuple[str, Particulars]]:
    """Yield reason and particulars of everything that stands against an estimand, the most basic first."""
    arms = compared_arms(estimand, design)
    yield from _nobody_waits(arms, estimand, design)
    scored = complete_cases(frame, [], design)
    is_event = plan.outcome(estimand.outcome).event is not None
    yield from _nothing_to_compare(scored, arms, design, is_event)
    if design.is_series:
        yield from object_to_series(frame, estimand, plan, design)
        return
    for covariate in estimand.covariates:
        if scored[covariate_column(covariate)].nunique() < 2:
            yield "covariate_constant_or_missing", {"covariate": covariate}
    complete = complete_cases(frame, estimand.covariates, design)
    points = complete[[score_column(timepoint.id) for timepoint in design.timepoints]]
    if not design.is_resampled and not (points.notna().sum(axis=1) > 1).any():
        yield "one_row_per_participant", {}
    if design.is_resampled:
        yield from _never_asked(scored, arms, estimand, design)
    if design.is_cluster_randomised:
        yield from _unclear_groups(complete, arms)
    if design.is_stepped_wedge:
        yield from object_to_steps(complete, estimand, design, plan.small_numbers.floor)
        return
    labels = {timepoint.id: timepoint.label for timepoint in design.timepoints}
    in_groups = [arm.id for arm in design.arms if design.in_groups(arm, estimand.timepoint)]
    counts = complete.groupby("arm")[list(points.columns)].count()
    fewest = plan.small_numbers.floor
    for arm in arms:
        if arm not in counts.index or not counts.loc[arm, score_column(estimand.timepoint)]:
            yield "empty_cell", {"arm": arm, "timepoint": labels[estimand.timepoint]}
    for timepoint in (estimand.timepoint, design.baseline.id):
        of_arms = counts.loc[list(arms), score_column(timepoint)]
        short = [arm.label for arm in design.arms if arm.id in arms and of_arms[arm.id] < fewest]
        if short:
            at = labels[timepoint]
            yield "too_few_participants", {"arms": list_told(short), "timepoint": at, "fewest": Number(fewest)}
    for arm in arms:
        if arm in in_groups and not _groups_are_replicated(complete.loc[complete["arm"] == arm, "group"]):
            yield "group_without_replication", {"arm": arm, "groups": Number(FEWEST_GROUPS)}


def _nobody_waits(arms: tuple[str, ...], estimand: Estimand, design: StudyDesign) -> Iterator[tuple[str, Particulars]]:
    """Yield the arm of a waiting list that had begun when it is compared."""
    labels = {timepoint.id: timepoint.label for timepoint in design.timepoints}
    for arm in design.arms if design.kind == "waitlist" else ():
        if arm.id in arms and arm.starts and design.has_begun(arm, estimand.timepoint):
            later, until = labels[estimand.timepoint], labels[arm.starts]
            yield "nobody_waits", {"arm": arm.label, "timepoint": later, "until": until}


def _unclear_groups(complete: pd.DataFrame, arms: tuple[str, ...]) -> Iterator[tuple[str, Particulars]]:
    """Yield people and groups that whole groups drawn by lot do not have."""
    own = complete.loc[complete["arm"].isin(arms)]
    for arm in arms:
        if (own.loc[own["arm"] == arm, "group"] == "").any():
            yield "people_without_group", {"arm": arm}
    if own.drop_duplicates(["group", "arm"])["group"].duplicated().any():
        yield "group_in_two_arms", {}


def _never_asked(
    scored: pd.DataFrame, arms: tuple[str, ...], estimand: Estimand, design: StudyDesign
) -> Iterator[tuple[str, Particulars]]:
    """Yield the covariates that one of the compared samples does not have at all."""
    for timepoint in (known for known in design.timepoints if known.id in (design.baseline.id, estimand.timepoint)):
        for arm in arms:
            sample = scored.loc[(scored["arm"] == arm) & scored[score_column(timepoint.id)].notna()]
            for covariate in estimand.covariates if len(sample) else ():
                if sample[covariate_column(covariate)].isna().all():
                    yield "covariate_not_asked", {"covariate": covariate, "arm": arm, "timepoint": timepoint.label}


def _nothing_to_compare(
    scored: pd.DataFrame, arms: tuple[str, ...], design: StudyDesign, is_event: bool
) -> Iterator[tuple[str, Particulars]]:
    """Yield what is wrong with an outcome as a whole."""
    points = scored[[score_column(timepoint.id) for timepoint in design.timepoints]]
    if scored.empty:
        yield "no_scores", {}
    elif points.max().max() == points.min().min():
        yield "nobody_or_everybody" if is_event else "constant_outcome", {}
    if len(arms) > 1 and scored["arm"].nunique() < 2:
        yield "one_arm", {}
    if points.notna().any().sum() < 2:
        yield "one_timepoint", {}


def _groups_are_replicated(groups: pd.Series) -> bool:
    """Tell whether groups differ from participants: enough groups, and two participants in at least one."""
    sizes = groups[groups != ""].value_counts()
    return len(sizes) >= FEWEST_GROUPS and bool(sizes.max() > 1)

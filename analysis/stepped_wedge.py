"""Groups that get the programme one after the other, in an order drawn by lot: time with it against time before it.

The model of Hussey and Hughes 2007, doi 10.1016/j.cct.2006.05.007, with the people who are measured again and again:
score = timepoint + programme + (group) + (participant) + residual. The difference is one number for all groups and
timepoints; that it takes time to grow, or fades, the model does not know (Kenny et al. 2022, doi 10.1002/sim.9511), nor
that people of a group are more alike at one timepoint than across timepoints (Hooper et al. 2016, doi
10.1002/sim.7028): where they are, intervals are too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import BEFORE_PROGRAMME, WITH_PROGRAMME, StudyDesign, Timepoint
from analysis.frames import score_column
from analysis.plan import Estimand
from analysis.telling import Number, tell

EXPOSURE: Final = "exposure"
"""Column of a model frame: whether a score was given under the programme."""
SIDES: Final = (WITH_PROGRAMME, BEFORE_PROGRAMME)
FEWEST_CLUSTERS: Final = 3
"""With two groups one comparison of them remains, in which group, time and programme cannot be told apart."""
REFUSALS: Final[dict[str, str]] = {
    "nobody_has_begun": tell("At {timepoint} no group has the programme yet.\nChoose a timepoint at which some have."),
    "too_few_clusters_to_step": tell(
        "Too few groups have scores of {outcome} (fewer than {clusters}), so groups, time and programme cannot be told "
        "apart.\nCollect more groups, or describe what was observed."
    ),
    "sequence_on_one_side": tell(
        "Sequence '{arm}' has no scores of {outcome} from before it began, or none from after it.\nChoose a later "
        "timepoint, or deliver what is missing."
    ),
    "time_not_separate": tell(
        "At no timepoint up to {timepoint} were some groups measured with the programme and others before it, so the "
        "programme cannot be told from the passing of time.\nChoose another timepoint, or deliver what is missing."
    ),
    "too_few_on_a_side": tell(
        "Too few participants have a score of {outcome} with the programme, or before it, up to {timepoint}: fewer "
        "than {fewest}.\nThe floor is small_numbers: fewest_per_arm in the plan."
    ),
}
"""Reason code -> pattern of a sentence with the way out; none gives a number of people found."""


def exposure_of(arm: str, timepoint: str, design: StudyDesign) -> str:
    """Return the side on which a sequence is at a timepoint."""
    own = next(known for known in design.arms if known.id == arm)
    return WITH_PROGRAMME if design.has_begun(own, timepoint) else BEFORE_PROGRAMME


def asked_timepoints(estimand: Estimand, design: StudyDesign) -> tuple[Timepoint, ...]:
    """Return the timepoints that an estimand is about: all up to its own."""
    ids = [timepoint.id for timepoint in design.timepoints]
    return design.timepoints[: ids.index(estimand.timepoint) + 1]


def add_exposure(rows: pd.DataFrame, estimand: Estimand, design: StudyDesign) -> pd.DataFrame:
    """Return the rows of a model frame up to an estimand's timepoint, with the side on which each score was given.

    Parameters
    ----------
    rows : DataFrame
        Of `build_model_frame`.
    estimand, design : Estimand, StudyDesign
        What is asked, and of which stepped wedge.

    Returns
    -------
    DataFrame
        With ``exposure`` (categories: before, programme); later timepoints are left out.
    """
    kept = [timepoint.id for timepoint in asked_timepoints(estimand, design)]
    own = rows.loc[rows["timepoint"].isin(kept)].reset_index(drop=True)
    sides = {(arm.id, at): exposure_of(arm.id, at, design) for arm in design.arms for at in kept}
    exposed = [sides[cell] for cell in zip(own["arm"], own["timepoint"], strict=True)]
    return own.assign(
        timepoint=own["timepoint"].cat.set_categories(kept),
        **{EXPOSURE: pd.Categorical(exposed, categories=[BEFORE_PROGRAMME, WITH_PROGRAMME])},
    )


def step_cells(estimand: Estimand, design: StudyDesign) -> Mapping[tuple[str, str], float]:
    """Return the weights of means by side and timepoint: the difference, averaged over the timepoints asked about.

    In a linear model it is the same at every timepoint; in percent of people it is not.
    """
    asked = asked_timepoints(estimand, design)
    share = 1.0 / len(asked)
    return {
        (side, timepoint.id): sign * share
        for side, sign in ((WITH_PROGRAMME, 1.0), (BEFORE_PROGRAMME, -1.0))
        for timepoint in asked
    }


def people_on_sides(rows: pd.DataFrame) -> pd.Series:
    """Return how many people have a score on each side, of rows of `add_exposure`."""
    return rows.groupby(EXPOSURE, observed=False)["participant"].nunique()


def fewest_on_sides(rows: pd.DataFrame, classes: float) -> float:
    """Return how many people have the rarer of two scores, on the side where fewest have; NaN of more than two."""
    if not classes <= 2:
        return float("nan")
    counts = rows.groupby([EXPOSURE, "score"], observed=True)["participant"].nunique()
    return float(counts.min()) if (counts.groupby(level=0).size() == 2).all() else 0.0


def object_to_steps(
    complete: pd.DataFrame, estimand: Estimand, design: StudyDesign, fewest: int
) -> Iterator[tuple[str, dict[str, str | Number]]]:
    """Yield reason and particulars of what stands against an estimand of a stepped wedge, the most basic first.

    Parameters
    ----------
    complete : DataFrame
        Participants of an outcome frame with a score and all covariates.
    estimand, design : Estimand, StudyDesign
        What is asked, and of which study.
    fewest : int
        People that must be on each side.

    Yields
    ------
    tuple
        A key of `REFUSALS`, and what its sentence needs.
    """
    asked = asked_timepoints(estimand, design)
    label: dict[str, str | Number] = {"timepoint": asked[-1].label}
    seen = _long(complete, asked, design)
    begun = [arm for arm in design.arms if design.has_begun(arm, asked[-1].id)]
    if not begun:
        yield "nobody_has_begun", label
        return
    if seen["group"].nunique() < FEWEST_CLUSTERS:
        yield "too_few_clusters_to_step", {"clusters": Number(FEWEST_CLUSTERS)}
    sides = seen.groupby("arm")[EXPOSURE].nunique()
    for arm in begun:
        if sides.get(arm.id, 0) < len(SIDES):
            yield "sequence_on_one_side", {"arm": arm.label}
    if not (seen.groupby("timepoint")[EXPOSURE].nunique() == len(SIDES)).any():
        yield "time_not_separate", label
    people = seen.groupby(EXPOSURE)["participant"].nunique().reindex(SIDES, fill_value=0)
    if people.min() < fewest:
        yield "too_few_on_a_side", label | {"fewest": Number(fewest)}


def _long(complete: pd.DataFrame, asked: tuple[Timepoint, ...], design: StudyDesign) -> pd.DataFrame:
    """Return participant, arm, group, timepoint and side of every score."""
    parts = []
    for timepoint in asked:
        sides = {arm.id: exposure_of(arm.id, timepoint.id, design) for arm in design.arms}
        scored = complete.loc[complete[score_column(timepoint.id)].notna(), ["arm", "group"]]
        parts.append(
            scored.assign(
                timepoint=timepoint.id, participant=np.asarray(scored.index), **{EXPOSURE: scored["arm"].map(sides)}
            )
        )
    return pd.concat(parts, ignore_index=True)

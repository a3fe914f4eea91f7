"""The frame and the terms of an outcome's model: decided by the design, from declared names only.

Randomised, waiting lists among them: arms share one mean at baseline, so arms differ at later timepoints only
(constrained longitudinal analysis: Liang and Zeger 2000, Sankhya B 62:134; Lu 2010, doi 10.1002/sim.3844). Arms have a
mean of their own at every later timepoint, so that one at which nobody waits any more bears on no mean before it.
Stepped wedge: timepoints, and one difference between scores with the programme and before it. Matched comparison: arms
differ at baseline too, and what is compared is the change since. Single group: timepoints only. Repeated cross-section:
as a single group, or with several arms as a matched comparison, but of means of samples, for nobody is followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.design import EXPECTED, OBSERVED, StudyDesign
from analysis.frames import complete_cases, covariate_column, score_column
from analysis.mixed_models import constrained_terms
from analysis.plan import Estimand
from analysis.stepped_wedge import EXPOSURE, step_cells

Cell = tuple[str, str]
"""An arm and a timepoint."""


def covariate_term(covariate: str) -> str:
    """Return the column of a model frame that holds a covariate."""
    return f"covariate {covariate}"


def build_model_frame(frame: pd.DataFrame, covariates: Sequence[str], design: StudyDesign) -> pd.DataFrame:
    """Return one row per score, for the participants whose covariates are all known.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame.
    covariates : sequence of str
        Ids of declared covariates.
    design : StudyDesign
        The declared design.

    Returns
    -------
    DataFrame
        ``score``, ``participant`` (code), ``arm`` (categories, reference first), ``timepoint`` (categories in time
        order), ``week``, ``group`` and a column per covariate. Baseline rows have no group: people meet after it, or
        after they have waited, and a group variance at all timepoints would cancel from change. Where samples are drawn
        anew, and in a stepped wedge, they keep it: groups are then but clusters.
    """
    participants = complete_cases(frame, covariates, design)
    arms = sorted(
        (arm.id for arm in design.arms), key=lambda arm: design.reference is None or arm != design.reference.id
    )
    people = pd.DataFrame(
        {
            "participant": np.arange(len(participants)),
            "arm": pd.Categorical(participants["arm"], categories=arms),
            "group": participants["group"],
        }
    )
    for covariate in (known for known in design.covariates if known.id in covariates):
        values = participants[covariate_column(covariate.id)]
        people[covariate_term(covariate.id)] = (
            pd.Categorical(values, categories=list(covariate.levels)) if covariate.levels else values
        )
    waves = []
    for timepoint in design.timepoints:
        in_groups = people["arm"].isin([arm.id for arm in design.arms if design.in_groups(arm, timepoint.id)])
        waves.append(
            people.assign(
                timepoint=timepoint.id,
                week=float(timepoint.week),
                group=people["group"].where(in_groups, ""),
                score=participants[score_column(timepoint.id)],
            )
        )
    rows = pd.concat(waves, ignore_index=True).dropna(subset="score")
    order = [timepoint.id for timepoint in design.timepoints]
    return rows.assign(timepoint=pd.Categorical(rows["timepoint"], categories=order)).reset_index(drop=True)


def model_terms(covariates: Sequence[str], design: StudyDesign) -> tuple[str, ...]:
    """Return the fixed effects that the design asks for."""
    adjusted = tuple(covariate_term(known.id) for known in design.covariates if known.id in covariates)
    if design.shares_baseline:
        return constrained_terms("arm", "timepoint", adjusted)
    if design.is_stepped_wedge:
        return ("timepoint", EXPOSURE, *adjusted)
    if design.compares_timepoints:
        return ("timepoint", *adjusted)
    return ("timepoint", "arm", *adjusted, "arm:timepoint")


def contrast_cells(estimand: Estimand, design: StudyDesign) -> Mapping[Cell, float]:
    """Return the weights of the means that make up an estimand.

    Randomised: first arm less second at the timepoint. Stepped wedge: see `step_cells`, by side in place of arm.
    Matched comparison: the difference between their changes from baseline. Single group: the timepoint less the
    baseline. Repeated cross-section: either of the last two.
    """
    if design.is_stepped_wedge:
        return step_cells(estimand, design)
    if design.is_series:
        return {(OBSERVED, estimand.timepoint): 1.0, (EXPECTED, estimand.timepoint): -1.0}
    first, second = estimand.compared
    if design.compares_timepoints:
        arm = design.arms[0].id
        return {(arm, first): 1.0, (arm, second): -1.0}
    at_timepoint = {(first, estimand.timepoint): 1.0, (second, estimand.timepoint): -1.0}
    if design.shares_baseline:
        return at_timepoint
    return at_timepoint | {(first, design.baseline.id): -1.0, (second, design.baseline.id): 1.0}

"""The fixed effects of an outcome's model: columns from declared names only, never from a formula.

The design decides them. Randomised: arms share one mean at baseline, so arms differ at later timepoints only
(constrained longitudinal analysis: Liang and Zeger 2000, Sankhya B 62:134; Lu 2010, doi 10.1002/sim.3844). Matched
comparison: arms differ at baseline too, and what is compared is the change since. Single group: timepoints only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.frames import complete_cases, covariate_column, score_column
from analysis.mixed_model import ModelSpecification
from analysis.plan import Estimand
from analysis.reml import Array

INTERCEPT: Final = "intercept"
ALIASING_TOLERANCE: Final = 1e-8
"""A column of which less than this share of its length is new, given the columns before it, is left out."""

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignMatrix:
    """A model ready to be fitted.

    Attributes
    ----------
    rows : DataFrame
        One row per score: ``score``, ``participant`` (code), ``arm``, ``timepoint``, ``group`` and the terms. Baseline
        rows have no group: people meet after it, and a group variance at all timepoints would cancel from change.
    specification : ModelSpecification
        Which of these columns are what.
    dropped : tuple of str
        Terms left out because they do not vary or depend on others.
    participants : DataFrame
        The participants of the model, as rows of the outcome frame.
    """

    rows: pd.DataFrame
    specification: ModelSpecification
    dropped: tuple[str, ...]
    participants: pd.DataFrame


def build_design_matrix(frame: pd.DataFrame, covariates: Sequence[str], design: StudyDesign) -> DesignMatrix:
    """Build the design of one outcome.

    Parameters
    ----------
    frame : DataFrame
        An outcome frame.
    covariates : sequence of str
        Ids of declared covariates. Numbers are centred at the mean of the participants in the model, and so is the
        indicator of every level of a category but the first: with all of them at zero, a combination of the other
        terms is a mean at the average of the numbers and at the observed mix of the categories.
    design : StudyDesign
        The declared design.

    Returns
    -------
    DesignMatrix
        Without the participants who have no score or miss a covariate.
    """
    participants = complete_cases(frame, covariates, design)
    people = pd.concat([participants[["arm", "group"]], _centred(participants, covariates, design)], axis=1)
    people.insert(0, "participant", np.arange(len(people)))
    waves = [
        people.assign(timepoint=timepoint.id, score=participants[score_column(timepoint.id)], wave=wave)
        for wave, timepoint in enumerate(design.timepoints)
    ]
    waves[0]["group"] = ""
    rows = pd.concat(waves).dropna(subset="score").sort_values(["participant", "wave"], ignore_index=True)
    table = _cell_table(design)
    cells = table.loc[pd.MultiIndex.from_frame(rows[["arm", "timepoint"]])].reset_index(drop=True)
    extra = [column for column in people.columns if column not in ("participant", "arm", "group")]
    everything = pd.concat([cells, rows[extra]], axis=1)
    kept = _independent(everything)
    specification = ModelSpecification(terms=kept, group="group" if (rows["group"] != "").any() else None)
    return DesignMatrix(
        rows=pd.concat([rows[["score", "participant", "arm", "timepoint", "group"]], everything[list(kept)]], axis=1),
        specification=specification,
        dropped=tuple(term for term in everything.columns if term not in kept),
        participants=participants,
    )


def cell_weights(arm: str, timepoint: str, design: StudyDesign) -> dict[str, float]:
    """Return the terms that make up the mean of an arm at a timepoint, with covariates at their average."""
    later = timepoint != design.baseline.id
    compared = design.reference is not None and arm != design.reference.id
    weights = {INTERCEPT: 1.0}
    if later:
        weights[f"timepoint {timepoint}"] = 1.0
    if compared and design.kind == "matched_comparison":
        weights[f"arm {arm}"] = 1.0
    if compared and later:
        weights[f"arm {arm} at timepoint {timepoint}"] = 1.0
    return weights


def contrast_weights(estimand: Estimand, design: StudyDesign) -> dict[str, float]:
    """Return the terms that make up an estimand.

    Randomised: first arm less second at the timepoint. Matched comparison: the difference between their changes from
    baseline. Single group: the timepoint less the baseline.
    """
    first, second = estimand.compared
    if design.kind == "single_group":
        arm = design.arms[0].id
        return _less(cell_weights(arm, first, design), cell_weights(arm, second, design))
    at_timepoint = _less(*(cell_weights(arm, estimand.timepoint, design) for arm in (first, second)))
    if design.kind == "randomised":
        return at_timepoint
    return _less(at_timepoint, _less(*(cell_weights(arm, design.baseline.id, design) for arm in (first, second))))


def _less(first: Weights, second: Weights) -> dict[str, float]:
    """Return first - second without the terms that cancel."""
    terms = dict.fromkeys([*first, *second])
    difference = {term: first.get(term, 0.0) - second.get(term, 0.0) for term in terms}
    return {term: weight for term, weight in difference.items() if weight}


def _cell_table(design: StudyDesign) -> pd.DataFrame:
    """Return the weights of every arm and timepoint; arm by timepoint goes last, to be dropped before its parts."""
    cells = {
        (arm.id, timepoint.id): cell_weights(arm.id, timepoint.id, design)
        for arm in design.arms
        for timepoint in design.timepoints
    }
    terms = sorted(
        dict.fromkeys(term for cell in cells.values() for term in cell), key=lambda term: " at timepoint " in term
    )
    rows = [[cell.get(term, 0.0) for term in terms] for cell in cells.values()]
    return pd.DataFrame(rows, columns=terms, index=pd.MultiIndex.from_tuples(cells, names=["arm", "timepoint"]))


def _centred(participants: pd.DataFrame, covariates: Sequence[str], design: StudyDesign) -> pd.DataFrame:
    """Return covariate columns of the model, one row per participant, each with mean zero."""
    columns = {}
    for covariate in (known for known in design.covariates if known.id in covariates):
        values = participants[covariate_column(covariate.id)]
        if covariate.kind == "number":
            columns[f"covariate {covariate.id}"] = values - values.mean()
        for level in covariate.levels[1:]:
            indicator = (values == level).astype(float)
            columns[f"covariate {covariate.id} {level}"] = indicator - indicator.mean()
    return pd.DataFrame(columns, index=participants.index)


def _independent(columns: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that add something to those before them (Gram-Schmidt, twice for stability)."""
    kept: list[str] = []
    basis: Array = np.empty((len(columns), 0))
    for name in columns.columns:
        column = columns[name].to_numpy(dtype=float)
        fresh = column - basis @ (basis.T @ column)
        fresh -= basis @ (basis.T @ fresh)
        if np.linalg.norm(fresh) > ALIASING_TOLERANCE * max(float(np.linalg.norm(column)), 1.0):
            kept.append(name)
            basis = np.column_stack([basis, fresh / np.linalg.norm(fresh)])
    return tuple(kept)

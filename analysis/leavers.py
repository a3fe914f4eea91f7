"""Leavers against stayers at baseline, arm by arm: standardised differences, and no test.

Who has no score of the primary outcome from some timepoint to the last has left. Standardised differences after Austin
2009, doi 10.1002/sim.3697; with few leavers a test would find nothing, with many anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from analysis.design import Covariate, StudyDesign
from analysis.evaluation import Evaluation
from analysis.frames import covariate_column, outcome_frame, score_column
from analysis.missing_data import compare_leavers
from analysis.results import Result
from analysis.telling import join_told, tell

DIFFERENCE: Final = "standardised_difference"
_METHOD: Final = tell(
    "Standardised difference of people without a score of the primary outcome from some timepoint to the last less "
    "those with one at the last."
)
_LARGEST: Final = join_told([_METHOD, tell("Of a category the largest of its levels, without a sign.")])
_LEFT: Final = "left"


def describe_leavers(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how those who left differed at baseline from those who stayed, by arm.

    Parameters
    ----------
    evaluation : Evaluation
        Of a study that follows people.

    Yields
    ------
    Result
        ``standardised_difference`` of each outcome's score at baseline (`item`: the outcome) and of each covariate
        (`item`: the covariate); `outcome` is the primary outcome, whose scores decide who left. Of a category the
        largest of its levels. `n` are the people with a value; `fewest` is the smaller of leavers and stayers, of a
        category the smallest number of either with any of its levels. Nothing of an arm that nobody left.
    """
    design, primary = evaluation.design, evaluation.plan.primary
    if design.is_resampled:
        return
    later = {timepoint.id: score_column(timepoint.id) for timepoint in design.timepoints[1:]}
    left = _find_left(evaluation, list(later))
    people = evaluation.participants.assign(**{_LEFT: evaluation.participants["participant_id"].map(left)})
    seen: set[str] = set()
    for outcome in evaluation.plan.outcomes:
        if outcome.measure in seen or outcome.event is not None:
            continue
        seen.add(outcome.measure)
        frame = outcome_frame(evaluation.scores, people, design, outcome, carried=[_LEFT])
        yield from _compare(frame, {outcome.id: score_column(design.baseline.id)}, design, primary.id)
    frame = outcome_frame(evaluation.scores, people, design, primary, carried=[_LEFT])
    yield from _compare(frame, {each.id: covariate_column(each.id) for each in design.covariates}, design, primary.id)


def _find_left(evaluation: Evaluation, later: list[str]) -> pd.Series:
    """Return ``left`` or ``stayed`` by participant id: whether the last score of the primary outcome is missing."""
    own = evaluation.scores
    own = own[(own["measure"] == evaluation.plan.primary.measure) & own["score"].notna()]
    stayed = set(own.loc[own["timepoint"] == later[-1], "participant_id"])
    people = evaluation.participants["participant_id"]
    return pd.Series([("stayed" if person in stayed else _LEFT) for person in people], index=people, dtype="str")


def _compare(frame: pd.DataFrame, columns: Mapping[str, str], design: StudyDesign, primary: str) -> Iterator[Result]:
    """Yield the differences of some columns of an outcome frame."""
    known = {each.id: each for each in design.covariates}
    stayed = frame.assign(stayed=(frame[_LEFT] == "stayed").map({True: 1.0, False: float("nan")}))
    used = {item: column for item, column in columns.items() if frame[column].notna().any()}
    table = compare_leavers(stayed, {"last": "stayed"}, arm="arm", characteristics=list(used.values()))
    for arm in design.arms:
        for item, column in used.items():
            own = table[(table["arm"] == arm.id) & (table["characteristic"] == column)]
            if own.empty or not own["n_left"].max() > 0:
                continue
            is_category = item in known and known[item].kind == "category"
            people = frame[frame["arm"] == arm.id]
            yield Result(
                analysis="leavers",
                statistic=DIFFERENCE,
                outcome=primary,
                arm=arm.id,
                timepoint=design.baseline.id,
                item=item,
                value=_largest(own[DIFFERENCE]) if is_category else float(own[DIFFERENCE].iloc[0]),
                n=float(own["n_left"].iloc[0] + own["n_stayed"].iloc[0]),
                fewest=_fewest(people, column, known.get(item)),
                method=_LARGEST if is_category else _METHOD,
            )


def _largest(differences: pd.Series) -> float:
    return float(differences.abs().max())


def _fewest(people: pd.DataFrame, column: str, covariate: Covariate | None) -> float:
    """Return the fewest leavers or stayers with a value; of a category with any level that somebody of the arm has."""
    known = people[people[column].notna()]
    if covariate is not None and covariate.kind == "category":
        return float(pd.crosstab(known[_LEFT], known[column]).reindex(["stayed", _LEFT], fill_value=0).min().min())
    return float(min((known[_LEFT] == _LEFT).sum(), (known[_LEFT] == "stayed").sum()))

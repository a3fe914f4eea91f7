"""How the change of people goes with the sessions they came to: an association, never what a session does.

Within an arm nobody was allocated to come often: people who do differ from people who do not, so the slope holds both.
Least squares with cluster-robust standard errors (CR2) and degrees of freedom of Bell and McCaffrey 2002, Survey
Methodology 28:169; see `fit_least_squares`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.attended import ATTENDED, SHARE, classes_of, count_attended, person_frame, usable_terms
from analysis.compliers import estimate_compliers
from analysis.design import StudyDesign
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import count_fewest
from analysis.guards import FEWEST_GROUPS
from analysis.least_squares import LeastSquaresFit, fit_least_squares
from analysis.mixed_models.inference import Estimate
from analysis.model_refusals import FAILURES, MODEL_REFUSALS
from analysis.plan import Outcome
from analysis.plan_parts import ExposureResponse
from analysis.results import Result
from analysis.telling import Told, list_told, tell

BANDS: Final = ("below_third", "third_to_two_thirds", "two_thirds_or_more")
"""Shares of the sessions offered. Borders that do not depend on the data: those that did would tell of people."""
SLOPE: Final = "slope_per_session"
REFUSALS: Final[dict[str, Told]] = {
    "no_sessions": tell(
        "The study tells of no sessions, so who came how often is not known.\nDeclare 'sessions' in study.yaml, or "
        "take the question out of the plan."
    ),
    "not_a_score": tell(
        "This is answered for scores in points only, and the outcome is of another kind.\nAsk it of the score that the "
        "outcome is made from."
    ),
    "nobody_followed": tell(
        "Each timepoint is a sample of its own, so nobody's change is known.\nTake the question out of the plan."
    ),
    "population_of_its_own": tell(
        "The estimand is asked of people chosen by what they did, not of everybody.\nName an estimand of everybody."
    ),
    "too_few_participants": tell(
        "Too few people of the arm have a score at baseline, one at the timepoint, and all covariates.\nThe floor is "
        "small_numbers: fewest_per_arm in the plan."
    ),
    "attendance_alike": tell(
        "Nearly everybody in the arm came to the same number of sessions, so nothing can be said of more or fewer.\n"
        "The description of the programme as delivered is what there is."
    ),
    "too_few_groups": tell(
        "People of the arm meet in too few groups with scores to tell how precise a number is.\nRead the description "
        "of the programme as delivered instead."
    ),
}
"""Reason -> sentence with the way out; none gives a number of people found."""


def relate_dose(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how outcomes go with attendance (analysis ``dose``): `exposure_response` and `compliers` of the plan.

    Parameters
    ----------
    evaluation : Evaluation
        Sessions count up to the day of a person's answers.

    Yields
    ------
    Result
        Of each `exposure_response`, its id in `item`: ``slope_per_session``, points of change from baseline by one
        session more, with interval, and ``mean_change_<band>`` for up to three bands of the share of sessions offered
        that people came to; both allow for the score at baseline and the estimand's covariates. Of each `compliers` the
        rows of `estimate_compliers`. What cannot be computed is one row, refused. `fewest` of the slope: people whose
        number of sessions is not the most common one; of a band its people.
    """
    for part in evaluation.plan.exposure_response:
        yield from _respond(part, evaluation)
    yield from estimate_compliers(evaluation)


def find_objection(
    evaluation: Evaluation, outcome: Outcome | None, *, needs_sessions: bool = True
) -> tuple[str, str] | None:
    """Return why attendance and an outcome cannot be held together at all: reason and sentence; None if they can."""
    sessions = evaluation.sessions
    reason = ""
    if outcome is None:
        reason = "population_of_its_own"
    elif evaluation.design.is_resampled:
        reason = "nobody_followed"
    elif outcome.kind != "score":
        reason = "not_a_score"
    elif needs_sessions and (sessions is None or sessions.empty):
        reason = "no_sessions"
    return (reason, REFUSALS[reason]) if reason else None


def fit_people(rows: pd.DataFrame, terms: Sequence[str]) -> LeastSquaresFit:
    """Fit change from baseline by least squares, one row per person; groups are clusters where people meet in any."""
    return fit_least_squares(
        rows,
        outcome="change",
        terms=tuple(terms),
        participant="participant",
        timepoint="timepoint",
        groups="group" if (rows["group"] != "").any() else None,
    )


def has_too_few_groups(rows: pd.DataFrame, arm: str, design: StudyDesign) -> bool:
    """Tell whether an arm that meets in groups has too few of them to judge precision by."""
    groups = rows.loc[rows["group"] != "", "group"]
    return arm in design.group_arms and groups.nunique() < FEWEST_GROUPS


def explain(error: AnalysisError) -> tuple[str, str]:
    """Return reason and sentence of a model that could not be fitted."""
    code = error.problems[0].code
    return code, MODEL_REFUSALS.get(code, MODEL_REFUSALS["model_unsuitable"])


def put_estimate(row: Result, found: Estimate) -> Result:
    """Return a row with an estimate and its interval; refused where nothing is left to judge its precision by."""
    if not (found.df >= 1 and found.std_error > 0):
        return replace(row, verdict="refused:no_degrees_of_freedom", method=FAILURES["no_degrees_of_freedom"])
    return replace(
        row, value=found.value, std_error=found.std_error, df=found.df, conf_low=found.conf_low,
        conf_high=found.conf_high,
    )  # fmt: skip


def describe_fit(rows: pd.DataFrame, terms: Sequence[str], design: StudyDesign) -> Told:
    """Return in words what a model of change allowed for and how its precision was judged."""
    labels = {f"covariate {known.id}": known.label for known in design.covariates}
    known = list_told([tell("baseline"), *(labels[term] for term in terms if term in labels)])
    if (rows["group"] != "").any():
        return tell(
            "least squares of change from baseline, allowing for {known}; clusters: groups; t interval with standard "
            "error and degrees of freedom after Bell and McCaffrey (CR2)",
            known=known,
        )
    return tell(
        "least squares of change from baseline, allowing for {known}; clusters: people; t interval with standard error "
        "and degrees of freedom after Bell and McCaffrey (CR2)",
        known=known,
    )


def _respond(part: ExposureResponse, evaluation: Evaluation) -> Iterator[Result]:
    """Yield the rows of one question."""
    plan, design = evaluation.plan, evaluation.design
    estimand = next((each for each in plan.estimands if each.id == part.estimand), None)
    outcome = plan.outcome(estimand.outcome) if estimand else None
    row = Result(
        analysis="dose", statistic=SLOPE, estimand=part.estimand, arm=part.arm, item=part.id, prespecified=True,
        outcome=outcome.id if outcome else "", timepoint=estimand.timepoint if estimand else "",
        population=plan.population, verdict="estimated",
    )  # fmt: skip
    objection = find_objection(evaluation, outcome)
    if objection or estimand is None or outcome is None:
        yield _refuse(row, *(objection or ("population_of_its_own", REFUSALS["population_of_its_own"])))
        return
    exposure = count_attended(evaluation, estimand.timepoint)
    beside = {ATTENDED: exposure[ATTENDED].astype("float64"), SHARE: exposure[SHARE]}
    rows = person_frame(evaluation, outcome, estimand.timepoint, estimand.covariates, beside)
    rows = rows[rows["arm"] == part.arm].reset_index(drop=True)
    classes = classes_of(evaluation, outcome)
    rarer = count_fewest(rows["later"])
    unlike = _count_unlike(rows[ATTENDED])
    reason = ""
    if len(rows) < plan.small_numbers.floor:
        reason = "too_few_participants"
    elif unlike < plan.small_numbers.floor:
        reason = "attendance_alike"
    elif has_too_few_groups(rows, part.arm, design):
        reason = "too_few_groups"
    if reason:
        yield _refuse(row, reason, REFUSALS[reason])
        return
    terms = (ATTENDED, *usable_terms(rows, estimand.covariates))
    words = describe_fit(rows, terms, design)
    row = replace(row, n=len(rows), classes=classes, fewest=float(np.fmin(unlike, rarer)), method=words)
    try:
        yield put_estimate(row, fit_people(rows, terms).estimate({ATTENDED: 1.0}))
        yield from _band_means(rows, terms[1:], row, design)
    except AnalysisError as error:
        yield _refuse(row, *explain(error))


def _band_means(rows: pd.DataFrame, terms: Sequence[str], row: Result, design: StudyDesign) -> Iterator[Result]:
    """Yield the mean change of each band that somebody is in; nothing where all are in one, or shares are not known."""
    known = rows[rows[SHARE].notna()].reset_index(drop=True)
    place = np.searchsorted([1 / 3, 2 / 3], known[SHARE].to_numpy(dtype=float), side="right")
    names = [BANDS[each] for each in place]
    present = [band for band in BANDS if band in names]
    if len(present) < 2 or has_too_few_groups(known, row.arm, design):
        return
    banded = known.assign(band=pd.Categorical(names, categories=present))
    means = fit_people(banded, ("band", *terms)).marginal_means("band")
    for band in present:
        people = banded[banded["band"] == band]
        fewest = np.fmin(len(people), count_fewest(people["later"]))
        own = replace(row, statistic=f"mean_change_{band}", n=len(people), fewest=float(fewest))
        found = put_estimate(replace(own, method=describe_fit(banded, terms, design)), means.combine({(band,): 1.0}))
        if found.verdict == "estimated":
            yield found


def _count_unlike(attended: pd.Series) -> int:
    """Return how many people came to another number of sessions than the most common one."""
    return len(attended) - int(attended.value_counts().max()) if len(attended) else 0


def _refuse(row: Result, reason: str, sentence: str) -> Result:
    """Return a row without a number."""
    nan = float("nan")
    return replace(row, verdict=f"refused:{reason}", method=sentence, n=nan, fewest=nan, classes=nan)

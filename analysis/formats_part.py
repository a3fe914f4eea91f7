"""Online against in person within an arm: no worse than, or as good as, by a margin declared beforehand.

Nobody was allocated to a format, unless the study says so: people and groups that meet online may differ from others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.attended import classes_of, count_attended, person_frame, usable_terms
from analysis.dose_part import REFUSALS as DOSE_REFUSALS
from analysis.dose_part import describe_fit, explain, find_objection, fit_people, put_estimate
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.exposure import FORMATS
from analysis.frames import count_fewest
from analysis.guards import FEWEST_GROUPS
from analysis.margin_part import JUDGED, judge, put_judgement
from analysis.plan_parts import FormatComparison
from analysis.results import Result
from analysis.telling import Told, tell

DIFFERENCE: Final = "format_difference"
LEFT_OUT: Final = "left_out"
REFUSALS: Final[dict[str, Told]] = {
    **DOSE_REFUSALS,
    "formats_not_told": tell(
        "The study tells of no session whether people met online or in person.\nDeclare 'meets' of the sessions in "
        "study.yaml, or take the question out of the plan."
    ),
    "format_too_small": tell(
        "Too few people came mostly online, or too few mostly in person.\nThe floor is small_numbers: fewest_per_arm "
        "in the plan. The description of the programme as delivered is what there is."
    ),
}
"""Reason -> sentence with the way out; none gives a number of people found."""


def compare_formats(evaluation: Evaluation) -> Iterator[Result]:
    """Yield online against in person for each of `formats` in the plan (analysis ``formats``), its id in `item`.

    Parameters
    ----------
    evaluation : Evaluation
        A person's format is that of most of the sessions they attended until they answered; who came to as many of
        one as of the other, or to none, is in neither.

    Yields
    ------
    Result
        ``format_difference``: points of change from baseline, online minus in person, allowing for baseline and
        covariates, with interval; ``judgement`` against the margin, a place in `JUDGEMENTS`; ``left_out``: percent
        of the arm with scores who have no format, rounded to tens. Or one refused row. `n` is the smaller format;
        `fewest` too, and of ``left_out`` the fewer, above none, of who came to as many of both and who came to none.
    """
    for part in evaluation.plan.formats:
        yield from _compare(part, evaluation)


def _compare(part: FormatComparison, evaluation: Evaluation) -> Iterator[Result]:
    plan, design = evaluation.plan, evaluation.design
    outcome = plan.outcome(part.outcome)
    row = Result(
        analysis="formats", statistic=DIFFERENCE, outcome=outcome.id, arm=part.arm, timepoint=part.timepoint,
        contrast="online - in_person", item=part.id, prespecified=True, population=plan.population,
        verdict="estimated",
    )  # fmt: skip
    reason, _ = find_objection(evaluation, outcome) or ("", "")
    sessions = evaluation.sessions
    if not reason and sessions is not None and not sessions["format"].isin(FORMATS).any():
        reason = "formats_not_told"
    if reason:
        yield _refuse(row, reason)
        return
    exposure = count_attended(evaluation, part.timepoint)
    online, in_person = (exposure[f"n_{name}"] for name in FORMATS)
    beside = {"lean": np.sign(online - in_person).astype("float64"), "came": (exposure["n_attended"] > 0).astype(float)}
    people = person_frame(evaluation, outcome, part.timepoint, part.covariates, beside)
    people = people[people["arm"] == part.arm]
    rows = people[people["lean"] != 0].reset_index(drop=True)
    rows["online"] = (rows["lean"] > 0).astype("float64")
    sizes = [int((rows["online"] == side).sum()) for side in (1.0, 0.0)]
    if min(sizes) < plan.small_numbers.floor:
        yield _refuse(row, "format_too_small")
        return
    if part.arm in design.group_arms and rows.loc[rows["group"] != "", "group"].nunique() < FEWEST_GROUPS:
        yield _refuse(row, "too_few_groups")
        return
    classes = classes_of(evaluation, outcome)
    rarer = min(count_fewest(rows.loc[rows["online"] == side, "later"]) for side in (1.0, 0.0))
    row = replace(row, n=min(sizes), fewest=float(np.fmin(min(sizes), rarer)), classes=classes)
    terms = ("online", *usable_terms(rows, part.covariates))
    try:
        found = fit_people(rows, terms).estimate({"online": 1.0})
    except AnalysisError as error:
        reason, sentence = explain(error)
        yield replace(_refuse(row, "format_too_small"), verdict=f"refused:{reason}", method=sentence)
        return
    answer = put_estimate(replace(row, method=describe_fit(rows, terms, design)), found)
    if answer.verdict != "estimated":
        yield _refuse(row, "too_few_groups")
        return
    yield answer
    higher_is = plan.measure_of(outcome.id, design).higher_is
    yield put_judgement(replace(row, statistic=JUDGED), judge(found, part.margin, higher_is))
    yield _left_out(people, row)


def _left_out(people: pd.DataFrame, row: Result) -> Result:
    """Return the share of people without a format, in tens of percent: a count could be held against others."""
    neither = people[people["lean"] == 0]
    kinds = [int((neither["came"] == came).sum()) for came in (1.0, 0.0)]
    fewest = min((kind for kind in kinds if kind), default=float("nan"))
    return replace(
        row, statistic=LEFT_OUT, value=10.0 * round(10.0 * len(neither) / len(people)), n=len(people), fewest=fewest,
        classes=float("nan"), verdict="observed",
        method=tell("percent of the people of the arm with scores who came to as many sessions of one format as of the "
                    "other, or to none, rounded to tens"),
    )  # fmt: skip


def _refuse(row: Result, reason: str) -> Result:
    """Return the row without a number, and why."""
    nan = float("nan")
    return replace(row, verdict=f"refused:{reason}", method=REFUSALS[reason], n=nan, fewest=nan, classes=nan)

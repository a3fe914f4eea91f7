"""How much sites, and people who lead sessions, differ: described or modelled, never ranked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from analysis.attended import classes_of, person_frame, usable_terms
from analysis.dose_part import explain, find_objection
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import count_fewest
from analysis.plan import Estimand
from analysis.results import Result
from analysis.sites import UnitSpread, compare_units
from analysis.telling import Number, join_told, tell, tell_many

FEWEST_UNITS: Final = 5
"""Sites, or facilitators, below which how much they differ cannot be estimated: they are only described."""
FEWEST_LEADERS: Final = 10
"""Facilitators below whom nothing is told of them, not even that they are too few: they are people, too."""
FEWEST_LISTED: Final = 10
"""People of a site that is listed."""
TOO_FEW: Final = tell_many(
    "Fewer than {count} site has people with scores, so how much sites differ cannot be estimated; it is described "
    "only.",
    "Fewer than {count} sites have people with scores, so how much sites differ cannot be estimated; they are "
    "described only.",
    FEWEST_UNITS,
    count=Number(FEWEST_UNITS),
)
MODELS: Final[Mapping[str, str]] = {
    "site": tell(
        "linear mixed model of change from baseline by restricted maximum likelihood, random intercept per site, "
        "allowing for baseline, arm and the covariates of the estimand"
    ),
    "facilitator": tell(
        "linear mixed model of change from baseline by restricted maximum likelihood, random intercept per "
        "facilitator, allowing for baseline, arm and the covariates of the estimand"
    ),
}


def compare_sites(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how sites and facilitators differ in the primary outcome (analysis ``sites``).

    Parameters
    ----------
    evaluation : Evaluation
        Participants may have a ``site``; nothing is told where fewer than two are. Sessions may have a ``facilitator``:
        a person's is who led most of the sessions they came to, the first by name where two led as many.

    Yields
    ------
    Result
        At each timepoint that an estimand of the primary outcome names: ``sites`` (their number); with five or more
        ``site_spread`` (standard deviation, points, interval by profile likelihood), ``site_icc``, and by site, in
        `item`, in the order of names: ``site_prediction`` (shrunken difference from the average site, interval; none
        where the spread is zero), ``site_funnel_95`` and ``site_funnel_998`` (what the scores of the site itself tell,
        in `value`, and the limits within which a site like all others lies) and ``site_position`` (0 within both
        limits, 1 beyond the first, 2 beyond the second); with fewer ``site_mean_change`` alone. Of facilitators
        ``facilitator_spread`` and ``facilitator_icc``: `fewest` is their number, and nothing is told of a single one.
        Sites of fewer than ten people are in the model and not listed; if that is one site alone, the smallest other is
        not listed either, for predictions sum to zero.
    """
    plan = evaluation.plan
    asked = [each for each in plan.estimands if each.outcome == plan.primary.id]
    first: dict[str, Estimand] = {}
    for each in asked:
        first.setdefault(each.timepoint, each)
    for estimand in first.values():
        base = Result(
            analysis="sites", statistic="sites", outcome=plan.primary.id, timepoint=estimand.timepoint,
            population=plan.population, verdict="estimated",
        )  # fmt: skip
        yield from _of_sites(base, estimand, evaluation)
        yield from _of_facilitators(base, estimand, evaluation)


def _of_sites(base: Result, estimand: Estimand, evaluation: Evaluation) -> Iterator[Result]:
    participants = evaluation.participants
    if "site" not in participants.columns:
        return
    site = participants["site"].fillna("").astype("str")
    if site[site != ""].nunique() < 2:
        return
    objection = find_objection(evaluation, evaluation.plan.primary, needs_sessions=False)
    if objection:
        yield _refuse(base, *objection)
        return
    rows = _rows(estimand, site, evaluation)
    sizes = rows["unit"].value_counts()
    classes = classes_of(evaluation, evaluation.plan.primary)
    base = replace(base, classes=classes, fewest=count_fewest(rows["later"]))
    if len(sizes) >= 2:
        words = tell("sites of people with scores at both timepoints")
        yield replace(base, value=float(len(sizes)), n=len(rows), verdict="observed", method=words)
    if len(sizes) < FEWEST_UNITS:
        yield _refuse(replace(base, statistic="site_spread"), "too_few_sites", TOO_FEW)
        yield from _described(base, rows, find_listed(sizes, _fewest(FEWEST_LISTED, evaluation)))
        return
    try:
        found = compare_units(rows, "unit", _terms(rows, estimand))
    except AnalysisError as error:
        yield _refuse(replace(base, statistic="site_spread"), *explain(error))
        return
    base = replace(base, method=MODELS["site"])
    yield from _spread(base, "site", len(rows), found)
    listed = find_listed(sizes, _fewest(FEWEST_LISTED, evaluation))
    for unit in found.units.to_dict("records"):
        if unit["unit"] in listed:
            yield from _of_unit(base, {str(name): value for name, value in unit.items()})


def _of_facilitators(base: Result, estimand: Estimand, evaluation: Evaluation) -> Iterator[Result]:
    sessions = evaluation.sessions
    if sessions is None or "facilitator" not in sessions.columns:
        return
    came = sessions[(sessions["attended"] == "attended") & (sessions["facilitator"].fillna("") != "")]
    fewest = _fewest(FEWEST_LEADERS, evaluation)
    if came["facilitator"].nunique() < fewest or find_objection(evaluation, evaluation.plan.primary):
        return
    counts = came.groupby(["participant_id", "facilitator"]).size().rename("times").reset_index()
    ranked = counts.sort_values(["times", "facilitator"], ascending=[False, True], kind="stable")
    most = ranked.drop_duplicates("participant_id").set_index("participant_id")["facilitator"]
    leader = evaluation.participants["participant_id"].map(most).fillna("").astype("str")
    rows = _rows(estimand, leader, evaluation)
    number = rows["unit"].nunique()
    classes = classes_of(evaluation, evaluation.plan.primary)
    base = replace(base, statistic="facilitator_spread", classes=classes, fewest=float(number))
    if number < fewest:
        return
    try:
        found = compare_units(rows, "unit", _terms(rows, estimand))
    except AnalysisError as error:
        yield _refuse(base, *explain(error))
        return
    yield from _spread(replace(base, method=MODELS["facilitator"]), "facilitator", len(rows), found)


def find_listed(sizes: pd.Series, fewest: int = FEWEST_LISTED) -> set[str]:
    """Return the units that may be listed, from unit -> people: those of at least `fewest`, if not one is missing.

    Predictions sum to zero over units, so a single one left out could be had from the others.
    """
    ordered = sizes.sort_index(kind="stable").sort_values(kind="stable")
    small = int((ordered < fewest).sum())
    return set(ordered.index[2 if small == 1 else small :])


def _fewest(usual: int, evaluation: Evaluation) -> int:
    """Return how many people are enough to be told of: as usual, or more where the plan protects more."""
    return max(usual, evaluation.plan.small_numbers.protection.threshold)


def _rows(estimand: Estimand, unit: pd.Series, evaluation: Evaluation) -> pd.DataFrame:
    """Return the people who have a unit, with their change; the arm is a category."""
    rows = person_frame(
        evaluation, evaluation.plan.primary, estimand.timepoint, estimand.covariates, {"unit": unit}
    )  # fmt: skip
    rows = rows[rows["unit"].notna()].reset_index(drop=True)
    arms = [arm.id for arm in evaluation.design.arms if (rows["arm"] == arm.id).any()]
    return rows.assign(unit=rows["unit"].astype("str"), arm=pd.Categorical(rows["arm"], categories=arms))


def _terms(rows: pd.DataFrame, estimand: Estimand) -> tuple[str, ...]:
    arm = ("arm",) if rows["arm"].nunique() >= 2 else ()
    return (*arm, *usable_terms(rows, estimand.covariates))


def _spread(base: Result, unit: str, people: int, found: UnitSpread) -> Iterator[Result]:
    """Yield how much units differ."""
    row = replace(base, n=people)
    yield replace(
        row, statistic=f"{unit}_spread", value=found.spread, conf_low=found.spread_low, conf_high=found.spread_high,
        method=_add(base, tell("interval by profile likelihood")),
    )  # fmt: skip
    yield replace(row, statistic=f"{unit}_icc", value=found.icc)


def _of_unit(base: Result, unit: dict[str, float | str]) -> Iterator[Result]:
    """Yield what is told of one site."""
    row = replace(base, item=str(unit["unit"]), n=float(unit["n"]))
    if float(unit["std_error"]) > 0:  # a spread of zero predicts zero of every site, as if that were certain
        yield replace(
            row, statistic="site_prediction", value=float(unit["prediction"]), std_error=float(unit["std_error"]),
            conf_low=float(unit["conf_low"]), conf_high=float(unit["conf_high"]),
            method=_add(base, tell("best linear unbiased prediction")),
        )  # fmt: skip
    for limit in ("funnel_95", "funnel_998"):
        half = float(unit[limit])
        yield replace(
            row, statistic=f"site_{limit}", value=float(unit["unshrunken"]), conf_low=-half, conf_high=half,
            method=_add(base, tell("mean of the residuals in the site, and funnel limits about zero")),
        )  # fmt: skip
    yield replace(row, statistic="site_position", value=float(unit["position"]))


def _add(base: Result, words: str) -> str:
    """Return what the model was, and what was made of it."""
    return join_told([base.method, words], separator="; ")


def _described(base: Result, rows: pd.DataFrame, listed: set[str]) -> Iterator[Result]:
    """Yield mean change by site."""
    for unit in sorted(listed):
        change = rows.loc[rows["unit"] == unit, "change"]
        yield replace(
            base, statistic="site_mean_change", item=unit, value=float(change.mean()), n=len(change),
            verdict="observed", method=tell("mean change from baseline of the people of the site, all arms"),
        )  # fmt: skip


def _refuse(row: Result, reason: str, sentence: str) -> Result:
    """Return a row without a number, and why."""
    nan = float("nan")
    return replace(row, verdict=f"refused:{reason}", method=sentence, n=nan, fewest=nan, classes=nan)

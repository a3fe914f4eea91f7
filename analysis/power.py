"""Planning the next round: how often a study of some size would show a difference, by simulation with its own model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.detectable import derive_detectable_change
from analysis.errors import AnalysisError
from analysis.frames import outcome_frame, score_column
from analysis.guards import compared_arms
from analysis.meaning import estimate_share
from analysis.mixed_models import Estimate
from analysis.outcome_model import estimate_outcome
from analysis.plan import Estimand, Plan
from data_contracts.errors import Problem

ALPHA: Final = 0.05
FEWEST: Final = 10
"""Changes below which no correlation is taken from data."""
SMALLEST_SHARE: Final = 0.01
"""Of the variance that is left to an occasion, whatever is assumed of the rest."""
SUITED: Final = ("randomised", "waitlist", "matched_comparison", "single_group", "repeated_cross_section")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a simulated study is made of; scores are normal.

    Attributes
    ----------
    sd : float
        Standard deviation of scores within an arm at one timepoint, in points.
    correlation : float
        Between two scores of a person, 0 to below 1.
    icc : float
        Share of the variance that lies between groups, after baseline, in arms that meet in groups.
    group_size : int
        People in a group.
    drop_out : float
        Share of people without a score at the estimand's timepoint, at random.
    source : str
        Where each came from.
    """

    sd: float
    correlation: float
    icc: float
    group_size: int
    drop_out: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPoint:
    """What came of simulated studies of one size.

    Attributes
    ----------
    people : int
        Who start, in each arm (in a repeated cross-section in each arm at each timepoint).
    power, conf_low, conf_high : float
        Share of studies with p < 0.05, with its Monte-Carlo interval (Wilson, 95 %).
    detectable : float
        The true difference that four of five studies of the median precision would show, in points; NaN without any.
    refused : int
        Studies that could not be estimated; they show nothing and count as such.
    runs : int
        Simulated studies.
    """

    people: int
    power: float
    conf_low: float
    conf_high: float
    detectable: float
    refused: int
    runs: int


def assume_as_observed(frame: pd.DataFrame, estimand: Estimand, design: StudyDesign, *, icc: float) -> Assumptions:
    """Return what a study that was carried out tells of the next one.

    Parameters
    ----------
    frame : DataFrame
        Its outcome frame.
    estimand, design : Estimand, StudyDesign
        What is asked, and of which study.
    icc : float
        As its model told, 0 without groups.

    Raises
    ------
    AnalysisError
        ``too_few_to_assume``: too few people have both scores.
    """
    own = frame[frame["arm"].isin(compared_arms(estimand, design))]
    first, later = own[score_column(design.baseline.id)], own[score_column(estimand.timepoint)]
    both = first.notna() & later.notna()
    if (not design.is_resampled and both.sum() < FEWEST) or first.notna().sum() < FEWEST:
        message = "Too few people of the stored study have the scores that this needs."
        raise AnalysisError(Problem("too_few_to_assume", message, "Give --sd, --correlation, --icc and --drop-out."))
    within = own.groupby("arm")[[first.name, later.name]].transform("mean")
    rest = (own[[first.name, later.name]] - within)[both]
    sizes = own.loc[own["group"] != "", "group"].value_counts()
    return Assumptions(
        sd=float(np.sqrt(((first - within[first.name]) ** 2).sum() / (first.notna().sum() - own["arm"].nunique()))),
        correlation=0.0 if design.is_resampled else max(float(rest.corr().iloc[0, 1]), 0.0),
        icc=icc,
        group_size=max(round(float(sizes.mean())), 1) if len(sizes) else 1,
        drop_out=0.0 if design.is_resampled else float(1 - later[first.notna()].notna().mean()),
        source="the stored run",
    )


def simulate_power(
    plan: Plan,
    design: StudyDesign,
    estimand: Estimand,
    assumed: Assumptions,
    *,
    difference: float,
    people: int,
    runs: int,
    rng: np.random.Generator,
) -> PowerPoint:
    """Simulate studies of one size, and estimate each by the model of the plan without covariates.

    Parameters
    ----------
    plan, design, estimand : Plan, StudyDesign, Estimand
        What is asked; the outcome must be a score.
    assumed : Assumptions
        What the scores are made of.
    difference : float
        True difference (or change) in points, at every timepoint after baseline.
    people, runs : int
        In each arm; simulated studies.
    rng : Generator
        Source of randomness.

    Raises
    ------
    AnalysisError
        ``power_not_possible``: the design or the kind of outcome is not one that this simulates.
    """
    outcome = plan.outcome(estimand.outcome)
    if outcome.kind != "score" or design.kind not in SUITED:
        message = f"An outcome of kind '{outcome.kind}' in a design '{design.kind}' is not simulated here."
        advice = "Ask for a score, in one of these designs: " + ", ".join(SUITED) + "."
        raise AnalysisError(Problem("power_not_possible", message, advice))
    alone = estimand.model_copy(update={"covariates": [], "population": None})
    asked = plan.model_copy(update={"estimands": [alone]})
    found: list[Estimate] = []
    for _ in range(runs):
        scores, participants = _draw(design, outcome.measure, assumed, difference, people, rng)
        plain = replace(design, covariates=())
        frame = outcome_frame(scores, participants, plain, outcome)
        found += [
            Estimate(
                value=row.value,
                std_error=row.std_error,
                df=row.df,
                conf_low=row.conf_low,
                conf_high=row.conf_high,
                p_value=row.p_value,
            )
            for row in estimate_outcome(outcome, frame, asked, plain)
            if row.estimand and row.verdict == "estimated"
        ]
    shown = estimate_share(sum(each.p_value < ALPHA for each in found), runs)
    return PowerPoint(
        people=people,
        power=shown.value,
        conf_low=shown.conf_low,
        conf_high=shown.conf_high,
        detectable=_detectable(found),
        refused=runs - len(found),
        runs=runs,
    )


def _detectable(found: list[Estimate]) -> float:
    if not found:
        return float("nan")
    typical = sorted(found, key=lambda each: each.std_error)[len(found) // 2]
    return derive_detectable_change(typical).value


def _draw(
    design: StudyDesign, measure: str, assumed: Assumptions, difference: float, people: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and participants of one simulated study."""
    times = len(design.timepoints) if design.is_resampled else 1
    arms = np.repeat([arm.id for arm in design.arms], people * times)
    ids = np.array([f"p{place:06}" for place in range(len(arms))])
    meets = np.isin(arms, design.group_arms)
    number = np.arange(len(arms)) // assumed.group_size
    groups = np.where(meets, np.char.add("g", number.astype(str)), "")
    shared = rng.normal(0, np.sqrt(assumed.icc) * assumed.sd, number.max() + 1)[number] * meets
    lasting = rng.normal(0, np.sqrt(assumed.correlation) * assumed.sd, len(arms))
    gets = arms != (design.reference.id if design.reference else "")
    stays = rng.random(len(arms)) >= assumed.drop_out
    middle = (design.measures[measure].minimum + design.measures[measure].maximum) / 2
    tables = []
    for place, timepoint in enumerate(design.timepoints):
        is_later = place > 0
        own = np.maximum(1 - assumed.correlation - assumed.icc * meets * is_later, SMALLEST_SHARE)
        occasion = rng.normal(0, np.sqrt(own) * assumed.sd)
        points = middle + lasting + occasion + is_later * (shared + difference * gets)
        here = np.arange(len(arms)) % times == place if design.is_resampled else stays | ~np.array(is_later)
        tables.append(pd.DataFrame({"participant_id": ids, "timepoint": timepoint.id, "score": points})[here])
    scores = pd.concat(tables, ignore_index=True).assign(measure=measure)
    return scores, pd.DataFrame({"participant_id": ids, "arm": arms, "group": groups})


def draw_curve(
    plan: Plan,
    design: StudyDesign,
    estimand: Estimand,
    assumed: Assumptions,
    *,
    difference: float,
    sizes: tuple[int, ...],
    runs: int,
    seed: int,
) -> Iterator[PowerPoint]:
    """Yield `simulate_power` for each size, each from a random stream of its own."""
    for size, stream in zip(sizes, np.random.default_rng(seed).spawn(len(sizes)), strict=True):
        yield simulate_power(plan, design, estimand, assumed, difference=difference, people=size, runs=runs, rng=stream)

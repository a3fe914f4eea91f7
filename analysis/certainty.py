"""How sure one may be of an outcome: a level that starts with the design and falls for stated reasons.

After GRADE (Guyatt et al. 2008, doi 10.1136/bmj.39489.470347.AD), with rules that a program can check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.composition import compare_samples
from analysis.design import DesignKind, StudyDesign
from analysis.evaluation import Evaluation
from analysis.frames import score_column
from analysis.guards import compared_arms
from analysis.mixed_models.inference import CONFIDENCE
from analysis.plan import Estimand, Outcome
from analysis.quality import reasons_of_flags
from analysis.results import Result

if TYPE_CHECKING:
    from instruments import Instrument

LEVELS: Final[dict[int, str]] = {1: "very low", 2: "low", 3: "moderate", 4: "high"}
START: Final[dict[DesignKind, tuple[int, str]]] = {
    "randomised": (4, ""),
    "matched_comparison": (2, "The arms were not formed by chance, so they may differ in more than the programme."),
    "single_group": (1, "There is no comparison arm, so change for other reasons cannot be told apart."),
    "repeated_cross_section": (
        2,
        "Each timepoint is a sample of its own, so a difference may come of who was surveyed.",
    ),
}
NO_COMPARISON: Final = (
    "Each timepoint is a sample of its own and there is no comparison arm, so a difference may come of who was "
    "surveyed, or of anything else that happened."
)
MOST_MISSING: Final = 0.20
FEWEST_GROUPS: Final = 10
FEWEST_PARTICIPANTS: Final = 30
MOST_DIFFERENT: Final = 0.25
"""Standardised difference beyond which adjustment leans on the form of the model (Stuart 2010, 10.1214/09-STS313)."""
LOWEST_RELIABILITY: Final = 0.7
SCALAR: Final = 3
"""Level of invariance at which means of two timepoints can be compared."""


FURTHER_REASONS: Final[tuple[Callable[[Outcome, Evaluation, Sequence[Result]], Iterator[tuple[str, str]]], ...]] = ()
"""Reasons that the parts of an evaluation give: kind and sentence, from the rows of one outcome."""


def derive_certainty(outcome: Outcome, evaluation: Evaluation, found: Sequence[Result] = ()) -> Iterator[Result]:
    """Yield the certainty of an outcome and its reasons.

    Parameters
    ----------
    outcome : Outcome
        An outcome of the plan.
    evaluation : Evaluation
        What was asked, of which study, and what the models answered; estimands without an estimate are passed over.
    found : sequence of Result
        What else was told: rows of `estimate_again` and of the parts of the evaluation.

    Yields
    ------
    Result
        ``level`` (1 very low to 4 high), then a ``reason`` each: sentence in `method`, levels taken off in `value`.
        A reason that holds for one estimand of the outcome counts for the outcome, once. Nothing without an estimate.
        No sentence gives a number of people found: a small one could identify somebody.
    """
    plan, design, frame = evaluation.plan, evaluation.design, evaluation.frames[outcome.id]
    estimated = [
        row for row in evaluation.answers if row.outcome == outcome.id and row.verdict == "estimated" and row.estimand
    ]
    again = [row for row in found if row.outcome == outcome.id and row.analysis == "quality"]
    if not estimated:
        return
    asked = {estimand.id: estimand for estimand in plan.estimands}
    reasons: dict[str, str] = {}
    for row in estimated:
        for kind, sentence in _reasons_of_estimate(outcome, frame, row, asked[row.estimand], design):
            reasons.setdefault(kind, sentence)
    later = {asked[row.estimand].timepoint for row in estimated}
    reasons |= dict(_reasons_of_measurement(outcome, later, evaluation.measurement, design, evaluation.library))
    reasons |= dict(reasons_of_flags(outcome, estimated, again, plan))
    own = [row for row in found if row.outcome == outcome.id]
    for further in FURTHER_REASONS:
        reasons |= dict(further(outcome, evaluation, own))
    start, by_design = START[design.kind]
    if design.is_resampled and design.compares_timepoints:
        start, by_design = 1, NO_COMPARISON
    level = max(1, start - len(reasons))
    yield Result(analysis="certainty", statistic="level", outcome=outcome.id, value=level, method=LEVELS[level])
    if by_design:
        yield Result(analysis="certainty", statistic="reason", outcome=outcome.id, value=4 - start, method=by_design)
    for sentence in reasons.values():
        yield Result(analysis="certainty", statistic="reason", outcome=outcome.id, value=1, method=sentence)


def _reasons_of_estimate(
    outcome: Outcome, frame: pd.DataFrame, row: Result, estimand: Estimand, design: StudyDesign
) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence of what weakens one estimate."""
    label = next(timepoint.label for timepoint in design.timepoints if timepoint.id == estimand.timepoint)
    arms = compared_arms(estimand, design)
    scored = frame[score_column(estimand.timepoint)].notna()
    if design.is_resampled:
        yield from _reasons_of_samples(outcome, frame, estimand, design)
    elif any(1 - scored[frame["arm"] == arm].mean() > MOST_MISSING for arm in arms):
        yield "missing", f"More than {MOST_MISSING:.0%} of the participants of an arm have no score at {label}."
    smallest = outcome.smallest_meaningful_change
    includes_none = row.conf_low <= 0 <= row.conf_high or row.p_adjusted >= 1 - CONFIDENCE
    if smallest and includes_none and max(-row.conf_low, row.conf_high) >= smallest.value:
        what = "change" if design.kind == "single_group" else "difference"
        yield "imprecise", f"At {label} neither no {what} nor the smallest change that people notice can be ruled out."
    meeting = frame.loc[scored & (frame["group"] != "")].groupby("arm")["group"].nunique()
    if any(arm in design.group_arms and meeting.get(arm, 0) < FEWEST_GROUPS for arm in arms):
        yield "few", f"Fewer than {FEWEST_GROUPS} groups were observed at {label}."
    elif row.n < FEWEST_PARTICIPANTS:
        yield "few", f"Fewer than {FEWEST_PARTICIPANTS} participants of an arm were observed at {label}."


def _reasons_of_samples(
    outcome: Outcome, frame: pd.DataFrame, estimand: Estimand, design: StudyDesign
) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence of what samples do not have in common; one without spread differs as far as can be."""
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    compared = compared_arms(estimand, design)
    different = {
        row.item
        for row in compare_samples(frame, outcome.id, design)
        if row.timepoint == estimand.timepoint and row.arm in compared and not abs(row.value) <= MOST_DIFFERENT
    }
    if different:
        names = ", ".join(label for known, label in labels.items() if known in different)
        at = next(timepoint.label for timepoint in design.timepoints if timepoint.id == estimand.timepoint)
        yield "composition", f"The people surveyed at {at} differed from those at {design.baseline.label} in: {names}."


def _reasons_of_measurement(
    outcome: Outcome,
    timepoints: Set[str],
    measurement: Sequence[Result],
    design: StudyDesign,
    library: Mapping[str, Instrument],
) -> Iterator[tuple[str, str]]:
    """Yield kind and sentence of what weakens the measure itself."""
    own = [row for row in measurement if row.outcome == outcome.measure and row.verdict == "observed"]
    if any(
        row.statistic == "cronbach_alpha" and row.timepoint == design.baseline.id and row.value < LOWEST_RELIABILITY
        for row in own
    ):
        yield "unreliable", f"The items agreed little with each other at baseline (alpha below {LOWEST_RELIABILITY})."
    if any(row.statistic == "invariance_level" and row.timepoint in timepoints and row.value < SCALAR for row in own):
        yield (
            "not_invariant",
            "The items did not work the same way at baseline and later, so part of it may be the items.",
        )
    instrument = library.get(design.measures[outcome.measure].instrument or "")
    if instrument is not None and instrument.is_draft:
        yield "draft", "The scoring of the instrument is not confirmed in every point."

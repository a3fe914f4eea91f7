"""How sure one may be of an answer: a level that starts with the design and falls for stated reasons.

After GRADE (Guyatt et al. 2008, doi 10.1136/bmj.39489.470347.AD; 2011, doi 10.1016/j.jclinepi.2010.06.013), with rules
that a program can check. What is about one domain takes one level together, however many reasons there are for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from analysis.balance_part import reasons_of_balance
from analysis.certainty_measurement import reasons_of_knowing, reasons_of_measurement
from analysis.certainty_reasons import (
    DOMAIN_OF,
    DOMAINS,
    Reason,
    reasons_of_few,
    reasons_of_intervals,
    reasons_of_missing,
    reasons_of_samples,
)
from analysis.design import DesignKind, StudyDesign
from analysis.deviations import reasons_of_plan
from analysis.evaluation import Evaluation
from analysis.expected_change_part import reasons_of_expected
from analysis.permutation_part import reasons_of_permutation
from analysis.plan import Outcome
from analysis.quality import reasons_of_flags
from analysis.results import Result
from analysis.sensitivity import reasons_of_leavers
from analysis.telling import tell

LEVELS: Final[dict[int, str]] = {1: "very low", 2: "low", 3: "moderate", 4: "high"}
START: Final[dict[DesignKind, tuple[int, str]]] = {
    "randomised": (4, ""),
    "waitlist": (4, ""),
    "stepped_wedge": (4, ""),
    "matched_comparison": (
        2,
        tell("The arms were not formed by chance, so they may differ in more than the programme."),
    ),
    "comparison": (
        2,
        tell(
            "The arms were not formed by chance and nobody was matched, so they may differ in more than the programme."
        ),
    ),
    "single_group": (1, tell("There is no comparison arm, so change for other reasons cannot be told apart.")),
    "interrupted_time_series": (
        2,
        tell("There is no comparison arm, so whatever else happened when the programme began would look the same."),
    ),
    "repeated_cross_section": (
        2,
        tell("Each timepoint is a sample of its own, so a difference may come of who was surveyed."),
    ),
}
NO_COMPARISON: Final = tell(
    "Each timepoint is a sample of its own and there is no comparison arm, so a difference may come of who was "
    "surveyed, or of anything else that happened."
)
FURTHER_REASONS: Final[tuple[Callable[[Outcome, Evaluation, Sequence[Result]], Iterator[Reason]], ...]] = (
    reasons_of_leavers,
    reasons_of_expected,
    reasons_of_permutation,
    reasons_of_plan,
    reasons_of_balance,
)
"""Reasons that the parts of an evaluation give, from the rows of one estimand."""


def derive_certainty(outcome: Outcome, evaluation: Evaluation, found: Sequence[Result] = ()) -> Iterator[Result]:
    """Yield the certainty of every answer about an outcome, each at its own timepoint, and its reasons.

    It is about whether the difference is one that people notice, where the plan names the smallest one, and otherwise
    about whether there is any.

    Parameters
    ----------
    outcome : Outcome
        An outcome of the plan.
    evaluation : Evaluation
        What was asked, of which study, and what the models answered; estimands without an estimate are passed over.
    found : sequence of Result
        What else was told: rows of `compare_scores`, of `estimate_again` and of the parts of the evaluation.

    Yields
    ------
    Result
        For each estimand ``level`` (1 very low to 4 high), then a ``reason`` each, by domain: its kind in `item` (empty
        for the design), a sentence in `method`, the place of its number in `arm` and `timepoint`, and the levels taken
        off in `value`: 1 for the first of a domain, 0 for what counts together with the reason before it. Nothing goes
        below 1. What whoever gave the scores knew takes a level only where nothing else does.
    """
    for answer in evaluation.answers:
        if answer.outcome == outcome.id and answer.verdict == "estimated" and answer.estimand:
            yield from _rate(answer, outcome, evaluation, found)


def _rate(answer: Result, outcome: Outcome, evaluation: Evaluation, found: Sequence[Result]) -> Iterator[Result]:
    """Yield the certainty of one answer."""
    start, by_design = _start(evaluation.design)
    empty = Result(analysis="certainty", statistic="reason", estimand=answer.estimand, outcome=outcome.id)
    told = [replace(empty, value=4 - start, method=by_design)] if by_design else []
    taken = {"design"} if by_design else set()
    reasons = _find_reasons(answer, outcome, evaluation, found)
    for reason in sorted(reasons, key=lambda each: DOMAINS.index(DOMAIN_OF[each.kind])):
        told.append(_tell(reason, empty, takes=DOMAIN_OF[reason.kind] not in taken))
        taken.add(DOMAIN_OF[reason.kind])
    knowing = reasons_of_knowing(outcome, evaluation, is_alone=not taken)
    told += [_tell(reason, empty, takes=not taken) for reason in knowing]
    level = max(1, 4 - int(sum(row.value for row in told)))
    yield replace(empty, statistic="level", value=level, method=LEVELS[level])
    yield from told


def _start(design: StudyDesign) -> tuple[int, str]:
    """Return the level at which a design starts, and why it is not the highest."""
    if design.is_resampled and design.compares_timepoints and not design.is_series:
        return 1, NO_COMPARISON
    return START[design.kind]


def _find_reasons(answer: Result, outcome: Outcome, evaluation: Evaluation, found: Sequence[Result]) -> list[Reason]:
    """Return the reasons of an answer, the first of each kind."""
    asked = evaluation.estimand(answer.estimand)
    alone = replace(evaluation, plan=evaluation.plan.model_copy(update={"estimands": [asked]}), answers=[answer])
    own = [row for row in found if row.outcome == outcome.id and row.estimand in ("", asked.id)]
    again = [row for row in own if row.analysis == "quality"]
    everything = [
        *reasons_of_missing(outcome, alone, [answer]),
        *reasons_of_intervals(outcome, alone, [answer]),
        *reasons_of_few(outcome, alone, [answer]),
        *reasons_of_samples(outcome, alone, [answer]),
        *reasons_of_measurement(outcome, alone, {asked.timepoint}, found),
        *reasons_of_flags(outcome, [answer], again, alone.plan),
        *(reason for further in FURTHER_REASONS for reason in further(outcome, alone, own)),
    ]
    first: dict[str, Reason] = {}
    for reason in everything:
        first.setdefault(reason.kind, reason)
    return list(first.values())


def _tell(reason: Reason, empty: Result, *, takes: bool) -> Result:
    return replace(
        empty,
        arm=reason.arm,
        timepoint=reason.timepoint,
        item=reason.kind,
        value=1 if takes else 0,
        method=reason.sentence,
    )

"""What makes one less sure of a score: how its items behaved, its ends, its rules, and totals that contradict ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final

from analysis.certainty_reasons import Reason, in_percent, is_told, label_of
from analysis.evaluation import Evaluation
from analysis.plan import Outcome
from analysis.results import Result
from analysis.telling import Number, Told, tell, tell_many
from instruments.model import SCORING_FACTS

LOWEST_RELIABILITY: Final = 0.7
SCALAR: Final = 3
"""Level of invariance at which means of two timepoints can be compared."""
END_EFFECT: Final = 0.15
"""Share of people at one end of a measure from which it is said to have a floor or ceiling.

Terwee et al. 2007, doi 10.1016/j.jclinepi.2006.03.012.
"""
LEAST_AGREEMENT: Final = 0.95
"""Share of delivered totals that equal ours, below which it is open which of the two are right."""
_ENDS: Final[dict[str, Told]] = {
    "score_floor_share": tell(
        "At {timepoint} {percent}\u00a0% or more of the people had the lowest possible score, so a fall cannot be seen "
        "in them."
    ),
    "score_ceiling_share": tell(
        "At {timepoint} {percent}\u00a0% or more of the people had the highest possible score, so a rise cannot be "
        "seen in them."
    ),
}


def reasons_of_measurement(
    outcome: Outcome, evaluation: Evaluation, timepoints: Set[str], agreement: Sequence[Result]
) -> Iterator[Reason]:
    """Yield what weakens the measure of an outcome.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    evaluation : Evaluation
        With what was found of its measures.
    timepoints : set of str
        Those that its answers are about, besides the baseline.
    agreement : sequence of Result
        Rows of `compare_scores`, of any measure.

    Yields
    ------
    Reason
        ``unreliable``, ``not_invariant``, ``draft``, ``ceiling`` (of scores alone: shares and counts have ends of
        their own) and ``audit``; nothing of a statistic that was refused.
    """
    design = evaluation.design
    own = [row for row in evaluation.measurement if row.outcome == outcome.measure and row.verdict == "observed"]
    for row in own:
        if row.statistic == "cronbach_alpha" and row.timepoint == design.baseline.id and row.value < LOWEST_RELIABILITY:
            sentence = tell(
                "The items agreed little with each other at {timepoint} (alpha below {limit}).",
                timepoint=design.baseline.label,
                limit=Number(LOWEST_RELIABILITY, 1),
            )
            yield Reason("unreliable", sentence, timepoint=row.timepoint)
        if row.statistic == "invariance_level" and row.timepoint in timepoints and row.value < SCALAR:
            sentence = tell("The items did not mean the same at baseline and later, so part of it may be the items.")
            yield Reason("not_invariant", sentence, timepoint=row.timepoint)
    yield from _of_rules(outcome, evaluation)
    yield from _of_ends(outcome, evaluation, {design.baseline.id, *timepoints}, own)
    yield from _of_totals(outcome, evaluation, agreement)


def _of_rules(outcome: Outcome, evaluation: Evaluation) -> Iterator[Reason]:
    """Yield that a score depends on points of its instrument that no source confirms."""
    instrument = evaluation.library.get(evaluation.design.measures[outcome.measure].instrument or "")
    if instrument is not None and instrument.is_draft:
        unsure = len(instrument.unconfirmed_scoring_facts)
        facts = sum(name in instrument.facts for name in SCORING_FACTS)
        sentence = tell_many(
            "{count} of {facts} facts about how the questionnaire is scored is not confirmed by a source.",
            "{count} of {facts} facts about how the questionnaire is scored are not confirmed by a source.",
            unsure,
            count=Number(unsure),
            facts=Number(facts),
        )
        yield Reason("draft", sentence)


def _of_ends(outcome: Outcome, evaluation: Evaluation, at: Set[str], own: Sequence[Result]) -> Iterator[Reason]:
    """Yield the first end of a score at which many people were, where it may be said on which side of the limit."""
    fewest = evaluation.plan.small_numbers.protection.threshold
    for row in own if outcome.kind == "score" else ():
        is_hidden = fewest > 1 and not END_EFFECT * row.n >= fewest
        if row.statistic in _ENDS and row.timepoint in at and row.value >= END_EFFECT and not is_hidden:
            label = label_of(evaluation.design, row.timepoint)
            sentence = tell(_ENDS[row.statistic], timepoint=label, percent=in_percent(END_EFFECT))
            yield Reason("ceiling", sentence, timepoint=row.timepoint)
            return


def _of_totals(outcome: Outcome, evaluation: Evaluation, agreement: Sequence[Result]) -> Iterator[Reason]:
    """Yield that totals which came with the data follow another rule, so that one of the two is wrong."""
    own = {
        row.statistic: row for row in agreement if row.analysis == "score_agreement" and row.outcome == outcome.measure
    }
    if not own or not own["compared"].value > 0:
        return
    is_apart = own["equal"].value / own["compared"].value < LEAST_AGREEMENT
    if is_apart and is_told(own["different"].n, evaluation.plan) and is_told(own["compared"].n, evaluation.plan):
        yield Reason(
            "audit",
            tell(
                "Fewer than {percent}\u00a0% of the totals that came with the data are those that we compute from the "
                "answers, and which are right is open.",
                percent=in_percent(LEAST_AGREEMENT),
            ),
        )

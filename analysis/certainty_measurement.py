"""What makes one less sure of a score: how its items behaved, its ends, its rules, and totals that contradict ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final

from analysis.certainty_reasons import Reason, in_percent, is_told, label_of
from analysis.evaluation import Evaluation
from analysis.plan import Outcome
from analysis.results import Result
from analysis.telling import Number, Told, join_told, tell, tell_many
from instruments.model import SCORING_FACTS, Instrument

LOWEST_RELIABILITY: Final = 0.7
SCALAR: Final = 3
"""Level of invariance at which means of two timepoints can be compared."""
END_EFFECT: Final = 0.15
"""Share of people at one end of a measure from which it is said to have a floor or ceiling.

Terwee et al. 2007, doi 10.1016/j.jclinepi.2006.03.012.
"""
READ_IN_A_LABORATORY: Final = frozenset({"hba1c"})
"""Instruments whose values nobody's knowledge can change."""
LEAST_AGREEMENT: Final = 0.95
"""Share of delivered totals that equal ours, below which it is open which of the two are right."""
OF_THEMSELVES: Final = tell(
    "People answered for themselves and knew what they were offered, which may show in their answers."
)
OF_OTHERS: Final = tell(
    "Nothing in the study tells that whoever gave these scores did not know what people were offered, which may show "
    "in the scores."
)
NOT_HIGH: Final = tell("For that alone certainty is not high.")
NOT_LOWER: Final = tell("Certainty is not high anyway, so nothing more is taken off for it.")
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
                "The questions agreed little with each other at {timepoint} (their agreement, alpha, was below "
                "{limit}), so scores are blurred.",
                timepoint=design.baseline.label,
                limit=Number(LOWEST_RELIABILITY, 1),
            )
            yield Reason("unreliable", sentence, timepoint=row.timepoint)
        if row.statistic == "invariance_level" and row.timepoint in timepoints and row.value < SCALAR:
            sentence = tell(
                "The questions did not mean the same at baseline and later, so part of it may be the questions."
            )
            yield Reason("not_invariant", sentence, timepoint=row.timepoint)
    yield from _of_rules(outcome, evaluation)
    yield from _of_ends(outcome, evaluation, {design.baseline.id, *timepoints}, own)
    yield from _of_totals(outcome, evaluation, agreement)


def reasons_of_knowing(outcome: Outcome, evaluation: Evaluation, *, is_alone: bool) -> Iterator[Reason]:
    """Yield that whoever gave the scores knew what people were offered, which keeps every rating from being high.

    RoB 2 has at least some concerns where people who know report of themselves (Sterne et al. 2019, doi
    10.1136/bmj.l4898), and takes the worst of its concerns, not their sum.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    evaluation : Evaluation
        With design and instruments; a score without questions that people answer may have come from somebody else.
    is_alone : bool
        Whether nothing else lowers the certainty.
    """
    instrument = evaluation.library.get(evaluation.design.measures[outcome.measure].instrument or "")
    if instrument is not None and instrument.id in READ_IN_A_LABORATORY:
        return
    who = OF_THEMSELVES if instrument is not None and instrument.items else OF_OTHERS
    yield Reason("knowing", join_told([who, NOT_HIGH if is_alone else NOT_LOWER]))


def _of_rules(outcome: Outcome, evaluation: Evaluation) -> Iterator[Reason]:
    """Yield that a score depends on points of its instrument that no source confirms."""
    instrument = evaluation.library.get(evaluation.design.measures[outcome.measure].instrument or "")
    unsure = 0 if instrument is None else len(_unsure_of(instrument, outcome.measure))
    if instrument is not None and unsure:
        facts = sum(name in instrument.facts for name in SCORING_FACTS)
        sentence = tell_many(
            "For {count} of the {facts} rules by which answers become this score no source was found, so the score may "
            "not be what the authors of the questionnaire meant.",
            "For {count} of the {facts} rules by which answers become this score no source was found, so the score may "
            "not be what the authors of the questionnaire meant.",
            unsure,
            count=Number(unsure),
            facts=Number(facts),
        )
        yield Reason("draft", sentence)


def _unsure_of(instrument: Instrument, measure: str) -> list[str]:
    """Return the unconfirmed facts that a score hangs on: none on a rule for missing answers if all are needed."""
    own = next((each for each in instrument.measures if f"{instrument.id}.{each.id}" == measure), None)
    needs_all = own is not None and own.missing.max_missing == 0
    return [name for name in instrument.unconfirmed_scoring_facts if not (name == "missing_rule" and needs_all)]


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

"""What the data could have shown, in words: the other half of a result without a clear difference."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.plan import Estimand, Outcome
from reports.claim_sentences import is_clear, join_sentences, label_of
from reports.content import ReportContent
from reports.language import say
from reports.numbers import say_amount
from reports.reading import Rows, pick_one
from reports.sections import Block


def say_precision(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what the data could have shown of the questions about an outcome that have no clear answer.

    Parameters
    ----------
    outcome, rows, content : Outcome, tuple of Row, ReportContent
        An outcome of the plan, gated results, labels and design.

    Returns
    -------
    Block or None
        None where every answer is clear, or nothing is known of precision.
    """
    asked = [estimand for estimand in content.plan.estimands if estimand.outcome == outcome.id]
    sentences = tuple(sentence for estimand in asked for sentence in _say(estimand, outcome, rows, content))
    return Block(heading=say("What these data could have shown"), sentences=sentences) if sentences else None


def _say(estimand: Estimand, outcome: Outcome, rows: Rows, content: ReportContent) -> Iterator[str]:
    found = pick_one(rows, analysis="precision", statistic="detectable_change", estimand=estimand.id)
    answer = pick_one(rows, analysis="model", estimand=estimand.id)
    if found is None or not found.is_shown or (answer is not None and answer.is_shown and is_clear(answer)):
        return
    measure = content.plan.measure_of(outcome.id, content.design)
    shown = {
        "timepoint": label_of(content.design, estimand.timepoint),
        "amount": say_amount(found.value, measure),
    }
    is_change = content.design.compares_timepoints
    if is_change:
        sentence = say(
            "At {timepoint}, four of five studies as large and as precise as this one would have shown a true change "
            "of {amount}; smaller ones would have been missed more often.",
            **shown,
        )
    else:
        sentence = say(
            "At {timepoint}, four of five studies as large and as precise as this one would have shown a true "
            "difference of {amount}; smaller ones would have been missed more often.",
            **shown,
        )
    smallest = outcome.smallest_meaningful_change
    if smallest is None or found.value <= smallest.value:
        yield sentence
        return
    noticed = say_amount(smallest.value, measure)
    if is_change:
        too_small = say(
            "The smallest change that people notice is {amount}: this study was too small to rule it out well.",
            amount=noticed,
        )
    else:
        too_small = say(
            "The smallest difference that people notice is {amount}: this study was too small to rule it out well.",
            amount=noticed,
        )
    yield join_sentences(sentence, too_small)

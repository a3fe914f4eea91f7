"""What the data could have shown, in words: the other half of a result without a clear difference."""

from __future__ import annotations

from analysis.plan import Estimand, Outcome
from reports.claim_sentences import is_clear, join_sentences, label_of
from reports.content import ReportContent
from reports.language import say, say_list
from reports.numbers import say_amount
from reports.reading import Row, Rows, pick_one
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
    alike: dict[tuple[float, bool], dict[str, None]] = {}
    for estimand in content.plan.estimands:
        found = _find_open(estimand, rows) if estimand.outcome == outcome.id else None
        if found is not None:
            answer = pick_one(rows, analysis="model", estimand=estimand.id)
            is_refused = answer is not None and answer.verdict.startswith("refused")
            at = alike.setdefault((found.value, is_refused), {})
            at[label_of(content.design, estimand.timepoint)] = None
    sentences = tuple(
        (_say_described if is_refused else _say)(value, tuple(at), outcome, content)
        for (value, is_refused), at in alike.items()
    )
    return Block(heading=say("What these data could have shown"), sentences=sentences) if sentences else None


def _find_open(estimand: Estimand, rows: Rows) -> Row | None:
    """Return what a question without a clear answer could have shown; None where that is not known or not shown."""
    found = pick_one(rows, analysis="precision", statistic="detectable_change", estimand=estimand.id)
    answer = pick_one(rows, analysis="model", estimand=estimand.id)
    if found is None or not found.is_shown or (answer is not None and answer.is_shown and is_clear(answer)):
        return None
    return found


def _say(value: float, timepoints: tuple[str, ...], outcome: Outcome, content: ReportContent) -> str:
    """Say what questions that could have shown the same have in common."""
    measure = content.plan.measure_of(outcome.id, content.design)
    shown = {"timepoint": say_list(timepoints), "amount": say_amount(value, measure)}
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
    if smallest is None or value <= smallest.value:
        return sentence
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
    return join_sentences(sentence, too_small)


def _say_described(value: float, timepoints: tuple[str, ...], outcome: Outcome, content: ReportContent) -> str:
    """Say what so many people can show where nothing was compared, because they are few."""
    measure = content.plan.measure_of(outcome.id, content.design)
    shown = {"timepoint": say_list(timepoints), "amount": say_amount(value, measure)}
    if content.design.compares_timepoints:
        sentence = say(
            "At {timepoint} no change was computed. Of studies with as many people, whose scores differ as much, four "
            "of five would show a true change of {amount}; smaller ones would be missed more often.",
            **shown,
        )
    else:
        sentence = say(
            "At {timepoint} nothing was compared. Of studies with as many people, whose scores differ as much, four of "
            "five would show a true difference of {amount}; smaller ones would be missed more often.",
            **shown,
        )
    smallest = outcome.smallest_meaningful_change
    if smallest is None or value <= smallest.value:
        return sentence
    noticed = say_amount(smallest.value, measure)
    return join_sentences(
        sentence,
        say("The smallest that people notice is {amount}: so few people would often miss it.", amount=noticed),
    )

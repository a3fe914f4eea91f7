"""What the data could have shown, in words: the other half of a result without a clear difference."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.plan import Estimand, Outcome
from reports.claims import is_clear
from reports.content import ReportContent
from reports.numbers import format_threshold, unit_of
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
    return Block(heading="What these data could have shown", sentences=sentences) if sentences else None


def _say(estimand: Estimand, outcome: Outcome, rows: Rows, content: ReportContent) -> Iterator[str]:
    found = pick_one(rows, analysis="precision", statistic="detectable_change", estimand=estimand.id)
    answer = pick_one(rows, analysis="model", estimand=estimand.id)
    if found is None or not found.is_shown or (answer is not None and answer.is_shown and is_clear(answer)):
        return
    measure = content.plan.measure_of(outcome.id, content.design)
    what = "change" if content.design.compares_timepoints else "difference"
    at = next(timepoint.label for timepoint in content.design.timepoints if timepoint.id == estimand.timepoint)
    size = format_threshold(found.value)
    sentence = (
        f"At {at}, four of five studies as large and as precise as this one would have shown a true {what} of "
        f"{size}{unit_of(measure, found.value)}; smaller ones would have been missed more often."
    )
    smallest = outcome.smallest_meaningful_change
    if smallest is not None and found.value > smallest.value:
        named = f"{format_threshold(smallest.value)}{unit_of(measure, smallest.value)}"
        sentence += f" The smallest {what} that people notice is {named}: this study was too small to rule it out well."
    yield sentence

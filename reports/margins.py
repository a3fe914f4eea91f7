"""What is said of a difference held against a margin: in the card of its outcome, and of formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.margin_part import JUDGEMENTS
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Margin
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.numbers import format_threshold, unit_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block

CAUTION: Final = (
    "That no clear difference was found would be no answer to this question: only the interval and the margin, which "
    "the plan declares, decide. They were compared before they were rounded."
)
_SAID: Final = {
    "superior": "{first} fared better than {second}",
    "non_inferior": "{first} fared no worse than {second}, by a margin of {margin}",
    "inferior": "{first} fared worse than {second}, by more than the margin of {margin}",
    "equivalent": "{first} and {second} fared alike: they differed by less than the margin of {margin}, either way",
    "not_equivalent": "{first} and {second} differed by more than the margin of {margin}",
}
_LEFT_OPEN: Final = {
    "non_inferiority": "It is left open whether {first} fared worse than {second} by more than the margin of {margin}",
    "equivalence": "It is left open whether {first} and {second} differed by more than the margin of {margin}",
}
_OF_SOME: Final = "A margin is judged for estimands of everybody only; this one is asked of people chosen later."


def say_margin(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return how the estimands of an outcome stand against their margins; None where the plan gives none."""
    asked = [each for each in content.plan.estimands if each.outcome == outcome.id and each.margin is not None]
    if not asked:
        return None
    own = pick(rows, analysis="margin", outcome=outcome.id)
    sentences = tuple(sentence for each in asked for sentence in _of_estimand(each, own, content))
    return Block(heading="Held against the margin of the plan", sentences=sentences, caution=CAUTION)


def say_judgement(row: Row, margin: Margin, first: str, second: str, unit: str) -> str:
    """Return a shown judgement as a sentence without its end; `first` and `second` are people, `unit` begins blank."""
    verdict = JUDGEMENTS[int(row.value)]
    words = _LEFT_OPEN[margin.question] if verdict == "not_shown" else _SAID[verdict]
    said = words.format(first=first, second=second, margin=f"{format_threshold(margin.value)}{unit}")
    return f"{said[0].upper()}{said[1:]}"


def say_source(margin: Margin) -> str:
    """Return where a margin comes from."""
    return f"Source of the margin: {margin.source}."


def quoted_margins(content: ReportContent) -> list[str]:
    """Return the sources of margins, which the plan words."""
    margins = [each.margin for each in content.plan.estimands] + [each.margin for each in content.plan.formats]
    return [margin.source for margin in margins if margin is not None]


def _of_estimand(estimand: Estimand, rows: Rows, content: ReportContent) -> Iterator[str]:
    design, margin = content.design, estimand.margin
    assert margin is not None  # noqa: S101 - only these are asked for
    measure = content.plan.measure_of(estimand.outcome, design)
    at = next(known.label for known in design.timepoints if known.id == estimand.timepoint)
    lead = f"{measure.concept[0].upper()}{measure.concept[1:]} at {at}"
    row = pick_one(rows, estimand=estimand.id)
    if row is None:
        yield f"{lead}: {_OF_SOME}"
    elif row.verdict != "estimated":
        yield f"{lead} was not held against the margin. {row.method}"
    elif not row.is_shown:
        yield f"How {lead[0].lower()}{lead[1:]} stands against the margin is not shown: {WITHHELD}."
    else:
        first, second = _sides(estimand, content)
        yield f"{lead}: {say_judgement(row, margin, first, second, unit_of(measure, margin.value))}."
        yield say_source(margin)
        if not row.prespecified:
            yield NOT_PLANNED


def _sides(estimand: Estimand, content: ReportContent) -> tuple[str, str]:
    """Return the two sides of a contrast as people."""
    design = content.design
    labels = {arm.id: arm.label for arm in design.arms} | {at.id: at.label for at in design.timepoints}
    first, second = (labels.get(side, side) for side in estimand.compared)
    if design.compares_timepoints:
        return f"people at {first}", f"people at {second}"
    return f"people in the {first} arm", f"people in the {second} arm"

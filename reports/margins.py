"""What is said of a difference held against a margin: in the card of its outcome, and of formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Measure
from analysis.margin_part import JUDGEMENTS
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Margin
from reports.claims import WITHHELD, capital, join_sentences
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import say_amount
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block

CAUTION: Final = mark(
    "That no clear difference was found would be no answer to this question: only the interval and the margin, which "
    "the plan declares, decide. They were compared before they were rounded."
)
_SAID: Final = {
    # i18n: here and below {first} and {second} are people ("people in the Peer support arm"), {margin} is "4 points"
    "superior": mark("{first} fared better than {second}."),
    "non_inferior": mark("{first} fared no worse than {second}, by a margin of {margin}."),
    "inferior": mark("{first} fared worse than {second}, by more than the margin of {margin}."),
    "equivalent": mark(
        "{first} and {second} fared alike: they differed by less than the margin of {margin}, either way."
    ),
    "not_equivalent": mark("{first} and {second} differed by more than the margin of {margin}."),
}
_LEFT_OPEN: Final = {
    "non_inferiority": mark(
        "It remains open whether {first} fared worse than {second} by more than the margin of {margin}."
    ),
    "equivalence": mark("It remains open whether {first} and {second} differed by more than the margin of {margin}."),
}


def say_margin(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return how the estimands of an outcome stand against their margins; None where the plan gives none."""
    asked = [each for each in content.plan.estimands if each.outcome == outcome.id and each.margin is not None]
    if not asked:
        return None
    own = pick(rows, analysis="margin", outcome=outcome.id)
    sentences = tuple(sentence for each in asked for sentence in _of_estimand(each, own, content))
    return Block(heading=say("Held against the margin of the plan"), sentences=sentences, caution=say(CAUTION))


def say_judgement(row: Row, margin: Margin, first: str, second: str, measure: Measure) -> str:
    """Return a shown judgement as a sentence; `first` and `second` are people, said themselves."""
    verdict = JUDGEMENTS[int(row.value)]
    words = _LEFT_OPEN[margin.question] if verdict == "not_shown" else _SAID[verdict]
    return capital(say(words, first=first, second=second, margin=say_amount(margin.value, measure)))


def say_source(margin: Margin) -> str:
    """Return where a margin comes from."""
    return say("Source of the margin: {source}.", source=margin.source)


def quoted_margins(content: ReportContent) -> list[str]:
    """Return the sources of margins, which the plan words."""
    margins = [each.margin for each in content.plan.estimands] + [each.margin for each in content.plan.formats]
    return [margin.source for margin in margins if margin is not None]


def _of_estimand(estimand: Estimand, rows: Rows, content: ReportContent) -> Iterator[str]:
    design, margin = content.design, estimand.margin
    assert margin is not None  # noqa: S101 - only these are asked for
    measure = content.plan.measure_of(estimand.outcome, design)
    at = next(known.label for known in design.timepoints if known.id == estimand.timepoint)
    what = {"concept": capital(measure.concept), "timepoint": at}
    row = pick_one(rows, estimand=estimand.id)
    if row is None:
        yield say(
            "{concept} at {timepoint}: A margin is judged for estimands of everybody only; this one is asked of people "
            "chosen later.",
            **what,
        )
    elif row.verdict != "estimated":
        yield join_sentences(say("{concept} at {timepoint} was not held against the margin.", **what), row.told)
    elif not row.is_shown:
        what["concept"] = measure.concept
        yield say(
            "How {concept} at {timepoint} stands against the margin is not shown: {reason}.",
            **what,
            reason=say(WITHHELD),
        )
    else:
        first, second = _sides(estimand, content)
        # i18n: {judgement} is a whole sentence
        yield say(
            "{concept} at {timepoint}: {judgement}",
            **what,
            judgement=say_judgement(row, margin, first, second, measure),
        )
        yield say_source(margin)
        if not row.prespecified:
            yield say(NOT_PLANNED)


def _sides(estimand: Estimand, content: ReportContent) -> tuple[str, str]:
    """Return the two sides of a contrast as people."""
    design = content.design
    labels = {arm.id: arm.label for arm in design.arms} | {at.id: at.label for at in design.timepoints}
    first, second = (labels.get(side, side) for side in estimand.compared)
    if design.compares_timepoints:
        return say("people at {timepoint}", timepoint=first), say("people at {timepoint}", timepoint=second)
    return say("people in the {arm} arm", arm=first), say("people in the {arm} arm", arm=second)

"""Who paid, who evaluated, and what they are to each other, as far as the study tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reports.content import ReportContent
from reports.language import mark, say
from reports.sections import Block

HEADING: Final = mark("Who paid, who evaluated, and whether they are independent")
OWN_WORDS: Final = mark("These are the words of the study; nobody has checked them for this report.")
SAME: Final = mark(
    "Whoever the report is for has also evaluated the programme, so the evaluation is not independent of them."
)
STATEMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "funding": (
        mark("Who paid for the evaluation: {text}"),
        mark("The study does not tell who paid for the evaluation."),
    ),
    "interests": (
        mark("What ties the evaluator has to the programme: {text}"),
        mark(
            "The study does not tell what ties the evaluator has to the programme, so it cannot be told how "
            "independent the evaluation is."
        ),
    ),
    "ethics": (
        mark("Approval by an ethics committee: {text}"),
        mark("The study does not tell whether an ethics committee approved it."),
    ),
    "registration": (
        mark("Registration: {text}"),
        mark("The study does not tell whether it was registered."),
    ),
    "data_access": (
        mark("Who may see the data: {text}"),
        mark("The study does not tell who may see the data."),
    ),
}
"""What a study may state of itself -> how its words are led in, and what is said where it is silent."""


def say_who(content: ReportContent) -> Block:
    """Return whom the report is for, who evaluated, who paid, and what else the study states of itself.

    Parameters
    ----------
    content : ReportContent
        Its `sponsor`, `evaluator` and `statements`; each that is missing is said to be.
    """
    told = tuple(_tell(content))
    caution = say(OWN_WORDS) if told else ""
    return Block(heading=say(HEADING), sentences=tuple(_miss(content)), items=told, caution=caution)


def _tell(content: ReportContent) -> Iterator[str]:
    if content.sponsor:
        yield say("Whom the report is for: {sponsor}", sponsor=content.sponsor)
    if content.evaluator:
        yield say("Who evaluated: {evaluator}", evaluator=content.evaluator)
    for name, (lead, _) in STATEMENTS.items():
        if name in content.statements:
            yield say(lead, text=content.statements[name])


def _miss(content: ReportContent) -> Iterator[str]:
    if not content.sponsor:
        yield say("The study does not tell whom the report is for.")
    if not content.evaluator:
        yield say("The study does not tell who evaluated it.")
    elif content.evaluator.split() == content.sponsor.split():
        yield say(SAME)
    for name, (_, missing) in STATEMENTS.items():
        if name not in content.statements:
            yield say(missing)

"""What not to conclude, shortly: by the answer, the design, and how sure one may be; and what those words mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import DesignKind
from reports.claims import Claim
from reports.content import ReportContent
from reports.language import mark, say

ELSEWHERE: Final = mark("That it would be the same with other people, other facilitators or in another place.")
_REASON_OF_DIFFERENCE: Final = mark(
    "That the programme is the reason for a difference: people in the arms may differ in ways that were not measured."
)
_OBSERVED: Final = mark(
    "That scores or numbers of people, as they were observed, answer it: nothing tells what chance alone made of them."
)
OF_DESIGN: Final[dict[DesignKind, tuple[str, ...]]] = {
    "randomised": (ELSEWHERE,),
    "waitlist": (
        mark(
            "That the difference would be as large beside people who expect nothing: people who wait may hold back "
            "until their turn."
        ),
        mark("That a difference lasts: once those who waited had begun too, nobody remained to compare with."),
        ELSEWHERE,
    ),
    "stepped_wedge": (
        mark("That a difference is the same however long a group has the programme: the analysis takes it so."),
        ELSEWHERE,
    ),
    "matched_comparison": (_REASON_OF_DIFFERENCE, ELSEWHERE),
    "comparison": (_REASON_OF_DIFFERENCE, ELSEWHERE),
    "single_group": (
        mark(
            "That the programme is the reason for a change: people who feel bad when they join tend to score closer to "
            "the average later, with or without a programme, and nobody without it was asked."
        ),
    ),
    "interrupted_time_series": (
        mark(
            "That the programme is the reason for a departure from the trend: whatever else happened at that time "
            "would look the same."
        ),
        mark("That any one person is better or worse off: samples were compared, not people with themselves."),
    ),
    "repeated_cross_section": (
        mark(
            "That the programme is the reason for a difference: other people may have been surveyed, and much else "
            "happens between two timepoints."
        ),
        mark("That any one person is better or worse off: samples were compared, not people with themselves."),
    ),
}
"""Design -> what a reader might conclude and should not, beside what the answer itself rules out."""
OF_CERTAINTY: Final = {
    1: mark("We know very little: more research will very likely alter this answer."),
    2: mark("More research is likely to alter this answer; the truth may be quite different."),
    3: mark("The truth is probably close to this answer, but more research may still alter it."),
    4: mark("More research is very unlikely to alter this answer."),
}
"""Level of certainty -> what it means, after GRADE (Guyatt et al. 2008, doi 10.1136/bmj.39489.470347.AD)."""


def say_not_to_conclude(content: ReportContent, claim: Claim | None, level: int) -> tuple[str, ...]:
    """Return what not to conclude from the answer to the primary question.

    Parameters
    ----------
    content : ReportContent
        Its design is read.
    claim : Claim or None
        The answer; None where the plan asks for no comparison.
    level : int
        Certainty of the answer, 1 to 4; 0 where it is not told.
    """
    told = (*_of_answer(content, claim), *_of_level(claim, level))
    if claim is None or not claim.is_answered:
        return told
    return (*told, *(say(line) for line in OF_DESIGN[content.design.kind]))


def _of_answer(content: ReportContent, claim: Claim | None) -> Iterator[str]:
    is_change = content.design.kind == "single_group"
    if claim is None:
        yield say("That people fare alike, or do not: the plan asks for no comparison.")
        yield say(_OBSERVED)
    elif claim.is_withheld and is_change:
        yield say("That there was no change: the answer is not shown, so that nobody can be recognised.")
    elif claim.is_withheld:
        yield say("That there is no difference: the answer is not shown, so that nobody can be recognised.")
    elif not claim.is_answered and is_change:
        yield say("That there was no change: the question was not answered.")
        yield say(_OBSERVED)
    elif not claim.is_answered:
        yield say("That there is no difference: the question was not answered.")
        yield say(_OBSERVED)
    elif not claim.is_clear and is_change:
        yield say("That there was no change: none was clear, and the interval shows how large it may still be.")
    elif not claim.is_clear:
        yield say("That there is no difference: none was clear, and the interval shows how large it may still be.")
    elif not content.design.is_resampled:
        yield say("That it holds for each person: it is a number about many people, and some fare otherwise.")


def _of_level(claim: Claim | None, level: int) -> Iterator[str]:
    """Yield that an answer does not settle the question, where certainty is low."""
    if claim is not None and claim.is_clear and level == 2:
        yield say("That this settles the question: certainty is low.")
    if claim is not None and claim.is_clear and level == 1:
        yield say("That this settles the question: certainty is very low.")


def say_certainty_means(level: int) -> str:
    """Return in one sentence what a level of certainty means; nothing where it is not told."""
    return say(OF_CERTAINTY[level]) if level else ""


def say_interval_means(content: ReportContent, claim: Claim | None) -> str:
    """Return in plain words what an interval is and when something is called clear; nothing without an answer."""
    if claim is None or not claim.is_answered:
        return ""
    if content.design.kind == "single_group":
        return say(
            "The 95\u00a0% interval is the range of changes that fit these answers well: of 100 studies like this "
            "one, about 95 would have the true change in theirs. Its ends are rounded outwards, so that it is never "
            "told narrower than it is. A change is called clear when the whole interval lies on one side of zero."
        )
    return say(
        "The 95\u00a0% interval is the range of differences that fit these answers well: of 100 studies like this one, "
        "about 95 would have the true difference in theirs. Its ends are rounded outwards, so that it is never told "
        "narrower than it is. A difference is called clear when the whole interval lies on one side of zero."
    )

"""The permutation test in words: what drawing lots alone could have made, and where that decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.plan import Outcome
from reports.chance import CHANCE, pick_test
from reports.claim_sentences import join_sentences, label_of
from reports.content import ReportContent
from reports.language import mark, say, say_many
from reports.numbers import format_count, format_percent
from reports.reading import Row, Rows
from reports.sections import Block

SMALLEST: Final = 0.001
CAUTION: Final = mark(
    "Lots decided who was in which arm. Drawing them anew shows what differences luck alone makes; it asks for nothing "
    "else, but can tell little where few were drawn."
)


def say_permutation(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what drawing lots anew tells of the estimands of an outcome; None where it was not asked."""
    sentences: list[str] = []
    caution = ""
    for estimand in content.plan.estimands:
        own = pick_test(rows, estimand.id) if estimand.outcome == outcome.id else {}
        if own:
            caution = say(CAUTION) if own["p_value"].verdict == "estimated" else caution
            at = label_of(content.design, estimand.timepoint)
            sentences.append(say("{timepoint}: {told}", timepoint=at, told=join_sentences(*_say(own))))
    if not sentences:
        return None
    return Block(heading=say("The same question without a model"), sentences=tuple(sentences), caution=caution)


def _say(own: dict[str, Row]) -> Iterator[str]:
    p = own["p_value"]
    if p.verdict != "estimated":
        yield p.told
        return
    if not all(row.is_shown for row in own.values()):
        yield say("what drawing the lots anew tells is not shown, because too few people are behind it.")
        return
    yield _ways(own)
    smallest = own.get("smallest_p_value")
    if smallest is not None and smallest.value >= CHANCE:
        yield say(
            "With so few groups this share cannot be smaller than {share}, so no difference at all could have been "
            "told from chance.",
            share=_percent(smallest.value),
        )


def _ways(own: dict[str, Row]) -> str:
    """Say which share of allocations makes such a difference; how many there are is told of groups, never of people."""
    p, tried = own["p_value"], own.get("allocations")
    share, is_all = _percent(p.value), "all allocations" in p.method
    if tried is None or "groups drawn" not in p.method:
        if is_all:
            return say(
                "of all ways to draw the people, {share} give a difference at least as large as the one found.",
                share=share,
            )
        return say(
            "of a sample of ways to draw the people, {share} give a difference at least as large as the one found.",
            share=share,
        )
    said = {"count": format_count(tried.value), "share": share}
    if is_all:
        return say_many(
            "of all ways to draw the groups (about {count}), {share} gives a difference at least as large as the one "
            "found.",
            "of all ways to draw the groups (about {count}), {share} give a difference at least as large as the one "
            "found.",
            tried.value,
            **said,
        )
    return say_many(
        "of a sample of ways to draw the groups (about {count}), {share} gives a difference at least as large as the "
        "one found.",
        "of a sample of ways to draw the groups (about {count}), {share} give a difference at least as large as the "
        "one found.",
        tried.value,
        **said,
    )


def _percent(share: float) -> str:
    """Return ``2.9 %``, or what it is below."""
    if share >= SMALLEST:
        return format_percent(100 * share, 1)
    return say("less than {share}", share=format_percent(100 * SMALLEST, 1))

"""The permutation test in words: what drawing lots alone could have made, and where that decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.plan import Outcome
from reports.chance import CHANCE, pick_test
from reports.content import ReportContent
from reports.numbers import NO_BREAK, format_count
from reports.reading import Row, Rows
from reports.sections import Block

SMALLEST: Final = 0.001
CAUTION: Final = (
    "Lots decided who was in which arm. Drawing them anew shows what differences luck alone makes; it asks for nothing "
    "else, but can tell little where few were drawn."
)


def say_permutation(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what drawing lots anew tells of the estimands of an outcome; None where it was not asked."""
    labels = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    sentences: list[str] = []
    caution = ""
    for estimand in content.plan.estimands:
        own = pick_test(rows, estimand.id) if estimand.outcome == outcome.id else {}
        if own:
            caution = CAUTION if own["p_value"].verdict == "estimated" else caution
            sentences.append(f"{labels[estimand.timepoint]}: {' '.join(_say(own))}")
    if not sentences:
        return None
    return Block(heading="The same question without a model", sentences=tuple(sentences), caution=caution)


def _say(own: dict[str, Row]) -> Iterator[str]:
    p = own["p_value"]
    if p.verdict != "estimated":
        yield p.method
        return
    smallest, tried = own.get("smallest_p_value"), own.get("allocations")
    if not (p.is_shown and smallest is not None and smallest.is_shown and tried is not None and tried.is_shown):
        yield "what drawing the lots anew tells is not shown, because too few people are behind it."
        return
    ways = "all" if "all allocations" in p.method else "a sample of"
    what = "groups" if "groups drawn" in p.method else "people"
    yield (
        f"of {ways} ways to draw the {what} (about {format_count(tried.value)}), {_percent(p.value)} give a difference "
        "at least as large as the one found."
    )
    if smallest.value >= CHANCE:
        yield (
            f"With so few {what} this share cannot be smaller than {_percent(smallest.value)}, so no difference at all "
            "could have been told from chance."
        )


def _percent(share: float) -> str:
    """Return ``2.9 %``, or what it is below."""
    return f"{100 * share:.1f}{NO_BREAK}%" if share >= SMALLEST else f"less than {100 * SMALLEST:.1f}{NO_BREAK}%"

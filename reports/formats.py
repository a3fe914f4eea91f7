"""Online and in person: an answer with a margin, never a p-value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.exposure import FORMATS
from analysis.formats_part import DIFFERENCE, LEFT_OUT
from analysis.margin_part import JUDGED
from analysis.plan_parts import FormatComparison
from reports import margins
from reports.claims import WITHHELD, capital, join_sentences, say_direction, say_size
from reports.content import ReportContent
from reports.language import mark, say, say_list
from reports.numbers import format_percent
from reports.reading import Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block, Section

LEAD: Final = mark(
    "A person counts as online, or as in person, by most of the sessions that they came to before they answered."
)
CAUTION: Final = mark(
    "Nobody was allocated to a format here: people and groups that meet online may differ from others in more than the "
    "format."
)
_PEOPLE: Final = dict(
    zip(FORMATS, (mark("people who met mostly online"), mark("people who met mostly in person")), strict=True)
)


def say_formats(rows: Rows, content: ReportContent) -> Section | None:
    """Return the comparisons of formats that the plan asks for; None where it asks for none."""
    own = pick(rows, analysis="formats")
    blocks = tuple(_block(part, pick(own, item=part.id), content) for part in content.plan.formats)
    if not (own and blocks):
        return None
    return Section(id="online", title=say("Online and in person"), lead=say(LEAD), blocks=blocks)


def _block(part: FormatComparison, rows: Rows, content: ReportContent) -> Block:
    design = content.design
    measure = content.plan.measure_of(part.outcome, design)
    at = next(known.label for known in design.timepoints if known.id == part.timepoint)
    arm = next((known.label for known in design.arms if known.id == part.arm), part.arm)
    heading = say("{concept} at {timepoint}: {arm}", concept=capital(measure.concept), timepoint=at, arm=arm)
    is_shown = any(row.is_shown for row in rows)
    caution = join_sentences(say(CAUTION), say(margins.CAUTION)) if is_shown else ""
    return Block(heading=heading, sentences=tuple(_sentences(part, rows, content)), caution=caution)


def _sentences(part: FormatComparison, rows: Rows, content: ReportContent) -> Iterator[str]:
    measure = content.plan.measure_of(part.outcome, content.design)
    row, judged = (pick_one(rows, statistic=name) for name in (DIFFERENCE, JUDGED))
    if row is None or row.verdict != "estimated" or judged is None:
        yield join_sentences(say("The formats were not compared."), row.told if row is not None else "")
        return
    if not row.is_shown or not judged.is_shown:
        yield say("How the formats compare is not shown: {reason}.", reason=say(WITHHELD))
        return
    if not judged.prespecified:
        yield say(NOT_PLANNED)
    first, second = (say(_PEOPLE[name]) for name in FORMATS)
    yield margins.say_judgement(judged, part.margin, first, second, measure)
    labels = {known.id: known.label for known in content.design.covariates}
    known_before = say_list([content.design.baseline.label, *(labels[each] for each in part.covariates)])
    at = next(known.label for known in content.design.timepoints if known.id == part.timepoint)
    compared = say(
        "After allowing for {known}, scores on {measure} at {timepoint} compare as follows, online against in "
        "person: {size}.",
        known=known_before,
        measure=measure.label,
        timepoint=at,
        size=say_size(row, measure),
    )
    yield join_sentences(compared, say_direction(measure))
    left_out = pick_one(rows, statistic=LEFT_OUT)
    if left_out is not None and left_out.is_shown and left_out.value > 0:
        yield say(
            "About {share} of the people with scores came to as many sessions of one format as of the other, or to "
            "none; they are left out.",
            share=format_percent(left_out.value),
        )
    yield margins.say_source(part.margin)

"""Online and in person: an answer with a margin, never a p-value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.exposure import FORMATS
from analysis.formats_part import DIFFERENCE, LEFT_OUT
from analysis.margin_part import JUDGED
from analysis.plan_parts import FormatComparison
from reports import margins
from reports.claims import WITHHELD, join_words, say_direction, say_size
from reports.content import ReportContent
from reports.numbers import NO_BREAK, format_number, unit_of
from reports.reading import Rows, pick, pick_one
from reports.sections import NOT_PLANNED, Block, Section

LEAD: Final = (
    "A person counts as online, or as in person, by most of the sessions that they came to before they answered."
)
CAUTION: Final = (
    "Nobody was allocated to a format here: people and groups that meet online may differ from others in more than the "
    f"format. {margins.CAUTION}"
)
_PEOPLE: Final = dict(zip(FORMATS, ("people who met mostly online", "people who met mostly in person"), strict=True))


def say_formats(rows: Rows, content: ReportContent) -> Section | None:
    """Return the comparisons of formats that the plan asks for; None where it asks for none."""
    own = pick(rows, analysis="formats")
    blocks = tuple(_block(part, pick(own, item=part.id), content) for part in content.plan.formats)
    return Section(id="online", title="Online and in person", lead=LEAD, blocks=blocks) if own and blocks else None


def _block(part: FormatComparison, rows: Rows, content: ReportContent) -> Block:
    design = content.design
    measure = content.plan.measure_of(part.outcome, design)
    at = next(known.label for known in design.timepoints if known.id == part.timepoint)
    arm = next((known.label for known in design.arms if known.id == part.arm), part.arm)
    heading = f"{measure.concept[0].upper()}{measure.concept[1:]} at {at}: {arm}"
    return Block(heading=heading, sentences=tuple(_sentences(part, rows, content)), caution=CAUTION)


def _sentences(part: FormatComparison, rows: Rows, content: ReportContent) -> Iterator[str]:
    measure = content.plan.measure_of(part.outcome, content.design)
    row, judged = (pick_one(rows, statistic=name) for name in (DIFFERENCE, JUDGED))
    if row is None or row.verdict != "estimated" or judged is None:
        yield f"The formats were not compared. {row.method if row is not None else ''}".rstrip()
        return
    if not row.is_shown or not judged.is_shown:
        yield f"How the formats compare is not shown: {WITHHELD}."
        return
    if not judged.prespecified:
        yield NOT_PLANNED
    first, second = (_PEOPLE[name] for name in FORMATS)
    yield f"{margins.say_judgement(judged, part.margin, first, second, unit_of(measure, part.margin.value))}."
    labels = {known.id: known.label for known in content.design.covariates}
    alike = join_words([content.design.baseline.label, *(labels[each] for each in part.covariates)])
    at = next(known.label for known in content.design.timepoints if known.id == part.timepoint)
    yield (
        f"After allowing for {alike}, scores on the {measure.label} at {at} compare as follows, online against in "
        f"person: {say_size(row, measure)}. {say_direction(measure)}"
    )
    left_out = pick_one(rows, statistic=LEFT_OUT)
    if left_out is not None and left_out.is_shown and left_out.value > 0:
        yield (
            f"About {format_number(left_out.value, 0)}{NO_BREAK}% of the people with scores came to as many sessions "
            "of one format as of the other, or to none; they are left out."
        )
    yield margins.say_source(part.margin)

"""How scores were spread: people of 100 by band of scores, with the lowest and the highest possible score apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from analysis.design import Measure
from analysis.distribution_part import ANALYSIS, SHARE, read_band
from analysis.plan import Outcome
from reports.cells import Table
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.figures.stacks import ALL, Part, Piece, plot_stacks, shades
from reports.language import say, say_list
from reports.numbers import NOTHING, format_count, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration

MOST_BARS: Final = 8
"""Arms at timepoints that are all drawn; of more, the first and the last timepoint."""
Bars = dict[tuple[str, str], Rows]
"""(arm, timepoint) -> rows of its bands, from the lowest."""


def draw_distribution(outcome: Outcome, rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return how the scores of an outcome were spread, by arm and timepoint; nothing where all of it is hidden.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results: bands that are told are the same in all arms and at all timepoints.
    content : ReportContent
        Labels, design and plan.
    """
    own = [row for row in pick(rows, analysis=ANALYSIS, statistic=SHARE, outcome=outcome.id) if row.is_shown]
    bars = _bars(tuple(own), content)
    if not bars:
        return ()
    measure = content.plan.measure_of(outcome.id, content.design)
    bands = list(dict.fromkeys(row.item for found in bars.values() for row in found))
    labels = [_label(*place, content) for place in bars]
    names = _names(bands, measure)
    figure = plot_stacks(labels, list(_parts(names, bars, labels, measure)))
    alternative = say(
        "Bars of 100 people in bands of scores of {measure}, from the lowest to the highest, by arm and timepoint. The "
        "table below holds the same numbers.",
        measure=measure.label,
    )
    return (
        Illustration(
            id=f"distribution-{outcome.id}",
            figure=figure,
            caption=" ".join((*_caption(names, bars, measure, content), *_say_hidden(outcome, rows, bars, content))),
            alternative=alternative,
            table=_table(names, bars, labels, measure, content),
        ),
    )


def _bars(rows: Rows, content: ReportContent) -> Bars:
    """Return the bands of each arm at each timepoint that is drawn, timepoint by timepoint."""
    design = content.design
    found = {
        (arm.id, timepoint.id): pick(rows, arm=arm.id, timepoint=timepoint.id)
        for timepoint in design.timepoints
        for arm in design.arms
    }
    found = {place: own for place, own in found.items() if own}
    if len(found) > MOST_BARS:
        ends = (design.timepoints[0].id, design.timepoints[-1].id)
        found = {place: own for place, own in found.items() if place[1] in ends}
    return found


def _label(arm: str, timepoint: str, content: ReportContent) -> str:
    at = next(known.label for known in content.design.timepoints if known.id == timepoint)
    if len(content.design.arms) == 1:
        return at
    label = next(known.label for known in content.design.arms if known.id == arm)
    return say("{arm}, {timepoint}", arm=label, timepoint=at)


def _say_hidden(outcome: Outcome, rows: Rows, bars: Bars, content: ReportContent) -> tuple[str, ...]:
    """Return which arms, or arms at timepoints, are not drawn because too few people are behind their bands."""
    design, drawn = content.design, {timepoint for _, timepoint in bars}
    own = pick(rows, analysis=ANALYSIS, statistic=SHARE, outcome=outcome.id, timepoint=tuple(drawn))
    hidden = []
    for arm in design.arms:
        places = list(dict.fromkeys((row.arm, row.timepoint) for row in pick(own, arm=arm.id)))
        missing = [place for place in places if place not in bars]
        is_whole = len(design.arms) > 1 and missing == places
        hidden += [arm.label] if is_whole and missing else [_label(*place, content) for place in missing]
    return (say("Not shown, so that nobody can be recognised: {named}.", named=say_list(hidden)),) if hidden else ()


def _parts(names: dict[str, str], bars: Bars, labels: list[str], measure: Measure) -> Iterator[Part]:
    for (band, name), colour in zip(names.items(), shades(len(names)), strict=True):
        pieces = []
        for label, own in zip(labels, bars.values(), strict=True):
            start = ALL * sum(row.value for row in own[: [row.item for row in own].index(band)])
            number = _number(pick_one(own, item=band))
            hover = say("{place}: {number} of 100 people, scores {band}", place=label, number=number, band=name)
            pieces.append(Piece(start, ALL * pick(own, item=band)[0].value, (number,), hover))
        yield Part(name, colour, tuple(pieces), is_outlined=_is_lowest(band, measure) or _is_highest(band, measure))


def _number(row: Row | None) -> str:
    return NOTHING if row is None else format_count(ALL * row.value)


def _names(bands: list[str], measure: Measure) -> dict[str, str]:
    """Return how each band is called, from the lowest; a score at which two bands meet counts in the higher one."""
    ends = [read_band(band) for band in bands]
    meets = [left[1] == right[0] for left, right in pairwise(ends)]
    return {band: _name(band, measure, is_open=is_open) for band, is_open in zip(bands, [*meets, False], strict=True)}


def _name(band: str, measure: Measure, *, is_open: bool) -> str:
    """Return ``3 to 5``, ``3 to below 5``, or a single score, and whether it is the lowest or the highest possible."""
    low, high = (format_threshold(end) for end in read_band(band))
    if _is_lowest(band, measure):
        return say("{score} (lowest possible)", score=low)
    if _is_highest(band, measure):
        return say("{score} (highest possible)", score=high)
    if is_open:
        return say("{low} to below {high}", low=low, high=high)
    return low if low == high else say("{low} to {high}", low=low, high=high)


def _is_lowest(band: str, measure: Measure) -> bool:
    return read_band(band) == (measure.minimum, measure.minimum)


def _is_highest(band: str, measure: Measure) -> bool:
    return read_band(band) == (measure.maximum, measure.maximum)


def _caption(names: dict[str, str], bars: Bars, measure: Measure, content: ReportContent) -> Iterator[str]:
    bands = list(names)
    if measure.higher_is == "better":
        yield say(
            "How scores of {measure} were spread: of 100 people, low scores are light and on the left, high scores "
            "dark and on the right; higher is better.",
            measure=measure.label,
        )
        end = bands[-1]
    else:
        yield say(
            "How scores of {measure} were spread: of 100 people, low scores are light and on the left, high scores "
            "dark and on the right; lower is better.",
            measure=measure.label,
        )
        end = bands[0]
    design = content.design
    for arm in design.arms:
        at = [timepoint for timepoint in design.timepoints if (arm.id, timepoint.id) in bars]
        if len(at) > 1:
            first, last = (_number(pick_one(bars[arm.id, timepoint.id], item=end)) for timepoint in (at[0], at[-1]))
            yield say(
                "{arm}: {first} scored {band} at {baseline}, {last} at {timepoint}.",
                arm=arm.label, first=first, last=last, band=names[end], baseline=at[0].label,
                timepoint=at[-1].label,
            )  # fmt: skip
    yield _say_ends(names, measure)


def _say_ends(names: dict[str, str], measure: Measure) -> str:
    """Say whether the ends of the range stand apart: where many people have them, a score cannot tell them apart."""
    apart = [name for band, name in names.items() if _is_lowest(band, measure) or _is_highest(band, measure)]
    if apart:
        return say("Outlined: people at an end of the range, {ends}.", ends=say_list(apart))
    return say(
        "How many people have the lowest possible score, {low}, or the highest, {high}, is not shown apart: {reason}.",
        low=format_threshold(measure.minimum), high=format_threshold(measure.maximum), reason=say(WITHHELD),
    )  # fmt: skip


def _table(names: dict[str, str], bars: Bars, labels: list[str], measure: Measure, content: ReportContent) -> Table:
    lines = tuple((name, *(_number(pick_one(own, item=band)) for own in bars.values())) for band, name in names.items())
    notes: tuple[str, ...] = (say("Of 100 people with a score at the timepoint."),)
    if content.plan.small_numbers.protection.protects:
        rounded = say(
            "Numbers are rounded, and neighbouring scores are told together, so that nobody can be recognised."
        )
        notes = (*notes, rounded)
    caption = say("How scores of {measure} were spread", measure=measure.label)
    return Table(caption, (say("Scores"), *labels), lines, notes)

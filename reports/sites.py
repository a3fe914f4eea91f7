"""How much sites differ: shrunken differences and funnel limits, in the order of names or codes, never by rank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from analysis.design import Measure
from analysis.sites import exceeds_chance
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claim_sentences import capital, join_sentences
from reports.claims import WITHHELD, say_direction
from reports.content import ReportContent
from reports.language import mark, say, say_many
from reports.numbers import (
    NOT_SHOWN,
    NOTHING,
    decimals_of,
    format_count,
    format_number,
    format_percent,
    round_outwards,
    say_amount,
)
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block, Illustration

CAUTION: Final = mark(
    "The order of sites is no ranking, and the numbers do not bear one. A difference is drawn towards the average, the "
    "more so the fewer people a site has. A site like all others lies beyond its 95\u00a0% limits once in twenty by "
    "chance alone; one beyond the 99.8\u00a0% limits is a reason to ask, not a verdict on anybody. Sites of few people "
    "are in the model and not listed."
)
NUMBERED: Final = mark(
    "Sites have numbers here instead of names, in the order of their codes in the results: the number tells neither "
    "rank nor size."
)
OF_ALL_ARMS: Final = mark(
    "People of all arms count, allowing for their arm and for what they scored at {baseline}: how sites differ says "
    "nothing of how the arms differ."
)
BELOW_ZERO: Final = mark("Below zero: scores at the site fell more, or rose less, than at the average site.")
OF_FACILITATORS: Final = mark(
    "What lies between facilitators is also what lies between the groups that they lead: the two cannot be told apart."
)
BEFORE_ROUNDING: Final = mark(
    "Sites are held against their limits before rounding: a site beyond a limit may be printed with the same number."
)
POSITIONS: Final = (
    mark("within both limits"),
    mark("beyond the 95\u00a0% limits"),
    mark("beyond the 99.8\u00a0% limits"),
)
_COLUMNS: Final = (
    mark("Site"), mark("Drawn to the average"), INTERVAL, mark("The site alone"), mark("95\u00a0% limits"),
    mark("99.8\u00a0% limits"), mark("The site alone lies"),
)  # fmt: skip
_OF_SITES: Final = mark(
    "Between sites the standard deviation is {amount} ({interval}), {share} of the variance between people alike at "
    "baseline."
)
_OF_SITES_ALONE: Final = mark("Between sites the standard deviation is {amount} ({interval}).")
_OF_FACILITATORS: Final = mark(
    "Between facilitators the standard deviation is {amount} ({interval}), {share} of the variance between people "
    "alike at baseline."
)
_OF_FACILITATORS_ALONE: Final = mark("Between facilitators the standard deviation is {amount} ({interval}).")
_MORE_THAN_CHANCE: Final = mark(
    "More sites lie beyond their limits than chance alone would put there: {near} of {sites} beyond the 95\u00a0% "
    "limits (by chance about 1 in 20), {far} of {sites} beyond the 99.8\u00a0% limits (by chance about 1 in 500). This "
    "asks for a look at how sites differ, such as in who comes; it is no verdict on any of them."
)
_LIKE_CHANCE: Final = mark(
    "Beyond their 95\u00a0% limits lie {near} of {sites} sites (by chance about 1 in 20), beyond their 99.8\u00a0% "
    "limits {far} of {sites} (by chance about 1 in 500). That is not clearly more than chance alone would put there."
)
_NOTHING_DRAWN: Final[Mapping[str, Illustration]] = MappingProxyType({})
_CODE: Final = re.compile(r"s_[0-9a-f]{24}")
"""A code that stands for the name of a site: nobody knows the site by it."""


def say_sites(
    rows: Rows, content: ReportContent, drawn: Mapping[str, Illustration] = _NOTHING_DRAWN
) -> tuple[Block, ...]:
    """Return what is told of sites and facilitators, a block for each timepoint; none without sites.

    Parameters
    ----------
    rows, content : tuple of Row, ReportContent
        Gated results, labels and design.
    drawn : mapping
        Timepoint -> what illustrates its block.
    """
    own = pick(rows, analysis="sites")
    timepoints = [known for known in content.design.timepoints if pick(own, timepoint=known.id)]
    names = name_sites(rows)
    blocks = []
    for timepoint in timepoints:
        at = pick(own, timepoint=timepoint.id)
        measure = content.plan.measure_of(at[0].outcome, content.design)
        of_sites = (*_of_sites(at, measure), *_say_beyond(at))
        of_facilitators = tuple(_of_facilitators(at, measure))
        if not of_sites and not any(row.is_shown for row in at):
            continue  # few facilitators, and that there are few is told of the delivery
        sentences = (*of_sites, *of_facilitators)
        tables = tuple(
            table
            for table in (
                _table(at, measure, names, content, is_drawn=timepoint.id in drawn),
                _means(at, measure, names),
            )
            if table.rows
        )
        caution = say(CAUTION) if tables else ""
        about = {"outcome": capital(measure.concept), "timepoint": timepoint.label}
        heading = (
            say("{outcome} at {timepoint}, by site", **about)
            if of_sites
            else say("{outcome} at {timepoint}, by facilitator", **about)
        )
        figures = (drawn[timepoint.id],) if timepoint.id in drawn else ()
        blocks.append(
            Block(heading=heading, sentences=sentences, illustrations=figures, tables=tables, caution=caution)
        )
    return tuple(blocks)


def name_sites(rows: Rows) -> dict[str, str]:
    """Return site -> what a report calls it: its own name, or a number where only a code is known.

    Numbers follow the order of the codes of all sites, at whatever timepoint, so a site keeps its number.
    """
    sites = sorted({row.item for row in pick(rows, analysis="sites") if row.item})
    return {
        site: say("Site\u00a0{number}", number=format_count(number)) if _CODE.fullmatch(site) else site
        for number, site in enumerate(sites, 1)
    }


def quoted_sites(content: ReportContent) -> list[str]:
    """Return the names of sites as the study gives them."""
    results = content.results
    return [str(name) for name in results.loc[results["analysis"] == "sites", "item"].unique() if name]


def _of_sites(rows: Rows, measure: Measure) -> Iterator[str]:
    number, spread, share = (pick_one(rows, statistic=name) for name in ("sites", "site_spread", "site_icc"))
    if number is not None and number.verdict != "observed":
        yield say("Sites were not compared. {reason}", reason=number.told)
    elif number is not None and number.is_shown:
        yield say_many(
            "{number} site has people with scores at both timepoints.",
            "{number} sites have people with scores at both timepoints.",
            number.value,
            number=format_count(number.value),
        )
    if spread is None:
        return
    if spread.verdict != "estimated":
        yield spread.told
    elif not spread.is_shown:
        yield say("How much sites differ is not shown: {reason}.", reason=say(WITHHELD))
    else:
        message = _OF_SITES if _is_shown(share) else _OF_SITES_ALONE
        yield say(message, **_describe(spread, share, measure))
        if spread.conf_low <= 0:
            yield say("That sites do not differ at all cannot be ruled out, nor can a spread up to the upper end.")


def _say_beyond(rows: Rows) -> Iterator[str]:
    """Yield how many of the listed sites lie beyond their limits, and whether chance alone may put them there."""
    places = [int(row.value) for row in pick(rows, statistic="site_position") if row.is_shown]
    near, far = (sum(place >= limit for place in places) for limit in (1, 2))
    if not near:
        return
    is_more = exceeds_chance(near, len(places), 0.05) or exceeds_chance(far, len(places), 0.002)
    counts = {"near": near, "far": far, "sites": len(places)}
    message = _MORE_THAN_CHANCE if is_more else _LIKE_CHANCE
    yield say(message, **{name: format_count(count) for name, count in counts.items()})


def _of_facilitators(rows: Rows, measure: Measure) -> Iterator[str]:
    spread, share = (pick_one(rows, statistic=name) for name in ("facilitator_spread", "facilitator_icc"))
    if spread is None:
        return
    if spread.verdict != "estimated":
        yield spread.told
    elif not spread.is_shown:
        yield say("How much facilitators differ is not shown: {reason}.", reason=say(WITHHELD))
    else:
        message = _OF_FACILITATORS if _is_shown(share) else _OF_FACILITATORS_ALONE
        yield say(message, **_describe(spread, share, measure))
        if spread.conf_low <= 0:
            yield say(
                "That facilitators do not differ at all cannot be ruled out, nor can a spread up to the upper end."
            )
        yield say(OF_FACILITATORS)


def _is_shown(row: Row | None) -> bool:
    return row is not None and row.is_shown


def _describe(spread: Row, share: Row | None, measure: Measure) -> dict[str, str]:
    """Return what is said of a spread: its size and interval, and its share of the variance where that is shown."""
    decimals = decimals_of(measure)
    amount = say_amount(spread.value, measure, decimals)
    share_of = format_percent(100 * share.value) if share is not None and share.is_shown else ""
    return {"amount": amount, "interval": _say_interval(spread, decimals), "share": share_of}


def _say_interval(row: Row, decimals: int) -> str:
    if row.conf_high != row.conf_high:
        return say("95\u00a0% interval without an upper end")
    low, high = round_outwards(row.conf_low, row.conf_high, decimals)
    ends = {"low": format_number(low, decimals), "high": format_number(high, decimals)}
    return say("95\u00a0% interval {interval}", interval=say("{low} to {high}", **ends))


def _table(rows: Rows, measure: Measure, names: dict[str, str], content: ReportContent, *, is_drawn: bool) -> Table:
    """Return a line for each site; where they are drawn, the figure says of rounding what a note would."""
    decimals = decimals_of(measure)
    lines = []
    for site in dict.fromkeys(row.item for row in pick(rows, statistic="site_position")):
        own = pick(rows, item=site)
        shrunken, near, far, position = (
            pick_one(own, statistic=f"site_{name}") for name in ("prediction", "funnel_95", "funnel_998", "position")
        )
        cells = (value_cell(shrunken, decimals), interval_cell(shrunken, decimals), value_cell(near, decimals),
                 interval_cell(near, decimals), interval_cell(far, decimals), _place(position))  # fmt: skip
        lines.append((names[site], *cells))
    caption = say(
        "Difference of each site from the average site, change of {measure}, in points", measure=measure.label
    )
    several = (say(OF_ALL_ARMS, baseline=content.design.baseline.label),) if len(content.design.arms) > 1 else ()
    way = join_sentences(say(BELOW_ZERO), say_direction(measure))
    rounding = () if is_drawn else (say(BEFORE_ROUNDING),)
    notes = (way, *several, *rounding, *_note_numbers(names), *mark_notes(tuple(lines)))
    return Table(caption, tuple(say(column) for column in _COLUMNS), tuple(lines), notes)


def _note_numbers(names: dict[str, str]) -> tuple[str, ...]:
    """Return what the numbers of sites mean, where any stands for a name."""
    return (say(NUMBERED),) if any(name != site for site, name in names.items()) else ()


def _place(row: Row | None) -> str:
    """Return where a site lies, in words."""
    if row is None:
        return NOTHING
    return say(POSITIONS[int(row.value)]) if row.is_shown else say(NOT_SHOWN)


def _means(rows: Rows, measure: Measure, names: dict[str, str]) -> Table:
    own = pick(rows, statistic="site_mean_change")
    lines = tuple((names[row.item], value_cell(row, decimals_of(measure))) for row in own)
    caption = say("Mean change of {measure} in points, by site", measure=measure.label)
    return Table(caption, (say("Site"), say("Mean change")), lines, (*_note_numbers(names), *mark_notes(lines)))

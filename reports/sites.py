"""How much sites differ: shrunken differences and funnel limits, in the order of names, never a league table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Measure
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claim_sentences import capital
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.language import mark, say, say_many
from reports.numbers import NOT_SHOWN, NOTHING, decimals_of, format_count, format_number, format_percent, say_amount
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

CAUTION: Final = mark(
    "Sites stand in the order of their names; this is no ranking, and the numbers do not bear one. A difference is "
    "drawn towards the average, the more so the fewer people a site has. A site like all others lies beyond its "
    "95\u00a0% limits once in twenty by chance alone; one beyond the 99.8\u00a0% limits is a reason to ask, not a "
    "verdict on anybody. Sites of few people are in the model and not listed."
)
OF_FACILITATORS: Final = mark(
    "What lies between facilitators is also what lies between the groups that they lead: the two cannot be told apart."
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


def say_sites(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return what is told of sites and facilitators, a block for each timepoint; none without sites."""
    own = pick(rows, analysis="sites")
    timepoints = [known for known in content.design.timepoints if pick(own, timepoint=known.id)]
    blocks = []
    for timepoint in timepoints:
        at = pick(own, timepoint=timepoint.id)
        measure = content.plan.measure_of(at[0].outcome, content.design)
        of_sites, of_facilitators = tuple(_of_sites(at, measure)), tuple(_of_facilitators(at, measure))
        if not of_sites and not any(row.is_shown for row in at):
            continue  # few facilitators, and that there are few is told of the delivery
        sentences = (*of_sites, *of_facilitators)
        tables = tuple(table for table in (_table(at, measure), _means(at, measure)) if table.rows)
        caution = say(CAUTION) if tables else ""
        about = {"outcome": capital(measure.concept), "timepoint": timepoint.label}
        heading = (
            say("{outcome} at {timepoint}, by site", **about)
            if of_sites
            else say("{outcome} at {timepoint}, by facilitator", **about)
        )
        blocks.append(Block(heading=heading, sentences=sentences, tables=tables, caution=caution))
    return tuple(blocks)


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
    ends = {"low": format_number(row.conf_low, decimals), "high": format_number(row.conf_high, decimals)}
    return say("95\u00a0% interval {interval}", interval=say("{low} to {high}", **ends))


def _table(rows: Rows, measure: Measure) -> Table:
    decimals = decimals_of(measure)
    lines = []
    for site in dict.fromkeys(row.item for row in pick(rows, statistic="site_position")):
        own = pick(rows, item=site)
        shrunken, near, far, position = (
            pick_one(own, statistic=f"site_{name}") for name in ("prediction", "funnel_95", "funnel_998", "position")
        )
        cells = (value_cell(shrunken, decimals), interval_cell(shrunken, decimals), value_cell(near, decimals),
                 interval_cell(near, decimals), interval_cell(far, decimals), _place(position))  # fmt: skip
        lines.append((site, *cells))
    caption = say(
        "Difference of each site from the average site, change of {measure}, in points", measure=measure.label
    )
    return Table(caption, tuple(say(column) for column in _COLUMNS), tuple(lines), mark_notes(tuple(lines)))


def _place(row: Row | None) -> str:
    """Return where a site lies, in words."""
    if row is None:
        return NOTHING
    return say(POSITIONS[int(row.value)]) if row.is_shown else say(NOT_SHOWN)


def _means(rows: Rows, measure: Measure) -> Table:
    lines = tuple((row.item, value_cell(row, decimals_of(measure))) for row in pick(rows, statistic="site_mean_change"))
    caption = say("Mean change of {measure}, by site", measure=measure.label)
    return Table(caption, (say("Site"), say("Mean change")), lines, mark_notes(lines))

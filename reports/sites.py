"""How much sites differ: shrunken differences and funnel limits, in the order of names, never a league table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Measure
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.numbers import NO_BREAK, NOT_SHOWN, NOTHING, decimals_of, format_count, format_number, unit_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

CAUTION: Final = (
    "Sites stand in the order of their names; this is no ranking, and the numbers do not bear one. A difference is "
    "drawn towards the average, the more so the fewer people a site has. A site like all others lies beyond its "
    f"95{NO_BREAK}% limits once in twenty by chance alone; one beyond the 99.8{NO_BREAK}% limits is a reason to ask, "
    "not a verdict on anybody. Sites of few people are in the model and not listed."
)
OF_FACILITATORS: Final = (
    "What lies between facilitators is also what lies between the groups that they lead: the two cannot be told apart."
)
POSITIONS: Final = ("within both limits", f"beyond the 95{NO_BREAK}% limits", f"beyond the 99.8{NO_BREAK}% limits")
_COLUMNS: Final = (
    "Site", "Drawn to the average", INTERVAL, "The site alone", f"95{NO_BREAK}% limits", f"99.8{NO_BREAK}% limits",
    "The site alone lies",
)  # fmt: skip


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
        caution = CAUTION if tables else ""
        unit = "site" if of_sites else "facilitator"
        heading = f"{measure.concept[0].upper()}{measure.concept[1:]} at {timepoint.label}, by {unit}"
        blocks.append(Block(heading=heading, sentences=sentences, tables=tables, caution=caution))
    return tuple(blocks)


def quoted_sites(content: ReportContent) -> list[str]:
    """Return the names of sites as the study gives them."""
    results = content.results
    return [str(name) for name in results.loc[results["analysis"] == "sites", "item"].unique() if name]


def _of_sites(rows: Rows, measure: Measure) -> Iterator[str]:
    number = pick_one(rows, statistic="sites")
    if number is not None and number.verdict != "observed":
        yield f"Sites were not compared. {number.method}"
    elif number is not None and number.is_shown:
        yield f"{format_count(number.value)} sites have people with scores at both timepoints."
    yield from _spread(rows, "site", "sites", measure)


def _of_facilitators(rows: Rows, measure: Measure) -> Iterator[str]:
    said = tuple(_spread(rows, "facilitator", "facilitators", measure))
    yield from said
    found = pick_one(rows, statistic="facilitator_spread")
    if found is not None and found.is_shown:
        yield OF_FACILITATORS


def _spread(rows: Rows, unit: str, units: str, measure: Measure) -> Iterator[str]:
    """Yield how much units differ: the spread with its interval, and its share."""
    row = pick_one(rows, statistic=f"{unit}_spread")
    share = pick_one(rows, statistic=f"{unit}_icc")
    if row is None:
        return
    if row.verdict != "estimated":
        yield row.method
    elif not row.is_shown:
        yield f"How much {units} differ is not shown: {WITHHELD}."
    else:
        decimals = decimals_of(measure)
        size = f"{format_number(row.value, decimals)}{unit_of(measure)}"
        of_all = (
            f", {format_number(100 * share.value, 0)}{NO_BREAK}% of the variance between people alike at baseline"
            if share is not None and share.is_shown
            else ""
        )
        yield f"Between {units} the standard deviation is {size} ({_ends(row, decimals)}){of_all}."
        if row.conf_low <= 0:
            yield f"That {units} do not differ at all cannot be ruled out, nor can a spread up to the upper end."


def _ends(row: Row, decimals: int) -> str:
    if row.conf_high != row.conf_high:
        return f"{INTERVAL} without an upper end"
    return f"{INTERVAL} {format_number(row.conf_low, decimals)} to {format_number(row.conf_high, decimals)}"


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
    caption = f"Difference of each site from the average site, change of {measure.label}, in points"
    return Table(caption, _COLUMNS, tuple(lines), mark_notes(tuple(lines)))


def _place(row: Row | None) -> str:
    """Return where a site lies, in words."""
    return NOTHING if row is None else POSITIONS[int(row.value)] if row.is_shown else NOT_SHOWN


def _means(rows: Rows, measure: Measure) -> Table:
    lines = tuple((row.item, value_cell(row, decimals_of(measure))) for row in pick(rows, statistic="site_mean_change"))
    return Table(f"Mean change of {measure.label}, by site", ("Site", "Mean change"), lines, mark_notes(lines))

"""Online against in person: the difference with its interval against the margin of the plan, from gated rows only."""

from __future__ import annotations

from analysis.design import Measure
from analysis.formats_part import DIFFERENCE
from analysis.plan_parts import FormatComparison
from reports.cells import Table
from reports.content import ReportContent
from reports.figures.drawing import wrapped
from reports.figures.intervals import Interval, Mark, has_interval, plot_intervals, say_interval
from reports.language import say
from reports.numbers import decimals_of, format_interval, format_number, format_threshold, say_amount, scale_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration


def draw_formats(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return a figure for each comparison of formats that is shown.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    own = pick(rows, analysis="formats", statistic=DIFFERENCE)
    found = [(part, pick_one(own, item=part.id)) for part in content.plan.formats]
    return tuple(_draw(part, row, content) for part, row in found if row is not None and has_interval(row))


def _draw(part: FormatComparison, row: Row, content: ReportContent) -> Illustration:
    design, measure = content.design, content.plan.measure_of(part.outcome, content.design)
    at = next(known.label for known in design.timepoints if known.id == part.timepoint)
    label = say("{measure}, {timepoint}", measure=measure.label, timepoint=at)
    is_lower_better = measure.higher_is == "worse"
    online, in_person = say("Online fared better"), say("In person fared better")
    figure = plot_intervals(
        [Interval(label, row, say_interval(label, row, measure))],
        wrapped(say("Online less in person, {unit}", unit=scale_of(measure)), 30),
        marks=(Mark(0.0), *_margins(part, measure)),
        sides=(online, in_person) if is_lower_better else (in_person, online),
    )
    return Illustration(
        id=f"formats-{part.id}",
        figure=figure,
        caption=_caption(part, row, measure, at),
        alternative=say(
            "Interval of the difference in {measure} at {timepoint} between online and in person, with lines at zero "
            "and at the margin. The table below holds the same numbers.",
            measure=measure.label,
            timepoint=at,
        ),
        table=_table(label, part, row, measure),
    )


def _margins(part: FormatComparison, measure: Measure) -> list[Mark]:
    """Return a line at each border that the plan declares: of non-inferiority on the side where online fared worse."""
    value = part.margin.value
    worse = value if measure.higher_is == "worse" else -value
    ends = (-value, value) if part.margin.question == "equivalence" else (worse,)
    return [Mark(end, say("Margin: {value}", value=format_number(end, 0 if end == int(end) else 1)), is_margin=True)
            for end in ends]  # fmt: skip


def _caption(part: FormatComparison, row: Row, measure: Measure, at: str) -> str:
    decimals, margin = decimals_of(measure), say_amount(part.margin.value, measure)
    values = {"measure": measure.label, "timepoint": at, "value": format_number(row.value, decimals), "margin": margin,
              "interval": format_interval(row.conf_low, row.conf_high, decimals)}  # fmt: skip
    if part.margin.question == "equivalence":
        return say(
            "Online less in person on the {measure} at {timepoint}: {value} (95\u00a0% interval {interval}). Alike "
            "means that the whole interval lies between the dashed lines, {margin} either way.",
            **values,
        )
    return say(
        "Online less in person on the {measure} at {timepoint}: {value} (95\u00a0% interval {interval}). No worse "
        "online means that the whole interval lies on the side of zero of the dashed line, the margin of {margin}.",
        **values,
    )


def _table(label: str, part: FormatComparison, row: Row, measure: Measure) -> Table:
    decimals = decimals_of(measure)
    columns = (say("Measure"), say("Online less in person"), say("95\u00a0% interval"), say("Margin"))
    cells = (format_number(row.value, decimals), format_interval(row.conf_low, row.conf_high, decimals))
    line = (label, *cells, format_threshold(part.margin.value))
    return Table(say("Online less in person, and the margin"), columns, (line,))

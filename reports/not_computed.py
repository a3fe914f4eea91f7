"""What the plan asks for and nothing was computed of: why, and what a researcher may do about it."""

from __future__ import annotations

from typing import Final

from reports.cells import Table
from reports.content import ReportContent
from reports.language import mark, say, say_as, say_list
from reports.reading import Row, Rows, pick

PARTS: Final = {
    "model": mark("{measure}, {timepoint}"),
    "sensitivity": mark("{measure}, {timepoint}: under other assumptions"),
    "dose": mark("{measure}, {timepoint}: sessions and change"),
    "formats": mark("{measure}, {timepoint}: online and in person"),
    "permutation": mark("{measure}, {timepoint}: without a model"),
    "subgroups": mark("{measure}, {timepoint}: for whom"),
    "mediation": mark("{measure}, {timepoint}: by which way"),
    "expected_change": mark("{measure}, {timepoint}: what would have changed anyway"),
    "harms": mark("Harms"),
}
"""Analysis -> which question of the plan its rows are about."""
KEYS: Final = mark("Keys in quotation marks, and those with a colon, are those of sap.yaml and study.yaml.")


def tabulate_not_computed(rows: Rows, content: ReportContent) -> Table:
    """Return a line for each reason why something was not computed.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Table
        The reason with the way out, and the questions that it concerns; no rows where everything was computed.
    """
    concerned: dict[str, dict[str, None]] = {}
    for row in pick(rows, analysis=tuple(PARTS)):
        if row.verdict.startswith(("refused", "failed")) and row.method:
            concerned.setdefault(row.told_with_remedy, {})[_question(row, content)] = None
    lines = tuple((_between(questions), why) for why, questions in concerned.items())
    columns = (say("Question of the plan"), say("Why, and what can be done"))
    notes = (say(KEYS), *_described(rows, content)) if lines else ()
    return Table(say("What was not computed"), columns, lines, notes)


def _described(rows: Rows, content: ReportContent) -> tuple[str, ...]:
    """Return which outcomes without an answer have their scores shown as they were observed."""
    refused = {row.outcome for row in pick(rows, analysis="model") if row.verdict.startswith(("refused", "failed"))}
    means = pick(rows, analysis="descriptive", statistic="mean", outcome=tuple(refused))
    shown = {row.outcome for row in means if row.is_shown}
    named = [
        content.plan.measure_of(each.id, content.design).label for each in content.plan.outcomes if each.id in shown
    ]
    if not named:
        return ()
    return (say("What was observed is described under Outcomes: {measures}.", measures=say_list(named)),)


def _question(row: Row, content: ReportContent) -> str:
    known = {outcome.id for outcome in content.plan.outcomes}
    times = {timepoint.id: timepoint.label for timepoint in content.design.timepoints}
    if row.outcome not in known:
        return say(PARTS["harms"]) if row.analysis == "harms" else row.item
    measure = content.plan.measure_of(row.outcome, content.design).label
    if row.timepoint not in times:
        return measure
    return say(PARTS[row.analysis], measure=measure, timepoint=times[row.timepoint])


def _between(questions: dict[str, None]) -> str:
    # i18n: what stands between parts of a list that are long
    return say_as("between", "; ").join(questions)

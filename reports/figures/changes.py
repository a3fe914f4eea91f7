"""Who changed: of 100 people, how many scored better, about the same and worse, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.change_counts_part import MEANINGFUL, RELIABLE, SHARES
from analysis.plan import Outcome
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.figures.stacks import ALL, Part, Piece, plot_stacks
from reports.house_style import style_worn
from reports.language import say, say_many
from reports.numbers import format_count, say_amount
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration

COLOURS: Final = {"unchanged": "#dfe4e9", "worsened": "#e0a36a"}
"""Very light and medium; with the first colour of the house style, which is dark, three lightnesses in grey."""
_HATCHES: Final = "#8b939b"
Bar = dict[str, Row | None]
"""Statistic -> row of an arm at a timepoint; None where it is hidden, or not there."""


def draw_changes(outcome: Outcome, rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return how many of 100 people scored better and worse, by arm and timepoint; nothing where all of it is hidden.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    """
    own = pick(rows, analysis="change_counts", outcome=outcome.id, statistic=SHARES)
    for rule in (MEANINGFUL, RELIABLE):
        bars = dict(_bars(pick(own, item=rule), content))
        if any(row is not None for bar in bars.values() for row in bar.values()):
            return (_illustrate(bars, rule, outcome, content),)
    return ()


def _bars(rows: Rows, content: ReportContent) -> Iterator[tuple[str, Bar]]:
    """Yield the label and the rows of each bar, timepoint by timepoint."""
    for timepoint in content.design.timepoints:
        for arm in content.design.arms:
            own = pick(rows, timepoint=timepoint.id, arm=arm.id)
            if own:
                several = len(content.design.arms) > 1
                label = say("{arm}, {timepoint}", arm=arm.label, timepoint=timepoint.label) if several else ""
                found = {name: pick_one(own, statistic=name) for name in SHARES}
                shown = {name: row if row is not None and row.is_shown else None for name, row in found.items()}
                yield label or timepoint.label, shown


def _illustrate(bars: dict[str, Bar], rule: str, outcome: Outcome, content: ReportContent) -> Illustration:
    names = _names(rule, outcome, content)
    colours = {"improved": style_worn().colours[0], **COLOURS}
    parts = [Part(names[name], colours[name], tuple(_piece(name, label, bar, names) for label, bar in bars.items()))
             for name in SHARES]  # fmt: skip
    hidden = tuple(_hidden_piece(label, bar) for label, bar in bars.items())
    parts.append(Part(say("Not shown"), _HATCHES, hidden, is_hatched=True))
    measure = content.plan.measure_of(outcome.id, content.design)
    return Illustration(
        id=f"changes-{outcome.id}",
        figure=plot_stacks(list(bars), parts),
        caption=" ".join(_caption(bars, any(hidden), rule, outcome, content)),
        alternative=say(
            "Bars of 100 people: how many scored better, about the same and worse on {measure} than at {baseline}, by "
            "arm and timepoint. The table below holds the same numbers.",
            measure=measure.label,
            baseline=content.design.baseline.label,
        ),
    )


def _names(rule: str, outcome: Outcome, content: ReportContent) -> dict[str, str]:
    """Return what the parts of a bar are called in the legend."""
    smallest = outcome.smallest_meaningful_change
    if rule == MEANINGFUL and smallest is not None:
        amount = say_amount(smallest.value, content.plan.measure_of(outcome.id, content.design))
        return {
            "improved": say("At least {amount} better", amount=amount),
            "unchanged": say("Less than that, either way"),
            "worsened": say("At least {amount} worse", amount=amount),
        }
    return {
        "improved": say("Reliably better"),
        "unchanged": say("No reliable change"),
        "worsened": say("Reliably worse"),
    }


def _people(row: Row | None) -> float:
    return ALL * row.value if row is not None else 0.0


def _number(row: Row) -> str:
    return format_count(_people(row))


def _piece(name: str, label: str, bar: Bar, names: dict[str, str]) -> Piece | None:
    row = bar[name]
    if row is None:
        return None
    people, number = _people(row), _number(row)
    starts = {"improved": 0.0, "unchanged": _people(bar["improved"]), "worsened": ALL - people}
    hover = say(
        "{place}: {number} of 100 people, {change} (95\u00a0% interval {low} to {high})",
        place=label,
        number=number,
        change=names[name][:1].lower() + names[name][1:],
        low=format_count(ALL * row.conf_low),
        high=format_count(ALL * row.conf_high),
    )
    return Piece(starts[name], people, (_in_words(name, row), number), hover)


def _in_words(name: str, row: Row) -> str:
    number, people = _number(row), _people(row)
    if name == "improved":
        return say_many("{number} better", "{number} better", people, number=number)
    if name == "worsened":
        return say_many("{number} worse", "{number} worse", people, number=number)
    return say_many("{number} about the same", "{number} about the same", people, number=number)


def _hidden_piece(label: str, bar: Bar) -> Piece | None:
    """Return the part of a bar of which it is not shown who is in it."""
    if bar["unchanged"] is not None:
        return None
    start = _people(bar["improved"])
    people = ALL - start - _people(bar["worsened"])
    return Piece(start, people, (say("not shown"),), say("{place}: not shown", place=label))


def _caption(
    bars: dict[str, Bar], is_hidden: bool, rule: str, outcome: Outcome, content: ReportContent
) -> Iterator[str]:
    baseline, smallest = content.design.baseline.label, outcome.smallest_meaningful_change
    if rule == MEANINGFUL and smallest is not None:
        amount = say_amount(smallest.value, content.plan.measure_of(outcome.id, content.design))
        yield say(
            "People of 100 who scored at least {amount} better or worse than at {baseline}.",
            amount=amount,
            baseline=baseline,
        )
    else:
        yield say(
            "People of 100 whose score was better or worse than at {baseline} by more than measurement error.",
            baseline=baseline,
        )
    for label, bar in bars.items():
        better, worse = bar["improved"], bar["worsened"]
        if better is not None and worse is not None:
            yield say("{place}: {better} better, {worse} worse.", place=label, better=_number(better),
                      worse=_number(worse))  # fmt: skip
        elif better is not None:
            yield say("{place}: {better} better.", place=label, better=_number(better))
        elif worse is not None:
            yield say("{place}: {worse} worse.", place=label, worse=_number(worse))
    if is_hidden:
        yield say("Hatched parts are not shown: {reason}.", reason=say(WITHHELD))

"""Cells of tables: gated rows as text, and what the marks in them mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analysis.profiles import Profile
from reports.claims import WITHHELD
from reports.language import mark, say
from reports.numbers import (
    NOT_SHOWN,
    NOTHING,
    decimals_to_print,
    format_count,
    format_interval,
    format_number,
    format_p,
)
from reports.reading import Row

INTERVAL: Final = mark("95\u00a0% interval")
"""Heading of a column: `say` it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print; the first cell of each row is its header.

    Attributes
    ----------
    caption : str
        What the table holds.
    columns : tuple of str
        Column headers.
    rows : tuple of tuple of str
        Cells.
    notes : tuple of str
        What the marks mean.
    is_text : bool
        No cell is a number, whatever it looks like: versions, names.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    is_text: bool = False


def rounding_notes(profile: Profile) -> tuple[str, ...]:
    """Return that numbers of people are rounded, where the profile of small numbers rounds them."""
    if profile.rounded_to == 1:
        return ()
    return (say("Numbers of people are rounded to the nearest {number}.", number=format_count(profile.rounded_to)),)


def people_cell(row: Row | None) -> str:
    """Return how many people, as far as that may be said; an en dash without a row."""
    return NOTHING if row is None else row.people


def value_cell(row: Row | None, decimals: int) -> str:
    """Return a value, ``not shown`` where it is hidden, an en dash without a row."""
    if row is None or row.hidden:
        return NOTHING if row is None else say(NOT_SHOWN)
    is_whole = decimals_to_print(row.conf_low, row.conf_high, decimals, row.value) == 0
    return format_number(row.value, 0 if is_whole else decimals)


def interval_cell(row: Row | None, decimals: int) -> str:
    """Return an interval, or an en dash."""
    return NOTHING if row is None or row.hidden else format_interval(row.conf_low, row.conf_high, decimals)


def p_cell(row: Row, p: float) -> str:
    """Return a p-value, or an en dash where its row is hidden."""
    return NOTHING if row.hidden else format_p(p)


def count_cell(row: Row | None) -> str:
    """Return a count of anything, ``not shown`` where it is hidden, an en dash without a row."""
    return NOTHING if row is None else say(NOT_SHOWN) if row.hidden else format_count(row.value)


def mark_notes(lines: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return what ``not shown`` means, if any cell says it."""
    is_marked = any(say(NOT_SHOWN) in cell for line in lines for cell in line)
    return (say("“{mark}”: {reason}.", mark=say(NOT_SHOWN), reason=say(WITHHELD)),) if is_marked else ()

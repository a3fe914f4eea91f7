"""Cells of tables: gated rows as text, and what the marks in them mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports.claims import WITHHELD
from reports.numbers import (
    NO_BREAK,
    NOT_SHOWN,
    NOTHING,
    decimals_to_print,
    format_count,
    format_interval,
    format_number,
    format_p,
)
from reports.reading import Row

MARK: Final = f"\u201c{NOT_SHOWN}\u201d: {WITHHELD}."
INTERVAL: Final = f"95{NO_BREAK}% interval"


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
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def people_cell(row: Row | None) -> str:
    """Return how many people, as far as that may be said; an en dash without a row."""
    return NOTHING if row is None else row.people


def value_cell(row: Row | None, decimals: int) -> str:
    """Return a value, ``not shown`` where it is hidden, an en dash without a row."""
    if row is None or row.hidden:
        return NOTHING if row is None else NOT_SHOWN
    is_whole = decimals_to_print(row.conf_low, row.conf_high, decimals) == 0
    return format_number(row.value, 0 if is_whole else decimals)


def interval_cell(row: Row | None, decimals: int) -> str:
    """Return an interval, or an en dash."""
    return NOTHING if row is None or row.hidden else format_interval(row.conf_low, row.conf_high, decimals)


def p_cell(row: Row, p: float) -> str:
    """Return a p-value, or an en dash where its row is hidden."""
    return NOTHING if row.hidden else format_p(p)


def count_cell(row: Row | None) -> str:
    """Return a count of anything, ``not shown`` where it is hidden, an en dash without a row."""
    return NOTHING if row is None else NOT_SHOWN if row.hidden else format_count(row.value)


def mark_notes(lines: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return what ``not shown`` means, if any cell says it."""
    return (MARK,) if any(NOT_SHOWN in cell for line in lines for cell in line) else ()

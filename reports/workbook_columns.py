"""Columns of a workbook: an interval, which the page prints in one cell, takes a column for each of its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reports.cells import Table
from reports.language import Language, language_spoken, mark, say
from reports.numbers import MINUS, NO_BREAK, NOTHING

_ENDS: Final = (mark("{column}: from"), mark("{column}: to"))
_TURNS: Final = re.compile("[\u200e\u200f\u2066-\u2069]")
"""Marks around a text that keeps its own direction; a cell with a number alone needs none."""


def spread_intervals(table: Table) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return headers and rows of a table with the numbers of its intervals in columns of their own.

    Parameters
    ----------
    table : Table
        As the page prints it.

    Returns
    -------
    columns : tuple of str
        A column of ``-4.2 to -0.6`` becomes two, one of ``18.2 (16.8 to 19.5)`` three; any other stays as it is, and
        so does one that holds both intervals and single numbers.
    rows : tuple of tuple of str
        The numbers as they are printed; a cell without an interval stands in the first of its columns, an en dash in
        the others.
    """
    first, *others = zip(table.columns, _columns(table), strict=True)
    spread = [((first[0],), [(cell,) for cell in first[1]]), *(_spread(*column) for column in others)]
    names = tuple(name for names, _ in spread for name in names)
    rows = zip(*(cells for _, cells in spread), strict=True) if table.rows else ()
    return names, tuple(tuple(text for cell in row for text in cell) for row in rows)


def read_number(text: str, language: Language) -> tuple[float, str] | None:
    """Return value and number format of a cell that prints a number, a share as a part of one; None of any other."""
    plain = text.replace(MINUS, "-")
    if language.thousands in plain:
        grouped = (
            rf"-?[0-9]{{1,3}}(?:{re.escape(language.thousands)}[0-9]{{3}})+(?![0-9{re.escape(language.thousands)}])"
        )
        if not re.match(grouped, plain):
            return None
        plain = plain.replace(language.thousands, "")
    percent = plain.removesuffix(f"{NO_BREAK}%")
    found = re.fullmatch(rf"-?[0-9]+(?:{re.escape(language.decimal_point)}([0-9]+))?", percent)
    if found is None:
        return None
    decimals = len(found.group(1) or "")
    number = float(percent.replace(language.decimal_point, "."))
    shown = f"0.{'0' * decimals}" if decimals else "#,##0"
    return (number, shown) if percent == plain else (round(number / 100, decimals + 2), f"{shown}%")


def _columns(table: Table) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each column, also where there are no rows."""
    return (tuple(row[place] for row in table.rows) for place in range(len(table.columns)))


def _spread(name: str, cells: tuple[str, ...]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the headers of a column, and for each row as many cells."""
    language, ends = language_spoken(), tuple(say(end, column=name) for end in _ENDS)
    interval = say("{low} to {high}", low="\1", high="\1")
    around = say("{mean} ({interval})", mean="\1", interval=interval)
    for pattern, names in ((interval, ends), (around, (name, *ends))):
        found = [_numbers(pattern, cell, language) for cell in cells]
        alone = [cell for cell, numbers in zip(cells, found, strict=True) if not numbers]
        # a number alone is no end of an interval, but may stand where others have one
        if any(found) and (pattern == around or not any(read_number(cell, language) for cell in alone)):
            nothing = (NOTHING,) * (len(names) - 1)
            return names, [numbers or (cell, *nothing) for cell, numbers in zip(cells, found, strict=True)]
    return (name,), [(cell,) for cell in cells]


def _numbers(pattern: str, cell: str, language: Language) -> tuple[str, ...]:
    """Return the numbers of a cell printed by a pattern, which has a mark for each; none of any other."""
    point, thousands = re.escape(language.decimal_point), re.escape(language.thousands)
    number = f"({MINUS}?[0-9](?:[0-9{thousands}]*[0-9])?(?:{point}[0-9]+)?)"
    found = re.fullmatch(re.escape(_plain(pattern)).replace(re.escape("\1"), number), _plain(cell))
    return found.groups() if found else ()


def _plain(text: str) -> str:
    return _TURNS.sub("", text).replace(NO_BREAK, " ")

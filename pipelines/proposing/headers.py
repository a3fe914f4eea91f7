"""The row of a sheet that holds the column names, where a title or remarks stand above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

LAST_ROW: Final = 20
"""Nobody writes more rows of remarks above a table."""
MOST_SEEN: Final = 200
_FEWEST_COLUMNS: Final = 2
_NUMBER: Final = re.compile(r"[-+]?[\d.,:/-]+( [\d:]+)?")


def find_header_row(path: Path, sheet: str | None) -> int | None:
    """Return the first row that can be a header: words, all different, side by side, and rows as wide below.

    Parameters
    ----------
    path : Path
        A workbook.
    sheet : str, optional
        Name of the sheet; the first without it.

    Returns
    -------
    int or None
        Number of the row, from 1; None where no row can be.
    """
    rows = _first_rows(path, sheet)
    for place, row in enumerate(rows[:LAST_ROW]):
        if _is_header(row) and _goes_with(len(row), rows[place + 1 :]):
            return place + 1
    return None


def _first_rows(path: Path, sheet: str | None) -> list[list[str]]:
    """Return the cells of the first rows up to the last that is filled."""
    from openpyxl import load_workbook

    with path.open("rb") as file, closing(load_workbook(file, read_only=True, data_only=True)) as book:
        page = book[sheet] if sheet else book.worksheets[0]
        found = []
        for cells in page.iter_rows(max_row=MOST_SEEN, values_only=True):
            texts = ["" if cell is None else str(cell).strip() for cell in cells]
            found.append(texts[: max((place for place, text in enumerate(texts, 1) if text), default=0)])
    return found


def _is_header(row: Sequence[str]) -> bool:
    is_named = len(row) >= _FEWEST_COLUMNS and all(row)
    return is_named and len(set(row)) == len(row) and not any(_NUMBER.fullmatch(text) for text in row[:1])


def _goes_with(width: int, below: Sequence[Sequence[str]]) -> bool:
    """Tell whether no row below is wider, and most have half of their cells filled at least."""
    filled = [sum(map(bool, row)) for row in below if row]
    most = sum(count >= width / 2 for count in filled) > len(filled) / 2
    return bool(filled) and most and all(len(row) <= width for row in below)

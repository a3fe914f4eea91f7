"""Columns that tell a day: in which format, and which of them tells when somebody answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Final

import pandas as pd

from pipelines.sources import RawTable

MOST_SEEN: Final = 500
"""Different values of a column that are looked at."""
READ: Final = 0.95
"""Share of the cells that a format must read: a word among days does not make another format."""
FILLED: Final = 0.5
_DAYS: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y",
    "%d.%m.%y",
)  # fmt: skip
_TIMES: Final = (
    "", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M:%S%z",
    "T%H:%M:%S.%f%z",
)  # fmt: skip
FORMATS: Final = tuple(day + time for day, time in product(_DAYS, _TIMES))
_NAMED: Final = re.compile(r"(^|_)(date|day|datum|fecha|dt|today|answered_on|completed_on)(_|$)")
_OF_OTHERS: Final = re.compile(r"enrol|consent|random|admi|diagnos|discharg|birth|death|deadline|due|plan|next|sent")
"""Words of days that are not those of the answers."""
_OF_ANSWERS: Final = re.compile(r"visit|answer|interview|survey|assess|complet|today")


@dataclass(frozen=True, slots=True)
class DayProposal:
    """A column with days.

    Attributes
    ----------
    column : str
        Its name.
    formats : tuple of str
        The formats (`strptime`) that read its values; several where day and month cannot be told apart.
    others : tuple of str
        Other columns that could tell the same.
    """

    column: str
    formats: tuple[str, ...]
    others: tuple[str, ...] = ()


def find_day_formats(values: pd.Series) -> tuple[str, ...]:
    """Return the formats in which nearly all cells of a column are days, the most usual first; none for other columns.

    Parameters
    ----------
    values : Series
        Text; blank cells do not count.
    """
    counts = values.str.strip().value_counts()
    counts = counts[counts.index != ""].head(MOST_SEEN)
    if counts.empty or not re.search(r"\d", counts.index[0]):
        return ()
    read = {each: sum(count for text, count in counts.items() if _reads(text, each)) for each in FORMATS}
    return tuple(each for each, count in read.items() if count >= READ * counts.sum())


def find_answered_on(
    table: RawTable, of_system: Sequence[str], asked: Collection[str], apart: Collection[str]
) -> DayProposal | None:
    """Return the column that probably tells the day of the answers.

    Parameters
    ----------
    table : RawTable
        A file as read.
    of_system : sequence of str
        Columns in which the survey system tells it, the best first.
    asked : collection of str
        Columns with answers: in the rows that have any, the day must mostly be told.
    apart : collection of str
        Columns that are something else, or may identify a person.
    """
    cells = table.cells
    rows = (cells[list(asked)] != "").any(axis=1) if asked else pd.Series(data=True, index=cells.index)
    plain = {column: re.sub(r"\W+", "_", column.casefold()) for column in cells.columns}
    named = [
        column for column in cells.columns if _NAMED.search(plain[column]) and not _OF_OTHERS.search(plain[column])
    ]
    named.sort(key=lambda column: not _OF_ANSWERS.search(plain[column]))
    lower = {column.casefold(): column for column in cells.columns}
    first = [lower[name.casefold()] for name in of_system if name.casefold() in lower]
    found: list[DayProposal] = []
    for column in dict.fromkeys([*first, *named]):
        told = cells.loc[rows, column]
        if column not in apart and column not in asked and (told.str.strip() != "").mean() >= FILLED:
            formats = find_day_formats(told)
            found += [DayProposal(column, formats)] if formats else []
    if not found:
        return None
    return DayProposal(found[0].column, found[0].formats, tuple(one.column for one in found[1:]))


def _reads(text: str, day_format: str) -> bool:
    try:
        datetime.strptime(text, day_format)  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return False
    return True

"""Gated results as typed rows: the only way from the table to prose, tables and charts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from analysis.results import NAN, Result
from reports.language import say, say_reason, say_told
from reports.numbers import NOT_SHOWN, format_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Result):
    """A gated result.

    Attributes
    ----------
    hidden : bool
        The disclosure gate took its numbers out.
    at_least : float
        Where the exact number of people is withheld: the number that may be said instead; otherwise NaN.
    words : str
        `method` as pattern and values; empty where it is a text as it is.
    """

    hidden: bool = False
    at_least: float = NAN
    words: str = ""

    @property
    def told(self) -> str:
        """`method` in the language of the report; of what was refused why, without what a researcher may do."""
        return say_reason(self.words, self.method)

    @property
    def told_with_remedy(self) -> str:
        """`method` in the language of the report; of what was refused also what a researcher may do about it."""
        return say_told(self.words, self.method)

    @property
    def is_exact(self) -> bool:
        """Whether the number of people may be printed as it is."""
        return self.n == self.n

    @property
    def is_bounded(self) -> bool:
        """Whether it may be said that there are so many people at least, and no more of their number."""
        return not self.is_exact and self.at_least == self.at_least

    @property
    def people(self) -> str:
        """How many people are behind the number, as far as that may be said."""
        if self.is_exact:
            return format_count(self.n)
        if not self.is_bounded:
            return say(NOT_SHOWN)
        return say("at least {count}", count=format_count(self.at_least))

    @property
    def is_shown(self) -> bool:
        """Whether there is a number to print."""
        return not self.hidden and self.value == self.value


Rows = tuple[Row, ...]


def read_rows(gated: pd.DataFrame) -> Rows:
    """Return the rows of a gated `results` table, in its order."""
    names = [field.name for field in fields(Row)]
    return tuple(Row(**record) for record in gated[names].to_dict("records"))


def pick(rows: Iterable[Row], **where: Any) -> Rows:
    """Return the rows whose attributes equal `where`; a tuple allows any of its values."""
    wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in where.items()}
    return tuple(row for row in rows if all(getattr(row, name) in values for name, values in wanted.items()))


def pick_one(rows: Iterable[Row], **where: Any) -> Row | None:
    """Return the first row whose attributes equal `where`, or None."""
    found = pick(rows, **where)
    return found[0] if found else None

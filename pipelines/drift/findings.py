"""What drift is told of: one finding, and the occasions of the deliveries that are compared with each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from instruments import Instrument
from pipelines.deliveries import Cell, Delivery, list_cells
from pipelines.study import Study

Severity = Literal["error", "warning", "info"]
Kind = Literal[
    "column_new", "column_gone", "column_unmapped", "item_not_asked", "codes_differ", "labels_changed",
    "question_changed", "range_changed", "item_order", "date_format",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference between deliveries, or between a delivery and what is declared of it.

    Attributes
    ----------
    severity : {"error", "warning", "info"}
        ``error``: answers would look right and be wrong; nothing is stored. ``warning``: a person should look.
    kind : str
        What differs.
    told, how_to_fix : str
        A sentence, and what to do. Never an answer of a participant, an id or free text.
    source, timepoint, column, name : str
        Where, as far as it is about one: table, occasion, column of the file, instrument and item.
    found, expected : str
        What the file has and what it was held against, where it can be said in a few codes or names.
    """

    severity: Severity
    kind: Kind
    told: str
    how_to_fix: str
    source: str = ""
    timepoint: str = ""
    column: str = ""
    name: str = ""
    found: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """The item columns of a table at a timepoint, as they are declared.

    Attributes
    ----------
    delivery : Delivery
        The table.
    timepoint : str
        One of those that it tells; tables with equal columns at several timepoints have an occasion for each.
    items : mapping
        Instrument and item -> its cell.
    """

    delivery: Delivery
    timepoint: str
    items: Mapping[str, Cell]

    @property
    def source(self) -> str:
        """The name of the table."""
        return self.delivery.table.source

    def columns_of(self, instrument: str) -> list[str]:
        """Return the columns of an instrument's items, in its order."""
        return [cell.column for name, cell in self.items.items() if instrument_of(name) == instrument]


def list_occasions(study: Study, files: Sequence[Delivery], library: Mapping[str, Instrument]) -> tuple[Occasion, ...]:
    """Return the occasions of all tables, in the order of the study's weeks."""
    weeks = {timepoint.id: timepoint.week for timepoint in study.timepoints}
    found = [
        Occasion(
            file,
            timepoint,
            {cell.name: cell for cell in list_cells(study, file.declared, library, wide, timepoint)
             if cell.kind == "item"},
        )
        for file in files
        for wide, timepoint in file.declared.timepoint.occasions
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: weeks[one.timepoint]))


def instrument_of(name: str) -> str:
    """Return the instrument of an item such as ``gad-7 1``."""
    return name.partition(" ")[0]


def name_items(names: Sequence[str]) -> str:
    """Return items of one instrument as one text: ``gad-7 1, 2``."""
    return f"{instrument_of(names[0])} {', '.join(name.partition(' ')[2] for name in names)}"


def name_columns(columns: Iterable[str]) -> str:
    """Return columns as one text that stays short."""
    names = list(dict.fromkeys(columns))
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{', '.join(names[:3])} ... {names[-1]} ({len(names)})"


def is_name(column: str) -> bool:
    """Tell whether a column that nobody declared is called by one word with letters.

    Anything else may be an answer (of a first row that is no header), or a question with somebody's name.
    """
    return bool(re.search(r"[^\W\d_]", column) and re.fullmatch(r"[^\s@]+", column)) and len(column) <= LONGEST_NAME


MOST_NAMED = 5
LONGEST_NAME = 200
"""Characters of a column name; questions as headers are shorter."""

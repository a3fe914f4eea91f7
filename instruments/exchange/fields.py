"""Names and texts of fields, which the exchange formats share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_contracts.errors import Problem
from instruments.errors import InstrumentError
from instruments.model import Instrument

LABEL_ONLY: Final = "Our own short label; the wording is left to whoever holds the licence."
LONGEST_NAME: Final = 26
"""Characters of a field name that REDCap recommends at most; other tools allow more."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class FieldNames:
    """What an export calls the form, its items and its computed measures.

    Attributes
    ----------
    form : str
        Name of the form.
    items, measures : mapping
        Item id, or measure id, -> field name: lower-case letters, digits and underscores, a letter first, no name
        twice, at most `LONGEST_NAME` characters.
    """

    form: str
    items: Mapping[str, str]
    measures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form that was read.

    Attributes
    ----------
    name, form, kind : str
        Its name, the form or group that it stands in, and its type, as the file writes them.
    row : int
        Where it stands in the file.
    concept : str
        Our concept of an item where our annotation tells it, the label of the field otherwise.
    is_question : bool
        Whether it can be an item, which has one answer that can be a number.
    answers : tuple of float, optional
        The codes to choose from, or both ends of a range; empty where codes are no numbers, None where not told.
    is_range : bool
        Whether `answers` are the ends of a range.
    labels : tuple of str
        The words of each code of `answers`; empty where there are none.
    """

    name: str
    form: str
    kind: str
    row: int
    concept: str
    is_question: bool
    answers: tuple[float, ...] | None = None
    is_range: bool = False
    labels: tuple[str, ...] = ()


def name_fields(instrument: Instrument) -> FieldNames:
    """Return the names of the fields, ``<id>_<item>`` and ``<id>_<measure>`` in letters that all tools take.

    A name that would be too long is cut, and one that is taken gets a number.
    """
    form = _safe(instrument.id)[:LONGEST_NAME]
    taken = {f"{form}_complete"}  # REDCap adds a field of this name to every form
    items = {item.id: _fresh(f"{form}_{_safe(item.id)}", taken) for item in instrument.items}
    measures = {one.id: _fresh(f"{form}_{_safe(one.id)}", taken) for one in instrument.scored_measures}
    return FieldNames(form, items, measures)


def require_items(instrument: Instrument) -> None:
    """Raise InstrumentError where an instrument has no items to export."""
    if not instrument.items:
        contact = f" {instrument.licence.contact}" if instrument.licence.contact else ""
        raise InstrumentError(
            Problem(
                "no_items",
                f"{instrument.id} has no items here: {instrument.licence.terms}",
                f"Build the form from the licensed original, and deliver its scores.{contact}",
            )
        )


def one_line(text: str) -> str:
    """Return a text with its line breaks and runs of blanks as single blanks."""
    return " ".join(text.split())


def no_formula(text: str) -> str:
    """Return a label that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def read_numbers(texts: Sequence[str]) -> tuple[float, ...]:
    """Return texts as numbers; none of them where one is no number."""
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        return ()
    return numbers if np.isfinite(numbers).all() else ()


def _safe(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _fresh(name: str, taken: set[str]) -> str:
    """Return the name, cut and numbered so that it is short enough and new, and mark it as taken."""
    found = name[:LONGEST_NAME].rstrip("_")
    number = 2
    while found in taken:
        found = f"{name[: LONGEST_NAME - len(str(number)) - 1].rstrip('_')}_{number}"
        number += 1
    taken.add(found)
    return found

"""How a text of a file is read: as a number, as a day, as a label."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

_YEARS: Final = range(1900, 2101)
NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_COMMA_NUMBER: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")
_NO_SEPARATOR: Final = re.compile("%[A-Za-z]%(?!z)")
"""Of a format such as %Y%m%d, in which a missing digit would make another day; the offset of a time zone makes none."""
_ISO_TIME: Final = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-9:.]+)?")
"""How dates of a spreadsheet, which have no format of their own, are written out."""


def read_day(text: str, date_format: str) -> str:
    """Return a day as YYYY-MM-DD, told in the declared format or as a spreadsheet does; empty for anything else."""
    try:
        told = datetime.strptime(text, date_format)  # noqa: DTZ007 - a day has no time zone
        is_whole = not _NO_SEPARATOR.search(date_format) or told.strftime(date_format) == text
    except ValueError:
        try:
            return _plausible(datetime.fromisoformat(text)) if _ISO_TIME.fullmatch(text) else ""
        except ValueError:
            return ""
    return _plausible(told) if is_whole else ""


def _plausible(told: datetime) -> str:
    """Return the day of a time at which somebody may have answered; 9999-12-31 stands for no day."""
    return told.date().isoformat() if told.year in _YEARS else ""


def plain_number(text: str) -> str:
    """Return a number in one spelling, so that 1, 1.0 and +1 are the same; any other text as it is."""
    return f"{float(text):.15g}" if NUMBER.fullmatch(text) else text


def with_decimal_point(text: str) -> str:
    """Return a number that has a decimal comma with a decimal point; any other text as it is."""
    return text.replace(",", ".") if _COMMA_NUMBER.fullmatch(text) else text


def plain_label(text: str) -> str:
    """Return what counts of an answer's text: neither case, nor spaces, nor the form of a letter."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()

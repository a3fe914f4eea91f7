"""Workbooks for spreadsheet programs: text stays text, and the same content gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any, Final

_BLANK: Final = "[\\s\u00ad\u200b-\u200f\u2060-\u2069\ufeff]"
FORMULA_START: Final = re.compile(f"\\A(?=[\t\r\n])|(?:\\A|[;\t\r\n|])(?={_BLANK}*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""How a text begins that a spreadsheet program may take for a formula, or a part of one that it takes for a cell."""
_TIMELESS: Final = (1980, 1, 1, 0, 0, 0)
_WRITTEN_AT: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_text(cell: Any, text: str) -> None:
    """Put a text into a cell of openpyxl so that no program takes it for a formula; control characters are dropped."""
    cell.value = _UNPRINTABLE.sub("", text)
    cell.data_type = "s"  # openpyxl takes a text that begins with '=' for a formula
    cell.quotePrefix = FORMULA_START.match(text) is not None


def without_times(written: io.BytesIO) -> bytes:
    """Return a workbook without the times of its writing."""
    timeless = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(timeless, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN_AT.sub(b"1980-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, _TIMELESS), content, zipfile.ZIP_DEFLATED)
    return timeless.getvalue()

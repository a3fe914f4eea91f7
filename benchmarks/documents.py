"""Tables in markdown, and sections of a document that scripts write between markers."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in markdown, its columns aligned so that it also reads well on a console."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, *rows]
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def wrapped(text: str) -> str:
    """Return a paragraph in lines of at most 120 characters."""
    return textwrap.fill(text, 120, break_on_hyphens=False)


def write_section(path: Path, name: str, text: str) -> None:
    """Write text between the markers of a section of a document; without them, at its end."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = path.read_text(encoding="utf-8") if path.exists() else ""
    if first not in whole or last not in whole:
        whole = f"{whole}\n{first}\n{last}\n".lstrip()
    before, rest = whole.split(first, 1)
    after = rest.split(last, 1)[1]
    path.write_text(f"{before}{first}\n\n{text.strip()}\n\n{last}{after}", encoding="utf-8")

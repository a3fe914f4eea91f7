"""The files of a report as they are published, and what somebody takes out of their bytes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import pandas as pd

from pipelines.reporting import FORMATS
from reports import Report

_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009]+")
_FROM: Final = re.compile(r": from( \(\d+\))?$")
_CELLS: Final = ("td", "th", "caption")


@dataclass
class Read:
    """A table as it is read: caption, and rows of cells, the headings first."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Placed:
    """A piece of a drawing: its words and where they stand, or the path of a shape (then `words` is empty)."""

    x: float
    y: float
    words: str = ""
    path: str = ""
    anchor: str = ""


@dataclass
class Taken:
    """What is in a file: tables, running texts, plotly figures, still drawings, and results."""

    tables: list[Read] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    drawings: list[list[Placed]] = field(default_factory=list)
    results: pd.DataFrame | None = None


def write_files(report: Report, *, with_pdf: bool = False) -> dict[str, bytes]:
    """Return name -> bytes of every file of a report that may leave, made as the command line makes them."""
    made = [FORMATS[name] for name in FORMATS if with_pdf or "pdf" not in name]
    files = {name: make(report) for name, make in made}
    files["provenance.json"] = json.dumps(report.content.provenance, indent=2, ensure_ascii=False).encode()
    return files


def take_apart(files: Mapping[str, bytes]) -> dict[str, Taken]:
    """Return what is in each file.

    Raises
    ------
    ValueError
        A file is of a kind that nothing here reads.
    """
    return {name: _READERS[name.rpartition(".")[2]](content) for name, content in files.items()}


def plain(text: str) -> str:
    """Return a text with single common spaces, and hyphens for minus signs."""
    return _SPACES.sub(" ", text).replace("\u2212", "-").strip()


class _Page(HTMLParser):
    """Takes tables, texts, figures and drawings out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = Taken()
        self._inside = ""
        self._words: list[str] = [""]
        self._figure = self._id = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told, tables = dict(attrs), self.taken.tables
        if tag == "svg":
            self.taken.drawings.append([])
        elif tag in ("text", "path") and self.taken.drawings:
            x, y = (float(told.get(name) or "nan") for name in ("x", "y"))
            self.taken.drawings[-1].append(Placed(x, y, path=told.get("d") or "", anchor=told.get("text-anchor") or ""))
        elif tag == "table":
            tables.append(Read())
        elif tag == "tr" and tables:
            tables[-1].rows.append([])
        elif tag in ("td", "th") and tables and tables[-1].rows:
            tables[-1].rows[-1].append("")
        # What no eye sees is read as well: titles, descriptions for machines, and labels.
        self._words += [
            f" {value} " for name, value in attrs if value and name in ("title", "aria-label", "alt", "content")
        ]
        if tag == "script":
            self._inside = "json" if told.get("type") == "application/json" else "script"
            self._figure, self._id = "", told.get("id") or ""
        elif tag in (*_CELLS, "text", "style"):
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._inside == "json":
            self.taken.figures.append({**json.loads(self._figure), "id": self._id})
        if tag in (*_CELLS, "script", "style", "text"):
            self._inside = ""
        self._words.append(" ")

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self._figure += data
        elif self._inside == "caption":
            self.taken.tables[-1].caption += data
        elif self._inside in ("td", "th"):
            self.taken.tables[-1].rows[-1][-1] += data
        elif self._inside == "text" and self.taken.drawings:
            last = self.taken.drawings[-1][-1]
            last.words = f"{last.words} {data}".strip()
        if self._inside not in ("json", "script", "style"):
            self._words.append(data)

    def handle_comment(self, data: str) -> None:
        self._words.append(f" {data} ")

    def close(self) -> None:
        super().close()
        self.taken.texts = [plain("".join(self._words)), *map(plain, _texts(self.taken.figures))]


def _read_page(content: bytes) -> Taken:
    page = _Page()
    page.feed(content.decode())
    page.close()
    return page.taken


def _texts(node: object) -> list[str]:
    if isinstance(node, str):
        return [re.sub(r"<[^>]+>", " ", node)]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for child in children for text in _texts(child)]


def _read_book(content: bytes) -> Taken:
    """Take in every sheet, and every other part of the archive as text."""
    import openpyxl

    taken = Taken()
    for sheet in openpyxl.load_workbook(io.BytesIO(content)):
        rows = [[_shown(cell) for cell in row] for row in sheet.iter_rows()]
        heads = next((place for place, row in enumerate(rows) if sum(map(bool, row)) > 1), len(rows))
        taken.tables.append(Read(rows[0][0] if rows else "", _joined(rows[heads:])))
        taken.texts += [plain(". ".join(filter(None, row))) for row in rows]
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        names = [name for name in parts.namelist() if not name.startswith("xl/worksheets/sheet")]
        taken.texts += [plain(re.sub(r"<[^>]+>", " ", parts.read(name).decode(errors="replace"))) for name in names]
    return taken


def _joined(rows: list[list[str]]) -> list[list[str]]:
    """Return a table with both ends of an interval in one cell, behind its number where it has one: ``4 (3 to 5)``."""
    heads = rows[0] if rows else []
    starts = [place for place, head in enumerate(heads[:-1]) if _FROM.search(head) and ": to" in heads[place + 1]]
    for place in reversed(starts):
        name = _FROM.sub("", heads[place])
        is_behind = place > 0 and heads[place - 1] == name
        for row in rows:
            low, high = row[place : place + 2]
            row[place : place + 2] = [name if row is heads else f"{low} to {high}" if high else low]
            if is_behind:
                said = row.pop(place)
                row[place - 1] += "" if row is heads or not re.search(r"\d", said) else f" ({said})"
    return rows


def _shown(cell: Any) -> str:
    """Return what a spreadsheet program shows in a cell, and any comment behind it."""
    value, decimals = cell.value, str(cell.number_format).partition(".")[2].count("0")
    if isinstance(value, int | float) and "%" in str(cell.number_format):
        value = f"{100 * value:.{decimals}f} %"
    elif isinstance(value, float):
        value = f"{value:.{decimals}f}" if value != round(value, 0) or decimals else str(int(value))
    return plain(" ".join(str(part) for part in (value, cell.comment and cell.comment.text) if part is not None))


def _read_csv(content: bytes) -> Taken:
    table = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", dtype={"item": "str", "contrast": "str"})
    return _as_results(table, content.decode("utf-8-sig"))


def _read_parquet(content: bytes) -> Taken:
    return _as_results(pd.read_parquet(io.BytesIO(content)), "")


def _as_results(table: pd.DataFrame, text: str) -> Taken:
    """Take in a table: of results its rows, of anything else its words."""
    if "statistic" not in table:
        return Taken(texts=[plain(text)])
    texts = [
        plain(str(words)) for name in ("method", "verdict") if name in table for words in set(table[name].dropna())
    ]
    table = table.fillna(dict.fromkeys(table.columns[(table.dtypes == "str") | (table.dtypes == "object")], ""))
    return Taken(texts=texts, results=table)


def _read_pdf(content: bytes) -> Taken:
    ran = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)  # noqa: S607
    text = ran.stdout.decode()
    return Taken(texts=[plain(text), *map(plain, text.splitlines())])


_READERS: Final = {
    "html": _read_page,
    "xlsx": _read_book,
    "csv": _read_csv,
    "parquet": _read_parquet,
    "json": lambda content: Taken(texts=[plain(content.decode())]),
    "pdf": _read_pdf,
}

"""The tables of a report as a workbook for spreadsheet programs: what is printed, and nothing else.

One table a sheet, from its first cell, after a sheet that lists them: as the guidance on accessible spreadsheets of the
United Kingdom's Analysis Function asks. Numbers are the printed ones, so no digit leaves that the page does not show.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from instruments.exchange.workbooks import without_times, write_text
from reports.cells import Table
from reports.language import Language, language_spoken, mark, say, speaking
from reports.numbers import MINUS, NO_BREAK
from reports.render import Report, lint_report
from reports.sections import Illustration

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

WIDEST: Final = 60
"""Characters of the widest column; longer cells wrap."""
_LEAVE_OUT: Final = ("headline",)
"""Parts of the view that stand in it twice."""
_ANNEX: Final = mark("Method annex")
_PEOPLE: Final = mark("People")
_SECTIONS: Final = {
    "delivery": mark("The programme as delivered"),
    **dict.fromkeys(("people_figures", "flow"), _PEOPLE),
    **dict.fromkeys(("annex", "annex_figures", "estimates", "verdicts", "quality", "provenance"), _ANNEX),
}
"""Part of the view without a heading of its own -> where it stands in the report."""


def render_workbook(report: Report) -> bytes:
    """Return the tables of a report as an .xlsx workbook.

    Parameters
    ----------
    report : Report
        Gated and put into words.

    Returns
    -------
    bytes
        The same for the same report. No cell is a formula, whatever a label begins with.

    Raises
    ------
    ReportError
        A table says more than the design allows.
    """
    import openpyxl

    with speaking(report.content.language):
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        contents = book.create_sheet(say("Contents"))
        found = list(tables_of(report.view))
        for number, (_, table) in enumerate(found, 1):
            _add_table(book.create_sheet(str(number)), table, number)
        _add_contents(contents, report, found)
        for sheet in book.worksheets:
            sheet.sheet_view.rightToLeft = language_spoken().direction == "rtl"
        book.properties.title = report.content.title
        book.properties.language = language_spoken().tag
        book.properties.creator = "peerimpact"
    said = [text for where, table in found for text in (where, table.caption, *table.columns, *table.notes)]
    lint_report("\n".join([*said, *(cell for _, table in found for row in table.rows for cell in row)]), report)
    written = io.BytesIO()
    book.save(written)
    return without_times(written)


def tables_of(part: Any, where: str = "") -> Iterator[tuple[str, Table]]:
    """Yield every table of a part of a report in reading order, with the heading that it stands under."""
    if isinstance(part, Table):
        yield where, part
    elif isinstance(part, tuple):
        for each in part:
            yield from tables_of(each, where)
    elif is_dataclass(part) and not isinstance(part, Illustration):
        own = getattr(part, "title", "") or getattr(part, "heading", "")
        here = f"{where}: {own}" if where and own else where or own
        for field in fields(part):
            if field.name not in _LEAVE_OUT:
                yield from tables_of(getattr(part, field.name), here or _section_of(field.name))
    elif isinstance(part, Illustration) and part.table is not None:
        yield where, part.table


def _section_of(name: str) -> str:
    return say(_SECTIONS[name]) if name in _SECTIONS else ""


def _add_contents(sheet: Worksheet, report: Report, found: list[tuple[str, Table]]) -> None:
    """List the tables, after the title and what must be known before reading any of them."""
    from openpyxl.worksheet.hyperlink import Hyperlink

    lines = [report.content.title, *report.view.banners]
    lines.append(say("Numbers are rounded and protected as in the report; read them with what it says about them."))
    for row, line in enumerate(lines, 1):
        write_text(sheet.cell(row, 1), line)
    _embolden(sheet.cell(1, 1))
    first = len(lines) + 2
    for column, name in enumerate((say("Sheet"), say("Table"), say("Part of the report")), 1):
        write_text(sheet.cell(first, column), name)
        _embolden(sheet.cell(first, column))
    for number, (where, table) in enumerate(found, 1):
        for column, text in enumerate((str(number), table.caption, where), 1):
            write_text(sheet.cell(first + number, column), text)
        cell = sheet.cell(first + number, 1)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{number}'!A1")
    _set_widths(sheet, [("", table.caption, where) for where, table in found])


def _add_table(sheet: Worksheet, table: Table, number: int) -> None:
    """Write caption, notes and table; the header row is marked as one."""
    from openpyxl.styles import Alignment
    from openpyxl.worksheet.table import Table as Marked
    from openpyxl.worksheet.table import TableStyleInfo

    for row, line in enumerate((table.caption, *table.notes), 1):
        write_text(sheet.cell(row, 1), line)
    _embolden(sheet.cell(1, 1))
    header = len(table.notes) + 3
    for column, name in enumerate(_distinct(table.columns), 1):
        write_text(sheet.cell(header, column), name)
        _embolden(sheet.cell(header, column))
    for row, cells in enumerate(table.rows, header + 1):
        for column, text in enumerate(cells, 1):
            _write_cell(sheet.cell(row, column), text, language_spoken())
            sheet.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
    if table.rows:
        last = sheet.cell(header + len(table.rows), len(table.columns)).coordinate
        marked = Marked(displayName=f"table_{number}", ref=f"A{header}:{last}")
        marked.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
        sheet.add_table(marked)
    sheet.freeze_panes = sheet.cell(header + 1, 2).coordinate
    _set_widths(sheet, [table.columns, *table.rows])


def _write_cell(cell: Any, text: str, language: Language) -> None:
    """Write a number as a number, as it is printed; everything else as text."""
    plain = text.replace(language.thousands, "").replace(MINUS, "-")
    percent = plain.removesuffix(f"{NO_BREAK}%")
    found = re.fullmatch(rf"-?[0-9]+(?:{re.escape(language.decimal_point)}([0-9]+))?", percent)
    if found is None:
        write_text(cell, text)
        return
    decimals = len(found.group(1) or "")
    number = float(percent.replace(language.decimal_point, "."))
    shown = f"0.{'0' * decimals}" if decimals else "#,##0"
    is_percent = percent != plain
    cell.value = round(number / 100, decimals + 2) if is_percent else number
    cell.number_format = f"{shown}%" if is_percent else shown


def _distinct(columns: tuple[str, ...]) -> list[str]:
    """Return headers of which none is empty or there twice, as a marked table wants them."""
    names: list[str] = []
    for column in columns:
        name = column or say("Of")
        names.append(name if name not in names else f"{name} ({sum(known.startswith(name) for known in names) + 1})")
    return names


def _set_widths(sheet: Worksheet, rows: list[tuple[str, ...]]) -> None:
    from openpyxl.utils import get_column_letter

    for column, cells in enumerate(zip(*rows, strict=True), 1):
        sheet.column_dimensions[get_column_letter(column)].width = min(WIDEST, 4 + max(map(len, cells)))


def _embolden(cell: Any) -> None:
    from openpyxl.styles import Font

    cell.font = Font(bold=True)

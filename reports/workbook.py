"""The tables of a report as a workbook for spreadsheet programs: what is printed, and nothing else.

One table a sheet, after a sheet that lists and links them: as the guidance on accessible spreadsheets of the United
Kingdom's Analysis Function asks. Numbers are the printed ones, so no digit leaves that the page does not show.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from instruments.exchange.workbooks import without_times, write_text
from reports.cells import Table
from reports.language import language_spoken, mark, say, speaking
from reports.render import Report, lint_report
from reports.sections import Illustration
from reports.workbook_columns import read_number, spread_intervals

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

WIDEST: Final = 60
"""Characters of the widest column; longer cells wrap."""
_LINKED: Final = "0b5a97"
_LONGEST_NAME: Final = 31
_FORBIDDEN: Final = re.compile(
    "[\\[\\]:*?/\\\\\x00-\x1f\x7f\ufffe\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069\U00010000-\U0010ffff]"
)
"""Characters that no name of a sheet may hold, that turn its direction, or that count twice towards its length."""
_LEAVE_OUT: Final = ("headline",)
"""Parts of the view that stand in it twice."""
_ANNEX: Final = mark("Method annex")
_PEOPLE: Final = mark("People")
_SECTIONS: Final = {
    "delivery": mark("The programme as delivered"),
    **dict.fromkeys(("people_figures", "flow"), _PEOPLE),
    **dict.fromkeys(
        ("annex", "annex_figures", "not_computed", "estimates", "verdicts", "quality", "provenance"), _ANNEX
    ),
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
        names = [name_sheet(number, where, table.caption) for number, (where, table) in enumerate(found, 1)]
        _add_contents(contents, report, names, found)
        for number, (name, (_, table)) in enumerate(zip(names, found, strict=True), 1):
            _add_table(book.create_sheet(name), table, number, report.view.banners)
        for sheet in book.worksheets:
            _lay_out(sheet, report.view.banners)
        book.properties.title = report.content.title
        book.properties.language = language_spoken().tag
        book.properties.creator = "peerimpact"
    said = [text for where, table in found for text in (where, table.caption, *table.columns, *table.notes)]
    lint_report(
        "\n".join([*report.view.banners, *said, *(cell for _, table in found for row in table.rows for cell in row)]),
        report,
    )
    if report.renamed:
        render_workbook(report.renamed)
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


def name_sheet(number: int, where: str, caption: str) -> str:
    """Return the name of a sheet in short words: ``7 Felt stigma, Differences…``.

    Parameters
    ----------
    number : int
        Its place; it keeps names apart, and first.
    where, caption : str
        As `tables_of` yields them.

    Returns
    -------
    str
        At most 31 characters, none that spreadsheet programs forbid in a name.
    """
    section, caption = (" ".join(_FORBIDDEN.sub(" ", text).split()) for text in (where.partition(": ")[0], caption))
    room = _LONGEST_NAME - len(f"{number} ")
    is_told = not section or section == say(_ANNEX) or caption.startswith(section)
    begun = "" if is_told else f"{_shorten(section, room // 2)}, "
    return f"{number} {begun}{_shorten(caption, room - len(begun))}".rstrip("' ")


def _shorten(text: str, room: int) -> str:
    """Return as many whole words as there is room for."""
    if len(text) <= room:
        return text
    words = text[:room].rpartition(" ")[0] or text[: room - 1]
    return words.rstrip(" ,") + "…"


def _section_of(name: str) -> str:
    return say(_SECTIONS[name]) if name in _SECTIONS else ""


def _add_contents(sheet: Worksheet, report: Report, names: list[str], found: list[tuple[str, Table]]) -> None:
    """List the tables, after the title and what must be known before reading any of them."""
    lines = [report.content.title, *report.view.banners]
    if released := report.content.released:
        lines.append(say("Release {number}, {date}", number=str(released.number), date=released.date))
    lines.append(say("Numbers are rounded and protected as in the report; read them with what it says about them."))
    _write_lines(sheet, lines)
    header = (say("Sheet"), say("Table"), say("Part of the report"))
    rows = [(name, table.caption, where) for name, (where, table) in zip(names, found, strict=True)]
    first = len(lines) + 2
    for column, text in enumerate(header, 1):
        write_text(sheet.cell(first, column), text)
        _embolden(sheet.cell(first, column))
    for row, cells in enumerate(rows, first + 1):
        for column, text in enumerate(cells, 1):
            write_text(sheet.cell(row, column), text)
        _link(sheet.cell(row, 1), cells[0])
    sheet.freeze_panes = sheet.cell(first + 1, 1).coordinate
    _set_widths(sheet, [header, *rows])


def _add_table(sheet: Worksheet, table: Table, number: int, banners: tuple[str, ...]) -> None:
    """Write caption, marks, notes and table; the header row is marked as one."""
    from openpyxl.styles import Alignment
    from openpyxl.worksheet.table import Table as Marked
    from openpyxl.worksheet.table import TableStyleInfo

    lines = (table.caption, *banners, *table.notes)
    _write_lines(sheet, lines)
    write_text(back := sheet.cell(len(lines) + 1, 1), say("Contents"))
    _link(back, say("Contents"))
    columns, rows = spread_intervals(table)
    header = len(lines) + 2
    for column, name in enumerate(_distinct(columns), 1):
        write_text(sheet.cell(header, column), name)
        sheet.cell(header, column).alignment = Alignment(wrap_text=True, vertical="top")
        _embolden(sheet.cell(header, column))
    for row, cells in enumerate(rows, header + 1):
        for column, text in enumerate(cells, 1):
            write = write_text if table.is_text or column == 1 else _write_cell  # the first is the header of its row
            write(sheet.cell(row, column), text)
            sheet.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
    if rows:
        marked = Marked(
            displayName=f"table_{number}", ref=f"A{header}:{sheet.cell(header + len(rows), len(columns)).coordinate}"
        )
        marked.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
        sheet.add_table(marked)
    sheet.freeze_panes = sheet.cell(header + 1, 2).coordinate
    sheet.print_title_rows = f"{header}:{header}"
    _set_widths(sheet, [columns, *rows])


def _write_lines(sheet: Worksheet, lines: Sequence[str]) -> None:
    """Write what stands before a table, the first line as its title."""
    for row, line in enumerate(lines, 1):
        write_text(sheet.cell(row, 1), line)
    _embolden(sheet.cell(1, 1))


def _link(cell: Any, name: str) -> None:
    """Make a cell lead to a sheet of the workbook; it asks for nothing outside."""
    from openpyxl.styles import Font
    from openpyxl.worksheet.hyperlink import Hyperlink

    quoted = name.replace("'", "''")
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!A1")
    cell.font = Font(color=_LINKED, underline="single")


def _write_cell(cell: Any, text: str) -> None:
    """Write a number as a number, as it is printed; everything else as text."""
    found = read_number(text, language_spoken())
    if found is None:
        write_text(cell, text)
    else:
        cell.value, cell.number_format = found


def _lay_out(sheet: Any, banners: tuple[str, ...]) -> None:
    """Set the direction of reading, and how a sheet is printed: as wide as the paper, marked on every page."""
    sheet.sheet_view.rightToLeft = language_spoken().direction == "rtl"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight = True, 0
    if banners:
        sheet.oddHeader.center.text = " \u00b7 ".join(banners)
    sheet.oddFooter.center.text = "&P / &N"


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

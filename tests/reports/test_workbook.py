"""Tables as a workbook: sheets that are found by their names, numbers that can be computed with, marks on all of it."""

import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl import Workbook

from reports import ReportContent, prepare_report
from reports.cells import Table
from reports.language import LANGUAGES, open_language, speaking
from reports.workbook import name_sheet, render_workbook
from reports.workbook_columns import read_number, spread_intervals

Build = Callable[..., ReportContent]


def open_book(content: ReportContent) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(render_workbook(prepare_report(content))))


@pytest.fixture(scope="module")
def book(build: Build) -> Workbook:
    return open_book(build())


def test_sheets_are_named_by_section_and_table(book: Workbook) -> None:
    names = book.sheetnames
    assert names[0] == "Contents"
    assert any(re.fullmatch("[0-9]+ Felt stigma, Differences…", name) for name in names)
    assert any(name.endswith(" All estimates") for name in names)


@pytest.mark.parametrize(
    ("where", "caption"),
    [
        ("[a]:b*c?d/e\\\\f", "'quoted'"),
        ("", "'"),
        ("A section of very many words indeed", "A caption of even more words than that"),
        ("\u2067\u0645\u062c\u0645\u0648\u0639\u2069", "x" * 90),
        ("\U0001f600" * 40, "\U0001f600" * 40),
        ("a\x00b\nc", "=1+1"),
    ],
)
def test_a_name_is_one_that_spreadsheet_programs_take(where: str, caption: str) -> None:
    name = name_sheet(83, where, caption)
    assert len(name.encode("utf-16-le")) <= 2 * 31
    assert not re.search(r"[\[\]:*?/\\\x00-\x1f]", name)
    assert name.startswith("83")
    assert not name.endswith("'")
    Workbook().create_sheet(name)


def test_the_contents_lead_to_every_sheet_and_every_sheet_leads_back(book: Workbook) -> None:
    contents, *sheets = book.worksheets
    places = [cell.hyperlink.location for (cell, *_) in contents.iter_rows() if cell.hyperlink]
    assert places == ["'" + sheet.title.replace("'", "''") + "'!A1" for sheet in sheets]
    for sheet in sheets:
        assert [cell.hyperlink.location for (cell, *_) in sheet.iter_rows() if cell.hyperlink] == ["'Contents'!A1"]
        assert all(not cell.hyperlink.target for row in sheet.iter_rows() for cell in row if cell.hyperlink)


def test_both_ends_of_an_interval_are_numbers(book: Workbook) -> None:
    sheet = next(sheet for sheet in book.worksheets if sheet.title.endswith("Felt stigma, Differences…"))
    rows = [row for row in sheet.iter_rows(values_only=True) if row[1] is not None]
    header, first = rows[0], rows[1]
    told = dict(zip(header, first, strict=True))
    assert (told["95\u00a0% interval: from"], told["95\u00a0% interval: to"]) == (-4.2, -0.6)


@pytest.mark.parametrize("tag", sorted(LANGUAGES))
def test_no_language_leaves_an_interval_in_one_cell(tag: str, build: Build) -> None:
    report = prepare_report(build(language=open_language(tag)))
    with speaking(report.content.language):
        for table in report.view.headline.tables:
            assert len(spread_intervals(table)[0]) > len(table.columns)


def test_what_stands_where_others_have_an_interval_is_kept() -> None:
    cells = (("a", "1.5 (0.5 to 2.5)"), ("b", "not shown"), ("c", "1,200"))
    columns, rows = spread_intervals(Table(caption="t", columns=("x", "y"), rows=cells))
    assert columns == ("x", "y", "y: from", "y: to")
    assert rows == (
        ("a", "1.5", "0.5", "2.5"),
        ("b", "not shown", "\u2013", "\u2013"),
        ("c", "1,200", "\u2013", "\u2013"),
    )


def test_a_column_of_numbers_with_an_interval_among_them_stays_as_it_is() -> None:
    table = Table(caption="t", columns=("x", "y"), rows=(("a", "6 to 10"), ("b", "7.9")))
    assert spread_intervals(table) == (table.columns, table.rows)


def test_every_sheet_bears_the_marks_on_screen_and_on_paper(build: Build) -> None:
    content = build(synthetic=True)
    banners = prepare_report(content).view.banners
    assert len(banners) == 2
    for sheet in open_book(content).worksheets:
        assert [sheet["A2"].value, sheet["A3"].value] == list(banners)
        header: Any = sheet.oddHeader
        assert all(banner in header.center.text for banner in banners)


def test_a_table_is_marked_as_one_with_its_header_in_view(book: Workbook) -> None:
    marked = [sheet for sheet in book.worksheets if sheet.tables]
    assert len(marked) > 10
    for sheet in marked:
        table: Any
        (table,) = sheet.tables.values()
        header = int(re.findall("[0-9]+", table.ref)[0])
        assert sheet.freeze_panes == f"B{header + 1}"
        assert sheet.print_title_rows == f"${header}:${header}"
        assert all(cell.value for cell in sheet[header][: len(table.tableColumns)])
    assert book.properties.title
    assert book.properties.language == "en"


@pytest.mark.parametrize("tag", ["en", "es", "fr", "ar"])
def test_a_version_is_no_number_in_any_language(tag: str) -> None:
    language = open_language(tag)
    for version in ("3.11.7", "1.2.3", "12.34.567", "1,23,4"):
        assert read_number(version, language) is None
    assert read_number(f"1{language.thousands}234", language) == (1234.0, "#,##0")


def test_versions_and_names_of_rows_stay_texts(book: Workbook) -> None:
    (sheet,) = [sheet for sheet in book.worksheets if sheet["A1"].value == "Software"]
    assert {type(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None} == {str}
    assert all(isinstance(row[0].value, str | None) for sheet in book.worksheets for row in sheet.iter_rows())

"""Workbooks as people have them: titles above the header, dates of two calendars, merged cells, other programs' files."""

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pipelines.sources import excel
from pipelines.sources.excel import read_excel
from pipelines.sources.model import RawTable, SourceError

Change = Callable[[openpyxl.Workbook], object]
SECRET = "zq81-secret-answer"


def save(path: Path, rows: list[list[object]], change: Change = lambda book: None, name: str = "A") -> Path:
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(path)
    return path


def rewrite(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """Change the text of one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content.decode()) if name.endswith(part) else content)
    return path


def read(path: Path, **options: Any) -> RawTable:
    table = read_excel(path, path.name, **options)
    assert table.rows_read == len(table.cells) + len({line.source_row for line in table.set_aside})
    return table


def fate(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


def test_rows_above_the_header_are_excluded_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Report of the spring", None, "x"],
        [""],
        ["pid", "q"],
        ["007", 1],
        [None, None],
        ["8", 2, 3],
    ]
    table = read(save(tmp_path / "a.xlsx", rows), header_row=3)
    assert table.cells.columns.tolist() == ["pid", "q"]
    assert table.cells["pid"].to_dict() == {4: "007"}
    assert fate(table) == [(1, "above_header", "excluded"), (2, "above_header", "excluded"), (5, "blank_row", "excluded"), (6, "field_count", "row")]  # fmt: skip


def test_a_title_that_is_merged_above_the_header_does_no_harm(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [["Title"], ["pid", "q"], ["1", 2]], lambda book: book.active.merge_cells("A1:B1"))
    assert read(path, header_row=2).cells.loc[3].tolist() == ["1", "2"]


@pytest.mark.parametrize("epoch", ["1900", "1904"])
def test_dates_are_those_of_the_calendar_of_the_workbook(tmp_path: Path, epoch: str) -> None:
    def change(book: openpyxl.Workbook) -> None:
        if epoch == "1904":
            book.epoch = CALENDAR_MAC_1904

    moments = [
        datetime.date(2025, 3, 4),
        datetime.datetime(2025, 3, 4, 10, 5, 6),  # noqa: DTZ001
        datetime.time(9, 30),
        datetime.timedelta(hours=36),
    ]
    path = save(tmp_path / "a.xlsx", [["day", "moment", "time", "duration"], list(moments)], change)
    with zipfile.ZipFile(path) as archive:
        assert ('date1904="1"' in archive.read("xl/workbook.xml").decode()) is (epoch == "1904")
    assert read(path).cells.loc[2].tolist() == ["2025-03-04", "2025-03-04T10:05:06", "09:30:00", "36:00:00"]


def test_a_number_that_is_shown_as_a_date_but_is_none_is_an_error_cell_and_is_not_told(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["B2"].number_format = "yyyy-mm-dd"

    table = read(save(tmp_path / "a.xlsx", [["pid", "day"], ["1", 99999999]], change))
    assert table.cells["day"].tolist() == ["#VALUE!"]
    assert not recwarn.list


def test_a_day_without_a_date_format_stays_the_number_that_it_is(tmp_path: Path) -> None:
    assert read(save(tmp_path / "a.xlsx", [["pid", "day"], ["1", 45000]])).cells["day"].tolist() == ["45000"]


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.25, "0%", "0.25"), (1.1, "General", "1.1"), (3.0, "0.00", "3"), (1e-7, "General", "0.0000001"), (2 / 3, "0.0", "0.6666666666666666"),
        ("007", "@", "007"), ("3,5", "General", "3,5"), ("1e5", "General", "1e5"), (" 3 ", "General", " 3 "), ("NA", "General", "NA"),
        (12345678901, "0", "12345678901"), (False, "General", "FALSE"), ("#N/A", "General", "#N/A"), ("line\nbreak", "General", "line\nbreak"),
        ("2025-03-04", "General", "2025-03-04"), ("04/03/2025", "General", "04/03/2025"),
    ],
)  # fmt: skip
def test_a_cell_is_what_is_stored_and_text_stays_text(
    tmp_path: Path, value: object, number_format: str, text: str
) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["B2"].number_format = number_format

    assert read(save(tmp_path / "a.xlsx", [["pid", "q"], ["1", value]], change)).cells["q"].tolist() == [text]


def test_a_formula_that_gives_an_empty_text_is_blank_and_one_without_a_value_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [["pid", "a", "b"], ["1", "=B9", "=C9"]])
    rewrite(path, "sheet1.xml", lambda xml: xml.replace('<c r="B2"><f>B9</f><v></v></c>', '<c r="B2" t="str"><f>B9</f><v></v></c>').replace('<c r="B2"><f>B9</f><v /></c>', '<c r="B2" t="str"><f>B9</f><v /></c>'))  # fmt: skip
    assert read(path).cells.loc[2].tolist() == ["1", "", "#formula without a stored value"]


def test_merged_cells_below_the_header_quarantine_their_rows(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for merged in ("A2:A4", "B6:C6", "A7:C9", "A11:B12"):  # the third and fourth hold nothing
            book.active.merge_cells(merged)

    rows: list[list[object]] = [
        ["pid", "a", "b"],
        ["1", 1, 2],
        [None, 3, 4],
        [None, 5, 6],
        ["2", 1, 2],
        ["3", 1],
        [],
        [],
        [],
        ["4", 0, 0],
    ]
    table = read(save(tmp_path / "a.xlsx", rows, change))
    assert table.cells["pid"].to_dict() == {5: "2", 10: "4"}
    assert [row for row, rule, _ in fate(table) if rule == "merged_cells"] == [2, 3, 4, 6]


def test_hidden_rows_columns_and_sheets_are_read_like_all_others(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active.row_dimensions[2].hidden = True
        book.active.column_dimensions["B"].hidden = True
        book.active.sheet_state = "hidden"
        book.create_sheet("Shown").append(["pid", "q"])

    path = save(tmp_path / "a.xlsx", [["pid", "q"], ["1", 2]], change)
    assert read(path, sheet="A").cells.loc[2].tolist() == ["1", "2"]
    with pytest.raises(SourceError, match=r"2 sheets \(1 hidden\)"):
        read_excel(path, "a.xlsx")


def test_a_wide_sheet_is_read_to_its_last_column(tmp_path: Path) -> None:
    names = [f"q{n}" for n in range(3000)]
    table = read(save(tmp_path / "a.xlsx", [list(names), list(range(3000))]))
    assert table.cells.loc[2].tolist() == [str(n) for n in range(3000)]


def sheet_xml(change: Callable[[str], str]) -> Callable[[Path], Path]:
    return lambda path: rewrite(path, "sheet1.xml", change)


def merged(*ranges: str) -> Callable[[Path], Path]:
    def change(book: openpyxl.Workbook) -> None:
        for each in ranges:
            book.active.merge_cells(each)

    return lambda path: save(path, [["pid", "q", None], ["1", 2, 3], ["2", 3, 4]], change)


def archived(*names: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        return path

    return write


def containing(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("damage", "expected", "row", "told"),
    [
        (containing(b""), "not_excel", None, "not an .xlsx"),
        (containing(b"pid,q\n1,2\n"), "not_excel", None, "format: csv"),
        (containing(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "not_excel", None, "old .xls"),
        (containing(b"PK\x03\x04" + b"\0" * 50), "not_excel", None, "not an .xlsx"),
        (containing(b"<html><table><tr><td>1</td></tr></table></html>"), "not_excel", None, "not an .xlsx"),
        (archived("mimetype", "content.xml"), "not_excel", None, "OpenDocument"),
        (archived("[Content_Types].xml", "xl/workbook.bin"), "not_excel", None, ".xlsb"),
        (archived("Index/Document.iwa"), "not_excel", None, "Numbers"),
        (archived("a.txt"), "not_excel", None, "KeyError"),
        (archived(*(f"{n}.xml" for n in range(2001))), "workbook_too_large", None, "CSV"),
        (lambda path: path.write_bytes(path.read_bytes()[:-200]) and path, "not_excel", None, "not an .xlsx"),
        (merged("B1:C1"), "merged_header", 1, "columns 2"),
        (merged("A1:A2"), "merged_header", 1, "columns 1"),
        (sheet_xml(lambda xml: xml.replace("<sheetData>", "<sheetData><row>", 1)), "not_excel", None, "cannot be read"),
        (sheet_xml(lambda xml: '<!DOCTYPE a [<!ENTITY b "bb">]>' + xml[xml.index("<worksheet") :]), "not_excel", None, "cannot be read"),
        (sheet_xml(lambda xml: xml.replace('r="3"', 'r="2"', 1)), "not_excel", 2, "out of order"),
        (sheet_xml(lambda xml: xml.replace('r="B2"', 'r="B3"', 1)), "not_excel", 2, "out of order"),
        (sheet_xml(lambda xml: xml.replace('r="B2"', 'r="A2"', 1)), "not_excel", 2, "twice"),
        (sheet_xml(lambda xml: xml.replace('<row r="3"', '<row r="4000000000"', 1).replace('r="A3"', "").replace('r="B3"', "")), None, None, ""),
        (lambda path: save(path, [["pid", "pid"], ["1", "2"]]), "column_twice", 1, "Columns 1, 2"),
        (lambda path: save(path, [["pid", None, "q"], ["1", 2, 3]]), "column_without_name", 1, "2"),
        (lambda path: save(path, [[None], ["pid", "q"], ["1", "2"]]), "header_blank", 1, "header_row"),
        (lambda path: save(path, []), "file_empty", None, "empty"),
        (lambda path: save(path, [["pid", "q"]]), "no_rows", None, "no answers"),
        (lambda path: save(path, [["pid", "q"], [SECRET, 1, 2], ["2", 1, 3]]), "rows_do_not_fit", 1, "2 of 2 rows"),
    ],
)  # fmt: skip
def test_what_is_no_readable_sheet_is_refused_in_words(
    tmp_path: Path, damage: Callable[[Path], Path], expected: str | None, row: int | None, told: str
) -> None:
    path = damage(save(tmp_path / "a.xlsx", [["pid", "q"], ["1", 2], ["2", 3]]))
    with pytest.raises(SourceError) as error:
        read_excel(path, "a.xlsx")
    (problem,) = error.value.problems
    assert expected in (None, problem.code)
    assert problem.line == row
    assert problem.file.startswith("a.xlsx")
    assert told in f"{problem.message} {problem.how_to_fix}"
    assert SECRET not in str(problem)


def test_a_workbook_under_the_name_of_another_format_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [["pid", "q"], ["1", 2]]).rename(tmp_path / "a.csv")
    with pytest.raises(SourceError, match=r"does not end in \.xlsx"):
        read_excel(path, "a.csv")


def test_problems_of_a_header_further_down_name_its_row(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [["Title"], ["x"], ["pid", "pid"], ["1", "2"]])
    with pytest.raises(SourceError) as error:
        read_excel(path, "a.xlsx", header_row=3)
    assert error.value.problems[0].line == 3
    with pytest.raises(SourceError) as error:
        read_excel(path, "a.xlsx", header_row=9)
    assert (error.value.problems[0].code, error.value.problems[0].line) == ("header_blank", 9)


@pytest.mark.parametrize(("limit", "most"), [("MAX_CELLS", 50), ("MAX_CHARACTERS", 100), ("MAX_ROWS", 20)])
def test_a_sheet_larger_than_any_survey_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    from pipelines.sources import excel_cells

    path = save(tmp_path / "a.xlsx", [["pid", "q"], *[[f"P{n:03}", n] for n in range(40)]])
    assert read(path).rows_read == 40
    monkeypatch.setattr(excel_cells, limit, most)
    monkeypatch.setattr(excel, limit, most)
    with pytest.raises(SourceError) as error:
        read_excel(path, "a.xlsx")
    assert error.value.problems[0].code == "workbook_too_large"


def test_a_few_long_rows_under_a_wide_header_are_not_padded_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.xlsx", [[f"q{n}" for n in range(100)], *[["1"]] * 30])
    monkeypatch.setattr(excel, "MAX_CELLS", 3000)
    with pytest.raises(SourceError) as error:
        read_excel(path, "a.xlsx")
    assert error.value.problems[0].code == "workbook_too_large"


@pytest.mark.real_data
def test_every_sheet_of_the_shared_workbooks_is_read_with_all_its_rows(shared: Path) -> None:
    books = sorted((shared / "data" / "exports" / "kobo").glob("*.xlsx"))
    seen = 0
    for path in books:
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets:
            if sheet.max_row == 1:  # a sheet that the survey tool left empty
                with pytest.raises(SourceError, match="The sheet is empty"):
                    read_excel(path, path.name, sheet=sheet.title)
                continue
            header = [str(cell.value).strip() for cell in sheet[1]]
            if len(set(header)) < len(header):  # two questions with one label
                with pytest.raises(SourceError, match="have the same name"):
                    read_excel(path, path.name, sheet=sheet.title)
                continue
            table = read(path, sheet=sheet.title)
            assert table.rows_read == sheet.max_row - 1 == len(table.cells)
            assert table.cells.columns.tolist() == header
            seen += 1
            for row, cells in zip(table.cells.itertuples(index=False), sheet.iter_rows(min_row=2), strict=True):
                typed = [text if isinstance(cell.value, str) else None for text, cell in zip(row, cells, strict=True)]
                assert typed == [cell.value if isinstance(cell.value, str) else None for cell in cells]
    assert seen == 13

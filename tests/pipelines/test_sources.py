"""Readers: text as it stands, a fixed number of fields, nothing guessed."""

import datetime
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest

from pipelines.sources.delimited import read_delimited
from pipelines.sources.excel import read_excel
from pipelines.sources.formats import OPTIONS, Format
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.registry import READERS


def read_text(tmp_path: Path, content: str | bytes, **options: Any) -> RawTable:
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_delimited(path, "a.csv", **options)


def write_book(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def code(error: pytest.ExceptionInfo[SourceError]) -> str:
    return error.value.problems[0].code


def test_ids_and_words_that_other_readers_take_for_something_else_stay_text(tmp_path: Path) -> None:
    table = read_text(tmp_path, "pid,note\n007,NA\n7,null\nNA,1e5\n")
    assert table.cells["pid"].tolist() == ["007", "7", "NA"]
    assert table.cells["note"].tolist() == ["NA", "null", "1e5"]
    assert table.cells.index.tolist() == [2, 3, 4]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_cuts_all_rows_alike(tmp_path: Path, delimiter: str) -> None:
    rows = [["pid", "note"], ["1", "a:b"], ["2", "c"]]
    text = "".join(delimiter.join(row) + "\n" for row in rows)
    assert read_text(tmp_path, text).cells["note"].tolist() == ["a:b", "c"]


def test_a_decimal_comma_in_a_semicolon_file_does_not_shift_columns(tmp_path: Path) -> None:
    for declared in (True, False):
        table = read_text(tmp_path, "pid;score\n1;3,5\n2;4,0\n", decimal_comma=declared)
        assert table.cells["score"].tolist() == ["3,5", "4,0"]
        assert table.decimal_comma is declared


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read_text(tmp_path, "pid,note\n1,caf\u00e9\n".encode(encoding)).cells["note"].tolist() == ["caf\u00e9"]


def test_a_declared_encoding_is_used_and_another_one_is_refused_with_the_line(tmp_path: Path) -> None:
    content = "pid,note\n1,a\n2,caf\u00e9 \u20ac\n".encode("cp1252")
    assert read_text(tmp_path, content, encoding="cp1252").cells["note"].tolist() == ["a", "caf\u00e9 \u20ac"]
    with pytest.raises(SourceError) as error:
        read_text(tmp_path, content)
    assert code(error) == "wrong_encoding"
    assert error.value.problems[0].line == 3


def test_rows_that_do_not_fit_the_header_are_set_aside_and_blank_rows_excluded(tmp_path: Path) -> None:
    table = read_text(tmp_path, 'pid,note\n1,a\n2,b,c\n\n3\n4,"x\ny"\n5,d\n')
    assert table.rows_read == 6
    assert table.cells["pid"].tolist() == ["1", "4", "5"]
    assert [(line.source_row, line.rule, line.severity) for line in table.set_aside] == [
        (3, "field_count", "row"), (4, "blank_row", "excluded"), (5, "field_count", "row")]  # fmt: skip


def test_a_last_row_that_was_cut_off_is_set_aside(tmp_path: Path) -> None:
    table = read_text(tmp_path, "pid,a,b\n1,2,3\n2,3,4\n3,4")
    assert [line.source_row for line in table.set_aside] == [4]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "file_empty"),
        (b"  \n \n", "file_empty"),
        (b"pid,note\n", "no_rows"),
        (b"pid\n1\n", "no_delimiter"),
        (b"pid,note\n1,\x00\n", "nul_byte"),
        (b'pid,note\n1,"a\n2,b\n', "broken_quotes"),
        (b"pid,pid\n1,2\n", "column_twice"),
        (b"pid,\n1,2\n", "column_without_name"),
        (b"pid,note\n1,2,3\n2,3,4\n3,4\n", "rows_do_not_fit"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(SourceError) as error:
        read_text(tmp_path, content, delimiter=",") if expected != "no_delimiter" else read_text(tmp_path, content)
    assert code(error) == expected
    assert error.value.problems[0].how_to_fix


def test_excel_cells_become_the_text_a_person_would_type(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", ("Answers", [["pid", "n", "x", "day", "yes", "note"],
                                                        ["007", 3.0, 2.5, datetime.datetime(2025, 3, 4), True, None]]))  # fmt: skip # noqa: DTZ001
    table = read_excel(path, "a.xlsx")
    assert table.source == "a.xlsx"
    assert table.cells.iloc[0].tolist() == ["007", "3", "2.5", "2025-03-04", "TRUE", ""]


def test_a_sheet_is_named_when_there_are_several(tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "a.xlsx", ("Notes", [["x"]]), ("Returns", [["pid", "a"], ["1", 2], [None, None], ["2", 3, 4]])
    )
    table = read_excel(path, "a.xlsx", sheet="Returns")
    assert table.source == "a.xlsx[Returns]"
    assert table.cells["a"].tolist() == ["2"]
    assert [(line.source_row, line.rule) for line in table.set_aside] == [(3, "blank_row"), (4, "field_count")]
    for sheet, expected, told in (
        (None, "sheet_not_named", "2 sheets"), ("Return", "sheet_missing", "2 sheets"), ("returns ", "sheet_missing", "case or spaces"),
    ):  # fmt: skip
        with pytest.raises(SourceError) as error:
            read_excel(path, "a.xlsx", sheet=sheet)
        assert code(error) == expected
        assert told in str(error.value)
        assert "Returns" not in str(error.value)


def test_what_is_no_workbook_or_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    text, bomb = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    text.write_text("pid,a\n1,2\n")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)
    for path, expected in ((text, "not_excel"), (bomb, "workbook_too_large")):
        with pytest.raises(SourceError) as error:
            read_excel(path, path.name)
        assert code(error) == expected


def test_workbooks_are_read_with_the_parser_that_refuses_entities() -> None:
    from openpyxl import xml

    assert xml.DEFUSEDXML is True


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_file_with_every_field_in_quotes_is_read_without_a_declaration(tmp_path: Path, delimiter: str) -> None:
    rows = [["pid", "note"], ["1", "a, b; c"], ["2", "d"]]
    text = "\n".join(delimiter.join(f'"{field}"' for field in row) for row in rows)
    assert read_text(tmp_path, text).cells["note"].tolist() == ["a, b; c", "d"]


def test_a_byte_order_mark_does_no_harm_where_utf_8_is_declared(tmp_path: Path) -> None:
    assert read_text(tmp_path, "pid,a\n1,2\n".encode("utf-8-sig"), encoding="utf-8").cells.columns.tolist() == [
        "pid",
        "a",
    ]


def test_rows_beyond_the_size_that_a_workbook_states_are_read(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", ("A", [["pid", "a"], *[[str(number), number] for number in range(30)]]))
    changed = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"<sheetData>", b'<dimension ref="A1:B5"/><sheetData>', 1)
            target.writestr(name, content)
    assert read_excel(changed, "b.xlsx").rows_read == 30


def test_a_formula_without_a_stored_value_is_no_blank_and_formatted_emptiness_is_no_row(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", ("A", [["pid", "a"], ["1", "=1+1"], [None, None], ["", None]]))
    table = read_excel(path, "a.xlsx")
    assert table.cells["a"].tolist() == ["#formula without a stored value"]
    assert table.rows_read == 1


def test_every_format_that_a_study_may_name_has_options_and_a_reader() -> None:
    assert set(OPTIONS) == set(READERS) == set(get_args(Format))
    for place in READERS.values():
        module, function = place.split(":")
        assert callable(getattr(import_module(f"pipelines.sources.{module}"), function))

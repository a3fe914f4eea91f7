"""Google Forms and Microsoft Forms: questions as names, CSV or workbook, nothing lost and nothing guessed."""

import csv
import datetime
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.web_forms import read_google_forms, read_microsoft_forms

GOOGLE = ["Timestamp", "Your code", "How often? [First]", "How often? [Second]", "Which?", "Comments"]
ANSWER = ["2025/03/04 10:11:12 AM GMT+1", "007", "2,5", "Never", "a;b", "x\ny"]
MICROSOFT = ["ID", "Start time", "Completion time", "Email", "Name", "Your\u00a0code\u00a0", "Which?", "Which?2"]
START = datetime.datetime(2025, 3, 4, 10, 11, 12)  # noqa: DTZ001 - workbooks know no time zone
REPLY = [1, START, START, "anonymous", None, "007", "a;b;", 3]


def as_text(rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


def write_book(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def conserved(table: RawTable) -> RawTable:
    rows = [line.source_row for line in table.set_aside]
    assert table.rows_read == len(table.cells) + len(rows)
    assert len({*rows, *table.cells.index}) == table.rows_read
    return table


def google(tmp_path: Path, content: str | bytes | list[list[str]], **options: object) -> RawTable:
    path = tmp_path / "form.csv"
    content = as_text(content) if isinstance(content, list) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return conserved(read_google_forms(path, "form.csv", **options))


def microsoft(tmp_path: Path, *rows: list[object], **options: object) -> RawTable:
    return conserved(read_microsoft_forms(write_book(tmp_path / "a.xlsx", Sheet1=list(rows)), "a.xlsx", **options))


def fates(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


def test_questions_and_rows_of_grids_are_columns_and_several_choices_stay_one_text(tmp_path: Path) -> None:
    table = google(tmp_path, [GOOGLE, ANSWER])
    assert table.cells.columns.tolist() == GOOGLE
    assert table.cells.loc[2].tolist() == ANSWER
    assert table.questions == {name: name for name in GOOGLE}
    assert table.answers == {}


def test_line_breaks_and_hard_spaces_in_a_question_are_one_space_in_its_name(tmp_path: Path) -> None:
    table = google(tmp_path, [["Timestamp", "How\r\noften?\u00a0 [First]\u00a0"], ["t", "1"]])
    assert table.cells.columns.tolist() == ["Timestamp", "How often? [First]"]
    assert table.questions["How often? [First]"] == "How\r\noften?\u00a0 [First]"


def test_a_question_that_stands_twice_is_numbered_both_times_so_that_its_text_means_neither(tmp_path: Path) -> None:
    table = google(tmp_path, [["Timestamp", "Comments", "Age", "Comments"], ["t", "a", "30", "b"]])
    assert table.cells.columns.tolist() == ["Timestamp", "Comments (1)", "Age", "Comments (2)"]
    assert table.questions["Comments (2)"] == "Comments"


def test_notes_beside_the_sheet_are_quarantined_with_their_row_and_blank_columns_are_nothing(tmp_path: Path) -> None:
    table = google(
        tmp_path, [["Timestamp", "Age", "", ""], ["t", "30", "", ""], ["t", "31", "", "check"], ["t", "32", "", " "]]
    )
    assert table.cells["Age"].tolist() == ["30", "32"]
    assert fates(table) == [(3, "field_count", "row")]


def test_exports_pasted_below_each_other_have_their_headers_excluded(tmp_path: Path) -> None:
    table = google(tmp_path, [GOOGLE, ANSWER, GOOGLE, ANSWER])
    assert table.cells.index.tolist() == [2, 4]
    assert fates(table) == [(3, "second_header", "excluded")]
    book = microsoft(tmp_path, MICROSOFT, REPLY, MICROSOFT, REPLY)
    assert book.cells.index.tolist() == [2, 4]
    assert fates(book) == [(3, "second_header", "excluded")]


def test_options_of_a_text_file_are_used(tmp_path: Path) -> None:
    text = as_text([GOOGLE, [*ANSWER[:5], "caf\u00e9"]], ";").encode("cp1252")
    table = google(tmp_path, text, encoding="cp1252", delimiter=";", decimal_comma=True)
    assert table.decimal_comma
    assert table.cells.loc[2].tolist()[2:] == ["2,5", "Never", "a;b", "caf\u00e9"]


def test_a_google_sheet_may_come_as_a_workbook(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", Notes=[["x"]], Answers=[GOOGLE, ANSWER])
    table = conserved(read_google_forms(path, "a.xlsx", sheet="Answers"))
    assert table.source == "a.xlsx[Answers]"
    assert table.cells.loc[2].tolist() == ANSWER


def test_a_microsoft_form_has_times_as_iso_text_and_hard_spaces_are_spaces(tmp_path: Path) -> None:
    table = microsoft(tmp_path, MICROSOFT, REPLY)
    assert table.source == "a.xlsx"
    assert table.cells.loc[2].to_dict() == {
        "ID": "1", "Start time": "2025-03-04T10:11:12", "Completion time": "2025-03-04T10:11:12", "Email": "anonymous",
        "Name": "", "Your code": "007", "Which?": "a;b;", "Which?2": "3"}  # fmt: skip


def test_a_microsoft_form_may_come_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_text([MICROSOFT, [str(value or "") for value in REPLY]]).encode("utf-8-sig"))
    assert conserved(read_microsoft_forms(path, "a.csv")).cells["Your code"].tolist() == ["007"]


def test_text_is_read_under_any_name_and_a_workbook_under_another_one_is_refused_with_advice(tmp_path: Path) -> None:
    text, book = tmp_path / "a.xlsx", write_book(tmp_path / "b.csv", A=[GOOGLE, ANSWER])
    text.write_bytes(as_text([GOOGLE, ANSWER]).encode())
    assert read_google_forms(text, "a.xlsx").cells.loc[2].tolist() == ANSWER
    with pytest.raises(SourceError) as error:
        read_google_forms(book, "b.csv")
    assert error.value.problems[0].code == "not_excel"


MALFORMED_TEXT = {
    "empty": (b"", "file_empty", None),
    "spaces": (b"\n \n", "file_empty", None),
    "header only": (as_text([GOOGLE]), "no_rows", None),
    "blank answers only": (as_text([GOOGLE, [""] * 6]), "no_rows", None),
    "headers only": (as_text([GOOGLE, GOOGLE]), "no_rows", None),
    "a question without text": (as_text([["Timestamp", "", "Age"], ["t", "1", "2"]]), "column_without_name", 1),
    "nothing has a name": (as_text([["", ""], ["t", "1"]]), "column_without_name", 1),
    "a question like a numbered one": (as_text([["Age (1)", "Age", "Age"], ["1", "2", "3"]]), "column_twice", 1),
    "one column": (as_text([["Age"], ["30"]]), "no_delimiter", 1),
    "shifted rows": (as_text([GOOGLE, ANSWER[1:], ANSWER]) + "x\n", "rows_do_not_fit", 1),
    "unclosed quote": ('"Timestamp","Age"\n"t","30\n"t","31"\n', "broken_quotes", 3),
    "wrong encoding": (as_text([GOOGLE, [*ANSWER[:5], "caf\u00e9"]]).encode("cp1252"), "wrong_encoding", 2),
    "NUL": (as_text([GOOGLE, ["\x00", *ANSWER[1:]]]), "nul_byte", 2),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not_excel", None),
    "broken workbook": (b"PK\x03\x04 and more", "not_excel", None),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED_TEXT)
def test_a_malformed_file_is_refused_with_its_place_and_advice(tmp_path: Path, case: str) -> None:
    content, code, line = MALFORMED_TEXT[case]
    with pytest.raises(SourceError) as error:
        google(tmp_path, content)
    problem = error.value.problems[0]
    assert (problem.code, problem.file, problem.line) == (code, "form.csv", line)
    assert problem.how_to_fix


MALFORMED_BOOKS = {
    "empty sheet": ([], "file_empty"),
    "header only": ([GOOGLE], "no_rows"),
    "a question twice": ([["Timestamp", "Age", "Age"], ["t", 1, 2]], "column_twice"),
    "a question twice but for a hard space": ([["Age (1)", "Age", "Age\u00a0"], ["t", 1, 2]], "column_twice"),
    "a question without text": ([["Timestamp", None, "Age"], ["t", 1, 2]], "column_without_name"),
    "headers only": ([GOOGLE, GOOGLE], "no_rows"),
    "blank answers only": ([GOOGLE, [None], [None]], "no_rows"),
    "answers beside the questions": ([["Age"], [1, 2], [1, 2]], "rows_do_not_fit"),
}


@pytest.mark.parametrize("case", MALFORMED_BOOKS)
def test_a_malformed_workbook_is_refused_with_its_name_and_advice(tmp_path: Path, case: str) -> None:
    rows, code = MALFORMED_BOOKS[case]
    with pytest.raises(SourceError) as error:
        microsoft(tmp_path, *rows)
    problem = error.value.problems[0]
    assert (problem.code, problem.file) == (code, "a.xlsx")
    assert problem.how_to_fix


def test_the_archive_in_which_google_delivers_is_named_as_one(tmp_path: Path) -> None:
    path = tmp_path / "form.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("form.csv", as_text([GOOGLE, ANSWER]))
    with pytest.raises(SourceError) as error:
        read_google_forms(path, "form.csv.zip")
    assert error.value.problems[0].code == "packed_file"
    assert "Unpack" in error.value.problems[0].how_to_fix


@pytest.mark.parametrize("option", [{"encoding": "utf-8"}, {"delimiter": ","}, {"decimal_comma": True}])
def test_an_option_of_text_is_refused_for_a_workbook_and_not_ignored(tmp_path: Path, option: dict[str, object]) -> None:
    path = write_book(tmp_path / "a.xlsx", A=[GOOGLE, ANSWER])
    with pytest.raises(SourceError) as error:
        read_google_forms(path, "a.xlsx", **option)
    assert error.value.problems[0].code == "option_not_used"
    assert next(iter(option)) in error.value.problems[0].how_to_fix


def test_a_sheet_is_refused_for_text_and_not_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(as_text([GOOGLE, ANSWER]))
    for reader in (read_google_forms, read_microsoft_forms):
        with pytest.raises(SourceError) as error:
            reader(path, "a.csv", sheet="Answers")
        assert error.value.problems[0].code == "option_not_used"

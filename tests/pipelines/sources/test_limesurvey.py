"""LimeSurvey: three kinds of header, unfinished answers told apart, nothing lost and nothing guessed."""

import csv
import io
from pathlib import Path

import pytest

from pipelines.sources.limesurvey import read_limesurvey
from pipelines.sources.model import RawTable, SourceError

CODES = ["id", "submitdate", "lastpage", "startlanguage", "token", "GAD[SQ001]", "GAD[SQ002]", "Q9[other]"]
TEXTS = ["Response ID", "Date submitted", "Last page", "Start language", "Token",
         "How often? [First]", "How often? [Second]", "Else? [Other]"]  # fmt: skip
DONE = ["1", "2025-03-04 10:00:00", "4", "en", "007", "A3", "2,5", "a; b\n'=c"]
OPEN = ["2", "", "2", "en", "8", "A1", "", ""]


def as_text(rows: list[list[str]], delimiter: str = ";") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue() + "\r\n"


def read(tmp_path: Path, content: str | bytes | list[list[str]], **options: object) -> RawTable:
    path = tmp_path / "wave.csv"
    content = as_text(content) if isinstance(content, list) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8-sig"))
    table = read_limesurvey(path, "wave.csv", **options)
    rows = [line.source_row for line in table.set_aside]
    assert table.rows_read == len(table.cells) + len(rows)
    assert len({*rows, *table.cells.index}) == table.rows_read
    return table


def fates(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_codes_are_columns_cells_stay_and_the_blank_last_line_is_excluded(tmp_path: Path, delimiter: str) -> None:
    table = read(tmp_path, as_text([CODES, DONE], delimiter))
    assert table.cells.columns.tolist() == CODES
    assert table.cells.loc[2].tolist() == DONE
    assert table.questions == {}
    assert fates(table) == [(3, "blank_row", "excluded")]


@pytest.mark.parametrize("names", [["Q1_SQ001", "Q1_SQ002"], ["Q1.SQ001.", "Q1.SQ002."], ["Q1[SQ001][1]", "Q1[SQ001][2]"],
                                   ["Q1[Y1_X1]", "Q1[Y1_X2]"], ["interviewtime", "groupTime12"]])  # fmt: skip
def test_every_way_of_writing_a_sub_question_is_kept(tmp_path: Path, names: list[str]) -> None:
    table = read(tmp_path, [["submitdate", *names], ["2025-01-01", "1", "2"]])
    assert table.cells.columns.tolist() == ["submitdate", *names]


@pytest.mark.parametrize("separator", [". ", ": ", " - ", " "])
def test_codes_and_texts_in_one_header_are_told_apart_by_the_separator_of_the_export(
    tmp_path: Path, separator: str
) -> None:
    table = read(tmp_path, [[f"{code}{separator}{text}" for code, text in zip(CODES, TEXTS, strict=True)], DONE, OPEN])
    assert table.cells.columns.tolist() == CODES
    assert table.questions == dict(zip(CODES, TEXTS, strict=True))
    assert fates(table)[0] == (3, "unfinished", "excluded")


@pytest.mark.parametrize("submitted", ["Date submitted", "Datum Abgeschickt", "Date de soumission", "Fecha de envío"])
def test_texts_alone_become_names_with_one_space_between_words_and_a_number_where_they_repeat(
    tmp_path: Path, submitted: str
) -> None:
    header = ["Antwort ID", submitted, "Why?", "How\n often?\u00a0[First] ", "Why?"]
    table = read(tmp_path, [header, ["1", "2025-01-01", "a", "b", "c"], ["2", "", "a", "b", "c"]])
    assert table.cells.columns.tolist() == ["Antwort ID", submitted, "Why? (1)", "How often? [First]", "Why? (2)"]
    assert table.questions["Why? (2)"] == "Why?"
    assert table.cells.loc[2].tolist() == ["1", "2025-01-01", "a", "b", "c"]
    assert fates(table)[0] == (3, "unfinished", "excluded")


def test_the_last_page_does_not_make_an_answer_a_submitted_one(tmp_path: Path) -> None:
    seen = ["3", "", "4", *OPEN[3:]]
    assert fates(read(tmp_path, [CODES, DONE, seen]))[0] == (3, "unfinished", "excluded")


@pytest.mark.parametrize("date", ["2025-03-04", "4.3.25 10:00", "3/4/2025 10:00 AM"])
def test_a_date_that_a_spreadsheet_has_rewritten_is_a_date(tmp_path: Path, date: str) -> None:
    assert read(tmp_path, [CODES, [DONE[0], date, *DONE[2:]]]).cells["submitdate"].tolist() == [date]


def test_surveys_without_time_stamps_have_a_date_of_submission_nevertheless(tmp_path: Path) -> None:
    assert len(read(tmp_path, [CODES, ["1", "1980-01-01 00:00:00", *DONE[2:]]]).cells) == 1


@pytest.mark.parametrize("date", ["N", "NA", "NULL", "0000-00-00 00:00:00", "45720.4", "page 2"])
def test_a_date_of_submission_that_is_no_date_is_quarantined(tmp_path: Path, date: str) -> None:
    assert fates(read(tmp_path, [CODES, DONE, ["2", date, *DONE[2:]]]))[0] == (3, "finished_unknown", "row")


def test_unfinished_answers_stay_when_the_study_says_so_also_without_a_date(tmp_path: Path) -> None:
    assert len(read(tmp_path, [CODES, DONE, OPEN], keep_unfinished=True).cells) == 2
    rows = [[name for name in row if name not in ("submitdate", DONE[1])] for row in (CODES, DONE)]
    assert len(read(tmp_path, rows, keep_unfinished=True).cells) == 1


def test_a_decimal_comma_is_declared_and_changes_no_cell(tmp_path: Path) -> None:
    table = read(tmp_path, [CODES, DONE], decimal_comma=True)
    assert table.decimal_comma
    assert table.cells.loc[2].tolist() == DONE
    assert not read(tmp_path, [CODES, DONE]).decimal_comma


def test_exports_pasted_below_each_other_have_their_headers_excluded(tmp_path: Path) -> None:
    table = read(tmp_path, [CODES, DONE, CODES, OPEN, DONE])
    assert table.cells.index.tolist() == [2, 5]
    assert fates(table)[:2] == [(3, "second_header", "excluded"), (4, "unfinished", "excluded")]


MALFORMED = {
    "empty": (b"", "file_empty", None),
    "mark only": (b"\xef\xbb\xbf", "no_delimiter", 1),
    "spaces": (b"\r\n \r\n", "file_empty", None),
    "header only": (as_text([CODES]), "no_rows", None),
    "a survey without answers": (as_text([CODES, [""] * len(CODES)]), "no_rows", None),
    "nobody submitted": (as_text([CODES, OPEN, OPEN]), "no_rows", None),
    "no date of submission": (as_text([CODES[2:], DONE[2:]]), "finished_unknown", 1),
    "texts of a strange language": (as_text([["Svar", "Inskickat"], ["1", "2025-01-01"]]), "finished_unknown", 1),
    "two dates of submission": (as_text([[*CODES, "submitdate"], [*DONE, "x"]]), "column_twice", 1),
    "a code twice": (as_text([[*CODES[:-1], "GAD[SQ001]"], DONE]), "column_twice", 1),
    "texts that look like numbered ones": (
        as_text([["Date submitted", "Why?", "Why?", "Why? (1)"], ["2025-01-01", "a", "b", "c"]]), "column_twice", 1),
    "a column without a name": (as_text([["id", "", "submitdate"], ["1", "2", "2025-01-01"]]), "column_without_name", 1),
    "blank header": (as_text([[""] * 8, DONE]), "finished_unknown", 1),
    "quote in the header": ('"id";"submitdate;\r\n"1";"2025"\r\n', "broken_quotes", 2),
    "unclosed quote": (as_text([CODES, DONE]).rstrip() + '\r\n"2";"', "broken_quotes", 4),
    "shifted rows": (as_text([CODES, DONE, DONE[1:], DONE[1:]]), "rows_do_not_fit", 1),
    "wrong encoding": (as_text([CODES, [*DONE[:4], "Zo\u00eb", *DONE[5:]]]).encode("cp1252"), "wrong_encoding", 2),
    "NUL": (as_text([CODES, DONE, ["\x00", *DONE[1:]]]), "nul_byte", 4),
    "one column": ("submitdate\r\n2025-01-01\r\n", "no_delimiter", 1),
    "workbook": (b"PK\x03\x04 and more", "packed_file", None),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_with_its_place_and_advice(tmp_path: Path, case: str) -> None:
    content, code, line = MALFORMED[case]
    with pytest.raises(SourceError) as error:
        read(tmp_path, content)
    problem = error.value.problems[0]
    assert (problem.code, problem.file, problem.line) == (code, "wave.csv", line)
    assert problem.how_to_fix


def test_a_row_that_was_cut_off_or_holds_too_much_is_quarantined(tmp_path: Path) -> None:
    text = as_text([CODES, DONE, DONE, [*DONE, "x"]]).rstrip() + '\r\n"9";"2025-01-01'
    with pytest.raises(SourceError):
        read(tmp_path, text)
    table = read(tmp_path, text + '"')
    assert fates(table) == [(4, "field_count", "row"), (5, "cut_off", "row")]


def test_no_cell_is_told_in_a_reason_or_a_refusal(tmp_path: Path) -> None:
    rows = [CODES, ["1", "zq7canary", *DONE[2:]], ["zq7canary", "", *DONE[2:]]]
    assert "zq7canary" not in repr(read(tmp_path, [*rows, DONE]).set_aside)
    with pytest.raises(SourceError) as error:
        read(tmp_path, rows)
    assert "zq7canary" not in str(error.value)

"""Exports of KoboToolbox and ODK: groups, repeats joined to their parents, several answers, labels, versions of a form."""

import csv
import io
import os
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest

from pipelines.sources.kobo import read_kobo
from pipelines.sources.model import RawTable, SourceError

from .settled import settle

MUTANTS = int(os.environ.get("PEERIMPACT_MUTANTS", "300"))
SECONDS_FOR_ONE = 10  # a workbook of a few rows that takes longer hangs
CANARY = "zuleika.canary@example.org"

ANSWERS = [
    ["start", "person/pid", "person/moods", "person/moods/calm", "person/moods/sad", "low", "low_dupe", "_id", "_uuid",
     "_submission_time", "_validation_status", "__version__", "_index"],
    ["2025-03-04T10:00:00.000+01:00", "007", "calm sad", "1", "1", "2", "", "11", "u-1", "2025-03-04T09:01:00", "", "v1", "1"],
    ["2025-03-05T10:00:00.000+01:00", " 7", "sad", "0", "1", "", "3", "12", "u-2", "2025-03-05T09:01:00",
     "validation_status_approved", "v2", "2"],
    ["2025-03-06T10:00:00.000+01:00", "NA", "", "", "", "-9", "", "13", "u-3", "2025-03-06T09:01:00", "", "v1", "3"],
]  # fmt: skip
MEETINGS = [
    ["meetings/topic", "_index", "_parent_table_name", "_parent_index", "_submission__id"],
    ["sleep", "1", "Peer survey", "1", "11"],
    ["work", "2", "Peer survey", "1", "11"],
    ["family", "3", "Peer survey", "3", "13"],
]
GUESTS = [
    ["guests/role", "_parent_table_name", "_parent_index"],
    ["friend", "meetings", "3"],
    ["sister", "meetings", "1"],
]
TITLE, SHORT = "Household survey with repeatable groups", "Household survey with repeat..."


def as_text(rows: list[list[str]], delimiter: str = ";") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


def write_book(path: Path, sheets: dict[str, list[list[str]]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([int(cell) if cell.isdigit() and str(int(cell)) == cell else cell or None for cell in row])
    book.save(path)
    return path


def book(tmp_path: Path, **changes: list[list[str]]) -> Path:
    sheets = {"Peer survey": ANSWERS, "meetings": MEETINGS, "guests": GUESTS} | changes
    return write_book(tmp_path / "a.xlsx", sheets)


def read(tmp_path: Path, content: str | bytes | list[list[str]], **options: object) -> RawTable:
    path = tmp_path / "a.csv"
    content = as_text(content) if isinstance(content, list) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_kobo(path, "a.csv", **options)


def changed(rows: list[list[str]], row: int, column: str, value: str) -> list[list[str]]:
    new = [list(line) for line in rows]
    new[row - 1][new[0].index(column)] = value
    return new


def assert_rows_conserve(table: RawTable) -> None:
    gone = {line.source_row for line in table.set_aside}
    assert {line.severity for line in table.set_aside} <= {"row", "excluded"}
    assert table.rows_read == len(table.cells) + len(gone)
    assert not gone & set(table.cells.index)
    assert table.cells.columns.is_unique
    assert all(table.cells.dtypes == "str")


def fates(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


# submissions


def test_groups_several_answers_and_what_the_system_adds_are_columns_as_they_stand(tmp_path: Path) -> None:
    table = read(tmp_path, ANSWERS)
    assert table.cells.columns.tolist() == ANSWERS[0]
    assert table.cells.to_numpy().tolist() == ANSWERS[1:]
    assert table.questions == {}
    assert_rows_conserve(table)


def test_a_workbook_gives_the_same_cells_as_the_csv_file(tmp_path: Path) -> None:
    table = read_kobo(book(tmp_path), "a.xlsx")
    assert table.source == "a.xlsx"
    assert table.cells.to_numpy().tolist() == ANSWERS[1:]


def test_questions_of_another_version_of_the_form_are_columns_of_their_own(tmp_path: Path) -> None:
    table = read(tmp_path, ANSWERS)
    assert table.cells[["low", "low_dupe"]].to_numpy().tolist() == [["2", ""], ["", "3"], ["-9", ""]]


def test_the_only_sheet_that_is_no_repeat_holds_the_submissions_or_another_is_named(tmp_path: Path) -> None:
    path = book(tmp_path, Notes=[["a", "b"], ["x", "y"]])
    with pytest.raises(SourceError) as error:
        read_kobo(path, "a.xlsx")
    assert error.value.problems[0].code == "sheet_not_named"
    assert read_kobo(path, "a.xlsx", sheet="Peer survey").rows_read == 3
    assert read_kobo(path, "a.xlsx", sheet="meetings").cells["meetings/topic"].tolist() == ["sleep", "work", "family"]


def test_tags_below_the_header_are_no_answers(tmp_path: Path) -> None:
    tags = [["#date", "#id", *[""] * 11]]
    table = read(tmp_path, [ANSWERS[0], *tags, *ANSWERS[1:]])
    assert fates(table) == [(2, "second_header", "excluded")]
    assert table.cells.index.tolist() == [3, 4, 5]
    assert_rows_conserve(table)


def test_labels_are_read_and_told_as_questions(tmp_path: Path) -> None:
    rows = [
        ["How low?", "Which moods?", "Which moods?/Calm & quiet", "pid", "_id"],
        ["Never", "Calm & quiet", "1", "7", "1"],
    ]
    table = read(tmp_path, rows)
    assert table.cells.columns.tolist() == rows[0]
    assert list(table.questions) == rows[0][:-1]
    assert_rows_conserve(table)


@pytest.mark.parametrize("names", [["a", "b_2"], ["group/a", "group/inner/b"], ["g-a", "meta-instanceID"], ["\u00e2ge", "pr\u00e9nom"],
                                   ["a", "a/-9"], ["_id", "__version__"]])  # fmt: skip
def test_names_of_forms_are_not_taken_for_labels(tmp_path: Path, names: list[str]) -> None:
    assert read(tmp_path, [names, ["1", "2"]]).questions == {}


def test_a_decimal_comma_is_declared_and_changes_no_cell(tmp_path: Path) -> None:
    rows = [["a", "b"], ["2,5", "x, y"]]
    path = write_book(tmp_path / "b.xlsx", {"A": rows})
    for declared in (True, False):
        for table in (
            read(tmp_path, rows, decimal_comma=declared),
            read_kobo(path, "b.xlsx", decimal_comma=declared),
        ):
            assert table.decimal_comma is declared
            assert table.cells.iloc[0].tolist() == ["2,5", "x, y"]


def test_blank_ragged_and_cut_rows_are_set_aside(tmp_path: Path) -> None:
    table = read(tmp_path, 'a;b\n"1";"2"\n\n1;2;3\n4;5\n"6";"7"')
    assert fates(table) == [(3, "blank_row", "excluded"), (4, "field_count", "row"), (6, "cut_off", "row")]
    assert_rows_conserve(table)


# repeats


def test_rows_of_a_repeat_stand_with_the_columns_of_their_submission(tmp_path: Path) -> None:
    table = read_kobo(book(tmp_path), "a.xlsx", repeat="meetings")
    assert table.source == "a.xlsx[meetings]"
    assert table.cells[["person/pid", "meetings/topic"]].to_numpy().tolist() == [
        ["007", "sleep"],
        ["007", "work"],
        ["NA", "family"],
    ]
    assert table.cells[["_index", "_parent/_index"]].to_numpy().tolist() == [["1", "1"], ["2", "1"], ["3", "3"]]
    assert table.cells.index.tolist() == [2, 3, 4]
    assert_rows_conserve(table)


def test_a_repeat_in_a_repeat_is_joined_up_to_the_submission(tmp_path: Path) -> None:
    table = read_kobo(book(tmp_path), "a.xlsx", repeat="guests")
    wanted = [["NA", "family", "friend"], ["007", "sleep", "sister"]]
    assert table.cells[["person/pid", "meetings/topic", "guests/role"]].to_numpy().tolist() == wanted
    assert table.cells[["_parent/_parent_index", "_parent_index"]].to_numpy().tolist() == [["3", "3"], ["1", "1"]]
    assert_rows_conserve(table)


@pytest.mark.parametrize(("column", "value"), [("_parent_index", "9"), ("_parent_index", ""), ("_parent_table_name", ""),
                                               ("_parent_table_name", CANARY)])  # fmt: skip
def test_a_row_whose_parent_is_not_there_is_quarantined(tmp_path: Path, column: str, value: str) -> None:
    table = read_kobo(book(tmp_path, meetings=changed(MEETINGS, 3, column, value)), "a.xlsx", repeat="meetings")
    assert fates(table) == [(3, "parent_missing", "row")]
    assert table.set_aside[0].column == "_parent_index"
    assert CANARY not in str(table.set_aside)
    assert_rows_conserve(table)


def test_a_title_that_was_cut_to_fit_a_sheet_is_found(tmp_path: Path) -> None:
    meetings = [[cell.replace("Peer survey", TITLE) for cell in row] for row in MEETINGS]
    path = write_book(tmp_path / "b.xlsx", {SHORT: ANSWERS, "meetings": meetings})
    assert len(read_kobo(path, "b.xlsx", repeat="meetings").cells) == 3


def test_a_title_with_signs_that_sheets_cannot_have_is_found(tmp_path: Path) -> None:
    meetings = [[cell.replace("Peer survey", "Peers: who/what?") for cell in row] for row in MEETINGS]
    path = write_book(tmp_path / "b.xlsx", {"Peers_ who_what_": ANSWERS, "meetings": meetings})
    assert len(read_kobo(path, "b.xlsx", repeat="meetings").cells) == 3


def test_the_repeat_of_odk_is_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a-meetings.csv").write_text("topic,PARENT_KEY,KEY\nsleep,k2,k2/1\nwork,k9,k9/1\n")
    table = read(tmp_path, "pid,KEY\n007,k1\n8,k2\n", repeat="meetings")
    assert table.source == "a.csv[meetings]"
    assert table.cells.iloc[0].to_dict() == {
        "pid": "8",
        "_parent/KEY": "k2",
        "topic": "sleep",
        "PARENT_KEY": "k2",
        "KEY": "k2/1",
    }
    assert fates(table) == [(3, "parent_missing", "row")]
    assert_rows_conserve(table)


# refusals

TEXTS = [
    ("empty", b"", {}, "file_empty", None, ""),
    ("header alone", as_text(ANSWERS[:1]), {}, "no_rows", None, ""),
    ("cp1252", "a;b\n1;\u00e9\n".encode("cp1252"), {}, "wrong_encoding", 2, ""),
    ("nul", "a;b\n1;\x00\n", {}, "nul_byte", 2, ""),
    ("open quote", 'a;b\n1;2\n3;"4\n', {}, "broken_quotes", 3, ""),
    ("a field without end", 'a;b\n1;"' + "x" * 4_300_000, {}, "broken_quotes", 2, ""),
    ("nameless column", as_text([["a", ""], ["1", "2"]]), {}, "column_without_name", 1, ""),
    ("ragged", "a;b\n1\n2;3;4\n5;6\n", {}, "rows_do_not_fit", 1, ""),
    ("cut off in the only row", "a;b\n1;2", {}, "no_rows", 2, ""),
    ("sheet of a text", as_text(ANSWERS), {"sheet": "A"}, "option_of_another_kind", None, ""),
    ("repeat without a file", as_text(ANSWERS), {"repeat": "meetings"}, "repeat_missing", None, ""),
    ("repeat above", as_text(ANSWERS), {"repeat": "x/../../a"}, "repeat_missing", None, ""),
    ("no key", "pid;a\n1;2\n", {"repeat": "kids"}, "column_missing", 1, "KEY"),
    ("no parent of any row", "pid;KEY\n1;k9\n", {"repeat": "kids"}, "parent_missing", 1, "PARENT_KEY"),
    ("submission twice", "pid;KEY\n1;k1\n2;k1\n", {"repeat": "kids"}, "parent_twice", 3, "KEY"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "options", "code", "line", "column"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS]
)
def test_a_text_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, options: dict[str, object], code: str, line: int | None, column: str
) -> None:
    (tmp_path / "a-kids.csv").write_text("age;PARENT_KEY\n3;k1\n")
    with pytest.raises(SourceError) as error:
        read(tmp_path, content, **options)
    problem = error.value.problems[0]
    assert (problem.code, problem.line, problem.key) == (code, line, column)
    assert problem.file.startswith("a.csv")
    assert problem.how_to_fix


LONG = [[cell.replace("Peer survey", TITLE) for cell in row] for row in MEETINGS]
CIRCLE = [[cell.replace("Peer survey", "meetings") for cell in row] for row in MEETINGS]
ORPHANS = [MEETINGS[0], *([*row[:3], "9", row[4]] for row in MEETINGS[1:])]
BOOKS = [
    ("two sheets of submissions", {"More": ANSWERS}, {}, "sheet_not_named", None, ""),
    ("no such sheet", {}, {"sheet": "More"}, "sheet_missing", None, ""),
    ("encoding of a workbook", {}, {"encoding": "utf-8"}, "option_of_another_kind", None, ""),
    ("delimiter of a workbook", {}, {"delimiter": ";"}, "option_of_another_kind", None, ""),
    ("sheet and repeat", {}, {"sheet": "Peer survey", "repeat": "meetings"}, "sheet_and_repeat", None, ""),
    ("no such repeat", {}, {"repeat": "metings"}, "repeat_missing", None, ""),
    ("submissions as repeat", {}, {"repeat": "Peer survey"}, "repeat_missing", None, ""),
    ("repeat without rows", {"meetings": MEETINGS[:1]}, {"repeat": "meetings"}, "no_rows", None, ""),
    ("empty sheet", {"Peer survey": []}, {}, "file_empty", None, ""),
    ("parents without an index", {"Peer survey": [row[:-1] for row in ANSWERS]}, {"repeat": "meetings"}, "column_missing", 1, "_index"),
    ("no name of the parent", {"meetings": [row[:2] + row[3:] for row in MEETINGS]}, {"repeat": "meetings"}, "parent_unknown", 1, "_parent_table_name"),
    ("parent under another name", {"meetings": LONG}, {"repeat": "meetings"}, "parent_unknown", 2, "_parent_table_name"),
    ("cut name that is not unique", {"meetings": LONG, SHORT: ANSWERS, "Household survey wit... (1)": ANSWERS}, {"repeat": "meetings"},
     "parent_unknown", 2, "_parent_table_name"),
    ("parents in a circle", {"meetings": CIRCLE}, {"repeat": "meetings"}, "parent_unknown", 2, "_parent_table_name"),
    ("two parents", {"guests": changed(GUESTS, 2, "_parent_table_name", "Peer survey")}, {"repeat": "guests"}, "parent_unknown", 2, "_parent_table_name"),
    ("index twice", {"Peer survey": changed(ANSWERS, 3, "_index", "1")}, {"repeat": "meetings"}, "parent_twice", 3, "_index"),
    ("no row has a parent", {"meetings": ORPHANS}, {"repeat": "meetings"}, "parent_missing", 1, "_parent_index"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sheets", "options", "code", "line", "column"), [each[1:] for each in BOOKS], ids=[each[0] for each in BOOKS]
)
def test_a_workbook_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path,
    sheets: dict[str, list[list[str]]],
    options: dict[str, object],
    code: str,
    line: int | None,
    column: str,
) -> None:
    with pytest.raises(SourceError) as error:
        read_kobo(book(tmp_path, **sheets), "a.xlsx", **options)
    problem = error.value.problems[0]
    assert (problem.code, problem.line, problem.key) == (code, line, column)
    assert problem.file.startswith("a.xlsx")
    assert problem.how_to_fix


def test_what_is_no_workbook_or_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    text, damaged, bomb = tmp_path / "a.xlsx", tmp_path / "c.csv", tmp_path / "b.xlsx"
    text.write_text("pid,a\n1,2\n")
    damaged.write_bytes(b"PK\x03\x04 a workbook as text")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)
    for path, expected in ((text, "not_excel"), (damaged, "packed_file"), (bomb, "workbook_too_large")):
        with pytest.raises(SourceError) as error:
            read_kobo(path, path.name)
        assert error.value.problems[0].code == expected


def test_repeats_that_nest_deeper_than_any_form_are_refused(tmp_path: Path) -> None:
    sheets = {"Peer survey": ANSWERS, "r0": MEETINGS}
    for depth in range(1, 14):
        sheets[f"r{depth}"] = [[cell.replace("Peer survey", f"r{depth - 1}") for cell in row] for row in MEETINGS]
    path = write_book(tmp_path / "b.xlsx", sheets)
    assert len(read_kobo(path, "b.xlsx", repeat="r2").cells) == 3
    with pytest.raises(SourceError) as error:
        read_kobo(path, "b.xlsx", repeat="r13")
    assert error.value.problems[0].code == "parent_unknown"


# real exports

ROWS = {
    "dietary_needs": 3,
    "grouped_repeatable": 6,
    "grouped_translated": 3,
    "or_other": 3,
    "select_one_legacy": 3,
    "site_inspection": 10,
}
KINDS = [(form, kind, ending) for form in ROWS for kind in ("labels", "xml_values") for ending in ("csv", "xlsx")]
EMPTY = {"csv": "no_rows", "xlsx": "file_empty"}


def test_questions_with_the_same_label_are_told_apart_by_a_number(tmp_path: Path) -> None:
    (tmp_path / "form.csv").write_text(as_text([["How?", "Who?", "How?"], ["1", "ann", "2"]]))
    table = read_kobo(tmp_path / "form.csv", "form.csv")
    assert table.cells.columns.tolist() == ["How? (1)", "Who?", "How? (2)"]
    assert table.cells.loc[2].tolist() == ["1", "ann", "2"]


def test_a_form_with_one_question_needs_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "form.csv").write_text('"low"\n"1"\n"2"\n')
    assert read_kobo(tmp_path / "form.csv", "form.csv").cells["low"].tolist() == ["1", "2"]


@pytest.mark.real_data
@pytest.mark.parametrize(("form", "kind", "ending"), KINDS)
def test_real_exports_are_read_row_by_row(shared: Path, form: str, kind: str, ending: str) -> None:
    path = shared / f"data/exports/kobo/{form}__{kind}.{ending}"
    table = read_kobo(path, path.name)
    assert len(table.cells) == table.rows_read == ROWS[form]
    assert bool(table.questions) == (kind == "labels")
    assert_rows_conserve(table)
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file, delimiter=";"))
    if (form, kind) == ("site_inspection", "labels"):
        twice = "site condition/was there damage to the site?"
        assert [name for name in table.cells.columns if name not in header] == [f"{twice} (1)", f"{twice} (2)"]
    else:
        assert table.cells.columns.tolist() == header
    assert table.cells.to_numpy().tolist() == rows


@pytest.mark.real_data
@pytest.mark.parametrize("kind", ["labels", "xml_values"])
def test_the_repeat_of_a_real_export_is_joined(shared: Path, kind: str) -> None:
    path = shared / f"data/exports/kobo/grouped_repeatable__{kind}.xlsx"
    table = read_kobo(path, path.name, repeat="houshold_member_repeat")
    assert len(table.cells) == table.rows_read == 13
    assert table.cells.iloc[1, [2, 4]].tolist() == ["marseille", "kyle"]
    assert_rows_conserve(table)


@pytest.mark.real_data
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_real_exports_without_answers_are_refused(shared: Path, ending: str) -> None:
    for kind in ("labels", "xml_values"):
        with pytest.raises(SourceError) as error:
            read_kobo(shared / f"data/exports/kobo/long_unicode_labels__{kind}.{ending}", "form")
        assert error.value.problems[0].code == EMPTY[ending]


# mutants


def mutate(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place, kind = rng.randrange(len(data)), rng.randrange(6)
        if kind == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            data[place:place] = data[place : place + rng.randint(1, 200)] * rng.randint(1, 3)
        elif kind == 3:
            data = bytearray(bytes(data).replace(b";", rng.choice([b",", b"\t", b"|", b""]), rng.randint(1, 40)))
        elif kind == 4:
            data[place:place] = rng.choice([b'"', b"\r", b"\n", b"\x00", b"\xff", b";;;", b"<c>", b"</row>", b"9"])
        else:
            del data[place : place + rng.randint(1, 60)]
        if not data:
            return b""
    return bytes(data)


def mutate_book(content: bytes, rng: random.Random) -> bytes:
    """Return a workbook with damage in the archive itself, or in one of the files that it packs."""
    if rng.random() < 0.3:
        return mutate(content, rng)
    changed_book = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(changed_book, "w") as target:
        names = source.namelist()
        sheets = [name for name in names if "sheets/" in name]
        chosen = rng.choice(sheets if rng.random() < 0.7 else names)
        for name in names:
            part = source.read(name)
            if name == chosen:
                part = swap_digits(part, rng) if rng.random() < 0.6 else mutate(part, rng)
            target.writestr(name, part)
    return changed_book.getvalue()


def swap_digits(part: bytes, rng: random.Random) -> bytes:
    """Return XML that is still XML, with some of its letters and numbers another."""
    data = bytearray(part)
    places = [place for place, byte in enumerate(data) if chr(byte).isalnum() and b">" in data[place - 6 : place]]
    for place in rng.sample(places, min(len(places), rng.randint(1, 6))):
        data[place] = ord(rng.choice("0123456789ax"))
    return bytes(data)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_damaged_files_are_refused_or_read_with_all_rows_accounted_for(tmp_path: Path, kind: str) -> None:
    rng = random.Random(21)
    content = as_text(ANSWERS).encode() if kind == "csv" else settle(book(tmp_path).read_bytes())
    (tmp_path / "a-kids.csv").write_text("age;PARENT_KEY\n3;k1\n")
    told = {"read": 0, "refused": 0}
    for _ in range(MUTANTS):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(mutate(content, rng) if kind == "csv" else mutate_book(content, rng))
        repeat = rng.choice([None, "meetings", "guests"]) if kind == "xlsx" else None
        start = time.monotonic()
        try:
            assert_rows_conserve(read_kobo(path, path.name, repeat=repeat))
            told["read"] += 1
        except SourceError:
            told["refused"] += 1
        assert time.monotonic() - start < SECONDS_FOR_ONE
    assert min(told.values()) > MUTANTS / 20, told

"""What happens to delimited text on its way: bytes, quotation marks, rows cut short, and what each system adds."""

import os
from collections.abc import Callable
from pathlib import Path

from pipelines.sources.delimited import MAX_BYTES, MAX_FIELD_CHARACTERS

from .cases import Case, Damage, Line, Refusal, both, content, declared, line, refused, set_aside, swap
from .layouts import CANARY, LAYOUTS, Layout, as_text, sound_table, write_book

TEXT = ("csv", "qualtrics", "redcap", "kobo", "limesurvey", "google_forms", "microsoft_forms text")
QUOTED = ("kobo", "limesurvey", "google_forms")
DELIMITERS = {"kobo": b";", "limesurvey": b";"}
NOTE = f"{CANARY} said".encode()


def list_cases() -> list[Case]:
    """Return the cases of text files."""
    everywhere = [case for name in TEXT for make in (_bytes, _fields, _ends) for case in make(LAYOUTS[name])]
    return [*everywhere, *_of_csv(), *_of_qualtrics(), *_of_redcap(), *_of_kobo(), *_of_limesurvey(), *_of_forms()]


def grow(size: int) -> Damage:
    """Return damage that makes a file so large, without filling the disk."""
    return lambda folder, layout: os.truncate(folder / layout.path, size)


def as_workbook(folder: Path, layout: Layout) -> None:
    """Put a workbook where the text was."""
    book = folder / "book.xlsx"
    write_book(book, {"A": [["pid", "note"], ["1", CANARY]]})
    book.replace(folder / layout.path)


def _bytes(layout: Layout) -> list[Case]:
    """Return cases of bytes that are no text, or no text in the encoding."""
    name, row = layout.name, layout.first_row + 4
    packed = "packed_file" if name not in ("csv", "google_forms", "microsoft_forms text") else "not_text"
    cases = [
        refused("a NUL byte", name, "nul", line(row, swap(NOTE, NOTE[:-1] + b"\x00")), Refusal("nul_byte", row)),
        refused("one line in another encoding", name, "encoding", line(row, swap(b"said", b"sa\xefd")),
                Refusal("wrong_encoding", row)),
        refused("UTF-16 without a mark", name, "encoding",
                content(lambda data: data.decode("utf-8-sig").encode("utf-16-le")), Refusal("nul_byte", 1)),
        refused("larger than any survey", name, "oversize", grow(MAX_BYTES + 1), Refusal("file_too_large")),
        refused("nothing in the file", name, "truncated", content(lambda _: b""), Refusal("file_empty")),
    ]  # fmt: skip
    if name not in ("google_forms", "microsoft_forms text"):  # which may be workbooks
        cases.append(refused("a workbook by the name of a text", name, "container", as_workbook, Refusal(packed)))
    return cases


def _fields(layout: Layout) -> list[Case]:
    """Return cases of rows that do not have the fields of the header, and of quotation marks."""
    name, row, cut = layout.name, layout.first_row + 5, DELIMITERS.get(layout.name, b",")
    quote = b'"' if name in QUOTED else b""
    return [
        set_aside("a field too many", name, "ragged", line(row, swap(NOTE, NOTE + quote + cut + quote)),
                  Line(row, "", "field_count", "row")),
        set_aside("a field too few", name, "ragged", line(row, swap(quote + NOTE + quote + cut, b"")),
                  Line(row, "", "field_count", "row")),
        refused("a quotation mark that is never closed", name, "ragged",
                line(row, swap(quote + NOTE + quote, b'"' + NOTE)), Refusal("broken_quotes", _end_of_quote(layout))),
    ]  # fmt: skip


def _end_of_quote(layout: Layout) -> int:
    """Return the line where a quotation mark that is opened in the sixth record is met by another."""
    return layout.first_row + (5 if layout.name in QUOTED else 11)


def _ends(layout: Layout) -> list[Case]:
    """Return cases of files whose end is lost."""
    name, last = layout.name, layout.first_row + 11
    rule = "field_count" if name in ("csv", "redcap", "kobo", "google_forms") else "cut_off"

    def keep_fields(data: bytes) -> bytes:
        return data.rstrip().rsplit(DELIMITERS.get(name, b","), 3)[0]

    cases = [
        set_aside("the end is lost between two fields", name, "truncated", content(keep_fields),
                  Line(last, "", rule, "row")),
        refused("all but the header is lost", name, "truncated",
                content(lambda data: b"\n".join(data.split(b"\n")[: layout.first_row - 1]) + b"\n"), Refusal("no_rows")),
    ]  # fmt: skip
    if name in QUOTED:
        cases.append(refused("the end is lost within a field", name, "truncated",
                             content(lambda data: data.rstrip().removesuffix(b'"')), Refusal("broken_quotes", last)))  # fmt: skip
    else:
        cases.append(set_aside("the end is lost within a field", name, "truncated", content(bytes.rstrip),
                               Line(last, "", "cut_off", "row")))  # fmt: skip
    return cases


def _of_csv() -> list[Case]:
    """Return what happens to files that people keep by hand."""

    def also_as(new: str) -> Damage:
        return lambda folder, layout: (folder / new).write_bytes((folder / layout.path).read_bytes()) and None

    def outside(folder: Path, layout: Layout) -> None:
        (folder / layout.path).rename(folder.parent / "elsewhere.csv")
        (folder / layout.path).symlink_to(folder.parent / "elsewhere.csv")

    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "csv", kind, damage, *problems)

    letters = content(lambda data: data.replace(b"said", "\u20ac".encode("cp1252")))
    return [
        case("letters of Windows declared as ISO 8859", "encoding", both(letters, declared(encoding="latin-1")),
             Refusal("wrong_encoding", 2)),
        case("an encoding that nobody knows", "encoding", declared(encoding="utf-88"), Refusal("unknown_encoding")),
        case("another delimiter than declared", "header", declared(delimiter=";"), Refusal("header_missing", 1)),
        case("no header", "header", content(lambda data: data.split(b"\n", 1)[1]),
             *[Refusal("column_twice", 1)] * 3),
        case("a name of two columns", "header", line(1, swap(b"gad_2", b"gad_1")), Refusal("column_twice", 1)),
        case("a column without a name", "header", line(1, swap(b"note", b"")), Refusal("column_without_name", 1)),
        case("a line of Excel above the header", "header", content(lambda data: b"sep=,\n" + data),
             Refusal("column_without_name", 1)),
        case("a web page", "container", content(lambda _: b"<!doctype html>\n<title>Log in</title>\n<p>zq81\n"),
             Refusal("no_delimiter", 1)),
        case("a delimiter at the end of every row", "ragged",
             content(lambda data: data.replace(b"\n", b",\n").replace(b",\n", b"\n", 1)), Refusal("rows_do_not_fit", 1)),
        case("a field longer than any answer", "oversize",
             line(4, swap(NOTE, b'"' + b"zq81" * (MAX_FIELD_CHARACTERS // 4 + 1) + b'"')), Refusal("broken_quotes", 4)),
        case("no file", "container", lambda folder, layout: (folder / layout.path).unlink(), Refusal("file_missing")),
        case("a folder by the name of the file", "container",
             lambda folder, layout: (folder / layout.path).rename(folder / "x") and (folder / layout.path).mkdir(),
             Refusal("file_missing")),
        case("a link to a file outside", "container", outside, Refusal("file_missing")),
        case("a path outside", "container", declared(path="../answers.csv"), Refusal("path_outside", file="../answers.csv")),
        set_aside("first rows that are longer than the header", "csv", "silent",
                  both(line(2, lambda row: row + b","), line(3, lambda row: row + b",1")),
                  Line(2, "", "field_count", "row"), Line(3, "", "field_count", "row")),
        set_aside("decimal commas between semicolons", "csv", "silent",
                  content(lambda data: data.replace(b",", b";").replace(b";34;", b";34,5;")),
                  Line(4, "age", "readable"), Line(5, "age", "readable")),
        set_aside("a line break inside a row", "csv", "ragged", line(7, swap(b"said,", b"sa\nid,")),
                  Line(7, "", "field_count", "row"), Line(8, "", "field_count", "row"), lost=7),
        set_aside("a decimal comma that shifts the columns", "csv", "decimal comma", line(5, swap(b",34,", b",34,5,")),
                  Line(5, "", "field_count", "row")),
        set_aside("a mark of DOS at the end", "csv", "truncated", content(lambda data: data + b"\x1a"),
                  Line(14, "", "field_count", "row"), lost=0),
        set_aside("the header again", "csv", "silent", content(lambda data: data + data.split(b"\n")[0] + b"\n"),
                  Line(14, "arm", "known_arm", "row"), Line(14, "wave", "known_timepoint", "row"), lost=0),
        set_aside("the file twice", "csv", "silent", both(also_as("answers 2.csv"), declared(path="answers*.csv")),
                  *(Line(row, "", "identical_file", "excluded") for row in range(2, 14))),
        set_aside("the file again with a row changed", "csv", "silent",
                  both(lambda folder, _: line(2, lambda row: row[:-1] + b"2")(folder, LAYOUTS["csv"]),
                       also_as("answers 2.csv"), _sound_first, declared(path="answers*.csv")),
                  Line(2, "pid", "one_row_per_timepoint", "row"),
                  Line(2, "pid", "one_row_per_timepoint", "row", "answers 2.csv"),
                  *(Line(row, "", "identical_duplicate", "excluded") for row in range(3, 14)), lost=7),
    ]  # fmt: skip


def _sound_first(folder: Path, layout: Layout) -> None:
    layout.save(folder, sound_table())


def _of_qualtrics() -> list[Case]:
    def case(name: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "qualtrics", "header", damage, *problems)

    def row(name: str, old: bytes, new: bytes, rule: str, severity: str) -> Case:
        return set_aside(name, "qualtrics", "row", line(6, swap(old, new)), Line(6, "", rule, severity), lost=7)

    def lines(change: Callable[[list[bytes]], list[bytes]]) -> Damage:
        return content(lambda data: b"\n".join(change(data.split(b"\n"))))

    return [
        case("the import ids were removed", lines(lambda rows: [rows[0], *rows[3:]]), Refusal("not_qualtrics", 2)),
        case("an import id is damaged", line(3, swap(b'""QID3""', b'""QID3')), Refusal("header_damaged", 3)),
        case("the questions have a field less", line(2, swap(b"About note,", b"")), Refusal("header_rows_differ", 2)),
        case("nothing tells what was finished",
             both(line(3, swap(b"finished", b"x")), line(3, swap(b"progress", b"y"))), Refusal("finished_unknown", 1)),
        case("two columns of one role", line(3, swap(b"QID3", b"status")), Refusal("column_twice", 1)),
        row("a preview", b"R_1,0,1", b"R_1,1,1", "preview", "excluded"),
        row("a test", b"R_1,0,1", b"R_1,2,1", "test_answer", "excluded"),
        row("an unfinished answer", b"R_1,0,1,100", b"R_1,0,0,40", "unfinished", "excluded"),
        row("a status that nobody knows", b"R_1,0,1", b"R_1,zq81,1", "status_unknown", "row"),
        row("an end that nobody knows", b"R_1,0,1,100", b"R_1,0,zq81,", "finished_unknown", "row"),
    ]  # fmt: skip


def _of_redcap() -> list[Case]:
    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "redcap", kind, damage, *problems)

    def write(rows: list[list[str]]) -> Damage:
        return content(lambda _: as_text(rows).encode())

    def repeats(instrument: str, instance: str) -> Damage:
        def change(data: bytes) -> bytes:
            header, *rows = data.decode().splitlines()
            told = [f"{row},{instrument},{instance}" if at == 3 else f"{row},," for at, row in enumerate(rows)]
            return "\n".join([f"{header},redcap_repeat_instrument,redcap_repeat_instance", *told, ""]).encode()

        return content(change)

    return [
        case("labels in place of codes", "header", write([["Record ID", "Event Name", "Arm"], ["zq81", "Base", "Peer"]]),
             Refusal("labels_export", 1)),
        case("a row for each field", "header",
             write([["record", "redcap_event_name", "field_name", "value"], ["zq81", "b", "arm", "1"]]),
             Refusal("one_row_per_field", 1)),
        case("another delimiter than declared", "header", declared(delimiter=";"), Refusal("one_column", 1)),
        case("no data dictionary", "container", declared(dictionary="fields.csv"),
             Refusal("file_missing", file="fields.csv")),
        case("a data dictionary outside", "container", declared(dictionary="../fields.csv"), Refusal("path_outside")),
        case("the answers as data dictionary", "container", declared(dictionary="answers.csv"),
             Refusal("no_data_dictionary", 1, file="answers.csv")),
        set_aside("a repeating form that nobody knows", "redcap", "row", repeats("zq81", "1"),
                  Line(5, "redcap_repeat_instrument", "repeat_instrument_unknown", "row")),
        set_aside("a repeat that is no number", "redcap", "row", repeats("", "zq81"),
                  Line(5, "redcap_repeat_instance", "repeat_instance_wrong", "row")),
    ]  # fmt: skip


def _of_kobo() -> list[Case]:
    tags = content(lambda data: data.replace(b"\n", b"\n" + b";".join([b'"#tag"'] * 16) + b"\n", 1))
    return [
        refused("a sheet of a text", "kobo", "container", declared(sheet="A"), Refusal("option_of_another_kind")),
        refused("no file of the repeat", "kobo", "container", declared(repeat="kids"), Refusal("repeat_missing")),
        refused("a question that two columns have", "kobo", "header", line(1, swap(b"worry/gad_2", b"worry/gad_1")),
                Refusal("column_missing", 1, "worry/gad_1"), Refusal("column_missing", 1, "worry/gad_2")),
        set_aside("a row of tags below the header", "kobo", "row", tags, Line(2, "", "second_header", "excluded")),
    ]  # fmt: skip


def _of_limesurvey() -> list[Case]:
    submitted = b'"2025-03-03 10:00:00"'
    return [
        refused("no date of submission", "limesurvey", "header", line(1, swap(b"submitdate", b"sent")),
                Refusal("finished_unknown", 1)),
        set_aside("an answer that was not submitted", "limesurvey", "row", line(6, swap(submitted, b'""')),
                  Line(6, "", "unfinished", "excluded"), lost=7),
        set_aside("a day of zeros as submission", "limesurvey", "row",
                  line(6, swap(submitted, b'"0000-00-00 00:00:00"')), Line(6, "", "finished_unknown", "row")),
        set_aside("a submission that is no date", "limesurvey", "row", line(6, swap(submitted, b'"zq81"')),
                  Line(6, "", "finished_unknown", "row")),
        set_aside("the blank line at the end", "limesurvey", "row", content(lambda data: data + b"\r\n"),
                  Line(14, "", "blank_row", "excluded")),
    ]  # fmt: skip


def _of_forms() -> list[Case]:
    google, other = LAYOUTS["google_forms"], LAYOUTS["microsoft_forms text"]
    return [
        refused("two questions of one text", google.name, "header", line(1, swap(b"? [2]", b"? [1]")),
                *(Refusal("column_missing", 1, google.column(name)) for name in ("gad_1", "gad_2"))),
        refused("a sheet of a text", google.name, "container", declared(sheet="A"), Refusal("option_not_used")),
        refused("a sheet of a text", other.name, "container", declared(sheet="A"), Refusal("option_not_used")),
        set_aside("the header again", google.name, "silent",
                  content(lambda data: data + b"\r\n" + data.split(b"\r\n")[0]), Line(14, "", "second_header", "excluded")),
    ]  # fmt: skip

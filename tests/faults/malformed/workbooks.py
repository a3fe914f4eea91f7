"""Workbooks: archives that are none or are bombs, sheets that mean two things, and what stands above or across rows."""

import datetime
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

from pipelines.sources.delimited import MAX_BYTES

from .cases import Case, Damage, Line, Refusal, both, content, declared, refused, set_aside
from .layouts import CANARY, LAYOUTS, Layout

BOOKS = ("excel", "kobo workbook", "google_forms workbook", "microsoft_forms")
SHEET = "xl/worksheets/sheet1.xml"
BOMB_BYTES = 20_000_000
"""Zeros, which pack to a thousandth: more than workbooks of that size ever do."""
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else CANARY}">' for n in range(10))
"""Ten entities, each of ten of the one before."""


def list_cases() -> list[Case]:
    """Return the cases of workbooks."""
    return [*(case for name in BOOKS for case in _archives(LAYOUTS[name])), *_of_excel(), *_of_others()]


def part(name: str, change: Callable[[str], str]) -> Damage:
    """Return damage done to one file inside the archive."""

    def damage(folder: Path, layout: Layout) -> None:
        path = folder / layout.path
        with zipfile.ZipFile(path) as book:
            parts = {each: book.read(each) for each in book.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for each, inside in (parts | {name: change(parts.get(name, b"").decode()).encode()}).items():
                book.writestr(each, inside)

    return damage


def book(change: Callable[[Any], object]) -> Damage:
    """Return damage done by somebody who edits and saves the workbook."""

    def damage(folder: Path, layout: Layout) -> None:
        opened = openpyxl.load_workbook(folder / layout.path)
        change(opened)
        opened.save(folder / layout.path)

    return damage


def declare_entities(entities: str, use: str) -> Callable[[str], str]:
    """Return a change of the sheet that declares entities and uses one as an answer."""

    def change(xml: str) -> str:
        body = re.sub(r"^<\?xml[^>]*\?>", "", xml)
        used = re.sub(r"<v>[0-9]+</v>", f"<v>{use}</v>", body, count=1)
        assert used != body
        return f"<!DOCTYPE worksheet [{entities}]>{used}"

    return change


def _archives(layout: Layout) -> list[Case]:
    """Return cases of files that are no sound archive; they are met before any cell is read."""
    name, path = layout.name, layout.path

    def case(what: str, kind: str, damage: Damage, code: str = "not_excel") -> Case:
        return refused(what, name, kind, damage, Refusal(code, file=path))

    def grow(folder: Path, _: Layout) -> None:
        os.truncate(folder / path, MAX_BYTES + 1)

    outside = '<!ENTITY l9 SYSTEM "file:///etc/hostname">'
    cases = [
        case("a bomb", "zip bomb", part("xl/media/image1.png", lambda _: "0" * BOMB_BYTES), "workbook_too_large"),
        case("entities that multiply", "entities", part(SHEET, declare_entities(LAUGHS, "&l9;"))),
        case("an entity from outside", "entities", part(SHEET, declare_entities(outside, "&l9;"))),
        case("the end is lost", "truncated", content(lambda data: data[: len(data) // 2])),
        case("an old or a locked workbook", "container", content(lambda data: b"\xd0\xcf\x11\xe0" + data)),
        case("a NUL byte", "nul", part(SHEET, lambda xml: xml.replace("<v>", "<v>\x00", 1))),
        case("letters in another encoding", "encoding",
             part(SHEET, lambda xml: '<?xml version="1.0" encoding="utf-88"?>' + re.sub(r"^<\?xml[^>]*\?>", "", xml))),
    ]  # fmt: skip
    is_form = name in ("google_forms workbook", "microsoft_forms")  # which look into the archive first
    cases.append(case("larger than any survey", "oversize", grow, "not_excel" if is_form else "workbook_too_large"))
    if not is_form:  # whose texts may have any name
        cases.append(case("a text by the name of a workbook", "container", content(lambda _: b"pid,note\n1,zq81\n")))
    return cases


def _of_excel() -> list[Case]:
    """Return what happens to sheets that people keep by hand."""

    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "excel", kind, damage, *problems)

    def row(name: str, kind: str, change: Callable[[Any], object], *lines: Line, lost: int | None = None) -> Case:
        return set_aside(name, "excel", kind, book(lambda opened: change(opened.active)), *lines, lost=lost)

    def add_notes(opened: Any) -> None:
        notes = opened.create_sheet("Notes")
        for cells in (["x"], ["a", "b"], ["c", CANARY]):
            notes.append(cells)

    def title(sheet: Any) -> None:
        sheet.insert_rows(1)
        sheet["A1"] = CANARY

    archive = "answers.xlsx"
    return [
        case("two sheets and none named", "container", book(lambda opened: opened.create_sheet("Notes")),
             Refusal("sheet_not_named", file=archive)),
        case("a sheet that is not there", "container", declared(sheet="Answer"), Refusal("sheet_missing", file=archive)),
        case("an empty sheet", "truncated",
             both(book(lambda opened: opened.create_sheet("Notes")), declared(sheet="Notes")),
             Refusal("file_empty", file="answers.xlsx[Notes]")),
        case("a title above the header", "header", book(lambda opened: title(opened.active)),
             Refusal("rows_do_not_fit", 1)),
        case("a header further down than declared", "header", declared(header_row=40), Refusal("header_blank", 40)),
        case("a header further up than declared", "header", declared(header_row=3), *[Refusal("column_twice", 3)] * 2),
        case("a column is missing under a header further down", "header",
             both(book(lambda opened: (title(opened.active), opened.active.__setitem__("D2", "agee"))),
                  declared(header_row=2)), Refusal("column_missing", 2, "age")),
        case("another sheet's header further down", "header",
             both(book(add_notes),
                  declared(sheet="Notes", header_row=2)),
             Refusal("header_missing", 2, file="answers.xlsx[Notes]")),
        case("merged names", "header", book(lambda opened: opened.active.merge_cells("F1:G1")),
             Refusal("merged_header", 1)),
        case("rows out of order", "container", part(SHEET, lambda xml: xml.replace('<row r="5"', '<row r="2"')),
             Refusal("not_excel", 2, file=archive)),
        case("a spreadsheet of OpenDocument", "container", part("content.xml", lambda _: ""),
             Refusal("not_excel", file=archive)),
        row("answers merged over two rows", "row", lambda sheet: sheet.merge_cells("H4:H5"),
            Line(4, "", "merged_cells", "row"), Line(5, "", "merged_cells", "row")),
        row("a cell beyond the columns", "ragged", lambda sheet: sheet.__setitem__("N5", CANARY),
            Line(5, "", "field_count", "row")),
        row("a formula that was never computed", "cell", lambda sheet: sheet.__setitem__("H4", "=1+1"),
            Line(4, "gad_2", "readable"), lost=1),
        row("an error in place of an id", "row", lambda sheet: sheet.__setitem__("A4", "#N/A"),
            Line(4, "pid", "not_missing", "row")),
        row("an answer that became a day", "serial date", lambda sheet: sheet.__setitem__("H4", _DAY),
            Line(4, "gad_2", "readable"), lost=1),
        row("a row of notes below a gap", "row", lambda sheet: sheet.__setitem__("A16", CANARY),
            *(Line(16, name, rule, "row") for name, rule in _OF_NOTES), lost=0),
    ]  # fmt: skip


_OF_NOTES = (("wave", "not_missing"), ("arm", "one_arm_per_participant"))
_DAY = datetime.date(2025, 1, 2)


def _of_others() -> list[Case]:
    """Return what happens to the workbooks of survey systems."""
    kobo, google = LAYOUTS["kobo workbook"], LAYOUTS["google_forms workbook"]
    return [
        refused("an encoding of a workbook", kobo.name, "container", declared(encoding="utf-8"),
                Refusal("option_of_another_kind", file=kobo.path)),
        refused("two sheets that could be meant", kobo.name, "container",
                book(lambda opened: opened.create_sheet("Notes")), Refusal("sheet_not_named", file=kobo.path)),
        refused("no sheet of the repeat", kobo.name, "container", declared(repeat="kids"),
                Refusal("repeat_missing", file=kobo.path)),
        refused("an encoding of a workbook", google.name, "container", declared(encoding="utf-8"),
                Refusal("option_not_used", file=google.path)),
        refused("two questions of one text", google.name, "header",
                book(lambda opened: opened.active.__setitem__("J1", opened.active["I1"].value)),
                Refusal("column_twice", 1)),
    ]  # fmt: skip

"""Files of the study of canaries, damaged in every way that ends a run, with canaries where the damage is."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl

from .planted import CANARIES

MAIN = "data/wave/answers_07700900417.csv"
Damage = Callable[[Path], object]


def damaged_table(name: str, change: Callable[[list[list[str]]], object]) -> Damage:
    def damage(folder: Path) -> None:
        with (folder / name).open(newline="") as file:
            rows = list(csv.reader(file))
        change(rows)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        (folder / name).write_text(text.getvalue())

    return damage


def replaced(name: str, before: str | bytes, after: str | bytes) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        old, new = (each.encode() if isinstance(each, str) else each for each in (before, after))
        assert old in content
        (folder / name).write_bytes(content.replace(old, new))

    return damage


def workbook(change: Callable[[openpyxl.Workbook], object]) -> Damage:
    def damage(folder: Path) -> None:
        book = openpyxl.load_workbook(folder / "data/book.xlsx")
        change(book)
        book.save(folder / "data/book.xlsx")

    return damage


def corrected(column: str, value: str) -> Damage:
    return damaged_table("corrections.csv", lambda rows: rows[1].__setitem__(rows[0].index(column), value))


def contract(name: str, text: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / "contracts").mkdir()
        (folder / "contracts" / f"{name}.yaml").write_text(text)

    return damage


def rename(name: str, new: str) -> Damage:
    return lambda folder: (folder / name).rename(folder / new)


NAME, MAIL, TEXT = (
    CANARIES[kind] for kind in ("a name in an undeclared column", "an e-mail as the id", "free text in an item cell")
)
SHEET = CANARIES["a sheet name"]
OWN_RULES = """\
apiVersion: v3.1.0
kind: DataContract
id: participants
version: 1.0.0
status: active
schema:
  - name: participants
    properties:
      - name: site
        logicalType: string
        quality:
          - name: short_sites
            description: Sites are called by a letter and a number.
            metric: invalidValues
            arguments: {pattern: "^[A-Z][0-9]$"}
            mustBe: 0
            severity: error
            customProperties: [{property: howToFix, value: "Ask the site."}]
"""
REFUSALS: dict[str, tuple[Damage, str]] = {
    "a text in place of an SPSS file": (lambda f: (f / "data/labels.sav").write_text(f"{NAME},{MAIL}\n" * 9), "not_spss"),
    "an SPSS file that is cut off": (
        lambda f: (f / "data/labels.sav").write_bytes((f / "data/labels.sav").read_bytes()[:-900]), "cut_off"),
    "a workbook that is damaged": (
        lambda f: (f / "data/book.xlsx").write_bytes((f / "data/book.xlsx").read_bytes()[:-300]), "not_excel"),
    "a missing column": (damaged_table("data/site.csv", lambda rows: [row.pop(3) for row in rows]), "column_missing"),
    "a column called by a question": (
        damaged_table("data/site.csv", lambda rows: rows[0].__setitem__(3, f"wel {NAME[:3]}")), "column_missing"),
    "a first row of answers": (damaged_table("data/site.csv", lambda rows: rows.pop(0)), "header_missing"),
    "a first row of names": (
        damaged_table("data/site.csv", lambda rows: rows.__setitem__(0, [NAME, MAIL, TEXT, SHEET])), "header_missing"),
    "a first row with names twice": (
        damaged_table("data/site.csv", lambda rows: rows.__setitem__(0, [NAME, NAME, TEXT, TEXT])), "column_twice"),
    "a header with a column twice": (
        damaged_table(MAIN, lambda rows: rows[0].__setitem__(20, rows[0][21])), "column_twice"),
    "rows that do not fit": (
        damaged_table("data/site.csv", lambda rows: [row.append(NAME) for row in rows[1:]]), "rows_do_not_fit"),
    "an open quotation mark": (replaced("data/site.csv", "S01", f'"{NAME}'), "broken_quotes"),
    "letters of Windows": (replaced("data/site.csv", b"S01", f"{NAME} caf\xe9".encode("cp1252")), "wrong_encoding"),
    "a file of NUL": (replaced("data/site.csv", b"S01", NAME.encode() + b"\0"), "nul_byte"),
    "several sheets": (workbook(lambda book: book.create_sheet(NAME)), "sheet_not_named"),
    "a sheet that is not there": (
        replaced("study.yaml", "format: excel", "format: excel\n    sheet: Notes"), "sheet_missing"),
    "an empty sheet": (workbook(lambda book: book.active.delete_rows(1, 500)), "file_empty"),
    "a sheet without the columns": (workbook(lambda book: book.active.delete_rows(1)), "column_twice"),
    "merged names in a sheet": (workbook(lambda book: book.active.merge_cells("A1:B1")), "merged_header"),
    "a workbook as a form of Kobo": (
        lambda f: (workbook(lambda book: book.create_sheet(NAME))(f), replaced("study.yaml", "excel", "kobo")(f)),
        "sheet_not_named"),
    "a repeat of Kobo that is not there": (
        replaced("study.yaml", "format: excel", "format: kobo\n    repeat: meetings"), "repeat_missing"),
    "a file that is not there": (rename("data/site.csv", f"data/{NAME}.csv"), "file_missing"),
    "Qualtrics without its header": (damaged_table("data/qualtrics.csv", lambda rows: rows.pop(2)), "not_qualtrics"),
    "Qualtrics with a damaged header": (
        damaged_table("data/qualtrics.csv", lambda rows: rows[2].__setitem__(5, f'{{"ImportId": {NAME}')), "header_damaged"),
    "a dictionary of names": (lambda f: (f / "data/dictionary.csv").write_text(f"{NAME},{MAIL}\n1,2\n"), "no_data_dictionary"),
    "a dictionary of another project": (
        lambda f: (replaced("data/dictionary.csv", "djg_", "Zelmira_")(f), replaced("data/dictionary.csv", "record_id", "Quostrand")(f),
                   replaced("data/dictionary.csv", "lonely", "Brackwaite")(f)),
        "dictionary_of_another"),
    "a repeat of REDCap that is not there": (
        replaced("study.yaml", "dictionary: dictionary.csv", "dictionary: dictionary.csv\n    repeat: visits"), "repeat_missing"),
    "a form without its questions": (damaged_table("data/form.csv", lambda rows: rows.pop(0)), "header_missing"),
    "a form with other questions": (
        damaged_table("data/form.csv", lambda rows: rows[0].__setitem__(3, f"How calm are you, {NAME}?")), "column_missing"),
    "a bundle that is cut off": (
        lambda f: (f / "data/fhir.json").write_text((f / "data/fhir.json").read_text()[:-90]), "not_json"),
    "a bundle of texts": (
        lambda f: (f / "data/fhir.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [NAME]})), "not_fhir"),
    "responses that are all wrong": (replaced("data/fhir.json", '"valueInteger": ', f'"valueString": "{TEXT}", "x": '), "no_rows"),
    "a correction of another value": (corrected("old", NAME), "old_differs"),
    "a correction of no column": (corrected("column", NAME), "column_missing"),
    "a correction without a row": (corrected("row", NAME), "row_no_number"),
    "a correction of a row that is not there": (corrected("row", "900"), "row_missing"),
    "a log of corrections with other columns": (corrected("why", ""), "field_blank"),
    "a contract of the study that is broken": (
        contract("participants", OWN_RULES), "contract_broken"),
}  # fmt: skip

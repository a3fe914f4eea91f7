"""XLSForm workbooks, for KoboToolbox, ODK and others: an instrument written as one, and any of them read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from data_contracts.errors import Problem
from instruments.errors import InstrumentError
from instruments.exchange.calculation import Dialect, write_calculation, write_number
from instruments.exchange.codebook import describe_measure
from instruments.exchange.fields import (
    LABEL_ONLY,
    FieldNames,
    FormField,
    name_fields,
    one_line,
    read_numbers,
    require_items,
)
from instruments.exchange.workbooks import without_times, write_text
from instruments.model import Instrument
from instruments.parts import Item
from instruments.wording import Wording, item_label, option_label

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

XPATH: Final = Dialect(
    blank="{} = ''", equals="{} = '{}'", choose="if({}, {}, {})", either=" or ", divide="div", nothing="''"
)
SURVEY_COLUMNS: Final = ("type", "name", "label", "hint", "constraint", "constraint_message", "calculation")
MAX_UNPACKED_BYTES: Final = 50 * 1024 * 1024
MAX_ENTRIES: Final = 500
MAX_RATIO: Final = 100
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 400
_RATIO_MATTERS_ABOVE = 5 * 1024 * 1024
_QUESTIONS = ("select_one", "integer", "decimal", "range", "text")
_SHEETS = ("survey", "choices", "settings")
_LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "sw": "Swahili", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class XlsForm:
    """The two sheets of a form that say what is asked.

    Attributes
    ----------
    survey : DataFrame
        Column names in lower case as in the sheet, all text; the index is the number of the row in the sheet.
    choices : DataFrame
        The same, with the columns list_name and name; empty where the form has no choices.
    """

    survey: pd.DataFrame
    choices: pd.DataFrame


def write_xlsform(instrument: Instrument, path: Path, *, wording: Wording | None = None) -> None:
    """Write an instrument as an XLSForm workbook.

    Items are ``select_one`` with the codes of the definition as names, or ``decimal`` with a constraint where they are
    answered on a range; none is required. Each computed measure is a ``calculate`` row in XPath that gives our score,
    and an empty text where the missing rule gives none. With wording, labels stand in a column of its language. The
    sheet ``_about``, which form tools pass over, tells the licence, safety notes and what is unconfirmed. Cells are
    typed as text, so that none is a formula; the same input gives the same bytes.

    Parameters
    ----------
    instrument : Instrument
        As the form shall have it, see `apply_variants`.
    path : Path
        The workbook to write; replaced where it exists.
    wording : Wording, optional
        The words of the licence holder; without it our short labels stand there, and every hint says so.

    Raises
    ------
    InstrumentError
        The instrument has no items.
    """
    import openpyxl

    require_items(instrument)
    names = name_fields(instrument)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    language = _language(wording) if wording else ""
    headed = {name: f"{name}::{language}" if language else name for name in ("label", "hint", "constraint_message")}
    _add_sheet(book.create_sheet("survey"), [headed.get(name, name) for name in SURVEY_COLUMNS], [
        *_opening_rows(wording), *_item_rows(instrument, names, wording), *_measure_rows(instrument, names)
    ])  # fmt: skip
    choices = list(_choice_rows(instrument, names, wording))
    if choices:
        _add_sheet(book.create_sheet("choices"), ["list_name", "name", headed["label"]], choices)
    title = (wording.title if wording else "") or instrument.short_name
    settings = [title, names.form, instrument.version, language]
    _add_sheet(book.create_sheet("settings"), ["form_title", "form_id", "version", "default_language"], [settings])
    _add_sheet(book.create_sheet("_about"), ["what", "says"], _about_rows(instrument, wording))
    written = io.BytesIO()
    book.save(written)
    path.write_bytes(without_times(written))


def read_xlsform(path: Path) -> XlsForm:
    """Read the questions and choices of an XLSForm workbook.

    Parameters
    ----------
    path : Path
        An .xlsx workbook.

    Returns
    -------
    XlsForm
        What the sheets ``survey`` and ``choices`` hold.

    Raises
    ------
    InstrumentError
        No workbook, far too large when unpacked, without a sheet or column that an XLSForm has, or with a formula in a
        cell; with sheet, row and column.
    """
    import openpyxl

    _require_small_archive(path)
    try:
        with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True)) as book:
            sheets = {name.strip().lower(): _read_cells(book[name], path, name) for name in book.sheetnames
                      if name.strip().lower() in _SHEETS}  # fmt: skip
    except InstrumentError:
        raise
    except Exception as error:
        raise InstrumentError(
            Problem("not_excel", f"The workbook cannot be read ({type(error).__name__}).", "Save it again as .xlsx.",
                    path.name)
        ) from None  # fmt: skip
    survey = _read_table(sheets.get("survey", {}), ("type", "name"), path, "survey")
    if "choices" not in sheets or not sheets["choices"]:
        return XlsForm(survey, pd.DataFrame(columns=["list_name", "name"], dtype="str"))
    return XlsForm(survey, _read_table(sheets["choices"], ("list_name", "name"), path, "choices"))


def read_questions(form: XlsForm) -> list[FormField]:
    """Return the rows of the sheet ``survey`` that have a name, with the answers they allow.

    A number tells its answers where its constraint is of the form ``. >= 0 and . <= 10``, a range by its parameters.
    """
    lists = {str(name).lower(): rows for name, rows in form.choices.groupby("list_name")}
    label = _label_column(form.survey)
    groups: list[str] = []
    found = []
    for row, record in form.survey.to_dict("index").items():
        kind = " ".join(record["type"].lower().split())
        if re.match(r"begin[ _](group|repeat)", kind):
            groups.append(record["name"])
        elif re.match(r"end[ _](group|repeat)", kind):
            groups = groups[:-1]
        elif record["name"]:
            words = re.sub(r"[ _]or[ _]other$", "", kind).replace("select one", "select_one").split(" ")
            field = FormField(
                name=record["name"], form=groups[-1] if groups else "", kind=words[0], row=int(str(row)),
                concept=record.get(label, ""), is_question=words[0] in _QUESTIONS,
            )  # fmt: skip
            if words[0] != "select_one":
                field = replace(field, answers=_ends(words[0], record), is_range=True)
            elif words[-1] in lists:
                choices = lists[words[-1]]
                texts = tuple(choices.get(_label_column(choices), pd.Series(dtype="str")))
                field = replace(field, answers=read_numbers(list(choices["name"])), labels=texts)
            found.append(field)
    return found


def _label_column(table: pd.DataFrame) -> str:
    """Return the first column of labels, of whatever language."""
    return next((column for column in table.columns if column.split("::")[0] == "label"), "label")


def _ends(kind: str, record: Mapping[Hashable, str]) -> tuple[float, ...] | None:
    """Return the ends of the range of a question; None where the form does not tell."""
    if kind == "range":
        ends = dict(re.findall(r"(start|end)\s*=\s*(-?[0-9.]+)", record.get("parameters", "")))
        return read_numbers([ends.get("start", "1"), ends.get("end", "10")])
    bounds = re.fullmatch(r"\.\s*>=\s*(-?[0-9.]+)\s+and\s+\.\s*<=\s*(-?[0-9.]+)", record.get("constraint", ""))
    return (read_numbers(bounds.groups()) or None) if bounds else None


def _opening_rows(wording: Wording | None) -> Iterator[list[str]]:
    if wording and wording.instructions:
        yield ["note", "instructions", _label(wording.instructions)]


def _item_rows(instrument: Instrument, names: FieldNames, wording: Wording | None) -> Iterator[list[str]]:
    hint = "" if wording else LABEL_ONLY
    for item in instrument.items:
        shown = [names.items[item.id], _label(item_label(item, wording)), hint]
        allowed = instrument.allowed_values(item.id)
        if allowed.options:
            yield [f"select_one {_list_name(names, item)}", *shown]
        else:
            low, high = write_number(allowed.minimum), write_number(allowed.maximum)
            yield ["decimal", *shown, f". >= {low} and . <= {high}", f"{low} – {high}"]


def _measure_rows(instrument: Instrument, names: FieldNames) -> Iterator[list[str]]:
    references = {item: f"${{{field}}}" for item, field in names.items.items()}
    for measure in instrument.scored_measures:
        calculation = write_calculation(instrument, measure, references, XPATH)
        yield ["calculate", names.measures[measure.id], "", "", "", "", calculation]


def _choice_rows(instrument: Instrument, names: FieldNames, wording: Wording | None) -> Iterator[list[str]]:
    asked = {item.response_set: _list_name(names, item) for item in instrument.items}
    for name, list_name in asked.items():
        for option in instrument.response_sets[name].options:
            yield [list_name, str(option.value), _label(option_label(name, option, wording))]


def _about_rows(instrument: Instrument, wording: Wording | None) -> list[list[str]]:
    licence = instrument.licence
    rows = [
        ["instrument", f"{instrument.id} {instrument.version}"],
        ["name", instrument.name],
        ["wording", f"By {wording.holder}" if wording else LABEL_ONLY],
        ["licence", " ".join(filter(None, [licence.terms, licence.contact]))],
        ["source", " ".join(filter(None, [instrument.citation.text, instrument.citation.doi]))],
    ]
    rows += [
        [f"safety, item {item.id}", f"Answers {instrument.alarming_answers(item)}: {item.safety.note}"]
        for item in instrument.items
        if item.safety
    ]
    notes = {one.id: describe_measure(instrument, one) for one in instrument.scored_measures}
    return rows + [[f"score {name}", note] for name, note in notes.items() if note]


def _list_name(names: FieldNames, item: Item) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{names.form}_{item.response_set}")


def _label(text: str) -> str:
    """Return a label on one line that no tool takes for a reference to a question."""
    return one_line(text).replace("${", "$ {")


def _language(wording: Wording) -> str:
    code = wording.language.split("-")[0]  # form tools know languages, not their regions
    return f"{_LANGUAGES.get(code, code)} ({code})"


def _add_sheet(sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate([header, *rows], 1):
        for column, text in enumerate(row, 1):
            if text:
                write_text(sheet.cell(number, column), text)


def _require_small_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise InstrumentError(
            Problem("not_excel", "The file is not an .xlsx workbook (the old .xls format is not read).",
                    "Save it as .xlsx.", path.name)
        ) from None  # fmt: skip
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    bomb = unpacked > _RATIO_MATTERS_ABOVE and unpacked / packed > MAX_RATIO
    if unpacked > MAX_UNPACKED_BYTES or len(entries) > MAX_ENTRIES or bomb:
        raise InstrumentError(
            Problem("workbook_too_large", "The workbook unpacks to far more than a form holds.",
                    "Give the form, not the data.", path.name)
        )  # fmt: skip


def _read_cells(sheet: Any, path: Path, name: str) -> Mapping[int, list[str]]:
    """Return the rows of a sheet that hold something, by their number."""
    sheet.reset_dimensions()  # what a workbook says of its size may be wrong
    rows: dict[int, list[str]] = {}
    formulas = []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
            raise InstrumentError(
                Problem("workbook_too_large", f"The sheet has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns.",
                        "Give the form, not the data.", f"{path.name}[{name}]", number)
            )  # fmt: skip
        formulas += [(number, place) for place, cell in enumerate(cells, 1) if cell.data_type == "f"]
        row = ["" if cell.value is None else _text(cell.value) for cell in cells]
        if any(row):
            rows[number] = row
    if formulas:
        raise InstrumentError([
            Problem("formula_found", "The cell holds a formula.", "Paste its value in its place.",
                    f"{path.name}[{name}]", number, f"column {place}")
            for number, place in formulas[:20]
        ])  # fmt: skip
    return rows


def _read_table(rows: Mapping[int, list[str]], needed: Sequence[str], path: Path, name: str) -> pd.DataFrame:
    first, *others = rows.items() if rows else [(1, [])]
    header = [re.sub(r"^list[ _]name$", "list_name", cell.strip().lower()) for cell in first[1]]
    absent = [column for column in needed if header.count(column) != 1]
    if absent:
        raise InstrumentError(
            Problem("no_xlsform", f"This is no XLSForm: its sheet '{name}' has no column {', '.join(absent)}.",
                    "Give the workbook that defines the form; a REDCap data dictionary is a CSV file.",
                    f"{path.name}[{name}]", first[0])
        )  # fmt: skip
    kept = list(dict.fromkeys(column for column in header if column))
    places = [header.index(column) for column in kept]
    values = [[row[place].strip() if place < len(row) else "" for place in places] for _, row in others]
    return pd.DataFrame(values, columns=kept, index=[number for number, _ in others], dtype="str")


def _text(value: object) -> str:
    return write_number(value) if isinstance(value, float) else str(value)

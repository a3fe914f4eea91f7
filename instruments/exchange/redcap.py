"""REDCap data dictionaries: an instrument written as one, and any of them read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Final

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
    no_formula,
    one_line,
    read_numbers,
    require_items,
)
from instruments.model import Instrument
from instruments.parts import Item, Measure
from instruments.wording import Wording, item_label, option_label

HEADER: Final[dict[str, str]] = {
    "field_name": "Variable / Field Name",
    "form_name": "Form Name",
    "section_header": "Section Header",
    "field_type": "Field Type",
    "field_label": "Field Label",
    "select_choices_or_calculations": "Choices, Calculations, OR Slider Labels",
    "field_note": "Field Note",
    "text_validation_type_or_show_slider_number": "Text Validation Type OR Show Slider Number",
    "text_validation_min": "Text Validation Min",
    "text_validation_max": "Text Validation Max",
    "identifier": "Identifier?",
    "branching_logic": "Branching Logic (Show field only if...)",
    "required_field": "Required Field?",
    "custom_alignment": "Custom Alignment",
    "question_number": "Question Number (surveys only)",
    "matrix_group_name": "Matrix Group Name",
    "matrix_ranking": "Matrix Ranking?",
    "field_annotation": "Field Annotation",
}
"""The 18 columns in REDCap's order: name in its API -> header of the file that its pages export and import."""
REDCAP: Final = Dialect(
    blank='{} = ""', equals='{} = "{}"', choose="if({}, {}, {})", either=" or ", divide="/", nothing='""'
)
MAX_BYTES: Final = 20 * 1024 * 1024
LONGEST_CELL: Final = 131_072
MAX_FIELDS: Final = 20_000
_LABELS = ("section_header", "field_label", "field_note", "field_annotation")
_CODES = ("field_name", "form_name", "field_type")
_QUESTIONS = ("radio", "dropdown", "yesno", "truefalse", "slider", "text")
_WRITTEN_BY_US = re.compile(r"[a-z][a-z0-9_.-]* [0-9.]+, item [^:]+: ([^.]+)")
_QUOTED = re.compile(r'[,"\\\s]')


def build_data_dictionary(
    instrument: Instrument, *, wording: Wording | None = None, record_id: bool = False
) -> pd.DataFrame:
    """Write an instrument as a REDCap data dictionary.

    Parameters
    ----------
    instrument : Instrument
        As the form shall have it, see `apply_variants`.
    wording : Wording, optional
        The words of the licence holder; without it our short labels stand there, and every field note says so.
    record_id : bool
        Put the field ``record_id`` first, as a project needs it whose first form this is.

    Returns
    -------
    DataFrame
        A row per item and per computed measure, with the headers of `HEADER`, all text. Items are ``radio``, or
        ``text`` with a validated number where they are answered on a range; none is required. Measures are ``calc``
        fields that give our score, blank where the missing rule gives none, and are hidden on surveys. Field
        annotations name instrument, version and item, and repeat safety notes. Labels that begin like a formula of
        a spreadsheet get an apostrophe in front; choices and calculations stay as they are, because REDCap reads them.

    Raises
    ------
    InstrumentError
        The instrument has no items.
    """
    require_items(instrument)
    names = name_fields(instrument)
    rows = [_item_row(instrument, item, names, wording) for item in instrument.items]
    if wording and wording.instructions:
        rows[0]["section_header"] = one_line(wording.instructions)
    rows += [_measure_row(instrument, measure, names) for measure in instrument.scored_measures]
    if record_id:
        rows.insert(0, {"field_name": "record_id", "field_type": "text", "field_label": "Record ID"})
    shared = dict.fromkeys(HEADER, "") | {"form_name": names.form}
    table = pd.DataFrame([shared | row for row in rows], dtype="str")
    for column in _LABELS:
        table[column] = table[column].map(no_formula)
    return table.rename(columns=HEADER)


def render_data_dictionary(instrument: Instrument, *, wording: Wording | None = None, record_id: bool = False) -> str:
    """Return the data dictionary of `build_data_dictionary` as the CSV text that REDCap exports and imports (UTF-8)."""
    return render_dictionary(build_data_dictionary(instrument, wording=wording, record_id=record_id))


def render_dictionary(dictionary: pd.DataFrame) -> str:
    """Return a table as CSV, quoted as REDCap quotes: fields with a blank, comma, quote, backslash or line break."""
    lines = [list(map(str, dictionary.columns)), *dictionary.astype("str").to_numpy().tolist()]
    return "".join(f"{','.join(map(_quote, line))}\n" for line in lines)


def read_data_dictionary(path: Path) -> pd.DataFrame:
    """Read a REDCap data dictionary from its CSV file.

    Parameters
    ----------
    path : Path
        As exported by REDCap's pages or by its API; UTF-8.

    Returns
    -------
    DataFrame
        As `require_data_dictionary`; the index is the number of the row in the file, counted as a spreadsheet does.

    Raises
    ------
    InstrumentError
        The file is too large, no text in UTF-8, no CSV, or no data dictionary; with file, row and column.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InstrumentError(
            Problem("file_too_large", f"The file is larger than {MAX_BYTES // 1024**2} MB.",
                    "Give the data dictionary, not the data.", path.name)
        )  # fmt: skip
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        if any(len(cell) > LONGEST_CELL for row in rows for cell in row):
            raise csv.Error  # csv has a limit of its own, which is one for the whole process
    except (UnicodeDecodeError, csv.Error) as error:
        raise InstrumentError(
            Problem("not_csv", f"The file is no CSV in UTF-8 ({type(error).__name__}).",
                    "Download the data dictionary from REDCap again, and do not save it from a spreadsheet.", path.name)
        ) from None  # fmt: skip
    width = len(rows[0]) if rows else 0
    uneven = [number for number, row in enumerate(rows, 1) if row and len(row) != width]
    if uneven:
        raise InstrumentError([
            Problem("row_uneven", f"The row has not as many cells as the header ({width}).",
                    "Put texts with commas or line breaks in quotes.", path.name, number)
            for number in uneven[:10]
        ])  # fmt: skip
    kept = {number: row for number, row in enumerate(rows[1:], 2) if any(row)}
    table = pd.DataFrame(list(kept.values()), columns=rows[0] if rows else [], index=list(kept), dtype="str")
    return require_data_dictionary(table, path.name)


def require_data_dictionary(dictionary: pd.DataFrame, file: str = "") -> pd.DataFrame:
    """Return a data dictionary with the column names of REDCap's API.

    Parameters
    ----------
    dictionary : DataFrame
        With the headers of REDCap's pages or of its API; columns may be absent, as old versions had fewer.
    file : str, optional
        Its name, for messages.

    Returns
    -------
    DataFrame
        All 18 columns, as text, blank where absent; same index.

    Raises
    ------
    InstrumentError
        It lacks the name, form, type or choices of fields, a cell holds a formula, a field stands twice or has no
        name, or it has more than `MAX_FIELDS` fields.
    """
    api_names = {shown: name for name, shown in HEADER.items()}
    table = dictionary.rename(columns=lambda name: api_names.get(str(name).strip(), str(name).strip()))
    needed = [*_CODES, "select_choices_or_calculations"]
    absent = [name for name in needed if name not in table.columns]
    if absent or table.columns.has_duplicates:
        advice = f"Its first row must hold {', '.join(HEADER.values())}, or the names of the API."
        what = f"It lacks {', '.join(HEADER[name] for name in absent)}" if absent else "A column stands twice"
        raise InstrumentError(
            Problem("no_data_dictionary", f"This is no REDCap data dictionary. {what}.",
                    advice, file, 1)
        )  # fmt: skip
    if len(table) > MAX_FIELDS:
        raise InstrumentError(
            Problem("too_many_fields", f"There are {len(table)} fields; {MAX_FIELDS} are read.",
                    "Give the forms that hold instruments.", file)
        )  # fmt: skip
    table = table.reindex(columns=list(HEADER)).astype("object")
    table = table.where(table.notna(), "").astype("str")
    problems = _field_problems(table, file)
    if problems:
        raise InstrumentError(problems)
    return table


def read_fields(dictionary: pd.DataFrame) -> list[FormField]:
    """Return the fields of a data dictionary as `require_data_dictionary` returns it, with the answers they allow.

    A text field tells its answers where it has both a lowest and a highest number; a slider goes from 0 to 100 where it
    says nothing else.
    """
    return [_read_field(row, record) for row, record in dictionary.to_dict("index").items()]


def _read_field(row: object, record: Mapping[Hashable, str]) -> FormField:
    kind = record["field_type"].strip().lower()
    written = _WRITTEN_BY_US.match(record["field_annotation"])
    answers: tuple[float, ...] | None = None
    labels: tuple[str, ...] = ()
    if kind in ("radio", "dropdown"):
        choices = re.split(r"[|\n]", record["select_choices_or_calculations"])
        parts = [choice.partition(",") for choice in choices if choice.strip()]
        answers = read_numbers([code for code, _, _ in parts])
        labels = tuple(label.strip() for _, _, label in parts)
    elif kind in ("yesno", "truefalse"):
        answers = (0.0, 1.0)
    elif kind in ("text", "slider"):
        ends = read_numbers([record["text_validation_min"], record["text_validation_max"]])
        answers = ends or ((0.0, 100.0) if kind == "slider" else None)
    return FormField(
        name=record["field_name"].strip(), form=record["form_name"].strip(), kind=kind, row=_row_number(row) or 0,
        concept=written.group(1) if written else record["field_label"].strip(), is_question=kind in _QUESTIONS,
        answers=answers, is_range=kind in ("text", "slider"), labels=labels,
    )  # fmt: skip


def _item_row(instrument: Instrument, item: Item, names: FieldNames, wording: Wording | None) -> dict[str, str]:
    note = f"{instrument.id} {instrument.version}, item {item.id}: {item.concept}"
    if item.safety:
        note = f"{note}. Safety, answers {instrument.alarming_answers(item)}: {item.safety.note}"
    allowed = instrument.allowed_values(item.id)
    row = {
        "field_name": names.items[item.id], "field_type": "radio", "field_label": item_label(item, wording),
        "field_note": "" if wording else LABEL_ONLY, "question_number": item.id, "field_annotation": note,
    }  # fmt: skip
    if not allowed.options:
        return row | {
            "field_type": "text", "text_validation_type_or_show_slider_number": "number",
            "text_validation_min": write_number(allowed.minimum), "text_validation_max": write_number(allowed.maximum),
        }  # fmt: skip
    choices = [
        f"{option.value}, {one_line(option_label(item.response_set, option, wording)).replace('|', '/')}"
        for option in instrument.response_sets[item.response_set].options
    ]
    return row | {"select_choices_or_calculations": " | ".join(choices)}


def _measure_row(instrument: Instrument, measure: Measure, names: FieldNames) -> dict[str, str]:
    references = {item: f"[{field}]" for item, field in names.items.items()}
    low, high = map(write_number, measure.range)
    notes = [f"{instrument.id} {instrument.version}, score {measure.id}.", describe_measure(instrument, measure)]
    return {
        "field_name": names.measures[measure.id], "field_type": "calc", "field_label": measure.label,
        "select_choices_or_calculations": write_calculation(instrument, measure, references, REDCAP),
        "field_note": f"{low} to {high}; higher is {measure.higher_is}.",
        "field_annotation": " ".join(filter(None, [*notes, "@HIDDEN-SURVEY"])),
    }  # fmt: skip


def _field_problems(table: pd.DataFrame, file: str) -> list[Problem]:
    names = table["field_name"].str.strip()
    problems = [
        Problem("formula_found", "The cell holds a formula of a spreadsheet.",
                "Write its value, or download the dictionary from REDCap again.", file, _row_number(row),
                HEADER[column])
        for column in _CODES
        for row in table.index[table[column].str.startswith("=")]
    ]  # fmt: skip
    problems += [
        Problem("field_without_name", "The field has no name.", "Name it, or remove the row.", file, _row_number(row),
                HEADER["field_name"])
        for row in table.index[names == ""]
    ]  # fmt: skip
    twice = names.duplicated() & (names != "")
    problems += [
        Problem("field_twice", "The name of the field stands further up already.", "Keep one of them.", file,
                _row_number(row), HEADER["field_name"])
        for row in table.index[twice]
    ]  # fmt: skip
    return problems[:50]


def _row_number(label: object) -> int | None:
    return label if isinstance(label, int) else None


def _quote(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text

"""REDCap's flat CSV export: events, repeating instruments, checkboxes; with its data dictionary or without."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import SEEK_END
from pathlib import Path
from typing import Final, NoReturn

import pandas as pd

from data_contracts.errors import Problem, choose_from
from data_contracts.quarantine import SetAside
from instruments.errors import InstrumentError
from instruments.exchange.redcap import read_data_dictionary
from pipelines.sources.delimited import (
    decode_text,
    detect_delimiter,
    set_aside_last_row,
    split_rows,
)
from pipelines.sources.model import RawTable, SourceError, build_table
from pipelines.sources.survey_rows import CUT_OFF

EVENT: Final = "redcap_event_name"
INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
ROW_NAMES: Final = "row_names"
"""The name of a first column without one, as R writes it when it saves a table with the numbers of its rows."""
_LABELS_OF_SYSTEM_COLUMNS: Final = {
    "Event Name": EVENT, "Repeat Instrument": INSTRUMENT, "Repeat Instance": INSTANCE,
    "Data Access Group": "redcap_data_access_group", "Survey Identifier": "redcap_survey_identifier",
}  # fmt: skip
_LABELS: Final = (*_LABELS_OF_SYSTEM_COLUMNS, "Survey Timestamp", "Complete?")
_RAW_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?:___[\w.-]+)?")
_CHOICE_LABEL: Final = re.compile(r"\(choice=.*\)$", re.DOTALL)
_UNIQUE_EVENT: Final = re.compile(r"[a-z0-9_]+_arm_[0-9]+[a-z]?")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}")
_CHECKBOX: Final = {"0": "Unchecked", "1": "Checked"}
_STATUS: Final = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
_EXPORT_RAW: Final = (
    "Export raw data ('CSV / Microsoft Excel (raw data)'), or give the data dictionary as 'dictionary'."
)
_FIXED_CHOICES: Final = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}


@dataclass(frozen=True, slots=True)
class _Column:
    """One column that the dictionary makes: its name, its label, its codes, its form."""

    name: str
    label: str
    codes: Mapping[str, str]
    form: str


def read_redcap(
    path: Path,
    source: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal_comma: bool = False,
    dictionary: str | None = None,
    repeat: str | None = None,
) -> RawTable:
    """Read a flat CSV export of REDCap; its cells stay as they are, missing codes included.

    REDCap ends every row with a line break: a last row without one is quarantined as ``cut_off``.

    Rows of repeating instruments are another table than the rows of the record: without `repeat` they are excluded,
    with it only they are read, and all others excluded. Rows of repeating events are rows of the record, told apart by
    ``redcap_repeat_instance``. An export of labels is refused; with a dictionary its headers become field names and the
    cells of fields with choices their codes, the names of events, instruments and data access groups stay labels.

    Parameters
    ----------
    path : Path
        The file.
    source : str
        Name for provenance; with `repeat` it is followed by its name in brackets.
    encoding, delimiter, decimal_comma
        As in `read_delimited`.
    dictionary : str, optional
        File of the data dictionary, from the folder of `path` on; headers of REDCap's pages or of its API. It fills
        `questions`, and `answers` with codes and labels of choices, checkboxes, yes or no, and form status.
    repeat : str, optional
        Name of the repeating instrument (or, for the rows of a repeating event, its unique event name).

    Returns
    -------
    RawTable
        Columns are those of the file. A first column without a name that numbers the rows is called ``row_names``.

    Raises
    ------
    SourceError
        Not readable as text, labels without a dictionary or with labels that stand for more than one code, one row
        per field and not per record, nothing of the instrument in `repeat`, or a dictionary that is none or of
        another project.
    """
    rows = _read_rows(path, source, encoding, delimiter)
    header = next(rows, (1, []))[1]
    known = _read_dictionary(path, dictionary, source) if dictionary else None
    table = without_cut_row(path, _build(source, [name.strip() for name in header], rows, known))
    table = replace(table, decimal_comma=decimal_comma)
    columns = {column.name: column for column in known or () if column.name in table.cells.columns}
    if known is not None and not columns:
        _refuse("dictionary_of_another", "None of the file's columns is in the data dictionary.",
                "Correct 'dictionary' in study.yaml: it belongs to another project, or the file does.",
                source, 1)  # fmt: skip
    if _holds_labels(table.cells, columns) is not None:
        table = replace(table, cells=_codes_for_labels(table, columns, known))
    table = replace(
        table,
        questions={name: column.label for name, column in columns.items()},
        answers={name: column.codes for name, column in columns.items() if column.codes},
    )
    return _choose_rows(table, repeat, {column.form for column in known or ()})


def without_cut_row(path: Path, table: RawTable) -> RawTable:
    """Return the table without a last row after which the file ends without a line break: it may be cut off.

    Raises
    ------
    SourceError
        No other row is there.
    """
    with path.open("rb") as file:
        file.seek(-2, SEEK_END)
        ends = file.read().rstrip(b"\x00").endswith((b"\n", b"\r"))
    return table if ends else set_aside_last_row(table, CUT_OFF.how_to_fix)


def _read_rows(path: Path, source: str, encoding: str | None, delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            _refuse("packed_file", "The file is a .zip archive or a workbook, not text.",
                    "Unpack it, or export 'CSV / Microsoft Excel (raw data)'.", source)  # fmt: skip
    text = decode_text(path, source, encoding)
    try:
        return split_rows(text, delimiter or detect_delimiter(text, source), source)
    except csv.Error:  # a field beyond the limit, before the delimiter is known
        _refuse("broken_quotes", "A field is longer than any answer: a quotation mark is never closed.",
                "Deliver the export again.", source)  # fmt: skip


def _build(
    source: str, names: list[str], rows: Iterator[tuple[int, list[str]]], known: Sequence[_Column] | None
) -> RawTable:
    """Return the table under REDCap's own names."""
    numbered = len(names) > 1 and names[0] == "" and ROW_NAMES not in names
    names = [ROW_NAMES, *names[1:]] if numbered else names
    _refuse_other_shapes(names, source)
    if any(name in _LABELS or _CHOICE_LABEL.search(name) for name in names) or _mostly_labels(names):
        names = _names_for_labels(names, known, source)
    table = build_table(source, names, rows)
    if numbered and not (
        table.cells[ROW_NAMES].str.fullmatch(_COUNT.pattern).all() and table.cells[ROW_NAMES].is_unique
    ):
        _refuse("column_without_name", "Columns without a name: 1.", "Name the column, or remove it.", source, 1)
    return table


def _mostly_labels(names: Sequence[str]) -> bool:
    return sum(bool(name) and not _RAW_NAME.fullmatch(name) for name in names) * 2 > len(names)


def _refuse_other_shapes(names: Sequence[str], source: str) -> None:
    if len(names) < 2:
        _refuse("one_column", "The delimiter cuts the header into one column; an export of REDCap has more.",
                "Correct 'delimiter' in study.yaml, or remove it.", source, 1)  # fmt: skip
    if {"field_name", "value"} <= set(names) and "record" in names:
        _refuse("one_row_per_field", "The export has a row for each field, not for each record (type 'eav').",
                "Export it again with type 'flat'.", source, 1)  # fmt: skip
    if {"select_choices_or_calculations", "Variable / Field Name"} & set(names):
        _refuse("dictionary_as_data", "This is a data dictionary, not an export of records.",
                "Give it as 'dictionary', and the export of records as 'path'.", source, 1)  # fmt: skip


def _names_for_labels(names: list[str], known: Sequence[_Column] | None, source: str) -> list[str]:
    """Return the field names for a header of labels, which stand in the order of the dictionary."""
    if known is None:
        _refuse("labels_export", "The header holds labels, not field names: this is an export of labels.",
                _EXPORT_RAW, source, 1)  # fmt: skip
    system = [(label, name) for label, name in _LABELS_OF_SYSTEM_COLUMNS.items()]
    expected = [(_plain(known[0].label), known[0].name), *system]
    for place, column in enumerate(known):
        if place == 0 or known[place - 1].form != column.form:
            expected.append(("Survey Timestamp", f"{column.form}_timestamp"))
        if place > 0:
            expected.append((_plain(column.label), column.name))
    wanted, labels = [_plain(name) for name in names], [label for label, _ in expected]
    first, last = _places(wanted, labels), _places(wanted[::-1], labels[::-1])
    ends = [len(labels) - 1 - place for place in last[::-1]]
    if len(first) < len(wanted):
        what = f"The label of column {len(first) + 1} is not in the data dictionary, or not in its order."
        _refuse("label_unknown", what, "Export raw data, or give the dictionary of the day of the export.", source, 1)
    unsure = [str(number) for number, (one, other) in enumerate(zip(first, ends, strict=True), 1) if one != other]
    if unsure:
        _refuse("label_ambiguous", f"Columns {', '.join(unsure[:10])}: more than one field has the label.",
                "Export raw data.", source, 1)  # fmt: skip
    return [expected[place][1] for place in first]


def _places(wanted: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the first place of each wanted label after the one before, up to the first that has none."""
    places: list[int] = []
    start = 0
    for label in wanted:
        try:
            start = labels.index(label, start) + 1
        except ValueError:
            break
        places.append(start - 1)
    return places


def _plain(label: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", label).split())


def _holds_labels(cells: pd.DataFrame, columns: Mapping[str, _Column]) -> str | None:
    """Return the first column whose cells are labels where REDCap writes codes; None where there is none."""
    for name in cells.columns:
        if "___" in name:
            words: set[str] = set(_CHECKBOX.values())
        elif name.endswith("_complete"):
            words = set(_STATUS.values())
        elif name in columns:
            words = set(columns[name].codes.values()) - set(columns[name].codes)
        else:
            continue
        told = set(cells[name].unique()) - {""}
        if told and told <= words:
            return str(name)
    told = set(cells[EVENT].unique()) - {""} if EVENT in cells.columns else set()
    return EVENT if told and not any(_UNIQUE_EVENT.fullmatch(event) for event in told) else None


def _codes_for_labels(table: RawTable, columns: Mapping[str, _Column], known: Sequence[_Column] | None) -> pd.DataFrame:
    """Return the cells with codes in place of the labels of choices."""
    if known is None:
        place = _holds_labels(table.cells, columns) or ""
        _refuse("labels_export", "The cells hold labels, not codes: this is an export of labels.",
                _EXPORT_RAW, table.source, None, place)  # fmt: skip
    cells = table.cells.copy()
    for name, column in columns.items():
        times = Counter(column.codes.values())
        other = column.codes.keys()
        unsure = {label for code, label in column.codes.items() if times[label] > 1 or label in other - {code}}
        found = cells.index[cells[name].isin(unsure)]
        if len(found):
            _refuse("label_ambiguous", "The cell holds a label that is the label of another code, or a code itself.",
                    "Export raw data.", table.source, int(found[0]), name)  # fmt: skip
        cells[name] = cells[name].replace({label: code for code, label in column.codes.items()})
    return cells


def _choose_rows(table: RawTable, repeat: str | None, forms: set[str]) -> RawTable:
    """Return the rows of the record, or those of one repeating instrument, with all others set aside."""
    cells, source = table.cells, f"{table.source}[{repeat}]" if repeat else table.source
    blank = pd.Series("", index=cells.index)
    instruments = cells.get(INSTRUMENT, blank).map(_form_name)
    instances, events = cells.get(INSTANCE, blank).str.strip(), cells.get(EVENT, blank).str.strip()
    forms = forms | {name.removesuffix("_complete") for name in cells.columns if name.endswith("_complete")}
    schema = {_form_name(name) for name in forms}
    lines = [replace(line, source=source) for line in table.set_aside]
    kept: list[int] = []
    for row, instrument, instance, event in zip(cells.index, instruments, instances, events, strict=True):
        verdict = _place_of(instrument, instance, event, repeat, schema)
        if verdict is None:
            kept.append(row)
        else:
            lines.append(SetAside(source, int(row), *verdict))
    if not kept:
        repeating = events[(instances != "") & (instruments == "") & events.str.fullmatch(_UNIQUE_EVENT)]
        raise _nothing_left(source, repeat, sorted({*instruments} & schema | {*repeating}))
    lines.sort(key=lambda line: line.source_row)
    return replace(table, source=source, cells=cells.loc[kept], set_aside=tuple(lines))


def _nothing_left(source: str, repeat: str | None, repeating: Sequence[str]) -> SourceError:
    """Return the error for a file of which no row is read; `repeating` holds names of instruments and events alone."""
    if repeat is None:
        message, advice = "Every row belongs to a repeating instrument, or is not readable.", "Name one with 'repeat'. "
    else:
        message, advice = f"No row belongs to '{repeat}'.", ""
    advice += choose_from(repeat or "", repeating) if repeating else "Remove 'repeat', or deliver the export again."
    return SourceError(Problem("repeat_missing", message, advice, source, 1, INSTRUMENT))


def _place_of(
    instrument: str, instance: str, event: str, repeat: str | None, schema: set[str]
) -> tuple[str, str, str, str, str] | None:
    """Return (column, rule, severity, reason, advice) for a row that is not read; None for a row that is."""
    if instrument and instrument not in schema:
        return (INSTRUMENT, "repeat_instrument_unknown", "row", "The repeating instrument is none of the project's.",
                "Correct the row, or export the status of every form and give the data dictionary.")  # fmt: skip
    if (instrument or instance) and not _COUNT.fullmatch(instance):
        return (INSTANCE, "repeat_instance_wrong", "row", "The number of the repeat is no whole number from 1 on.",
                "Correct the row, or export it again.")  # fmt: skip
    if repeat and (instrument == _form_name(repeat) if instrument else bool(instance) and event == repeat):
        return None
    if instrument:
        reason = f"The row belongs to the repeating instrument '{instrument}'."
        return (
            "",
            "repeating_instrument",
            "excluded",
            reason,
            f"To read it, declare a source with 'repeat: {instrument}'.",
        )
    if repeat:
        return ("", "not_repeating", "excluded", f"The row does not belong to '{repeat}'.",
                "To read it, declare a source without 'repeat'.")  # fmt: skip
    return None


def _form_name(text: str) -> str:
    """Return a form's name as REDCap writes it, for its name or its title."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _read_dictionary(path: Path, dictionary: str, source: str) -> list[_Column]:
    """Return the columns that a data dictionary makes, in the order of an export."""
    file = path.parent / dictionary.replace("\x00", "")
    inside = file.resolve().is_relative_to(path.parent.resolve())
    if not inside or Path(dictionary).is_absolute() or ".." in Path(dictionary).parts:
        _refuse("path_outside", "The data dictionary must stand in the folder of the export.",
                "Write 'dictionary' relative to that folder.", source)  # fmt: skip
    if not file.is_file():
        _refuse("file_missing", "There is no such data dictionary in the folder of the export.",
                "Deliver it, or correct 'dictionary' in study.yaml.", dictionary)  # fmt: skip
    try:
        fields = read_data_dictionary(file).to_dict("records")
    except InstrumentError as error:
        if error.problems[0].code != "no_data_dictionary":
            raise SourceError(error.problems) from None
        fields = []  # what the message tells of the first row may be a participant's
    if not fields:
        _refuse("no_data_dictionary", "This is no REDCap data dictionary, or it has no fields.",
                "Download the data dictionary from REDCap, and name it as 'dictionary'.", dictionary, 1)  # fmt: skip
    columns: list[_Column] = []
    for place, field in enumerate(fields):
        columns += _columns_of({str(key): str(value).strip() for key, value in field.items()})
        form = str(field["form_name"]).strip()
        if place + 1 == len(fields) or str(fields[place + 1]["form_name"]).strip() != form:
            columns.append(_Column(f"{form}_complete", "Complete?", _STATUS, form))
    return columns


def _columns_of(field: Mapping[str, str]) -> list[_Column]:
    name, label, form = field["field_name"], field["field_label"], field["form_name"]
    kind, choices = field["field_type"].lower(), _choices(field["select_choices_or_calculations"])
    if kind == "descriptive":
        return []
    if kind == "checkbox":
        return [
            _Column(f"{name}___{re.sub('[^a-z0-9]', '_', code.lower())}", f"{label} (choice={option})", _CHECKBOX, form)
            for code, option in choices.items()
        ]
    codes = choices if kind in ("radio", "dropdown") else _FIXED_CHOICES.get(kind, {})
    return [_Column(name, label, codes, form)]


def _choices(text: str) -> dict[str, str]:
    parts = [choice.partition(",") for choice in re.split(r"[|\n]", text) if choice.strip()]
    return {code.strip(): label.strip() for code, _, label in parts}


def _refuse(code: str, message: str, how_to_fix: str, file: str, line: int | None = None, column: str = "") -> NoReturn:
    raise SourceError(Problem(code, message, how_to_fix, file, line, column))

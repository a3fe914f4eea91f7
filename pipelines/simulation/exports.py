"""Files as survey systems write them, from tables of text: Qualtrics, REDCap, SPSS, and a list kept in a workbook."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from pipelines.simulation.harbour import without_times

SYSTEM_COLUMNS: Final = {
    "StartDate": ("startDate", "Start Date"),
    "EndDate": ("endDate", "End Date"),
    "Status": ("status", "Response Type"),
    "IPAddress": ("ipAddress", "IP Address"),
    "Progress": ("progress", "Progress"),
    "Duration (in seconds)": ("duration", "Duration (in seconds)"),
    "Finished": ("finished", "Finished"),
    "RecordedDate": ("recordedDate", "Recorded Date"),
    "ResponseId": ("_recordId", "Response ID"),
    "RecipientLastName": ("recipientLastName", "Recipient Last Name"),
    "RecipientFirstName": ("recipientFirstName", "Recipient First Name"),
    "RecipientEmail": ("recipientEmail", "Recipient Email"),
    "ExternalReference": ("externalDataReference", "External Data Reference"),
    "LocationLatitude": ("locationLatitude", "Location Latitude"),
    "LocationLongitude": ("locationLongitude", "Location Longitude"),
    "DistributionChannel": ("distributionChannel", "Distribution Channel"),
    "UserLanguage": ("userLanguage", "User Language"),
}
"""What Qualtrics adds to every export: column -> import id and text of the second header row."""
FIRST_QUALTRICS_ROW: Final = 4
"""Below the names, the questions and the import ids."""
_DICTIONARY: Final = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
_SAV_TIMES: Final = slice(92, 109)
"""Where the header of a .sav file tells the day and the time of its writing."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form.

    Attributes
    ----------
    column : str
        Name of its column.
    text : str
        What is asked, in a few words.
    labels : mapping
        Code -> label of its answers; empty for numbers and free text.
    form : str
        The form that it stands on.
    kind : str
        Type of the field in REDCap: text, radio, checkbox, slider.
    """

    column: str
    text: str
    labels: Mapping[str, str]
    form: str
    kind: str = "text"


def write_qualtrics(path: Path, answers: pd.DataFrame, questions: Sequence[Question]) -> None:
    """Write an export of Qualtrics: names, questions and import ids above the answers.

    Parameters
    ----------
    path : Path
        The CSV file.
    answers : DataFrame
        Text; the columns of `SYSTEM_COLUMNS`, then those of the questions.
    questions : sequence of Question
        Questions of one form are the lines of one matrix.
    """
    forms = list(dict.fromkeys(question.form for question in questions))
    texts, ids = [text for _, text in SYSTEM_COLUMNS.values()], [one for one, _ in SYSTEM_COLUMNS.values()]
    for question in questions:
        lines = [other.column for other in questions if other.form == question.form]
        number = f"QID{forms.index(question.form) + 1}"
        is_matrix = len(lines) > 1
        texts.append(f"{question.form} - {question.text}" if is_matrix else question.text)
        ids.append(f"{number}_{lines.index(question.column) + 1}" if is_matrix else f"{number}_TEXT")
    imports = [json.dumps({"ImportId": one}, separators=(",", ":")) for one in ids]
    names = [*SYSTEM_COLUMNS, *(question.column for question in questions)]
    path.write_bytes(_csv([names, texts, imports, *answers[names].to_numpy().tolist()]))


def write_redcap(folder: Path, records: pd.DataFrame, questions: Sequence[Question]) -> None:
    """Write records.csv (raw codes) and dictionary.csv of a REDCap project.

    Parameters
    ----------
    folder : Path
        New folder.
    records : DataFrame
        Text, in the columns of the export.
    questions : sequence of Question
        The fields, form by form.
    """
    folder.mkdir()
    (folder / "records.csv").write_bytes(_csv([list(records.columns), *records.to_numpy().tolist()]))
    fields = []
    for question in questions:
        choices = " | ".join(f"{code}, {label}" for code, label in question.labels.items())
        told = [question.column, question.form, "", question.kind, question.text, choices]
        fields.append([*told, *[""] * (len(_DICTIONARY) - len(told))])
    (folder / "dictionary.csv").write_bytes(_csv([list(_DICTIONARY), *fields]))


def write_spss(path: Path, answers: pd.DataFrame, questions: Sequence[Question], refused: float) -> None:
    """Write an SPSS file whose header tells the same day whenever it is written.

    Parameters
    ----------
    path : Path
        The .sav file.
    answers : DataFrame
        Text, numbers (NaN is system missing) or dates.
    questions : sequence of Question
        One for each column that has a label; columns with labels of answers hold numbers.
    refused : float
        Code that these columns declare as user-missing.
    """
    import pyreadstat

    coded = [question for question in questions if question.labels]
    labels = {
        question.column: {**{float(code): label for code, label in question.labels.items()}, refused: "refused"}
        for question in coded
    }
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / path.name
        pyreadstat.write_sav(
            answers,
            str(written),
            file_label="Follow-up questionnaire",
            column_labels={question.column: question.text for question in questions},
            variable_value_labels=labels,
            missing_ranges={question.column: [refused] for question in coded},
        )
        content = bytearray(written.read_bytes())
    content[_SAV_TIMES] = b"28 Jul 2510:00:00"
    path.write_bytes(bytes(content))


def write_list(path: Path, sheet: str, above: Sequence[str], table: pd.DataFrame) -> None:
    """Write a workbook with one sheet: a line of text in each row above the header, then the table.

    Parameters
    ----------
    path : Path
        The .xlsx file; the same bytes whenever it is written.
    sheet : str
        Its name.
    above : sequence of str
        Text of the rows above the header.
    table : DataFrame
        Text, whole numbers and dates.
    """
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet)
    for line in above:
        page.append([line])
    page.append(list(table.columns))
    for row in table.astype(object).to_numpy().tolist():
        page.append([value if isinstance(value, int | date) else value or None for value in row])
    written = io.BytesIO()
    book.save(written)
    path.write_bytes(without_times(written))


def write_corrections(path: Path, lines: Sequence[Sequence[str]]) -> None:
    """Write a corrections log."""
    path.write_bytes(_csv([["who", "when", "source", "row", "column", "old", "new", "why"], *lines]))


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()

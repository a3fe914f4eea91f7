"""One sound study in every format that a study may declare: six people, two timepoints, one instrument."""

import csv
import datetime
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import yaml

from instruments import load_library
from instruments.exchange.fhir import build_questionnaire

CANARY = "zq81"
"""Stands in every id and note of the files, and so in every message that tells a value."""
N_ITEMS = 7
ITEMS = [f"gad_{n}" for n in range(1, N_ITEMS + 1)]
HEADER = ["pid", "wave", "arm", "age", "day", "note", *ITEMS]
DAYS = {"1": "03/03/2025", "2": "05/05/2025"}
DATE_FORMAT = "%d/%m/%Y"
STUDY = {
    "study": "small",
    "title": "A small study",
    "design": "randomised",
    "timepoints": [{"id": "baseline", "week": 0}, {"id": "post", "week": 9}],
    "arms": [{"id": "peer"}, {"id": "usual", "reference": True}],
    "covariates": [{"id": "age", "kind": "number", "range": [18, 99]}],
    "missing_codes": {"-9": "refused"},
}
PLAN = {
    "sap": 1,
    "outcomes": [{"id": "anxiety", "measure": "gad-7.total", "role": "primary"}],
    "estimands": [{"id": "post", "outcome": "anxiety", "contrast": "peer - usual", "timepoint": "post"}],
}


@dataclass
class Table:
    """The rows of a file before they are written: names and cells as text."""

    header: list[str]
    rows: list[list[str]]

    def put(self, record: int, column: str, value: str) -> None:
        """Write one cell."""
        self.rows[record][self.header.index(column)] = value


Write = Callable[[Path, Table], None]


@dataclass(frozen=True)
class Layout:
    """How one format lays the study out: its file, its column names, and the row of the first record."""

    name: str
    format: str
    path: str
    write: Write
    first_row: int = 2
    options: Mapping[str, object] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    items: str = "gad_{n}"
    waves: Mapping[str, str] = field(default_factory=lambda: {"1": "1", "2": "2"})

    @property
    def source(self) -> str:
        """What verdicts call the table; study.yaml names no sheet, and what it does not name is not told."""
        return self.path

    def column(self, name: str) -> str:
        """Return what the file calls a column of `HEADER`."""
        if name in ITEMS:
            number = name.removeprefix("gad_")
            return self.items.replace("{nn}", f"0{number}").replace("{n}", number)
        return self.names.get(name, name)

    def in_own_words(self, table: Table) -> Table:
        """Return the table with the column names and timepoint codes of the format."""
        rows = [list(row) for row in table.rows]
        if "wave" in table.header:
            place = table.header.index("wave")
            for row in rows:
                row[place : place + 1] = [self.waves.get(code, code) for code in row[place : place + 1]]
        return Table([self.column(name) for name in table.header], rows)

    def save(self, folder: Path, table: Table) -> None:
        """Write the file of answers."""
        self.write(folder / self.path, self.in_own_words(table))

    def declare(self) -> list[dict[str, object]]:
        """Return the sources as study.yaml has them."""
        codes = dict(zip(self.waves.values(), ("baseline", "post"), strict=True))
        return [
            {
                "path": self.path,
                "format": self.format,
                **self.options,
                "participant_id": self.column("pid"),
                "timepoint": {"column": self.column("wave"), "values": codes},
                "answered_on": {"column": self.column("day"), "format": DATE_FORMAT},
                "participant_columns": {"arm": self.column("arm"), "age": self.column("age")},
                "instruments": {"gad-7": {"items": self.items}},
            }
        ]


@dataclass(frozen=True)
class FhirLayout(Layout):
    """Answers as QuestionnaireResponses, whose file tells no arm: that comes in a file of its own."""

    def in_own_words(self, table: Table) -> Table:
        """Return the table as it is: the writer makes resources of it."""
        return table

    def declare(self) -> list[dict[str, object]]:
        """Return the sources as study.yaml has them."""
        days = {_iso(day): timepoint for day, timepoint in zip(DAYS.values(), ("baseline", "post"), strict=True)}
        return [
            {
                "path": self.path,
                "format": self.format,
                "participant_id": "participant_id",
                "timepoint": {"column": "answered_on", "values": days},
                "instruments": {"gad-7": {"items": "gad-7_{n}"}},
            },
            {
                "path": "arms.csv",
                "format": "csv",
                "participant_id": "pid",
                "timepoint": {"fixed": "baseline"},
                "participant_columns": {"arm": "arm", "age": "age"},
            },
        ]


def sound_table() -> Table:
    """Return twelve sound records, two for each participant."""
    rows = []
    for person in range(1, 7):
        for wave in ("1", "2"):
            answers = [str((person * 3 + n * int(wave)) % 4) for n in range(N_ITEMS)]
            about = [f"{CANARY}-{person}", wave, ("peer", "usual")[person % 2], str(20 + 7 * person), DAYS[wave]]
            rows.append([*about, f"{CANARY} said", *answers])
    return Table(list(HEADER), rows)


def write_study(folder: Path, layout: Layout) -> Path:
    """Write the whole sound study."""
    folder.mkdir()
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY | {"sources": layout.declare()}, sort_keys=False))
    (folder / "sap.yaml").write_text(yaml.safe_dump(PLAN, sort_keys=False))
    layout.save(folder, sound_table())
    if isinstance(layout, FhirLayout):
        arms = [[row[0], row[2], row[3]] for row in sound_table().rows[::2]]
        (folder / "arms.csv").write_text(as_text([["pid", "arm", "age"], *arms]))
    return folder


def as_text(rows: list[list[str]], *, delimiter: str = ",", quote_all: bool = False, end: str = "\n") -> str:
    """Return rows as delimited text."""
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def _beside(extra: Mapping[str, str], table: Table) -> Table:
    """Return a table with columns of the system in front; a blank row stays blank."""
    own = list(extra.values())
    rows = [[*(own if any(row) else [""] * len(own)), *row] for row in table.rows]
    return Table([*extra, *table.header], rows)


def _write_csv(path: Path, table: Table) -> None:
    path.write_bytes(as_text([table.header, *table.rows]).encode())


def _write_qualtrics(path: Path, table: Table) -> None:
    system = {"ResponseId": "R_1", "Status": "0", "Finished": "1", "Progress": "100"}
    whole = _beside(system, table)
    ids = ["_recordId", "status", "finished", "progress", *[f"QID{n}" for n in range(len(table.header))]]
    head = [whole.header, [f"About {name}" for name in whole.header], [json.dumps({"ImportId": one}) for one in ids]]
    path.write_bytes(as_text([*head, *whole.rows]).encode())


def _write_kobo(path: Path, table: Table) -> None:
    whole = _beside({"start": "2025-03-03T10:00:00.000+01:00", "_id": "11", "__version__": "v1"}, table)
    path.write_bytes(as_text([whole.header, *whole.rows], delimiter=";", quote_all=True).encode())


def _write_limesurvey(path: Path, table: Table) -> None:
    whole = _beside({"id": "1", "submitdate": "2025-03-03 10:00:00", "lastpage": "4"}, table)
    text = as_text([whole.header, *whole.rows], delimiter=";", quote_all=True, end="\r\n")
    path.write_bytes(text.encode("utf-8-sig"))


def _write_google(path: Path, table: Table) -> None:
    whole = _beside({"Timestamp": "2025/03/03 10:11:12 AM GMT+1"}, table)
    path.write_bytes(as_text([whole.header, *whole.rows], quote_all=True, end="\r\n").removesuffix("\r\n").encode())


def _write_microsoft_text(path: Path, table: Table) -> None:
    whole = _beside({"ID": "1", "Start time": "03/03/2025 10:11"}, table)
    path.write_bytes(as_text([whole.header, *whole.rows], end="\r\n").encode("utf-8-sig"))


def write_book(path: Path, sheets: Mapping[str, list[list[str]]]) -> None:
    """Write a workbook in which numbers are numbers and days are days."""
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_typed(cell) for cell in row])
    book.save(path)


def _typed(cell: str) -> object:
    if cell.isdecimal() and str(int(cell)) == cell:
        return int(cell)
    try:
        return datetime.datetime.strptime(cell, DATE_FORMAT)  # noqa: DTZ007 - workbooks know no time zone
    except ValueError:
        return cell or None


def _write_excel(path: Path, table: Table) -> None:
    write_book(path, {"Answers": [table.header, *table.rows]})


def _write_forms_book(path: Path, table: Table) -> None:
    whole = _beside({"ID": "1", "Start time": "03/03/2025"}, table)
    write_book(path, {"Sheet1": [whole.header, *whole.rows]})


def _write_kobo_book(path: Path, table: Table) -> None:
    whole = _beside({"_id": "11", "_uuid": "u-1"}, table)
    write_book(path, {"Survey": [whole.header, *whole.rows]})


def _in_columns(table: Table) -> pd.DataFrame:
    """Return a frame in which a column of numbers and blanks is numbers, and all else is text."""
    columns = {}
    for place, name in enumerate(table.header):
        cells = [row[place] for row in table.rows]
        numbers = [float(cell) if cell else float("nan") for cell in cells] if _all_numbers(cells) else None
        columns[name] = cells if numbers is None else numbers
    return pd.DataFrame(columns)


def _all_numbers(cells: list[str]) -> bool:
    return all(not cell or (cell.isdecimal() and str(int(cell)) == cell) for cell in cells) and any(cells)


def _write_spss(path: Path, table: Table) -> None:
    pyreadstat.write_sav(_in_columns(table), path)


def _write_stata(path: Path, table: Table) -> None:
    pyreadstat.write_dta(_in_columns(table), path, version=15)


def _write_parquet(path: Path, table: Table) -> None:
    pq.write_table(pa.Table.from_pandas(_in_columns(table), preserve_index=False), path)


def _iso(day: str) -> str:
    return datetime.datetime.strptime(day, DATE_FORMAT).date().isoformat()  # noqa: DTZ007 - a day has none


def responses(table: Table) -> list[dict[str, object]]:
    """Return the records as QuestionnaireResponses."""
    url = build_questionnaire(load_library()["gad-7"])["url"]
    found: list[dict[str, object]] = []
    for row in table.rows:
        told = dict(zip(table.header, row, strict=True))
        items = [{"linkId": str(n), "answer": [{"valueInteger": int(told[name])}]} for n, name in enumerate(ITEMS, 1)]
        found.append({
            "resourceType": "QuestionnaireResponse", "questionnaire": url, "status": "completed",
            "subject": {"reference": f"Patient/{told['pid']}"}, "authored": _iso(told["day"]), "item": items,
        })  # fmt: skip
    return found


def bundle(resources: list[dict[str, object]]) -> str:
    """Return the resources as one document."""
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1)


def _write_fhir(path: Path, table: Table) -> None:
    path.write_text(bundle(responses(table)))


_FORM = {"pid": "Your code", "wave": "Which time?", "arm": "Arm", "age": "Age", "day": "Today", "note": "Comments"}
_EVENTS = {"1": "base_arm_1", "2": "post_arm_1"}
_IN_GROUP = {name: f"about/{name}" for name in HEADER[:6]}
LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("csv", "csv", "answers.csv", _write_csv),
        Layout("excel", "excel", "answers.xlsx", _write_excel),
        Layout("qualtrics", "qualtrics", "answers.csv", _write_qualtrics, first_row=4, items="Q4_{n}"),
        Layout("redcap", "redcap", "answers.csv", _write_csv, waves=_EVENTS,
               names={"pid": "record_id", "wave": "redcap_event_name"}),
        Layout("kobo", "kobo", "answers.csv", _write_kobo, names=_IN_GROUP, items="worry/gad_{n}"),
        Layout("kobo workbook", "kobo", "answers.xlsx", _write_kobo_book, names=_IN_GROUP,
               items="worry/gad_{n}"),
        Layout("limesurvey", "limesurvey", "answers.csv", _write_limesurvey, items="GAD[SQ0{nn}]"),
        Layout("google_forms", "google_forms", "answers.csv", _write_google, names=_FORM, items="Lately? [{n}]"),
        Layout("google_forms workbook", "google_forms", "answers.xlsx", _write_forms_book, names=_FORM,
               items="Lately? [{n}]"),
        Layout("microsoft_forms", "microsoft_forms", "answers.xlsx", _write_forms_book, names=_FORM,
               items="Item {n}"),
        Layout("microsoft_forms text", "microsoft_forms", "answers.csv", _write_microsoft_text, names=_FORM,
               items="Item {n}"),
        Layout("spss", "spss", "answers.sav", _write_spss),
        Layout("stata", "stata", "answers.dta", _write_stata),
        Layout("parquet", "parquet", "answers.parquet", _write_parquet),
        FhirLayout("fhir", "fhir", "answers.json", _write_fhir, names={"pid": "participant_id"}, items="gad-7_{n}"),
    )
}  # fmt: skip

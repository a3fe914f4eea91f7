"""Files of a study in which every place that can identify somebody holds a canary."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
from openpyxl.comments import Comment

from instruments import load_library
from instruments.exchange.fhir import build_questionnaire

from .planted import CANARIES, PLAN, STUDY

PEOPLE = 60
Row = dict[str, object]


def write_study(home: Path) -> Path:
    """Write the study below a home folder; return its folder."""
    folder = home / CANARIES["a home folder"] / "study"
    data = folder / "data"
    data.mkdir(parents=True)
    (folder / "study.yaml").write_text(STUDY)
    (folder / "sap.yaml").write_text(PLAN)
    rows = _answers()
    own = data / CANARIES["a folder name"]
    own.mkdir()
    _write_csv(own / f"answers_{CANARIES['a file name']}.csv", rows[: len(rows) // 2], _odd_row())
    (data / "wave").mkdir()
    _write_csv(data / "wave" / f"answers_{CANARIES['a file name of digits']}.csv", rows[len(rows) // 2 :])
    ids = [str(row["pid"]) for row in rows[::2]]
    _write_csv(data / "site.csv", _sites())
    _write_book(data / "book.xlsx", ids)
    _write_qualtrics(data / "qualtrics.csv", ids)
    _write_spss(data / "labels.sav", ids)
    _write_redcap(data, ids)
    _write_fhir(data / "fhir.json", ids)
    _write_form(data / "form.csv", ids)
    _write_csv(data / "log.csv", _log(ids))
    _write_corrections(folder)
    return folder


def _answers() -> list[Row]:
    """Return the rows of the main file: two for each participant."""
    rng = np.random.default_rng(11)
    ids = [CANARIES["a name as the id"], CANARIES["an e-mail as the id"], CANARIES["an id told at both timepoints"]]
    ids += [f"K{person:02}" for person in range(len(ids), PEOPLE)]
    rows: list[Row] = []
    for person, pid in enumerate(ids):
        arm, level, age = ("peer", "usual")[person % 2], rng.normal(), int(rng.integers(20, 70))
        for wave in (1, 2):
            shift = -0.5 * (wave == 2) * (arm == "peer")
            answers = np.clip(np.round(1.5 + level * 0.6 + shift + rng.normal(0, 0.7, 7)), 0, 3).astype(int)
            rows.append({
                "pid": pid, "wave": wave, "arm": arm, "age": age, "gender": "fm"[person % 2],
                "circle": CANARIES["a name as a group"] if person == 4 else f"C{person % 10}" if arm == "peer" else "",
                "ward": CANARIES["a name as a site"] if person % 3 == 2 else f"W{person % 3}",
                "day": f"2031-0{wave}-15", "seconds": 90, "check": 2, "trap": "",
                **{f"gad_{n}": answer for n, answer in enumerate(answers, 1)},
            })  # fmt: skip
    for row, (column, canary) in enumerate(_IN_CELLS, 6):
        rows[row][column] = CANARIES[canary]
    for row in rows:
        row |= dict.fromkeys(_BESIDE.values(), "")
    rows[3] |= {column: CANARIES[canary] for canary, column in _BESIDE.items()}
    rows[5]["pid"] = CANARIES["an id like another"]
    return rows


_IN_CELLS = (
    ("gad_3", "free text in an item cell"), ("age", "free text in a covariate cell"),
    ("gender", "free text in a level cell"), ("day", "free text in a date cell"), ("arm", "free text in an arm cell"),
    ("wave", "free text in a timepoint cell"), ("seconds", "free text in a duration"),
    ("check", "free text in an attention check"), ("trap", "free text in a honeypot"), ("day", "a day of answers"),
)  # fmt: skip
_BESIDE = {
    "a name in an undeclared column": "full_name",
    "an e-mail in an undeclared column": "mail",
    "a phone number": "phone",
    "a postal address": "address",
    "a birth date": "born",
    "an IP address": "ip",
    "an IPv6 address": "ip6",
    "a latitude": "lat",
    "a longitude": "long",
    "an exact time": "started",
    "free text in an undeclared column": CANARIES["a question with a name"],
}


def _odd_row() -> list[object]:
    return ["K99", *[""] * 40, CANARIES["an answer in a row that is too long"]]


def _sites() -> list[Row]:
    rows: list[Row] = [
        {"pid": f"S{n:02}", "arm": ("peer", "usual")[n % 2], "site": "ns"[n % 2], "well": n % 10} for n in range(20)
    ]
    rows[9]["site"] = CANARIES["an undeclared site"]
    rows[11]["well"] = CANARIES["what was corrected"]
    return rows


def _write_book(path: Path, ids: Sequence[str]) -> None:
    book = openpyxl.Workbook()
    book.properties.creator = CANARIES["the author of a workbook"]
    book.properties.title = CANARIES["the title of a workbook"]
    sheet = book.active
    sheet.title = CANARIES["a sheet name"]
    sheet.append(["pid", "wave", "phq2_1", "phq2_2"])
    for n, pid in enumerate(ids):
        for wave in (1, 2):
            sheet.append([pid, wave, n % 4, (n + wave) % 4])
    sheet["C2"].comment = Comment(CANARIES["a comment in a workbook"], CANARIES["the author of a workbook"])
    book.save(path)


def _write_qualtrics(path: Path, ids: Sequence[str]) -> None:
    names = ["ResponseId", "Status", "Finished", "Progress", "RecordedDate", "IPAddress", "LocationLatitude",
             "RecipientEmail", "RecipientFirstName", "ExternalReference", "wave", "GAD2_1", "GAD2_2", "Q9_TEXT"]  # fmt: skip
    texts = [*names[:11], CANARIES["the question of an item of Qualtrics"], "And this?",
             CANARIES["a question text of Qualtrics"]]  # fmt: skip
    known = {"Status": "status", "Finished": "finished", "Progress": "progress", "ResponseId": "_recordId"}
    rows = [names, texts, [json.dumps({"ImportId": known.get(name, name)}) for name in names]]
    for n, pid in enumerate(ids):
        told = [CANARIES["an e-mail of Qualtrics"], CANARIES["a first name of Qualtrics"]] if n == 1 else ["", ""]
        own = [CANARIES["an exact time"], CANARIES["an IP address"], CANARIES["a latitude"]] if n == 1 else [""] * 3
        rows += [
            [f"R_{n}{w}", "0", "1", "100", *own, *told, pid, str(w), str(n % 4), str((n + w) % 4), ""] for w in (1, 2)
        ]
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_spss(path: Path, ids: Sequence[str]) -> None:
    items = {f"brs_{n}": [float((row + n) % 5 + 1) for row in range(2 * len(ids))] for n in range(1, 7)}
    texts = [CANARIES["a text of SPSS"], *[CANARIES["a label that is a code"]] * (2 * len(ids) - 1)]
    frame = pd.DataFrame({"pid": np.repeat(ids, 2), "wave": [1.0, 2.0] * len(ids), **items, "note": texts})
    labels: dict[str, dict[float | str, str]] = {"note": {CANARIES["a label that is a code"]: "x"}}
    labels["brs_1"] = {1.0: CANARIES["a value label"], 2.0: "two", 3.0: "three", 4.0: "four", 5.0: "five"}
    pyreadstat.write_sav(
        frame, path, file_label=CANARIES["the file label of SPSS"], variable_value_labels=labels,
        column_labels={"brs_1": CANARIES["a variable label"], "note": CANARIES["a variable label"]},
    )  # fmt: skip


def _write_redcap(data: Path, ids: Sequence[str]) -> None:
    names = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
             "redcap_data_access_group", *[f"djg_{n}" for n in range(1, 7)], "lonely_complete"]  # fmt: skip
    rows: list[list[object]] = [names]
    for n, pid in enumerate(ids):
        group = CANARIES["a data access group"] if n == 2 else "north"
        answers = [(n + item) % 3 + 1 for item in range(6)]
        rows += [[pid, event, "", "", group, *answers, 2] for event in ("base_arm_1", "post_arm_1")]
    rows.append([ids[0], "base_arm_1", CANARIES["a repeating form"], 1, "north", *[""] * 6, ""])
    (data / "redcap.csv").write_text(_text(rows))
    choices = f"1, yes | 2, more or less | 3, {CANARIES['a choice in a dictionary']}"
    fields = [["record_id", "lonely", "text", "Record", "", ""]]
    fields += [
        [f"djg_{n}", "lonely", "radio", "Item", choices, CANARIES["a field note in a dictionary"]] for n in range(1, 7)
    ]
    head = ["field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
            "field_note", "text_validation_type_or_show_slider_number", "text_validation_min", "text_validation_max",
            "identifier", "branching_logic", "required_field", "custom_alignment", "question_number",
            "matrix_group_name", "matrix_ranking", "field_annotation"]  # fmt: skip
    lines = [[*field[:2], "", *field[2:], *[""] * 11] for field in fields]
    (data / "dictionary.csv").write_text(_text([head, *lines]))


def _write_fhir(path: Path, ids: Sequence[str]) -> None:
    url = build_questionnaire(load_library()["phq-9"])["url"]
    responses: list[dict[str, object]] = []
    for person, pid in enumerate(ids[4:]):
        answers = [{"linkId": str(n), "answer": [{"valueInteger": (n + person) % 4}]} for n in range(1, 10)]
        responses.append({
            "resourceType": "QuestionnaireResponse", "questionnaire": url, "status": "completed",
            "subject": {"reference": f"Patient/{pid}", "display": CANARIES["a display of FHIR"]},
            "author": {"display": CANARIES["an author of FHIR"]}, "authored": "2031-02-15T10:00:00Z", "item": answers,
        })  # fmt: skip
    told = {"linkId": CANARIES["a text of FHIR"], "answer": [{"valueString": CANARIES["a text of FHIR"]}]}
    wrong = {"linkId": "1", "answer": [{"valueString": CANARIES["a text of FHIR"]}]}
    first = responses[0]
    responses += [
        first | {"subject": {"identifier": {"value": CANARIES["an identifier of FHIR"]}}},
        first | {"item": [told]}, first | {"item": [wrong]}, first | {"subject": {"display": CANARIES["a display of FHIR"]}},
        first | {"questionnaire": CANARIES["a questionnaire of FHIR"]}, first | {"status": CANARIES["a text of FHIR"]},
        first | {"authored": CANARIES["a text of FHIR"]}, first | {"id": CANARIES["an identifier of FHIR"]},
    ]  # fmt: skip
    entries = [{"resource": response} for response in responses]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))


def _write_form(path: Path, ids: Sequence[str]) -> None:
    header = ["Timestamp", "Email Address", "Your code", "How calm are you today?", CANARIES["a question of a form"]]
    told = [CANARIES["an exact time"], CANARIES["an e-mail of Qualtrics"], ids[5], "4", CANARIES["an answer in a form"]]
    path.write_text(_text([header, told, *(["", "", pid, 7, ""] for pid in ids[6:])]))


def _log(ids: Sequence[str]) -> list[Row]:
    rows: list[Row] = [
        {
            "who": pid,
            "meeting": meeting,
            "day": f"{meeting:02}/02/2031",
            "came": 1,
            "leader": "F1",
            "circle": "C1",
            "minutes": 60,
        }
        for pid in ids[::2]
        for meeting in (1, 2, 3)
    ]
    rows[0]["leader"] = CANARIES["a facilitator"]
    rows[1]["came"] = CANARIES["a code of attendance"]
    rows[3]["minutes"] = CANARIES["minutes of a session"]
    rows[4]["day"] = CANARIES["free text in a date cell"]
    rows[6]["circle"] = CANARIES["a name as a group"]
    rows[7]["meeting"] = CANARIES["free text in a timepoint cell"]
    return [*rows, rows[-1] | {"who": CANARIES["a participant in a log alone"]}]


def _write_corrections(folder: Path) -> None:
    line = [CANARIES["who corrected"], "2031-11-01", "data/site.csv", "13", "well", CANARIES["what was corrected"], "1",
            CANARIES["why it was corrected"]]  # fmt: skip
    head = ["who", "when", "source", "row", "column", "old", "new", "why"]
    (folder / "corrections.csv").write_text(_text([head, line]))


def _write_csv(path: Path, rows: Sequence[Row], *odd: Sequence[object]) -> None:
    header = list(dict.fromkeys(name for row in rows for name in row))
    path.write_text(_text([header, *([row.get(name, "") for name in header] for row in rows), *odd]))


def _text(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()

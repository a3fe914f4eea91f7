"""REDCap's exports: events, repeats, checkboxes, labels, dictionaries; every row is read or set aside with a reason."""

import csv
import io
import os
import random
import time
from pathlib import Path

import pytest

from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.redcap import read_redcap

MUTANTS = int(os.environ.get("PEERIMPACT_MUTANTS", "300"))
SECONDS_FOR_ONE = 5  # a file of a few rows that takes longer hangs
CANARY = "zuleika.canary@example.org"

HEADER = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
)  # fmt: skip
FIELDS = (
    ("record_id", "intake", "", "text", "Record ID", "", "", ""),
    ("intro", "intake", "", "descriptive", "Welcome", "", "", ""),
    ("arm", "intake", "", "radio", "Arm", "1, Peer support | 2, Usual care, as before", "", ""),
    ("mood", "intake", "", "checkbox", "<b>Moods</b>\nof the week", "1, Calm | -9, Refused | B, Sad", "", ""),
    ("agree", "intake", "", "yesno", "Agrees", "", "", ""),
    ("low", "visit", "", "dropdown", "Low", "0, Never | 1, Often", "", ""),
    ("mass", "visit", "", "text", "Mass", "", "", "number_comma_decimal"),
    ("when_bp", "bp", "", "text", "Day", "", "", "date_ymd"),
    ("sys", "bp", "", "text", "Systolic", "", "", "integer"),
)
RECORDS = [
    ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group",
     "arm", "mood___1", "mood____9", "mood___b", "agree", "intake_complete", "low", "mass", "visit_complete", "when_bp", "sys", "bp_complete"],
    ["007", "base_arm_1", "", "", "north", "1", "1", "0", "0", "1", "2", "", "", "", "", "", ""],
    ["007", "week_arm_1", "", "1", "north", "", "", "", "", "", "", "0", "71,5", "2", "", "", ""],
    ["007", "week_arm_1", "", "2", "north", "", "", "", "", "", "", "-9", "71,0", "2", "", "", ""],
    ["007", "base_arm_1", "bp", "1", "north", "", "", "", "", "", "", "", "", "", "2025-03-04", "120", "2"],
    ["007", "base_arm_1", "bp", "2", "north", "", "", "", "", "", "", "", "", "", "2025-03-05", "121", "2"],
    [" 7", "base_arm_2", "", "", "", "2", "0", "0", "1", "NI", "0", "", "", "", "", "", ""],
]  # fmt: skip
LABELS = [
    ["Record ID", "Event Name", "Repeat Instrument", "Repeat Instance", "Data Access Group", "Arm",
     "Moods of the week (choice=Calm)", "Moods of the week (choice=Refused)", "Moods of the week (choice=Sad)", "Agrees",
     "Complete?", "Low", "Mass", "Complete?", "Day", "Systolic", "Complete?"],
    ["1", "Base", "", "", "North", "Usual care, as before", "Checked", "Unchecked", "Unchecked", "Yes", "Complete", "", "", "", "", "", ""],
    ["1", "Base", "Bp", "1", "North", "", "", "", "", "", "", "", "", "", "2025-03-04", "120", "Unverified"],
    ["2", "Base", "", "", "", "Peer support", "Unchecked", "Unchecked", "Checked", "No", "Incomplete", "Often", "70", "Complete", "", "", ""],
]  # fmt: skip


def as_text(rows: list[list[str]] | list[tuple[str, ...]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read(tmp_path: Path, content: str | bytes | list[list[str]], fields: object = None, **options: object) -> RawTable:
    path = tmp_path / "data.csv"
    content = as_text(content) if isinstance(content, list) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if fields is not None:
        text = as_text([HEADER, *fields]) if isinstance(fields, tuple) else fields
        (tmp_path / "dictionary.csv").write_text(text, encoding="utf-8", newline="")
        options["dictionary"] = "dictionary.csv"
    return read_redcap(path, "data.csv", **options)


def assert_rows_conserve(table: RawTable) -> None:
    gone = {line.source_row for line in table.set_aside}
    assert {line.severity for line in table.set_aside} <= {"row", "excluded"}
    assert table.rows_read == len(table.cells) + len(gone)
    assert not gone & set(table.cells.index)
    assert all(table.cells.dtypes == "str")


def fates(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


def changed(rows: list[list[str]], row: int, column: str, value: str) -> list[list[str]]:
    new = [list(line) for line in rows]
    new[row - 1][new[0].index(column)] = value
    return new


# rows of the record, of repeating events, of repeating instruments


def test_without_repeat_the_rows_of_the_record_are_read_and_repeats_are_excluded_by_name(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS)
    assert table.source == "data.csv"
    assert table.cells.index.tolist() == [2, 3, 4, 7]
    assert fates(table) == [(5, "repeating_instrument", "excluded"), (6, "repeating_instrument", "excluded")]
    assert "'bp'" in table.set_aside[0].reason
    assert_rows_conserve(table)


def test_cells_stay_as_they_are(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS, FIELDS)
    assert table.cells.columns.tolist() == RECORDS[0]
    assert table.cells.loc[7].tolist() == RECORDS[6]
    assert table.cells["record_id"].tolist() == ["007", "007", "007", " 7"]


def test_with_repeat_only_the_rows_of_that_instrument_are_read(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS, repeat="bp")
    assert table.source == "data.csv[bp]"
    assert table.cells["sys"].tolist() == ["120", "121"]
    assert [rule for _, rule, _ in fates(table)] == ["not_repeating"] * 4
    assert {line.source for line in table.set_aside} == {"data.csv[bp]"}
    assert_rows_conserve(table)


def test_a_repeating_event_is_read_alone_by_its_unique_name(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS, repeat="week_arm_1")
    assert table.cells["redcap_repeat_instance"].tolist() == ["1", "2"]
    assert_rows_conserve(table)


def test_a_row_of_another_repeating_instrument_is_excluded_under_its_own_name(tmp_path: Path) -> None:
    table = read(tmp_path, changed(RECORDS, 5, "redcap_repeat_instrument", "visit"), repeat="bp")
    assert [line.reason for line in table.set_aside if line.source_row == 5] == [
        "The row belongs to the repeating instrument 'visit'."
    ]


def test_the_title_of_a_repeating_instrument_is_as_good_as_its_name(tmp_path: Path) -> None:
    table = read(tmp_path, changed(RECORDS, 5, "redcap_repeat_instrument", "BP "), repeat="Bp")
    assert table.cells["sys"].tolist() == ["120", "121"]


def test_a_repeating_instrument_that_is_none_of_the_project_is_quarantined_and_not_told(tmp_path: Path) -> None:
    table = read(tmp_path, changed(RECORDS, 2, "redcap_repeat_instrument", CANARY))
    assert fates(table)[0] == (2, "repeat_instrument_unknown", "row")
    assert table.set_aside[0].column == "redcap_repeat_instrument"
    assert not any("canary" in f"{line.reason} {line.how_to_fix}" for line in table.set_aside)
    assert_rows_conserve(table)


@pytest.mark.parametrize("instance", ["", "0", "-1", "1.0", "x", "01"])
def test_a_repeat_without_a_number_is_quarantined(tmp_path: Path, instance: str) -> None:
    table = read(tmp_path, changed(RECORDS, 5, "redcap_repeat_instance", instance), repeat="bp")
    assert (5, "repeat_instance_wrong", "row") in fates(table)
    assert_rows_conserve(table)


def test_a_dictionary_names_the_instruments_where_form_status_was_not_exported(tmp_path: Path) -> None:
    keep = [place for place, name in enumerate(RECORDS[0]) if not name.endswith("_complete")]
    rows = [[row[place] for place in keep] for row in RECORDS]
    assert {severity for _, _, severity in fates(read(tmp_path, rows))} == {"row"}
    assert {severity for _, _, severity in fates(read(tmp_path, rows, FIELDS))} == {"excluded"}


def test_blank_and_ragged_rows_are_set_aside_beside_repeats_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = as_text(RECORDS[:3]) + "\n" + "1,2\n" + as_text(RECORDS[4:])
    table = read(tmp_path, text)
    assert fates(table) == [
        (4, "blank_row", "excluded"), (5, "field_count", "row"), (6, "repeating_instrument", "excluded"),
        (7, "repeating_instrument", "excluded")]  # fmt: skip
    assert_rows_conserve(table)


def test_a_last_row_without_a_line_break_may_be_cut_off_and_is_quarantined(tmp_path: Path) -> None:
    table = read(tmp_path, as_text(RECORDS)[:-1])
    assert fates(table)[-1] == (7, "cut_off", "row")
    assert_rows_conserve(table)
    assert 7 in read(tmp_path, as_text(RECORDS).encode("utf-16")).cells.index


# dictionary


def test_a_dictionary_fills_questions_and_answers_and_changes_no_cell(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS, FIELDS)
    assert table.cells.equals(read(tmp_path, RECORDS).cells)
    assert table.questions["mood____9"] == "<b>Moods</b>\nof the week (choice=Refused)"
    assert table.questions["mood___b"].endswith("(choice=Sad)")
    assert table.answers["arm"] == {"1": "Peer support", "2": "Usual care, as before"}
    assert table.answers["agree"] == {"1": "Yes", "0": "No"}
    assert table.answers["mood___1"] == {"0": "Unchecked", "1": "Checked"}
    assert table.answers["bp_complete"] == {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
    assert "mass" not in table.answers
    assert "redcap_event_name" not in table.questions
    assert "intro" not in table.questions


def test_a_dictionary_with_the_headers_of_the_api_says_the_same(tmp_path: Path) -> None:
    api = ("field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
           "field_note", "text_validation_type_or_show_slider_number")  # fmt: skip
    first = read(tmp_path, RECORDS, FIELDS)
    second = read(tmp_path, RECORDS, as_text([api, *FIELDS]))
    assert first.questions == second.questions
    assert first.answers == second.answers


def test_a_column_that_the_dictionary_does_not_know_is_read_without_a_question(tmp_path: Path) -> None:
    table = read(tmp_path, RECORDS, FIELDS[:3])
    assert table.cells.shape == read(tmp_path, RECORDS, FIELDS).cells.shape
    assert "mass" not in table.questions


# labels


def test_labels_become_names_and_codes_where_a_dictionary_tells_them(tmp_path: Path) -> None:
    table = read(tmp_path, LABELS, FIELDS)
    assert table.cells.columns.tolist() == RECORDS[0]
    assert table.cells["arm"].tolist() == ["2", "1"]
    assert table.cells["mood___1"].tolist() == ["1", "0"]
    assert table.cells["agree"].tolist() == ["1", "0"]
    assert table.cells["intake_complete"].tolist() == ["2", "0"]
    assert table.cells["low"].tolist() == ["", "1"]
    assert table.cells["mass"].tolist() == ["", "70"]
    assert table.cells["redcap_event_name"].tolist() == ["Base", "Base"]
    assert read(tmp_path, LABELS, FIELDS, repeat="bp").cells["bp_complete"].tolist() == ["1"]


def test_raw_headers_over_labels_are_read_with_a_dictionary(tmp_path: Path) -> None:
    table = read(tmp_path, [RECORDS[0], *LABELS[1:]], FIELDS)
    assert table.cells["arm"].tolist() == ["2", "1"]


def test_part_of_a_label_export_is_aligned_by_the_order_of_the_dictionary(tmp_path: Path) -> None:
    keep = [0, 1, 2, 3, 11, 12, 13, 14, 15, 16]  # two of the three forms, each with its status
    table = read(tmp_path, [[row[place] for place in keep] for row in LABELS if row[2] != "Bp"], FIELDS)
    assert table.cells.columns.tolist()[-6:] == ["low", "mass", "visit_complete", "when_bp", "sys", "bp_complete"]


def test_two_fields_with_one_label_of_which_only_one_was_exported_are_refused(tmp_path: Path) -> None:
    fields = (*FIELDS[:3], ("arm2", "intake", "", "radio", "Arm", "1, a | 2, b", "", ""))
    rows = [["Record ID", "Event Name", "Arm"], ["1", "Base", "Peer support"]]
    with pytest.raises(SourceError) as error:
        read(tmp_path, rows, fields)
    assert error.value.problems[0].code == "label_ambiguous"
    assert "3" in error.value.problems[0].message


# refusals: content, options, code, line, column


def rows_with(row: int, column: str, value: str) -> str:
    return as_text(changed(RECORDS, row, column, value))


SWAPPED = (FIELDS[0], ("arm", "intake", "", "radio", "Arm", "1, 2 | 2, 1", "", ""), *FIELDS[3:])
TWINS = (FIELDS[0], ("arm", "intake", "", "radio", "Arm", "1, Peer support | 2, Peer support", "", ""), *FIELDS[3:])
REFUSED = [
    ("empty", b"", None, {}, "file_empty", None, ""),
    ("blank", b" \n\n", None, {}, "file_empty", None, ""),
    ("header alone", as_text(RECORDS[:1]), None, {}, "no_rows", None, ""),
    ("cp1252", as_text(RECORDS).replace("north", "n\u00f6rd").encode("cp1252"), None, {}, "wrong_encoding", 2, ""),
    ("unknown encoding", as_text(RECORDS), None, {"encoding": "klingon"}, "unknown_encoding", None, ""),
    ("nul", rows_with(3, "mass", "7\x00"), None, {}, "nul_byte", 3, ""),
    ("open quote", as_text(RECORDS) + '8,"open', None, {}, "broken_quotes", 8, ""),
    ("cut off in the only row", as_text(RECORDS[:2])[:-1], None, {}, "no_rows", 2, ""),
    ("a field without end", 'record_id,a\n1,"' + "x" * 4_300_000, None, {}, "broken_quotes", 2, ""),
    ("workbook", b"PK\x03\x04" + b"\x00" * 50, None, {}, "packed_file", None, ""),
    ("no delimiter", "record_id\n1\n", None, {}, "no_delimiter", 1, ""),
    ("wrong delimiter", as_text(RECORDS), None, {"delimiter": ";"}, "one_column", 1, ""),
    ("column twice", rows_with(1, "sys", "mass"), None, {}, "column_twice", 1, ""),
    ("two unnamed", as_text([["", "", "a"], ["1", "2", "3"]]), None, {}, "column_without_name", 1, ""),
    ("unnamed, no numbers", as_text([["", "record_id"], ["x", "1"]]), None, {}, "column_without_name", 1, ""),
    ("unnamed, one number twice", as_text([["", "a"], ["1", "1"], ["1", "2"]]), None, {}, "column_without_name", 1, ""),
    ("rows of another file", as_text([["a", "b"], ["1"], ["2", "3", "4"], ["5"]]), None, {}, "rows_do_not_fit", 1, ""),
    ("label headers", as_text(LABELS), None, {}, "labels_export", 1, ""),
    ("label headers, no system columns", as_text([["Record ID", "How are you?"], ["1", "a"]]), None, {}, "labels_export", 1, ""),
    ("labels under raw headers", as_text([RECORDS[0], *LABELS[1:]]), None, {}, "labels_export", None, "mood___1"),
    ("status labels", as_text([["a", "f_complete"], ["1", "Complete"]]), None, {}, "labels_export", None, "f_complete"),
    ("event labels", as_text([["a", "redcap_event_name"], ["1", "Enrollment"]]), None, {}, "labels_export", None, "redcap_event_name"),
    ("unknown label", as_text([[*LABELS[0][:-1], "Else?"], *LABELS[1:]]), FIELDS, {}, "label_unknown", 1, ""),
    ("label that is a code", as_text([LABELS[0], [*LABELS[1][:5], "1", *LABELS[1][6:]]]), SWAPPED, {}, "label_ambiguous", 2, "arm"),
    ("label of two codes", as_text([LABELS[0], LABELS[1], LABELS[3]]), TWINS, {}, "label_ambiguous", 3, "arm"),
    ("row per field", as_text([["record", "field_name", "value"], ["1", "a", "b"]]), None, {}, "one_row_per_field", 1, ""),
    ("dictionary as data", as_text([HEADER, *FIELDS]), None, {}, "dictionary_as_data", 1, ""),
    ("repeat without repeats", as_text([["record_id", "a"], ["1", "2"]]), None, {"repeat": "bp"}, "repeat_missing", 1, "redcap_repeat_instrument"),
    ("repeat of another name", as_text(RECORDS), None, {"repeat": "bq"}, "repeat_missing", 1, "redcap_repeat_instrument"),
    ("repeats alone", as_text([RECORDS[0], *RECORDS[4:6]]), None, {}, "repeat_missing", 1, "redcap_repeat_instrument"),
    ("dictionary of another", as_text([["id", "b"], ["1", "2"]]), FIELDS, {}, "dictionary_of_another", 1, ""),
    ("dictionary above", as_text(RECORDS), None, {"dictionary": "../dictionary.csv"}, "path_outside", None, ""),
    ("dictionary elsewhere", as_text(RECORDS), None, {"dictionary": "/etc/passwd"}, "path_outside", None, ""),
    ("dictionary with a sign no name can have", as_text(RECORDS), None, {"dictionary": "a\x00b"}, "file_missing", None, ""),
    ("dictionary missing", as_text(RECORDS), None, {"dictionary": "none.csv"}, "file_missing", None, ""),
    ("data as dictionary", as_text(RECORDS), f"{CANARY},b\n1,2\n", {}, "no_data_dictionary", 1, ""),
    ("empty dictionary", as_text(RECORDS), as_text([HEADER]), {}, "no_data_dictionary", 1, ""),
    ("ragged dictionary", as_text(RECORDS), as_text([HEADER, *FIELDS, ("a", "b")]), {}, "row_uneven", 11, ""),
    ("field twice in dictionary", as_text(RECORDS), (*FIELDS, FIELDS[2]), {}, "field_twice", 11, "Variable / Field Name"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "fields", "options", "code", "line", "column"), [each[1:] for each in REFUSED],
                         ids=[each[0] for each in REFUSED])  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_its_place_and_no_value(
    tmp_path: Path,
    content: str | bytes,
    fields: object,
    options: dict[str, object],
    code: str,
    line: int | None,
    column: str,
) -> None:
    with pytest.raises(SourceError) as error:
        read(tmp_path, content, fields, **options)
    problem = error.value.problems[0]
    assert (problem.code, problem.line, problem.key) == (code, line, column)
    assert problem.file
    assert problem.how_to_fix
    assert CANARY not in str(error.value)


def test_the_advice_for_a_wrong_repeat_names_what_repeats(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Allowed: bp, week_arm_1"):
        read(tmp_path, RECORDS, repeat="zz")


def test_a_link_to_a_dictionary_outside_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "dictionary.csv").write_text(as_text([HEADER, *FIELDS]))
    (inside / "dictionary.csv").symlink_to(tmp_path / "dictionary.csv")
    with pytest.raises(SourceError) as error:
        read(inside, RECORDS, dictionary="dictionary.csv")
    assert error.value.problems[0].code == "path_outside"


# details of the file


def test_a_decimal_comma_is_declared_and_changes_no_cell(tmp_path: Path) -> None:
    for declared in (True, False):
        table = read(tmp_path, RECORDS, decimal_comma=declared)
        assert table.decimal_comma is declared
        assert table.cells["mass"].tolist() == ["", "71,5", "71,0", ""]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_a_byte_order_mark_are_recognised(tmp_path: Path, delimiter: str) -> None:
    rows = [[cell.replace(",", ".") for cell in row] for row in RECORDS]
    table = read(tmp_path, as_text(rows, delimiter).encode("utf-8-sig"))
    assert table.cells.columns.tolist() == RECORDS[0]


def test_numbers_of_rows_that_another_program_put_in_front_are_a_column_with_a_name(tmp_path: Path) -> None:
    table = read(tmp_path, [["", "record_id", "age"], ["1", "A", "NA"], ["2", "B", "33"]])
    assert table.cells.columns.tolist() == ["row_names", "record_id", "age"]
    assert table.cells["age"].tolist() == ["NA", "33"]


# real exports


REAL = {
    "blank-for-gray-status": (6, 6), "checkboxes-1": (4, 4), "clinical-trial-1": (500, 500), "decimal-comma-and-dot": (4, 4),
    "longitudinal": (18, 18), "multilevel-model-1": (220, 20), "potentially-problematic-values": (2, 2),
    "repeating-instruments": (6, 2), "repeating-instruments-sparse": (9, 5), "russian": (3, 3), "survey": (2, 2),
    "validation-types-1": (1, 1), "vignette-repeating": (17, 2),
}  # fmt: skip
REPEATS = {"multilevel-model-1": {"appointment": 200}, "repeating-instruments": {"bp": 4}, "repeating-instruments-sparse": {"bp": 4},
           "vignette-repeating": {"blood_pressure": 6, "laboratory": 4, "image": 5}}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("project", REAL)
def test_real_exports_are_read_row_by_row_with_and_without_their_dictionary(shared: Path, project: str) -> None:
    path = shared / "data/exports/redcap" / project / "data.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    dictionary = "dictionary.csv" if (path.parent / "dictionary.csv").exists() else None
    for given in {None, dictionary}:
        table = read_redcap(path, project, dictionary=given)
        assert (table.rows_read, len(table.cells)) == REAL[project]
        assert_rows_conserve(table)
        for number in table.cells.index:
            assert table.cells.loc[number].tolist() == rows[number - 1]
        assert bool(table.questions) == bool(given)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("project", "repeat"), [(project, name) for project, names in REPEATS.items() for name in names]
)
def test_the_repeats_of_real_exports_are_read_one_by_one(shared: Path, project: str, repeat: str) -> None:
    path = shared / "data/exports/redcap" / project / "data.csv"
    table = read_redcap(path, project, dictionary="dictionary.csv", repeat=repeat)
    assert len(table.cells) == REPEATS[project][repeat]
    assert set(table.cells["redcap_repeat_instrument"]) == {repeat}
    assert_rows_conserve(table)


@pytest.mark.real_data
def test_a_longitudinal_export_tells_its_events_in_both_arms(shared: Path) -> None:
    table = read_redcap(
        shared / "data/exports/redcap/longitudinal/data.csv", "longitudinal", dictionary="dictionary.csv"
    )
    assert table.cells["redcap_event_name"].nunique() == 12
    assert table.answers["gym___0"] == {"0": "Unchecked", "1": "Checked"}
    assert table.answers["race"]["4"] == "White"


# mutants


def mutate(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data))
        kind = rng.randrange(7)
        if kind == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            end = min(len(data), place + rng.randint(1, 200))
            data[place:place] = data[place:end] * rng.randint(1, 3)
        elif kind == 3:
            data = bytearray(bytes(data).replace(b",", rng.choice([b";", b"\t", b"|", b""]), rng.randint(1, 40)))
        elif kind == 4:
            data[place:place] = rng.choice(
                [b'"', b"\r", b"\n", b"\x00", b"\xff", b",,,", b"\xef\xbb\xbf", b"bp", b"Checked"]
            )
        elif kind == 5:
            lines = bytes(data).split(b"\n")
            rng.shuffle(lines)
            data = bytearray(b"\n".join(lines))
        else:
            del data[place : place + rng.randint(1, 60)]
        if not data:
            return b""
    return bytes(data)


def test_damaged_files_are_refused_or_read_with_all_rows_accounted_for(tmp_path: Path) -> None:
    rng = random.Random(20)
    contents = [as_text(RECORDS).encode(), as_text(LABELS).encode()]
    dictionary = as_text([HEADER, *FIELDS]).encode()
    told = {"read": 0, "refused": 0}
    for number in range(MUTANTS):
        path = tmp_path / "data.csv"
        path.write_bytes(mutate(contents[number % 2], rng))
        (tmp_path / "dictionary.csv").write_bytes(mutate(dictionary, rng) if number % 3 == 0 else dictionary)
        start = time.monotonic()
        try:
            table = read_redcap(
                path, "data.csv", dictionary=rng.choice([None, "dictionary.csv"]), repeat=rng.choice([None, "bp"])
            )
            assert_rows_conserve(table)
            told["read"] += 1
        except SourceError:
            told["refused"] += 1
        assert time.monotonic() - start < SECONDS_FOR_ONE
    assert min(told.values()) > MUTANTS / 20, told

"""Qualtrics: header rows of three kinds, previews and unfinished answers told apart, nothing lost and nothing guessed."""

import csv
import io
import json
from pathlib import Path

import pytest

from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.qualtrics import read_qualtrics

NAMES = ["ResponseId", "Status", "Finished", "Progress", "DistributionChannel", "pid", "GAD_1", "QID9_TEXT"]
TEXTS = [
    "Antwort-ID",
    "Antworttyp",
    "Beendet",
    "Aktueller Stand",
    "Verteilungskanal",
    "Kennung",
    "First, or last?",
    "Free",
]
IDS = ["_recordId", "status", "finished", "progress", "distributionChannel", "QID1_TEXT", "QID2", "QID9_TEXT"]
JSON = [json.dumps({"ImportId": import_id}) for import_id in IDS]
GOOD = ["R_1", "0", "1", "100", "anonymous", "007", "3", "a, b\nc"]


def row(**changes: str) -> list[str]:
    return [changes.get(name, value) for name, value in zip(NAMES, GOOD, strict=True)]


def as_text(rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read(tmp_path: Path, content: str | bytes | list[list[str]], **options: object) -> RawTable:
    path = tmp_path / "wave.csv"
    content = as_text([NAMES, TEXTS, JSON, *content]) if isinstance(content, list) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_qualtrics(path, "wave.csv", **options)
    rows = [line.source_row for line in table.set_aside]
    assert table.rows_read == len(table.cells) + len(rows)
    assert len({*rows, *table.cells.index}) == table.rows_read
    return table


def fates(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


HEADER_FATES = [(2, "second_header", "excluded"), (3, "second_header", "excluded")]


def test_columns_are_codes_questions_are_texts_and_cells_stay_as_they_are(tmp_path: Path) -> None:
    table = read(tmp_path, [GOOD])
    assert table.cells.columns.tolist() == NAMES
    assert table.cells.loc[4].tolist() == GOOD
    assert table.questions["GAD_1"] == "First, or last?"
    assert table.answers == {}
    assert fates(table) == HEADER_FATES


def test_tab_separated_utf_16_with_a_time_zone_in_the_import_ids_is_read(tmp_path: Path) -> None:
    ids = [
        JSON[0],
        JSON[1],
        JSON[2],
        JSON[3],
        '{"ImportId":"distributionChannel","timeZone":"Europe/Berlin"}',
        *JSON[5:],
    ]
    table = read(tmp_path, as_text([NAMES, TEXTS, ids, GOOD], "\t").encode("utf-16"))
    assert table.cells.loc[4].tolist() == GOOD


def test_a_legacy_header_of_two_rows_with_a_column_without_a_name_at_the_end_is_read(tmp_path: Path) -> None:
    rows = [["V1", "V7", "V10", "Q1", ""], ["ResponseID", "Status", "Finished", "Your mood?", ""],
            ["R_1", "0", "1", "2", ""], ["R_2", "1", "1", "2", ""], ["R_3", "0", "0", "2", ""], ["R_4", "0", "1", "2", "x"]]  # fmt: skip
    table = read(tmp_path, as_text(rows).encode("utf-8-sig"))
    assert table.cells.to_dict("index") == {3: {"V1": "R_1", "V7": "0", "V10": "1", "Q1": "2"}}
    assert table.questions == {"V1": "ResponseID", "V7": "Status", "V10": "Finished", "Q1": "Your mood?"}
    assert fates(table) == [(2, "second_header", "excluded"), (4, "preview", "excluded"),
                            (5, "unfinished", "excluded"), (6, "field_count", "row")]  # fmt: skip


def test_legacy_names_above_import_ids_with_capital_letters_are_read(tmp_path: Path) -> None:
    rows = [["ResponseID", "Finished", "Status", "Q1"], ["ResponseID", "Finished", "Status", "Mood"],
            ['{"ImportId":"ResponseID"}', '{"ImportId":"Finished"}', '{"ImportId":"Status"}', '{"ImportId":"QID1"}'],
            ["R_1", "1", "4", "1"], ["R_2", "1", "0", "1"]]  # fmt: skip
    assert fates(read(tmp_path, as_text(rows)))[2:] == [(4, "imported", "excluded")]


def test_a_header_whose_question_row_was_removed_has_no_questions(tmp_path: Path) -> None:
    table = read(tmp_path, as_text([NAMES, JSON, GOOD]))
    assert table.questions == {}
    assert table.cells.index.tolist() == [3]


def test_a_column_that_somebody_added_by_hand_is_a_column(tmp_path: Path) -> None:
    rows = [[*NAMES, "site"], [*TEXTS, ""], [*JSON, ""], [*GOOD, "North"]]
    table = read(tmp_path, as_text(rows))
    assert table.cells["site"].tolist() == ["North"]
    assert "site" not in table.questions


def test_exports_pasted_below_each_other_have_their_headers_excluded(tmp_path: Path) -> None:
    table = read(tmp_path, [GOOD, NAMES, TEXTS, JSON, row(pid="8")])
    assert table.cells["pid"].to_dict() == {4: "007", 8: "8"}
    assert [line[0] for line in fates(table)] == [2, 3, 5, 6, 7]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Status": "1"}, "preview"),
        ({"Status": "Survey Preview"}, "preview"),
        ({"Status": "Umfragevorschau"}, "preview"),
        ({"Status": "9"}, "preview"),
        ({"Status": "17"}, "preview"),
        ({"Status": "Offline Survey Preview"}, "preview"),
        ({"DistributionChannel": "preview"}, "preview"),
        ({"Status": "2"}, "test_answer"),
        ({"Status": "Survey Test"}, "test_answer"),
        ({"DistributionChannel": "test"}, "test_answer"),
        ({"Status": "4"}, "imported"),
        ({"Status": "36"}, "imported"),
        ({"Status": "Imported"}, "imported"),
        ({"Status": "Importiert"}, "imported"),
        ({"Finished": "0"}, "unfinished"),
        ({"Finished": "False", "Progress": "60"}, "unfinished"),
        ({"Finished": "Falsch"}, "unfinished"),
        ({"Finished": "1", "Progress": "99"}, "unfinished"),
    ],
)
def test_what_is_no_finished_answer_of_a_participant_is_excluded_with_its_reason(
    tmp_path: Path, changes: dict[str, str], rule: str
) -> None:
    table = read(tmp_path, [GOOD, row(**changes)])
    assert fates(table) == [*HEADER_FATES, (5, rule, "excluded")]


@pytest.mark.parametrize(
    "changes",
    [{"Status": "IP Address"}, {"Status": "IP-Adresse"}, {"Status": "Adresse IP"}, {"Status": "8"}, {"Status": "Spam"},
     {"Status": "16"}, {"Status": "32"}, {"Finished": "TRUE"}, {"Finished": "Vrai"}, {"Finished": "?"},
     {"Progress": ""}, {"DistributionChannel": "email"}],
)  # fmt: skip
def test_finished_answers_stay_whatever_the_language_and_so_do_those_marked_as_spam(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    assert read(tmp_path, [row(**changes)]).cells.loc[4].tolist() == row(**changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [({"Status": "Vastaus"}, "status_unknown"), ({"Status": ""}, "status_unknown"), ({"Status": "64"}, "status_unknown"),
     ({"Finished": "?", "Progress": "?"}, "finished_unknown")],
)  # fmt: skip
def test_what_cannot_be_told_is_quarantined_and_not_guessed(tmp_path: Path, changes: dict[str, str], rule: str) -> None:
    assert fates(read(tmp_path, [GOOD, row(**changes)])) == [*HEADER_FATES, (5, rule, "row")]


def test_unfinished_answers_stay_when_the_study_says_so_and_previews_do_not(tmp_path: Path) -> None:
    table = read(tmp_path, [row(Finished="0", Progress="40"), row(Finished="0", Status="1")], keep_unfinished=True)
    assert table.cells["Progress"].tolist() == ["40"]
    assert fates(table)[2:] == [(5, "preview", "excluded")]


def test_a_decimal_comma_is_declared_and_changes_no_cell(tmp_path: Path) -> None:
    text = as_text([NAMES, TEXTS, JSON, row(GAD_1="2,5")], ";")
    for declared in (True, False):
        table = read(tmp_path, text, decimal_comma=declared)
        assert table.decimal_comma is declared
        assert table.cells["GAD_1"].tolist() == ["2,5"]


def test_two_questions_may_have_the_same_text_but_not_the_same_name(tmp_path: Path) -> None:
    texts = [*TEXTS[:-2], "Same", "Same"]
    assert read(tmp_path, as_text([NAMES, texts, JSON, GOOD])).questions["QID9_TEXT"] == "Same"
    with pytest.raises(SourceError) as error:
        read(tmp_path, as_text([[*NAMES[:-1], "GAD_1"], texts, JSON, GOOD]))
    assert error.value.problems[0].code == "column_twice"
    assert "7, 8" in error.value.problems[0].message


MALFORMED = {
    "empty": (b"", "file_empty", None),
    "spaces": (b" \n \n", "file_empty", None),
    "one header row": (as_text([NAMES, GOOD]), "not_qualtrics", 2),
    "header without answers": (as_text([NAMES, TEXTS, JSON]), "no_rows", None),
    "header cut in row 2": (as_text([NAMES]) + '"Antwort-ID","Antw', "broken_quotes", 2),
    "question row shorter": (as_text([NAMES, TEXTS[:-1], JSON, GOOD]), "header_rows_differ", 2),
    "import ids shorter": (as_text([NAMES, TEXTS, JSON[:-1], GOOD]), "header_rows_differ", 3),
    "import id damaged": (as_text([NAMES, TEXTS, [JSON[0][:-1], *JSON[1:]], GOOD]), "header_damaged", 3),
    "import id no text": (as_text([NAMES, TEXTS, ['{"ImportId": 1}', *JSON[1:]], GOOD]), "header_damaged", 3),
    "import ids nested too deep": (as_text([NAMES, TEXTS, ["[" * 100_000, *JSON[1:]], GOOD]), "header_damaged", 3),
    "column in the middle without a name": (as_text([["", *NAMES[1:]], TEXTS, JSON, GOOD]), "column_without_name", 1),
    "question above no name": (as_text([[*NAMES, ""], [*TEXTS, "x"], [*JSON, ""], [*GOOD, ""]]), "column_without_name", 1),
    "two statuses": (as_text([[*NAMES, "S"], [*TEXTS, ""], [*JSON, JSON[1]], [*GOOD, "0"]]), "column_twice", 1),
    "nothing tells finished": (
        as_text([NAMES[4:], TEXTS[4:], JSON[4:], GOOD[4:]]), "finished_unknown", 1),
    "only previews": (as_text([NAMES, TEXTS, JSON, row(Status="1"), row(Status="1")]), "no_rows", None),
    "statuses of a strange language": (as_text([NAMES, TEXTS, JSON, row(Status="x"), row(Status="y")]), "no_rows", None),
    "wrong encoding": (as_text([NAMES, TEXTS, JSON, row(pid="Zo\u00eb")]).encode("cp1252"), "wrong_encoding", 4),
    "NUL": (as_text([NAMES, TEXTS, JSON, row(pid="\x00")]), "nul_byte", 4),
    "unclosed quote": (as_text([NAMES, TEXTS, JSON, GOOD]) + 'R_2,"0\n', "broken_quotes", 6),
    "endless field": (as_text([NAMES, TEXTS, JSON]) + "x" * 5_000_000, "broken_quotes", 4),
    "shifted rows": (as_text([NAMES, TEXTS, JSON, GOOD, GOOD[1:], GOOD[1:]]), "rows_do_not_fit", 1),
    "archive": (b"PK\x03\x04 and more", "packed_file", None),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_with_its_place_and_advice(tmp_path: Path, case: str) -> None:
    content, code, line = MALFORMED[case]
    with pytest.raises(SourceError) as error:
        read(tmp_path, content)
    problem = error.value.problems[0]
    assert (problem.code, problem.file, problem.line) == (code, "wave.csv", line)
    assert problem.how_to_fix
    assert "R_1" not in str(error.value)


def test_a_refusal_for_lack_of_answers_counts_the_reasons_and_tells_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        read(tmp_path, [row(Status="1"), row(Finished="0"), row(Finished="0")])
    assert "preview: 1; unfinished: 2" in str(error.value)
    assert "keep_unfinished: true" in str(error.value)


def test_a_row_that_was_cut_off_or_holds_too_much_is_quarantined_and_a_blank_one_excluded(tmp_path: Path) -> None:
    text = as_text([NAMES, TEXTS, JSON, GOOD, GOOD, GOOD]) + "\n" + as_text([[*GOOD, "x"]]) + "R_9,0,1,10"
    assert fates(read(tmp_path, text))[2:] == [
        (7, "blank_row", "excluded"),
        (8, "field_count", "row"),
        (9, "cut_off", "row"),
    ]


def test_a_last_row_without_a_line_break_is_quarantined_though_it_has_all_its_fields(tmp_path: Path) -> None:
    table = read(tmp_path, as_text([NAMES, TEXTS, JSON, GOOD, row(QID9_TEXT="long story")])[:-6])
    assert fates(table)[2:] == [(5, "cut_off", "row")]
    again = read(tmp_path, as_text([NAMES, TEXTS, JSON, GOOD, JSON])[:-1])
    assert fates(again)[2:] == [(5, "second_header", "excluded")]


def test_no_cell_is_told_in_a_reason(tmp_path: Path) -> None:
    table = read(tmp_path, [GOOD, row(pid="zq7canary", Status="zq7canary"), row(pid="zq7canary", Finished="0"),
                            row(pid="zq7canary", Finished="zq7canary", Progress="zq7canary")])  # fmt: skip
    assert len(table.set_aside) == 5
    assert "zq7canary" not in repr(table.set_aside)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "rows_read", "index", "question"),
    [("sample.csv", 3, [4], ("UserLanguage", "Benutzersprache")), ("sample_legacy.csv", 2, [3], ("V7", "Status"))],
)
def test_the_real_exports_are_read_row_by_row(
    shared: Path, name: str, rows_read: int, index: list[int], question: tuple[str, str]
) -> None:
    table = read_qualtrics(shared / "data" / "exports" / "qualtrics" / name, name)
    assert (table.rows_read, table.cells.index.tolist()) == (rows_read, index)
    assert rows_read == len(table.cells) + len(table.set_aside)
    assert table.cells[["Q1", "Q2"]].to_numpy().tolist() == [["2", "Hello World!"]]
    assert table.questions[question[0]] == question[1]
    assert table.questions["Q1"] == "This is a multiple choice question."

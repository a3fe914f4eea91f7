"""FHIR responses as a table: a row for a participant and day, and an account of every response that is not in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from instruments import load_library
from instruments.exchange.fhir import build_questionnaire
from pipelines.sources.fhir import read_fhir
from pipelines.sources.model import RawTable, SourceError

SECRET = "zq81-secret-participant"
LIBRARY = load_library()
URLS = {name: build_questionnaire(LIBRARY[name])["url"] for name in ("phq-9", "gad-7")}


def response(
    answers: list[int | None], name: str = "phq-9", *, who: str = "p1", day: str = "2025-03-31T10:00:00Z", **more: Any
) -> dict[str, Any]:
    items = [
        {"linkId": str(n), "answer": [{"valueInteger": one}]} for n, one in enumerate(answers, 1) if one is not None
    ]
    return {
        "resourceType": "QuestionnaireResponse", "questionnaire": URLS[name], "status": "completed",
        "subject": {"reference": f"Patient/{who}"}, "authored": day, "item": items, **more,
    }  # fmt: skip


def bundle(*resources: object, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources], **more}


def read(tmp_path: Path, document: object, **options: Any) -> RawTable:
    path = tmp_path / "responses.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    table = read_fhir(path, "responses.json", **options)
    assert table.rows_read == len(table.cells) + len({line.source_row for line in table.set_aside})
    return table


def fate(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


def test_a_row_has_the_answers_of_one_participant_and_day_from_all_instruments(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        bundle(
            {"resourceType": "Patient", "id": "p1"},
            response([0, 1, 2, 3, 0, 1, 2, 3, None]),
            response([1] * 7, "gad-7"),
            response([2] * 7, "gad-7", who="p2"),
            response([3] * 7, "gad-7", day="2025-06-30"),
        ),
    )
    assert table.cells.columns.tolist() == [
        "participant_id", "answered_on", *(f"gad-7_{n}" for n in range(1, 8)), *(f"phq-9_{n}" for n in range(1, 10))]  # fmt: skip
    assert table.cells.index.tolist() == [3, 5, 6]
    assert table.cells.loc[3].tolist() == ["p1", "2025-03-31", *["1"] * 7, "0", "1", "2", "3", "0", "1", "2", "3", ""]
    assert table.cells.loc[5].tolist() == ["p2", "2025-03-31", *["2"] * 7, *[""] * 9]
    assert table.cells.loc[6, "answered_on"] == "2025-06-30"
    assert fate(table) == [(4, "joined", "excluded")]
    assert table.rows_read == 4


def test_what_is_left_out_is_told_with_its_place(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        bundle(
            response([1] * 9, id="a"),
            response([1] * 9),
            response([2] * 9, id="a", status="amended"),
            response([3] * 9, who="p2", status="in-progress"),
            response([3] * 9, who="p3", id="b"),
            response([3] * 9, who="p3", id="b", status="entered-in-error"),
            response([0] * 9, who="p4", status="stopped"),
            response([0] * 9, who="p4"),
        ),
    )
    assert table.cells["phq-9_1"].to_dict() == {4: "2", 8: "0"}
    assert fate(table) == [
        (2, "superseded", "excluded"), (3, "superseded", "excluded"), (5, "in_progress", "excluded"),
        (6, "entered_in_error", "excluded"), (7, "entered_in_error", "excluded"), (9, "repeated", "excluded"),
    ]  # fmt: skip


def test_of_responses_that_contradict_each_other_none_is_taken(tmp_path: Path) -> None:
    table = read(
        tmp_path, bundle(response([1] * 9), response([1, 1, 1, 1, 1, 1, 1, 1, 2]), response([0] * 9, who="p2"))
    )
    assert table.cells["participant_id"].to_dict() == {4: "p2"}
    assert fate(table) == [(2, "answered_twice", "row"), (3, "answered_twice", "row")]


@pytest.mark.parametrize(
    ("broken", "rule", "told"),
    [
        ({"status": "final"}, "unknown_status", "none of FHIR R4"),
        ({"questionnaire": "http://clinic.example/own"}, "unknown_questionnaire", "no instrument"),
        ({"authored": "2025"}, "no_timepoint", "tells no day"),
        ({"authored": "31.03.2025"}, "not_a_date", "no FHIR dateTime"),
        ({"subject": {"display": SECRET}}, "no_subject", "subject"),
        ({"item": [{"linkId": "77", "answer": [{"valueInteger": 1}]}]}, "unknown_item", "linkId 77"),
        ({"item": [{"linkId": "2", "answer": [{"valueString": SECRET}]}]}, None, "linkId 2"),
        ({"item": [{"linkId": "2", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}]}, None, "linkId 2"),
        ({"item": {"linkId": "2"}}, "not_fhir", "'item' is no list"),
        ({"id": 7}, "not_fhir", "'id' is no text"),
    ],
)  # fmt: skip
def test_a_response_that_cannot_be_read_is_quarantined_and_the_others_are_read(
    tmp_path: Path, broken: dict[str, Any], rule: str | None, told: str
) -> None:
    table = read(tmp_path, bundle(response([1] * 9), response([1] * 9, who="p2") | broken))
    assert table.cells["participant_id"].tolist() == ["p1"]
    (line,) = table.set_aside
    assert (line.source_row, line.severity) == (3, "row")
    assert rule in (None, line.rule)
    assert told in line.reason
    assert SECRET not in str(line)
    assert line.how_to_fix


def test_lines_of_ndjson_are_records_and_a_cut_off_line_is_quarantined(tmp_path: Path) -> None:
    lines = [
        json.dumps(one)
        for one in (
            {"resourceType": "Patient", "id": "p1"},
            response([1] * 9),
            response([2] * 9, who="p2"),
            bundle(response([1] * 9)),
        )
    ]
    table = read(tmp_path, "\n".join([lines[0], lines[1], "", lines[2], lines[3], lines[1][:60]]))
    assert table.cells["participant_id"].to_dict() == {3: "p1", 5: "p2"}
    assert fate(table) == [(6, "not_fhir", "row"), (7, "not_fhir", "row")]


def test_one_response_alone_and_a_bundle_of_one_line_are_documents(tmp_path: Path) -> None:
    assert read(tmp_path, response([1] * 9)).rows_read == 1
    assert read(tmp_path, json.dumps(bundle(response([1] * 9))) + "\n").rows_read == 1
    assert read(tmp_path, json.dumps(bundle(response([1] * 9)), indent=1)).rows_read == 1


def test_a_questionnaire_by_others_is_read_where_its_instrument_is_named(tmp_path: Path) -> None:
    sent = bundle(response([1] * 9, questionnaire="http://clinic.example/own|2"))
    table = read(tmp_path, sent, questionnaires={"http://clinic.example/own": "phq-9"})
    assert table.cells["phq-9_9"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("content", "expected", "line"),
    [
        ("", "file_empty", None),
        ("  \n\n", "file_empty", None),
        (b"\xff\xfe{}", "wrong_encoding", None),
        ('{"resourceType": "Bundle", "entry": [', "not_json", 1),
        ('{"resourceType": "Bundle", "entry": [], "entry": []}', "not_json", None),
        ("[" * 100_000, "not_json", None),
        ('{"resourceType": "Patient"}', "not_a_bundle", None),
        ('["a"]', "not_a_bundle", None),
        ("pid,a\n1,2\n", "not_json", 1),
        ('{"resourceType": "Bundle"}', "no_rows", None),
        ('{"resourceType": "Bundle", "entry": [3]}', "not_fhir", None),
        ('{"resourceType": "Bundle", "entry": [{"resource": 3}]}', "not_fhir", None),
        (bundle(response([1] * 9), link=[{"relation": "next", "url": "http://x.example"}]), "more_pages", None),
        (bundle(response([1] * 9, status="in-progress")), "no_rows", None),
        (bundle(response([1] * 9, questionnaire="http://x.example/q")), "no_rows", None),
        (bundle(response([1] * 9), response([1] * 9, day="2025-04-01", subject={"reference": "RelatedPerson/p1"})), "subject_unclear", None),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_responses_is_refused_in_words(
    tmp_path: Path, content: object, expected: str, line: int | None
) -> None:
    path = tmp_path / "responses.json"
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    with pytest.raises(SourceError) as error:
        read_fhir(path, "responses.json")
    (problem, *_) = error.value.problems
    assert (problem.code, problem.file, problem.line) == (expected, "responses.json", line)
    assert problem.how_to_fix


def test_no_message_tells_a_participant(tmp_path: Path) -> None:
    table = read(tmp_path, bundle(
        response([1] * 9, who="p1"), response([1] * 9, who=SECRET), response([2] * 9, who=SECRET),
        response([9] * 9, who=SECRET, day="2025-05-01"), response([1] * 9, who=SECRET, day="2025-06-01", status="in-progress"),
    ))  # fmt: skip
    assert len(table.set_aside) == 4
    assert SECRET not in str(table.set_aside)

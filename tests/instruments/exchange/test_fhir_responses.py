"""Answers that come back in FHIR: every worked example makes the round trip, and broken bundles are told in words."""

import copy
import json

import numpy as np
import pandas as pd
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments import InstrumentError, apply_variants, load_library, score_responses
from instruments.exchange.fhir import build_questionnaire
from instruments.exchange.fhir_responses import load_questionnaire_responses, read_questionnaire_responses

ROUNDED = 0.0051  # examples are given to two decimals
WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
SECRET = "zq81-secret-participant"  # no part of it may be told
LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
FORMS = sorted({(name, tuple(example.variants)) for name, one in SCORED.items() for example in one.examples})
LOINC_PHQ = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]


def answered(question, value):
    if question["type"] == "decimal":
        return {"valueDecimal": value}
    (option,) = [each for each in question["answerOption"] if each["valueCoding"]["code"] == f"{value:g}"]
    return {"valueCoding": option["valueCoding"]}


def respond(instrument, answers, *, participant="p0", authored="2025-03-31T10:00:00Z", **changes):
    """The response of somebody to our questionnaire, with a score that nobody believes."""
    questionnaire = build_questionnaire(instrument)
    questions = [item for item in questionnaire["item"] if not item.get("readOnly")]
    scores = [item for item in questionnaire["item"] if item.get("readOnly")]
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{questionnaire['url']}|{questionnaire['version']}",
        "status": "completed",
        "subject": {"reference": f"Patient/{participant}"},
        "authored": authored,
        "item": [
            *({"linkId": one["linkId"], "answer": [answered(one, value)]}
              for one, value in zip(questions, answers, strict=True) if value is not None),
            *({"linkId": one["linkId"], "answer": [{"valueDecimal": -99}]} for one in scores),
        ],
        **changes,
    }  # fmt: skip


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def phq(*answers, link_ids=range(1, 10), **changes):
    """A response to the PHQ-9 in which each answer is given as its `answer` element."""
    items = [{"linkId": str(link), "answer": [one]} for link, one in zip(link_ids, answers, strict=False)]
    return respond(SCORED["phq-9"], [None] * 9, **{"item": items, **changes})


def whole(value):
    return {"valueInteger": value}


def coded(code, system="", weight=None, url=WEIGHT):
    coding = {"code": code, **({"system": system} if system else {})}
    return {"valueCoding": coding | ({} if weight is None else {"extension": [{"url": url, "valueDecimal": weight}]})}


def values_of(document, **options):
    read = read_questionnaire_responses(document, {"phq-9": SCORED["phq-9"]}, **options)
    return read.responses["value"].to_list()


def complaint(document, library=LIBRARY, **options):
    """What is told; and never by whom it was answered."""
    with pytest.raises(InstrumentError) as caught:
        read_questionnaire_responses(document, library, **options)
    told = str(caught.value)
    assert SECRET not in told
    return told


@pytest.mark.parametrize(("name", "variants"), FORMS)
def test_worked_examples_make_the_round_trip(name, variants):
    form = apply_variants(SCORED[name], variants)
    examples = [one for one in SCORED[name].examples if tuple(one.variants) == variants]
    sent = bundle(*(respond(form, one.answers, participant=f"p{place}") for place, one in enumerate(examples)))
    Bundle.model_validate(copy.deepcopy(sent))
    library = {name: form}
    read = read_questionnaire_responses(json.loads(json.dumps(sent)), library)
    scores = score_responses(read.responses, library).set_index(["participant_id", "measure"])["score"]
    assert (read.n_found, read.n_read, len(read.responses)) == (
        len(examples),
        len(examples),
        len(examples) * len(form.items),
    )
    for place, example in enumerate(examples):
        for measure, expected in example.scores.items():
            found = scores[f"p{place}", f"{name}.{measure}"]
            if expected is None:
                assert np.isnan(found)
            else:
                assert found == pytest.approx(expected, abs=ROUNDED)


def test_the_table_is_that_of_every_other_source(project):
    read = read_questionnaire_responses(bundle(phq(whole(2), whole(0))), LIBRARY, source="export.json")
    first, third = read.responses.iloc[0], read.responses.iloc[2]
    assert first.to_dict() == {
        "participant_id": "p0", "timepoint": "2025-03-31", "instrument": "phq-9", "item": "1", "raw": "2", "value": 2.0,
        "missing_reason": "", "answered_on": "2025-03-31", "source": "export.json", "source_row": 1,
    }  # fmt: skip
    assert (third["raw"], third["missing_reason"]) == ("", "blank")
    assert np.isnan(third["value"])
    contract = (project / "data_contracts" / "contracts" / "responses.yaml").read_text()
    others = [column for column in read.responses.columns if f"- name: {column}\n" not in contract]
    assert others == ["answered_on"], "the intake turns the day into days since baseline"


def test_answers_of_several_instruments_and_days_are_told_apart():
    sent = bundle(
        respond(SCORED["gad-7"], [1] * 7),
        respond(SCORED["phq-9"], [2] * 9),
        respond(SCORED["phq-9"], [3] * 9, authored="2025-06-30"),
        {"resourceType": "Patient", "id": "p0"},
    )
    scores = score_responses(read_questionnaire_responses(sent, LIBRARY).responses, LIBRARY)
    found = scores[["timepoint", "measure", "score"]].to_records(index=False).tolist()
    assert found == [
        ("2025-03-31", "gad-7.total", 7), ("2025-03-31", "phq-9.total", 18), ("2025-06-30", "phq-9.total", 27),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        whole(2), {"valueDecimal": 2.0}, {"valueDecimal": 2}, coded("2"),
        coded("2", "urn:peerimpact:answers:phq-9:frequency"), coded("2", "urn:peerimpact:answers:phq-9:frequency", 2),
        coded("LA6570-1", "http://loinc.org"), coded("LA6570-1"), coded("LA6570-1", "http://loinc.org", 2.0, ORDINAL),
        coded("b", "http://clinic.example/codes", 2), coded("b", "http://clinic.example/codes", 2, ORDINAL),
        {"valueInteger": 2, "_valueInteger": {"extension": [{"url": WEIGHT, "valueDecimal": 2}]}},
        {"valueInteger": 2, "extension": [{"url": WEIGHT, "valueDecimal": 2}, {"url": "http://else.example", "valueString": "x"}]},
    ],
    ids=lambda answer: json.dumps(answer),
)  # fmt: skip
def test_an_answer_is_recognised_in_every_kind_of_value(answer):
    assert values_of(bundle(phq(answer)))[0] == 2


@pytest.mark.parametrize(
    "items",
    [
        [{"linkId": code, "answer": [whole(place % 4)]} for place, code in enumerate(LOINC_PHQ)],
        [{"linkId": f"/44249-1/{code}", "answer": [whole(place % 4)]} for place, code in enumerate(LOINC_PHQ)],
        [{"linkId": f"q{place}", "definition": f"http://loinc.org/{code}", "answer": [whole(place % 4)]} for place, code in enumerate(LOINC_PHQ)],
        [{"linkId": "all", "item": [{"linkId": str(place + 1), "answer": [whole(place % 4)]} for place in range(9)]}],
        [{"linkId": "1", "answer": [{"valueInteger": 0, "item": [{"linkId": str(place + 1), "answer": [whole(place % 4)]} for place in range(1, 9)]}]}],
    ],
    ids=["loinc-link-id", "loinc-path", "loinc-definition", "grouped", "below-an-answer"],
)  # fmt: skip
@pytest.mark.parametrize("url", ["http://loinc.org/q/44249-1", "http://clinic.example/Questionnaire/7|3", None])
def test_items_and_instruments_are_recognised_as_others_name_them(items, url):
    response = phq(item=[*items, {"linkId": "44261-6", "answer": [whole(99)]}])
    response = {key: value for key, value in response.items() if key != "questionnaire" or url}
    response |= {"questionnaire": url} if url else {}
    found = values_of(bundle(response), questionnaires={"http://clinic.example/Questionnaire/7": "phq-9"})
    assert found == [0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_a_loinc_code_comes_before_a_link_id_of_others():
    item = {"linkId": "1", "definition": "http://loinc.org/44255-8", "answer": [whole(3)]}
    assert values_of(bundle(phq(item=[item])))[:2] == [pytest.approx(np.nan, nan_ok=True), 3]


def test_what_holds_no_value_is_missing():
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "declined"}]
    }
    items = [
        {"linkId": "1", "answer": [absent]},
        {"linkId": "2", "answer": []},
        {"linkId": "3"},
        {"linkId": "title", "text": "x"},
    ]
    assert np.isnan(values_of(bundle(phq(item=items)))).all()


def test_statuses_decide_what_is_read():
    kept = [
        phq(whole(1), participant=f"k{place}", status=status)
        for place, status in enumerate(["completed", "amended", "stopped"])
    ]
    left = [
        phq(whole(1), participant=f"l{place}", status=status)
        for place, status in enumerate(["in-progress", "entered-in-error"])
    ]
    read = read_questionnaire_responses(bundle(*kept, *left), LIBRARY)
    assert list(read.responses["participant_id"].unique()) == ["k0", "k1", "k2"]
    assert (read.n_found, read.n_read, read.n_in_progress, read.n_entered_in_error) == (5, 3, 1, 1)


def test_versions_and_repetitions_count_once():
    first, wrong = phq(whole(1), id="a"), phq(whole(2), id="b", participant="p1")
    amended = phq(whole(3), id="a", status="amended", authored="2025-04-02")
    again = phq(whole(0), id="c", participant="p2")
    sent = bundle(first, wrong, amended, again, again | {"id": "d"}, wrong | {"status": "entered-in-error"})
    read = read_questionnaire_responses(sent, LIBRARY)
    answers = read.responses.dropna()
    assert dict(zip(answers["participant_id"], answers["value"], strict=True)) == {"p0": 3, "p2": 0}
    assert answers["timepoint"].to_list() == ["2025-04-02", "2025-03-31"]
    counts = (read.n_read, read.n_superseded, read.n_repeated, read.n_entered_in_error, read.n_in_progress)
    assert (read.n_found, counts) == (6, (2, 1, 1, 2, 0))


def test_one_response_alone_and_an_empty_bundle_are_read():
    alone = read_questionnaire_responses(phq(whole(1)), LIBRARY)
    empty = read_questionnaire_responses(
        {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "x"}]}, LIBRARY
    )
    assert (alone.n_read, alone.more_pages, empty.n_found, empty.more_pages) == (1, False, 0, True)
    pd.testing.assert_series_equal(alone.responses.dtypes, empty.responses.dtypes)
    assert score_responses(empty.responses, LIBRARY).empty


@pytest.mark.parametrize(
    ("subject", "participant"),
    [
        ({"reference": "Patient/7"}, "7"),
        ({"reference": "https://fhir.example/r4/Patient/7/_history/2"}, "7"),
        ({"reference": "RelatedPerson/carer-7"}, "carer-7"),
        ({"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
        ({"identifier": {"system": "http://study.example", "value": "P 007"}}, "P 007"),
    ],
)
def test_the_participant_is_the_subject(subject, participant):
    read = read_questionnaire_responses(phq(whole(1), subject=subject), LIBRARY)
    assert set(read.responses["participant_id"]) == {participant}


@pytest.mark.parametrize(
    ("authored", "timepoint", "expected"),
    [
        ("2025-03-31", "", ("2025-03-31", "2025-03-31")),
        ("2025-03-31T23:59:59.123+13:00", "", ("2025-03-31", "2025-03-31")),
        ("2025-03-31T10:00:00Z", "baseline", ("baseline", "2025-03-31")),
        ("2025-03", "baseline", ("baseline", "")),
    ],
)
def test_the_day_is_the_timepoint_unless_one_is_named(authored, timepoint, expected):
    read = read_questionnaire_responses(phq(whole(1), authored=authored), LIBRARY, timepoint=timepoint)
    assert tuple(read.responses.loc[0, ["timepoint", "answered_on"]]) == expected


def test_items_that_are_no_part_of_the_instrument_can_be_ignored():
    sent = phq(
        whole(1), item=[{"linkId": "1", "answer": [whole(1)]}, {"linkId": "69722-7", "answer": [coded("LA6572-7")]}]
    )
    assert "linkId 69722-7: The instrument has no such item." in complaint(sent)
    assert values_of(sent, ignored_items=["69722-7"])[0] == 1


OWN = "urn:peerimpact:answers:phq-9:frequency"
BROKEN = {
    "several answers": ({"item": [{"linkId": "4", "answer": [whole(1), whole(2)]}]}, "linkId 4: The item has several answers."),
    "twice": ({"item": [{"linkId": "4", "answer": [whole(1)]}, {"linkId": "44254-1", "answer": [whole(1)]}]}, "linkId 44254-1: The item is answered twice."),
    "unknown item": ({"item": [{"linkId": "10", "answer": [whole(1)]}]}, "linkId 10: The instrument has no such item."),
    "end of a path": ({"item": [{"linkId": "/part-2/1", "answer": [whole(1)]}]}, "linkId /part-2/1: The instrument has no such item."),
    "no linkId": ({"item": [{"answer": [whole(1)]}]}, "An answered item has no linkId."),
    "free text": ({"item": [{"linkId": "4", "answer": [{"valueString": SECRET}]}]}, "Found valueString. Give one valueCoding, valueInteger or valueDecimal."),
    "unknown kind": ({"item": [{"linkId": "4", "answer": [{f"value{SECRET}": 1}]}]}, "Found an unknown kind of value."),
    "two values": ({"item": [{"linkId": "4", "answer": [{"valueInteger": 1, "valueDecimal": 2}]}]}, "Found valueInteger."),
    "outside": ({"item": [{"linkId": "4", "answer": [whole(4)]}]}, "linkId 4: The valueInteger is outside the item's response set (0, 1, 2, 3)."),
    "between": ({"item": [{"linkId": "4", "answer": [{"valueDecimal": 1.5}]}]}, "The valueDecimal is outside"),
    "huge": ({"item": [{"linkId": "4", "answer": [whole(10**400)]}]}, "The valueInteger is no such number."),
    "boolean": ({"item": [{"linkId": "4", "answer": [whole(True)]}]}, "The valueInteger is no such number."),
    "code": ({"item": [{"linkId": "4", "answer": [coded("9", OWN)]}]}, f"Use the codes 0, 1, 2, 3 of {OWN}"),
    "code of another form": ({"item": [{"linkId": "4", "answer": [coded("2", f"{OWN}2", 2)]}]}, "The code of the valueCoding is none"),
    "code of others": ({"item": [{"linkId": "4", "answer": [coded("2", "http://clinic.example/codes")]}]}, "or give each answer its weight"),
    "loinc answer of another list": ({"item": [{"linkId": "4", "answer": [coded("LA13863-8", "http://loinc.org")]}]}, "The code of the valueCoding is none"),
    "weight disagrees": ({"item": [{"linkId": "4", "answer": [coded("2", OWN, 1)]}]}, "The valueCoding and its weight do not agree"),
    "loinc weight disagrees": ({"item": [{"linkId": "4", "answer": [coded("LA6570-1", "http://loinc.org", 1)]}]}, "The code of the valueCoding is none"),
    "weight of no option": ({"item": [{"linkId": "4", "answer": [coded("x", "http://clinic.example/codes", 1.5)]}]}, "no single option does"),
    "weight is text": ({"item": [{"linkId": "4", "answer": [{"valueInteger": 1, "extension": [{"url": WEIGHT}]}]}]}, "The valueDecimal is no such number."),
    "strange linkId": ({"item": [{"linkId": f"What is your name, {SECRET}?", "answer": [whole(1)]}]}, "resource 1: The instrument has no such item."),
    "status": ({"status": "final"}, "Allowed: completed, amended, stopped, in-progress, entered-in-error."),
    "no subject": ({"subject": {"display": SECRET}}, "The subject is neither a reference"),
    "contained subject": ({"subject": {"reference": f"#{SECRET}"}}, "The subject is neither a reference"),
    "no day": ({"authored": ""}, "'authored' tells no day. Name the timepoint of these responses."),
    "no date": ({"authored": "31/03/2025"}, "'authored' is no FHIR dateTime."),
    "impossible date": ({"authored": "2025-02-30"}, "'authored' is no FHIR dateTime."),
    "items no list": ({"item": {"linkId": "1"}}, "resource 1: 'item' is no list of objects."),
    "questionnaire": ({"questionnaire": f"http://clinic.example/{SECRET}"}, "Name the instrument of its URL in 'questionnaires'"),
    "no questionnaire": ({"questionnaire": ""}, "It answers a questionnaire that no instrument"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_response_is_told_in_words(case):
    changes, words = BROKEN[case]
    response = phq(whole(1), participant=SECRET, **changes)
    told = complaint(bundle({"resourceType": "Patient", "id": SECRET}, response)).replace("resource 2", "resource 1")
    assert told.startswith("fhir, resource 1")
    assert words in told


def test_a_weight_alone_does_not_tell_the_answer_to_a_reversed_item():
    ces_d = SCORED["ces-d"]
    response = respond(
        ces_d, [None] * 20, item=[{"linkId": "4", "answer": [coded("b", "http://clinic.example/codes", 1)]}]
    )
    assert "linkId 4: The answer is known by its weight only, and the item is reversed" in complaint(response)


def test_different_answers_on_one_day_and_shared_ids_are_refused():
    first, other = phq(whole(1), participant=SECRET), phq(whole(2), participant=SECRET)
    assert "resource 2: It differs from resource 1" in complaint(bundle(first, other))
    elsewhere = phq(whole(1), subject={"reference": f"https://else.example/Patient/{SECRET}"}, authored="2025-05-01")
    assert "resource 2: Its subject has the id of another subject" in complaint(bundle(first, elsewhere))
    versions = phq(whole(1), id="a"), phq(whole(1), id="a", participant=SECRET)
    assert "resource 2: It differs from resource 1, which has the same id" in complaint(bundle(*versions))


def test_every_problem_is_told_at_once_up_to_fifty():
    sent = bundle(*(phq(whole(9), whole(9), participant=f"p{place}") for place in range(40)))
    with pytest.raises(InstrumentError) as caught:
        read_questionnaire_responses(sent, LIBRARY)
    assert [problem.key for problem in caught.value.problems[:3]] == [
        "resource 1, linkId 1",
        "resource 1, linkId 2",
        "resource 2, linkId 1",
    ]
    assert str(caught.value.problems[-1]).startswith("There are 30 more problems.")
    assert len(caught.value.problems) == 51


def test_an_instrument_that_is_declared_must_be_in_the_library():
    told = complaint(bundle(), questionnaires={"http://clinic.example/Questionnaire/7": "phq9"})
    assert "'phq9' is not in the library. Did you mean 'phq-9'?" in told


@pytest.mark.parametrize(
    "document", [None, [], 7, "Bundle", {}, {"resourceType": "Observation"}, {"resourceType": ["Bundle"]}]
)
def test_what_is_no_bundle_is_refused(document):
    assert "neither a Bundle nor a QuestionnaireResponse" in complaint(document)


def test_a_document_nested_too_deep_is_refused():
    item = {"linkId": "1"}
    for _ in range(40):
        item = {"linkId": "group", "item": [item]}
    assert "more than 64 levels" in complaint(bundle(phq(item=[item])))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is no JSON (Expecting value)."),
        (b'{"resourceType": "Bundle",\n "entry": [}', "line 2: The file is no JSON"),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle"}', "A key stands twice"),
        (b'{"resourceType": "Bundle", "total": NaN}', "a number is none of JSON"),
        (b'{"resourceType": "Bundle", "total": ' + b"1" * 5000 + b"}", "a number is none of JSON"),
        (b"[" * 200_000, "the nesting is too deep"),
        (b"\xff\xfe{}", "not encoded in UTF-8"),
        (b"[]", "neither a Bundle"),
    ],
    ids=["empty", "syntax", "twice", "constant", "digits", "deep", "encoding", "list"],
)
def test_a_file_that_is_no_bundle_is_refused(tmp_path, content, words):
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(InstrumentError) as caught:
        load_questionnaire_responses(path, LIBRARY)
    assert str(caught.value).startswith("export.json")
    assert words in str(caught.value)


def test_a_file_that_is_absent_or_too_large_is_refused(tmp_path):
    with pytest.raises(InstrumentError, match=r"none\.json: The file cannot be read \(No such file"):
        load_questionnaire_responses(tmp_path / "none.json", LIBRARY)
    large = tmp_path / "large.json"
    with large.open("wb") as handle:
        handle.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(InstrumentError, match=r"larger than 64 MiB"):
        load_questionnaire_responses(large, LIBRARY)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "export.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(bundle(phq(whole(1)))).encode())
    read = load_questionnaire_responses(path, LIBRARY)
    assert (read.n_read, set(read.responses["source"])) == (1, {"export.json"})


def test_the_document_stays_as_it_is_and_gives_the_same_table_again():
    sent = bundle(respond(SCORED["ces-d"], [1] * 20), phq(whole(2)))
    before = copy.deepcopy(sent)
    first, again = (read_questionnaire_responses(sent, LIBRARY).responses for _ in range(2))
    assert sent == before
    assert first.to_csv() == again.to_csv()


def places_in(node, path=()):
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in inner for place in places_in(child, (*path, key)))]


SENT = bundle(
    phq(coded("2", OWN, 2), whole(1), id=SECRET, participant=SECRET),
    phq(whole(1), {"valueDecimal": 2, "item": [{"linkId": "5", "answer": [whole(3)]}]}, status="amended"),
    respond(SCORED["adherence-vas"], [50.5], subject={"identifier": {"system": "s", "value": SECRET}}),
    phq(whole(1), participant="p2", status="entered-in-error"),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["1", "Patient/p2", "urn:uuid:", "http://loinc.org", "2025-13-01", WEIGHT, 10**400, -0.0]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["linkId", "answer", "item", "valueCoding", "extension", "url", "x"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(places_in(SENT)[1:]), st.just("remove") | JSON_VALUES), min_size=1, max_size=4)
)
def test_a_document_with_anything_anywhere_is_read_or_refused_in_words(changes):
    document = copy.deepcopy(SENT)
    for path, value in changes:
        node = document
        try:
            for key in path[:-1]:
                node = node[key]
            if value == "remove":
                del node[path[-1]]
            else:
                node[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    refused = None
    try:
        read = read_questionnaire_responses(document, LIBRARY)
    except InstrumentError as error:
        refused = error
    if refused:
        assert SECRET not in str(refused)
        assert all(problem.how_to_fix for problem in refused.problems)
    else:
        counts = (read.n_read, read.n_in_progress, read.n_entered_in_error, read.n_superseded, read.n_repeated)
        assert read.n_found == sum(counts)
        score_responses(read.responses, LIBRARY)

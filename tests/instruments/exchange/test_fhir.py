"""Questionnaires in FHIR: valid R4, and scores that a FHIRPath engine computes as our engine does.

`fhir.resources` has no FHIR 4.0.1 of its own; its R4B (4.3.0) is used, which changed neither Questionnaire nor
QuestionnaireResponse. `fhirpathpy` has no SDC functions, so that `weight()` is given to it here as SDC defines it for
answers that carry their weight; the answers do, as form fillers copy it from the option that was chosen.
"""

import functools
import json

import fhirpathpy
import pytest
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhirpathpy.models import models

from instruments import InstrumentError, apply_variants, load_instrument, load_library
from instruments.exchange.fhir import answer_system, build_questionnaire, questionnaire_url, score_link_id
from instruments.wording import Wording

ROUNDED = 0.0051  # examples are given to two decimals
WEIGHT = "http://hl7.org/fhir/StructureDefinition/itemWeight"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
FORMS = [(name, variant) for name, one in SCORED.items() for variant in ["", *(each.id for each in one.variants)]]
EXAMPLES = [(name, place) for name, one in SCORED.items() for place in range(len(one.examples))]


def in_variant(name, variant):
    return apply_variants(SCORED[name], [variant] if variant else [])


def questions_of(questionnaire):
    return [item for item in questionnaire["item"] if item["type"] in ("choice", "decimal") and "readOnly" not in item]


def scores_of(questionnaire):
    return {item["linkId"]: item for item in questionnaire["item"] if item.get("readOnly")}


def extension(element, url):
    return next(each for each in element["extension"] if each["url"] == url)


def answered(question, value):
    if question["type"] == "decimal":
        return {"valueDecimal": value}
    option = next(each for each in question["answerOption"] if each["valueCoding"]["code"] == f"{value:g}")
    return {"valueCoding": option["valueCoding"] | {"extension": [extension(option, WEIGHT)]}}


def respond(questionnaire, answers, *, nested=False):
    """The response of somebody, with missing answers left out; nested: half in a group, half below an answer."""
    items = [
        {"linkId": question["linkId"], "answer": [answered(question, value)]}
        for question, value in zip(questions_of(questionnaire), answers, strict=True)
        if value is not None
    ]
    if nested and len(items) > 1:
        half = len(items) // 2
        items[half]["answer"][0]["item"] = items[half + 1 :]
        items = [{"linkId": "group", "item": items[:half]}, items[half]] if half else [items[half]]
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}


def weight(values):
    return [each["valueDecimal"] for value in values for each in value.get("extension", []) if each["url"] == WEIGHT]


@functools.cache
def parsed(expression):
    functions = {"userInvocationTable": {"weight": {"fn": weight, "arity": {0: []}}}}
    return fhirpathpy.compile(expression, models["r4"], functions)


def evaluate(expression, response):
    return parsed(expression)(response, {"resource": response})


def calculated(questionnaire, measure):
    return extension(scores_of(questionnaire)[score_link_id(measure)], CALCULATED)["valueExpression"]["expression"]


@pytest.mark.parametrize(("name", "variant"), FORMS)
def test_the_questionnaire_is_valid_and_comes_out_of_validation_unchanged(name, variant):
    built = build_questionnaire(in_variant(name, variant))
    assert json.loads(Questionnaire.model_validate(built).model_dump_json()) == json.loads(json.dumps(built))
    link_ids = [item["linkId"] for item in built["item"]]
    assert len(set(link_ids)) == len(link_ids)


@pytest.mark.parametrize(("name", "place"), EXAMPLES)
def test_the_calculated_expression_gives_the_score_of_every_worked_example(name, place):
    example = SCORED[name].examples[place]
    form = apply_variants(SCORED[name], example.variants)
    questionnaire = build_questionnaire(form)
    response = respond(questionnaire, example.answers)
    QuestionnaireResponse.model_validate(response)
    measures = {measure.id: measure for measure in form.measures}
    for measure, expected in example.scores.items():
        found = evaluate(calculated(questionnaire, measures[measure]), response)
        assert len(found) == (expected is not None), (measure, found)
        if expected is not None:
            assert float(found[0]) == pytest.approx(expected, abs=ROUNDED), measure


@pytest.mark.parametrize("name", [name for name, one in SCORED.items() if one.examples])
def test_items_are_found_in_groups_and_below_answers(name):
    instrument = SCORED[name]
    questionnaire = build_questionnaire(instrument)
    example = next(one for one in instrument.examples if not one.variants)
    flat, nested = respond(questionnaire, example.answers), respond(questionnaire, example.answers, nested=True)
    assert len(instrument.items) == 1 or flat != nested
    for measure in instrument.scored_measures:
        expression = calculated(questionnaire, measure)
        assert evaluate(expression, nested) == evaluate(expression, flat)


@pytest.mark.parametrize("name", SCORED)
def test_only_measures_that_others_compute_have_no_expression(name):
    instrument = SCORED[name]
    found = set(scores_of(build_questionnaire(instrument)))
    absent = {measure.id for measure in instrument.measures if score_link_id(measure) not in found}
    assert absent == {measure.id for measure in instrument.measures if measure.method == "delivered"}
    assert len(found) == len(instrument.scored_measures)


@pytest.mark.parametrize("name", SCORED)
def test_the_rule_on_answers_tells_when_there_is_a_score(name):
    instrument = SCORED[name]
    questionnaire = build_questionnaire(instrument)
    rules = [each for each in questionnaire["extension"] if each["url"].endswith("/targetConstraint")]
    for example in (one for one in instrument.examples if not one.variants):
        response = respond(questionnaire, example.answers)
        for measure, rule in zip(instrument.scored_measures, rules, strict=True):
            if measure.id in example.scores:
                expression = extension(rule, "expression")["valueExpression"]["expression"]
                assert evaluate(expression, response) == [example.scores[measure.id] is not None]


def test_both_rules_say_the_same():
    for instrument in SCORED.values():
        built = build_questionnaire(instrument)["extension"]
        new = [each for each in built if each["url"].endswith("/targetConstraint")]
        old = [each for each in built if each["url"].endswith("/questionnaire-constraint")]
        assert [extension(each, "expression")["valueString"] for each in old] == [
            extension(each, "expression")["valueExpression"]["expression"] for each in new
        ]


@pytest.fixture(scope="module")
def spoilt(tiny, tmp_path_factory):
    """The small definition, changed here and there."""
    folder = tmp_path_factory.mktemp("definitions")

    def change(*changes):
        text = tiny
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path = folder / "tiny.yaml"
        path.write_text(text)
        return load_instrument(path)

    return change


@pytest.mark.parametrize(
    ("changes", "measure", "answers", "expected"),
    [
        ((), "trust", [1, 1, 3, 4, 50.5], 70 / 3),  # reversed: 1 + 3 + 3
        ((), "trust", [None, 1, 3, 4, 50.5], 30),
        ((), "trust", [None, None, 3, 4, 50.5], None),
        ((), "ease", [1, 1, 3, 4, 50.5], 54.5),  # a choice and a number
        ((), "ease", [1, 1, 3, 4, None], None),
        (
            [("    multiply: 10\n", "    multiply: 0.00001\n    add: -3\n"), ("range: [10, 30]", "range: [-2.99999, -2.99997]"),
             ("{low: 10, high: 19", "{low: -2.99999, high: -2.99998"), ("{low: 20, high: 30", "{low: -2.99997, high: -2.99997"),
             ("reliable_change, value: 4", "reliable_change, value: 0.00001")],
            "trust", [3, 1, 3, 4, 50.5], -2.99997,
        ),
        ([("measures:\n", "max_missing: 1\nmeasures:\n")], "trust", [None, 1, 3, 4, 50.5], 30),
        ([("measures:\n", "max_missing: 1\nmeasures:\n")], "trust", [None, 1, 3, 4, None], None),
    ],
)  # fmt: skip
def test_every_part_of_a_rule_is_expressed(spoilt, changes, measure, answers, expected):
    instrument = spoilt(*changes)
    questionnaire = build_questionnaire(instrument)
    measures = {each.id: each for each in instrument.measures}
    found = evaluate(calculated(questionnaire, measures[measure]), respond(questionnaire, answers))
    assert [float(score) for score in found] == ([] if expected is None else [pytest.approx(expected)])


LOOKED_UP = (
    "    method: mean\n    multiply: 10\n    missing: {max_missing: 1, treat: prorate}\n    range: [10, 30]\n",
    "    method: sum\n    lookup: [{raw: 3, score: -1.5}, {raw: 4, score: 0}, {raw: 5, score: 2}, {raw: 6, score: 3},"
    " {raw: 7, score: 12.25}, {raw: 8, score: 20}, {raw: 9, score: 30}]\n"
    "    missing: {max_missing: 0, treat: none}\n    range: [-1.5, 30]\n",
)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([1, 3, 1], -1.5), ([1, 1, 3], 12.25), ([3, 1, 3], 30), ([1, 3, 2], 0), ([1, 3, None], None)],
)
def test_a_table_is_looked_up(spoilt, answers, expected):
    fact = ("facts:\n", "facts:\n  lookup: {status: confirmed, source: Test}\n")
    instrument = spoilt(LOOKED_UP, fact)
    questionnaire = build_questionnaire(instrument)
    found = evaluate(calculated(questionnaire, instrument.measures[0]), respond(questionnaire, [*answers, 4, 50.5]))
    assert [float(score) for score in found] == ([] if expected is None else [expected])


ZERO = (
    ("options: [{value: 1}, {value: 2}, {value: 3}]", "options: [{value: 1, score: 0}, {value: 2, score: 1}, {value: 3, score: 2}]"),
    ("treat: prorate", "treat: zero"), ("multiply: 10\n", "multiply: 15\n"), ("range: [10, 30]", "range: [0, 30]"),
    ("at_least: 3", "at_least: 2"),
)  # fmt: skip


def test_a_missing_answer_counts_as_zero_where_the_rule_says_so(spoilt):
    instrument = spoilt(*ZERO)
    questionnaire = build_questionnaire(instrument)
    response = respond(questionnaire, [3, 1, None, 4, 50.5])
    (score,) = evaluate(calculated(questionnaire, instrument.measures[0]), response)
    assert float(score) == pytest.approx(15 * 4 / 3)


def test_the_weights_of_a_reversed_item_are_reversed_and_stand_under_both_names():
    question = questions_of(build_questionnaire(SCORED["ces-d"]))[3]
    for url in (WEIGHT, ORDINAL):
        assert [extension(option, url)["valueDecimal"] for option in question["answerOption"]] == [3, 2, 1, 0]
    assert [option["valueCoding"]["code"] for option in question["answerOption"]] == ["0", "1", "2", "3"]


def test_a_visual_analogue_is_a_number_between_its_ends():
    (question,) = questions_of(build_questionnaire(SCORED["adherence-vas"]))
    ends = [extension(question, f"http://hl7.org/fhir/StructureDefinition/{end}Value") for end in ("min", "max")]
    assert (question["type"], [end["valueDecimal"] for end in ends]) == ("decimal", [0, 100])


def test_loinc_codes_licence_status_and_safety_are_told():
    built = build_questionnaire(SCORED["phq-9"])
    panel, first = built["code"], built["item"][0]["code"]
    score = scores_of(built)["score.total"]["code"]
    assert [code[0]["code"] for code in (panel, first, score)] == ["44249-1", "44250-9", "44261-6"]
    assert SCORED["phq-9"].licence.terms in built["copyright"]
    assert "LOINC is copyright" in built["copyright"]
    assert (
        "Safety, answers 1, 2, 3: "
        in extension(built["item"][8], "http://hl7.org/fhir/StructureDefinition/designNote")["valueMarkdown"]
    )
    statuses = {name: build_questionnaire(one)["status"] for name, one in SCORED.items()}
    assert statuses == {name: "draft" if one.is_draft else "active" for name, one in SCORED.items()}


def wording_of(instrument, **changes):
    texts = {item.id: f"Question {item.id}" for item in instrument.items}
    return Wording.model_validate({
        "instrument": instrument.id, "language": "fr", "holder": "A publisher", "title": "Titre",
        "instructions": "Lisez.", "items": texts, "options": {"frequency": {"0": "jamais"}}, **changes,
    })  # fmt: skip


def test_a_wording_replaces_concepts_and_the_note_that_it_is_missing():
    instrument = SCORED["gad-7"]
    built = build_questionnaire(instrument, wording=wording_of(instrument), language="fr")
    Questionnaire.model_validate(built)
    first = questions_of(built)[0]
    assert (built["language"], built["title"], built["item"][0]["text"]) == ("fr", "Titre", "Lisez.")
    assert (first["text"], first["answerOption"][0]["valueCoding"]["display"]) == ("Question 1", "jamais")
    assert "extension" not in first
    assert "A publisher" in built["copyright"]
    plain = questions_of(build_questionnaire(instrument))[0]
    assert plain["text"] == instrument.items[0].concept
    assert "wording is left" in plain["extension"][0]["valueMarkdown"]


def test_a_wording_must_be_of_this_instrument_and_language():
    instrument = SCORED["gad-7"]
    with pytest.raises(InstrumentError, match="language 'fr'"):
        build_questionnaire(instrument, wording=wording_of(instrument))
    with pytest.raises(InstrumentError, match="bring a wording in 'de'"):
        build_questionnaire(instrument, language="de")
    with pytest.raises(InstrumentError, match="no question for 1 items"):
        build_questionnaire(
            instrument, wording=wording_of(instrument, items={str(n): "x" for n in range(1, 7)}), language="fr"
        )
    with pytest.raises(InstrumentError, match="The wording is of 'gad-7'"):
        build_questionnaire(SCORED["phq-9"], wording=wording_of(instrument), language="fr")


@pytest.mark.parametrize("name", sorted(LIBRARY.keys() - SCORED.keys()))
def test_an_instrument_without_items_is_refused(name):
    with pytest.raises(InstrumentError, match=f"{name} has no items here"):
        build_questionnaire(LIBRARY[name])


def test_a_variant_has_urls_of_its_own(spoilt):
    variant = (
        "reliability: [{",
        "variants:\n- {id: from-zero, kind: coding, label: From 0, status: confirmed, source: Test,\n"
        "   response_sets: {steps: {options: [{value: 0}, {value: 1}, {value: 3}]}},\n"
        "   measures: {ease: {range: [0, 103]}}}\nreliability: [{",
    )
    base = spoilt(variant)
    form = apply_variants(base, ["from-zero"])
    assert questionnaire_url(form).startswith(f"{questionnaire_url(base)}/")
    assert answer_system(form, "steps") != answer_system(base, "steps")
    assert questions_of(build_questionnaire(form))[3]["answerOption"][0]["valueCoding"]["code"] == "0"


def test_the_same_instrument_gives_the_same_text():
    first, again = (json.dumps(build_questionnaire(one)) for one in (SCORED["ces-d"], load_library()["ces-d"]))
    assert first == again

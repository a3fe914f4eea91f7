"""Definitions: the shipped ones, and what an invalid one is told."""

import re
from pathlib import Path

import pytest

import instruments
from data_contracts.errors import DataContractError, PeerimpactError
from instruments import InstrumentError, apply_variants, explain_scoring, load_instrument, load_library
from instruments.exchange.formats import export_instrument
from instruments.model import SCORING_FACTS

FOLDER = Path(instruments.__file__).parent / "definitions"
DOMAINS = {
    "stigma", "self_efficacy", "resilience", "self_esteem", "mental_health", "adherence", "social", "quality_of_life",
    "caregiving", "recovery", "condition_specific",
}  # fmt: skip
RESTRICTED = {"bdi-ii", "eq-5d-5l", "mmas-4", "mmas-8", "pam-13", "sf-12"}  # hold no scoring, by their owners' terms


def test_every_definition_loads_sorted_by_id_and_named_after_its_file(library):
    assert list(library) == sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert len(library) >= 55
    assert {instrument.domain for instrument in library.values()} == DOMAINS


def test_a_stub_holds_no_scoring_and_says_why_and_where_to_go(library):
    for name in RESTRICTED:
        stub = library[name]
        assert stub.licence.status == "restricted"
        assert (stub.items, stub.response_sets, stub.scored_measures) == ([], {}, ())
        assert stub.licence.contact
        assert stub.licence.terms in explain_scoring(stub)


def test_the_shipped_library_is_read_once_and_cannot_be_changed(library):
    assert load_library() is library
    with pytest.raises(TypeError):
        library["own"] = library["phq-9"]


def test_an_instrument_is_a_draft_while_a_fact_that_scores_depend_on_is_unconfirmed(library):
    assert library["phq-9"].unconfirmed_scoring_facts == ()
    assert library["ces-d"].unconfirmed_scoring_facts == ("missing_rule",)
    for instrument in library.values():
        statuses = {fact.status for name, fact in instrument.facts.items() if name in SCORING_FACTS}
        assert instrument.is_draft == ("unconfirmed" in statuses)
        assert all(fact.source for fact in instrument.facts.values())


@pytest.mark.parametrize(
    ("name", "n_items", "span", "score_range", "higher_is"),
    [
        ("adherence-vas", 1, (0, 100), [0, 100], "better"),
        ("ces-d", 20, (0, 3), [0, 60], "worse"),
        ("gad-7", 7, (0, 3), [0, 21], "worse"),
        ("gse-10", 10, (1, 4), [10, 40], "better"),
        ("phq-9", 9, (0, 3), [0, 27], "worse"),
        ("semcd-6", 6, (1, 10), [1, 10], "better"),
        ("ssci-8", 8, (1, 5), [8, 40], "worse"),
        ("who-5", 5, (0, 5), [0, 100], "better"),
    ],
)
def test_a_definition_has_the_published_shape(library, name, n_items, span, score_range, higher_is):
    instrument = library[name]
    measure = instrument.measures[0]
    allowed = [instrument.allowed_values(item.id) for item in instrument.items]
    assert instrument.measure_ids == (f"{name}.total",)
    assert [item.id for item in instrument.items] == [str(number) for number in range(1, n_items + 1)]
    assert {(each.minimum, each.maximum) for each in allowed} == {span}
    assert (measure.range, measure.higher_is) == (score_range, higher_is)


def test_options_are_listed_and_a_visual_analogue_has_only_its_ends(library):
    assert library["phq-9"].allowed_values("9").options == (0, 1, 2, 3)
    assert library["adherence-vas"].allowed_values("1").options == ()
    with pytest.raises(KeyError):
        library["phq-9"].allowed_values("10")


REVERSED = {
    "ces-d": "4 8 12 16", "ces-d-10": "5 8", "rses-10": "2 5 6 8 9", "pss-10": "4 5 7 8", "pss-4": "2 3",
    "brs-6": "2 4 6", "ssosh-10": "2 4 5 7 9", "whoqol-bref": "3 4 26", "arms-12": "12",
    "parental-stress-18": "1 2 5 6 7 8 17 18", "ismi-29": "7 14 24 26 27", "phq-9": "", "gse-10": "", "mrs-11": "",
}  # fmt: skip


@pytest.mark.parametrize("name", REVERSED)
def test_exactly_the_published_items_are_reversed(library, name):
    assert " ".join(item.id for item in library[name].items if item.reverse) == REVERSED[name]


def test_questions_about_self_harm_ask_for_a_person_to_act(library):
    alerts = [
        (name, item.id, item.safety.at_least)
        for name, instrument in library.items()
        for item in instrument.items
        if item.safety
    ]
    assert alerts == [("epds", "10", 1), ("phq-9", "9", 1)]


def test_every_loinc_code_ends_in_its_check_digit(library):
    codes = []
    for loinc in (instrument.loinc for instrument in library.values() if instrument.loinc):
        own = [code for code in [loinc.panel, *loinc.measures.values(), *loinc.items.values()] if code]
        assert len(set(own)) == len(own)
        codes += own
    assert len(codes) > 13
    for code in codes:
        number, check = code.split("-")
        doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number))]
        assert -sum(sum(divmod(value, 10)) for value in doubled) % 10 == int(check), code


def test_a_valid_definition_gives_its_measures(tmp_path, tiny):
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny)
    instrument = load_instrument(path)
    assert instrument.measure_ids == ("tiny.trust", "tiny.ease")
    assert [item.id for item in instrument.items_of(instrument.measures[0])] == ["1", "2", "3"]
    assert not instrument.is_draft  # recall is unconfirmed, but no score depends on it
    assert dict(load_library(tmp_path)) == {"tiny": instrument}


def test_a_file_must_be_named_after_the_instrument_in_it(tmp_path, tiny):
    (tmp_path / "teeny.yaml").write_text(tiny)
    with pytest.raises(InstrumentError, match=r"teeny\.yaml, line 1, id: .* 'tiny'.* Name it tiny\.yaml\."):
        load_library(tmp_path)


INVALID = {
    "repeated item": ("{id: 2, concept: doubt", "{id: 1, concept: doubt", "items[1].id", "'1' stands more than once"),
    "repeated measure": ("  - id: ease", "  - id: trust", "measures[1].id", "'trust' stands more than once"),
    "unknown item": ("items: [1, 2, 3]", "items: [1, 2, 7]", "measures[0].items[2]", "Found '7', which is not"),
    "item listed twice": ("items: [1, 2, 3]", "items: [1, 2, 2]", "measures[0].items[2]", "Item 2 stands more than"),
    "no items": ("items: [1, 2, 3]", "items: some", "measures[0].items", "Write 'all', or a list"),
    "unknown response set": (
        "concept: ease, response_set: steps", "concept: ease, response_set: step", "items[3].response_set",
        "Did you mean 'steps'?",
    ),
    "reversed range": (
        "concept: mood, response_set: line", "concept: mood, response_set: line, reverse: true", "items[4].reverse",
        "answered on a range",
    ),
    "reversed uneven options": (
        "concept: ease, response_set: steps", "concept: ease, response_set: steps, reverse: true", "items[3].reverse",
        "change when reversed",
    ),
    "item wording": ("concept: hope", "concept: I feel hope each day", "items[2].concept", "never the item's wording"),
    "impossible safety": ("at_least: 3", "at_least: 4", "items[2].safety.at_least", "No answer can count 4"),
    "descending options": (
        "agreement: {options: [{value: 1}, {value: 2}", "agreement: {options: [{value: 2}, {value: 1}",
        "response_sets.agreement.options", "do not ascend",
    ),
    "options and range": (
        "agreement: {options", "agreement: {minimum: 1, maximum: 3, options", "response_sets.agreement",
        "either options or a range",
    ),
    "neither options nor range": ("line: {minimum: 0, maximum: 100}", "line: {minimum: 0}", "response_sets.line",
                                  "either options or a range"),
    "upside-down range": ("maximum: 100}", "maximum: 0}", "response_sets.line.maximum", "not above the minimum"),
    "wrong range": ("range: [10, 30]", "range: [0, 30]", "measures[0].range", "the items give 10 to 30"),
    "wrong multiplier": ("multiply: 10", "multiply: 5", "measures[0].range", "the items give 5 to 15"),
    "everything missing": ("max_missing: 1", "max_missing: 3", "measures[0].missing.max_missing", "Write at most 2"),
    "missing without treatment": ("max_missing: 1, treat: prorate", "max_missing: 1, treat: none",
                                  "measures[0].missing.treat", "Write 'prorate' or 'zero' when answers may be missing"),
    "treatment without missing": ("max_missing: 0, treat: none", "max_missing: 0, treat: prorate",
                                  "measures[1].missing.treat", "and 'none' when none may"),
    "unlike items prorated": ("max_missing: 0, treat: none", "max_missing: 1, treat: prorate",
                              "measures[1].missing.treat", "cannot stand for one another"),
    "band outside": ("low: 20, high: 30", "low: 20, high: 31", "measures[0].bands[1].high", "leaves the range"),
    "bands overlap": ("low: 20, high: 30", "low: 19, high: 30", "measures[0].bands[1].low", "without overlap"),
    "bands out of order": ("low: 10, high: 19", "low: 30, high: 30", "measures[0].bands[1].low", "from low to high"),
    "band inside out": ("low: 20, high: 30", "low: 30, high: 20", "measures[0].bands[1].low", "ends before it begins"),
    "change of nothing": ("{measure: trust,", "{measure: trusts,", "smallest_change[0].measure", "mean 'trust'?"),
    "change beyond range": ("value: 4, source", "value: 21, source", "smallest_change[0].value", "up to 20"),
    "reliability inside out": ("lowest: 0.7", "lowest: 0.9", "reliability[0].lowest", "above the highest"),
    "code of nothing": ("measures: {trust: 44261-6}", "measures: {total: 44261-6}", "loinc.measures.total",
                        "which is not declared"),
    "unknown key": ("recall_period: today", "recall: today", "recall", "Did you mean 'recall_period'?"),
    "unknown licence": ("status: free,", "status: gratis,", "licence.status", "'gratis', which is not allowed"),
    "unknown fact": ("  recall: {status", "  recal: {status", "facts.recal", "Did you mean 'recall'?"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "said"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_definition_is_told_its_line_and_key(tmp_path, tiny, old, new, key, said):
    assert tiny.count(old) == 1
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny.replace(old, new))
    with pytest.raises(DataContractError) as caught:
        load_instrument(path)
    problems = {problem.key: problem for problem in caught.value.problems}
    assert key in problems, str(caught.value)
    assert said in str(problems[key])
    assert (problems[key].file, problems[key].line) == ("tiny.yaml", _line(path.read_text(), key))


@pytest.mark.parametrize(
    "fact",
    [
        "items", "response_options", "reverse", "scoring", "missing_rule", "range", "direction", "recall", "licence",
        "citation", "population", "languages", "bands", "reliability", "smallest_change", "loinc",
    ],
)  # fmt: skip
def test_a_fact_without_a_source_is_refused(tmp_path, tiny, fact):
    text = re.sub(rf"^  {fact}: {{status.*\n", "", tiny, flags=re.MULTILINE)
    assert text.count("\n") == tiny.count("\n") - 1
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    with pytest.raises(PeerimpactError, match=rf"facts\.{fact}: The fact '{fact}' has no source\.") as caught:
        load_instrument(path)
    assert caught.value.problems[0].line == _line(text, "facts")


def test_facts_are_only_asked_for_sections_that_are_there(tmp_path, tiny):
    text = re.sub(r"^(loinc: |  loinc: |recall_period: |  recall: ).*\n", "", tiny, flags=re.MULTILINE)
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    assert load_instrument(path).recall_period == ""


def _line(text: str, key: str) -> int:
    """Return the line on which a key such as ``measures[0].bands[1].low`` is written, found by indentation."""
    lines = text.splitlines()
    at = -1
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", key):
        found = next((n for n in range(max(at, 0), len(lines)) if re.search(rf"(^|[ {{]){name}:", lines[n])), at)
        at = found
        if index and not re.search(rf"{name}: \[", lines[at]):
            indent = len(re.match(r" *", lines[at]).group())
            entries = [n for n in range(at + 1, len(lines)) if lines[n].startswith(" " * indent + "  - ")]
            at = entries[int(index)]
    return at + 1


@pytest.mark.parametrize(
    ("name", "variants", "item", "answers"),
    [
        ("phq-9", [], "9", "1, 2, 3"),
        ("epds", [], "10", "1, 2, 3"),
        ("epds", ["printed-position"], "10", "0, 1, 2"),  # printed from the worst answer downwards
    ],
)
def test_the_answers_that_ask_for_a_person_to_act_are_told_as_the_data_have_them(
    library, name, variants, item, answers
):
    form = apply_variants(library[name], variants)
    (found,) = [one for one in form.items if one.id == item]
    assert form.alarming_answers(found) == answers
    told = f"answers {answers}: "
    assert told in explain_scoring(form)
    for format_ in ("redcap", "csv", "fhir", "reproschema"):
        assert any(told.encode() in content for content in export_instrument(form, format_).values()), format_

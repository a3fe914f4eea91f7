"""REDCap data dictionaries: the file that REDCap takes, and calculations that give our scores in REDCap's arithmetic."""

import csv
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import InstrumentError, apply_variants, load_instrument, load_library
from instruments.exchange.fields import LABEL_ONLY, name_fields
from instruments.exchange.redcap import (
    HEADER,
    build_data_dictionary,
    read_data_dictionary,
    read_fields,
    render_data_dictionary,
    render_dictionary,
    require_data_dictionary,
)
from instruments.scoring import score_matrix
from instruments.wording import Wording

LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
FORMS = [(name, variant) for name, one in SCORED.items() for variant in [None, *(each.id for each in one.variants)]]
ROUNDED = 0.0051  # examples are given to two decimals
SAME = 1e-9  # our engine and the calculation divide and multiply in another order
N_DRAWN = 15  # answers drawn for each form, which meet every missing rule
LONGEST_CELL = 32_767  # characters that a spreadsheet keeps
COLUMNS = (
    '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
    '"Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number",'
    '"Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)",'
    '"Required Field?","Custom Alignment","Question Number (surveys only)","Matrix Group Name","Matrix Ranking?",'
    '"Field Annotation"'
)  # as REDCap writes them: the first line of every dictionary that it exports
CALC, CHOICES = "Field Type", HEADER["select_choices_or_calculations"]


class Calculation:
    """REDCap's arithmetic, as its own help and knowledge bases of its users tell it; anything else is an error.

    * ``[a] + [b]`` is blank where one of them is blank, and so are the other operators; ``sum()`` skips blanks
      (REDCap_KB_RAG, RC-CALC-01, sections 6.3 and 10).
    * Blank is written ``""``; ``if(CONDITION, VALUE if true, VALUE if false)``; operators + - * / = <> < > <= >= and,
      or (REDCap help, "Calculations" and "Branching logic").
    * A blank is neither less nor more than a number.
    """

    TOKEN = re.compile(r'\s*(?:(\d+(?:\.\d+)?)|"([^"]*)"|\[([a-z][a-z0-9_]*)\]|(<>|<=|>=|[-+*/=<>(),])|([a-z]+))')

    def __init__(self, text, answers):
        self.tokens, self.answers, place = [], answers, 0
        while place < len(text.rstrip()):
            match = self.TOKEN.match(text, place)
            assert match, f"REDCap does not know what stands at {text[place : place + 20]!r}"
            self.tokens.append(
                (("number", "text", "field", "sign", "word")[match.lastindex - 1], match[match.lastindex])
            )
            place = match.end()

    def result(self):
        value = self.either()
        assert not self.tokens, self.tokens[:3]
        return value

    def next_is(self, *values):
        return bool(self.tokens) and self.tokens[0][0] in ("sign", "word") and self.tokens[0][1] in values

    def take(self, value=None):
        kind, found = self.tokens.pop(0)
        assert value in (None, found), f"{found} where {value} should stand"
        return kind, found

    def either(self):
        value = self.both()
        while self.next_is("or"):
            self.take()
            other = self.both()
            value = value or other
        return value

    def both(self):
        value = self.compared()
        while self.next_is("and"):
            self.take()
            other = self.compared()
            value = value and other
        return value

    def compared(self):
        left = self.added()
        if not self.next_is("=", "<>", "<", ">", "<=", ">="):
            return left
        sign = self.take()[1]
        right = self.added()
        if sign in ("=", "<>"):
            return (left == right) == (sign == "=")
        if "" in (left, right):
            return False
        return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[sign]

    def added(self):
        value = self.multiplied()
        while self.next_is("+", "-"):
            sign, other = self.take()[1], self.multiplied()
            value = "" if "" in (value, other) else value + other if sign == "+" else value - other
        return value

    def multiplied(self):
        value = self.single()
        while self.next_is("*", "/"):
            sign, other = self.take()[1], self.single()
            if "" in (value, other):
                value = ""
            elif sign == "*":
                value *= other
            else:
                value = value / other if other else math.inf  # as in JavaScript, also in the branch not chosen
        return value

    def single(self):
        if self.next_is("-"):
            self.take()
            return -self.single()
        kind, found = self.take()
        if kind in ("number", "text", "field"):
            value = self.answers[found] if kind == "field" else found
            return "" if value == "" else float(value)
        if found == "(":
            value = self.either()
            self.take(")")
            return value
        assert found in ("if", "sum"), f"'{found}' is no function used here"
        values = self.arguments()
        if found == "sum":
            return sum(value for value in values if value != "")
        condition, yes, no = values
        assert isinstance(condition, bool), "the condition of if() is a comparison"
        return yes if condition else no

    def arguments(self):
        values, sign = [], self.take("(")[1]
        while sign != ")":
            values.append(self.either())
            sign = self.take()[1]
        return values


def calculations(form):
    """Return a function from answers to what REDCap would give for each measure; NaN for a blank."""
    names = name_fields(form)
    texts = build_data_dictionary(form).set_index("Variable / Field Name")[CHOICES]

    def calculate(answers):
        given = {
            names.items[item.id]: "" if math.isnan(one) else f"{one:g}"
            for item, one in zip(form.items, answers, strict=True)
        }
        found = {name: Calculation(texts[field], given).result() for name, field in names.measures.items()}
        return {name: math.nan if value == "" else value for name, value in found.items()}

    return calculate


def draw_answers(form, rng):
    """Return answers at random, with up to all of them missing."""
    allowed = [form.allowed_values(item.id) for item in form.items]
    answers = [
        rng.choice(each.options) if each.options else round(rng.uniform(each.minimum, each.maximum), 2)
        for each in allowed
    ]
    gaps = rng.permutation(len(answers))[: rng.integers(0, min(len(answers), 6) + 1)]
    return [math.nan if place in gaps else float(one) for place, one in enumerate(answers)]


@pytest.fixture
def instrument(tmp_path, tiny):
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny)
    return load_instrument(path)


@pytest.fixture
def words():
    return Wording(
        instrument="tiny", language="en", holder="Test press", title="Tiny", instructions="Think of\ntoday.",
        items={"1": "=1+1", "2": "-2?", "3": "Three, or 3?", "4": "Four?", "5": "@Five"},
        options={"agreement": {"1": "no | not", "3": "yes,\nvery"}},
    )  # fmt: skip


def test_blanks_behave_in_the_evaluator_as_redcap_says_they_do():
    answers = {"a": "2", "b": "", "c": "0"}
    for text, expected in [
        ("[a] + [b]", ""), ("sum([a], [b], [c])", 2), ('if([b] = "", 7, 8)', 7), ('if([c] = "", 7, 8)', 8), ('if([a] = "2" and [c] <> "", 1, 0)', 1),
        ("if([b] < 5, 1, 0)", 0), ("2 + [a] * 3", 8), ("(6 - [a]) / 2", 2), ('if([a] = "3" or [b] = "", "", 1)', ""), ("if([a] >= 2, -1, 1)", -1),
    ]:  # fmt: skip
        assert Calculation(text, answers).result() == expected, text
    for text in ("pow([a], 2)", "if([a], 1, 0)", "[a] ** 2", "[a", "1 2"):
        with pytest.raises((AssertionError, IndexError, ValueError)):
            Calculation(text, answers).result()


@pytest.mark.parametrize("name", SCORED)
def test_calculations_give_the_scores_of_the_worked_examples(name):
    for example in SCORED[name].examples:
        calculate = calculations(apply_variants(SCORED[name], example.variants))
        found = calculate([math.nan if one is None else one for one in example.answers])
        for measure, expected in example.scores.items():
            assert found[measure] == pytest.approx(
                math.nan if expected is None else expected, abs=ROUNDED, nan_ok=True
            ), example


@pytest.mark.parametrize(("name", "variant"), FORMS)
def test_calculations_give_the_scores_of_the_engine_whatever_is_missing(name, variant):
    form = apply_variants(SCORED[name], [variant] if variant else [])
    rng = np.random.default_rng(len(name))
    people = np.array([draw_answers(form, rng) for _ in range(N_DRAWN)])
    scores, calculate = score_matrix(people, form), calculations(form)
    for place, answers in enumerate(people):
        for measure, found in calculate(answers).items():
            assert found == pytest.approx(scores[measure].score[place], abs=SAME, nan_ok=True)


@pytest.mark.parametrize("name", SCORED)
def test_a_dictionary_holds_what_redcap_takes(name):
    form = SCORED[name]
    text = render_data_dictionary(form, record_id=True)
    assert text == render_data_dictionary(form, record_id=True)
    assert text.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(text)))
    names = [row["Variable / Field Name"] for row in rows]
    assert names[0] == "record_id"
    assert len(names) == len(set(names)) == 1 + len(form.items) + len(form.scored_measures)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", one) for one in names)
    assert f"{rows[0]['Form Name']}_complete" not in names
    assert {row["Form Name"] for row in rows} == {name_fields(form).form}
    assert max(len(cell) for row in rows for cell in row.values()) < LONGEST_CELL
    for item, row in zip(form.items, rows[1:], strict=False):
        allowed = form.allowed_values(item.id)
        if allowed.options:
            assert row["Field Type"] == "radio"
            assert [int(one.split(", ")[0]) for one in row[CHOICES].split(" | ")] == list(allowed.options)
        else:
            ends = (float(row["Text Validation Min"]), float(row["Text Validation Max"]))
            assert (row["Field Type"], ends) == ("text", (allowed.minimum, allowed.maximum))
    assert all(row["Field Type"] == "calc" and "sum(" not in row[CHOICES] for row in rows[1 + len(form.items) :])


def test_without_wording_the_concepts_stand_there_and_the_notes_say_so(instrument):
    table = build_data_dictionary(instrument)
    assert table["Field Label"].tolist() == ["trust", "doubt", "hope", "ease", "mood", "Trust", "Ease"]
    assert table["Field Note"].tolist()[:5] == [LABEL_ONLY] * 5
    assert table[CHOICES].tolist()[:4] == ["1, 1 | 2, 2 | 3, 3"] * 3 + ["1, low | 2, 2 | 4, high"]


def test_wording_stands_there_as_text_that_neither_a_spreadsheet_nor_redcap_misreads(instrument, words):
    table = build_data_dictionary(instrument, wording=words)
    assert table["Field Label"].tolist()[:5] == ["'=1+1", "'-2?", "Three, or 3?", "Four?", "'@Five"]
    assert table.loc[0, CHOICES] == "1, no / not | 2, 2 | 3, yes, very"
    assert table["Section Header"].tolist()[:2] == ["Think of today.", ""]
    assert not table["Field Note"].str.contains("our own", case=False).any()
    assert table.loc[0, "Field Annotation"] == "tiny 1.0.0, item 1: trust"


def test_safety_items_and_drafts_are_annotated_and_scores_hidden_from_respondents(instrument):
    table = build_data_dictionary(instrument).set_index("Variable / Field Name")["Field Annotation"]
    assert table["tiny_3"].endswith("Safety, answers 3: Call.")
    assert table["tiny_trust"].endswith("@HIDDEN-SURVEY")
    unconfirmed = instrument.model_copy(update={"facts": instrument.facts | {"scoring": instrument.facts["recall"]}})
    table = build_data_dictionary(unconfirmed).set_index("Variable / Field Name")["Field Annotation"]
    assert "Draft; not confirmed by a source yet: scoring." in table["tiny_trust"]


def test_an_instrument_without_items_is_refused_with_where_to_go():
    stubs = [one for one in LIBRARY.values() if not one.items]
    assert stubs
    for stub in stubs:
        with pytest.raises(InstrumentError, match="has no items here") as caught:
            build_data_dictionary(stub)
        assert stub.licence.contact in str(caught.value)


def test_long_and_clashing_names_are_cut_and_numbered(tiny, tmp_path):
    long = "an-instrument-with-a-very-long-name"
    text = (
        tiny.replace("id: tiny", f"id: {long}")
        .replace("id: trust\n", "id: complete\n")
        .replace("trust:", "complete:")
        .replace("measure: trust", "measure: complete")
    )
    (tmp_path / f"{long}.yaml").write_text(text)
    names = name_fields(load_instrument(tmp_path / f"{long}.yaml"))
    assert names.form == "an_instrument_with_a_very_"[:26]
    every = [*names.items.values(), *names.measures.values()]
    assert len(set(every)) == len(every) == 7
    assert all(len(one) <= 26 and not one.endswith("_") for one in every)
    (tmp_path / "tiny.yaml").write_text(
        tiny.replace("id: trust\n", "id: complete\n")
        .replace("trust:", "complete:")
        .replace("measure: trust", "measure: complete")
    )
    assert name_fields(load_instrument(tmp_path / "tiny.yaml")).measures["complete"] == "tiny_complete_2"


def test_a_dictionary_is_read_back_with_either_header(instrument, tmp_path):
    path = tmp_path / "tiny.csv"
    path.write_text(render_data_dictionary(instrument))
    read = read_data_dictionary(path)
    assert list(read.columns) == list(HEADER)
    assert read.index.tolist() == [2, 3, 4, 5, 6, 7, 8]
    api = build_data_dictionary(instrument).rename(columns={shown: name for name, shown in HEADER.items()})
    pd.testing.assert_frame_equal(require_data_dictionary(api), read.reset_index(drop=True))
    old = api[["field_name", "form_name", "field_type", "field_label", "select_choices_or_calculations"]]
    assert set(require_data_dictionary(old)["field_annotation"]) == {""}
    fields = read_fields(read)
    assert [(one.answers, one.is_range, one.is_question) for one in fields[3:6]] == [
        ((1.0, 2.0, 4.0), False, True), ((0.0, 100.0), True, True), (None, False, False),
    ]  # fmt: skip


HEAD = "field_name,form_name,field_type,select_choices_or_calculations\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no REDCap data dictionary"),
        (b"pid,age\n1,30\n", "It lacks Variable / Field Name, Form Name"),
        (b"\xff\xfe\x00a,b", "no CSV in UTF-8"),
        (b'a,b\n"open', "no CSV in UTF-8"),
        ((HEAD + "a,f,radio\n").encode(), "x.csv, line 2: The row has not as many cells"),
        ((HEAD + "a,f,radio,\"0, n\"\n=cmd(),f,text,\n").encode(), "x.csv, line 3, Variable / Field Name: The cell holds a formula"),
        ((HEAD + ",f,text,\n").encode(), "x.csv, line 2, Variable / Field Name: The field has no name"),
        ((HEAD + "a,f,text,\nb,f,text,\na,f,text,\n").encode(), "x.csv, line 4, Variable / Field Name: The name of the field stands"),
        ((HEAD.strip() + ",field_name\n").encode(), "A column stands twice"),
        ((HEAD + "".join(f"f{n},f,text,\n" for n in range(20_001))).encode(), "There are 20001 fields"),
        ((HEAD + "a,f,text," + "x" * 200_000 + "\n").encode(), "no CSV in UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_dictionary_is_refused_with_the_place_and_advice(tmp_path, content, told):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InstrumentError) as caught:
        read_data_dictionary(path)
    assert told in str(caught.value)
    assert all(problem.how_to_fix for problem in caught.value.problems)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as handle:
        handle.truncate(21 * 1024 * 1024)
    with pytest.raises(InstrumentError, match="larger than 20 MB"):
        read_data_dictionary(path)


@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=0, max_size=3)), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_spoilt_dictionary_is_read_or_refused_but_never_a_crash(tmp_path_factory, changes):
    content = bytearray(render_data_dictionary(SCORED["who-5"], record_id=True).encode())
    for place, put in changes:
        content[place % len(content) : place % len(content) + 2] = put
    path = tmp_path_factory.mktemp("spoilt") / "x.csv"
    path.write_bytes(bytes(content))
    try:
        fields = read_fields(read_data_dictionary(path))
    except InstrumentError:
        return
    assert all(field.name for field in fields)


@pytest.mark.real_data
def test_what_redcap_exported_is_read_and_written_back_byte_by_byte(shared):
    paths = sorted((shared / "data" / "exports" / "redcap").glob("*/dictionary.csv"))
    assert len(paths) > 8
    for path in paths:
        assert path.read_text(encoding="utf-8").splitlines()[0] == COLUMNS
        assert len(read_fields(read_data_dictionary(path))) > 3
        with path.open(encoding="utf-8", newline="") as handle:
            first, *rows = csv.reader(handle)
        assert render_dictionary(pd.DataFrame(rows, columns=first)).encode() == path.read_bytes().replace(
            b"\r\n", b"\n"
        )

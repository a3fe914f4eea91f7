"""XLSForm workbooks: what pyxform makes of them, and calculations that give our scores by the rules of XPath."""

import io
import math
import time
import warnings
import xml.etree.ElementTree as ET
import zipfile

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import InstrumentError, apply_variants, load_library
from instruments.exchange.fields import LABEL_ONLY, name_fields
from instruments.exchange.xlsform import read_questions, read_xlsform, write_xlsform
from instruments.scoring import score_matrix
from instruments.wording import Wording

LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
FORMS = [(name, variant) for name, one in SCORED.items() for variant in [None, *(each.id for each in one.variants)]]
ROUNDED = 0.0051  # examples are given to two decimals
SAME = 1e-9  # our engine and the calculation divide and multiply in another order
N_DRAWN = 6  # answers drawn for each form; the same writer of calculations is drawn from more often for REDCap
LONGEST_CELL = 32_767  # characters that a cell of a workbook holds
XFORM = {"x": "http://www.w3.org/2002/xforms", "h": "http://www.w3.org/1999/xhtml"}


@pytest.fixture(scope="module")
def xpath():
    """A parser of XPath 1.0 (elementpath) with the one function of XForms that we use beyond it, ``if()``.

    The rest is XPath 1.0 itself: an unanswered question is an empty element, equal to '' and NaN in arithmetic
    (getodk.github.io/xforms-spec, "XPath Functions"; docs.getodk.org, "Empty values in math").
    """
    from elementpath import XPath1Parser

    class XFormsParser(XPath1Parser):
        pass

    XFormsParser.function("if", nargs=3)

    @XFormsParser.method("if")
    def evaluate_if(self, context=None):
        chosen = 1 if self.boolean_value(self[0].evaluate(context)) else 2
        return self[chosen].evaluate(context)

    XFormsParser.build()
    return XFormsParser()


@pytest.fixture
def convert(tmp_path):
    """Writes an instrument and returns the XForm that pyxform makes of it, without a warning."""
    from pyxform.xls2xform import convert as to_xform

    def convert(form, wording=None):
        path = tmp_path / "form.xlsx"
        write_xlsform(form, path, wording=wording)
        told = []
        made = to_xform(path, warnings=told)
        assert told == []
        return ET.fromstring(made.xform)

    return convert


def words(language="en", **changes):
    items = {"1": "=1+1", "2": "-2?", "3": "Three ${tiny_1}?", "4": "Four?", "5": "Five?"}
    return Wording(instrument="tiny", language=language, holder="Test press", title="Tiny", instructions="Think.", items=items | changes,
                   options={"agreement": {"1": "@no"}})  # fmt: skip


def calculations(form, xform, xpath):
    """Return a function from answers to what the form calculates for each measure; NaN for an empty text."""
    from elementpath import XPathContext

    names = name_fields(form)
    binds = {bind.get("nodeset"): bind.get("calculate") for bind in xform.iterfind(".//x:bind", XFORM)}
    tokens = {name: xpath.parse(binds[f"/data/{field}"]) for name, field in names.measures.items()}

    def calculate(answers):
        data = ET.Element("data")
        for item, answer in zip(form.items, answers, strict=True):
            ET.SubElement(data, names.items[item.id]).text = "" if math.isnan(answer) else f"{answer:g}"
        found = {name: token.evaluate(XPathContext(data)) for name, token in tokens.items()}
        return {name: math.nan if value == "" else numeric(value) for name, value in found.items()}

    return calculate


def numeric(value):
    """Return the number of an XPath result; a node is read as the number in it."""
    return float(value[0].string_value if isinstance(value, list) else value)


def draw_answers(form, rng):
    allowed = [form.allowed_values(item.id) for item in form.items]
    answers = [
        rng.choice(one.options) if one.options else round(rng.uniform(one.minimum, one.maximum), 2) for one in allowed
    ]
    gaps = rng.permutation(len(answers))[: rng.integers(0, min(len(answers), 6) + 1)]
    return [math.nan if place in gaps else float(one) for place, one in enumerate(answers)]


@pytest.mark.parametrize(("name", "variant"), FORMS)
def test_pyxform_converts_every_form_and_its_calculations_give_our_scores(name, variant, convert, xpath):
    form = apply_variants(SCORED[name], [variant] if variant else [])
    calculate = calculations(form, convert(form), xpath)
    rng = np.random.default_rng(len(name))
    people = np.array([draw_answers(form, rng) for _ in range(N_DRAWN)])
    scores = score_matrix(people, form)
    for place, answers in enumerate(people):
        for measure, found in calculate(answers).items():
            assert found == pytest.approx(scores[measure].score[place], abs=SAME, nan_ok=True)


@pytest.mark.parametrize("name", SCORED)
def test_calculations_give_the_scores_of_the_worked_examples(name, convert, xpath):
    for variants in {tuple(example.variants) for example in SCORED[name].examples}:
        form = apply_variants(SCORED[name], variants)
        calculate = calculations(form, convert(form), xpath)
        for example in SCORED[name].examples:
            if tuple(example.variants) == variants:
                found = calculate([math.nan if one is None else one for one in example.answers])
                for measure, expected in example.scores.items():
                    wanted = math.nan if expected is None else expected
                    assert found[measure] == pytest.approx(wanted, abs=ROUNDED, nan_ok=True), example


@pytest.mark.parametrize("name", SCORED)
def test_a_form_asks_every_item_in_order_with_its_codes(name, tmp_path):
    form, path = SCORED[name], tmp_path / "form.xlsx"
    write_xlsform(form, path)
    read = read_xlsform(path)
    assert read.survey["calculation"].str.len().max() < LONGEST_CELL
    asked = [one for one in read_questions(read) if one.is_question]
    assert [one.name for one in asked] == list(name_fields(form).items.values())
    for item, one in zip(form.items, asked, strict=True):
        allowed = form.allowed_values(item.id)
        assert one.concept == item.concept
        assert one.answers == (tuple(map(float, allowed.options)) or (allowed.minimum, allowed.maximum))
    assert set(read.survey.loc[[one.row for one in asked], "hint"]) == {LABEL_ONLY}


def test_a_range_is_asked_as_a_number_within_its_ends(instrument, convert):
    bind = convert(instrument).find(".//x:bind[@nodeset='/data/tiny_5']", XFORM)
    assert (bind.get("type"), bind.get("constraint")) == ("decimal", ". >= 0 and . <= 100")


def test_wording_stands_in_a_column_of_its_language_and_nothing_in_it_is_a_formula(instrument, convert, tmp_path):
    xform = convert(instrument, words("pt-BR"))
    assert [one.get("lang") for one in xform.iterfind(".//x:translation", XFORM)] == ["Portuguese (pt)"]
    texts = {one.get("id"): one[0].text for one in xform.iterfind(".//x:text", XFORM)}
    assert texts["/data/tiny_1:label"] == "=1+1"
    assert texts["/data/tiny_2:label"] == "-2?"
    assert texts["/data/tiny_3:label"] == "Three $ {tiny_1}?"
    assert texts["/data/instructions:label"] == "Think."
    assert not any(key.endswith(":hint") for key in texts)
    write_xlsform(instrument, tmp_path / "form.xlsx", wording=words("xx"))
    book = openpyxl.load_workbook(tmp_path / "form.xlsx")
    assert [cell.value for cell in book["survey"][1]][2:4] == ["label::xx (xx)", "hint::xx (xx)"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.value for cell in cells if cell.quotePrefix} == {"=1+1", "-2?", "@no"}
    about = dict(book["_about"].iter_rows(min_row=2, values_only=True))
    assert about["wording"] == "By Test press"
    assert about["safety, item 3"] == "Answers 3: Call."


def test_the_same_instrument_gives_the_same_bytes_at_another_time(instrument, tmp_path):
    write_xlsform(instrument, tmp_path / "one.xlsx")
    time.sleep(2.1)  # an archive keeps times to two seconds
    write_xlsform(instrument, tmp_path / "two.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_an_instrument_without_items_is_refused(tmp_path):
    stub = next(one for one in LIBRARY.values() if not one.items)
    with pytest.raises(InstrumentError, match="has no items here"):
        write_xlsform(stub, tmp_path / "form.xlsx")


def save(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)


def test_forms_of_other_hands_are_read(tmp_path):
    path = tmp_path / "form.xlsx"
    save(
        path,
        Survey=[
            ["type", "name", "label::English (en)", "label::French (fr)", "parameters", "constraint"],
            ["begin group", "phq", "A group"],
            ["select one agree", "a", "One", "Un"],
            ["select_one agree or_other", "b", "Two"],
            ["end group"],
            ["range", "c", "Three", None, "start=0 end=10 step=1"],
            ["range", "d"],
            ["select_multiple agree", "e"],
            ["integer", "f", "Six", None, None, ". >= 1 and . <= 7"],
            ["integer", "g"],
            ["select_one nowhere", "h"],
            ["select_one words", "i"],
        ],
        choices=[["list name", "name", "label::English (en)"], ["agree", 1, "no"], ["agree", 2.0, "yes"], ["words", "x", "an x"], ["words", "y", "a y"]],
    )  # fmt: skip
    found = {one.name: one for one in read_questions(read_xlsform(path))}
    assert (found["a"].form, found["a"].concept, found["a"].answers, found["a"].labels, found["a"].row) == (
        "phq",
        "One",
        (1, 2),
        ("no", "yes"),
        3,
    )
    assert found["b"].answers == (1, 2)
    assert [(found[one].answers, found[one].is_range) for one in "cdfg"] == [
        ((0, 10), True),
        ((1, 10), True),
        ((1, 7), True),
        (None, True),
    ]
    assert not found["e"].is_question
    assert (found["h"].answers, found["i"].answers) == (None, ())


SURVEY = [["type", "name", "label"], ["text", "a", "A"]]


@pytest.mark.parametrize(
    ("sheets", "told"),
    [
        ({"data": [["pid", "age"]]}, "sheet 'survey' has no column type, name"),
        ({"survey": [["type", "label"]]}, "sheet 'survey' has no column name"),
        ({"survey": [["type", "name", "name"]]}, "sheet 'survey' has no column name"),
        ({"survey": SURVEY, "choices": [["list", "name"]]}, "sheet 'choices' has no column list_name"),
        ({"survey": [*SURVEY, ["text", "=1+1", "B"]]}, "form.xlsx[survey], line 3, column 2: The cell holds a formula."),
        ({"survey": [["type", "name"], *[["text", f"a{n}"] for n in range(20_000)]]}, "more than 20000 rows"),
        ({"survey": [["type", "name", *map(str, range(400))]]}, "or 400 columns"),
    ],
)  # fmt: skip
def test_a_workbook_that_is_no_form_is_refused_with_the_place_and_advice(tmp_path, sheets, told):
    save(tmp_path / "form.xlsx", **sheets)
    with pytest.raises(InstrumentError) as caught:
        read_xlsform(tmp_path / "form.xlsx")
    assert told in str(caught.value)
    assert all(problem.how_to_fix for problem in caught.value.problems)


def test_an_archive_that_unpacks_to_far_more_is_refused_unread(tmp_path, instrument):
    path = tmp_path / "form.xlsx"
    write_xlsform(instrument, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/bomb.xml", b"0" * 10_000_000)
    with pytest.raises(InstrumentError, match="unpacks to far more"):
        read_xlsform(path)
    path.write_bytes(b"type,name\n")
    with pytest.raises(InstrumentError, match=r"not an \.xlsx workbook"):
        read_xlsform(path)


def test_an_entity_bomb_in_a_sheet_is_refused(tmp_path, instrument):
    path = tmp_path / "form.xlsx"
    write_xlsform(instrument, path)
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'
    replace(path, "xl/worksheets/sheet1.xml", lambda xml: bomb + xml.replace(b">trust<", b">&c;<"))
    with pytest.raises(InstrumentError, match="cannot be read") as caught:
        read_xlsform(path)
    assert type(caught.value.__context__.__cause__).__name__ == "EntitiesForbidden"


def replace(path, name, change):
    """Change one file of an archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as new:
        for each in source.namelist():
            new.writestr(each, change(source.read(each)) if each == name else source.read(each))
    path.write_bytes(target.getvalue())


@given(
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.binary(max_size=3)), min_size=1, max_size=4),
    inside=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_spoilt_workbook_is_read_or_refused_but_never_a_crash(tmp_path_factory, changes, inside):
    path = tmp_path_factory.mktemp("spoilt") / "form.xlsx"
    write_xlsform(SCORED["who-5"], path)

    def spoil(content):
        spoilt = bytearray(content)
        for place, put in changes:
            spoilt[place % len(spoilt) : place % len(spoilt) + 2] = put
        return bytes(spoilt)

    if inside:
        replace(path, "xl/worksheets/sheet1.xml", spoil)
    else:
        path.write_bytes(spoil(path.read_bytes()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it leaves out
        try:
            fields = read_questions(read_xlsform(path))
        except InstrumentError:
            return
    assert all(field.name for field in fields)

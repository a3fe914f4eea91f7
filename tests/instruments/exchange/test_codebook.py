"""The codebook, the definition as JSON, and what both share with the other formats."""

import csv
import io
import json

import pytest

from instruments import Instrument, apply_variants, load_instrument, load_library, score_wide
from instruments.exchange.calculation import write_number
from instruments.exchange.codebook import CODEBOOK_COLUMNS, render_codebook, render_json
from instruments.exchange.fields import LABEL_ONLY, name_fields
from instruments.wording import Wording

LIBRARY = load_library()
FORMS = [(name, variant) for name, one in LIBRARY.items() for variant in [None, *(each.id for each in one.variants)]]
SAME = 1e-9


@pytest.fixture
def instrument(tmp_path, tiny):
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny)
    return load_instrument(path)


def rows_of(instrument, **options):
    return list(csv.DictReader(io.StringIO(render_codebook(instrument, **options))))


@pytest.mark.parametrize(("name", "variant"), FORMS)
def test_the_json_of_every_definition_makes_the_same_instrument(name, variant):
    form = apply_variants(LIBRARY[name], [variant] if variant else [])
    text = render_json(form)
    assert Instrument.model_validate(json.loads(text)) == form
    assert Instrument.model_validate_json(text) == form
    assert text == render_json(form)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_codebook_has_a_row_per_item_option_and_measure(name):
    instrument = LIBRARY[name]
    rows = rows_of(instrument)
    options = {item.id: len(instrument.allowed_values(item.id).options) for item in instrument.items}
    assert render_codebook(instrument).splitlines()[0] == ",".join(CODEBOOK_COLUMNS)
    assert [row["id"] for row in rows if row["kind"] == "item"] == list(options)
    assert sum(row["kind"] == "option" for row in rows) == sum(options.values())
    assert [row["id"] for row in rows if row["kind"] == "measure"] == [one.id for one in instrument.measures]
    assert len(rows) == len(options) + sum(options.values()) + len(instrument.measures)
    assert {(row["instrument"], row["version"]) for row in rows} == {(name, instrument.version)}


@pytest.mark.parametrize("name", [name for name, one in LIBRARY.items() if one.items])
def test_what_the_codebook_says_an_option_counts_adds_up_to_the_ends_of_the_range(name):
    instrument, rows = LIBRARY[name], rows_of(LIBRARY[name])
    for measure in instrument.scored_measures:
        row = next(one for one in rows if (one["kind"], one["id"]) == ("measure", measure.id))
        ends = {"least": [], "most": []}
        for item in row["items"].split():
            counts = [float(one["counts"]) for one in rows if (one["kind"], one["id"]) == ("option", item)]
            asked = next(one for one in rows if (one["kind"], one["id"]) == ("item", item))
            counts = counts or [float(asked["minimum"]), float(asked["maximum"])]
            ends["least"].append(min(counts))
            ends["most"].append(max(counts))
        if not measure.lookup:
            divisor = len(ends["least"]) if row["method"] == "mean" else 1
            low, high = (sum(each) / divisor * float(row["multiply"]) + float(row["add"]) for each in ends.values())
            assert (low, high) == pytest.approx((float(row["minimum"]), float(row["maximum"])), abs=SAME)


def test_reversed_options_count_the_other_way_round(instrument):
    counts = {(row["id"], row["value"]): row["counts"] for row in rows_of(instrument) if row["kind"] == "option"}
    assert [counts["1", value] for value in "123"] == ["1", "2", "3"]
    assert [counts["2", value] for value in "123"] == ["3", "2", "1"]
    items = {row["id"]: row["reversed"] for row in rows_of(instrument) if row["kind"] == "item"}
    assert items == {"1": "no", "2": "yes", "3": "no", "4": "no", "5": "no"}


def test_labels_are_ours_and_said_to_be_or_those_of_the_wording_and_never_a_formula(instrument):
    ours = {row["id"]: row for row in rows_of(instrument) if row["kind"] == "item"}
    assert ours["1"]["label"] == "trust"
    assert ours["1"]["note"] == LABEL_ONLY
    assert ours["3"]["note"] == f"{LABEL_ONLY} Safety, answers 3: Call."
    items = {"1": "=HYPERLINK(1)", "2": "+2", "3": "-3", "4": "@4", "5": "Line\nbreak"}
    wording = Wording(
        instrument="tiny", language="en", holder="Test press", items=items, options={"agreement": {"1": "=no"}}
    )
    rows = rows_of(instrument, wording=wording)
    assert [row["label"] for row in rows if row["kind"] == "item"] == [
        "'=HYPERLINK(1)",
        "'+2",
        "'-3",
        "'@4",
        "Line break",
    ]
    assert {row["label"] for row in rows if row["kind"] == "option" and row["value"] == "1" and row["id"] == "1"} == {
        "'=no"
    }
    assert not any(LABEL_ONLY in row["note"] for row in rows)


def test_a_delivered_measure_is_listed_without_items():
    stub = next(one for one in LIBRARY.values() if not one.items)
    rows = rows_of(stub)
    assert {(row["kind"], row["method"], row["items"], row["field"]) for row in rows} == {
        ("measure", "delivered", "", "")
    }


def test_the_rule_for_missing_answers_and_what_is_unconfirmed_stand_with_the_measure(instrument):
    rows = {row["id"]: row for row in rows_of(instrument) if row["kind"] == "measure"}
    assert (rows["trust"]["max_missing"], rows["trust"]["missing"], rows["trust"]["multiply"]) == ("1", "prorate", "10")
    overall = instrument.model_copy(
        update={"max_missing": 2, "facts": instrument.facts | {"scoring": instrument.facts["recall"]}}
    )
    note = {row["id"]: row["note"] for row in rows_of(overall) if row["kind"] == "measure"}["trust"]
    assert (
        note == "No score where more than 2 of all answers are missing. Draft; not confirmed by a source yet: scoring."
    )


def test_field_names_serve_as_columns_that_can_be_scored(instrument):
    import pandas as pd

    columns = list(name_fields(instrument).items.values())
    frame = pd.DataFrame([["1", "3", "3", "4", "50.5"]], columns=columns)
    assert score_wide(frame, instrument, columns)["tiny.ease"].tolist() == [54.5]


@pytest.mark.parametrize(
    ("value", "written"), [(4.0, "4"), (0.1, "0.1"), (1e-7, "0.0000001"), (-2.5, "-2.5"), (100.0, "100")]
)
def test_numbers_are_written_short_and_without_an_exponent(value, written):
    assert write_number(value) == written

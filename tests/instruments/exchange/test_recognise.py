"""Which instruments a form holds: our own exports, other people's names, and what must not be guessed."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import InstrumentError, apply_variants, load_instrument, load_library
from instruments.exchange.fields import name_fields
from instruments.exchange.recognise import CLOSE, LEAST_SCORE, UNDETERMINED, recognise_dictionary
from instruments.exchange.redcap import HEADER, build_data_dictionary, render_dictionary
from instruments.exchange.xlsform import write_xlsform

LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
OTHER_FORMS = [
    (name, each.id) for name, one in SCORED.items() for each in one.variants if each.response_sets or each.order
]
FREQUENCY = "0, a | 1, b | 2, c | 3, d"


def told_apart(name, variant):
    """Return the variants that the export of a form cannot be told from: the same codes, labels and concepts."""

    def looks(form):
        asked = [(item.id, item.concept, form.response_sets[item.response_set]) for item in form.items]
        return [(*each, [(one.value, one.label) for one in answers.options], answers.allowed.minimum, answers.allowed.maximum)
                for *each, answers in asked]  # fmt: skip

    own = looks(form_of(name, variant))
    others = ["", *(each.id for each in SCORED[name].variants if each.response_sets or each.order)]
    return [one for one in others if looks(form_of(name, one)) == own]


def form_of(name, variant):
    return apply_variants(SCORED[name], [variant] if variant else [])


def dictionary(rows, **columns):
    """Return a data dictionary in the names of the API: (field, choices) or (field, form, type, choices) per row."""
    full = [row if len(row) == 4 else (row[0], "form_1", "radio", row[1]) for row in rows]
    names = ["field_name", "form_name", "field_type", "select_choices_or_calculations"]
    return pd.DataFrame(full, columns=names).assign(**columns)


def items(names, choices=FREQUENCY):
    return dictionary([(name, choices) for name in names])


@pytest.fixture
def tiny_library(tmp_path, tiny):
    """Two instruments of the same name but for the number, with the same questions."""
    for name, n_items in (("mood-4", 4), ("mood-3", 3)):
        text = tiny.replace("id: tiny", f"id: {name}").replace("short_name: TINY", f"short_name: {name.upper()}")
        kept = [f"  - {{id: {n}, concept: mood {n}, response_set: agreement}}" for n in range(1, n_items + 1)]
        text = re.sub(
            r"items:\n.*?measures:\n", "items:\n" + "\n".join(kept) + "\nmeasures:\n", text, count=1, flags=re.DOTALL
        )
        text = re.sub(r"  - id: ease\n.*?reliability", "reliability", text, flags=re.DOTALL)
        (tmp_path / f"{name}.yaml").write_text(text)
    return {name: load_instrument(tmp_path / f"{name}.yaml") for name in ("mood-3", "mood-4")}


def test_every_export_is_recognised_in_one_dictionary_that_holds_them_all():
    found = recognise_dictionary(
        pd.concat([build_data_dictionary(one) for one in SCORED.values()], ignore_index=True), LIBRARY
    )
    assert found.ambiguous.empty
    assert found.unknown.empty
    assert set(found.matches["score"]) == {1}
    for name, instrument in SCORED.items():
        own, names = found.matches[found.matches["instrument"] == name], name_fields(instrument)
        assert own["item"].tolist() == [*names.items, *names.measures]
        assert own["field"].tolist() == [*names.items.values(), *names.measures.values()]
        alone = len(told_apart(name, "")) == 1
        assert set(own["variant"]) == {"" if alone else UNDETERMINED}, name
        assert (name in set(found.notes["instrument"])) is not alone


@pytest.mark.parametrize(("name", "variant"), OTHER_FORMS)
def test_the_variant_of_an_export_is_recognised_by_its_codes_labels_or_order(name, variant):
    found = recognise_dictionary(build_data_dictionary(form_of(name, variant)), {name: LIBRARY[name]})
    alone = len(told_apart(name, variant)) == 1
    assert set(found.matches["variant"]) == {variant if alone else UNDETERMINED}
    assert len(found.matches) == len(SCORED[name].items) + len(SCORED[name].scored_measures)
    if not alone:
        assert found.notes["about"].tolist() == ["variant"]
        assert variant in found.notes.loc[0, "note"]


@pytest.mark.parametrize("name", SCORED)
def test_a_workbook_is_recognised_like_the_dictionary(name, tmp_path):
    write_xlsform(SCORED[name], tmp_path / "form.xlsx")
    library = {name: LIBRARY[name]}
    found = recognise_dictionary(tmp_path / "form.xlsx", library)
    pd.testing.assert_frame_equal(
        found.matches, recognise_dictionary(build_data_dictionary(SCORED[name]), library).matches
    )
    assert found.unknown.empty
    assert found.ambiguous.empty


@pytest.mark.parametrize(
    "names",
    [
        [f"phq9_{n}" for n in range(1, 10)],
        [f"phq9_0{n}" for n in range(1, 10)],
        [f"phq_9_{n}" for n in range(1, 10)],
        [f"phq9{n}" for n in range(1, 10)],
        [f"phq9_q{n}" for n in range(1, 10)],
        [f"phq9q{n}" for n in range(1, 10)],
        [f"t2_phq9_item_{n}" for n in range(1, 10)],
        [f"PHQ9_{n}" for n in range(1, 10)],
    ],
    ids=lambda names: names[0],
)  # fmt: skip
def test_names_of_other_hands_are_read(names):
    found = recognise_dictionary(items(names), LIBRARY)
    assert found.matches[["instrument", "item", "field"]].to_numpy().tolist() == [
        ["phq-9", str(n), name] for n, name in enumerate(names, 1)
    ]
    assert set(found.matches["evidence"].str.endswith("9 of 9 items; answers as defined")) == {True}
    assert found.unknown.empty


def test_each_timepoint_is_recognised_by_itself():
    names = [f"{time}_gad7_{n}" for time in ("t1", "t2") for n in range(1, 8)]
    found = recognise_dictionary(items(names), LIBRARY)
    assert found.matches["field"].tolist() == names
    assert found.matches["item"].tolist() == [str(n) for n in range(1, 8)] * 2


def test_the_name_of_the_form_counts_where_fields_have_only_numbers():
    rows = [(f"q{n}", "gad7_baseline", "dropdown", FREQUENCY) for n in range(1, 8)]
    found = recognise_dictionary(dictionary(rows), LIBRARY)
    assert set(found.matches["instrument"]) == {"gad-7"}
    assert set(found.matches["evidence"].str.startswith("its name in the form")) == {True}
    assert (
        len(recognise_dictionary(dictionary([(name, "form_1", *rest) for name, _, *rest in rows]), LIBRARY).unknown)
        == 7
    )


def test_codes_tell_the_variant_and_codes_for_missing_answers_do_not_hinder():
    names = [f"k10_{n}" for n in range(1, 11)]
    plain, shifted = ("|".join(f"{code}, x{code}" for code in codes) for codes in (range(1, 6), range(5)))
    assert set(recognise_dictionary(items(names, shifted), LIBRARY).matches["variant"]) == {"zero-to-four"}
    told = recognise_dictionary(items(names, f"{shifted} | 99, refused | -7, skipped"), LIBRARY)
    assert set(told.matches["variant"]) == {"zero-to-four"}
    unlabelled = recognise_dictionary(items(names, plain), LIBRARY)
    assert set(unlabelled.matches["variant"]) == {UNDETERMINED}
    assert "as defined, all-first" in unlabelled.notes.loc[0, "note"]


def test_codes_that_no_variant_has_are_not_matched_but_told():
    found = recognise_dictionary(items([f"gad7_{n}" for n in range(1, 8)], "1, a | 2, b | 3, c | 4, d"), LIBRARY)
    assert found.matches.empty
    assert set(found.ambiguous["candidates"]) == {"gad-7"}
    assert set(found.ambiguous["why"].str.contains("in 7 fields")) == {True}
    assert len(found.ambiguous) == 7


def test_labels_that_stand_at_other_codes_are_not_matched_because_the_score_would_be_turned_round():
    names = [f"gad7_{n}" for n in range(1, 8)]
    right = "0, Not at all | 1, Several days | 2, More than half the days | 3, Nearly every day"
    turned = "3, Not at all | 2, Several days | 1, More than half the days | 0, Nearly every day"
    assert len(recognise_dictionary(items(names, right), LIBRARY).matches) == 7
    found = recognise_dictionary(items(names, turned), LIBRARY)
    assert found.matches.empty
    assert set(found.ambiguous["why"].str.contains("what they mean")) == {True}


def test_text_fields_are_matched_by_name_and_the_lack_of_answers_is_told():
    rows = [(f"gad7_{n}", "form_1", "text", "") for n in range(1, 8)]
    found = recognise_dictionary(dictionary(rows), LIBRARY)
    assert set(found.matches["evidence"].str.endswith("answers not told by the form")) == {True}
    assert found.notes["about"].tolist() == ["answers"]
    bounded = dictionary(rows, text_validation_min="0", text_validation_max="3")
    assert set(recognise_dictionary(bounded, LIBRARY).matches["evidence"].str.endswith("answers as defined")) == {True}


def test_what_fits_two_instruments_is_listed_and_matched_to_neither(tiny_library):
    answers = "1, a | 2, b | 3, c"
    found = recognise_dictionary(items(["mood_1", "mood_2"], answers), tiny_library)
    assert found.matches.empty
    assert set(found.ambiguous["candidates"]) == {"mood-3; mood-4"}
    assert set(found.ambiguous["why"]) == {"Names and answers fit several instruments."}
    for names, expected in [(["mood_1", "mood_2", "mood_3"], "mood-3"), ([f"mood_{n}" for n in range(1, 5)], "mood-4")]:
        complete = recognise_dictionary(items(names, answers), tiny_library)
        assert complete.matches["instrument"].tolist() == [expected] * len(names)
        assert set(complete.matches["evidence"].str.startswith("its name without the number")) == {True}
    twins = {
        "mood-3": tiny_library["mood-3"],
        "mood-5": tiny_library["mood-3"].model_copy(update={"id": "mood-5", "short_name": "MOOD-5"}),
    }
    tie = recognise_dictionary(items(["mood_1", "mood_2", "mood_3"], answers), twins)
    assert set(tie.ambiguous["candidates"]) == {"mood-3; mood-5"}


def test_absent_items_are_named_and_fewer_than_half_are_not_matched():
    most = recognise_dictionary(items([f"phq9_{n}" for n in range(1, 9)]), LIBRARY)
    assert set(most.matches["instrument"]) == {"phq-9"}
    assert most.notes.to_numpy().tolist() == [["phq-9", "items", "Not found: 9."]]
    more = recognise_dictionary(items([f"phq9_{n}" for n in range(1, 11)]), LIBRARY)
    assert more.matches["item"].tolist() == [str(n) for n in range(1, 10)]
    assert more.unknown[["field", "nearest"]].to_numpy().tolist() == [["phq9_10", "phq-9"]]
    few = recognise_dictionary(items([f"phq9_{n}" for n in range(1, 4)]), LIBRARY)
    assert few.matches.empty
    assert set(few.ambiguous["why"]) == {"3 of 9 items are here, in 3 such fields."}


def test_what_is_unknown_is_listed_with_the_nearest_name_and_answers_alone_recognise_nothing():
    rows = dictionary(
        [
            ("record_id", "form_1", "text", ""),
            *[(f"sleep_{n}", FREQUENCY) for n in range(1, 10)],
            ("phq9x_total", "form_1", "calc", "1"),
        ]
    )
    found = recognise_dictionary(rows, LIBRARY)
    assert found.matches.empty
    assert found.unknown["field"].tolist() == rows["field_name"].tolist()
    assert found.unknown.set_index("field").loc["record_id", "nearest"] == ""
    assert found.unknown["row"].tolist() == list(range(11))
    near = recognise_dictionary(items(["phqq9_a"]), LIBRARY).unknown
    assert near[["field", "kind", "nearest"]].to_numpy().tolist() == [["phqq9_a", "radio", "phq-9"]]


def test_checkboxes_and_scores_are_never_items():
    rows = [(f"gad7_{n}", "form_1", "checkbox", FREQUENCY) for n in range(1, 8)]
    found = recognise_dictionary(dictionary(rows), LIBRARY)
    assert found.matches.empty
    assert set(found.unknown["kind"]) == {"checkbox"}


def test_empty_answers_have_the_columns_of_full_ones():
    found = recognise_dictionary(dictionary([("a", "f", "text", "")]), LIBRARY)
    full = recognise_dictionary(items([f"phq9_{n}" for n in range(1, 9)]), LIBRARY)
    for name in ("matches", "ambiguous", "unknown", "notes"):
        assert getattr(found, name).dtypes.to_dict() == getattr(full, name).dtypes.to_dict(), name


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.csv", None, "none.csv: There is no such file"),
        ("data.csv", b"pid,age\n1,30\n", "This is no REDCap data dictionary"),
        ("data.xlsx", b"pid,age\n", r"not an \.xlsx workbook"),
        ("data.csv", b"\x00\x01", "no REDCap data dictionary|no CSV"),
    ],
)
def test_a_file_that_is_no_form_is_refused_in_words(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InstrumentError, match=told):
        recognise_dictionary(tmp_path / name, LIBRARY)


NAMES = st.text(alphabet="abghkpqs_0123456789", min_size=1, max_size=12)


@given(
    names=st.lists(NAMES, min_size=1, max_size=25, unique=True),
    choices=st.sampled_from([FREQUENCY, "", "1,x|2,y", "a, b | c", "1, | , 2 ||"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_field_stands_in_exactly_one_table_whatever_it_is_called(names, choices):
    library = {name: LIBRARY[name] for name in ("phq-9", "gad-7", "k10", "k6", "who-5")}
    found = recognise_dictionary(items(names, choices), library)
    listed = [*found.matches["field"], *found.ambiguous["field"], *found.unknown["field"]]
    assert sorted(listed) == sorted(names)
    assert found.matches["score"].between(LEAST_SCORE, 1).all()
    assert 0 < CLOSE < 1 - LEAST_SCORE


def test_the_input_stays_as_it_was_and_its_order_does_not_matter():
    names = [f"phq9_{n}" for n in range(1, 10)]
    rows = items(names)
    before = rows.copy(deep=True)
    first = recognise_dictionary(rows, LIBRARY).matches
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(recognise_dictionary(rows.iloc[::-1], LIBRARY).matches, first)


@pytest.mark.real_data
def test_no_instrument_is_seen_in_dictionaries_that_hold_none_and_ours_is_found_among_their_fields(shared, tmp_path):
    paths = sorted((shared / "data" / "exports" / "redcap").glob("*/dictionary.csv"))
    assert len(paths) > 8
    for path in paths:
        theirs = recognise_dictionary(path, LIBRARY)
        assert theirs.matches.empty, path.parent.name
        assert theirs.ambiguous.empty, path.parent.name
        together = pd.concat(
            [pd.read_csv(path, dtype="str", keep_default_na=False), build_data_dictionary(LIBRARY["ces-d"])]
        )
        assert list(together.columns) == list(HEADER.values())
        (tmp_path / "both.csv").write_text(render_dictionary(together))
        found = recognise_dictionary(tmp_path / "both.csv", LIBRARY)
        assert set(found.matches["instrument"]) == {"ces-d"}
        assert len(found.matches) == 21
        assert len(found.unknown) == len(theirs.unknown)

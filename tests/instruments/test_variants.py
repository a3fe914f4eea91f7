"""Variants: other codes, other orders, other rules, and what a definition may not say of them."""

import numpy as np
import pandas as pd
import pytest

from data_contracts.errors import DataContractError, PeerimpactError
from instruments import apply_variants, explain_scoring, load_instrument, score_wide
from instruments.describing import explain_row

FORMS = """\
max_missing: 3
variants:
  - id: from-zero
    kind: coding
    label: Answers from 0
    response_sets: {agreement: {options: [{value: 0}, {value: 1}, {value: 2}]}}
    measures: {trust: {range: [0, 20]}}
    status: confirmed
    source: Test
  - id: turned
    kind: item_order
    label: Printed from the end
    order: [5, 4, 3, 2, 1]
    status: unconfirmed
    source: Memory
  - id: strict
    kind: missing_rule
    label: Complete answers only
    measures: {trust: {missing: {max_missing: 0, treat: none}}}
    status: confirmed
    source: Test
examples:
  - {answers: [3, 1, 3, 1, 0], scores: {trust: 30, ease: 1}, source: Test}
"""


@pytest.fixture
def write(tmp_path, tiny):
    """Writes the tiny definition with more below it."""

    def write(more: str = FORMS, *changes: tuple[str, str]):
        text = tiny + more
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "tiny.yaml"
        path.write_text(text)
        return path

    return write


UNSAFE = (", safety: {at_least: 3, note: Call.}", "")


@pytest.fixture
def forms(write):
    return load_instrument(write(FORMS, UNSAFE))


def test_a_safety_note_means_the_same_answer_in_every_coding(write):
    with pytest.raises(DataContractError, match="would count something else"):
        load_instrument(write())
    scores = "{value: 0, score: 1}, {value: 1, score: 2}, {value: 2, score: 3}"
    safe = write(FORMS, ("{value: 0}, {value: 1}, {value: 2}", scores), ("range: [0, 20]", "range: [10, 30]"))
    coded = apply_variants(load_instrument(safe), ["from-zero"])
    assert _score(coded, [2, 0, 2, 1, 0])["tiny.trust"] == 30


def _score(instrument, answers):
    frame = pd.DataFrame([answers], columns=[item.id for item in instrument.items], dtype="float64")
    return score_wide(frame, instrument).iloc[0]


def test_without_variants_an_instrument_stays_what_it_is(forms):
    assert apply_variants(forms, []) is forms


def test_other_codes_give_the_same_answers_other_scores(forms):
    coded = apply_variants(forms, ["from-zero"])
    assert _score(forms, [3, 1, 3, 1, 0])["tiny.trust"] == 30
    assert _score(coded, [2, 0, 2, 1, 0])["tiny.trust"] == 20
    assert coded.measures[0].range == [0, 20]
    assert coded.measures[0].bands == []  # those of the other range are not its own
    assert coded.smallest_change == []
    assert coded.id == forms.id


def test_an_order_moves_items_with_all_that_belongs_to_them(forms):
    turned = apply_variants(forms, ["turned"])
    assert [item.id for item in turned.items] == [item.id for item in forms.items]
    assert [item.concept for item in turned.items] == [item.concept for item in reversed(forms.items)]
    assert _score(turned, [0, 1, 3, 1, 3]).to_dict() == _score(forms, [3, 1, 3, 1, 0]).to_dict()
    assert turned.loinc is not None
    assert turned.loinc.items == {"5": "44250-9"}


def test_a_missing_rule_changes_nothing_but_what_may_be_missing(forms):
    strict = apply_variants(forms, ["strict"])
    answers = [3, np.nan, 3, 1, 0]
    assert _score(forms, answers)["tiny.trust"] == 30
    assert np.isnan(_score(strict, answers)["tiny.trust"])
    assert strict.measures[0].bands == forms.measures[0].bands


def test_variants_combine_and_an_unconfirmed_one_makes_a_draft(forms):
    assert not forms.is_draft
    assert not apply_variants(forms, ["from-zero"]).is_draft
    both = apply_variants(forms, ["from-zero", "turned"])
    assert both.is_draft
    assert both.unconfirmed_scoring_facts == ("variant",)
    assert _score(both, [0, 1, 2, 0, 2])["tiny.trust"] == 20
    assert "Printed from the end" in explain_scoring(both)


def test_more_missing_in_all_than_the_instrument_allows_leave_no_score(write):
    one = load_instrument(write("max_missing: 1\n"))
    assert _score(one, [3, 1, 3, np.nan, 0])["tiny.trust"] == 30
    assert np.isnan(_score(one, [3, 1, 3, np.nan, np.nan])["tiny.trust"])
    assert "more than 1 answers missing in all" in explain_scoring(one)


def test_an_unknown_variant_is_told_the_nearest(forms):
    with pytest.raises(PeerimpactError, match="no variant 'from-nought'"):
        apply_variants(forms, ["from-nought"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("order: [5, 4, 3, 2, 1]", "order: [5, 4, 3, 2]", "does not hold every item once"),
        ("order: [5, 4, 3, 2, 1]", "order: [5, 4, 3, 2, 2]", "does not hold every item once"),
        ("kind: item_order", "kind: coding", "gives response_sets and measures"),
        ("{range: [0, 20]}", "{range: [0, 21]}", "but the items give 0 to 20"),
        ("{agreement: {options: [{value: 0}", "{agreemint: {options: [{value: 0}", "'agreemint'"),
        ("measures: {trust: {missing", "measures: {trusty: {missing", "'trusty'"),
        ("answers: [3, 1, 3, 1, 0]", "answers: [3, 1, 3, 1]", "Found 4 answers to 5 items"),
        ("scores: {trust: 30", "scores: {joy: 30", "'joy'"),
        ("source: Test}\n", "source: Test, variants: [upside]}\n", "'upside'"),
        ("changes: {1.0.0: First version.}", "changes: {0.9.0: First version.}", "do not lead to version 1.0.0"),
        ("max_missing: 3\n", "max_missing: 5\n", "All 5 answers may be missing"),
        ("id: turned", "id: from-zero", "stands more than once"),
    ],
)
def test_forms_that_contradict_the_definition_are_refused(write, old, new, told):
    path = write(FORMS, UNSAFE)
    text = path.read_text()
    assert old in text
    path.write_text(text[: text.rindex(old)] + new + text[text.rindex(old) + len(old) :])
    with pytest.raises(DataContractError) as caught:
        load_instrument(path)
    assert told in str(caught.value)


def test_answers_count_what_their_option_says(write):
    counted = load_instrument(
        write(
            "",
            UNSAFE,
            (
                "{value: 1}, {value: 2}, {value: 3}]",
                "{value: 1, score: 0}, {value: 2, score: 1}, {value: 3, score: 1}]",
            ),
            ("range: [10, 30]", "range: [0, 10]"),
            ("{low: 10, high: 19", "{low: 0, high: 4"),
            ("{low: 20, high: 30", "{low: 5, high: 10"),
        )
    )
    assert _score(counted, [2, 2, 3, 1, 0])["tiny.trust"] == pytest.approx(20 / 3)
    assert "1 counts 0, 2 counts 1, 3 counts 1" in explain_scoring(counted)
    assert "[from 2]" in explain_row(np.array([2.0, 2, 3, 1, 0]), counted)


def _looked_up(write, rows):
    return load_instrument(
        write(
            "",
            ("    method: mean\n    multiply: 10\n    missing: {max_missing: 1, treat: prorate}\n    range: [10, 30]",
             f"    method: sum\n    lookup: [{', '.join(rows)}]\n    range: [9, 81]"),
            ("{low: 10, high: 19", "{low: 9, high: 19"),
            ("  range: {status: confirmed", "  lookup: {status: confirmed, source: Test}\n  range: {status: confirmed"),
        )
    )  # fmt: skip


def test_a_table_turns_sums_into_scores_and_needs_every_answer(write):
    rows = [f"{{raw: {raw}, score: {raw * raw}}}" for raw in range(3, 10)]
    table = _looked_up(write, rows)
    assert _score(table, [3, 1, 2, 1, 0])["tiny.trust"] == 64
    assert np.isnan(_score(table, [3, 1, np.nan, 1, 0])["tiny.trust"])
    assert "looked up" in explain_row(np.array([3.0, 1, 2, 1, 0]), table)
    with pytest.raises(DataContractError, match="does not hold every sum once"):
        _looked_up(write, rows[:2] + rows[3:])


def test_a_missing_answer_may_count_zero_where_zero_is_the_lowest(write):
    zero = load_instrument(
        write(
            "",
            ("{value: 1}, {value: 2}, {value: 3}]", "{value: 0}, {value: 1}, {value: 2}]"),
            ("range: [10, 30]", "range: [0, 20]"),
            ("treat: prorate", "treat: zero"),
            ("{low: 10, high: 19", "{low: 0, high: 9"),
            ("{low: 20, high: 30", "{low: 10, high: 20"),
            ("at_least: 3", "at_least: 2"),
        )
    )
    assert _score(zero, [2, np.nan, 2, 1, 0])["tiny.trust"] == pytest.approx(40 / 3)
    assert "counts as 0" in explain_scoring(zero)
    with pytest.raises(DataContractError, match="counts 0 is not the lowest"):
        load_instrument(write("", ("treat: prorate", "treat: zero")))


def test_columns_of_a_wide_table_are_read_as_numbers_or_refused(forms):
    frame = pd.DataFrame({"a": ["3", " "], "b": [1, 1], "c": [3, 3], "d": [1, 1], "e": [0, 0]}, index=[7, 9])
    scores = score_wide(frame, forms, list("abcde"))
    assert scores.index.tolist() == [7, 9]
    assert scores["tiny.trust"].tolist() == [30, 30]
    assert scores["tiny.trust.n_answered"].tolist() == [3, 2]
    with pytest.raises(PeerimpactError, match="1 cells of the column hold something that is no number"):
        score_wide(frame.assign(a=["three", "3"]), forms, list("abcde"))
    with pytest.raises(PeerimpactError, match="no column 'f'"):
        score_wide(frame, forms, list("abcdf"))
    with pytest.raises(PeerimpactError, match="has 5 items, but 4 columns"):
        score_wide(frame, forms, list("abcd"))
    with pytest.raises(PeerimpactError, match=r"item 1: answers outside its response set \(1, 2, 3\): 1"):
        score_wide(frame.assign(a=[4, 3]), forms, list("abcde"))

"""Scoring: published examples, missing answers, and what must never matter."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments import InstrumentError, explain_scoring, load_instrument, load_library, score_responses

EXACT = 1e-12  # sums of small whole numbers and one division: only the last digits may differ
EXAMPLES = 60  # enough to meet every missing rule, and still about a second
SHARED = Path(os.environ.get("PEERIMPACT_SHARED", Path(__file__).parents[2].parent / "shared"))
HELP = SHARED / "data" / "help_trial" / "help_waves.csv"
HELP_COMPLETE = 1439  # rows of the HELP trial with 20 answers
HELP_INCOMPLETE = 24  # rows with 18 or 19, whose delivered total counts a missing answer as 0
CES_D_REVERSED = (3, 7, 11, 15)  # positions of items 4, 8, 12, 16
KEY = ["participant_id", "timepoint", "measure"]

VECTORS = [
    # published test data of awell-score and of the German PROM core data set
    ("phq-9", [3, 0, 1, 2, 0, 0, 1, 0, 3], 10),
    ("phq-9", [3] * 9, 27),
    ("gad-7", [3, 0, 1, 2, 0, 0, 1], 7),
    ("gad-7", [1, 1, 1, 2, 2, 0, 0], 7),
    ("who-5", [4, 1, 0, 2, 3], 40),
    ("who-5", [3] * 5, 60),
    ("who-5", [5] * 5, 100),
    # by hand
    ("phq-9", [0] * 9, 0),
    ("gad-7", [3] * 7, 21),
    ("who-5", [0] * 5, 0),
    ("ces-d", [0] * 20, 12),
    ("ces-d", [3] * 20, 48),
    ("ces-d", [0 if item in CES_D_REVERSED else 3 for item in range(20)], 60),
    ("ces-d", [3 if item in CES_D_REVERSED else 0 for item in range(20)], 0),
    ("gse-10", [1] * 10, 10),
    ("gse-10", [4] * 10, 40),
    ("gse-10", [1, 2, 3, 4, 1, 2, 3, 4, 1, 2], 23),
    ("semcd-6", [1, 2, 3, 4, 5, 6], 3.5),
    ("semcd-6", [10] * 6, 10),
    ("ssci-8", [1] * 8, 8),
    ("ssci-8", [5] * 8, 40),
    ("ssci-8", [1, 2, 3, 4, 5, 1, 2, 3], 21),
    ("adherence-vas", [87.5], 87.5),
]


@pytest.mark.parametrize(("name", "answers", "expected"), VECTORS)
def test_complete_answers_give_the_expected_score(library, responses_of, name, answers, expected):
    scores = score_responses(responses_of(name, answers), library)
    assert scores[["measure", "score", "n_items", "n_answered", "method"]].to_dict("records") == [
        {"measure": f"{name}.total", "score": expected, "n_items": len(answers), "n_answered": len(answers),
         "method": "complete"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "answers", "expected"),
    [
        ("ces-d", [None, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 1], 15 * 20 / 19),
        ("ces-d", [0, 0, 0, None, 0, 0, 0, None, 0, 0, 0, None, 0, 0, 0, 0, 0, 0, 0, 0], 3 * 20 / 17),
        ("ces-d", [None] * 3 + [0 if item in CES_D_REVERSED else 3 for item in range(3, 20)], 60),
        ("gse-10", [None, None, None, 2, 2, 2, 2, 2, 2, 3], 15 * 10 / 7),
        ("semcd-6", [None, 2, 3, 4, None, 6], 15 / 4),
    ],
)
def test_missing_items_within_the_rule_are_prorated_after_reversal(library, responses_of, name, answers, expected):
    row = score_responses(responses_of(name, answers), library).iloc[0]
    assert row["score"] == pytest.approx(expected, abs=EXACT)
    assert row["method"] == "prorated"
    assert row["n_answered"] == len(answers) - answers.count(None)


@pytest.mark.parametrize(
    ("name", "n_items", "n_missing"),
    [("ces-d", 20, 4), ("gse-10", 10, 4), ("semcd-6", 6, 3), ("phq-9", 9, 1), ("gad-7", 7, 1), ("who-5", 5, 1),
     ("ssci-8", 8, 1), ("adherence-vas", 1, 1)],
)  # fmt: skip
def test_a_missing_item_beyond_the_rule_gives_no_score(library, responses_of, name, n_items, n_missing):
    row = score_responses(responses_of(name, [None] * n_missing + [1] * (n_items - n_missing)), library).iloc[0]
    assert np.isnan(row["score"])
    assert (row["method"], row["n_answered"]) == ("too_few_answered", n_items - n_missing)


def test_a_participant_without_any_answer_keeps_a_row(library, responses_of):
    scores = score_responses(responses_of("ces-d", [None] * 20, [0] * 20), library)
    assert scores["participant_id"].tolist() == ["p0", "p1"]
    assert scores["method"].tolist() == ["too_few_answered", "complete"]
    assert scores["n_answered"].tolist() == [0, 20]


def test_items_that_were_never_delivered_count_as_missing(library, responses_of):
    ces_d = score_responses(responses_of("ces-d", [0] * 17), library).iloc[0]
    assert (ces_d["score"], ces_d["n_items"], ces_d["n_answered"]) == (pytest.approx(12 * 20 / 17, abs=EXACT), 20, 17)
    phq_9 = score_responses(responses_of("phq-9", [0] * 8), library).iloc[0]
    assert (phq_9["method"], phq_9["n_items"], phq_9["n_answered"]) == ("too_few_answered", 9, 8)


def test_measures_use_only_their_items_and_their_own_missing_rule(tmp_path, tiny, responses_of):
    (tmp_path / "tiny.yaml").write_text(tiny)
    library = {"tiny": load_instrument(tmp_path / "tiny.yaml")}
    scores = score_responses(responses_of("tiny", [1, 1, 2, 4, 50.5], [None, 1, 2, None, 50.5]), library)
    assert scores["measure"].tolist() == ["tiny.trust", "tiny.trust", "tiny.ease", "tiny.ease"]
    assert scores["score"].tolist() == pytest.approx([20, 25, 54.5, np.nan], abs=EXACT, nan_ok=True)
    assert scores["method"].tolist() == ["complete", "prorated", "complete", "too_few_answered"]


def test_instruments_and_timepoints_are_kept_apart(library, responses_of):
    parts = [
        responses_of("who-5", [5] * 5, [1] * 5, timepoint="post"),
        responses_of("phq-9", [1] * 9),
        responses_of("who-5", [3] * 5),
    ]
    scores = score_responses(pd.concat(parts), library)
    assert scores[[*KEY, "score"]].to_numpy().tolist() == [
        ["p0", "baseline", "phq-9.total", 9.0],
        ["p0", "post", "who-5.total", 100.0],
        ["p1", "post", "who-5.total", 20.0],
        ["p0", "baseline", "who-5.total", 60.0],
    ]


def test_scores_have_the_declared_columns_and_types_even_when_empty(library, responses_of):
    full = responses_of("phq-9", [0] * 9)
    expected = {"participant_id": "str", "timepoint": "str", "measure": "str", "score": "float64", "n_items": "int64",
                "n_answered": "int64", "method": "str"}  # fmt: skip
    for responses in (full, full.iloc[:0]):
        scores = score_responses(responses, library)
        assert scores.dtypes.astype(str).to_dict() == expected
        assert len(scores) == len(responses) / 9


def test_scoring_leaves_its_input_as_it_was(library, responses_of):
    responses = responses_of("ces-d", [0] * 20, [None] + [3] * 19)
    before = responses.copy(deep=True)
    score_responses(responses, library)
    pd.testing.assert_frame_equal(responses, before)


@pytest.mark.parametrize(
    ("name", "answers", "said"),
    [
        ("phq-9", [0, 0, 4, 0, 0, 0, 0, 0, 0], "phq-9 item 3: answers outside its response set (0, 1, 2, 3): 1."),
        ("phq-9", [0, 0, 1.5, 0, 0, 0, 0, 0, 0], "phq-9 item 3"),
        ("ssci-8", [0, 1, 1, 1, 1, 1, 1, 1], "ssci-8 item 1"),
        ("adherence-vas", [100.5], "adherence-vas item 1: answers outside its response set (0 to 100): 1."),
        ("adherence-vas", [float("inf")], "adherence-vas item 1"),
    ],
)
def test_an_answer_outside_the_response_set_is_an_error_that_names_no_participant(
    library, responses_of, name, answers, said
):
    with pytest.raises(InstrumentError) as caught:
        score_responses(responses_of(name, answers).replace({"participant_id": {"p0": "secret"}}), library)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_unknown_instrument_item_or_column_is_an_error_with_the_nearest_name(library, responses_of):
    responses = responses_of("phq-9", [0] * 9)
    with pytest.raises(InstrumentError, match=r"'phq9' is not in the library\. Did you mean 'phq-9'\?"):
        score_responses(responses.assign(instrument="phq9"), library)
    with pytest.raises(InstrumentError, match="phq-9 has no item '10'"):
        score_responses(responses_of("phq-9", [0] * 10), library)
    with pytest.raises(InstrumentError, match="no column value"):
        score_responses(responses.drop(columns="value"), library)


def test_an_item_answered_twice_at_one_timepoint_is_an_error(library, responses_of):
    responses = responses_of("phq-9", [0] * 9)
    with pytest.raises(InstrumentError, match="phq-9 item 9 stands more than once"):
        score_responses(pd.concat([responses, responses.iloc[[8]]]), library)


@st.composite
def answered(draw, name=None):
    """Answers of a few participants to one instrument, any of them missing."""
    library = load_library()
    scored = [one for one, instrument in library.items() if instrument.items]
    instrument = library[name or draw(st.sampled_from(scored))]
    people = []
    for _ in range(draw(st.integers(1, 4))):
        n_missing = draw(st.integers(0, min(len(instrument.items), 5)))
        gaps = draw(st.sets(st.integers(0, len(instrument.items) - 1), min_size=n_missing, max_size=n_missing))
        person = []
        for position, item in enumerate(instrument.items):
            allowed = instrument.allowed_values(item.id)
            value = st.sampled_from(allowed.options) if allowed.options else st.floats(allowed.minimum, allowed.maximum)
            person.append(None if position in gaps else draw(value))
        people.append(person)
    return instrument, people


@given(case=answered())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_the_engine_agrees_with_a_score_added_up_by_hand_and_stays_in_range(responses_of, library, case):
    instrument, people = case
    scores = score_responses(responses_of(instrument.id, *people), library).set_index(["participant_id", "measure"])
    for number, person in enumerate(people):
        counted = {
            item.id: _count(instrument, item, value) for item, value in zip(instrument.items, person, strict=True)
        }
        too_many = instrument.max_missing is not None and person.count(None) > instrument.max_missing
        for measure in instrument.scored_measures:
            found = scores.loc[(f"p{number}", f"{instrument.id}.{measure.id}"), "score"]
            expected = None if too_many else _add_up(instrument, measure, counted)
            if expected is None:
                assert np.isnan(found)
            else:
                assert found == pytest.approx(expected, abs=1e-9)  # divided before it is multiplied
                assert measure.range[0] <= found <= measure.range[1]


def _count(instrument, item, value):
    """What an answer counts, from the options of the definition; reversed by position where steps are equal."""
    options = instrument.response_sets[item.response_set].options
    if value is None or not options:
        return value
    counts = [option.value if option.score is None else option.score for option in options]
    count = counts[[option.value for option in options].index(value)]
    return sorted(counts)[len(counts) - 1 - sorted(counts).index(count)] if item.reverse else count


def _add_up(instrument, measure, counted):
    values = [counted[item.id] for item in instrument.items_of(measure)]
    given = [value for value in values if value is not None]
    if len(values) - len(given) > measure.missing.max_missing:
        return None
    if measure.lookup:
        return {step.raw: step.score for step in measure.lookup}[sum(given)]
    mean = sum(given) / (len(values) if measure.missing.treat == "zero" else len(given))
    return mean * (len(values) if measure.method == "sum" else 1) * measure.multiply + measure.add


@given(case=answered(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_neither_the_order_of_rows_nor_the_labels_of_participants_matter(responses_of, library, case, seed):
    instrument, people = case
    responses = responses_of(instrument.id, *people)
    names = {f"p{index}": f"x{len(people) - index}" for index in range(len(people))}
    shuffled = responses.iloc[np.random.default_rng(seed).permutation(len(responses))]
    shuffled = shuffled.assign(participant_id=shuffled["participant_id"].map(names))
    expected = score_responses(responses, library)
    expected = expected.assign(participant_id=expected["participant_id"].map(names)).set_index(KEY)
    found = score_responses(shuffled, library)
    assert found["participant_id"].drop_duplicates().tolist() == shuffled["participant_id"].drop_duplicates().tolist()
    pd.testing.assert_frame_equal(found.set_index(KEY).loc[expected.index], expected, check_exact=True)


@given(case=answered("ces-d"))
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
def test_reversing_twice_is_identity_and_missing_stays_missing(case):
    instrument, people = case
    allowed = instrument.allowed_values("4")
    answers = np.array(people, dtype="float64")
    once = allowed.score(answers, reverse=True)
    np.testing.assert_array_equal(allowed.score(once, reverse=True), answers)
    np.testing.assert_array_equal(np.isnan(once), np.isnan(answers))
    np.testing.assert_array_equal(allowed.allows(once), ~np.isnan(answers))


def test_the_rule_in_words_says_what_the_engine_does(library):
    words = explain_scoring(library["ces-d"])
    assert "ces-d.total, CES-D total: the sum of all 20 items (answered 0 to 3)." in words
    assert "items 4, 8, 12 and 16 (3 minus the answer)" in words
    assert "Up to 3 missing answers count as the mean" in words
    assert "Range 0 to 60; higher is worse." in words
    assert "Draft." in words
    assert "- missing_rule: The limit of 3" in words


def test_the_rule_in_words_tells_safety_multiplier_and_single_items(tmp_path, tiny, library):
    assert "Safety, item 9 (thoughts of self-harm), answers 1, 2, 3: " in explain_scoring(library["phq-9"])
    assert "Draft" not in explain_scoring(library["phq-9"])
    assert "(answered 0 to 5), times 4. All 5 answers are needed." in explain_scoring(library["who-5"])
    assert "the answer to item 1 (answered 0 to 100). Without an answer" in explain_scoring(library["adherence-vas"])
    (tmp_path / "tiny.yaml").write_text(tiny)
    words = explain_scoring(load_instrument(tmp_path / "tiny.yaml"))
    assert "the mean of items 1, 2 and 3 (answered 1 to 3), times 10." in words
    assert "Reversed first: item 2 (4 minus the answer)." in words
    assert "Up to 1 missing answer counts as" in words
    assert "the sum of items 4 and 5. All 2 answers are needed." in words


@pytest.fixture(scope="module")
def help_trial():
    """CES-D of the HELP trial: our scores beside the delivered totals."""
    if not HELP.exists():
        pytest.skip("the HELP trial data are not here; set PEERIMPACT_SHARED to the shared data folder")
    waves = pd.read_csv(HELP)
    columns = [f"F1{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
    responses = waves.melt(id_vars=["ID", "TIME"], value_vars=columns, var_name="column", value_name="value").assign(
        participant_id=lambda table: table["ID"].astype("str"), timepoint=lambda table: table["TIME"].astype("str"),
        instrument="ces-d", item=lambda table: table["column"].map({name: str(n) for n, name in enumerate(columns, 1)}),
    )  # fmt: skip
    delivered = waves.assign(participant_id=waves["ID"].astype("str"), timepoint=waves["TIME"].astype("str"))
    scores = score_responses(responses, load_library())
    return scores.merge(delivered, on=["participant_id", "timepoint"], how="left", validate="one_to_one"), len(waves)


@pytest.mark.real_data
def test_every_complete_row_of_the_help_trial_reproduces_its_delivered_total(help_trial):
    scores, n_rows = help_trial
    assert len(scores) == n_rows
    complete = scores[scores["method"] == "complete"]
    assert len(complete) == HELP_COMPLETE
    assert (complete["score"] == complete["CES_D"]).all()


@pytest.mark.real_data
def test_incomplete_rows_of_the_help_trial_are_prorated_where_the_delivered_total_counts_zero(help_trial):
    scores, _ = help_trial
    prorated = scores[scores["method"] == "prorated"]
    assert len(prorated) == HELP_INCOMPLETE
    as_delivered = prorated["score"] * prorated["n_answered"] / prorated["n_items"]
    assert as_delivered.to_numpy() == pytest.approx(prorated["CES_D"].to_numpy(), abs=1e-9)

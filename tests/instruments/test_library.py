"""Every definition of the library: its worked examples, and what holds for all of them."""

import numpy as np
import pandas as pd
import pytest

from instruments import apply_variants, load_library, score_responses, score_wide

ROUNDED = 0.0051  # examples are given to two decimals
LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
EXAMPLES = [(name, place) for name, one in SCORED.items() for place in range(len(one.examples))]


@pytest.mark.parametrize(("name", "place"), EXAMPLES, ids=lambda value: str(value))
def test_a_worked_example_comes_out(name, place):
    instrument, example = LIBRARY[name], LIBRARY[name].examples[place]
    form = apply_variants(instrument, example.variants)
    answers = pd.DataFrame([example.answers], columns=[item.id for item in form.items], dtype="float64")
    found = score_wide(answers, form)
    for measure, expected in example.scores.items():
        score = found.loc[0, f"{name}.{measure}"]
        if expected is None:
            assert np.isnan(score)
        else:
            assert score == pytest.approx(expected, abs=ROUNDED)


@pytest.mark.parametrize("name", SCORED)
def test_examples_show_a_missing_answer_and_both_ends_of_every_range(name):
    instrument = SCORED[name]
    plain = [example for example in instrument.examples if not example.variants]
    assert any(None in example.answers for example in plain)
    for measure in instrument.scored_measures:
        shown = {example.scores.get(measure.id) for example in plain if None not in example.answers}
        for end in measure.range:
            assert any(score is not None and abs(score - end) < ROUNDED for score in shown), (measure.id, end)


# What holds for every instrument, with answers drawn at random

PEOPLE = 200
MISSING = 0.05


def _draw(instrument, seed=1, missing=MISSING):
    """Answers of many people, some missing."""
    rng = np.random.default_rng(seed)
    columns = {}
    for item in instrument.items:
        allowed = instrument.allowed_values(item.id)
        options = allowed.options or np.linspace(allowed.minimum, allowed.maximum, 11)
        columns[item.id] = rng.choice(np.asarray(options, dtype="float64"), PEOPLE)
    answers = pd.DataFrame(columns)
    return answers.mask(rng.random(answers.shape) < missing)


def _forms():
    """Every scored instrument, and every one of its variants."""
    for name, instrument in SCORED.items():
        yield pytest.param(instrument, id=name)
        for variant in instrument.variants:
            yield pytest.param(apply_variants(instrument, [variant.id]), id=f"{name}+{variant.id}")


FORMS = list(_forms())


@pytest.mark.parametrize("instrument", FORMS)
def test_scores_stay_in_their_range_and_are_missing_only_by_the_rule(instrument):
    answers = _draw(instrument)
    scores = score_wide(answers, instrument)
    overall = len(instrument.items) if instrument.max_missing is None else instrument.max_missing
    for measure in instrument.scored_measures:
        found = scores[f"{instrument.id}.{measure.id}"]
        assert found.dropna().between(*measure.range).all()
        gaps = answers[[item.id for item in instrument.items_of(measure)]].isna().sum(axis=1)
        assert found.notna().equals((gaps <= measure.missing.max_missing) & (answers.isna().sum(axis=1) <= overall))


@pytest.mark.parametrize("instrument", FORMS)
def test_an_answer_that_counts_more_never_lowers_a_score(instrument):
    """For a reversed item that is the lower answer; where answers count something else than their value, the table decides."""
    answers = _draw(instrument, missing=0.0)
    before = score_wide(answers, instrument)
    for item in instrument.items:
        allowed = instrument.allowed_values(item.id)
        most = allowed.minimum if item.reverse and not allowed.options else allowed.maximum
        if allowed.options:
            counts = dict(zip(allowed.options, allowed.scores, strict=True))
            most = (min if item.reverse else max)(counts, key=counts.__getitem__)
        after = score_wide(answers.assign(**{item.id: float(most)}), instrument)
        for measure in instrument.scored_measures:
            name = f"{instrument.id}.{measure.id}"
            if item in instrument.items_of(measure):
                assert (after[name] >= before[name] - 1e-9).all()
                assert (after[name] > before[name] + 1e-9).any()
            else:
                assert after[name].equals(before[name])


@pytest.mark.parametrize("instrument", FORMS)
def test_what_an_answer_counts_comes_back_when_it_is_reversed_twice(instrument):
    for item in instrument.items:
        allowed = instrument.allowed_values(item.id)
        options = np.array(allowed.options or [allowed.minimum, allowed.maximum], dtype="float64")
        plain, turned = allowed.score(options), allowed.score(options, reverse=True)
        assert plain + turned == pytest.approx(allowed.lowest_score + allowed.highest_score)
        assert {*turned.round(9)} <= {*plain.round(9)} or not item.reverse


@pytest.mark.parametrize("instrument", FORMS)
def test_the_order_of_people_columns_and_rows_changes_no_score(instrument):
    answers = _draw(instrument)
    expected = score_wide(answers, instrument)
    shuffled = answers.sample(frac=1, random_state=5).sample(frac=1, axis=1, random_state=6)
    pd.testing.assert_frame_equal(score_wide(shuffled, instrument).loc[expected.index], expected, check_exact=True)
    rows = answers.rename_axis("participant_id").reset_index().melt(id_vars="participant_id", var_name="item")
    rows = rows.assign(participant_id=rows["participant_id"].astype("str"), timepoint="t", instrument=instrument.id)
    scored = score_responses(rows.sample(frac=1, random_state=7), {instrument.id: instrument})
    wide = scored.pivot_table(index="participant_id", columns="measure", values="score", dropna=False)
    for measure in instrument.scored_measures:
        name = f"{instrument.id}.{measure.id}"
        found = wide[name].reindex(expected.index.astype("str")).to_numpy()
        np.testing.assert_array_equal(found, expected[name].to_numpy())
